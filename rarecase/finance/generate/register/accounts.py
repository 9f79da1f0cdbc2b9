"""The table of accounts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rarecase.common import identifiers, tables
from rarecase.common.identifiers.makers import permutation
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import EDITS
from rarecase.finance.generate.banks import bank_key
from rarecase.finance.generate.living import opened_second
from rarecase.finance.generate.place import UNLIMITED
from rarecase.finance.generate.register.scene import Scene, slept_days
from rarecase.finance.schema import ACCOUNT_KINDS, CURRENCIES, HOLDERS, SCHEMA

#: Holder and kind of the accounts of each range of slots.
_RANGES = {
    "current": ("customer", "current"),
    "savings": ("customer", "savings"),
    "card": ("customer", "card"),
    "loan": ("customer", "loan"),
    "second": ("customer", "second"),
    "merchants": ("merchant", "business"),
    "employers": ("organisation", "business"),
    "shells": ("organisation", "business"),
    "landlords": ("organisation", "business"),
    "charities": ("organisation", "business"),
    "exchanges": ("organisation", "business"),
    "billers": ("organisation", "business"),
    "branches": ("bank", "branch"),
    "settlement": ("bank", "settlement"),
    "position": ("bank", "position"),
    "biller_treasury": ("organisation", "treasury"),
    "bank_treasury": ("bank", "treasury"),
    **dict.fromkeys(ground.OUTSIDE, ("organisation", "outside")),
}
#: Codes of banks that no register has assigned, and digits of an account, where there is no IBAN.
_DOMESTIC = {"US": ("99000000", 10), "AU": ("999-00", 9), "CZ": ("999", 10)}
#: Days before the data within which accounts in use were used last.
_USED_DAYS = 25


@lru_cache(maxsize=16)
def _kinds(block: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Codes of holder and kind of every slot."""
    sizes = ground.slots(block).sizes
    pairs = [_RANGES[name] for name in sizes]
    number = list(sizes.values())
    holder = np.repeat([HOLDERS.index(holder) for holder, _ in pairs], number)
    kind = np.repeat([ACCOUNT_KINDS.index(kind) for _, kind in pairs], number)
    return holder.astype(np.int8), kind.astype(np.int8)


def accounts(scene: Scene) -> pa.Table:
    """One row per account, with the second accounts that cases open and the limits that they change."""
    slots, place, spec, keys, part = scene.slots, scene.place, scene.spec, scene.keys, scene.part
    opened, limit = _opened(scene), place.limit.copy()
    _edit(scene, opened, limit)
    slot = np.flatnonzero(opened > -UNLIMITED)
    key = keys.rows("accounts", part, slot)
    order = np.argsort(key)
    slot, key = slot[order], key[order]
    holders, kinds = _kinds(spec.block)
    holder, kind = holders[slot], kinds[slot]
    outside = kind == ACCOUNT_KINDS.index("outside")
    customer = holder == HOLDERS.index("customer")
    merchant = holder == HOLDERS.index("merchant")
    organisation = holder == HOLDERS.index("organisation")
    address = part * slots.width + slot
    bank = np.maximum(place.bank[slot], 0)
    iban, domestic = _numbers(scene, address, bank, outside)
    who = np.where(customer, slot % slots.block, 0)
    treasury = slot - slots.first("biller_treasury")
    held = np.where(
        (treasury >= 0) & (treasury < slots.billers_n), slots.first("billers") + treasury, slot
    ) - slots.first("employers")
    used = _used(scene, slot, address, opened[slot])
    currency = np.full(slot.size, CURRENCIES.index(scene.currency), np.int8)
    return tables.build(
        SCHEMA["accounts"],
        {
            "account_id": key,
            "bank_id": tables.nulls(bank_key(keys, spec, part, np.arange(slots.banks_n))[bank], outside),
            "iban": iban,
            "domestic_number": domestic,
            "holder": tables.category(holder, HOLDERS),
            "kind": tables.category(kind, ACCOUNT_KINDS),
            "customer_id": tables.nulls(keys.entities("customers", place.low + who), ~customer),
            "merchant_id": tables.nulls(
                keys.rows("merchants", part, np.where(merchant, slot - slots.first("merchants"), 0)),
                ~merchant,
            ),
            "organisation_id": tables.nulls(
                keys.rows("organisations", part, np.where(organisation, held, 0)), ~organisation
            ),
            "place": scene.constant(slot.size),
            "currency": tables.category(currency, CURRENCIES),
            "opened_on": scene.date(opened[slot]),
            "last_used_on": tables.nulls(scene.date(-used), used < 1),
            "opening_balance_minor": place.opening[slot],
            "credit_limit_minor": tables.nulls(limit[slot], limit[slot] >= UNLIMITED),
        },
    )


