"""A data set is judged whole: files, rows, laws, cases, marks; damage is reported, never raised."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import Findings
from rarecase.common.run import generate
from rarecase.common.spec import Spec, build_spec
from rarecase.common.validate import validate


@pytest.fixture(scope="module")
def spec() -> Spec:
    cases = [{"kind": "visit", "count": 6}, {"kind": "ring", "count": 2}, {"kind": "decoy", "count": 3}]
    raw = {
        "domain": "toy",
        "seed": 5,
        "size": 90,
        "block": 30,
        "start": "2025-01-01",
        "days": 40,
        "cases": cases,
    }
    return build_spec(raw)


@pytest.fixture(scope="module")
def clean(spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("clean") / "set"
    generate(spec, place, twin=True, workers=1)
    return place


@pytest.fixture
def place(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "set"))


def errors(findings: Findings) -> list[tuple[str, str | None, int]]:
    """Errors but for the leak test's, which has a suite of its own."""
    return [(f.rule, f.table, f.count) for f in findings.errors if not f.rule.startswith("leak.")]


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    with pq.ParquetFile(path) as file:
        table = file.read()
    pq.write_table(change(table), path)


def test_a_clean_set_is_clean_with_its_twin(clean: Path) -> None:
    assert errors(validate(open_dataset(clean))) == []


def test_a_set_in_memory_is_judged_alike(spec: Spec) -> None:
    assert errors(validate(generate(spec, twin=True))) == []


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_text_formats_are_judged_alike(spec: Spec, format: str, tmp_path: Path) -> None:
    generate(spec, tmp_path / "set", format=format, workers=1)
    assert errors(validate(open_dataset(tmp_path / "set"))) == []


def test_an_edited_file_is_found_by_its_hash_even_where_its_rows_are_lawful(place: Path) -> None:
    def dearer(table: pa.Table) -> pa.Table:
        prices = pc.add(table.column("price_minor"), 1)
        return table.set_column(3, table.schema.field("price_minor"), prices)

    rewritten(place / "nights" / "part-00001.parquet", dearer)
    assert errors(validate(open_dataset(place))) == [("file.hash", "nights", 1)]


def test_a_truncated_file_is_found_and_stops_what_would_misjudge(place: Path) -> None:
    path = place / "nights" / "part-00001.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    findings = validate(open_dataset(place))
    assert errors(findings) == [("file.hash", "nights", 1), ("file.damaged", "nights", 1)]
    assert "laws.unjudged" in {finding.rule for finding in findings}


def test_a_missing_and_an_unexpected_file_are_found(place: Path) -> None:
    (place / "guests" / "part-00002.parquet").rename(place / "guests" / "part-00009.parquet")
    found = errors(validate(open_dataset(place)))
    assert found == [("file.extra", "guests", 1), ("file.missing", "guests", 1)]
    assert ("reference.missing", "nights") not in {(rule, table) for rule, table, _ in found}


def test_edited_and_missing_documents_are_found(place: Path) -> None:
    (place / "spec.yaml").write_text("domain: toy\n")
    (place / "DATACARD.md").unlink()
    assert errors(validate(open_dataset(place))) == [
        ("document.hash", None, 1),
        ("document.missing", None, 1),
    ]


def test_missing_cases_are_counted(place: Path) -> None:
    path = next(p for p in sorted((place / "cases").iterdir()) if pq.read_metadata(p).num_rows)
    rewritten(path, lambda table: table.slice(1))
    rules = {rule for rule, _, _ in errors(validate(open_dataset(place)))}
    assert {"file.hash", "count.rows", "count.cases", "reference.missing"} <= rules


def test_a_broken_law_of_the_domain_is_found(place: Path) -> None:
    def earlier(table: pa.Table) -> pa.Table:
        moments = pc.subtract(table.column("arrived_at"), pa.scalar(10**14, pa.duration("us")))
        return table.set_column(2, table.schema.field("arrived_at"), moments)

    rewritten(place / "nights" / "part-00000.parquet", earlier)
    assert "toy.before_start" in {rule for rule, _, _ in errors(validate(open_dataset(place)))}


def test_a_file_that_no_longer_says_synthetic_is_found(place: Path) -> None:
    rewritten(place / "guests" / "part-00000.parquet", lambda table: table.replace_schema_metadata(None))
    found = errors(validate(open_dataset(place)))
    assert found == [("file.hash", "guests", 1), ("mark.metadata", "guests", 1)]


def test_damage_of_the_twin_is_told_as_its_own(place: Path) -> None:
    path = place / "twin" / "nights" / "part-00001.parquet"
    path.write_bytes(b"")
    findings = validate(open_dataset(place))
    assert errors(findings) == [("file.hash", "nights", 1), ("file.damaged", "nights", 1)]
    assert all(finding.message.startswith("twin: ") for finding in findings.errors)
    (place / "twin" / "manifest.json").write_text("{")
    assert errors(validate(open_dataset(place))) == [("file.damaged", None, 1)]


def test_rows_of_another_seed_are_found_by_their_keys(spec: Spec, place: Path) -> None:
    other = generate(spec.model_copy(update={"seed": 6}))
    assert isinstance(other, Dataset)
    dataset = open_dataset(place)
    rewritten(place / "guests" / "part-00001.parquet", lambda _: other.table("guests").slice(30, 30))
    rules = {finding.rule for finding in validate(dataset).errors}
    assert {"file.hash", "key.read", "reference.missing"} <= rules


def test_a_manifest_that_does_not_say_synthetic_is_found(clean: Path) -> None:
    dataset = open_dataset(clean)
    dataset.manifest = {**dataset.manifest, "synthetic": False}
    assert errors(validate(dataset)) == [("mark.manifest", None, 1)]


def test_findings_are_equal_for_equal_damage(place: Path) -> None:
    rewritten(place / "nights" / "part-00001.parquet", lambda table: table.slice(3))
    first, second = validate(open_dataset(place)), validate(open_dataset(place))
    assert [replace(finding) for finding in first] == list(second)


def relabelled(path: Path, column: str, change: Callable[[pa.ChunkedArray], pa.Array]) -> None:
    def changed(table: pa.Table) -> pa.Table:
        field = table.schema.field(column)
        values = change(table.column(column))
        return table.set_column(
            table.column_names.index(column), field, pa.array(values.to_pylist(), field.type)
        )

    rewritten(path, changed)


def labels_of(place: Path) -> Path:
    return next(p for p in sorted((place / "labels").iterdir()) if pq.read_metadata(p).num_rows)


def test_labels_of_rows_that_are_not_there_are_found(place: Path) -> None:
    relabelled(labels_of(place), "row_id", lambda ids: pc.add(ids, 1))
    rules = {rule for rule, _, _ in errors(validate(open_dataset(place)))}
    assert rules == {"file.hash", "label.missing"}


def test_labels_of_removed_rows_that_are_still_there_are_found(place: Path) -> None:
    relabelled(labels_of(place), "effect", lambda effects: pa.array(["removed"] * len(effects)))
    rules = {rule for rule, _, _ in errors(validate(open_dataset(place)))}
    assert rules == {"file.hash", "label.kept"}


def test_labels_of_unknown_tables_are_found(place: Path) -> None:
    relabelled(labels_of(place), "table_name", lambda names: pa.array(["minibar"] * len(names)))
    rules = {rule for rule, _, _ in errors(validate(open_dataset(place)))}
    assert rules == {"file.hash", "label.table"}
