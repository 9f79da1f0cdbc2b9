"""From a spec to a data set in memory: checks on every part, progress, twins, flat memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import CheckError, DatasetError, PlanError
from rarecase.common.plan import Plan, make_plan
from rarecase.common.run import Progress, conform, generate, generate_tables
from rarecase.common.schema import arrow_schema
from tests.common import toy
from tests.common.killpoints import contents, spec

Change = Callable[[dict[str, pa.Table]], dict[str, pa.Table]]


def broken(change: Change) -> Plan:
    """A plan whose domain makes its parts wrongly."""
    plan = make_plan(spec(1))

    def make(plan: Plan, part: int) -> dict[str, pa.Table]:
        return change(toy.generate_part(plan, part))

    return replace(plan, domain=replace(plan.domain, generate_part=make))


def _shorter(table: pa.Table) -> pa.Table:
    return table.slice(1)


def _retold(table: pa.Table) -> pa.Table:
    ids = pa.array(np.arange(1, table.num_rows + 1))
    return table.set_column(0, table.schema.field(0), ids)


@pytest.mark.parametrize(
    ("change", "rule", "table", "said"),
    [
        (lambda t: {k: v for k, v in t.items() if k != "guests"}, "part.tables", "guests", "is missing"),
        (lambda t: {**t, "extra": t["guests"]}, "part.tables", "extra", "is not declared"),
        (
            lambda t: {**t, "nights": t["nights"].drop_columns("price_minor")},
            "part.schema",
            "nights",
            "missing",
        ),
        (lambda t: {**t, "cases": _retold(t["cases"])}, "part.cases", "cases", "other keys than the plan's"),
        (lambda t: {**t, "cases": _shorter(t["cases"])}, "part.cases", "cases", "where the plan has"),
    ],
)
def test_a_part_that_is_not_as_planned_is_refused(change: Change, rule: str, table: str, said: str) -> None:
    plan = broken(change)
    # The part that holds the first case's home.
    part = int(plan.placements[0].homes[0]) // plan.spec.block
    with pytest.raises(CheckError) as refused:
        generate_tables(plan, part)
    (finding,) = refused.value.findings
    assert (finding.level, finding.rule, finding.table) == ("error", rule, table)
    assert said in finding.message
    assert f"part {part}" in finding.message


def test_every_table_has_its_declared_schema() -> None:
    plan = make_plan(spec(1))
    made = generate_tables(plan, 1)
    assert tuple(made) == plan.domain.schema.names
    for name, table in made.items():
        assert table.schema.equals(arrow_schema(plan.domain.schema[name]), check_metadata=True)


def test_other_types_and_orders_are_conformed() -> None:
    nights = generate_tables(make_plan(spec(1)), 0)["nights"]
    loose = nights.select(["price_minor", "night_id", "guest_id", "arrived_at"])
    loose = loose.set_column(0, "price_minor", loose["price_minor"].cast(pa.int32()))
    assert conform(loose, toy.NIGHTS).equals(nights)
    with pytest.raises(ValueError, match="two columns of one name"):
        conform(nights.append_column("night_id", nights["night_id"]), toy.NIGHTS)


def test_in_memory_and_on_disk_are_one_world(tmp_path: Path) -> None:
    held = generate(spec(1), twin=True)
    written = generate(spec(1), tmp_path / "set", twin=True)
    assert held.digests == written.digests
    assert held.twin is not None
    assert written.twin is not None
    assert held.twin.digests == written.twin.digests
    assert held.manifest["twin"] == written.manifest["twin"]
    for name in held.tables:
        assert held.table(name).combine_chunks().equals(written.table(name).combine_chunks())
    assert held.twin.table("cases").num_rows == 0


@pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 2}, {"workers": 2, "mode": "processes"}])
def test_the_same_whoever_makes_it(options: dict[str, Any]) -> None:
    many = spec(1).model_copy(update={"block": 4})
    one = generate(many, **options)
    assert one.digests == generate(many, workers=4).digests
    assert (
        one.table("nights")["night_id"].to_pylist() == generate(many).table("nights")["night_id"].to_pylist()
    )


def test_progress_counts_parts_and_rows(tmp_path: Path) -> None:
    seen: list[Progress] = []
    made = generate(spec(1), tmp_path / "set", workers=1, twin=True, progress=seen.append)
    assert [(one.world, one.part, one.done, one.total) for one in seen] == [
        ("main", 0, 1, 2),
        ("main", 1, 2, 2),
        ("twin", 0, 1, 2),
        ("twin", 1, 2, 2),
    ]
    assert seen[1].rows == made.manifest["rows"]


def test_what_cannot_be_weighed_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    wish = {
        **spec(1).model_dump(),
        "cases": [{"kind": kind, "count": 1} for kind in ("common", "visit", "ring")],
    }
    wish["days"] = 36_000
    with pytest.raises(PlanError, match="natural rates"):
        generate(wish, tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"mode": "processes"}, {"engine": "dask"}])
def test_a_killed_worker_leaves_no_trace_in_the_data(tmp_path: Path, options: dict[str, Any]) -> None:
    if "engine" in options:
        pytest.importorskip("distributed")
    many = spec(1).model_copy(update={"size": 600})
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed:
            killed.append(progress.pid)
            os.kill(progress.pid, signal.SIGKILL)

    generate(many, tmp_path / "set", workers=2, progress=kill, **options)
    generate(many, tmp_path / "reference", workers=1)
    assert killed[0] != os.getpid()
    assert contents(tmp_path / "set") == contents(tmp_path / "reference")


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_database_holds_the_same_world(tmp_path: Path, kind: str) -> None:
    address = f"{kind}:///{tmp_path}/file.db"
    made = generate(spec(1), address, twin=True, workers=2)
    held = generate(spec(1), twin=True)
    assert made.digests == held.digests
    assert made.manifest["storage"] == kind
    assert made.files == ()
    assert made.twin is not None
    assert held.twin is not None
    assert made.twin.digests == held.twin.digests
    for name, table in held.tables.items():
        assert made.table(name).num_rows == table.num_rows
    with made.connect() as connection:
        assert connection.execute("SELECT count(*) FROM nights").fetchone() == (
            held.table("nights").num_rows,
        )
    assert len(made.frame("nights", labels=True)) == held.table("nights").num_rows


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_database_load_that_fails_leaves_nothing(tmp_path: Path, kind: str) -> None:
    def stop(progress: Progress) -> None:
        if progress.world == "main" and progress.done == 2:
            raise KeyboardInterrupt

    address = f"{kind}:///{tmp_path}/file.db"
    with pytest.raises(KeyboardInterrupt):
        generate(spec(1), address, twin=True, workers=1, progress=stop)
    with pytest.raises(DatasetError):
        open_dataset(address)
    with pytest.raises(DatasetError):
        open_dataset(address, twin=True)
    generate(spec(1), address, twin=True)


_MEMORY = """
import resource, sys
from rarecase.common.run import generate
from tests.common.killpoints import contents, spec
def peak(size, place):
    generate(spec(1).model_copy(update={"size": size, "block": 20_000}), place, workers=1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
peak(40_000, sys.argv[1] + "/warm")
print(peak(100_000, sys.argv[1] + "/small"), peak(600_000, sys.argv[1] + "/large"))
"""


def test_memory_does_not_grow_with_the_data(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(tmp_path)], capture_output=True, text=True, check=True
    )
    small, large = map(float, run.stdout.split())
    # 2.5 million rows more, over 100 MB of them in Arrow, against at most 30 MB of allocators' whims.
    assert large - small < 30
