"""The eight patterns inside ordinary life: what share of a member's activity they are, who moves what."""

from __future__ import annotations

import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.run import generate

KINDS = (
    "laundering_bipartite",
    "laundering_cycle",
    "laundering_fan_in",
    "laundering_fan_out",
    "laundering_gather_scatter",
    "laundering_random_walk",
    "laundering_scatter_gather",
    "laundering_stack",
)
#: Accounts that pay or are paid so often in a pattern are its hubs.
HUB_HOPS = 5


@pytest.fixture(scope="module", params=[0.0, 1.0], ids=["easy", "hard"])
def patterns(request: pytest.FixtureRequest) -> Dataset:
    """A third of a year with a dozen patterns of each kind, all easy or all hard."""
    cases = [{"kind": kind, "count": 12, "difficulty": request.param} for kind in KINDS]
    return generate({"domain": "finance", "size": 4_000, "block": 250, "days": 120, "cases": cases})


def payments(dataset: Dataset) -> pd.DataFrame:
    """What the patterns ordered: payments with case, kind, role and taint, in order of time."""
    labels = dataset.table("labels").to_pandas()
    labels = labels[labels["table_name"].eq("transactions") & labels["effect"].eq("created")]
    labels = labels[labels["role"].isin(["placement", "hop", "cash_out", "exit", "purchase"])]
    columns = ["row_id", "case_id", "kind", "role", "stage", "tainted_minor"]
    rows = labels[columns].merge(
        dataset.table("transactions").to_pandas(), left_on="row_id", right_on="transaction_id"
    )
    found: pd.DataFrame = rows.sort_values("ordered_at", ignore_index=True)
    return found


def members(rows: pd.DataFrame) -> pd.DataFrame:
    """Members of each pattern with their number of hops."""
    hops = rows[rows["role"] == "hop"]
    sides = [
        hops[["case_id", "kind", side]].rename(columns={side: "account_id"})
        for side in ("payer_account_id", "payee_account_id")
    ]
    both = pd.concat(sides).astype({"kind": str})
    return both.groupby(["case_id", "kind", "account_id"]).size().rename("hops").reset_index()


def test_laundering_is_a_small_part_of_what_members_do(patterns: Dataset) -> None:
    rows, entries = payments(patterns), patterns.table("entries").to_pandas()
    legs = entries.groupby("account_id").size()
    own = entries[entries["transaction_id"].isin(rows["row_id"])].groupby("account_id").size()
    people = members(rows)
    people["share"] = people["account_id"].map(own) / people["account_id"].map(legs)
    # Among 96 patterns each kind has its mean within the published band; hubs do more and stand apart.
    hub = people["hops"] >= HUB_HOPS
    means = people[~hub].groupby("kind")["share"].mean()
    assert set(means.index) == set(KINDS)
    assert means.between(0.01, 0.05).all(), means
    assert 0.01 <= people["share"].mean() <= 0.05
    assert people[hub]["share"].mean() < 0.15


def test_members_deal_with_everybody_else_far_more_than_with_each_other(patterns: Dataset) -> None:
    rows, moved = payments(patterns), patterns.table("transactions").to_pandas()
    for case, found in members(rows).groupby("case_id"):
        ring = set(found["account_id"])
        payer, payee = moved["payer_account_id"].isin(ring), moved["payee_account_id"].isin(ring)
        volume = int(payer.sum() + payee.sum())
        assert (payer ^ payee).sum() / volume >= 0.9, case


def test_nobody_passes_on_what_has_not_come(patterns: Dataset) -> None:
    rows = payments(patterns)
    for _, case in rows.groupby("case_id"):
        people = set(case.loc[case["role"] == "hop", "payer_account_id"])
        for account in people:
            goes = case[case["payer_account_id"] == account]
            came = case[case["payee_account_id"] == account]
            spent = goes["amount_minor"].cumsum()
            held = [came.loc[came["booked_at"] <= at, "credited_minor"].sum() for at in goes["ordered_at"]]
            assert (spent.to_numpy() <= held).all()


def test_taint_never_grows(patterns: Dataset) -> None:
    rows = payments(patterns)
    assert (rows["tainted_minor"] <= rows["amount_minor"]).all()
    for _, case in rows.groupby("case_id"):
        where = case[case["role"] == "hop"].groupby("payer_account_id")["tainted_minor"].sum()
        cash = case[case["role"] == "placement"].groupby("payee_account_id")["credited_minor"].sum()
        came = case[case["role"] == "hop"].groupby("payee_account_id")["credited_minor"].sum()
        held = cash.add(came, fill_value=0).reindex(where.index, fill_value=0)
        assert (where <= held).all()


def test_stages_follow_each_other(patterns: Dataset) -> None:
    rows = payments(patterns)
    assert set(rows["stage"].astype(str)) == {"placement", "layering", "integration"}
    assert (rows.loc[rows["role"] == "placement", "stage"] == "placement").all()
    assert rows.loc[rows["role"] == "hop", "stage"].isin(["layering", "integration"]).all()
    spent = rows[rows["role"].isin(["cash_out", "exit", "purchase"])]
    assert (spent["stage"] == "integration").all()
    for _, case in rows.groupby("case_id"):
        placed = case.loc[case["stage"] == "placement", "ordered_at"].min()
        assert (case.loc[case["stage"] != "placement", "ordered_at"] > placed).all()
