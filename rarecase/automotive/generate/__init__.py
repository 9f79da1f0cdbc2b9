"""One part of the automotive world: ordinary episodes, then their cases, then everything as tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import setting
from rarecase.automotive.generate import outcome, roads, vehicles
from rarecase.automotive.generate.befall import Befallen, befall, episodes_of_cases
from rarecase.automotive.generate.labels import Owners, Side, labels
from rarecase.automotive.generate.motion import EVENT_KINDS
from rarecase.automotive.generate.roads import ICE_PATCH, SHAPE
from rarecase.automotive.generate.told import told
from rarecase.automotive.generate.world import World
from rarecase.automotive.schema import (
    EVENTS,
    PATCH_KINDS,
    PRECIPITATION,
    ROAD_CLASSES,
    SCHEMA,
    SEGMENT_KINDS,
    STATES,
    SURFACES,
    VEHICLE_KINDS,
)
from rarecase.common import tables
from rarecase.common.draws import quantise
from rarecase.common.plan import Plan
from rarecase.common.telling import cases_table

__all__ = ["generate_part"]

Int = NDArray[np.int64]
_EVENT_CODE = np.array([EVENTS.index(kind) for kind in EVENT_KINDS])


def generate_part(plan: Plan, part: int) -> dict[str, pa.Table]:
    """All tables of a part but the weights; a pure function of plan and part."""
    ordinary = _ordinary(plan, part)
    twin = ordinary.take(episodes_of_cases(plan, part))
    twin_side = _side(plan, part, twin)
    world, befallen = befall(plan, part, ordinary, twin, twin_side.moved)
    ours = _side(plan, part, world)
    owners = _owners(plan, world, befallen)
    ours, patch_keys = _name_created(plan, owners, ours, twin_side), _patch_keys(plan, part, world)
    ice = world.roads.patches.kind == ICE_PATCH
    columns = {
        "roads": _roads(plan, world),
        "road_segments": _segments(plan, part, world),
        "road_patches": _patches(plan, world, patch_keys),
        "episodes": _episodes(plan, world),
        "weather": _weather(plan, world),
        "vehicles": _vehicles(plan, world, ours.vehicle_keys),
        "telemetry": outcome.telemetry_columns(plan, world, ours.moved, ours.vehicle_keys),
        "events": _events(plan, world, ours),
        "criticality": outcome.criticality_columns(ours.moved, ours.vehicle_keys),
    }
    built = {name: tables.build(SCHEMA[name], found) for name, found in columns.items()}
    built["cases"] = cases_table(plan, told(plan, world, ours.events, befallen))
    built["labels"] = labels(plan, owners, ours, twin_side, (world.roads.patches.road[ice], patch_keys[ice]))
    return built


def _ordinary(plan: Plan, part: int) -> World:
    low, high = plan.bounds(part)
    entities = np.arange(low, high, dtype=np.int64)
    found = setting(plan.spec, entities)
    laid = roads.lay(plan.spec, part, found)
    usual = np.full(entities.size, np.nan)
    staff = vehicles.staff(plan.spec, part, entities, found, laid)
    return World(plan.spec, entities, found, laid, staff, usual, usual.copy())


def _side(plan: Plan, part: int, world: World) -> Side:
    moved = world.move()
    found = outcome.events(moved)
    known = outcome.ordinary_event_keys(plan, part, world, found)
    return Side(world, outcome.vehicle_keys(plan, part, world), moved, found, known)


def _owners(plan: Plan, world: World, befallen: list[Befallen]) -> Owners:
    case_id = np.full(world.entities.size, -1, np.int64)
    kind = np.full(world.entities.size, -1, np.int64)
    kinds = tuple(dict.fromkeys(placement.case.kind for placement in plan.placements)) or ("",)
    for item in befallen:
        case_id[item.episode] = item.placement.case_ids[item.rows]
        kind[item.episode] = kinds.index(item.case.kind)
    return Owners(case_id, kind, kinds)


def _name_created(plan: Plan, owners: Owners, ours: Side, twin: Side) -> Side:
    """Keys from the range of cases for events that the twin does not have."""
    episode = ours.world.vehicles.episode[ours.events.vehicle]
    new = (owners.case_id[episode] > 0) & ~np.isin(ours.event_keys, twin.event_keys)
    new |= ours.world.vehicles.ordinal[ours.events.vehicle] < 0
    of_case = episode[new]
    number = np.arange(of_case.size) - np.searchsorted(of_case, of_case)
    keys = ours.event_keys.copy()
    keys[new] = plan.keys.case_rows("events", ours.world.entities[of_case], number)
    return Side(ours.world, ours.vehicle_keys, ours.moved, ours.events, keys)


def _patch_keys(plan: Plan, part: int, world: World) -> Int:
    patches = world.roads.patches
    ice = patches.kind == ICE_PATCH
    keys = np.empty(ice.size, np.int64)
    keys[~ice] = plan.keys.rows("road_patches", part, np.arange(int((~ice).sum())))
    homes = world.entities[patches.road[ice]]
    keys[ice] = plan.keys.case_rows("road_patches", homes, np.zeros_like(homes))
    return keys


def _pool(codes: Int, pool: tuple[str, ...]) -> pa.DictionaryArray:
    return tables.category(codes.astype(np.int8), pool)


def _roads(plan: Plan, world: World) -> dict[str, tables.Values]:
    laid = world.roads
    return {
        "road_id": plan.keys.entities("roads", world.entities),
        "road_class": _pool(world.setting.road_class, ROAD_CLASSES),
        "speed_limit_kmh": laid.limit_kmh,
        "lanes": laid.lanes,
        "lane_width_m": laid.lane_width,
        "length_m": laid.length,
        "surface": _pool(world.setting.surface, SURFACES),
        "texture_mm": laid.texture,
        "crossfall": laid.crossfall,
        "dry_friction": laid.dry,
    }


def _segments(plan: Plan, part: int, world: World) -> dict[str, tables.Values]:
    laid, n = world.roads, world.entities.size
    flat = np.arange(n * SHAPE.size)
    return {
        "segment_id": plan.keys.rows("road_segments", part, flat),
        "road_id": np.repeat(plan.keys.entities("roads", world.entities), SHAPE.size),
        "place": flat % SHAPE.size,
        "kind": _pool(np.tile(SHAPE, n), SEGMENT_KINDS),
        "from_m": laid.begin.ravel(),
        "length_m": laid.extent.ravel(),
        "curvature_start": laid.bend_start.ravel(),
        "curvature_end": laid.bend_end.ravel(),
        "grade_start": laid.grade_start.ravel(),
        "grade_end": laid.grade_end.ravel(),
    }


def _patches(plan: Plan, world: World, keys: Int) -> dict[str, tables.Values]:
    patches = world.roads.patches
    return {
        "patch_id": keys,
        "road_id": plan.keys.entities("roads", world.entities[patches.road]),
        "kind": _pool(patches.kind, PATCH_KINDS),
        "from_m": patches.begin,
        "until_m": patches.until,
        "friction": patches.friction,
    }


def _episodes(plan: Plan, world: World) -> dict[str, tables.Values]:
    return {
        "episode_id": plan.keys.entities("episodes", world.entities),
        "road_id": plan.keys.entities("roads", world.entities),
        "started_at": tables.timestamps(plan.spec.start, world.setting.start_us),
        "duration_s": np.full(world.entities.size, plan.spec.population.duration_s),  # type: ignore[attr-defined]
    }


def _weather(plan: Plan, world: World) -> dict[str, tables.Values]:
    found, grip = world.setting, world.grip
    floats = np.isfinite(grip.aquaplaning_mps)
    speed = quantise(np.asarray(np.where(floats, grip.aquaplaning_mps * 3.6, 0.0), np.float64), 0.1)
    return {
        "episode_id": plan.keys.entities("episodes", world.entities),
        "air_temperature_c": found.air,
        "surface_temperature_c": found.ground,
        "humidity_pct": found.humidity,
        "precipitation": _pool(found.precipitation, PRECIPITATION),
        "precipitation_mmph": found.rain,
        "visibility_m": found.visibility,
        "wind_mps": found.wind,
        "road_state": _pool(found.state, STATES),
        "water_film_mm": grip.film_mm,
        "friction_scale": grip.scale,
        "friction": grip.friction,
        "aquaplaning_kmh": tables.nulls(speed, ~floats),
    }


def _vehicles(plan: Plan, world: World, keys: Int) -> dict[str, tables.Values]:
    own = world.vehicles
    return {
        "vehicle_id": keys,
        "episode_id": plan.keys.entities("episodes", world.entities[own.episode]),
        "is_ego": own.is_ego,
        "kind": _pool(own.kind, VEHICLE_KINDS),
        "lane": own.lane,
        "length_m": own.length,
        "width_m": own.width,
        "mass_kg": own.mass,
        "desired_speed_mps": own.wish,
        "headway_s": own.headway,
        "reaction_s": quantise(own.delay.astype(np.float64) * 0.1, 0.1),
        "brake_mps2": own.brake,
    }


def _events(plan: Plan, world: World, side: Side) -> dict[str, tables.Values]:
    found = side.events
    start = world.setting.start_us[world.vehicles.episode[found.vehicle]]
    alone = found.other < 0
    unmoved = np.isnan(found.delta_v)
    return {
        "event_id": side.event_keys,
        "vehicle_id": side.vehicle_keys[found.vehicle],
        "observed_at": tables.timestamps(plan.spec.start, start + found.tick * 100_000),
        "kind": _pool(_EVENT_CODE[found.code], EVENTS),
        "other_vehicle_id": tables.nulls(side.vehicle_keys[np.where(alone, 0, found.other)], alone),
        "speed_mps": found.speed,
        "delta_v_mps": tables.nulls(found.delta_v, unmoved),
    }
