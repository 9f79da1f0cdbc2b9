"""Worlds on their way into a directory, a database or memory."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

import rarecase
from rarecase.common import tables as building
from rarecase.common.dataset import Dataset
from rarecase.common.engines import Engine
from rarecase.common.manifest import build_manifest, read_manifest
from rarecase.common.parts import Made, PartTask, remember
from rarecase.common.plan import Plan
from rarecase.common.receipts import Receipt
from rarecase.common.sinks.base import Sink


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
class World:
    """A plan under its name, ``main`` or ``twin``."""

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
        remember(self.plan)
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


def in_memory(worlds: list[World], runner: Engine, report: Callable[[Progress], None]) -> Dataset:
    """Make worlds, the twin last in the list, and keep their tables."""
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


class _Load:
    """One world on its way into one sink."""

    def __init__(self, world: World, sink: Sink, storage: str, with_twin: bool) -> None:
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


def write(
    worlds: list[World],
    sinks: list[Sink],
    runner: Engine,
    report: Callable[[Progress], None],
    storage: str,
) -> None:
    """Make worlds, the twin last in the list, each into its sink; on any failure all are aborted."""
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
