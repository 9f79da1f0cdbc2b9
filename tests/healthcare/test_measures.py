"""The figures of the default world stand within their published ranges."""

from __future__ import annotations

import pytest

from rarecase.common.dataset import Dataset
from rarecase.healthcare.measures import measures
from tests.healthcare.conftest import world_of


@pytest.fixture(scope="module")
def figures(world: Dataset) -> dict[str, float]:
    return {found.name: found.value for found in measures(world)}


def test_every_judged_figure_is_inside(world: Dataset) -> None:
    found = measures(world)
    assert len(found) >= 14
    # Ranges are four standard errors wide beyond what is published.
    assert [figure.name for figure in found if figure.inside is False] == []
    assert {figure.evidence for figure in found} >= {"observed", "survey", "expert"}


def test_the_weighted_prevalence_is_the_natural_one(figures: dict[str, float]) -> None:
    assert figures["rare disease, prevalence"] == pytest.approx(0.0469, abs=0.012)


def test_figures_tell_a_world_that_is_not_the_published_one() -> None:
    """Nobody below sixty, seen five times as often: the census shape follows the spec, the use does not."""
    old = world_of(population={"youngest": 60, "visits": 5.0}, cases=[])
    found = {figure.name: figure for figure in measures(old)}
    assert found["women"].published is not None
    assert found["women"].published > 0.53
    assert found["ambulatory encounters"].value > 10
    assert "observed terms per case" not in found
