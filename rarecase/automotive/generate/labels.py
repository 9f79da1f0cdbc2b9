"""Which rows the cases touched: the world beside its twin, for the episodes that cases befell."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import TICK_US, Setting
from rarecase.automotive.generate.motion import STRIKING, STRUCK, Motion
from rarecase.automotive.generate.outcome import Events
from rarecase.automotive.generate.world import World
from rarecase.automotive.schema import SCHEMA
from rarecase.common import tables
from rarecase.common.plan import Plan
from rarecase.common.telling import labels_table

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_CREATED, _CHANGED, _REMOVED = "created", "changed", "removed"


@dataclass(frozen=True)
class Side:
    """A world that was moved: its vehicles' keys, its motion and its events with their keys."""

    world: World
    vehicle_keys: Int
    moved: Motion
    events: Events
    event_keys: Int


@dataclass(frozen=True)
class Owners:
    """The case of each episode of the part: its key and the code of its kind, -1 where there is none."""

    case_id: Int
    kind: Int
    kinds: tuple[str, ...]


def labels(plan: Plan, owners: Owners, ours: Side, twin: Side, ice: tuple[Int, Int]) -> pa.Table:
    """The labels of a part.

    Parameters
    ----------
    ours, twin
        The part as it is, and its befallen episodes without the cases.
    ice
        Rows of the episodes and keys of the patches that cases laid.
    """
    here = np.searchsorted(ours.world.entities, twin.world.entities)
    pieces = [
        _rows(plan, owners, "road_patches", ice[0], ice[1], "hazard", _CREATED),
        _weather(plan, owners, ours.world, twin.world, here),
        *_queues(plan, owners, ours),
        *_telemetry(plan, owners, ours, twin),
        *_events(plan, owners, ours, twin, here),
    ]
    return tables.concat(SCHEMA["labels"], pieces)


def _weather(plan: Plan, owners: Owners, ours: World, twin: World, here: Int) -> pa.Table:
    differs = ours.grip.friction[here] != twin.grip.friction
    differs |= ours.grip.film_mm[here] != twin.grip.film_mm
    for item in fields(Setting):
        differs |= getattr(ours.setting, item.name)[here] != getattr(twin.setting, item.name)
    episode = here[differs]
    keys = plan.keys.entities("episodes", ours.entities[episode])
    return _rows(plan, owners, "weather", episode, keys, "condition", _CHANGED)


def _queues(plan: Plan, owners: Owners, ours: Side) -> list[pa.Table]:
    added = np.flatnonzero(ours.world.vehicles.number >= 0)
    episode, keys = ours.world.vehicles.episode[added], ours.vehicle_keys[added]
    last = np.full(added.size, ours.moved.position.shape[1] - 1)
    return [
        _rows(plan, owners, "vehicles", episode, keys, "hazard", _CREATED),
        _rows(plan, owners, "criticality", episode, keys, "hazard", _CREATED),
        _ranges(plan, owners, ours.world, episode, keys, np.zeros_like(last), last, "hazard", _CREATED),
    ]


def _telemetry(plan: Plan, owners: Owners, ours: Side, twin: Side) -> list[pa.Table]:
    """Maximal runs of ticks at which anything differs from the twin."""
    known = np.argsort(ours.vehicle_keys)
    mine = known[np.searchsorted(ours.vehicle_keys, twin.vehicle_keys, sorter=known)]
    differs = np.zeros(twin.moved.position.shape, np.bool_)
    for name in ("position", "offset", "speed", "acceleration", "sideways", "friction"):
        differs |= getattr(ours.moved, name)[mine] != getattr(twin.moved, name)
    edges = np.diff(np.pad(differs.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    vehicle, begin = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1] - 1
    episode, keys = ours.world.vehicles.episode[mine[vehicle]], twin.vehicle_keys[vehicle]
    return [_ranges(plan, owners, ours.world, episode, keys, begin, end, "response", _CHANGED)]


def _events(plan: Plan, owners: Owners, ours: Side, twin: Side, here: Int) -> list[pa.Table]:
    our_episode = ours.world.vehicles.episode[ours.events.vehicle]
    mine = np.flatnonzero(owners.case_id[our_episode] > 0)
    keys, twin_keys = ours.event_keys[mine], twin.event_keys
    both, at, twin_at = np.intersect1d(keys, twin_keys, assume_unique=True, return_indices=True)
    differs = _differs(ours, twin, mine[at], twin_at)
    new = ~np.isin(keys, both)
    gone = ~np.isin(twin_keys, both)
    twin_episode = here[twin.world.vehicles.episode[twin.events.vehicle]]
    changed = mine[at][differs]
    return [
        _event_rows(plan, owners, our_episode, ours, mine[new], _CREATED),
        _event_rows(plan, owners, our_episode, ours, changed, _CHANGED),
        _event_rows(plan, owners, twin_episode, twin, np.flatnonzero(gone), _REMOVED),
    ]


def _differs(ours: Side, twin: Side, at: Int, twin_at: Int) -> NDArray[np.bool_]:
    one, other = ours.events, twin.events
    partner = _partner(ours, at) != _partner(twin, twin_at)
    return np.asarray(partner | (one.tick[at] != other.tick[twin_at]))


def _partner(side: Side, at: Int) -> Int:
    other = side.events.other[at]
    return np.where(other >= 0, side.vehicle_keys[other], 0)


def _event_rows(plan: Plan, owners: Owners, episode: Int, side: Side, rows: Int, effect: str) -> pa.Table:
    keys, change = side.event_keys[rows], side.events.delta_v[rows]
    change = np.where(np.isin(side.events.code[rows], (STRIKING, STRUCK)), change, np.nan)
    return _rows(plan, owners, "events", episode[rows], keys, "consequence", effect, change)


def _rows(
    plan: Plan,
    owners: Owners,
    table: str,
    episode: Int,
    keys: Int,
    role: str,
    effect: str,
    amount: Float | None = None,
) -> pa.Table:
    change = np.full(keys.size, np.nan) if amount is None else amount
    more = {"row_id": keys, "delta_v_mps": tables.nulls(change, np.isnan(change))}
    return _table(plan, owners, table, episode, role, effect, more)


def _ranges(
    plan: Plan,
    owners: Owners,
    world: World,
    episode: Int,
    keys: Int,
    begin: Int,
    end: Int,
    role: str,
    effect: str,
) -> pa.Table:
    start = world.setting.start_us[episode]
    first, last = (tables.timestamps(plan.spec.start, start + tick * TICK_US) for tick in (begin, end))
    more = {"entity_id": keys, "from_at": first, "to_at": last}
    return _table(plan, owners, "telemetry", episode, role, effect, more)


def _table(
    plan: Plan,
    owners: Owners,
    table: str,
    episode: Int,
    role: str,
    effect: str,
    more: dict[str, tables.Values],
) -> pa.Table:
    number = episode.size
    return labels_table(
        plan,
        {
            "case_id": owners.case_id[episode],
            "kind": tables.category(owners.kind[episode].astype(np.int16), list(owners.kinds)),
            "table_name": tables.constant(table, number),
            "role": tables.constant(role, number),
            "effect": tables.constant(effect, number),
            **more,
        },
    )
