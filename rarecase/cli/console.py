"""What people and programs see: tables and progress on a terminal, plain text and JSON in a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rarecase.common.errors import Findings

__all__ = ["figure", "findings_table", "say", "say_json", "table"]

_PIPE_WIDTH = 10_000
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def say(text: str) -> None:
    """Write text to standard output; a reader that has gone away ends the program in peace."""
    try:
        typer.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def say_json(value: Any) -> None:
    """Write a value as JSON to standard output."""
    say(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """Write a table: drawn on a terminal, tab-separated lines with a head in a pipe.

    Parameters
    ----------
    title : str
        Shown on a terminal only.
    heads, rows
        Column heads, and cells in any type.
    right : sequence of int
        Columns that are aligned to the right.
    """
    if not sys.stdout.isatty():
        lines = [heads, *rows]
        say("\n".join("\t".join(" ".join(str(cell).split()) for cell in line) for line in lines))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title, title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0))
    for number, head in enumerate(heads):
        drawn.add_column(head, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(str(cell), style=_COLOURS.get(str(cell), "")) for cell in row))
    Console().print(drawn)


def findings_table(findings: Findings) -> None:
    """Write findings, one line each; examples below the ones that have them."""
    rows = [
        (
            finding.level,
            finding.rule,
            ".".join(part for part in (finding.table, finding.column) if part),
            figure(finding.count),
            "; ".join([finding.message, *(f"e.g. {example}" for example in finding.examples[:3])]),
        )
        for finding in findings
    ]
    if rows:
        table("Findings", ("level", "rule", "where", "count", "what"), rows, right=(3,))


def figure(value: float | None, unit: str = "") -> str:
    """A number for people: thousands separated, four significant digits of fractions, a dash for nothing."""
    if value is None or value != value:
        return "–"
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.4g}"
    return text if unit in ("", "1") else f"{text} {unit}"
