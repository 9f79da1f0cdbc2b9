"""Ordinary vital signs and laboratory values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64, stream
from rarecase.healthcare.cases.record import Rows, Taken, reported
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.laboratory import condition_shifts, drug_shifts, laboratory
from rarecase.healthcare.data.population import People, Profile
from rarecase.healthcare.data.values import results, scores

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

Floats = NDArray[np.float64]
#: Share of ambulatory visits, emergencies and stays at which a panel is taken (expert).
TAKEN = {
    "vitals": (0.85, 1.0, 1.0),
    "metabolic": (0.24, 0.5, 0.98),
    "blood": (0.22, 0.5, 0.98),
    "liver": (0.14, 0.25, 0.6),
    "lipids": (0.13, 0.0, 0.05),
    "glycation": (0.06, 0.0, 0.05),
    "thyroid": (0.06, 0.01, 0.05),
    "muscle": (0.006, 0.03, 0.06),
    "clotting": (0.01, 0.12, 0.3),
    "rhythm": (0.03, 0.2, 0.4),
    "tacrolimus": (0.0, 0.0, 0.0),
    "sirolimus": (0.0, 0.0, 0.0),
}
CHILD_FACTOR = 0.3
#: Panels that are taken more often of those with a condition, or of those on a drug: share of their visits.
FOR_CONDITION = {
    ("glycation", "diabetes"): 0.4,
    ("thyroid", "hypothyroidism"): 0.3,
    ("blood", "anaemia"): 0.5,
}
FOR_DRUG = {("clotting", "warfarin"): 0.6, ("tacrolimus", "tacrolimus"): 0.7, ("sirolimus", "sirolimus"): 0.7}


def baseline(spec: HealthcareSpec, part: int, profile: Profile) -> tuple[Floats, Floats]:
    """The patients' own scores, and what conditions and medicines add, both of shape (patients, tests)."""
    rng, count = stream(spec.seed, "healthcare", "personal scores", part), len(laboratory().analytes)
    patients = profile.frailty.size
    personal = rng.standard_normal((patients, count))
    severity = 0.4 + 1.2 * rng.random(patients)
    shift = np.zeros((patients, count))
    for place, moved in enumerate(condition_shifts()):
        ill = np.flatnonzero(profile.conditions[:, place])
        shift[ill] += severity[ill, None] * moved
    for slot in profile.medicines.T:
        treated = np.flatnonzero(slot >= 0)
        shift[treated] += drug_shifts()[slot[treated]]
    return personal, shift


def observations(
    spec: HealthcareSpec, part: int, who: People, profile: Profile, seen: Rows, own: tuple[Floats, Floats]
) -> tuple[Rows, tuple[Taken, ...]]:
    """All results of a part in the order of the encounters, and the scores behind them."""
    patient = seen["patient"].astype(np.int64)
    chosen = [_visits(spec, part, who, profile, seen, panel.name) for panel in laboratory().panels]
    at, per_visit = _layout(who.age[patient], chosen)
    total = int(per_visit.sum())
    rows: Rows = {
        "visit": np.repeat(np.arange(per_visit.size), per_visit),
        "analyte": np.empty(total, dtype=np.int8),
        "value": np.empty(total, dtype=np.float64),
        "flag": np.empty(total, dtype=np.int8),
    }
    taken = []
    for panel, visits, first in zip(laboratory().panels, chosen, at, strict=True):
        rng = stream(spec.seed, "healthcare", "laboratory", panel.name, part)
        mine = patient[visits]
        noise = rng.standard_normal((len(panel), visits.size))
        score = scores(panel, own[0][:, panel.analytes].T[:, mine], noise)
        score += own[1][:, panel.analytes].T[:, mine]
        values, flags = results(panel, score, who.sex[mine], who.age[mine].astype(np.int64))
        told = reported(panel, who.age[mine])
        for place, analyte in enumerate(panel.analytes):
            mask = slice(None) if told[place].all() else told[place]
            to = first[mask] + place
            rows["analyte"][to] = analyte
            rows["value"][to], rows["flag"][to] = values[place][mask], flags[place][mask]
        taken.append(Taken(panel, visits, score, first))
    return rows, tuple(taken)


def _visits(spec: HealthcareSpec, part: int, who: People, profile: Profile, seen: Rows, name: str) -> Int64:
    """The visits at which a panel is taken."""
    rng = stream(spec.seed, "healthcare", "panels", name, part)
    patient, kind = seen["patient"].astype(np.int64), seen["kind"].astype(np.int64)
    share = np.array(TAKEN[name])[kind]
    if name != "vitals":
        share *= np.where(who.age < 12, CHILD_FACTOR, spec.population.tests)[patient]
    for (panel, condition), more in FOR_CONDITION.items():
        if panel == name:
            ill = profile.conditions[:, clinic().diagnosis(condition)]
            share = np.where(ill[patient], np.maximum(share, more), share)
    for (panel, drug), more in FOR_DRUG.items():
        if panel == name:
            takes = profile.takes(np.array([clinic().drug(drug)]))
            share = np.where(takes[patient], np.maximum(share, more), share)
    return np.flatnonzero(rng.random(patient.size) < share)


def _layout(age: Floats, chosen: list[Int64]) -> tuple[list[Int64], Int64]:
    """Where each panel's results stand, an encounter's all together, and how many each encounter has."""
    before = np.zeros(age.size, dtype=np.int64)
    offsets = []
    for panel, visits in zip(laboratory().panels, chosen, strict=True):
        offsets.append(before[visits].copy())
        before[visits] += reported(panel, age[visits]).sum(axis=0)
    start = np.cumsum(before) - before
    return [start[visits] + offset for visits, offset in zip(chosen, offsets, strict=True)], before
