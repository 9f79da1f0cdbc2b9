"""Columns of varying length per owner, laid end to end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

IntArray = NDArray[np.int64]


@compiled
def _fill(counts: IntArray, owner: IntArray, within: IntArray) -> None:
    at = 0
    for i in range(counts.size):
        for j in range(counts[i]):
            owner[at] = i
            within[at] = j
            at += 1


def offsets(counts: NDArray[np.integer[Any]]) -> IntArray:
    """Where each owner's rows begin and, last, where all end: int64[n + 1] for int[n] counts."""
    out = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def ragged_index(counts: NDArray[np.integer[Any]]) -> tuple[IntArray, IntArray]:
    """Each row's owner and its place among the owner's rows, both int64[sum of counts].

    ``[2, 0, 3]`` gives owners ``[0, 0, 2, 2, 2]`` and places ``[0, 1, 0, 1, 2]``.

    Raises
    ------
    ValueError
        If a count is negative.
    """
    whole = np.ascontiguousarray(counts, np.int64)
    if whole.size and whole.min() < 0:
        raise ValueError(f"counts: expected numbers of at least 0, got {whole.min()}")
    total = int(whole.sum())
    owner, within = np.empty(total, np.int64), np.empty(total, np.int64)
    _fill(whole, owner, within)
    return owner, within
