"""The figures beside published ones, and what people would recognise."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from rarecase.common.spec import parse_yaml
from rarecase.finance import DOMAIN


@pytest.fixture(scope="module", params=["default", "natural"])
def example(request: pytest.FixtureRequest) -> Dataset:
    spec = parse_yaml(DOMAIN.examples[request.param], request.param)
    return generate({**spec, "size": min(spec["size"], 4000)})


@pytest.mark.parametrize("name", ["default", "natural"])
def test_published_ranges_are_met(name: str) -> None:
    """The whole examples: rare events scatter, and the ranges allow for as many as these hold."""
    made = generate(parse_yaml(DOMAIN.examples[name], name))
    measures = DOMAIN.measures(made)
    assert len({measure.name for measure in measures}) == len(measures) >= 28
    assert [measure.name for measure in measures if measure.inside is False] == []
    assert sum(measure.inside is True for measure in measures) >= 16
    for measure in measures:
        assert math.isfinite(measure.value)
        assert measure.source


def test_shops_have_a_place_and_customers_favourites(example: Dataset) -> None:
    paid = example.table("transactions").to_pandas().query("payment_type == 'card_payment'")
    places = example.table("merchants").to_pandas().set_index("merchant_id")["place"]
    assert (paid["merchant_id"].map(places) == paid["payee_place"]).all()
    visits = paid.groupby(["card_id", "merchant_id"]).size()
    top = visits.groupby("card_id").nlargest(8).groupby(level=0).sum() / visits.groupby("card_id").sum()
    assert top.median() > 0.5


def test_wages_come_on_business_days_before_the_pay_day(example: Dataset) -> None:
    paid = example.table("transactions").to_pandas().query("payment_type == 'payroll' and purpose == 'SALA'")
    assert (paid["booked_at"].dt.day_of_week < 5).all()
    months = paid.groupby("payee_account_id")["booked_at"].agg(lambda when: when.dt.to_period("M").nunique())
    assert months.median() == 3


def test_hours_and_days_have_a_shape(example: Dataset) -> None:
    paid = example.table("transactions").to_pandas().query("payment_type == 'card_payment'")
    hours = paid["ordered_at"].dt.hour.value_counts(normalize=True).sort_index()
    assert hours.index.size == 24
    assert hours.loc[9:19].sum() > 0.65
    assert hours.loc[0:4].sum() < 0.05
    days = paid["ordered_at"].dt.day_of_week.value_counts(normalize=True).sort_index()
    assert days[5] > days[6]
    assert days[4] > days[1]


def test_payments_say_what_a_payment_desk_sees(example: Dataset) -> None:
    paid = pd.DataFrame(example.table("transactions").to_pandas())
    assert paid.shape[1] >= 20
    read = paid["entry_mode"].notna()
    assert paid.loc[read, "card_id"].notna().all()
    assert paid.loc[read, "terminal_id"].notna().all()
    checked = paid["payment_type"].isin(["transfer", "wire"])
    assert (paid["payee_check"].notna() == checked).all()
    assert (paid["payee_age_days"].notna() == checked).all()
    asks = (paid["payment_type"] == "card_payment") & (paid["entry_mode"] == "ecommerce")
    assert (paid["three_ds"].notna() == asks).all()
    proved = paid.loc[asks, "authentication"] != "none"
    assert (proved == (paid.loc[asks, "three_ds"] == "challenged")).all()
    ordered = paid["payment_type"].eq("transfer") & paid["channel"].isin(["mobile", "web"])
    people = set(example.table("accounts").to_pandas().query("holder == 'customer'")["account_id"])
    ordered &= paid["payer_account_id"].isin(people)
    assert paid.loc[ordered, ["device_id", "ip_id", "device_age_days"]].notna().all().all()
    assert paid.loc[paid["channel"] == "ecommerce", "is_remote"].all()
    assert "balance_minor" not in paid.columns
