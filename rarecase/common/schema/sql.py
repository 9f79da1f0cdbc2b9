"""DDL for DuckDB, SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rarecase.common.schema.constraints import Dialect, constraints, literal
from rarecase.common.schema.declare import LONGEST_NAME, Reference, Schema, Table, check_name

DIALECTS: tuple[Dialect, ...] = ("duckdb", "sqlite", "postgresql")

_COMMON = {"key": "BIGINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "bool": "BOOLEAN"}
_COMMON |= {"date": "DATE", "timestamp": "TIMESTAMP"}
_TEXT = {"string": "TEXT", "category": "TEXT"}
SQL_TYPES: dict[Dialect, dict[str, str]] = {
    "duckdb": {
        **_COMMON,
        "int8": "TINYINT",
        "float32": "FLOAT",
        "float64": "DOUBLE",
        "string": "VARCHAR",
        "category": "VARCHAR",
    },
    "postgresql": {**_COMMON, **_TEXT, "int8": "SMALLINT", "float32": "REAL", "float64": "DOUBLE PRECISION"},
    "sqlite": {
        **dict.fromkeys(("key", "int8", "int16", "int32", "int64", "bool"), "INTEGER"),
        **dict.fromkeys(("float32", "float64"), "REAL"),
        **dict.fromkeys(("date", "timestamp"), "TEXT"),
        **_TEXT,
    },
}


@dataclass(frozen=True)
class Ddl:
    """The statements that make a schema, in groups that a load may run at different times.

    Run in the order of the fields; statements carry no semicolon. What the chosen dialect puts inside CREATE
    TABLE leaves its own group empty.
    """

    namespace: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    primary_keys: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    foreign_keys: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """All statements in order."""
        later = self.primary_keys + self.checks + self.foreign_keys + self.indexes + self.comments
        return self.namespace + self.create + later

    def __str__(self) -> str:
        return "".join(f"{statement};\n" for statement in self.statements)


def qualified(table: str, dialect: Dialect, namespace: str | None) -> str:
    """Name of a table in a database: ``namespace.table``, in SQLite ``namespace_table``."""
    if namespace is None:
        return table
    check_name(namespace, "namespace")
    return f"{namespace}{'_' if dialect == 'sqlite' else '.'}{table}"


def ddl(
    schema: Schema,
    dialect: Dialect,
    namespace: str | None = None,
    *,
    keys: Literal["inline", "later"] = "inline",
    foreign_keys: bool = True,
) -> Ddl:
    """Statements that create the tables of a schema, referenced tables first.

    Parameters
    ----------
    schema : Schema
    dialect : {"duckdb", "sqlite", "postgresql"}
    namespace : str, optional
        Schema of the database that holds the tables; a prefix of their names in SQLite.
    keys : {"inline", "later"}
        Whether primary keys, checks and foreign keys stand inside CREATE TABLE, or apart so that a bulk load
        can add them to rows already there. Never apart: NOT NULL; SQLite's checks and foreign keys (switch
        ``PRAGMA ignore_check_constraints`` and ``foreign_keys`` during the load); DuckDB's checks. DuckDB
        cannot add foreign keys later: there are none with ``keys="later"``. SQLite gets a unique index in
        place of a later primary key.
    foreign_keys : bool
        False leaves foreign keys out.

    Returns
    -------
    Ddl

    Raises
    ------
    ValueError
        For a namespace that is no plain lower-case identifier.
    """
    writer = _Writer(dialect, namespace, inline=keys == "inline", references=foreign_keys)
    tables = schema.ordered()
    return Ddl(
        namespace=()
        if namespace is None or dialect == "sqlite"
        else (f"CREATE SCHEMA IF NOT EXISTS {namespace}",),
        create=tuple(writer.create(table) for table in tables),
        primary_keys=tuple(found for table in tables for found in writer.primary_key(table)),
        checks=tuple(found for table in tables for found in writer.checks(table)),
        foreign_keys=tuple(found for table in tables for found in writer.foreign_keys(table)),
        indexes=tuple(found for table in tables for found in writer.indexes(table)),
        comments=tuple(found for table in tables for found in writer.comments(table)),
    )


def _short(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class _Writer:
    dialect: Dialect
    namespace: str | None
    inline: bool
    references: bool

    def name(self, table: str) -> str:
        return qualified(table, self.dialect, self.namespace)

    def create(self, table: Table) -> str:
        lines = [*self._columns(table), *self._inline_constraints(table)]
        strict = " STRICT" if self.dialect == "sqlite" else ""
        body = ",\n  ".join(lines)
        return f"CREATE TABLE {self.name(table.name)} (\n  {body}\n){strict}"

    def _columns(self, table: Table) -> Iterator[str]:
        for column in table.columns:
            kind = SQL_TYPES[self.dialect][column.type]
            yield f"{column.name} {kind}{'' if column.nullable else ' NOT NULL'}"

    def _inline_constraints(self, table: Table) -> Iterator[str]:
        if table.key and self.inline:
            yield f"PRIMARY KEY ({', '.join(table.key)})"
        if self.inline or self.dialect != "postgresql":
            yield from self._check_clauses(table)
        if self.references and (self.inline or self.dialect == "sqlite"):
            yield from (self._reference(reference) for reference in table.references)

    def _check_clauses(self, table: Table) -> Iterator[str]:
        for constraint in constraints(table, self.dialect):
            name = _short(f"{table.name}_{constraint.suffix}")
            yield f"CONSTRAINT {name} CHECK ({constraint.sql})"

    def _reference(self, reference: Reference) -> str:
        ours, theirs = ", ".join(reference.columns), ", ".join(reference.to)
        return f"FOREIGN KEY ({ours}) REFERENCES {self.name(reference.table)} ({theirs})"

    def primary_key(self, table: Table) -> Iterator[str]:
        if self.inline or not table.key:
            return
        columns = ", ".join(table.key)
        if self.dialect == "sqlite":
            index = f"{self.name(table.name)}_key"
            yield f"CREATE UNIQUE INDEX {index} ON {self.name(table.name)} ({columns})"
        else:
            yield f"ALTER TABLE {self.name(table.name)} ADD PRIMARY KEY ({columns})"

    def checks(self, table: Table) -> Iterator[str]:
        clauses = [f"ADD {clause}" for clause in self._check_clauses(table)]
        if clauses and self.dialect == "postgresql" and not self.inline:
            # One statement, so that the table is scanned once.
            yield f"ALTER TABLE {self.name(table.name)} " + ",\n  ".join(clauses)

    def foreign_keys(self, table: Table) -> Iterator[str]:
        if self.references and self.dialect == "postgresql" and not self.inline:
            for reference in table.references:
                yield f"ALTER TABLE {self.name(table.name)} ADD {self._reference(reference)}"

    def indexes(self, table: Table) -> Iterator[str]:
        """Indexes that joins and histories want; DuckDB scans columns and needs none."""
        if self.dialect == "duckdb":
            return
        for columns in _index_columns(table):
            target = self.name(table.name)
            prefix = target if self.dialect == "sqlite" else table.name
            name = _short("_".join((prefix, *columns, "idx")))
            yield f"CREATE INDEX {name} ON {target} ({', '.join(columns)})"

    def comments(self, table: Table) -> Iterator[str]:
        if self.dialect == "sqlite":
            return
        target = self.name(table.name)
        yield f"COMMENT ON TABLE {target} IS {literal(f'{table.meaning} Synthetic data by rarecase.')}"
        for column in table.columns:
            text = column.meaning + (f" [{column.unit}]" if column.unit else "")
            yield f"COMMENT ON COLUMN {target}.{column.name} IS {literal(text)}"


def _index_columns(table: Table) -> tuple[tuple[str, ...], ...]:
    wanted = [reference.columns for reference in table.references]
    if table.entity is not None and table.time is not None:
        wanted.append((table.entity, table.time))
    kept: list[tuple[str, ...]] = []
    for columns in wanted:
        longer = [other for other in [table.key, *wanted] if len(other) > len(columns)]
        covered = columns == table.key or any(other[: len(columns)] == columns for other in longer)
        if not covered and columns not in kept:
            kept.append(columns)
    return tuple(kept)
