"""A standing queue in fog, met by drivers who cannot stop within what they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Int
from rarecase.automotive.cases.roadcase import RoadCase
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.case import Natural
from rarecase.common.draws import quantise
from rarecase.common.seeds import keyed_integers, keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_REACTION_S = 0.75
_GRAVITY = 9.81


class StationaryQueueInFog(RoadCase):
    """Vehicles stand in every lane beyond the visible range; the driver in front cannot stop in sight."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Stationary queue in fog"
    definition: ClassVar[str] = (
        "Two to five stopped vehicles per lane ahead on a road of at least 80 km/h, in fog so dense "
        "that the visible range is "
        "50 to 90 % of the stopping distance (0.75 s reaction, v squared over 2 mu g) at the speed "
        "of the front vehicle."
    )
    source: ClassVar[str] = (
        "over-driving visibility; ETSI DENM causes 18 (visibility, fog) and 94 (stationary vehicle)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "weather.visibility_m",
            "weather.humidity_pct",
            "telemetry.speed_mps",
            "telemetry.acceleration_mps2",
            "events.kind",
        }
    )
    sentence: ClassVar[str] = (
        "{queue:.0f} vehicles per lane stood on {road} from station {rear_m:.1f} m in fog of "
        "{visibility_m:.0f} m, "
        "while the driver in front kept {speed_mps:.2f} m/s"
    )

    kind: Literal["stationary_queue_in_fog"] = "stationary_queue_in_fog"

    def natural(self, spec: Spec) -> Natural:
        """Encounters per vehicle-km; ours, from crashes."""
        return Natural(
            1.1e-6,
            "vehicle-km",
            "expert",
            "31,385 crashes a year in fog (FHWA 2002-2012, annual mean) times 16.41 % with the lead "
            "vehicle stopped (NHTSA 2004 "
            "GES) over 4.8e12 vehicle-km a year, times 1,000 encounters for each crash (our estimate)",
        )

    def eligible(self, spec: Spec, entities: Int) -> NDArray[np.bool_]:
        """Episodes outside towns on roads that are neither frozen nor covered."""
        found = attributes.setting(spec, entities)
        eligible: NDArray[np.bool_] = (
            (found.road_class != attributes.URBAN) & (found.state <= attributes.WET) & (found.ground > 0.5)
        )
        return eligible

    def onset(self, spec: Spec, homes: Int) -> Int:
        """When the front vehicle of the twin passes the place of the queue's tail, less 150 m."""
        share = 0.15 + 0.35 * keyed_uniform(spec.seed, (self.label, "meets"), homes)
        tick = (share * attributes.ticks(spec)).astype(np.int64)
        return attributes.start_us(spec, homes) + tick * attributes.TICK_US

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Bring the fog, park the queue and let the front drivers keep their speed."""
        u = keyed_uniform(spec.seed, (self.label, "sight"), scene.homes)
        speed = quantise(0.85 * np.minimum(scene.front_wish, scene.limit_mps), 0.01)
        stopping = speed * _REACTION_S + speed * speed / (2.0 * scene.friction * _GRAVITY)
        ratio = 0.5 + 0.35 * self.difficulty + 0.05 * u
        fog, many = scene.setting, keyed_integers(spec.seed, (self.label, "queue"), scene.homes, 4) + 2
        fog.visibility[:] = np.maximum(np.floor(ratio * stopping / 10.0) * 10.0, 20.0)
        fog.humidity[:] = 100.0
        rear = quantise(np.nanmax(scene.front_m, axis=1) + 150.0, 0.1)
        case = np.repeat(np.arange(scene.homes.size), scene.lanes)
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
