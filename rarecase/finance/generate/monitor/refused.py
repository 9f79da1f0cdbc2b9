"""Rules about attempts that were refused: many on one account, or of many cards at one shop.

What was refused moved nothing and is no transaction. Such alerts count attempts, and list the payments around
them that went through and could be read by then; often there are none.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor.book import Book
from rarecase.finance.generate.monitor.raised import MOST_LISTED, Raised
from rarecase.finance.generate.monitor.seen import Holders, Int32, Seen, entries_of

#: What the night books can be read from then on.
_LOADED_S = 23_400
_AT_NIGHT = 2


@lru_cache(maxsize=1)
def _remote_cards() -> NDArray[np.bool_]:
    ways = data.ways()
    return np.asarray(ways.card & ways.remote, np.bool_)


def repeated_declines(seen: Seen, rules: Book, who: Holders) -> list[Raised]:
    """Several refused attempts on an account within the period."""
    order = seen.declined[seen.payer[seen.declined] < who.end]
    order = order[np.argsort(seen.payer[order], kind="stable")]
    return [_runs(seen, rules, number, order) for number in rules.numbers("repeated_declines")]


def merchant_testing(seen: Seen, rules: Book, who: Holders) -> list[Raised]:
    """Many cards refused at the web shop of one merchant within the period."""
    shop, order = seen.payee[seen.declined], seen.declined
    kept = (shop >= who.firms) & (shop < who.end) & _remote_cards()[seen.way[order]]
    order = order[kept]
    order = order[np.argsort(seen.payee[order], kind="stable")]
    made = []
    for number in rules.numbers("merchant_testing"):
        out = np.empty((3, max(order.size, 1)), np.int64)
        times = np.zeros(seen.party_slot.size, np.int32)
        found = _tested(
            seen.payee[order], seen.payer[order], seen.ordered[order], int(rules.least[number]),
            int(rules.period_s[number]), times, out,
        )  # fmt: skip
        begin, end, cards = out[:, :found]
        kept = rules.holds(number, seen.ordered[order[end]])
        made.append(_attempts(seen, number, order, begin[kept], end[kept], rules, cards[kept]))
    return made


def _runs(seen: Seen, rules: Book, number: int, order: Int64) -> Raised:
    least, payer, when = int(rules.least[number]), seen.payer[order], seen.ordered[order]
    begin = np.arange(max(order.size - least + 1, 0))
    end = begin + least - 1
    hit = (payer[begin] == payer[end]) & (when[end] - when[begin] < rules.period_s[number])
    hit &= rules.holds(number, when[end])
    # One alert per account and day: the first run of the day speaks.
    begin, end = begin[hit], end[hit]
    day = payer[end] * (1 << 20) + when[end] // ground.DAY_S
    _, first = np.unique(day, return_index=True)
    begin, end = begin[first], end[first]
    period = np.full(end.size, rules.period_s[number])
    alert, listed = _went_through(seen, payer[end], when[end] - period, when[end], when[end], seen.payer)
    total = np.concatenate([[0], np.cumsum(seen.amount[order])])
    return Raised(
        rule=np.full(end.size, number, np.int64),
        slot=payer[end],
        second=when[end],
        amount=total[end + 1] - total[begin],
        payments=np.full(end.size, least, np.int64),
        ratio=np.ones(end.size),
        pair_alert=alert,
        pair_order=listed,
    )


def _attempts(
    seen: Seen, number: int, order: Int64, begin: Int64, end: Int64, rules: Book, cards: Int64
) -> Raised:
    shop, since, until = seen.payee[order[end]], seen.ordered[order[begin]], seen.ordered[order[end]]
    morning = (until // ground.DAY_S + 1) * ground.DAY_S + _LOADED_S
    alert, listed = _went_through(seen, shop, since - 1, until, morning, seen.payee)
    second, payments = until.copy(), end - begin + 1
    amount = np.concatenate([[0], np.cumsum(seen.amount[order])])
    amount = amount[end + 1] - amount[begin]
    np.maximum.at(second, alert, seen.booked[listed])
    np.add.at(payments, alert, 1)
    np.add.at(amount, alert, seen.amount[listed])
    return Raised(
        rule=np.full(end.size, number, np.int64),
        slot=shop,
        second=second,
        amount=amount,
        payments=payments,
        ratio=np.maximum(cards / int(rules.least[number]), 1.0),
        pair_alert=alert,
        pair_order=listed,
    )


def _went_through(
    seen: Seen, slot: Int64, since: Int64, until: Int64, read: Int64, side: Int64
) -> tuple[Int64, Int64]:
    """Payments of each account in (since, until] that can be read at `read`: pairs of position and order.

    `side` says whose payments: what the account paid by card or by itself, or its sales to cards from afar.
    """
    if not slot.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    ways, leg = data.ways(), seen.leg[entries_of(seen, slot)]
    if side is seen.payee:
        order = leg[leg & 3 == 3] >> 2
        order = order[_remote_cards()[seen.way[order]]]
    else:
        order = leg[leg & 3 == 0] >> 2
        order = order[ways.stopped_by[seen.way[order]] != data.STOPPERS.index("none")]
    booked, when, mine = seen.booked[order], seen.ordered[order], side[order]
    night = ways.booking[seen.way[order]] >= _AT_NIGHT
    ready = np.where(night, booked // ground.DAY_S * ground.DAY_S + _LOADED_S, booked)
    found = []
    for account, low, high, last in zip(
        slot.tolist(), since.tolist(), until.tolist(), read.tolist(), strict=True
    ):
        hit = np.flatnonzero((mine == account) & (when > low) & (when <= high) & (ready <= last))
        found.append(order[hit[-MOST_LISTED:]])
    return np.repeat(np.arange(slot.size), [each.size for each in found]), np.concatenate(found)


@compiled
def _tested(shop: Int64, card: Int64, when: Int64, least: int, period: int, times: Int32, out: Int64) -> int:
    """Windows of one shop in which cards enough were refused: first and last attempt, and how many cards.

    A window grows until nothing more falls into the period after its first attempt.
    """
    found, left, cards, k = 0, 0, 0, 0
    while k < shop.size:
        while left < k and (shop[left] != shop[k] or when[left] <= when[k] - period):
            times[card[left]] -= 1
            cards -= times[card[left]] == 0
            left += 1
        cards += times[card[k]] == 0
        times[card[k]] += 1
        if cards >= least:
            last = k
            while last + 1 < shop.size and shop[last + 1] == shop[k] and when[last + 1] < when[left] + period:
                last += 1
                cards += times[card[last]] == 0
                times[card[last]] += 1
            out[0, found], out[1, found], out[2, found] = left, last, cards
            found += 1
            for j in range(left, last + 1):
                times[card[j]] = 0
            left, cards, k = last + 1, 0, last
        k += 1
    return found