def _opened(scene: Scene) -> Int64:
    """Days after the start on which each slot's account was opened; less than all where there is none."""
    slots, place, spec = scene.slots, scene.place, scene.spec
    ids = scene.part * slots.width + np.arange(slots.width)
    opened = -30 - keyed_integers(spec.seed, "opened", ids, 5_970)
    since = scene.onboarded
    later = keyed_uniform(spec.seed, "opened-later", ids)
    for kind in ("savings", "card", "loan", "second"):
        first = slots.first(kind)
        own = np.rint(20 + later[first : first + place.n] * (since - 20)).astype(np.int64)
        opened[first : first + place.n] = -own
    opened[: place.n] = -since
    second, first = ground.second_account(spec, place.customers), slots.first("second")
    asleep, fresh = np.flatnonzero(second == ground.SLEEPING), np.flatnonzero(second == ground.FRESH)
    slept = slept_days(spec, place.customers[asleep])
    opened[first + asleep] = -slept - np.rint(later[first + asleep] * (since[asleep] - slept)).astype(
        np.int64
    )
    opened[first + fresh] = opened_second(spec, place.customers[fresh]) // ground.DAY_S
    new = np.flatnonzero(place.loans.start >= 0)
    opened[slots.first("loan") + new] = place.loans.start[new] // ground.DAY_S
    opened[~place.exists] = -UNLIMITED
    return opened


def _edit(scene: Scene, opened: Int64, limit: Int64) -> None:
    """What cases change: second accounts that they open, and limits of cards."""
    slots, edits, low = scene.slots, scene.came.edits, scene.place.low
    rows = np.flatnonzero(edits.what == EDITS.index("second_account"))
    at = slots.first("second") + edits.customer[rows] - low
    new = np.flatnonzero(opened[at] == -UNLIMITED)
    opened[at[new]] = edits.value[rows[new]] // ground.DAY_S
    rows = np.flatnonzero(edits.what == EDITS.index("card_limit"))
    limit[slots.first("card") + edits.customer[rows] - low] = edits.value[rows]


def _used(scene: Scene, slot: Int64, address: Int64, opened: Int64) -> Int64:
    """Days before the start of the last use, 0 where there was none."""
    slots = scene.slots
    used = 1 + keyed_integers(scene.spec.seed, "last-used", address, _USED_DAYS)
    used = np.minimum(used, np.maximum(-opened, 0))
    number = slot - slots.first("second")
    rows = np.flatnonzero((number >= 0) & (number < scene.place.n))
    who = scene.place.customers[number[rows]]
    asleep = ground.second_account(scene.spec, who) == ground.SLEEPING
    used[rows[asleep]] = slept_days(scene.spec, who[asleep])
    return used


def _numbers(
    scene: Scene, address: Int64, bank: Int64, outside: NDArray[np.bool_]
) -> tuple[pa.Array, pa.Array]:
    """IBANs, or domestic numbers in countries that have none; null for the world outside."""
    none = pa.nulls(address.size, pa.string())
    spec, country = scene.spec, scene.country
    if data.countries().has_iban[scene.nation]:
        found = identifiers.iban(address, bank, seed=spec.seed, country=country, mode=spec.identifiers)
        return pc.if_else(pa.array(outside), pa.scalar(None, pa.string()), found), none
    head, digits = _DOMESTIC[country]
    spread = permutation(spec.seed, f"domestic-{country}", spec.identifiers, 10**digits).forward(address)
    account = pc.utf8_lpad(pa.array(spread).cast(pa.string()), digits, "0")
    code = pc.binary_join_element_wise(pa.scalar(head), pa.array(bank).cast(pa.string()), "")
    # In Czechia the bank follows the account.
    pair = (account, code, "/") if country == "CZ" else (code, account, " ")
    found = pc.binary_join_element_wise(*pair)
    return none, pc.if_else(pa.array(outside), pa.scalar(None, pa.string()), found)
