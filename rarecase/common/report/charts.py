"""Charts as inline SVG that follow the page's colours; each says in words what it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rarecase.common.report.html import Markup, text

__all__ = ["Bar", "Dot", "dots", "log_bars", "range_bar", "strips"]

_WIDTH, _LEFT, _RIGHT, _ROW = 720, 270, 60, 26


@dataclass(frozen=True)
class Bar:
    """A pair of bars: what is planted, and what nature would have (None where unknown)."""

    label: str
    planted: float
    natural: float | None


@dataclass(frozen=True)
class Dot:
    """A dot between 0.5 and 1, the tick from which it would be a proven leak, and its level or ok."""

    label: str
    value: float
    tick: float
    kind: str


def _svg(height: float, name: str, body: Sequence[str]) -> Markup:
    drawn = "".join(body)
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{text(name)}" class="chart">'
        f"<title>{text(name)}</title>{drawn}</svg>"
    )


def _label(row: int, words: str) -> str:
    shown = words if len(words) <= 36 else words[:35] + "…"
    return f'<text x="{_LEFT - 10}" y="{row * _ROW + 24}" text-anchor="end">{text(shown)}</text>'


def _axis(name: str, at: float, rows: int, x: float) -> str:
    bottom = rows * _ROW + 10
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="{bottom}"/>'
        f'<text class="tick" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{text(name)}</text>'
    )


def log_bars(name: str, bars: Sequence[Bar]) -> Markup:
    """Planted and natural numbers side by side on a logarithmic scale."""
    known = [value for bar in bars for value in (bar.planted, bar.natural) if value and value > 0]
    low = math.floor(math.log10(min(known, default=1)))
    high = max(math.ceil(math.log10(max(known, default=10))), low + 1)
    span = _WIDTH - _LEFT - _RIGHT

    def width(value: float) -> float:
        return max((math.log10(value) - low) / (high - low) * span, 2.0)

    step = max(1, (high - low) // 6)
    body = [
        _axis(f"{10.0**power:,g}", power, len(bars), _LEFT + (power - low) / (high - low) * span)
        for power in range(low, high + 1, step)
    ]
    for row, bar in enumerate(bars):
        body.append(_label(row, bar.label))
        for place, (value, kind) in enumerate(((bar.planted, "planted"), (bar.natural, "natural"))):
            if value and value > 0:
                top = row * _ROW + 11 + place * 9
                body.append(
                    f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{width(value):.1f}" height="8" '
                    f'rx="2"/>'
                )
    return _svg(len(bars) * _ROW + 30, name, body)


def dots(name: str, points: Sequence[Dot], limit: float) -> Markup:
    """Dots between 0.5 and 1 with a line at the limit and a tick at each dot's own bound."""
    span = _WIDTH - _LEFT - _RIGHT

    def place(value: float) -> float:
        return _LEFT + (min(max(value, 0.5), 1.0) - 0.5) * 2 * span

    rows = len(points)
    body = [_axis(f"{at:g}", at, rows, place(at)) for at in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    body.append(
        f'<line class="limit" x1="{place(limit):.1f}" x2="{place(limit):.1f}" y1="6" '
        f'y2="{rows * _ROW + 10}"/>'
    )
    for row, point in enumerate(points):
        middle = row * _ROW + 20
        body.append(_label(row, point.label))
        body.append(
            f'<line class="stem" x1="{place(0.5):.1f}" x2="{place(point.value):.1f}" y1="{middle}" '
            f'y2="{middle}"/>'
        )
        if math.isfinite(point.tick):
            at = place(point.tick)
            body.append(
                f'<line class="bound" x1="{at:.1f}" x2="{at:.1f}" y1="{middle - 7}" y2="{middle + 7}"/>'
            )
        body.append(f'<circle class="{point.kind}" cx="{place(point.value):.1f}" cy="{middle}" r="5"/>')
        shown = f"{point.value:.2f}"
        body.append(f'<text class="tick" x="{_WIDTH - 6}" y="{middle + 4}" text-anchor="end">{shown}</text>')
    return _svg(rows * _ROW + 30, name, body)


def range_bar(value: float, low: float | None, high: float | None, published: float | None) -> Markup:
    """One value against its range and the published figure."""
    known = [
        float(found) for found in (value, low, high, published) if found is not None and math.isfinite(found)
    ]
    if not math.isfinite(value) or len(known) < 2:
        return Markup("")
    least, most = min(known), max(known)
    pad = (most - least) * 0.12 or abs(most) * 0.12 or 1.0
    least, most = least - pad, most + pad

    def place(found: float) -> float:
        return (found - least) / (most - least) * 160

    begin, end = place(low if low is not None else least), place(high if high is not None else most)
    band = f'<rect class="band" x="{begin:.1f}" y="4" width="{max(end - begin, 1):.1f}" height="12" rx="2"/>'
    mark = (
        ""
        if published is None
        else f'<line class="bound" x1="{place(published):.1f}" x2="{place(published):.1f}" y1="2" y2="18"/>'
    )
    inside = (low is None or value >= low) and (high is None or value <= high)
    dot = f'<circle class="{"ok" if inside else "error"}" cx="{place(value):.1f}" cy="10" r="4"/>'
    return Markup(f'<svg viewBox="0 0 160 20" class="mini" aria-hidden="true">{band}{mark}{dot}</svg>')


def strips(name: str, rows: Sequence[tuple[str, Sequence[float]]], begin: str, end: str) -> Markup:
    """Moments, as shares of the window from 0 to 1, one strip of ticks per row."""
    span = _WIDTH - _LEFT - _RIGHT
    body = [_axis(begin, 0, len(rows), _LEFT), _axis(end, 1, len(rows), _LEFT + span)]
    for row, (label, moments) in enumerate(rows):
        body.append(_label(row, label))
        path = "".join(f"M{_LEFT + moment * span:.1f} {row * _ROW + 13}v14" for moment in moments)
        body.append(f'<path class="strip" d="{path}"/>')
    return _svg(len(rows) * _ROW + 30, name, body)
