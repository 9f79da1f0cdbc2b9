"""One measurement in a process of its own: a job as JSON in, figures as JSON out; for bench and study."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import Any

import rarecase
from rarecase.cli.wishes import spec_from
from rarecase.common.digest import part_digests
from rarecase.common.engines import Engine
from rarecase.common.plan import make_plan
from rarecase.common.receipts import Receipt
from rarecase.common.run import generate, generate_tables
from rarecase.common.sinks.base import open_sink
from rarecase.common.spec import Spec


def fresh(job: dict[str, Any]) -> dict[str, Any]:
    """The figures of a job, measured in a new process; the program ends with its words if it fails."""
    words = [sys.executable, __file__, json.dumps(job)]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    if told.returncode:
        sys.exit(f"measuring {job} failed:\n{told.stderr}")
    figures: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return figures


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Run one job: ``run`` a spec end to end, ``write`` rows in memory, or ``validate`` what was written."""
    spec = spec_from(job["domain"], size=job["size"], seed=job.get("seed"), changes=job.get("changes", ()))
    jobs = {"run": _run, "write": _write, "validate": _validate}
    found = jobs[job["what"]](spec, job)
    own, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {**found, "peak_mb": max(own, children) / 1024}


def _run(spec: Spec, job: dict[str, Any]) -> dict[str, Any]:
    engine = _engine(job["engine"], job["workers"])
    clock, cpu = time.perf_counter(), _cpu()
    made = generate(spec, job["target"], engine=engine)
    rows = {name: table["rows"] for name, table in made.manifest["tables"].items()}
    return {"seconds": time.perf_counter() - clock, "cpu_seconds": _cpu() - cpu, "rows": rows}


def _engine(name: str, workers: int) -> Engine:
    if name == "dask":
        from rarecase.common.engines.dask import DaskEngine

        return DaskEngine(workers)
    from rarecase.common.engines.local import LocalEngine

    return LocalEngine(workers, mode="processes" if name == "processes" else "threads")


def _validate(spec: Spec, job: dict[str, Any]) -> dict[str, Any]:
    made = rarecase.open(job["target"])
    clock, cpu = time.perf_counter(), _cpu()
    findings = rarecase.validate(made)
    figures = {"seconds": time.perf_counter() - clock, "cpu_seconds": _cpu() - cpu}
    return {**figures, "rows": {}, "findings": json.loads(findings.to_json())}


def _write(spec: Spec, job: dict[str, Any]) -> dict[str, Any]:
    """Only the writing of finished parts is timed; one part is in memory at a time."""
    plan = make_plan(spec)
    sink = open_sink(job["target"], domain=plan.domain)
    sink.begin(plan)
    rows: dict[str, int] = dict.fromkeys(plan.domain.schema.names, 0)
    seconds = cpu_seconds = 0.0
    for part in range(plan.parts):
        tables = generate_tables(plan, part)
        counted = {name: table.num_rows for name, table in tables.items()}
        receipt = Receipt(part, counted, part_digests(tables, plan.domain.schema))
        clock, cpu = time.perf_counter(), _cpu()
        sink.write(receipt, tables)
        seconds, cpu_seconds = seconds + time.perf_counter() - clock, cpu_seconds + _cpu() - cpu
        rows = {name: rows[name] + counted[name] for name in rows}
    sink.abort()
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "rows": rows}


def _cpu() -> float:
    """CPU-seconds of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
