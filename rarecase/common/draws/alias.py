"""Categories with given weights in constant time per draw (Walker 1977; build by Vose 1991)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarecase.common.compiled import compiled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@compiled
def _build(weights: FloatArray, keep: FloatArray, alias: IntArray) -> None:
    rows, size = weights.shape
    small, large = np.empty(size, np.int64), np.empty(size, np.int64)
    for row in range(rows):
        total = 0.0
        for i in range(size):
            total += weights[row, i]
        smalls, larges = 0, 0
        for i in range(size):
            keep[row, i] = weights[row, i] * size / total
            alias[row, i] = i
            if keep[row, i] < 1.0:
                small[smalls] = i
                smalls += 1
            else:
                large[larges] = i
                larges += 1
        while smalls > 0 and larges > 0:
            smalls -= 1
            low, high = small[smalls], large[larges - 1]
            alias[row, low] = high
            keep[row, high] = (keep[row, high] + keep[row, low]) - 1.0
            if keep[row, high] < 1.0:
                larges -= 1
                small[smalls] = high
                smalls += 1
        # what is left over is 1 but for rounding, unless the category has no weight at all
        for i in range(smalls):
            if weights[row, small[i]] > 0.0:
                keep[row, small[i]] = 1.0
            else:
                alias[row, small[i]] = _heaviest(weights[row])
        for i in range(larges):
            keep[row, large[i]] = 1.0


@compiled
def _heaviest(weights: FloatArray) -> int:
    best = 0
    for i in range(weights.size):
        if weights[i] > weights[best]:
            best = i
    return best


@compiled
def _draw(keep: FloatArray, alias: IntArray, u: FloatArray, out: IntArray) -> None:
    size = keep.size
    for n in range(u.size):
        scaled = u[n] * size
        i = min(int(scaled), size - 1)
        out[n] = i if scaled - i < keep[i] else alias[i]


@compiled
def _draw_rows(keep: FloatArray, alias: IntArray, which: IntArray, u: FloatArray, out: IntArray) -> None:
    size = keep.shape[1]
    for n in range(u.size):
        row = which[n]
        scaled = u[n] * size
        i = min(int(scaled), size - 1)
        out[n] = i if scaled - i < keep[row, i] else alias[row, i]


def _tables(weights: ArrayLike) -> tuple[FloatArray, FloatArray, IntArray]:
    given = np.atleast_2d(np.ascontiguousarray(weights, dtype=np.float64))
    if given.ndim != 2 or given.size == 0:
        raise ValueError("weights: expected at least one weight")
    if not np.isfinite(given).all() or (given < 0).any() or (given.sum(axis=1) <= 0).any():
        raise ValueError("weights: expected finite numbers of at least 0 with a positive sum")
    keep, alias = np.empty_like(given), np.empty(given.shape, np.int64)
    _build(given, keep, alias)
    return given, keep, alias


class AliasTable:
    """Draws positions of a list of weights, proportionally to the weights.

    Parameters
    ----------
    weights : array_like of float, shape (k,)
        At least 0, with a positive sum; k below 2**24, so that one uniform of 53 bits serves both choices.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are 0.
    """

    __slots__ = ("_alias", "_keep", "size")

    def __init__(self, weights: ArrayLike) -> None:
        given, keep, alias = _tables(weights)
        if given.shape[0] != 1:
            raise ValueError("weights: expected one row; AliasRows takes one row of weights per group")
        self._keep, self._alias = keep[0], alias[0]
        self.size = int(given.shape[1])

    def draw(self, rng: np.random.Generator, n: int) -> IntArray:
        """Draw ``n`` positions, int64 in [0, k)."""
        return self.at(rng.random(n))

    def at(self, u: FloatArray) -> IntArray:
        """Positions for given uniforms in [0, 1): stateless, and in general not monotone in ``u``."""
        given = np.ascontiguousarray(u, np.float64)
        out = np.empty(given.shape, np.int64)
        _draw(self._keep, self._alias, given.ravel(), out.ravel())
        return out


class AliasRows:
    """Draws positions from the row of a matrix of weights that belongs to each draw's group.

    Parameters
    ----------
    weights : array_like of float, shape (groups, k)
        Each row as for :class:`AliasTable`.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or a row has no positive weight.
    """

    __slots__ = ("_alias", "_keep", "groups", "size")

    def __init__(self, weights: ArrayLike) -> None:
        given, self._keep, self._alias = _tables(weights)
        self.groups, self.size = int(given.shape[0]), int(given.shape[1])

    def draw(self, rng: np.random.Generator, which: NDArray[np.integer[Any]]) -> IntArray:
        """Draw one position for each group number in ``which`` (int[n])."""
        return self.at(rng.random(len(which)), which)

    def at(self, u: FloatArray, which: NDArray[np.integer[Any]]) -> IntArray:
        """Positions for given uniforms and group numbers, both of length n.

        Raises
        ------
        ValueError
            If the lengths differ or a group number lies outside the matrix.
        """
        groups = np.ascontiguousarray(which, np.int64)
        if len(groups) != len(u):
            raise ValueError(f"which: expected {len(u)} group numbers, got {len(groups)}")
        if len(groups) and (groups.min() < 0 or groups.max() >= self.groups):
            raise ValueError(f"which: expected group numbers from 0 to {self.groups - 1}")
        out = np.empty(len(groups), np.int64)
        _draw_rows(self._keep, self._alias, groups, np.ascontiguousarray(u, np.float64), out)
        return out


def zipf_weights(n: int, exponent: float = 1.0, shift: float = 0.0) -> FloatArray:
    """Weights 1/(rank + shift)**exponent of ranks 1 … n, summing to 1 (Zipf; shifted: Zipf–Mandelbrot)."""
    if n < 1:
        raise ValueError(f"n={n}: expected at least 1")
    weights = (np.arange(1, n + 1, dtype=np.float64) + shift) ** -exponent
    return np.asarray(weights / weights.sum(), np.float64)
