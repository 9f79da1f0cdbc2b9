"""Booking: payments in order of time, with the balance of the part's accounts after each leg.

One pass over the payments keeps the balances; every other column is then gathered by itself, because writing
twenty columns side by side would thrash the cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.generate.ledger import Booked
from rarecase.finance.generate.place import UNLIMITED


@dataclass(frozen=True)
class Parties:
    """What is known of each account that appears in the part, by index: its slots first, then foreign ones.

    Attributes
    ----------
    account, merchant, card, device, next_device
        Keys; 0 where there is none.
    switch
        Second from which `next_device` is used.
    shop
        Kind of merchant, -1 for others.
    place
        Number of the place.
    opening, limit
        Of the part's own accounts, shape (width,).
    """

    account: Int64
    merchant: Int64
    card: Int64
    device: Int64
    next_device: Int64
    switch: Int64
    shop: NDArray[np.int16]
    place: NDArray[np.int32]
    opening: Int64
    limit: Int64


@dataclass(frozen=True)
class Ledger:
    """Both tables as plain columns, in order of time.

    The first group belongs to payments that the part's own accounts make, the second to legs on its accounts.
    """

    transaction: Int64
    second: Int64
    payer: Int64
    payee: Int64
    amount: Int64
    way: NDArray[np.int8]
    merchant: Int64
    shop: NDArray[np.int16]
    card: Int64
    device: Int64
    payer_place: NDArray[np.int32]
    payee_place: NDArray[np.int32]
    entry: Int64
    entry_transaction: Int64
    entry_account: Int64
    entry_second: Int64
    entry_amount: Int64
    entry_way: NDArray[np.int8]
    balance: Int64
    number: NDArray[np.int32]
    over: NDArray[np.bool_]


def settle(
    booked: Booked, payer: Int64, payee: Int64, without: Int64, parties: Parties, horizon_s: int
) -> Ledger:
    """Book everything in order of time.

    Parameters
    ----------
    booked
        Payments in any fixed order, which settles ties.
    payer, payee
        Indices into `parties`, shape (n,).
    without
        Rows that are not booked.
    parties
        The accounts.
    horizon_s
        No payment is later.
    """
    n = len(booked)
    bits = max(n - 1, 1).bit_length()
    if horizon_s.bit_length() + bits > 62:
        raise OverflowError("more payments in one place than the order of time can hold")
    order = np.sort(np.delete((booked.second << bits) | np.arange(n, dtype=np.int64), without))
    width = parties.opening.size
    rows = int((payer < width).sum() - (payer[without] < width).sum())
    legs = rows + int((payee < width).sum() - (payee[without] < width).sum())
    row, leg = np.empty(rows, np.int64), np.empty(legs, np.int64)
    balance, number = np.empty(legs, np.int64), np.empty(legs, np.int32)
    over = np.empty(legs, np.bool_)
    _post(
        order,
        bits,
        payer,
        payee,
        booked.amount,
        parties.opening,
        parties.limit,
        UNLIMITED,
        row,
        leg,
        balance,
        number,
        over,
    )
    return _laid_out(booked, payer, payee, parties, row, leg, (balance, number, over))


def _laid_out(
    booked: Booked,
    payer: Int64,
    payee: Int64,
    parties: Parties,
    row: Int64,
    leg: Int64,
    running: tuple[Int64, NDArray[np.int32], NDArray[np.bool_]],
) -> Ledger:
    """Columns in order of time, one after another: a row of all columns at once would thrash the cache."""
    ways = data.ways()
    way, source, target = booked.way[row], payer[row], payee[row]
    second, leg_row = booked.second[row], leg >> 1
    buys = (ways.card & (np.array(ways.columns["payment_type"]) == "card_payment"))[way]
    merchant, shop, card, device = _empty(row.size)
    _instruments(
        buys,
        ways.card[way],
        ways.device[way],
        source,
        target,
        second,
        booked.new_device[row],
        (parties.merchant, parties.shop, parties.card, parties.device, parties.next_device, parties.switch),
        (merchant, shop, card, device),
    )
    entry, account, amount = (
        np.empty(leg.size, np.int64),
        np.empty(leg.size, np.int64),
        np.empty(leg.size, np.int64),
    )
    _legs(
        leg,
        booked.payer_entry,
        booked.payee_entry,
        payer,
        payee,
        booked.amount,
        parties.account,
        entry,
        account,
        amount,
    )
    return Ledger(
        transaction=booked.transaction[row],
        second=second,
        payer=parties.account[source],
        payee=parties.account[target],
        amount=booked.amount[row],
        way=way,
        merchant=merchant,
        shop=shop,
        card=card,
        device=device,
        payer_place=parties.place[source],
        payee_place=parties.place[target],
        entry=entry,
        entry_transaction=booked.transaction[leg_row],
        entry_account=account,
        entry_second=booked.second[leg_row],
        entry_amount=amount,
        entry_way=booked.way[leg_row],
        balance=running[0],
        number=running[1],
        over=running[2],
    )


def _empty(rows: int) -> tuple[Int64, NDArray[np.int16], Int64, Int64]:
    return (
        np.empty(rows, np.int64),
        np.empty(rows, np.int16),
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
    )


@compiled
def _post(
    order: Int64,
    bits: int,
    payer: Int64,
    payee: Int64,
    amount: Int64,
    opening: Int64,
    limit: Int64,
    unlimited: int,
    row: Int64,
    leg: Int64,
    balance: Int64,
    number: NDArray[np.int32],
    over: NDArray[np.bool_],
) -> None:
    width = opening.size
    held = opening.copy()
    count = np.zeros(width, np.int32)
    mask = (1 << bits) - 1
    t, e = 0, 0
    for step in range(order.size):
        i = order[step] & mask
        for side in range(2):
            who = payee[i] if side else payer[i]
            if who >= width:
                continue
            if side == 0:
                row[t] = i
                t += 1
            held[who] += amount[i] if side else -amount[i]
            count[who] += 1
            leg[e] = 2 * i + side
            balance[e] = held[who]
            number[e] = count[who]
            over[e] = limit[who] < unlimited and held[who] < -limit[who]
            e += 1


@compiled
def _instruments(
    buys: NDArray[np.bool_],
    with_card: NDArray[np.bool_],
    with_device: NDArray[np.bool_],
    source: Int64,
    target: Int64,
    second: Int64,
    new_device: Int64,
    parties: tuple[Int64, NDArray[np.int16], Int64, Int64, Int64, Int64],
    out: tuple[Int64, NDArray[np.int16], Int64, Int64],
) -> None:
    for t in range(source.size):
        out[0][t] = parties[0][target[t]] if buys[t] else 0
        out[1][t] = parties[1][target[t]] if buys[t] else -1
        out[2][t] = parties[2][source[t]] if with_card[t] else 0
    for t in range(source.size):
        key = 0
        if with_device[t]:
            key = parties[4][source[t]] if second[t] >= parties[5][source[t]] else parties[3][source[t]]
            if new_device[t]:
                key = new_device[t]
        out[3][t] = key


@compiled
def _legs(
    leg: Int64,
    payer_entry: Int64,
    payee_entry: Int64,
    payer: Int64,
    payee: Int64,
    amount: Int64,
    account_id: Int64,
    entry: Int64,
    account: Int64,
    signed: Int64,
) -> None:
    for e in range(leg.size):
        i = leg[e] >> 1
        entry[e] = payee_entry[i] if leg[e] & 1 else payer_entry[i]
    for e in range(leg.size):
        i = leg[e] >> 1
        account[e] = account_id[payee[i] if leg[e] & 1 else payer[i]]
        signed[e] = amount[i] if leg[e] & 1 else -amount[i]
