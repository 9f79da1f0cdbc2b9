"""HL7 FHIR R4: one transaction bundle per patient.

Code systems are those that may be redistributed: ICD-10-CM, ORPHA, HPO, LOINC, RxNorm and ATC; no SNOMED CT.
Every resource carries the security label HTEST ("test health data").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rarecase.common.domain import Document
from rarecase.common.identifiers import uuid_from_keys
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.laboratory import OLDEST, laboratory
from rarecase.healthcare.data.people import SEXES
from rarecase.healthcare.data.population import DAYS_PER_YEAR
from rarecase.healthcare.formats.charts import Chart, Row, charts, instant

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

Resource = dict[str, Any]
TABLES = ("encounters", "conditions", "phenotypes", "medications", "observations")
HPO = "http://human-phenotype-ontology.org"
ORPHA = "http://www.orpha.net"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
SSN = "http://hl7.org/fhir/sid/us-ssn"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
META: Resource = {"security": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": "HTEST"}]}
_CLASSES = {
    "ambulatory": ("AMB", "ambulatory"),
    "emergency": ("EMER", "emergency"),
    "inpatient": ("IMP", "inpatient encounter"),
}
_FLAGS = {"L": "Low", "N": "Normal", "H": "High"}


def export(dataset: Dataset) -> Iterator[Document]:
    """One bundle per patient, in the order of the patients."""
    for chart in charts(dataset, TABLES):
        yield Document(f"{chart.patient['patient_id']}.json", bundle(chart).encode())


def bundle(chart: Chart) -> str:
    """The transaction that creates a patient's record, as JSON."""
    names = _urls(chart)
    patient = names[chart.patient["patient_id"]]
    entries = [_json(_entry(patient, _patient(chart.patient)))]
    for table, make in _MAKERS.items():
        key = _KEYS[table]
        entries += [_json(_entry(names[row[key]], make(row, patient, names))) for row in chart.rows[table]]
    entries += _observations(chart, patient, names)
    head = _json({"resourceType": "Bundle", "meta": META, "type": "transaction"})[:-1]
    return f'{head},"entry":[{",".join(entries)}]}}'


def _json(value: Resource) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _urls(chart: Chart) -> dict[int, str]:
    """The urn of every key of the chart: the same key gives the same urn in every export."""
    keys = [chart.patient["patient_id"]]
    keys += [row[_KEYS[table]] for table in TABLES for row in chart.rows[table]]
    uuids = uuid_from_keys(np.array(keys, dtype=np.int64)).to_pylist()
    return {key: f"urn:uuid:{uuid}" for key, uuid in zip(keys, uuids, strict=True)}


def _entry(url: str, resource: Resource) -> Resource:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": url, "resource": resource, "request": request}


def _concept(system: str, code: str, display: str | None = None) -> Resource:
    coding = {"system": system, "code": code}
    return {"coding": [coding if display is None else {**coding, "display": display}]}


def _patient(row: Row) -> Resource:
    found: Resource = {
        "resourceType": "Patient",
        "meta": META,
        "identifier": [{"system": SSN, "value": row["social_security_number"]}],
        "active": True,
        "name": [{"use": "official", "family": row["family_name"], "given": [row["given_name"]]}],
        "gender": row["sex"],
        "birthDate": row["birth_date"].isoformat(),
    }
    if row["died_at"] is not None:
        found["deceasedDateTime"] = instant(row["died_at"])
    return found


