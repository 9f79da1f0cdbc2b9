"""Vehicles move as drivers wish and tyres allow."""

from __future__ import annotations

import numpy as np
import pytest

from rarecase.automotive.generate.motion import (
    EVENT_KINDS,
    GRAVITY,
    STRIKING,
    STRUCK,
    Drivers,
    Motion,
    Roads,
    simulate,
)

NEVER = 1 << 40


def road(
    *, friction: float = 0.8, curvature: float = 0.0, grade: float = 0.0, sight: float = 16_000.0, n: int
) -> Roads:
    """One straight or evenly bent road of 20 km with n vehicles."""
    return Roads(
        first=np.array([0, n]),
        until=np.array([[20_000.0]]),
        bend=np.array([[[curvature, 0.0]]]),
        grade=np.array([[[grade, 0.0]]]),
        stretch=np.array([[0.0]]),
        friction=np.array([[friction]]),
        bends=np.array([[[30_000.0, 30_001.0, 1e-3]]]),
        sight=np.array([sight]),
        aquaplaning=np.array([np.inf]),
        lane_width=np.array([3.5]),
    )


def drivers(start: list[float], speed: list[float], wish: list[float], **changes: np.ndarray) -> Drivers:
    """Cars of one lane, front first, with middle stations and speeds."""
    n = len(start)
    usual = Drivers(
        lane=np.full(n, -1),
        length=np.full(n, 4.5),
        width=np.full(n, 1.8),
        mass=np.full(n, 1500.0),
        wish=np.array(wish),
        pull=np.full(n, 1.8),
        comfort=np.full(n, 2.0),
        brake=np.full(n, 9.5),
        headway=np.full(n, 1.5),
        delay=np.full(n, 7),
        bend=np.full(n, 2.5),
        slow_from=np.full(n, NEVER),
        slow_to=np.full(n, NEVER),
        slow_wish=np.full(n, 1.0),
        parked=np.zeros(n, np.bool_),
        start=np.rint(np.array(start) * 20_000).astype(np.int64),
        speed=np.rint(np.array(speed) * 1000).astype(np.int64),
    )
    return usual._replace(**changes)


def wall(distance: float, speed: float, *, friction: float, sight: float) -> Motion:
    """A car of 0.7 s reaction that drives towards a parked one whose tail is `distance` ahead of its nose."""
    cars = drivers(
        [distance + 104.5, 100.0],
        [0.0, speed],
        [speed, speed],
        parked=np.array([True, False]),
        comfort=np.full(2, min(2.0, 0.45 * friction * GRAVITY)),
    )
    return simulate(road(friction=friction, sight=sight, n=2), cars, 900)


def test_a_lone_driver_reaches_the_wished_speed_and_keeps_it() -> None:
    moved = simulate(road(n=1), drivers([10.0], [5.0], [25.0]), 900)
    assert moved.speed[0, -1] == pytest.approx(25.0, abs=0.1)
    assert (np.diff(moved.speed[0]) >= -0.002).all()


def test_speeds_and_stations_are_exact_sums() -> None:
    moved = wall(400.0, 30.0, friction=0.5, sight=1000.0)
    speed, station = moved.speed[1].astype(float), moved.position[1].astype(float)
    np.testing.assert_allclose(np.diff(speed), moved.acceleration[1, :-1] * 0.1, atol=2e-5)
    np.testing.assert_allclose(
        station - station[0], np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) * 0.05)]), atol=0.006
    )


@pytest.mark.parametrize(("friction", "speed"), [(0.8, 27.8), (0.5, 27.8), (0.3, 22.2), (0.1, 13.9)])
def test_nobody_stops_shorter_than_the_road_allows(friction: float, speed: float) -> None:
    """A car that sees the wall late needs at least v²/(2 mu g), and hits it where that is not there."""
    needed = speed * 0.7 + speed**2 / (2 * friction * GRAVITY)
    late = wall(needed * 0.8 + 60.0, speed, friction=friction, sight=needed * 0.8)
    assert STRIKING in late.event[:, 2]
    early = wall(needed * 3.0, speed, friction=friction, sight=needed * 3.0)
    assert STRIKING not in early.event[:, 2]
    assert early.speed[1, -1] < 1.0
    braking = -early.acceleration[1].min()
    assert braking <= friction * GRAVITY + 0.006


