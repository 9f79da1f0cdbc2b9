"""Surrogate keys: positive 62-bit integers that say "rarecase" to all and nothing else to strangers.

Two balanced Feistel permutations deep. The outer one has a published key and carries 12 check bits that are
zero, 6 bits of the data set and 44 inner bits, so anyone recognises a key (a random 62-bit number passes with
probability 2**-12; k independent keys with 2**-12k). The inner 44 bits hold table, stream and ordinal and are
permuted with a key derived from the seed: without the seed a key tells neither order nor origin, and not
whether its row belongs to a case.

Layout of the inner bits before permutation, from the top: 5 table, 1 case flag, 38 for the row. Ordinary
rows use (part, ordinal in the part), rows that a case adds use (its first entity's ordinal, row number). The
widths follow from size and block alone, never from the cases, so that a case moves no other key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.errors import PlanError
from rarecase.common.seeds import Int64, UInt64, feistel, name_key, round_keys

CHECK_BITS = 12
DATASET_BITS = 6
INNER_BITS = 44
TABLE_BITS = 5
ROW_BITS = INNER_BITS - TABLE_BITS - 1
_OUTER_HALF = 31
_INNER_HALF = 22
_ROUNDS = 4
# Published on purpose: whoever holds a key may ask whether it is one of ours.
_OUTER_KEYS = round_keys(name_key(0, "rarecase", "published outer key", 1), _ROUNDS)
# What a number that is no key reads as: no data set's bits.
_STRANGE = np.uint64(1 << 61)


@dataclass(frozen=True)
class KeyReading:
    """What keys say to those who have the seed; arrays of one length.

    `stream` is the part of an ordinary row, or the first entity's ordinal of a case's row.
    """

    valid: NDArray[np.bool_]
    table: NDArray[np.int64]
    is_case: NDArray[np.bool_]
    stream: NDArray[np.int64]
    ordinal: NDArray[np.int64]


def _outer_words(keys: Int64) -> UInt64:
    flat = np.ascontiguousarray(keys, dtype=np.int64)
    out = np.empty(flat.shape, dtype=np.uint64)
    feistel(flat.view(np.uint64).ravel(), _OUTER_KEYS, _OUTER_HALF, True, out.ravel())
    out[(flat < 0) | (flat >> (2 * _OUTER_HALF) != 0)] = _STRANGE
    return out


def recognise(keys: Int64) -> NDArray[np.bool_]:
    """Which integers carry the twelve zero check bits; needs no seed."""
    words = _outer_words(keys)
    recognised: NDArray[np.bool_] = (words >> np.uint64(INNER_BITS + DATASET_BITS)) == 0
    return recognised


def dataset_of(keys: Int64) -> Int64:
    """The six bits of the data set that each recognised key carries, -1 for the others."""
    words = _outer_words(keys)
    bits = ((words >> np.uint64(INNER_BITS)) & np.uint64(63)).astype(np.int64)
    return np.where(words >> np.uint64(INNER_BITS + DATASET_BITS) == 0, bits, -1)


class KeySpace:
    """All keys of one data set.

    Parameters
    ----------
    domain, seed, size, block
        As in the spec; they alone fix every width.
    tables
        The names of the schema's tables in their declared order, at most 32.

    Raises
    ------
    PlanError
        When rows or tables overflow their bits.
    """

    def __init__(self, domain: str, seed: int, size: int, block: int, tables: Sequence[str]) -> None:
        if len(tables) > 1 << TABLE_BITS:
            raise PlanError("schema", len(tables), f"at most {1 << TABLE_BITS} tables")
        self.size, self.block = size, block
        self.tables = {name: position for position, name in enumerate(tables)}
        parts = -(-size // block)
        self.part_row_bits = ROW_BITS - (parts - 1).bit_length()
        self.case_row_bits = ROW_BITS - (size - 1).bit_length()
        if min(self.part_row_bits, self.case_row_bits) < 8:
            raise PlanError(
                "size", size, "a size whose rows fit 38 bits", hint="Use a smaller size or larger blocks."
            )
        root = name_key(seed, "keys", domain)
        self._inner = round_keys(root, _ROUNDS)
        self._dataset = np.uint64((root >> 58) << INNER_BITS)

    def rows(self, table: str, part: int, ordinals: Int64) -> Int64:
        """Keys of ordinary rows of a part, shape (n,); ordinals are given before any sorting."""
        self._fits(ordinals, self.part_row_bits, table)
        return self._make(table, 0, (part << self.part_row_bits) + np.asarray(ordinals, dtype=np.int64))

    def entities(self, table: str, ordinals: Int64) -> Int64:
        """Keys of rows of which each entity has one, by global entity ordinal, shape (n,)."""
        part, within = np.divmod(np.asarray(ordinals, dtype=np.int64), self.block)
        return self._make(table, 0, (part << self.part_row_bits) + within)

    def part_rows(self, table: str, parts: Int64, ordinals: Int64) -> Int64:
        """Keys of ordinary rows of several parts at once, shapes (n,): rows that another part owns."""
        self._fits(ordinals, self.part_row_bits, table)
        return self._make(table, 0, (np.asarray(parts, dtype=np.int64) << self.part_row_bits) + ordinals)

    def case_rows(self, table: str, entity: Int64, row: Int64) -> Int64:
        """Keys of rows that a case adds, by its first entity's global ordinal and row number, shape (n,)."""
        self._fits(row, self.case_row_bits, table)
        return self._make(table, 1, (np.asarray(entity, dtype=np.int64) << self.case_row_bits) + row)

    def row_words(self, parts: Int64 | int, ordinals: Int64) -> Int64:
        """What `of_words` takes for ordinary rows, shape (n,)."""
        return (np.asarray(parts, dtype=np.int64) << self.part_row_bits) + ordinals

    def case_words(self, entity: Int64, row: Int64) -> Int64:
        """What `of_words` takes for rows that cases add, shape (n,)."""
        return (1 << ROW_BITS) | ((np.asarray(entity, dtype=np.int64) << self.case_row_bits) + row)

    def of_words(self, table: str, words: Int64) -> Int64:
        """Keys of ordinary rows and of rows of cases mixed, shape (n,); the caller has seen that they fit."""
        return self._make(table, 0, words)

    def read(self, keys: Int64) -> KeyReading:
        """Table, stream and ordinal of each key; `valid` is False where the key is not of this data set."""
        words = _outer_words(keys)
        valid = (words & ~np.uint64((1 << INNER_BITS) - 1)) == self._dataset
        inner_words = words & np.uint64((1 << INNER_BITS) - 1)
        feistel(inner_words.ravel(), self._inner, _INNER_HALF, True, inner_words.ravel())
        inner = inner_words.view(np.int64)
        is_case = (inner >> ROW_BITS & 1).astype(np.bool_)
        width = np.where(is_case, self.case_row_bits, self.part_row_bits)
        row = inner & ((1 << ROW_BITS) - 1)
        table = inner >> (ROW_BITS + 1)
        return KeyReading(
            valid & (table < len(self.tables)), table, is_case, row >> width, row & ((1 << width) - 1)
        )

    def _make(self, table: str, case: int, rows: Int64) -> Int64:
        head = np.uint64((self.tables[table] << 1 | case) << ROW_BITS)
        flat = np.ascontiguousarray(rows, dtype=np.int64)
        out = flat.view(np.uint64) | head
        words = out.ravel()
        feistel(words, self._inner, _INNER_HALF, False, words)
        words |= self._dataset
        feistel(words, _OUTER_KEYS, _OUTER_HALF, False, words)
        return out.view(np.int64)

    def _fits(self, ordinals: Int64, bits: int, table: str) -> None:
        values = np.asarray(ordinals)
        if values.size and (values.min() < 0 or int(values.max()) >> bits):
            raise PlanError(
                "size",
                self.size,
                f"a size and block whose rows of {table} fit {bits} bits",
                hint="Use smaller blocks or fewer days.",
            )
