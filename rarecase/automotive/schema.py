"""The tables of the automotive domain: roads, weather, vehicles, their motion, and what it led to."""

from __future__ import annotations

from rarecase.common.schema import Column, Knowing, Reference, RowRule, Schema, Table
from rarecase.common.schema.cases import case_tables

ROAD_CLASSES = ("urban", "rural", "motorway")
SURFACES = ("asphalt_dense", "asphalt_coarse", "asphalt_polished", "concrete")
STATES = ("dry", "moist", "wet", "snow", "ice")
PRECIPITATION = ("none", "rain", "snow")
SEGMENT_KINDS = ("line", "spiral", "arc")
PATCH_KINDS = ("repair", "polished", "ice")
VEHICLE_KINDS = ("car", "van", "truck", "bus")
EVENTS = (
    "hard_braking",
    "abs_active",
    "traction_loss",
    "aquaplaning",
    "lane_departure",
    "barrier_contact",
    "collision",
)
#: Finest steps of stored physical columns.
FRICTION_QUANTUM = 0.0001
POSITION_QUANTUM = 0.01
OFFSET_QUANTUM = 0.0001
SPEED_QUANTUM = 0.001
ACCELERATION_QUANTUM = 0.01


def _key(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name=name, type="key", meaning=meaning, role="identifier", nullable=nullable)


def _class(name: str, meaning: str, values: tuple[str, ...]) -> Column:
    return Column(name=name, type="category", meaning=meaning, values=values)


def _when(name: str, meaning: str) -> Column:
    return Column(name=name, type="timestamp", meaning=meaning, role="time", unit="UTC")


def _physical(
    name: str,
    meaning: str,
    unit: str,
    quantum: float,
    low: float | None = None,
    high: float | None = None,
    *,
    wide: bool = True,
    nullable: bool = False,
    derived: bool = False,
) -> Column:
    return Column(
        name=name,
        type="float64" if wide else "float32",
        meaning=meaning,
        unit=unit,
        quantum=quantum,
        minimum=low,
        maximum=high,
        nullable=nullable,
        role="derived" if derived else "measure",
    )


def _to(table: str, column: str, ours: str | None = None) -> Reference:
    return Reference(columns=(ours or column,), table=table, to=(column,))


_ROADS = Table(
    name="roads",
    meaning="One road per episode: a carriageway with its lanes, from station 0 to its length.",
    columns=(
        _key("road_id", "Key of the road"),
        _class("road_class", "Class of the road", ROAD_CLASSES),
        Column(
            name="speed_limit_kmh",
            type="int16",
            meaning="Legal speed limit",
            unit="km/h",
            minimum=20,
            maximum=130,
        ),
        Column(name="lanes", type="int8", meaning="Lanes in the direction of travel", minimum=1, maximum=2),
        _physical("lane_width_m", "Width of each lane", "m", 0.01, 2.5, 4.5),
        _physical("length_m", "Length of the road", "m", 10, 100),
        _class("surface", "What the road is paved with", SURFACES),
        _physical("texture_mm", "Mean texture depth of the surface", "mm", 0.01, 0, 4),
        _physical("crossfall", "Slope across the road, m per m", "1", 0.001, 0, 0.08),
        _physical("dry_friction", "Friction of the dry surface", "1", 0.01, 0.3, 1.0),
    ),
    key=("road_id",),
    knowing=Knowing(used_by=("episodes.road_id",)),
)

_SEGMENTS = Table(
    name="road_segments",
    meaning="Pieces of a road's line in order: lines, clothoids and arcs, with grades. The line runs along "
    "the middle of the lanes: of the only lane, or between the two.",
    columns=(
        _key("segment_id", "Key of the segment"),
        _key("road_id", "The road it belongs to"),
        Column(name="place", type="int8", meaning="Place along the road, from 0", minimum=0),
        _class("kind", "Shape of the reference line", SEGMENT_KINDS),
        _physical("from_m", "Station at which it begins", "m", 0.01, 0),
        _physical("length_m", "Its length", "m", 0.01, 0),
        _physical("curvature_start", "Curvature at its start, left positive", "1/m", 1e-7, -0.1, 0.1),
        _physical("curvature_end", "Curvature at its end", "1/m", 1e-7, -0.1, 0.1),
        _physical("grade_start", "Grade at its start, uphill positive", "1", 0.0001, -0.15, 0.15),
        _physical("grade_end", "Grade at its end", "1", 0.0001, -0.15, 0.15),
    ),
    key=("segment_id",),
    references=(_to("roads", "road_id"),),
    knowing=Knowing(with_rows=("road_id",)),
)

