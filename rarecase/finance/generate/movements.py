"""The ledger's columns as the tables transactions, entries, declines and counterparties."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common import tables
from rarecase.common.compiled import compiled
from rarecase.common.keys import KeySpace
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64, UInt64, mix64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase
from rarecase.finance.generate.booking import available_seconds
from rarecase.finance.generate.brought import Brought
from rarecase.finance.generate.ledger import GAINED, HERE, Ordered
from rarecase.finance.generate.parties import Parties
from rarecase.finance.generate.settle import Ledger
from rarecase.finance.plan import Details
from rarecase.finance.schema import (
    CURRENCIES,
    DECLINE_REASONS,
    MCCS,
    PAYEE_CHECKS,
    SCHEMA,
    THREE_DS,
)

Int8 = NDArray[np.int8]
#: Outcomes in the order of the schema: how often a payee's name fits, and how 3-D Secure goes (own choice).
_CHECK_EDGES = (np.cumsum([0.93, 0.045, 0.003]) * 1024).astype(np.int64)
_THREE_DS_EDGES = (np.cumsum([0.72, 0.25]) * 1024).astype(np.int64)
_RESPONSES = ("51", "62", "62", "59", "55", "14", "54", "61")
_CODES = ("14", "51", "54", "55", "59", "61", "62")
#: Of 1,024 payees of ordinary transfers so many are new to the payer; others are known for at most so long.
_NEW_PAYEE_BITS, _MOST_KNOWN_DAYS = 124, 800


@dataclass(frozen=True)
class Means:
    """How each order of some was given: keys (0 for none) and codes (-1 for none), columns of one length."""

    merchant: Int64
    shop: NDArray[np.int16]
    terminal: Int64
    card: Int64
    device: Int64
    device_age: NDArray[np.int32]
    ip: Int64
    three_ds: Int8
    payee_check: Int8


_KINDS = (np.int64, np.int16, np.int64, np.int64, np.int64, np.int32, np.int64, np.int8, np.int8)


@lru_cache(maxsize=16)
def _codes(column: str) -> Int8:
    return data.ways().codes(column)


@lru_cache(maxsize=1)
def _mcc_of_kind() -> NDArray[np.int16]:
    return np.array([MCCS.index(code) for code in data.shops().mcc], np.int16)


@lru_cache(maxsize=1)
def _traits() -> NDArray[np.uint16]:
    """Per way: 1 card payment, 2 refund or chargeback, 4 with a card, 8 with a device, 16 from afar with a
    card, 32 checks the payee, 64 at a machine, 128 is mobile, 256 asks 3-D Secure: orders in web shops, but
    not by mail or telephone, nor what a shop charges to a card that it knows."""
    ways = data.ways()
    kinds = np.array(ways.columns["payment_type"])
    channel = np.array(ways.columns["channel"])
    pays = kinds == "card_payment"
    found = (
        1 * pays
        + 2 * np.isin(kinds, ("card_refund", "chargeback"))
        + 4 * ways.card
        + 8 * ways.device
        + 16 * (pays & ways.remote)
        + 32 * np.isin(kinds, ("transfer", "wire"))
        + 64 * (channel == "atm")
        + 128 * (channel == "mobile")
        + 256 * (pays & (np.array(ways.columns["entry_mode"]) == "ecommerce"))
    )
    return np.asarray(found, np.uint16)


def word(column: str, way: Int8) -> pa.DictionaryArray:
    """A column of words that follow from the way of paying; null where a way has none."""
    codes = _codes(column)
    chosen = codes[way]
    mask = chosen < 0 if (codes < 0).any() else None
    return tables.category(chosen, data.ways().pool(column), mask)


def means(plan: Plan, ledger: Ledger, parties: Parties, came: Brought, rows: Int64) -> Means:
    """How these orders were given, in the order of `rows`."""
    orders, n = ledger.orders, rows.size
    out = Means(
        *(np.empty(n, kind) for kind in _KINDS),  # type: ignore[arg-type]
    )
    _means(
        rows, orders.way, _traits(), orders.payer, orders.payee, orders.second, ledger.bits,
        _CHECK_EDGES, _THREE_DS_EDGES,
        (parties.merchant, parties.shop, parties.card, parties.customer),
        (parties.terminal_first, parties.terminals, parties.terminal),
        (parties.device, parties.next_device, parties.switch, parties.seen, parties.home_ip,
         parties.mobile_ip),
        (out.merchant, out.shop, out.terminal, out.card),
        (out.device, out.device_age, out.ip, out.three_ds, out.payee_check),
    )  # fmt: skip
    _of_cases(plan, orders, came, rows, out)
    return out


def _of_cases(plan: Plan, orders: Ordered, came: Brought, rows: Int64, out: Means) -> None:
    """Where a case decides otherwise: its own devices and networks, checks and 3-D Secure."""
    at = np.flatnonzero(orders.of_case[rows] >= 0)
    own = orders.cases.take(orders.of_case[rows[at]].astype(np.int64))
    keys = plan.keys
    device = np.flatnonzero(own.device > 0)
    out.device[at[device]] = keys.case_rows("devices", own.home[device], own.device[device])
    seen = _first_seen(plan.details, own.case[device], own.device[device])
    out.device_age[at[device]] = np.maximum(own.second[device] - seen, 0) // ground.DAY_S
    network = np.flatnonzero(own.ip > 0)
    out.ip[at[network]] = keys.case_rows("ip_addresses", own.home[network], own.ip[network])
    asks = (_traits()[orders.way[rows[at]]] & 256) > 0
    for column, decided, can in (
        (out.payee_check, own.payee_check, True),
        (out.three_ds, own.three_ds, asks),
    ):
        said = np.flatnonzero((decided >= 0) & can)
        column[at[said]] = decided[said]


def _first_seen(details: Details, case: Int64, number: Int64) -> Int64:
    """When devices of cases were first seen."""
    brought = details.devices
    packed = (brought.case << 32) | brought.number
    order = np.argsort(packed)
    at = np.searchsorted(packed[order], (case << 32) | number)
    return (
        brought.seen[order[np.minimum(at, order.size - 1)]] if order.size else np.zeros(case.size, np.int64)
    )


@compiled
def _means(
    rows: Int64,
    way: Int8,
    traits: NDArray[np.uint16],
    payer: Int64,
    payee: Int64,
    second: Int64,
    bits: UInt64,
    check_edges: Int64,
    three_edges: Int64,
    parties: tuple[Int64, NDArray[np.int16], Int64, NDArray[np.int32]],
    terminals: tuple[NDArray[np.int32], Int8, Int64],
    people: tuple[Int64, Int64, Int64, Int64, Int64, Int64],
    at_shop: tuple[Int64, NDArray[np.int16], Int64, Int64],
    at_desk: tuple[Int64, NDArray[np.int32], Int64, Int8, Int8],
) -> None:
    for r in range(rows.size):
        i = rows[r]
        trait, a, b = np.int64(traits[way[i]]), payer[i], payee[i]
        seller = b if trait & 1 else a if trait & 2 else -1
        at_shop[0][r] = parties[0][seller] if seller >= 0 else 0
        at_shop[1][r] = parties[1][seller] if seller >= 0 else -1
        # Who pays cash into a machine puts the own card in.
        holder = b if trait & 2 or (trait & 64 and parties[2][a] == 0) else a
        at_shop[3][r] = parties[2][holder] if trait & 6 else 0
        reads = (
            seller if seller >= 0 else a if terminals[0][a] >= 0 and trait & 64 else b if trait & 64 else -1
        )
        key = np.int64(0)
        if reads >= 0 and terminals[0][reads] >= 0:
            h = np.int64(bits[i] >> np.uint64(8)) & 0xFFFF
            first = terminals[0][reads]
            key = terminals[2][first + 3] if trait & 16 else terminals[2][first + h % terminals[1][reads]]
        at_shop[2][r] = key
    for r in range(rows.size):
        i = rows[r]
        trait = np.int64(traits[way[i]])
        h = bits[i]
        key, ip, age = np.int64(0), np.int64(0), np.int32(-1)
        who = parties[3][payer[i]]
        if trait & 8 and who >= 0:
            if second[i] >= people[2][who]:
                key, since = people[1][who], people[2][who]
            else:
                key, since = people[0][who], people[3][who]
            age = np.int32((second[i] - since) // 86_400)
            moves = np.int64(h & np.uint64(1023)) < (640 if trait & 128 else 150)
            ip = people[5][who] if moves else people[4][who]
        at_desk[0][r], at_desk[1][r], at_desk[2][r] = key, age, ip
        part = np.int64((h >> np.uint64(10)) & np.uint64(1023))
        three, check = -1, -1
        if trait & 256:
            three = 0 if part < three_edges[0] else 1 if part < three_edges[1] else 2
        elif trait & 32:
            check = (
                0
                if part < check_edges[0]
                else 1
                if part < check_edges[1]
                else 2
                if part < check_edges[2]
                else 3
            )
        at_desk[3][r], at_desk[4][r] = three, check


def transaction_table(
    plan: Plan, ledger: Ledger, parties: Parties, keys: Int64, found: Means, known: Acquaintances
) -> pa.Table:
    """One row per payment of the part's accounts; `keys` are those of all orders, `found` of these rows."""
    rows, orders = ledger.row, ledger.orders
    way = orders.way[rows]
    payer, payee = orders.payer[rows], orders.payee[rows]
    booked = ledger.booked[rows]
    available = available_seconds(booked, way, ledger.bits[rows])
    refers = orders.refers[rows]
    return tables.build(
        SCHEMA["transactions"],
        {
            "transaction_id": keys[rows],
            "ordered_at": _moments(plan, orders.second[rows]),
            "booked_at": _moments(plan, booked),
            "available_at": _moments(plan, available),
            "payer_account_id": parties.account[payer],
            "payee_account_id": parties.account[payee],
            "amount_minor": orders.amount[rows],
            "currency": tables.category(parties.currency[payer], CURRENCIES),
            "credited_minor": ledger.credited[rows],
            "credited_currency": tables.category(parties.currency[payee], CURRENCIES),
            **_shown(way, found),
            "payee_age_days": _aged(ledger, known),
            "payer_place": parties.place[payer],
            "payee_place": parties.place[payee],
            "is_remote": data.ways().remote[way],
            "refers_to": tables.nulls(keys[refers], refers < 0),
        },
    )


