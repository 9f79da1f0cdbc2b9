"""The demonstration: three data sets, validated, loaded into one DuckDB file, and exported.

    python tools/demo.py [FOLDER]        build/demo by default; what an earlier demonstration left is replaced

Each step is a command that anybody can give; they are printed as they run.
"""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

import rarecase
from rarecase.cli.wishes import spec_from
from rarecase.common import registry
from rarecase.common.errors import Findings, RarecaseError
from rarecase.common.evaluate.leaks import untestable
from rarecase.common.export import export
from rarecase.common.plan import make_plan
from rarecase.common.run import generate_tables

DOMAINS = ("finance", "healthcare", "automotive")


@dataclass(frozen=True)
class Shown:
    """What the table says of one domain."""

    domain: str
    rows: int
    cases: int
    seconds: float
    findings: int
    documents: str
    where: Path


def main(folder: Path) -> int:
    """Make everything; 1 if a check finds an error."""
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 110)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begun = time.perf_counter()
    shown = [_show(console, domain, folder) for domain in DOMAINS]
    console.print(_table(shown))
    console.print(
        f"All three also lie in {folder / 'demo.duckdb'}, one schema each. "
        f"{time.perf_counter() - begun:.0f} s in all."
    )
    return int(any(item.findings for item in shown))


def _show(console: Console, domain: str, folder: Path) -> Shown:
    place, database = folder / domain, f"duckdb:///{folder / 'demo.duckdb'}"
    form = next(iter(registry.get(domain).formats))
    documents = folder / "documents" / f"{domain}-{form}"

    _say(console, f"generate {domain} -o {place}")
    spec = spec_from(domain)
    # The first run after an install compiles kernels, which are then cached; they are no part of the rows/s.
    generate_tables(make_plan(spec), 0)
    begun = time.perf_counter()
    made = rarecase.generate(spec, place)
    seconds = time.perf_counter() - begun
    _say(console, f"validate {place}")
    findings = rarecase.validate(made)
    _tell(console, findings)
    _say(console, f"export {place} --as database -o {database}")
    export(made, "database", database)
    _say(console, f"export {place} --as {form} -o {documents}")
    written = export(made, form, documents)
    return Shown(
        domain=domain,
        rows=int(made.manifest["rows"]),
        cases=made.table("cases").num_rows,
        seconds=seconds,
        findings=sum(finding.level != "note" for finding in findings),
        documents=f"{written:,} {form}",
        where=place,
    )


def _tell(console: Console, findings: Findings) -> None:
    """Findings one by one; of kinds with too few cases for the leak test only which they are."""
    for finding in findings:
        if finding.rule != "leak.untestable":
            style = "dim" if finding.level == "note" else "yellow"
            console.print(f"  {finding.level}: {finding.message}", style=style, markup=False)
    few = untestable(findings)
    if few:
        words = f"  note: too few cases to prove a leak of {len(few)} kinds: {', '.join(few)}"
        console.print(words, style="dim", markup=False)


def _say(console: Console, words: str) -> None:
    console.print(f"$ rarecase {words}", style="dim", markup=False)


def _table(shown: list[Shown]) -> Table:
    table = Table(
        title="What was made", title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for head in ("domain", "rows", "cases", "rows/s", "findings", "documents", "where"):
        table.add_column(
            head, justify="left" if head in ("domain", "documents", "where") else "right", overflow="fold"
        )
    for item in shown:
        speed = f"{item.rows / item.seconds:,.0f}"
        counts = (f"{item.rows:,}", f"{item.cases:,}", speed, str(item.findings))
        table.add_row(item.domain, *counts, item.documents, str(item.where))
    return table


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo")))
    except RarecaseError as error:
        sys.exit(str(error))
