"""The bank of 1993 beside the half of a real one that no parameter was chosen from."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from rarecase.common.spec import parse_yaml
from rarecase.common.validate import validate
from rarecase.finance import DOMAIN
from tests.conftest import ROOT
from tests.finance.berka import BY_BANK, figures, made, real

PAGE = ROOT / "docs" / "studies" / "berka.md"
#: How far a figure of the example may lie from that of the judging half, and why so far. The ranges were set
#: when that half had been seen; they guard what the page says, and the parameters were chosen without it. The
#: two halves of the same bank differ by 12 % in orders and by 0.2 in a mean of logarithms.
RANGES = {
    "entries per account-month": (0.45, "a tenth; no account of ours is young, and young ones book less"),
    "in, per account-month": (0.08, "a quarter; dividends and households come on top of income"),
    "out, per account-month": (0.12, "a fifth; orders of young accounts begin months after the opening"),
    "deposit, per account-month": (0.12, "an eighth"),
    "withdrawal, per account-month": (0.15, "an eighth"),
    "interest, per account-month": (0.08, "a tenth; none below zero"),
    "fee, per account-month": (0.05, "a tenth"),
    "recurring share": (0.06, "inside the published range of 0.30 to 0.45"),
    "burstiness, median": (
        0.12,
        "both within the accepted −0.15 to 0.15; our incomes keep their days",
    ),
    "days 5 to 14": (0.04, "due days lie there on both sides"),
    "days 15 to 27": (0.04, "business days after a weekend push some of the former there"),
    "days 28 to 31": (0.03, "fees on both sides"),
    "the 31st": (0.04, "half of the last days of the month are moved to the Friday before"),
    "transfers on days 5 to 14": (0.12, "the file books at weekends, the world on business days"),
    "Benford MAD": (0.006, "both below 0.0165; 0.015 is the published bound of good conformity"),
    "in, mean of ln": (0.25, "a quarter of a price level"),
    "in, sd of ln": (0.25, "wages of one law and one of invoices, not of two groups"),
    "out, mean of ln": (0.45, "rents and gifts instead of one order for the household; halves differ by 0.2"),
    "out, sd of ln": (0.2, "inside the published 0.7 to 1.5"),
    "deposit, mean of ln": (0.3, "a third of a price level; no first deposits of young accounts"),
    "withdrawal, mean of ln": (0.25, "a quarter of a price level"),
    "withdrawal, sd of ln": (0.2, "inside the published 0.7 to 1.5"),
    "deposit, whole hundreds": (0.12, "whole incomes are not round, other deposits are"),
    "withdrawal, whole hundreds": (0.08, "people like round sums"),
    "withdrawal or fee, whole hundreds": (0.08, "0.535 is published, with fees among the withdrawals"),
    "interest / balance, median": (0.0004, "a tenth of 0.405 % a month"),
    "fee, median": (0.01, "the fee is the same"),
    "balance, median": (4_500.0, "a sixth"),
    "negative balances": (0.003, "rare on both sides: 0.19 % is published"),
    "balance continuity": (0.002, "0.9993 is published; ours is exact"),
}
#: What is known to differ, with the side on which the example lies; the page says why.
DIFFERS = {
    "their standard deviation": -1,
    "busiest weekday": 1,
    "quietest weekday": -1,
    "deposit, sd of ln": -1,
    "fee, share of the commonest": 1,
}
#: Figures published of the whole file (1,229 accounts), which measure the measures; and how far half may be.
#: Burstiness is not among them: the published −0.018 does not say of which accounts.
PUBLISHED = {
    "entries per account-month": (4.48, 0.15),
    "their standard deviation": (2.87, 0.15),
    "recurring share": (0.385, 0.02),
    "days 5 to 14": (0.52, 0.03),
    "the 31st": (0.095, 0.01),
    "Benford MAD": (0.0118, 0.002),
    "in, mean of ln": (8.90, 0.05),
    "in, sd of ln": (0.87, 0.05),
    "out, mean of ln": (7.47, 0.05),
    "out, sd of ln": (1.42, 0.08),
    "deposit, mean of ln": (8.84, 0.05),
    "deposit, sd of ln": (1.44, 0.05),
    "withdrawal or fee, whole hundreds": (0.535, 0.03),
    "deposit, whole hundreds": (0.36, 0.02),
    "interest / balance, median": (0.00405, 0.0001),
    "fee, share of the commonest": (0.92, 0.02),
    "negative balances": (0.0019, 0.0005),
    "balance continuity": (0.9993, 0.0005),
}


@pytest.fixture(scope="module")
def bank() -> Dataset:
    return generate(parse_yaml(DOMAIN.examples["berka1993"], "berka1993"))


@pytest.fixture(scope="module")
def ours(bank: Dataset) -> dict[str, float]:
    return figures(made(bank))


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    place = shared_data / "finance" / "berka"
    if not (place / "trans_half.asc.gz").is_file():
        pytest.skip("the Berka data are not among the reference tables: they may not be passed on")
    return place


@pytest.fixture(scope="module")
def judging(folder: Path) -> dict[str, float]:
    return figures(real(folder, odd=True))


def test_every_figure_is_judged(ours: dict[str, float]) -> None:
    assert set(ours) == {*RANGES, *DIFFERS}


@pytest.mark.parametrize("name", RANGES)
def test_the_world_is_like_the_half_that_judges(
    ours: dict[str, float], judging: dict[str, float], name: str
) -> None:
    most, why = RANGES[name]
    assert abs(ours[name] - judging[name]) <= most, why


@pytest.mark.parametrize("name", DIFFERS)
def test_what_is_said_to_differ_does(ours: dict[str, float], judging: dict[str, float], name: str) -> None:
    assert (ours[name] - judging[name]) * DIFFERS[name] > 0.05 * judging[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_file_has_the_published_figures(folder: Path, name: str) -> None:
    whole = figures(pd.concat([real(folder, odd=False), real(folder, odd=True)], ignore_index=True))
    value, most = PUBLISHED[name]
    assert whole[name] == pytest.approx(value, abs=most)


def test_the_page_shows_these_figures(
    ours: dict[str, float], judging: dict[str, float], folder: Path
) -> None:
    fitting = figures(real(folder, odd=False))
    shown = dict(re.findall(r"^\| ([^|]+?) \| (-?\d.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert set(shown) == set(ours)
    for name, cells in shown.items():
        for cell, found in zip(cells.split(" | "), (ours, fitting, judging), strict=True):
            assert float(cell.replace(",", "")) == pytest.approx(found[name], rel=0.05, abs=0.005)


def test_it_is_a_bank_of_its_time(bank: Dataset) -> None:
    assert validate(bank).ok
    paid = bank.table("transactions").to_pandas()
    people = made(bank)
    assert set(paid["channel"]) == {"branch", "batch"}
    assert set(paid["currency"]) == {"CZK"}
    assert paid["card_id"].isna().all()
    assert paid["device_id"].isna().all()
    assert people["date"].min() >= pd.Timestamp("1993-01-01")
    assert people["date"].max() < pd.Timestamp("1994-04-01")
    counter = paid[paid["payment_type"].isin(("cash_withdrawal", "cash_deposit"))]
    assert counter["ordered_at"].dt.hour.between(6, 20).mean() > 0.95


def test_most_are_paid_in_cash(bank: Dataset) -> None:
    rows = made(bank)
    rows["month"] = rows["date"].dt.to_period("M")
    # An income comes in most months, by transfer or as cash.
    months = (
        rows[rows["amount"] > 2_000].groupby(["account", "kind"])["month"].nunique().unstack(fill_value=0)
    )
    assert (months["deposit"] >= 12).mean() > 0.55
    assert 0.15 < (months["in"] >= 12).mean() < 0.4
    both = (months["deposit"] >= 12) & (months["in"] >= 12)
    assert both.mean() < 0.05


def test_fees_are_one_sum_at_the_months_end(bank: Dataset) -> None:
    rows = made(bank)
    fee = rows[rows["kind"] == "fee"]
    assert set(fee["amount"]) == {14.6}
    assert (fee["date"].dt.day >= 26).all()
    assert rows[rows["kind"].isin(BY_BANK)]["amount"].gt(0).all()


def test_tuning_is_of_what_it_says() -> None:
    small = {"domain": "finance", "size": 200, "block": 100, "days": 62}
    usual = generate(small).table("customers").to_pandas()
    dearer = generate({**small, "population": {"price_level": 2.0}}).table("customers").to_pandas()
    ratio = dearer["monthly_income_minor"] / usual["monthly_income_minor"]
    assert ratio.between(1.98, 2.02).all()
    half = generate({**small, "population": {"branches": 0.5, "credit_cards": 0.0, "due_days": [10, 10]}})
    paid = half.table("transactions").to_pandas()
    drawn = paid.loc[paid["payment_type"] == "cash_withdrawal", "channel"]
    assert 0.35 < (drawn == "branch").mean() < 0.65
    wages = paid.loc[(paid["payment_type"] == "payroll") & (paid["purpose"] == "SALA"), "booked_at"]
    assert wages.dt.day.between(7, 10).all()
    assert set(half.table("cards").to_pandas()["card_type"]) == {"debit"}


def test_due_days_stand_in_order() -> None:
    with pytest.raises(Exception, match="due_days"):
        generate({"domain": "finance", "population": {"due_days": [9, 3]}})
