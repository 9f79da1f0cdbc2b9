"""Commands that check: validate, evaluate, report, verify, detect; 1 when something is found wanting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rarecase.cli.ask import AsJson
from rarecase.cli.console import figure, say, say_json, show_findings, table
from rarecase.cli.make import InDatabase, OfTwin, Written

if TYPE_CHECKING:
    from rarecase.common.domain import Measure
    from rarecase.common.errors import Findings
    from rarecase.common.evaluate.compare import Comparison

_WANTING = 1


def validate(dataset: Written, domain: InDatabase = None, as_json: AsJson = False) -> None:
    """Check a written data set: schema, laws of the domain, counts, manifest, leaks."""
    import rarecase

    _conclude(rarecase.validate(rarecase.open(dataset, domain=domain)), as_json)


def _conclude(findings: Findings, as_json: bool) -> None:
    if as_json:
        from rarecase.common.evaluate.leaks import untestable

        told = {"ok": findings.ok, "findings": json.loads(findings.to_json())}
        say_json({**told, "not_testable_for_leaks": list(untestable(findings))})
    else:
        show_findings(findings)
    if not findings.ok:
        raise typer.Exit(_WANTING)


def evaluate(
    dataset: Written,
    real: Annotated[
        Path | None, typer.Option(help="Real rows to compare with: .csv, .jsonl or .parquet.")
    ] = None,
    table_name: Annotated[
        str | None, typer.Option("--table", help="Table of the data set to compare.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Column that models predict; is_case asks the labels.")
    ] = None,
    domain: InDatabase = None,
    twin: OfTwin = False,
    as_json: AsJson = False,
) -> None:
    """Set the domain's figures beside published ones and, on request, a table beside real data."""
    import rarecase
    from rarecase.common.evaluate.evaluation import evaluate as judge

    evaluation = judge(rarecase.open(dataset, domain=domain, twin=twin), real, table_name, target)
    if as_json:
        say_json(evaluation.to_json())
    else:
        _show_measures(evaluation.measures)
        if evaluation.comparison:
            _show_comparison(evaluation.comparison)
    if not evaluation.ok:
        raise typer.Exit(_WANTING)


def _show_measures(measures: tuple[Measure, ...]) -> None:
    verdicts = {True: "inside", False: "OUTSIDE", None: "not judged"}
    rows = [
        (
            measure.name,
            figure(measure.value, measure.unit),
            f"{figure(measure.low)} to {figure(measure.high)}",
            figure(measure.published),
            verdicts[measure.inside],
            measure.evidence + (", weighted" if measure.weighted else ""),
            measure.source,
        )
        for measure in measures
    ]
    heads = ("measure", "value", "range", "published", "verdict", "evidence", "source")
    table("Measures beside published figures", heads, rows, right=(1, 3), spare=(6,))


def _show_comparison(comparison: Comparison) -> None:
    rows = [
        (
            score.metric,
            score.subject,
            f"{score.value:.3f}",
            f"{score.baseline:.3f}",
            f"{score.ideal:g}",
            score.meaning,
        )
        for score in comparison.scores
    ]
    title = f"{comparison.table} beside real data, {comparison.compared_rows:,} rows a side"
    table(
        title,
        ("metric", "of", "synthetic", "real baseline", "ideal", "meaning"),
        rows,
        right=(2, 3, 4),
        spare=(5,),
    )


def report(
    dataset: Written,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the page goes.")] = Path(
        "report.html"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    domain: InDatabase = None,
    twin: OfTwin = False,
) -> None:
    """Write one self-contained HTML page about a data set."""
    import rarecase
    from rarecase.common.report.page import write_report

    write_report(rarecase.open(dataset, domain=domain, twin=twin), output, overwrite=overwrite)


def verify(
    dataset: Written,
    regenerate: Annotated[
        bool, typer.Option("--regenerate", help="Make every part again and compare.")
    ] = False,
    public_key: Annotated[
        Path | None, typer.Option(help="PEM file of the Ed25519 key that must have signed it.")
    ] = None,
    domain: InDatabase = None,
    as_json: AsJson = False,
) -> None:
    """Check a data set against its manifest (files, rows, signature) and the manifest against its spec."""
    from rarecase.common.verify import verify as compare

    _conclude(compare(dataset, public_key, regenerate=regenerate, domain=domain), as_json)


def detect(
    file: Annotated[
        Path,
        typer.Argument(
            help="A file of rows (.csv, .jsonl, .parquet …), a document (.json, .xml …), or a directory.",
            metavar="FILE",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Tell whether a file or directory holds data of rarecase.

    Looked for are what files declare, surrogate keys, UUIDs of documents, and the statistical mark in the
    low digits of marked columns. What has none of these cannot be recognised: tables without keys or marked
    columns, and keys that a spreadsheet or a data frame turned into floating-point numbers, which lose their
    last digits.
    """
    from rarecase.common.mark import detect as look

    verdict = look(file)
    if as_json:
        say_json(verdict)
        return
    answer = {True: "synthetic, made by rarecase", False: "no mark of rarecase", None: "cannot tell"}
    locks = ", ".join(verdict["locks"]) or "no lock"
    say(f"{file}: {answer[verdict['synthetic']]} (p = {figure(verdict['p_value'])}; {locks})")


def trace(
    dataset: Written,
    case_id: Annotated[int, typer.Argument(help="A case_id of the table cases.", metavar="CASE_ID")],
    domain: InDatabase = None,
    as_json: AsJson = False,
) -> None:
    """Tell one case: its story, and the rows that it touched in order of time."""
    import rarecase
    from rarecase.common.trace import trace as follow

    told = follow(rarecase.open(dataset, domain=domain), case_id)
    if as_json:
        say_json(told)
        return
    say(f"{told['kind']}, {told['started_at']} to {told['ended_at']}\n{told['story']}\n")
    names = ("at", "table_name", "role", "stage", "effect", "amount_minor", "row_id")
    shown = [name for name in names if any(step.get(name) is not None for step in told["steps"])]
    rows = [["" if step.get(name) is None else step[name] for name in shown] for step in told["steps"]]
    table("Rows", shown, rows)


COMMANDS: tuple[Callable[..., None], ...] = (validate, evaluate, report, trace, verify, detect)