def _shown(way: Int8, found: Means) -> dict[str, tables.Values]:
    none = found.merchant == 0
    return {
        "payment_type": word("payment_type", way),
        "channel": word("channel", way),
        "purpose": word("purpose", way),
        "merchant_id": tables.nulls(found.merchant, none),
        "mcc": tables.category(_mcc_of_kind()[found.shop], MCCS, none),
        "terminal_id": tables.nulls(found.terminal, found.terminal == 0),
        "card_id": tables.nulls(found.card, found.card == 0),
        "entry_mode": word("entry_mode", way),
        "authentication": _authentication(way, found.three_ds),
        "three_ds": tables.category(found.three_ds, THREE_DS, found.three_ds < 0),
        "payee_check": tables.category(found.payee_check, PAYEE_CHECKS, found.payee_check < 0),
        "device_id": tables.nulls(found.device, found.device == 0),
        "device_age_days": tables.nulls(found.device_age, found.device_age < 0),
        "ip_id": tables.nulls(found.ip, found.ip == 0),
    }


def _authentication(way: Int8, three_ds: Int8) -> pa.DictionaryArray:
    """How the payer proved to be the payer: as the way asks, but on the web only who is challenged does."""
    codes, pool = _codes("authentication"), data.ways().pool("authentication")
    chosen = codes[way]
    chosen[(three_ds >= 0) & (three_ds != THREE_DS.index("challenged"))] = pool.index("none")
    return tables.category(chosen, pool)


