"""Ordinary encounters: how often people are seen, when, for how long and about what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.clocks import Calendar, Clock
from rarecase.common.draws.alias import AliasRows
from rarecase.common.seeds import Int64, stream
from rarecase.healthcare.cases.record import AMBULATORY, EMERGENCY, INPATIENT, Rows
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.population import People, Profile
from rarecase.healthcare.schema import SPECIALTIES

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

#: Encounters per person-year by age, before frailty: orders of magnitude of NAMCS and NHAMCS (expert).
RATE_AGES = (0, 1, 5, 15, 25, 45, 65, 80, 100)
RATES = {
    AMBULATORY: (6.4, 3.9, 2.2, 1.6, 1.6, 2.1, 3.0, 3.3, 3.1),
    EMERGENCY: (0.8, 0.48, 0.28, 0.33, 0.39, 0.31, 0.34, 0.52, 0.7),
    INPATIENT: (0.06, 0.022, 0.011, 0.022, 0.045, 0.045, 0.10, 0.16, 0.21),
}
#: What each chronic condition adds to the rate of a person without any.
PER_CONDITION = {AMBULATORY: 0.22, EMERGENCY: 0.16, INPATIENT: 0.35}
WEEK = {
    AMBULATORY: (1.0, 1.0, 1.0, 1.0, 0.92, 0.1, 0.03),
    EMERGENCY: (1.08, 1.0, 0.98, 0.98, 0.98, 1.0, 1.02),
    INPATIENT: (1.1, 1.1, 1.05, 1.0, 0.95, 0.7, 0.65),
}
HOURS = {
    AMBULATORY: (0,) * 8 + (3, 5, 6, 5, 3, 5, 6, 5, 4, 2) + (0,) * 6,
    EMERGENCY: (
        2.2,
        1.8,
        1.6,
        1.4,
        1.4,
        1.6,
        2,
        3,
        4,
        5,
        5.6,
        5.8,
        5.7,
        5.6,
        5.6,
        5.5,
        5.5,
        5.5,
        5.5,
        5.4,
        5,
        4.4,
        3.6,
        2.8,
    ),
    INPATIENT: (1, 1, 1, 1, 1, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2, 2, 1, 1),
}
#: Respiratory infections make winters busier.
MONTHS = (1.12, 1.08, 1.05, 1.0, 0.98, 0.94, 0.9, 0.93, 0.98, 1.03, 1.05, 1.08)
MINUTE = 60_000_000
CHILD_UNTIL = 16
CHRONIC_SHARE, ACUTE_SHARE = 0.42, 0.43


@dataclass(frozen=True)
class Drawn:
    """Encounters before they are put in order, arrays of one length."""

    patient: Int64
    kind: Int64
    start: Int64
    end: Int64


def visits(spec: HealthcareSpec, part: int, who: People, profile: Profile) -> Rows:
    """The encounters of a part, by patient and time; no two of one patient overlap."""
    drawn = [_of_kind(spec, part, who, profile, kind) for kind in (AMBULATORY, EMERGENCY, INPATIENT)]
    columns = _in_order(drawn)
    patient, kind, start, end = columns.patient, columns.kind, columns.start, columns.end
    reason = _reasons(spec, part, who, profile, patient, kind)
    return {
        "patient": patient.astype(np.int32),
        "kind": kind.astype(np.int8),
        "specialty": _specialties(spec, part, who.age[patient], kind, reason),
        "start": start,
        "end": np.minimum(end, np.minimum(who.death_us, spec.horizon_us)[patient]),
        "reason": reason.astype(np.int16),
    }


def _of_kind(spec: HealthcareSpec, part: int, who: People, profile: Profile, kind: int) -> Drawn:
    rng = stream(spec.seed, "healthcare", "encounters", kind, part)
    rate = np.interp(who.age, RATE_AGES, RATES[kind]) * np.sqrt(profile.frailty)
    rate *= 1 + PER_CONDITION[kind] * profile.conditions.sum(axis=1)
    counts = rng.poisson(rate * spec.years * spec.population.visits)
    patient = np.repeat(np.arange(who.age.size), counts)
    start = _clock(spec, kind).at(rng.random(patient.size)) // MINUTE * MINUTE
    end = start + _length(rng, kind, patient.size)
    seen = start < who.death_us[patient]
    return Drawn(patient[seen], np.full(int(seen.sum()), kind), start[seen], end[seen])


def _clock(spec: HealthcareSpec, kind: int) -> Clock:
    calendar = Calendar(spec.start, spec.days)
    return Clock.over(calendar.weights(weekday=WEEK[kind], month=MONTHS), HOURS[kind])


def _length(rng: np.random.Generator, kind: int, n: int) -> Int64:
    if kind == AMBULATORY:
        return rng.integers(12, 46, n) * MINUTE
    if kind == EMERGENCY:
        return (120 + rng.gamma(2.0, 75.0, n)).astype(np.int64) * MINUTE
    return np.maximum((np.exp(rng.normal(np.log(3.4), 0.7, n)) * 1440).astype(np.int64), 600) * MINUTE


def _in_order(drawn: list[Drawn]) -> Drawn:
    """All kinds by patient and time, without those that fall into an earlier one of the same patient."""
    patient, kind, start, end = (
        np.concatenate([getattr(piece, name) for piece in drawn])
        for name in ("patient", "kind", "start", "end")
    )
    # In minutes, a century fits 26 bits.
    order = np.argsort(patient << 27 | start // MINUTE, kind="stable")
    patient, kind, start, end = patient[order], kind[order], start[order], end[order]
    reach = np.maximum.accumulate(patient << 27 | end // MINUTE)
    free = np.ones(patient.size, dtype=np.bool_)
    free[1:] = reach[:-1] < (patient[1:] << 27 | start[1:] // MINUTE)
    return Drawn(patient[free], kind[free], start[free], end[free])


def _reasons(
    spec: HealthcareSpec, part: int, who: People, profile: Profile, patient: Int64, kind: Int64
) -> Int64:
    """What each encounter is about: a chronic condition, something acute, or a check-up."""
    rng, tables = stream(spec.seed, "healthcare", "reasons", part), clinic()
    child = who.age[patient] < CHILD_UNTIL
    setting = kind * 2 + np.where(child, 0, 1)
    acute = tables.chronic + AliasRows(tables.acute_weights).draw(rng, setting)
    u, v = rng.random(patient.size), rng.random(patient.size)
    checkup = np.where(child, tables.diagnosis("checkup_child"), tables.diagnosis("checkup_adult"))
    routine = kind == AMBULATORY
    follow_up = _one_of(profile.conditions, patient, v)
    reason = np.where(routine & (u > CHRONIC_SHARE + ACUTE_SHARE), checkup, acute)
    return np.where(routine & (u < CHRONIC_SHARE) & (follow_up >= 0), follow_up, reason)


def _one_of(conditions: NDArray[np.bool_], patient: Int64, u: NDArray[np.float64]) -> Int64:
    """One of the patient's chronic conditions, -1 where there is none."""
    owner, place = np.nonzero(conditions)
    first = np.searchsorted(owner, np.arange(conditions.shape[0] + 1))
    count = (first[1:] - first[:-1])[patient]
    at = first[patient] + np.minimum((u * count).astype(np.int64), count - 1)
    if place.size == 0:
        return np.full(patient.shape, -1, dtype=np.int64)
    return np.where(count > 0, place[np.minimum(at, place.size - 1)], -1)


