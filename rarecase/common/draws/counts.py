"""Counts, fair rounding and choice without replacement."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def gamma_poisson(rng: np.random.Generator, mean: FloatArray, shape: float) -> IntArray:
    """Overdispersed counts: Poisson with a gamma-distributed rate, which is the negative binomial law.

    Parameters
    ----------
    mean : float64[n]
        Expected count per row, at least 0.
    shape
        Above 0; the variance is ``mean + mean**2 / shape``, and infinity is the plain Poisson law.

    Returns
    -------
    int64[n]

    Raises
    ------
    ValueError
        If shape is not above 0 or a mean is negative.
    """
    if not shape > 0 or np.any(np.asarray(mean) < 0):
        raise ValueError("gamma_poisson: expected a shape above 0 and means of at least 0")
    rate = mean if np.isinf(shape) else mean * rng.standard_gamma(shape, len(mean)) / shape
    return np.asarray(rng.poisson(rate), np.int64)


def stochastic_round(values: ArrayLike, rng: np.random.Generator) -> NDArray[Any]:
    """Round down or up, keeping the mean: 2.3 becomes 3 with probability 0.3; int64 in the same shape."""
    given = np.asarray(values, np.float64)
    return np.asarray(np.floor(given + rng.random(given.shape)), np.int64)


def proportional_to_size(rng: np.random.Generator, sizes: ArrayLike, n: int) -> IntArray:
    """Choose ``n`` different positions with chances exactly proportional to their sizes.

    Systematic sampling in a random order (Madow 1949; Hartley and Rao 1962). A position so large that its
    chance would exceed 1 is always taken, and the others share what is left.

    Parameters
    ----------
    sizes : array_like of float, shape (k,)
        At least 0; a size of 0 is never taken.

    Returns
    -------
    int64[n]
        Different positions, in ascending order.

    Raises
    ------
    ValueError
        If a size is negative or not finite, or fewer than ``n`` sizes are positive.
    """
    weight = np.array(sizes, np.float64)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("sizes: expected finite numbers of at least 0")
    if n < 0 or np.count_nonzero(weight) < n:
        raise ValueError(f"n={n}: expected a number from 0 to {np.count_nonzero(weight)}, the positive sizes")
    certain = np.zeros(len(weight), np.bool_)
    left = n
    while left:
        chance = weight * (left / weight.sum())
        over = chance >= 1.0
        if not over.any():
            break
        certain |= over
        weight[over] = 0.0
        left = n - int(certain.sum())
    taken = [np.flatnonzero(certain)]
    if left:
        order = rng.permutation(np.flatnonzero(weight))
        edges = np.cumsum(weight[order])
        ticks = (rng.random() + np.arange(left)) * (edges[-1] / left)
        places = np.minimum(np.searchsorted(edges, ticks, side="right"), len(order) - 1)
        taken.append(order[places])
    return np.asarray(np.sort(np.concatenate(taken)), np.int64)
