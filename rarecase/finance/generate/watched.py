"""What the bank's monitoring sees of a place: the movements on its accounts, and nothing of cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.generate.movements import Acquaintances, Means, declined_rows
from rarecase.finance.generate.parties import Parties
from rarecase.finance.generate.settle import Ledger


@dataclass(frozen=True)
class Attempts:
    """Refused orders of the place's accounts: slot, second, way, reason (in DECLINE_REASONS), amount."""

    payer: Int64
    second: Int64
    way: NDArray[np.int8]
    reason: NDArray[np.int8]
    amount: Int64


@dataclass(frozen=True)
class Watched:
    """Movements on a place's accounts, in order of booking.

    Attributes
    ----------
    entry_transaction, entry_slot, entry_other, entry_second, entry_ordered, entry_amount, entry_way, balance
        Of every entry of a payer or payee: key of the payment, slot, index of the other party in `Parties`,
        seconds of booking and of ordering, signed minor units, way, balance after it.
    transaction, ordered, second, payer, payee, amount, way
        Of every payment of the place's accounts.
    device, device_age_days, ip, three_ds, payee_check, payee_age_days, merchant
        How it was given; keys 0 and codes -1 for none.
    declined
        What was refused.
    """

    entry_transaction: Int64
    entry_slot: Int64
    entry_other: Int64
    entry_second: Int64
    entry_ordered: Int64
    entry_amount: Int64
    entry_way: NDArray[np.int8]
    balance: Int64
    transaction: Int64
    ordered: Int64
    second: Int64
    payer: Int64
    payee: Int64
    amount: Int64
    way: NDArray[np.int8]
    device: Int64
    device_age_days: NDArray[np.int32]
    ip: Int64
    three_ds: NDArray[np.int8]
    payee_check: NDArray[np.int8]
    payee_age_days: NDArray[np.int32]
    merchant: Int64
    declined: Attempts


def watched(ledger: Ledger, parties: Parties, keys: Int64, found: Means, pairs: Acquaintances) -> Watched:
    """The movements of a place; `keys` are those of all orders, `found` is about the rows of transactions."""
    orders, rows = ledger.orders, ledger.row
    side = ledger.leg & 3
    ends = np.flatnonzero((side == 0) | (side == 3))
    at, pays = ledger.leg[ends] >> 2, side[ends] == 0
    age = np.full(rows.size, -1, np.int32)
    days = (orders.second[rows[pairs.row]] - pairs.first[pairs.pair]) // ground.DAY_S
    age[pairs.row] = np.maximum(days, 0) + pairs.known[pairs.pair]
    tried = declined_rows(ledger, parties.opening.size)
    return Watched(
        entry_transaction=keys[at],
        entry_slot=ledger.slot[ends].astype(np.int64),
        entry_other=np.where(pays, ledger.payee[at], ledger.payer[at]),
        entry_second=ledger.booked[at],
        entry_ordered=orders.second[at],
        entry_amount=ledger.amount[ends],
        entry_way=orders.way[at],
        balance=ledger.balance[ends],
        transaction=keys[rows],
        ordered=orders.second[rows],
        second=ledger.booked[rows],
        payer=ledger.payer[rows],
        payee=ledger.payee[rows],
        amount=orders.amount[rows],
        way=orders.way[rows],
        device=found.device,
        device_age_days=found.device_age,
        ip=found.ip,
        three_ds=found.three_ds,
        payee_check=found.payee_check,
        payee_age_days=age,
        merchant=found.merchant,
        declined=Attempts(
            ledger.payer[tried],
            orders.second[tried],
            orders.way[tried],
            orders.reason[tried],
            orders.amount[tried],
        ),
    )
