"""Double entry, recomputed here from the tables and not by the generator or its checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.domain import Domain
from rarecase.common.errors import PlanError
from rarecase.common.plan import make_plan
from rarecase.common.run import generate, generate_tables
from rarecase.common.spec import load_spec
from rarecase.common.validate.laws import law_findings
from rarecase.common.validate.sources import Piece, piece_of
from rarecase.finance import DOMAIN
from rarecase.finance.cases import ground
from tests.finance.conftest import bank


def broken_laws(dataset: Dataset) -> set[str]:
    """Rules of the laws that a data set in memory breaks."""
    pieces = {name: (Piece(arrow=dataset.table(name)),) for name in DOMAIN.schema.names}
    return {finding.rule for finding in law_findings(dataset.connect(), DOMAIN, dataset.spec, pieces)}


def frame(dataset: Dataset, table: str) -> pd.DataFrame:
    found: pd.DataFrame = dataset.table(table).to_pandas()
    return found


@pytest.fixture(params=["world", "many_places"])
def books(request: pytest.FixtureRequest) -> Dataset:
    found: Dataset = request.getfixturevalue(request.param)
    return found


def test_all_money_sums_to_zero_at_every_moment(books: Dataset) -> None:
    entries = frame(books, "entries").sort_values("booked_at", kind="stable")
    opening = frame(books, "accounts").groupby("currency", observed=True)["opening_balance_minor"].sum()
    assert len(opening) > 1
    assert (opening == 0).all()
    moved = entries.groupby(["currency", "booked_at"], observed=True, sort=True)["amount_minor"].sum()
    assert (moved.groupby(level=0, observed=True).cumsum() == 0).all()
    per_payment = entries.groupby("transaction_id").size()
    assert len(per_payment) == len(frame(books, "transactions"))
    assert set(per_payment) == {2, 4}


def test_balances_continue_from_the_opening_one(books: Dataset) -> None:
    opening = frame(books, "accounts").set_index("account_id")["opening_balance_minor"]
    entries = frame(books, "entries").sort_values(["account_id", "entry_number"])
    moved = entries.groupby("account_id")["amount_minor"].cumsum()
    expected = entries["account_id"].map(opening) + moved
    assert (expected == entries["balance_minor"]).all()
    number = entries.groupby("account_id").cumcount() + 1
    assert (number == entries["entry_number"]).all()
    assert entries.groupby("account_id")["booked_at"].is_monotonic_increasing.all()


def test_legs_are_those_of_the_payment(books: Dataset) -> None:
    payments, entries = frame(books, "transactions"), frame(books, "entries")
    kinds = frame(books, "accounts").set_index("account_id")["kind"].astype(str)
    legs = entries.merge(payments, on="transaction_id", suffixes=("", "_paid"), validate="many_to_one")
    assert len(legs) == len(entries)
    assert (legs["booked_at"] == legs["booked_at_paid"]).all()
    middle = legs["account_id"].map(kinds).isin(["settlement", "position"])
    ends = legs[~middle]
    debit = ends["amount_minor"] < 0
    assert (ends["account_id"] == ends["payer_account_id"].where(debit, ends["payee_account_id"])).all()
    said = ends["amount_minor_paid"].where(debit, ends["credited_minor"])
    assert (ends["amount_minor"].abs() == said).all()
    assert debit.sum() == len(payments)
    assert len(ends) == 2 * len(payments)


def test_payments_between_banks_and_currencies_pass_through_their_accounts(books: Dataset) -> None:
    payments, entries = frame(books, "transactions"), frame(books, "entries")
    accounts = frame(books, "accounts").set_index("account_id")
    kinds, banks = accounts["kind"].astype(str), accounts["bank_id"]
    middle = entries[entries["account_id"].map(kinds).isin(["settlement", "position"])]
    middle = middle.assign(kind=middle["account_id"].map(kinds), bank=middle["account_id"].map(banks))
    assert middle["transaction_id"].nunique() * 2 == len(middle)
    exchanged = payments["currency"].astype(str) != payments["credited_currency"].astype(str)
    payer, payee = (payments[f"{side}_account_id"].map(banks) for side in ("payer", "payee"))
    by_card = payments["payment_type"].isin(["card_payment", "card_refund", "chargeback"])
    between = (payer != payee) & payer.notna() & payee.notna() & ~by_card
    expected = payments.loc[exchanged | between, "transaction_id"]
    assert set(expected) == set(middle["transaction_id"])
    assert exchanged.sum() > 20
    exchanges = set(payments.loc[exchanged, "transaction_id"])
    assert (middle["transaction_id"].isin(exchanges) == (middle["kind"] == "position")).all()
    debits = middle[middle["amount_minor"] < 0].set_index("transaction_id")["bank"]
    credits = middle[middle["amount_minor"] > 0].set_index("transaction_id")["bank"]
    banked = payments.set_index("transaction_id").loc[expected]
    from_bank = banked["payer_account_id"].map(banks).dropna()
    to_bank = banked["payee_account_id"].map(banks).dropna()
    assert (credits.reindex(from_bank.index) == from_bank).all()
    assert (debits.reindex(to_bank.index) == to_bank).all()


def test_over_limit_says_so(books: Dataset) -> None:
    accounts = frame(books, "accounts").set_index("account_id")
    entries = frame(books, "entries")
    limit = entries["account_id"].map(accounts["credit_limit_minor"])
    below = (entries["balance_minor"] < -limit.fillna(np.inf)).to_numpy()
    assert (entries["over_limit"].to_numpy() == below).all()
    assert 0 < below.mean() < 0.02


def test_places_deal_with_near_places_of_the_ring(many_places: Dataset) -> None:
    payments = frame(many_places, "transactions").query("purpose != 'TREA'")
    made_by_cases = frame(many_places, "labels")["row_id"]
    payments = payments[~payments["transaction_id"].isin(made_by_cases)]
    distance = (payments["payee_place"] - payments["payer_place"]) % 64
    assert set(distance) == {0, *(2**k for k in range(6)), *(64 - 2**k for k in range(6))}
    assert 0.03 < (distance > 0).mean() < 0.10


def test_laundering_crosses_places_and_both_sides_book_it(many_places: Dataset) -> None:
    labels = frame(many_places, "labels").query("kind == 'laundering_cycle' and role == 'hop'")
    payments = frame(many_places, "transactions").set_index("transaction_id")
    hops = payments.loc[labels.query("table_name == 'transactions'")["row_id"]]
    assert (hops["payer_place"] != hops["payee_place"]).mean() > 0.9
    legs = frame(many_places, "entries").set_index("transaction_id").loc[hops.index]
    assert legs.groupby("transaction_id").size().isin([2, 4]).all()


@pytest.mark.parametrize(("size", "block"), [(7, 3), (1, 1), (40, 1), (3, 100)])
def test_the_smallest_worlds_close(size: int, block: int) -> None:
    made = generate({"domain": "finance", "size": size, "block": block, "days": 9})
    assert broken_laws(made) == set()


def test_parts_agree_on_what_crosses_without_being_made_together() -> None:
    plan = make_plan(load_spec(bank(size=320, block=40, days=20, cases=[])))
    parts = [generate_tables(plan, part) for part in (3, 4)]
    payer = parts[0]["transactions"].to_pandas()
    crossing = payer[payer["payee_place"] == 4].set_index("transaction_id")
    received = parts[1]["entries"].to_pandas()
    received = received.merge(crossing, on="transaction_id", suffixes=("", "_paid"))
    received = received[received["account_id"] == received["payee_account_id"]]
    assert len(crossing) == len(received) > 10
    assert (received["amount_minor"] == received["credited_minor"]).all()
    assert (received["booked_at"] == received["booked_at_paid"]).all()


def test_a_year_of_days_and_odd_starts_close() -> None:
    made = generate({"domain": "finance", "size": 30, "block": 10, "start": "2024-02-29", "days": 366})
    assert broken_laws(made) == set()
    assert made.table("transactions").num_rows > 5_000


def test_more_places_than_keys_can_hold_are_refused_in_the_plan() -> None:
    with pytest.raises(PlanError, match="larger blocks"):
        make_plan(load_spec({"domain": "finance", "size": 20_000_000, "block": 100, "days": 365}))
    assert make_plan(load_spec({"domain": "finance", "size": 1_000_000, "block": 250})).parts == 4_000


def _damaged(books: Dataset, table: str, column: str, values: pa.Array) -> Dataset:
    tables: dict[str, pa.Table] = dict(_tables(books))
    old = tables[table]
    place = old.schema.get_field_index(column)
    tables[table] = old.set_column(
        place, old.schema.field(column), values.cast(old.schema.field(column).type)
    )
    return Dataset.in_memory(books.spec, tables)


def _tables(books: Dataset) -> Mapping[str, pa.Table]:
    return {name: books.table(name) for name in books.domain.schema.names}


@pytest.mark.parametrize(
    ("table", "column", "rules"),
    [
        ("entries", "balance_minor", {"balance_continuity"}),
        ("entries", "amount_minor", {"balance_continuity", "double_entry", "legs_match_payment"}),
        ("entries", "entry_number", {"entries_in_order"}),
        ("transactions", "amount_minor", {"legs_match_payment"}),
        ("transactions", "payee_place", {"places_of_accounts"}),
        ("accounts", "opening_balance_minor", {"balance_continuity", "money_is_conserved"}),
    ],
)
def test_one_wrong_number_is_found(world: Dataset, table: str, column: str, rules: set[str]) -> None:
    values = world.table(table).column(column).to_numpy().copy()
    at = values.size // 2
    if table == "entries":
        people = frame(world, "accounts").query("kind == 'current'")["account_id"]
        at = int(np.flatnonzero(frame(world, "entries")["account_id"].isin(people))[values.size // 8])
    values[at] += 1
    broken = _damaged(world, table, column, pa.array(values))
    assert {f"finance.{rule}" for rule in rules} <= broken_laws(broken)


def test_the_checks_pass_on_whole_books(books: Dataset) -> None:
    assert broken_laws(books) == set()


def test_a_crossing_payment_that_arrives_otherwise_is_found(tmp_path: Path) -> None:
    generate(bank(size=320, block=40, days=20, cases=[]), tmp_path / "set")
    made = rarecase.open(tmp_path / "set")
    files = {name: tuple(piece_of(path) for path in made.files_of(name)) for name in DOMAIN.schema.names}
    assert _laws_of_files(made, files) == set()
    entries = (
        made.table("entries")
        .to_pandas()
        .merge(made.table("transactions").to_pandas(), on="transaction_id", suffixes=("", "_paid"))
    )
    lost = entries[
        (entries["account_id"] == entries["payee_account_id"])
        & (entries["payer_place"] != entries["payee_place"])
    ].iloc[0]
    path = next(path for path in made.files_of("entries") if path.stem.endswith(f"{lost['payee_place']:05d}"))
    table = pq.read_table(path)
    moved = table.column("booked_at").to_numpy().copy()
    at = int(np.flatnonzero(table.column("entry_id").to_numpy() == lost["entry_id"])[0])
    moved[at] += np.timedelta64(1, "s")
    place = table.schema.get_field_index("booked_at")
    changed = pa.array(moved).cast(table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), changed), path)
    assert "finance.crossing_payments_arrive" in _laws_of_files(made, files)


def _laws_of_files(made: Dataset, files: Mapping[str, tuple[Piece, ...]]) -> set[str]:
    with made.connect() as connection:
        return {finding.rule for finding in law_findings(connection, DOMAIN, made.spec, files)}


def test_slots_are_the_same_everywhere() -> None:
    slots = ground.slots(250)
    customers = np.array([0, 249, 250, 999])
    assert (slots.customer(customers) % slots.width < 250).all()
    assert (slots.customer(customers) // slots.width == [0, 0, 1, 3]).all()
    assert isinstance(DOMAIN, Domain)
