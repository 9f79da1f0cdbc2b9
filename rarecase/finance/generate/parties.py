"""What payments need to know of the accounts that appear at a place: its own slots, then foreign ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.generate.place import Place, bank_of, shop_kinds

if TYPE_CHECKING:
    from rarecase.finance.generate.register import Register


@dataclass(frozen=True)
class Parties:
    """Accounts by index: slots of the part in [0, width), foreign ones after them.

    Attributes
    ----------
    account, merchant, card
        Keys; 0 where there is none.
    bank, country, currency
        Number of the bank, -1 outside; codes of country and currency. A bank in two countries is two banks.
    customer
        The holder's number in the place, -1 for others.
    shop
        Kind of merchant, -1 for others.
    place, slot
        Number of the place, and slot there.
    terminal_first, terminals
        Where the keys of its terminals begin in `terminal`, -1 for none; how many tills or machines.
    terminal
        Keys of terminals.
    opening, limit
        Of the part's own accounts, shape (width,).
    device, next_device, switch, seen
        Of the place's customers, shape (people,): keys, the second from which the next device is used, and
        when the first one was seen.
    home_ip, mobile_ip
        Keys of the networks of the place's customers, shape (people,).
    """

    account: Int64
    merchant: Int64
    card: Int64
    bank: NDArray[np.int8]
    country: NDArray[np.int8]
    currency: NDArray[np.int8]
    customer: NDArray[np.int32]
    shop: NDArray[np.int16]
    place: NDArray[np.int32]
    slot: NDArray[np.int32]
    terminal_first: NDArray[np.int32]
    terminals: NDArray[np.int8]
    terminal: Int64
    opening: Int64
    limit: Int64
    device: Int64
    next_device: Int64
    switch: Int64
    seen: Int64
    home_ip: Int64
    mobile_ip: Int64


def parties(plan: Plan, place: Place, register: Register, foreign: Int64) -> Parties:
    """The accounts of a place and those `foreign` ones (relative addresses, ascending) that appear there."""
    spec, keys, slots = plan.spec, plan.keys, ground.slots(plan.spec.block)
    width = slots.width
    there, slot = np.divmod(foreign + place.part * width, width)
    at = np.concatenate([np.full(width, place.part), there])
    slot = np.concatenate([np.arange(width), slot])
    number = slot - slots.first("merchants")
    sells = np.flatnonzero((number >= 0) & (number < slots.merchants_n))
    merchant, shop = np.zeros(slot.size, np.int64), np.full(slot.size, -1, np.int16)
    merchant[sells] = keys.part_rows("merchants", at[sells], number[sells])
    shop[sells] = shop_kinds(spec, at[sells], number[sells])  # type: ignore[arg-type]
    first, count, terminal = _terminals(plan, at, slot, sells, number)
    card = np.zeros(slot.size, np.int64)
    for kind, which in (("current", 0), ("card", 1)):
        who = slot - slots.first(kind)
        has = np.flatnonzero((who >= 0) & (who < slots.block))
        card[has] = keys.part_rows("cards", at[has], 2 * who[has] + which)
    customer = np.full(slot.size, -1, np.int32)
    held = slot < slots.first("merchants")
    customer[held] = slot[held] % slots.block
    home, mobile = ground.network_ordinals(spec, place.customers)
    devices = register.devices
    return Parties(
        account=keys.part_rows("accounts", at, slot),
        merchant=merchant,
        card=card,
        bank=np.concatenate([place.bank, bank_of(spec, at[width:], slot[width:])]).astype(np.int8),  # type: ignore[arg-type]
        country=ground.country(spec, at).astype(np.int8),
        currency=ground.currency(spec, at).astype(np.int8),
        customer=customer,
        shop=shop,
        place=at.astype(np.int32),
        slot=slot.astype(np.int32),
        terminal_first=first,
        terminals=count,
        terminal=terminal,
        opening=place.opening,
        limit=place.limit,
        device=devices.first,
        next_device=devices.second,
        switch=devices.switch,
        seen=devices.seen,
        home_ip=keys.rows("ip_addresses", place.part, home),
        mobile_ip=keys.rows("ip_addresses", place.part, mobile),
    )


def _terminals(
    plan: Plan, at: Int64, slot: Int64, sells: Int64, number: Int64
) -> tuple[NDArray[np.int32], NDArray[np.int8], Int64]:
    slots, each = ground.slots(plan.spec.block), ground.TERMINALS_EACH
    machines = slots.banks_n * ground.MACHINES_EACH
    cash = np.flatnonzero(slot == slots.first("cash"))
    first, count = np.full(slot.size, -1, np.int32), np.zeros(slot.size, np.int8)
    first[sells] = each * np.arange(sells.size)
    count[sells] = ground.tills(plan.spec, at[sells], number[sells])
    first[cash] = each * sells.size + machines * np.arange(cash.size)
    count[cash] = machines
    ordinals = [
        (each * number[sells][:, None] + np.arange(each)).ravel(),
        np.tile(each * slots.merchants_n + np.arange(machines), cash.size),
    ]
    where = np.concatenate([np.repeat(at[sells], each), np.repeat(at[cash], machines)])
    return first, count, plan.keys.part_rows("terminals", where, np.concatenate(ordinals))
