"""One part of the bank's world: a place with everything booked there, then the cases that touch it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rarecase.common.plan import Plan
from rarecase.finance.cases.footprint import NEVER
from rarecase.finance.generate.labels import Touched, case_table, label_table
from rarecase.finance.generate.ledger import Booked, joined, of_cases, ordinary, prevented, settle
from rarecase.finance.generate.movements import entry_table, transaction_table
from rarecase.finance.generate.place import make_place
from rarecase.finance.generate.register import Register
from rarecase.finance.plan import Details


def generate_part(plan: Plan, part: int) -> dict[str, pa.Table]:
    """Every table of one place but `weights`; a pure function of its arguments.

    Parameters
    ----------
    plan
        A finance plan.
    part
        Number of the place.

    Returns
    -------
    dict
        Table name to Arrow table under `rarecase.finance.schema.SCHEMA`.
    """
    details: Details = plan.details
    place = make_place(plan, part)
    register = Register(plan, place)
    world = ordinary(plan, place)
    rows = details.rows.take(details.touching(part))
    added = of_cases(plan, part, rows)
    stopped, stopped_by = prevented(plan, part, world)
    removed = world.take(stopped)
    booked = joined([_without(world, stopped), added])
    width = place.opening.size
    payer, payee, foreign = _indices(booked, width)
    ledger = settle(booked, payer, payee, register.parties(foreign), plan.spec.days * 86_400)
    home = np.flatnonzero((details.home >= place.low) & (details.home < place.low + place.n))
    seen = details.per_case("device_seen")[home]
    brought = home[seen != NEVER]
    made = register.tables()
    made["devices"] = register.device_rows(details.home[brought], seen[seen != NEVER])
    made["transactions"] = transaction_table(plan, ledger)
    made["entries"] = entry_table(plan, ledger)
    made["cases"] = case_table(plan, home)
    made["labels"] = label_table(plan, Touched(rows, added, removed, stopped_by, brought, width))
    return made


def _without(world: Booked, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Booked:
    if rows.size == 0:
        return world
    keep = np.ones(len(world), np.bool_)
    keep[rows] = False
    return world.take(keep)


def _indices(
    booked: Booked, width: int
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.int64]],
    np.ndarray[tuple[int], np.dtype[np.int64]],
    np.ndarray[tuple[int], np.dtype[np.int64]],
]:
    """Payer and payee as indices: slots of the place, then the foreign accounts that appear."""
    payer, payee = booked.payer.copy(), booked.payee.copy()
    far_payer = np.flatnonzero((payer < 0) | (payer >= width))
    far_payee = np.flatnonzero((payee < 0) | (payee >= width))
    both = np.concatenate([payer[far_payer], payee[far_payee]])
    foreign, index = np.unique(both, return_inverse=True)
    payer[far_payer] = width + index[: far_payer.size]
    payee[far_payee] = width + index[far_payer.size :]
    return payer, payee, foreign
