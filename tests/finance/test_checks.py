"""Every law of the books finds what breaks it, and says the same for any number of processors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.errors import Finding
from rarecase.common.run import generate
from rarecase.common.validate.laws import law_findings
from rarecase.common.validate.sources import Piece, piece_of
from rarecase.finance import DOMAIN
from rarecase.finance.checks import LAWS, SMALL_LAWS
from rarecase.finance.checks.laws import PART_LAWS
from tests.finance.conftest import bank

_PEOPLE = "account_id IN (SELECT account_id FROM accounts WHERE holder = 'customer')"
#: For each law a change of one row: table, column, new value, which row.
DAMAGE = {
    "balance_continuity": ("entries", "balance_minor", "balance_minor + 1", _PEOPLE),
    "entries_in_order": ("entries", "entry_number", "entry_number + 100000", _PEOPLE),
    "entries_where_the_account_is": ("entries", "account_id", "1", _PEOPLE),
    "double_entry": ("entries", "amount_minor", "amount_minor + 1", _PEOPLE),
    "legs_match_payment": ("transactions", "booked_at", "booked_at + INTERVAL 1 SECOND", "true"),
    "through_the_banks": (
        "accounts",
        "bank_id",
        "(SELECT max(bank_id) FROM banks b WHERE b.bank_id <> accounts.bank_id)",
        "account_id IN (SELECT payer_account_id FROM transactions WHERE payment_type = 'transfer' "
        "AND payee_account_id IN (SELECT account_id FROM accounts WHERE bank_id IS NOT NULL))",
    ),
    "over_limit_says_so": ("entries", "over_limit", "NOT over_limit", _PEOPLE),
    "places_of_accounts": ("transactions", "payer_place", "payer_place + 1", "true"),
    "merchant_is_paid": (
        "transactions",
        "mcc",
        "CASE WHEN mcc = '5411' THEN '5812' ELSE '5411' END",
        "merchant_id IS NOT NULL",
    ),
    "card_of_payer": (
        "transactions",
        "card_id",
        "(SELECT max(card_id) FROM cards c WHERE c.card_id <> transactions.card_id)",
        "payment_type = 'card_payment'",
    ),
    "device_of_payer": (
        "transactions",
        "device_id",
        "(SELECT max(device_id) FROM devices d WHERE d.device_id <> transactions.device_id)",
        "device_id IS NOT NULL",
    ),
    "open_before_used": (
        "accounts",
        "opened_on",
        "DATE '2100-01-01'",
        "account_id IN (SELECT payer_account_id FROM transactions)",
    ),
    "within_the_window": ("transactions", "ordered_at", "TIMESTAMP '1999-01-01'", "true"),
    "exchanged_at_the_rate": (
        "transactions",
        "credited_minor",
        "credited_minor + 100",
        "currency <> credited_currency",
    ),
    "customer_before_account": ("accounts", "opened_on", "DATE '1800-01-01'", "customer_id IS NOT NULL"),
    "customer_before_device": ("devices", "first_seen_at", "TIMESTAMP '1800-01-01'", "true"),
    "money_is_conserved": ("accounts", "opening_balance_minor", "opening_balance_minor + 1", "true"),
    "gives_back_what_was": ("transactions", "refers_to", "7", "true"),
}
# What crosses parts needs parts: see below.
BY_PARTS = {"crossing_payments_arrive"}


@pytest.fixture(scope="module")
def books() -> Dataset:
    return generate(bank(size=800, block=200, days=40))


@pytest.fixture
def copy(books: Dataset) -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables that may be changed."""
    with duckdb.connect() as connection:
        for name in DOMAIN.schema.names:
            connection.register("rows_of_table", books.table(name))
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows_of_table")
        yield connection


def broken(spec: rarecase.Spec, tables: Mapping[str, pa.Table]) -> dict[str, Finding]:
    """Findings by law of tables in memory."""
    pieces = {name: (Piece(arrow=rows),) for name, rows in tables.items()}
    with Dataset.in_memory(spec, dict(tables)).connect() as connection:
        return {found.rule: found for found in law_findings(connection, DOMAIN, spec, pieces)}


def test_every_law_is_tried() -> None:
    assert {law.rule for law in (*PART_LAWS, *SMALL_LAWS, *LAWS)} == set(DAMAGE) | BY_PARTS


@pytest.mark.parametrize("law", sorted(DAMAGE))
def test_a_law_finds_its_damage(books: Dataset, copy: duckdb.DuckDBPyConnection, law: str) -> None:
    table, column, value, where = DAMAGE[law]
    key = DOMAIN.schema[table].key[0]
    one = f"(SELECT min({key}) FROM {table} WHERE {where})"
    if law == "entries_in_order":
        # The last entry of an account, so that no other follows it.
        one = f"(SELECT {key} FROM {table} WHERE {where} ORDER BY entry_number DESC, {key} LIMIT 1)"
    copy.execute(f"UPDATE {table} SET {column} = {value} WHERE {key} = {one}").fetchall()
    tables = {name: books.table(name) for name in DOMAIN.schema.names}
    tables[table] = copy.sql(f"SELECT * FROM {table}").to_arrow_table()
    found = broken(books.spec, tables)
    assert f"finance.{law}" in found
    finding = found[f"finance.{law}"]
    assert finding.level == "error"
    assert finding.count > 0
    assert 1 <= len(finding.examples) <= 3


def test_whole_books_break_no_law(books: Dataset) -> None:
    assert broken(books.spec, {name: books.table(name) for name in DOMAIN.schema.names}) == {}


def test_findings_are_the_same_for_any_number_of_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(bank(size=400, block=50, days=20, cases=[]), tmp_path / "set")
    made = rarecase.open(tmp_path / "set")
    for path in made.files_of("entries")[2:5]:
        with pq.ParquetFile(path) as file:
            rows = file.read()
        amounts = rows.column("amount_minor").to_numpy().copy()
        amounts[[3, -5]] += 1
        at = rows.schema.get_field_index("amount_minor")
        pq.write_table(rows.set_column(at, rows.schema.field(at), pa.array(amounts)), path)
    pieces = {name: tuple(piece_of(path) for path in made.files_of(name)) for name in DOMAIN.schema.names}
    told = []
    for processors in (1, 2, 7):
        monkeypatch.setattr(os, "cpu_count", lambda processors=processors: processors)
        with made.connect() as connection:
            told.append(list(law_findings(connection, DOMAIN, made.spec, pieces)))
    assert told[0] == told[1] == told[2]
    rules = {found.rule: found.count for found in told[0]}
    assert rules["finance.balance_continuity"] >= 6
    assert "finance.money_is_conserved" in rules
