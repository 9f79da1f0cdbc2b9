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

__all__ = ["figure", "say", "say_json", "show_findings", "table"]

_ROOMY = 140
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
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[int] = (),
    spare: Sequence[int] = (),
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
    spare : sequence of int
        Columns that a terminal of fewer than 140 characters does without.
    """
    if not sys.stdout.isatty():
        lines = [heads, *rows]
        say("\n".join("\t".join(" ".join(str(cell).split()) for cell in line) for line in lines))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(header_style="bold", box=None, padding=(0, 2, 0, 0))
    console = Console()
    shown = [place for place in range(len(heads)) if console.width >= _ROOMY or place not in spare]
    for place in shown:
        drawn.add_column(heads[place], justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(str(row[place])) for place in shown))
    console.print(Text(title, style="bold cyan"))
    console.print(drawn)


def show_findings(findings: Findings) -> None:
    """Write findings and their number: sentences on a terminal, tab-separated lines in a pipe."""
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
    if rows and sys.stdout.isatty():
        _draw_findings(rows)
    elif rows:
        table("", ("level", "rule", "where", "count", "what"), rows)
    counts = {level: sum(finding.level == level for finding in findings) for level in _COLOURS}
    closing = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items())
    say(closing + _untested(findings))


def _untested(findings: Findings) -> str:
    """The kinds that the leak test could say nothing of: no news of them is no good news."""
    if not any(finding.rule == "leak.untestable" for finding in findings):
        return ""
    from rarecase.common.evaluate.leaks import untestable

    kinds = untestable(findings)
    some = "1 kind" if len(kinds) == 1 else f"{len(kinds)} kinds"
    return f"; NOT testable for leaks: {some} ({', '.join(kinds)})"


def _draw_findings(rows: Iterable[tuple[str, str, str, str, str]]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    for level, rule, where, count, what in rows:
        console.print(Text.assemble((level, f"bold {_COLOURS[level]}"), f"  {rule}  {where}  ×{count}"))
        console.print(Padding(Text(what), (0, 0, 0, 4)))


def figure(value: float | None, unit: str = "") -> str:
    """A number for people: thousands separated, four significant digits of fractions, a dash for nothing."""
    if value is None or value != value:
        return "–"
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.4g}"
    return text if unit in ("", "1") else f"{text} {unit}"
