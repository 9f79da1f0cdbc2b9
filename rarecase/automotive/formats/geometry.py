"""The reference line of a road: where each segment begins, by quadrature of its curvature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def starts(segments: Sequence[dict[str, Any]]) -> list[tuple[float, float, float]]:
    """(x, y, heading) at the beginning of each segment, and at the end of the last one.

    A clothoid has no closed form; 32 Gauss-Legendre nodes are exact to a micrometre for the turns of any
    road here.
    """
    x, y, heading = 0.0, 0.0, 0.0
    found = [(x, y, heading)]
    for segment in segments:
        length, first, last = segment["length_m"], segment["curvature_start"], segment["curvature_end"]
        s = 0.5 * length * (_NODES + 1.0)
        angle = heading + first * s + 0.5 * (last - first) / length * s * s
        x += float(0.5 * length * (_WEIGHTS * np.cos(angle)).sum())
        y += float(0.5 * length * (_WEIGHTS * np.sin(angle)).sum())
        heading += 0.5 * (first + last) * length
        found.append((x, y, heading))
    return found


def heights(segments: Sequence[dict[str, Any]]) -> list[float]:
    """Height at the beginning of each segment: the integral of the grade."""
    found = [0.0]
    for segment in segments:
        found.append(found[-1] + 0.5 * (segment["grade_start"] + segment["grade_end"]) * segment["length_m"])
    return found
