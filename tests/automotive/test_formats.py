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
#: Second differences of places: 0.02 m/s² of offsets in 0.1 mm and as much of rounded forces; and 2 % for
#: what a tenth of a second of a clothoid, and lanes 1.9 m beside the line of a motorway, change.
FORCE_TOLERANCE, FORCE_SHARE = 0.05, 0.02
Float = NDArray[np.float64]


@dataclass
class Road:
    """A road file as a stranger reads it."""

    length: float
    geometry: list[tuple[float, float, float, float]]  # s, length, curvature at start and end
    elevation: list[tuple[float, ...]]  # s, a, b, c, d
    material: dict[int, list[tuple[float, float]]]  # lane -> (s, friction)
    place: list[tuple[float, float, float]]  # x, y, heading where each piece of the geometry begins
    lane_offset: float
    width: dict[int, float]

    def plane(self, lane: int, s: Float, offset: Float) -> tuple[Float, Float]:
        """Where stations and offsets of a lane lie, by quadrature of each piece on a fine grid."""
        x, y = np.empty(s.size), np.empty(s.size)
        first = np.array([piece[0] for piece in self.geometry])
        piece_of = np.searchsorted(first, s, side="right") - 1
        beside = (
            self.lane_offset - sum(self.width[-n] for n in range(1, -lane)) - self.width[lane] / 2 + offset
        )
        for piece in np.unique(piece_of):
            mine = piece_of == piece
            start, length, bend, last = self.geometry[piece]
            grid = np.linspace(0.0, length, 20_001)
            turn = self.place[piece][2] + bend * grid + 0.5 * (last - bend) / length * grid**2
            step = length / 20_000
            heading = np.interp(s[mine] - start, grid, turn)
            for values, wave, origin, normal in (
                (x, np.cos(turn), self.place[piece][0], -np.sin(heading)),
                (y, np.sin(turn), self.place[piece][1], np.cos(heading)),
            ):
                along = np.concatenate([[0.0], np.cumsum((wave[1:] + wave[:-1]) / 2 * step)])
                values[mine] = origin + np.interp(s[mine] - start, grid, along) + normal * beside[mine]
        return x, y

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
    place = [tuple(number(piece.attrib[key]) for key in ("x", "y", "hdg")) for piece in root.iter("geometry")]
    moved = [number(piece.attrib["a"]) for piece in root.iter("laneOffset")]
    width = {
        int(lane.attrib["id"]): number(piece.attrib["a"])
        for lane in root.iter("lane")
        for piece in lane.iter("width")
    }
    length = number(road.attrib["length"])
    return Road(length, geometry, elevation, material, place, sum(moved), width)


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
            most = limit * (1.0 + FORCE_SHARE) + FORCE_TOLERANCE
            assert (used <= most).all(), (episode, name, (used - limit).max())
            hardest = max(hardest, float((used / limit).max(initial=0.0)))
    assert hardest > 0.95  # somebody really used all that there was


def _forces(road: Road, scale: float, path: Path, until: int) -> tuple[Float, Float]:
    """Force per mass by central differences in the plane, and what the stated friction allows; (ticks,) each.

    Over the two steps of a difference the friction is that of the better of the three places.
    """
    s, k = path.station[:until], np.arange(1, until - 1)
    x, y = road.plane(path.lane, s, path.offset[:until])
    fast_x, fast_y = (x[k + 1] - x[k - 1]) / (2 * STEP_S), (y[k + 1] - y[k - 1]) / (2 * STEP_S)
    more_x, more_y = ((a[k + 1] - 2 * a[k] + a[k - 1]) / STEP_S**2 for a in (x, y))
    speed = np.maximum(np.hypot(fast_x, fast_y), 1e-6)
    slope = np.array([road.slope(at) for at in s])[k]
    along = (more_x * fast_x + more_y * fast_y) / speed + GRAVITY * slope
    across = (more_y * fast_x - more_x * fast_y) / speed
    mu = np.array([road.friction(path.lane, at) for at in s]) * scale
    best = np.maximum(np.maximum(mu[k - 1], mu[k]), mu[k + 1])
    moving = (s[k] > s[k - 1]) & (s[k + 1] > s[k])
    return np.hypot(along, across)[moving], (GRAVITY * best)[moving]


def test_the_files_say_the_weather_that_the_tables_say(
    connection: duckdb.DuckDBPyConnection, pairs: dict[int, tuple[bytes, bytes]]
) -> None:
    told = connection.sql(
        "SELECT *, CAST(road_state AS VARCHAR) AS state FROM weather"
    ).df().set_index("episode_id")  # fmt: skip
    seen = set()
    for episode, (scenario, _) in pairs.items():
        root, row = ElementTree.fromstring(scenario), told.loc[episode]
        wetness = next(root.iter("RoadCondition")).attrib["wetness"]
        seen.add(wetness)
        assert (wetness == "dry") == (row["state"] == "dry")
        assert (wetness == "wetWithPuddles") == (row["state"] == "wet" and row["water_film_mm"] >= 0.4)
        assert float(next(root.iter("Wind")).attrib["speed"]) == pytest.approx(row["wind_mps"])
        assert float(next(root.iter("Fog")).attrib["visualRange"]) == row["visibility_m"]
    assert {"dry", "moist"} <= seen


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
