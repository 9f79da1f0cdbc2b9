"""What the emitters say beyond accepting and rejecting."""

from __future__ import annotations

import json
import sqlite3

import duckdb
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rarecase.common.schema import Column, Reference, Schema, Table, ddl
from rarecase.common.schema.jsonschema import json_schema, row_schema
from rarecase.common.schema.markdown import markdown
from rarecase.common.schema.rowmodel import row_model
from rarecase.common.schema.strategies import datasets, rows
from rarecase.common.validate import validate_tables
from tests.common.schema_emitters import by_duckdb, by_json_schema, by_row_models, by_sqlite
from tests.common.schema_sample import SAMPLE, good_rows

#: Drawing a data set of six tables takes a few milliseconds; a slow machine is no failure.
UNHURRIED = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@given(datasets(SAMPLE))
@UNHURRIED
def test_drawn_data_sets_pass_every_emitter(tables: dict) -> None:  # type: ignore[type-arg]
    assert validate_tables(SAMPLE, tables).ok
    drawn = {name: table.to_pylist() for name, table in tables.items()}
    assert by_row_models(drawn)
    assert by_json_schema(drawn)
    assert by_duckdb(drawn)
    assert by_sqlite(drawn)


@pytest.mark.parametrize("name", SAMPLE.names)
def test_drawn_rows_pass_their_model(name: str) -> None:
    @given(rows(SAMPLE[name]))
    @settings(UNHURRIED, max_examples=20)
    def holds(row: dict[str, object]) -> None:
        assert row_model(SAMPLE[name]).model_validate(row)

    holds()


@given(st.data())
@settings(UNHURRIED, max_examples=10)
def test_rows_may_refer_to_their_own_table(data: st.DataObject) -> None:
    parent = Column(name="parent_id", type="key", meaning="Parent", nullable=True)
    tree = Table(
        name="nodes",
        meaning="A tree.",
        columns=(Column(name="node_id", type="key", meaning="Key"), parent),
        key=("node_id",),
        references=(Reference(columns=("parent_id",), table="nodes", to=("node_id",)),),
    )
    schema = Schema(domain="sample", version="1", tables=(tree,))
    assert validate_tables(schema, data.draw(datasets(schema))).ok


def test_a_row_survives_json() -> None:
    model = row_model(SAMPLE["things"])
    row = model.model_validate(good_rows()["things"][0])
    assert json.loads(row.model_dump_json())["thing_id"] == str(2**61)
    assert model.model_validate_json(row.model_dump_json()) == row
    jsonschema.validate(json.loads(row.model_dump_json()), row_schema(SAMPLE["things"]))


def test_the_json_schema_is_one_and_tells_digest_and_references() -> None:
    found = json_schema(SAMPLE)
    jsonschema.Draft202012Validator.check_schema(found)
    assert SAMPLE.digest() in found["description"]
    assert found["$defs"]["pieces"]["x-references"][0]["table"] == "things"
    assert found["$defs"]["things"]["properties"]["speed_mps"]["x-unit"] == "m/s"
    assert None in found["$defs"]["things"]["properties"]["colour"]["enum"]
    json.dumps(found)


def test_the_reference_page_names_everything() -> None:
    page = markdown(SAMPLE)
    for table in SAMPLE.tables:
        assert f"## {table.name}" in page
        assert all(f"| `{column.name}` |" in page for column in table.columns)
        assert all(rule.name in page for rule in (*table.row_rules, *table.table_rules))
    assert "`[a-z]+@example\\.(com\\|org)`" in page


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgresql"])
def test_a_namespace_stands_before_every_table(dialect: str) -> None:
    made = ddl(SAMPLE, dialect, "sample_twin")  # type: ignore[arg-type]
    dot = "_" if dialect == "sqlite" else "."
    assert all(f"CREATE TABLE sample_twin{dot}" in statement for statement in made.create)
    assert bool(made.namespace) == (dialect != "sqlite")
    with pytest.raises(ValueError, match="namespace"):
        ddl(SAMPLE, dialect, "a; drop")  # type: ignore[arg-type]


def test_groups_of_statements_are_what_each_database_can_add_later() -> None:
    postgresql, sqlite, duck = (
        ddl(SAMPLE, name, keys="later") for name in ("postgresql", "sqlite", "duckdb")
    )
    assert len(postgresql.foreign_keys) == 5
    assert len(postgresql.checks) == 6
    assert all("FOREIGN KEY" not in statement for statement in (*postgresql.create, *duck.create))
    assert sum("FOREIGN KEY" in statement for statement in sqlite.create) == 5
    assert all("UNIQUE INDEX" in statement for statement in sqlite.primary_keys)
    assert len(duck.primary_keys) == 5
    assert duck.foreign_keys == duck.indexes == ()
    without = ddl(SAMPLE, "sqlite", foreign_keys=False)
    assert all("FOREIGN KEY" not in statement for statement in without.create)


def test_every_statement_runs() -> None:
    for keys in ("inline", "later"):
        for foreign_keys in (True, False):
            with duckdb.connect() as connection:
                made = ddl(SAMPLE, "duckdb", "sample", keys=keys, foreign_keys=foreign_keys)  # type: ignore[arg-type]
                for statement in made.statements:
                    connection.execute(statement)
            lite = sqlite3.connect(":memory:")
            lite.executescript(str(ddl(SAMPLE, "sqlite", keys=keys, foreign_keys=foreign_keys)))  # type: ignore[arg-type]
            lite.close()


def test_long_names_of_constraints_stay_apart() -> None:
    columns = tuple(
        Column(name=f"{'very_' * 10}long_name_{i}", type="int8", meaning="m", minimum=0, maximum=1)
        for i in "ab"
    )
    table = Table(name="with_long_names", meaning="m", columns=columns, key=())
    schema = Schema(domain="sample", version="1", tables=(table,))
    names = [word for word in ddl(schema, "duckdb").create[0].split() if word.startswith("with_long_names_")]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)
