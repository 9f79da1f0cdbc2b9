"""CYP3A interactions: who inhibits how strongly, who depends how much, and what exposure follows.

Exposure follows Ohno 2007 (Clin Pharmacokinet 46:681): AUC ratio = 1 / (1 − CR × IR), where CR is the share
of the victim's clearance through CYP3A and IR the share of CYP3A that the perpetrator takes away. IR comes
from the ratio that the perpetrator gives oral midazolam, drawn from the spread of the published studies.
Where a pair was studied itself, its published ratio stands in. Patients differ log-normally around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.healthcare.data import rows
from rarecase.healthcare.data.clinic import clinic, slots
from rarecase.healthcare.data.laboratory import laboratory

#: Share of midazolam's clearance through CYP3A (ICH M12 index substrate).
MIDAZOLAM_CR = 0.96
#: Strong inhibitors on oral midazolam: median and quartiles of 26 study arms.
STRONG_MEDIAN, STRONG_QUARTILES = 6.54, (4.74, 8.15)
#: Log-scale spread between studies of one class, from those quartiles.
STUDY_SIGMA = float(np.log(STRONG_QUARTILES[1] / STRONG_QUARTILES[0]) / 1.349)
#: Log-scale spread between patients: a coefficient of variation of 40 % (30 to 50 are usual).
SUBJECT_SIGMA = float(np.sqrt(np.log1p(0.4**2)))
LARGEST_RATIO = 80.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Victim:
    """A sensitive substrate and what too much of it does."""

    name: str
    drug: int
    reason: int
    slot: str
    fraction: float
    event: int
    event_name: str
    lag_days: tuple[float, float]
    single_dose: bool
    weight: float
    evidence: str
    source: str


@dataclass(frozen=True)
class Inhibitor:
    """A strong CYP3A inhibitor and what courses of it are given for, as in ordinary prescriptions.

    Attributes
    ----------
    reasons, course_days, cumulative
        Diagnoses, shortest and longest course for each, shape (n, 2), and their running shares.
    """

    name: str
    drug: int
    midazolam_ratio: float
    reasons: Ints
    course_days: Floats
    cumulative: Floats
    weight: float


@lru_cache(maxsize=1)
def victims() -> tuple[Victim, ...]:
    """The shipped sensitive substrates."""
    tables = clinic()
    return tuple(
        Victim(
            row["drug"],
            tables.drug(row["drug"]),
            tables.diagnosis(row["reason"]),
            row["slot"],
            float(row["fraction"]),
            tables.diagnosis(row["event"]),
            row["event_name"],
            (float(row["lag_low_days"]), float(row["lag_high_days"])),
            row["single_dose"] == "1",
            float(row["weight"]),
            row["evidence"],
            row["source"],
        )
        for row in rows("victims.csv")
    )


@lru_cache(maxsize=1)
def inhibitors() -> tuple[Inhibitor, ...]:
    """The shipped strong inhibitors."""
    return tuple(_inhibitor(row) for row in rows("inhibitors.csv"))


def _inhibitor(row: dict[str, str]) -> Inhibitor:
    tables, drug = clinic(), clinic().drug(row["drug"])
    reasons, days, share = [], [], []
    for slot in slots(chronic=False):
        for place in np.flatnonzero(slot.drugs == drug):
            reasons.append(slot.reason)
            days.append(slot.days[place])
            # How often adults are seen for it, and are given this drug for it.
            seen = tables.acute_weights[1, slot.reason - tables.chronic]
            share.append(seen * np.diff(slot.cumulative, prepend=0.0)[place])
    return Inhibitor(
        row["drug"],
        drug,
        float(row["midazolam_ratio"]),
        np.array(reasons),
        np.array(days),
        np.cumsum(share) / np.sum(share),
        float(row["weight"]),
    )


def course_days(days: Floats, u: Floats) -> Floats:
    """Whole days of courses between the shortest and the longest, shape (n, 2) and (n,)."""
    return np.asarray(days[:, 0] + np.rint(u * (days[:, 1] - days[:, 0])), np.float64)


@lru_cache(maxsize=1)
def victim_drugs() -> Ints:
    """Pool positions of all sensitive substrates."""
    return np.array([victim.drug for victim in victims()])


@lru_cache(maxsize=1)
def inhibitor_drugs() -> Ints:
    """Pool positions of all strong inhibitors."""
    return np.array([inhibitor.drug for inhibitor in inhibitors()])


@lru_cache(maxsize=1)
def victim_slots() -> Ints:
    """Long-term slot in which each victim is taken, -1 where ordinary patients do not take it so."""
    places = {int(drug): place for place, slot in enumerate(slots(chronic=True)) for drug in slot.drugs}
    return np.array([places.get(victim.drug, -1) for victim in victims()])


@lru_cache(maxsize=1)
def published() -> Floats:
    """Published AUC ratio of each pair, NaN where none is, shape (victims, inhibitors)."""
    found = {(row["victim"], row["perpetrator"]): float(row["ratio"]) for row in rows("exposure_ratios.csv")}
    pairs = [[found.get((v.name, i.name), np.nan) for i in inhibitors()] for v in victims()]
    return np.array(pairs)


@lru_cache(maxsize=1)
def effects() -> Floats:
    """Shift per unit of log exposure ratio, standard deviations, shape (victims, analytes)."""
    tests, names = laboratory(), [victim.name for victim in victims()]
    shifts = np.zeros((len(names), len(tests.analytes)))
    for row in rows("victim_effects.csv"):
        shifts[names.index(row["drug"]), tests.analyte(row["analyte"])] = float(row["shift_per_log_ratio"])
    return shifts


def exposure(victim: Ints, inhibitor: Ints, study: Floats, subject: Floats) -> tuple[Floats, Floats]:
    """The patient's AUC ratio, and what the same patient would show on midazolam.

    Parameters
    ----------
    victim, inhibitor
        Positions, shape (n,).
    study, subject
        Standard normal draws: which study's inhibitor this is, and how this patient differs.

    Returns
    -------
    ratio, midazolam_ratio
        Shape (n,), above 1.
    """
    strength = np.array([found.midazolam_ratio for found in inhibitors()])[inhibitor]
    on_midazolam = np.maximum(strength * np.exp(STUDY_SIGMA * study), 1.5)
    taken_away = np.clip((1 - 1 / on_midazolam) / MIDAZOLAM_CR, 0.0, 0.99)
    share = np.array([found.fraction for found in victims()])[victim]
    modelled = 1 / (1 - share * taken_away)
    measured = published()[victim, inhibitor]
    middle = np.where(np.isnan(measured), modelled, measured)
    spread = np.exp(SUBJECT_SIGMA * subject)
    ratio = np.clip(middle * spread, 1.25, LARGEST_RATIO)
    return ratio, np.clip(on_midazolam * spread, 1.25, LARGEST_RATIO)
