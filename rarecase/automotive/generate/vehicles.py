"""Vehicles and the habits of their drivers, and what weather makes of these habits."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.automotive.cases.attributes import DRY, SNOW, Setting, braking_tick, ticks
from rarecase.automotive.generate.friction import Grip
from rarecase.automotive.generate.motion import GRAVITY, STANDSTILL_GAP_M
from rarecase.automotive.generate.roads import Roads
from rarecase.common.compiled import compiled
from rarecase.common.draws import quantise, ragged_index, truncated_lognormal, truncated_normal
from rarecase.common.mark.digits import embed
from rarecase.common.seeds import stream
from rarecase.common.spec import Spec

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_NEVER = 1 << 40
_REAR_M = 20.0
_FASTER_THAN_ALL = 100.0


@dataclass(frozen=True)
class Vehicles:
    """Vehicles ordered by episode, lane and place, front first; arrays of one length.

    Attributes
    ----------
    episode
        Row of the episode.
    ordinal
        Place among the vehicles of the part in the ordinary world; -1 for vehicles that a case adds.
    number
        Place among the vehicles that a case adds to its episode, -1 for ordinary ones.
    kind, lane, length, width, mass, wish, headway, delay, brake, pull
        What they are and like; `delay` in ticks.
    comfort, insight
        Usual deceleration, and how far a driver over-drives the visible range.
    slow_from, slow_until, slow_share
        Ticks between which the vehicle slows to a share of its speed; only front vehicles do.
    start
        Station of the middle at the beginning.
    """

    episode: Int
    ordinal: Int
    number: Int
    is_ego: NDArray[np.bool_]
    kind: Int
    lane: Int
    front: NDArray[np.bool_]
    length: Float
    width: Float
    mass: Float
    wish: Float
    headway: Float
    delay: Int
    brake: Float
    pull: Float
    comfort: Float
    insight: Float
    slow_from: Int
    slow_until: Int
    slow_share: Float
    start: Float

    def take(self, rows: Int | NDArray[np.bool_]) -> Vehicles:
        """Some of the vehicles."""
        return replace(self, **{item.name: getattr(self, item.name)[rows] for item in fields(self)})


def concatenate(*pieces: Vehicles) -> Vehicles:
    """Vehicles of several sources, one after another."""
    return replace(
        pieces[0],
        **{
            item.name: np.concatenate([getattr(piece, item.name) for piece in pieces])
            for item in fields(pieces[0])
        },
    )


def staff(spec: Spec, part: int, entities: Int, setting: Setting, roads: Roads) -> Vehicles:
    """The ordinary vehicles of a part, drawn by named streams."""
    low, high = spec.population.vehicles_per_lane  # type: ignore[attr-defined]
    lanes = roads.lanes
    lane_owner, lane_place = ragged_index(lanes)
    counts = stream(spec.seed, "vehicles", "count", part).integers(low, high + 1, lane_owner.size)
    in_lane, place = ragged_index(counts)
    episode, n = lane_owner[in_lane], in_lane.size

    def u(name: str) -> Float:
        return stream(spec.seed, "vehicles", name, part).random(n)

    kind = np.searchsorted(np.cumsum(data.numbers("vehicle_kinds", "share"))[:-1], u("kind"), side="right")

    def of_kind(column: str) -> Float:
        return data.numbers("vehicle_kinds", column)[kind]

    wish = roads.limit_kmh[episode] / 3.6 * truncated_normal(u("wish"), 1.0, 0.09, 0.75, 1.2)
    wish = quantise(np.minimum(wish, of_kind("top_mps") * (0.95 + 0.05 * u("top"))), 0.01)
    headway = quantise(truncated_lognormal(u("headway"), 1.5, 0.35, 0.7, 3.5), 0.01)
    length = of_kind("length_m")
    front = place == 0
    slow_from, slow_until, slow_share = _slowing(spec, entities, episode, lane_place[in_lane], front, u)
    ego = (stream(spec.seed, "vehicles", "ego", part).random(lanes.size) * counts[_first(lanes)]).astype(
        np.int64
    )
    gap = quantise(STANDSTILL_GAP_M + wish * np.minimum(headway, 2.2) * (1.0 + 0.5 * u("gap")), 0.1)
    start = np.empty(n)
    _line_up(in_lane, length, gap, _REAR_M, start)
    return Vehicles(
        episode=episode,
        ordinal=np.arange(n),
        number=np.full(n, -1),
        is_ego=(lane_place[in_lane] == 0) & (place == ego[episode]),
        kind=kind,
        lane=-1 - lane_place[in_lane],
        front=front,
        length=length,
        width=of_kind("width_m"),
        mass=mass(spec, kind, u("mass")),
        wish=wish,
        headway=headway,
        delay=np.rint(10.0 * truncated_normal(u("reaction"), 0.75, 0.2, 0.4, 1.5)).astype(np.int64),
        brake=of_kind("brake_mps2"),
        pull=of_kind("pull_mps2"),
        comfort=_comfort(u("comfort")),
        insight=quantise(0.8 + 0.6 * u("insight"), 0.01),
        slow_from=slow_from,
        slow_until=slow_until,
        slow_share=slow_share,
        start=quantise(start, 0.1),
    )


def mass(spec: Spec, kind: Int, u: Float) -> Float:
    """Masses in whole kg, uniform between those of an empty and a full vehicle, marked as the spec says."""
    low, high = (data.numbers("vehicle_kinds", f"mass_{end}_kg")[kind] for end in ("low", "high"))
    drawn = quantise(low + (high - low) * u, 1.0)
    if not spec.marks.statistical:
        return drawn
    return np.asarray(embed(drawn, 1.0, minimum=800.0, maximum=40_000.0), np.float64)


def _comfort(u: Float) -> Float:
    """Usual decelerations: 1.5 to 3 m/s², and up to 5.5 for the eight in a hundred who brake late."""
    late = np.maximum(u - 0.92, 0.0) / 0.08
    return quantise(1.5 + 1.5 * u + 2.5 * late, 0.01)


def _first(lanes: Int) -> Int:
    """Row of each episode's leftmost lane among all lanes."""
    return np.cumsum(lanes) - lanes


