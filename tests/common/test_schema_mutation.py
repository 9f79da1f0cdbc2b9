"""One declaration, one verdict: every emitter accepts the same good data and rejects the same damaged cell.

What an emitter cannot express is said here, in `CANNOT`, and tested too: there it must accept the damage, so
that the table below stays true.
"""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.common.schema_emitters import IN_FILES, IN_MEMORY, accepted_by, by_duckdb, by_postgresql, by_sqlite
from tests.common.schema_sample import good_rows, moment

EMITTERS = IN_MEMORY + IN_FILES

#: emitter -> the sorts of damage that it cannot see, and why
CANNOT: dict[str, set[str]] = {
    # One row at a time, and laws are SQL.
    "pydantic": {"doubled key", "broken reference", "broken law"},
    # As above; a pattern of moments knows no leap years; JSON has no word for what is not finite; Python's
    # `$` forgives a last line feed, ECMA's does not.
    "json schema": {"doubled key", "broken reference", "broken law", "not finite", "line feed", "calendar"},
    # SQLite has no regular expressions: a pattern with choices or open lengths cannot become a GLOB.
    "sqlite": {"open pattern"},
    "duckdb": set(),
    "postgresql": set(),
    "validator": set(),
    "parquet": set(),
    "csv": set(),
    "jsonl": set(),
}


@dataclass(frozen=True)
class Damage:
    """One cell, and what is put there."""

    sort: str
    table: str
    row: int
    column: str
    value: Any

    def __str__(self) -> str:
        return f"{self.sort}-{self.table}.{self.column}={self.value!r}"

    def done_to(self, rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        damaged = copy.deepcopy(rows)
        damaged[self.table][self.row][self.column] = self.value
        return damaged


DAMAGES = [
    Damage("null", "things", 1, "code", None),
    Damage("null", "things", 0, "tiny", None),
    Damage("null", "things", 0, "speed_mps", None),
    Damage("null", "things", 0, "active", None),
    Damage("null", "things", 3, "seen_at", None),
    Damage("null", "things", 3, "made_on", None),
    Damage("null", "owners", 2, "country", None),
    Damage("null key", "pieces", 0, "thing_id", None),
    Damage("negative key", "labels", 0, "row_id", -5),
    Damage("out of range", "things", 0, "tiny", -6),
    Damage("out of range", "things", 4, "tiny", 6),
    Damage("out of range", "things", 4, "amount_minor", -1),
    Damage("out of range", "things", 4, "ratio", 1.25),
    Damage("out of range", "pieces", 0, "number", 0),
    Damage("out of range", "weights", 0, "weight", -0.5),
    Damage("too wide", "things", 2, "plain", 2**31),
    Damage("too wide", "pieces", 2, "number", 2**15),
    Damage("not allowed", "owners", 0, "country", "XX"),
    Damage("not allowed", "things", 0, "small", 4),
    Damage("not allowed", "things", 1, "colour", "pink"),
    Damage("not allowed", "labels", 1, "effect", "dreamt"),
    Damage("fixed pattern", "things", 0, "code", "12a4"),
    Damage("fixed pattern", "things", 0, "code", "12345"),
    Damage("open pattern", "owners", 0, "e_mail", "ann@example.net"),
    Damage("open pattern", "owners", 0, "e_mail", "@example.com"),
    Damage("line feed", "things", 0, "code", "1234\n"),
    Damage("not finite", "things", 0, "speed_mps", float("nan")),
    Damage("not finite", "things", 0, "speed_mps", float("inf")),
    Damage("not finite", "cases", 0, "natural_rate", float("inf")),
    Damage("wrong type", "things", 0, "tiny", "many"),
    Damage("wrong type", "things", 0, "speed_mps", "fast"),
    Damage("wrong type", "things", 0, "active", "perhaps"),
    Damage("wrong type", "things", 0, "made_on", "2024-02-31"),
    Damage("wrong type", "things", 0, "seen_at", "yesterday"),
    Damage("wrong type", "things", 0, "known_at", "2025-03-01 25:00:00.000000"),
    Damage("doubled key", "owners", 2, "owner_id", 10),
    Damage("doubled key", "pieces", 1, "number", 1),
    Damage("doubled key", "weights", 1, "row_id", 10),
    Damage("broken reference", "things", 0, "owner_id", 999),
    Damage("broken reference", "pieces", 0, "thing_id", 999),
    Damage("broken reference", "weights", 0, "row_id", 999),
    Damage("broken law", "things", 0, "known_at", moment(0) - dt.timedelta(microseconds=1)),
    Damage("broken law", "things", 1, "colour", "red"),
    Damage("broken law", "labels", 1, "row_id", 5),
    Damage("broken law", "labels", 1, "to_at", None),
    Damage("broken law", "labels", 1, "to_at", moment(-1)),
    Damage("calendar", "labels", 1, "to_at", "2025-02-29 12:00:00.000000"),
    Damage("broken law", "cases", 0, "natural_per", None),
]


@pytest.mark.parametrize("emitter", EMITTERS)
def test_good_data_are_accepted(emitter: str, tmp_path: Path) -> None:
    assert accepted_by(emitter, good_rows(), tmp_path)


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
@pytest.mark.parametrize("emitter", EMITTERS)
def test_one_damaged_cell_is_rejected(emitter: str, damage: Damage, tmp_path: Path) -> None:
    accepted = accepted_by(emitter, damage.done_to(good_rows()), tmp_path)
    assert accepted == (damage.sort in CANNOT[emitter])


@pytest.mark.parametrize("keys", ["inline", "later"])
def test_postgresql_accepts_good_data(keys: str, postgres_address: str) -> None:
    assert by_postgresql(good_rows(), postgres_address, keys=keys)


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
@pytest.mark.parametrize("keys", ["inline", "later"])
def test_postgresql_rejects_one_damaged_cell(keys: str, damage: Damage, postgres_address: str) -> None:
    assert not by_postgresql(damage.done_to(good_rows()), postgres_address, keys=keys)


@pytest.mark.parametrize("damage", [d for d in DAMAGES if d.sort == "doubled key"], ids=str)
def test_keys_added_after_a_load_find_doubles(damage: Damage) -> None:
    assert by_duckdb(good_rows(), keys="later")
    assert by_sqlite(good_rows(), keys="later")
    assert not by_duckdb(damage.done_to(good_rows()), keys="later")
    assert not by_sqlite(damage.done_to(good_rows()), keys="later")
