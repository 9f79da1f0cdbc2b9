"""How well one feature tells the rows of cases from ordinary rows, and when that is more than chance.

The score is the area under the ROC curve (AUC), built case by case: a labelled row's *placement* is the share
of ordinary rows of its group that lie below it (ties count half), a case's placement is the mean over its
rows, and the AUC is the mean over cases. Rows of one case resemble each other, so cases and not rows are what
is counted.

The bound is exact and free of any distribution: placements of independent cases lie in [0, 1], and Chernoff's
inequality gives P(mean >= t) <= exp(-n * KL(t || limit)) when the true AUC is at most `limit` (Hoeffding
1963, theorem 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Contrast", "bound", "cross_fitted", "effective_size", "placements"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_FEWEST_IN_GROUP = 20


@dataclass(frozen=True)
class Contrast:
    """Labelled and ordinary rows of one table, side by side.

    Attributes
    ----------
    case : int64[p]
        Dense number, from 0, of the case that each labelled row belongs to.
    group : int64[p]
        Group of each labelled row; rows are compared within a group only.
    ordinary_group : int64[q]
        Group of each ordinary row.
    """

    case: Ints
    group: Ints
    ordinary_group: Ints

    @property
    def cases(self) -> int:
        """Number of cases."""
        return int(self.case.max()) + 1 if len(self.case) else 0

    def auc(self, values: Floats | Ints, ordinary: Floats | Ints) -> tuple[float, int]:
        """AUC over cases of one feature, and the number of cases that could be placed.

        Floats are scores. Integers are classes, each scored by how often cases have it, cross-fitted in two
        folds. NaN if no case could be placed.
        """
        if values.dtype == np.int64:
            placed = cross_fitted(self, values.astype(np.int64), ordinary.astype(np.int64))
        else:
            placed = placements(
                values.astype(np.float64), ordinary.astype(np.float64), self.group, self.ordinary_group
            )
        return _case_mean(placed, self.case)


def placements(scores: Floats, ordinary: Floats, group: Ints, ordinary_group: Ints) -> Floats:
    """Share of ordinary rows of the same group below each score, ties counted half.

    Returns
    -------
    float64[p]
        In [0, 1]; NaN where the group has fewer than 20 ordinary rows.
    """
    pooled, ranks = np.unique(np.concatenate([ordinary, scores]), return_inverse=True)
    width = len(pooled)
    below = np.sort(ordinary_group * width + ranks[: len(ordinary)])
    mine = group * width + ranks[len(ordinary) :]
    start = np.searchsorted(below, group * width)
    total = np.searchsorted(below, (group + 1) * width) - start
    twice = np.searchsorted(below, mine, "left") + np.searchsorted(below, mine, "right") - 2 * start
    return np.where(total >= _FEWEST_IN_GROUP, twice / np.maximum(2 * total, 1), np.nan)


def cross_fitted(contrast: Contrast, codes: Ints, ordinary: Ints) -> Floats:
    """Placements by target-mean scores learned on the other half of the cases and of the ordinary rows."""
    values = int(max(codes.max(initial=-1), ordinary.max(initial=-1))) + 1
    weight = 1.0 / np.maximum(np.bincount(contrast.case, minlength=1), 1)[contrast.case]
    fold, ordinary_fold = contrast.case % 2, np.arange(len(ordinary)) % 2
    out = np.full(len(codes), np.nan)
    for side in (0, 1):
        learn, ask = fold != side, fold == side
        known, asked = ordinary_fold != side, ordinary_fold == side
        hits = np.bincount(codes[learn], weight[learn], values)
        base = np.bincount(ordinary[known], minlength=values) * (hits.sum() / max(int(known.sum()), 1))
        score = (hits + 1.0) / (base + 1.0)
        out[ask] = placements(
            score[codes[ask]], score[ordinary[asked]], contrast.group[ask], contrast.ordinary_group[asked]
        )
    return out


def _case_mean(placed: Floats, case: Ints) -> tuple[float, int]:
    known = ~np.isnan(placed)
    rows = np.bincount(case[known])
    sums = np.bincount(case[known], placed[known])
    seen = rows > 0
    return (float((sums[seen] / rows[seen]).mean()), int(seen.sum())) if seen.any() else (math.nan, 0)


def effective_size(cases: int, ordinary_entities: int) -> float:
    """Number of independent cases that two finite samples are worth: their harmonic sum."""
    return 1.0 / (1.0 / max(cases, 1) + 1.0 / max(ordinary_entities, 1))


def bound(limit: float, size: float, alpha: float) -> float:
    """Smallest AUC that a feature of true AUC at most `limit` exceeds with probability at most `alpha`.

    Parameters
    ----------
    limit : float
        Allowed true AUC, in [0.5, 1).
    size : float
        Number of independent cases.
    alpha : float
        False-alarm rate of this one test.

    Returns
    -------
    float
        In [limit, 1]; infinity where so few cases cannot prove anything.
    """
    nats = -math.log(alpha) / max(size, 1e-9)
    if nats >= -math.log(limit):
        return math.inf
    low, high = limit, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _divergence(middle, limit) < nats else (low, middle)
    return high


def _divergence(observed: float, limit: float) -> float:
    rest = (1 - observed) * math.log((1 - observed) / (1 - limit)) if observed < 1 else 0.0
    return observed * math.log(observed / limit) + rest
