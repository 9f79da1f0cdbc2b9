"""Booking: payments in order of time, with the balance of the part's accounts after each leg.

One pass over the payments keeps the balances of this world and of its twin side by side: what people draw or
send within the place is refused where the account cannot bear it, and a case that empties or fills an account
changes what is refused later. Such differences are consequences of the case that touched the account last.
Orders are put in order of time once, so that this pass and whatever follows reads memory from end to end;
every other column is made afterwards by itself, because writing twenty columns side by side would thrash the
cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64, UInt64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.booking import booked_seconds, credited, decisions
from rarecase.finance.generate.ledger import TRIED, Ordered
from rarecase.finance.generate.parties import Parties
from rarecase.finance.generate.place import UNLIMITED
from rarecase.finance.schema import DECLINE_REASONS

_NO_FUNDS = DECLINE_REASONS.index("insufficient_funds")


@dataclass(frozen=True)
class Ledger:
    """What was booked, in order of time, as row numbers of the orders and plain columns.

    Attributes
    ----------
    orders
        All orders: first those that may be booked, in order of time, then the others.
    bits, booked, credited, four
        Of each order: decisions, second of booking, what the payee gets, whether it has four legs.
    row
        Orders paid by the part's own accounts: the rows of transactions.
    leg
        4 × order + leg of every entry on the part's own accounts; legs are payer, its bank, the payee's
        bank, payee.
    slot
        Account of every entry.
    amount, balance, number, over
        Of every entry: signed minor units, balance after it, place in the account's order, below its limit.
    """

    orders: Ordered
    bits: UInt64
    booked: Int64
    credited: Int64
    four: NDArray[np.bool_]
    row: Int64
    leg: Int64
    slot: NDArray[np.int32]
    amount: Int64
    balance: Int64
    number: NDArray[np.int32]
    over: NDArray[np.bool_]


def settle(plan: Plan, orders: Ordered, parties: Parties) -> Ledger:
    """Book everything in order of time.

    Fates are completed: what is refused for want of funds here becomes an attempt, and what only the twin or
    only this world refuses says so with its cause.

    Parameters
    ----------
    orders
        Payments and attempts in any fixed order, which settles ties; payers and payees are indices of
        `parties`.
    """
    orders, booked, counts = _in_time(plan, orders)
    payer, payee = orders.payer, orders.payee
    slots, width = ground.slots(plan.spec.block), parties.opening.size
    bits = decisions(plan, orders.word)
    source, target = parties.currency[payer], parties.currency[payee]
    paid = credited(plan, orders, source, target)
    four = _four_legged(orders, parties, payer, payee, source, target)
    middle = np.where(source == target, slots.first("settlement"), slots.first("position")).astype(np.int32)
    pays, gets, through = payer[:counts] < width, payee[:counts] < width, four[:counts]
    most = sum(int(np.count_nonzero(some)) for some in (pays, gets, pays & through, gets & through))
    row = np.empty(int(np.count_nonzero(pays)), np.int64)
    leg, slot = np.empty(most, np.int64), np.empty(most, np.int32)
    amount, balance = np.empty(most, np.int64), np.empty(most, np.int64)
    number, over = np.empty(most, np.int32), np.empty(most, np.bool_)
    rows, legs = _post(
        counts, payer, payee, orders.amount, paid, _can_be_refused()[orders.way], four, middle, parties.bank,
        parties.opening, parties.limit, UNLIMITED, _NO_FUNDS, orders.fate, orders.reason, orders.cause,
        orders.refers, row, leg, slot, amount, balance, number, over,
    )  # fmt: skip
    return Ledger(
        orders, bits, booked, paid, four,
        row[:rows], leg[:legs], slot[:legs], amount[:legs], balance[:legs], number[:legs], over[:legs],
    )  # fmt: skip


def _in_time(plan: Plan, orders: Ordered) -> tuple[Ordered, Int64, int]:
    """Orders in order of time, seconds of their booking, and how many may be booked; the others follow."""
    booked = booked_seconds(orders, decisions(plan, orders.word))
    horizon = plan.spec.days * ground.DAY_S
    room = max(len(orders) - 1, 1).bit_length()
    if horizon.bit_length() + room > 62:
        raise OverflowError("more payments in one place than the order of time can hold")
    may = (orders.fate != TRIED) & (booked < horizon)
    counts = np.flatnonzero(may)
    packed = np.sort((booked[counts] << room) | counts)
    order = np.concatenate([packed & ((1 << room) - 1), np.flatnonzero(~may)])
    return orders.put(order), booked[order], counts.size


def _can_be_refused() -> NDArray[np.bool_]:
    """Ways by which people themselves draw or send at once: those a bank refuses where funds are missing."""
    ways = data.ways()
    kinds = np.array(ways.columns["payment_type"])
    at_once = ways.booking == data.BOOKINGS.index("at_once")
    return np.asarray(at_once & np.isin(kinds, ("cash_withdrawal", "transfer")), np.bool_)


def _four_legged(
    orders: Ordered,
    parties: Parties,
    payer: Int64,
    payee: Int64,
    source: NDArray[np.int8],
    target: NDArray[np.int8],
) -> NDArray[np.bool_]:
    """Payments between banks, and between currencies; cards are cleared by their scheme."""
    kinds = np.array(data.ways().columns["payment_type"])
    cleared = np.isin(kinds, ("card_payment", "card_refund", "chargeback"))
    there, here = parties.bank[payer], parties.bank[payee]
    apart = (there != here) | (parties.country[payer] != parties.country[payee])
    between = apart & (there >= 0) & (here >= 0) & ~cleared[orders.way]
    return np.asarray(between | (source != target), np.bool_)


@compiled
def _post(  # noqa: C901 (a kernel: functions inside it would cost more than the loop)
    counts: int,
    payer: Int64,
    payee: Int64,
    amount: Int64,
    paid: Int64,
    checked: NDArray[np.bool_],
    four: NDArray[np.bool_],
    middle: NDArray[np.int32],
    bank: NDArray[np.int8],
    opening: Int64,
    limit: Int64,
    unlimited: int,
    no_funds: int,
    fate: NDArray[np.int8],
    reason: NDArray[np.int8],
    cause: NDArray[np.int32],
    refers: NDArray[np.int32],
    row: Int64,
    leg: Int64,
    slot: NDArray[np.int32],
    signed: Int64,
    balance: Int64,
    number: NDArray[np.int32],
    over: NDArray[np.bool_],
) -> tuple[int, int]:
    width = opening.size
    held, twin = opening.copy(), opening.copy()
    count = np.zeros(width, np.int32)
    touched = np.full(width, -1, np.int32)
    t, e = 0, 0
    for i in range(counts):
        a, b, f = payer[i], payee[i], fate[i]
        if f == 0 and refers[i] >= 0 and fate[refers[i]] != 0 and fate[refers[i]] != 1:
            # What was not booked is not given back; where only one world booked it, only there.
            f = fate[refers[i]]
            fate[i], cause[i] = f, cause[refers[i]]
            if f == 3 or f == 5:
                fate[i] = 3
                continue
        if f == 0 or f == 2:
            bears_twin, bears = True, True
            if checked[i] and a < width and b < width:
                bears_twin = twin[a] - amount[i] >= -limit[a]
                bears = held[a] - amount[i] >= -limit[a]
            if f == 0:
                if not bears_twin and not bears:
                    fate[i], reason[i] = 3, no_funds
                    continue
                if bears_twin and not bears:
                    fate[i], reason[i], cause[i] = 2, no_funds, touched[a]
                elif bears and not bears_twin:
                    # It is a payment here and was refused in the twin.
                    fate[i], reason[i], cause[i] = 4, no_funds, touched[a]
            elif not bears_twin:
                # Stopped here by a case, refused in the twin for want of funds.
                fate[i] = 5
            f = fate[i]
            if f == 0 or f == 2:
                if a < width:
                    twin[a] -= amount[i]
                if b < width:
                    twin[b] += paid[i]
            if f == 2 or f == 4:
                if a < width:
                    touched[a] = cause[i]
                if b < width:
                    touched[b] = cause[i]
        else:
            if a < width:
                touched[a] = cause[i]
            if b < width:
                touched[b] = cause[i]
        if f == 2 or f == 5:
            continue
        if a < width:
            row[t] = i
            t += 1
        for side in range(4):
            if side == 0:
                who, what = a, -amount[i]
            elif side == 3:
                who, what = b, paid[i]
            elif not four[i]:
                continue
            elif side == 1:
                who, what = (middle[i] + max(bank[a], 0) if a < width else width), amount[i]
            else:
                who, what = (middle[i] + max(bank[b], 0) if b < width else width), -paid[i]
            if who >= width:
                continue
            held[who] += what
            count[who] += 1
            leg[e] = 4 * i + side
            slot[e] = who
            signed[e] = what
            balance[e] = held[who]
            number[e] = count[who]
            over[e] = limit[who] < unlimited and held[who] < -limit[who]
            e += 1
    return t, e
