"""The cases table: what happened, when it was noticed, and one sentence that tells it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import TICK_US, ticks
from rarecase.automotive.generate.befall import Befallen
from rarecase.automotive.generate.motion import BARRIER, LIMITED, SIDEWAYS, STRIKING
from rarecase.automotive.generate.outcome import Events
from rarecase.automotive.generate.world import World
from rarecase.common.plan import Plan
from rarecase.common.seeds import keyed_integers
from rarecase.common.tables import NEVER
from rarecase.common.telling import Told

Int = NDArray[np.int64]
_ROADS = ("an urban road", "a rural road", "a motorway")


def told(plan: Plan, world: World, found: Events, befallen: list[Befallen]) -> list[Told]:
    """What is told of every case or look-alike of the part."""
    return [_of_placement(plan, world, found, item) for item in befallen]


def _of_placement(plan: Plan, world: World, found: Events, item: Befallen) -> Told:
    placement, case = item.placement, item.case
    start = item.scene.setting.start_us
    collisions = _count(world, found, item.episode, (STRIKING,))
    noticed = _noticed(world, found, item, start) if case.is_case else np.full(item.rows.size, NEVER)
    # A witness or an automatic call needs one to five minutes after a collision.
    delay_s = 60 + keyed_integers(plan.spec.seed, (placement.name, "call"), item.scene.homes, 240)
    unreported = (noticed == NEVER) | (collisions == 0)
    return Told(
        placement=placement,
        rows=item.rows,
        started_us=placement.onset_us[item.rows],
        ended_us=start + (ticks(plan.spec) - 1) * TICK_US,
        reported_us=np.where(unreported, NEVER, np.where(unreported, 0, noticed) + delay_s * 1_000_000),
        detected_us=noticed,
        facts=_facts(item),
        stories=_stories(plan, world, found, item, collisions),
    )


def _noticed(world: World, found: Events, item: Befallen, start: Int) -> Int:
    """When a vehicle first notices, once the hazard is met: brakes or stability at their limit, or impact."""
    telling = np.isin(found.code, (LIMITED, SIDEWAYS, BARRIER, STRIKING))
    episode = world.vehicles.episode[found.vehicle]
    onset = np.full(world.entities.size, NEVER)
    onset[item.episode] = item.scene.tick
    telling &= found.tick >= onset[episode]
    first = np.full(world.entities.size, NEVER)
    np.minimum.at(first, episode[telling], found.tick[telling])
    tick = first[item.episode]
    return np.where(tick == NEVER, NEVER, start + np.where(tick == NEVER, 0, tick) * TICK_US)


def _count(world: World, found: Events, episodes: Int, codes: tuple[int, ...]) -> Int:
    hit = world.vehicles.episode[found.vehicle[np.isin(found.code, codes)]]
    return np.bincount(hit, minlength=world.entities.size)[episodes]


def _facts(item: Befallen) -> list[dict[str, float]]:
    names = list(item.change.facts)
    columns = [item.change.facts[name].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _stories(plan: Plan, world: World, found: Events, item: Befallen, collisions: Int) -> list[str]:
    """One sentence per case; cases are few, so they are told one by one."""
    slipped = _count(world, found, item.episode, (LIMITED, SIDEWAYS))
    begun = np.datetime64(plan.spec.start, "us") + item.placement.onset_us[item.rows].astype(
        "timedelta64[us]"
    )
    roads = [_ROADS[code] for code in item.scene.setting.road_class]
    rows = zip(_facts(item), roads, begun, slipped.tolist(), collisions.tolist(), strict=True)
    return [
        f"On {str(when)[:21].replace('T', ' at ')} "
        f"{_lower(item.case.sentence.format(road=road, **facts))}: a vehicle reached the "
        f"limit of its tyres {_times(slips)}, and there {_collisions(hits)}."
        for facts, road, when, slips, hits in rows
    ]


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _collisions(number: int) -> str:
    return {0: "was no collision", 1: "was one collision"}.get(number, f"were {number} collisions")


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
