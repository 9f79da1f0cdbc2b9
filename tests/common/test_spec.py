"""Specs: every way to say one, and every way to say one wrongly."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rarecase.common.errors import SpecError
from rarecase.common.spec import MAX_BYTES, build_spec, dump_spec, load_spec, parse_yaml

BASE: dict[str, Any] = {"domain": "toy", "size": 100, "block": 40, "start": date(2025, 1, 1), "days": 30}

YAML = """
domain: toy
size: 100
block: 40
start: 2025-01-01
days: 30
cases:
  - {kind: visit, count: 3}
"""
TOML = """domain = "toy"
size = 100
block = 40
start = 2025-01-01
days = 30
[[cases]]
kind = "visit"
count = 3
"""
JSON = json.dumps(
    {
        "domain": "toy",
        "size": 100,
        "block": 40,
        "start": "2025-01-01",
        "days": 30,
        "cases": [{"kind": "visit", "count": 3}],
    }
)


def test_yaml_json_toml_and_a_dict_say_the_same(tmp_path: Path) -> None:
    specs = [build_spec({**BASE, "cases": [{"kind": "visit", "count": 3}]})]
    for name, text in {"s.yaml": YAML, "s.json": JSON, "s.toml": TOML}.items():
        (tmp_path / name).write_text(text)
        specs.append(load_spec(tmp_path / name))
    assert all(spec == specs[0] for spec in specs)


def test_a_spec_written_down_is_the_same_spec() -> None:
    spec = build_spec({**BASE, "cases": [{"kind": "visit", "rate": {"value": 0.1, "per": "entity"}}]})
    assert build_spec(parse_yaml(dump_spec(spec), "again")) == spec


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"sieze": 1}, "sieze", "Did you mean 'size'?"),
        ({"size": "many"}, "size", "whole number"),
        ({"size": True}, "size", "whole number"),
        ({"size": "500"}, "size", "whole number"),
        ({"seed": 1.0}, "seed", "whole number"),
        ({"start": 1735689600}, "start", "a date"),
        ({"cases": 3}, "cases", "a list of cases"),
        ({"cases": [{"kind": "visit", "count": True}]}, "cases[0].count", "whole number"),
        ({"size": -1}, "size", "greater than 0"),
        ({"days": -5}, "days", "greater than 0"),
        ({"days": 10**9}, "days", "less than"),
        ({"seed": -1}, "seed", "greater"),
        ({"start": "yesterday"}, "start", "date"),
        ({"start": date(1500, 1, 1)}, "start", "between"),
        ({"population": {"colour": 1}}, "population.colour", "no such key"),
        ({"identifiers": "real"}, "identifiers", "checkable"),
        ({"cases": [{"kind": "visti", "count": 1}]}, "cases[0].kind", "Did you mean 'visit'?"),
        ({"cases": [{"count": 1}]}, "cases[0].kind", "kind"),
        ({"cases": [{"kind": "visit", "count": -5}]}, "cases[0].count=-5", "greater than or equal to 0"),
        ({"cases": [{"kind": "visit"}]}, "cases[0]", "exactly one of count and rate"),
        ({"cases": [{"kind": "visit", "count": 1, "rate": "natural"}]}, "cases[0]", "exactly one"),
        ({"cases": [{"kind": "visit", "count": 1, "enrich": 3}]}, "cases[0]", "enrich"),
        ({"cases": [{"kind": "visit", "rate": {"value": -1}}]}, "cases[0].rate.value", "greater"),
        ({"cases": [{"kind": "visit", "rate": "often"}]}, "cases[0].rate", "natural"),
        ({"cases": [{"kind": "visit", "count": 1, "coutn": 1}]}, "cases[0].coutn", "Did you mean 'count'?"),
        ({"cases": [{"kind": "visit", "count": 1, "difficulty": 2}]}, "cases[0].difficulty", "less than"),
        ({"cases": [{"kind": "visit", "count": 1}, {"kind": "visit", "count": 2}]}, "cases[1].name", "name"),
        ({"domain": "toyy"}, "domain", "Did you mean 'toy'?"),
    ],
)
def test_a_wrong_spec_is_told_where_and_what_was_expected(
    change: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(SpecError) as caught:
        build_spec({**BASE, **change})
    assert str(caught.value).startswith(path), str(caught.value)
    assert words in str(caught.value)


def test_the_domain_and_the_size_must_be_said() -> None:
    with pytest.raises(SpecError, match="domain="):
        build_spec({"size": 1})
    with pytest.raises(SpecError, match="size="):
        build_spec({key: value for key, value in BASE.items() if key != "size"})


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "aliases"),
        ("domain: !!python/object/apply:os.system ['true']", "tags"),
        ("domain: toy\ndomain: finance", "given twice"),
        ("1: 2", "not text"),
        ("[" * 5_000, "YAML"),
        ("- a\n- b", "mapping"),
        ("a: b: c", "line 1"),
        ("start: 2024-13-01", "month"),
        ("a: 1\n---\nb: 2", "one YAML document"),
    ],
)
def test_yaml_that_is_dangerous_or_broken_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=words):
        load_spec(path)


@pytest.mark.parametrize("text", ['{"domain": "toy", "domain": "toy"}', "{", '{"a": ' * 100_000])
def test_broken_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spec.json"
    path.write_text(text)
    with pytest.raises(SpecError, match="valid JSON"):
        load_spec(path)


@pytest.mark.parametrize("name", ["s.yaml", "s.json"])
def test_many_keys_are_refused_in_linear_time(tmp_path: Path, name: str) -> None:
    # Quadratic time would take minutes for these; the name of the first unknown key is told.
    keys = {f"k{i}": 1 for i in range(60_000)}
    text = (
        json.dumps({"domain": "toy", **keys})
        if name.endswith("json")
        else "\n".join(["domain: toy", *(f"{key}: 1" for key in keys)])
    )
    (tmp_path / name).write_text(text)
    with pytest.raises(SpecError):
        load_spec(tmp_path / name)


def test_a_spec_of_ten_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"#" * (10 * MAX_BYTES))
    with pytest.raises(SpecError, match="at most"):
        load_spec(path)


@pytest.mark.parametrize("make", ["missing", "folder", "binary"])
def test_a_spec_that_cannot_be_read_says_so(tmp_path: Path, make: str) -> None:
    path = tmp_path / "spec.yaml"
    if make == "folder":
        path.mkdir()
    elif make == "binary":
        path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SpecError, match="readable spec file"):
        load_spec(path)
