"""The laws of the road, checked on what was written: each is a query that returns the rows that break it.

Tolerances are those of the stored steps: an acceleration is known to 0.005 m/s² and rounded once more
inside the
simulation, a station to 0.005 m.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from rarecase.automotive import data
from rarecase.automotive.schema import STATES, SURFACES
from rarecase.common.errors import Finding
from rarecase.common.spec import Spec

GRAVITY = 9.81
FORCE_TOLERANCE = 0.02
STATION_TOLERANCE = 0.011
_STEEPEST = 0.08


@dataclass(frozen=True)
class Law:
    """A law: its code, the table it is about, what it says, and the query for what breaks it."""

    rule: str
    table: str
    meaning: str
    sql: str


_PLACED = """(
    SELECT t.*, v.episode_id, v.lane, v.length_m, v.width_m, e.road_id
    FROM telemetry t JOIN vehicles v USING (vehicle_id) JOIN episodes e USING (episode_id)
)"""

# Only rows that could break the law on the steepest grade are set against their own grade.
ELLIPSE = Law(
    "automotive.friction_circle",
    "telemetry",
    "tyres give no more than friction times gravity, braking, pulling and cornering together",
    f"""
    WITH suspects AS (
        SELECT t.* FROM telemetry t WHERE speed_mps > 0 AND
            power(abs(acceleration_mps2) + {GRAVITY * _STEEPEST}, 2) + power(sideways_mps2, 2)
                > power(friction * {GRAVITY}, 2)
    ), placed AS (
        SELECT t.*, e.road_id FROM suspects t
        JOIN vehicles v USING (vehicle_id) JOIN episodes e USING (episode_id)
    )
    SELECT p.vehicle_id, p.observed_at, p.acceleration_mps2, p.sideways_mps2, p.friction
    FROM placed p ASOF JOIN road_segments s ON p.road_id = s.road_id AND p.position_m >= s.from_m
    WHERE sqrt(power(p.acceleration_mps2 + {GRAVITY} * (
            s.grade_start + (s.grade_end - s.grade_start) * (p.position_m - s.from_m) / s.length_m), 2)
        + power(p.sideways_mps2, 2)) > p.friction * {GRAVITY} + {FORCE_TOLERANCE}
    """,
)

INTEGRATION = Law(
    "automotive.motion_integrates",
    "telemetry",
    "stations are the sum of speeds and speeds the sum of accelerations, but for the moment of a collision",
    f"""
    WITH steps AS (
        SELECT vehicle_id, observed_at,
            position_m - lag(position_m) OVER own AS moved, lag(speed_mps) OVER own AS before,
            speed_mps AS speed, lag(acceleration_mps2) OVER own AS acceleration
        FROM telemetry WINDOW own AS (PARTITION BY vehicle_id ORDER BY observed_at)
    ), broken AS (
        SELECT * FROM steps WHERE abs(moved - (before + speed) * 0.05) > {STATION_TOLERANCE}
            OR abs(speed - before - acceleration * 0.1) > 0.0015
    )
    SELECT b.vehicle_id, b.observed_at, b.moved, b.before, b.speed, b.acceleration
    FROM broken b ANTI JOIN events e
    ON e.vehicle_id = b.vehicle_id AND e.observed_at = b.observed_at AND e.kind = 'collision'
    """,
)

TICKS = Law(
    "automotive.ten_rows_a_second",
    "telemetry",
    "every vehicle has a row for every tenth of a second of its episode",
    """
    SELECT v.vehicle_id, count(t.observed_at) AS present FROM vehicles v JOIN episodes e USING (episode_id)
    LEFT JOIN telemetry t ON t.vehicle_id = v.vehicle_id AND t.observed_at >= e.started_at
        AND t.observed_at < e.started_at + to_seconds(e.duration_s)
        AND (epoch_us(t.observed_at) - epoch_us(e.started_at)) % 100000 = 0
    GROUP BY v.vehicle_id, e.duration_s HAVING count(t.observed_at) <> e.duration_s * 10
    """,
)

ON_THE_ROAD = Law(
    "automotive.on_the_road",
    "telemetry",
    "nobody is beyond the ends of the road or farther from the lane's middle than its width",
    f"""
    SELECT t.vehicle_id, t.observed_at, t.position_m, t.offset_m, r.length_m
    FROM {_PLACED} t JOIN roads r USING (road_id)
    WHERE t.position_m > r.length_m OR t.position_m < 0 OR abs(t.offset_m) > r.lane_width_m
    """,
)

OVERLAP = Law(
    "automotive.no_overlap",
    "telemetry",
    "no two vehicles of a lane are in one place",
    f"""
    WITH placed AS MATERIALIZED (
        SELECT v.vehicle_id, v.length_m, v.width_m,
            lead(v.vehicle_id) OVER lane AS leader, lead(v.length_m) OVER lane AS their_length,
            lead(v.width_m) OVER lane AS their_width
        FROM vehicles v
        JOIN (SELECT vehicle_id, min_by(position_m, observed_at) AS start FROM telemetry GROUP BY 1) t
            USING (vehicle_id)
        WINDOW lane AS (PARTITION BY v.episode_id, v.lane ORDER BY t.start)
    )
    SELECT t.vehicle_id, t.observed_at, t.position_m, o.position_m AS leader_m
    FROM telemetry t JOIN placed p USING (vehicle_id)
    JOIN telemetry o ON o.vehicle_id = p.leader AND o.observed_at = t.observed_at
    WHERE o.position_m - t.position_m < (p.length_m + p.their_length) / 2 - 2 * {STATION_TOLERANCE}
        AND abs(o.offset_m - t.offset_m) < (p.width_m + p.their_width) / 2
    """,
)

_MATERIAL = """(
    SELECT r.road_id, w.friction AS base, w.friction_scale AS scale, r.dry_friction, e.episode_id
    FROM roads r JOIN episodes e USING (road_id) JOIN weather w USING (episode_id)
)"""

FRICTION = Law(
    "automotive.friction_of_the_road",
    "telemetry",
    "a vehicle's friction is that of the patch under it, or of the road, times the weather's scale",
    f"""
    WITH inside AS (
        SELECT t.vehicle_id, t.observed_at, any_value(t.friction) AS friction,
            min(m.scale * p.friction) AS expected,
            min(least(abs(t.position_m - p.from_m), abs(t.position_m - p.until_m))) AS border
        FROM {_PLACED} t JOIN {_MATERIAL} m USING (episode_id)
        JOIN road_patches p ON p.road_id = m.road_id
            AND t.position_m >= p.from_m - {STATION_TOLERANCE}
            AND t.position_m < p.until_m + {STATION_TOLERANCE}
        GROUP BY t.vehicle_id, t.observed_at
    ), other AS (
        SELECT t.vehicle_id, t.observed_at, t.friction, m.base
        FROM telemetry t JOIN vehicles v USING (vehicle_id) JOIN {_MATERIAL} m USING (episode_id)
        WHERE abs(t.friction - m.base) > 0.00006
    )
    SELECT vehicle_id, observed_at, friction, expected FROM inside
    WHERE abs(friction - expected) > 0.00006 AND border > {STATION_TOLERANCE}
    UNION ALL
    SELECT o.vehicle_id, o.observed_at, o.friction, o.base FROM other o ANTI JOIN inside i
        ON i.vehicle_id = o.vehicle_id AND i.observed_at = o.observed_at
    """,
)

PARTNERS = Law(
    "automotive.collisions_have_two_sides",
    "events",
    "whoever collides collides with somebody, who was struck at the same moment",
    """
    SELECT e.event_id FROM events e WHERE e.kind = 'collision' AND (e.other_vehicle_id IS NULL OR NOT EXISTS (
        SELECT 1 FROM events o WHERE o.vehicle_id = e.other_vehicle_id AND o.observed_at = e.observed_at
            AND o.kind = 'collision'))
    """,
)

SCALE = Law(
    "automotive.scale_and_friction",
    "weather",
    "the friction of a road is that of its dry surface times the weather's scale",
    """
    SELECT w.episode_id, w.friction, w.friction_scale, r.dry_friction
    FROM weather w JOIN episodes e USING (episode_id) JOIN roads r USING (road_id)
    WHERE abs(w.friction - w.friction_scale * r.dry_friction) > 0.00006
    """,
)

COLD = Law(
    "automotive.snow_needs_cold",
    "weather",
    "snow and ice lie on cold roads, snow falls from cold air, and a film of water needs rain",
    """
    SELECT episode_id, road_state, precipitation, surface_temperature_c FROM weather
    WHERE (road_state IN ('snow', 'ice') AND surface_temperature_c > 0.5)
        OR (precipitation = 'snow' AND air_temperature_c > 1.0)
        OR (water_film_mm > 0 AND precipitation <> 'rain')
    """,
)

EGO = Law(
    "automotive.one_ego",
    "vehicles",
    "every episode has exactly one vehicle under test",
    "SELECT episode_id FROM vehicles GROUP BY episode_id HAVING count(*) FILTER (is_ego) <> 1",
)

HARMLESS = Law(
    "automotive.look_alikes_are_harmless",
    "cases",
    "on a road that is wet but grippy nobody collides or slides",
    """
    SELECT c.case_id, e.kind FROM cases c JOIN vehicles v ON v.episode_id = c.entity_id
    JOIN events e ON e.vehicle_id = v.vehicle_id
    WHERE c.kind = 'wet_but_grippy'
        AND e.kind IN ('collision', 'traction_loss', 'lane_departure', 'barrier_contact')
    """,
)

HIDDEN = Law(
    "automotive.queues_stand_out_of_sight",
    "cases",
    "drivers who meet a queue in fog drive faster than they can stop within what they see",
    """
    SELECT c.case_id, min(k.visibility_margin_m) AS margin
    FROM cases c JOIN vehicles v ON v.episode_id = c.entity_id JOIN criticality k USING (vehicle_id)
    WHERE c.kind = 'stationary_queue_in_fog' GROUP BY c.case_id HAVING min(k.visibility_margin_m) >= 0
    """,
)


def _material_range() -> Law:
    """Friction of roads and of ice within the published ranges, half a step of the scale on either side."""
    low, high = data.numbers("surfaces", "dry_low"), data.numbers("surfaces", "dry_high")
    wet = data.numbers("surfaces", "wet_low")
    snow, ice = (
        (data.numbers("coatings", "low")[row], data.numbers("coatings", "high")[row]) for row in (0, 1)
    )
    dry = " OR ".join(
        f"(r.surface = '{name}' AND (r.dry_friction NOT BETWEEN {low[row]} AND {high[row]} "
        f"OR (w.road_state IN ('{STATES[1]}', '{STATES[2]}') AND w.friction NOT BETWEEN {wet[row]} - "
        f"0.005 AND {high[row]})))"
        for row, name in enumerate(SURFACES)
    )
    return Law(
        "automotive.material_range",
        "weather",
        "friction lies within the range of its material: surface, wet surface, snow or ice",
        f"""
        SELECT e.episode_id, r.surface, w.road_state, w.friction
        FROM weather w JOIN episodes e USING (episode_id) JOIN roads r USING (road_id)
        WHERE {dry} OR (w.road_state = 'dry' AND w.friction_scale <> 1)
            OR (w.road_state = 'snow' AND w.friction NOT BETWEEN {snow[0]} - 0.005 AND {snow[1]} + 0.005)
            OR (w.road_state = 'ice' AND w.friction NOT BETWEEN {ice[0]} - 0.005 AND {ice[1]} + 0.005)
        UNION ALL
        SELECT e.episode_id, r.surface, 'ice', w.friction_scale * p.friction
        FROM road_patches p JOIN roads r USING (road_id) JOIN episodes e USING (road_id)
        JOIN weather w USING (episode_id)
        WHERE p.kind = 'ice'
            AND w.friction_scale * p.friction NOT BETWEEN {ice[0]} - 0.005 AND {ice[1]} + 0.005
        """,
    )


LAWS = (
    ELLIPSE,
    INTEGRATION,
    TICKS,
    ON_THE_ROAD,
    OVERLAP,
    FRICTION,
    PARTNERS,
    SCALE,
    COLD,
    EGO,
    HARMLESS,
    HIDDEN,
    _material_range(),
)


def checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterable[Finding]:
    """Findings of every law, over views named as the tables."""
    return _found(connection)


def _found(connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    for law in LAWS:
        counted = connection.execute(f"SELECT count(*) FROM ({law.sql})").fetchone()
        count = int(counted[0]) if counted else 0
        if count:
            shown = connection.execute(f"SELECT * FROM ({law.sql}) LIMIT 3").fetchall()
            examples = tuple(", ".join(str(value) for value in row) for row in shown)
            yield Finding("error", law.rule, law.table, None, count, f"broken: {law.meaning}", examples)
