"""Opening hours of shops and sectors of firms: stateless."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rarecase.common.draws import AliasTable
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.spec import FinanceSpec


def opening_hours(spec: FinanceSpec, part: Int64 | int, merchant: Int64) -> tuple[Int64, Int64]:
    """When shops open and close (hours; above 24 in the night after), by part and number in the place."""
    kinds = data.shops()
    kind = ground.shop_kinds(spec, np.broadcast_to(np.asarray(part), merchant.shape), merchant)
    shift = keyed_integers(spec.seed, "hours", _firms(spec, part, merchant), 3)
    opens, closes = kinds.opens[kind], kinds.closes[kind]
    always = (opens == 0) & (closes == 24)
    # Some open an hour later, some close an hour sooner.
    opens = np.where(~always & (shift == 1), opens + 1, opens)
    return opens, np.where(~always & (shift == 2), closes - 1, closes)


@lru_cache(maxsize=1)
def _sectors() -> AliasTable:
    return AliasTable(data.sectors().share)


def _firms(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    return np.asarray(np.asarray(part) * ground.slots(spec.block).width + number, np.int64)


def sectors(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    """Sector of each employer, a position in `data.sectors`."""
    return _sectors().at(keyed_uniform(spec.seed, "sector", _firms(spec, part, number)))
