"""Rules about what money does after it came: it leaves at once, it comes back, or the wage stays away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor import seen as flags
from rarecase.finance.generate.monitor.book import Book
from rarecase.finance.generate.monitor.raised import Raised, listed
from rarecase.finance.generate.monitor.seen import Int32, Seen, Sorted

_COMES = flags.PAID_IN | flags.CASH_IN
_GOES = flags.PAID_OUT | flags.CASH_OUT
#: Shares of what came that must leave, and of what was sent that must come back, at least and at most.
LEAVES, RETURNS = (0.85, 1.05), (0.5, 1.5)
_ALL = 1 << 62
#: A monthly wage comes again within so many days.
_MONTH_S = 36 * ground.DAY_S


def rapid_movement(sorted_: Sorted, rules: Book) -> list[Raised]:
    """Most of what transfers and cash bring leaves again within the period."""
    made = []
    for number in rules.numbers("rapid_movement"):
        out = np.empty((5, max(sorted_.flag.size, 1)), np.int64)
        found = _rapid(
            sorted_.first, sorted_.present, sorted_.flag, sorted_.booked, sorted_.amount, _COMES, _GOES,
            rules.smallest(number), int(rules.period_s[number]), *LEAVES, out,
        )  # fmt: skip
        made.append(_windows(sorted_, rules, number, out[:, :found], _COMES | _GOES, 0.5))
    return made


def round_trip(seen: Seen, sorted_: Sorted, rules: Book, outside: int) -> list[Raised]:
    """A transfer after which about as much comes back from its payee, who is no country or economy."""
    made = []
    somebody = seen.party_slot < outside
    for number in rules.numbers("round_trip"):
        out = np.empty((5, max(sorted_.flag.size, 1)), np.int64)
        party = np.empty(out.shape[1], np.int64)
        found = _trips(
            sorted_.first, sorted_.present, sorted_.flag, sorted_.booked, sorted_.amount, sorted_.other,
            somebody, flags.PAID_OUT, flags.PAID_IN,
            rules.smallest(number), int(rules.period_s[number]), *RETURNS,
            out, party,
        )  # fmt: skip
        mask = flags.PAID_IN | flags.PAID_OUT
        made.append(_windows(sorted_, rules, number, out[:, :found], mask, 0.5, party[:found]))
    return made


def salary_diverted(sorted_: Sorted, rules: Book, horizon_s: int) -> list[Raised]:
    """A wage that came each month stays away; raised when it is late, about the wages before."""
    made = []
    for number in rules.numbers("salary_diverted"):
        out = np.empty((5, max(sorted_.first.size, 1)), np.int64)
        late = int(rules.period_s[number])
        found = _missing(
            sorted_.first, sorted_.present, sorted_.flag, sorted_.booked, sorted_.amount, flags.WAGE,
            int(rules.least[number]), _MONTH_S, late, horizon_s, out,
        )  # fmt: skip
        wages = _windows(sorted_, rules, number, out[:, :found], flags.WAGE, 1.0)
        wages.second[:] += late
        made.append(wages)
    return made


def strange_wage(sorted_: Sorted, rules: Book) -> list[Raised]:
    """A wage of an employer who never paid the holder before, while another does."""
    made = []
    for number in rules.numbers("strange_wage"):
        out = np.empty((5, max(sorted_.flag.size, 1)), np.int64)
        found = _strange(
            sorted_.first, sorted_.present, sorted_.flag, sorted_.booked, sorted_.amount, sorted_.other,
            flags.WAGE, rules.smallest(number), int(rules.period_s[number]), out,
        )  # fmt: skip
        made.append(_windows(sorted_, rules, number, out[:, :found], flags.WAGE, 1.0))
    return made


def _windows(
    sorted_: Sorted, rules: Book, number: int, out: Int64, mask: int, share: float, party: Int64 | None = None
) -> Raised:
    """Alerts of one rule; `share` of the amounts is what is compared with its threshold."""
    kept = rules.holds(number, sorted_.booked[out[2]])
    out = np.ascontiguousarray(out[:, kept])
    out[0] = number
    n = out.shape[1]
    ratio = rules.ratio(number, np.asarray(out[3] * share, np.int64))
    return listed(
        sorted_, out, np.full(n, mask), np.full(n, -1), np.full(n, _ALL), np.broadcast_to(ratio, n).copy(),
        None if party is None else party[kept],
    )  # fmt: skip


# One pass over the entries on purpose: what it carries along would have to be handed over at each.
@compiled
def _rapid(  # noqa: C901
    first: Int64,
    present: Int32,
    flag: Int32,
    booked: Int64,
    amount: Int64,
    comes: int,
    goes: int,
    threshold: int,
    period: int,
    least: float,
    most: float,
    out: Int64,
) -> int:
    found = 0
    for h in range(first.size - 1):
        if not (present[h] & comes and present[h] & goes):
            continue
        left, came, went, payments = first[h], 0, 0, 0
        for k in range(first[h], first[h + 1]):
            if not flag[k] & (comes | goes):
                continue
            while left < k and booked[left] <= booked[k] - period:
                if flag[left] & comes:
                    came -= amount[left]
                    payments -= 1
                elif flag[left] & goes:
                    went -= amount[left]
                    payments -= 1
                left += 1
            payments += 1
            if flag[k] & comes:
                came += amount[k]
                continue
            if came == 0:
                # What leaves before anything came has nothing to do with it.
                left, went, payments = k + 1, 0, 0
                continue
            went += amount[k]
            if came >= threshold and least * came <= went <= most * came:
                out[1, found], out[2, found] = left, k
                out[3, found], out[4, found] = came + went, payments
                found += 1
                left, came, went, payments = k + 1, 0, 0, 0
    return found


# One pass over the entries on purpose: what it carries along would have to be handed over at each.
@compiled
def _trips(  # noqa: C901
    first: Int64,
    present: Int32,
    flag: Int32,
    booked: Int64,
    amount: Int64,
    other: Int32,
    somebody: NDArray[np.bool_],
    goes: int,
    comes: int,
    threshold: int,
    period: int,
    least: float,
    most: float,
    out: Int64,
    party: Int64,
) -> int:
    sent = np.full(somebody.size, -1, np.int64)
    found = 0
    for h in range(first.size - 1):
        if not (present[h] & comes and present[h] & goes):
            continue
        for k in range(first[h], first[h + 1]):
            if not somebody[other[k]]:
                continue
            if flag[k] & goes and amount[k] >= threshold:
                sent[other[k]] = k
            elif flag[k] & comes and sent[other[k]] >= 0:
                since = sent[other[k]]
                if booked[k] - booked[since] > period:
                    sent[other[k]] = -1
                elif amount[k] >= threshold and least * amount[since] <= amount[k] <= most * amount[since]:
                    total, payments = 0, 0
                    for j in range(since, k + 1):
                        if other[j] == other[k] and flag[j] & (goes | comes):
                            total += amount[j]
                            payments += 1
                    out[1, found], out[2, found] = since, k
                    out[3, found], out[4, found] = total, payments
                    party[found] = other[k]
                    found += 1
                    sent[other[k]] = -1
        for k in range(first[h], first[h + 1]):
            sent[other[k]] = -1
    return found


@compiled
def _missing(
    first: Int64,
    present: Int32,
    flag: Int32,
    booked: Int64,
    amount: Int64,
    wage: int,
    least: int,
    month: int,
    late: int,
    horizon: int,
    out: Int64,
) -> int:
    found = 0
    for h in range(first.size - 1):
        if not present[h] & wage:
            continue
        begin, last, total, payments = -1, -1, 0, 0
        for k in range(first[h], first[h + 1] + 1):
            ends = k == first[h + 1]
            if not ends and not flag[k] & wage:
                continue
            now = horizon if ends else booked[k]
            if last >= 0 and payments >= least and now - booked[last] > late:
                out[1, found], out[2, found] = begin, last
                out[3, found], out[4, found] = total, payments
                found += 1
                break
            if ends:
                break
            if last < 0 or now - booked[last] > month:
                begin, total, payments = k, 0, 0
            total += amount[k]
            payments += 1
            last = k
    return found


@compiled
def _strange(
    first: Int64,
    present: Int32,
    flag: Int32,
    booked: Int64,
    amount: Int64,
    other: Int32,
    wage: int,
    threshold: int,
    month: int,
    out: Int64,
) -> int:
    found = 0
    for h in range(first.size - 1):
        if not present[h] & wage:
            continue
        begin, last = -1, -1
        for k in range(first[h], first[h + 1]):
            if not flag[k] & wage:
                continue
            if begin < 0:
                begin = k
            strange = k > begin and booked[k] - booked[last] < month
            for j in range(begin, k):
                strange = strange and not (flag[j] & wage and other[j] == other[k])
            if strange and amount[k] >= threshold:
                out[1, found], out[2, found] = k, k
                out[3, found], out[4, found] = amount[k], 1
                found += 1
            last = k
    return found
