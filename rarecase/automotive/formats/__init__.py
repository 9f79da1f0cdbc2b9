"""Scenario files: every case as a pair of OpenSCENARIO 1.2 and OpenDRIVE 1.7 that state one friction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rarecase.automotive.formats.crosscheck import crosscheck
from rarecase.automotive.formats.episodes import scenarios
from rarecase.automotive.formats.opendrive import opendrive
from rarecase.automotive.formats.openscenario import openscenario
from rarecase.common.domain import Document, Format

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

__all__ = ["FORMATS", "crosscheck", "scenario_library"]


def scenario_library(dataset: Dataset) -> Iterator[Document]:
    """A pair of files per case and look-alike, or per episode where there is none.

    The dates in the headers are the first day of the data, so that the same data give the same bytes.

    Raises
    ------
    CheckError
        When a scenario and its road do not fit each other: a fault of ours.
    """
    date = f"{dataset.spec.start.isoformat()}T00:00:00"
    for scenario in scenarios(dataset):
        road_file = f"{scenario.name}.xodr"
        roads = opendrive(scenario, date)
        text = openscenario(scenario, date, f"./{road_file}")
        crosscheck(text, roads, f"./{road_file}").raise_if_errors()
        yield Document(road_file, roads)
        yield Document(f"{scenario.name}.xosc", text)


FORMATS: Mapping[str, Format] = {
    "openscenario": Format("openscenario", "OpenSCENARIO 1.2 with OpenDRIVE 1.7", scenario_library)
}
