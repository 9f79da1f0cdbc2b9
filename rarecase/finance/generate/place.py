"""One place: who lives there, where they work, shop and bank. Arrays over slots, no payments yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.plan import Plan
from rarecase.common.seeds import Float64, Int64, keyed_uniform, stream
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.opening import opening_hours
from rarecase.finance.generate.banks import bank_key, bank_of, hosts
from rarecase.finance.generate.lending import CreditCards, Loans, credit_cards, loans
from rarecase.finance.spec import FinanceSpec

__all__ = ["UNLIMITED", "Place", "bank_key", "bank_of", "hosts", "make_place", "risk_appetite", "shop_kinds"]


@dataclass(frozen=True)
class Place:
    """A part of the world.

    Attributes
    ----------
    part, low, n
        Number of the place, its first customer's global ordinal, how many customers live there.
    scale
        Prices and incomes in minor units, beside those of Germany in euros.
    customers
        Global ordinals, shape (n,).
    segment, income, activity
        Of each customer; activity is 1 on average.
    employer, landlord, housing
        Of each customer: numbers within the place (employer -1 for who has none), and whether they rent, owe
        or neither.
    saves
        Who has a savings account.
    household
        Of each customer: number within the place of the first person of the household.
    loans, cards
        Terms of what people owe.
    bank
        Bank of every slot, -1 for the world outside, shape (width,).
    exists
        Which slots hold an account, shape (width,).
    shop, opens, closes
        Of each merchant: kind, a code into the reference table, and hours.
    pay_day, failed
        Of each employer; failed is the second at which it stops paying, NEVER for nearly all.
    opening
        Balance of every slot before the first entry.
    limit
        How far each slot may go below zero; huge where there is no limit.
    """

    part: int
    low: int
    n: int
    scale: float
    customers: Int64
    segment: Int64
    income: Int64
    activity: Float64
    employer: Int64
    landlord: Int64
    housing: Int64
    saves: NDArray[np.bool_]
    household: Int64
    loans: Loans
    cards: CreditCards
    bank: Int64
    exists: NDArray[np.bool_]
    shop: Int64
    opens: Int64
    closes: Int64
    pay_day: Int64
    failed: Int64
    opening: Int64
    limit: Int64


UNLIMITED = 1 << 60
shop_kinds = ground.shop_kinds
#: Typical balance before the data (of shops, see `terms.shop_bears`) and overdraft of firms, in minor units
#: at German prices.
_FIRMS = {
    "merchants": (1_500_000.0, 2_000_000),
    "employers": (30_000_000.0, 50_000_000),
    "shells": (400_000.0, 0),
    "landlords": (3_000_000.0, 5_000_000),
    "charities": (800_000.0, 1_000_000),
    "exchanges": (60_000_000.0, 50_000_000),
}


def make_place(plan: Plan, part: int) -> Place:
    """The place of `part`."""
    spec = _spec(plan)
    low, high = plan.bounds(part)
    slots, n = ground.slots(spec.block), high - low
    customers = np.arange(low, high, dtype=np.int64)
    segment, income = ground.segment(spec.seed, customers), ground.income_minor(spec, customers)
    activity = stream(spec.seed, "activity", part).standard_gamma(3.0, n) / 3.0
    dwelling = terms.housing(spec, customers)
    firm, here = np.arange(slots.employers_n), np.full(slots.employers_n, part)
    landlords = stream(spec.seed, "landlord", part).integers(0, slots.landlords_n, n)
    saves = keyed_uniform(spec.seed, "saves", customers) < spec.population.savers
    borrowed, cards = loans(spec, customers, income, dwelling), credit_cards(spec, customers, income)
    merchants = np.arange(slots.merchants_n)
    opens, closes = opening_hours(spec, np.full(merchants.size, part), merchants)
    scale = float(ground.price_scale(spec, np.array([part]))[0])
    limit = _limits(spec, customers, scale)
    for name, most in (("card", cards.limit), ("loan", borrowed.owed + borrowed.owed // 20)):
        limit[slots.first(name) : slots.first(name) + n] = most
    return Place(
        part=part,
        low=low,
        n=n,
        scale=scale,
        customers=customers,
        segment=segment,
        income=income,
        activity=np.maximum(activity, 0.02),
        employer=terms.employer(spec, customers),
        landlord=landlords,
        housing=dwelling,
        saves=saves,
        household=ground.household_head(spec, customers) - low,
        loans=borrowed,
        cards=cards,
        bank=bank_of(spec, part, np.arange(slots.width)),
        exists=_exists(spec, part, customers, saves, borrowed, cards),
        shop=shop_kinds(spec, np.full(slots.merchants_n, part), merchants),
        opens=opens,
        closes=closes,
        pay_day=terms.pay_day(spec, here, firm),
        failed=terms.employer_fails(spec, here, firm),
        opening=_opening(spec, part, customers, saves, borrowed, cards, scale),
        limit=limit,
    )


def risk_appetite(spec: FinanceSpec, customers: Int64) -> Float64:
    """Readiness to take risks, 0 to 1, in thousandths: mostly low, lower for the retired."""
    u = keyed_uniform(spec.seed, "risk-appetite", customers)
    low = np.where(ground.segment(spec.seed, customers) == ground.RETIRED, 2.2, 1.3)
    return np.asarray(np.round(u**low, 3), np.float64)


def _spec(plan: Plan) -> FinanceSpec:
    assert isinstance(plan.spec, FinanceSpec)
    return plan.spec


def _limits(spec: FinanceSpec, customers: Int64, scale: float) -> Int64:
    slots = ground.slots(spec.block)
    limit = np.full(slots.width, UNLIMITED, dtype=np.int64)
    limit[: slots.first("merchants")] = 0
    limit[: customers.size] = ground.overdraft_minor(spec, customers)
    for name, (_, most) in _FIRMS.items():
        limit[slots.first(name) : slots.first(name) + slots.sizes[name]] = int(most * scale)
    return limit


def _exists(
    spec: FinanceSpec,
    part: int,
    customers: Int64,
    saves: NDArray[np.bool_],
    borrowed: Loans,
    cards: CreditCards,
) -> NDArray[np.bool_]:
    slots, n = ground.slots(spec.block), customers.size
    exists = np.ones(slots.width, dtype=np.bool_)
    exists[: slots.first("merchants")] = False
    exists[:n] = True
    second = ground.second_account(spec, customers) != ground.NO_SECOND
    for name, has in (("savings", saves), ("card", cards.has), ("loan", borrowed.has), ("second", second)):
        exists[slots.first(name) : slots.first(name) + n] = has
    for name, number, kind in (
        ("biller_treasury", slots.billers_n, "biller"),
        ("bank_treasury", slots.banks_n, "bank"),
    ):
        first = slots.first(name)
        exists[first : first + number] = hosts(spec, part, np.arange(number), kind) == part
    return exists


def _opening(
    spec: FinanceSpec,
    part: int,
    customers: Int64,
    saves: NDArray[np.bool_],
    borrowed: Loans,
    cards: CreditCards,
    scale: float,
) -> Int64:
    """Balances before the first entry; what all hold together, the world outside owes."""
    slots, n = ground.slots(spec.block), customers.size
    income = ground.income_minor(spec, customers)
    rng = stream(spec.seed, "opening", part)
    opening = np.zeros(slots.width, dtype=np.int64)
    opening[:n] = ground.opening_minor(spec, customers)
    held = np.rint(income * 3.0 * np.exp(1.0 * rng.standard_normal(n))).astype(np.int64)
    slept = np.rint(income * 0.5 * np.exp(1.2 * rng.standard_normal(n))).astype(np.int64)
    asleep = ground.second_account(spec, customers) == ground.SLEEPING
    for name, amount in (
        ("savings", np.where(saves, held, 0)),
        ("card", -cards.owed),
        ("loan", np.where(borrowed.start < 0, -borrowed.owed, 0)),
        ("second", np.where(asleep, slept, 0)),
    ):
        opening[slots.first(name) : slots.first(name) + n] = amount
    for name, (typical, _) in _FIRMS.items():
        size = slots.sizes[name]
        drawn = np.rint(typical * scale * np.exp(0.6 * rng.standard_normal(size)))
        opening[slots.first(name) : slots.first(name) + size] = drawn
    shops = np.arange(slots.merchants_n)
    held, _ = terms.shop_bears(spec, np.full(shops.size, part), shops)
    opening[slots.first("merchants") + shops] = held
    for name in ("billers", "branches"):
        first = slots.first(name)
        opening[first : first + slots.sizes[name]] = int(max(spec.block, 1) * 20_000 * scale)
    opening[slots.first("world")] = -int(opening.sum())
    return opening
