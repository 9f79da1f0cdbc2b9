"""What an episode is before anything is simulated: stateless draws by its ordinal, wherever they are asked.

Plans ask them to see where a case may stand, parts ask them to make the episode; both get the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.common.clocks import DAY_US, HOUR_US, Clock
from rarecase.common.draws import quantise
from rarecase.common.seeds import keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

Int = NDArray[np.int64]
Float = NDArray[np.float64]

TICK_US = 100_000
URBAN, RURAL, MOTORWAY = range(3)
DENSE, COARSE, POLISHED, CONCRETE = range(4)
DRY, MOIST, WET, SNOW, ICE = range(5)
NO_PRECIPITATION, RAIN, SNOWFALL = range(3)


@dataclass
class Setting:
    """Where and in what weather episodes take place; arrays of one length.

    Attributes
    ----------
    start_us
        Begin, microseconds after the start of the window, on a tenth of a second.
    road_class, surface, state, precipitation
        Codes into the schema's values.
    air, ground
        Temperatures of the air and of the road's surface, °C.
    humidity, rain, visibility, wind
        %, mm/h (water), m, m/s.
    """

    start_us: Int
    road_class: Int
    surface: Int
    air: Float
    ground: Float
    humidity: Float
    precipitation: Int
    rain: Float
    visibility: Float
    wind: Float
    state: Int


def ticks(spec: Spec) -> int:
    """Rows of telemetry per vehicle."""
    return int(_population(spec).duration_s) * 10


def setting(spec: Spec, entities: Int, cell: Int | None = None) -> Setting:
    """Place, time and weather of the episodes with these global ordinals.

    Parameters
    ----------
    cell
        Rows of the table of hours; each episode's own where not given.
    """
    start = start_us(spec, entities)
    cell = _weather_cell(spec, entities, start) if cell is None else cell
    air = temperature(spec, entities, cell)
    ground = _ground(spec, entities, start, air)
    rain = _within("rain", spec, entities, cell, 0.1)
    precipitation = np.where(rain == 0.0, NO_PRECIPITATION, np.where(air <= 1.0, SNOWFALL, RAIN))
    humidity = _humidity(air, _within("spread", spec, entities, cell, 0.1))
    return Setting(
        start_us=start,
        road_class=road_class(spec, entities),
        surface=surface(spec, entities),
        air=air,
        ground=ground,
        humidity=humidity,
        precipitation=precipitation,
        rain=rain,
        visibility=_within("visibility", spec, entities, cell, 10.0),
        wind=_within("wind", spec, entities, cell, 0.1),
        state=_state(spec, entities, cell, ground, precipitation, humidity),
    )


def start_us(spec: Spec, entities: Int) -> Int:
    """Begin of each episode: any day, an hour as traffic has it, and no episode outlasts the window."""
    day = (keyed_uniform(spec.seed, "episode day", entities) * spec.days).astype(np.int64)
    clock = Clock.of_day(data.numbers("hours", "weight")).at(
        keyed_uniform(spec.seed, "episode hour", entities)
    )
    latest = spec.horizon_us - ticks(spec) * TICK_US
    moment = np.minimum(day * DAY_US + clock, latest)
    return np.asarray(moment // TICK_US * TICK_US, np.int64)


def road_class(spec: Spec, entities: Int) -> Int:
    """Codes of the classes of the roads."""
    population = _population(spec)
    shares = np.array([population.roads.urban, population.roads.rural, population.roads.motorway])
    return _choice(spec, "road class", entities, shares)


def surface(spec: Spec, entities: Int) -> Int:
    """Codes of what the roads are paved with."""
    return _choice(spec, "surface", entities, data.numbers("surfaces", "share"))


def braking_tick(spec: Spec, entities: Int) -> Int:
    """The tick at which the driver in front of the leftmost lane begins to slow down."""
    share = 0.08 + 0.70 * keyed_uniform(spec.seed, "front brakes", entities)
    return (share * ticks(spec)).astype(np.int64)


def temperature(spec: Spec, entities: Int, cell: Int) -> Float:
    """Air temperature inside its class, closed above as the classes are."""
    high = data.class_limits("temperature")[1][_class_of("temperature", cell)]
    return quantise(high - np.floor(25 * keyed_uniform(spec.seed, "air", entities)) * 0.1, 0.1)


def _population(spec: Spec) -> Any:
    return spec.population


def _choice(spec: Spec, name: str, entities: Int, shares: Float) -> Int:
    edges = np.cumsum(shares / shares.sum())[:-1]
    return np.searchsorted(edges, keyed_uniform(spec.seed, name, entities), side="right").astype(np.int64)


@cache
def _months() -> tuple[Int, Int, Int]:
    """Hours counted before each row of the table, and before and after each (month, quarter of the day)."""
    hours = data.numbers("weather_hours", "hours").astype(np.int64)
    group = (data.numbers("weather_hours", "month") - 1) * 4 + data.numbers("weather_hours", "quarter")
    before = np.concatenate([[0], np.cumsum(hours)])
    first = np.searchsorted(group, np.arange(49))
    return before, before[first[:-1]], before[first[1:]]


def group_of(spec: Spec, start: Int) -> Int:
    """Month (0 to 11) times 4 plus the quarter of the day of these moments, microseconds after the start."""
    day = np.datetime64(spec.start, "D") + (start // DAY_US).astype("timedelta64[D]")
    month = day.astype("datetime64[M]").astype(np.int64) % 12
    return np.asarray(month * 4 + start % DAY_US // (6 * HOUR_US), np.int64)


def _weather_cell(spec: Spec, entities: Int, start: Int) -> Int:
    before, low, high = _months()
    group = group_of(spec, start)
    u = keyed_uniform(spec.seed, "weather hour", entities)
    hour = low[group] + (u * (high - low)[group]).astype(np.int64)
    return np.asarray(np.searchsorted(before, hour, side="right") - 1, np.int64)


def _class_of(quantity: str, cell: Int) -> Int:
    return data.numbers("weather_hours", quantity)[cell].astype(np.int64)


def _within(quantity: str, spec: Spec, entities: Int, cell: Int, quantum: float) -> Float:
    low, high = data.class_limits(quantity)
    found = _class_of(quantity, cell)
    u = keyed_uniform(spec.seed, ("weather", quantity), entities)
    return quantise(low[found] + u * (high - low)[found], quantum)


def _ground(spec: Spec, entities: Int, start: Int, air: Float) -> Float:
    # A road radiates at night and takes the sun by day; the spread is our estimate.
    night = np.isin(start % DAY_US // (6 * HOUR_US), (0, 3))
    u = keyed_uniform(spec.seed, "ground", entities)
    return quantise(air + np.where(night, -3.0 + 3.0 * u, -0.5 + 3.5 * u), 0.1)


def _humidity(air: Float, spread: Float) -> Float:
    dew = air - spread
    ratio = np.exp(
        17.625 * dew / (243.04 + dew) - 17.625 * air / (243.04 + air)
    )  # Magnus; Alduchov, Eskridge 1996
    return quantise(np.minimum(100.0 * ratio, 100.0), 1.0)


def _state(spec: Spec, entities: Int, cell: Int, ground: Float, precipitation: Int, humidity: Float) -> Int:
    recent = data.numbers("weather_hours", "recent")[cell] > 0
    kept_clear = keyed_uniform(spec.seed, "winter service", entities)
    snowing = precipitation == SNOWFALL
    snow = (ground <= 0.5) & ((snowing & (kept_clear < 0.5)) | (recent & (kept_clear < 0.25)))
    frozen = (ground <= -0.5) & (recent | (humidity >= 92.0)) & (kept_clear > 0.9)
    wet = precipitation != NO_PRECIPITATION
    moist = recent | (humidity >= 97.0)
    state = np.where(wet, WET, np.where(moist, MOIST, DRY))
    return np.where(snow, SNOW, np.where(frozen & ~snow, ICE, state))
