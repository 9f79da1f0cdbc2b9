"""The schemas of the three domains compile for every emitter and every database."""

from __future__ import annotations

import sqlite3
from typing import Literal

import duckdb
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from rarecase.common import registry
from rarecase.common.schema import Schema, arrow_schema, ddl
from rarecase.common.schema.jsonschema import json_schema
from rarecase.common.schema.markdown import markdown
from rarecase.common.schema.rowmodel import row_model
from rarecase.common.schema.strategies import datasets
from rarecase.common.validate import validate_tables

Keys = Literal["inline", "later"]


@pytest.fixture(scope="module", params=["finance", "healthcare", "automotive"])
def schema(request: pytest.FixtureRequest) -> Schema:
    return registry.get(request.param).schema


@pytest.mark.parametrize("keys", ["inline", "later"])
def test_every_statement_runs_in_duckdb_and_sqlite(schema: Schema, keys: Keys) -> None:
    with duckdb.connect() as connection:
        for statement in ddl(schema, "duckdb", schema.domain, keys=keys).statements:
            connection.execute(statement)
    lite = sqlite3.connect(":memory:")
    for statement in ddl(schema, "sqlite", schema.domain, keys=keys).statements:
        lite.execute(statement)
    lite.close()


@pytest.mark.parametrize("keys", ["inline", "later"])
def test_every_statement_runs_in_postgresql(schema: Schema, keys: Keys, postgres_address: str) -> None:
    import psycopg

    with psycopg.connect(postgres_address) as connection:
        for statement in ddl(schema, "postgresql", f"{schema.domain}_schema_test", keys=keys).statements:
            connection.execute(statement.encode())
        connection.rollback()


def test_the_other_emitters_compile(schema: Schema) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(schema))
    assert all(f"## {name}" in markdown(schema) for name in schema.names)
    assert all(row_model(table).model_fields.keys() == set(table.names) for table in schema.tables)


def test_no_rows_break_no_law(schema: Schema) -> None:
    assert (
        validate_tables(schema, {table.name: arrow_schema(table).empty_table() for table in schema.tables})
        == ()
    )


def test_drawn_rows_keep_the_laws_of_rows_keys_and_references(schema: Schema) -> None:
    drawn = dict.fromkeys(schema.names, 0)

    @given(datasets(schema))
    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def holds(tables: dict) -> None:  # type: ignore[type-arg]
        broken = [found for found in validate_tables(schema, tables) if not found.rule.startswith("table.")]
        assert broken == []
        for name, table in tables.items():
            drawn[name] += table.num_rows

    holds()
    assert all(drawn.values()), drawn
