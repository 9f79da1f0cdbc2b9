"""Rain on a coarse surface: everything looks slippery, and the tyres hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Int
from rarecase.automotive.cases.roadcase import RoadCase
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.draws import quantise
from rarecase.common.seeds import keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec


class WetButGrippy(RoadCase):
    """Rain and a front driver who brakes firmly, on a surface whose texture drains the film."""

    is_case: ClassVar[bool] = False
    title: ClassVar[str] = "Wet but grippy"
    definition: ClassVar[str] = (
        "Rain of 2 to 12 mm/h on coarse asphalt above 2 degrees Celsius; the front driver slows down "
        "at the moment at which black "
        "ice would be met, more firmly than usual; friction stays above 0.5."
    )
    source: ClassVar[str] = (
        "Gallaway's water film depth over texture; friction of wet asphalt: Noon 1994 and our estimate"
    )
    sentence: ClassVar[str] = (
        "Rain of {rain_mmph:.1f} mm/h fell on the coarse asphalt of {road} at {air_c:.1f} degrees "
        "Celsius, the driver in "
        "front braked with up to {braking_mps2:.2f} m/s2, and the road held"
    )

    kind: Literal["wet_but_grippy"] = "wet_but_grippy"

    def eligible(self, spec: Spec, entities: Int) -> NDArray[np.bool_]:
        """Episodes on coarse asphalt in which it could rain."""
        found = attributes.setting(spec, entities)
        eligible: NDArray[np.bool_] = (
            (found.surface == attributes.COARSE) & (found.air > 2.0) & (found.state <= attributes.WET)
        )
        return eligible

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Let it rain."""
        u = keyed_uniform(spec.seed, (self.label, "rain"), scene.homes)
        wet = scene.setting
        wet.rain[:] = quantise(12.0 - 8.0 * self.difficulty - 2.0 * u, 0.1)
        wet.precipitation[:] = attributes.RAIN
        wet.state[:] = attributes.WET
        wet.humidity[:] = np.maximum(wet.humidity, 90.0)
        wet.visibility[:] = np.minimum(wet.visibility, quantise(6000.0 - 200.0 * wet.rain, 10.0))
        firm = quantise(3.5 + 1.0 * keyed_uniform(spec.seed, (self.label, "braking"), scene.homes), 0.01)
        return Change(firm=firm, facts={"rain_mmph": wet.rain.copy(), "air_c": wet.air, "braking_mps2": firm})
