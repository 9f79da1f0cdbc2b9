"""Roads as OpenDRIVE 1.7: lines, spirals and arcs, grades, lanes, and the friction of their material."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from rarecase.automotive.formats.episodes import Scenario
from rarecase.automotive.formats.geometry import heights, starts

ROAD_ID = "1"
SHOULDER_M = 1.5
_TYPE = {"urban": "town", "rural": "rural", "motorway": "motorway"}


def opendrive(scenario: Scenario, date: str) -> bytes:
    """The road of a scenario as an OpenDRIVE file; `date` stands in its header instead of the clock."""
    root = Element("OpenDRIVE")
    _header(root, scenario, date)
    road = _add(
        root,
        "road",
        name=scenario.name,
        length=f"{scenario.road['length_m']:.2f}",
        id=ROAD_ID,
        junction="-1",
        rule="RHT",
    )
    kind = _add(road, "type", s="0", type=_TYPE[scenario.road["road_class"]])
    _add(kind, "speed", max=str(scenario.road["speed_limit_kmh"]), unit="km/h")
    _plan_view(road, scenario)
    _elevation(road, scenario)
    _lanes(road, scenario)
    return _text(root)


def _header(root: Element, scenario: Scenario, date: str) -> None:
    points = starts(scenario.segments)
    x, y = [point[0] for point in points], [point[1] for point in points]
    _add(
        root,
        "header",
        revMajor="1",
        revMinor="7",
        name=scenario.name,
        version="1.00",
        date=date,
        north=f"{max(y):.3f}",
        south=f"{min(y):.3f}",
        east=f"{max(x):.3f}",
        west=f"{min(x):.3f}",
        vendor="rarecase (synthetic)",
    )


def _plan_view(road: Element, scenario: Scenario) -> None:
    view = _add(road, "planView")
    for segment, (x, y, heading) in zip(scenario.segments, starts(scenario.segments), strict=False):
        piece = _add(
            view,
            "geometry",
            s=f"{segment['from_m']:.2f}",
            x=f"{x:.6f}",
            y=f"{y:.6f}",
            hdg=f"{heading:.9f}",
            length=f"{segment['length_m']:.2f}",
        )
        first, last = f"{segment['curvature_start']:.7f}", f"{segment['curvature_end']:.7f}"
        if segment["kind"] == "spiral":
            _add(piece, "spiral", curvStart=first, curvEnd=last)
        elif segment["kind"] == "arc":
            _add(piece, "arc", curvature=first)
        else:
            _add(piece, "line")


def _elevation(road: Element, scenario: Scenario) -> None:
    profile = _add(road, "elevationProfile")
    going_on: float | None = None
    for segment, height in zip(scenario.segments, heights(scenario.segments), strict=False):
        change = (segment["grade_end"] - segment["grade_start"]) / (2.0 * segment["length_m"])
        if going_on is not None and abs(change - going_on) < 1e-12:
            continue  # the same curve goes on: saying it again is an issue for checkers
        going_on = change
        _add(
            profile,
            "elevation",
            s=f"{segment['from_m']:.2f}",
            a=f"{height:.6f}",
            b=f"{segment['grade_start']:.6f}",
            c=f"{change:.12f}",
            d="0",
        )


def _lanes(road: Element, scenario: Scenario) -> None:
    lanes = _add(road, "lanes")
    width, count = scenario.road["lane_width_m"], scenario.road["lanes"]
    # Stations are those of the lanes' middle, so that is where the reference line runs.
    _add(lanes, "laneOffset", s="0", a=f"{width * count / 2:.4f}", b="0", c="0", d="0")
    section = _add(lanes, "laneSection", s="0")
    _lane(_add(section, "left"), 1, "shoulder", SHOULDER_M, "none", scenario)
    center = _add(_add(section, "center"), "lane", id="0", type="none", level="false")
    _add(center, "roadMark", sOffset="0", type="solid", weight="standard", color="standard", width="0.12")
    right = _add(section, "right")
    for number in range(1, count + 1):
        _lane(right, -number, "driving", width, "solid" if number == count else "broken", scenario)
    _lane(right, -count - 1, "shoulder", SHOULDER_M, "none", scenario)


def _lane(side: Element, number: int, kind: str, width: float, mark: str, scenario: Scenario) -> None:
    lane = _add(side, "lane", id=str(number), type=kind, level="false")
    _add(lane, "width", sOffset="0", a=f"{width:.2f}", b="0", c="0", d="0")
    if mark != "none":
        _add(lane, "roadMark", sOffset="0", type=mark, weight="standard", color="standard", width="0.12")
    for station, friction in scenario.materials:
        _add(
            lane,
            "material",
            sOffset=f"{station:.1f}",
            surface=scenario.road["surface"],
            friction=f"{friction:.2f}",
        )


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _text(root: Element) -> bytes:
    ElementTree.indent(root, " ")
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"
