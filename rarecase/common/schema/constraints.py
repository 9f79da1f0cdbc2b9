"""What a single row must satisfy, as SQL: the one source of the DDL's CHECKs and of the validator's scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rarecase.common.schema.declare import FLOATS, INTEGERS, Column, Table

Dialect = Literal["duckdb", "sqlite", "postgresql"]

# One character, or one class with its range, at most repeated a fixed number of times.
_GLOB_STEP = re.compile(r"(\[\^?[^\]\\^]+\]|\\?[^.*+?()\[\]{}|\\]|\\[.*+?()\[\]{}|\\^$])(?:\{(\d+)\})?")
WHOLE_LIMITS = {"int8": 2**7, "int16": 2**15, "int32": 2**31, "int64": 2**63}


@dataclass(frozen=True)
class Constraint:
    """A boolean SQL expression that holds for a row or is NULL.

    `rule` is a code such as ``value.range`` or ``row.<name of the rule>``; `column` is None for row rules.
    """

    rule: str
    column: str | None
    sql: str
    message: str

    @property
    def suffix(self) -> str:
        """What the name of a CHECK constraint ends with; unique within the table."""
        kind = self.rule.partition(".")[2]
        return kind if self.column is None else f"{self.column}_{kind}"


def literal(value: str | int | float) -> str:
    """An SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def constraints(table: Table, dialect: Dialect) -> tuple[Constraint, ...]:
    """All row constraints of a table but NOT NULL, columns first, in the dialect's SQL.

    SQLite has no regular expressions: there a pattern becomes a GLOB where it is a plain sequence of
    characters and classes of fixed length, and is left out otherwise.
    """
    columns = [found for column in table.columns for found in _of_column(column, dialect)]
    rules = [Constraint(f"row.{rule.name}", None, rule.sql, rule.meaning) for rule in table.row_rules]
    return (*columns, *rules)


def _of_column(column: Column, dialect: Dialect) -> Iterator[Constraint]:
    name = column.name
    if column.type == "key":
        yield Constraint("key.positive", name, f"{name} > 0", f"{name} is a positive integer")
    if column.values is not None:
        listed = ", ".join(literal(value) for value in column.values)
        yield Constraint(
            "value.allowed", name, f"{name} IN ({listed})", f"{name} is one of {_shown(column.values)}"
        )
    yield from _finite(column)
    yield from _range(column, dialect)
    yield from _pattern(column, dialect)
    if dialect == "sqlite":
        yield from _storage(column)


def _shown(values: tuple[str | int, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:8])
    return shown if len(values) <= 8 else f"{shown}, … ({len(values)} values)"


def _finite(column: Column) -> Iterator[Constraint]:
    # Two limits already shut out infinity, and not-a-number, which DuckDB and PostgreSQL sort above it.
    if column.type in FLOATS and (column.minimum is None or column.maximum is None):
        sql = f"{column.name} > -1e308 AND {column.name} < 1e308"
        if column.type == "float32":
            sql = f"{column.name} > -3e38 AND {column.name} < 3e38"
        yield Constraint("value.finite", column.name, sql, f"{column.name} is a finite number")


def _range(column: Column, dialect: Dialect) -> Iterator[Constraint]:
    low, high = column.limits
    width = WHOLE_LIMITS.get(column.type)
    if (
        width is not None
        and width < 2**63
        and (dialect == "sqlite" or (dialect, column.type) == ("postgresql", "int8"))
    ):
        low = -width if low is None else low
        high = width - 1 if high is None else high
    limits = [(low, ">=", "at least"), (high, "<=", "at most")]
    told = [(_number(limit, column), sign, words) for limit, sign, words in limits if limit is not None]
    if told:
        sql = " AND ".join(f"{column.name} {sign} {limit}" for limit, sign, _ in told)
        words = " and ".join(f"{word} {limit}" for limit, _, word in told)
        yield Constraint("value.range", column.name, sql, f"{column.name} is {words}")


def _number(limit: float, column: Column) -> str:
    return repr(int(limit)) if column.type in INTEGERS else repr(float(limit))


def _pattern(column: Column, dialect: Dialect) -> Iterator[Constraint]:
    if column.pattern is None:
        return
    name, message = column.name, f"{column.name} matches {column.pattern}"
    if dialect == "duckdb":
        sql: str | None = f"regexp_full_match({name}, {literal(column.pattern)})"
    elif dialect == "postgresql":
        sql = f"{name} ~ {literal(f'^(?:{column.pattern})$')}"
    else:
        glob = as_glob(column.pattern)
        sql = None if glob is None else f"{name} GLOB {literal(glob)}"
    if sql is not None:
        yield Constraint("value.pattern", name, sql, message)


def as_glob(pattern: str) -> str | None:
    """The same pattern as an SQLite GLOB, or None where it has choices or open lengths."""
    at, glob = 0, ""
    while at < len(pattern):
        step = _GLOB_STEP.match(pattern, at)
        if step is None:
            return None
        one = step[1][1:] if step[1].startswith("\\") else step[1]
        glob += (f"[{one}]" if one in "*?[" else one) * int(step[2] or 1)
        at = step.end()
    return glob


def _storage(column: Column) -> Iterator[Constraint]:
    """SQLite stores truth values, days and moments in types that can hold more.

    Without a modifier its date functions let 31 February pass.
    """
    name = column.name
    if column.type == "bool":
        yield Constraint("value.type", name, f"{name} IN (0, 1)", f"{name} is 0 or 1")
    elif column.type == "date":
        yield Constraint(
            "value.type", name, f"{name} IS date({name}, '+0 days')", f"{name} is a day, YYYY-MM-DD"
        )
    elif column.type == "timestamp":
        shape, second = "????-??-?? ??:??:??." + "[0-9]" * 6, f"substr({name}, 1, 19)"
        sql = f"{name} IS NULL OR ({name} GLOB '{shape}' AND {second} IS datetime({second}, '+0 days'))"
        yield Constraint("value.type", name, sql, f"{name} is a moment, YYYY-MM-DD HH:MM:SS.ffffff")
