"""How urgent an alert is, and how investigators close it: late, and not always rightly.

They see more than the rule does (`evidence`). From this comes a suspicion, and an outcome that follows it
most of the time; what each finding weighs and how long they take is data (`data/rules_investigators.csv`).
Nobody here knows a label. All draws are stateless, keyed by the alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor.book import FAMILIES, FRAUD, REPORT, Book
from rarecase.finance.generate.monitor.evidence import evidence
from rarecase.finance.generate.monitor.raised import Raised
from rarecase.finance.generate.monitor.seen import Holders, Seen, Sorted
from rarecase.finance.schema import ALERT_OUTCOMES

_FALSE, _CONFIRMED, _REPORTED = (
    ALERT_OUTCOMES.index(word) for word in ("false_positive", "confirmed", "reported")
)


@dataclass(frozen=True)
class Closed:
    """What investigators did, columns over alerts: seconds after the start, position in `ALERT_OUTCOMES`."""

    second: Int64
    outcome: NDArray[np.int8]


def score(ratio: Float64) -> Float64:
    """0.5 for what just passes its rule, near 1 for what passes it by far; in thousandths."""
    return np.round(ratio / (1.0 + ratio), 3)


def investigated(
    seed: int, key: Int64, seen: Seen, sorted_: Sorted, who: Holders, raised: Raised, rules: Book, when: Int64
) -> Closed:
    """When each alert is closed and how.

    Parameters
    ----------
    key
        Of each alert, for its draws.
    when
        Second at which each was raised.
    """
    family = rules.family[raised.rule]
    u = np.clip(keyed_uniform(seed, "alert-delay", key), 1e-9, 1 - 1e-9)
    days = _weight("delay_days")[family] * np.exp(_weight("delay_log_sd")[family] * ndtri(u))
    second = when + np.maximum(days * ground.DAY_S, 600).astype(np.int64)
    found = evidence(seen, sorted_, who, raised, rules, when, second)
    suspicion = (
        _weight("doubt")[family]
        + rules.weight[raised.rule]
        + _weight("ratio")[family] * np.log(np.clip(raised.ratio, 1, 1e3))
        + _weight("agree")[family] * np.log1p(found.agree)
        + _weight("leaves")[family] * found.leaves
        + _weight("known")[family] * found.known
        + _weight("firm")[family] * found.firm
    )
    bad = keyed_uniform(seed, "alert-outcome", key) < expit(suspicion)
    word = np.where(family == FRAUD, _CONFIRMED, _REPORTED)
    outcome = np.where(bad | (family == REPORT), word, _FALSE)
    return Closed(second, outcome.astype(np.int8))


@lru_cache(maxsize=16)
def _weight(what: str) -> Float64:
    """What a finding weighs, or how long closing takes, per family; 0 where nothing is said."""
    table = data.investigators()
    return np.array([table.get((family, what), 0.0) for family in FAMILIES])
