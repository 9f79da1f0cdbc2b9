"""Cases befall a world: settings change, ice is laid, queues are parked."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.automotive.cases import RoadCase
from rarecase.automotive.cases.attributes import Setting
from rarecase.automotive.cases.scene import Change, Scene
from rarecase.automotive.generate.motion import STANDSTILL_GAP_M, Motion
from rarecase.automotive.generate.roads import ICE_PATCH, Patches
from rarecase.automotive.generate.vehicles import Vehicles, concatenate, mass
from rarecase.automotive.generate.world import World, grip_of
from rarecase.common.draws import quantise, ragged_index
from rarecase.common.plan import Placement, Plan
from rarecase.common.seeds import keyed_uniform
from rarecase.common.spec import Spec

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_NEVER = 1 << 40


@dataclass(frozen=True)
class Befallen:
    """The cases of one placement within a part.

    Attributes
    ----------
    placement, case
        Where they come from.
    rows
        Which cases of the placement, (n,).
    episode
        Their episodes, as rows of the part, (n,).
    scene, change
        What they found and what they did.
    """

    placement: Placement
    case: RoadCase
    rows: Int
    episode: Int
    scene: Scene
    change: Change


def episodes_of_cases(plan: Plan, part: int) -> Int:
    """Rows of the part's episodes that any case or look-alike befalls, ascending."""
    low, high = plan.bounds(part)
    homes = [placement.homes[placement.home_in(low, high)] for placement in plan.placements]
    return np.sort(np.concatenate([np.empty(0, np.int64), *homes])) - low


def befall(plan: Plan, part: int, world: World, twin: World, moved: Motion) -> tuple[World, list[Befallen]]:
    """The world after its cases, and the cases.

    Parameters
    ----------
    world
        The ordinary part.
    twin, moved
        Its episodes that cases befall, and how they move without the cases.
    """
    low, high = plan.bounds(part)
    setting = Setting(**{item.name: getattr(world.setting, item.name).copy() for item in fields(Setting)})
    bold, firm = world.bold.copy(), world.firm.copy()
    befallen: list[Befallen] = []
    for placement in plan.placements:
        case, rows = placement.case, placement.home_in(low, high)
        if not rows.size or not isinstance(case, RoadCase):
            continue
        homes = placement.homes[rows]
        scene = _scene(homes, case.moment(plan.spec, homes), world, homes - low, twin, moved)
        change = case.change(plan.spec, scene)
        for item in fields(Setting):
            getattr(setting, item.name)[homes - low] = getattr(scene.setting, item.name)
        if change.bold is not None:
            bold[homes - low] = change.bold
        if change.firm is not None:
            firm[homes - low] = change.firm
        befallen.append(Befallen(placement, case, rows, homes - low, scene, change))
    changed = replace(
        world,
        setting=setting,
        roads=replace(world.roads, patches=_patches(world.roads.patches, befallen)),
        vehicles=_vehicles(plan.spec, world, befallen),
        bold=bold,
        firm=firm,
    )
    return changed, befallen


def _scene(homes: Int, tick: Int, world: World, at: Int, twin: World, moved: Motion) -> Scene:
    setting = Setting(**{item.name: getattr(world.setting, item.name)[at] for item in fields(Setting)})
    mine = np.searchsorted(twin.entities, homes)
    front = np.full((homes.size, int(world.roads.lanes.max(initial=1))), np.nan)
    leaders = np.flatnonzero(twin.vehicles.front)
    tick_of = np.full(twin.entities.size, -1)
    tick_of[mine] = tick
    place = np.full(twin.entities.size, -1)
    place[mine] = np.arange(homes.size)
    leaders = leaders[place[twin.vehicles.episode[leaders]] >= 0]
    owner = twin.vehicles.episode[leaders]
    front[place[owner], -1 - twin.vehicles.lane[leaders]] = moved.position[leaders, tick_of[owner]]
    wish = np.empty(homes.size)
    leftmost = leaders[twin.vehicles.lane[leaders] == -1]
    wish[place[twin.vehicles.episode[leftmost]]] = twin.vehicles.wish[leftmost]
    return Scene(
        homes=homes,
        setting=setting,
        limit_mps=world.roads.limit_kmh[at] / 3.6,
        lanes=world.roads.lanes[at],
        dry_friction=world.roads.dry[at],
        friction=world.grip.friction[at],
        tick=tick,
        front_m=quantise(front, 0.01),
        front_wish=wish,
        regrip=lambda weather: grip_of(weather, world.roads, at).friction,
    )


