"""Sectors of firms: stateless."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rarecase.common.draws import AliasTable
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.spec import FinanceSpec


@lru_cache(maxsize=1)
def _sectors() -> AliasTable:
    return AliasTable(data.sectors().share)


def _firms(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    return np.asarray(np.asarray(part) * ground.slots(spec.block).width + number, np.int64)


def sectors(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    """Sector of each employer, a position in `data.sectors`."""
    return _sectors().at(keyed_uniform(spec.seed, "sector", _firms(spec, part, number)))
