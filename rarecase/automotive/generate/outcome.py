"""What motion led to, as columns: telemetry, events and worst moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import TICK_US
from rarecase.automotive.generate.motion import BARRIER, STRIKING, STRUCK, Motion
from rarecase.automotive.generate.world import World
from rarecase.automotive.plan import EVENT_CODES, EVENTS_PER_CODE
from rarecase.automotive.schema import SPEED_QUANTUM
from rarecase.common import tables
from rarecase.common.draws import quantise
from rarecase.common.plan import Plan

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Events ordered by vehicle and time; arrays of one length.

    Attributes
    ----------
    vehicle
        Row of the vehicle in the motion's world.
    tick, code, other, speed, delta_v
        When and what (codes of the motion), the other vehicle's row or -1, m/s, m/s or NaN.
    slot
        Number of the event among all that the vehicle could have: the same event of the twin has the same
        slot.
    """

    vehicle: Int
    tick: Int
    code: Int
    other: Int
    speed: Float
    delta_v: Float
    slot: Int


def events(moved: Motion) -> Events:
    """The events of a motion that fall inside its ticks."""
    inside = moved.event[:, 1] < moved.position.shape[1]
    noted, value = moved.event[inside], moved.event_value[inside]
    order = np.lexsort((noted[:, 2], noted[:, 1], noted[:, 0]))
    noted, value = noted[order], value[order]
    vehicle, code = noted[:, 0], noted[:, 2]
    kind = vehicle * EVENT_CODES + code
    sorted_kind = np.argsort(kind, kind="stable")
    place = np.empty_like(kind)
    place[sorted_kind] = np.arange(kind.size) - np.searchsorted(kind[sorted_kind], kind[sorted_kind])
    touched = np.isin(code, (BARRIER, STRIKING, STRUCK))
    return Events(
        vehicle=vehicle,
        tick=noted[:, 1],
        code=code,
        other=noted[:, 3],
        speed=quantise(value[:, 0], SPEED_QUANTUM),
        delta_v=np.where(touched, quantise(value[:, 1], SPEED_QUANTUM), np.nan),
        slot=code * EVENTS_PER_CODE + np.minimum(place, EVENTS_PER_CODE - 1),
    )


def vehicle_keys(plan: Plan, part: int, world: World) -> Int:
    """Keys of a world's vehicles."""
    own = world.vehicles
    added = own.number >= 0
    keys = np.empty(own.lane.size, np.int64)
    keys[~added] = plan.keys.rows("vehicles", part, own.ordinal[~added])
    homes = world.entities[own.episode[added]]
    keys[added] = plan.keys.case_rows("vehicles", homes, own.number[added])
    return keys


def ordinary_event_keys(plan: Plan, part: int, world: World, found: Events) -> Int:
    """Keys of events that ordinary vehicles have, whether or not the twin has them too."""
    # Vehicles that a case adds have no ordinal; their events get keys of the case afterwards.
    ordinal = np.maximum(world.vehicles.ordinal[found.vehicle], 0)
    return plan.keys.rows("events", part, ordinal * (EVENTS_PER_CODE * EVENT_CODES) + found.slot)


def telemetry_columns(plan: Plan, world: World, moved: Motion, keys: Int) -> dict[str, tables.Values]:
    """The telemetry table's columns, one row per vehicle and tick."""
    vehicles, ticks = moved.position.shape
    start = tables.epoch_us(plan.spec.start) + world.setting.start_us[world.vehicles.episode]
    at = np.add.outer(start, np.arange(ticks, dtype=np.int64) * TICK_US)
    return {
        "vehicle_id": np.repeat(keys, ticks),
        "observed_at": at.reshape(vehicles * ticks).view("datetime64[us]"),
        "position_m": moved.position.reshape(-1),
        "offset_m": moved.offset.reshape(-1),
        "speed_mps": moved.speed.reshape(-1),
        "acceleration_mps2": moved.acceleration.reshape(-1),
        "sideways_mps2": moved.sideways.reshape(-1),
        "friction": moved.friction.reshape(-1),
    }


def criticality_columns(moved: Motion, keys: Int) -> dict[str, tables.Values]:
    """The criticality table's columns, one row per vehicle."""
    rate, headway, required, share, margin = moved.worst.T
    led = np.isfinite(headway)
    closing = rate > 0.0
    with np.errstate(divide="ignore"):
        ttc = np.where(closing, 1.0 / rate, 0.0)
    return {
        "vehicle_id": keys,
        "ttc_min_s": tables.nulls(quantise(np.minimum(ttc, 1e6), 0.01), ~closing),
        "thw_min_s": tables.nulls(quantise(np.where(led, headway, 0.0), 0.01), ~led),
        "required_mps2": tables.nulls(quantise(required, 0.01), ~led),
        "brake_threat": tables.nulls(quantise(share, 0.001), ~led),
        "visibility_margin_m": quantise(margin, 0.1),
    }
