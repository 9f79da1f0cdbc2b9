"""The scenario files state one friction, and their motion obeys it: read back with nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from rarecase.automotive.formats import crosscheck, scenario_library
from rarecase.automotive.formats.episodes import stations
from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from tests.automotive.conftest import default_spec

GRAVITY = 9.81
STEP_S = 0.1
#: Differences of stations on a 50 µm grid are exact; those of offsets (0.1 mm) and rounding leave this much.
FORCE_TOLERANCE = 0.06
Float = NDArray[np.float64]


@dataclass
class Road:
    """A road file as a stranger reads it."""

    length: float
    geometry: list[tuple[float, float, float, float]]  # s, length, curvature at start and end
    elevation: list[tuple[float, ...]]  # s, a, b, c, d
    material: dict[int, list[tuple[float, float]]]  # lane -> (s, friction)

    def curvature(self, s: float) -> float:
        start, length, first, last = max(piece for piece in self.geometry if piece[0] <= s)
        return first + (last - first) * (s - start) / length

    def slope(self, s: float) -> float:
        start, _, b, c, d = max(piece for piece in self.elevation if piece[0] <= s)
        return b + 2 * c * (s - start) + 3 * d * (s - start) ** 2

    def friction(self, lane: int, s: float) -> float:
        return max(piece for piece in self.material[lane] if piece[0] <= s)[1]

    def border(self, lane: int, s: float) -> float:
        return min(abs(s - start) for start, _ in self.material[lane])


def read_road(content: bytes) -> Road:
    root = ElementTree.fromstring(content)
    number = float
    geometry = []
    for piece in root.iter("geometry"):
        bend = (0.0, 0.0)
        if (spiral := piece.find("spiral")) is not None:
            bend = (number(spiral.attrib["curvStart"]), number(spiral.attrib["curvEnd"]))
        if (arc := piece.find("arc")) is not None:
            bend = (number(arc.attrib["curvature"]),) * 2
        geometry.append((number(piece.attrib["s"]), number(piece.attrib["length"]), *bend))
    elevation = [tuple(number(piece.attrib[key]) for key in "sabcd") for piece in root.iter("elevation")]
    material = {
        int(lane.attrib["id"]): [
            (number(piece.attrib["sOffset"]), number(piece.attrib["friction"]))
            for piece in lane.iter("material")
        ]
        for lane in root.iter("lane")
    }
    road = root.find("road")
    assert road is not None
    return Road(number(road.attrib["length"]), geometry, elevation, material)


@dataclass
class Path:
    """A vehicle's motion as a stranger reads it: one value per tick."""

    lane: int
    speed: float
    station: Float
    offset: Float


def read_scenario(content: bytes, ticks: int) -> tuple[float, dict[str, Path]]:
    root = ElementTree.fromstring(content)
    condition = next(root.iter("RoadCondition"))
    speeds = {
        private.attrib["entityRef"]: float(next(private.iter("AbsoluteTargetSpeed")).attrib["value"])
        for private in root.iter("Private")
    }
    paths = {}
    for group in root.iter("ManeuverGroup"):
        name = next(group.iter("EntityRef")).attrib["entityRef"]
        vertices = [
            (float(v.attrib["time"]), next(v.iter("LanePosition")).attrib) for v in group.iter("Vertex")
        ]
        tick = np.rint(np.array([time for time, _ in vertices]) / STEP_S).astype(int)
        s = np.array([float(place["s"]) for _, place in vertices])
        t = np.array([float(place.get("offset", "0")) for _, place in vertices])
        every = np.arange(ticks)
        lane = int(vertices[0][1]["laneId"])
        paths[name] = Path(lane, speeds[name], np.interp(every, tick, s), np.interp(every, tick, t))
    return float(condition.attrib["frictionScaleFactor"]), paths


