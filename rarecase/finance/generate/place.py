"""One place: who lives there, where they work, shop and bank. Arrays over slots, no payments yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.draws import AliasTable
from rarecase.common.plan import Plan
from rarecase.common.seeds import Float64, Int64, keyed_uniform, stream
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.spec import FinanceSpec

PAY_DAYS = np.array([25, 31, 15, 28, 1])
_PAY_DAY_SHARES = (0.35, 0.30, 0.12, 0.15, 0.08)
RENTS, OWES, NEITHER = range(3)
_SAVES = 0.45


@dataclass(frozen=True)
class Place:
    """A part of the world.

    Attributes
    ----------
    part, low, n
        Number of the place, its first customer's global ordinal, how many customers live there.
    customers
        Global ordinals, shape (n,).
    segment, income, activity
        Of each customer; activity is 1 on average.
    employer, landlord, housing
        Of each customer: numbers within the place, and whether they rent, owe or neither.
    saves
        Who has a savings account.
    bank
        Bank of every slot, -1 for the world outside, shape (width,).
    exists
        Which slots hold an account, shape (width,).
    shop
        Kind of each merchant, a code into the reference table.
    pay_day
        Of each employer.
    opening
        Balance of every slot before the first entry.
    limit
        How far each slot may go below zero; huge where there is no limit.
    """

    part: int
    low: int
    n: int
    customers: Int64
    segment: Int64
    income: Int64
    activity: Float64
    employer: Int64
    landlord: Int64
    housing: Int64
    saves: NDArray[np.bool_]
    bank: Int64
    exists: NDArray[np.bool_]
    shop: Int64
    pay_day: Int64
    opening: Int64
    limit: Int64


UNLIMITED = 1 << 60
shop_kinds = ground.shop_kinds


def make_place(plan: Plan, part: int) -> Place:
    """The place of `part`."""
    spec = _spec(plan)
    low, high = plan.bounds(part)
    slots, n = ground.slots(spec.block), high - low
    customers = np.arange(low, high, dtype=np.int64)
    segment, income = ground.segment(spec.seed, customers), ground.income_minor(spec, customers)
    u = stream(spec.seed, "place", part).random((8, n))
    activity = stream(spec.seed, "activity", part).standard_gamma(3.0, n) / 3.0
    housing = np.searchsorted([0.58, 0.84], u[0], side="right")
    employers = stream(spec.seed, "employer", part).integers(0, slots.employers_n, n)
    landlords = stream(spec.seed, "landlord", part).integers(0, slots.landlords_n, n)
    saves = u[1] < _SAVES
    bank, exists = _banks(spec, part, n, saves)
    merchants = np.arange(slots.merchants_n)
    day = AliasTable(_PAY_DAY_SHARES).draw(stream(spec.seed, "pay-day", part), slots.employers_n)
    opening = _opening(spec, part, customers, saves)
    limit = np.full(slots.width, UNLIMITED, dtype=np.int64)
    limit[:n] = ground.overdraft_minor(spec, customers)
    limit[slots.first("savings") : slots.first("merchants")] = 0
    for name, most in (("merchants", 2_000_000), ("employers", 50_000_000), ("landlords", 5_000_000)):
        first = slots.first(name)
        limit[first : first + _size(slots, name)] = most
    return Place(
        part=part,
        low=low,
        n=n,
        customers=customers,
        segment=segment,
        income=income,
        activity=np.maximum(activity, 0.02),
        employer=employers,
        landlord=landlords,
        housing=housing.astype(np.int64),
        saves=saves,
        bank=bank,
        exists=exists,
        shop=shop_kinds(spec, np.full(slots.merchants_n, part), merchants),
        pay_day=PAY_DAYS[day],
        opening=opening,
        limit=limit,
    )


def hosts(spec: FinanceSpec, numbers: Int64, kind: str) -> Int64:
    """The place in which the treasury of each biller or bank is kept."""
    shift = 0 if kind == "biller" else 3
    return (numbers + shift) % spec.parts


def _spec(plan: Plan) -> FinanceSpec:
    assert isinstance(plan.spec, FinanceSpec)
    return plan.spec


def _size(slots: ground.Slots, name: str) -> int:
    return {
        "merchants": slots.merchants_n,
        "employers": slots.employers_n,
        "landlords": slots.landlords_n,
    }[name]


def _banks(spec: FinanceSpec, part: int, n: int, saves: NDArray[np.bool_]) -> tuple[Int64, NDArray[np.bool_]]:
    slots = ground.slots(spec.block)
    shares = AliasTable(data.banks()[1])
    bank = shares.draw(stream(spec.seed, "bank", part), slots.width)
    own = np.arange(slots.banks_n)
    for name in ("branches", "bank_treasury"):
        bank[slots.first(name) : slots.first(name) + slots.banks_n] = own
    bank[slots.first("cash") :] = -1
    exists = np.ones(slots.width, dtype=np.bool_)
    exists[n : slots.block] = False
    savings = slots.first("savings")
    exists[savings : savings + slots.block] = False
    exists[savings : savings + n] = saves
    for name, number, kind in (
        ("biller_treasury", slots.billers_n, "biller"),
        ("bank_treasury", slots.banks_n, "bank"),
    ):
        first = slots.first(name)
        exists[first : first + number] = hosts(spec, np.arange(number), kind) == part
    return bank, exists


def _opening(spec: FinanceSpec, part: int, customers: Int64, saves: NDArray[np.bool_]) -> Int64:
    """Balances before the first entry; what all hold together, the world outside owes."""
    slots, n = ground.slots(spec.block), customers.size
    income = ground.income_minor(spec, customers)
    rng = stream(spec.seed, "opening", part)
    opening = np.zeros(slots.width, dtype=np.int64)
    opening[:n] = ground.opening_minor(spec, customers)
    first = slots.first("savings")
    held = np.rint(income * 3.0 * np.exp(1.0 * rng.standard_normal(n)))
    opening[first : first + n] = np.where(saves, held, 0)
    for name, typical in (
        ("merchants", 1_500_000.0),
        ("employers", 30_000_000.0),
        ("landlords", 3_000_000.0),
    ):
        start, size = slots.first(name), _size(slots, name)
        opening[start : start + size] = np.rint(typical * np.exp(0.6 * rng.standard_normal(size)))
    scale = max(spec.block, 1) * 20_000
    for name, size in (("billers", slots.billers_n), ("branches", slots.banks_n)):
        opening[slots.first(name) : slots.first(name) + size] = scale
    opening[slots.first("world")] = -int(opening.sum())
    return opening
