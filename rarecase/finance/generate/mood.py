"""The mood of the month: how freely each customer spends, from nothing but who and when.

It swings by a fifth from month to month. Whose employer has failed lives on benefit and spends less.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground
from rarecase.finance.generate.maker import Maker

_MOOD_LOG_SD = 0.18
_OUT_OF_WORK = 0.72


def mood(make: Maker) -> Float64:
    """Factor on what is spent per purchase, shape (customers, calendar months of the data)."""
    months = int(make.month[-1]) + 1
    ids = make.place.customers[:, None] * 4_096 + np.arange(months)
    normal = ndtri(np.clip(keyed_uniform(make.spec.seed, "mood", ids), 1e-9, 1 - 1e-9))
    feeling = np.exp(_MOOD_LOG_SD * normal - _MOOD_LOG_SD**2 / 2)
    lost = out_of_work(make)
    day = np.minimum(lost // ground.DAY_S, make.spec.days - 1)
    since = np.where(lost < NEVER, make.month[day], months)
    return np.asarray(feeling * np.where(np.arange(months) > since[:, None], _OUT_OF_WORK, 1.0), np.float64)


def out_of_work(make: Maker) -> Int64:
    """Second at which each customer's employer fails, NEVER for nearly all, shape (n,)."""
    place = make.place
    return np.where(place.employer >= 0, place.failed[place.employer], NEVER)