def test_fog_hides_the_wall_until_it_is_near() -> None:
    hidden = wall(300.0, 30.0, friction=0.8, sight=40.0)
    seen = hidden.position[1] - hidden.position[1, 0] > 300.0 - 40.0
    first = int(np.argmax(seen))
    assert (hidden.acceleration[1, :first] > -0.05).all()
    assert STRIKING in hidden.event[:, 2]


def test_collisions_keep_momentum_and_bind_wrecks() -> None:
    moved = wall(60.0, 30.0, friction=0.8, sight=30.0)
    struck = moved.event[np.isin(moved.event[:, 2], (STRIKING, STRUCK))]
    tick = int(struck[0, 1])
    before = moved.speed[1, tick - 1] + 0.1 * moved.acceleration[1, tick - 1]
    assert moved.speed[:, tick] == pytest.approx([before / 2, before / 2], abs=0.01)
    gap = moved.position[0, tick:] - moved.position[1, tick:]
    np.testing.assert_allclose(gap, 4.5, atol=0.011)
    assert len(struck) == 2


def test_a_bend_faster_than_friction_allows_carries_the_vehicle_outwards() -> None:
    fast = drivers([100.0], [20.0], [20.0])
    held = simulate(road(friction=0.8, curvature=1 / 100, n=1), fast, 50)
    assert (held.offset == 0).all()
    assert held.sideways[0, 0] == pytest.approx(4.0, abs=0.01)
    slid = simulate(road(friction=0.2, curvature=1 / 100, n=1), fast, 50)
    assert slid.offset[0].min() < -0.8  # a left bend throws to the right
    kinds = {EVENT_KINDS[code] for code in slid.event[:, 2]}
    assert {"traction_loss", "lane_departure"} <= kinds


@pytest.mark.parametrize("grade", [-0.06, 0.0, 0.06])
def test_a_grade_adds_to_or_takes_from_what_tyres_give(grade: float) -> None:
    cars = drivers([200.0, 100.0], [0.0, 20.0], [20.0, 20.0], parked=np.array([True, False]))
    moved = simulate(road(friction=0.3, grade=grade, sight=90.0, n=2), cars, 100)
    assert moved.acceleration[1].min() == pytest.approx(-(0.3 + grade) * GRAVITY, abs=0.01)


def test_platoons_do_not_collide_on_a_good_road() -> None:
    n, rng = 8, np.random.default_rng(5)
    start = list(600.0 - 45.0 * np.arange(n))
    slow = drivers(
        start, [25.0] * n, list(rng.uniform(24, 30, n)),
        slow_from=np.array([100, *[NEVER] * (n - 1)]), slow_to=np.array([200, *[NEVER] * (n - 1)]),
        slow_wish=np.full(n, 8.0), headway=rng.uniform(0.8, 2.0, n), delay=rng.integers(4, 14, n),
    )  # fmt: skip
    moved = simulate(road(n=n), slow, 600)
    assert STRIKING not in moved.event[:, 2]
    assert (moved.position[:-1] - moved.position[1:] > 4.5).all()


def test_more_events_than_expected_are_still_all_kept() -> None:
    """A pile-up on ice in which every new wreck shoves all before it: more events than room at first."""
    n = 60
    cars = drivers(
        list(600.0 - 5.0 * np.arange(n)),
        [0.0] + [30.0] * (n - 1),
        [20.0] * n,
        parked=np.array([True] + [False] * (n - 1)),
    )
    moved = simulate(road(friction=0.05, n=n), cars, 900)
    assert len(moved.event) > 8 * n + 64
    strikers = set(moved.event[moved.event[:, 2] == STRIKING, 0].tolist())
    assert len(strikers) > n / 2
    assert (moved.event_value >= 0).all()
