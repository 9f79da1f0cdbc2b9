"""What ordinary encounters leave in the chart: diagnoses, findings and prescriptions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64, stream
from rarecase.healthcare.cases.record import CONFIRMED, NO_DAY, NO_TIME, ON_THE_LIST, Rows, settled
from rarecase.healthcare.data.clinic import clinic, slots
from rarecase.healthcare.data.disorders import contradicted, fits_sex, marginal, terms, unfit
from rarecase.healthcare.data.pharmacology import course_days, inhibitor_drugs, victim_drugs
from rarecase.healthcare.data.population import DAYS_PER_YEAR, People, Profile

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

DAY_US = 86_400_000_000
DAY_MINUTES, MINUTE = 1440, 60_000_000
Bools = NDArray[np.bool_]
#: Shares of findings that are written down (expert).
CODED_ACUTE, CODED_CHRONIC, ISOLATED, NEGATIVE = 0.35, 0.30, 0.05, 0.07
#: Share of isolated and of negative findings that may be any term of the ontology in use (expert).
RARE_TERMS = 0.3
#: Longest time that somebody has been taking a long-term medicine, and share that starts within the window.
LONGEST_USE_DAYS, STARTS_WITHIN, ENDS_WITHIN = 2500, 0.12, 0.08


def conditions(spec: HealthcareSpec, part: int, who: People, profile: Profile, seen: Rows) -> Rows:
    """Chronic conditions, known at the opening, then the acute ones of each encounter."""
    rng, tables = stream(spec.seed, "healthcare", "conditions", part), clinic()
    patient, chronic = np.nonzero(profile.conditions)
    age_days = -who.birth_day[patient]
    years = np.minimum(0.7 * age_days, 25 * DAYS_PER_YEAR)
    onset = -(rng.random(patient.size) * years).astype(np.int64) - 1
    reason = seen["reason"].astype(np.int64)
    last = tables.chronic + tables.acute_days.shape[0]
    told = rng.random(reason.size) < ON_THE_LIST
    acute = np.flatnonzero((reason >= tables.chronic) & (reason < last) & told)
    which, start = reason[acute], seen["start"][acute].astype(np.int64)
    ill = seen["patient"][acute].astype(np.int64)
    days = tables.acute_days[which - tables.chronic]
    course = days[:, 0] + rng.random(acute.size) * (days[:, 1] - days[:, 0])
    over = start + (course * DAY_MINUTES).astype(np.int64) * MINUTE
    until = np.minimum(who.death_us, spec.horizon_us)[ill]
    begun = np.maximum(start // DAY_US - rng.integers(0, 8, acute.size), who.birth_day[ill])
    verification, verified = settled(rng.random(start.size), rng.random(start.size), start, until)
    old = patient.size
    return {
        "patient": np.concatenate([patient, ill]),
        "visit": np.concatenate([np.full(old, -1), acute]),
        "diagnosis": np.concatenate([chronic, which]).astype(np.int16),
        "disorder": np.full(old + acute.size, -1, dtype=np.int16),
        "onset_day": np.concatenate([onset, begun]).astype(np.int32),
        "recorded": np.concatenate([np.zeros(old, dtype=np.int64), start]),
        "abated": np.concatenate([np.full(old, NO_TIME), np.where(over < until, over, NO_TIME)]),
        "verification": np.concatenate([np.full(old, CONFIRMED), verification]).astype(np.int8),
        "verified": np.concatenate([np.zeros(old, dtype=np.int64), verified]),
    }


@lru_cache(maxsize=1)
def _term_of() -> Int64:
    """Position of the HPO term that each diagnosis shows as, -1 for none."""
    position = terms().positions()
    return np.array([position.get(found.hpo, -1) for found in clinic().diagnoses])


def findings(spec: HealthcareSpec, part: int, who: People, profile: Profile, seen: Rows) -> Rows:
    """HPO terms: what diagnoses show as, isolated findings, and what was looked for in vain."""
    rng = stream(spec.seed, "healthcare", "phenotypes", part)
    term_of = _term_of()
    patient, start = seen["patient"].astype(np.int64), seen["start"].astype(np.int64)
    shows = term_of[seen["reason"].astype(np.int64)]
    u = rng.random((3, patient.size))
    coded = np.flatnonzero((shows >= 0) & (u[0] < np.where(shows < 0, 0, CODED_ACUTE)))
    isolated, negative = np.flatnonzero(u[1] < ISOLATED), np.flatnonzero(u[2] < NEGATIVE)
    # What chronic conditions show as is known when the record is opened, and so stands at no visit.
    old, chronic = np.nonzero(profile.conditions)
    known = (rng.random(old.size) < CODED_CHRONIC) & (term_of[chronic] >= 0)
    old, chronic = old[known], chronic[known]
    visit = np.concatenate([np.full(old.size, -1), coded, isolated, negative])
    term = np.concatenate(
        [term_of[chronic], shows[coded], _any_term(rng, isolated.size), _any_term(rng, negative.size)]
    )
    owner = np.concatenate([old, patient[visit[old.size :]]])
    recorded = np.concatenate([np.zeros(old.size, dtype=np.int64), start[visit[old.size :]]])
    number = np.arange(visit.size)
    dated = old.size + coded.size
    excluded = number >= dated + isolated.size
    ago = rng.exponential(40.0, visit.size)
    ago[: old.size] *= 60.0
    onset = np.maximum(recorded // DAY_US - ago.astype(np.int64), who.birth_day[owner])
    fits = ~unfit()[term] & fits_sex(term, who.sex[owner])
    fits[excluded] &= ~contradicted(
        owner[~excluded & fits], term[~excluded & fits], owner[excluded], term[excluded]
    )
    return {
        "patient": owner[fits],
        "visit": visit[fits],
        "term": term[fits].astype(np.int16),
        "excluded": excluded[fits],
        # Nobody asks since when an isolated finding has been there.
        "onset_day": np.where(number < dated, onset, NO_DAY)[fits].astype(np.int32),
        "recorded": recorded[fits],
    }


def _any_term(rng: np.random.Generator, n: int) -> Int64:
    """Mostly signs of everyday illness, now and then any term at all."""
    everyday = _term_of()[_term_of() >= 0]
    rare = np.searchsorted(marginal(), rng.random(n), side="right")
    return np.where(rng.random(n) < RARE_TERMS, rare, everyday[rng.integers(0, everyday.size, n)])


def medicines(spec: HealthcareSpec, part: int, who: People, profile: Profile, seen: Rows) -> Rows:
    """Long-term medicines, then the short courses of each encounter."""
    long, short = _long_term(spec, part, who, profile), _courses(spec, part, who, profile, seen)
    return {name: np.concatenate([long[name], short[name]]) for name in long}


def _long_term(spec: HealthcareSpec, part: int, who: People, profile: Profile) -> Rows:
    rng = stream(spec.seed, "healthcare", "medicines", part)
    patient, slot = np.nonzero(profile.medicines >= 0)
    drug = profile.medicines[patient, slot].astype(np.int64)
    # The same drug for two reasons is one exposure.
    _, first = np.unique(patient * 1000 + drug, return_index=True)
    first.sort()
    patient, slot, drug = patient[first], slot[first], drug[first]
    u = rng.random((5, patient.size))
    adult_days = np.maximum(-who.birth_day[patient] - 15 * DAYS_PER_YEAR, 30)
    started = -(30 + u[0] * np.minimum(LONGEST_USE_DAYS, adult_days) * 0.98).astype(np.int64) * DAY_US
    # Sensitive substrates are taken throughout, so that a case may meet them at any time.
    steady = _among(drug, victim_drugs())
    until = np.minimum(who.death_us, spec.horizon_us)[patient]
    within = (u[1] < STARTS_WITHIN) & ~steady
    started = np.where(within, _in_office((u[0] * until).astype(np.int64), u[3], until), started)
    ends = (u[1] > 1 - ENDS_WITHIN) & ~steady
    first = np.maximum(started, 0)
    last = _in_office(first + (u[2] * (until - first)).astype(np.int64), u[4], until)
    ended = np.where(ends, np.maximum(last, first), NO_TIME)
    dead = who.death_us[patient] < spec.horizon_us
    reason = np.array([found.reason for found in slots(chronic=True)])[slot]
    return {
        "patient": patient,
        "visit": np.full(patient.size, -1),
        "drug": drug.astype(np.int16),
        "reason": reason.astype(np.int16),
        "start": started,
        "end": np.where(dead & (ended == NO_TIME), who.death_us[patient], ended),
        "recorded": np.maximum(started, 0),
    }


def _in_office(moment: Int64, u: NDArray[np.float64], until: Int64) -> Int64:
    """The same day in office hours, in whole minutes, not after `until`."""
    minute = 480 + (u * 520).astype(np.int64)
    return np.asarray(np.minimum(moment // DAY_US * DAY_US + minute * MINUTE, until), np.int64)


def _courses(spec: HealthcareSpec, part: int, who: People, profile: Profile, seen: Rows) -> Rows:
    """Short courses. Nobody on a sensitive substrate is given a strong inhibitor: prescribers know."""
    rng = stream(spec.seed, "healthcare", "courses", part)
    reason, careful = seen["reason"].astype(np.int64), profile.takes(victim_drugs())
    pieces: list[tuple[Int64, Int64, Int64]] = []
    for slot in slots(chronic=False):
        visit = np.flatnonzero(reason == slot.reason)
        u = rng.random((2, visit.size))
        which = np.searchsorted(slot.cumulative, u[0], side="right")
        visit, length, which = (
            visit[which < slot.drugs.size],
            u[1][which < slot.drugs.size],
            which[which < slot.drugs.size],
        )
        drug, days = slot.drugs[which], slot.days[which]
        swap = careful[seen["patient"][visit].astype(np.int64)] & _among(drug, inhibitor_drugs())
        course = course_days(days, length)
        pieces.append(
            (visit, np.where(swap, slot.alternatives[which], drug), (course * DAY_US).astype(np.int64))
        )
    visit, drug, course = (np.concatenate(column) for column in zip(*pieces, strict=True))
    patient, start = seen["patient"][visit].astype(np.int64), seen["start"][visit].astype(np.int64)
    end = np.minimum(start + course, who.death_us[patient])
    return {
        "patient": patient,
        "visit": visit,
        "drug": drug.astype(np.int16),
        "reason": reason[visit].astype(np.int16),
        "start": start,
        "end": np.where(
            end < spec.horizon_us, end, np.where(who.death_us[patient] < spec.horizon_us, end, NO_TIME)
        ),
        "recorded": start,
    }


def _among(drug: Int64, drugs: Int64) -> Bools:
    listed = np.zeros(len(clinic().drugs), dtype=np.bool_)
    listed[drugs] = True
    return np.asarray(listed[drug], np.bool_)
