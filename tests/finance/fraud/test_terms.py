"""What cases know of accounts and work is what the generated world has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.plan import make_plan
from rarecase.common.run import generate
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec, load_spec
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground, opening, terms

SPEC: dict[str, Any] = {"domain": "finance", "size": 700, "block": 200, "days": 62, "cases": []}


class Known:
    """A small world, its last place too small for a block, with the keys of customers and accounts."""

    def __init__(self) -> None:
        self.spec: Spec = load_spec(SPEC)
        self.dataset: Dataset = generate(SPEC)
        self.keys = make_plan(self.spec).keys
        self.people: Int64 = np.arange(self.spec.size)
        accounts = self.dataset.table("accounts").to_pandas()
        self.accounts = accounts.set_index("account_id")

    def account(self, kind: str) -> Int64:
        """Keys of the customers' accounts of a kind."""
        slots = ground.slots(self.spec.block)
        part, within = np.divmod(self.people, self.spec.block)
        return self.keys.part_rows("accounts", part, slots.first(kind) + within)


@pytest.fixture(scope="module")
def known() -> Known:
    return Known()


def test_wages_come_from_the_employer_on_its_pay_day(known: Known) -> None:
    paid = known.dataset.table("transactions").to_pandas()
    paid = paid[paid["payment_type"].eq("payroll") & paid["purpose"].eq("SALA")]
    slots, part = ground.slots(known.spec.block), known.people // known.spec.block
    number = terms.employer(known.spec, known.people)
    who = number >= 0
    firm = known.keys.part_rows("accounts", part[who], slots.first("employers") + number[who])
    expected = pd.Series(firm, index=known.account("current")[who])
    assert set(paid["payee_account_id"]) <= set(expected.index)
    assert (paid["payee_account_id"].map(expected) == paid["payer_account_id"]).all()
    day = pd.Series(terms.pay_day(known.spec, part[who], number[who]), index=expected.index)
    booked, month_end = paid["ordered_at"].dt.day, paid["ordered_at"].dt.days_in_month
    due = np.minimum(paid["payee_account_id"].map(day), month_end)
    # A pay-day on a weekend or a holiday moves forward by few days at most, also into the month before.
    early = (due - booked) % month_end
    assert early.between(0, 4).all()


def test_limits_and_banks_are_those_of_the_register(known: Known) -> None:
    cards = known.accounts.reindex(known.account("card"))
    has = cards["kind"].notna().to_numpy()
    assert (has == ground.has_card_account(known.spec, known.people)).all()
    limit = terms.card_limit_minor(known.spec, known.people)
    assert (cards["credit_limit_minor"].to_numpy()[has] == limit[has]).all()
    current = known.accounts.loc[known.account("current")]
    slots = ground.slots(known.spec.block)
    bank = terms.bank(known.spec, slots.customer(known.people))
    country = ground.country(known.spec, known.people // known.spec.block)
    # One key per bank and country, and the other way round.
    pairs = pd.DataFrame({"bank": bank, "country": country, "key": current["bank_id"].to_numpy()})
    assert pairs.groupby(["bank", "country"])["key"].nunique().max() == 1
    assert pairs.groupby("key")[["bank", "country"]].nunique().to_numpy().max() == 1


def test_shops_hold_what_cases_think(known: Known) -> None:
    slots, parts = ground.slots(known.spec.block), known.spec.parts
    part = np.repeat(np.arange(parts), slots.merchants_n)
    number = np.tile(np.arange(slots.merchants_n), parts)
    held, limit = terms.shop_bears(known.spec, part, number)
    rows = known.accounts.loc[known.keys.part_rows("accounts", part, slots.first("merchants") + number)]
    assert (rows["opening_balance_minor"].to_numpy() == held).all()
    assert (rows["credit_limit_minor"].to_numpy() == limit).all()


def test_consumer_loans_are_loan_accounts(known: Known) -> None:
    loans = known.accounts.reindex(known.account("loan"))["kind"].notna().to_numpy()
    owes = terms.consumer_loan(known.spec, known.people)
    assert owes.any()
    assert loans[owes].mean() > 0.95


def test_shops_are_open_when_cases_think(known: Known) -> None:
    slots = ground.slots(known.spec.block)
    part = np.repeat(np.arange(known.spec.parts), slots.merchants_n)
    number = np.tile(np.arange(slots.merchants_n), known.spec.parts)
    opens, closes = opening.opening_hours(known.spec, part, number)
    shops = known.dataset.table("merchants").to_pandas()
    assert sorted(zip(opens, closes, strict=True)) == sorted(
        zip(shops["opens_hour"], shops["closes_hour"], strict=True)
    )
    shop = slots.at(part, "merchants", number)  # type: ignore[arg-type]
    for hour in range(24):
        second = np.full(shop.size, (24 + hour) * 3_600 + 1_234)
        moved = opening.while_open(known.spec, shop, second)
        assert opening.is_open(known.spec, part, number, moved).all()
        assert (moved // 86_400 == second // 86_400).all()


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_cards_of_cases_are_read_in_shops_that_are_open(difficulty: float) -> None:
    kinds = ("lost_and_stolen", "skimming", "synthetic_identity", "refund_abuse", "holiday_abroad")
    cases = [{"kind": kind, "count": 12, "difficulty": difficulty} for kind in kinds]
    made = generate({"domain": "finance", "size": 6_000, "block": 1_500, "days": 90, "cases": cases})
    labels = made.table("labels").to_pandas()
    planted = labels.loc[labels["table_name"].eq("transactions") & labels["effect"].eq("created"), "row_id"]
    rows = made.table("transactions").to_pandas()
    # Keys have 63 bits, and a column with nulls would become one of floats.
    rows["merchant_id"] = made.table("transactions").column("merchant_id").fill_null(0).to_numpy()
    rows = rows[rows["transaction_id"].isin(planted)]
    rows = rows[
        rows["entry_mode"].isin(("contactless", "chip", "magnetic_stripe")) & (rows["channel"] == "pos")
    ]
    shops = made.table("merchants").to_pandas().set_index("merchant_id")
    there = shops.reindex(rows["merchant_id"])
    hour, opens = rows["ordered_at"].dt.hour.to_numpy(), there["opens_hour"].to_numpy()
    closes = there["closes_hour"].to_numpy()
    assert len(rows) > 300
    assert (((hour >= opens) & (hour < closes)) | (hour + 24 < closes)).all()


def test_invoices_of_firms_that_fail_are_nobodys() -> None:
    cases = [{"kind": "app_invoice", "count": 40, "difficulty": difficulty} for difficulty in (0.0, 1.0)]
    cases[1]["name"] = "hard"
    spec = load_spec({"domain": "finance", "size": 20_000, "block": 1_000, "days": 730, "cases": cases})
    slots = ground.slots(spec.block)
    part = np.repeat(np.arange(spec.parts), slots.employers_n)
    number = np.tile(np.arange(slots.employers_n), spec.parts)
    failed = terms.employer_fails(spec, part, number) < NEVER
    owners = ground.owner(spec, part, "employers", number)
    assert failed.sum() > 3
    gone = part[failed] * slots.width + slots.first("employers") + number[failed]
    for case, placed in zip(spec.cases, make_plan(spec).placements, strict=True):
        assert not case.eligible(spec, owners[failed]).any()
        rows = case.footprint(spec, placed).rows  # type: ignore[attr-defined]
        assert not np.isin(rows.payer, gone).any()
        assert not np.isin(rows.payee, gone).any()
