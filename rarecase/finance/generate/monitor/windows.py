"""Rules that are a sum and a number of payments, parties or places over a window that slides along a holder.

An alert uses its payments up: the window starts again after it, so one habit raises one alert per window and
not one per day.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64
from rarecase.finance.generate.monitor.book import LOOKS, Book
from rarecase.finance.generate.monitor.raised import Raised, listed
from rarecase.finance.generate.monitor.seen import Int32, Seen, Sorted

_UNBOUNDED = 1 << 62
#: In place of a party: payments of many that share an account.
MANY = -1


def windows(seen: Seen, sorted_: Sorted, rules: Book, income: Int64, outside: int) -> Raised:
    """What the window rules raise.

    Parameters
    ----------
    income
        Of each holder, 0 for firms.
    outside
        First slot of the accounts of the world outside, behind which stand many: each payment from or to one
        counts as another party.
    """
    number = np.array([n for n, name in enumerate(rules.names) if name in LOOKS], np.int64)
    looks = [LOOKS[rules.names[n]] for n in number.tolist()]
    mask = np.array([look.mask for look in looks], np.int64)
    counts = np.array([look.counts for look in looks], np.int64)
    by_day = np.array([look.by_day for look in looks], np.bool_)
    least, threshold = rules.least[number], rules.threshold[number] + rules.above[number]
    # Who a window counts of each party: itself, its place, or nobody in particular.
    one = np.where(seen.party_slot >= outside, MANY, np.arange(seen.party_slot.size))
    whom = np.stack([one, seen.party_place]).astype(np.int32)
    below = np.where([look.below for look in looks], threshold, _UNBOUNDED)
    above = np.where([look.reach for look in looks], threshold - 1, -1)
    incomes = np.array([look.incomes for look in looks], np.float64)
    room = 1024
    while True:
        out = np.empty((5, room), np.int64)
        found = _slide(
            sorted_.first, sorted_.present, sorted_.flag, sorted_.booked, sorted_.amount, sorted_.other,
            whom, income, mask, counts, by_day, above, below, incomes, least, threshold,
            rules.period_s[number], rules.since[number], rules.until[number], out,
        )  # fmt: skip
        if found <= room:
            break
        room = found
    out = out[:, :found]
    which = out[0].copy()
    out[0] = number[which]
    ratio = np.maximum(out[3] / np.maximum(threshold[which], 1), 1.0)
    # How many parties there were is told by how many payments there were, near enough for a score.
    ratio = np.where(threshold[which] > 0, ratio, 1.0) * np.maximum(out[4] / least[which], 1.0) ** 0.5
    return listed(sorted_, out, mask[which], above[which], below[which], np.asarray(ratio, np.float64))


# One pass over the entries on purpose: what it carries along would have to be handed over at each.
@compiled
def _slide(  # noqa: C901
    first: Int64,
    present: Int32,
    flag: Int32,
    booked: Int64,
    amount: Int64,
    other: Int32,
    whom: Int32,
    income: Int64,
    mask: Int64,
    counts: Int64,
    by_day: NDArray[np.bool_],
    above: Int64,
    below: Int64,
    incomes: Float64,
    least: Int64,
    threshold: Int64,
    period: Int64,
    since: Int64,
    until: Int64,
    out: Int64,
) -> int:
    most = whom.shape[1]
    for p in range(whom.shape[1]):
        most = max(most, whom[1, p] + 1)
    times = np.zeros(most, np.int32)
    found = 0
    for h in range(first.size - 1):
        a, b = first[h], first[h + 1]
        for r in range(mask.size):
            if not present[h] & mask[r]:
                continue
            wanted = np.float64(threshold[r])
            if incomes[r] > 0:
                if income[h] <= 0:
                    continue
                wanted = max(wanted, incomes[r] * income[h])
            left, total, payments, different = a, 0, 0, 0
            for k in range(a, b):
                if not flag[k] & mask[r] or not above[r] < amount[k] < below[r]:
                    continue
                past = booked[k] - period[r]
                if by_day[r]:
                    past = (booked[k] + 86_400 - period[r]) // 86_400 * 86_400 - 1
                while left < k and booked[left] <= past:
                    if flag[left] & mask[r] and above[r] < amount[left] < below[r]:
                        total -= amount[left]
                        payments -= 1
                        if counts[r]:
                            key = whom[counts[r] - 1, other[left]]
                            if key >= 0:
                                times[key] -= 1
                            if key < 0 or times[key] == 0:
                                different -= 1
                    left += 1
                total += amount[k]
                payments += 1
                if counts[r]:
                    key = whom[counts[r] - 1, other[k]]
                    if key < 0 or times[key] == 0:
                        different += 1
                    if key >= 0:
                        times[key] += 1
                many = different if counts[r] else payments
                if many < least[r] or total < wanted or not since[r] <= booked[k] < until[r]:
                    continue
                if by_day[r] and _more_today(flag, booked, amount, mask[r], above[r], k, b):
                    continue
                if found < out.shape[1]:
                    out[0, found], out[1, found], out[2, found] = r, left, k
                    out[3, found], out[4, found] = total, payments
                found += 1
                if counts[r]:
                    _forget(flag, amount, other, whom[counts[r] - 1], mask[r], below[r], left, k + 1, times)
                left, total, payments, different = k + 1, 0, 0, 0
            if counts[r]:
                _forget(flag, amount, other, whom[counts[r] - 1], mask[r], below[r], left, b, times)
    return found


@compiled
def _more_today(flag: Int32, booked: Int64, amount: Int64, mask: int, above: int, k: int, end: int) -> bool:
    """Whether another payment that counts follows on the same day: a day is added up as a whole."""
    for later in range(k + 1, end):
        if booked[later] // 86_400 != booked[k] // 86_400:
            return False
        if flag[later] & mask and amount[later] > above:
            return True
    return False


@compiled
def _forget(
    flag: Int32,
    amount: Int64,
    other: Int32,
    whom: Int32,
    mask: int,
    below: int,
    low: int,
    high: int,
    times: Int32,
) -> None:
    for k in range(low, high):
        if flag[k] & mask and amount[k] < below and whom[other[k]] >= 0:
            times[whom[other[k]]] = 0
