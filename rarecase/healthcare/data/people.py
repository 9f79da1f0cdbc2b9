"""The population: its shape by age and sex, and its life table."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.healthcare.data import rows

SEXES = ("male", "female")
#: The census table ends with the open class of 100 and above, the life table at 109.
AGES = 101


@lru_cache(maxsize=8)
def pyramid(youngest: int = 0, oldest: int = 100) -> NDArray[np.float64]:
    """Share of the population by sex and year of age, shape (2, 101); 1 over the ages asked for."""
    counts = np.array([[float(row[sex]) for row in rows("population.csv")] for sex in SEXES])
    ages = np.arange(AGES)
    counts = np.where((ages >= youngest) & (ages <= oldest), counts, 0.0)
    return np.asarray(counts / counts.sum(), np.float64)


@lru_cache(maxsize=8)
def cumulative_hazard(year: int) -> NDArray[np.float64]:
    """Cumulative hazard of death at each birthday, shape (2, 111): −log of the share still alive."""
    table = np.zeros((2, 111))
    for row in rows("life_table.csv"):
        if int(row["year"]) == year:
            table[SEXES.index(row["sex"]), int(row["age"]) + 1] = -np.log1p(-min(float(row["qx"]), 1 - 1e-9))
    return np.cumsum(table, axis=1)


def life_expectancy(year: int) -> NDArray[np.float64]:
    """Life expectancy at birth by sex, shape (2,), years: the area under the survival curve."""
    alive = np.exp(-cumulative_hazard(year))
    return np.asarray((alive[:, 1:] + alive[:, :-1]).sum(axis=1) / 2, np.float64)
