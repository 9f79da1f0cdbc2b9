"""What cases stand on: everything about a place or a customer that any part can compute for itself.

Nothing here looks at cases or at simulated state, so a payment between places has the same amount and moment
on both sides. The ordinary world is made from the same laws, and a difficult case moves towards them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from rarecase.common.clocks import Calendar, Clock
from rarecase.common.draws import AliasTable
from rarecase.common.mark.digits import embed
from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.schema import SEGMENTS

if TYPE_CHECKING:
    from datetime import date

    from rarecase.common.spec import Spec

SECOND_US = 1_000_000
DAY_S = 86_400
MONTH_DAYS = 30.4375

SEGMENT_SHARES = (0.58, 0.09, 0.23, 0.10)
EMPLOYED, SELF_EMPLOYED, RETIRED, STUDENT = range(len(SEGMENTS))
_INCOME_MEDIAN_MINOR = np.array([245_000.0, 280_000.0, 172_000.0, 82_000.0])
_INCOME_LOG_SD = np.array([0.42, 0.55, 0.35, 0.30])
#: Income at which the amounts of the reference tables hold.
USUAL_INCOME_MINOR = 230_000.0

TRANSFER_MEDIAN_MINOR = 6_500.0
TRANSFER_LOG_SD = 1.15
_ROUND_SHARE = 0.45
_ROUND_STEP_MINOR = 500


class Slots:
    """Where each account of a place stands: a row of slots, the same for every place.

    Customers' current accounts come first, so that slot and place in the block agree. An address is
    part × width + slot, known everywhere without asking anybody.
    """

    def __init__(self, block: int) -> None:
        self.block = block
        self.merchants_n = max(30, block // 25)
        self.employers_n = max(3, block // 60)
        self.landlords_n = max(2, block // 80)
        self.billers_n = len(data.billers())
        self.banks_n = len(data.banks()[0])
        self.treasuries_n = self.billers_n + self.banks_n
        sizes = (
            ("current", block),
            ("savings", block),
            ("merchants", self.merchants_n),
            ("employers", self.employers_n),
            ("landlords", self.landlords_n),
            ("billers", self.billers_n),
            ("branches", self.banks_n),
            ("biller_treasury", self.billers_n),
            ("bank_treasury", self.banks_n),
            ("cash", 1),
            ("world", 1),
        )
        self._first: dict[str, int] = {}
        at = 0
        for name, size in sizes:
            self._first[name] = at
            at += size
        self.width = at

    def first(self, name: str) -> int:
        """The first slot of a range."""
        return self._first[name]

    def customer(self, customers: Int64) -> Int64:
        """Addresses of customers' current accounts, by global ordinal."""
        part, within = np.divmod(customers, self.block)
        return np.asarray(part * self.width + within, np.int64)

    def at(self, part: int, name: str, number: int | Int64 = 0) -> Int64:
        """Addresses in a range of a place."""
        return np.asarray(part * self.width + self._first[name] + number, np.int64)


@lru_cache(maxsize=32)
def slots(block: int) -> Slots:
    """The slots of a place with `block` customers."""
    return Slots(block)


