"""Every law finds the damage that it is about, and nothing in good data."""

from __future__ import annotations

import duckdb
import pytest

from rarecase.automotive.checks import LAWS, checks
from rarecase.automotive.measures import measures
from rarecase.common.dataset import Dataset

NAMES = (
    "roads",
    "road_segments",
    "road_patches",
    "episodes",
    "weather",
    "vehicles",
    "telemetry",
    "events",
    "criticality",
    "cases",
    "labels",
)
DAMAGE = {
    "friction_circle": "UPDATE telemetry SET friction = 0.05 WHERE acceleration_mps2 < -2",
    "motion_integrates": "UPDATE telemetry SET position_m = position_m + 0.05 WHERE rowid = 777",
    "ten_rows_a_second": "DELETE FROM telemetry WHERE rowid = 77",
    "on_the_road": "UPDATE telemetry SET position_m = 50000 WHERE rowid = 77",
    "no_overlap": "UPDATE telemetry SET position_m = 700",
    "friction_of_the_road": "UPDATE telemetry SET friction = friction + 0.01 WHERE rowid = 77",
    "collisions_have_two_sides": "UPDATE events SET other_vehicle_id = NULL WHERE kind = 'collision'",
    "scale_and_friction": "UPDATE weather SET friction_scale = friction_scale - 0.02",
    "snow_needs_cold": "UPDATE weather SET surface_temperature_c = 12, road_state = 'ice'",
    "one_ego": "UPDATE vehicles SET is_ego = TRUE",
    "look_alikes_are_harmless": "UPDATE cases SET kind = 'wet_but_grippy'",
    "look_alikes_grip": "UPDATE road_patches SET friction = 0.2",
    "queues_stand_out_of_sight": "UPDATE weather SET visibility_m = 0.95 / 0.9 * visibility_m + 100",
    "margin_follows_motion": "UPDATE criticality SET visibility_margin_m = visibility_margin_m + 0.2",
    "labels_inside_their_case": "UPDATE cases SET started_at = started_at + INTERVAL 10 SECOND",
    "crests_are_gentle": "UPDATE road_segments SET grade_end = grade_start + 0.05 WHERE kind = 'spiral'",
    "material_range": "UPDATE weather SET friction = 0.62 WHERE road_state = 'wet'",
}


@pytest.fixture
def copy(world: Dataset) -> duckdb.DuckDBPyConnection:
    """The small world in tables that may be damaged."""
    connection = duckdb.connect()
    for name in NAMES:
        connection.register("source", world.table(name))
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM source")
        connection.unregister("source")
    connection.execute("ALTER TABLE cases ALTER kind TYPE VARCHAR")
    return connection


def test_good_data_break_no_law(world: Dataset) -> None:
    assert list(checks(world.connect(), world.spec)) == []


def test_every_law_is_tried() -> None:
    assert {law.rule.removeprefix("automotive.") for law in LAWS} == set(DAMAGE)


@pytest.mark.parametrize("law", sorted(DAMAGE))
def test_a_law_finds_its_damage(world: Dataset, copy: duckdb.DuckDBPyConnection, law: str) -> None:
    copy.execute(DAMAGE[law])
    found = {finding.rule: finding for finding in checks(copy, world.spec)}
    assert f"automotive.{law}" in found
    finding = found[f"automotive.{law}"]
    assert finding.level == "error"
    assert finding.count > 0
    assert 1 <= len(finding.examples) <= 3


def test_figures_lie_in_their_published_ranges(world: Dataset) -> None:
    found = {measure.name: measure for measure in measures(world)}
    assert len(found) >= 15
    judged = [measure for measure in found.values() if measure.inside is not None]
    assert len(judged) >= 9
    assert all(measure.inside for measure in judged), [measure for measure in judged if not measure.inside]
    assert all(measure.source for measure in found.values())
