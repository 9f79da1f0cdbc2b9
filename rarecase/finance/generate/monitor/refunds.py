"""Refunds beside purchases: what is given back matters where it is much of what was bought."""

from __future__ import annotations

import numpy as np

from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.generate.monitor.book import Book
from rarecase.finance.generate.monitor.raised import Raised
from rarecase.finance.generate.monitor.seen import Holders, Seen, entries_of

#: Share of card purchases of the same period that refunds must come to.
LEAST_SHARE = 0.3


def against_purchases(seen: Seen, rules: Book, who: Holders, found: Raised) -> Raised:
    """Without the alerts on refunds that are small beside the holder's card purchases of the period."""
    numbers = rules.numbers("refund_ratio")
    asked = np.flatnonzero(np.isin(found.rule, numbers) & (found.slot < who.firms))
    if not asked.size:
        return found
    bought = _bought(seen, who, found, asked, rules.period_s[found.rule[asked]])
    small = asked[found.amount[asked] < LEAST_SHARE * bought]
    return found.take(np.setdiff1d(np.arange(len(found)), small))


def _bought(seen: Seen, who: Holders, found: Raised, asked: Int64, period: Int64) -> Int64:
    """Card purchases of each holder asked about, over the period before the alert; minor units."""
    holder = who.of[found.slot[asked]]
    leg = seen.leg[entries_of(seen, np.flatnonzero(np.isin(who.of[: who.firms], holder)))]
    buys = np.array([kind == "card_payment" for kind in data.ways().columns["payment_type"]])
    order = leg[leg & 3 == 0] >> 2
    order = order[buys[seen.way[order]]]
    buyer, booked, amount = who.of[seen.payer[order]], seen.booked[order], seen.amount[order]
    out = np.empty(asked.size, np.int64)
    for at, (whom, until, length) in enumerate(
        zip(holder.tolist(), found.second[asked].tolist(), period.tolist(), strict=True)
    ):
        out[at] = amount[(buyer == whom) & (booked <= until) & (booked > until - length)].sum()
    return out
