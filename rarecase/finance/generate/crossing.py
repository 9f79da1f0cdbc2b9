"""Payments between places: drawn from streams of pairs, so that both places make them again for themselves.

Two places deal with each other if they lie 2**k apart on the ring. What serves everybody keeps an account per
place and sweeps it to its treasury by amounts that depend on nothing but who, where and when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.clocks import Clock
from rarecase.common.errors import PlanError
from rarecase.common.seeds import Int64, keyed_uniform, stream
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.flows import mobile_or_web
from rarecase.finance.generate.place import hosts, shop_kinds
from rarecase.finance.generate.purchases import amount_quantiles, card_ways, spending_scale
from rarecase.finance.spec import FinanceSpec

_CONTACTS = 3
_NEW_PAYEE = 0.2
_PAIR_BITS = 6


@dataclass(frozen=True)
class Crossing:
    """Payments with legs in different places, columns of one length; payer and payee are addresses.

    Attributes
    ----------
    ordinal
        Ordinal of the payment among those of the payer's part.
    """

    ordinal: Int64
    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64
    way: NDArray[np.int8]


class Rooms:
    """Ranges of ordinals of a part: the lower half for payments of its own, two quarters for crossing ones."""

    def __init__(self, part_row_bits: int) -> None:
        # One bit tells the two legs of a payment apart in the keys of the entries.
        quarter = part_row_bits - 3
        self.own = 2 << quarter
        self.sweeps = 3 << quarter
        self.end = 4 << quarter
        self.pair_room = 1 << max(quarter - _PAIR_BITS, 0)

    def pair(self, code: int, rows: Int64) -> Int64:
        """Ordinals of a pair stream's rows."""
        self._fits(rows, self.pair_room)
        return self.own + code * self.pair_room + rows

    def sweep(self, numbers: Int64) -> Int64:
        """Ordinals of sweeps."""
        self._fits(numbers, self.end - self.sweeps)
        return self.sweeps + numbers

    def check_own(self, rows: int) -> None:
        """Refuse more payments within a place than there is room for."""
        self._fits(np.array([rows], np.int64), self.own)

    def _fits(self, rows: Int64, room: int) -> None:
        if rows.size and int(rows.max()) >= room:
            raise PlanError(
                "block", int(rows.max()), f"places with fewer than {room:,} payments of a kind",
                hint="Use larger blocks, so that there are fewer places, or fewer days.",
            )


def crossings(spec: FinanceSpec, part: int, rooms: Rooms) -> list[Crossing]:
    """All payments between `part` and other places, in a fixed order."""
    found = []
    for k, distance in ground.neighbours(spec.parts):
        for left in (part, (part - distance) % spec.parts):
            right = (left + distance) % spec.parts
            for direction in (0, 1):
                payer, payee = (left, right) if direction == 0 else (right, left)
                found += list(_pair(spec, k, left, direction, payer, payee, rooms))
    return [*found, _sweeps(spec, part, rooms)]


def _people(spec: FinanceSpec, part: int) -> tuple[int, int]:
    low = part * spec.block
    return low, min(low + spec.block, spec.size) - low


def _pair(
    spec: FinanceSpec, k: int, left: int, direction: int, payer: int, payee: int, rooms: Rooms
) -> Iterator[Crossing]:
    """One direction of one pair: transfers to people there, then purchases in shops there."""
    low, n = _people(spec, payer)
    sides = 2 * len(ground.neighbours(spec.parts))
    months = spec.days / ground.MONTH_DAYS
    population = spec.population
    mean = n * months * population.abroad / sides
    kinds = (population.transfers_per_month * mean, population.purchases_per_month * mean / 10)
    counts = stream(spec.seed, "pair-number", k, left, direction).poisson(kinds)
    customers = low + stream(spec.seed, "pair-who", k, left, direction).integers(0, n, counts.sum())
    u = stream(spec.seed, "pair-choice", k, left, direction).random((5, counts.sum()))
    sent, shopped = slice(0, counts[0]), slice(counts[0], None)
    income = ground.income_minor(spec.seed, customers)
    to_people, to_shops = _transfers(spec, payer, payee, k, customers[sent], income[sent], u[:, sent]), _visits(
        spec, payee, customers[shopped], income[shopped], u[:, shopped]
    )
    second, amount, to, way = (np.concatenate(pair) for pair in zip(to_people, to_shops, strict=True))
    slots = ground.slots(spec.block)
    ordinal = rooms.pair(2 * k + direction, np.arange(second.size))
    yield Crossing(ordinal, second, amount, slots.customer(customers), to, way)


_Columns = tuple[Int64, Int64, Int64, NDArray[np.int8]]