def _moments(plan: Plan, seconds: Int64) -> pa.Array:
    return tables.timestamps(plan.spec.start, seconds * ground.SECOND_US)


def entry_table(plan: Plan, ledger: Ledger, parties: Parties, keys: Int64) -> pa.Table:
    """One row per leg on the part's accounts; `keys` are those of all orders."""
    row = ledger.leg >> 2
    return tables.build(
        SCHEMA["entries"],
        {
            "entry_id": entry_keys(plan.keys, ledger, parties, ledger.leg),
            "transaction_id": keys[row],
            "account_id": parties.account[ledger.slot],
            "booked_at": _moments(plan, ledger.booked[row]),
            "payment_type": word("payment_type", ledger.orders.way[row]),
            "amount_minor": ledger.amount,
            "currency": tables.category(np.full(row.size, parties.currency[0], np.int8), CURRENCIES),
            "balance_minor": ledger.balance,
            "entry_number": ledger.number,
            "over_limit": ledger.over,
        },
    )


def entry_keys(keys: KeySpace, ledger: Ledger, parties: Parties, legs: Int64) -> Int64:
    """Keys of legs (4 × order + leg): those on the payer's side belong to its part, the others to the
    payee's."""
    words = np.empty(legs.size, np.int64)
    orders = ledger.orders
    case = keys.case_words(orders.cases.home, np.zeros(len(orders.cases), np.int64))
    _words(
        legs, orders.payer, orders.payee, parties.place, orders.ordinal, keys.part_row_bits, orders.of_case,
        case, words,
    )  # fmt: skip
    return keys.of_words("entries", words)


