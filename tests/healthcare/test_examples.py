"""Every shipped example is loaded, planted and kept; the story in examples/ is made as its README says."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from rarecase.common import registry
from rarecase.common.plan import make_plan
from rarecase.common.run import generate
from rarecase.common.spec import load_spec, parse_yaml
from rarecase.common.validate import validate

STORIES = Path(__file__).resolve().parents[2] / "examples" / "healthcare"


@pytest.mark.parametrize("name", ["default", "natural"])
def test_examples_are_planned(name: str) -> None:
    domain = registry.get("healthcare")
    spec = load_spec(parse_yaml(domain.examples[name], name))
    counts = make_plan(spec).case_counts()
    assert {case.kind for case in spec.cases} == set(domain.kinds())
    assert all(counts.values()) or name == "natural"


def test_the_default_world_is_valid_and_tells_nothing_by_a_single_column() -> None:
    domain = registry.get("healthcare")
    found = validate(generate(load_spec(parse_yaml(domain.examples["default"], "default"))))
    assert [finding for finding in found if finding.level != "note"] == []


def test_a_diagnosis_is_not_known_before_it_is_made() -> None:
    spec = load_spec(STORIES / "rare-disease-cohort" / "spec.yaml")
    dataset = generate(spec)
    born = dataset.tables["patients"].to_pandas().set_index("patient_id").birth_date
    boys = dataset.tables["cases"].to_pandas()
    boys = boys[boys.name == "duchenne"]
    age = (pd.Timestamp(spec.start) - pd.to_datetime(born.loc[boys.entity_id])).dt.days / 365.25
    assert age.max() < 20
    delays = [json.loads(text)["delay_years"] for text in boys.parameters]
    assert max(delays) <= 7.01
    middle = spec.start + (spec.end - spec.start) / 2
    cases = dataset.tables["cases"].to_pandas()
    named = cases[(cases.name == "duchenne")].set_index("entity_id").detected_at
    known = dataset.frame("conditions", as_of=middle)
    rare = known[known.orpha == 98896]
    assert 5 < len(rare) < len(named)
    assert (named.loc[rare.patient_id] <= pd.Timestamp(middle)).all()
    drugs = dataset.frame("medications", as_of=middle)
    assert drugs.ended_at.max() <= pd.Timestamp(middle)


@pytest.mark.parametrize("story", sorted(STORIES.iterdir()), ids=lambda story: story.name)
def test_stories_are_made_without_findings(story: Path) -> None:
    dataset = generate(load_spec(story / "spec.yaml"))
    with dataset.connect() as connection:
        assert list(dataset.domain.checks(connection, dataset.spec)) == []
    counts = dataset.tables["cases"].column("name").value_counts().to_pylist()
    text = (story / "README.md").read_text(encoding="utf-8")
    for row in counts:
        assert f"| {row['values']} | {row['counts']} |" in text