def _patches(ordinary: Patches, befallen: list[Befallen]) -> Patches:
    """All patches in the order of their roads, so that no place in the table tells a case."""
    added = [
        Patches(
            road=item.episode[item.change.patch_case],
            kind=np.full(item.change.patch_case.size, ICE_PATCH),
            begin=item.change.patch_from,
            until=item.change.patch_until,
            friction=item.change.patch_friction,
        )
        for item in befallen
    ]
    whole = {
        field.name: np.concatenate([getattr(piece, field.name) for piece in (ordinary, *added)])
        for field in fields(Patches)
    }
    order = np.lexsort((whole["begin"], whole["road"]))
    return Patches(**{name: values[order] for name, values in whole.items()})


def _vehicles(spec: Spec, world: World, befallen: list[Befallen]) -> Vehicles:
    queues = [_queue(spec, item) for item in befallen if item.change.queue_case.size]
    if not queues:
        return world.vehicles
    everyone = concatenate(world.vehicles, *queues)
    return everyone.take(np.lexsort((-everyone.start, -everyone.lane, everyone.episode)))


def _queue(spec: Spec, item: Befallen) -> Vehicles:
    """Standing vehicles, bumper to bumper but for the usual gap, from the rear of each queue forward."""
    change = item.change
    queue, _ = ragged_index(change.queue_vehicles)
    case = change.queue_case[queue]
    episode = item.episode[case]
    number = np.arange(queue.size) - np.searchsorted(case, case)
    ids = item.scene.homes[case] * 64 + number

    def u(name: str) -> Float:
        return keyed_uniform(spec.seed, (item.placement.name, "queue", name), ids)

    kind = np.searchsorted(np.cumsum(data.numbers("vehicle_kinds", "share"))[:-1], u("kind"), side="right")
    length = data.numbers("vehicle_kinds", "length_m")[kind]
    ahead = np.cumsum(length + STANDSTILL_GAP_M)
    start = change.queue_rear[queue] + ahead - ahead[np.searchsorted(queue, queue)]
    start += length[np.searchsorted(queue, queue)] - 0.5 * length
    top = data.numbers("vehicle_kinds", "top_mps")[kind]
    limit = item.scene.limit_mps[change.queue_case[queue]]
    n = queue.size
    return Vehicles(
        episode=episode,
        ordinal=np.full(n, -1),
        number=number,
        is_ego=np.zeros(n, np.bool_),
        kind=kind,
        lane=change.queue_lane[queue],
        front=np.zeros(n, np.bool_),
        length=length,
        width=data.numbers("vehicle_kinds", "width_m")[kind],
        mass=mass(spec, kind, u("mass")),
        wish=quantise(np.minimum(limit * (0.85 + 0.3 * u("wish")), top), 0.01),
        headway=quantise(0.9 + 1.4 * u("headway"), 0.01),
        delay=(5 + 6 * u("reaction")).astype(np.int64),
        brake=data.numbers("vehicle_kinds", "brake_mps2")[kind],
        pull=data.numbers("vehicle_kinds", "pull_mps2")[kind],
        comfort=np.full(n, 2.0),
        insight=np.full(n, 1.0),
        slow_from=np.full(n, _NEVER),
        slow_until=np.full(n, _NEVER),
        slow_share=np.full(n, 0.5),
        start=quantise(start, 0.1),
    )
