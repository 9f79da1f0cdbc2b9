"""What people do at the counter of a branch that others do from afar or at a machine."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.maker import Flow
from rarecase.finance.spec import FinanceSpec

_CHANNELS = ("mobile", "web")
#: By type of payment, the way in which the counter does it.
_COUNTER = {
    "transfer": "branch_transfer",
    "wire": "wire_branch",
    "cash_withdrawal": "cash_out_branch",
    "cash_deposit": "cash_in",
}


@lru_cache(maxsize=1)
def _at_counter() -> NDArray[np.int8]:
    """The way that the counter has for each, -1 where it has none."""
    ways = data.ways()
    far = np.isin(ways.columns["channel"], (*_CHANNELS, "atm"))
    kinds = ways.columns["payment_type"]
    return np.array(
        [
            ways.code(_COUNTER[kind]) if there and kind in _COUNTER else -1
            for kind, there in zip(kinds, far, strict=True)
        ],
        np.int8,
    )


def at_counters(spec: FinanceSpec, flows: list[Flow], words: Int64) -> list[Flow]:
    """The flows, with `population.branches` of what has a way at the counter done there, in office hours.

    Parameters
    ----------
    words
        Words of the payments' keys, in the order of the flows: both places of a payment decide alike.
    """
    share, counter = spec.population.branches, _at_counter()
    if not share:
        return flows
    moved, start = [], 0
    for each in flows:
        word = words[start : start + each.second.size]
        start += word.size
        goes = (keyed_uniform(spec.seed, "counter", word) < share) & (counter[each.way] >= 0)
        of_day = ground.office().at(keyed_uniform(spec.seed, "counter-time", word)) // ground.SECOND_US
        second = each.second // ground.DAY_S * ground.DAY_S + of_day
        moved.append(
            Flow(
                np.where(goes, second, each.second),
                each.amount,
                each.payer,
                each.payee,
                np.where(goes, counter[each.way], each.way).astype(np.int8),
                each.declined,
                each.refers,
            )
        )
    return moved