@compiled
def _words(
    legs: Int64,
    payer: Int64,
    payee: Int64,
    place: NDArray[np.int32],
    ordinal: Int64,
    bits: int,
    of_case: NDArray[np.int32],
    case: Int64,
    words: Int64,
) -> None:
    for e in range(legs.size):
        i, side = legs[e] >> 2, legs[e] & 3
        if of_case[i] >= 0:
            words[e] = case[of_case[i]] + 4 * ordinal[i] + side
        else:
            part = np.int64(place[payer[i]] if side < 2 else place[payee[i]])
            words[e] = (part << bits) + 4 * ordinal[i] + side


def declined_rows(ledger: Ledger, width: int) -> Int64:
    """Orders of the part's own accounts that were only tried here, in order of time."""
    orders = ledger.orders
    tried = (orders.reason >= 0) & (orders.fate != GAINED) & (orders.fate != HERE)
    rows = np.flatnonzero(tried)
    rows = rows[orders.payer[rows] < width]
    return rows[np.argsort(orders.second[rows], kind="stable")]


def decline_table(plan: Plan, ledger: Ledger, parties: Parties, came: Brought) -> pa.Table:
    """One row per attempt that was refused."""
    rows, orders = declined_rows(ledger, parties.opening.size), ledger.orders
    way, payer, payee = orders.way[rows], orders.payer[rows], orders.payee[rows]
    reason = orders.reason[rows]
    responses = np.array([_CODES.index(code) for code in _RESPONSES], np.int8)
    return tables.build(
        SCHEMA["declines"],
        {
            "decline_id": plan.keys.of_words("declines", orders.word[rows]),
            "attempted_at": _moments(plan, orders.second[rows]),
            "payer_account_id": parties.account[payer],
            "payee_account_id": parties.account[payee],
            "amount_minor": orders.amount[rows],
            "currency": tables.category(parties.currency[payer], CURRENCIES),
            **_shown(way, means(plan, ledger, parties, came, rows)),
            "payer_place": parties.place[payer],
            "payee_place": parties.place[payee],
            "is_remote": data.ways().remote[way],
            "reason": tables.category(reason, DECLINE_REASONS),
            "response_code": tables.category(responses[reason], _CODES),
        },
    )


