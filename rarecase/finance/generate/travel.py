"""Trips: who is away from home when and where, and what they pay there.

A trip depends on nothing but the customer and a window of 45 days, so the place that is visited knows of it
without asking. While somebody is away, no card of theirs is used at home, and there is time for the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64, keyed_integers, keyed_uniform, mix64, name_key
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.opening import opening_hours
from rarecase.finance.spec import FinanceSpec

if TYPE_CHECKING:
    from datetime import date

_WINDOW = 45
_HOUR_S = 3_600
#: Of the day, seconds between which people pay on trips: the nights are for the way.
_FROM_S, _TO_S = 6 * _HOUR_S, 23 * _HOUR_S
#: Longest stay in days, and the law of stays; payments per day of a stay, and the most of one trip.
_STAY_MOST, _STAY_MEDIAN, _STAY_LOG_SD = 14, 3.0, 0.7
_A_DAY, MOST_PAYMENTS = 1.3, 16
_CASH_SHARE = 0.07
#: How much likelier a trip is that starts in each month, by own choice.
_SEASON = np.array([0.7, 0.8, 0.9, 1.05, 1.15, 1.2, 1.5, 1.5, 1.0, 0.9, 0.6, 1.0])


@dataclass(frozen=True)
class Away:
    """When customers are not at home.

    Attributes
    ----------
    leaves, returns
        Seconds, shape (n, windows), NEVER where there is no trip; they may lie outside the data.
    phase
        Days by which the windows of each customer begin before the data, shape (n,).
    """

    leaves: Int64
    returns: Int64
    phase: Int64

    def home(self, who: Int64, second: Int64) -> NDArray[np.bool_]:
        """Whether these customers, by row, are not on a trip at these seconds."""
        out = np.empty(who.size, np.bool_)
        _home(who, second, self.leaves, self.returns, self.phase, out)
        return out


@dataclass(frozen=True)
class _Trips:
    """Trips, columns of one length, ordered by customer (row) and window (column).

    `first` and `days` are of the stay, in days after the start; `far` days go by on each way.
    """

    row: Int64
    column: Int64
    step: Int64
    first: Int64
    days: Int64
    far: Int64


def windows(spec: FinanceSpec) -> int:
    """How many windows of a customer touch the data."""
    return spec.days // _WINDOW + 2


def away(spec: FinanceSpec, customers: Int64) -> Away:
    """When customers are on trips."""
    leaves = np.full((customers.size, windows(spec)), NEVER)
    returns = leaves.copy()
    trips = _trips(spec, customers)
    leaves[trips.row, trips.column] = (trips.first - trips.far) * ground.DAY_S
    returns[trips.row, trips.column] = (trips.first + trips.days + trips.far) * ground.DAY_S + _FROM_S
    return Away(leaves, returns, _phases(spec, customers))


def _phases(spec: FinanceSpec, customers: Int64) -> Int64:
    return keyed_integers(spec.seed, "trip-phase", customers, _WINDOW)


@lru_cache(maxsize=8)
def _chances(start: date, days: int, yearly: float) -> Float64:
    """Chance of a trip in a window, by the day on which it begins, from 45 days before the data."""
    first = np.datetime64(start, "D") - _WINDOW
    month = (first + np.arange(days + 3 * _WINDOW)).astype("datetime64[M]").astype(np.int64) % 12
    return np.asarray(yearly * _WINDOW / 365.25 * _SEASON[month], np.float64)


def _trips(spec: FinanceSpec, customers: Int64, step: Int64 | None = None) -> _Trips:
    """The trips of customers; with `step` (one per customer) only those in that direction."""
    seed, ways = spec.seed, ground.steps(spec.parts)
    if not ways.size:
        return _Trips(*(np.empty(0, np.int64) for _ in range(6)))
    number = windows(spec)
    chance = _chances(spec.start, spec.days, spec.population.trips_per_year)
    phase = _phases(spec, customers)
    rows, columns = np.empty(customers.size * number, np.int64), np.empty(customers.size * number, np.int64)
    keys = [np.uint64(name_key(seed, name)) for name in ("trip", "trip-step")]
    wanted = np.full(customers.size, -1) if step is None else step
    found = _find(customers, phase, wanted, number, ways.size, chance, keys[0], keys[1], rows, columns)
    rows, columns = rows[:found], columns[:found]
    begins, at = columns * _WINDOW - phase[rows], customers[rows] * 4096 + columns
    to = keyed_integers(seed, "trip-step", at, ways.size)
    home = customers[rows] // spec.block
    far = _way_days(spec, home, to)
    normal = ndtri(np.clip(keyed_uniform(seed, "trip-stay", at), 1e-9, 1 - 1e-9))
    stay = np.clip(np.rint(_STAY_MEDIAN * np.exp(_STAY_LOG_SD * normal)), 1, _STAY_MOST).astype(np.int64)
    room = _WINDOW - stay - 2 * far - 1
    start = begins + far + (keyed_uniform(seed, "trip-start", at) * room).astype(np.int64)
    return _Trips(rows, columns, to, start, stay, far)


@compiled
def _find(
    customers: Int64,
    phase: Int64,
    wanted: Int64,
    number: int,
    ways: int,
    chance: Float64,
    trip: np.uint64,
    turn: np.uint64,
    rows: Int64,
    columns: Int64,
) -> int:
    """Customers and windows with a trip in the wanted direction (-1: any), as `keyed_uniform` draws them."""
    found = 0
    for i in range(customers.size):
        for j in range(number):
            word = mix64(np.uint64(customers[i] * 4096 + j) + np.uint64(0x9E3779B97F4A7C15))
            if np.float64(mix64(word ^ trip) >> np.uint64(11)) * 2.0**-53 >= chance[j * 45 - phase[i] + 45]:
                continue
            to = int(np.float64(mix64(word ^ turn) >> np.uint64(11)) * 2.0**-53 * ways)
            if wanted[i] < 0 or min(to, ways - 1) == wanted[i]:
                rows[found], columns[found] = i, j
                found += 1
    return found


def kilometres(spec: FinanceSpec, one: Int64, other: Int64) -> Float64:
    """Great-circle distances between places."""
    (a, b), (c, d) = (
        tuple(np.radians(part) for part in ground.towns(spec, np.asarray(place))) for place in (one, other)
    )
    half = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
    return np.asarray(2 * 6_371.0 * np.arcsin(np.sqrt(np.clip(half, 0, 1))), np.float64)


def _way_days(spec: FinanceSpec, home: Int64, step: Int64) -> Int64:
    """Whole days needed for the way beyond the hours of a night, at 700 km/h, by place and direction."""
    ways = ground.steps(spec.parts)
    places, at = np.unique(home, return_inverse=True)
    one = np.repeat(places, ways.size)
    hours = kilometres(spec, one, (one + np.tile(ways, places.size)) % spec.parts) / 700 - 6
    days = np.ceil(np.maximum(hours, 0) / 24).astype(np.int64).reshape(places.size, ways.size)
    return np.asarray(days[at, step], np.int64)


@dataclass(frozen=True)
class Spending:
    """Payments on trips, columns of one length, ordered by traveller, window and number.

    Attributes
    ----------
    customer
        Global ordinal of the traveller.
    step
        Direction, a position in `ground.steps`.
    place
        Where it is paid.
    merchant
        Number of the shop there, -1 for a cash machine.
    second, u
        When, and uniforms for the amount and the way, shape (2, rows).
    """

    customer: Int64
    step: Int64
    place: Int64
    merchant: Int64
    second: Int64
    u: Float64


def spending(spec: FinanceSpec, customers: Int64, step: Int64 | None = None) -> Spending:
    """What customers pay on trips within the data; with `step` (one per customer) only in that direction."""
    trips, seed = _trips(spec, customers, step), spec.seed
    ids, stay = customers[trips.row] * 4096 + trips.column, trips.days
    number = 1 + (stay * _A_DAY * (0.4 + 1.2 * keyed_uniform(seed, "trip-payments", ids))).astype(np.int64)
    number = np.minimum(number, MOST_PAYMENTS)
    trip = np.repeat(np.arange(ids.size), number)
    nth = np.arange(trip.size) - np.repeat(np.cumsum(number) - number, number)
    pay = ids[trip] * MOST_PAYMENTS + nth
    u = np.stack([keyed_uniform(seed, f"trip-{what}", pay) for what in ("when", "where", "amount", "way")])
    who, to = customers[trips.row][trip], trips.step[trip]
    ways = ground.steps(spec.parts)
    place = (who // spec.block + ways[to]) % spec.parts if ways.size else who // spec.block
    merchant = _shop(spec, place, u[1])
    cash = u[3] < _CASH_SHARE
    day = trips.first[trip] + (u[0] * stay[trip]).astype(np.int64)
    tod = _time_of_day(spec, place, merchant, cash, (u[0] * stay[trip]) % 1.0)
    second = day * ground.DAY_S + tod
    here = np.flatnonzero((second >= 0) & (second < spec.days * ground.DAY_S))
    way = np.where(cash, u[3] / _CASH_SHARE, (u[3] - _CASH_SHARE) / (1 - _CASH_SHARE))
    return Spending(
        who[here],
        to[here],
        place[here],
        np.where(cash, -1, merchant)[here],
        second[here],
        np.stack([u[2], way])[:, here],
    )


def _shop(spec: FinanceSpec, place: Int64, u: Float64) -> Int64:
    """The most tempting of three shops of each place."""
    n = ground.slots(spec.block).merchants_n
    liking = data.shops().on_trips
    cell = (u * n**3).astype(np.int64)
    three = [cell % n, cell // n % n, np.minimum(cell // (n * n), n - 1)]
    likes = np.stack([liking[ground.shop_kinds(spec, place, shop)] for shop in three])
    return np.asarray(np.choose(np.argmax(likes, axis=0), three), np.int64)


def _time_of_day(
    spec: FinanceSpec, place: Int64, merchant: Int64, cash: NDArray[np.bool_], u: Float64
) -> Int64:
    opens, closes = opening_hours(spec, place, merchant)
    low = np.where(cash, _FROM_S, np.maximum(opens * _HOUR_S, _FROM_S))
    high = np.where(cash, _TO_S, np.minimum(closes * _HOUR_S, _TO_S))
    return np.asarray(low + (u * (high - low)).astype(np.int64), np.int64)


@compiled
def _home(
    who: Int64, second: Int64, leaves: Int64, returns: Int64, phase: Int64, out: NDArray[np.bool_]
) -> None:
    for i in range(who.size):
        w = who[i]
        j = (second[i] // 86_400 + phase[w]) // 45
        out[i] = not leaves[w, j] <= second[i] < returns[w, j]
