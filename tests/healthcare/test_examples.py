"""Every shipped example is loaded, planted and kept; the story in examples/ is made as its README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarecase.common import registry
from rarecase.common.plan import make_plan
from rarecase.common.run import generate
from rarecase.common.spec import load_spec, parse_yaml

STORIES = Path(__file__).resolve().parents[2] / "examples" / "healthcare"


@pytest.mark.parametrize("name", ["default", "natural"])
def test_examples_are_planned(name: str) -> None:
    domain = registry.get("healthcare")
    spec = load_spec(parse_yaml(domain.examples[name], name))
    counts = make_plan(spec).case_counts()
    assert {case.kind for case in spec.cases} == set(domain.kinds())
    assert all(counts.values()) or name == "natural"


@pytest.mark.parametrize("story", sorted(STORIES.iterdir()), ids=lambda story: story.name)
def test_stories_are_made_without_findings(story: Path) -> None:
    dataset = generate(load_spec(story / "spec.yaml"))
    with dataset.connect() as connection:
        assert list(dataset.domain.checks(connection, dataset.spec)) == []
    counts = dataset.tables["cases"].column("name").value_counts().to_pylist()
    text = (story / "README.md").read_text(encoding="utf-8")
    for row in counts:
        assert f"| {row['values']} | {row['counts']} |" in text
