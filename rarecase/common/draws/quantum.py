"""Rounding to a resolution, so that a number has one spelling everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def quantise(values: FloatArray, quantum: float) -> FloatArray:
    """Round to the nearest multiple of a quantum (halves to even).

    Where ``1 / quantum`` is a whole number, the result is the double nearest to the decimal, so that 0.29
    prints as 0.29. Minus zero becomes zero; NaN stays NaN.

    Parameters
    ----------
    values : float64[...]
    quantum
        Resolution, above 0, in the unit of the values.

    Raises
    ------
    ValueError
        If the quantum is not a finite number above 0.
    """
    if not np.isfinite(quantum) or quantum <= 0:
        raise ValueError(f"quantum={quantum}: expected a finite number above 0")
    per_unit = np.rint(1.0 / quantum)
    if per_unit >= 1 and abs(per_unit * quantum - 1.0) < 1e-12:
        return np.asarray(np.rint(values * per_unit) / per_unit + 0.0, np.float64)
    return np.asarray(np.rint(values / quantum) * quantum + 0.0, np.float64)
