"""As of a moment nothing later shows: every date is decided about, and so is every table without a time."""

from __future__ import annotations

import pandas as pd
import pytest

from rarecase.common import registry
from rarecase.common.run import generate
from tests.contract.conftest import small_spec

DOMAINS = ("finance", "healthcare", "automotive")
#: Tables without a time whose rows were there, as they are, before the data begin.
STANDING = {
    "finance": {
        "places", "banks", "rules", "households", "customers", "organisations", "merchants", "ownerships",
        "terminals",
    },
    "healthcare": set(),
    "automotive": set(),
}  # fmt: skip


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_date_and_every_table_is_decided_about(domain: str) -> None:
    undecided = []
    for table in registry.get(domain).schema.tables:
        clocks = {table.time, *(column.known_at for column in table.columns)}
        for column in table.columns:
            decided = column.name in clocks or column.known_at or column.horizon
            if column.type in ("date", "timestamp") and not decided:
                undecided.append(f"{table.name}.{column.name}")
        waits = table.knowing.with_rows + table.knowing.after_rows + table.knowing.used_by
        if table.time is None and not waits and table.name not in {*STANDING[domain], "labels", "weights"}:
            undecided.append(table.name)
    assert undecided == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_date_tells_of_later(domain: str) -> None:
    world = generate(small_spec(domain))
    middle = pd.Timestamp(world.spec.start) + pd.Timedelta(days=world.spec.days / 2)
    for table in world.domain.schema.tables:
        if table.name == "weights":
            continue
        seen = world.frame(table.name, as_of=middle)
        for column in table.columns:
            if column.horizon == "at_end":
                assert seen[column.name].isna().all()
            elif column.type in ("date", "timestamp") and column.horizon != "ahead":
                assert not (pd.to_datetime(seen[column.name]) > middle).any(), (table.name, column.name)
        for name in (*table.knowing.with_rows, *table.knowing.after_rows):
            reference = table.reference(name)
            known = world.frame(reference.table, as_of=middle)[reference.to[0]]
            assert seen[name].dropna().isin(known).all(), (table.name, name)


def test_counts_are_of_what_was_known() -> None:
    bank = generate(small_spec("finance"))
    middle = pd.Timestamp(bank.spec.start) + pd.Timedelta(days=bank.spec.days / 2)
    paid = bank.frame("transactions", as_of=middle).query("payee_age_days.notna()")
    pair = ["payer_account_id", "payee_account_id"]
    counts = paid.groupby(pair).size().rename("counted").reset_index()
    told = bank.frame("counterparties", as_of=middle).merge(counts, how="left", on=pair)
    assert len(told) > 0
    assert told["payments"].eq(told["counted"]).all()
    whole = bank.frame("counterparties", as_of=bank.spec.end)
    pd.testing.assert_frame_equal(whole, bank.frame("counterparties"))


def test_drives_are_judged_when_they_are_over() -> None:
    roads = generate(small_spec("automotive"))
    episodes = roads.frame("episodes").sort_values("started_at")
    first = episodes.iloc[0]
    vehicles = roads.frame("vehicles").query("episode_id == @first.episode_id")["vehicle_id"]
    over = first["started_at"] + pd.Timedelta(seconds=int(first["duration_s"]))
    before = roads.frame("criticality", as_of=over - pd.Timedelta(seconds=1))["vehicle_id"]
    after = roads.frame("criticality", as_of=over)["vehicle_id"]
    assert not before.isin(vehicles).any()
    assert set(vehicles) <= set(after)
