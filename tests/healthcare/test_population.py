"""Who the patients are: stateless, shaped as the census, dying as the life table says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from rarecase.healthcare.data.people import cumulative_hazard, pyramid
from rarecase.healthcare.data.population import DAYS_PER_YEAR, NEVER, US_PER_DAY, people, profile


@dataclass(frozen=True)
class _World:
    seed: int = 5
    youngest: int = 0
    oldest: int = 100
    life_table: int = 2014


MANY = np.arange(60_000, dtype=np.int64)


def test_a_patient_is_the_same_however_asked() -> None:
    whole, some = people(_World(), MANY), people(_World(), MANY[[70, 7, 3000]])
    for name in ("sex", "age", "birth_day", "death_us"):
        assert (getattr(whole, name)[[70, 7, 3000]] == getattr(some, name)).all()
    assert (
        profile(_World(), whole).conditions[[70]] == profile(_World(), whole.take(np.array([70]))).conditions
    ).all()


def test_ages_and_sexes_follow_the_census() -> None:
    who = people(_World(), MANY)
    found = np.bincount(who.sex * 101 + np.minimum(who.age.astype(np.int64), 100), minlength=202)
    expected = pyramid().ravel() * MANY.size
    large = expected >= 5
    # False alarm: 1 in 10,000 seeds.
    assert (
        stats.chisquare(found[large], expected[large] / expected[large].sum() * found[large].sum()).pvalue
        > 1e-4
    )


def test_ages_can_be_narrowed() -> None:
    who = people(_World(youngest=20, oldest=30), MANY[:5000])
    assert who.age.min() >= 20
    assert who.age.max() < 31.01


def test_deaths_follow_the_life_table() -> None:
    who = people(_World(), MANY)
    assert (who.death_us > 0).all()
    hazard, birthdays = cumulative_hazard(2014), np.arange(111, dtype=np.float64)
    years = 5.0
    alive_until = np.where(who.death_us == NEVER, np.inf, who.death_us / US_PER_DAY / DAYS_PER_YEAR)
    expected = 0.0
    for sex in (0, 1):
        age = who.age[who.sex == sex]
        gone = np.interp(age + years, birthdays, hazard[sex]) - np.interp(age, birthdays, hazard[sex])
        expected += float(-np.expm1(-gone).sum())
    # Four standard errors: 1 false alarm in 16,000 seeds.
    assert abs((alive_until < years).sum() - expected) < 4 * np.sqrt(expected)


def test_conditions_and_medicines_gather_in_the_old() -> None:
    who = people(_World(), MANY)
    found = profile(_World(), who)
    number = (found.medicines >= 0).sum(axis=1)
    old, young = who.age >= 65, (who.age >= 20) & (who.age < 40)
    assert found.conditions[old].sum(axis=1).mean() > 3 * found.conditions[young].sum(axis=1).mean()
    assert 0.13 < (number >= 5)[who.age >= 20].mean() < 0.22
    assert not (found.medicines[who.age < 15] >= 0).any()
