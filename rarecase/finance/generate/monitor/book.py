"""The rules that hold at a place, as arrays that kernels read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor import seen
from rarecase.finance.schema import CURRENCIES

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

FAMILIES = ("report", "laundering", "fraud")
REPORT, LAUNDERING, FRAUD = range(len(FAMILIES))
#: What a window counts: payments, other parties, or places of other parties.
PAYMENTS, PARTIES, PLACES = range(3)


@dataclass(frozen=True)
class Look:
    """What a window rule reads.

    Attributes
    ----------
    mask
        Entries that count.
    counts
        What must reach the rule's `least`.
    by_day
        Calendar days instead of a sliding window.
    below, reach
        Each payment must lie below the threshold that their sum passes, or must reach it by itself.
    incomes
        Monthly incomes that the sum must exceed, too; 0 for none. Holders without income are then left out.
    """

    mask: int
    counts: int = PAYMENTS
    by_day: bool = False
    below: bool = False
    reach: bool = False
    incomes: float = 0.0


#: Rules that are a sum and a number over a window; the others have kernels of their own.
LOOKS = {
    "cash_report_in": Look(seen.CASH_IN, by_day=True),
    "cash_report_out": Look(seen.CASH_OUT, by_day=True),
    "cash_payment_report_in": Look(seen.CASH_IN, by_day=True, reach=True),
    "cash_payment_report_out": Look(seen.CASH_OUT, by_day=True, reach=True),
    "structuring": Look(seen.CASH_IN, below=True),
    "cash_volume": Look(seen.CASH_IN, incomes=1.0),
    "cash_many_places": Look(seen.CASH_IN, counts=PLACES),
    "fan_in": Look(seen.PAID_IN, counts=PARTIES),
    "fan_out": Look(seen.PAID_OUT, counts=PARTIES),
    "round_amounts": Look(seen.ROUND),
    "crypto": Look(seen.CRYPTO),
    "high_risk_country": Look(seen.HIGH_RISK),
    "dormant_woken": Look(seen.WOKEN),
    "unusual_credit": Look(seen.PAID_IN | seen.CASH_IN, incomes=1.5),
    "cheque_velocity": Look(seen.CHEQUE),
    "refund_ratio": Look(seen.GIVEN_BACK),
    "merchant_disputes": Look(seen.DISPUTED),
}


@dataclass(frozen=True)
class Book:
    """The rules that the engine asks at a place, columns of one length, by their number there.

    Attributes
    ----------
    table_row
        Row of the rules table.
    names
        Of each rule.
    family
        Position in FAMILIES.
    weight
        How seriously investigators take it, log odds.
    threshold, above, least, period_s
        As in the reference table; minor units of the place's currency and seconds.
    since, until
        Seconds after the start between which the rule holds.
    """

    table_row: Int64
    names: tuple[str, ...]
    family: NDArray[np.int8]
    weight: Float64
    threshold: Int64
    above: NDArray[np.bool_]
    least: Int64
    period_s: Int64
    since: Int64
    until: Int64

    def numbers(self, name: str) -> list[int]:
        """Numbers of the rules of this name: one per time of validity."""
        return [number for number, each in enumerate(self.names) if each == name]

    def holds(self, number: int, second: Int64) -> NDArray[np.bool_]:
        """Whether a rule holds at these moments."""
        return np.asarray((second >= self.since[number]) & (second < self.until[number]), np.bool_)

    def passes(self, number: int, amount: Int64) -> NDArray[np.bool_]:
        """Whether amounts reach the threshold of a rule."""
        threshold = self.threshold[number]
        return np.asarray(amount > threshold if self.above[number] else amount >= threshold, np.bool_)

    def smallest(self, number: int) -> int:
        """The smallest amount that reaches the threshold of a rule."""
        return int(self.threshold[number]) + int(self.above[number])

    def ratio(self, number: int, amount: Int64, count: Int64 | int = 0) -> Float64:
        """How far above the rule: the amount, and the number, beside what the rule asks for."""
        least = int(self.threshold[number])
        size = np.maximum(amount / least, 1.0) if least else np.ones(np.shape(amount))
        many = np.maximum(np.asarray(count) / int(self.least[number]), 1.0)
        return np.asarray(size * many, np.float64)


def book(spec: Spec, part: int) -> Book:
    """The rules at a place, of its jurisdiction and currency."""
    here = np.array([part])
    jurisdiction = data.countries().jurisdiction[int(ground.country(spec, here)[0])]
    return _book(jurisdiction, CURRENCIES[int(ground.currency(spec, here)[0])], spec.start.isoformat())


@lru_cache(maxsize=32)
def _book(jurisdiction: str, currency: str, start: str) -> Book:
    rules = data.rules()
    rows = np.array(
        [
            row
            for row, family in enumerate(rules.family)
            if family in FAMILIES
            and (rules.jurisdiction[row], rules.currency[row]) == (jurisdiction, currency)
        ],
        np.int64,
    )
    day = (rules.valid_from[rows] - np.datetime64(start, "D")).astype(np.int64)
    last = rules.valid_to[rows]
    until = np.where(np.isnat(last), 1 << 32, (last - np.datetime64(start, "D")).astype(np.int64) + 1)
    return Book(
        table_row=rows,
        names=tuple(rules.rule[row] for row in rows),
        family=np.array([FAMILIES.index(rules.family[row]) for row in rows], np.int8),
        weight=rules.weight[rows],
        threshold=rules.threshold_minor[rows],
        above=rules.above[rows],
        least=rules.least[rows],
        period_s=rules.period_days[rows] * ground.DAY_S,
        since=day * ground.DAY_S,
        until=until * ground.DAY_S,
    )
