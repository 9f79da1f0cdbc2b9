"""Errors are sentences for people; findings are data."""

from __future__ import annotations

import json
import pickle

import pytest

from rarecase.common.errors import CheckError, Finding, Findings, InputError, SpecError, nearest


def test_an_error_says_where_what_expected_and_what_to_do() -> None:
    error = SpecError(
        "cases[2].count", -5, "a whole number of at least 0", nearest="count", hint="Use 0 for none."
    )
    assert str(error) == (
        "cases[2].count=-5: expected a whole number of at least 0. Did you mean 'count'? Use 0 for none."
    )
    assert error.exit_code == 2


def test_a_long_value_is_shortened() -> None:
    assert len(str(InputError("path", "x" * 10_000, "less"))) < 200


def test_errors_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(SpecError("a", 1, "b", hint="c")))
    assert str(error) == "a=1: expected b. c"
    findings = Findings([Finding("error", "rule", "table", None, 1, "wrong")])
    assert pickle.loads(pickle.dumps(CheckError(findings))).findings == findings


@pytest.mark.parametrize(
    ("word", "expected"), [("finanse", "finance"), ("FINANCE", "finance"), ("zzz", None)]
)
def test_the_nearest_name_is_offered_only_when_near(word: str, expected: str | None) -> None:
    assert nearest(word, ["finance", "healthcare"]) == expected


def test_only_errors_make_a_set_unfit() -> None:
    note = Finding("note", "a", None, None, 0, "said")
    error = Finding("error", "b", "t", "c", 3, "broken", ("1", "2"))
    assert Findings([note]).ok
    findings = Findings([note, error])
    assert not findings.ok
    assert json.loads(findings.to_json())[1]["examples"] == ["1", "2"]
    with pytest.raises(CheckError, match="broken"):
        findings.raise_if_errors()
