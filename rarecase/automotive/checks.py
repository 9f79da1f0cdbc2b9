"""The laws of the road, checked on what was written: each is a query that returns the rows that break it.

Tolerances are those of the stored steps: an acceleration is known to 0.005 m/s² and rounded once more inside
the simulation, a station to 0.005 m.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from rarecase.automotive import data
from rarecase.automotive.schema import SURFACES
from rarecase.common.errors import Finding
from rarecase.common.spec import Spec

GRAVITY = 9.81
FORCE_TOLERANCE = 0.02
STATION_TOLERANCE = 0.011
AQUAPLANING_GRIP = 0.25
_STEEPEST = 0.08
_HALF_STEP = 0.0051


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


def grip_used(share: float) -> str:
    """A query for what tyres give and what friction allows, m/s², where that may exceed a share of it.

    Beside the line of a bend the plane turns under a vehicle: what its station's speed changes is not what
    its tyres give. Speeds across follow from two offsets; at a barrier they do not, so there is no row.
    """
    return f"""(
    WITH suspects AS (
        SELECT * FROM telemetry WHERE speed_mps > 0 AND (offset_m <> 0 OR
            power(abs(acceleration_mps2) + {GRAVITY * _STEEPEST}, 2) + power(sideways_mps2, 2)
                > power({share} * friction * {GRAVITY}, 2))
    ), placed AS (
        SELECT t.*, e.road_id, n.offset_m AS next_m FROM suspects t
        JOIN vehicles v USING (vehicle_id) JOIN episodes e USING (episode_id)
        LEFT JOIN telemetry n
            ON n.vehicle_id = t.vehicle_id AND n.observed_at = t.observed_at + to_milliseconds(100)
    ), bent AS (
        SELECT p.*, s.grade_start + (s.grade_end - s.grade_start) * (p.position_m - s.from_m) / s.length_m
                AS grade,
            s.curvature_start + (s.curvature_end - s.curvature_start) * (p.position_m - s.from_m) / s.length_m
                AS curvature,
            (s.curvature_end - s.curvature_start) / s.length_m AS clothoid
        FROM placed p ASOF JOIN road_segments s ON p.road_id = s.road_id AND p.position_m >= s.from_m
    ), moving AS (
        SELECT *, 1 - curvature * offset_m AS arc, CASE WHEN offset_m = 0 AND next_m = 0 THEN 0 ELSE
            (next_m - offset_m) / 0.1 - 0.05 * (sideways_mps2
                - curvature * speed_mps * speed_mps * (1 - curvature * offset_m)) END AS across_mps
        FROM bent
    )
    SELECT m.vehicle_id, m.observed_at, m.acceleration_mps2, m.sideways_mps2, m.friction,
        m.friction * {GRAVITY} AS limit_mps2,
        sqrt(power(m.acceleration_mps2 * arc + {GRAVITY} * grade - speed_mps * (2 * curvature * across_mps
            + clothoid * speed_mps * offset_m), 2) + power(sideways_mps2, 2)) AS used_mps2
    FROM moving m ANTI JOIN events e
        ON e.vehicle_id = m.vehicle_id AND e.kind IN ('barrier_contact', 'collision')
        AND e.observed_at <= m.observed_at + to_milliseconds(100)
    )"""


ELLIPSE = Law(
    "automotive.friction_circle",
    "telemetry",
    "tyres give no more than friction times gravity, braking, pulling and cornering together",
    f"SELECT * FROM {grip_used(1.0)} WHERE used_mps2 > limit_mps2 + {FORCE_TOLERANCE}",
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

GRIPPY = Law(
    "automotive.look_alikes_grip",
    "cases",
    "where a road is wet but grippy its texture holds all the water, and friction is at least 0.5",
    """
    SELECT c.case_id, w.water_film_mm, w.friction * least(1, coalesce(min(p.friction) / any_value(
        r.dry_friction), 1)) AS least
    FROM cases c JOIN weather w ON w.episode_id = c.entity_id JOIN episodes e ON e.episode_id = c.entity_id
    JOIN roads r USING (road_id) LEFT JOIN road_patches p USING (road_id)
    WHERE c.kind = 'wet_but_grippy' GROUP BY c.case_id, w.water_film_mm, w.friction
    HAVING w.water_film_mm > 0 OR least < 0.5
    """,
)

HIDDEN = Law(
    "automotive.queues_stand_out_of_sight",
    "cases",
    "drivers who meet a queue in fog see 50 to 90 % of what they need to stop",
    f"""
    WITH met AS (
        SELECT c.case_id, w.visibility_m, CAST(regexp_extract(c.parameters, '"speed_mps": ([0-9.]+)', 1)
            AS DOUBLE) AS speed, w.friction
        FROM cases c JOIN weather w ON w.episode_id = c.entity_id WHERE c.kind = 'stationary_queue_in_fog'
    ), seen AS (
        SELECT case_id, visibility_m, speed,
            visibility_m / (speed * 0.75 + speed * speed / (2 * friction * {GRAVITY})) AS share
        FROM met
    )
    SELECT * FROM seen WHERE share NOT BETWEEN 0.5 - 1e-9 AND 0.9 + 1e-9 OR share IS NULL
    """,
)

OVERDRIVEN = Law(
    "automotive.margin_follows_motion",
    "criticality",
    "the visible range less the stopping distance is least where the telemetry says so",
    f"""
    WITH moving AS (
        SELECT v.episode_id, t.vehicle_id, max(t.speed_mps * (0.75 + t.speed_mps / (2 * {GRAVITY} * t.friction
            * CASE WHEN t.speed_mps * 3.6 > w.aquaplaning_kmh THEN {AQUAPLANING_GRIP} ELSE 1 END))) AS reach
        FROM telemetry t JOIN vehicles v USING (vehicle_id) JOIN weather w USING (episode_id)
        GROUP BY v.episode_id, t.vehicle_id
    )
    SELECT m.vehicle_id, k.visibility_margin_m, w.visibility_m - m.reach AS expected
    FROM moving m JOIN weather w USING (episode_id) JOIN criticality k USING (vehicle_id)
    WHERE abs(k.visibility_margin_m - (w.visibility_m - m.reach)) > 0.06
    """,
)

INSIDE = Law(
    "automotive.labels_inside_their_case",
    "labels",
    "what a case changed lies between its beginning and its end",
    """
    SELECT l.case_id, l.entity_id, l.from_at, l.to_at FROM labels l JOIN cases c USING (case_id)
    WHERE l.from_at < c.started_at OR l.to_at > c.ended_at
    """,
)

CRESTS = Law(
    "automotive.crests_are_gentle",
    "road_segments",
    "at its speed limit no crest or sag changes the load on the tyres by more than 2.5 %",
    f"""
    SELECT s.segment_id, s.grade_start, s.grade_end, s.length_m
    FROM road_segments s JOIN roads r USING (road_id)
    WHERE abs(s.grade_end - s.grade_start) / s.length_m * power(r.speed_limit_kmh / 3.6, 2)
        > 0.025 * {GRAVITY}
    """,
)


def _material_range() -> Law:
    """Friction of roads and of ice within the published ranges, half a step of the scale on either side."""
    wet, dry = (
        [tuple(data.numbers("surfaces", f"{state}_{end}")[row] for end in ("low", "high"))
         for row in range(len(SURFACES))]
        for state in ("wet", "dry")
    )  # fmt: skip
    snow, ice, gritted = zip(data.numbers("coatings", "low"), data.numbers("coatings", "high"), strict=True)
    surfaces = " OR ".join(
        f"(r.surface = '{name}' AND (r.dry_friction NOT BETWEEN {dry[row][0]} AND {dry[row][1]} "
        f"OR (w.road_state = 'wet' AND w.friction NOT BETWEEN {wet[row][0]} - {_HALF_STEP} "
        f"AND {wet[row][1]} + {_HALF_STEP}) "
        f"OR (w.road_state = 'moist' AND w.friction NOT BETWEEN {wet[row][1]} - {_HALF_STEP} "
        "AND r.dry_friction)))"
        for row, name in enumerate(SURFACES)
    )
    coatings = " OR ".join(
        f"(w.road_state = '{state}' AND w.friction NOT BETWEEN {low} - {_HALF_STEP} "
        f"AND {high} + {_HALF_STEP})"
        for state, (low, high) in (("snow", snow), ("ice", gritted))
    )
    return Law(
        "automotive.material_range",
        "weather",
        "friction lies within the range of its material: surface, wet surface, snow or ice",
        f"""
        SELECT e.episode_id, r.surface, w.road_state, w.friction
        FROM weather w JOIN episodes e USING (episode_id) JOIN roads r USING (road_id)
        WHERE {surfaces} OR {coatings} OR (w.road_state = 'dry' AND w.friction_scale <> 1)
        UNION ALL
        SELECT e.episode_id, r.surface, 'ice', w.friction_scale * p.friction
        FROM road_patches p JOIN roads r USING (road_id) JOIN episodes e USING (road_id)
        JOIN weather w USING (episode_id)
        WHERE p.kind = 'ice' AND w.friction_scale * p.friction
            NOT BETWEEN {ice[0]} - {_HALF_STEP} AND {ice[1]} + {_HALF_STEP}
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
    GRIPPY,
    HIDDEN,
    OVERDRIVEN,
    INSIDE,
    CRESTS,
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
