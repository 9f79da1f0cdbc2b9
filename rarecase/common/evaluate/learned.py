"""Scores that need scikit-learn: C2ST, TSTR beside TRTR, and the copying check."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rarecase.common.errors import InputError
from rarecase.common.evaluate.real import Frame

__all__ = ["c2st", "closer_share", "identical_share", "require_sklearn", "utility"]

Floats = npt.NDArray[np.float64]
_FOLDS = 5
_NEIGHBOURS_AMONG = 3_000
_FEWEST_OF_A_CLASS = 2


def require_sklearn() -> None:
    """Raise `InputError` with the command to install scikit-learn where it is missing."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise InputError(
            "--real",
            "scikit-learn",
            "the optional extra",
            hint="Install it: pip install 'rarecase[evaluate]'",
        ) from None


def c2st(one: Frame, other: Frame) -> float:
    """AUC of a classifier that tells two samples apart, cross-validated; 0.5 is indistinguishable."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    features = np.vstack([one.matrix(), other.matrix()])
    origin = np.repeat([0, 1], [one.rows, other.rows])
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    said = cross_val_predict(_classifier(), features, origin, cv=folds, method="predict_proba")[:, 1]
    return _auc(origin == 1, said)


def utility(train: Frame, test: Frame, target: str) -> tuple[str, float]:
    """Name and value of how well a model trained on one sample predicts the target in the other.

    AUC for two classes, accuracy for more, R² for a number; NaN where the training side has one class only.
    """
    if target in train.numbers:
        return "R2", _regression(train, test, target)
    answers, asked = train.classes[target], test.classes[target]
    known, counts = np.unique(answers, return_counts=True)
    many = len(np.unique(np.concatenate([answers, asked]))) > 2
    metric = "accuracy" if many else "AUC"
    if len(known) < 2 or (counts.min() < _FEWEST_OF_A_CLASS and not many) or len(np.unique(asked)) < 2:
        return metric, math.nan
    model = _classifier().fit(train.matrix(target), answers)
    if many:
        return metric, float((model.predict(test.matrix(target)) == asked).mean())
    return metric, _auc(asked == known[1], model.predict_proba(test.matrix(target))[:, 1])


def _regression(train: Frame, test: Frame, target: str) -> float:
    from sklearn.ensemble import HistGradientBoostingRegressor

    learn, ask = ~np.isnan(train.numbers[target]), ~np.isnan(test.numbers[target])
    if learn.sum() < 2 or ask.sum() < 2 or np.ptp(test.numbers[target][ask]) == 0:
        return math.nan
    model = HistGradientBoostingRegressor(random_state=0, early_stopping=False)
    model.fit(train.matrix(target)[learn], train.numbers[target][learn])
    return float(model.score(test.matrix(target)[ask], test.numbers[target][ask]))


def _classifier() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=60, random_state=0, early_stopping=False)


def _auc(truth: npt.NDArray[np.bool_], said: Floats) -> float:
    below = np.sort(said[~truth])
    placed = np.searchsorted(below, said[truth], "left") + np.searchsorted(below, said[truth], "right")
    return float(placed.mean() / (2 * len(below)))


def identical_share(rows: Frame, among: Frame) -> float:
    """Share of rows that stand, value for value, in the other sample."""
    return float(np.isin(_packed(rows), _packed(among)).mean())


def _packed(frame: Frame) -> npt.NDArray[np.void]:
    matrix = np.ascontiguousarray(np.nan_to_num(frame.matrix(), nan=np.inf))
    return matrix.view(np.dtype((np.void, matrix.shape[1] * matrix.itemsize))).ravel()


def closer_share(rows: Frame, to: Frame, than: Frame) -> float:
    """Share of rows whose nearest neighbour in `to` is nearer than that in `than`, ties half; 0.5 is no
    copying.

    Distances are Manhattan over ranks of numbers and mismatches of classes; both references are cut to one
    size.
    """
    from sklearn.neighbors import NearestNeighbors

    size = min(to.rows, than.rows, _NEIGHBOURS_AMONG)
    head = np.arange(size)
    to, than = to.take(head), than.take(head)
    asked = _ranked(rows.take(np.arange(min(rows.rows, _NEIGHBOURS_AMONG))), to, than)
    distances = [
        NearestNeighbors(n_neighbors=1, algorithm="brute", metric="manhattan")
        .fit(_ranked(side, to, than))
        .kneighbors(asked)[0]
        for side in (to, than)
    ]
    near, far = np.round(distances[0], 9), np.round(distances[1], 9)
    return float(((near < far) + 0.5 * (near == far)).mean())


def _ranked(frame: Frame, *references: Frame) -> Floats:
    columns: list[Floats] = []
    for name, values in frame.numbers.items():
        scale = np.sort(np.concatenate([reference.numbers[name] for reference in references]))
        rank = np.searchsorted(scale, values, "left") + np.searchsorted(scale, values, "right")
        columns.append(np.where(np.isnan(values), 2.0, rank / (2 * len(scale))))
    for codes in frame.classes.values():
        shown = np.minimum(codes, 20)[:, None] == np.arange(21)
        columns.extend(np.where(shown, 0.5, 0.0).T)
    return np.column_stack(columns)
