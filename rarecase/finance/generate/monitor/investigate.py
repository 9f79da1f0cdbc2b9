"""How urgent an alert is, and how investigators close it: late, and not always rightly.

They see more than the rule does: what other rules said of the same holder, and how large the sum is for who
earns so much. From these comes a suspicion, and an outcome that follows it most of the time. Nobody here
knows a label. All draws are stateless, keyed by the alert.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor.book import FRAUD, LAUNDERING, REPORT
from rarecase.finance.generate.monitor.raised import Raised
from rarecase.finance.schema import ALERT_OUTCOMES

_FALSE, _CONFIRMED, _REPORTED = (
    ALERT_OUTCOMES.index(word) for word in ("false_positive", "confirmed", "reported")
)
#: Median days until an alert of each family is closed, and the spread: expert figures. Reports of law go out
#: within their 10 to 15 days, customers are called within hours.
_DELAY_DAYS = {REPORT: 5.0, LAUNDERING: 9.0, FRAUD: 0.3}
_DELAY_LOG_SD = {REPORT: 0.3, LAUNDERING: 0.8, FRAUD: 1.0}
#: The suspicion of an alert of each family that stands alone, just above its rule (log odds).
_DOUBT = {LAUNDERING: -4.3, FRAUD: -2.6}
#: What each of these adds: the logarithm of the ratio, that of the sum in monthly incomes, another rule.
_RATIO, _INCOMES, _OTHER = 0.7, 0.6, 1.7
_TOGETHER_S = 30 * ground.DAY_S


@dataclass(frozen=True)
class Closed:
    """What investigators did, columns over alerts: seconds after the start, position in `ALERT_OUTCOMES`."""

    second: Int64
    outcome: NDArray[np.int8]


def score(ratio: Float64) -> Float64:
    """0.5 for what just passes its rule, near 1 for what passes it by far; in thousandths."""
    return np.round(ratio / (1.0 + ratio), 3)


def investigated(
    seed: int, key: Int64, raised: Raised, family: NDArray[np.int8], when: Int64, holder: Int64, income: Int64
) -> Closed:
    """When each alert is closed and how.

    Parameters
    ----------
    key
        Of each alert, for its draws.
    family
        Of each alert, positions in `book.FAMILIES`.
    when
        Second at which each was raised.
    holder, income
        Whom it is about, and that person's monthly income, 0 for firms.
    """
    u = np.clip(keyed_uniform(seed, "alert-delay", key), 1e-9, 1 - 1e-9)
    median, spread = (_per_family(table, family) for table in (_DELAY_DAYS, _DELAY_LOG_SD))
    delay = np.maximum(median * ground.DAY_S * np.exp(spread * ndtri(u)), 600)
    second = when + delay.astype(np.int64)
    suspicion = _suspicion(raised, family, when, second, holder, income)
    bad = keyed_uniform(seed, "alert-outcome", key) < expit(suspicion)
    found = np.where(family == FRAUD, _CONFIRMED, _REPORTED)
    outcome = np.where(bad | (family == REPORT), np.where(family == REPORT, _REPORTED, found), _FALSE)
    return Closed(second, outcome.astype(np.int8))


def _suspicion(
    raised: Raised, family: NDArray[np.int8], when: Int64, closed: Int64, holder: Int64, income: Int64
) -> Float64:
    order = np.lexsort((when, holder))
    others = np.zeros(len(raised), np.int64)
    _others(order, holder, when, closed, raised.rule, _TOGETHER_S, others)
    incomes = np.where(income > 0, raised.amount / np.maximum(income, 1), 1.0)
    return np.asarray(
        _per_family(_DOUBT, family)
        + _RATIO * np.log(np.clip(raised.ratio, 1, 1e3))
        + _INCOMES * np.log(np.clip(incomes, 0.1, 1e3))
        + _OTHER * others
    )


def _per_family(table: dict[int, float], family: NDArray[np.int8]) -> Float64:
    return np.array([table.get(number, 0.0) for number in range(3)])[family]


@compiled
def _others(
    order: Int64, holder: Int64, when: Int64, closed: Int64, rule: Int64, together: int, out: Int64
) -> None:
    """How many other rules spoke of the same holder within `together` and before the alert was closed."""
    begin = 0
    for k in range(order.size):
        i = order[k]
        if holder[i] != holder[order[begin]]:
            begin = k
        said = np.int64(0)
        for j in range(begin, order.size):
            other = order[j]
            if holder[other] != holder[i]:
                break
            if abs(when[other] - when[i]) <= together and when[other] <= closed[i] and rule[other] != rule[i]:
                said |= np.int64(1) << rule[other]
        while said:
            said &= said - 1
            out[i] += 1
