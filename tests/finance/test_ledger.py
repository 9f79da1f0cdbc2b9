"""Double entry, recomputed here from the tables and not by the generator or its checks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.domain import Domain
from rarecase.common.errors import PlanError
from rarecase.common.plan import make_plan
from rarecase.common.run import generate, generate_tables
from rarecase.common.spec import load_spec
from rarecase.finance import DOMAIN
from rarecase.finance.cases import ground
from tests.finance.conftest import bank


def frame(dataset: Dataset, table: str) -> pd.DataFrame:
    found: pd.DataFrame = dataset.table(table).to_pandas()
    return found


@pytest.fixture(params=["world", "many_places"])
def books(request: pytest.FixtureRequest) -> Dataset:
    found: Dataset = request.getfixturevalue(request.param)
    return found


def test_all_money_sums_to_zero_at_every_moment(books: Dataset) -> None:
    entries = frame(books, "entries").sort_values("booked_at", kind="stable")
    assert frame(books, "accounts")["opening_balance_minor"].sum() == 0
    running = entries.groupby("booked_at", sort=True)["amount_minor"].sum().cumsum()
    assert (running == 0).all()
    assert len(entries) == 2 * len(frame(books, "transactions"))


def test_balances_continue_from_the_opening_one(books: Dataset) -> None:
    opening = frame(books, "accounts").set_index("account_id")["opening_balance_minor"]
    entries = frame(books, "entries").sort_values(["account_id", "entry_number"])
    moved = entries.groupby("account_id")["amount_minor"].cumsum()
    expected = entries["account_id"].map(opening) + moved
    assert (expected == entries["balance_minor"]).all()
    number = entries.groupby("account_id").cumcount() + 1
    assert (number == entries["entry_number"]).all()
    assert entries.groupby("account_id")["booked_at"].is_monotonic_increasing.all()


def test_both_legs_are_those_of_the_payment(books: Dataset) -> None:
    payments, entries = frame(books, "transactions"), frame(books, "entries")
    both = entries.merge(payments, on="transaction_id", suffixes=("", "_paid"), validate="many_to_one")
    assert len(both) == len(entries)
    assert (both["booked_at"] == both["booked_at_paid"]).all()
    debit = both["amount_minor"] < 0
    assert (both["account_id"] == both["payer_account_id"].where(debit, both["payee_account_id"])).all()
    assert (both["amount_minor"].abs() == both["amount_minor_paid"]).all()
    assert debit.sum() * 2 == len(entries)


def test_over_limit_says_so(books: Dataset) -> None:
    accounts = frame(books, "accounts").set_index("account_id")
    entries = frame(books, "entries")
    limit = entries["account_id"].map(accounts["credit_limit_minor"])
    below = (entries["balance_minor"] < -limit.fillna(np.inf)).to_numpy()
    assert (entries["over_limit"].to_numpy() == below).all()
    assert 0 < below.mean() < 0.02


def test_places_deal_with_near_places_of_the_ring(many_places: Dataset) -> None:
    payments = frame(many_places, "transactions").query("payment_type != 'business'")
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
    assert (legs.groupby("transaction_id").size() == 2).all()


@pytest.mark.parametrize(("size", "block"), [(7, 3), (1, 1), (40, 1), (3, 100)])
def test_the_smallest_worlds_close(size: int, block: int) -> None:
    made = generate({"domain": "finance", "size": size, "block": block, "days": 9})
    connection = made.connect()
    assert list(DOMAIN.checks(connection, made.spec)) == []


def test_parts_agree_on_what_crosses_without_being_made_together() -> None:
    plan = make_plan(load_spec(bank(size=320, block=40, days=20)))
    parts = [generate_tables(plan, part) for part in (3, 4)]
    payer = parts[0]["transactions"].to_pandas()
    crossing = payer[payer["payee_place"] == 4].set_index("transaction_id")["amount_minor"]
    received = parts[1]["entries"].to_pandas().query("amount_minor > 0")
    received = received.set_index("transaction_id")["amount_minor"].reindex(crossing.index)
    assert len(crossing) > 10
    assert (received == crossing).all()


def test_a_year_of_days_and_odd_starts_close() -> None:
    made = generate({"domain": "finance", "size": 30, "block": 10, "start": "2024-02-29", "days": 366})
    assert list(DOMAIN.checks(made.connect(), made.spec)) == []
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
    values[values.size // 2] += 1
    broken = _damaged(world, table, column, pa.array(values))
    found = {finding.rule for finding in DOMAIN.checks(broken.connect(), broken.spec)}
    assert {f"finance.{rule}" for rule in rules} <= found


def test_the_checks_pass_on_whole_books(books: Dataset) -> None:
    assert list(DOMAIN.checks(books.connect(), books.spec)) == []


def test_slots_are_the_same_everywhere() -> None:
    slots = ground.slots(250)
    customers = np.array([0, 249, 250, 999])
    assert (slots.customer(customers) % slots.width < 250).all()
    assert (slots.customer(customers) // slots.width == [0, 0, 1, 3]).all()
    assert isinstance(DOMAIN, Domain)