def _telemetry(connection: duckdb.DuckDBPyConnection, episode: int) -> dict[str, dict[str, Any]]:
    """Rows of an episode's vehicles, named as the scenario names them, and their first contact."""
    vehicles = connection.execute(
        "SELECT vehicle_id, is_ego FROM vehicles WHERE episode_id = ? ORDER BY is_ego DESC, vehicle_id",
        [episode],
    ).fetchall()
    found = {}
    for place, (vehicle, ego) in enumerate(vehicles):
        rows = connection.execute(
            """SELECT position_m, offset_m, speed_mps, friction FROM telemetry
               WHERE vehicle_id = ? ORDER BY observed_at""",
            [vehicle],
        ).fetchnumpy()
        contact = connection.execute(
            """SELECT min((epoch_us(e.observed_at) - epoch_us(s.started_at)) // 100000)
               FROM events e JOIN vehicles v USING (vehicle_id) JOIN episodes s USING (episode_id)
               WHERE e.vehicle_id = ? AND e.kind IN ('collision', 'barrier_contact')""",
            [vehicle],
        ).fetchall()[0][0]
        found["ego" if ego else f"vehicle{place}"] = {**rows, "contact": contact}
    return found


@pytest.fixture(scope="session")
def pairs(library: dict[str, bytes]) -> dict[int, tuple[bytes, bytes]]:
    """Scenario and road by episode."""
    return {
        int(path.rsplit("-", 1)[1].removesuffix(".xosc")): (content, library[path.replace(".xosc", ".xodr")])
        for path, content in library.items()
        if path.endswith(".xosc")
    }


def test_every_case_and_look_alike_is_exported(world: Dataset, pairs: dict[int, tuple[bytes, bytes]]) -> None:
    assert set(pairs) == set(world.table("cases")["entity_id"].to_pylist())


def test_material_times_scale_is_the_friction_of_the_telemetry_at_every_station(
    connection: duckdb.DuckDBPyConnection, pairs: dict[int, tuple[bytes, bytes]]
) -> None:
    compared, slick = 0, 0
    for episode, (scenario, road_file) in pairs.items():
        road, ticks = read_road(road_file), 600
        scale, paths = read_scenario(scenario, ticks)
        told = _telemetry(connection, episode)
        assert set(told) == set(paths)
        for name, path in paths.items():
            np.testing.assert_allclose(path.station, told[name]["position_m"], atol=0.0111)
            for s, mu in zip(path.station, told[name]["friction"], strict=True):
                # At a border the half centimetre by which stored stations are rounded decides nothing.
                if road.border(path.lane, s) > 1e-4 or s == 0:
                    assert road.friction(path.lane, s) * scale == pytest.approx(mu, abs=5e-7)
                    compared += 1
                    slick += mu < 0.16
    assert compared > 100_000
    assert slick > 100


def test_motion_obeys_the_friction_that_the_files_state(
    connection: duckdb.DuckDBPyConnection, pairs: dict[int, tuple[bytes, bytes]]
) -> None:
    hardest = 0.0
    for episode, (scenario, road_file) in pairs.items():
        road = read_road(road_file)
        scale, paths = read_scenario(scenario, 600)
        told = _telemetry(connection, episode)
        for name, path in paths.items():
            until = told[name]["contact"] or 600
            used, limit = _forces(road, scale, path, until)
            assert (used <= limit + FORCE_TOLERANCE).all(), (episode, name, (used - limit).max())
            hardest = max(hardest, float((used / limit).max(initial=0.0)))
    assert hardest > 0.95  # somebody really used all that there was


