"""From plain columns to the tables of the schema, with what the cases did to them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.identifiers import make
from rarecase.common.keys import KeySpace
from rarecase.common.names import pool
from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.tables import Values, build, category, epoch_us, nulls, timestamps
from rarecase.healthcare.cases.record import CLINICAL, NO_DAY, NO_TIME, Effects, Record, Rows, moment_of
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.disorders import catalogue, terms
from rarecase.healthcare.data.laboratory import laboratory
from rarecase.healthcare.data.people import SEXES
from rarecase.healthcare.data.population import MALE
from rarecase.healthcare.schema import (
    ATCS,
    CATEGORIES,
    DRUGS,
    ENCOUNTER_CLASSES,
    ICD10CM,
    INTERPRETATIONS,
    LOINCS,
    RXCUIS,
    SCHEMA,
    SPECIALTIES,
    TESTS,
    UNITS,
    VERIFICATIONS,
)

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

GIVEN, FAMILY = 400, 1000


def patients(spec: HealthcareSpec, keys: KeySpace, record: Record) -> pa.Table:
    """The part's patients."""
    who = record.who
    died = who.death_us < spec.horizon_us
    return build(
        SCHEMA["patients"],
        {
            "patient_id": keys.entities("patients", who.ordinals),
            "social_security_number": make(
                "ssn", who.ordinals, seed=spec.seed, mode=spec.identifiers, repeat=True
            ),
            "given_name": _given_names(spec, who.ordinals, who.sex),
            "family_name": category(
                keyed_integers(spec.seed, "family name", who.ordinals, len(_family())), _family()
            ),
            "sex": category(who.sex.astype(np.int8), SEXES),
            "birth_date": _dates(spec, who.birth_day),
            "registered_at": timestamps(spec.start, np.zeros(who.sex.size, dtype=np.int64)),
            "died_at": timestamps(spec.start, np.where(died, who.death_us, 0), ~died),
        },
    )


@lru_cache(maxsize=1)
def _family() -> tuple[str, ...]:
    return pool("last_name", FAMILY)


@lru_cache(maxsize=1)
def _given() -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """All first names once, and where those of men and of women stand among them."""
    men, women = pool("first_name_male", GIVEN), pool("first_name_female", GIVEN)
    names = tuple(dict.fromkeys((*men, *women)))
    place = {name: at for at, name in enumerate(names)}
    return names, np.array([place[name] for name in men]), np.array([place[name] for name in women])


def _given_names(spec: HealthcareSpec, ordinals: Int64, sex: Int64) -> pa.DictionaryArray:
    names, men, women = _given()
    man = men[keyed_integers(spec.seed, "given name", ordinals, men.size)]
    woman = women[keyed_integers(spec.seed, "given name", ordinals, women.size)]
    return category(np.where(sex == MALE, man, woman), names)


def clinical(spec: HealthcareSpec, record: Record, effects: Effects) -> dict[str, pa.Table]:
    """Encounters, conditions, phenotypes, medications and observations, by patient and time."""
    visits = record.tables["encounters"]
    found: dict[str, pa.Table] = {}
    for name in CLINICAL:
        rows = dict(record.tables[name])
        for at, column, values in effects.changed[name]:
            rows[column] = rows[column].copy()
            rows[column][at] = values
        _complete(rows, visits)
        rows = _merged(name, rows, effects)
        found[name] = build(SCHEMA[name], _COLUMNS[name](spec, record, rows))
    return found


def _complete(rows: Rows, visits: Rows) -> None:
    """What ordinary rows take from their encounter: its key, and for observations its patient and times."""
    if "visit" not in rows:
        return
    visit = rows.pop("visit").astype(np.int64)
    rows["encounter"] = np.where(visit >= 0, visits["key"][visit], -1)
    if "analyte" in rows:
        rows["patient"] = visits["patient"][visit]
        rows["time"] = _moments(visits)[_panel_of()[rows["analyte"].astype(np.int64)], visit]


def _moments(visits: Rows) -> NDArray[np.int64]:
    """When each panel is taken at each visit, shape (panels, visits)."""
    start, end = visits["start"].astype(np.int64), visits["end"].astype(np.int64)
    return np.stack([moment_of(panel, start, end) for panel in laboratory().panels])


@lru_cache(maxsize=1)
def _panel_of() -> NDArray[np.int64]:
    places = np.empty(len(laboratory().analytes), dtype=np.int64)
    for number, panel in enumerate(laboratory().panels):
        places[panel.analytes] = number
    return places


_TIME = {
    "encounters": "start",
    "conditions": "recorded",
    "phenotypes": "recorded",
    "medications": "recorded",
    "observations": "time",
}