_PATCHES = Table(
    name="road_patches",
    meaning="Stretches whose surface differs from the rest of the road, over all lanes.",
    columns=(
        _key("patch_id", "Key of the patch"),
        _key("road_id", "The road it lies on"),
        _class("kind", "What the patch is", PATCH_KINDS),
        _physical("from_m", "Station at which it begins", "m", 0.1, 0),
        _physical("until_m", "Station at which it ends", "m", 0.1, 0),
        _physical("friction", "Friction of the patch before the weather's scale", "1", 0.01, 0.05, 1.5),
    ),
    key=("patch_id",),
    references=(_to("roads", "road_id"),),
    row_rules=(
        RowRule(
            name="patch_has_length", sql="from_m < until_m", meaning="A patch ends beyond where it begins"
        ),
    ),
    # A patch shows when it is driven over.
    knowing=Knowing(after_rows=("road_id",)),
)

_EPISODES = Table(
    name="episodes",
    meaning="Windows of driving: one road, one weather, some vehicles, every tenth of a second.",
    columns=(
        _key("episode_id", "Key of the episode"),
        _key("road_id", "Its road"),
        _when("started_at", "When it begins"),
        Column(
            name="duration_s", type="int16", meaning="How long it lasts", unit="s", minimum=1, role="measure"
        ),
    ),
    key=("episode_id",),
    references=(_to("roads", "road_id"),),
    time="started_at",
    entity="episode_id",
    knowing=Knowing(lasts="duration_s"),
)

_WEATHER = Table(
    name="weather",
    meaning="Weather and state of the road during an episode.",
    columns=(
        _key("episode_id", "The episode"),
        _physical("air_temperature_c", "Air temperature", "Cel", 0.1, -40, 50),
        _physical("surface_temperature_c", "Temperature of the road's surface", "Cel", 0.1, -45, 70),
        _physical("humidity_pct", "Relative humidity", "%", 1, 0, 100),
        _class("precipitation", "What falls", PRECIPITATION),
        _physical("precipitation_mmph", "How much falls, as water", "mm/h", 0.1, 0, 150),
        _physical(
            "visibility_m",
            "Meteorological optical range (5 % contrast); airports report none beyond 16.09 km",
            "m",
            10,
            20,
            16090,
        ),
        _physical("wind_mps", "Wind", "m/s", 0.1, 0, 60),
        _class("road_state", "State of the road's surface", STATES),
        _physical(
            "water_film_mm",
            "Depth of water above the texture (Gallaway); 0 where the texture holds it",
            "mm",
            0.01,
            0,
            20,
        ),
        _physical("friction_scale", "Friction of the road over that of its dry surface", "1", 0.01, 0.05, 1),
        _physical("friction", "Friction of the road outside its patches", "1", FRICTION_QUANTUM, 0.03, 1),
        _physical(
            "aquaplaning_kmh",
            "Speed from which an average tyre floats; null where less than 2.4 mm of water stand",
            "km/h",
            0.1,
            40,
            300,
            nullable=True,
        ),
    ),
    key=("episode_id",),
    references=(_to("episodes", "episode_id"),),
    row_rules=(
        RowRule(
            name="dry_sky",
            sql="(precipitation = 'none') = (precipitation_mmph = 0)",
            meaning="Something falls exactly when its amount is above 0",
        ),
    ),
    entity="episode_id",
    knowing=Knowing(with_rows=("episode_id",)),
)

_VEHICLES = Table(
    name="vehicles",
    meaning="Vehicles of an episode and the habits of their drivers.",
    columns=(
        _key("vehicle_id", "Key of the vehicle"),
        _key("episode_id", "Its episode"),
        Column(name="is_ego", type="bool", meaning="Whether it is the vehicle under test"),
        _class("kind", "Kind of vehicle", VEHICLE_KINDS),
        Column(
            name="lane",
            type="int8",
            meaning="Its lane, numbered as in OpenDRIVE: -1 is the leftmost",
            minimum=-2,
            maximum=-1,
        ),
        _physical("length_m", "Length", "m", 0.1, 2, 25),
        _physical("width_m", "Width", "m", 0.01, 1, 2.6),
        Column(
            name="mass_kg",
            type="int32",
            meaning="Mass",
            unit="kg",
            minimum=500,
            maximum=44000,
            role="measure",
            mark_quantum=1,
        ),
        _physical(
            "desired_speed_mps", "Speed its driver would choose on a dry free road", "m/s", 0.01, 3, 60
        ),
        _physical("headway_s", "Time gap its driver keeps", "s", 0.01, 0.3, 6),
        _physical("reaction_s", "Reaction time of its driver", "s", 0.1, 0.1, 3),
        _physical("brake_mps2", "Deceleration that its brakes can give", "m/s2", 0.1, 3, 12),
    ),
    key=("vehicle_id",),
    references=(_to("episodes", "episode_id"),),
    entity="vehicle_id",
    knowing=Knowing(with_rows=("episode_id",)),
)

