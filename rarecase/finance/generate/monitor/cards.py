"""Rules about cards, in the order in which they were used: speed, haste, and limits drawn to the end."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64
from rarecase.finance import data
from rarecase.finance.generate.monitor.book import Book
from rarecase.finance.generate.monitor.raised import MOST_LISTED, Raised, single
from rarecase.finance.generate.monitor.seen import Holders, Int8, Int32, Seen, Sorted

#: An airliner's speed; who used the card at two places faster than that was not one person.
FASTEST_KMH = 900.0
_EARTH_KM = 6_371.0
_HALF_ROUND_S = int(20_020 / FASTEST_KMH * 3_600)
_PRESENT, _REMOTE = 1, 2
#: A use of a card is packed as second, order and two bits.
_ORDER_BITS = 30
_ORDER = (1 << (_ORDER_BITS - 2)) - 1


@lru_cache(maxsize=1)
def _uses() -> Int8:
    """Whether each way uses a card where it is, from afar, or not at all."""
    ways = data.ways()
    kinds = np.array(ways.columns["payment_type"])
    card = ways.card & np.isin(kinds, ("card_payment", "cash_withdrawal"))
    return np.where(card, np.where(ways.remote, _REMOTE, _PRESENT), 0).astype(np.int8)


def card_rules(seen: Seen, rules: Book, who: Holders) -> list[Raised]:
    """Impossible travel and payments from afar in quick succession."""
    first = np.zeros(who.block + 1, np.int64)
    kept, used = np.empty(seen.row.size, np.int64), np.empty(seen.row.size, np.int64)
    holder = np.empty(seen.row.size, np.int32)
    n = _by_card(
        seen.row, seen.way, seen.payer, seen.payee, seen.ordered, _uses(), who.of, who.firms, who.width,
        first, kept, holder, used,
    )  # fmt: skip
    used = used[:n]
    made = [_too_fast(seen, rules, number, first, used) for number in rules.numbers("impossible_travel")]
    made += [_hasty(seen, rules, number, first, used) for number in rules.numbers("card_velocity")]
    return made


def _too_fast(seen: Seen, rules: Book, number: int, first: Int64, used: Int64) -> Raised:
    pairs = np.empty((2, max(used.size, 1)), np.int64)
    found = _moves(first, used, seen.payee, seen.party_place, _HALF_ROUND_S, pairs)
    before, after = pairs[:, :found]
    gap = np.maximum(seen.ordered[after] - seen.ordered[before], 1)
    km = _distance_km(seen, seen.party_place[seen.payee[before]], seen.party_place[seen.payee[after]])
    speed = km / (gap / 3_600.0)
    booked = np.maximum(seen.booked[before], seen.booked[after])
    at = np.flatnonzero((speed > FASTEST_KMH) & rules.holds(number, booked))
    before, after, booked = before[at], after[at], booked[at]
    n = at.size
    return Raised(
        rule=np.full(n, number, np.int64),
        slot=seen.payer[after],
        second=booked,
        amount=seen.amount[before] + seen.amount[after],
        payments=np.full(n, 2, np.int64),
        ratio=np.minimum(speed[at] / FASTEST_KMH, 100.0),
        pair_alert=np.repeat(np.arange(n), 2),
        pair_order=np.stack([before, after], axis=1).ravel(),
    )


def _hasty(seen: Seen, rules: Book, number: int, first: Int64, used: Int64) -> Raised:
    out = np.empty((5, max(used.size, 1)), np.int64)
    alert, listed = np.empty(used.size, np.int64), np.empty(used.size, np.int64)
    found, pairs = _bursts(
        first, used, seen.booked, seen.amount, int(rules.least[number]), rules.smallest(number),
        int(rules.period_s[number]), MOST_LISTED, out, alert, listed,
    )  # fmt: skip
    last, booked, amount, payments = out[:4, :found]
    raised = Raised(
        rule=np.full(found, number, np.int64),
        slot=seen.payer[last],
        second=booked,
        amount=amount,
        payments=payments,
        ratio=rules.ratio(number, amount, payments) ** 0.5,
        pair_alert=alert[:pairs],
        pair_order=listed[:pairs],
    )
    return raised.take(np.flatnonzero(rules.holds(number, booked)))


def limits(seen: Seen, sorted_: Sorted, rules: Book) -> list[Raised]:
    """Card accounts that went from half to 95 % of their limit within the period."""
    order, slot, drawn = sorted_.run_up
    booked = seen.booked[order]
    made = []
    for number in rules.numbers("limit_run_up"):
        at = np.flatnonzero(rules.passes(number, drawn) & rules.holds(number, booked))
        ratio = rules.ratio(number, drawn[at])
        made.append(single(number, slot[at], booked[at], seen.amount[order[at]], ratio, order[at]))
    return made


def _distance_km(seen: Seen, a: Int32, b: Int32) -> Float64:
    """Great-circle distance of places (haversine)."""
    places, index = np.unique(np.concatenate([a, b]).astype(np.int64), return_inverse=True)
    latitude, longitude = (np.radians(each)[index] for each in seen.towns(places))
    n = a.size
    north, east = latitude[n:] - latitude[:n], longitude[n:] - longitude[:n]
    half = np.sin(north / 2) ** 2 + np.cos(latitude[:n]) * np.cos(latitude[n:]) * np.sin(east / 2) ** 2
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0))), np.float64)


@compiled
def _by_card(
    row: Int64,
    way: Int8,
    payer: Int64,
    payee: Int64,
    ordered: Int64,
    use: Int8,
    holder_of: Int32,
    firms: int,
    width: int,
    first: Int64,
    kept: Int64,
    holder: Int32,
    used: Int64,
) -> int:
    """Uses of cards by person and then by time, packed: second, order, and bits for afar and away.

    Returns how many there are.
    """
    n = 0
    for t in range(row.size):
        i = row[t]
        how = use[way[i]]
        if how and payer[i] < firms:
            h = holder_of[payer[i]]
            bits = np.int64(how == _REMOTE) | (np.int64(payee[i] >= width) << 1)
            kept[n], holder[n] = (ordered[i] << _ORDER_BITS) | (i << 2) | bits, h
            first[h + 1] += 1
            n += 1
    for h in range(first.size - 1):
        first[h + 1] += first[h]
    free = first[:-1].copy()
    for t in range(n):
        h, packed = holder[t], kept[t]
        # Rows come in order of booking, which is nearly that of use: a few steps back are enough.
        to = free[h]
        free[h] += 1
        while to > first[h] and used[to - 1] > packed:
            used[to] = used[to - 1]
            to -= 1
        used[to] = packed
    return n


@compiled
def _moves(first: Int64, used: Int64, payee: Int64, place: Int32, longest: int, out: Int64) -> int:
    """Pairs of successive uses at different places, near enough in time to be too fast."""
    found = 0
    for h in range(first.size - 1):
        last = -1
        for k in range(first[h], first[h + 1]):
            if used[k] & 1:
                continue
            if last >= 0 and (used[k] | used[last]) & 2:
                i, before = (used[k] >> 2) & _ORDER, (used[last] >> 2) & _ORDER
                gap = (used[k] >> _ORDER_BITS) - (used[last] >> _ORDER_BITS)
                if place[payee[i]] != place[payee[before]] and gap < longest:
                    out[0, found], out[1, found] = before, i
                    found += 1
            last = k
    return found


@compiled
def _bursts(
    first: Int64,
    used: Int64,
    booked: Int64,
    amount: Int64,
    least: int,
    threshold: int,
    period: int,
    most: int,
    out: Int64,
    alert: Int64,
    listed: Int64,
) -> tuple[int, int]:
    found, pairs = 0, 0
    for h in range(first.size - 1):
        left, total, payments = first[h], 0, 0
        for k in range(first[h], first[h + 1]):
            if not used[k] & 1:
                continue
            past = (used[k] >> _ORDER_BITS) - period
            while left < k and used[left] >> _ORDER_BITS <= past:
                if used[left] & 1:
                    total -= amount[(used[left] >> 2) & _ORDER]
                    payments -= 1
                left += 1
            i = (used[k] >> 2) & _ORDER
            total += amount[i]
            payments += 1
            if payments < least or total < threshold:
                continue
            latest, taken = 0, 0
            for j in range(k, left - 1, -1):
                if not used[j] & 1:
                    continue
                order = (used[j] >> 2) & _ORDER
                latest = max(latest, booked[order])
                if taken < most:
                    alert[pairs], listed[pairs] = found, order
                    pairs += 1
                    taken += 1
            out[0, found], out[1, found], out[2, found], out[3, found] = i, latest, total, payments
            found += 1
            left, total, payments = k + 1, 0, 0
    return found, pairs
