"""One part of the bank's world: a place with everything ordered there, then booked, told and watched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.finance.generate import movements
from rarecase.finance.generate.brought import brought, raised_limits
from rarecase.finance.generate.labels import case_table, label_table
from rarecase.finance.generate.ledger import Ordered, ordered, stop
from rarecase.finance.generate.monitor import alert_tables, rules_table
from rarecase.finance.generate.monitor.look import look
from rarecase.finance.generate.parties import parties
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
    came = brought(plan, place.low, place.low + place.n)
    place = replace(place, limit=raised_limits(plan, place.low, place.limit, came))
    register = Register(plan, place, came)
    orders, flows = ordered(plan, place)
    register.enrol(flows)
    stop(plan, place, orders)
    orders, foreign = _indexed(orders, place.opening.size)
    known = parties(plan, place, register, foreign)
    ledger = settle(plan, orders, known)
    keys = plan.keys.of_words("transactions", ledger.orders.word)
    pairs = movements.acquaintances(plan, ledger, known)
    found = movements.means(plan, ledger, known, came, ledger.row)
    home = np.flatnonzero((details.home >= place.low) & (details.home < place.low + place.n))
    return {
        **register.tables(),
        "rules": rules_table(plan, part),
        "transactions": movements.transaction_table(plan, ledger, known, keys, found, pairs),
        "entries": movements.entry_table(plan, ledger, known, keys),
        "declines": movements.decline_table(plan, ledger, known, came),
        "counterparties": movements.counterparty_table(plan, known, pairs),
        **alert_tables(plan, part, look(plan, place, ledger, known, found, pairs), keys),
        "cases": case_table(plan, home),
        "labels": label_table(plan, ledger, known, came, keys),
    }


def _indexed(orders: Ordered, width: int) -> tuple[Ordered, Int64]:
    """Orders with payers and payees as indices: slots of the place, then the foreign accounts that appear."""
    payer, payee = orders.payer, orders.payee
    far_payer = np.flatnonzero((payer < 0) | (payer >= width))
    far_payee = np.flatnonzero((payee < 0) | (payee >= width))
    foreign, index = np.unique(np.concatenate([payer[far_payer], payee[far_payee]]), return_inverse=True)
    payer, payee = payer.copy(), payee.copy()
    payer[far_payer] = width + index[: far_payer.size]
    payee[far_payee] = width + index[far_payer.size :]
    return replace(orders, payer=payer, payee=payee), foreign
