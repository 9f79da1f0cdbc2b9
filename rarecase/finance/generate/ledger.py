"""Everything booked at a place, in order, with the balance after each leg: exact double entry.

`Booked` holds every payment with a leg in the part: ordinary ones of its own, crossing ones, and those of
cases, less those that a stopped card prevented. One pass over them in order of time writes both tables.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.keys import KeySpace
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import CaseRows
from rarecase.finance.generate.crossing import Crossing, Rooms, crossings
from rarecase.finance.generate.flows import OTHER_FLOWS, Flow, Maker
from rarecase.finance.generate.place import UNLIMITED, Place
from rarecase.finance.generate.purchases import purchases
from rarecase.finance.plan import Block, Details
from rarecase.finance.spec import FinanceSpec


@dataclass(frozen=True)
class Booked:
    """Payments with a leg in the part, columns of one length, before sorting.

    Attributes
    ----------
    second, amount, way
        As in `flows.Flow`.
    payer, payee
        Addresses relative to the part's first slot: in [0, width) for accounts of the part.
    transaction, payer_entry, payee_entry
        Keys of the payment and of its two legs.
    new_device
        Key of the device of a case, 0 where the payer's own gave the order.
    """

    second: Int64
    amount: Int64
    way: NDArray[np.int8]
    payer: Int64
    payee: Int64
    transaction: Int64
    payer_entry: Int64
    payee_entry: Int64
    new_device: Int64

    def __len__(self) -> int:
        return int(self.second.size)

    def take(self, rows: Int64 | NDArray[np.bool_]) -> Booked:
        """These rows."""
        return Booked(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def joined(pieces: list[Booked]) -> Booked:
    """One after another."""
    return Booked(
        **{
            field.name: np.concatenate([getattr(piece, field.name) for piece in pieces])
            for field in fields(Booked)
        }
    )


def ordinary(plan: Plan, place: Place) -> tuple[Booked, list[Booked]]:
    """What the twin books at this place: payments within it, then those that cross its border."""
    spec = plan.spec
    assert isinstance(spec, FinanceSpec)
    make = Maker(spec, place)
    flows = [*purchases(make), *(flow for flows in OTHER_FLOWS for flow in flows(make))]
    rooms = Rooms(plan.keys.part_row_bits)
    own = _own(plan.keys, place.part, flows, rooms)
    return own, [_crossing(plan, place.part, piece) for piece in crossings(spec, place.part, rooms)]


def of_cases(plan: Plan, part: int, rows: CaseRows) -> Booked:
    """Payments of cases with a leg in the part."""
    base = part * ground.slots(plan.spec.block).width
    keys = plan.keys
    new = np.flatnonzero(rows.new_device == 1)
    device = np.zeros(len(rows), np.int64)
    device[new] = keys.case_rows("devices", rows.home[new], np.zeros(new.size, np.int64))
    return Booked(
        second=rows.second,
        amount=rows.amount,
        way=rows.way.astype(np.int8),
        payer=rows.payer - base,
        payee=rows.payee - base,
        transaction=keys.case_rows("transactions", rows.home, rows.row),
        payer_entry=keys.case_rows("entries", rows.home, 2 * rows.row),
        payee_entry=keys.case_rows("entries", rows.home, 2 * rows.row + 1),
        new_device=device,
    )


def prevented(plan: Plan, part: int, booked: Booked, ordinary_rows: int) -> tuple[Int64, Int64]:
    """Ordinary payments that a stopped card prevents, and the positions of the cases that stopped it."""
    details: Details = plan.details
    blocks: Block = details.blocks
    if blocks.case.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    slots = ground.slots(plan.spec.block)
    address = slots.customer(blocks.customer) - part * slots.width
    here = np.full(slots.width, -1, np.int64)
    own = np.flatnonzero((address >= 0) & (address < slots.width))
    here[address[own]] = own
    block = np.empty(ordinary_rows, np.int64)
    _stopped(
        address,
        blocks.since,
        blocks.until,
        here,
        data.ways().card,
        booked.payer,
        booked.second,
        booked.way,
        block,
    )
    rows = np.flatnonzero(block >= 0)
    return rows, blocks.case[block[rows]]


@compiled
def _stopped(
    address: Int64,
    since: Int64,
    until: Int64,
    here: Int64,
    card: NDArray[np.bool_],
    payer: Int64,
    second: Int64,
    way: NDArray[np.int8],
    block: Int64,
) -> None:
    for i in range(block.size):
        block[i] = -1
        if not card[way[i]]:
            continue
        who = payer[i]
        if 0 <= who < here.size:
            at = here[who]
        else:  # addresses ascend with customers
            at = np.searchsorted(address, who)
            if at == address.size or address[at] != who:
                at = -1
        if at >= 0 and since[at] <= second[i] < until[at]:
            block[i] = at


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


def _own(keys: KeySpace, part: int, flows: list[Flow], rooms: Rooms) -> Booked:
    columns = {
        name: np.concatenate([getattr(flow, name) for flow in flows])
        for name in ("second", "amount", "way", "payer", "payee")
    }
    ordinal = np.arange(columns["second"].size, dtype=np.int64)
    rooms.check_own(ordinal.size)
    return Booked(
        **columns,
        transaction=keys.rows("transactions", part, ordinal),
        payer_entry=keys.rows("entries", part, 2 * ordinal),
        payee_entry=keys.rows("entries", part, 2 * ordinal + 1),
        new_device=np.zeros(ordinal.size, np.int64),
    )


def _crossing(plan: Plan, part: int, rows: Crossing) -> Booked:
    width, keys = ground.slots(plan.spec.block).width, plan.keys
    base = part * width
    return Booked(
        second=rows.second,
        amount=rows.amount,
        way=rows.way,
        payer=rows.payer - base,
        payee=rows.payee - base,
        transaction=keys.part_rows("transactions", rows.payer // width, rows.ordinal),
        payer_entry=keys.part_rows("entries", rows.payer // width, 2 * rows.ordinal),
        payee_entry=keys.part_rows("entries", rows.payee // width, 2 * rows.ordinal + 1),
        new_device=np.zeros(rows.second.size, np.int64),
    )
