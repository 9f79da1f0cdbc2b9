"""The cases table: what happened, when it was noticed, and one sentence that tells it."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.automotive.cases.attributes import TICK_US, ticks
from rarecase.automotive.generate.befall import Befallen
from rarecase.automotive.generate.motion import BARRIER, LIMITED, SIDEWAYS, STRIKING
from rarecase.automotive.generate.outcome import Events
from rarecase.automotive.generate.world import World
from rarecase.automotive.schema import SCHEMA
from rarecase.common import tables
from rarecase.common.plan import Plan
from rarecase.common.seeds import keyed_integers

Int = NDArray[np.int64]
_NEVER = np.iinfo(np.int64).max
_ROADS = ("an urban road", "a rural road", "a motorway")


def cases_table(plan: Plan, world: World, found: Events, befallen: list[Befallen]) -> pa.Table:
    """One row per case or look-alike of the part."""
    pieces = [_of_placement(plan, world, found, item) for item in befallen]
    return tables.concat(SCHEMA["cases"], pieces)


def _of_placement(plan: Plan, world: World, found: Events, item: Befallen) -> pa.Table:
    placement, case, n = item.placement, item.case, item.rows.size
    start = item.scene.setting.start_us
    onset = placement.onset_us[item.rows]
    collisions = _count(world, found, item.episode, (STRIKING,))
    noticed = _noticed(world, found, item, start)
    unnoticed = (noticed == _NEVER) | (not case.is_case)
    # A witness or an automatic call needs one to five minutes after a collision.
    call = (
        noticed
        + (60 + keyed_integers(plan.spec.seed, (placement.name, "call"), item.scene.homes, 240)) * 1_000_000
    )
    unreported = unnoticed | (collisions == 0)
    natural = placement.natural
    rate = np.full(n, 0.0 if natural is None else natural.value)
    return tables.build(
        SCHEMA["cases"],
        {
            "case_id": placement.case_ids[item.rows],
            "kind": tables.constant(case.kind, n),
            "name": tables.constant(placement.name, n),
            "is_case": np.full(n, case.is_case),
            "entity_table": tables.constant("episodes", n),
            "entity_id": plan.keys.entities("episodes", item.scene.homes),
            "started_at": tables.timestamps(plan.spec.start, onset),
            "ended_at": tables.timestamps(plan.spec.start, start + (ticks(plan.spec) - 1) * TICK_US),
            "natural_rate": tables.nulls(rate, np.full(n, natural is None)),
            "natural_per": tables.category(
                np.zeros(n, np.int8), [natural.per if natural else ""], np.full(n, natural is None)
            ),
            "difficulty": np.full(n, case.difficulty),
            "reported_at": tables.timestamps(plan.spec.start, np.where(unreported, 0, call), unreported),
            "detected_at": tables.timestamps(plan.spec.start, np.where(unnoticed, 0, noticed), unnoticed),
            "parameters": pa.array(_parameters(item), pa.string()),
            "story": pa.array(_stories(plan, world, found, item, collisions), pa.string()),
        },
    )


def _noticed(world: World, found: Events, item: Befallen, start: Int) -> Int:
    """When a vehicle first notices, from the onset on: brakes or stability at their limit, or an impact."""
    telling = np.isin(found.code, (LIMITED, SIDEWAYS, BARRIER, STRIKING))
    episode = world.vehicles.episode[found.vehicle]
    onset = np.full(world.entities.size, _NEVER)
    onset[item.episode] = item.scene.onset_tick
    telling &= found.tick >= onset[episode]
    first = np.full(world.entities.size, _NEVER)
    np.minimum.at(first, episode[telling], found.tick[telling])
    tick = first[item.episode]
    return np.where(tick == _NEVER, _NEVER, start + np.where(tick == _NEVER, 0, tick) * TICK_US)


def _count(world: World, found: Events, episodes: Int, codes: tuple[int, ...]) -> Int:
    hit = world.vehicles.episode[found.vehicle[np.isin(found.code, codes)]]
    return np.bincount(hit, minlength=world.entities.size)[episodes]


def _facts(item: Befallen) -> list[dict[str, float]]:
    names = list(item.change.facts)
    columns = [item.change.facts[name].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _parameters(item: Befallen) -> list[str]:
    said = item.case.parameters()
    return [json.dumps({**said, **facts}, sort_keys=True) for facts in _facts(item)]


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
