"""What no schema sees: whether a scenario file and its road file fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from rarecase.common.errors import Finding, Findings


def crosscheck(scenario: bytes, roads: bytes, road_file: str) -> Findings:
    """Check an OpenSCENARIO file against the OpenDRIVE file that it should refer to.

    Parameters
    ----------
    scenario, roads
        Contents of the two files.
    road_file
        Path of the road file as the scenario must say it.

    Returns
    -------
    Findings
        Errors for another road file, and for positions on unknown roads or lanes or beyond a road's
        length, and for
        entities that are referred to and not declared.
    """
    return Findings(_found(ElementTree.fromstring(scenario), ElementTree.fromstring(roads), road_file))


def _found(scenario: Element, roads: Element, road_file: str) -> Iterator[Finding]:
    said = [str(element.get("filepath")) for element in scenario.iter("LogicFile")]
    if said != [road_file]:
        yield _error("road_file", len(said), f"the scenario refers to {said}, not to {road_file}")
    length = {road.get("id"): float(road.get("length", "nan")) for road in roads.iter("road")}
    lanes = {(road.get("id"), lane.get("id")) for road in roads.iter("road") for lane in road.iter("lane")}
    places = list(scenario.iter("LanePosition"))
    unknown = [place for place in places if place.get("roadId") not in length]
    if unknown:
        yield _error("road", len(unknown), f"unknown road {unknown[0].get('roadId')}")
    known = [place for place in places if place.get("roadId") in length]
    laneless = [place for place in known if (place.get("roadId"), place.get("laneId")) not in lanes]
    if laneless:
        yield _error("lane", len(laneless), f"unknown lane {laneless[0].get('laneId')}")
    beyond = [
        place for place in known if not 0 <= float(place.get("s", "nan")) <= length[place.get("roadId")]
    ]
    if beyond:
        yield _error("station", len(beyond), f"station {beyond[0].get('s')} beyond the road")
    declared = {element.get("name") for element in scenario.iter("ScenarioObject")}
    strangers = [element for element in scenario.iter() if element.get("entityRef") not in (None, *declared)]
    if strangers:
        yield _error("entity", len(strangers), f"unknown entity {strangers[0].get('entityRef')}")


def _error(rule: str, count: int, message: str) -> Finding:
    return Finding("error", f"crosscheck.{rule}", None, None, count, message)