@dataclass(frozen=True)
class Acquaintances:
    """Pairs of payer and payee of the transfers of the part's accounts.

    Attributes
    ----------
    payer, payee, first, known, payments
        Of each pair: indices of `Parties`, second of the first payment, days known before it, number.
    row, pair
        Rows of transactions that are transfers, and the pair of each.
    """

    payer: Int64
    payee: Int64
    first: Int64
    known: Int64
    payments: Int64
    row: Int64
    pair: Int64


def acquaintances(plan: Plan, ledger: Ledger, parties: Parties) -> Acquaintances:
    """Who has sent transfers to whom."""
    orders, details = ledger.orders, plan.details
    # Position 0 is for ordinary payments, those of entries of the spec follow.
    cases = [placement.case for placement in plan.placements]
    brings = np.array([False, *(not (isinstance(c, BankCase) and c.pays_acquaintances) for c in cases)])
    row = np.flatnonzero((_traits()[orders.way[ledger.row]] & 32) > 0)
    at = ledger.row[row]
    packed = (orders.payer[at] << 32) | orders.payee[at]
    pairs, first, index, number = np.unique(
        packed, return_index=True, return_inverse=True, return_counts=True
    )
    payer, payee = pairs >> 32, pairs & 0xFFFFFFFF
    entry = np.zeros(pairs.size, np.int64)
    own = orders.of_case[at[first]]
    entry[own >= 0] = 1 + details.entry[orders.cases.case[own[own >= 0]]]
    known = np.empty(pairs.size, np.int64)
    _known(
        parties.account[payer],
        parties.account[payee],
        brings[entry],
        _NEW_PAYEE_BITS,
        _MOST_KNOWN_DAYS,
        known,
    )
    return Acquaintances(payer, payee, orders.second[at[first]], known, number, row, index)


@compiled
def _known(
    payer: Int64, payee: Int64, new: NDArray[np.bool_], new_bits: int, most_days: int, known: Int64
) -> None:
    for i in range(payer.size):
        h = np.int64(mix64(np.uint64(payer[i]) * np.uint64(3) + np.uint64(payee[i])) >> np.uint64(20))
        # A payee whom a case brings is new to the payer; others are mostly old ones.
        if new[i] or (h & 1023) < new_bits:
            known[i] = 0
        else:
            known[i] = 20 + (h >> 10) % most_days


def _aged(ledger: Ledger, pairs: Acquaintances) -> pa.Array:
    """Days since the payer first paid the payee, of transfers; null for others."""
    days = np.zeros(ledger.row.size, np.int32)
    none = np.ones(ledger.row.size, np.bool_)
    since = (ledger.orders.second[ledger.row[pairs.row]] - pairs.first[pairs.pair]) // ground.DAY_S
    days[pairs.row] = np.maximum(since, 0) + pairs.known[pairs.pair]
    none[pairs.row] = False
    return tables.nulls(days, none)


def counterparty_table(plan: Plan, parties: Parties, pairs: Acquaintances) -> pa.Table:
    """One row per pair of a customer's account and a payee of its transfers."""
    customers = np.flatnonzero(parties.customer[pairs.payer] >= 0)
    order = customers[np.argsort(pairs.first[customers], kind="stable")]
    return tables.build(
        SCHEMA["counterparties"],
        {
            "payer_account_id": parties.account[pairs.payer[order]],
            "payee_account_id": parties.account[pairs.payee[order]],
            "first_paid_at": _moments(plan, pairs.first[order]),
            "known_days": pairs.known[order].astype(np.int32),
            "payments": pairs.payments[order].astype(np.int32),
        },
    )
