"""A declaration refuses what contradicts itself, when it is made."""

from __future__ import annotations

import pickle
import sqlite3
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from rarecase.common.schema import (
    Column,
    Reference,
    RowRule,
    Schema,
    Table,
    TableRule,
    arrow_schema,
    case_tables,
)
from rarecase.common.schema.constraints import as_glob
from rarecase.common.schema.words import POSTGRESQL, RESERVED
from tests.common.schema_sample import SAMPLE

KEY = Column(name="thing_id", type="key", meaning="Key")
THING = Table(name="things", meaning="Things.", columns=(KEY,), key=("thing_id",))


def column(**given: Any) -> Column:
    return Column(**{"name": "size_m", "type": "float64", "meaning": "Size", **given})


@pytest.mark.parametrize(
    "given",
    [
        {"name": "order"},
        {"name": "Size"},
        {"name": "s" * 64},
        {"name": ""},
        {"type": "decimal"},
        {"meaning": " "},
        {"role": "king"},
        {"privacy": "secret"},
        {"values": (1, 2)},
        {"type": "category", "values": ()},
        {"type": "category", "values": ("a", "a")},
        {"type": "category", "values": (1,)},
        {"type": "int8", "values": ("a",)},
        {"type": "int8", "values": (True,)},
        {"minimum": 2, "maximum": 1},
        {"type": "int8", "minimum": 0.5},
        {"type": "string", "minimum": 1},
        {"pattern": "a"},
        {"type": "string", "pattern": r"\d+"},
        {"type": "string", "pattern": "^a$"},
        {"type": "string", "pattern": "a+?"},
        {"type": "string", "pattern": "(?i)a"},
        {"type": "string", "pattern": "[[:alpha:]]"},
        {"quantum": 0.0},
        {"type": "string", "mark_quantum": 0.1},
    ],
    ids=str,
)
def test_a_column_that_contradicts_itself_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"column"):
        column(**given)


@pytest.mark.parametrize(
    "pattern", [r"[0-9]{4}", r"[^@]+@example\.(com|org)", r"(GB|DE)[A-Z0-9]{2,30}", r"a\^b"]
)
def test_patterns_that_all_engines_read_alike_are_taken(pattern: str) -> None:
    assert column(type="string", pattern=pattern).pattern == pattern


@pytest.mark.parametrize(
    "given",
    [
        {"columns": ()},
        {"columns": (KEY, KEY)},
        {"key": ("other_id",)},
        {"key": ("thing_id", "thing_id")},
        {"columns": (replace(KEY, nullable=True),)},
        {"time": "seen_at"},
        {"time": "thing_id"},
        {"entity": "owner_id"},
        {"references": (Reference(columns=("owner_id",), table="owners", to=("owner_id",)),)},
        {"columns": (replace(KEY, known_at="thing_id"),)},
        {"row_rules": (RowRule(name="a", sql="1=1", meaning=""), RowRule(name="a", sql="1=1", meaning=""))},
    ],
    ids=str,
)
def test_a_table_that_contradicts_itself_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"thing"):
        replace(THING, **given)


def test_rules_and_references_are_not_empty() -> None:
    with pytest.raises(ValueError, match="empty"):
        RowRule(name="a", sql=" ", meaning="m")
    with pytest.raises(ValueError, match="empty"):
        TableRule(name="a", sql="", meaning="m")
    with pytest.raises(ValueError, match="pair"):
        Reference(columns=("a", "b"), table="c", to=("a",))


def referring(name: str, to: str, column: str) -> Table:
    reference = Reference(columns=("thing_id",), table=to, to=(column,))
    return replace(THING, name=name, references=(reference,))


def schema(*tables: Table) -> Schema:
    return Schema(domain="sample", version="1", tables=tables)


def test_references_must_lead_to_the_key_of_a_table_in_the_schema() -> None:
    with pytest.raises(ValueError, match="no such table"):
        schema(referring("pieces", "things", "thing_id"))
    with pytest.raises(ValueError, match="its key is"):
        schema(THING, referring("pieces", "things", "other_id"))
    other = replace(THING, columns=(replace(KEY, type="int64"),))
    with pytest.raises(ValueError, match="differ in type"):
        schema(other, referring("pieces", "things", "thing_id"))
    with pytest.raises(ValueError, match="twice"):
        schema(THING, THING)
    with pytest.raises(ValueError, match="circle"):
        schema(referring("a", "b", "thing_id"), referring("b", "a", "thing_id"))


