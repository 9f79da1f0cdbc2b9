"""Rain on a coarse surface: everything looks slippery, and the tyres hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Int
from rarecase.automotive.cases.hours import hours
from rarecase.automotive.cases.roadcase import RoadCase
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.draws import quantise
from rarecase.common.seeds import keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec


#: Classes of rain from easy to hard, 4 to 15, 2.5 to 7.5 and 1 to 4 mm/h: hours above 5 degrees.
_RAIN = tuple(
    hours({"rain": least, "temperature": 8}, {"rain": least + 1}, any_quarter=True) for least in (5, 4, 3)
)


class WetButGrippy(RoadCase):
    """Rain and a front driver who brakes firmly, on a surface whose texture drains the film."""

    is_case: ClassVar[bool] = False
    title: ClassVar[str] = "Wet but grippy"
    definition: ClassVar[str] = (
        "An hour of 1 to 15 mm/h of rain above 5 degrees Celsius, as the season has it, on coarse asphalt "
        "whose texture holds all the water; the front driver slows down at the moment at which black ice "
        "would be met, more firmly than usual; friction stays at 0.5 or above."
    )
    source: ClassVar[str] = (
        "Gallaway's water film depth over texture; friction of wet asphalt: Noon 1994 and our estimate"
    )
    sentence: ClassVar[str] = (
        "Rain of {rain_mmph:.1f} mm/h fell on the coarse asphalt of {road} at {air_c:.1f} degrees "
        "Celsius, the driver in front braked with up to {braking_mps2:.2f} m/s2, and the road held"
    )

    whole_episode: ClassVar[bool] = True

    kind: Literal["wet_but_grippy"] = "wet_but_grippy"

    def eligible(self, spec: Spec, entities: Int) -> NDArray[np.bool_]:
        """Episodes on coarse asphalt."""
        return np.asarray(attributes.surface(spec, entities) == attributes.COARSE)

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Let it rain as in a whole hour of the season."""
        homes, wet = scene.homes, scene.setting
        rain = _RAIN[min(int(3.0 * self.difficulty), 2)]
        hour = rain.draw(spec, wet.start_us, keyed_uniform(spec.seed, (self.label, "hour"), homes))
        scene.have(attributes.setting(spec, homes, hour))
        firm = quantise(3.5 + 1.0 * keyed_uniform(spec.seed, (self.label, "braking"), homes), 0.01)
        return Change(
            firm=firm, facts={"rain_mmph": wet.rain.copy(), "air_c": wet.air.copy(), "braking_mps2": firm}
        )
