"""What the engine sees, out of what a place books: references to its columns, hardly any copies."""

from __future__ import annotations

from functools import partial

import numpy as np

from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor.seen import Seen
from rarecase.finance.generate.movements import Acquaintances, Means, declined_rows
from rarecase.finance.generate.parties import Parties
from rarecase.finance.generate.place import Place
from rarecase.finance.generate.register.scene import slept_days
from rarecase.finance.generate.settle import Ledger
from rarecase.finance.spec import FinanceSpec


def look(
    plan: Plan, place: Place, ledger: Ledger, parties: Parties, found: Means, pairs: Acquaintances
) -> Seen:
    """The engine's view of a place.

    Parameters
    ----------
    found, pairs
        How each payment of the place's accounts was given, and whom its transfers go to.
    """
    orders, spec = ledger.orders, plan.spec
    assert isinstance(spec, FinanceSpec)
    payee_age = np.full(ledger.row.size, -1, np.int32)
    since = (orders.second[ledger.row[pairs.row]] - pairs.first[pairs.pair]) // ground.DAY_S
    payee_age[pairs.row] = np.maximum(since, 0) + pairs.known[pairs.pair]
    here = np.array([place.part])
    return Seen(
        payer=orders.payer,
        payee=orders.payee,
        way=orders.way,
        ordered=orders.second,
        booked=ledger.booked,
        amount=orders.amount,
        leg=ledger.leg,
        slot=ledger.slot,
        moved=ledger.amount,
        balance=ledger.balance,
        row=ledger.row,
        device_age=found.device_age,
        payee_age=payee_age,
        payee_check=found.payee_check,
        declined=declined_rows(ledger, parties.slot.size),
        party_slot=parties.slot,
        party_place=parties.place,
        limit=parties.limit,
        unused=_unused(spec, place),
        income=place.income,
        scale=float(ground.price_scale(spec, here)[0]),
        towns=partial(ground.towns, spec),
    )


def _unused(spec: FinanceSpec, place: Place) -> Int64:
    """Seconds from the last use of each slot to the start, where it is long ago; -1 for second accounts that
    open in the data."""
    unused = np.zeros(place.opening.size, np.int64)
    first, who = ground.slots(spec.block).first("second"), place.customers
    asleep = ground.second_account(spec, who) == ground.SLEEPING
    unused[first : first + place.n] = np.where(asleep, slept_days(spec, who) * ground.DAY_S, -1)
    return unused