def _transfers(
    spec: FinanceSpec, payer: int, payee: int, k: int, customers: Int64, income: Int64, u: NDArray[np.float64]
) -> _Columns:
    low, n = _people(spec, payee)
    which = np.floor(u[0] * _CONTACTS).astype(np.int64)
    side = 0 if payer <= payee else 1
    known = keyed_uniform(spec.seed, ("contact", k, side), customers * _CONTACTS + which)
    chosen = np.where(u[1] < _NEW_PAYEE, u[1] / _NEW_PAYEE, known)
    person = low + np.minimum((chosen * n).astype(np.int64), n - 1)
    amount = ground.transfer_minor(u[2], u[3], income)
    second = ground.clock(spec.start, spec.days, "person").at(u[4]) // ground.SECOND_US
    # The last digits of the uniform that chose the contact are free to choose the way.
    return second, amount, ground.slots(spec.block).customer(person), mobile_or_web(u[0] * _CONTACTS % 1.0)


def _visits(
    spec: FinanceSpec, payee: int, customers: Int64, income: Int64, u: NDArray[np.float64]
) -> _Columns:
    slots, kinds, table = ground.slots(spec.block), data.shops(), amount_quantiles()
    merchant = np.minimum((u[0] * slots.merchants_n).astype(np.int64), slots.merchants_n - 1)
    kind = shop_kinds(spec, np.full(merchant.size, payee), merchant)
    cell = (u[2] * (table.shape[1] - 1)).astype(np.int64)
    amount = np.rint(table[kind, cell] * spending_scale(income)).astype(np.int64)
    second = np.empty(customers.size, np.int64)
    rhythm = np.array(kinds.rhythm)[kind]
    for name in np.unique(rhythm):
        rows = np.flatnonzero(rhythm == name)
        second[rows] = ground.clock(spec.start, spec.days, str(name)).at(u[4][rows]) // ground.SECOND_US
    codes = card_ways()
    here = np.where(u[3] < 0.68, codes[0], np.where(u[3] < 0.985, codes[1], codes[2]))
    way = np.where(u[1] < kinds.remote[kind], codes[3], here).astype(np.int8)
    return second, np.maximum(amount, 10), slots.at(payee, "merchants", merchant), way


def _sweeps(spec: FinanceSpec, part: int, rooms: Rooms) -> Crossing:
    """What billers and banks send their treasuries each month, and what the state sends its offices."""
    slots = ground.slots(spec.block)
    days = ground.calendar(spec.start, spec.days).monthly([4])[0]
    months = np.flatnonzero(days >= 0)
    treasurers = np.arange(slots.billers_n + slots.banks_n)
    biller = treasurers < slots.billers_n
    host = np.where(biller, hosts(spec, treasurers, "biller"), hosts(spec, treasurers - slots.billers_n, "bank"))
    # Every place where this part hosts the treasury, and every treasury for this place.
    where = [np.arange(spec.parts) if int(h) == part else np.array([part]) for h in host]
    who = np.repeat(treasurers, [w.size for w in where])
    place = np.concatenate(where)
    who, place, month = np.repeat(who, months.size), np.repeat(place, months.size), np.tile(months, place.size)
    number = (place * treasurers.size + who) * days.size + month
    amount = _swept(spec, who, place, number)
    batch = Clock.of_day(data.rhythms()["batch"].hours)
    within = batch.at(keyed_uniform(spec.seed, "sweep-time", number)) // ground.SECOND_US
    # Branches follow the billers, and treasuries follow each other in the same order.
    branch = place * slots.width + slots.first("billers") + who
    treasury = host[who] * slots.width + slots.first("biller_treasury") + who
    state = who == slots.billers_n - 1
    return Crossing(
        ordinal=rooms.sweep(number),
        second=days[month] * ground.DAY_S + within,
        amount=amount,
        payer=np.where(state, treasury, branch),
        payee=np.where(state, branch, treasury),
        way=np.full(number.size, data.ways().code("sweep"), np.int8),
    )


def _swept(spec: FinanceSpec, who: Int64, place: Int64, number: Int64) -> Int64:
    """Planned takings of a branch in a month, more or less; minor units."""
    billers = data.billers()
    people = np.minimum((place + 1) * spec.block, spec.size) - place * spec.block
    income = ground.USUAL_INCOME_MINOR
    each = [biller.share * biller.median_minor * np.exp(biller.log_sd**2 / 2) for biller in billers]
    each[-1] = 1.08 * income * 0.75 * (ground.SEGMENT_SHARES[ground.RETIRED] + 0.5 * ground.SEGMENT_SHARES[ground.STUDENT])
    shares = data.banks()[1]
    lent = 0.26 * 0.29 * income + 0.6 * 450
    typical = np.concatenate([each, shares * lent])
    swing = 0.85 + 0.2 * keyed_uniform(spec.seed, "sweep-amount", number)
    return np.maximum(np.rint(typical[who] * people * swing), 100).astype(np.int64)
