"""The tables of who is who at a place: customers, firms, shops, accounts, cards, devices and networks."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from rarecase.common.plan import Plan
from rarecase.finance.generate.brought import Brought
from rarecase.finance.generate.maker import Flow
from rarecase.finance.generate.place import Place
from rarecase.finance.generate.register import accounts, cards, devices, firms, people, where
from rarecase.finance.generate.register.devices import Devices
from rarecase.finance.generate.register.scene import Scene

__all__ = ["Devices", "Register"]


class Register:
    """The tables of one place, with what cases bring to them.

    Parameters
    ----------
    plan, place
        The plan, and the place.
    came
        What cases bring (`brought.brought`).

    Attributes
    ----------
    devices
        Keys and moments of the devices that each customer uses.
    """

    def __init__(self, plan: Plan, place: Place, came: Brought) -> None:
        self.scene = Scene(plan, place, came)
        self.devices: Devices = devices.devices_of(self.scene)

    def enrol(self, orders: Sequence[Flow]) -> None:
        """Let people enrol new devices soon before an ordinary order, where they have one.

        Parameters
        ----------
        orders
            What the ordinary world orders, addresses relative to the place.
        """
        self.devices = devices.enrolled(self.scene, self.devices, orders)

    def tables(self) -> dict[str, pa.Table]:
        """Every table of the register; rows in no order that tells anything of cases."""
        scene = self.scene
        return {
            "places": where.places(scene),
            "banks": where.banks(scene),
            "fx_rates": where.fx_rates(scene),
            "households": people.households(scene),
            "customers": people.customers(scene),
            "organisations": firms.organisations(scene),
            "merchants": firms.merchants(scene),
            "ownerships": firms.ownerships(scene),
            "terminals": firms.terminals(scene),
            "accounts": accounts.accounts(scene),
            "cards": cards.cards(scene),
            "card_replacements": cards.replacements(scene),
            "devices": devices.device_table(scene, self.devices),
            "ip_addresses": devices.ip_table(scene),
        }
