"""From a spec to a data set: plan, make the parts, write them, seal them.

The only place that starts anything. A part is made, checked, digested and written by one task, and then let
go: memory does not grow with the size of the data.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rarecase.common import dataset as datasets
from rarecase.common.dataset import Dataset
from rarecase.common.engines import Engine, open_engine
from rarecase.common.load import Progress, World, in_memory, write
from rarecase.common.parts import conform, generate_tables
from rarecase.common.plan import make_plan, twin_of
from rarecase.common.provenance import signing
from rarecase.common.sinks.base import open_sink, scheme
from rarecase.common.spec import Spec, load_spec
from rarecase.common.weights import strata

__all__ = ["Progress", "conform", "generate", "generate_tables"]

Target = str | os.PathLike[str]


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
    worlds = [World("main", plan)]
    if twin:
        worlds.append(World("twin", make_plan(twin_of(loaded))))
    runner = open_engine(engine, workers, mode=mode, prefer=plan.domain.workers)
    report = progress or _silent
    if target is None:
        return in_memory(worlds, runner, report)
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
    write(worlds, sinks, runner, report, storage)
    return datasets.open(target, domain=plan.spec.domain)


def _silent(progress: Progress) -> None:
    pass
