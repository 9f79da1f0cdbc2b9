"""Rules about single orders: payees, devices, names that do not match."""

from __future__ import annotations

import numpy as np

from rarecase.finance.generate.monitor.book import Book
from rarecase.finance.generate.monitor.raised import Raised, single
from rarecase.finance.generate.monitor.seen import PAID_OUT, Holders, Seen, flags
from rarecase.finance.schema import PAYEE_CHECKS

#: A payee counts as new on the day of the first payment, a device for two days.
_NEW_PAYEE_DAYS, _NEW_DEVICE_DAYS = 0, 2
_DIFFERS = PAYEE_CHECKS.index("no_match")


def single_orders(seen: Seen, rules: Book, who: Holders) -> list[Raised]:
    """Large transfers to new payees, transfers from new devices to new payees, and to names that differ."""
    sent = (flags()[:, 0] & PAID_OUT) > 0
    # Few payments have a new payee or a name that differs, and both columns are read in one sweep.
    odd = (seen.payee_age >= 0) & (seen.payee_age <= _NEW_PAYEE_DAYS)
    odd |= seen.payee_check == _DIFFERS
    row = np.flatnonzero(odd)
    order = seen.row[row]
    payer = seen.payer[order]
    kept = sent[seen.way[order]] & (payer < who.end)
    row, order, payer = row[kept], order[kept], payer[kept]
    own = seen.payee[order] < who.end
    own &= who.of[np.minimum(seen.payee[order], who.end - 1)] == who.of[payer]
    payee_age = seen.payee_age[row]
    first_time = (payee_age >= 0) & (payee_age <= _NEW_PAYEE_DAYS) & ~own
    device_age = seen.device_age[row]
    new_device = (device_age >= 0) & (device_age <= _NEW_DEVICE_DAYS)
    mismatch = seen.payee_check[row] == _DIFFERS
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
