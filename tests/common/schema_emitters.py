"""Everything that a declaration compiles to, behind one question: is this data set accepted?"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pydantic

from rarecase.common.schema import arrow_schema, ddl
from rarecase.common.schema.jsonschema import json_schema
from rarecase.common.schema.rowmodel import row_model
from rarecase.common.validate import validate_files, validate_tables
from tests.common.schema_sample import SAMPLE

Rows = Mapping[str, list[dict[str, Any]]]

IN_MEMORY = ("pydantic", "json schema", "duckdb", "sqlite", "validator")
IN_FILES = ("parquet", "csv", "jsonl")


def accepted_by(emitter: str, rows: Rows, place: Path) -> bool:
    """Whether an emitter that needs no server accepts the rows; `place` is for files."""
    if emitter in IN_FILES:
        return _accepted_in_files(emitter, rows, place)
    return {
        "pydantic": by_row_models,
        "json schema": by_json_schema,
        "duckdb": by_duckdb,
        "sqlite": by_sqlite,
        "validator": lambda found: validate_tables(SAMPLE, loose_tables(found)).ok,
    }[emitter](rows)


def by_row_models(rows: Rows) -> bool:
    try:
        for name, found in rows.items():
            for row in found:
                row_model(SAMPLE[name]).model_validate(row)
    except pydantic.ValidationError:
        return False
    return True


def by_json_schema(rows: Rows) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(json_schema(SAMPLE), format_checker=checker)
    document = {name: [_as_json(name, row) for row in found] for name, found in rows.items()}
    return bool(validator.is_valid(document))


def _as_json(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _json_value(SAMPLE[table][name].type, value) for name, value in row.items()}


def _json_value(kind: str, value: Any) -> Any:
    if kind == "key" and value is not None:
        return str(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def by_duckdb(rows: Rows, **settings: Any) -> bool:
    with duckdb.connect() as connection:
        made = ddl(SAMPLE, "duckdb", "sample", **settings)
        try:
            for statement in made.namespace + made.create:
                connection.execute(statement)
            for table in SAMPLE.ordered():
                values = [[row[name] for name in table.names] for row in rows[table.name]]
                places = ", ".join("?" * len(table.names))
                if values:
                    connection.executemany(f"INSERT INTO sample.{table.name} VALUES ({places})", values)
            for statement in made.primary_keys:
                connection.execute(statement)
        except duckdb.Error:
            return False
        return True


def by_sqlite(rows: Rows, **settings: Any) -> bool:
    connection = sqlite3.connect(":memory:")
    made = ddl(SAMPLE, "sqlite", "sample", **settings)
    try:
        for statement in made.create:
            connection.execute(statement)
        for table in SAMPLE.ordered():
            values = [[_stored(row[name]) for name in table.names] for row in rows[table.name]]
            places = ", ".join("?" * len(table.names))
            connection.executemany(f"INSERT INTO sample_{table.name} VALUES ({places})", values)
        for statement in made.primary_keys:
            connection.execute(statement)
        return not connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.IntegrityError:
        return False
    finally:
        connection.close()


def _stored(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, dt.date) else value


def by_postgresql(rows: Rows, address: str, **settings: Any) -> bool:
    """Everything in one transaction that is rolled back."""
    import psycopg

    made = ddl(SAMPLE, "postgresql", "schema_emitters", **settings)
    with psycopg.connect(address) as connection:
        try:
            for statement in made.namespace + made.create:
                connection.execute(statement.encode())
            for table in SAMPLE.ordered():
                places = ", ".join(["%s"] * len(table.names))
                query = f"INSERT INTO schema_emitters.{table.name} VALUES ({places})".encode()
                values = [[row[name] for name in table.names] for row in rows[table.name]]
                connection.cursor().executemany(query, values)
            for statement in made.statements[len(made.namespace + made.create) :]:
                connection.execute(statement.encode())
        except (psycopg.IntegrityError, psycopg.DataError):
            return False
        finally:
            connection.rollback()
        return True


def loose_tables(rows: Rows) -> dict[str, pa.Table]:
    """Arrow tables of the declared types, but for columns that hold what the type cannot."""
    return {name: _loose_table(name, found) for name, found in rows.items()}


def _loose_table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    declared = arrow_schema(SAMPLE[name])
    arrays = [_loose_array([row[field.name] for row in rows], field.type) for field in declared]
    fields = [field.with_type(array.type) for field, array in zip(declared, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=declared.metadata))


def _loose_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def _accepted_in_files(format: str, rows: Rows, place: Path) -> bool:
    files = {}
    for name, table in loose_tables(rows).items():
        path = place / f"{name}.{format}"
        if format == "parquet":
            pq.write_table(_without_nullability(table), path)
        elif format == "csv":
            pa.csv.write_csv(table, path)
        else:
            lines = [json.dumps(_as_json(name, row)) for row in rows[name]]
            path.write_text("".join(f"{line}\n" for line in lines))
        files[name] = [path]
    return validate_files(SAMPLE, files).ok


def _without_nullability(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))
