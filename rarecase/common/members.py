"""Sets of entities as sorted arrays: few are looked up among many, or put into them, without a new sort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]


def among(values: Int64, held: Int64) -> NDArray[np.bool_]:
    """For each of `values`, whether `held`, which ascends, has it; shape of `values`."""
    if not held.size:
        return np.zeros(np.shape(values), np.bool_)
    at = np.minimum(np.searchsorted(held, values), held.size - 1)
    return np.asarray(held[at] == values, np.bool_)


def united(held: Int64, more: Int64) -> Int64:
    """`held`, which ascends without repeats, with `more` in any order put in; ascends without repeats."""
    new = np.sort(more)
    if new.size > 1:
        new = new[np.concatenate([[True], new[1:] != new[:-1]])]
    new = new[~among(new, held)]
    return np.insert(held, np.searchsorted(held, new), new)