def _slowing(
    spec: Spec, entities: Int, episode: Int, lane_place: Int, front: NDArray[np.bool_], u: object
) -> tuple[Int, Int, Float]:
    draw = u  # one uniform column per name
    assert callable(draw)
    begin = braking_tick(spec, entities)[episode] + lane_place * 15
    slow_from = np.where(front, begin, _NEVER)
    lasting = (30 + 50 * draw("slow time")).astype(np.int64)
    share = quantise(0.25 + 0.5 * draw("slow share"), 0.01)
    return slow_from, np.where(front, np.minimum(begin + lasting, ticks(spec)), _NEVER), share


@compiled
def _line_up(lane: Int, length: Float, gap: Float, rear: float, start: Float) -> None:
    """Middle stations of vehicles from the rearmost of each lane forward; rows are front first."""
    for i in range(lane.size - 1, -1, -1):
        if i == lane.size - 1 or lane[i + 1] != lane[i]:
            start[i] = rear
        else:
            # the one behind keeps its own gap
            start[i] = start[i + 1] + 0.5 * (length[i] + length[i + 1]) + gap[i + 1]


@compiled
def _no_faster_than_the_one_ahead(lane: Int, episode: Int, speed: Float) -> None:
    for i in range(1, lane.size):
        if lane[i] == lane[i - 1] and episode[i] == episode[i - 1]:
            speed[i] = min(speed[i], speed[i - 1])


@dataclass(frozen=True)
class Habits:
    """What drivers do in the weather they have: speeds, headways, decelerations; arrays of one length."""

    wish: Float
    slow_wish: Float
    headway: Float
    comfort: Float
    bend: Float
    speed: Float


def adapt(vehicles: Vehicles, setting: Setting, grip: Grip, bends: Float, bold: Float, firm: Float) -> Habits:
    """How drivers adapt to wetness, snow and fog; they see the weather but no patch.

    Parameters
    ----------
    bends
        From, to and curvature of the bends of each episode's road, (e, b, 3).
    bold, firm
        Per episode: the speed that front drivers insist on whatever they see, and the deceleration with
        which they
        slow down; NaN where they behave as usual.

    Notes
    -----
    Speeds fall by 5 to 10 % in rain and up to 45 % in snow (after the Highway Capacity Manual, from memory);
    in fog drivers can stop within 0.8 to 1.4 times the visible range (our estimate).
    """
    at = vehicles.episode
    state, mu = setting.state[at], grip.friction[at]
    factor = np.where(state >= SNOW, 0.55, np.where(state > DRY, 0.95, 1.0)) - np.minimum(
        grip.film_mm[at] * 0.1, 0.1
    )
    usable = np.minimum(0.8 * mu * GRAVITY, 4.0)
    delay = vehicles.delay * 0.1
    seen = setting.visibility[at] * vehicles.insight
    in_sight = np.sqrt(usable * usable * delay * delay + 2.0 * usable * seen) - usable * delay
    wish = quantise(np.minimum(vehicles.wish * factor, in_sight), 0.01)
    given = bold[at]
    wish = np.where(vehicles.front & ~np.isnan(given), np.minimum(given, vehicles.wish), wish)
    headway = vehicles.headway * np.where(state >= SNOW, 1.8, np.where(state > DRY, 1.15, 1.0))
    comfort = np.minimum(vehicles.comfort, 0.45 * mu * GRAVITY)
    braking = firm[at]
    comfort = np.where(vehicles.front & ~np.isnan(braking), braking, comfort)
    bend = np.minimum(2.5, 0.4 * mu * GRAVITY)
    speed = np.minimum(wish, _through_bends(vehicles.start, bends[at], bend, comfort))
    # A standing queue far ahead slows nobody down at the beginning.
    speed = np.where(vehicles.number >= 0, _FASTER_THAN_ALL, speed)
    _no_faster_than_the_one_ahead(vehicles.lane, at, speed)
    return Habits(
        wish, quantise(wish * vehicles.slow_share, 0.01), headway, comfort, bend, quantise(speed, 0.001)
    )


def _through_bends(start: Float, bends: Float, bend: Float, comfort: Float) -> Float:
    """Speed at which a vehicle may set out so that it still slows down for the next bends."""
    ahead = np.maximum(bends[:, :, 0] - start[:, None], 0.0)
    squared = bend[:, None] / bends[:, :, 2] + 2.0 * comfort[:, None] * ahead
    coming = start[:, None] < bends[:, :, 1]
    return np.asarray(np.sqrt(np.where(coming, squared, np.inf).min(axis=1)), np.float64)
