"""Firms and shops before any payment: sizes, opening hours, sectors, and who fails when. Stateless.

One firm in a hundred fails each year (order of magnitude of Eurostat's and Creditreform's insolvency rates,
0.5 to 1.5 %); the moment depends on nothing but the firm.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from rarecase.common.draws import AliasTable
from rarecase.common.seeds import Float64, Int64, keyed_integers, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.spec import FinanceSpec

PAY_DAYS = np.array([25, 31, 15, 28, 1])
_PAY_DAY_SHARES = (0.35, 0.30, 0.12, 0.15, 0.08)
_FAILS_A_YEAR = 0.01
#: Spread of the logarithm of how many people firms employ.
_SIZE_LOG_SD = 0.8


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
def _pay_days() -> AliasTable:
    return AliasTable(_PAY_DAY_SHARES)


@lru_cache(maxsize=1)
def _sectors() -> AliasTable:
    return AliasTable(data.sectors().share)


def _firms(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    return np.asarray(np.asarray(part) * ground.slots(spec.block).width + number, np.int64)


def pay_days(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    """Day of the month on which each employer pays wages."""
    return PAY_DAYS[_pay_days().at(keyed_uniform(spec.seed, "pay-day", _firms(spec, part, number)))]


def sectors(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    """Sector of each employer, a position in `data.sectors`."""
    return _sectors().at(keyed_uniform(spec.seed, "sector", _firms(spec, part, number)))


def sizes(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Float64:
    """Relative number of employees of each employer: lognormal."""
    u = keyed_uniform(spec.seed, "firm-size", _firms(spec, part, number))
    return np.asarray(np.exp(_SIZE_LOG_SD * ndtri(np.clip(u, 1e-9, 1 - 1e-9))), np.float64)


def failures(spec: FinanceSpec, part: Int64 | int, number: Int64) -> Int64:
    """Second at which each employer stops paying, in the middle of a day; NEVER for nearly all."""
    u = keyed_uniform(spec.seed, "fails", _firms(spec, part, number))
    days = (-np.log1p(-u) / _FAILS_A_YEAR * 365.25).astype(np.int64)
    fails = days < spec.days
    return np.where(fails, np.where(fails, days, 0) * ground.DAY_S + 43_200, NEVER)
