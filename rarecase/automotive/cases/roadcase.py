"""What all kinds of this domain share: onsets inside the episode, and what a case may do to a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rarecase.automotive import data
from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Int
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.case import Case

if TYPE_CHECKING:
    from rarecase.common.spec import Spec


def crashes_per_km(name: str) -> float:
    """Crashes of a kind per vehicle-km in the United States: a year's crashes over a year's traffic."""
    published = dict(zip(data.words("published", "name"), data.numbers("published", "value"), strict=True))
    return float(published[f"crashes_{name}"] / published["vehicle_km_a_year"])


class RoadCase(Case):
    """A kind of case that befalls one episode."""

    #: How the sentence of the case begins; filled with the facts of the case.
    sentence: ClassVar[str]
    #: Whether the case fills its episode (another weather), and so begins with it.
    whole_episode: ClassVar[bool] = False

    def moment(self, spec: Spec, homes: Int) -> Int:
        """The tick at which the hazard is met: when the driver in front begins to slow down."""
        return attributes.braking_tick(spec, homes)

    def onset(self, spec: Spec, homes: Int) -> Int:
        """When anything begins to differ, microseconds after the start."""
        start = attributes.start_us(spec, homes)
        return start if self.whole_episode else start + self.moment(spec, homes) * attributes.TICK_US

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Write the case into the scene's setting, and say what it adds; stateless draws by name and home."""
        raise TypeError(f"{type(self).__name__} does not say what it does")
