"""What the monitoring engine looks at: bookings and orders of a place, nothing that a case or a label says.

Of all entries only those that some rule reads are kept, grouped by holder, in order of booking. Accounts of
one person belong together, so money between them is no movement; firms hold one account each. Charities,
exchanges, billers and banks are exempt, as institutions are in practice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64
from rarecase.finance import data
from rarecase.finance.cases import ground

Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]

#: What an entry is to the rules; an entry may be several of these.
(
    CASH_IN,
    CASH_OUT,
    PAID_IN,
    PAID_OUT,
    CRYPTO,
    HIGH_RISK,
    ROUND,
    CHEQUE,
    WAGE,
    GIVEN_BACK,
    DISPUTED,
    WOKEN,
) = (1 << bit for bit in range(12))
#: Nobody uses the account by these; the bank or a mandate does.
_BY_BANK = ("fee", "interest", "loan", "compensation", "recall")
#: Purposes that explain many payees or payers by themselves; banks leave them out, and offenders may know it.
_EXPLAINED = ("SALA", "CHAR")
#: How an account is watched: not, for its payments, for its sleep, too, or for its limit, too.
NOT_WATCHED, WATCHED, MAY_SLEEP, HAS_LIMIT = range(4)
DORMANT_S = 180 * ground.DAY_S
_AWAKE_S, _RUN_UP_S = 30 * ground.DAY_S, 14 * ground.DAY_S
_MOST_LIMIT = 1 << 50


@dataclass(frozen=True)
class Seen:
    """Columns of a place that the engine reads.

    Attributes
    ----------
    payer, payee
        Of each order: indices of the parties, its own slots in [0, width) first.
    way, ordered, booked, amount
        Of each order: code of the way, seconds after the start, minor units of the payer's currency.
    leg, slot, moved, balance
        Of each entry in order of booking: 4 × order + leg (0 the payer's, 3 the payee's), account, signed
        minor units, balance after it.
    row, device_age, payee_age, payee_check
        Of each payment of the place's accounts: its order; days, -1 for none; position in
        `schema.PAYEE_CHECKS`, -1 for none.
    declined
        Orders with an account of the place on either side that were refused, in order of time.
    party_slot, party_place
        Of each party: slot within its place, and the place.
    limit, unused
        Of each slot: how far it may go below zero; seconds from its last use to the start, -1 where it was
        never used.
    income
        Monthly, of each customer of the place.
    scale
        Prices of the place beside Germany's.
    towns
        Latitude and longitude of places, in degrees.
    """

    payer: Int64
    payee: Int64
    way: Int8
    ordered: Int64
    booked: Int64
    amount: Int64
    leg: Int64
    slot: Int32
    moved: Int64
    balance: Int64
    row: Int64
    device_age: Int32
    payee_age: Int32
    payee_check: Int8
    declined: Int64
    party_slot: Int32
    party_place: Int32
    limit: Int64
    unused: Int64
    income: Int64
    scale: float
    towns: Callable[[Int64], tuple[Float64, Float64]]


class Holders:
    """Who holds the accounts of a place: people in order, then firms."""

    def __init__(self, block: int) -> None:
        slots = ground.slots(block)
        self.block, self.width = block, slots.width
        self.firms = slots.first("merchants")
        self.end = slots.first("charities")
        self.n = block + self.end - self.firms
        slot = np.arange(self.end)
        #: The holder of each slot that is watched.
        self.of = np.where(slot < self.firms, slot % block, slot - self.firms + block).astype(np.int32)
        self.high_risk = slots.first("high_risk")
        self.card = slots.first("card"), slots.first("card") + block
        #: How each slot is watched; accounts without a card, not in business, may sleep.
        self.care = np.full(self.width, NOT_WATCHED, np.int8)
        self.care[: self.end] = WATCHED
        for name in ("savings", "second", "shells"):
            self.care[slots.first(name) : slots.first(name) + slots.sizes[name]] = MAY_SLEEP


@lru_cache(maxsize=8)
def holders(block: int) -> Holders:
    """The holders of a place with `block` customers."""
    return Holders(block)


@lru_cache(maxsize=1)
def flags() -> Int32:
    """What an entry of each way is, for the payer and for the payee, shape (ways, 2)."""
    ways = data.ways()
    found = np.zeros((len(ways.names), 2), np.int32)
    kinds, purposes = ways.columns["payment_type"], ways.columns["purpose"]
    for code, (name, kind, purpose) in enumerate(zip(ways.names, kinds, purposes, strict=True)):
        if kind == "cash_deposit":
            found[code, 1] = CASH_IN
        elif kind == "cash_withdrawal":
            found[code, 0] = CASH_OUT
        elif (kind in ("transfer", "wire") or name == "standing") and purpose not in _EXPLAINED:
            found[code] = PAID_OUT, PAID_IN
        elif kind == "cheque":
            found[code] = CHEQUE | PAID_OUT, CHEQUE | PAID_IN
        elif kind == "payroll" and purpose == "SALA":
            found[code, 1] = WAGE
        elif kind in ("card_refund", "chargeback"):
            found[code] = (DISPUTED if kind == "chargeback" else 0), GIVEN_BACK
        if name.startswith("crypto"):
            found[code] |= CRYPTO
    return found


@dataclass(frozen=True)
class Sorted:
    """Entries that rules read, by holder and then in order of booking.

    Attributes
    ----------
    first
        Where each holder's entries begin, shape (holders + 1,).
    present
        All that a holder's entries are, taken together.
    flag, order, slot, other, booked, amount
        What each is, its order, account, other party, second of booking, minor units above zero.
    run_up
        Entries (as read, not as sorted) after which a card account had gone from half to 95 % of its limit:
        order, slot and minor units drawn since, shape (3, n).
    """

    first: Int64
    present: Int32
    flag: Int32
    order: Int32
    slot: Int32
    other: Int32
    booked: Int64
    amount: Int64
    run_up: Int64


def sort(seen: Seen, block: int, round_step: int) -> Sorted:
    """Keep and group what rules read; `round_step` in minor units says which amounts are round."""
    who = holders(block)
    care, card = who.care.copy(), slice(*who.card)
    bounded = (seen.limit[card] > 0) & (seen.limit[card] < _MOST_LIMIT)
    care[card] = np.where(bounded, HAS_LIMIT, WATCHED)
    used = np.array([kind not in _BY_BANK for kind in data.ways().columns["payment_type"]])
    most = seen.leg.size
    first, present = np.zeros(who.n + 1, np.int64), np.zeros(who.n, np.int32)
    found = _columns(most)
    run_up = np.empty((3, most if most < 64 else most // 8), np.int64)
    kept, runs = _keep(
        seen.leg, seen.slot, seen.moved, seen.balance, seen.payer, seen.payee, seen.way, seen.booked,
        seen.party_slot, seen.limit, seen.unused, flags(), used, who.of, care, who.high_risk,
        round_step, found, run_up, first, present,
    )  # fmt: skip
    out = _columns(kept)
    _group(kept, found, who.of, first, out)
    return Sorted(first, present, *out, run_up[:, :runs])


#: Columns of entries: flag, order, slot, other, booked, amount.
_Columns = tuple[Int32, Int32, Int32, Int32, Int64, Int64]


def _columns(n: int) -> _Columns:
    flag, order, slot, other = (np.empty(n, np.int32) for _ in range(4))
    return flag, order, slot, other, np.empty(n, np.int64), np.empty(n, np.int64)


def entries_of(seen: Seen, slots: Int64) -> Int64:
    """Positions of the entries of a few accounts, in order of booking."""
    asked, found = np.zeros(seen.limit.size, np.bool_), np.empty(seen.slot.size, np.int64)
    asked[slots] = True
    return found[: _entries_of(seen.slot, asked, found)]


@compiled
def _entries_of(slot: Int32, asked: NDArray[np.bool_], found: Int64) -> int:
    n = 0
    for e in range(slot.size):
        if asked[slot[e]]:
            found[n] = e
            n += 1
    return n


# One pass over the entries on purpose: what it carries along would have to be handed over at each.
@compiled
def _keep(  # noqa: C901
    leg: Int64,
    slot: Int32,
    moved: Int64,
    balance: Int64,
    payer: Int64,
    payee: Int64,
    way: Int8,
    booked: Int64,
    party_slot: Int32,
    limit: Int64,
    unused: Int64,
    flags: Int32,
    used: NDArray[np.bool_],
    holder: Int32,
    care: Int8,
    high_risk: int,
    round_step: int,
    out: _Columns,
    run_up: Int64,
    first: Int64,
    present: Int32,
) -> tuple[int, int]:
    last, woken = np.empty(holder.size, np.int64), np.full(holder.size, -(1 << 40), np.int64)
    half, drawn = np.zeros(holder.size, np.int64), np.zeros(holder.size, np.int64)
    for s in range(holder.size):
        # An account that was never used is new, not dormant.
        last[s] = -unused[s] if unused[s] >= 0 else 0
    kept, runs = 0, 0
    for e in range(leg.size):
        s = slot[e]
        how = care[s]
        if how == 0:
            continue
        i, payee_side = leg[e] >> 2, leg[e] & 1
        if how == 2 and used[way[i]]:
            now = booked[i]
            if now - last[s] >= DORMANT_S:
                woken[s] = now
            last[s] = now
        elif how == 3:
            if 2 * balance[e] >= -limit[s]:
                half[s], drawn[s] = booked[i], 0
            elif moved[e] < 0:
                drawn[s] -= moved[e]
                if 20 * balance[e] <= -19 * limit[s] and drawn[s] > 0 and runs < run_up.shape[1]:
                    if booked[i] - half[s] <= _RUN_UP_S:
                        run_up[0, runs], run_up[1, runs], run_up[2, runs] = i, s, drawn[s]
                        runs += 1
                    # Once a run, until it was below half again.
                    half[s] = -(1 << 40)
        found = flags[way[i], payee_side]
        if found == 0:
            continue
        size = abs(moved[e])
        other = payer[i] if payee_side else payee[i]
        if other < holder.size and holder[other] == holder[s]:
            continue
        if party_slot[other] == high_risk:
            found |= HIGH_RISK
        if found & (PAID_IN | PAID_OUT) and size % round_step == 0:
            found |= ROUND
        when = booked[i]
        if found & (CASH_IN | PAID_IN) and when - woken[s] <= _AWAKE_S:
            found |= WOKEN
        out[0][kept], out[1][kept], out[2][kept], out[3][kept] = found, i, s, other
        out[4][kept], out[5][kept] = when, size
        first[holder[s] + 1] += 1
        present[holder[s]] |= found
        kept += 1
    return kept, runs


@compiled
def _group(n: int, found: _Columns, holder: Int32, first: Int64, out: _Columns) -> None:
    for h in range(first.size - 1):
        first[h + 1] += first[h]
    free = first[:-1].copy()
    for k in range(n):
        h = holder[found[2][k]]
        to = free[h]
        free[h] += 1
        out[0][to], out[1][to], out[2][to], out[3][to] = found[0][k], found[1][k], found[2][k], found[3][k]
        out[4][to], out[5][to] = found[4][k], found[5][k]
