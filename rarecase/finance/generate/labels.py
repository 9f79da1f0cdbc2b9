"""What cases did here: the tables cases and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common import tables
from rarecase.common.plan import Plan
from rarecase.common.schema.cases import EFFECTS
from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER
from rarecase.common.telling import Told, cases_table, labels_table
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import ROLES, STAGES, CaseRows
from rarecase.finance.generate.ledger import Booked
from rarecase.finance.plan import Details, case_words

_TABLES = ("transactions", "entries", "devices")
_CREATED, _REMOVED = EFFECTS.index("created"), EFFECTS.index("removed")


@dataclass(frozen=True)
class Touched:
    """What cases touched in a part.

    Attributes
    ----------
    rows, added
        Payments that cases add, as planned and as booked; rows with a leg in the part.
    removed, removed_by
        Payments that the twin books here and this world does not, and the cases that stopped them.
    brought
        Cases that brought a device.
    width
        Number of slots of the part.
    """

    rows: CaseRows
    added: Booked
    removed: Booked
    removed_by: Int64
    brought: Int64
    width: int


@dataclass(frozen=True)
class _Block:
    case: Int64
    table: int
    row_id: Int64
    role: Int64 | int
    stage: Int64 | int
    effect: int
    amount: Int64 | None


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
    own, stories = [found for found, _ in words], [story for _, story in words]
    return Told(placement, rows, started, ended, reported, detected, own, stories)


def _microseconds(seconds: Int64) -> Int64:
    never = seconds == NEVER
    return np.where(never, NEVER, np.where(never, 0, seconds) * ground.SECOND_US)


def label_table(plan: Plan, touched: Touched) -> pa.Table:
    """Every row of the part's transactions, entries and devices that a case created or removed."""
    details: Details = plan.details
    blocks = [*_created(touched), *_removed(touched), _devices(plan, touched)]
    case = np.concatenate([block.case for block in blocks])
    size = [block.case.size for block in blocks]
    amount = np.concatenate(
        [np.zeros(n, np.int64) if b.amount is None else b.amount for b, n in zip(blocks, size, strict=True)]
    )
    stage = _spread([block.stage for block in blocks], size)
    kinds = [placement.case.kind for placement in plan.placements]
    return labels_table(
        plan,
        {
            "case_id": details.case_id[case],
            "kind": tables.worded(details.entry[case], kinds),
            "table_name": tables.category(_spread([block.table for block in blocks], size), _TABLES),
            "row_id": np.concatenate([block.row_id for block in blocks]),
            "role": tables.category(_spread([block.role for block in blocks], size), ROLES),
            "stage": tables.category(np.maximum(stage, 0), STAGES, stage < 0),
            "effect": tables.category(
                _spread([block.effect for block in blocks], size).astype(np.int8), EFFECTS
            ),
            "amount_minor": tables.nulls(amount, np.repeat([b.amount is None for b in blocks], size)),
        },
    )


def _created(touched: Touched) -> list[_Block]:
    rows, added = touched.rows, touched.added
    return [
        _Block(rows.case[at], table, key[at], rows.role[at], rows.stage[at], _CREATED, added.amount[at])
        for table, key, at in _rows_here(added, touched.width)
    ]


def _removed(touched: Touched) -> list[_Block]:
    removed = touched.removed
    role = ROLES.index("blocked_card")
    return [
        _Block(touched.removed_by[at], table, key[at], role, -1, _REMOVED, removed.amount[at])
        for table, key, at in _rows_here(removed, touched.width)
    ]


def _devices(plan: Plan, touched: Touched) -> _Block:
    homes = plan.details.home[touched.brought]
    keys = plan.keys.case_rows("devices", homes, np.zeros(homes.size, np.int64))
    return _Block(touched.brought, 2, keys, ROLES.index("new_device"), -1, _CREATED, None)


def _rows_here(booked: Booked, width: int) -> list[tuple[int, Int64, Int64]]:
    """Table, keys and row numbers of what the part writes of these payments."""
    pays = np.flatnonzero((booked.payer >= 0) & (booked.payer < width))
    paid = np.flatnonzero((booked.payee >= 0) & (booked.payee < width))
    return [(0, booked.transaction, pays), (1, booked.payer_entry, pays), (1, booked.payee_entry, paid)]


def _spread(values: list[int] | list[Int64 | int], sizes: list[int]) -> NDArray[np.int64]:
    return np.concatenate(
        [np.broadcast_to(np.asarray(v, np.int64), n) for v, n in zip(values, sizes, strict=True)]
    )
