"""A patch of black ice where the driver in front has to slow down."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Int
from rarecase.automotive.cases.roadcase import RoadCase, crashes_per_km
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.case import Natural
from rarecase.common.draws import quantise
from rarecase.common.seeds import keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec


#: Share of these cases with a collision or a touched barrier, measured at difficulty 0.5 in the default
#: population.
CRASHES_PER_CASE = 0.23


class BlackIce(RoadCase):
    """A patch of clear ice on an otherwise bare road near 0 °C, where the vehicle in front slows down."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Black ice"
    definition: ClassVar[str] = (
        "A stretch of 15 to 125 m with friction 0.06 to 0.14 on a road that is dry, moist or wet, "
        "its surface between -8 and +0.5 degrees Celsius; it begins where the front vehicle would start to "
        "slow down."
    )
    source: ClassVar[str] = (
        "friction of ice: Noon 1994; ETSI DENM cause 6 (adhesion), sub-cause 6 (black ice)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "road_patches.kind",
            "road_patches.friction",
            "telemetry.friction",
            "events.kind",
            # Ice needs frost: the date tells as much as the definition does.
            "telemetry.observed_at",
            "events.observed_at",
        }
    )
    sentence: ClassVar[str] = (
        "{length_m:.1f} m of black ice with friction {friction:.3f} lay on {road} at station {from_m:.1f} m, "
        "where the surface had {ground_c:.1f} degrees Celsius"
    )

    hint: ClassVar[str] = "Black ice needs frost: choose a `start` in winter, ask for fewer, or raise `size`."

    kind: Literal["black_ice"] = "black_ice"

    def natural(self, spec: Spec) -> Natural:
        """Such patches per vehicle-km driven; ours, from crashes."""
        return Natural(
            crashes_per_km("icy_pavement") / CRASHES_PER_CASE,
            "vehicle-km",
            "expert",
            "154,580 crashes a year on icy pavement (FHWA 2002-2012, annual mean) over 4.8e12 "
            "vehicle-km a year, over the share of these cases in which our vehicles crash "
            f"({CRASHES_PER_CASE:g}): every icy pavement counts as black ice, which is too many",
        )

    def eligible(self, spec: Spec, entities: Int) -> NDArray[np.bool_]:
        """Episodes on a bare road whose surface is near freezing."""
        found = attributes.setting(spec, entities)
        near = (found.ground <= 0.5) & (found.ground >= -8.0)
        eligible: NDArray[np.bool_] = near & (found.state <= attributes.WET)
        return eligible

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Lay the patch."""
        u = [keyed_uniform(spec.seed, (self.label, word), scene.homes) for word in ("length", "ice", "place")]
        length = quantise(120.0 - 100.0 * self.difficulty + 10.0 * (u[0] - 0.5), 0.1)
        wanted = 0.06 + 0.06 * self.difficulty + 0.02 * u[1]
        # The road's friction is a product of two stored numbers; the patch takes the nearest such product.
        scale = quantise(scene.friction / scene.dry_friction, 0.01)
        friction = quantise(wanted / scale, 0.01)
        # From the foremost vehicle of all lanes on, so that nobody meets the ice before the onset.
        begin = quantise(np.nanmax(scene.front_m, axis=1) + 8.0 * u[2], 0.1)
        return Change(
            patch_case=np.arange(scene.homes.size),
            patch_from=begin,
            patch_until=quantise(begin + length, 0.1),
            patch_friction=friction,
            facts={
                "length_m": length,
                "from_m": begin,
                "friction": quantise(friction * scale, 0.0001),
                "ground_c": scene.setting.ground,
            },
        )
