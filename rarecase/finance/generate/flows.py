"""Ordinary payments within a place, whole columns at a time.

Each flow is drawn from streams named by the flow, the column and the part, and looks at nothing but the
place: neither at cases nor at balances. So a case moves no draw here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.draws import AliasTable
from rarecase.common.seeds import Float64, Int64, stream
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.place import OWES, RENTS, Place
from rarecase.finance.spec import FinanceSpec

_CONTACTS = 5
_NEW_PAYEE = 0.12


ATM_MONTHLY = 1.5
#: Median and spread of cash paid in, and how often the self-employed and others do so in a month.
CASH_IN = (ground.CASH_IN_MEDIAN_MINOR, 1.1, 0.8, 0.12)
HOUSING_SHARE = 0.29
INVOICES_MONTHLY = 4.0
SAVINGS_LEAST, SAVINGS_MOST = 0.04, 0.16


@dataclass(frozen=True)
class Flow:
    """Payments of one kind, columns of one length; payer and payee are slots of the place.

    Attributes
    ----------
    second
        Seconds after the start.
    amount
        Minor units.
    way
        Codes of the ways of paying.
    """

    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64
    way: NDArray[np.int8]


def flow(
    second: Int64, amount: Int64, payer: Int64 | int, payee: Int64 | int, way: str | NDArray[np.int8]
) -> Flow:
    """A flow from columns and constants; amounts below one unit are raised to it."""
    n = second.size
    code = np.full(n, data.ways().code(way), np.int8) if isinstance(way, str) else way
    return Flow(
        second,
        np.maximum(amount, 1),
        np.full(n, payer, np.int64) if isinstance(payer, int) else payer,
        np.full(n, payee, np.int64) if isinstance(payee, int) else payee,
        code,
    )


class Maker:
    """Draws the flows of one place."""

    def __init__(self, spec: FinanceSpec, place: Place) -> None:
        self.spec, self.place = spec, place
        self.slots = ground.slots(spec.block)
        self.months = spec.days / ground.MONTH_DAYS
        self.calendar = ground.calendar(spec.start, spec.days)

    def rng(self, *name: str | int) -> np.random.Generator:
        """The stream of a column of this place."""
        return stream(self.spec.seed, *name, self.place.part)

    def owners(self, name: str, monthly: Float64 | float) -> Int64:
        """Who pays, once per payment of a flow with so many a month: Poisson, by activity."""
        mean = monthly * self.months * self.place.activity
        return np.repeat(np.arange(self.place.n), self.rng(name, "number").poisson(mean))

    def seconds(self, name: str, rhythm: str, n: int) -> Int64:
        """Moments of a rhythm, in seconds after the start."""
        clock = ground.clock(self.spec.start, self.spec.days, rhythm)
        return np.asarray(clock.draw(self.rng(name, "time"), n) // ground.SECOND_US, np.int64)

    def monthly(self, name: str, day_of_month: Int64, move: str = "next") -> tuple[Int64, Int64]:
        """Row numbers and seconds of payments on a fixed day of each month, in the night's batch."""
        moves = {"next": "next", "previous": "previous"}
        days = self.calendar.monthly(day_of_month, moves[move])  # type: ignore[arg-type]
        owner, month = np.nonzero(days >= 0)
        within = ground.batch().draw(self.rng(name, "time"), owner.size) // ground.SECOND_US
        return owner, days[owner, month] * ground.DAY_S + within

    def lognormal(self, name: str, n: int, median: Float64 | float, sd: float) -> Int64:
        """Amounts of a lognormal law."""
        normal = self.rng(name, "amount").standard_normal(n)
        return np.rint(median * np.exp(sd * normal)).astype(np.int64)


def transfers(make: Maker) -> Iterator[Flow]:
    """Payments between people of the place: mostly to the same few."""
    place, spec = make.place, make.spec
    if place.n < 2:
        return
    owner = make.owners("transfers", spec.population.transfers_per_month * (1 - spec.population.abroad))
    n = owner.size
    step = make.rng("transfers", "contacts").integers(1, place.n, (place.n, _CONTACTS))
    which = AliasTable([5, 3, 2, 1, 1]).draw(make.rng("transfers", "which"), n)
    other = make.rng("transfers", "new").integers(1, place.n, n)
    u = make.rng("transfers", "amount").random((4, n))
    moved = np.where(u[2] < _NEW_PAYEE, other, step[owner, which])
    amount = ground.transfer_minor(u[0], u[1], place.income[owner])
    yield flow(
        make.seconds("transfers", "person", n), amount, owner, (owner + moved) % place.n, mobile_or_web(u[3])
    )


