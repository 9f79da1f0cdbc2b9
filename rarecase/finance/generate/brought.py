"""What cases bring to the register of a place: devices, networks, changed contacts, accounts and cards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import EDITS, Devices, Edits, Networks, NewCards
from rarecase.finance.plan import Details

#: Devices and networks of one case, at most; their keys are numbered by it.
MOST_EACH = 64


@dataclass(frozen=True)
class Brought:
    """Rows of a place's register that cases create or change.

    Attributes
    ----------
    devices, device_id
        Devices that sign in for customers of the place, and their keys.
    networks, ip_id, network_home
        Addresses of cases whose home lives in the place, their keys, and the homes.
    edits
        Changes to customers of the place.
    new_cards, replacement_id
        Replaced cards of customers of the place, and the keys of the replacements.
    """

    devices: Devices
    device_id: Int64
    networks: Networks
    ip_id: Int64
    network_home: Int64
    edits: Edits
    new_cards: NewCards
    replacement_id: Int64


def brought(plan: Plan, low: int, high: int) -> Brought:
    """What the cases bring to the customers [low, high)."""
    details: Details = plan.details
    devices = details.devices.take(_within(details.devices.customer, low, high))
    networks = details.networks.take(_within(details.home[details.networks.case], low, high))
    cards = _within(details.new_cards.customer, low, high)
    new_cards = details.new_cards.take(cards)
    home = details.home
    return Brought(
        devices=devices,
        device_id=plan.keys.case_rows("devices", home[devices.case], devices.number),
        networks=networks,
        ip_id=plan.keys.case_rows("ip_addresses", home[networks.case], networks.number),
        network_home=home[networks.case],
        edits=details.edits.take(_within(details.edits.customer, low, high)),
        new_cards=new_cards,
        replacement_id=plan.keys.case_rows(
            "card_replacements", home[new_cards.case], _nth(details.new_cards.case)[cards]
        ),
    )


def raised_limits(plan: Plan, low: int, limit: Int64, came: Brought) -> Int64:
    """How far each slot of the place that begins with customer `low` may go below zero, as cases leave it."""
    rows = np.flatnonzero(came.edits.what == EDITS.index("card_limit"))
    edited = limit.copy()
    first = ground.slots(plan.spec.block).first("card")
    edited[first + came.edits.customer[rows] - low] = came.edits.value[rows]
    return edited


def _within(customers: Int64, low: int, high: int) -> Int64:
    return np.flatnonzero((customers >= low) & (customers < high))


def _nth(case: Int64) -> Int64:
    """How many rows of the same case stand before each."""
    order = np.argsort(case, kind="stable")
    ranked = case[order]
    number = np.empty(case.size, np.int64)
    number[order] = np.arange(case.size) - np.searchsorted(ranked, ranked)
    return number
