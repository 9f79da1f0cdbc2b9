"""Parametric roads: lines, clothoids and arcs with grades, and patches of another surface."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.automotive.cases.attributes import COARSE, Setting, ticks
from rarecase.automotive.generate.motion import STEP_S
from rarecase.common.draws import quantise
from rarecase.common.seeds import stream
from rarecase.common.spec import Spec

Float = NDArray[np.float64]
Int = NDArray[np.int64]

LINE, SPIRAL, ARC = range(3)
SHAPE = np.array([LINE, SPIRAL, ARC, SPIRAL, LINE, SPIRAL, ARC, SPIRAL, LINE])
REPAIR, POLISHED_PATCH, ICE_PATCH = range(3)
#: Clothoids of urban, rural and motorway roads: above a ninth of the radius, as road design has it, for most.
_SPIRAL_M = np.array([30.0, 80.0, 170.0])
#: Least radius of crests and sags (our estimate, after German guidelines for roads, from memory): at the
#: speed limit the load on the tyres changes by less than 2 %, which is neglected.
_VERTICAL_M = np.array([1_200.0, 5_000.0, 13_000.0])
#: Share of a road that its clothoids may take, so that lines and arcs always fit beside them.
_CLOTHOIDS_SHARE = 0.3
_SPARE_M = 300.0
#: Most that a vehicle takes of the road at the beginning: its length, the gap at rest, and time gaps of
# the fastest.
_REST_M, _GAP_S = 16.0, 4.0


@dataclass(frozen=True)
class Patches:
    """Patches of roads; arrays of one row per patch, `road` counts the roads of the part."""

    road: Int
    kind: Int
    begin: Float
    until: Float
    friction: Float

    def on(self, rows: Int) -> Patches:
        """The patches of some roads, which are numbered anew; `rows` ascend."""
        mine = np.isin(self.road, rows)
        kept = {item.name: getattr(self, item.name)[mine] for item in fields(self)}
        return Patches(**{**kept, "road": np.searchsorted(rows, kept["road"])})


@dataclass(frozen=True)
class Roads:
    """The roads of a part, n of them, each with nine segments.

    Attributes
    ----------
    limit_kmh, lanes, lane_width, length, surface, texture, crossfall, dry, quality, coating
        (n,); `quality` says where in its surface's ranges of friction the road lies, `coating` where snow and
        ice lie in theirs.
    begin, extent, bend_start, bend_end, grade_start, grade_end
        (n, 9) of each segment.
    """

    limit_kmh: Float
    lanes: Int
    lane_width: Float
    length: Float
    surface: Int
    texture: Float
    crossfall: Float
    dry: Float
    quality: Float
    coating: Float
    begin: Float
    extent: Float
    bend_start: Float
    bend_end: Float
    grade_start: Float
    grade_end: Float
    patches: Patches

    @property
    def bends(self) -> Float:
        """From, to and largest curvature of the two bends, (n, 2, 3)."""
        begin, end = self.begin[:, [1, 5]], self.begin[:, [4, 8]]
        return np.stack([begin, end, np.abs(self.bend_start[:, [2, 6]])], axis=2)

    def take(self, rows: Int) -> Roads:
        """Some of the roads, with their patches numbered anew; `rows` ascend."""
        kept = {item.name: getattr(self, item.name)[rows] for item in fields(self) if item.name != "patches"}
        return replace(self, **kept, patches=self.patches.on(rows))


def lay(spec: Spec, part: int, setting: Setting) -> Roads:
    """The roads of a part, drawn by named streams."""
    n = setting.road_class.size

    def u(name: str, *shape: int) -> Float:
        return stream(spec.seed, "roads", name, part).random((n, *shape))

    def of_class(column: str) -> Float:
        return data.numbers("road_classes", column)[setting.road_class]

    def of_surface(column: str) -> Float:
        return data.numbers("surfaces", column)[setting.surface]

    low, high = of_class("limit_low_kmh"), of_class("limit_high_kmh")
    limit = low + np.rint((high - low) / 10.0 * u("limit")) * 10.0
    quality = u("friction")
    _, most = spec.population.vehicles_per_lane  # type: ignore[attr-defined]
    platoon = most * (_REST_M + _GAP_S * limit / 3.6)
    driven = limit / 3.6 * 1.25 * ticks(spec) * STEP_S + platoon + _SPARE_M
    length = np.ceil(np.maximum(driven, 4.0 * _SPIRAL_M[setting.road_class] / _CLOTHOIDS_SHARE) / 10.0) * 10.0
    dry = quantise(of_surface("dry_low") + (of_surface("dry_high") - of_surface("dry_low")) * quality, 0.01)
    begin, extent, bend_start, bend_end = _line(
        setting.road_class, length, u("radius", 2), u("turn", 2), u("place", 2)
    )
    grade_start, grade_end = _grades(
        (2.0 * u("grade", 3) - 1.0) * of_class("grade_high")[:, None], extent, _VERTICAL_M[setting.road_class]
    )
    return Roads(
        limit_kmh=limit,
        lanes=of_class("lanes").astype(np.int64),
        lane_width=of_class("lane_width_m"),
        length=length,
        surface=setting.surface,
        texture=quantise(
            of_surface("texture_low_mm")
            + (of_surface("texture_high_mm") - of_surface("texture_low_mm")) * u("texture"),
            0.01,
        ),
        crossfall=quantise(0.015 + 0.015 * u("crossfall"), 0.001),
        dry=dry,
        quality=quality,
        coating=u("coating"),
        begin=begin,
        extent=extent,
        bend_start=bend_start,
        bend_end=bend_end,
        grade_start=grade_start,
        grade_end=grade_end,
        patches=_patches(
            u("patches", 2),
            u("patch place", 2),
            u("patch length", 2),
            u("patch friction", 2),
            length,
            dry,
            setting.surface,
        ),
    )


def _grades(wanted: Float, extent: Float, radius: Float) -> tuple[Float, Float]:
    """Grades at the start and the end of each segment: they change evenly along each bend.

    Parameters
    ----------
    wanted
        Grades of the three lines, (n, 3); taken back where a bend is too short to change between them.
    extent, radius
        Lengths of the segments, (n, 9), and least radius of crests and sags, (n,).
    """
    grade = quantise(wanted, 0.001)
    border = np.empty((grade.shape[0], SHAPE.size + 1))
    here = grade[:, 0]
    border[:, :2] = here[:, None]
    for bend, first in ((1, 1), (2, 5)):
        length = extent[:, first : first + 3]
        along = np.cumsum(length, axis=1) / length.sum(axis=1)[:, None]
        most = np.floor(length.sum(axis=1) / radius * 1000.0) / 1000.0
        step = quantise(np.clip(grade[:, bend] - here, -most, most), 0.001)
        border[:, first + 1 : first + 4] = quantise(here[:, None] + along * step[:, None], 0.0001)
        here = border[:, first + 3]
        border[:, first + 4] = here
    return border[:, :-1], border[:, 1:]


def _line(
    road_class: Int, length: Float, u: Float, turn: Float, place: Float
) -> tuple[Float, Float, Float, Float]:
    """Two bends between three lines; each bend is a clothoid, an arc and a clothoid."""
    low = data.numbers("road_classes", "radius_low_m")[road_class][:, None]
    high = data.numbers("road_classes", "radius_high_m")[road_class][:, None]
    radius = quantise(1.0 / (1.0 / high + u * (1.0 / low - 1.0 / high)), 1.0)
    bend = quantise(np.where(turn < 0.5, -1.0, 1.0) / radius, 1e-7)
    arc = quantise(np.minimum((0.3 + np.abs(2.0 * turn - 1.0)) * radius, 0.12 * length[:, None]), 1.0)
    spiral = _SPIRAL_M[road_class]
    first = quantise((0.10 + 0.12 * place[:, 0]) * length, 1.0)
    second = quantise((0.08 + 0.12 * place[:, 1]) * length, 1.0)
    extent = np.stack(
        [first, spiral, arc[:, 0], spiral, second, spiral, arc[:, 1], spiral, np.zeros_like(first)], axis=1
    )
    extent[:, 8] = length - extent.sum(axis=1)
    end = np.cumsum(extent, axis=1)
    zero = np.zeros_like(first)
    border = np.stack(
        [zero, zero, bend[:, 0], bend[:, 0], zero, zero, bend[:, 1], bend[:, 1], zero, zero], axis=1
    )
    return end - extent, extent, border[:, :-1], border[:, 1:]


def _patches(
    there: Float, place: Float, extent: Float, friction: Float, length: Float, dry: Float, surface: Int
) -> Patches:
    road, slot = np.nonzero(there < np.array([0.6, 0.3]))
    # Coarse stone that resists polishing is what such a surface is laid for: it is repaired, not polished.
    repair = (friction[road, slot] < 0.5) | (surface[road] == COARSE)
    kind = np.where(repair, REPAIR, POLISHED_PATCH)
    # Where the driving is: hardly anybody sees the second half of a road, which leaves room for the fastest.
    begin = quantise((0.06 + 0.44 * place[road, slot]) * length[road], 0.1)
    repaired, polished = 0.95 + 0.2 * friction[road, slot], 0.6 + 0.3 * friction[road, slot]
    ratio = np.where(kind == REPAIR, repaired, polished)
    return Patches(
        road=road,
        kind=kind,
        begin=begin,
        until=quantise(begin + 10.0 + 70.0 * extent[road, slot], 0.1),
        friction=quantise(np.minimum(ratio * dry[road], 0.95), 0.01),
    )


def profile(roads: Roads, patches: Patches, scale: Float, most: int = 3) -> tuple[Float, Float]:
    """Friction along each road as stretches: their start stations and friction, both (n, 2 * most + 1).

    Where patches overlap, the most slippery one counts; unused stretches start beyond the road.
    """
    n = roads.length.size
    begin, until = np.full((n, most), np.inf), np.full((n, most), np.inf)
    value = np.full((n, most), np.inf)
    order = np.argsort(patches.road, kind="stable")
    road = patches.road[order]
    slot = np.arange(road.size) - np.searchsorted(road, road)
    begin[road, slot], until[road, slot] = patches.begin[order], patches.until[order]
    value[road, slot] = patches.friction[order]
    border = np.sort(np.concatenate([np.zeros((n, 1)), begin, until], axis=1), axis=1)
    inside = (begin[:, None, :] <= border[:, :, None]) & (border[:, :, None] < until[:, None, :])
    lowest = np.where(inside, value[:, None, :], np.inf).min(axis=2)
    material = np.where(np.isinf(lowest), roads.dry[:, None], lowest)
    return border, quantise(material * scale[:, None], 0.0001)
