"""When an order is booked, what the payee gets, and the small decisions about a payment, from its key alone.

Both places of a payment make them again from the same key, so neither needs to ask the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64, UInt64, mix64, name_key
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.ledger import Ordered

_DAY_S = ground.DAY_S


def decisions(plan: Plan, words: Int64) -> UInt64:
    """64 random bits per payment, from the words of its key; shape (n,)."""
    out = np.empty(words.size, np.uint64)
    _mix(words, np.uint64(name_key(plan.spec.seed, "decisions")), out)
    return out


@compiled
def _mix(words: Int64, key: np.uint64, out: UInt64) -> None:
    for i in range(words.size):
        out[i] = mix64(mix64(np.uint64(words[i])) ^ key)


def booked_seconds(orders: Ordered, bits: UInt64) -> Int64:
    """Seconds after the start at which each order is booked.

    At once is 1 to 9 seconds; hours are 0.5 to 4, for wires; night is between one and five of the night
    after; a card payment is booked in that night, or for three in ten in the one after it.
    """
    out = np.empty(len(orders), np.int64)
    _book(orders.second, data.ways().booking[orders.way], bits, out)
    return out


@compiled
def _book(second: Int64, booking: NDArray[np.int8], bits: UInt64, out: Int64) -> None:
    for i in range(second.size):
        h = np.int64(bits[i] >> np.uint64(40))
        if booking[i] == 0:
            out[i] = second[i] + 1 + h % 9
        elif booking[i] == 1:
            out[i] = second[i] + 1_800 + h % 12_600
        else:
            night = second[i] // 86_400 + 1
            if booking[i] == 3 and np.int64(bits[i] & np.uint64(1023)) < 307:
                night += 1
            out[i] = night * 86_400 + 3_600 + h % 14_400


def available_seconds(booked: Int64, way: NDArray[np.int8], bits: UInt64) -> Int64:
    """When rows can be read: seconds after booking, or at the load of six for what the night books."""
    out = np.empty(booked.size, np.int64)
    _load(booked, data.ways().booking[way], bits, out)
    return out


@compiled
def _load(booked: Int64, booking: NDArray[np.int8], bits: UInt64, out: Int64) -> None:
    for i in range(booked.size):
        h = np.int64((bits[i] >> np.uint64(20)) & np.uint64(0xFFFFF))
        if booking[i] < 2:
            out[i] = booked[i] + 1 + h % 30
        else:
            out[i] = booked[i] // 86_400 * 86_400 + 21_600 + h % 1_800


def credited(plan: Plan, orders: Ordered, source: NDArray[np.int8], target: NDArray[np.int8]) -> Int64:
    """What the payee gets, in minor units of its currency."""
    moved = np.flatnonzero(source != target)
    if not moved.size:
        return orders.amount
    out = orders.amount.copy()
    out[moved] = ground.exchanged(
        plan.spec,
        orders.second[moved],
        orders.amount[moved],
        source[moved].astype(np.int64),
        target[moved].astype(np.int64),
    )
    return out
