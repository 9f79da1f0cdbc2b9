"""What the user may say of the automotive world."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rarecase.automotive.cases import AnyCase
from rarecase.common import spec as common


class RoadMix(BaseModel):
    """Shares of the classes of roads; scaled to sum 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    urban: float = Field(default=0.40, ge=0, allow_inf_nan=False)
    rural: float = Field(default=0.35, ge=0, allow_inf_nan=False)
    motorway: float = Field(default=0.25, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _some(self) -> RoadMix:
        if not self.urban + self.rural + self.motorway > 0:
            raise ValueError("at least one share above 0")
        return self


class Population(common.Population):
    """The ordinary traffic."""

    duration_s: int = Field(default=60, ge=10, le=600, description="length of each episode")
    vehicles_per_lane: tuple[int, int] = Field(
        default=(2, 8), description="fewest and most vehicles in a lane"
    )
    roads: RoadMix = RoadMix()

    @model_validator(mode="after")
    def _ordered(self) -> Population:
        low, high = self.vehicles_per_lane
        if not 1 <= low <= high <= 20:
            raise ValueError("vehicles_per_lane: two numbers from 1 to 20 in ascending order")
        return self


class AutomotiveSpec(common.Spec):
    """Episodes of driving, their weather and their rare cases."""

    domain: Literal["automotive"] = "automotive"
    size: int = Field(default=400, gt=0, le=1 << 24, description="how many episodes")
    block: int = Field(default=200, gt=0, le=1 << 20, description="episodes per part")
    start: date = Field(default=date(2026, 1, 5), description="first day of the window")
    days: int = Field(default=28, gt=0, le=common.Spec.MAX_DAYS, description="length of the window in days")
    population: Population = Population()
    cases: tuple[AnyCase, ...] = ()
