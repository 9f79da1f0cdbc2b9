"""How vehicles move: car following under what the tyres can give, all vehicles of a part in one kernel.

Drivers follow the intelligent driver model (Treiber, Hennecke, Helbing 2000, Phys. Rev. E 62:1805) with a
reaction time, see no farther than the fog lets them, and slow down for bends. The road answers: the tyre's
force lies inside the friction circle of radius μ·g at the vehicle's station, grade included. What is asked
beyond it is not given: braking takes longer, and in a bend the vehicle slides outwards.

Speeds are whole mm/s and stations whole units of 50 µm, so that integration is exact: a station is the sum of
(v + v') / 2 · 0.1 s. Speeds are those of the station: a vehicle that slides beside the line of a bend is as
much faster or slower as its way is longer or shorter, and forces are those of the plane. No `exp` or `log` is
used; the same numbers come out on every processor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Single = NDArray[np.float32]

STEP_S = 0.1
STEP_US = 100_000
GRAVITY = 9.81
PER_MPS = 1000.0
PER_M = 20_000.0
STANDSTILL_GAP_M = 2.0
SIDELONG = 0.8
SLIDING_BRAKE = 0.6
AQUAPLANING_GRIP = 0.25
CRASH_BRAKE = 5.0
HARD_BRAKING = 0.4 * GRAVITY
MEMORY = 16
#: No vehicle is wider: this much of the neighbouring lane is left to others.
WIDEST_M = 2.6

HARD, LIMITED, SIDEWAYS, AQUAPLANING, DEPARTURE, BARRIER, STRIKING, STRUCK = range(8)
EVENT_KINDS = (
    "hard_braking",
    "abs_active",
    "traction_loss",
    "aquaplaning",
    "lane_departure",
    "barrier_contact",
    "collision",
    "collision",
)


class Roads(NamedTuple):
    """Per episode: its vehicles and the road under them (e episodes, s segments, p stretches, b bends)."""

    first: Int  # (e + 1,) first vehicle of each episode
    until: Float  # (e, s) end station of each segment
    bend: Float  # (e, s, 2) curvature at its start in 1/m, and its slope
    grade: Float  # (e, s, 2) the same of the grade
    stretch: Float  # (e, p) start station of each stretch of one friction
    friction: Float  # (e, p)
    bends: Float  # (e, b, 3) from, to, largest curvature
    sight: Float  # (e,) visible range in m
    aquaplaning: Float  # (e,) speed in m/s
    lane_width: Float  # (e,)


class Drivers(NamedTuple):
    """Per vehicle, ordered by episode, lane and place in the lane, front first; all (v,)."""

    lane: Int
    length: Float
    width: Float
    mass: Float
    wish: Float
    pull: Float
    comfort: Float
    brake: Float
    headway: Float
    delay: Int
    bend: Float
    slow_from: Int
    slow_to: Int
    slow_wish: Float
    parked: NDArray[np.bool_]
    start: Int
    speed: Int


class Motion(NamedTuple):
    """Telemetry, (v, ticks) each, and worst moments and events of each vehicle."""

    position: Float
    offset: Single
    speed: Single
    acceleration: Single
    sideways: Single
    friction: Single
    worst: Float  # (v, 5) closing rate 1/s, headway s, required m/s², share of the tyres, visibility margin m
    worst_tick: Int  # (v,) tick of the largest share
    event: Int  # (m, 4) vehicle, tick, kind, other vehicle or -1
    event_value: Float  # (m, 2) speed before, change of speed


@compiled
def _round_half(x: float) -> float:
    return float(np.floor(x + 0.5))


@compiled
def _free(fast: float, wish: float, pull: float, comfort: float) -> float:
    """Acceleration wanted on a free road."""
    ratio = fast / wish
    ratio = ratio * ratio
    return float(max(pull * (1.0 - ratio * ratio), -comfort))


@compiled
def _back_off(fast: float, closing: float, near: float, headway: float, pull: float, comfort: float) -> float:
    """Acceleration taken back for a vehicle ahead, `near` being the inverse of the gap."""
    room = fast * headway + fast * closing / (2.0 * np.sqrt(pull * comfort))
    share = (STANDSTILL_GAP_M + max(room, 0.0)) * near
    return float(pull * share * share)


@compiled
def _across(demand: float, y: float, w: float, grip: float) -> float:
    """Force across: what the bend asks, and what brings the vehicle back to the middle of its lane."""
    if abs(demand) > grip:
        return SIDELONG * grip if demand > 0.0 else -SIDELONG * grip
    if y == 0.0 and w == 0.0:
        return demand
    spare = 0.3 * (grip - abs(demand))
    return demand + min(max((-0.5 * y - w) * 2.0, -spare), spare)


@compiled
def _along(want: float, slope: float, brake: float, pull: float, left: float) -> float:
    """Force along: what is wanted, as far as brakes, engine and the rest of the friction circle go."""
    tyre = want + GRAVITY * slope
    tyre = min(max(tyre, -brake), pull + GRAVITY * abs(slope))
    return min(max(tyre, -left), left)


@compiled
def _note(
    event: Int,
    value: Float,
    count: int,
    vehicle: int,
    tick: int,
    kind: int,
    other: int,
    before: float,
    change: float,
) -> int:
    if count < event.shape[0]:
        event[count, 0], event[count, 1], event[count, 2], event[count, 3] = vehicle, tick, kind, other
        value[count, 0], value[count, 1] = before, change
    return count + 1


# One long function on purpose: calls that hand over records of arrays cost fifty times a vehicle's step.
@compiled
def _run(  # noqa: C901
    roads: Roads,
    drivers: Drivers,
    ticks: int,
    most: int,
    position: Float,
    offset: Single,
    speed: Single,
    acceleration: Single,
    sideways: Single,
    friction: Single,
    worst: Float,
    worst_tick: Int,
    event: Int,
    value: Float,
) -> int:
    count = 0
    s, v, dv = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(most, np.int64)
    y, w, side = np.zeros(most), np.zeros(most), np.zeros(most)
    seg, piece, turn = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(most, np.int64)
    crashed, locked = np.zeros(most, np.bool_), np.zeros(most, np.bool_)
    seen = np.zeros((most, 6), np.bool_)
    asked = np.zeros((most, MEMORY))
    segments, pieces, turns = roads.until.shape[1], roads.stretch.shape[1], roads.bends.shape[1]
    for e in range(roads.first.size - 1):
        low = roads.first[e]
        n = roads.first[e + 1] - low
        sight, slick_speed, lane_width = roads.sight[e], roads.aquaplaning[e], roads.lane_width[e]
        for j in range(n):
            s[j], v[j] = drivers.start[low + j], drivers.speed[low + j]
            y[j], w[j], seg[j], piece[j], turn[j] = 0.0, 0.0, 0, 0, 0
            crashed[j], locked[j] = False, False
            for m in range(6):
                seen[j, m] = False
            for m in range(MEMORY):
                asked[j, m] = 0.0
        for k in range(ticks):
            for j in range(n):
                i = low + j
                here, fast = s[j] / PER_M, v[j] / PER_MPS
                while seg[j] < segments - 1 and here >= roads.until[e, seg[j]]:
                    seg[j] += 1
                while piece[j] < pieces - 1 and here >= roads.stretch[e, piece[j] + 1]:
                    piece[j] += 1
                while turn[j] < turns and here >= roads.bends[e, turn[j], 1]:
                    turn[j] += 1
                q = seg[j]
                run = here - (roads.until[e, q - 1] if q > 0 else 0.0)
                curve = roads.bend[e, q, 0] + roads.bend[e, q, 1] * run
                slope = roads.grade[e, q, 0] + roads.grade[e, q, 1] * run
                mu = roads.friction[e, piece[j]]

                # the driver: what is wished for, decided now and done after the reaction time
                wish = (
                    drivers.slow_wish[i]
                    if drivers.slow_from[i] <= k < drivers.slow_to[i]
                    else drivers.wish[i]
                )
                if turn[j] < turns:
                    ahead = max(roads.bends[e, turn[j], 0] - here, 0.0)
                    allowed = drivers.bend[i] / roads.bends[e, turn[j], 2] + 2.0 * drivers.comfort[i] * ahead
                    if allowed < wish * wish:
                        wish = np.sqrt(allowed)
                want = _free(fast, wish, drivers.pull[i], drivers.comfort[i])
                grip = mu * GRAVITY
                if fast > slick_speed:
                    grip *= AQUAPLANING_GRIP
                reach = fast * (0.75 + fast / (2.0 * grip))
                worst[i, 4] = min(worst[i, 4], sight - reach)
                if j > 0 and drivers.lane[i - 1] == drivers.lane[i]:
                    gap = (s[j - 1] - s[j]) / PER_M - 0.5 * (drivers.length[i - 1] + drivers.length[i])
                    closing = fast - v[j - 1] / PER_MPS
                    near = 1.0 / max(gap, 0.1)
                    if gap <= sight:
                        want -= _back_off(
                            fast, closing, near, drivers.headway[i], drivers.pull[i], drivers.comfort[i]
                        )
                    if fast > 0.5 and not crashed[j] and gap > 0.0:
                        worst[i, 1] = min(worst[i, 1], gap / fast)
                        if closing > 0.0:
                            rate = closing * near
                            needed = 0.5 * closing * rate
                            worst[i, 0] = max(worst[i, 0], rate)
                            worst[i, 2] = max(worst[i, 2], needed)
                            if needed > worst[i, 3] * grip:
                                worst[i, 3] = needed / grip
                                worst_tick[i] = k
                asked[j, k % MEMORY] = want
                lag = k - drivers.delay[i]
                want = asked[j, lag % MEMORY] if lag >= 0 else asked[j, 0]
                if crashed[j] or drivers.parked[i]:
                    want = -CRASH_BRAKE

                # the road: what the tyres can give of it
                # beside the line, the same change of station is a longer or shorter way
                arc = 1.0 - curve * y[j]
                demand = curve * fast * fast * arc
                give = _across(demand, y[j], w[j], grip)
                if abs(demand) > grip:
                    tyre = -SLIDING_BRAKE * grip
                    if not seen[j, SIDEWAYS]:
                        seen[j, SIDEWAYS] = True
                        count = _note(event, value, count, i, k, SIDEWAYS, -1, fast, 0.0)
                else:
                    left = np.sqrt(max(grip * grip - give * give, 0.0))
                    tyre = _along(want, slope, drivers.brake[i], drivers.pull[i], left)
                    if tyre == -left and fast > 1.0 and not seen[j, LIMITED]:
                        seen[j, LIMITED] = True
                        count = _note(event, value, count, i, k, LIMITED, -1, fast, 0.0)
                if fast > slick_speed and not seen[j, AQUAPLANING]:
                    seen[j, AQUAPLANING] = True
                    count = _note(event, value, count, i, k, AQUAPLANING, -1, fast, 0.0)
                net = tyre - GRAVITY * slope
                if y[j] != 0.0 or w[j] != 0.0:
                    turning = 2.0 * curve * w[j] + roads.bend[e, q, 1] * fast * y[j]
                    net = (net + turning * fast) / arc
                if fast == 0.0:
                    net = 0.0 if net < 0.0 or want <= 0.0 else net
                    give, demand, w[j] = 0.0, 0.0, 0.0
                dv[j] = max(np.int64(_round_half(net * (PER_MPS * STEP_S))), -v[j])
                side[j] = give - demand
                if dv[j] < -HARD_BRAKING * PER_MPS * STEP_S and not seen[j, HARD]:
                    seen[j, HARD] = True
                    count = _note(event, value, count, i, k, HARD, -1, fast, 0.0)
                position[i, k] = _round_half(here * 100.0) / 100.0
                offset[i, k] = y[j]
                speed[i, k] = fast
                sideways[i, k] = _round_half(give * 100.0) / 100.0
                friction[i, k] = mu

            # wrecks that hang together brake together, as hard as the weaker one can
            for j in range(n - 1, 0, -1):
                if locked[j]:
                    dv[j - 1] = max(dv[j], dv[j - 1])
            for j in range(n):
                if locked[j]:
                    dv[j] = dv[j - 1]
                acceleration[low + j, k] = dv[j] / (PER_MPS * STEP_S)
                s[j] += v[j] + v[j] + dv[j]
                v[j] += dv[j]
                if side[j] != 0.0 or w[j] != 0.0:
                    count = _drift(
                        low + j,
                        j,
                        k,
                        lane_width,
                        drivers.width[low + j],
                        y,
                        w,
                        side,
                        v,
                        crashed,
                        seen,
                        event,
                        value,
                        count,
                    )
            for j in range(1, n):
                i = low + j
                if drivers.lane[i - 1] != drivers.lane[i]:
                    continue
                apart = s[j - 1] - s[j] - np.int64(PER_M * 0.5 * (drivers.length[i - 1] + drivers.length[i]))
                if apart < 0 and abs(y[j] - y[j - 1]) < 0.5 * (drivers.width[i] + drivers.width[i - 1]):
                    count = _collide(
                        low, j, n, k + 1, apart, drivers.mass, s, v, crashed, locked, event, value, count
                    )
    return count


@compiled
def _drift(
    vehicle: int,
    j: int,
    tick: int,
    lane_width: float,
    width: float,
    y: Float,
    w: Float,
    side: Float,
    v: Int,
    crashed: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    event: Int,
    value: Float,
    count: int,
) -> int:
    """Move a vehicle sideways by what its tyres gave more or less than the bend asked."""
    push = w[j] + side[j] * STEP_S
    y[j] = _round_half((y[j] + 0.5 * (w[j] + push) * STEP_S) * 1e4) / 1e4
    w[j] = _round_half(push * 1e4) / 1e4
    if abs(y[j]) < 0.002 and abs(w[j]) < 0.02 and side[j] * y[j] <= 0.0:
        y[j], w[j] = 0.0, 0.0
    if abs(y[j]) > 0.5 * (lane_width - width) and not seen[j, DEPARTURE]:
        seen[j, DEPARTURE] = True
        count = _note(event, value, count, vehicle, tick + 1, DEPARTURE, -1, v[j] / PER_MPS, 0.0)
    edge = _round_half((lane_width - WIDEST_M / 2 - 0.5 * width) * 1e4) / 1e4
    if abs(y[j]) >= edge and y[j] * w[j] > 0.0:
        y[j] = edge if y[j] > 0.0 else -edge
        if not seen[j, BARRIER]:
            seen[j, BARRIER] = True
            crashed[j] = True
            count = _note(event, value, count, vehicle, tick + 1, BARRIER, -1, v[j] / PER_MPS, abs(w[j]))
        w[j] = 0.0
    return count


@compiled
def _collide(
    low: int,
    j: int,
    n: int,
    tick: int,
    apart: int,
    mass: Float,
    s: Int,
    v: Int,
    crashed: NDArray[np.bool_],
    locked: NDArray[np.bool_],
    event: Int,
    value: Float,
    count: int,
) -> int:
    """An inelastic collision with the vehicle ahead; wrecks already hanging on either take part in it."""
    head, tail = j - 1, j
    while locked[head]:
        head -= 1
    while tail + 1 < n and locked[tail + 1]:
        tail += 1
    weight, momentum = 0.0, 0.0
    for m in range(head, tail + 1):
        weight += mass[low + m]
        momentum += mass[low + m] * v[m]
    common = np.int64(_round_half(momentum / weight))
    for m in range(head, tail + 1):
        before, change = v[m] / PER_MPS, abs(common - v[m]) / PER_MPS
        if m >= j:
            count = _note(event, value, count, low + m, tick, STRIKING, low + m - 1, before, change)
            s[m] += apart
        else:
            count = _note(event, value, count, low + m, tick, STRUCK, low + m + 1, before, change)
        v[m], crashed[m] = common, True
    locked[j] = True
    return count


def simulate(roads: Roads, drivers: Drivers, ticks: int) -> Motion:
    """Move all vehicles of all episodes for `ticks` steps of 0.1 s.

    Returns
    -------
    Motion
        The row of tick k holds the state at its beginning and the acceleration during it. Worst values of a
        vehicle without a leader are infinite (headway) or 0.
    """
    vehicles = int(drivers.lane.size)
    most = int(np.diff(roads.first).max(initial=1))
    position = np.empty((vehicles, ticks))
    offset, speed, acceleration, sideways, friction = (
        np.empty((vehicles, ticks), np.float32) for _ in range(5)
    )
    room = 8 * vehicles + 64
    while True:
        worst = np.tile(np.array([0.0, np.inf, 0.0, 0.0, np.inf]), (vehicles, 1))
        worst_tick = np.full(vehicles, -1, np.int64)
        event, value = np.empty((room, 4), np.int64), np.empty((room, 2))
        count = _run(
            roads, drivers, ticks, most, position, offset, speed, acceleration, sideways, friction,
            worst, worst_tick, event, value,
        )  # fmt: skip
        if count <= room:
            return Motion(
                position, offset, speed, acceleration, sideways, friction,
                worst, worst_tick, event[:count], value[:count],
            )  # fmt: skip
        room = count
