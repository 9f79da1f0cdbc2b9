"""What firms earn and pay: takings, suppliers, premises, taxes, owners. Planned from their size.

A firm that has failed neither earns nor pays any more, and nobody buys from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.lending import HOUSING_SHARE
from rarecase.finance.generate.maker import Flow, Maker, flow

#: Regular suppliers of each firm, and of its payroll that one invoice takes.
_SUPPLIERS, _INVOICE_SHARE = 3, 0.05
#: Of wages: tax and contributions withheld each month, premises, and what owners get each quarter.
_TAX_SHARE, _PREMISES_SHARE, _DIVIDEND_SHARE = 0.22, 0.05, 0.12
#: Share of a shop's takings that its owner lives on, and that goes to wholesalers of the place.
_OWNER_SHARE, _WHOLESALE_SHARE = 0.10, 0.25


def firms(make: Maker) -> Iterator[Flow]:
    """All that firms and landlords book besides wages."""
    payroll = _payroll(make)
    yield from _employers(make, payroll)
    place, slots = make.place, make.slots
    rents = np.bincount(
        place.landlord[place.housing == terms.RENTS],
        place.income[place.housing == terms.RENTS],
        slots.landlords_n,
    )
    row, second = make.monthly("upkeep", np.full(slots.landlords_n, 20))
    least = 10_000 * place.scale
    amount = make.lognormal("upkeep", row.size, np.maximum(rents[row] * HOUSING_SHARE * 0.84, least), 0.2)
    yield flow(second, amount, slots.first("landlords") + row, slots.first("world"), "supplier")


def _payroll(make: Maker) -> Float64:
    """Wages of each employer per month, at least a small one."""
    place = make.place
    works = place.employer >= 0
    wages = np.bincount(place.employer[works], place.income[works], make.slots.employers_n)
    return np.asarray(np.maximum(wages, 200_000 * place.scale), np.float64)


def _alive(make: Maker, whole: Flow, *firms: Int64) -> Flow:
    """Rows of a flow before any of these firms fails."""
    kept = np.ones(whole.second.size, np.bool_)
    for firm in firms:
        kept &= whole.second < make.place.failed[firm]
    rows = np.flatnonzero(kept)
    return Flow(whole.second[rows], whole.amount[rows], whole.payer[rows], whole.payee[rows], whole.way[rows])


def _employers(make: Maker, payroll: Float64) -> Iterator[Flow]:
    place, slots = make.place, make.slots
    first, n = slots.first("employers"), slots.employers_n
    firm, second = make.weekly("revenue", n, "office")
    amount = make.lognormal("revenue", firm.size, payroll[firm] * 1.5 / 4.3, 0.35)
    yield _alive(make, flow(second, amount, slots.first("world"), first + firm, "takings"), firm)
    # Each firm buys from a few others of the place, to which it owes an invoice each month.
    rng = make.rng("b2b", "partners")
    buyer = np.repeat(np.arange(n), _SUPPLIERS)
    seller = (buyer + rng.integers(1, n, buyer.size)) % n
    row, second = make.monthly("b2b", rng.integers(3, 29, buyer.size))
    buys, sells = buyer[row], seller[row]
    amount = make.lognormal("b2b", row.size, payroll[buys] * _INVOICE_SHARE, 0.5)
    yield _alive(make, flow(second, amount, first + buys, first + sells, "supplier"), buys, sells)
    state = slots.first("billers") + slots.billers_n - 1
    row, second = make.monthly("payroll-tax", np.full(n, 10))
    amount = np.rint(payroll[row] * _TAX_SHARE).astype(np.int64)
    yield _alive(make, flow(second, amount, first + row, state, "tax"), row)
    row, second = make.monthly("premises", np.full(n, 1))
    landlord = slots.first("landlords") + rng.integers(0, slots.landlords_n, n)
    amount = np.rint(payroll[row] * _PREMISES_SHARE / 5_000).astype(np.int64) * 5_000 + 5_000
    yield _alive(make, flow(second, amount, first + row, landlord[row], "rent"), row)
    row, second = make.monthly("dividend", rng.integers(5, 26, n))
    # After each quarter.
    month = (make.spec.start.month - 1 + make.month[second // ground.DAY_S]) % 12
    kept = np.flatnonzero(month % 3 == 0)
    row, second = row[kept], second[kept]
    owner = ground.owner(make.spec, np.full(row.size, place.part), "employers", row) - place.low  # type: ignore[arg-type]
    amount = make.lognormal("dividend", row.size, payroll[row] * _DIVIDEND_SHARE, 0.4)
    yield _alive(make, flow(second, amount, first + row, owner, "payout"), row)
    yield from _shells(make, payroll)


def _shells(make: Maker, payroll: Float64) -> Iterator[Flow]:
    """Shells neither employ nor sell: now and then a company pays one a fee, and its owner takes it out."""
    place, slots = make.place, make.slots
    n = slots.shells_n
    rng = make.rng("shell", "fees")
    shell = np.repeat(np.arange(n), rng.poisson(0.3 * make.months, n))
    second = make.seconds("shell", "office", shell.size)
    firm = shell % slots.employers_n
    amount = make.lognormal("shell", shell.size, payroll[firm] * 0.04, 0.7)
    first = slots.first("shells")
    fees = _alive(
        make, flow(second, amount, slots.first("employers") + firm, first + shell, "supplier"), firm
    )
    yield fees
    later = fees.second + rng.integers(1, 20, fees.second.size) * ground.DAY_S
    kept = np.flatnonzero((later < make.horizon) & (rng.random(later.size) < 0.6))
    number = fees.payee[kept] - first
    owner = ground.owner(make.spec, np.full(number.size, place.part), "shells", number) - place.low  # type: ignore[arg-type]
    taken = np.rint(fees.amount[kept] * rng.uniform(0.3, 0.9, kept.size) / 100).astype(np.int64) * 100 + 100
    yield flow(later[kept], np.minimum(taken, fees.amount[kept]), fees.payee[kept], owner, "payout")


def shops(make: Maker, bought: list[Flow]) -> Iterator[Flow]:
    """What shops pay for what they sell, here and elsewhere, and to their owners: by what they sold before.

    Parameters
    ----------
    bought
        Card payments at the place; each week's sales are what a shop restocks in the week after.
    """
    place, slots = make.place, make.slots
    first, n = slots.first("merchants"), slots.merchants_n
    weeks = -(-make.spec.days // 7)
    sales = np.zeros((n, weeks), np.int64)
    for each in bought:
        _sold(each.second, each.amount, each.payee, first, sales)
    usual = sales.sum(axis=1) * 7 // make.spec.days
    before = np.concatenate([usual[:, None], sales[:, :-1]], axis=1)
    rng = make.rng("supplies", "terms")
    moment = _moments(make, "supplies", n, weeks)
    amount = np.rint(before * rng.uniform(0.45, 0.7, before.shape)).astype(np.int64)
    shop, week = np.nonzero((amount >= 500) & (moment >= 0))
    yield flow(moment[shop, week], amount[shop, week], first + shop, slots.first("world"), "supplier")
    seller = rng.integers(0, slots.employers_n, n)
    # Of the four weeks before, as far as they lie in the data.
    total = np.cumsum(before, axis=1)
    for name, share in (("wholesale", _WHOLESALE_SHARE), ("drawings", _OWNER_SHARE)):
        shop, second = make.monthly(name, rng.integers(2, 28, n))
        week = second // (7 * ground.DAY_S)
        recent = total[shop, week] - np.where(week > 3, total[shop, np.maximum(week - 4, 0)], 0)
        monthly = recent / np.minimum(week + 1, 4) * 4.35
        amount = np.rint(monthly * share / 100).astype(np.int64) * 100
        kept = np.flatnonzero(amount >= 1_000)
        shop, second, amount = shop[kept], second[kept], amount[kept]
        if name == "wholesale":
            to = seller[shop]
            paid = flow(second, amount, first + shop, slots.first("employers") + to, "supplier")
            yield _alive(make, paid, to)
        else:
            here = np.full(shop.size, place.part)
            owner = ground.owner(make.spec, here, "merchants", shop) - place.low  # type: ignore[arg-type]
            yield flow(second, amount, first + shop, owner, "payout")


def _moments(make: Maker, name: str, n: int, weeks: int) -> Int64:
    """A moment in office hours of a working day of each week, -1 outside the data, shape (n, weeks)."""
    rng = make.rng(name, "time")
    day = 7 * np.arange(weeks) + rng.integers(0, 7, (n, weeks))
    moved = make.calendar.business_day(np.minimum(day, make.spec.days), "next")
    within = ground.office().draw(rng, n * weeks).reshape(n, weeks) // ground.SECOND_US
    return np.where(moved < make.spec.days, moved * ground.DAY_S + within, -1)


@compiled
def _sold(second: Int64, amount: Int64, payee: Int64, first: int, sales: Int64) -> None:
    for i in range(second.size):
        sales[payee[i] - first, second[i] // 604_800] += amount[i]
