"""One part of the world of patients: the ordinary record first, then the cases, then tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from rarecase.common.keys import KeySpace
from rarecase.common.plan import Plan
from rarecase.common.telling import Told, cases_table
from rarecase.healthcare.cases import (
    Interaction,
    RareDisease,
    SeparatedPair,
    interaction,
    odyssey,
    separated_pair,
)
from rarecase.healthcare.cases.record import Effects, Record, Rows
from rarecase.healthcare.data.population import people, profile
from rarecase.healthcare.generate import charts, labels
from rarecase.healthcare.generate.assemble import clinical, patients
from rarecase.healthcare.generate.results import baseline, observations
from rarecase.healthcare.generate.visits import visits

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec


def generate_part(plan: Plan, part: int) -> dict[str, pa.Table]:
    """All tables of a part but the weights: a pure function of the plan and the number of the part."""
    spec = cast("HealthcareSpec", plan.spec)
    record = ordinary(spec, plan.keys, part, plan.bounds(part))
    effects = Effects(record, plan.keys, plan.placements)
    told: list[Told] = []
    for placement in plan.placements:
        rows = placement.home_in(*plan.bounds(part))
        if rows.size:
            # The tables that cases make are ordered by home, whatever the order of the plan.
            rows = rows[np.argsort(placement.homes[rows])]
            told.append(_happen(spec, labels.Mine(placement, rows), effects))
    effects.clear_overlaps()
    effects.settle()
    tables = {"patients": patients(spec, plan.keys, record), **clinical(spec, record, effects)}
    tables["cases"] = cases_table(plan, told)
    tables["labels"] = labels.labels(plan, effects)
    return tables


def ordinary(spec: HealthcareSpec, keys: KeySpace, part: int, bounds: tuple[int, int]) -> Record:
    """The ordinary world of a part; it never looks at the cases."""
    low, high = bounds
    who = people(spec, np.arange(low, high, dtype=np.int64))
    found = profile(spec, who)
    seen = visits(spec, part, who, found)
    personal, shift = baseline(spec, part, found)
    tables: dict[str, Rows] = {
        "encounters": seen,
        "conditions": charts.conditions(spec, part, who, found, seen),
        "phenotypes": charts.findings(spec, part, who, found, seen),
        "medications": charts.medicines(spec, part, who, found, seen),
    }
    tables["observations"], taken = observations(spec, part, who, found, seen, (personal, shift))
    for name, rows in tables.items():
        rows["key"] = keys.rows(name, part, np.arange(next(iter(rows.values())).size, dtype=np.int64))
    ids = keys.entities("patients", who.ordinals)
    return Record(part, low, ids, spec.horizon_us, spec.seed, who, found, personal, shift, tables, taken)


def _happen(spec: HealthcareSpec, mine: labels.Mine, effects: Effects) -> Told:
    case, homes, onset_us = mine.placement.case, mine.homes, mine.placement.onset_us[mine.rows]
    if isinstance(case, RareDisease):
        return labels.of_disease(mine, *odyssey.happen(case, spec, homes, effects), effects)
    if isinstance(case, Interaction):
        return labels.of_harm(mine, interaction.happen(case, spec, homes, onset_us, effects))
    if isinstance(case, SeparatedPair):
        return labels.of_pair(mine, *separated_pair.happen(case, spec, homes, onset_us, effects))
    raise TypeError(f"no such case: {type(case).__name__}")


__all__ = ["generate_part", "ordinary"]
