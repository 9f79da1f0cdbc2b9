"""The tables of who is who at a place: customers, firms, shops, accounts, cards and devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common import identifiers, names, tables
from rarecase.common.compiled import compiled
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.ledger import Booked
from rarecase.finance.generate.place import UNLIMITED, Place, hosts, shop_kinds
from rarecase.finance.generate.settle import Parties
from rarecase.finance.schema import (
    ACCOUNT_KINDS,
    BRANDS,
    COUNTRY,
    CURRENCY,
    HOLDERS,
    MCCS,
    ORGANISATION_KINDS,
    PLATFORMS,
    SCHEMA,
    SEGMENTS,
)
from rarecase.finance.spec import FinanceSpec

_LOCALE = "de_DE"
_ENDINGS = ("stedt", "hausen", "rode", "heim", "felde", "walde")
_DEVICE_LIFE_DAYS = 800.0
#: Share of new devices that are enrolled to pay at once, and the law of the time until then.
_ENROL_TO_PAY, _LEAD_S, _LEAD_LOG_SD = 0.7, 3_600.0, 2.0
_PLATFORM_SHARES = np.cumsum([0.44, 0.31, 0.16, 0.07, 0.02])
_RANGES = (
    # first slot, holder, kind of account
    ("current", "customer", "current"),
    ("savings", "customer", "savings"),
    ("merchants", "merchant", "business"),
    ("employers", "organisation", "business"),
    ("landlords", "organisation", "business"),
    ("billers", "organisation", "business"),
    ("branches", "bank", "branch"),
    ("biller_treasury", "organisation", "treasury"),
    ("bank_treasury", "bank", "treasury"),
    ("cash", "organisation", "outside"),
    ("world", "organisation", "outside"),
)


@dataclass(frozen=True)
class Devices:
    """The two devices that each customer may use in turn: keys, and the second of the change."""

    first: Int64
    second: Int64
    switch: Int64
    seen: Int64


class Register:
    """The tables of one place and the keys that its payments refer to."""

    def __init__(self, plan: Plan, place: Place) -> None:
        assert isinstance(plan.spec, FinanceSpec)
        self.plan, self.place, self.spec = plan, place, plan.spec
        self.slots, self.keys, self.part = ground.slots(plan.spec.block), plan.keys, place.part
        self.customer_id = self.keys.entities("customers", place.customers)
        self.card_id = self.keys.entities("cards", place.customers)
        self.account_id = self.keys.rows("accounts", self.part, np.arange(self.slots.width))
        self.merchant_id = self.keys.rows("merchants", self.part, np.arange(self.slots.merchants_n))
        self.organisation_id = self.keys.rows(
            "organisations", self.part, np.arange(self.slots.width - self.slots.first("employers"))
        )
        #: Days before the start on which each customer came.
        self.onboarded = 400 + keyed_integers(self.spec.seed, "onboarded", place.customers, 6_600)
        self.devices = self._devices()

    def parties(self, foreign: Int64) -> Parties:
        """What payments need to know of accounts: those of the place, then `foreign` relative addresses."""
        width, n = self.slots.width, self.place.n
        address = foreign + self.part * width
        there, slot = np.divmod(address, width)
        size = width + foreign.size
        account = np.concatenate([self.account_id, self.keys.part_rows("accounts", there, slot)])
        merchant, shop = np.zeros(size, np.int64), np.full(size, -1, np.int16)
        first = self.slots.first("merchants")
        merchant[first : first + self.slots.merchants_n] = self.merchant_id
        shop[first : first + self.slots.merchants_n] = self.place.shop
        far = np.flatnonzero((slot >= first) & (slot < self.slots.first("employers")))
        number = slot[far] - first
        merchant[width + far] = self.keys.part_rows("merchants", there[far], number)
        shop[width + far] = shop_kinds(self.spec, there[far], number)
        own = {name: np.zeros(size, np.int64) for name in ("card", "device", "next_device", "switch")}
        own["card"][:n], own["switch"][:n] = self.card_id, self.devices.switch
        own["device"][:n], own["next_device"][:n] = self.devices.first, self.devices.second
        place = np.concatenate([np.full(width, self.part), there]).astype(np.int32)
        return Parties(
            account=account,
            merchant=merchant,
            shop=shop,
            place=place,
            opening=self.place.opening,
            limit=self.place.limit,
            **own,
        )

    def tables(self) -> dict[str, pa.Table]:
        """The register's tables, without devices that cases bring."""
        return {
            "places": self._places(),
            "banks": self._banks(),
            "customers": self._customers(),
            "organisations": self._organisations(),
            "merchants": self._merchants(),
            "accounts": self._accounts(),
            "cards": self._cards(),
        }

    def device_rows(self, homes: Int64, seen: Int64) -> pa.Table:
        """Devices of the place's customers, with those that cases bring at given seconds."""
        second = np.flatnonzero(self.devices.switch < NEVER)
        customers = np.concatenate([self.place.customers, self.place.customers[second], homes])
        ids = np.concatenate(
            [
                self.devices.first,
                self.devices.second[second],
                self.keys.case_rows("devices", homes, np.zeros(homes.size, np.int64)),
            ]
        )
        moments = np.concatenate([self.devices.seen, self.devices.switch[second], seen])
        # Rows of cases must not stand at the end: the keys say nothing, so their order says nothing either.
        order = np.argsort(ids, kind="stable")
        platform = np.searchsorted(
            _PLATFORM_SHARES, keyed_uniform(self.spec.seed, "platform", ids), side="right"
        )
        return tables.build(
            SCHEMA["devices"],
            {
                "device_id": ids[order],
                "customer_id": self.keys.entities("customers", customers[order]),
                "platform": tables.category(np.minimum(platform[order], 4).astype(np.int8), PLATFORMS),
                "first_seen_at": tables.timestamps(self.spec.start, moments[order] * ground.SECOND_US),
            },
        )

    def _devices(self) -> Devices:
        who, seed = self.place.customers, self.spec.seed
        life = -_DEVICE_LIFE_DAYS * np.log1p(-keyed_uniform(seed, "device-life", who))
        switch = np.where(life < self.spec.days, (life * ground.DAY_S).astype(np.int64), NEVER)
        ordinals = 2 * (who - self.place.low)
        age = np.minimum(_DEVICE_LIFE_DAYS, self.onboarded - 1) * keyed_uniform(seed, "device-age", who)
        seen = -(age * ground.DAY_S).astype(np.int64) - 60
        return Devices(
            self.keys.rows("devices", self.part, ordinals),
            self.keys.rows("devices", self.part, ordinals + 1),
            switch,
            seen,
        )

    def enrol(self, orders: list[Booked]) -> None:
        """Most people enrol a new device because they want to pay: soon before an ordinary order.

        Parameters
        ----------
        orders
            What the ordinary world books, addresses relative to the place.
        """
        n, who = self.place.n, self.place.customers
        planned = self.devices.switch
        order = np.full(n, NEVER)
        for booked in orders:
            _next_order(booked.second, booked.payer, booked.way, data.ways().device, planned, order)
        u = keyed_uniform(self.spec.seed, "enrol", who)
        normal = ndtri(np.clip(keyed_uniform(self.spec.seed, "enrol-lead", who), 1e-9, 1 - 1e-9))
        lead = np.maximum(_LEAD_S * np.exp(_LEAD_LOG_SD * normal), 20).astype(np.int64)
        soon = (u < _ENROL_TO_PAY) & (order < NEVER)
        switch = np.where(soon, np.maximum(order - lead, 0), planned)
        self.devices = replace(self.devices, switch=switch)

    def _opened(self, slot: Int64, address: Int64, customer: Int64, which: Int64) -> NDArray[np.generic]:
        """Current accounts open when their customers come, savings accounts then or later."""
        since = self.onboarded[customer * (which < 2)]
        later = keyed_uniform(self.spec.seed, "opened", address)
        days = 30 + keyed_integers(self.spec.seed, "opened", address, 5_970)
        days = np.where(which == 0, since, np.where(which == 1, 30 + later * (since - 30), days))
        return np.asarray(np.datetime64(self.spec.start, "D") - days.astype(np.int64))

    def _date(self, name: str, ids: Int64, least: int, most: int) -> NDArray[np.generic]:
        days = keyed_integers(self.spec.seed, name, ids, most - least) + least
        return np.datetime64(self.spec.start, "D") - days

    def _places(self) -> pa.Table:
        families = names.pool("last_name", 300, locale=_LOCALE)
        # Names of families with the endings of villages: no such town is meant, though one may exist.
        again, number = divmod(self.part, len(families))
        town = f"{families[number]}{_ENDINGS[again % len(_ENDINGS)]}"
        if again >= len(_ENDINGS):
            town += f" {again // len(_ENDINGS) + 1}"
        return tables.build(
            SCHEMA["places"],
            {
                "place": np.array([self.part], np.int32),
                "town": tables.constant(town, 1),
                "postcode": tables.constant(f"{self.part % 100_000:05d}", 1),
                "country": tables.constant(COUNTRY, 1),
            },
        )

    def _banks(self) -> pa.Table:
        every = np.arange(self.slots.banks_n)
        here = every[hosts(self.spec, every, "bank") == self.part]
        bank_names = data.banks()[0]
        bics = identifiers.bic(here, seed=self.spec.seed, country=COUNTRY)
        return tables.build(
            SCHEMA["banks"],
            {
                "bank_id": self.bank_ids(here),
                "bank_name": tables.category(np.arange(here.size), [bank_names[bank] for bank in here]),
                "bic": bics.dictionary_encode(),
                "country": tables.constant(COUNTRY, here.size),
                "place": np.full(here.size, self.part, np.int32),
            },
        )

    def bank_ids(self, banks: Int64) -> Int64:
        """Keys of banks by number."""
        return self.keys.part_rows("banks", hosts(self.spec, banks, "bank"), banks)

    def _customers(self) -> pa.Table:
        place, seed, who = self.place, self.spec.seed, self.place.customers
        mode = self.spec.identifiers
        age_low = np.array([20, 25, 62, 18])[place.segment]
        age_high = np.array([64, 68, 92, 27])[place.segment]
        age = age_low + keyed_uniform(seed, "age", who) * (age_high - age_low)
        born = np.datetime64(self.spec.start, "D") - (age * 365.25).astype(np.int64)
        return tables.build(
            SCHEMA["customers"],
            {
                "customer_id": self.customer_id,
                "place": np.full(place.n, place.part, np.int32),
                "full_name": self._person_names(),
                "birth_date": born,
                "segment": tables.category(place.segment.astype(np.int8), SEGMENTS),
                "monthly_income_minor": place.income,
                "email": identifiers.make("email", who, seed=seed, mode=mode),
                "phone": identifiers.make("phone_de", who, seed=seed, mode=mode, repeat=True),
                "street": self._streets(who),
                "onboarded_on": np.datetime64(self.spec.start, "D") - self.onboarded,
            },
        )

    def _person_names(self) -> pa.Array:
        who, seed = self.place.customers, self.spec.seed
        women = names.pool("first_name_female", 300, locale=_LOCALE)
        men = names.pool("first_name_male", 300, locale=_LOCALE)
        chosen = keyed_integers(seed, "first-name", who, len(women) + len(men))
        return pc.binary_join_element_wise(
            _words(women + men, chosen),
            _words(
                names.pool("last_name", 1_000, locale=_LOCALE),
                keyed_integers(seed, "last-name", who, len(names.pool("last_name", 1_000, locale=_LOCALE))),
            ),
            " ",
        )

    def _streets(self, who: Int64) -> pa.Array:
        streets = names.pool("street", 400, locale=_LOCALE)
        number = pa.array(1 + keyed_integers(self.spec.seed, "house", who, 120)).cast(pa.string())
        chosen = _words(streets, keyed_integers(self.spec.seed, "street", who, len(streets)))
        return pc.binary_join_element_wise(chosen, number, " ")

    def _organisations(self) -> pa.Table:
        slots = self.slots
        ranges = (
            ("employers", slots.employers_n, "employer"),
            ("landlords", slots.landlords_n, "landlord"),
            ("billers", slots.billers_n - 1, "biller"),
        )
        first = slots.first("employers")
        slot = np.concatenate(
            [slots.first(name) + np.arange(number) for name, number, _ in ranges]
            + [
                np.array(
                    [slots.first("billers") + slots.billers_n - 1, slots.first("cash"), slots.first("world")]
                )
            ]
        )
        kinds = [kind for _, number, kind in ranges for _ in range(number)] + ["public", "outside", "outside"]
        code = np.array([ORGANISATION_KINDS.index(kind) for kind in kinds], np.int8)
        employs = code == ORGANISATION_KINDS.index("employer")
        pay_day = np.zeros(slot.size, np.int8)
        pay_day[employs] = self.place.pay_day
        companies = self._companies(
            "organisation", self.part * slots.width + slot[: slots.employers_n + slots.landlords_n]
        )
        own = [biller.title for biller in data.billers()] + ["Cash in circulation", "World outside"]
        return tables.build(
            SCHEMA["organisations"],
            {
                "organisation_id": self.organisation_id[slot - first],
                "kind": tables.category(code, ORGANISATION_KINDS),
                "organisation_name": pa.concat_arrays([companies, pa.array(own)]),
                "place": np.full(slot.size, self.part, np.int32),
                "pay_day": tables.nulls(pay_day, ~employs),
            },
        )

    def _companies(self, what: str, ids: Int64) -> pa.Array:
        pool = names.pool("company", 2_000, locale=_LOCALE)
        return _words(pool, keyed_integers(self.spec.seed, f"{what}-name", ids, len(pool)))

    def _merchants(self) -> pa.Table:
        slots = self.slots
        mcc = np.array([MCCS.index(code) for code in data.shops().mcc], np.int16)
        return tables.build(
            SCHEMA["merchants"],
            {
                "merchant_id": self.merchant_id,
                "merchant_name": self._companies(
                    "merchant", self.part * slots.width + np.arange(slots.merchants_n)
                ),
                "mcc": tables.category(mcc[self.place.shop], MCCS),
                "place": np.full(slots.merchants_n, self.part, np.int32),
            },
        )

    def _accounts(self) -> pa.Table:
        slots, place = self.slots, self.place
        slot = np.flatnonzero(place.exists)
        starts = np.array([slots.first(name) for name, _, _ in _RANGES])
        which = np.searchsorted(starts, slot, side="right") - 1
        holder = np.array([HOLDERS.index(name) for _, name, _ in _RANGES], np.int8)[which]
        kind = np.array([ACCOUNT_KINDS.index(name) for _, _, name in _RANGES], np.int8)[which]
        outside = kind == ACCOUNT_KINDS.index("outside")
        # The world outside holds cash and everything else, each under a holder of its own.
        customer = slot % slots.block * (which < 2)
        merchant = (slot - slots.first("merchants")) * (which == 2)
        organisation = slot - slots.first("employers")
        treasury = which == 7
        organisation = np.where(
            treasury,
            slot - slots.first("biller_treasury") + slots.first("billers") - slots.first("employers"),
            organisation,
        )
        held = holder == HOLDERS.index("organisation")
        address = self.part * slots.width + slot
        bank = np.maximum(place.bank[slot], 0)
        ibans = identifiers.iban(
            address, bank, seed=self.spec.seed, country=COUNTRY, mode=self.spec.identifiers
        )
        return tables.build(
            SCHEMA["accounts"],
            {
                "account_id": self.account_id[slot],
                "bank_id": tables.nulls(self.bank_ids(np.arange(slots.banks_n))[bank], outside),
                "iban": pc.if_else(pa.array(outside), pa.scalar(None, pa.string()), ibans),
                "holder": tables.category(holder, HOLDERS),
                "kind": tables.category(kind, ACCOUNT_KINDS),
                "customer_id": tables.nulls(self.customer_id[customer], which >= 2),
                "merchant_id": tables.nulls(self.merchant_id[merchant], which != 2),
                "organisation_id": tables.nulls(self.organisation_id[organisation * held], ~held),
                "place": np.full(slot.size, self.part, np.int32),
                "currency": tables.constant(CURRENCY, slot.size),
                "opened_on": self._opened(slot, address, customer, which),
                "opening_balance_minor": place.opening[slot],
                "credit_limit_minor": tables.nulls(place.limit[slot], place.limit[slot] >= UNLIMITED),
            },
        )

    def _cards(self) -> pa.Table:
        who = self.place.customers
        mode = self.spec.identifiers
        credit = (keyed_uniform(self.spec.seed, "card-type", who) >= 0.25).astype(np.int8)
        return tables.build(
            SCHEMA["cards"],
            {
                "card_id": self.card_id,
                "account_id": self.account_id[: self.place.n],
                "customer_id": self.customer_id,
                "pan": identifiers.make("pan", who, seed=self.spec.seed, mode=mode),
                "card_type": tables.category(credit, BRANDS),
                "expires_on": self._date("expires", who, -1_800 - self.spec.days, -100 - self.spec.days),
            },
        )


@compiled
def _next_order(
    second: Int64, payer: Int64, way: NDArray[np.int8], orders: NDArray[np.bool_], since: Int64, found: Int64
) -> None:
    """Lowers `found` to each customer's first order from `since` on."""
    for i in range(second.size):
        who = payer[i]
        if 0 <= who < since.size and orders[way[i]] and since[who] <= second[i] < found[who]:
            found[who] = second[i]


def _words(pool: Sequence[str], codes: Int64) -> pa.Array:
    return pa.array(list(pool), pa.string()).take(pa.array(codes))
