"""The rare cases of the road, one file each."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from rarecase.automotive.cases.black_ice import BlackIce
from rarecase.automotive.cases.roadcase import RoadCase
from rarecase.automotive.cases.stationary_queue_in_fog import StationaryQueueInFog
from rarecase.automotive.cases.wet_but_grippy import WetButGrippy
from rarecase.common.case import Case

CASES: tuple[type[Case], ...] = (BlackIce, StationaryQueueInFog, WetButGrippy)
AnyCase: TypeAlias = Annotated[BlackIce | StationaryQueueInFog | WetButGrippy, Field(discriminator="kind")]

__all__ = ["CASES", "AnyCase", "RoadCase"]
