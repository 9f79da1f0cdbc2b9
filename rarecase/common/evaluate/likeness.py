"""How alike two samples of one table are: margins, pairs, and whether a classifier can tell them apart.

Names and definitions follow SDMetrics (KSComplement, TVComplement, CorrelationSimilarity,
ContingencySimilarity) and Lopez-Paz & Oquab 2017 (C2ST); the code is our own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from rarecase.common.evaluate.real import Frame

__all__ = ["contingency_similarity", "correlation_similarity", "ks_complement", "pairs_of", "tv_complement"]

_BINS = 10


def ks_complement(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """1 minus the Kolmogorov-Smirnov distance, missing values left out; NaN if a side is empty."""
    first, second = np.sort(one[~np.isnan(one)]), np.sort(other[~np.isnan(other)])
    if not len(first) or not len(second):
        return math.nan
    grid = np.concatenate([first, second])
    gap = np.searchsorted(first, grid, "right") / len(first) - np.searchsorted(second, grid, "right") / len(
        second
    )
    return float(1 - np.abs(gap).max())


def tv_complement(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """1 minus the total variation distance of two samples of codes."""
    width = int(max(one.max(initial=0), other.max(initial=0))) + 1
    gap = np.bincount(one, minlength=width) / len(one) - np.bincount(other, minlength=width) / len(other)
    return float(1 - np.abs(gap).sum() / 2)


def correlation_similarity(reference: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """1 minus half the difference of Pearson correlations; shape (n, 2) each; NaN where undefined."""
    return 1 - abs(_pearson(reference) - _pearson(other)) / 2


def _pearson(pair: npt.NDArray[np.float64]) -> float:
    known = pair[~np.isnan(pair).any(axis=1)]
    if len(known) < 3 or bool(np.any(known.max(axis=0) == known.min(axis=0))):
        return math.nan
    return float(np.corrcoef(known[:, 0], known[:, 1])[0, 1])  # type: ignore[index]


def contingency_similarity(reference: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """1 minus the total variation distance of two joint distributions of codes; arrays of shape (n, 2)."""
    width = int(max(reference[:, 1].max(), other[:, 1].max())) + 1
    return tv_complement(reference[:, 0] * width + reference[:, 1], other[:, 0] * width + other[:, 1])


def pairs_of(reference: Frame, other: Frame) -> Iterator[tuple[str, str, str, float]]:
    """Metric, both columns and similarity of each pair: correlations of numbers, contingencies of classes."""
    for first, second in combinations(reference.numbers, 2):
        mine = np.column_stack([reference.numbers[first], reference.numbers[second]])
        theirs = np.column_stack([other.numbers[first], other.numbers[second]])
        yield "CorrelationSimilarity", first, second, correlation_similarity(mine, theirs)
    coded, coded_other = _coded(reference, reference), _coded(other, reference)
    for first, second in combinations(reference.names, 2):
        if first in reference.classes or second in reference.classes:
            mine_codes = np.column_stack([coded[first], coded[second]])
            their_codes = np.column_stack([coded_other[first], coded_other[second]])
            yield "ContingencySimilarity", first, second, contingency_similarity(mine_codes, their_codes)


def _coded(frame: Frame, reference: Frame) -> dict[str, npt.NDArray[np.int64]]:
    """Classes cut to the 20 most frequent, numbers cut at the reference's deciles."""
    coded = {name: np.minimum(codes, 20) for name, codes in frame.classes.items()}
    for name, values in frame.numbers.items():
        known = reference.numbers[name][~np.isnan(reference.numbers[name])]
        edges = (
            np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else np.zeros(0)
        )
        coded[name] = np.where(np.isnan(values), 0, np.searchsorted(edges, values) + 1)
    return coded