def mobile_or_web(u: Float64) -> NDArray[np.int8]:
    """Ways of transfers for uniforms."""
    ways = data.ways()
    return np.where(u < 0.7, ways.code("mobile"), ways.code("web")).astype(np.int8)


def housing(make: Maker) -> Iterator[Flow]:
    """Rent to a landlord, or instalments to the bank."""
    place, slots = make.place, make.slots
    for kind, way in ((RENTS, "rent"), (OWES, "loan")):
        who = np.flatnonzero(place.housing == kind)
        amount = make.lognormal(
            way, who.size, np.asarray(place.income[who] * HOUSING_SHARE, np.float64), 0.16
        )
        day = make.rng(way, "day").choice(np.array([1, 2, 3, 5, 15, 28]), who.size)
        row, second = make.monthly(way, day)
        payer = who[row]
        to = (
            slots.first("landlords") + place.landlord[payer]
            if kind == RENTS
            else slots.first("branches") + place.bank[payer]
        )
        yield flow(second, amount[row], payer, to, way)


def bills(make: Maker) -> Iterator[Flow]:
    """Direct debits of those who serve everybody, the same amount every month."""
    place, slots = make.place, make.slots
    for number, biller in enumerate(data.billers()[:-1]):
        name = f"bill-{biller.name}"
        who = np.flatnonzero(make.rng(name, "has").random(place.n) < biller.share)
        scale = (place.income[who] / ground.USUAL_INCOME_MINOR) ** 0.25
        amount = make.lognormal(
            name, who.size, np.asarray(biller.median_minor * scale, np.float64), biller.log_sd
        )
        row, second = make.monthly(name, make.rng(name, "day").integers(1, 29, who.size))
        yield flow(second, amount[row], who[row], slots.first("billers") + number, biller.way)


def fees(make: Maker) -> Iterator[Flow]:
    """The bank's monthly fee at the month's end."""
    place = make.place
    who = np.flatnonzero(make.rng("fee", "has").random(place.n) < 0.75)
    row, second = make.monthly("fee", np.full(who.size, 31), "previous")
    payer = who[row]
    amount = np.array([490, 390, 590, 690, 290, 990])[place.bank[payer]]
    yield flow(second, amount, payer, make.slots.first("branches") + place.bank[payer], "fee")


def savings(make: Maker) -> Iterator[Flow]:
    """A standing order to the own savings account."""
    place = make.place
    who = np.flatnonzero(place.saves)
    share = SAVINGS_LEAST + (SAVINGS_MOST - SAVINGS_LEAST) * make.rng("savings", "share").random(who.size)
    amount = np.maximum(np.rint(place.income[who] * share / 1_000).astype(np.int64) * 1_000, 1_000)
    row, second = make.monthly(
        "savings", make.rng("savings", "day").choice(np.array([1, 2, 3, 4, 28]), who.size)
    )
    payer = who[row]
    yield flow(second, amount[row], payer, make.slots.first("savings") + payer, "savings")


def wages(make: Maker) -> Iterator[Flow]:
    """Salaries by the employer's pay-day, pensions at the month's end, grants on its first days."""
    place, slots = make.place, make.slots
    who = np.flatnonzero(place.segment == ground.EMPLOYED)
    row, second = make.monthly("salary", place.pay_day[place.employer[who]], "previous")
    payee = who[row]
    hourly = make.rng("salary", "hourly").random(who.size)[row] < 0.15
    swing = 1 + 0.08 * make.rng("salary", "swing").standard_normal(row.size)
    amount = np.rint(place.income[payee] * np.where(hourly, np.clip(swing, 0.5, 1.5), 1.0)).astype(np.int64)
    yield flow(second, amount, slots.first("employers") + place.employer[payee], payee, "salary")
    state = slots.first("billers") + slots.billers_n - 1
    for segment, way, day, move in (
        (ground.RETIRED, "pension", 31, "previous"),
        (ground.STUDENT, "grant", 2, "next"),
    ):
        who = np.flatnonzero(place.segment == segment)
        row, second = make.monthly(way, np.full(who.size, day), move)
        yield flow(second, place.income[who[row]], state, who[row], way)


