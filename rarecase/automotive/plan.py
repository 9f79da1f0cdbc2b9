"""What the plan of the automotive domain knows: nothing crosses parts, as an episode lies in one part."""

from __future__ import annotations

import numpy as np

from rarecase.automotive import data
from rarecase.common.domain import no_details
from rarecase.common.spec import Spec

__all__ = ["exposure", "no_details"]

#: Vehicles drive slower than the limit on average; the share is that of the simulated ordinary world.
_SHARE_OF_LIMIT = 0.85


def exposure(spec: Spec, per: str) -> float:
    """Planned exposure of one episode: vehicle-kilometres or vehicle-hours of all its vehicles.

    Raises
    ------
    KeyError
        For any other unit.
    """
    population = spec.population
    roads = population.roads  # type: ignore[attr-defined]
    shares = np.array([roads.urban, roads.rural, roads.motorway])
    shares = shares / shares.sum()
    low, high = population.vehicles_per_lane  # type: ignore[attr-defined]
    vehicles = data.numbers("road_classes", "lanes") * (low + high) / 2.0
    hours = population.duration_s / 3600.0  # type: ignore[attr-defined]
    if per == "vehicle-hour":
        return float((shares * vehicles).sum() * hours)
    if per != "vehicle-km":
        raise KeyError(per)
    limit = (data.numbers("road_classes", "limit_low_kmh") + data.numbers("road_classes", "limit_high_kmh")) / 2.0
    return float((shares * vehicles * limit).sum() * _SHARE_OF_LIMIT * hours)