def _merged(name: str, rows: Rows, effects: Effects) -> Rows:
    """Ordinary rows without the removed ones, with the created ones among them; by patient and time."""
    keep, added = effects.keep[name], effects.added[name]
    if name not in ("encounters", "observations"):
        rows = {column: values[keep] for column, values in rows.items()}
        keep = np.ones(int(keep.sum()), dtype=np.bool_)
        pieces = [rows, *added]
        whole = {column: np.concatenate([piece[column] for piece in pieces]) for column in rows}
        order = np.lexsort((whole[_TIME[name]], whole["patient"]))
        return {column: values[order] for column, values in whole.items()}
    if keep.all() and not added:
        return rows
    return _inserted(name, rows, keep, added)


def _inserted(name: str, rows: Rows, keep: NDArray[np.bool_], added: list[Rows]) -> Rows:
    """Few rows put among many that are in order already: no sorting of the many."""
    kept = np.flatnonzero(keep)
    if not added:
        return {column: values[kept] for column, values in rows.items()}
    new = {column: np.concatenate([piece[column] for piece in added]) for column in rows}
    patient, time = rows["patient"].astype(np.int64), rows[_TIME[name]].astype(np.int64)
    order = np.lexsort((new["key"], new[_TIME[name]], new["patient"]))
    new = {column: values[order] for column, values in new.items()}
    low = np.searchsorted(patient[kept], new["patient"].astype(np.int64), side="left")
    high = np.searchsorted(patient[kept], new["patient"].astype(np.int64), side="right")
    at = _bisect(time[kept], low, high, new[_TIME[name]].astype(np.int64))
    total = kept.size + at.size
    slot = at + np.arange(at.size)
    source = np.empty(total, dtype=np.int64)
    ours = np.zeros(total, dtype=np.bool_)
    ours[slot] = True
    source[ours] = keep.size + np.arange(at.size)
    source[~ours] = kept
    return {column: np.concatenate([rows[column], new[column]])[source] for column in rows}


def _bisect(time: Int64, low: Int64, high: Int64, wanted: Int64) -> Int64:
    """The first place in [low, high) of each row at which `time` exceeds `wanted`, all rows at once."""
    low, high = low.copy(), high.copy()
    while (open_ := low < high).any():
        middle = (low + high) // 2
        later = np.zeros(low.shape, dtype=np.bool_)
        later[open_] = time[middle[open_]] > wanted[open_]
        high = np.where(open_ & later, middle, high)
        low = np.where(open_ & ~later, middle + 1, low)
    return low


# -- columns of each table ---------------------------------------------------------------------------------


def _encounters(spec: HealthcareSpec, record: Record, rows: Rows) -> dict[str, Values]:
    return {
        "encounter_id": rows["key"],
        "patient_id": _patient_ids(record, rows),
        "encounter_class": category(rows["kind"].astype(np.int8), ENCOUNTER_CLASSES),
        "specialty": category(rows["specialty"].astype(np.int8), SPECIALTIES),
        "started_at": _times(spec, rows["start"]),
        "ended_at": _times(spec, rows["end"]),
        "reason_icd10cm": category(_icd10cm()[rows["reason"].astype(np.int64)], ICD10CM),
    }


def _conditions(spec: HealthcareSpec, record: Record, rows: Rows) -> dict[str, Values]:
    diagnosis, disorder = rows["diagnosis"].astype(np.int64), rows["disorder"].astype(np.int64)
    rare = disorder >= 0
    seldom, place = np.unique(disorder[rare], return_inverse=True)
    book = catalogue()
    exact = [book.icd10cm[at] for at in seldom]
    codes = (*ICD10CM, *dict.fromkeys(code for code in exact if code and code not in ICD10CM))
    of_rare = np.array([codes.index(code) if code else -1 for code in exact], dtype=np.int64)
    code = _icd10cm()[np.maximum(diagnosis, 0)]
    code[rare] = of_rare[place]
    known = [found.name for found in clinic().diagnoses]
    known += [title for at in seldom if (title := book.names[at]) not in known]
    name = np.maximum(diagnosis, 0)
    name[rare] = np.array([known.index(book.names[at]) for at in seldom], dtype=np.int64)[place]
    orpha = book.orpha[np.maximum(disorder, 0)]
    return {
        "condition_id": rows["key"],
        "patient_id": _patient_ids(record, rows),
        "encounter_id": _encounter_ids(rows),
        "category": category((rows["encounter"].astype(np.int64) >= 0).astype(np.int8), CATEGORIES),
        "icd10cm": category(np.maximum(code, 0), codes, code < 0),
        "orpha": nulls(orpha, ~rare),
        "name": category(name, known),
        "onset_date": _dates(spec, rows["onset_day"]),
        "recorded_at": _times(spec, rows["recorded"]),
        "abated_at": _times(spec, rows["abated"]),
        "verification": category(rows["verification"].astype(np.int8), VERIFICATIONS),
        "verified_at": _times(spec, rows["verified"]),
    }