def invoices(make: Maker) -> Iterator[Flow]:
    """What the self-employed are paid from outside the banks of this world."""
    place = make.place
    own = place.segment == ground.SELF_EMPLOYED
    owner = make.owners("invoice", np.where(own, INVOICES_MONTHLY, 0.0))
    amount = make.lognormal("invoice", owner.size, place.income[owner] / 4.6, 0.75)
    second = make.seconds("invoice", "office", owner.size)
    yield flow(second, amount, make.slots.first("world"), owner, "invoice")


def cash(make: Maker) -> Iterator[Flow]:
    """Cash from machines, cash paid in by people and, weekly, by shops."""
    place, slots = make.place, make.slots
    owner = make.owners("cash-out", ATM_MONTHLY)
    drawn = AliasTable(ground.ATM_SHARES).draw(make.rng("cash-out", "amount"), owner.size)
    yield flow(
        make.seconds("cash-out", "cash", owner.size),
        ground.ATM_MINOR[drawn],
        owner,
        slots.first("cash"),
        "cash_out",
    )
    own = place.segment == ground.SELF_EMPLOYED
    median, log_sd, often, seldom = CASH_IN
    owner = make.owners("cash-in", np.where(own, often, seldom))
    amount = make.lognormal("cash-in", owner.size, median, log_sd) // 1_000 * 1_000 + 1_000
    yield flow(make.seconds("cash-in", "cash", owner.size), amount, slots.first("cash"), owner, "cash_in")
    shop, second = _weekly(make, "takings", slots.merchants_n, "office")
    amount = make.lognormal("takings", shop.size, 45_000.0, 0.8)
    amount = np.maximum(amount // 500 * 500, 500)
    yield flow(second, amount, slots.first("cash"), slots.first("merchants") + shop, "cash_in")


def firms(make: Maker) -> Iterator[Flow]:
    """What firms earn from and pay to the world outside, planned from their size."""
    place, slots = make.place, make.slots
    employed = place.segment == ground.EMPLOYED
    payroll = np.bincount(place.employer[employed], place.income[employed], slots.employers_n)
    firm, second = _weekly(make, "revenue", slots.employers_n, "office")
    amount = make.lognormal("revenue", firm.size, np.maximum(payroll[firm] / 4.0, 50_000), 0.35)
    yield flow(second, amount, slots.first("world"), slots.first("employers") + firm, "takings")
    kinds = data.shops()
    mean = kinds.median_minor * np.exp(kinds.log_sd**2 / 2) * kinds.share
    several = np.bincount(place.shop, minlength=len(kinds.mcc))
    weekly = (
        (mean / np.maximum(several, 1))[place.shop]
        * make.spec.population.purchases_per_month
        * place.n
        / 4.35
    )
    firm, second = _weekly(make, "supplies", slots.merchants_n, "office")
    amount = make.lognormal("supplies", firm.size, np.maximum(weekly[firm] * 0.85, 5_000), 0.3)
    yield flow(second, amount, slots.first("merchants") + firm, slots.first("world"), "supplier")
    rents = np.bincount(
        place.landlord[place.housing == RENTS], place.income[place.housing == RENTS], slots.landlords_n
    )
    row, second = make.monthly("upkeep", np.full(slots.landlords_n, 20))
    amount = make.lognormal("upkeep", row.size, np.maximum(rents[row] * 0.24, 10_000), 0.2)
    yield flow(second, amount, slots.first("landlords") + row, slots.first("world"), "supplier")


def _weekly(make: Maker, name: str, n: int, rhythm: str) -> tuple[Int64, Int64]:
    """One payment per row and week, each at a moment of its rhythm."""
    weeks = max(round(make.spec.days / 7), 1)
    row = np.repeat(np.arange(n), weeks)
    return row, make.seconds(name, rhythm, row.size)


OTHER_FLOWS: tuple[Callable[[Maker], Iterator[Flow]], ...] = (
    transfers,
    housing,
    bills,
    fees,
    savings,
    wages,
    invoices,
    cash,
    firms,
)
