"""Devices and networks from which orders come, with those that cases bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common import identifiers, tables
from rarecase.common.compiled import compiled
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.maker import Flow
from rarecase.finance.generate.register.scene import Scene
from rarecase.finance.schema import COUNTRIES, NETWORKS, PLATFORMS, SCHEMA

_LIFE_DAYS = 800.0
#: Share of new devices that are enrolled to pay at once, and the law of the time until then.
_ENROL_TO_PAY, _LEAD_S, _LEAD_LOG_SD = 0.7, 3_600.0, 2.0
_PLATFORM_SHARES = np.cumsum([0.44, 0.31, 0.16, 0.07, 0.02])
_MOST_NETWORKS = 64


@dataclass(frozen=True)
class Devices:
    """The two devices that each customer may use in turn: keys, the second of the change, and the second at
    which the first one was first seen."""

    first: Int64
    second: Int64
    switch: Int64
    seen: Int64


def devices_of(scene: Scene) -> Devices:
    """The devices of the place's customers, changed some day."""
    who, seed = scene.place.customers, scene.spec.seed
    life = -_LIFE_DAYS * np.log1p(-keyed_uniform(seed, "device-life", who))
    switch = np.where(life < scene.spec.days, (life * ground.DAY_S).astype(np.int64), NEVER)
    ordinals = 2 * (who - scene.place.low)
    age = np.minimum(_LIFE_DAYS, scene.onboarded - 1) * keyed_uniform(seed, "device-age", who)
    return Devices(
        scene.keys.rows("devices", scene.part, ordinals),
        scene.keys.rows("devices", scene.part, ordinals + 1),
        switch,
        -(age * ground.DAY_S).astype(np.int64) - 60,
    )


def enrolled(scene: Scene, planned: Devices, orders: Sequence[Flow]) -> Devices:
    """Most people enrol a new device because they want to pay: soon before an ordinary order.

    Parameters
    ----------
    orders
        What the ordinary world orders, addresses relative to the place.
    """
    who, first = scene.place.customers, scene.slots.first("merchants")
    order = np.full(scene.place.n, NEVER)
    for each in orders:
        _next_order(
            each.second,
            each.payer,
            each.way,
            data.ways().device,
            planned.switch,
            first,
            scene.slots.block,
            order,
        )
    u = keyed_uniform(scene.spec.seed, "enrol", who)
    normal = ndtri(np.clip(keyed_uniform(scene.spec.seed, "enrol-lead", who), 1e-9, 1 - 1e-9))
    lead = np.maximum(_LEAD_S * np.exp(_LEAD_LOG_SD * normal), 20).astype(np.int64)
    soon = (u < _ENROL_TO_PAY) & (order < NEVER)
    return replace(planned, switch=np.where(soon, np.maximum(order - lead, 0), planned.switch))


def device_table(scene: Scene, own: Devices) -> pa.Table:
    """Devices of the place's customers, with those that cases bring."""
    came, place = scene.came, scene.place
    second = np.flatnonzero(own.switch < NEVER)
    customers = np.concatenate([place.customers, place.customers[second], came.devices.customer])
    ids = np.concatenate([own.first, own.second[second], came.device_id])
    moments = np.concatenate([own.seen, own.switch[second], came.devices.seen])
    # Rows of cases must not stand at the end: the keys say nothing, so their order says nothing either.
    order = np.argsort(ids, kind="stable")
    platform = np.searchsorted(
        _PLATFORM_SHARES, keyed_uniform(scene.spec.seed, "platform", ids), side="right"
    )
    return tables.build(
        SCHEMA["devices"],
        {
            "device_id": ids[order],
            "customer_id": scene.keys.entities("customers", customers[order]),
            "platform": tables.category(np.minimum(platform[order], 4).astype(np.int8), PLATFORMS),
            "first_seen_at": tables.timestamps(scene.spec.start, moments[order] * ground.SECOND_US),
        },
    )


def ip_table(scene: Scene) -> pa.Table:
    """A network for each household, a mobile one for each customer, and those that cases bring."""
    came, place, spec = scene.came, scene.place, scene.spec
    _, mobile = ground.network_ordinals(spec, place.customers)
    home = 2 * np.unique(place.household)
    own = np.concatenate([home, mobile])
    network = np.repeat([NETWORKS.index("home"), NETWORKS.index("mobile")], [home.size, mobile.size])
    key = np.concatenate([scene.keys.rows("ip_addresses", scene.part, own), came.ip_id])
    room = 2 * spec.parts * spec.block
    brought = room + came.network_home * _MOST_NETWORKS + came.networks.number
    number = np.concatenate([2 * spec.block * scene.part + own, brought])
    network = np.concatenate([network, came.networks.network])
    # Who rents a machine may do so anywhere.
    known = np.array([data.countries().country.index(name) for name in spec.population.countries])
    anywhere = known[keyed_integers(spec.seed, "hosting-country", number, known.size)]
    country = np.where(network == NETWORKS.index("hosting"), anywhere, scene.nation)
    order = np.argsort(key)
    return tables.build(
        SCHEMA["ip_addresses"],
        {
            "ip_id": key[order],
            "address": identifiers.make("ipv6", number[order], seed=spec.seed, mode=spec.identifiers),
            "network": tables.category(network[order].astype(np.int8), NETWORKS),
            "country": tables.category(country[order].astype(np.int8), COUNTRIES),
        },
    )


@compiled
def _next_order(
    second: Int64,
    payer: Int64,
    way: NDArray[np.int8],
    orders: NDArray[np.bool_],
    since: Int64,
    first: int,
    block: int,
    found: Int64,
) -> None:
    """Lowers `found` to each customer's first order from `since` on."""
    for i in range(second.size):
        if orders[way[i]] and 0 <= payer[i] < first:
            who = payer[i] % block
            if who < since.size and since[who] <= second[i] < found[who]:
                found[who] = second[i]
