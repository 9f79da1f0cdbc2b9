"""Weights that lead back to nature.

With N entities, the natural share π_k of stratum k and n_k planted members of it, an entity of the stratum
weighs N·π_k / n_k and any other one (N − Σ N·π_k) / (N − Σ n_k). What has no natural rate weighs nothing and
counts in neither N nor n. Weighted shares per entity are then unbiased (Horvitz and Thompson 1952, JASA
47:663). The weight stands in a table of its own, for beside the entity it would be the label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rarecase.common import tables
from rarecase.common.errors import Finding, PlanError
from rarecase.common.plan import Plan, natural_share

ORDINARY = "ordinary"


@dataclass(frozen=True)
class Stratum:
    """Planted members of a stratum, members that nature would have, and the weight of each; None is null."""

    name: str
    planted: int
    natural: float | None
    weight: float | None


def strata(plan: Plan) -> tuple[Stratum, ...]:
    """The strata of a plan, the ordinary one first.

    Raises
    ------
    PlanError
        When the natural shares exceed the entities that are left, so that a weight would be negative.
    """
    planted, natural = _planted(plan), _natural(plan)
    unrated = sum(count for name, count in planted.items() if natural[name] is None)
    size = plan.spec.size - unrated
    expected = {name: size * share for name, share in natural.items() if share is not None and planted[name]}
    rest, left = size - sum(expected.values()), size - sum(planted[name] for name in expected)
    if rest < 0:
        raise PlanError(
            "cases",
            f"{sum(expected.values()):,.1f} natural members",
            f"natural rates that touch at most the {size:,} {plan.domain.entities} they are drawn from",
            hint="Leave out kinds whose natural share is larger than the population.",
        )
    ordinary = Stratum(ORDINARY, left, rest, rest / left if left else None)
    found = [ordinary]
    for name, count in planted.items():
        share = natural[name]
        if share is None:
            found.append(Stratum(name, count, None, 0.0))
        else:
            weight = size * share / count if count and left else None
            found.append(Stratum(name, count, size * share, weight))
    return tuple(found)


def weight_findings(plan: Plan) -> list[Finding]:
    """What the weights cannot say: nothing ordinary is left, or a rated kind has nothing planted."""
    found = []
    if strata(plan)[0].planted == 0:
        found.append(
            Finding(
                "warning",
                "weights.no_ordinary",
                "weights",
                "weight",
                plan.spec.size,
                "every entity is a case: there is no ordinary stratum, and weights are null",
            )
        )
    for stratum in strata(plan)[1:]:
        if stratum.natural and not stratum.planted:
            message = f"{stratum.name} occurs in nature but none is planted: weighted totals leave it out"
            found.append(Finding("note", "weights.not_planted", "weights", "stratum", 0, message))
    return found


def weights_table(plan: Plan, part: int) -> pa.Table:
    """The weights of a part's entities, one row each."""
    low, high = plan.bounds(part)
    found = strata(plan)
    codes = np.zeros(high - low, dtype=np.int16)
    position = {stratum.name: code for code, stratum in enumerate(found)}
    for placement in plan.placements:
        here = placement.in_part(low, high)
        own = np.array([position[name] for name in placement.strata])[placement.stratum[here]]
        case, place = np.nonzero((placement.entities[here] >= low) & (placement.entities[here] < high))
        codes[placement.entities[here][case, place] - low] = own[case]
    per_stratum = np.array(
        [np.nan if stratum.weight is None else rounded(stratum.weight) for stratum in found]
    )
    weight = per_stratum[codes]
    declared = plan.domain.schema["weights"]
    return tables.build(
        declared,
        {
            "table_name": tables.constant(plan.domain.entity_table, high - low),
            "row_id": plan.keys.entities(plan.domain.entity_table, np.arange(low, high, dtype=np.int64)),
            "stratum": tables.category(codes, [stratum.name for stratum in found]),
            "weight": tables.nulls(weight, np.isnan(weight)),
        },
    )


def rounded(value: float) -> float:
    """To nine significant digits: rates follow from logarithms, whose last bit is the machine's."""
    return float(f"{value:.9g}")


def _planted(plan: Plan) -> dict[str, int]:
    planted: dict[str, int] = {}
    for placement in plan.placements:
        planted.setdefault(placement.case.stratum(), 0)
        members = np.bincount(placement.stratum, placement.members, len(placement.strata))
        for name, count in zip(placement.strata, members.astype(int).tolist(), strict=True):
            planted[name] = planted.get(name, 0) + count
    return planted


def _natural(plan: Plan) -> dict[str, float | None]:
    """Natural share of entities per stratum; look-alikes and kinds without a rate have none."""
    shares: dict[str, float | None] = {}
    for placement in plan.placements:
        rate = placement.case.stratum_natural(plan.spec)
        share = natural_share(plan.spec, plan.domain, placement.case, rate)
        shares[placement.case.stratum()] = share
    return shares