def _phenotypes(spec: HealthcareSpec, record: Record, rows: Rows) -> dict[str, Values]:
    used, place = np.unique(rows["term"].astype(np.int64), return_inverse=True)
    book = terms()
    return {
        "phenotype_id": rows["key"],
        "patient_id": _patient_ids(record, rows),
        "encounter_id": _encounter_ids(rows),
        "hpo_id": category(place.astype(np.int32), [book.hpo[at] for at in used]),
        "name": category(place.astype(np.int32), [book.names[at] for at in used]),
        "excluded": rows["excluded"].astype(np.bool_),
        "onset_date": _dates(spec, rows["onset_day"]),
        "recorded_at": _times(spec, rows["recorded"]),
    }


def _medications(spec: HealthcareSpec, record: Record, rows: Rows) -> dict[str, Values]:
    drug = rows["drug"].astype(np.int64)
    rxcui, atc = _identifiers()
    return {
        "medication_id": rows["key"],
        "patient_id": _patient_ids(record, rows),
        "encounter_id": _encounter_ids(rows),
        "drug": category(drug.astype(np.int8), DRUGS),
        "rxcui": category(np.maximum(rxcui[drug], 0).astype(np.int8), RXCUIS, rxcui[drug] < 0),
        "atc": category(np.maximum(atc[drug], 0).astype(np.int8), ATCS, atc[drug] < 0),
        "reason_icd10cm": category(_icd10cm()[rows["reason"].astype(np.int64)], ICD10CM),
        "started_at": _times(spec, rows["start"]),
        "ended_at": _times(spec, rows["end"]),
        "recorded_at": _times(spec, rows["recorded"]),
    }


def _observations(spec: HealthcareSpec, record: Record, rows: Rows) -> dict[str, Values]:
    analyte = rows["analyte"].astype(np.int8)
    return {
        "observation_id": rows["key"],
        "patient_id": _patient_ids(record, rows),
        "encounter_id": rows["encounter"],
        "loinc": category(analyte, LOINCS),
        "test": category(analyte, TESTS),
        "value": rows["value"],
        "unit": category(_units()[analyte], UNITS),
        "interpretation": category(rows["flag"].astype(np.int8), INTERPRETATIONS),
        "observed_at": timestamps(spec.start, rows["time"].astype(np.int64)),
    }


_COLUMNS = {
    "encounters": _encounters,
    "conditions": _conditions,
    "phenotypes": _phenotypes,
    "medications": _medications,
    "observations": _observations,
}


@lru_cache(maxsize=1)
def _icd10cm() -> NDArray[np.int64]:
    """Place in the pool of codes of each diagnosis; several diagnoses may share a code."""
    return np.array([ICD10CM.index(found.icd10cm) for found in clinic().diagnoses])


@lru_cache(maxsize=1)
def _identifiers() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    drugs = clinic().drugs
    return (
        np.array([RXCUIS.index(drug.rxcui) if drug.rxcui else -1 for drug in drugs]),
        np.array([ATCS.index(drug.atc) if drug.atc else -1 for drug in drugs]),
    )


@lru_cache(maxsize=1)
def _units() -> NDArray[np.int8]:
    return np.array([UNITS.index(analyte.unit) for analyte in laboratory().analytes], dtype=np.int8)


def _patient_ids(record: Record, rows: Rows) -> Int64:
    ids: Int64 = record.ids[rows["patient"].astype(np.int64)]
    return ids


def _encounter_ids(rows: Rows) -> pa.Array:
    encounter = rows["encounter"].astype(np.int64)
    return nulls(encounter, encounter < 0)


def _times(spec: HealthcareSpec, values: NDArray[np.generic]) -> pa.Array:
    moments = values.astype(np.int64)
    missing = moments == NO_TIME
    if not missing.any():
        return timestamps(spec.start, moments)
    return timestamps(spec.start, np.where(missing, 0, moments), missing)


def _dates(spec: HealthcareSpec, values: NDArray[np.generic]) -> pa.Array:
    days = values.astype(np.int64)
    missing = days == NO_DAY
    first = epoch_us(spec.start) // 86_400_000_000
    return pa.array((np.where(missing, 0, days) + first).astype(np.int32), mask=missing).cast(pa.date32())