def _forces(road: Road, scale: float, path: Path, until: int) -> tuple[Float, Float]:
    """Force per mass at the tyres over two steps, and what the stated friction allows; (ticks,) each."""
    s, y = path.station[:until], path.offset[:until]
    speed = np.empty(s.size)
    speed[0] = path.speed
    for tick in range(1, s.size):
        speed[tick] = round(2 * (s[tick] - s[tick - 1]) / STEP_S - speed[tick - 1], 3)
    bend = np.array([road.curvature(x) for x in s]) * speed**2
    slope = np.array([road.slope(x) for x in s])
    mu = np.array([road.friction(path.lane, x) for x in s]) * scale
    k = np.arange(1, s.size - 1)
    along = (speed[k + 1] - speed[k - 1]) / (2 * STEP_S) + GRAVITY * (slope[k] + slope[k - 1]) / 2
    across = (bend[k] + bend[k - 1]) / 2 + (y[k + 1] - 2 * y[k] + y[k - 1]) / STEP_S**2
    moving = (speed[k] > 0) & (speed[k - 1] > 0) & (speed[k + 1] > 0)
    return np.hypot(along, across)[moving], (GRAVITY * (mu[k] + mu[k - 1]) / 2)[moving]


def test_nobody_leaves_the_road_in_the_files(pairs: dict[int, tuple[bytes, bytes]]) -> None:
    for scenario, road_file in pairs.values():
        road = read_road(road_file)
        _, paths = read_scenario(scenario, 600)
        for path in paths.values():
            assert path.station.min() >= 0
            assert path.station.max() <= road.length
            assert path.lane in road.material


def test_reference_lines_are_continuous(library: dict[str, bytes]) -> None:
    """Each segment begins where the one before ends, by quadrature with many small steps."""
    path, content = next((p, c) for p, c in library.items() if p.endswith(".xodr"))
    root = ElementTree.fromstring(content)
    pieces = list(root.iter("geometry"))
    road = read_road(content)
    for here, after, (start, length, first, last) in zip(
        pieces[:-1], pieces[1:], road.geometry[:-1], strict=True
    ):
        s = (np.arange(20_000) + 0.5) / 20_000 * length
        angle = float(here.attrib["hdg"]) + first * s + (last - first) * s * s / (2 * length)
        x = float(here.attrib["x"]) + np.cos(angle).mean() * length
        y = float(here.attrib["y"]) + np.sin(angle).mean() * length
        assert x == pytest.approx(float(after.attrib["x"]), abs=1e-4), (path, start)
        assert y == pytest.approx(float(after.attrib["y"]), abs=1e-4)


def test_the_same_data_give_the_same_bytes(world: Dataset, library: dict[str, bytes]) -> None:
    again = {document.path: document.content for document in scenario_library(world)}
    assert again == library


def test_a_world_without_cases_exports_its_episodes() -> None:
    ordinary = generate(default_spec(size=3, block=3, cases=[]))
    assert len(list(scenario_library(ordinary))) == 6


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("road_file", b".xodr", b".xodx"),
        ("road", b'roadId="1"', b'roadId="99"'),
        ("lane", b'laneId="-1"', b'laneId="-7"'),
        ("station", b'" s="', b'" s="99'),
        ("entity", b'entityRef="ego"', b'entityRef="nobody"'),
    ],
)
def test_the_crosscheck_finds_what_schemas_do_not(
    library: dict[str, bytes], what: str, old: bytes, new: bytes
) -> None:
    path = next(name for name in library if name.endswith(".xosc"))
    road_file = path.replace(".xosc", ".xodr")
    assert crosscheck(library[path], library[road_file], f"./{road_file}").ok
    damaged = library[path].replace(old, new)
    assert damaged != library[path]
    found = crosscheck(damaged, library[road_file], f"./{road_file}")
    assert f"crosscheck.{what}" in {finding.rule for finding in found}


def test_stations_are_exact_sums_of_speeds() -> None:
    speed = np.round(np.abs(np.cumsum(np.random.default_rng(3).normal(0, 0.3, 400))) + 5, 3)
    exact = 20.0 + np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) * 0.05)])
    np.testing.assert_allclose(stations(np.round(exact, 2), speed), exact, atol=1e-9)
    pushed = exact + np.where(np.arange(400) >= 200, -1.5, 0.0)
    np.testing.assert_allclose(stations(np.round(pushed, 2), speed), pushed, atol=0.011)
