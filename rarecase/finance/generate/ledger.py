"""What is booked at a place: every payment with a leg there, with its keys.

Ordinary payments of the place come first, then those that cross its border, then those of cases. Some of the
ordinary ones may be prevented by a stopped card.
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
from rarecase.finance.generate.budget import evened, spent_surplus
from rarecase.finance.generate.crossing import Crossing, crossings
from rarecase.finance.generate.flows import OTHER_FLOWS, Flow, Maker
from rarecase.finance.generate.place import Place
from rarecase.finance.generate.purchases import purchases
from rarecase.finance.plan import Block, Details, Rooms
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
    flows = [*purchases(make), *(flow for flows in OTHER_FLOWS for flow in flows(make)), *spent_surplus(make)]
    rooms = Rooms(plan.keys.part_row_bits)
    across = crossings(spec, place.part, rooms)
    own = _own(plan.keys, place.part, [*flows, *evened(make, flows, across)], rooms)
    return own, [_crossing(plan, place.part, piece) for piece in across]


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
