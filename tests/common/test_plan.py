"""Plans: exact, reproducible, and refusing what cannot be."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rarecase.common.errors import PlanError
from rarecase.common.plan import Plan, make_plan, natural_share, twin_of
from rarecase.common.spec import build_spec
from rarecase.common.weights import strata, weight_findings, weights_table

BASE: dict[str, Any] = {"domain": "toy", "size": 1000, "block": 300, "start": date(2025, 1, 1), "days": 365}


def planned(*cases: dict[str, Any], **changes: Any) -> Plan:
    return make_plan(build_spec({**BASE, **changes, "cases": list(cases)}))


@given(count=st.integers(0, 200), seed=st.integers(0, 2**63 - 1))
def test_a_count_is_exact(count: int, seed: int) -> None:
    plan = planned({"kind": "visit", "count": count}, {"kind": "ring", "count": count // 10}, seed=seed)
    assert plan.case_counts() == {"visit": count, "ring": count // 10}
    held = np.concatenate([placement.entities[placement.entities >= 0] for placement in plan.placements])
    assert np.unique(held).size == held.size


def test_the_same_spec_gives_the_same_plan_and_another_seed_another() -> None:
    one, again = planned({"kind": "visit", "count": 9}), planned({"kind": "visit", "count": 9})
    assert one.digest == again.digest
    assert planned({"kind": "visit", "count": 9}, seed=2).digest != one.digest


def test_a_later_case_yields_so_that_appending_moves_nothing() -> None:
    before = planned({"kind": "visit", "count": 400})
    after = planned({"kind": "visit", "count": 400}, {"kind": "ring", "count": 100})
    assert np.array_equal(before.placement("visit").entities, after.placement("visit").entities)
    assert np.array_equal(before.placement("visit").case_ids, after.placement("visit").case_ids)
    assert not np.isin(after.placement("ring").entities, after.placement("visit").entities).any()


def test_more_of_a_case_keeps_the_ones_there_were() -> None:
    few, many = planned({"kind": "visit", "count": 5}), planned({"kind": "visit", "count": 50})
    assert np.array_equal(few.placement("visit").homes, many.placement("visit").homes[:5])


def test_every_entity_may_be_a_case_but_no_more() -> None:
    assert planned({"kind": "visit", "count": 1000}).case_counts() == {"visit": 1000}
    with pytest.raises(PlanError, match=r"cases\[0\]\.count=1001"):
        planned({"kind": "visit", "count": 1001})
    with pytest.raises(PlanError, match=r"cases\[1\]\.count=1: .*0 left"):
        planned({"kind": "visit", "count": 1000}, {"kind": "ring", "count": 1})


def test_a_rate_plants_a_share_of_entities() -> None:
    assert planned(
        {"kind": "visit", "rate": {"value": 0.05, "per": "entity", "round": "nearest"}}
    ).case_counts() == {"visit": 50}
    yearly = planned({"kind": "visit", "rate": {"value": 0.7, "per": "entity-year", "round": "nearest"}})
    assert yearly.case_counts()["visit"] == round(1000 * -math.expm1(-0.7 * 365 / 365.25))


def test_a_stochastic_rate_is_right_on_average() -> None:
    counts = [
        planned({"kind": "visit", "rate": {"value": 0.0123, "per": "entity"}}, seed=seed).case_counts()[
            "visit"
        ]
        for seed in range(400)
    ]
    assert set(counts) == {12, 13}
    # Binomial(400, 0.3) outside of six standard deviations: below 1e-8.
    assert abs(np.mean(counts) - 12.3) < 6 * math.sqrt(0.3 * 0.7 / 400)


def test_natural_rates_take_an_enrichment_and_rings_count_members() -> None:
    plan = planned(
        {"kind": "visit", "rate": "natural", "enrich": 5}, {"kind": "ring", "rate": "natural", "enrich": 10}
    )
    natural = plan.natural_counts()
    assert natural["visit"] is not None
    assert abs(plan.case_counts()["visit"] - 5 * natural["visit"]) <= 1
    ring = plan.placement("ring")
    # By hand: 5 rings per 1,000 guests and year, of 3 to 6 members each, none of them in two.
    mean = ring.case.members(plan.spec, np.arange(1000)).mean()
    touched = 1000 * -math.expm1(-0.005 * mean * 365 / 365.25)
    assert 4.3 < mean < 4.7
    assert natural["ring"] == pytest.approx(touched / mean)
    assert abs(plan.case_counts()["ring"] - 10 * touched / mean) <= 1


def test_impossible_wishes_are_told() -> None:
    with pytest.raises(PlanError, match=r"cases\[0\]\.rate=natural: .*no natural rate"):
        planned({"kind": "decoy", "rate": "natural"})
    with pytest.raises(PlanError, match=r"cases\[0\]\.rate\.per=furlong"):
        planned({"kind": "visit", "rate": {"value": 1, "per": "furlong"}})
    with pytest.raises(PlanError, match=r"cases\[0\]"):
        planned({"kind": "visit", "rate": {"value": 50, "per": "entity"}})


def test_the_twin_has_no_cases_and_the_same_keys() -> None:
    plan = planned({"kind": "visit", "count": 9})
    twin = make_plan(twin_of(plan.spec))
    assert twin.placements == ()
    ordinals = np.arange(100, dtype=np.int64)
    table = plan.domain.entity_table
    assert np.array_equal(twin.keys.entities(table, ordinals), plan.keys.entities(table, ordinals))


def test_weights_lead_back_to_nature() -> None:
    plan = planned(
        {"kind": "visit", "count": 100},
        {"kind": "visit", "name": "more", "count": 20},
        {"kind": "ring", "count": 7},
        {"kind": "decoy", "count": 30},
    )
    by_name = {stratum.name: stratum for stratum in strata(plan)}
    size = 1000 - 30
    for kind in ("visit", "ring"):
        placement = plan.of_kind(kind)[0]
        share = natural_share(plan.spec, plan.domain, placement.case, placement.natural) or 0.0
        assert by_name[kind].weight == pytest.approx(size * share / by_name[kind].planted)
    assert by_name["visit"].planted == 120
    assert by_name["decoy"].weight == 0
    total = sum(stratum.planted * (stratum.weight or 0) for stratum in by_name.values())
    assert total == pytest.approx(size)
    weights = np.concatenate([weights_table(plan, part)["weight"].to_numpy() for part in range(plan.parts)])
    assert weights.size == 1000
    assert weights.sum() == pytest.approx(size)


def test_a_negative_weight_is_refused() -> None:
    plan = planned(
        {"kind": "common", "count": 5}, {"kind": "visit", "count": 5}, {"kind": "decoy", "count": 900}
    )
    with pytest.raises(PlanError, match="natural"):
        strata(plan)


def test_where_every_entity_is_a_case_weights_are_null_and_it_is_said() -> None:
    plan = planned({"kind": "visit", "count": 1000})
    assert weights_table(plan, 0)["weight"].null_count == 300
    assert [finding.rule for finding in weight_findings(plan)] == ["weights.no_ordinary"]


def test_a_kind_of_nature_that_is_not_planted_is_said() -> None:
    plan = planned({"kind": "visit", "count": 0})
    assert [finding.rule for finding in weight_findings(plan)] == ["weights.not_planted"]
