"""Loans and credit cards: instalments and interest on real loan accounts, and the card's monthly bill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground
from rarecase.finance.generate.crossing import Crossing
from rarecase.finance.generate.lending import CARD_RATE
from rarecase.finance.generate.maker import Flow, Maker, flow, personal_ways

#: Days from the statement of a card to its direct debit; the least share and sum of the balance that is due.
_DUE_DAYS, _LEAST_SHARE, _LEAST_MINOR = 14, 0.05, 2_500
#: Who revolves keeps below this share of the limit.
_MOST_USED = 0.6


def loans(make: Maker) -> Iterator[Flow]:
    """Instalments into loan accounts, and each month the interest on what is owed out of them.

    The instalment stays the same: what interest leaves of it pays off principal. The last one pays what is
    left. New loans are paid out to the current account, and spent soon.
    """
    place, slots = make.place, make.slots
    who = np.flatnonzero(place.loans.has)
    days = make.calendar.monthly(place.loans.day[who], "next")
    lent, start, rate = place.loans.owed[who], place.loans.start[who], place.loans.rate[who] / 12
    owed = np.where(start < 0, lent, 0)
    # New loans are paid out; instalments begin in the month after.
    began = np.where(start < 0, -1, make.month[start // ground.DAY_S] + 1)
    paid, interest = np.zeros_like(days), np.zeros_like(days)
    for month in range(days.shape[1]):
        now = (days[:, month] >= 0) & (owed > 0)
        interest[:, month] = np.where(now, np.rint(owed * rate), 0)
        owed = owed + interest[:, month]
        paid[:, month] = np.where(now, np.minimum(place.loans.instalment[who], owed), 0)
        owed = owed - paid[:, month] + np.where(began == month, lent, 0)
    within = ground.batch().draw(make.rng("loan", "time"), days.size).reshape(days.shape) // ground.SECOND_US
    second = days * ground.DAY_S + within
    loan = slots.first("loan") + who
    rows, months = np.nonzero(paid)
    yield flow(second[rows, months], paid[rows, months], who[rows], loan[rows], "loan")
    rows, months = np.nonzero(interest)
    bank = slots.first("branches") + place.bank[who]
    yield flow(second[rows, months], interest[rows, months], loan[rows], bank[rows], "interest_charged")
    new = np.flatnonzero(start >= 0)
    yield flow(start[new], lent[new], loan[new], who[new], "loan_payout")
    rng = make.rng("loan", "spent")
    later = start[new] + rng.integers(3_600, 8 * ground.DAY_S, new.size)
    spent = np.rint(lent[new] * rng.uniform(0.75, 1.0, new.size)).astype(np.int64)
    kept = np.flatnonzero(later < make.horizon)
    way = personal_ways(rng.random(kept.size))
    yield flow(later[kept], spent[kept], who[new[kept]], slots.first("world"), way)


def card_bills(make: Maker, flows: Iterable[Flow], across: Iterable[Crossing]) -> list[Flow]:
    """Each month's bill of a credit card, debited a fortnight after its statement, and interest.

    Most pay all of it. Who revolves pays the least that is due, or as much as keeps the balance well below
    the limit, and is charged interest on the rest. It looks at what the ordinary world charges to the card.

    Parameters
    ----------
    flows, across
        Everything at this place that may charge or credit a card account.
    """
    place, slots, cards = make.place, make.slots, make.place.cards
    who = np.flatnonzero(cards.has)
    days = make.calendar.monthly(cards.day, "none")
    moment = np.where(days >= 0, days * ground.DAY_S, NEVER)
    charged = charges(make, moment, "card", flows, across)
    owed = cards.owed.copy()
    least = _LEAST_MINOR * place.scale
    paid, interest = np.zeros_like(days), np.zeros_like(days)
    for month in range(days.shape[1]):
        owed = owed - charged[: place.n, month]
        now = cards.has & (days[:, month] >= 0) & (owed > 0)
        interest[:, month] = np.where(now & cards.revolves, np.rint(owed * CARD_RATE / 12), 0)
        owed = owed + interest[:, month]
        part = np.maximum(np.maximum(owed * _LEAST_SHARE, least), owed - _MOST_USED * cards.limit)
        due = np.where(cards.revolves, np.minimum(np.rint(part), owed), owed)
        paid[:, month] = np.where(now, due, 0)
        owed = owed - paid[:, month]
    n = days.shape[1]
    within = ground.batch().draw(make.rng("card-bill", "time"), place.n * n).reshape(days.shape)
    within //= ground.SECOND_US
    # A fortnight later, on a business day; the bill of the last days falls outside the data.
    due_day = make.calendar.business_day(np.clip(days + _DUE_DAYS, 0, make.spec.days + 20), "next")
    second = due_day * ground.DAY_S + within
    rows, months = np.nonzero((paid > 0) & (second < make.horizon))
    bills = flow(second[rows, months], paid[rows, months], rows, slots.first("card") + rows, "card_bill")
    rows, months = np.nonzero(interest)
    at = days[rows, months] * ground.DAY_S + within[rows, months]
    bank = slots.first("branches") + place.bank[rows]
    charged_interest = flow(at, interest[rows, months], slots.first("card") + rows, bank, "interest_charged")
    return [bills, charged_interest] if who.size else []


def charges(
    make: Maker, moment: Int64, kind: str, flows: Iterable[Flow], across: Iterable[Crossing], ranges: int = 1
) -> Int64:
    """What came in less what went out of customers' accounts until each month's moment.

    Parameters
    ----------
    moment
        Seconds, shape (n, months), NEVER where it falls outside the data.
    kind
        Range of accounts; `ranges` says how many ranges of the same size follow each other from there.

    Returns
    -------
    int64[ranges × block, months + 1]
        The last column is what comes after the last moment.
    """
    slots = make.slots
    net = np.zeros((ranges * slots.block, moment.shape[1] + 1), np.int64)
    full = np.full((slots.block, moment.shape[1]), NEVER)
    full[: make.place.n] = moment
    first = slots.first(kind)
    column = make.month + 1
    for each in flows:
        _collect(each.second, each.amount, each.payer, each.payee, first, column, full, net)
    base = make.place.part * slots.width + first
    for piece in across:
        _collect(piece.second, piece.amount, piece.payer, piece.payee, base, column, full, net)
    return net


@compiled
def _collect(
    second: Int64,
    amount: Int64,
    payer: Int64,
    payee: Int64,
    base: int,
    column: Int64,
    moment: Int64,
    net: Int64,
) -> None:
    block, most = moment.shape[0], net.shape[0]
    for i in range(second.size):
        who = payer[i] - base
        if 0 <= who < most:
            at = column[second[i] // 86_400]
            late = 1 if second[i] >= moment[who % block, at] else 0
            net[who, at + late] -= amount[i]
        who = payee[i] - base
        if 0 <= who < most:
            at = column[second[i] // 86_400]
            late = 1 if second[i] >= moment[who % block, at] else 0
            net[who, at + late] += amount[i]
