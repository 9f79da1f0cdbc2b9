"""One part of the bank's world: a place with everything booked there, then the cases that touch it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground
from rarecase.finance.generate.labels import Touched, case_table, label_table
from rarecase.finance.generate.ledger import Booked, joined, of_cases, ordinary, prevented
from rarecase.finance.generate.movements import entry_table, transaction_table
from rarecase.finance.generate.place import make_place
from rarecase.finance.generate.register import Register
from rarecase.finance.generate.settle import settle
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
    own, crossing = ordinary(plan, place)
    register.enrol([own, *crossing])
    rows = details.rows.take(details.touching(part))
    added = of_cases(plan, part, rows)
    booked = joined([own, *crossing, added])
    stopped, stopped_by = prevented(plan, part, booked, len(booked) - len(added))
    width = place.opening.size
    payer, payee, foreign = _indices(booked, len(own), width)
    parties = register.parties(foreign)
    ledger = settle(booked, payer, payee, stopped, parties, plan.spec.days * ground.DAY_S)
    home = np.flatnonzero((details.home >= place.low) & (details.home < place.low + place.n))
    seen = details.per_case("device_seen")[home]
    brought = home[seen != NEVER]
    made = register.tables()
    made["devices"] = register.device_rows(details.home[brought], seen[seen != NEVER])
    made["transactions"] = transaction_table(plan, ledger)
    made["entries"] = entry_table(plan, ledger)
    made["cases"] = case_table(plan, home)
    made["labels"] = label_table(plan, Touched(rows, added, booked.take(stopped), stopped_by, brought, width))
    return made


def _indices(booked: Booked, own: int, width: int) -> tuple[Int64, Int64, Int64]:
    """Payer and payee as indices: slots of the place, then the foreign accounts that appear.

    The first `own` payments have both legs in the place.
    """
    payer, payee = booked.payer, booked.payee
    far_payer = own + np.flatnonzero((payer[own:] < 0) | (payer[own:] >= width))
    far_payee = own + np.flatnonzero((payee[own:] < 0) | (payee[own:] >= width))
    foreign, index = np.unique(np.concatenate([payer[far_payer], payee[far_payee]]), return_inverse=True)
    payer, payee = payer.copy(), payee.copy()
    payer[far_payer] = width + index[: far_payer.size]
    payee[far_payee] = width + index[far_payer.size :]
    return payer, payee, foreign
