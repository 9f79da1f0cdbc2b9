"""Laboratory values: within their intervals when healthy, correlated, and in agreement with each other."""

from __future__ import annotations

import numpy as np
import pytest

from rarecase.healthcare.data.laboratory import DERIVED, laboratory
from rarecase.healthcare.data.values import results, scores

ROWS = 40_000


def _panel(name: str, age: int = 40, sex: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    panel, rng = laboratory().panel(name), np.random.default_rng(1)
    score = scores(panel, rng.standard_normal((len(panel), ROWS)), rng.standard_normal((len(panel), ROWS)))
    values, flags = results(panel, score, np.full(ROWS, sex), np.full(ROWS, age))
    codes = [laboratory().analytes[at].code for at in panel.analytes]
    return dict(zip(codes, values, strict=True)), dict(zip(codes, flags, strict=True))


@pytest.mark.parametrize("panel", [found.name for found in laboratory().panels])
@pytest.mark.parametrize("sex", [0, 1])
def test_healthy_people_lie_within_the_interval(panel: str, sex: int) -> None:
    _, flags = _panel(panel, sex=sex)
    for code, flag in flags.items():
        law = laboratory().analytes[laboratory().analyte(code)].law
        if law not in DERIVED:
            # 95 % by definition; rounding to few digits, and what cannot exceed 100 %, move the edge.
            assert 0.92 < (flag == 1).mean() < 0.995, code


def test_tests_hang_together_as_declared() -> None:
    blood, _ = _panel("blood")
    assert np.corrcoef(blood["hemoglobin"], blood["hematocrit"])[0, 1] == pytest.approx(0.95, abs=0.02)
    fats, _ = _panel("lipids")
    assert np.corrcoef(np.log(fats["triglycerides"]), np.log(fats["hdl"]))[0, 1] == pytest.approx(
        -0.4, abs=0.03
    )


def test_formulas_hold_on_the_rounded_values() -> None:
    blood, _ = _panel("blood")
    assert np.abs(blood["mcv"] - 10 * blood["hematocrit"] / blood["erythrocytes"]).max() <= 0.0501
    fats, _ = _panel("lipids")
    total = fats["ldl"] + fats["hdl"] + fats["triglycerides"] / 5
    assert np.abs(fats["cholesterol"] - total).max() <= 0.501
    kidney, _ = _panel("metabolic", sex=1)
    mdrd = 175 * kidney["creatinine"] ** -1.154 * 40**-0.203 * 0.742
    assert np.abs(kidney["egfr"] - mdrd).max() <= 0.501


def test_children_have_values_of_children() -> None:
    grown, _ = _panel("vitals", age=40)
    child, _ = _panel("vitals", age=2)
    assert child["heart_rate"].mean() > grown["heart_rate"].mean() + 25
    assert child["sbp"].mean() < grown["sbp"].mean() - 20


def test_values_are_rounded_to_their_decimals() -> None:
    blood, _ = _panel("blood")
    for code, values in blood.items():
        decimals = laboratory().analytes[laboratory().analyte(code)].decimals
        assert (np.round(values, decimals) == values).all(), code
