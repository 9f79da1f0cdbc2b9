"""Which signs each patient shows, and which were looked for in vain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.healthcare.cases.rare_disease import Courses, RareDisease
from rarecase.healthcare.cases.record import Effects
from rarecase.healthcare.data.disorders import (
    EXCLUDED,
    FREQUENCY_BOUNDS,
    catalogue,
    contradicted,
    fits_sex,
    implied,
    phenotype_shifts,
    terms,
    unfit,
)
from rarecase.healthcare.data.laboratory import laboratory

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: Share of the terms not observed that somebody looked for and wrote down, and of Orphanet's excluded ones
#: (expert).
LOOKED_FOR, LOOKED_FOR_EXCLUDED = 0.35, 0.6


@dataclass(frozen=True)
class Patients:
    """The cases of one entry in one part, row by row."""

    name: str
    seed: int
    weekday: int
    homes: Int64
    local: Int64
    until: Int64
    child: Bools
    sex: Int64
    birth_day: Int64
    courses: Courses
    effects: Effects

    def draw(self, what: str, ids: Int64) -> Floats:
        """Uniform draws by id, named by the case."""
        return keyed_uniform(self.seed, ("odyssey", self.name, what), ids)


def patients_of(case: RareDisease, spec: HealthcareSpec, homes: Int64, effects: Effects) -> Patients:
    local = homes - effects.record.low
    who = effects.record.who.take(local)
    return Patients(
        name=case.label,
        seed=spec.seed,
        weekday=spec.start.weekday(),
        homes=homes,
        local=local,
        until=effects.record.until[local],
        child=who.age < 16,
        sex=who.sex,
        birth_day=who.birth_day,
        courses=case.courses(spec, who),
        effects=effects,
    )


@dataclass(frozen=True)
class Signs:
    """Terms of each case's disorder, flat: which were observed, which looked for in vain.

    `untrue` are ordinary entries "not found" that the disease contradicts.
    """

    cases: int
    owner: Int64
    ids: Int64
    term: Int64
    observed: Bools
    excluded: Bools
    untrue: Int64

    def organ(self, owner: Int64, u: Floats) -> Int64:
        """The organ system of one of the observed signs of each owner; constitutional where there is none."""
        shown = np.flatnonzero(self.observed)
        first = np.searchsorted(self.owner[shown], np.arange(self.cases + 1))
        count = (first[1:] - first[:-1])[owner]
        organ = np.append(terms().organ[self.term[shown]], terms().organs.index("Constitutional symptom"))
        at = first[owner] + np.minimum((u * count).astype(np.int64), count - 1)
        return np.asarray(organ[np.where(count > 0, at, organ.size - 1)], np.int64)

    def shift(self) -> Floats:
        """What the observed signs add to the scores of the tests, shape (cases, tests), within ± 6."""
        total = np.zeros((self.cases, len(laboratory().analytes)))
        telling = np.asarray(phenotype_shifts().any(axis=1), np.bool_)
        shown = np.flatnonzero(self.observed & telling[self.term])
        np.add.at(total, self.owner[shown], phenotype_shifts()[self.term[shown]])
        return np.clip(total, -6.0, 6.0)


def signs_of(patients: Patients) -> Signs:
    book, disorder = catalogue(), patients.courses.disorder
    counts = book.first[disorder + 1] - book.first[disorder]
    owner = np.repeat(np.arange(counts.size), counts)
    number = within(owner)
    row = book.first[disorder][owner] + number
    ids, term, frequency = patients.homes[owner] * 1024 + number, book.term[row], book.frequency[row]
    possible: Bools = fits_sex(term, patients.sex[owner]) & ~unfit()[term]
    low, high = FREQUENCY_BOUNDS[frequency].T
    # How frequent a sign is within its class belongs to the disorder: the same for all its patients.
    chance: Floats = low + (high - low) * keyed_uniform(0, "frequency within the class", row)
    observed = np.asarray(possible & (patients.draw("observed", ids) < chance), np.bool_)
    shown = np.flatnonzero(observed)
    observed[shown[implied(owner[shown], term[shown])]] = False
    sought = np.where(frequency == EXCLUDED, LOOKED_FOR_EXCLUDED, LOOKED_FOR)
    excluded = np.asarray(possible & ~observed & (patients.draw("looked for", ids) < sought), np.bool_)
    untrue = _settle(patients, owner, term, observed, excluded)
    return Signs(counts.size, owner, ids, term, observed, excluded, untrue)


def _settle(patients: Patients, owner: Int64, term: Int64, observed: Bools, excluded: Bools) -> Int64:
    """Nothing is absent of which a kind is present, in this disease or in the patient's ordinary chart.

    Clears `excluded` in place; the ordinary entries that the disease makes untrue are returned.
    """
    chart = patients.effects.record.tables["phenotypes"]
    row_of = np.full(patients.effects.case_of.size, -1, dtype=np.int64)
    row_of[patients.local] = np.arange(patients.local.size)
    mine = row_of[chart["patient"].astype(np.int64)]
    terms_there, absent = chart["term"].astype(np.int64), chart["excluded"].astype(np.bool_)
    present = np.flatnonzero((mine >= 0) & ~absent)
    shown_by = np.concatenate([owner[observed], mine[present]])
    shown = np.concatenate([term[observed], terms_there[present]])
    maybe = np.flatnonzero(excluded)
    excluded[maybe[contradicted(shown_by, shown, owner[maybe], term[maybe])]] = False
    denied = np.flatnonzero((mine >= 0) & absent)
    against = contradicted(owner[observed], term[observed], mine[denied], terms_there[denied])
    return denied[against]


def within(owner: Int64) -> Int64:
    """Place of each row among those of its owner; owners ascend."""
    return np.asarray(np.arange(owner.size) - np.searchsorted(owner, owner), np.int64)
