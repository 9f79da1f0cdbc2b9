"""How a payment can be given at its moment: by touch up to a limit, at a counter while it is open.

Both places of a payment, and the world and its twin, decide alike: only the order itself is looked at.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.spec import FinanceSpec

#: What is not done at a counter that is closed, but at a machine or over the web.
_INSTEAD = {"cash_in": "cash_in_atm", "branch_transfer": "web", "wire_branch": "wire_web"}
#: Hours of the day between which counters are open.
COUNTER_OPENS, COUNTER_CLOSES = 8, 18


@lru_cache(maxsize=1)
def _instead() -> NDArray[np.int8]:
    """The other way of each way that needs an open counter, -1 for others."""
    ways = data.ways()
    found = np.full(len(ways.names), -1, np.int8)
    for way, other in _INSTEAD.items():
        found[ways.code(way)] = ways.code(other)
    return found


def possible(
    spec: FinanceSpec, way: NDArray[np.int8], second: Int64, amount: Int64, payer: Int64, payee: Int64
) -> None:
    """Change ways in place where a card is touched for too much or a counter is closed.

    Parameters
    ----------
    way, second, amount
        Of each order, shape (n,).
    payer, payee
        Addresses of their accounts.
    """
    width = ground.slots(spec.block).width
    touched = np.flatnonzero(way == data.ways().code("contactless"))
    most = ground.touch_limit_minor(spec, payer[touched] // width)
    # Above the limit the card is put in and the code is asked.
    way[touched[amount[touched] > most]] = data.ways().code("chip")
    if spec.population.branches:
        return  # a world in which the counter does everything, whenever it is asked
    instead = _instead()
    counter = np.flatnonzero(instead[way] >= 0)
    day, of_day = np.divmod(second[counter], ground.DAY_S)
    business = ground.calendar(spec.start, spec.days).business
    works = (day >= 0) & (day < spec.days) & business[day.clip(0, spec.days - 1)]
    works &= (of_day >= COUNTER_OPENS * 3_600) & (of_day < COUNTER_CLOSES * 3_600)
    # A machine asks for the card of whom it pays in for; firms have none, and a deposit box at the branch.
    slots = ground.slots(spec.block)
    holder = payee[counter] % width
    has_card = (holder >= slots.first("current")) & (holder < slots.first("current") + slots.block)
    closed = counter[~works & (has_card | (way[counter] != data.ways().code("cash_in")))]
    way[closed] = instead[way[closed]]
