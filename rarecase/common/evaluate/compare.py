"""Synthetic against real, each score beside what one half of the real data scores against the other.

The real rows are split in halves by a fixed stream: a training half and a holdout. Every score is computed
for the synthetic rows against the holdout and, as its baseline, for the training half against the holdout, on
samples of one size (at most 5,000 rows): no synthetic data can be expected to beat the baseline, and a score
without one says little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rarecase.common.errors import InputError
from rarecase.common.evaluate.learned import c2st, closer_share, identical_share, require_sklearn, utility
from rarecase.common.evaluate.likeness import ks_complement, pairs_of, tv_complement
from rarecase.common.evaluate.real import Frame, pair_up
from rarecase.common.seeds import stream

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

__all__ = ["Comparison", "Score", "compare"]

_MOST_ROWS = 5_000
_FEWEST_ROWS = 20


@dataclass(frozen=True)
class Score:
    """One score of the synthetic rows and, beside it, the baseline of real against real.

    Attributes
    ----------
    metric, subject
        What was measured, and of which columns.
    value, baseline
        The synthetic and the real score; NaN where there was too little to compute it.
    ideal
        The best value there is.
    meaning
        One line for people.
    """

    metric: str
    subject: str
    value: float
    baseline: float
    ideal: float
    meaning: str


@dataclass(frozen=True)
class Comparison:
    """All scores of one table against a real file."""

    table: str
    target: str
    real_rows: int
    synthetic_rows: int
    compared_rows: int
    columns: tuple[str, ...]
    left_out: dict[str, str]
    scores: tuple[Score, ...]


def compare(dataset: Dataset, real: str | Path, table: str, target: str) -> Comparison:
    """Compare one table of a data set with a real file.

    Parameters
    ----------
    dataset : Dataset
    real : path
        CSV, JSON Lines or Parquet, columns named as in the schema.
    table, target : str
        The table, and the column that models are to predict (``is_case`` asks the labels).

    Raises
    ------
    InputError
        If the file, table or columns do not fit, there are fewer than 40 real or 20 synthetic rows, or
        scikit-learn is missing.
    """
    require_sklearn()
    pair = pair_up(dataset, real, table, target)
    size = min(pair.real.rows // 2, pair.synthetic.rows, _MOST_ROWS)
    if size < _FEWEST_ROWS:
        counted = f"{pair.real.rows} real and {pair.synthetic.rows} synthetic rows"
        raise InputError("--real", counted, "at least 40 real and 20 synthetic rows")
    order = stream(0, "compare", "real").permutation(pair.real.rows)
    train, holdout = pair.real.take(order[:size]), pair.real.take(order[size : 2 * size])
    synthetic = pair.synthetic.take(stream(0, "compare", "synthetic").permutation(pair.synthetic.rows)[:size])
    return Comparison(
        table=table,
        target=target,
        real_rows=pair.real.rows,
        synthetic_rows=pair.synthetic.rows,
        compared_rows=size,
        columns=tuple(train.names),
        left_out=pair.left_out,
        scores=(
            *_margins(synthetic, train, holdout),
            *_pairs(synthetic, train, holdout),
            *_learned(synthetic, train, holdout, target),
        ),
    )


def _margins(synthetic: Frame, train: Frame, holdout: Frame) -> Iterator[Score]:
    for name in holdout.numbers:
        value, baseline = (
            ks_complement(holdout.numbers[name], side.numbers[name]) for side in (synthetic, train)
        )
        yield Score(
            "KSComplement",
            name,
            value,
            baseline,
            1.0,
            "1 minus the largest gap of the distribution functions",
        )
    for name in holdout.classes:
        value, baseline = (
            tv_complement(holdout.classes[name], side.classes[name]) for side in (synthetic, train)
        )
        yield Score(
            "TVComplement", name, value, baseline, 1.0, "1 minus the total variation distance of the shares"
        )


def _pairs(synthetic: Frame, train: Frame, holdout: Frame) -> Iterator[Score]:
    mine, base = list(pairs_of(holdout, synthetic)), list(pairs_of(holdout, train))
    for metric in ("CorrelationSimilarity", "ContingencySimilarity"):
        both = [
            (value, baseline, f"{first} × {second}")
            for (name, first, second, value), (_, _, _, baseline) in zip(mine, base, strict=True)
            if name == metric and not math.isnan(value) and not math.isnan(baseline)
        ]
        if both:
            mean, mean_baseline = (float(np.mean([pair[side] for pair in both])) for side in (0, 1))
            yield Score(
                metric,
                f"mean of {len(both)} pairs",
                mean,
                mean_baseline,
                1.0,
                "how alike pairs of columns go together",
            )
            worst, its_baseline, subject = min(both)
            yield Score(metric, f"worst: {subject}", worst, its_baseline, 1.0, "the pair that is least alike")


def _learned(synthetic: Frame, train: Frame, holdout: Frame, target: str) -> Iterator[Score]:
    told, told_baseline = c2st(synthetic, holdout), c2st(train, holdout)
    yield Score(
        "C2ST", "all columns", told, told_baseline, 0.5, "AUC of a classifier that tells the two apart"
    )
    metric, value = utility(synthetic, holdout, target)
    _, baseline = utility(train, holdout, target)
    meaning = f"{metric} on the real holdout, trained on synthetic; baseline: trained on real (TRTR)"
    yield Score("TSTR", target, value, baseline, 1.0, meaning)
    copied, chance = identical_share(synthetic, train), identical_share(holdout, train)
    yield Score(
        "IMS",
        "all columns",
        copied,
        chance,
        0.0,
        "share of rows that stand identically in the real training half",
    )
    half = holdout.rows // 2
    first, second = holdout.take(np.arange(half)), holdout.take(np.arange(half, holdout.rows))
    nearer, nearer_baseline = closer_share(synthetic, train, holdout), closer_share(first, train, second)
    yield Score(
        "DCR share",
        "all columns",
        nearer,
        nearer_baseline,
        0.5,
        "share nearer to the real training half than to the holdout (a copying check)",
    )
