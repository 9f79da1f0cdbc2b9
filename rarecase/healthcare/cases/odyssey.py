"""What a rare disease leaves in the record: the search for its name, the name, and the life with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrik

from rarecase.common.seeds import Int64
from rarecase.healthcare.cases.rare_disease import Courses, RareDisease
from rarecase.healthcare.cases.record import (
    AMBULATORY,
    CONFIRMED,
    INPATIENT,
    NO_DAY,
    NO_TIME,
    ON_THE_LIST,
    PROVISIONAL,
    REFUTED,
    Effects,
    settled,
)
from rarecase.healthcare.cases.signs import Patients, Signs, patients_of, signs_of, within
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.disorders import organ_table, terms
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
#: Share of visits at which a panel is taken that the disease moves (expert).
TELLING = 0.35
#: Share of the other visits that are check-ups (expert).
ROUTINE = 0.2
#: Share of visits about another chronic condition of the patient's, where there is one (expert).
OWN = 0.45
#: Share of visits whose stated reason is what the disease is mistaken for; the others are as anybody's
#: (expert).
SAID = 0.15
#: Share of visits to a specialist of one of the organs that show signs (expert).
SPECIALIST = 0.6
SEARCH, NAMING, FOLLOW_UP = 0, 1, 2
ROLES = ("visit/search", "visit/diagnosis", "visit/follow-up")


def happen(case: RareDisease, spec: HealthcareSpec, homes: Int64, effects: Effects) -> tuple[Courses, Int64]:
    """Let the disease happen to patients of a part; how it went, and when it was recognised (or NO_TIME)."""
    patients = patients_of(case, spec, homes, effects)
    signs = signs_of(patients)
    visits = _visits(patients, signs)
    _write_signs(patients, signs, visits)
    detected = _write_diagnoses(patients, visits)
    _write_mistakes(patients, signs, visits)
    _write_complaints(patients, visits)
    # A difficult case is a mild one: its values stand closer to those of everybody.
    shift = signs.shift() * (1.25 - 0.9 * case.difficulty)
    for name, share in PANELS.items():
        telling = shift[:, laboratory().panel(name).analytes].any(axis=1)
        wanted = np.where(telling, np.maximum(share, TELLING), share)[visits.owner]
        row = np.flatnonzero(patients.draw(f"panel {name}", visits.key) < wanted)
        visit = (visits.key[row], visits.start[row], visits.end[row])
        owner = visits.owner[row]
        panel = laboratory().panel(name)
        effects.measure("rare disease", panel, patients.local[owner], visit, shift[owner], "laboratory")
    begins = patients.courses.onset_us
    effects.shift_ordinary(patients.local, begins, np.full(begins.shape, NEVER), shift)
    return patients.courses, detected


def _write_signs(patients: Patients, signs: Signs, visits: _Visits) -> None:
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
            "onset_day": _since(patients, owner, signs.term[row], lag, name),
            "recorded": recorded,
        }
        effects.add("phenotypes", patients.local[owner], columns, f"phenotype/{name}")


def _since(patients: Patients, owner: Int64, term: Int64, lag: Floats, told: str) -> Int64:
    """When signs began: malformations at birth, others in the course of the disease; days."""
    if told == "excluded":
        return np.full(owner.shape, NO_DAY, dtype=np.int64)
    begun = (patients.courses.onset_us[owner] + lag.astype(np.int64)) // US_PER_DAY
    return np.where(terms().congenital[term], patients.birth_day[owner], begun)


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
    reason: Int64
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


def _visits(patients: Patients, signs: Signs) -> _Visits:
    """Encounters of the search, of the diagnosis and of the life with it, in order of time."""
    owner, start, stage = _moments(patients)
    ids = patients.homes[owner] * 4096 + within(owner)
    stays = (stage == NAMING) & (patients.draw("admitted", ids) < ADMITTED)
    length = (12 + (patients.draw("length", ids) * 34).astype(np.int64)) * MINUTE
    stay = (24 + (patients.draw("stay", ids) * 96).astype(np.int64)) * 60 * MINUTE
    end = np.minimum(start + np.where(stays, stay, length), patients.until[owner])
    if owner.size:
        together = owner[1:] == owner[:-1]
        end[:-1] = np.where(
            together, np.minimum(end[:-1], np.maximum(start[1:] - MINUTE, start[:-1])), end[:-1]
        )
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
    return _Visits(owner, np.append(start, 0), np.append(end, 0), key, stage, reason, first)


def _moments(patients: Patients) -> tuple[Int64, Int64, Int64]:
    """Owner, start and stage of every visit, by owner and time; no two of an owner at once."""
    onset, named, until = patients.courses.onset_us, patients.courses.diagnosis_us, patients.until
    begin = -(-np.maximum(onset, 0) // MINUTE) * MINUTE
    day = named // US_PER_DAY * US_PER_DAY
    known = np.maximum(day, 0)
    search = np.maximum(np.minimum(known, until) - begin, 0)
    turn = np.minimum(np.maximum(known + US_PER_DAY, begin), until)
    follow = until - turn
    searching = _poisson(patients.draw("searching", patients.homes), search / YEAR_US * VISITS_SEARCHING)
    followed = _poisson(patients.draw("followed", patients.homes), follow / YEAR_US * VISITS_FOLLOWED)
    # Somebody with the disease is seen for it at least once, or nobody would know of its signs.
    searching = np.where((search > 3 * US_PER_DAY) & (searching == 0), 1, searching)
    followed = np.where((searching == 0) & (follow > 3 * US_PER_DAY) & (followed == 0), 1, followed)
    at_visit = ((named > US_PER_DAY) & (named < until - US_PER_DAY)).astype(np.int64)
    pieces = [
        _spread(patients, searching, (begin, search), begin, "searching"),
        _spread(patients, at_visit, (np.maximum(day, begin), np.zeros_like(day)), begin, "naming"),
        _spread(patients, followed, (turn, follow), turn, "followed"),
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
    patients: Patients, counts: Int64, over: tuple[Int64, Int64], least: Int64, name: str
) -> tuple[Int64, Int64]:
    """Visits spread over intervals (begin, span), in office hours of weekdays, none before `least`."""
    owner = np.repeat(np.arange(counts.size), counts)
    number = within(owner)
    ids = patients.homes[owner] * 4096 + number
    step = over[1][owner] / np.maximum(counts[owner], 1)
    at = over[0][owner] + ((number + patients.draw(f"{name} when", ids)) * step).astype(np.int64)
    day = at // US_PER_DAY
    # Weekends move back to Friday, or on to Monday where Friday is too early.
    back = np.maximum((day + patients.weekday) % 7 - 4, 0)
    minute = 480 + (patients.draw(f"{name} hour", ids) * 560).astype(np.int64)
    moment = (day - back) * US_PER_DAY + minute * MINUTE
    moment += np.where((back > 0) & (moment < least[owner]), 3 * US_PER_DAY, 0)
    return owner, np.maximum(moment, least[owner])


def _setting(patients: Patients, signs: Signs, owner: Int64, ids: Int64, stage: Int64) -> tuple[Int64, Int64]:
    """Specialty and stated reason of each visit: a specialist of one of the organs, or the generalist."""
    organ = signs.organ(owner, patients.draw("organ", ids))
    by_organ = np.array([SPECIALTIES.index(name) for name in organ_table()[0]])
    children, adults = SPECIALTIES.index("paediatrics"), SPECIALTIES.index("primary care")
    u = patients.draw("specialist", ids)
    specialty = np.where(u < SPECIALIST, by_organ[organ], np.where(patients.child[owner], children, adults))
    specialty = np.where((stage == NAMING) & (u > 0.4), SPECIALTIES.index("genetics"), specialty)
    told = _mistake(organ, patients.draw("mistaken reason", ids))
    own = (u < SPECIALIST) & (specialty == by_organ[organ])
    said = (patients.draw("reason known", ids) < SAID) & (own | (u >= SPECIALIST))
    reason = np.where(said, told, _complaint(patients, owner, ids, specialty))
    return specialty, reason


def _complaint(patients: Patients, owner: Int64, ids: Int64, specialty: Int64) -> Int64:
    """What anybody comes with to such a clinician: an acute complaint by its weight, or a check-up."""
    group = np.where(patients.child[owner], 0, 1)
    running = _complaints()[group, specialty]
    u = patients.draw("complaint", ids)
    acute = clinic().chronic + (u[:, None] >= running).sum(axis=1)
    routine = np.array([clinic().diagnosis("checkup_child"), clinic().diagnosis("checkup_adult")])[group]
    general = np.isin(specialty, [SPECIALTIES.index(name) for name in ("primary care", "paediatrics")])
    checked = general & (patients.draw("routine", ids) < ROUTINE)
    own = _own_condition(patients, owner, (specialty, general), patients.draw("which of theirs", ids))
    theirs = (own >= 0) & ~checked & (patients.draw("about theirs", ids) < OWN)
    return np.asarray(np.where(theirs, own, np.where(checked, routine, acute)), np.int64)


def _own_condition(patients: Patients, owner: Int64, seen: tuple[Int64, Bools], u: Floats) -> Int64:
    """One of the patient's other chronic conditions that such a clinician looks after, -1 for none."""
    specialty, general = seen
    after = np.array([SPECIALTIES.index(found.specialty) for found in clinic().diagnoses[: clinic().chronic]])
    theirs = patients.effects.record.profile.conditions[patients.local][owner]
    running = np.cumsum(theirs & (general[:, None] | (after == specialty[:, None])), axis=1)
    wanted = np.minimum((u * running[:, -1]).astype(np.int64), running[:, -1] - 1)
    place = (running <= wanted[:, None]).sum(axis=1)
    return np.where(running[:, -1] > 0, place, -1)


