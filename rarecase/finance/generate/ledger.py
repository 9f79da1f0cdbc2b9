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
        **{field.name: np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(Booked)}
    )


def ordinary(plan: Plan, place: Place) -> Booked:
    """What the twin books at this place."""
    spec = plan.spec
    assert isinstance(spec, FinanceSpec)
    make = Maker(spec, place)
    flows = [*purchases(make), *(flow for flows in OTHER_FLOWS for flow in flows(make))]
    rooms = Rooms(plan.keys.part_row_bits)
    own = _own(plan.keys, place.part, flows, rooms)
    crossing = [_crossing(plan, place.part, piece) for piece in crossings(spec, place.part, rooms)]
    return joined([own, *crossing])


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


def prevented(plan: Plan, part: int, booked: Booked) -> tuple[Int64, Int64]:
    """Rows that a stopped card prevents, and the positions of the cases that stopped it."""
    details: Details = plan.details
    blocks: Block = details.blocks
    slots = ground.slots(plan.spec.block)
    address = slots.customer(blocks.customer) - part * slots.width
    uses_card = data.ways().card[booked.way]
    rows, cases = _stopped(
        address, blocks.since, blocks.until, blocks.case, booked.payer, booked.second, uses_card, slots.width
    )
    return rows, cases


def _stopped(
    address: Int64,
    since: Int64,
    until: Int64,
    case: Int64,
    payer: Int64,
    second: Int64,
    uses_card: NDArray[np.bool_],
    width: int,
) -> tuple[Int64, Int64]:
    if address.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # Addresses ascend with customers, so a payer's block is found by bisection.
    at = np.minimum(np.searchsorted(address, payer), address.size - 1)
    hit = (address[at] == payer) & uses_card & (second >= since[at]) & (second < until[at])
    rows = np.flatnonzero(hit)
    return rows, case[at[rows]]


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


def settle(booked: Booked, payer: Int64, payee: Int64, parties: Parties, horizon_s: int) -> Ledger:
    """Book everything in order of time.

    Parameters
    ----------
    booked
        Payments in any fixed order, which settles ties.
    payer, payee
        Indices into `parties`, shape (n,).
    parties
        The accounts.
    horizon_s
        No payment is later.
    """
    n = len(booked)
    bits = max(n - 1, 1).bit_length()
    if horizon_s.bit_length() + bits > 62:
        raise OverflowError("more payments in one place than the order of time can hold")
    order = np.sort((booked.second << bits) | np.arange(n, dtype=np.int64))
    width = parties.opening.size
    rows = int((payer < width).sum())
    legs = rows + int((payee < width).sum())
    ways = data.ways()
    ledger = _empty(rows, legs)
    _book(
        order,
        bits,
        booked.second,
        booked.amount,
        booked.way,
        payer,
        payee,
        booked.transaction,
        booked.payer_entry,
        booked.payee_entry,
        booked.new_device,
        ways.card & (np.array(ways.columns["payment_type"]) == "card_payment"),
        ways.card,
        ways.device,
        tuple(getattr(parties, field.name) for field in fields(Parties)),
        UNLIMITED,
        tuple(getattr(ledger, field.name) for field in fields(Ledger)),
    )
    return ledger


def _empty(rows: int, legs: int) -> Ledger:
    small = {"way": np.int8, "entry_way": np.int8, "shop": np.int16, "over": np.bool_, "number": np.int32}
    small |= {"payer_place": np.int32, "payee_place": np.int32}
    second_half = False
    columns = {}
    for field in fields(Ledger):
        second_half = second_half or field.name == "entry"
        columns[field.name] = np.empty(legs if second_half else rows, small.get(field.name, np.int64))
    return Ledger(**columns)


@compiled
def _book(
    order, bits, second, amount, way, payer, payee, transaction, payer_entry, payee_entry, new_device,
    buys, with_card, with_device, parties, unlimited, out,
):  # type: ignore[no-untyped-def]
    account, merchant, card, device, next_device, switch, shop, place, opening, limit = parties
    (t_id, t_second, t_payer, t_payee, t_amount, t_way, t_merchant, t_shop, t_card, t_device, t_from, t_to,
     e_id, e_transaction, e_account, e_second, e_amount, e_way, e_balance, e_number, e_over) = out
    width = opening.size
    balance = opening.copy()
    count = np.zeros(width, np.int32)
    mask = (1 << bits) - 1
    t, e = 0, 0
    for step in range(order.size):
        i = order[step] & mask
        when, a, w, source, target = second[i], amount[i], way[i], payer[i], payee[i]
        if source < width:
            t_id[t], t_second[t], t_amount[t], t_way[t] = transaction[i], when, a, w
            t_payer[t], t_payee[t] = account[source], account[target]
            t_from[t], t_to[t] = place[source], place[target]
            t_merchant[t] = merchant[target] if buys[w] else 0
            t_shop[t] = shop[target] if buys[w] else -1
            t_card[t] = card[source] if with_card[w] else 0
            if with_device[w]:
                own = next_device[source] if when >= switch[source] else device[source]
                t_device[t] = new_device[i] if new_device[i] else own
            else:
                t_device[t] = 0
            t += 1
            balance[source] -= a
            count[source] += 1
            e_id[e], e_transaction[e], e_account[e] = payer_entry[i], transaction[i], account[source]
            e_second[e], e_amount[e], e_way[e] = when, -a, w
            e_balance[e], e_number[e] = balance[source], count[source]
            e_over[e] = limit[source] < unlimited and balance[source] < -limit[source]
            e += 1
        if target < width:
            balance[target] += a
            count[target] += 1
            e_id[e], e_transaction[e], e_account[e] = payee_entry[i], transaction[i], account[target]
            e_second[e], e_amount[e], e_way[e] = when, a, w
            e_balance[e], e_number[e] = balance[target], count[target]
            e_over[e] = limit[target] < unlimited and balance[target] < -limit[target]
            e += 1


def _own(keys: KeySpace, part: int, flows: list[Flow], rooms: Rooms) -> Booked:
    columns = {name: np.concatenate([getattr(flow, name) for flow in flows]) for name in ("second", "amount", "way", "payer", "payee")}
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
