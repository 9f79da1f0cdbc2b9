"""Oracles written from the definitions of the cases, not from how they are made."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from rarecase.common.dataset import Dataset
from rarecase.common.errors import PlanError, SpecError
from rarecase.common.evaluate.leaks import leak_scores
from rarecase.common.plan import make_plan
from rarecase.common.run import generate
from rarecase.common.spec import load_spec
from tests.finance.conftest import bank

HOUR = pd.Timedelta(hours=1)


def payments(dataset: Dataset) -> pd.DataFrame:
    found: pd.DataFrame = dataset.table("transactions").to_pandas().sort_values("booked_at")
    return found


def labelled(
    dataset: Dataset, kind: str, table: str = "transactions", effect: str = "created"
) -> pd.DataFrame:
    labels: pd.DataFrame = dataset.table("labels").to_pandas()
    return labels[(labels["kind"] == kind) & (labels["table_name"] == table) & (labels["effect"] == effect)]


def drained(dataset: Dataset) -> set[int]:
    """Accounts that within an hour send two large transfers or more to payees first paid in that hour."""
    sent = payments(dataset).query("payment_type == 'transfer'")
    first = sent.groupby(["payer_account_id", "payee_account_id"])["booked_at"].transform("min")
    income = dataset.table("customers").to_pandas().set_index("customer_id")["monthly_income_minor"]
    owner = dataset.table("accounts").to_pandas().set_index("account_id")["customer_id"]
    large = sent["amount_minor"] > 0.08 * sent["payer_account_id"].map(owner).map(income)
    sent = sent[(sent["booked_at"] - first <= HOUR) & large]
    gap = sent["booked_at"] - sent.groupby("payer_account_id")["booked_at"].shift()
    return set(sent[gap <= HOUR]["payer_account_id"])


def rings(dataset: Dataset) -> list[list[int]]:
    """Cycles of 3 to 12 hops, each later than the last and 0.1 to 10 % less than it credited, in 52 hours."""
    rows = payments(dataset).query("payment_type in ['transfer', 'wire']")
    leaving: dict[int, list[tuple[pd.Timestamp, int, int, int, int]]] = {}
    columns = (
        "payer_account_id",
        "booked_at",
        "amount_minor",
        "credited_minor",
        "payee_account_id",
        "transaction_id",
    )
    for payer, when, *more in rows[list(columns)].itertuples(index=False):
        leaving.setdefault(payer, []).append((when, *more))
    found = []
    for start, first in leaving.items():
        for when, _, credited, payee, key in first:
            paths = [(payee, when, credited, [key])]
            while paths:
                here, at, last, keys = paths.pop()
                for later, amount, came, there, next_key in leaving.get(here, []):
                    smaller = 0.90 * last <= amount <= 0.999 * last
                    if at < later <= when + 52 * HOUR and smaller and len(keys) < 12:
                        if there == start and len(keys) >= 2:
                            found.append([*keys, next_key])
                        elif there != start:
                            paths.append((there, later, came, [*keys, next_key]))
    return found


def test_takeovers_are_found_by_their_definition(world: Dataset) -> None:
    cases = world.table("cases").to_pandas().query("kind == 'account_takeover'")
    accounts = (
        world.table("accounts").to_pandas().query("kind == 'current'").set_index("customer_id")["account_id"]
    )
    victims = set(cases["entity_id"].map(accounts))
    assert world.twin is not None
    assert len(victims & drained(world)) >= 0.9 * len(victims)
    assert len(drained(world.twin)) <= 0.01 * world.spec.size


def test_every_ring_closes_and_is_found(world: Dataset) -> None:
    labels = labelled(world, "laundering_cycle")
    hops = labels[labels["role"] == "hop"].groupby("case_id")["row_id"].agg(set)
    found = {frozenset(ring) for ring in rings(world)}
    assert len(hops) == 20
    assert all(frozenset(hop) in found for hop in hops)
    assert world.twin is not None
    assert rings(world.twin) == []


def test_rings_keep_a_fee_and_their_order(world: Dataset) -> None:
    labels = labelled(world, "laundering_cycle").query("role == 'hop'")
    rows = labels.merge(payments(world), left_on="row_id", right_on="transaction_id")
    for _, ring in rows.sort_values("booked_at").groupby("case_id"):
        amounts, times = ring["amount_minor_y"].to_numpy(), ring["booked_at"].to_numpy()
        came = ring["credited_minor"].to_numpy()
        assert (np.diff(times) > np.timedelta64(0)).all()
        assert (ring["payee_account_id"].to_numpy()[:-1] == ring["payer_account_id"].to_numpy()[1:]).all()
        assert ring["payee_account_id"].iloc[-1] == ring["payer_account_id"].iloc[0]
        kept = 1 - amounts[1:] / came[:-1]
        assert ((kept > 0.010) & (kept < 0.050)).all()
        assert ring["stage"].astype(str).tolist() == ["layering"] * (len(ring) - 1) + ["integration"]


def test_rings_differ_from_each_other(world: Dataset) -> None:
    cases = world.table("cases").to_pandas().query("kind == 'laundering_cycle'")
    facts = cases["parameters"].map(json.loads)
    assert len({(fact["members"], fact["first_sum"], fact["last_sum"]) for fact in facts}) >= 0.9 * len(facts)
    assert set(range(3, 13)) >= {fact["members"] for fact in facts}
    assert len({fact["members"] for fact in facts}) > 4


def test_stopped_cards_take_purchases_away(world: Dataset) -> None:
    assert world.twin is not None
    removed = labelled(world, "account_takeover", effect="removed").query("role == 'blocked'")
    before, after = (
        payments(world.twin).set_index("transaction_id"),
        payments(world).set_index("transaction_id"),
    )
    assert len(removed) > 10
    assert removed["row_id"].isin(before.index).all()
    assert not removed["row_id"].isin(after.index).any()
    rows = before.loc[removed["row_id"]]
    assert rows["card_id"].notna().mean() > 0.5
    # What was not bought is not given back either, however late that would have been.
    gives_back = rows["payment_type"].isin(["card_refund", "chargeback"]).to_numpy()
    # Keys have 63 bits, and a column with nulls would become one of floats.
    twin = world.twin.table("transactions")
    refers = pd.Series(
        twin.column("refers_to").fill_null(0).to_numpy(), twin.column("transaction_id").to_pylist()
    )
    assert refers.reindex(rows.index[gives_back]).isin(removed["row_id"]).all()
    cases = world.table("cases").to_pandas().set_index("case_id")
    noticed = removed["case_id"].map(cases[["reported_at", "detected_at"]].min(axis=1)).to_numpy()
    when = rows["ordered_at"].to_numpy()
    assert (when >= noticed).all()
    # Cards for ten days at most, accounts of mules for thirty, from a day after the bank knows.
    assert (when < noticed + np.timedelta64(31, "D"))[~gives_back].all()
    tried = set(labelled(world, "account_takeover", "declines")["row_id"])
    assert len(tried) > 10


def test_a_case_of_nothing_is_the_twin() -> None:
    alone = generate(bank(cases=[]), twin=True)
    assert alone.twin is not None
    assert alone.digests == alone.twin.digests


def test_stories_are_plain_and_true(world: Dataset) -> None:
    for row in world.table("cases").to_pandas().itertuples():
        assert row.story.endswith(".")
        assert f"{row.started_at:%Y-%m-%d %H:%M}" in row.story
        assert "nan" not in row.story


def test_natural_rates_name_their_evidence() -> None:
    spec = load_spec(bank())
    for case in spec.cases:
        natural = case.natural(spec)
        assert natural is not None
        assert natural.evidence in ("observed", "survey", "simulated", "expert")
        assert natural.source


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(PlanError, match=r"cases\[0\].count=2"):
        make_plan(load_spec(bank(size=1, cases=[{"kind": "account_takeover", "count": 2}])))
    with pytest.raises(PlanError, match="eligible"):
        make_plan(load_spec(bank(cases=[{"kind": "payroll_run", "count": 1500}])))
    with pytest.raises(SpecError, match="smallest"):
        load_spec(bank(cases=[{"kind": "laundering_cycle", "count": 1, "smallest": 9, "largest": 5}]))
    with pytest.raises(SpecError, match="account_takeover"):
        load_spec(bank(cases=[{"kind": "acount_takeover", "count": 1}]))


def test_no_single_column_tells_hard_cases() -> None:
    """At difficulty 0.5; a fair generator fails with a probability below 1 % (see the leak test)."""
    kinds = ("account_takeover", "laundering_cycle")
    made = generate(
        {
            "domain": "finance",
            "size": 3000,
            "block": 500,
            "days": 60,
            "cases": [{"kind": kind, "count": 150, "difficulty": 0.5} for kind in kinds],
        }
    )
    scores = leak_scores(made)
    assert {score.kind for score in scores} == set(kinds)
    assert [score for score in scores if score.level == "error"] == []


def test_most_takeovers_are_reported() -> None:
    """88 % are reported when the data leave time; 150 cases, two-sided false alarm below 10⁻⁴."""
    kind = {"kind": "account_takeover", "count": 150, "difficulty": 0.5}
    made = generate(bank(size=2000, block=1000, days=360, cases=[kind]))
    reported = int(made.table("cases").to_pandas()["reported_at"].notna().sum())
    low, high = binom.ppf([5e-5, 1 - 5e-5], 150, 0.88)
    assert low - 3 <= reported <= high
