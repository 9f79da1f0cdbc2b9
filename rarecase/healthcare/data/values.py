"""From standard scores to results: correlation, age, sex, formulas and rounding, whole panels at once.

Scores and values have the shape (tests of the panel, rows): one contiguous row of memory per test.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.healthcare.data.laboratory import OLDEST, Analyte, Laboratory, Panel, laboratory

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOW, NORMAL, HIGH = 0, 1, 2
GROWN_UP = 18


@lru_cache(maxsize=64)
def _order(panel: str) -> tuple[tuple[int, int, float], ...]:
    """(test, parent or -1, correlation) of a panel, by place in it, parents before children."""
    found = [analyte for analyte in laboratory().analytes if analyte.panel == panel]
    place = {analyte.code: at for at, analyte in enumerate(found)}
    done: list[tuple[int, int, float]] = []
    while len(done) < len(found):
        ready = {at for at, _, _ in done}
        for at, analyte in enumerate(found):
            if at not in ready and (not analyte.parent or place[analyte.parent] in ready):
                done.append((at, place.get(analyte.parent, -1), analyte.correlation))
    return tuple(done)


def scores(panel: Panel, personal: Floats, noise: Floats) -> Floats:
    """Correlated standard scores from what is the person's and what is the visit's.

    Parameters
    ----------
    personal, noise
        Independent standard normals, shape (tests, rows). `noise` is overwritten and returned.
    """
    tests = laboratory().analytes
    for place, analyte in enumerate(panel.analytes):
        share = tests[analyte].personal
        noise[place] *= np.sqrt(1 - share)
        noise[place] += np.sqrt(share) * personal[place]
    for place, parent, correlation in _order(panel.name):
        if parent >= 0:
            noise[place] *= np.sqrt(1 - correlation**2)
            noise[place] += correlation * noise[parent]
    return noise


def results(panel: Panel, score: Floats, sex: Ints, age: Ints) -> tuple[Floats, NDArray[np.int8]]:
    """Rounded results and their interpretation, shapes (tests, rows).

    Parameters
    ----------
    score
        Standard scores, shape (tests, rows).
    sex, age
        Of each row's patient; age in whole years.
    """
    book = laboratory()
    values = np.empty_like(score)
    flags = np.empty(score.shape, dtype=np.int8)
    years = np.clip(age, 0, OLDEST - 1)
    places = {book.analytes[at].code: place for place, at in enumerate(panel.analytes)}
    for place, at in enumerate(panel.analytes):
        analyte = book.analytes[at]
        factor = book.age_factor[years, at]
        drawn = _drawn(book, analyte, int(at), score[place], sex, factor)
        raw = drawn if drawn is not None else _derived(analyte.law, values, places, sex, age)
        values[place] = _rounded(np.clip(raw, analyte.minimum, analyte.maximum), analyte.decimals)
        flags[place] = _flags(analyte, values[place], sex, factor)
    return values, flags


def _drawn(
    book: Laboratory, analyte: Analyte, at: int, score: Floats, sex: Ints, factor: Floats
) -> Floats | None:
    if analyte.law not in ("normal", "log"):
        return None
    raw = book.centre[sex, at] + book.spread[sex, at] * score
    return np.asarray((np.exp(raw) if analyte.law == "log" else raw) * factor, np.float64)


def _derived(law: str, values: Floats, places: dict[str, int], sex: Ints, age: Ints) -> Floats:
    """Formulas over results of the same panel, as rounded, so that a reader finds them to agree."""

    def of(code: str) -> Floats:
        return np.asarray(values[places[code]], np.float64)

    if law == "mcv":
        return 10 * of("hematocrit") / of("erythrocytes")
    if law == "mch":
        return 10 * of("hemoglobin") / of("erythrocytes")
    if law == "mchc":
        return 100 * of("hemoglobin") / of("hematocrit")
    if law == "egfr":
        # MDRD study equation, IDMS-traceable (Levey 2006, Ann Intern Med 145:247); for adults only.
        years = np.maximum(age, GROWN_UP).astype(np.float64)
        return 175 * of("creatinine") ** -1.154 * years**-0.203 * np.where(sex == 1, 0.742, 1.0)
    if law == "cholesterol":
        # Friedewald 1972, Clin Chem 18:499, solved for the total.
        return of("ldl") + of("hdl") + of("triglycerides") / 5
    raise ValueError(f"no formula {law}")


def _rounded(values: Floats, decimals: int) -> Floats:
    scale = 10.0**decimals
    return np.asarray(np.rint(values * scale) / scale, np.float64)


def _flags(analyte: Analyte, values: Floats, sex: Ints, factor: Floats) -> NDArray[np.int8]:
    low, high = np.array(analyte.low)[sex] * factor, np.array(analyte.high)[sex] * factor
    return np.asarray(NORMAL + (values > high).astype(np.int8) - (values < low).astype(np.int8), np.int8)
