"""Episodes as scenario files need them: one record each, read from the tables in small batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

Float = NDArray[np.float64]

_BATCH = 40
STEP_S = 0.1
_ROUNDED_M = 0.0055


@dataclass(frozen=True)
class Track:
    """One vehicle and its motion; arrays of one value per tick.

    Attributes
    ----------
    station
        Exact sums of the stored speeds, in m, set anew where a collision moved the vehicle.
    """

    name: str
    vehicle_id: int
    kind: str
    lane: int
    length_m: float
    width_m: float
    mass_kg: int
    brake_mps2: float
    desired_speed_mps: float
    station: Float
    offset: Float
    speed: Float


@dataclass(frozen=True)
class Scenario:
    """One episode: road, weather, tracks, and the case that befell it, if any."""

    name: str
    episode_id: int
    story: str
    started_at: datetime
    road: dict[str, Any]
    segments: list[dict[str, Any]]
    materials: list[tuple[float, float]]
    weather: dict[str, Any]
    tracks: list[Track]


def scenarios(dataset: Dataset) -> Iterator[Scenario]:
    """The episodes of cases and look-alikes; all episodes where there is no case."""
    connection = dataset.connect()
    try:
        chosen = connection.execute(
            "SELECT entity_id, CAST(kind AS VARCHAR), story FROM cases ORDER BY kind, entity_id"
        ).fetchall()
        if not chosen:
            rows = connection.execute("SELECT episode_id FROM episodes ORDER BY episode_id").fetchall()
            chosen = [(row[0], "ordinary", "An ordinary episode.") for row in rows]
        for first in range(0, len(chosen), _BATCH):
            yield from _batch(connection, chosen[first : first + _BATCH])
    finally:
        connection.close()


def _batch(connection: duckdb.DuckDBPyConnection, chosen: list[tuple[int, str, str]]) -> Iterator[Scenario]:
    ids = ", ".join(str(row[0]) for row in chosen)
    episodes = _by(
        connection,
        f"""SELECT e.episode_id AS owner, e.started_at, r.* FROM episodes e JOIN roads r USING (road_id)
            WHERE e.episode_id IN ({ids})""",
    )
    weather = _by(connection, f"SELECT episode_id AS owner, * FROM weather WHERE episode_id IN ({ids})")
    of_road = f"JOIN episodes e USING (road_id) WHERE e.episode_id IN ({ids})"
    segments = _by(
        connection, f"SELECT e.episode_id AS owner, x.* FROM road_segments x {of_road} ORDER BY x.place"
    )
    patches = _by(
        connection, f"SELECT e.episode_id AS owner, x.* FROM road_patches x {of_road} ORDER BY x.from_m"
    )
    tracks = _tracks(connection, ids)
    for episode_id, kind, story in chosen:
        road = episodes[episode_id][0]
        yield Scenario(
            name=f"{kind}-{episode_id}",
            episode_id=episode_id,
            story=story,
            started_at=road["started_at"],
            road=road,
            segments=segments[episode_id],
            materials=materials(road["dry_friction"], patches.get(episode_id, [])),
            weather=weather[episode_id][0],
            tracks=tracks[episode_id],
        )


def _by(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.sql(sql).to_arrow_table().to_pylist():
        found.setdefault(row.pop("owner"), []).append(row)
    return found


def materials(dry: float, patches: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Friction along a road before the weather's scale: (station, friction); the slickest patch counts."""
    borders = sorted({0.0, *(patch["from_m"] for patch in patches), *(patch["until_m"] for patch in patches)})
    found: list[tuple[float, float]] = []
    for border in borders:
        here = [patch["friction"] for patch in patches if patch["from_m"] <= border < patch["until_m"]]
        value = min(here, default=dry)
        if not found or found[-1][1] != value:
            found.append((border, value))
    return found


def _tracks(connection: duckdb.DuckDBPyConnection, ids: str) -> dict[int, list[Track]]:
    vehicles = connection.sql(
        f"""SELECT v.*, CAST(v.kind AS VARCHAR) AS kind_name FROM vehicles v WHERE v.episode_id IN ({ids})
            ORDER BY v.episode_id, v.is_ego DESC, v.vehicle_id"""
    ).to_arrow_table().to_pylist()  # fmt: skip
    rows = connection.execute(
        f"""SELECT t.vehicle_id, t.position_m, t.offset_m, t.speed_mps
            FROM telemetry t JOIN vehicles v USING (vehicle_id)
            WHERE v.episode_id IN ({ids}) ORDER BY t.vehicle_id, t.observed_at"""
    ).fetchnumpy()  # fmt: skip
    keys = np.asarray(rows["vehicle_id"])
    first, last = np.searchsorted(keys, keys, "left"), np.searchsorted(keys, keys, "right")
    where = dict(zip(keys[first].tolist(), zip(first.tolist(), last.tolist(), strict=True), strict=True))
    found: dict[int, list[Track]] = {}
    for vehicle in vehicles:
        mine = found.setdefault(vehicle["episode_id"], [])
        low, high = where[vehicle["vehicle_id"]]
        speed = np.asarray(rows["speed_mps"][low:high], np.float64)
        mine.append(
            Track(
                name="ego" if vehicle["is_ego"] else f"vehicle{len(mine)}",
                vehicle_id=vehicle["vehicle_id"],
                kind=vehicle["kind_name"],
                lane=vehicle["lane"],
                length_m=vehicle["length_m"],
                width_m=vehicle["width_m"],
                mass_kg=vehicle["mass_kg"],
                brake_mps2=vehicle["brake_mps2"],
                desired_speed_mps=vehicle["desired_speed_mps"],
                station=stations(np.asarray(rows["position_m"][low:high], np.float64), speed),
                offset=np.asarray(rows["offset_m"][low:high], np.float64),
                speed=speed,
            )
        )
    return found


def stations(position: Float, speed: Float) -> Float:
    """Stations as exact sums of speeds: stored stations are rounded to 1 cm, too coarse to differentiate
    twice.

    Speeds are whole mm/s, so every sum is a multiple of 50 µm.
    """
    mm = np.rint(speed * 1000.0)
    moved = np.concatenate([[0.0], np.cumsum((mm[1:] + mm[:-1]) * 5e-5)])
    exact = np.round(position[0], 2) + moved
    apart, sure = position - exact, _ROUNDED_M
    while (wrong := np.abs(apart) > sure).any():
        # A collision moved the vehicle: from here on its station is known as well as it is stored, no better.
        first = int(np.argmax(wrong))
        exact[first:] += np.round(apart[first], 2)
        apart, sure = position - exact, 2 * _ROUNDED_M
    found: Float = np.round(exact, 5)
    return found