_TELEMETRY = Table(
    name="telemetry",
    meaning="Motion of each vehicle, ten rows a second: state at a tick, acceleration until the next.",
    columns=(
        _key("vehicle_id", "The vehicle"),
        _when("observed_at", "Time of the tick"),
        _physical(
            "position_m",
            "Station of the vehicle's middle along its lane",
            "m",
            POSITION_QUANTUM,
            0,
        ),
        _physical(
            "offset_m",
            "Distance from the middle of its lane, left positive",
            "m",
            OFFSET_QUANTUM,
            -4,
            4,
            wide=False,
        ),
        _physical("speed_mps", "Speed", "m/s", SPEED_QUANTUM, 0, 80, wide=False),
        _physical(
            "acceleration_mps2",
            "Acceleration along the road over the next tenth of a second",
            "m/s2",
            ACCELERATION_QUANTUM,
            wide=False,
        ),
        _physical(
            "sideways_mps2",
            "Acceleration that the tyres give across",
            "m/s2",
            ACCELERATION_QUANTUM,
            wide=False,
        ),
        _physical("friction", "Friction of the road under it", "1", FRICTION_QUANTUM, 0.03, 1, wide=False),
    ),
    key=("vehicle_id", "observed_at"),
    references=(_to("vehicles", "vehicle_id"),),
    time="observed_at",
    entity="vehicle_id",
)

_EVENTS = Table(
    name="events",
    meaning="What a vehicle's computer would log: the first of each kind, and every collision.",
    columns=(
        _key("event_id", "Key of the event"),
        _key("vehicle_id", "The vehicle"),
        _when("observed_at", "When"),
        _class("kind", "What", EVENTS),
        _key("other_vehicle_id", "The other vehicle of a collision", nullable=True),
        _physical("speed_mps", "Speed before it", "m/s", SPEED_QUANTUM, 0, 80, derived=True),
        _physical(
            "delta_v_mps",
            "Change of speed by a collision or contact",
            "m/s",
            SPEED_QUANTUM,
            0,
            80,
            derived=True,
            nullable=True,
        ),
    ),
    key=("event_id",),
    references=(_to("vehicles", "vehicle_id"), _to("vehicles", "vehicle_id", "other_vehicle_id")),
    time="observed_at",
    entity="vehicle_id",
)

_CRITICALITY = Table(
    name="criticality",
    meaning="The worst moments of each vehicle towards the one ahead and towards what it can see.",
    columns=(
        _key("vehicle_id", "The vehicle"),
        _physical(
            "ttc_min_s",
            "Shortest time to collision; null if never closing in",
            "s",
            0.01,
            0,
            derived=True,
            nullable=True,
        ),
        _physical(
            "thw_min_s", "Shortest time gap; null without a leader", "s", 0.01, 0, derived=True, nullable=True
        ),
        _physical(
            "required_mps2",
            "Largest deceleration that would just have avoided the leader",
            "m/s2",
            0.01,
            0,
            derived=True,
            nullable=True,
        ),
        _physical(
            "brake_threat",
            "Largest share of the tyres' grip that this took (BTN over friction); 1 is too late",
            "1",
            0.001,
            0,
            derived=True,
            nullable=True,
        ),
        _physical(
            "visibility_margin_m",
            "Least visible range minus stopping distance at 0.75 s reaction; negative is over-driving",
            "m",
            0.1,
            derived=True,
        ),
    ),
    key=("vehicle_id",),
    references=(_to("vehicles", "vehicle_id"),),
    entity="vehicle_id",
    knowing=Knowing(after_rows=("vehicle_id",)),
)

SCHEMA = Schema(
    domain="automotive",
    version="1",
    tables=(
        _ROADS,
        _SEGMENTS,
        _PATCHES,
        _EPISODES,
        _WEATHER,
        _VEHICLES,
        _TELEMETRY,
        _EVENTS,
        _CRITICALITY,
        *case_tables(
            "episodes",
            _physical(
                "delta_v_mps",
                "Change of speed of a labelled collision",
                "m/s",
                SPEED_QUANTUM,
                0,
                nullable=True,
            ),
            entity_key="episode_id",
        ),
    ),
)
