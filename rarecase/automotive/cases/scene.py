"""What a case may change: the settings of the episodes it befalls, as columns, before anything moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import Setting

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass
class Scene:
    """The episodes of one placement within a part; arrays of one row per case unless said otherwise.

    Attributes
    ----------
    homes
        Global ordinals of the episodes.
    setting
        Place, time and weather; a case writes into it.
    limit_mps, lanes, dry_friction, friction
        Speed limit, lanes, friction of the dry surface, and of the road in the twin's weather.
    tick
        When the hazard is met, ticks after the episode's begin.
    front_m
        Where the twin has the front vehicle of each lane at that tick, (n, lanes), NaN without such a lane.
    front_wish
        Speed that the front driver of the leftmost lane would choose on a free dry road.
    regrip
        What a setting makes of the friction of these roads, (n,).
    """

    homes: Int
    setting: Setting
    limit_mps: Float
    lanes: Int
    dry_friction: Float
    friction: Float
    tick: Int
    front_m: Float
    front_wish: Float
    regrip: Callable[[Setting], Float]

    def have(self, weather: Setting) -> None:
        """Give the episodes another weather; time and place stay as they are."""
        for item in fields(Setting):
            getattr(self.setting, item.name)[:] = getattr(weather, item.name)


@dataclass
class Change:
    """What a case adds beyond the setting.

    Attributes
    ----------
    patch_case, patch_from, patch_until, patch_friction
        One row per patch of ice: row of the scene, stations, and friction before the weather's scale.
    queue_case, queue_lane, queue_rear, queue_vehicles
        One row per queue: row of the scene, lane, station of the rear end of the rearmost vehicle, and how
        many stand there.
    bold
        Speed that front drivers insist on whatever they see, NaN for those who do not, (n,).
    firm
        Deceleration with which front drivers slow down, NaN for the usual one, (n,).
    facts
        Columns for the parameters of the cases table.
    """

    patch_case: Int = field(default_factory=lambda: np.empty(0, np.int64))
    patch_from: Float = field(default_factory=lambda: np.empty(0))
    patch_until: Float = field(default_factory=lambda: np.empty(0))
    patch_friction: Float = field(default_factory=lambda: np.empty(0))
    queue_case: Int = field(default_factory=lambda: np.empty(0, np.int64))
    queue_lane: Int = field(default_factory=lambda: np.empty(0, np.int64))
    queue_rear: Float = field(default_factory=lambda: np.empty(0))
    queue_vehicles: Int = field(default_factory=lambda: np.empty(0, np.int64))
    bold: Float | None = None
    firm: Float | None = None
    facts: dict[str, Float] = field(default_factory=dict)
