"""Where keys stand among others: a hash table, filled and looked up without Python."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

Int64 = NDArray[np.int64]
Slots = NDArray[np.int32]

_FEWEST_BITS = 4


@compiled
def _fill(held: Int64, slots: Slots, shift: int) -> None:
    last = slots.size - 1
    for i in range(held.size):
        at = np.int64((np.uint64(held[i]) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift))
        while slots[at] >= 0 and held[slots[at]] != held[i]:
            at = (at + 1) & last
        if slots[at] < 0:
            slots[at] = i


@compiled
def _find(held: Int64, slots: Slots, shift: int, wanted: Int64, out: Int64) -> None:
    last = slots.size - 1
    for i in range(wanted.size):
        at = np.int64((np.uint64(wanted[i]) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift))
        while slots[at] >= 0 and held[slots[at]] != wanted[i]:
            at = (at + 1) & last
        out[i] = slots[at]


class Held:
    """Keys in which others are looked up, shape (n,)."""

    def __init__(self, keys: Int64) -> None:
        bits = max(_FEWEST_BITS, (2 * keys.size).bit_length())
        self._keys, self._shift = np.ascontiguousarray(keys), 64 - bits
        self._slots = np.full(1 << bits, -1, np.int32)
        _fill(self._keys, self._slots, self._shift)

    def positions(self, wanted: Int64) -> Int64:
        """For each key its first position among those held, -1 where it is not; shape of `wanted`."""
        out = np.empty(wanted.size, np.int64)
        _find(self._keys, self._slots, self._shift, np.ascontiguousarray(wanted), out)
        return out


def positions(held: Int64, wanted: Int64) -> Int64:
    """For each key its first position among those held, -1 where it is not; shape of `wanted`."""
    return Held(held).positions(wanted)