@lru_cache(maxsize=1)
def _complaints() -> Floats:
    """Running shares of the acute reasons by group of age and specialty, shape (2, specialties, acute)."""
    weights = clinic().acute_weights[:2]
    seen = np.ones((len(SPECIALTIES), weights.shape[1]), dtype=np.bool_)
    for place in range(SPECIALTIES.index("neurology"), len(SPECIALTIES)):
        seen[place] = [SPECIALTIES[place] in found for found in clinic().referred_to]
    running = np.cumsum(weights[:, None, :] * seen[None, :, :], axis=2)
    return np.asarray(running / running[:, :, -1:], np.float64)


def _mistake(organ: Int64, u: Floats) -> Int64:
    """What diseases of an organ are taken for, by one uniform each."""
    mistaken = organ_table()[1]
    widest = max(len(found) for found in mistaken)
    table = np.array(
        [[clinic().diagnosis(found[at % len(found)]) for at in range(widest)] for found in mistaken]
    )
    return np.asarray(table[organ, np.minimum((u * widest).astype(np.int64), widest - 1)], np.int64)


# -- diagnoses ---------------------------------------------------------------------------------------------


def _write_diagnoses(patients: Patients, visits: _Visits) -> Int64:
    """The right name: at a visit of the window, or known when the record was opened. When, or NO_TIME."""
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
    detected = np.full(naming.shape, NO_TIME)
    detected[row] = np.where(visit >= 0, moment, patients.courses.diagnosis_us[row])
    return detected


