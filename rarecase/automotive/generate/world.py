"""A world of episodes that can be moved: settings, roads, vehicles, and who behaves unusually."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import Setting, ticks
from rarecase.automotive.generate import motion
from rarecase.automotive.generate.friction import Grip, grip
from rarecase.automotive.generate.motion import Drivers, Motion, simulate
from rarecase.automotive.generate.roads import Roads, profile
from rarecase.automotive.generate.vehicles import Habits, Vehicles, adapt
from rarecase.common.spec import Spec

Float = NDArray[np.float64]
Int = NDArray[np.int64]


def grip_of(setting: Setting, roads: Roads, rows: Int) -> Grip:
    """What a weather makes of some of the roads."""
    return grip(
        setting,
        roads.texture[rows],
        (roads.lanes * roads.lane_width)[rows],
        roads.crossfall[rows],
        roads.dry[rows],
        roads.surface[rows],
        roads.quality[rows],
        roads.coating[rows],
    )


@dataclass(frozen=True)
class World:
    """Episodes, n of them, and their vehicles.

    Attributes
    ----------
    entities
        Global ordinals, ascending.
    bold, firm
        Speed and deceleration of unusual front drivers, NaN for the usual ones, (n,).
    """

    spec: Spec
    entities: Int
    setting: Setting
    roads: Roads
    vehicles: Vehicles
    bold: Float
    firm: Float

    @property
    def first(self) -> Int:
        """First vehicle of each episode and the number of all, (n + 1,)."""
        return np.searchsorted(self.vehicles.episode, np.arange(self.entities.size + 1))

    @cached_property
    def grip(self) -> Grip:
        """What the weather makes of the roads."""
        return grip_of(self.setting, self.roads, np.arange(self.entities.size))

    def take(self, rows: Int) -> World:
        """Some of the episodes; `rows` ascend."""
        vehicles = self.vehicles.take(np.isin(self.vehicles.episode, rows))
        return replace(
            self,
            entities=self.entities[rows],
            setting=Setting(
                **{item.name: getattr(self.setting, item.name)[rows] for item in fields(Setting)}
            ),
            roads=self.roads.take(rows),
            vehicles=replace(vehicles, episode=np.searchsorted(rows, vehicles.episode)),
            bold=self.bold[rows],
            firm=self.firm[rows],
        )

    def move(self) -> Motion:
        """Simulate every episode."""
        return simulate(self._roads(), self._drivers(), ticks(self.spec))

    def _roads(self) -> motion.Roads:
        roads, weather = self.roads, self.grip
        stretch, friction = profile(roads, roads.patches, weather.scale)
        bend = np.stack([roads.bend_start, (roads.bend_end - roads.bend_start) / roads.extent], axis=2)
        grade = np.stack([roads.grade_start, (roads.grade_end - roads.grade_start) / roads.extent], axis=2)
        return motion.Roads(
            first=self.first,
            until=roads.begin + roads.extent,
            bend=bend,
            grade=grade,
            stretch=stretch,
            friction=friction,
            bends=roads.bends,
            sight=self.setting.visibility,
            aquaplaning=weather.aquaplaning_mps,
            lane_width=roads.lane_width,
        )

    def _drivers(self) -> Drivers:
        own = self.vehicles
        habits = adapt(own, self.setting, self.grip, self.roads.bends, self.bold, self.firm)
        parked = own.number >= 0
        return Drivers(
            lane=own.lane,
            length=own.length,
            width=own.width,
            mass=own.mass,
            wish=habits.wish,
            pull=own.pull,
            comfort=habits.comfort,
            brake=own.brake,
            headway=habits.headway,
            delay=own.delay,
            bend=habits.bend,
            slow_from=own.slow_from,
            slow_to=own.slow_until,
            slow_wish=np.maximum(habits.slow_wish, 1.0),
            parked=parked,
            start=np.rint(own.start * motion.PER_M).astype(np.int64),
            speed=_set_out(habits, parked),
        )


def _set_out(habits: Habits, parked: NDArray[np.bool_]) -> Int:
    return np.where(parked, 0, np.rint(habits.speed * motion.PER_MPS)).astype(np.int64)
