"""Strata of the weights do not overlap, whichever disorders are asked for side by side."""

from __future__ import annotations

from typing import Any

import pytest

from rarecase.common.errors import SpecError
from rarecase.common.plan import Plan, make_plan
from rarecase.common.spec import build_spec
from rarecase.common.weights import strata

FIBROSIS = 586
WORLD = {"domain": "healthcare", "size": 20_000, "block": 5_000, "start": "2023-01-01", "days": 730}


def planned(*cases: dict[str, Any]) -> Plan:
    whole = [{"kind": "rare_disease", "count": 40, **case} for case in cases]
    return make_plan(build_spec({**WORLD, "cases": whole}))


def natural(plan: Plan) -> dict[str, float]:
    return {stratum.name: stratum.natural or 0.0 for stratum in strata(plan)}


def test_what_one_entry_asks_for_is_taken_out_of_the_wider_one() -> None:
    alone = natural(planned({}))
    both = natural(planned({}, {"name": "cf", "disorder": FIBROSIS}))
    assert both["rare_disease"] + both["rare_disease:586"] == pytest.approx(alone["rare_disease"])


def test_three_that_lie_inside_each_other_add_up_too() -> None:
    alone = natural(planned({}))["rare_disease"]
    found = natural(
        planned(
            {},
            {"name": "cf", "disorder": FIBROSIS},
            {"disorder": FIBROSIS, "diagnosis": "within", "name": "w"},
        )
    )
    assert sum(found[name] for name in found if name != "ordinary") == pytest.approx(alone)


def test_a_patient_of_the_wider_entry_counts_where_the_narrower_one_speaks() -> None:
    # Everybody who can is given any disorder: some of them have the one that is asked for by name.
    plan = planned({"count": 4_000}, {"name": "common", "disorder": 558, "count": 5})
    wide, narrow = plan.placements
    assert wide.strata == ("rare_disease", "rare_disease:558")
    assert 0 < (wide.stratum == 1).sum() < 400
    by_name = {stratum.name: stratum.planted for stratum in strata(plan)}
    assert by_name["rare_disease:558"] == 5 + int((wide.stratum == 1).sum())
    assert len(narrow) == 5


def test_entries_that_overlap_crosswise_are_refused() -> None:
    with pytest.raises(SpecError, match="overlap"):
        planned({"diagnosis": "within"}, {"name": "cf", "disorder": FIBROSIS})


def paired(kind: str, *cases: dict[str, Any]) -> Plan:
    return make_plan(build_spec({**WORLD, "cases": [{"kind": kind, "count": 20, **case} for case in cases]}))


@pytest.mark.parametrize("kind", ["interaction", "separated_pair"])
def test_a_chosen_drug_is_taken_out_of_all_drugs(kind: str) -> None:
    alone = natural(paired(kind, {}))[kind]
    found = natural(
        paired(
            kind,
            {},
            {"name": "statin", "victim": "simvastatin"},
            {"name": "both", "victim": "simvastatin", "perpetrator": "clarithromycin"},
            {"name": "graft", "victim": "tacrolimus"},
        )
    )
    # Yearly rates become shares of people stratum by stratum, which rounds a little differently.
    assert sum(found[name] for name in found if name != "ordinary") == pytest.approx(alone, rel=1e-3)
    assert min(found.values()) > 0


def test_a_pair_of_the_wider_entry_counts_where_the_narrower_one_speaks() -> None:
    plan = paired("interaction", {"count": 300}, {"name": "statin", "victim": "simvastatin", "count": 5})
    wide, narrow = plan.placements
    assert wide.strata == ("interaction", "interaction:simvastatin")
    assert 30 < (wide.stratum == 1).sum() < 250
    by_name = {stratum.name: stratum.planted for stratum in strata(plan)}
    assert by_name["interaction:simvastatin"] == 5 + int((wide.stratum == 1).sum())
    assert len(narrow) == 5


def test_drugs_that_overlap_crosswise_are_refused() -> None:
    with pytest.raises(SpecError, match="overlap"):
        paired(
            "interaction",
            {"name": "a", "victim": "simvastatin"},
            {"name": "b", "perpetrator": "itraconazole"},
        )
