"""What all kinds of this domain share: onsets inside the episode, and what a case may do to a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rarecase.automotive.cases import attributes
from rarecase.automotive.cases.attributes import Int
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.common.case import Case

if TYPE_CHECKING:
    from rarecase.common.spec import Spec


class RoadCase(Case):
    """A kind of case that befalls one episode."""

    #: How the sentence of the case begins; filled with the facts of the case.
    sentence: ClassVar[str]

    def onset(self, spec: Spec, homes: Int) -> Int:
        """When the driver in front begins to slow down, microseconds after the start."""
        tick = attributes.braking_tick(spec, homes)
        return attributes.start_us(spec, homes) + tick * attributes.TICK_US

    def change(self, spec: Spec, scene: Scene) -> Change:
        """Write the case into the scene's setting, and say what it adds; stateless draws by name and home."""
        raise TypeError(f"{type(self).__name__} does not say what it does")
