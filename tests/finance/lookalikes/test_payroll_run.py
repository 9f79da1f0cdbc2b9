"""A small employer's payroll: the same wages on the same day of every month, as employers pay them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.errors import PlanError
from rarecase.common.plan import make_plan
from rarecase.common.run import generate
from rarecase.common.spec import load_spec
from rarecase.finance.cases import ground
from tests.finance.conftest import bank


@pytest.fixture(scope="module", params=[0.0, 0.5, 1.0])
def payrolls(request: pytest.FixtureRequest) -> Dataset:
    """One in ten is self-employed, so that payrolls need a larger world than other kinds."""
    case = {"kind": "payroll_run", "count": 120, "difficulty": request.param}
    return generate(bank(size=3200, block=100, days=90, cases=[case]))


def rows_of(dataset: Dataset, role: str) -> pd.DataFrame:
    """Payments of a role, with their case, by the time of the order."""
    labels = dataset.table("labels").to_pandas()
    labels = labels[(labels["table_name"] == "transactions") & (labels["effect"] == "created")]
    labels = labels.loc[labels["role"] == role, ["row_id", "case_id"]]
    paid = dataset.table("transactions").to_pandas()
    found = labels.merge(paid, left_on="row_id", right_on="transaction_id", validate="one_to_one")
    ordered: pd.DataFrame = found.sort_values("ordered_at")
    return ordered


def test_a_payroll_repeats_its_amounts(payrolls: Dataset) -> None:
    wages = rows_of(payrolls, "wage")
    per_person = wages.groupby(["case_id", "payee_account_id"])["amount_minor"].nunique()
    assert (per_person == 1).all()
    staff = wages.groupby("case_id")["payee_account_id"].nunique()
    # Of those drawn, who is named twice is paid once.
    assert staff.between(3, 12).all()
    assert staff.nunique() > 6
    per_day = wages.groupby(["case_id", wages["booked_at"].dt.date])["payee_account_id"].agg(
        ["size", "nunique"]
    )
    assert (per_day["size"] == per_day["nunique"]).all()
    assert (per_day["size"] == staff.reindex(per_day.index.get_level_values("case_id")).to_numpy()).all()
    kinds = payrolls.table("cases").to_pandas()
    assert not kinds["is_case"].any()
    facts = kinds.set_index("case_id")["parameters"].map(json.loads)
    assert (facts.map(lambda fact: fact["staff"]) == staff.reindex(facts.index)).all()


def test_pay_day_is_a_business_day_near_the_end_of_every_month(payrolls: Dataset) -> None:
    wages = rows_of(payrolls, "wage")
    assert (wages["booked_at"].dt.day_of_week < 5).all()
    assert (wages["purpose"] == "SALA").all()
    days = wages.groupby(["case_id", wages["ordered_at"].dt.to_period("M")])["ordered_at"].agg(["min", "max"])
    assert (days["min"].dt.date == days["max"].dt.date).all()
    assert days["min"].dt.day.between(20, 30).all()
    assert days["min"].dt.hour.min() >= 7
    assert days["max"].dt.hour.max() < 21
    assert (days.groupby("case_id").size() == 3).mean() > 0.9
    # Nobody types the same orders at the same second of every month.
    second = (days["min"] - days["min"].dt.normalize()).dt.total_seconds()
    assert (second.groupby("case_id").nunique() == second.groupby("case_id").size()).mean() > 0.95


def test_a_small_employer_pays_as_employers_do(payrolls: Dataset) -> None:
    wages, invoices = rows_of(payrolls, "wage"), rows_of(payrolls, "funding")
    assert (invoices["booked_at"].dt.day_of_week < 5).all()
    assert invoices["booked_at"].dt.hour.between(7, 19).mean() > 0.95
    each = wages.drop_duplicates(["case_id", "payee_account_id"])
    scale = ground.price_scale(payrolls.spec, each["payer_place"].to_numpy())
    prices = each["amount_minor"] / 100 / scale
    assert prices.between(198, 5_500).all()
    assert 0.35 < (prices <= 556).mean() < 0.65
    assert (prices > 1_200).mean() > 0.2
    assert 0.15 < (each["payer_place"] != each["payee_place"]).mean() < 0.45
    steps = (each["payee_place"] - each["payer_place"]) % payrolls.spec.parts
    assert set(steps) <= {0, *(ground.steps(payrolls.spec.parts) % payrolls.spec.parts).tolist()}


def test_invoices_of_the_days_before_pay_the_wages(payrolls: Dataset) -> None:
    wages, invoices = rows_of(payrolls, "wage"), rows_of(payrolls, "funding")
    months = invoices.groupby(["case_id", invoices["booked_at"].dt.to_period("M")]).size()
    assert months.max() > 1
    runs = wages.groupby(["case_id", wages["ordered_at"].dt.normalize()])["amount_minor"].sum()
    due = runs.rename("due").rename_axis(["case_id", "day"]).reset_index()
    both = due.merge(invoices[["case_id", "booked_at", "credited_minor"]], on="case_id")
    before = both["day"] - both["booked_at"]
    both = both[(before > pd.Timedelta(0)) & (before < pd.Timedelta(days=13))]
    came = both.groupby(["case_id", "day"])["credited_minor"].sum()
    covered = came.reindex(runs.index, fill_value=0) >= runs
    # All data begin somewhere: what was paid before is not seen.
    assert covered.mean() > 0.95


def test_more_payrolls_than_employers_are_refused() -> None:
    with pytest.raises(PlanError, match="eligible"):
        make_plan(load_spec(bank(cases=[{"kind": "payroll_run", "count": 1500}])))
