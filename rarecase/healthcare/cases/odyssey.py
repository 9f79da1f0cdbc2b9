"""What a rare disease leaves in the record: the search for its name, the name, and the life with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrik

from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.healthcare.cases.rare_disease import Courses, RareDisease
from rarecase.healthcare.cases.record import (
    AMBULATORY,
    CONFIRMED,
    INPATIENT,
    NO_DAY,
    NO_TIME,
    PROVISIONAL,
    REFUTED,
    Effects,
)
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.disorders import (
    EXCLUDED,
    FREQUENCY_BOUNDS,
    catalogue,
    contradicted,
    fits_sex,
    implied,
    organ_table,
    phenotype_shifts,
    terms,
    unfit,
)
from rarecase.healthcare.data.laboratory import laboratory
from rarecase.healthcare.data.population import NEVER, US_PER_DAY
from rarecase.healthcare.schema import SPECIALTIES

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
MINUTE = 60_000_000
YEAR_US = 365.25 * US_PER_DAY
#: Visits a year on the way to the diagnosis (eight physicians and their follow-ups) and after it (expert).
VISITS_SEARCHING, VISITS_FOLLOWED = 4.5, 2.0
#: Misdiagnosed at least once (EURORDIS Rare Barometer 2024).
MISDIAGNOSED = 0.73
#: Share of the terms not observed that somebody looked for and wrote down, and of Orphanet's excluded ones
#: (expert).
LOOKED_FOR, LOOKED_FOR_EXCLUDED = 0.35, 0.6
#: Share of the signs known at the opening that the record was opened with, and of diagnoses made on a ward.
OPENED_WITH, ADMITTED = 0.3, 0.25
#: Share of the disease's visits at which each panel is taken (expert).
PANELS = {
    "vitals": 0.9,
    "metabolic": 0.5,
    "blood": 0.5,
    "liver": 0.35,
    "muscle": 0.12,
    "thyroid": 0.1,
    "rhythm": 0.1,
}
#: Share of visits whose stated reason is what the disease is mistaken for; the others are as anybody's (expert).
SAID = 0.35
SEARCH, NAMING, FOLLOW_UP = 0, 1, 2
ROLES = ("visit/search", "visit/diagnosis", "visit/follow-up")


def happen(case: RareDisease, spec: HealthcareSpec, homes: Int64, effects: Effects) -> Courses:
    """Let the disease happen to patients of a part; how it went, for the cases table."""
    patients = _patients(case, spec, homes, effects)
    signs = _signs(patients)
    visits = _visits(patients, signs)
    _write_signs(patients, signs, visits)
    _write_diagnoses(patients, visits)
    _write_mistakes(patients, signs, visits)
    # A difficult case is a mild one: its values stand closer to those of everybody.
    shift = signs.shift() * (1.25 - 0.9 * case.difficulty)
    for name, share in PANELS.items():
        row = np.flatnonzero(patients.draw(f"panel {name}", visits.key) < share)
        visit = (visits.key[row], visits.start[row], visits.end[row])
        owner = visits.owner[row]
        panel = laboratory().panel(name)
        effects.measure("rare disease", panel, patients.local[owner], visit, shift[owner], "laboratory")
    begins = patients.courses.onset_us
    effects.shift_ordinary(patients.local, begins, np.full(begins.shape, NEVER), shift)
    return patients.courses


@dataclass(frozen=True)
class _Patients:
    """The cases of one entry in one part, row by row."""

    name: str
    seed: int
    weekday: int
    homes: Int64
    local: Int64
    until: Int64
    child: Bools
    sex: Int64
    courses: Courses
    effects: Effects

    def draw(self, what: str, ids: Int64) -> Floats:
        """Uniform draws by id, named by the case."""
        return keyed_uniform(self.seed, ("odyssey", self.name, what), ids)


def _patients(case: RareDisease, spec: HealthcareSpec, homes: Int64, effects: Effects) -> _Patients:
    local = homes - effects.record.low
    who = effects.record.who.take(local)
    return _Patients(
        name=case.label,
        seed=spec.seed,
        weekday=spec.start.weekday(),
        homes=homes,
        local=local,
        until=effects.record.until[local],
        child=who.age < 16,
        sex=who.sex,
        courses=case.courses(spec, who),
        effects=effects,
    )


# -- signs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Signs:
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
        shown = np.flatnonzero(self.observed & phenotype_shifts().any(axis=1)[self.term])
        np.add.at(total, self.owner[shown], phenotype_shifts()[self.term[shown]])
        return np.clip(total, -6.0, 6.0)


def _signs(patients: _Patients) -> _Signs:
    book, disorder = catalogue(), patients.courses.disorder
    counts = book.first[disorder + 1] - book.first[disorder]
    owner = np.repeat(np.arange(counts.size), counts)
    number = _within(owner)
    row = book.first[disorder][owner] + number
    ids, term, frequency = patients.homes[owner] * 1024 + number, book.term[row], book.frequency[row]
    possible = fits_sex(term, patients.sex[owner]) & ~unfit()[term]
    low, high = FREQUENCY_BOUNDS[frequency].T
    # How frequent a sign is within its class belongs to the disorder: the same for all its patients.
    chance = low + (high - low) * keyed_uniform(0, "frequency within the class", row)
    observed = possible & (patients.draw("observed", ids) < chance)
    shown = np.flatnonzero(observed)
    observed[shown[implied(owner[shown], term[shown])]] = False
    sought = np.where(frequency == EXCLUDED, LOOKED_FOR_EXCLUDED, LOOKED_FOR)
    excluded = possible & ~observed & (patients.draw("looked for", ids) < sought)
    untrue = _settle(patients, owner, term, observed, excluded)
    return _Signs(counts.size, owner, ids, term, observed, excluded, untrue)


def _settle(patients: _Patients, owner: Int64, term: Int64, observed: Bools, excluded: Bools) -> Int64:
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


def _write_signs(patients: _Patients, signs: _Signs, visits: _Visits) -> None:
    """Phenotypes: some known when the record was opened, the others written down at one of the visits."""
    effects, onset = patients.effects, patients.courses.onset_us
    effects.remove("phenotypes", signs.untrue, "phenotype/contradicted")
    for told, name in ((signs.observed, "observed"), (signs.excluded, "excluded")):
        row = np.flatnonzero(told)
        owner, ids = signs.owner[row], signs.ids[row]
        before = (onset[owner] < -30 * US_PER_DAY) & (patients.draw(f"{name} before", ids) < OPENED_WITH)
        visit = np.where(before, -1, visits.any(owner, patients.draw(f"{name} visit", ids)))
        row, owner, ids, visit = (values[before | (visit >= 0)] for values in (row, owner, ids, visit))
        recorded = np.where(visit >= 0, visits.start[visit], 0)
        lag = np.maximum(recorded - onset[owner], 0) * patients.draw(f"{name} since", ids) ** 2.5
        columns = {
            "encounter": np.where(visit >= 0, np.append(visits.key, -1)[visit], -1),
            "term": signs.term[row],
            "excluded": np.full(row.shape, name == "excluded"),
            "onset_day": np.where(name == "excluded", NO_DAY, (onset[owner] + lag.astype(np.int64)) // US_PER_DAY),
            "recorded": recorded,
        }
        effects.add("phenotypes", patients.local[owner], columns, f"phenotype/{name}")


# -- visits ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Visits:
    """The disease's encounters by patient and time; `owner` is the row of the case.

    The arrays end with one visit that nobody made, so that -1 may stand for none.
    """

    owner: Int64
    start: Int64
    end: Int64
    key: Int64
    stage: Int64
    first: Int64

    def any(self, owner: Int64, u: Floats) -> Int64:
        """One visit of each owner, -1 where there is none."""
        count = (self.first[1:] - self.first[:-1])[owner]
        at = self.first[owner] + np.minimum((u * count).astype(np.int64), count - 1)
        return np.where(count > 0, at, -1)

    def first_of(self, stage: int) -> Int64:
        """The first visit of a stage of each case, -1 where there is none."""
        found = np.full(self.first.size - 1, -1, dtype=np.int64)
        rows = np.flatnonzero(self.stage == stage)[::-1]
        found[self.owner[rows]] = rows
        return found


def _visits(patients: _Patients, signs: _Signs) -> _Visits:
    """Encounters of the search, of the diagnosis and of the life with it, in order of time."""
    owner, start, stage = _moments(patients)
    ids = patients.homes[owner] * 4096 + _within(owner)
    stays = (stage == NAMING) & (patients.draw("admitted", ids) < ADMITTED)
    length = (12 + (patients.draw("length", ids) * 34).astype(np.int64)) * MINUTE
    stay = (24 + (patients.draw("stay", ids) * 96).astype(np.int64)) * 60 * MINUTE
    end = np.minimum(start + np.where(stays, stay, length), patients.until[owner])
    if owner.size:
        together = owner[1:] == owner[:-1]
        end[:-1] = np.where(together, np.minimum(end[:-1], np.maximum(start[1:] - MINUTE, start[:-1])), end[:-1])
    specialty, reason = _setting(patients, signs, owner, ids, stage)
    key = np.empty(owner.size, dtype=np.int64)
    for number, role in enumerate(ROLES):
        mine = np.flatnonzero(stage == number)
        key[mine] = patients.effects.visit(
            patients.local[owner[mine]],
            start=start[mine],
            end=end[mine],
            kind=np.where(stays[mine], INPATIENT, AMBULATORY),
            specialty=specialty[mine],
            reason=reason[mine],
            role=role,
        )
    first = np.searchsorted(owner, np.arange(patients.local.size + 1))
    return _Visits(owner, np.append(start, 0), np.append(end, 0), key, stage, first)


def _moments(patients: _Patients) -> tuple[Int64, Int64, Int64]:
    """Owner, start and stage of every visit, by owner and time; no two of an owner at once."""
    onset, named, until = patients.courses.onset_us, patients.courses.diagnosis_us, patients.until
    begin, known = np.maximum(onset, 0), np.maximum(named, 0)
    search = np.maximum(np.minimum(known, until) - begin, 0)
    turn = np.minimum(np.maximum(known, begin), until)
    follow = until - turn
    searching = _poisson(patients.draw("searching", patients.homes), search / YEAR_US * VISITS_SEARCHING)
    followed = _poisson(patients.draw("followed", patients.homes), follow / YEAR_US * VISITS_FOLLOWED)
    # Somebody with the disease is seen for it at least once, or nobody would know of its signs.
    searching = np.where((search > 3 * US_PER_DAY) & (searching == 0), 1, searching)
    followed = np.where((searching == 0) & (follow > 3 * US_PER_DAY) & (followed == 0), 1, followed)
    at_visit = ((named > US_PER_DAY) & (named < until - US_PER_DAY)).astype(np.int64)
    pieces = [
        _spread(patients, searching, begin, search, "searching"),
        _spread(patients, at_visit, np.maximum(named, 0), np.zeros_like(named), "naming"),
        _spread(patients, followed, turn, follow, "followed"),
    ]
    stage = np.repeat(np.arange(3), [piece[0].size for piece in pieces])
    owner, start = (np.concatenate([piece[at] for piece in pieces]) for at in (0, 1))
    held = start < until[owner]
    owner, start, stage = owner[held], start[held], stage[held]
    order = np.lexsort((stage, start, owner))
    owner, start, stage = owner[order], start[order], stage[order]
    # Of two at one moment the earlier stage gives way, unless the later one is the diagnosis itself.
    clash = np.zeros(owner.size, dtype=np.bool_)
    clash[1:] = (owner[1:] == owner[:-1]) & (start[1:] - start[:-1] < 90 * MINUTE)
    clash &= stage != NAMING
    return owner[~clash], start[~clash], stage[~clash]


def _poisson(u: Floats, mean: Floats) -> Int64:
    """Poisson counts by inversion; a mean of 0 gives 0."""
    counts = np.ceil(pdtrik(u, np.maximum(mean, 1e-9)))
    return np.where(mean > 0, np.nan_to_num(np.maximum(counts, 0)), 0).astype(np.int64)


def _spread(
    patients: _Patients, counts: Int64, begin: Int64, span: Int64, name: str
) -> tuple[Int64, Int64]:
    """Visits spread over an interval, in office hours of weekdays: owners and starts."""
    owner = np.repeat(np.arange(counts.size), counts)
    number = _within(owner)
    ids = patients.homes[owner] * 4096 + number
    step = span[owner] / np.maximum(counts[owner], 1)
    at = begin[owner] + ((number + patients.draw(f"{name} when", ids)) * step).astype(np.int64)
    day = at // US_PER_DAY
    # Weekends move back to Friday.
    day -= np.maximum((day + patients.weekday) % 7 - 4, 0)
    minute = 480 + (patients.draw(f"{name} hour", ids) * 560).astype(np.int64)
    return owner, np.maximum(day * US_PER_DAY + minute * MINUTE, begin[owner])


def _within(owner: Int64) -> Int64:
    """Place of each row among those of its owner; owners ascend."""
    return np.asarray(np.arange(owner.size) - np.searchsorted(owner, owner), np.int64)


def _setting(
    patients: _Patients, signs: _Signs, owner: Int64, ids: Int64, stage: Int64
) -> tuple[Int64, Int64]:
    """Specialty and stated reason of each visit: a specialist of one of the organs, or the generalist."""
    organ = signs.organ(owner, patients.draw("organ", ids))
    by_organ = np.array([SPECIALTIES.index(name) for name in organ_table()[0]])
    children, adults = SPECIALTIES.index("paediatrics"), SPECIALTIES.index("primary care")
    u = patients.draw("specialist", ids)
    specialty = np.where(u < 0.7, by_organ[organ], np.where(patients.child[owner], children, adults))
    specialty = np.where((stage == NAMING) & (u > 0.4), SPECIALTIES.index("genetics"), specialty)
    told = _mistake(organ, patients.draw("mistaken reason", ids))
    return specialty, np.where(patients.draw("reason known", ids) < SAID, told, _complaint(patients, owner, ids))


def _complaint(patients: _Patients, owner: Int64, ids: Int64) -> Int64:
    """What anybody comes with: one of the acute complaints of ordinary visits, by their weights."""
    weights = clinic().acute_weights[:2]
    running = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    group = np.where(patients.child[owner], 0, 1)
    u = patients.draw("complaint", ids)
    return np.asarray(clinic().chronic + (u[:, None] >= running[group]).sum(axis=1), np.int64)


def _mistake(organ: Int64, u: Floats) -> Int64:
    """What diseases of an organ are taken for, by one uniform each."""
    mistaken = organ_table()[1]
    widest = max(len(found) for found in mistaken)
    table = np.array([[clinic().diagnosis(found[at % len(found)]) for at in range(widest)] for found in mistaken])
    return np.asarray(table[organ, np.minimum((u * widest).astype(np.int64), widest - 1)], np.int64)


# -- diagnoses ---------------------------------------------------------------------------------------------


def _write_diagnoses(patients: _Patients, visits: _Visits) -> None:
    """The right name: at a visit of the window, or known when the record was opened."""
    naming = visits.first_of(NAMING)
    row = np.flatnonzero((naming >= 0) | (patients.courses.diagnosis_us <= US_PER_DAY))
    visit = naming[row]
    moment = np.where(visit >= 0, visits.start[visit], 0)
    columns = {
        "encounter": np.where(visit >= 0, np.append(visits.key, -1)[visit], -1),
        "diagnosis": np.full(row.shape, -1),
        "disorder": patients.courses.disorder[row],
        "onset_day": patients.courses.onset_us[row] // US_PER_DAY,
        "recorded": moment,
        "abated": np.full(row.shape, NO_TIME),
        "verification": np.full(row.shape, CONFIRMED),
        "verified": moment,
    }
    patients.effects.add("conditions", patients.local[row], columns, "diagnosis")


def _write_mistakes(patients: _Patients, signs: _Signs, visits: _Visits) -> None:
    """A wrong name at the first visit of the search, refuted when the right one is found."""
    search, naming = visits.first_of(SEARCH), visits.first_of(NAMING)
    row = np.flatnonzero((search >= 0) & (patients.draw("mistaken", patients.homes) < MISDIAGNOSED))
    start, settled = visits.start[search[row]], naming[row] >= 0
    homes = patients.homes[row]
    organ = signs.organ(row, patients.draw("mistaken organ", homes))
    onset = np.maximum(patients.courses.onset_us[row], start - 90 * US_PER_DAY)
    columns = {
        "encounter": visits.key[search[row]],
        "diagnosis": _mistake(organ, patients.draw("mistaken for", homes)),
        "disorder": np.full(row.shape, -1),
        "onset_day": onset // US_PER_DAY,
        "recorded": start,
        "abated": np.where(settled, visits.start[naming[row]], NO_TIME),
        "verification": np.where(settled, REFUTED, PROVISIONAL),
        "verified": np.where(settled, visits.start[naming[row]], NO_TIME),
    }
    patients.effects.add("conditions", patients.local[row], columns, "diagnosis/wrong")
