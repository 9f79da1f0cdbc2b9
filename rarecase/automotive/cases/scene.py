"""What a case may change: the settings of the episodes it befalls, as columns, before anything moves."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    onset_tick
        When the case begins, ticks after the episode's begin.
    front_m
        Where the twin has the front vehicle of each lane at the onset, (n, lanes), NaN without such a lane.
    front_wish
        Speed that the front driver of the leftmost lane would choose on a free dry road.
    """

    homes: Int
    setting: Setting
    limit_mps: Float
    lanes: Int
    dry_friction: Float
    friction: Float
    onset_tick: Int
    front_m: Float
    front_wish: Float


@dataclass
class Change:
    """What a case adds beyond the setting.

    Attributes
    ----------
    patch
        (case, from, until, friction before the weather's scale), one row per patch of ice.
    parked
        (case, lane, station of the rear end of the rearmost vehicle) and how many, one row per queue.
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
