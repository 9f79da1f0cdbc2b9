"""A standing queue in fog, met by drivers who cannot stop within what they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Float, Int
from rarecase.automotive.cases.hours import hours
from rarecase.automotive.cases.roadcase import RoadCase, crashes_per_km
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.case import Natural
from rarecase.common.draws import quantise
from rarecase.common.seeds import keyed_integers, keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_REACTION_S = 0.75
_GRAVITY = 9.81


_LEAST, _MOST = 0.5, 0.9
#: Fog as the airports had it: below 1 km, near the dew point, nearly calm, above 5 degrees, without rain.
_FOG = hours(
    {"visibility": 0, "spread": 0, "temperature": 8},
    {"visibility": 1, "spread": 2, "temperature": 13, "wind": 1, "rain": 0},
)
#: Share of these cases with a collision, measured at difficulty 0.5 in the default population.
CRASHES_PER_CASE = 0.94


class StationaryQueueInFog(RoadCase):
    """Vehicles stand in every lane beyond the visible range; the driver in front cannot stop in sight."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Stationary queue in fog"
    definition: ClassVar[str] = (
        "Two to five stopped vehicles per lane ahead on a road of at least 80 km/h, in fog so dense "
        "that the visible range is "
        "50 to 90 % of the stopping distance (0.75 s reaction, v squared over 2 mu g) at the speed "
        "of the front vehicle; in other respects the weather is that of a foggy hour of the season: between "
        "5 and 20 degrees Celsius, near the dew point, no wind above 8 m/s, no rain."
    )
    source: ClassVar[str] = (
        "over-driving visibility; ETSI DENM causes 18 (visibility, fog) and 94 (stationary vehicle)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "weather.visibility_m",
            "weather.humidity_pct",
            "weather.wind_mps",
            "weather.air_temperature_c",
            "weather.surface_temperature_c",
            "weather.road_state",
            "weather.friction_scale",
            "weather.friction",
            "telemetry.friction",
            "telemetry.speed_mps",
            "telemetry.acceleration_mps2",
            # On roads of at least 80 km/h, beside ordinary ones of which many are in towns.
            "vehicles.desired_speed_mps",
            "events.kind",
        }
    )
    sentence: ClassVar[str] = (
        "{queue:.0f} vehicles per lane stood on {road} from station {rear_m:.1f} m in fog of "
        "{visibility_m:.0f} m, "
        "while the driver in front kept {speed_mps:.2f} m/s"
    )

    whole_episode: ClassVar[bool] = True
    hint: ClassVar[str] = "Fog needs its season, which is not August: ask for fewer, or raise `size`."

    kind: Literal["stationary_queue_in_fog"] = "stationary_queue_in_fog"

    def natural(self, spec: Spec) -> Natural:
        """Such queues per vehicle-km driven; ours, from crashes."""
        return Natural(
            crashes_per_km("fog_lead_stopped") / CRASHES_PER_CASE,
            "vehicle-km",
            "expert",
            "31,385 crashes a year in fog (FHWA 2002-2012, annual mean) times 16.41 % with the lead "
            "vehicle stopped (NHTSA 2004 GES) over 4.8e12 vehicle-km a year, over the share of these "
            f"cases in which our vehicles crash ({CRASHES_PER_CASE:g})",
        )

    def eligible(self, spec: Spec, entities: Int) -> NDArray[np.bool_]:
        """Episodes outside towns, on bare roads, at a season and time of day that has fog."""
        found = attributes.setting(spec, entities)
        eligible: NDArray[np.bool_] = (
            (found.road_class != attributes.URBAN)
            & (found.state <= attributes.WET)
            & _FOG.there(spec, found.start_us)
        )
        return eligible

    def moment(self, spec: Spec, homes: Int) -> Int:
        """When the front vehicle of the twin passes the place of the queue's tail, less 150 m."""
        share = 0.15 + 0.35 * keyed_uniform(spec.seed, (self.label, "meets"), homes)
        return (share * attributes.ticks(spec)).astype(np.int64)

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Bring the fog, park the queue and let the front drivers keep their speed."""
        fog, homes = scene.setting, scene.homes
        hour = _FOG.draw(spec, fog.start_us, keyed_uniform(spec.seed, (self.label, "hour"), homes))
        scene.have(attributes.setting(spec, homes, hour))
        speed = quantise(0.85 * np.minimum(scene.front_wish, scene.limit_mps), 0.01)
        stopping = speed * _REACTION_S + speed * speed / (2.0 * scene.regrip(fog) * _GRAVITY)
        fog.visibility[:] = self._sight(stopping, keyed_uniform(spec.seed, (self.label, "sight"), homes))
        many = keyed_integers(spec.seed, (self.label, "queue"), homes, 4) + 2
        rear = quantise(np.nanmax(scene.front_m, axis=1) + 150.0, 0.1)
        case = np.repeat(np.arange(homes.size), scene.lanes)
        lane = -1 - (np.arange(case.size) - np.repeat(np.cumsum(scene.lanes) - scene.lanes, scene.lanes))
        return Change(
            queue_case=case,
            queue_lane=lane,
            queue_rear=rear[case],
            queue_vehicles=many[case],
            bold=speed,
            facts={
                "queue": many.astype(np.float64),
                "rear_m": rear,
                "visibility_m": fog.visibility.copy(),
                "speed_mps": speed,
            },
        )

    def _sight(self, stopping: Float, u: Float) -> Float:
        """Visible range in whole 10 m, between half and nine tenths of the stopping distance."""
        wanted = np.rint((_LEAST + 0.35 * self.difficulty + 0.05 * u) * stopping / 10.0)
        least, most = np.ceil(_LEAST * stopping / 10.0), np.floor(_MOST * stopping / 10.0)
        return np.asarray(10.0 * np.clip(wanted, least, most), np.float64)