def test_referenced_tables_come_first_and_otherwise_the_declared_order_stays() -> None:
    ordered = [table.name for table in SAMPLE.ordered()]
    for table in SAMPLE.tables:
        for reference in table.references:
            assert ordered.index(reference.table) < ordered.index(table.name)
    assert SAMPLE.names[0] == "pieces"


def test_the_digest_follows_every_word_of_the_declaration() -> None:
    assert schema(THING).digest() == schema(replace(THING)).digest()
    assert schema(THING).digest() != schema(replace(THING, meaning="Objects.")).digest()
    assert pickle.loads(pickle.dumps(SAMPLE)) == SAMPLE


def test_names_are_found_and_unknown_ones_are_not() -> None:
    assert SAMPLE["things"]["tiny"].type == "int8"
    with pytest.raises(KeyError):
        SAMPLE["nothing"]
    with pytest.raises(KeyError):
        SAMPLE["things"]["nothing"]


def test_every_word_that_a_database_here_refuses_is_reserved() -> None:
    with duckdb.connect() as connection:
        words = [
            word for (word,) in connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()
        ]
        for word in {*words, "transaction", "index", "commit"} - RESERVED:
            connection.execute(f"CREATE OR REPLACE TABLE {word} ({word} INTEGER CHECK ({word} > 0))")
            lite = sqlite3.connect(":memory:")
            lite.execute(f"CREATE TABLE {word} ({word} INTEGER CHECK ({word} > 0))")
            lite.close()


def test_the_words_reserved_by_postgresql_are_those_of_the_server(postgres_address: str) -> None:
    import psycopg

    with psycopg.connect(postgres_address) as connection:
        found = connection.execute(
            "SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')"
        ).fetchall()
    assert {word for (word,) in found} <= POSTGRESQL


def test_arrow_types_follow_from_the_declaration() -> None:
    things = arrow_schema(SAMPLE["things"])
    assert things.field("colour").type == pa.dictionary(pa.int8(), pa.string())
    assert things.field("town").type == pa.dictionary(pa.int32(), pa.string())
    many = column(type="category", values=tuple(f"v{i}" for i in range(200)))
    assert arrow_schema(replace(THING, columns=(KEY, many))).field(1).type.index_type == pa.int16()
    assert things.field("seen_at").type == pa.timestamp("us")
    assert not things.field("code").nullable


def test_arrow_metadata_tells_what_the_declaration_tells() -> None:
    things = arrow_schema(SAMPLE["things"])
    assert things.metadata[b"synthetic"] == b"true"
    assert things.metadata[b"key"] == b"thing_id"
    assert things.field("speed_mps").metadata[b"unit"] == b"m/s"
    assert things.field("speed_mps").metadata[b"role"] == b"measure"


def test_case_tables_may_do_without_amount_and_references() -> None:
    cases, labels, weights = case_tables("owners", None)
    assert cases.references == ()
    assert weights.references == ()
    assert labels.key == ()
    assert "amount_minor" not in labels.names


def test_limits_of_a_float32_are_those_that_it_can_hold() -> None:
    low, high = column(type="float32", minimum=0.1, maximum=0.7).limits
    assert low == pytest.approx(0.1)
    assert low != 0.1
    assert high != 0.7


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        ("[0-9]{3}", "[0-9][0-9][0-9]"),
        ("AB-[A-Z]", "AB-[A-Z]"),
        (r"a\.b", "a.b"),
        (r"\*", "[*]"),
        ("[^a]x", "[^a]x"),
        ("a+", None),
        ("(a|b)", None),
        ("a.", None),
        ("[0-9]{1,2}", None),
    ],
)
def test_plain_patterns_become_globs(pattern: str, glob: str | None) -> None:
    assert as_glob(pattern) == glob
