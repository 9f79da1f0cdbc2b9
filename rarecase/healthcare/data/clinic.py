"""Everyday medicine as tables: diagnoses, drugs, prescriptions, laboratory tests and the pools they make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.healthcare.data import rows

#: Upper bounds of the age bands of the background conditions, in years.
BANDS = (18, 45, 65, 75, 200)
BAND_COLUMNS = ("p0_17", "p18_44", "p45_64", "p65_74", "p75")


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis of everyday medicine; `hpo` is the HPO term that it shows as, or empty."""

    code: str
    icd10cm: str
    name: str
    hpo: str
    specialty: str


@dataclass(frozen=True)
class Drug:
    """A substance with its public identifiers; empty where none is known."""

    name: str
    rxcui: str
    atc: str


@dataclass(frozen=True)
class Clinic:
    """The pools that category columns index, and the tables that rates are looked up in.

    Attributes
    ----------
    diagnoses
        Chronic ones first, then acute ones, then the two check-ups.
    chronic
        How many are chronic.
    prevalence
        Share of people with each chronic condition, shape (bands, sex, chronic); sex 0 male, 1 female.
    acute_weights
        Weights of acute reasons, shape (6, acute): ambulatory, emergency, inpatient × child, adult.
    acute_days
        Shortest and longest course of acute conditions, shape (acute, 2).
    referred_to
        Specialists who see each acute reason; none for those of check-ups and chronic conditions.
    """

    diagnoses: tuple[Diagnosis, ...]
    chronic: int
    drugs: tuple[Drug, ...]
    prevalence: NDArray[np.float64]
    acute_weights: NDArray[np.float64]
    acute_days: NDArray[np.float64]
    referred_to: tuple[tuple[str, ...], ...]

    def diagnosis(self, code: str) -> int:
        """The position of a diagnosis in the pool."""
        return self._diagnoses[code]

    def drug(self, name: str) -> int:
        """The position of a drug in the pool."""
        return self._drugs[name]

    @cached_property
    def _diagnoses(self) -> dict[str, int]:
        return {diagnosis.code: place for place, diagnosis in enumerate(self.diagnoses)}

    @cached_property
    def _drugs(self) -> dict[str, int]:
        return {drug.name: place for place, drug in enumerate(self.drugs)}


CHECK_UPS = (
    Diagnosis(
        "checkup_adult", "Z00.00", "Encounter for general adult medical examination", "", "primary care"
    ),
    Diagnosis(
        "checkup_child", "Z00.129", "Encounter for routine child health examination", "", "paediatrics"
    ),
    Diagnosis("drug_review", "Z79.899", "Other long term (current) drug therapy", "", "primary care"),
)


@lru_cache(maxsize=1)
def clinic() -> Clinic:
    """The shipped tables of everyday medicine."""
    conditions, acute = rows("conditions.csv"), rows("acute.csv")
    pool = [_diagnosis(row, row["specialty"]) for row in conditions]
    pool += [_diagnosis(row, "primary care") for row in acute]
    return Clinic(
        diagnoses=(*pool, *CHECK_UPS),
        chronic=len(conditions),
        drugs=_drugs(),
        prevalence=_prevalence(conditions),
        acute_weights=_acute_weights(acute),
        acute_days=np.array([[float(row["days_low"]), float(row["days_high"])] for row in acute]),
        referred_to=tuple(tuple(row["referred_to"].split("|")) for row in acute),
    )


def _diagnosis(row: dict[str, str], specialty: str) -> Diagnosis:
    return Diagnosis(row["code"], row["icd10cm"], row["name"], row["hpo_id"], specialty)


def _drugs() -> tuple[Drug, ...]:
    used = {row[name] for row in rows("prescriptions.csv") for name in ("drug", "alternative") if row[name]}
    used |= {row["drug"] for table in ("victims.csv", "inhibitors.csv") for row in rows(table)}
    known = {row["drug"]: row for row in rows("drugs.csv")}
    return tuple(Drug(name, known[name]["rxcui"], known[name]["atc"]) for name in sorted(used))


def _prevalence(conditions: tuple[dict[str, str], ...]) -> NDArray[np.float64]:
    """Shares by sex from the share of both and the ratio of women to men."""
    both = np.array([[float(row[band]) for row in conditions] for band in BAND_COLUMNS])
    ratio = np.array([float(row["female_ratio"]) for row in conditions])
    only = np.array([int(row["sex"]) for row in conditions])
    male = np.where(only == 1, both, np.where(only == 2, 0.0, 2 * both / (1 + ratio)))
    female = np.where(only == 2, both, np.where(only == 1, 0.0, male * ratio))
    return np.stack([male, female], axis=1)


def _acute_weights(acute: tuple[dict[str, str], ...]) -> NDArray[np.float64]:
    names = (
        "ambulatory_child",
        "ambulatory_adult",
        "emergency_child",
        "emergency_adult",
        "inpatient",
        "inpatient",
    )
    return np.array([[float(row[name]) for row in acute] for name in names])


@dataclass(frozen=True)
class Slot:
    """A choice among drugs for one reason: at most one of them is taken."""

    reason: int
    name: str
    drugs: NDArray[np.int64]
    cumulative: NDArray[np.float64]
    alternatives: NDArray[np.int64]
    days: NDArray[np.float64]


@lru_cache(maxsize=2)
def slots(chronic: bool) -> tuple[Slot, ...]:
    """The choices of long-term medicines (chronic) or of short courses."""
    tables = clinic()
    grouped: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows("prescriptions.csv"):
        if (float(row["days_high"]) == 0) == chronic:
            grouped.setdefault((row["reason"], row["slot"]), []).append(row)
    return tuple(_slot(tables, reason, name, found) for (reason, name), found in grouped.items())


def _slot(tables: Clinic, reason: str, name: str, found: list[dict[str, str]]) -> Slot:
    return Slot(
        reason=tables.diagnosis(reason),
        name=name,
        drugs=np.array([tables.drug(row["drug"]) for row in found]),
        cumulative=np.cumsum([float(row["share"]) for row in found]),
        alternatives=np.array([tables.drug(row["alternative"] or row["drug"]) for row in found]),
        days=np.array([[float(row["days_low"]), float(row["days_high"])] for row in found]),
    )