def _specialties(
    spec: HealthcareSpec, part: int, age: NDArray[np.float64], kind: Int64, reason: Int64
) -> NDArray[np.int8]:
    """Who sees them: emergencies and stays by their department, others by the condition or at random."""
    rng, position = stream(spec.seed, "healthcare", "specialties", part), SPECIALTIES.index
    own = np.array([position(found.specialty) for found in clinic().diagnoses])[reason]
    generalist = np.where(age < CHILD_UNTIL, position("paediatrics"), position("primary care"))
    u = rng.random(reason.size)
    anyone = _referral(reason, rng.random(reason.size), generalist)
    seen = np.where(u < 0.5, generalist, np.where(own == position("primary care"), anyone, own))
    seen = np.where((own == position("primary care")) & (u < 0.8), generalist, seen)
    seen = np.where(kind == EMERGENCY, position("emergency medicine"), seen)
    ward = np.where(u < 0.7, position("internal medicine"), anyone)
    ward = np.where((age < CHILD_UNTIL) & (u < 0.85), position("paediatrics"), ward)
    return np.where(kind == INPATIENT, ward, seen).astype(np.int8)


def _referral(reason: Int64, u: NDArray[np.float64], otherwise: Int64) -> Int64:
    """One of the specialists who see a reason, or the generalist where none does."""
    tables = clinic()
    widest = max(len(found) for found in tables.referred_to)
    choices = np.array(
        [[SPECIALTIES.index(found[at % len(found)]) for at in range(widest)] for found in tables.referred_to]
    )
    counts = np.array([len(found) for found in tables.referred_to])
    acute = np.clip(reason - tables.chronic, 0, counts.size - 1)
    chosen = choices[acute, (u * counts[acute]).astype(np.int64)]
    mine = (reason >= tables.chronic) & (reason < tables.chronic + counts.size)
    own = np.array([SPECIALTIES.index(found.specialty) for found in tables.diagnoses])[reason]
    return np.where(mine, chosen, np.where(own == SPECIALTIES.index("primary care"), otherwise, own))
