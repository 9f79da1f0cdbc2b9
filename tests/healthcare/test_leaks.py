"""Hundreds of cases of each kind: no single column may tell them, at any of three seeds."""

from __future__ import annotations

import pytest

from rarecase.common.evaluate.leaks import leak_findings
from rarecase.common.run import generate
from rarecase.common.spec import build_spec

KINDS = ("rare_disease", "interaction", "separated_pair")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_single_column_tells_four_hundred_cases(seed: int) -> None:
    cases = [{"kind": kind, "count": 400, "difficulty": 0.5} for kind in KINDS]
    raw = {"domain": "healthcare", "seed": seed, "size": 16_000, "block": 4_000, "cases": cases}
    found = leak_findings(generate(build_spec(raw)))
    assert [finding.message for finding in found if finding.level != "note"] == []


def test_no_single_column_tells_who_is_recognised_within_the_window() -> None:
    cases = [{"kind": "rare_disease", "count": 400, "difficulty": 0.5, "diagnosis": "within"}]
    raw = {"domain": "healthcare", "seed": 4, "size": 16_000, "block": 4_000, "cases": cases}
    found = leak_findings(generate(build_spec(raw)))
    assert [finding.message for finding in found if finding.level != "note"] == []