def _encounter(row: Row, patient: str, names: dict[int, str]) -> Resource:
    code, display = _CLASSES[row["encounter_class"]]
    return {
        "resourceType": "Encounter",
        "meta": META,
        "status": "finished",
        "class": {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": code, "display": display},
        "serviceType": {"text": row["specialty"]},
        "subject": {"reference": patient},
        "period": {"start": instant(row["started_at"]), "end": instant(row["ended_at"])},
        "reasonCode": [_reason(row["reason_icd10cm"])],
    }


def _reason(code: str) -> Resource:
    return _concept(ICD10CM, code, _diagnosis_names()[code])


@lru_cache(maxsize=1)
def _diagnosis_names() -> dict[str, str]:
    return {found.icd10cm: found.name for found in reversed(clinic().diagnoses)}


def _condition(row: Row, patient: str, names: dict[int, str]) -> Resource:
    coding = []
    if row["orpha"] is not None:
        coding.append({"system": ORPHA, "code": str(row["orpha"]), "display": row["name"]})
    if row["icd10cm"] is not None:
        coding.append({"system": ICD10CM, "code": row["icd10cm"]})
    refuted, over = row["verification"] == "refuted", row["abated_at"] is not None
    status = "inactive" if refuted else "resolved" if over else "active"
    found: Resource = {
        "resourceType": "Condition",
        "meta": META,
        "clinicalStatus": _concept(f"{_TERMINOLOGY}/condition-clinical", status),
        "verificationStatus": _concept(f"{_TERMINOLOGY}/condition-ver-status", row["verification"]),
        "category": [_concept(f"{_TERMINOLOGY}/condition-category", row["category"])],
        "code": {"coding": coding, "text": row["name"]},
        "subject": {"reference": patient},
    }
    if row["encounter_id"] is not None:
        found["encounter"] = {"reference": names[row["encounter_id"]]}
    if row["onset_date"] is not None:
        found["onsetDateTime"] = row["onset_date"].isoformat()
    if over:
        found["abatementDateTime"] = instant(row["abated_at"])
    found["recordedDate"] = instant(row["recorded_at"])
    return found


def _phenotype(row: Row, patient: str, names: dict[int, str]) -> Resource:
    """A sign is an observation of an examination: a term, and whether it was found."""
    found: Resource = {
        "resourceType": "Observation",
        "meta": META,
        "status": "final",
        "category": [_concept(f"{_TERMINOLOGY}/observation-category", "exam", "Exam")],
        "code": {**_concept(HPO, row["hpo_id"], row["name"]), "text": row["name"]},
        "subject": {"reference": patient},
    }
    if row["encounter_id"] is not None:
        found["encounter"] = {"reference": names[row["encounter_id"]]}
    found["effectiveDateTime"] = instant(row["recorded_at"])
    found["valueBoolean"] = not row["excluded"]
    if row["onset_date"] is not None:
        found["note"] = [{"text": f"Onset {row['onset_date'].isoformat()}"}]
    return found


def _medication(row: Row, patient: str, names: dict[int, str]) -> Resource:
    coding = []
    if row["rxcui"] is not None:
        coding.append({"system": RXNORM, "code": row["rxcui"], "display": row["drug"]})
    if row["atc"] is not None:
        coding.append({"system": ATC, "code": row["atc"]})
    concept: Resource = {"coding": coding} if coding else {}
    period = {"start": instant(row["started_at"])}
    if row["ended_at"] is not None:
        period["end"] = instant(row["ended_at"])
    found: Resource = {
        "resourceType": "MedicationStatement",
        "meta": META,
        "status": "active" if row["ended_at"] is None else "completed",
        "medicationCodeableConcept": {**concept, "text": row["drug"]},
        "subject": {"reference": patient},
        "effectivePeriod": period,
        "dateAsserted": instant(row["recorded_at"]),
        "reasonCode": [_reason(row["reason_icd10cm"])],
    }
    if row["encounter_id"] is not None:
        found["context"] = {"reference": names[row["encounter_id"]]}
    return found


def _observations(chart: Chart, patient: str, names: dict[int, str]) -> list[str]:
    """Entries of the values, most of all: the same test differs from row to row in five places only."""
    sex, years = SEXES.index(chart.patient["sex"]), _years(chart)
    entries = []
    for row in chart.rows["observations"]:
        told = _template(row["loinc"], row["test"], row["unit"], row["interpretation"], sex, years)
        url, visit = names[row["observation_id"]], names[row["encounter_id"]]
        filled = (url, patient, visit, instant(row["observed_at"]), repr(row["value"]), "")
        entries.append("".join(piece + value for piece, value in zip(told, filled, strict=True)))
    return entries


@lru_cache(maxsize=50_000)
def _template(code: str, test: str, unit: str, flag: str, sex: int, years: int) -> tuple[str, ...]:
    """The JSON of an entry around its address, patient, encounter, moment and value."""
    category = ("vital-signs", "Vital Signs") if code in _vital_signs() else ("laboratory", "Laboratory")
    resource = {
        "resourceType": "Observation",
        "meta": META,
        "status": "final",
        "category": [_concept(f"{_TERMINOLOGY}/observation-category", *category)],
        "code": {**_concept(LOINC, code, test), "text": test},
        "subject": {"reference": "§patient§"},
        "encounter": {"reference": "§encounter§"},
        "effectiveDateTime": "§moment§",
        "valueQuantity": {"value": "§value§", "unit": unit, "system": UCUM, "code": unit},
        "interpretation": [_concept(f"{_TERMINOLOGY}/v3-ObservationInterpretation", flag, _FLAGS[flag])],
        "referenceRange": [_limits(code, unit, sex, years)],
    }
    return tuple(re.split('"§value§"|§[a-z]+§', _json(_entry("§url§", resource))))


@lru_cache(maxsize=1)
def _vital_signs() -> frozenset[str]:
    return frozenset(found.loinc for found in laboratory().analytes if found.panel in ("vitals", "rhythm"))


@lru_cache(maxsize=1)
def _tests() -> dict[str, int]:
    return {found.loinc: place for place, found in enumerate(laboratory().analytes)}


def _years(chart: Chart) -> int:
    """Age at the opening of the record, by which the reference intervals go."""
    days = (chart.patient["registered_at"].date() - chart.patient["birth_date"]).days
    return min(int(days / DAYS_PER_YEAR), OLDEST - 1)


def _limits(code: str, unit: str, sex: int, years: int) -> Resource:
    book, place = laboratory(), _tests()[code]
    analyte, factor = book.analytes[place], book.age_factor[years, place]
    low, high = (round(float(limit[sex] * factor), 3) for limit in (analyte.low, analyte.high))
    quantity = {"unit": unit, "system": UCUM, "code": unit}
    return {"low": {"value": low, **quantity}, "high": {"value": high, **quantity}}


_Maker = Callable[[Row, str, dict[int, str]], Resource]
_MAKERS: dict[str, _Maker] = {
    "encounters": _encounter,
    "conditions": _condition,
    "phenotypes": _phenotype,
    "medications": _medication,
}
_KEYS = {
    "encounters": "encounter_id",
    "conditions": "condition_id",
    "phenotypes": "phenotype_id",
    "medications": "medication_id",
    "observations": "observation_id",
}
