"""Who each patient is, asked of the patient's number alone.

Age, sex, death, chronic conditions and long-term medicines are stateless draws by ordinal, so that a case can
ask of any patient whether it may befall them, wherever and in whatever order it asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.healthcare.data.clinic import BANDS, clinic, slots
from rarecase.healthcare.data.people import AGES, cumulative_hazard, pyramid

US_PER_DAY = 86_400_000_000
DAYS_PER_YEAR = 365.2425
NEVER = np.iinfo(np.int64).max
MALE, FEMALE = 0, 1
#: Log-scale spread of how readily a person falls ill: makes chronic conditions cluster in the same people.
FRAILTY_SIGMA = 1.0

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class World(Protocol):
    """What of a spec decides who the patients are."""

    @property
    def seed(self) -> int: ...
    @property
    def youngest(self) -> int: ...
    @property
    def oldest(self) -> int: ...
    @property
    def life_table(self) -> int: ...


@dataclass(frozen=True)
class People:
    """Patients by ordinal, arrays of shape (n,).

    Attributes
    ----------
    sex
        0 male, 1 female.
    age
        Age at the start, in years and parts of years.
    birth_day
        Days from the start to birth, negative.
    death_us
        Microseconds from the start to death, NEVER for those who outlive the life table's end.
    """

    ordinals: Int64
    sex: Int64
    age: Floats
    birth_day: Int64
    death_us: Int64

    @property
    def cells(self) -> Int64:
        """Cell of the population pyramid: sex × 101 + year of age."""
        return self.sex * AGES + np.minimum(self.age.astype(np.int64), AGES - 1)

    def take(self, rows: NDArray[np.integer] | Bools) -> People:
        """Some of them."""
        return People(
            self.ordinals[rows], self.sex[rows], self.age[rows], self.birth_day[rows], self.death_us[rows]
        )


@dataclass(frozen=True)
class Profile:
    """Chronic conditions and long-term medicines of patients.

    Attributes
    ----------
    frailty
        How readily they fall ill, mean about 1, shape (n,).
    conditions
        Who has which, shape (n, chronic).
    medicines
        The drug in each long-term slot, -1 for none, shape (n, slots).
    """

    frailty: Floats
    conditions: Bools
    medicines: NDArray[np.int16]

    def takes(self, drugs: Int64) -> Bools:
        """Who takes any of `drugs`, shape (n,)."""
        return np.asarray(self._listed(drugs).any(axis=1), np.bool_)

    def how_many(self, drugs: Int64) -> Int64:
        """In how many slots each takes one of `drugs`, shape (n,)."""
        return np.asarray(self._listed(drugs).sum(axis=1), np.int64)

    def _listed(self, drugs: Int64) -> Bools:
        # One flag per drug, and a last one for "none", which -1 finds.
        wanted = np.zeros(len(clinic().drugs) + 1, dtype=np.bool_)
        wanted[drugs] = True
        return np.asarray(wanted[self.medicines], np.bool_)


def people(world: World, ordinals: Int64) -> People:
    """Age and sex by the shape of the census, death by the life table."""
    shares = pyramid(world.youngest, world.oldest).ravel()
    uniform = _draws(world, ordinals)
    cell = np.searchsorted(np.cumsum(shares), uniform("age and sex"), side="right")
    cell = np.minimum(cell, np.flatnonzero(shares)[-1])
    sex, years = np.divmod(cell.astype(np.int64), AGES)
    birth_day = -np.floor((years + uniform("birthday")) * DAYS_PER_YEAR).astype(np.int64) - 1
    age = -birth_day / DAYS_PER_YEAR
    return People(ordinals, sex, age, birth_day, _deaths(world, sex, age, uniform("death")))


def _draws(world: World, ordinals: Int64) -> Callable[[str], Floats]:
    return lambda name: keyed_uniform(world.seed, ("healthcare", "patients", name), ordinals)


def _deaths(world: World, sex: Int64, age: Floats, u: Floats) -> Int64:
    """Death when the hazard gathered since the start passes an exponential draw."""
    hazard, birthdays = cumulative_hazard(world.life_table), np.arange(111, dtype=np.float64)
    years = np.full(age.shape, np.inf)
    for code in (MALE, FEMALE):
        mine = sex == code
        reached = np.interp(age[mine], birthdays, hazard[code]) - np.log1p(-u[mine])
        years[mine] = np.where(
            reached < hazard[code, -1], np.interp(reached, hazard[code], birthdays) - age[mine], np.inf
        )
    lives = np.minimum(years, 200.0) * DAYS_PER_YEAR * US_PER_DAY
    return np.where(np.isfinite(years), lives.astype(np.int64), NEVER)


def profile(world: World, who: People) -> Profile:
    """What chronic conditions each has, and what they take for them."""
    uniform, tables = _draws(world, who.ordinals), clinic()
    frailty = np.exp(FRAILTY_SIGMA * ndtri(uniform("frailty") * (1 - 2e-16) + 1e-16) - FRAILTY_SIGMA**2 / 2)
    band = np.searchsorted(BANDS, who.age, side="right")
    share = tables.prevalence[band, who.sex]
    chance = -np.expm1(frailty[:, None] * np.log1p(-share))
    conditions = np.empty(share.shape, dtype=np.bool_)
    for place in range(tables.chronic):
        conditions[:, place] = uniform(f"condition {tables.diagnoses[place].code}") < chance[:, place]
    return Profile(frailty, conditions, _medicines(uniform, conditions, who.age >= 15))


def _medicines(uniform: Callable[[str], Floats], conditions: Bools, grown: Bools) -> NDArray[np.int16]:
    choices = slots(chronic=True)
    taken = np.full((conditions.shape[0], len(choices)), -1, dtype=np.int16)
    for place, slot in enumerate(choices):
        treated = np.flatnonzero(conditions[:, slot.reason] & grown)
        u = uniform(f"medicine {slot.reason} {slot.name}")[treated]
        which = np.searchsorted(slot.cumulative, u, side="right")
        drugs = np.append(slot.drugs, -1)
        taken[treated, place] = drugs[which]
    return taken
