"""What is written is whole, valid, readable by others, and refuses bad input in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.domain import Domain
from rarecase.common.errors import DatasetError
from rarecase.common.spec import dump_spec, load_spec, spec_json_schema
from rarecase.common.validate import validate


def test_the_written_set_validates(written: Path) -> None:
    findings = validate(rarecase.open(written))
    assert [finding for finding in findings if finding.level == "error"] == []


def test_memory_and_disk_hold_the_same(written: Path, world: Dataset) -> None:
    disk = rarecase.open(written)
    assert disk.digests == world.digests
    for name in world.domain.schema.names:
        assert disk.table(name).num_rows == world.table(name).num_rows


def test_duckdb_reads_the_files_without_us(written: Path, domain: Domain) -> None:
    table = domain.entity_table
    found = duckdb.sql(f"SELECT count(*) FROM read_parquet('{written}/{table}/*.parquet')").fetchall()
    assert found == [(rarecase.open(written).spec.size,)]


def test_labels_join_one_row_per_row(world: Dataset) -> None:
    for name in world.frame("labels")["table_name"].astype(str).unique():
        plain, labelled = world.frame(name), world.frame(name, labels=True)
        assert len(plain) == len(labelled)
        told = labelled["case_ids"].map(len) > 0
        removed_only = set(world.frame("labels").query("table_name == @name")["effect"].astype(str)) == {
            "removed"
        }
        assert told.any() or removed_only


def test_as_of_shows_nothing_later(world: Dataset) -> None:
    middle = pd.Timestamp(world.spec.start) + pd.Timedelta(days=world.spec.days / 2)
    with pytest.raises(DatasetError, match="weights"):
        world.frame("weights", as_of=middle)
    for table in world.domain.schema.tables:
        if table.name == "weights":
            continue
        seen = world.frame(table.name, as_of=middle)
        if table.time:
            # A date stands for its first instant.
            assert (pd.to_datetime(seen[table.time]) <= middle).all()
        if table.name == "cases":
            assert not (seen[["ended_at", "reported_at", "detected_at"]] > middle).any(axis=None)
        for column in table.columns:
            if column.known_at:
                later = seen[column.known_at].isna() | (seen[column.known_at] > middle)
                assert seen.loc[later, column.name].isna().all()


def test_labels_are_shown_from_the_day_the_institution_knows(world: Dataset) -> None:
    cases = world.frame("cases")
    known = cases[["reported_at", "detected_at"]].min(axis=1)
    middle = pd.Timestamp(world.spec.start) + pd.Timedelta(days=world.spec.days / 2)
    allowed = set(cases.loc[known <= middle, "case_id"])
    for name in world.frame("labels")["table_name"].astype(str).unique():
        shown = world.frame(name, labels=True, as_of=middle)["case_ids"]
        assert {case for ids in shown for case in ids} <= allowed


def test_a_spec_survives_being_written_down(world: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(dump_spec(world.spec))
    assert load_spec(path) == world.spec


def test_editors_get_a_schema_of_the_spec(domain: Domain) -> None:
    import jsonschema
    import yaml

    schema = spec_json_schema(domain.name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for text in domain.examples.values():
        raw = yaml.safe_load(text)
        raw["start"] = str(raw["start"])
        jsonschema.validate(raw, schema)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("size: -3", "size"),
        ("sieze: 3", "sieze"),
        ("days: -1", "days"),
        ("cases: [{kind: nonsense, count: 1}]", "kind"),
        ("cases: [{kind: KIND, count: -5}]", "cases[0].count"),
        ("cases: [{kind: KIND, count: 99999999}]", "cases[0].count"),
    ],
)
def test_a_bad_spec_ends_in_two_and_names_the_field(
    domain: Domain, tmp_path: Path, change: str, field: str
) -> None:
    base = {"domain": domain.name, "size": 100, "block": 50, "start": "2025-01-01", "days": 30}
    lines = {key: f"{key}: {value}" for key, value in base.items()}
    change = change.replace("KIND", next(iter(domain.kinds())))
    lines[change.split(":")[0]] = change
    spec = tmp_path / "spec.yaml"
    spec.write_text("\n".join(lines.values()))
    run = subprocess.run(
        [sys.executable, "-m", "rarecase", "generate", str(spec), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert field in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out").exists()