@lru_cache(maxsize=8)
def calendar(start: date, days: int) -> Calendar:
    """The bank's calendar: weekends, New Year, Labour Day and two days of Christmas are free."""
    years = range(start.year - 1, start.year + days // 365 + 3)
    from datetime import date as day

    free = [
        day(year, month, number) for year in years for month, number in ((1, 1), (5, 1), (12, 25), (12, 26))
    ]
    return Calendar(start, days, free)


@lru_cache(maxsize=64)
def clock(start: date, days: int, rhythm: str) -> Clock:
    """When things of a rhythm are done: hours, weekdays, and more in the week after pay-day."""
    shape = data.rhythms()[rhythm]
    days_of_month = np.ones(31)
    if rhythm not in ("batch", "office"):
        days_of_month[[24, 25, 26, 27, 28, 29, 30, 0, 1, 2]] = 1.22
    holiday = 0.1 if rhythm in ("batch", "office") else 0.7
    weights = calendar(start, days).weights(
        weekday=shape.weekdays.tolist(), day_of_month=days_of_month.tolist(), holiday=holiday
    )
    return Clock.over(weights, shape.hours)


@lru_cache(maxsize=1)
def batch() -> Clock:
    """The hours of one night and day at which batches are booked."""
    return Clock.of_day(data.rhythms()["batch"].hours)


@lru_cache(maxsize=1)
def _segments() -> AliasTable:
    return AliasTable(SEGMENT_SHARES)


def segment(seed: int, customers: Int64) -> Int64:
    """How each customer earns a living, a code into SEGMENTS."""
    return _segments().at(keyed_uniform(seed, "segment", customers))


def income_minor(spec: Spec, customers: Int64) -> Int64:
    """Planned monthly income of each customer in minor units; lognormal within the segment.

    It carries the statistical mark, and with it every wage that equals it.
    """
    kind = segment(spec.seed, customers)
    normal = ndtri(np.clip(keyed_uniform(spec.seed, "income", customers), 1e-9, 1 - 1e-9))
    income = np.rint(_INCOME_MEDIAN_MINOR[kind] * np.exp(_INCOME_LOG_SD[kind] * normal)).astype(np.int64)
    return np.asarray(embed(income, 1.0, minimum=1.0), np.int64) if spec.marks.statistical else income


def transfer_minor(u: Float64, v: Float64, income: Int64, shift: float | Float64 = 0.0) -> Int64:
    """Amounts that people send each other, given the payer's income.

    Parameters
    ----------
    u, v
        Uniforms for the size and for the rounding, shape (n,).
    income
        The payer's monthly income in minor units.
    shift
        How many log standard deviations a case lies above ordinary amounts.

    Returns
    -------
    int64[n]
        Minor units, at least 1.00; lognormal, 45 % of them in steps of 5.00 as people like them.
    """
    normal = ndtri(np.clip(u, 1e-9, 1 - 1e-9)) + shift
    scale = TRANSFER_MEDIAN_MINOR * np.sqrt(income / USUAL_INCOME_MINOR)
    amount = np.rint(scale * np.exp(TRANSFER_LOG_SD * normal)).astype(np.int64)
    stepped = (amount + _ROUND_STEP_MINOR // 2) // _ROUND_STEP_MINOR * _ROUND_STEP_MINOR
    liked = (v < _ROUND_SHARE) & (stepped > 0)
    return np.asarray(np.maximum(np.where(liked, stepped, amount), 100), np.int64)


def neighbours(parts: int) -> list[tuple[int, int]]:
    """The distances at which places deal with each other: (k, 2**k) up to half the ring."""
    return [(k, 1 << k) for k in range(parts.bit_length()) if (2 << k) <= parts]


def near(spec: Spec, customers: Int64, u: Float64, v: Float64, share_local: float = 0.7) -> Int64:
    """Another customer for each: of the same place, or of one on the ring 2**k away; global ordinals."""
    steps = [0]
    for _, distance in neighbours(spec.parts):
        steps += [distance, -distance]
    outside = (u - share_local) / (1.0 - share_local) * (len(steps) - 1)
    which = np.where((u < share_local) | (len(steps) == 1), 0, 1 + np.floor(np.maximum(outside, 0.0)))
    part = (customers // spec.block + np.array(steps)[which.astype(np.int64)]) % spec.parts
    low = part * spec.block
    size = np.minimum(low + spec.block, spec.size) - low
    chosen = low + np.minimum((v * size).astype(np.int64), size - 1)
    return another(spec, customers, chosen)


def another(spec: Spec, customers: Int64, chosen: Int64) -> Int64:
    """`chosen`, but for those who chose themselves the next one of the place, or of all."""
    low = customers // spec.block * spec.block
    size = np.minimum(low + spec.block, spec.size) - low
    beside = low + (customers - low + 1) % size
    beside = np.where(size > 1, beside, (customers + 1) % spec.size)
    return np.where(chosen == customers, beside, chosen)


def fold(when_us: Int64, room_us: int) -> Int64:
    """Moments moved back by whole days until they lie before `room_us`, so that hours stay what they are."""
    day_us = DAY_S * SECOND_US
    late = np.maximum(when_us - room_us, -1) // day_us + 1
    return np.asarray(np.maximum(when_us - late * day_us, 0), np.int64)


def uniforms(spec: Spec, name: str, what: str, homes: Int64, width: int) -> Float64:
    """Uniforms of a case entry, shape (n, width), one row per home, stateless."""
    ids = homes[:, None] * 4096 + np.arange(width)
    return keyed_uniform(spec.seed, ("case", name, what), ids)
