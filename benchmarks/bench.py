"""Speed and memory of every domain, beside the limits: what `make bench` prints.

    python benchmarks/bench.py [--domain NAME]... [--runs 3] [--scale 1.0] [-o benchmarks/results]

Every figure is the median of at least three runs, each in a fresh process (after one that compiles and caches
the kernels). CPU time and peak memory are those that the operating system counts for the process and its
children. Results are written as JSON and as Markdown; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from measure import fresh

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Course:
    """How one domain is run.

    Attributes
    ----------
    size
        Entities of the larger run; the smaller one has a quarter.
    counted
        Tables whose rows are counted for the target; all of the world's own tables if empty.
    target
        Rows of these tables per CPU-second that the project wants, and what they are.
    changes
        What is changed in the default example.
    """

    size: int
    counted: tuple[str, ...]
    target: float
    unit: str
    changes: tuple[str, ...] = ()


# Finance: 64 places of 8,000 customers.
COURSES = {
    "finance": Course(
        512_000, ("transactions",), 800_000, "transactions (with their entries)", ("block=8000",)
    ),
    "healthcare": Course(150_000, (), 500_000, "clinical rows"),
    "automotive": Course(4_000, ("telemetry",), 5_000_000, "vehicle-steps"),
}
#: Whole runs may cost this many times the writing of the same rows.
MOST_TIMES_WRITING = 4.0
ENGINES = ("threads", "processes", "dask")


def main() -> int:
    """Measure, write and print."""
    options = _options()
    results: dict[str, Any] = {"machine": machine(), "runs": options.runs, "domains": {}}
    for name in options.domain or COURSES:
        results["domains"][name] = _domain(name, options.runs, options.scale)
    page = _page(results)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "bench.json").write_text(json.dumps(results, indent=2) + "\n")
    (options.output / "bench.md").write_text(page)
    print(page)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--domain", action="append", choices=sorted(COURSES), help="only this one; may be repeated"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs per figure")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the sizes")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results")
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _domain(name: str, runs: int, scale: float) -> dict[str, Any]:
    course = COURSES[name]
    size = max(round(course.size * scale), 400)
    whole = {"domain": name, "size": size, "changes": course.changes}
    quarter = {**whole, "size": size // 4}
    _measure({**quarter, "what": "run", "engine": "threads", "workers": 1})  # compiles and caches
    return {
        "course": asdict(course),
        "size": size,
        "one": _median({**whole, "what": "run", "engine": "threads", "workers": 1}, runs),
        "quarter": _median({**quarter, "what": "run", "engine": "threads", "workers": 1}, runs),
        "writing": _median({**whole, "what": "write"}, runs),
        "engines": {
            engine: _median({**whole, "what": "run", "engine": engine, "workers": os.cpu_count() or 1}, runs)
            for engine in ENGINES
        },
    }


def _median(job: dict[str, Any], runs: int) -> dict[str, Any]:
    found = [_measure(job) for _ in range(max(runs, 1))]
    figures = {name: median(run[name] for run in found) for name in ("seconds", "cpu_seconds", "peak_mb")}
    return {**figures, "rows": found[0]["rows"], "runs": found}


def _measure(job: dict[str, Any]) -> dict[str, Any]:
    print(f"{job['domain']}: {job['what']} {job.get('engine', '')} {job['size']:,}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="rarecase-bench-") as place:
        return fresh({**job, "target": f"{place}/set"})


def counted_rows(course: dict[str, Any], rows: dict[str, int]) -> int:
    """Rows that the target speaks of."""
    told = ("cases", "labels", "weights")
    names = course["counted"] or [name for name in rows if name not in told]
    return sum(rows[name] for name in names)


def _page(results: dict[str, Any]) -> str:
    used = results["machine"]
    head = f"{used['cores']} cores of {used['cpu']}, Python {used['python']}"
    head += f"; medians of {results['runs']} runs."
    parts = [f"# Benchmarks\n\n{head}\n", _speed(results), _memory(results), _engines(results)]
    return "\n".join(parts)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _speed(results: dict[str, Any]) -> str:
    rows = []
    for name, found in results["domains"].items():
        one, course = found["one"], found["course"]
        counted, total = counted_rows(course, one["rows"]), sum(one["rows"].values())
        rate, ratio = counted / one["cpu_seconds"], one["cpu_seconds"] / found["writing"]["cpu_seconds"]
        rows.append(
            (
                name,
                f"{found['size']:,}",
                f"{total:,}",
                f"{total / one['seconds']:,.0f}",
                f"{rate:,.0f} {course['unit']}",
                f"{course['target']:,.0f}",
                f"{rate / course['target']:.0%}",
                f"{ratio:.1f} (limit {MOST_TIMES_WRITING:g})",
            )
        )
    heads = (
        "domain",
        "entities",
        "rows",
        "rows/s",
        "per CPU-second",
        "target",
        "reached",
        "CPU time / writing",
    )
    return f"## One worker, end to end into Parquet\n\n{table(heads, rows)}"


def _memory(results: dict[str, Any]) -> str:
    rows = [
        (
            name,
            f"{sum(found['quarter']['rows'].values()):,}",
            f"{found['quarter']['peak_mb']:,.0f} MB",
            f"{sum(found['one']['rows'].values()):,}",
            f"{found['one']['peak_mb']:,.0f} MB",
        )
        for name, found in results["domains"].items()
    ]
    return f"## Peak memory at two sizes\n\n{table(('domain', 'rows', 'peak', 'rows', 'peak'), rows)}"


def _engines(results: dict[str, Any]) -> str:
    rows = [
        (
            name,
            engine,
            f"{sum(run['rows'].values()) / run['seconds']:,.0f}",
            f"{run['seconds']:.1f} s",
            f"{run['cpu_seconds']:.1f} s",
            f"{run['peak_mb']:,.0f} MB",
        )
        for name, found in results["domains"].items()
        for engine, run in found["engines"].items()
    ]
    heads = ("domain", "engine", "rows/s", "wall", "CPU", "peak of one process")
    return f"## Engines side by side, {results['machine']['cores']} workers\n\n{table(heads, rows)}"


if __name__ == "__main__":
    sys.exit(main())
