"""How urgent an alert is, and how investigators close it: late, and not always rightly.

They see more than the rule does: how often the engine spoke of the same holder lately, and which rules are
seldom wrong. From these comes a suspicion, and an outcome that follows it most of the time. Nobody here
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
from rarecase.finance.generate.monitor.book import FRAUD, LAUNDERING, REPORT, Book
from rarecase.finance.generate.monitor.raised import Raised
from rarecase.finance.schema import ALERT_OUTCOMES

_FALSE, _CONFIRMED, _REPORTED = (
    ALERT_OUTCOMES.index(word) for word in ("false_positive", "confirmed", "reported")
)
#: Median days until an alert of each family is closed, and the spread: expert figures. Reports of law go out
#: within their 10 to 15 days, customers are called within hours.
_DELAY_DAYS = {REPORT: 5.0, LAUNDERING: 9.0, FRAUD: 0.3}
_DELAY_LOG_SD = {REPORT: 0.3, LAUNDERING: 0.8, FRAUD: 1.0}
#: The suspicion (log odds) of an alert of each family that stands alone, just above a rule of weight 0; what
#: the logarithms of the ratio and of the number of alerts on the holder add; how decided people are. So they
#: close one true alert in three or more as false, and one false alert in ten or less as true: expert figures.
_DOUBT = {LAUNDERING: -2.8, FRAUD: -2.6}
_RATIO, _ALERTS, _DECIDED = 0.7, 2.0, 1.3
_TOGETHER_S = 30 * ground.DAY_S


@dataclass(frozen=True)
class Closed:
    """What investigators did, columns over alerts: seconds after the start, position in `ALERT_OUTCOMES`."""

    second: Int64
    outcome: NDArray[np.int8]


def score(ratio: Float64) -> Float64:
    """0.5 for what just passes its rule, near 1 for what passes it by far; in thousandths."""
    return np.round(ratio / (1.0 + ratio), 3)


def investigated(seed: int, key: Int64, raised: Raised, rules: Book, when: Int64, holder: Int64) -> Closed:
    """When each alert is closed and how.

    Parameters
    ----------
    key
        Of each alert, for its draws.
    when
        Second at which each was raised.
    holder
        Whom it is about.
    """
    family = rules.family[raised.rule]
    u = np.clip(keyed_uniform(seed, "alert-delay", key), 1e-9, 1 - 1e-9)
    median, spread = (_per_family(table, family) for table in (_DELAY_DAYS, _DELAY_LOG_SD))
    delay = np.maximum(median * ground.DAY_S * np.exp(spread * ndtri(u)), 600)
    second = when + delay.astype(np.int64)
    suspicion = _DECIDED * _suspicion(raised, rules, when, second, holder)
    bad = keyed_uniform(seed, "alert-outcome", key) < expit(suspicion)
    found = np.where(family == FRAUD, _CONFIRMED, _REPORTED)
    outcome = np.where(bad | (family == REPORT), np.where(family == REPORT, _REPORTED, found), _FALSE)
    return Closed(second, outcome.astype(np.int8))


def _suspicion(raised: Raised, rules: Book, when: Int64, closed: Int64, holder: Int64) -> Float64:
    order = np.lexsort((when, holder))
    others = np.zeros(len(raised), np.int64)
    _others(order, holder, when, closed, _TOGETHER_S, others)
    return np.asarray(
        _per_family(_DOUBT, rules.family[raised.rule])
        + rules.weight[raised.rule]
        + _RATIO * np.log(np.clip(raised.ratio, 1, 1e3))
        + _ALERTS * np.log1p(others)
    )


def _per_family(table: dict[int, float], family: NDArray[np.int8]) -> Float64:
    return np.array([table.get(number, 0.0) for number in range(3)])[family]


@compiled
def _others(order: Int64, holder: Int64, when: Int64, closed: Int64, together: int, out: Int64) -> None:
    """How many other alerts on the same holder lie within `together` and were raised before it is closed."""
    begin = 0
    for k in range(order.size):
        i = order[k]
        if holder[i] != holder[order[begin]]:
            begin = k
        for j in range(begin, order.size):
            other = order[j]
            if holder[other] != holder[i] or when[other] > when[i] + together:
                break
            if j != k and when[other] >= when[i] - together and when[other] <= closed[i]:
                out[i] += 1
