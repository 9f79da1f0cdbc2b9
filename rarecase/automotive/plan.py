"""What the plan of the automotive domain knows: nothing crosses parts, as an episode lies in one part."""

from __future__ import annotations

import numpy as np

from rarecase.automotive import data
from rarecase.common.errors import PlanError
from rarecase.common.keys import KeySpace
from rarecase.common.plan import Placement
from rarecase.common.spec import Spec

#: Events that one vehicle can have, as places for their keys: kinds times occurrences.
EVENTS_PER_CODE, EVENT_CODES = 64, 8
#: Vehicles drive slower than the limit on average; the share is that of the simulated ordinary world.
_SHARE_OF_LIMIT = 0.85


def details(spec: Spec, placements: tuple[Placement, ...], keys: KeySpace) -> None:
    """Nothing crosses parts; but a part whose rows could outgrow their keys is refused here.

    Raises
    ------
    PlanError
        When a block holds so many vehicles that their events have no keys.
    """
    most = int(data.numbers("road_classes", "lanes").max()) * spec.population.vehicles_per_lane[1]  # type: ignore[attr-defined]
    rows = min(spec.block, spec.size) * most * EVENTS_PER_CODE * EVENT_CODES
    if rows.bit_length() > keys.part_row_bits:
        raise PlanError(
            "block",
            spec.block,
            f"blocks whose events fit {keys.part_row_bits} bits",
            hint="Use a smaller block.",
        )


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
    limit = (
        data.numbers("road_classes", "limit_low_kmh") + data.numbers("road_classes", "limit_high_kmh")
    ) / 2.0
    return float((shares * vehicles * limit).sum() * _SHARE_OF_LIMIT * hours)
