"""The long studies: large sizes, and statistics over many seeds; what `make study` writes into docs/studies.

python tools/study.py [--only sizes|seeds] [--domain NAME]... [--seeds 30] [--rows 1000000 10000000]
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from bench import COURSES, machine, table  # noqa: E402
from measure import fresh  # noqa: E402

STUDIES = ROOT / "docs" / "studies"
#: Entities of the many small worlds, and cases of each kind in the leak study.
SEED_SIZE = {"finance": 24_000, "healthcare": 5_000, "automotive": 600}
#: Of each kind; some of finance's 48 ask for people of whom there is one in sixty.
LEAK_CASES = {"finance": 60, "healthcare": 150, "automotive": 150}


def main() -> int:
    """Run the studies that are asked for."""
    options = _options()
    STUDIES.mkdir(parents=True, exist_ok=True)
    domains = options.domain or list(COURSES)
    if options.only != "seeds":
        _write("sizes.md", _sizes(domains, options.rows))
    if options.only != "sizes":
        _write("seeds.md", _seeds(domains, options.seeds))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=("sizes", "seeds"))
    parser.add_argument("--domain", action="append", choices=sorted(COURSES))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    return parser.parse_args()


def _write(name: str, parts: Iterator[str]) -> None:
    page = "\n".join(parts)
    (STUDIES / name).write_text(page)
    print(page)


def _sizes(domains: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    used = machine()
    yield "# Large sizes\n"
    yield f"{used['cores']} cores of {used['cpu']}, Python {used['python']}. Each row is one world,"
    yield "made and then validated in fresh processes; memory is the peak of the process.\n"
    rows = [_size(domain, wanted) for domain in domains for wanted in sizes]
    heads = (
        "domain",
        "entities",
        "rows",
        "made in",
        "rows/s",
        "peak",
        "on disk",
        "validated in",
        "rows/s",
        "peak",
        "errors",
    )
    yield table(heads, rows)


def _size(domain: str, wanted: int) -> tuple[str, ...]:
    entities = _entities_for(domain, wanted)
    place = tempfile.mkdtemp(prefix="rarecase-study-", dir=os.environ.get("RARECASE_STUDY_DIR"))
    job = {
        "domain": domain,
        "size": entities,
        "changes": [_smaller(change, entities) for change in COURSES[domain].changes],
        "target": f"{place}/set",
        "engine": "threads",
        "workers": os.cpu_count() or 1,
    }
    print(f"{domain}: {wanted:,} rows, {entities:,} entities", file=sys.stderr)
    try:
        made = fresh({**job, "what": "run"})
        checked = fresh({**job, "what": "validate"})
        size = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
    finally:
        shutil.rmtree(place, ignore_errors=True)
    rows = sum(made["rows"].values())
    errors = sum(finding["level"] == "error" for finding in checked["findings"])
    return (
        domain,
        f"{entities:,}",
        f"{rows:,}",
        f"{made['seconds']:.1f} s",
        f"{rows / made['seconds']:,.0f}",
        f"{made['peak_mb']:,.0f} MB",
        f"{size / 1e6:,.0f} MB",
        f"{checked['seconds']:.1f} s",
        f"{rows / checked['seconds']:,.0f}",
        f"{checked['peak_mb']:,.0f} MB",
        str(errors),
    )


def _smaller(change: str, entities: int) -> str:
    """A change of the block such that a small world still has eight places."""
    name, _, value = change.partition("=")
    return f"{name}={min(int(value), max(entities // 8, 1))}" if name == "block" else change


def _entities_for(domain: str, wanted: int) -> int:
    """How many entities make about as many rows as wanted, from a world of a tenth."""
    probe = COURSES[domain].size // 10
    with tempfile.TemporaryDirectory(prefix="rarecase-study-") as place:
        job = {
            "domain": domain,
            "size": probe,
            "changes": COURSES[domain].changes,
            "target": f"{place}/set",
            "what": "run",
            "engine": "threads",
            "workers": 1,
        }
        rows = int(sum(fresh(job)["rows"].values()))
    return max(round(wanted / rows * probe), 100)


def _seeds(domains: Sequence[str], seeds: int) -> Iterator[str]:
    yield "# Many seeds\n"
    yield f"Each figure is over {seeds} worlds that differ in their seed alone.\n"
    for domain in domains:
        print(f"{domain}: {seeds} seeds", file=sys.stderr)
        yield f"## {domain}\n"
        yield from _counts(domain, seeds)
        yield from _worlds(domain, seeds)


def _counts(domain: str, seeds: int) -> Iterator[str]:
    """Cases planned at natural rates, over ten times as many seeds: planning is cheap."""
    from rarecase.cli.wishes import spec_from
    from rarecase.common.plan import make_plan

    planted: dict[str, list[int]] = defaultdict(list)
    expected: dict[str, float] = {}
    for seed in range(1, 10 * seeds + 1):
        plan = make_plan(spec_from(domain, example="natural", seed=seed))
        for name, natural in plan.natural_counts().items():
            if natural is not None:
                planted[name].append(plan.case_counts()[name])
                expected[name] = natural
    rows = []
    for name, counts in planted.items():
        # Stochastic rounding of a fixed expectation: the spread is that of its fraction.
        fraction = expected[name] % 1
        spread = math.sqrt(max(fraction * (1 - fraction), 1e-12) / len(counts))
        off = (mean(counts) - expected[name]) / spread
        rows.append((name, f"{expected[name]:.3f}", f"{mean(counts):.3f}", f"{off:+.1f}"))
    yield f"Cases at their natural rates (example `natural`, {10 * seeds} plans):\n"
    yield table(("case", "in nature", "mean planted", "standard errors off"), rows)


def _worlds(domain: str, seeds: int) -> Iterator[str]:
    """Measures, and the leak test with enough cases to prove something."""
    import rarecase
    from rarecase.cli.wishes import spec_from
    from rarecase.common.evaluate.leaks import LeakScore, leak_scores

    size = SEED_SIZE[domain]
    spec = spec_from(domain, size=size)
    planted = [place for place, case in enumerate(spec.cases) if case.is_case and case.count is not None]
    changes = [f"cases[{place}].count={LEAK_CASES[domain]}" for place in planted]
    values: dict[str, list[float]] = defaultdict(list)
    inside: dict[str, list[bool | None]] = defaultdict(list)
    worst: dict[str, list[LeakScore]] = defaultdict(list)
    for seed in range(1, seeds + 1):
        made = rarecase.generate(spec_from(domain, size=size, seed=seed, changes=changes))
        for measure in made.domain.measures(made):
            values[measure.name].append(measure.value)
            inside[measure.name].append(measure.inside)
        best: dict[str, LeakScore] = {}
        for score in leak_scores(made):
            best.setdefault(score.kind, score)
        for kind, score in best.items():
            worst[kind].append(score)
    yield f"Measures of {size:,} entities:\n"
    yield table(
        ("measure", "mean", "standard deviation", "inside its range"), list(_measure_rows(values, inside))
    )
    yield f"The most telling single column of each kind, {LEAK_CASES[domain]} cases per entry of the spec:\n"
    heads = ("kind", "most often", "mean AUC", "highest AUC", "warnings", "errors")
    yield table(heads, [_leak_row(kind, scores) for kind, scores in sorted(worst.items())])


def _measure_rows(
    values: dict[str, list[float]], inside: dict[str, list[bool | None]]
) -> Iterator[tuple[str, ...]]:
    for name, found in values.items():
        judged = [verdict for verdict in inside[name] if verdict is not None]
        share = f"{sum(judged)} of {len(judged)}" if judged else "not judged"
        yield name, f"{mean(found):.4g}", f"{stdev(found):.2g}", share


def _leak_row(kind: str, scores: Sequence[Any]) -> tuple[str, ...]:
    names = [f"{score.table}.{score.column or '(row order)'} {score.feature}" for score in scores]
    levels = [score.level for score in scores]
    aucs = [score.auc for score in scores]
    usual = max(sorted(set(names)), key=names.count)
    return (
        kind,
        usual,
        f"{mean(aucs):.3f}",
        f"{max(aucs):.3f}",
        str(levels.count("warning")),
        str(levels.count("error")),
    )


if __name__ == "__main__":
    sys.exit(main())
