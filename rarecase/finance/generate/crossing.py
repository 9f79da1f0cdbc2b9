"""Payments between places: drawn from streams of pairs, so that both places make them again for themselves.

Two places deal with each other if they lie 2**k apart on the ring. What serves everybody keeps an account per
place and sweeps it to its treasury in the country by amounts that depend on nothing but who, where and when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64, keyed_uniform, stream
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.banks import hosts, places_of
from rarecase.finance.generate.maker import personal_ways
from rarecase.finance.generate.purchases import MANUAL_SHARE, amount_quantiles, card_ways, spending_scale
from rarecase.finance.generate.travel import Spending, spending
from rarecase.finance.plan import Rooms, sweep_months
from rarecase.finance.spec import FinanceSpec

_CONTACTS = 3
_NEW_PAYEE = 0.2
#: Codes of pair streams: two for each direction, then one of trips.
_TRIPS = 128
_PENSIONS = 0.75
_STRIPE_SHARE = 0.04


@dataclass(frozen=True)
class Crossing:
    """Payments with legs in different places, columns of one length; payer and payee are addresses.

    Attributes
    ----------
    ordinal
        Ordinal of the payment among those of the payer's part.
    amount
        Minor units of the payer's currency.
    """

    ordinal: Int64
    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64
    way: NDArray[np.int8]


def crossings(spec: FinanceSpec, part: int, rooms: Rooms) -> list[Crossing]:
    """All payments between `part` and other places, in a fixed order."""
    return [*_pairs(spec, part, rooms), _sweeps(spec, part, rooms)]


@dataclass(frozen=True)
class _Drawn:
    """Rows of pair streams that touch a part: who pays whom where, and the uniforms of each row."""

    step: Int64
    ordinal: Int64
    payer_part: Int64
    payee_part: Int64
    u: NDArray[np.float64]


def _pairs(spec: FinanceSpec, part: int, rooms: Rooms) -> Iterator[Crossing]:
    """Transfers to people elsewhere, purchases in web shops elsewhere, then payments on trips."""
    streams = [
        (k, left, direction, (left + distance) % spec.parts)
        for k, distance in ground.neighbours(spec.parts)
        for left in (part, (part - distance) % spec.parts)
        for direction in (0, 1)
    ]
    if streams:
        yield _transfers(spec, _drawn(spec, "transfers", streams, rooms, 0))
        yield _visits(spec, _drawn(spec, "visits", streams, rooms, 1))
        yield _trips(spec, part, rooms)


def _drawn(
    spec: FinanceSpec, what: str, streams: list[tuple[int, int, int, int]], rooms: Rooms, kind: int
) -> _Drawn:
    population = spec.population
    usual = (population.transfers_per_month, population.purchases_per_month / 10 * population.remote_share)
    mean = usual[kind] * population.abroad * spec.days / ground.MONTH_DAYS
    mean /= 2 * len(ground.neighbours(spec.parts))
    u, columns = [], []
    for k, left, direction, right in streams:
        payer, payee = (left, right) if direction == 0 else (right, left)
        rng = stream(spec.seed, "pair", what, k, left, direction)
        n = int(rng.poisson(mean * _people(spec, np.array([payer]))[1][0]))
        u.append(rng.random((6, n)))
        columns.append((k, (2 * k + direction) * 2 + kind, payer, payee, n))
    step, code, payers, payees, sizes = np.array(columns, np.int64).T
    rows = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    ordinal = rooms.pair(np.repeat(code, sizes), rows)
    return _Drawn(
        np.repeat(step, sizes),
        ordinal,
        np.repeat(payers, sizes),
        np.repeat(payees, sizes),
        np.concatenate(u, axis=1),
    )


def _people(spec: FinanceSpec, parts: Int64) -> tuple[Int64, Int64]:
    low = parts * spec.block
    return low, np.minimum(low + spec.block, spec.size) - low


def _one_of(u: NDArray[np.float64], n: Int64 | int) -> Int64:
    return np.minimum((u * n).astype(np.int64), n - 1)


def _customers(spec: FinanceSpec, drawn: _Drawn) -> tuple[Int64, Int64]:
    low, n = _people(spec, drawn.payer_part)
    customers = low + _one_of(drawn.u[5], n)
    return customers, ground.income_minor(spec, customers)


def _transfers(spec: FinanceSpec, drawn: _Drawn) -> Crossing:
    """Payments to a few people whom the payer knows in the other place, and sometimes to another one."""
    u, (customers, income) = drawn.u, _customers(spec, drawn)
    low, n = _people(spec, drawn.payee_part)
    contact = (customers * 64 + drawn.step) * _CONTACTS + _one_of(u[0], _CONTACTS)
    known = keyed_uniform(spec.seed, "contact", contact * 2 + (drawn.payer_part < drawn.payee_part))
    person = low + _one_of(np.where(u[1] < _NEW_PAYEE, u[1] / _NEW_PAYEE, known), n)
    slots = ground.slots(spec.block)
    return Crossing(
        ordinal=drawn.ordinal,
        second=ground.clock(spec.start, spec.days, "person").at(u[4]) // ground.SECOND_US,
        amount=ground.transfer_minor(u[2], u[3], income, ground.scale_of(spec, customers)),
        payer=slots.customer(customers),
        payee=slots.customer(person),
        # What is left of the uniform that chose the contact is free to choose the way.
        way=personal_ways(u[0] * _CONTACTS % 1.0),
    )


def _visits(spec: FinanceSpec, drawn: _Drawn) -> Crossing:
    """Card payments from afar, in web shops of the other place."""
    u, (customers, income) = drawn.u, _customers(spec, drawn)
    slots = ground.slots(spec.block)
    n = slots.merchants_n
    cell = _one_of(u[0], n**3)
    three = [cell % n, cell // n % n, cell // (n * n)]
    sells = np.stack([data.shops().remote[ground.shop_kinds(spec, drawn.payee_part, shop)] for shop in three])
    merchant = np.choose(np.argmax(sells, axis=0), three).astype(np.int64)
    kind = ground.shop_kinds(spec, drawn.payee_part, merchant)
    return Crossing(
        ordinal=drawn.ordinal,
        second=ground.clock(spec.start, spec.days, "online").at(u[4]) // ground.SECOND_US,
        amount=_spent(spec, customers, income, kind, u[2]),
        payer=_cards(spec, customers, u[3]),
        payee=slots.at(drawn.payee_part, "merchants", merchant),  # type: ignore[arg-type]
        way=np.where(u[1] < MANUAL_SHARE, card_ways()[4], card_ways()[3]),
    )


def _trips(spec: FinanceSpec, part: int, rooms: Rooms) -> Crossing:
    """What the people of the place pay on trips, and what others pay here on theirs."""
    ways = ground.steps(spec.parts)
    low, n = _people(spec, np.array([part]))
    own = spending(spec, low[0] + np.arange(n[0]))
    sources = (part - ways) % spec.parts
    low, n = _people(spec, sources)
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    guests = spending(spec, np.repeat(low, n) + within, np.repeat(np.arange(ways.size), n))
    pieces = [_on_trip(spec, each, rooms) for each in (own, guests)]
    names = ("ordinal", "second", "amount", "payer", "payee", "way")
    return Crossing(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))


def _on_trip(spec: FinanceSpec, rows: Spending, rooms: Rooms) -> Crossing:
    slots, who, n = ground.slots(spec.block), rows.customer, rows.customer.size
    order = np.argsort(rows.step, kind="stable")
    ranked = rows.step[order]
    nth = np.empty(n, np.int64)
    nth[order] = np.arange(n) - np.searchsorted(ranked, ranked)
    income, cash = ground.income_minor(spec, who), rows.merchant < 0
    shop = np.maximum(rows.merchant, 0)
    kind = ground.shop_kinds(spec, rows.place, shop)
    drawn = terms.notes(spec, who, ground.cash_minor(rows.u[0]))
    spent = _spent(spec, who, income, kind, rows.u[0])
    codes = card_ways()
    present = np.where(rows.u[1] < 0.62, codes[0], np.where(rows.u[1] < 0.98, codes[1], codes[2]))
    machine = slots.at(rows.place, "cash")  # type: ignore[arg-type]
    return Crossing(
        ordinal=rooms.pair(_TRIPS + rows.step, nth),
        second=rows.second,
        amount=np.where(cash, drawn, spent).astype(np.int64),
        payer=np.where(cash, slots.customer(who), _cards(spec, who, rows.u[1])),
        payee=np.where(cash, machine, slots.at(rows.place, "merchants", shop)),  # type: ignore[arg-type]
        way=np.where(cash, _machine_ways(rows.u[1]), present).astype(np.int8),
    )


def _machine_ways(u: Float64) -> Int64:
    """Cash machines that still read stripes stand abroad."""
    ways = data.ways()
    return np.where(u < _STRIPE_SHARE, ways.code("cash_out_stripe"), ways.code("cash_out"))


def _spent(spec: FinanceSpec, customers: Int64, income: Int64, kind: Int64, u: Float64) -> Int64:
    table = amount_quantiles()
    cell = _one_of(u, table.shape[1] - 1)
    scale = spending_scale(income, ground.scale_of(spec, customers))
    return np.maximum(np.rint(table[kind, cell] * scale), 10).astype(np.int64)


def _cards(spec: FinanceSpec, customers: Int64, u: Float64) -> Int64:
    """The account whose card is used: the credit card's for some payments of who has one."""
    slots = ground.slots(spec.block)
    uses = (u * 4_096 % 1.0 < spec.population.credit_card_share) & ground.has_card_account(spec, customers)
    return np.where(uses, slots.customer(customers, "card"), slots.customer(customers))