def _write_mistakes(patients: Patients, signs: Signs, visits: _Visits) -> None:
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


def _write_complaints(patients: Patients, visits: _Visits) -> None:
    """What visits were about goes on the list as anybody's does, and is over when it is for anybody."""
    count = visits.key.size
    ids = patients.homes[visits.owner] * 4096 + within(visits.owner)
    acute = visits.reason - clinic().chronic
    listed = (acute >= 0) & (acute < clinic().acute_days.shape[0])
    row = np.flatnonzero(listed & (patients.draw("on the list", ids) < ON_THE_LIST))
    owner, start, days = visits.owner[row], visits.start[:count][row], clinic().acute_days[acute[row]]
    u = patients.draw("complaint lasts", ids[row])
    over = start + ((days[:, 0] + u * (days[:, 1] - days[:, 0])) * 1440).astype(np.int64) * MINUTE
    since = (patients.draw("complaint since", ids[row]) * 8).astype(np.int64)
    kind, verified = settled(
        patients.draw("complaint settled", ids[row]),
        patients.draw("complaint settled when", ids[row]),
        start,
        patients.until[owner],
    )
    columns = {
        "encounter": visits.key[row],
        "diagnosis": visits.reason[row],
        "disorder": np.full(row.shape, -1),
        "onset_day": np.maximum(start // US_PER_DAY - since, patients.birth_day[owner]),
        "recorded": start,
        "abated": np.where(over < patients.until[owner], over, NO_TIME),
        "verification": kind,
        "verified": verified,
    }
    patients.effects.add("conditions", patients.local[owner], columns, "complaint")
