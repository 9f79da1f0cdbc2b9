"""Continuous laws in whole columns, most by inversion of the distribution function.

Parameters broadcast against the uniforms, so that each row may have its own. ``u`` is float64[n] in [0, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from rarecase.common.draws.alias import AliasTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Number = float | FloatArray


def _floats(values: Any) -> FloatArray:
    return np.asarray(values, np.float64)


def _ordered(low: Number, high: Number) -> None:
    if np.any(np.asarray(low) >= np.asarray(high)):
        raise ValueError("low, high: expected low below high")


def _positive(name: str, values: Number) -> None:
    if not np.all(np.asarray(values) > 0):
        raise ValueError(f"{name}: expected numbers above 0")


def truncated_normal(u: FloatArray, mean: Number, sd: Number, low: Number, high: Number) -> FloatArray:
    """Normal law cut to [low, high] (either may be infinite), by inversion.

    Above the mean the mirrored tail is inverted, which keeps its digits up to 37 standard deviations out.

    Raises
    ------
    ValueError
        If sd is not above 0 or low is not below high.
    """
    _positive("sd", sd)
    _ordered(low, high)
    a, b = (_floats(low) - mean) / sd, (_floats(high) - mean) / sd
    mirrored = a > 0
    lower, upper = ndtr(np.where(mirrored, -b, a)), ndtr(np.where(mirrored, -a, b))
    share = np.where(mirrored, 1.0 - u, u)
    z = ndtri(lower + share * (upper - lower))
    return _floats(np.clip(mean + sd * np.where(mirrored, -z, z), low, high))


def truncated_lognormal(
    u: FloatArray, median: Number, sigma: Number, low: Number = 0.0, high: Number = np.inf
) -> FloatArray:
    """Lognormal law of a median and a log-scale sigma (before the cut), cut to [low, high].

    Raises
    ------
    ValueError
        If median or sigma is not above 0, or low is not below high.
    """
    _positive("median", median)
    _ordered(low, high)
    with np.errstate(divide="ignore"):
        bottom = np.log(_floats(low))
    z = truncated_normal(u, np.log(_floats(median)), sigma, bottom, np.log(_floats(high)))
    return _floats(np.clip(np.exp(z), low, high))


def truncated_exponential(
    u: FloatArray, scale: Number, low: Number = 0.0, high: Number = np.inf
) -> FloatArray:
    """Exponential waiting times beyond ``low`` with the given mean before the cut at ``high``.

    Raises
    ------
    ValueError
        If scale is not above 0 or low is not below high.
    """
    _positive("scale", scale)
    _ordered(low, high)
    cut = -np.expm1(-(_floats(high) - low) / scale)
    return _floats(np.minimum(low - scale * np.log1p(-u * cut), high))


def pareto(u: FloatArray, minimum: Number, shape: Number) -> FloatArray:
    """Pareto law of type I: P(X > x) = (minimum / x)**shape for x ≥ minimum."""
    _positive("minimum", minimum)
    _positive("shape", shape)
    return _floats(minimum * (1.0 - u) ** (-1.0 / _floats(shape)))


def bounded_pareto(u: FloatArray, low: Number, high: Number, shape: Number) -> FloatArray:
    """Pareto law cut to [low, high], a heavy tail that ends.

    Raises
    ------
    ValueError
        If low or shape is not above 0, or low is not below high.
    """
    _positive("low", low)
    _positive("shape", shape)
    _ordered(low, high)
    cut = 1.0 - (_floats(low) / high) ** shape
    return _floats(np.minimum(low * (1.0 - u * cut) ** (-1.0 / _floats(shape)), high))


def weibull(u: FloatArray, scale: Number, shape: Number) -> FloatArray:
    """Weibull law: P(X > x) = exp(-(x / scale)**shape); shape below 1 means a falling hazard."""
    _positive("scale", scale)
    _positive("shape", shape)
    return _floats(scale * (-np.log1p(-u)) ** (1.0 / _floats(shape)))


def lognormal(rng: np.random.Generator, n: int, median: Number, sigma: Number) -> FloatArray:
    """Lognormal law of a median and a log-scale sigma (sigma 0 gives the median), float64[n]."""
    _positive("median", median)
    return _floats(median * np.exp(sigma * rng.standard_normal(n)))


def correlated_normals(rng: np.random.Generator, n: int, correlation: ArrayLike) -> FloatArray:
    """Standard normals of a given correlation, float64[n, k], by the Cholesky factor.

    The sums run in a fixed order and not through BLAS, whose order depends on the machine. For correlated
    uniforms (a Gaussian copula) apply ``scipy.special.ndtr``.

    Parameters
    ----------
    correlation : array_like of float, shape (k, k)
        Symmetric and positive definite; a covariance matrix works as well.

    Raises
    ------
    ValueError
        If the matrix is not square and symmetric, or not positive definite.
    """
    matrix = np.asarray(correlation, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T):
        raise ValueError("correlation: expected a square symmetric matrix")
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise ValueError("correlation: expected a positive definite matrix") from error
    z = rng.standard_normal((len(matrix), n))
    out = np.zeros((n, len(matrix)))
    for i, j in zip(*np.tril_indices(len(matrix)), strict=True):
        out[:, i] += factor[i, j] * z[j]
    return out


def mixture(
    choose: AliasTable, laws: Sequence[Callable[[FloatArray], FloatArray]], u: FloatArray, v: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Mix laws: ``u`` picks each row's component, ``v`` its value under that component's law.

    Parameters
    ----------
    choose
        Alias table over the components.
    laws
        One function per component from uniforms to values, such as ``lambda v: pareto(v, 10, 2)``.
    u, v : float64[n]
        Independent uniforms in [0, 1).

    Returns
    -------
    values : float64[n]
    component : int64[n]

    Raises
    ------
    ValueError
        If the table and the list of laws differ in length.
    """
    if choose.size != len(laws):
        raise ValueError(f"laws: expected {choose.size} laws, one for each weight, got {len(laws)}")
    component = choose.at(u)
    values = np.empty(len(component))
    for number, law in enumerate(laws):
        rows = np.flatnonzero(component == number)
        values[rows] = law(v[rows])
    return values, component
