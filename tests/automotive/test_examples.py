"""The examples and the shipped tables are what their pages say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rarecase.automotive import DOMAIN, data
from rarecase.automotive.formats import scenario_library
from rarecase.automotive.schema import ROAD_CLASSES, SURFACES, VEHICLE_KINDS
from rarecase.common.plan import make_plan
from rarecase.common.run import generate
from rarecase.common.spec import build_spec, load_spec, parse_yaml
from rarecase.common.validate import validate
from tests.automotive.conftest import ROOT

STORIES = sorted(path.parent for path in (ROOT / "examples" / "automotive").glob("*/spec.yaml"))


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_a_story_runs_as_its_page_says(story: Path) -> None:
    made = generate(load_spec(story / "spec.yaml"), twin=True)
    assert validate(made).ok
    page = (story / "README.md").read_text()
    documents = {document.path: document.content for document in scenario_library(made)}
    pairs = sum(path.endswith(".xosc") for path in documents)
    assert f"{pairs} pairs" in page
    assert pairs == made.table("cases").num_rows
    shown = " ".join(line.strip() for line in page.splitlines())
    assert made.frame("cases")["story"].iloc[0] in shown


def test_every_shipped_table_says_where_it_is_from() -> None:
    told = tomllib.loads(data.text("SOURCES.toml"))
    folder = Path(data.__file__).parent
    assert {path.stem for path in folder.glob("*.csv")} == set(told)
    for name, entry in told.items():
        assert {"source", "version", "licence", "evidence"} <= set(entry), name


def test_codes_follow_the_tables() -> None:
    assert data.words("surfaces", "surface") == SURFACES
    assert data.words("vehicle_kinds", "kind") == VEHICLE_KINDS
    assert data.words("road_classes", "road_class") == ROAD_CLASSES
    for name in ("surfaces", "vehicle_kinds", "road_classes"):
        assert data.numbers(name, "share").sum() == pytest.approx(1.0)


def test_the_default_example_is_a_first_look() -> None:
    spec = build_spec(parse_yaml(DOMAIN.examples["default"], "default"))
    counts = make_plan(spec).case_counts()
    assert set(counts) == set(DOMAIN.kinds())
    assert all(count >= 5 for count in counts.values())
