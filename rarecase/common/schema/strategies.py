"""Hypothesis strategies: rows of a table, and small data sets whose keys and references hold.

A few values are drawn per column and mixed into many candidate rows, of which those that keep the row rules
remain. So a law that one random row in a hundred keeps costs no rejected examples, and values still shrink.
"""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import assume
from hypothesis import strategies as st

from rarecase.common.schema.arrow import arrow_schema
from rarecase.common.schema.constraints import WHOLE_LIMITS
from rarecase.common.schema.declare import FLOATS, INTEGERS, Column, Schema, Table
from rarecase.common.schema.rowmodel import LARGEST_KEY
from rarecase.common.schema.sql import SQL_TYPES

Row = dict[str, Any]
_CANDIDATES = 200
_POOL = 3
_SINCE, _UNTIL = dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)


def rows(table: Table) -> st.SearchStrategy[Row]:
    """One row as Python values that keeps the table's column constraints and row rules.

    References are drawn like any other key. Rules that tie columns by equations are out of reach of mixing;
    for those every example is rejected.
    """

    @st.composite
    def one(draw: st.DrawFn) -> Row:
        found = _draw_rows(draw, table, {}, 1)
        assume(found)
        return found[0]

    return one()


def datasets(schema: Schema, *, max_rows: int = 6) -> st.SearchStrategy[dict[str, pa.Table]]:
    """Small data sets: every table under its Arrow schema, keys unique, references kept, row rules kept.

    Table rules are not looked at. A table may be empty.

    Parameters
    ----------
    schema : Schema
    max_rows : int
        Most rows per table.
    """

    @st.composite
    def one(draw: st.DrawFn) -> dict[str, pa.Table]:
        made: dict[str, list[Row]] = {}
        for table in schema.ordered():
            made[table.name] = _draw_rows(draw, table, made, draw(st.integers(0, max_rows)))
        return {
            name: pa.Table.from_pylist(made[name], schema=arrow_schema(schema[name])) for name in schema.names
        }

    return one()


def _draw_rows(draw: st.DrawFn, table: Table, made: dict[str, list[Row]], count: int) -> list[Row]:
    if count == 0:
        return []
    pools = {
        column.name: draw(_pool(column, max(_POOL, count) if column.name in table.key else _POOL))
        for column in table.columns
    }
    mix = random.Random(draw(st.integers(0, 2**16)))
    candidates = [{name: mix.choice(pool) for name, pool in pools.items()} for _ in range(_CANDIDATES)]
    candidates = _refer(table, made, candidates, mix.choice)
    return _unique(table, _lawful(table, candidates))[:count]


def _refer(
    table: Table, made: dict[str, list[Row]], candidates: list[Row], choose: Callable[[Sequence[Row]], Row]
) -> list[Row]:
    """Point every candidate at rows already made; drop those that must refer to an empty table."""
    for reference in table.references:
        own = reference.table == table.name
        if not own and reference.table not in made:
            continue
        kept = []
        for row in candidates:
            targets = [row] if own else made[reference.table]
            if any(row[name] is None for name in reference.columns) or not targets:
                row |= dict.fromkeys(reference.columns)
            else:
                target = choose(targets)
                row |= {
                    ours: target[theirs] for ours, theirs in zip(reference.columns, reference.to, strict=True)
                }
            if all(row[name] is not None or table[name].nullable for name in reference.columns):
                kept.append(row)
        candidates = kept
    return candidates


def _lawful(table: Table, candidates: list[Row]) -> list[Row]:
    """The candidates that keep all row rules, which are portable SQL and so run in SQLite."""
    if not table.row_rules or not candidates:
        return candidates
    columns = ", ".join(f"{column.name} {SQL_TYPES['sqlite'][column.type]}" for column in table.columns)
    law = " AND ".join(f"coalesce({rule.sql}, TRUE)" for rule in table.row_rules)
    places = ", ".join("?" * len(table.names))
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE TABLE candidates ({columns})")
        values = [[_stored(row[name]) for name in table.names] for row in candidates]
        connection.executemany(f"INSERT INTO candidates VALUES ({places})", values)
        kept = connection.execute(f"SELECT rowid FROM candidates WHERE {law} ORDER BY rowid").fetchall()
    finally:
        connection.close()
    return [candidates[number - 1] for (number,) in kept]


def _stored(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, dt.date) else value


def _unique(table: Table, candidates: list[Row]) -> list[Row]:
    if not table.key:
        return candidates
    first: dict[tuple[Any, ...], Row] = {}
    for row in candidates:
        first.setdefault(tuple(row[name] for name in table.key), row)
    return list(first.values())


def _pool(column: Column, size: int) -> st.SearchStrategy[list[Any]]:
    drawn = st.lists(_values(column), min_size=size, max_size=size)
    return drawn.map(lambda pool: [*pool, None]) if column.nullable else drawn


def _values(column: Column) -> st.SearchStrategy[Any]:
    """Values of one column, null left out."""
    if column.values is not None:
        return st.sampled_from(column.values)
    if column.pattern is not None:
        return st.from_regex(column.pattern, fullmatch=True)
    if column.type in FLOATS:
        return _floats(column)
    if column.type in INTEGERS:
        low, high = column.limits
        width = WHOLE_LIMITS[column.type]
        return st.integers(-width if low is None else int(low), width - 1 if high is None else int(high))
    return _PLAIN[column.type]


def _floats(column: Column) -> st.SearchStrategy[float]:
    low, high = column.limits
    # Far enough from overflow that sums and products in rules stay finite.
    most = 1e30 if column.type == "float32" else 1e100
    bottom, top = -most if low is None else low, most if high is None else high
    drawn = st.floats(bottom, top, allow_nan=False, allow_infinity=False)
    return drawn.map(lambda value: _settled(value, column, bottom, top))


def _settled(value: float, column: Column, bottom: float, top: float) -> float:
    """The value on the column's grid and in its storage type, still within its limits."""
    if column.quantum is not None and abs(value) < 2**52 * column.quantum:
        value = float(round(value / column.quantum) * column.quantum)
    value = min(max(value, bottom), top)
    return float(np.float32(value)) if column.type == "float32" else value


_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "key": st.integers(1, LARGEST_KEY),
    "bool": st.booleans(),
    "string": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    "category": st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=6),
    "date": st.dates(_SINCE.date(), _UNTIL.date()),
    "timestamp": st.datetimes(_SINCE, _UNTIL),
}
