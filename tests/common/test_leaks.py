"""The leak test: it finds what gives cases away, and its false-alarm rate is what it says."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from rarecase.common.evaluate.leaks import FALSE_ALARMS, LIMIT, leak_findings, leak_scores
from rarecase.common.evaluate.separation import Contrast, bound, effective_size, placements
from tests.common.small_world import DAY, Burglary, SmallWorld, small_world


def _levels(world: SmallWorld, column: str | None) -> list[str]:
    return [
        found.level
        for found in leak_findings(world)
        if found.rule == "leak.column" and found.column == column
    ]


def _dearer(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["price_minor"][rows] *= 20


def _middling(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["price_minor"][rows] = 50_000 + rng.integers(-3_000, 3_000, len(rows))


def _rounder(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["price_minor"][rows] = columns["price_minor"][rows] // 1000 * 1000


def _at_three(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["seen_at"][rows] = columns["seen_at"][rows] // DAY * DAY + 3 * 3_600_000_000


def _numbered_last(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["visit_id"][rows] += 10**7


def _one_channel(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["channel"][rows] = "door"


def _owes(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["balance_minor"][rows] = -1


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (_dearer, "price_minor"),
        (_middling, "price_minor"),
        (_rounder, "price_minor"),
        (_at_three, "seen_at"),
        (_numbered_last, "visit_id"),
        (_one_channel, "channel"),
    ],
)
def test_a_telling_column_is_an_error_and_the_only_one(change: Any, column: str) -> None:
    found = [(item.level, item.column) for item in leak_findings(small_world(3, change=change))]
    assert found == [("error", column)]


def test_rows_stored_last_are_an_error() -> None:
    world = small_world(4)
    rows = world.tables["visits"]
    marked = np.isin(rows["visit_id"].to_numpy(), world.tables["labels"]["row_id"].to_numpy())
    world.tables["visits"] = rows.take(np.argsort(marked, kind="stable"))
    assert _levels(world, None) == ["error"]


def test_telltale_names_of_entities_are_an_error() -> None:
    world = small_world(5, people=1000, cases=200)
    people, homes = world.tables["people"], world.tables["cases"]["entity_id"].to_numpy()
    surnames = np.where(np.isin(people["person_id"].to_numpy(), homes), "Zed", people["surname"].to_numpy())
    world.tables["people"] = people.set_column(1, "surname", [surnames])
    assert _levels(world, "surname") == ["error"]


def test_below_half_difficulty_it_is_a_note() -> None:
    assert _levels(small_world(6, change=_dearer, difficulty=0.4), "price_minor") == ["note"]


def test_derived_columns_may_tell() -> None:
    assert leak_findings(small_world(7, change=_owes)) == []


class _Dear(Burglary):
    reveals: ClassVar[frozenset[str]] = frozenset({"visits.price_minor"})


class _AnyVisit(Burglary):
    reveals: ClassVar[frozenset[str]] = frozenset({"visits"})


class _ByChannel(Burglary):
    compared_within: ClassVar[dict[str, str]] = {"visits": "channel"}


@pytest.mark.parametrize("kind", [_Dear, _AnyVisit])
def test_what_a_kind_reveals_by_definition_is_allowed(kind: type) -> None:
    world = small_world(8, change=_dearer)
    world.kind = kind
    assert leak_findings(world) == []


def _web_is_dear(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    columns["channel"][rows] = "web"
    columns["price_minor"][columns["channel"] == "web"] *= 50


def test_rows_are_compared_within_what_the_kind_names() -> None:
    world = small_world(9, change=_web_is_dear)
    assert "price_minor" in {found.column for found in leak_findings(world)}
    world.kind = _ByChannel
    assert leak_findings(world) == []


def test_a_group_that_only_cases_have_is_an_error() -> None:
    world = small_world(10, change=_one_channel)
    world.kind = _ByChannel
    assert _levels(world, "channel") == ["error"]


def test_a_table_of_cases_alone_is_an_error() -> None:
    world = small_world(11)
    rows = world.tables["visits"]
    labelled = np.isin(rows["visit_id"].to_numpy(), world.tables["labels"]["row_id"].to_numpy())
    world.tables["visits"] = rows.filter(labelled)
    assert [found.rule for found in leak_findings(world)] == ["leak.table"]


def test_few_cases_are_said_to_be_untestable() -> None:
    found = leak_findings(small_world(12, change=_dearer, cases=5))
    assert [(item.level, item.rule) for item in found] == [("note", "leak.untestable")]


def test_a_world_without_cases_is_silent() -> None:
    world = small_world(13)
    for name in ("cases", "labels"):
        world.tables[name] = world.tables[name].slice(0, 0)
    assert leak_findings(world) == []


def test_scores_come_best_first_and_repeat() -> None:
    first, again = leak_scores(small_world(14, change=_dearer)), leak_scores(small_world(14, change=_dearer))
    assert first == again
    assert [score.auc for score in first] == sorted((score.auc for score in first), reverse=True)
    assert first[0].column == "price_minor"


def test_innocent_worlds_are_not_accused() -> None:
    """60 worlds of nothing: at a stated 1 % per world, three accusations have a probability of 2 %."""
    accused = sum(
        any(found.rule == "leak.column" for found in leak_findings(small_world(seed, people=150, cases=40)))
        for seed in range(100, 160)
    )
    assert accused < 3


def _false_alarms(cases: int, limit: float, spread: bool, worlds: int = 3_000) -> float:
    """Share of simulated single tests that exceed the bound when the true AUC is the limit."""
    rng = np.random.default_rng(cases)
    ordinary = np.arange(1_000) / 1_000
    shown = (
        rng.random((worlds, cases)) if spread else np.where(rng.random((worlds, cases)) < limit, 2.0, -1.0)
    )
    placed = placements(
        shown.ravel(), ordinary, *(np.zeros(n, dtype=np.int64) for n in (shown.size, len(ordinary)))
    )
    means = placed.reshape(worlds, cases).mean(axis=1)
    return float((means > bound(limit, effective_size(cases, 1_000), FALSE_ALARMS)).mean())


@pytest.mark.parametrize("cases", [20, 60, 400])
@pytest.mark.parametrize(("limit", "spread"), [(LIMIT, False), (0.5, False), (0.5, True)])
def test_one_test_keeps_its_false_alarm_rate(cases: int, limit: float, spread: bool) -> None:
    """At a true rate of 1 %, more than 1.7 % of 3,000 has a probability below 0.0003."""
    assert _false_alarms(cases, limit, spread) <= 0.017


def test_learned_scores_of_noise_show_nothing() -> None:
    """Cross-fitting: without it, 200 classes would separate 40 cases with an AUC near 0.9."""
    rng = np.random.default_rng(1)
    contrast = Contrast(np.repeat(np.arange(40), 5), np.zeros(200, np.int64), np.zeros(2_000, np.int64))
    scores = [
        contrast.auc(np.repeat(rng.integers(0, 200, 40), 5), rng.integers(0, 200, 2_000))[0]
        for _ in range(100)
    ]
    assert abs(float(np.mean(scores)) - 0.5) < 0.03  # five standard errors


def test_the_bound_falls_with_cases_and_gives_up_on_few() -> None:
    assert math.isinf(bound(LIMIT, 10, 1e-4))
    assert 0.75 < bound(LIMIT, 4_000, 1e-4) < bound(LIMIT, 400, 1e-4) < 1


def test_ties_count_half_and_small_groups_nothing() -> None:
    ordinary, group = np.repeat([0.0, 1.0], 50), np.zeros(100, np.int64)
    placed = placements(np.array([0.0, 1.0, 1.0]), ordinary, np.array([0, 0, 7]), group)
    assert placed[:2].tolist() == [0.25, 0.75]
    assert np.isnan(placed[2])


def test_ranges_label_every_row_of_their_span() -> None:
    world = small_world(15, change=_dearer, rows_per_case=12)
    by_row, cases = world.tables["labels"], world.tables["cases"]
    ranges = by_row.slice(0, 0).to_pylist()
    for case in cases.to_pylist():
        span = {"from_at": case["started_at"], "to_at": case["started_at"] + timedelta(days=90)}
        ranges.append(
            {
                "case_id": case["case_id"],
                "kind": "burglary",
                "table_name": "visits",
                "entity_id": case["entity_id"],
            }
            | span
            | {"role": "visit", "effect": "changed"}
        )
    world.tables["labels"] = pa.Table.from_pylist(ranges, schema=by_row.schema)
    assert _levels(world, "price_minor") == ["error"]


def test_look_alikes_stand_on_neither_side() -> None:
    world = small_world(16, change=_dearer)
    cases = world.tables["cases"]
    place = cases.schema.get_field_index("is_case")
    world.tables["cases"] = cases.set_column(
        place, cases.schema.field(place), pa.array([False] * cases.num_rows)
    )
    assert leak_findings(world) == []
