"""Which keys of a table exist: one bit per ordinary row, and the few keys that cases add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.keys import KeyReading
from rarecase.common.members import among

Int64 = NDArray[np.int64]

#: A page holds the bits of so many ordinals (as a power of two).
PAGE_BITS = 12


@dataclass(frozen=True)
class Bits:
    """Which ordinals are there: bits on pages, as ordinals come in runs with wide holes between them.

    Attributes
    ----------
    numbers
        Ascending numbers of the pages that hold any, shape (n,).
    pages
        Their bits, shape (n, 512), little end first.
    """

    numbers: Int64
    pages: NDArray[np.uint8]

    @classmethod
    def of(cls, ordinals: Int64) -> Bits:
        """The bits of some ordinals, in any order."""
        numbers = np.unique(ordinals >> PAGE_BITS)
        present = np.zeros((numbers.size, 1 << PAGE_BITS), np.bool_)
        present[np.searchsorted(numbers, ordinals >> PAGE_BITS), ordinals & ((1 << PAGE_BITS) - 1)] = True
        return cls(numbers, np.packbits(present, axis=1, bitorder="little"))

    def holds(self, ordinals: Int64) -> NDArray[np.bool_]:
        """For each ordinal, whether it is there."""
        if not self.numbers.size:
            return np.zeros(ordinals.shape, np.bool_)
        number = ordinals >> PAGE_BITS
        at = np.minimum(np.searchsorted(self.numbers, number), self.numbers.size - 1)
        within = ordinals & ((1 << PAGE_BITS) - 1)
        bit = (self.pages[at, within >> 3] >> (within & 7).astype(np.uint8)) & 1
        return np.asarray((self.numbers[at] == number) & bit.astype(np.bool_))

    def ordinals(self) -> Int64:
        """All that are there, ascending."""
        page, within = np.nonzero(np.unpackbits(self.pages, axis=1, bitorder="little"))
        return (self.numbers[page] << PAGE_BITS) + within

    @property
    def count(self) -> int:
        """How many are there."""
        return int(np.bitwise_count(self.pages).sum())

    def merged(self, other: Bits) -> tuple[Bits, Int64]:
        """Both together, and the ordinals that were in both."""
        mine = self.ordinals()
        return Bits.of(np.concatenate([mine, other.ordinals()])), mine[other.holds(mine)]


_EMPTY = Bits.of(np.empty(0, dtype=np.int64))


@dataclass(frozen=True)
class Index:
    """Which keys of a table exist: a bit per ordinary row, and the other keys, sorted."""

    table: int
    bits: Mapping[int, Bits]
    others: Int64

    def holds(self, keys: Int64, reading: KeyReading) -> NDArray[np.bool_]:
        """For each key, whether the table has it."""
        found = np.zeros(keys.shape, dtype=np.bool_)
        ordinary = reading.valid & ~reading.is_case & (reading.table == self.table)
        for part in np.unique(reading.stream[ordinary]):
            here = np.flatnonzero(ordinary & (reading.stream == part))
            found[here] = self.bits.get(int(part), _EMPTY).holds(reading.ordinal[here])
        missing = np.flatnonzero(~found)
        found[missing] = among(keys[missing], self.others)
        return found