def _sweeps(spec: FinanceSpec, part: int, rooms: Rooms) -> Crossing:
    """What billers and banks send their treasuries each month, and what the state sends its offices."""
    slots = ground.slots(spec.block)
    days = sweep_months(spec)
    months = np.flatnonzero(days >= 0)
    treasurers = np.arange(slots.treasuries_n)
    biller = treasurers < slots.billers_n
    host = np.where(
        biller,
        hosts(spec, part, treasurers, "biller"),
        hosts(spec, part, treasurers - slots.billers_n, "bank"),
    )
    # Every place of the country where this part hosts the treasury, and every treasury for this place.
    country = places_of(spec, int(ground.country(spec, np.array([part]))[0]))
    where = [country if int(h) == part else np.array([part]) for h in host]
    who = np.repeat(treasurers, [w.size for w in where])
    place = np.concatenate(where)
    who, place, month = (
        np.repeat(who, months.size),
        np.repeat(place, months.size),
        np.tile(months, place.size),
    )
    number = (place * treasurers.size + who) * days.size + month
    amount = _swept(spec, who, place, number)
    within = ground.batch().at(keyed_uniform(spec.seed, "sweep-time", number)) // ground.SECOND_US
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
    each[-1] = (
        1.08
        * income
        * _PENSIONS
        * (ground.SEGMENT_SHARES[ground.RETIRED] + 0.5 * ground.SEGMENT_SHARES[ground.STUDENT])
    )
    shares = data.banks()[1]
    # Interest on loans and cards, and fees.
    earned = 0.05 * income + 400
    typical = np.concatenate([each, shares * earned])
    swing = 0.85 + 0.2 * keyed_uniform(spec.seed, "sweep-amount", number)
    swept = typical[who] * people * swing * ground.price_scale(spec, place)
    return np.maximum(np.rint(swept), 100).astype(np.int64)
