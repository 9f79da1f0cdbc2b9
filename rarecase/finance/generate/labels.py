"""What cases did here: the tables cases and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rarecase.common import tables
from rarecase.common.plan import Plan
from rarecase.common.schema.cases import EFFECTS
from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER
from rarecase.common.telling import Told, cases_table, labels_table
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import EDITS, ROLES, STAGES, USUAL
from rarecase.finance.generate.brought import Brought
from rarecase.finance.generate.ledger import GAINED, HERE, OTHERWISE, TWIN, Ordered
from rarecase.finance.generate.movements import entry_keys
from rarecase.finance.generate.parties import Parties
from rarecase.finance.generate.settle import Ledger
from rarecase.finance.plan import Details, case_words
from rarecase.finance.schema import BEARERS, DECLINE_REASONS

_TABLES = (
    "transactions",
    "entries",
    "declines",
    "devices",
    "ip_addresses",
    "customers",
    "accounts",
    "card_replacements",
)
_CREATED, _CHANGED, _REMOVED = (EFFECTS.index(word) for word in ("created", "changed", "removed"))


@dataclass(frozen=True)
class _Block:
    """Labels of one table and effect; a stage or amount of USUAL is none."""

    case: Int64
    table: str
    row_id: Int64
    role: Int64
    effect: int
    stage: Int64
    amount: Int64
    tainted: Int64


def case_table(plan: Plan, cases: Int64) -> pa.Table:
    """The given cases, by position, as rows of the table cases."""
    details: Details = plan.details
    told = [
        _told(plan, entry, cases[details.entry[cases] == entry] - details.first[entry])
        for entry in np.unique(details.entry[cases]).tolist()
    ]
    return cases_table(plan, told)


def _told(plan: Plan, entry: int, rows: Int64) -> Told:
    placement, facts = plan.placements[entry], plan.details.facts[entry]
    words = [case_words(plan.spec, placement, facts, row) for row in rows.tolist()]
    started, ended, reported, detected = (
        _microseconds(column[rows]) for column in (facts.started, facts.ended, facts.reported, facts.detected)
    )
    own: dict[str, tables.Values] = {
        f"{name}_minor": tables.nulls(column[rows], column[rows] < 0)
        for name, column in (
            ("loss", facts.loss),
            ("recovered", facts.recovered),
            ("reimbursed", facts.reimbursed),
        )
    }
    bearer = facts.borne_by[rows]
    own["borne_by"] = tables.category(np.maximum(bearer, 0), BEARERS, bearer < 0)
    found, stories = [found for found, _ in words], [story for _, story in words]
    return Told(placement, rows, started, ended, reported, detected, found, stories, own)


def _microseconds(seconds: Int64) -> Int64:
    never = seconds == NEVER
    return np.where(never, NEVER, np.where(never, 0, seconds) * ground.SECOND_US)


def label_table(plan: Plan, ledger: Ledger, parties: Parties, came: Brought, keys: Int64) -> pa.Table:
    """Every row of the part that a case created, changed or removed; `keys` are those of all orders."""
    details: Details = plan.details
    blocks = [
        *_payments(plan, ledger, parties, keys),
        *_attempts(plan, ledger, parties),
        *_register(plan, came),
    ]
    columns = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("case", "row_id", "role", "stage", "amount", "tainted")
    }
    size = [block.case.size for block in blocks]
    table = np.repeat([_TABLES.index(block.table) for block in blocks], size)
    effect = np.repeat([block.effect for block in blocks], size)
    case, stage = columns["case"], columns["stage"]
    kinds = [placement.case.kind for placement in plan.placements]
    return labels_table(
        plan,
        {
            "case_id": details.case_id[case],
            "kind": tables.worded(details.entry[case], kinds),
            "table_name": tables.category(table, _TABLES),
            "row_id": columns["row_id"],
            "role": tables.category(columns["role"], ROLES),
            "stage": tables.category(np.maximum(stage, 0), STAGES, stage < 0),
            "effect": tables.category(effect.astype(np.int8), EFFECTS),
            "amount_minor": tables.nulls(columns["amount"], columns["amount"] < 0),
            "tainted_minor": tables.nulls(columns["tainted"], columns["tainted"] < 0),
        },
    )


def _payments(plan: Plan, ledger: Ledger, parties: Parties, keys: Int64) -> list[_Block]:
    """Transactions and entries that are in one of the two worlds alone."""
    orders, width, horizon = ledger.orders, parties.opening.size, plan.spec.days * ground.DAY_S
    blocks = []
    for fates, effect in (((HERE, GAINED), _CREATED), ((TWIN,), _REMOVED)):
        rows = np.flatnonzero(np.isin(orders.fate, fates) & (ledger.booked < horizon))
        pays = rows[orders.payer[rows] < width]
        blocks.append(_block(orders, "transactions", pays, keys[pays], effect))
        four = rows[ledger.four[rows]]
        legs = [4 * pays, 4 * rows[orders.payee[rows] < width] + 3]
        legs += [4 * four[orders.payer[four] < width] + 1, 4 * four[orders.payee[four] < width] + 2]
        every = np.concatenate(legs)
        blocks.append(
            _block(orders, "entries", every >> 2, entry_keys(plan.keys, ledger, parties, every), effect)
        )
    return blocks


def _attempts(plan: Plan, ledger: Ledger, parties: Parties) -> list[_Block]:
    """Declined attempts that differ between the worlds."""
    orders = ledger.orders
    own = (orders.payer < parties.opening.size) & (orders.reason >= 0)
    of_case = orders.of_case >= 0
    blocks = []
    for rows, effect in (
        (np.flatnonzero(own & (of_case | (orders.fate == TWIN))), _CREATED),
        (np.flatnonzero(own & (orders.fate == GAINED)), _REMOVED),
        (np.flatnonzero(own & (orders.fate == OTHERWISE)), _CHANGED),
    ):
        ids = plan.keys.of_words("declines", orders.word[rows])
        blocks.append(_block(orders, "declines", rows, ids, effect))
    return blocks


def _block(orders: Ordered, table: str, rows: Int64, ids: Int64, effect: int) -> _Block:
    """Labels of orders: those of cases say role, stage and taint, others are consequences."""
    n = rows.size
    # What a stop prevents is blocked; what follows from an empty or a filled account is for want of funds.
    funds = orders.reason[rows] == DECLINE_REASONS.index("insufficient_funds")
    role = np.where(funds, ROLES.index("no_funds"), ROLES.index("blocked"))
    stage, tainted = np.full(n, USUAL, np.int64), np.full(n, USUAL, np.int64)
    own = np.flatnonzero(orders.of_case[rows] >= 0)
    at = orders.of_case[rows[own]]
    role[own], stage[own], tainted[own] = (
        orders.cases.role[at],
        orders.cases.stage[at],
        orders.cases.tainted[at],
    )
    case = orders.cause[rows].astype(np.int64)
    return _Block(case, table, ids, role, effect, stage, orders.amount[rows], tainted)


def _register(plan: Plan, came: Brought) -> list[_Block]:
    """Devices, networks, changed customers, accounts and new cards."""
    keys, edits = plan.keys, came.edits
    contact = np.flatnonzero(edits.what < EDITS.index("card_limit"))
    _, once = np.unique((edits.case[contact] << 32) | edits.customer[contact], return_index=True)
    contact = contact[once]
    limit = np.flatnonzero(edits.what == EDITS.index("card_limit"))
    second = np.flatnonzero(edits.what == EDITS.index("second_account"))
    slots = ground.slots(plan.spec.block)

    def accounts(rows: Int64, kind: str) -> Int64:
        part, within = np.divmod(edits.customer[rows], plan.spec.block)
        return keys.part_rows("accounts", part, slots.first(kind) + within)

    return [
        _row(came.devices.case, "devices", came.device_id, "new_device", _CREATED),
        _row(came.networks.case, "ip_addresses", came.ip_id, "new_address", _CREATED),
        _row(
            edits.case[contact],
            "customers",
            keys.entities("customers", edits.customer[contact]),
            "contact_change",
            _CHANGED,
        ),
        _row(edits.case[limit], "accounts", accounts(limit, "card"), "limit_change", _CHANGED),
        _row(edits.case[second], "accounts", accounts(second, "second"), "new_account", _CREATED),
        _row(came.new_cards.case, "card_replacements", came.replacement_id, "new_card", _CREATED),
    ]


def _row(case: Int64, table: str, ids: Int64, role: str, effect: int) -> _Block:
    none = np.full(case.size, USUAL, np.int64)
    return _Block(case, table, ids, np.full(case.size, ROLES.index(role)), effect, none, none, none)
