"""The tables of organisations, merchants, who owns them, and terminals."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common import tables
from rarecase.common.identifiers import checks
from rarecase.common.seeds import Int64, Permutation, keyed_uniform, name_key
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate import trade
from rarecase.finance.generate.register.scene import Scene
from rarecase.finance.schema import MCCS, ORGANISATION_KINDS, SCHEMA

_OUTSIDE = {
    "cash": "Cash in circulation",
    "world": "World outside",
    "abroad": "Other countries",
    "high_risk": "Countries of high risk or under sanctions",
    "crypto": "Crypto-assets",
}
_RANGES = (
    ("employers", "employer"),
    ("shells", "shell"),
    ("landlords", "landlord"),
    ("charities", "charity"),
    ("exchanges", "exchange"),
    ("billers", "biller"),
    *((kind, "outside") for kind in _OUTSIDE),
)
#: Sections of NACE Rev. 2 of those who have no choice of their own.
_SHELL_SECTOR, _LANDLORD_SECTOR = "M", "L"
#: Share of shells that a company of the place owns, and what their ultimate owner holds of that company.
_CHAINED, _LEAST_HELD, _MOST_HELD = 0.4, 0.26, 0.45
#: Share of companies with one owner; others have a second one.
_SOLE = 0.6
_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", np.uint8)


@lru_cache(maxsize=16)
def organisation_slots(block: int) -> tuple[Int64, NDArray[np.int8]]:
    """Slots of the organisations of a place, ascending, and the kind of each."""
    slots = ground.slots(block)
    found, kinds = [], []
    for name, kind in _RANGES:
        found.append(slots.first(name) + np.arange(slots.sizes[name]))
        kinds.append(np.full(slots.sizes[name], ORGANISATION_KINDS.index(kind), np.int8))
    every = np.concatenate(kinds)
    state = slots.first("billers") + slots.billers_n - 1
    slot = np.concatenate(found)
    every[slot == state] = ORGANISATION_KINDS.index("public")
    return slot, every


def organisations(scene: Scene) -> pa.Table:
    """One row per organisation at the place."""
    slots, place, n = scene.slots, scene.place, scene.slots.employers_n
    slot, kind = organisation_slots(scene.spec.block)
    first = slots.first("employers")
    employs = kind == ORGANISATION_KINDS.index("employer")
    pay_day, employees = np.zeros(slot.size, np.int8), np.zeros(slot.size, np.int32)
    pay_day[:n] = place.pay_day
    employees[:n] = np.bincount(place.employer[place.employer >= 0], minlength=n)
    failed = np.full(slot.size, NEVER)
    failed[:n] = np.where(
        place.failed < NEVER, np.where(place.failed < NEVER, place.failed, 0) * ground.SECOND_US, NEVER
    )
    sectors = _sectors(scene)
    outside = kind == ORGANISATION_KINDS.index("outside")
    ids = scene.part * slots.width + slot
    founded = scene.days_before("incorporated", ids, 1_300, 14_000)
    young = scene.days_before("incorporated", ids, 120, 2_500)
    founded = np.where(kind == ORGANISATION_KINDS.index("shell"), young, founded)
    return tables.build(
        SCHEMA["organisations"],
        {
            "organisation_id": scene.keys.rows("organisations", scene.part, slot - first),
            "kind": tables.category(kind, ORGANISATION_KINDS),
            "organisation_name": _names(scene),
            "sector": pa.array(sectors, pa.string()).dictionary_encode(),
            "employees": employees,
            "incorporated_on": tables.nulls(founded, outside),
            "place": scene.constant(slot.size),
            "pay_day": tables.nulls(pay_day, ~employs),
            "failed_at": tables.moments(scene.spec.start, failed),
        },
    )


def _names(scene: Scene) -> pa.Array:
    slots = scene.slots
    firms = slots.employers_n + slots.shells_n + slots.landlords_n
    ids = scene.part * slots.width + slots.first("employers") + np.arange(firms)
    own = [name for kind in ("charities", "exchanges") for name, _ in data.institutions(kind)]
    own += [biller.title for biller in data.billers()] + list(_OUTSIDE.values())
    return pa.concat_arrays([scene.named("company", "organisation-name", ids), pa.array(own)])


def _sectors(scene: Scene) -> list[str | None]:
    slots, known = scene.slots, data.sectors().names
    chosen = trade.sectors(scene.spec, scene.part, np.arange(slots.employers_n))
    found: list[str | None] = [known[code] for code in chosen]
    found += [_SHELL_SECTOR] * slots.shells_n + [_LANDLORD_SECTOR] * slots.landlords_n
    found += [sector for kind in ("charities", "exchanges") for _, sector in data.institutions(kind)]
    return found + [biller.sector for biller in data.billers()] + [None] * len(_OUTSIDE)


def merchants(scene: Scene) -> pa.Table:
    """One row per shop."""
    place, number = scene.place, np.arange(scene.slots.merchants_n)
    ids = scene.part * scene.slots.width + number
    mcc = np.array([MCCS.index(code) for code in data.shops().mcc], np.int16)
    return tables.build(
        SCHEMA["merchants"],
        {
            "merchant_id": scene.keys.rows("merchants", scene.part, number),
            "merchant_name": scene.named("company", "merchant-name", ids),
            "mcc": tables.category(mcc[place.shop], MCCS),
            "place": scene.constant(number.size),
            "opens_hour": place.opens.astype(np.int8),
            "closes_hour": place.closes.astype(np.int8),
            "acquired_on": scene.days_before("acquired", ids, 40, 3_600),
        },
    )


def ownerships(scene: Scene) -> pa.Table:
    """Shares of companies, shells and shops.

    Shops, landlords and most companies belong to one person. Four in ten shells belong to a company, of
    which their ultimate owner holds a quarter or more; so chains end in persons.
    """
    spec, slots, part = scene.spec, scene.slots, scene.part
    m, e, s, h = slots.merchants_n, slots.employers_n, slots.shells_n, slots.landlords_n
    where = {name: np.full(slots.sizes[name], part) for name in ("merchants", "employers", "shells")}
    of_shop, of_firm, of_shell = (
        ground.owner(spec, where[name], name, np.arange(where[name].size))  # type: ignore[arg-type]
        for name in where
    )
    company = np.arange(s) % e
    u = keyed_uniform(spec.seed, "shell-chain", part * slots.width + np.arange(s))
    # A company holds one shell at most, and nobody holds two shares of one company.
    chained = (u < _CHAINED) & (of_shell != of_firm[company]) & (np.arange(s) < e)
    held = np.round(_LEAST_HELD + (_MOST_HELD - _LEAST_HELD) * u / _CHAINED, 4)
    rest, second = np.zeros(e), np.full(e, -1, np.int64)
    firms = part * slots.width + np.arange(e)
    v = keyed_uniform(spec.seed, "second-owner", firms)
    partner = ground.someone(spec, np.full(e, part), keyed_uniform(spec.seed, "partner", firms))
    shared = (v >= _SOLE) & (partner != of_firm)
    rest[shared], second[shared] = (
        np.round(0.1 + 0.35 * (v[shared] - _SOLE) / (1 - _SOLE), 4),
        partner[shared],
    )
    rest[company[chained]], second[company[chained]] = held[chained], of_shell[chained]
    two = np.flatnonzero(second >= 0)
    landlord = ground.someone(
        spec, np.full(h, part), keyed_uniform(spec.seed, "landlord-owner", part * slots.width + np.arange(h))
    )
    firm = slots.first("employers")
    shell, lets = slots.first("shells") - firm + np.arange(s), slots.first("landlords") - firm + np.arange(h)
    number = np.concatenate([np.arange(m + e), m + e + two, m + 2 * e + np.arange(s + h)])
    none = np.full(m, -1)
    organisation = np.concatenate([none, np.arange(e), two, shell, lets])
    merchant = np.concatenate([np.arange(m), np.full(number.size - m, -1)])
    person = np.concatenate([of_shop, of_firm, second[two], np.where(chained, -1, of_shell), landlord])
    parent = np.full(number.size, -1)
    at = m + e + two.size
    parent[at : at + s] = np.where(chained, company, -1)
    share = np.concatenate([np.ones(m), 1 - rest, rest[two], np.ones(s + h)])
    officer = np.ones(number.size, np.bool_)
    officer[m + e : at] = False
    keys = scene.keys

    def keyed(table: str, ordinals: Int64) -> pa.Array:
        return tables.nulls(keys.rows(table, part, np.maximum(ordinals, 0)), ordinals < 0)

    return tables.build(
        SCHEMA["ownerships"],
        {
            "ownership_id": keys.rows("ownerships", part, number),
            "organisation_id": keyed("organisations", organisation),
            "merchant_id": keyed("merchants", merchant),
            "owner_customer_id": tables.nulls(keys.entities("customers", np.maximum(person, 0)), person < 0),
            "owner_organisation_id": keyed("organisations", parent),
            "share": np.round(share, 4),
            "is_officer": officer & (person >= 0),
        },
    )


def terminals(scene: Scene) -> pa.Table:
    """One row per till, web shop and cash machine."""
    slots, each, part = scene.slots, ground.TERMINALS_EACH, scene.part
    shop, machines = np.arange(slots.merchants_n), slots.banks_n * ground.MACHINES_EACH
    tills = ground.tills(scene.spec, np.full(shop.size, part), shop)
    column = np.arange(each)
    stands = (column < tills[:, None]) | (column == ground.WEB_SHOP)
    merchant, which = np.nonzero(stands)
    number = np.concatenate([each * merchant + which, each * shop.size + np.arange(machines)])
    kind = np.concatenate([(which == ground.WEB_SHOP).astype(np.int8), np.full(machines, 2, np.int8)])
    owner = np.concatenate([merchant, np.zeros(machines, np.int64)])
    return tables.build(
        SCHEMA["terminals"],
        {
            "terminal_id": scene.keys.rows("terminals", part, number),
            "merchant_id": tables.nulls(scene.keys.rows("merchants", part, owner), kind == 2),
            "kind": tables.category(kind, ("till", "web_shop", "cash_machine")),
            "code": _codes(scene.spec.seed, part * (each * shop.size + machines) + number),
            "place": scene.constant(number.size),
        },
    )


def _codes(seed: int, numbers: Int64) -> pa.Array:
    """Eight letters and digits for each number."""
    spread = Permutation(name_key(seed, "terminal-code"), 1 << 40).forward(numbers)
    return checks.to_strings(_LETTERS[(spread[:, None] >> (5 * np.arange(8))) & 31])
