"""Small pieces of HTML: escaped text, tables that screen readers can walk, details, and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Markup", "details", "number", "section", "table", "text"]


class Markup(str):
    """HTML that is already safe."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML: escaped, unless it is markup already."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def number(value: float | None, unit: str = "") -> str:
    """A number for people: thousands separated by thin spaces, four significant digits of fractions."""
    if value is None or value != value:
        return "–"
    whole = float(value).is_integer() and abs(value) < 1e15
    shown = f"{value:,.0f}" if whole else f"{value:,.4g}"
    spaced = shown.replace(",", chr(0x202F))
    return spaced if unit in ("", "1") else f"{spaced} {unit}"


def section(anchor: str, title: str, *body: str) -> Markup:
    """A section with a heading that links can reach."""
    return Markup(
        f'<section id="{anchor}"><h2>{text(title)}</h2>{"".join(text(part) for part in body)}</section>'
    )


def details(summary: str, *body: str) -> Markup:
    """A part that is folded until somebody opens it."""
    return Markup(
        f"<details><summary>{text(summary)}</summary>{''.join(text(part) for part in body)}</details>"
    )


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[int] = ()
) -> Markup:
    """A table with a caption; the first cell of each row is its head.

    Parameters
    ----------
    numeric : sequence of int
        Columns that are aligned as numbers.
    """
    classes = ['class="n" ' if place in numeric else "" for place in range(len(heads))]
    head = "".join(
        f'<th {kind}scope="col">{text(name)}</th>' for name, kind in zip(heads, classes, strict=True)
    )
    body = []
    for row in rows:
        first, *rest = row
        cells = "".join(f"<td {kind}>{text(cell)}</td>" for cell, kind in zip(rest, classes[1:], strict=True))
        body.append(f'<tr><th scope="row">{text(first)}</th>{cells}</tr>')
    return Markup(
        f'<div class="wide" role="region" aria-label="{text(caption)}" '
        f'tabindex="0"><table><caption>{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
