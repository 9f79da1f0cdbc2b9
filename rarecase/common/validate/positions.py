"""Where keys stand among others: a hash table of one part, looked up without Python."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

Int64 = NDArray[np.int64]


@compiled
def _find(held: Int64, wanted: Int64, slots: NDArray[np.int32], shift: int, out: Int64) -> None:
    last = slots.size - 1
    for i in range(held.size):
        at = np.int64((np.uint64(held[i]) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift))
        while slots[at] >= 0 and held[slots[at]] != held[i]:
            at = (at + 1) & last
        if slots[at] < 0:
            slots[at] = i
    for i in range(wanted.size):
        at = np.int64((np.uint64(wanted[i]) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift))
        while slots[at] >= 0 and held[slots[at]] != wanted[i]:
            at = (at + 1) & last
        out[i] = slots[at]


def positions(held: Int64, wanted: Int64) -> Int64:
    """For each key its first position among those held, -1 where it is not; shape of `wanted`."""
    bits = max(4, int(2 * held.size).bit_length())
    slots = np.full(1 << bits, -1, np.int32)
    out = np.empty(wanted.size, np.int64)
    _find(np.ascontiguousarray(held), np.ascontiguousarray(wanted), slots, 64 - bits, out)
    return out
