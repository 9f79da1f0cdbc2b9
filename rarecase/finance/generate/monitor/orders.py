"""Rules about single orders and about refused attempts: payees, devices, names that do not match."""

from __future__ import annotations

import numpy as np

from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor.book import Book
from rarecase.finance.generate.monitor.raised import Raised, single
from rarecase.finance.generate.monitor.seen import PAID_OUT, Holders, Seen, flags
from rarecase.finance.schema import PAYEE_CHECKS

#: A payee counts as new on the day of the first payment, a device for two days.
_NEW_PAYEE_DAYS, _NEW_DEVICE_DAYS = 0, 2


def single_orders(seen: Seen, rules: Book, who: Holders) -> list[Raised]:
    """Large transfers to new payees, transfers from new devices to new payees, and to names that differ."""
    sent = (flags()[:, 0] & PAID_OUT) > 0
    row = np.flatnonzero(sent[seen.way[seen.row]])
    order = seen.row[row]
    payer = seen.payer[order]
    kept = payer < who.end
    row, order, payer = row[kept], order[kept], payer[kept]
    own = seen.payee[order] < who.end
    own &= who.of[np.minimum(seen.payee[order], who.end - 1)] == who.of[payer]
    payee_age = seen.payee_age[row]
    first_time = (payee_age >= 0) & (payee_age <= _NEW_PAYEE_DAYS) & ~own
    device_age = seen.device_age[row]
    new_device = (device_age >= 0) & (device_age <= _NEW_DEVICE_DAYS)
    mismatch = seen.payee_check[row] == PAYEE_CHECKS.index("no_match")
    amount, booked = seen.amount[order], seen.booked[order]
    made = []
    for name, hit in (
        ("new_payee_large", first_time & (payer < who.firms)),
        ("new_device_payee", first_time & new_device),
        ("payee_mismatch", mismatch),
    ):
        for number in rules.numbers(name):
            at = np.flatnonzero(hit & rules.passes(number, amount) & rules.holds(number, booked))
            ratio = rules.ratio(number, amount[at])
            made.append(single(number, payer[at], booked[at], amount[at], ratio, order[at]))
    return made


def repeated_declines(seen: Seen, rules: Book, who: Holders) -> list[Raised]:
    """Several refused attempts on an account within the period; no payment is listed, for none was made."""
    payer = seen.payer[seen.declined]
    kept = payer < who.end
    order, payer = seen.declined[kept], payer[kept]
    by_time = np.lexsort((seen.ordered[order], payer))
    order, payer = order[by_time], payer[by_time]
    made = []
    for number in rules.numbers("repeated_declines"):
        least = int(rules.least[number])
        made.append(_runs(seen, rules, number, least, order, payer))
    return made


def _runs(seen: Seen, rules: Book, number: int, least: int, order: Int64, payer: Int64) -> Raised:
    when = seen.ordered[order]
    begin = np.arange(max(order.size - least + 1, 0))
    end = begin + least - 1
    hit = (payer[begin] == payer[end]) & (when[end] - when[begin] < rules.period_s[number])
    hit &= rules.holds(number, when[end])
    # One alert per account and day: the first run of the day speaks.
    begin, end = begin[hit], end[hit]
    day = payer[end] * (1 << 20) + when[end] // ground.DAY_S
    _, first = np.unique(day, return_index=True)
    begin, end = begin[first], end[first]
    total = np.concatenate([[0], np.cumsum(seen.amount[order])])
    none = np.empty(0, np.int64)
    return Raised(
        rule=np.full(end.size, number, np.int64),
        slot=payer[end],
        second=when[end],
        amount=total[end + 1] - total[begin],
        payments=np.full(end.size, least, np.int64),
        ratio=np.ones(end.size),
        pair_alert=none,
        pair_order=none,
    )
