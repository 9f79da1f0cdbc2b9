"""What an investigator finds in the books of whom an alert is about, up to the moment of closing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor import seen as flags
from rarecase.finance.generate.monitor.book import REPORT, Book
from rarecase.finance.generate.monitor.raised import Raised
from rarecase.finance.generate.monitor.seen import Holders, Int32, Seen, Sorted

_COMES = flags.PAID_IN | flags.CASH_IN
_GOES = flags.PAID_OUT | flags.CASH_OUT
#: How long before and after the payments of an alert one looks at what came and left.
_BEFORE_S, _AFTER_S = 3 * ground.DAY_S, 7 * ground.DAY_S
#: Who was dealt with that long before the alert is known.
_KNOWN_DAYS = 20
#: Alerts on the same holder speak for each other within this.
_TOGETHER_S = 30 * ground.DAY_S


@dataclass(frozen=True)
class Evidence:
    """Columns over alerts.

    Attributes
    ----------
    leaves
        How nearly what came and what left are alike, 0 to 1.
    known
        Share of the listed amounts with parties known before, 0 to 1.
    firm
        Whether the holder is one.
    agree
        How many other rules spoke of the holder around that time.
    """

    leaves: Float64
    known: Float64
    firm: NDArray[np.bool_]
    agree: Int64


def evidence(
    seen: Seen, sorted_: Sorted, who: Holders, raised: Raised, rules: Book, when: Int64, closed: Int64
) -> Evidence:
    """What speaks for and against each alert.

    Parameters
    ----------
    when, closed
        Second at which each was raised and is closed; nothing later is looked at.
    """
    n, holder = len(raised), who.of[raised.slot].astype(np.int64)
    leaves, known = np.zeros(n), np.zeros(n)
    _look_up(
        raised.pair_alert, raised.pair_order, holder, closed, who.of, sorted_.first, sorted_.flag,
        sorted_.other, sorted_.booked, sorted_.amount, seen.payer, seen.payee, seen.booked, seen.amount,
        seen.row, seen.payee_age, who.width, _COMES, _GOES, _BEFORE_S, _AFTER_S, _KNOWN_DAYS,
        np.zeros(seen.party_slot.size, np.int32), leaves, known,
    )  # fmt: skip
    agree = np.zeros(n, np.int64)
    # Reports of law say nothing about suspicion.
    said = np.where(rules.family == REPORT, 0, 1 << np.arange(rules.family.size))[raised.rule]
    _agreeing(np.lexsort((when, holder)), holder, said, when, closed, _TOGETHER_S, agree)
    return Evidence(leaves, known, holder >= who.block, agree)


# One pass over the alerts on purpose: what it carries along would have to be handed over at each.
@compiled
def _look_up(  # noqa: C901
    pair_alert: Int64,
    pair_order: Int64,
    holder: Int64,
    closed: Int64,
    of: Int32,
    first: Int64,
    flag: Int32,
    other: Int32,
    entry_booked: Int64,
    entry_amount: Int64,
    payer: Int64,
    payee: Int64,
    booked: Int64,
    amount: Int64,
    row: Int64,
    age: Int32,
    width: int,
    comes: int,
    goes: int,
    before: int,
    after: int,
    days: int,
    met: Int32,
    leaves: Float64,
    known: Float64,
) -> None:
    end = 0
    while end < pair_alert.size:
        a, begin = pair_alert[end], end
        since, until = np.int64(1) << 60, np.int64(0)
        while end < pair_alert.size and pair_alert[end] == a:
            since, until = min(since, booked[pair_order[end]]), max(until, booked[pair_order[end]])
            end += 1
        h, until = holder[a], min(until + after, closed[a])
        old = since - days * 86_400
        came, went = 0, 0
        for k in range(first[h], first[h + 1]):
            if entry_booked[k] > until:
                break
            if entry_booked[k] < old:
                met[other[k]] = a + 1
            elif entry_booked[k] >= since - before:
                if flag[k] & comes:
                    came += entry_amount[k]
                elif flag[k] & goes:
                    went += entry_amount[k]
        leaves[a] = min(came, went) / max(came, went, 1)
        total, familiar = 0, 0
        for p in range(begin, end):
            i = pair_order[p]
            pays = payer[i] < of.size and of[payer[i]] == h
            total += amount[i]
            old_friend = met[payee[i] if pays else payer[i]] == a + 1
            if old_friend or (payer[i] < width and _age(i, row, booked, age) > days):
                familiar += amount[i]
        known[a] = familiar / max(total, 1)


@compiled
def _age(order: int, row: Int64, booked: Int64, age: Int32) -> int:
    """Age of the payee of a payment of the place; rows are in order of booking."""
    low, high = 0, row.size
    while low < high:
        middle = (low + high) // 2
        if booked[row[middle]] < booked[order]:
            low = middle + 1
        else:
            high = middle
    while low < row.size and row[low] != order:
        low += 1
    return int(age[low]) if low < row.size else -1


@compiled
def _agreeing(
    order: Int64, holder: Int64, said: Int64, when: Int64, closed: Int64, together: int, out: Int64
) -> None:
    """How many other rules spoke of the same holder within `together`, before each alert is closed."""
    begin = 0
    for k in range(order.size):
        i = order[k]
        if holder[i] != holder[order[begin]]:
            begin = k
        rules = 0
        for j in range(begin, order.size):
            other = order[j]
            if holder[other] != holder[i] or when[other] > when[i] + together:
                break
            if when[other] >= when[i] - together and when[other] <= closed[i]:
                rules |= said[other]
        rules &= ~said[i]
        while rules:
            rules &= rules - 1
            out[i] += 1
