"""From a spec to a data set: plan, make the parts, write them, seal them.

The only place that starts anything. A part is made, checked, digested and written by one task, and then let
go: memory does not grow with the size of the data.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import rarecase
from rarecase.common import dataset as datasets
from rarecase.common import tables as building
from rarecase.common.dataset import Dataset
from rarecase.common.digest import part_digests
from rarecase.common.engines import Engine, open_engine
from rarecase.common.errors import Finding, Findings, RarecaseError
from rarecase.common.manifest import build_manifest, read_manifest
from rarecase.common.plan import Plan, make_plan, twin_of
from rarecase.common.provenance import signing
from rarecase.common.schema import Table, arrow_schema
from rarecase.common.sinks.base import Receipt, Sink, open_sink, scheme
from rarecase.common.spec import Spec, load_spec
from rarecase.common.weights import strata, weights_table

Target = str | os.PathLike[str]


@dataclass(frozen=True)
class Progress:
    """What has happened so far; given to `progress` after each part.

    Attributes
    ----------
    world : ``main`` or ``twin``
    part : the part just made, -1 for those that a resumed run found
    done, total : parts of this world
    rows : rows of this world so far, over all tables
    pid : the process that made the part
    """

    world: str
    part: int
    done: int
    total: int
    rows: int
    pid: int


@dataclass(frozen=True)
class Made:
    """What a task returns: the receipt, and the tables where the sink takes them in the calling process."""

    receipt: Receipt
    tables: Mapping[str, pa.Table] | None
    pid: int
    seconds: float


def generate(
    spec: str | Path | Mapping[str, Any] | Spec,
    target: Target | None = None,
    *,
    format: str = "parquet",
    workers: int | None = None,
    engine: str | Engine = "local",
    mode: str = "auto",
    twin: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Dataset:
    """Make a data set.

    Parameters
    ----------
    spec
        What is wanted: a file, a mapping, or a `Spec`.
    target
        A directory or a database address; None keeps the tables in memory.
    format
        ``parquet``, ``csv`` or ``jsonl``, for a directory.
    workers, engine, mode
        Who makes the parts: ``local`` or ``dask``, or an engine with settings of its own; and for ``local``,
        ``threads``, ``processes`` or whichever is faster (``auto``). The data are the same whoever does.
    twin
        Also make the same world without cases, in ``twin/`` or in a schema of its own.
    resume, overwrite
        Finish what a cut-off run left in a directory, or clear what is there first.
    progress
        Called in this thread after each part.

    Raises
    ------
    InputError
        When the spec, the plan, the target or the engine cannot be had as asked.
    CheckError
        When a part is not what the plan says; the findings tell where.
    """
    loaded = load_spec(spec)
    plan = make_plan(loaded)
    strata(plan)  # refuses negative weights before anything is made
    worlds = [_World("main", plan)]
    if twin:
        worlds.append(_World("twin", make_plan(twin_of(loaded))))
    runner = open_engine(engine, workers, mode=mode, prefer=plan.domain.workers)
    report = progress or _silent
    if target is None:
        return _in_memory(worlds, runner, report)
    signing.check_key()
    sinks = [
        open_sink(
            target,
            domain=plan.domain,
            format=format,
            twin=world.name == "twin",
            with_twin=twin and world.name == "main",
            resume=resume,
            overwrite=overwrite,
        )
        for world in worlds
    ]
    storage = scheme(target) or format
    _write(worlds, sinks, runner, report, storage)
    return datasets.open(target, domain=plan.spec.domain)


def generate_tables(plan: Plan, part: int) -> dict[str, pa.Table]:
    """Every table of one part, under the declared Arrow schemas, in the order of the schema.

    Raises
    ------
    CheckError
        When a table is missing, unknown or not as declared, or the part's cases are not those of the plan.
    """
    schema = plan.domain.schema
    made = dict(plan.domain.generate_part(plan, part))
    made["weights"] = weights_table(plan, part)
    found = [
        Finding("error", "part.tables", name, None, 1, f"part {part}: table {name} is {what}")
        for name, what in _name_faults(set(schema.names), set(made))
    ]
    tables = {}
    for name in schema.names:
        if name in made:
            try:
                tables[name] = conform(made[name], schema[name])
            except (ValueError, pa.ArrowException) as error:
                found.append(Finding("error", "part.schema", name, None, 1, f"part {part}: {error}"))
    if "cases" in tables:
        found += _case_findings(plan, part, tables["cases"])
    Findings(found).raise_if_errors()
    return tables


def conform(table: pa.Table, declared: Table) -> pa.Table:
    """A table under its declared Arrow schema; ValueError where it cannot be."""
    if table.schema.equals(arrow_schema(declared), check_metadata=True):
        return table
    if len(set(table.column_names)) < table.num_columns:
        raise ValueError(f"table {declared.name}: two columns of one name")
    return building.build(declared, dict(zip(table.column_names, table.columns)))


def _name_faults(declared: set[str], made: set[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(declared ^ made):
        yield name, "missing" if name in declared else "not declared"


def _case_findings(plan: Plan, part: int, cases: pa.Table) -> Iterator[Finding]:
    """Whether the cases whose home is in the part are there, each once, under its name."""
    low, high = plan.bounds(part)
    names = cases.column("name").cast(pa.string()).to_numpy(zero_copy_only=False)
    ids = cases.column("case_id").to_numpy()
    known = [placement.name for placement in plan.placements]
    for name in sorted(set(names.tolist()) - set(known)):
        yield _case_finding(part, f"{name} is not in the plan", name, int((names == name).sum()))
    for placement in plan.placements:
        planned = np.sort(placement.case_ids[placement.home_in(low, high)])
        written = np.sort(ids[names == placement.name])
        if not np.array_equal(planned, written):
            said = f"{written.size} cases of {placement.name} where the plan has {planned.size}"
            if written.size == planned.size:
                said = f"cases of {placement.name} with other keys than the plan's"
            yield _case_finding(part, said, placement.name, abs(written.size - planned.size) or 1)


def _case_finding(part: int, said: str, name: str, count: int) -> Finding:
    return Finding("error", "part.cases", "cases", "case_id", count, f"part {part}: {said}", (name,))


@dataclass(frozen=True)
class PartTask:
    """Makes one part: what every engine runs. It travels as a pickle, so it holds the spec and not the plan.

    Attributes
    ----------
    spec, digest : the spec, and the digest of the plan that it must lead to
    sink : writes the part here and now; None returns the tables instead
    """

    spec: Spec
    digest: str
    sink: Sink | None

    def __call__(self, part: int) -> Made:
        """Make, check, digest and write a part."""
        begun = time.perf_counter()
        plan = _plan_of(self.spec, self.digest)
        tables = generate_tables(plan, part)
        rows = {name: table.num_rows for name, table in tables.items()}
        receipt = Receipt(part, rows, part_digests(tables, plan.domain.schema))
        kept: Mapping[str, pa.Table] | None = tables
        if self.sink is not None:
            receipt, kept = self.sink.write(receipt, tables), None
        return Made(receipt, kept, os.getpid(), time.perf_counter() - begun)


_PLANS: dict[str, Plan] = {}
_PLANNING = threading.Lock()


def _plan_of(spec: Spec, digest: str) -> Plan:
    """The plan of a spec, made once in each process."""
    with _PLANNING:
        if digest not in _PLANS:
            plan = make_plan(spec)
            if plan.digest != digest:
                raise RarecaseError("a worker plans other data than the caller: its versions differ")
            _remember(plan)
        return _PLANS[digest]


def _remember(plan: Plan) -> None:
    while len(_PLANS) > 3:
        _PLANS.pop(next(iter(_PLANS)))
    _PLANS[plan.digest] = plan


@dataclass(frozen=True)
class _World:
    name: str
    plan: Plan

    def parts(
        self,
        runner: Engine,
        sink: Sink | None,
        found: Mapping[int, Receipt],
        report: Callable[[Progress], None],
    ) -> Generator[Made, None, None]:
        """Make every part that is not found, telling of each."""
        with _PLANNING:
            _remember(self.plan)
        total, done = self.plan.parts, len(found)
        rows = sum(sum(receipt.rows.values()) for receipt in found.values())
        if found:
            report(Progress(self.name, -1, done, total, rows, os.getpid()))
        task = PartTask(self.plan.spec, self.plan.digest, sink)
        todo = [part for part in range(total) if part not in found]
        for made in runner.run(task, todo, ordered=sink is None):
            done, rows = done + 1, rows + sum(made.receipt.rows.values())
            yield made
            report(Progress(self.name, made.receipt.part, done, total, rows, made.pid))


def _in_memory(worlds: list[_World], runner: Engine, report: Callable[[Progress], None]) -> Dataset:
    whole: Dataset | None = None
    for world in reversed(worlds):
        receipts: list[Receipt] = []
        pieces: dict[str, list[pa.Table]] = {name: [] for name in world.plan.domain.schema.names}
        with closing(world.parts(runner, None, {}, report)) as parts:
            for made in parts:
                receipts.append(made.receipt)
                for name, table in (made.tables or {}).items():
                    pieces[name].append(table)
        schema = world.plan.domain.schema
        tables = {name: building.concat(schema[name], pieces.pop(name)) for name in schema.names}
        manifest = build_manifest(
            world.plan,
            receipts,
            "memory",
            world=world.name,
            with_twin=world.name == "main" and len(worlds) > 1,
            twin=None if whole is None else whole.manifest,
        )
        whole = Dataset.in_memory(world.plan.spec, tables, twin=whole, manifest=manifest)
    assert whole is not None
    return whole


def _silent(progress: Progress) -> None:
    pass


class _Load:
    """One world on its way into one sink."""

    def __init__(self, world: _World, sink: Sink, storage: str, with_twin: bool) -> None:
        self.world, self.sink, self.storage, self.with_twin = world, sink, storage, with_twin
        self.receipts: dict[int, Receipt] = {}
        self.found = 0
        self.begun = datetime.now(UTC)
        self.clock = time.perf_counter()
        self.making = 0.0

    @property
    def whole(self) -> bool:
        """Whether a resumed directory turned out to be sealed already."""
        return bool(getattr(self.sink, "whole", False))

    def begin(self) -> None:
        """Make the sink ready, and learn what is there already."""
        self.receipts = {receipt.part: receipt for receipt in self.sink.begin(self.world.plan)}
        self.found = len(self.receipts)

    def make(self, runner: Engine, report: Callable[[Progress], None]) -> None:
        """Make what is missing."""
        if self.whole:
            return
        writer = self.sink if self.sink.parallel_write else None
        with closing(self.world.parts(runner, writer, dict(self.receipts), report)) as parts:
            for made in parts:
                receipt = made.receipt
                if made.tables is not None:
                    receipt = self.sink.write(receipt, made.tables)
                self.receipts[receipt.part] = receipt
                self.making += made.seconds

    def manifest(self, twin: Mapping[str, Any] | None) -> dict[str, Any]:
        """The manifest of what was made."""
        return build_manifest(
            self.world.plan,
            list(self.receipts.values()),
            self.storage,
            world=self.world.name,
            with_twin=self.with_twin,
            twin=twin,
        )

    def log(self, runner: Engine) -> dict[str, Any]:
        """The facts of this run that the manifest must not hold."""
        seconds = time.perf_counter() - self.clock
        rows = sum(sum(receipt.rows.values()) for receipt in self.receipts.values())
        return {
            "rarecase": rarecase.__version__,
            "world": self.world.name,
            "begun_at": self.begun.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "seconds_in_parts": round(self.making, 3),
            "rows": rows,
            "parts": len(self.receipts),
            "parts_found": self.found,
            "python": sys.version.split()[0],
            "platform": platform.platform(),
            "processors": os.cpu_count(),
            **runner.describe(),
        }


def _write(
    worlds: list[_World],
    sinks: list[Sink],
    runner: Engine,
    report: Callable[[Progress], None],
    storage: str,
) -> None:
    loads = [
        _Load(world, sink, storage, world.name == "main" and len(worlds) > 1)
        for world, sink in zip(worlds, sinks)
    ]
    begun: list[_Load] = []
    try:
        if sinks[0].parallel_write:
            _write_files(loads, begun, runner, report)
        else:
            _write_databases(loads, begun, runner, report)
    except BaseException:
        for load in reversed(begun):
            load.sink.abort()
        raise


def _write_files(
    loads: list[_Load], begun: list[_Load], runner: Engine, report: Callable[[Progress], None]
) -> None:
    """Both worlds side by side; the twin is sealed before the set that vouches for it."""
    for load in loads:
        load.begin()
        begun.append(load)
        if load.whole and load is loads[0]:
            _tidy(load)
            return
    for load in loads:
        load.make(runner, report)
    twin: Mapping[str, Any] | None = None
    for load in reversed(loads):
        twin = _seal(load, twin, runner)


def _tidy(load: _Load) -> None:
    tidy = getattr(load.sink, "tidy", None)
    if tidy is not None:
        tidy()


def _seal(load: _Load, twin: Mapping[str, Any] | None, runner: Engine) -> Mapping[str, Any]:
    if load.whole:
        _tidy(load)
        return read_manifest(Path(load.sink.location))
    manifest = load.manifest(twin)
    log = getattr(load.sink, "log", None)
    if log is not None:
        log(load.log(runner))
    load.sink.finish(manifest)
    return manifest


def _write_databases(
    loads: list[_Load], begun: list[_Load], runner: Engine, report: Callable[[Progress], None]
) -> None:
    """One world after the other, since each is one transaction; if the second fails, both go."""
    twin: Mapping[str, Any] | None = None
    for load in reversed(loads):
        begun.append(load)
        load.begin()
        load.make(runner, report)
        twin = load.manifest(twin)
        load.sink.finish(twin)
