"""GA4GH Phenopackets v2: one packet per patient with signs in HPO terms.

A packet says what the record says: a disorder that nobody has recognised yet is not in it. `excluded` stands
only where somebody looked; times are ages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

import rarecase
from rarecase.common.domain import Document
from rarecase.common.identifiers import uuid_from_keys
from rarecase.healthcare.formats.charts import Chart, Row, age_between, charts, instant

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset
    from rarecase.common.spec import Spec

Packet = dict[str, Any]
HP: Packet = {
    "id": "hp",
    "name": "human phenotype ontology",
    "url": "http://purl.obolibrary.org/obo/hp.owl",
    "version": "2025-01-16",
    "namespacePrefix": "HP",
    "iriPrefix": "http://purl.obolibrary.org/obo/HP_",
}
ORPHA: Packet = {
    "id": "orpha",
    "name": "Orphanet nomenclature of rare diseases",
    "url": "https://www.orphadata.com",
    "version": "2025-12",
    "namespacePrefix": "ORPHA",
    "iriPrefix": "http://www.orpha.net/ORDO/Orphanet_",
}


def export(dataset: Dataset) -> Iterator[Document]:
    """One packet for each patient with at least one sign or rare disorder."""
    patients, signs, known = (dataset.tables[name] for name in ("patients", "phenotypes", "conditions"))
    rare = known.filter(pc.is_valid(known.column("orpha")))
    ids = patients.column("patient_id")
    told = np.zeros(patients.num_rows, dtype=np.bool_)
    for table in (signs, rare):
        told[pc.index_in(table.column("patient_id"), ids).to_numpy().astype(np.int64)] = True
    for chart in charts(dataset, ("phenotypes", "conditions", "encounters"), told):
        content = json.dumps(packet(chart, dataset.spec), ensure_ascii=False, separators=(",", ":"))
        yield Document(f"{chart.patient['patient_id']}.json", content.encode())


def packet(chart: Chart, spec: Spec) -> Packet:
    """The phenopacket of one patient, in the JSON mapping of the standard: defaults are left out."""
    patient = chart.patient
    name = uuid_from_keys(np.array([patient["patient_id"]], dtype=np.int64)).to_pylist()[0]
    diseases = [_disease(row, patient) for row in chart.rows["conditions"] if row["orpha"] is not None]
    found: Packet = {
        "id": f"rarecase-{name}",
        "subject": _subject(name, chart, spec),
        "phenotypicFeatures": _features(chart),
        "diseases": diseases,
        "metaData": {
            "created": instant(datetime.combine(spec.end, datetime.min.time())),
            "createdBy": f"rarecase {rarecase.__version__} (synthetic data)",
            "resources": [HP, ORPHA] if diseases else [HP],
            "phenopacketSchemaVersion": "2.0",
        },
    }
    return {field: value for field, value in found.items() if value != []}


def _subject(name: str, chart: Chart, spec: Spec) -> Packet:
    patient = chart.patient
    last = max((row["ended_at"] for row in chart.rows["encounters"]), default=patient["registered_at"])
    status: Packet = {"status": "ALIVE"}
    if patient["died_at"] is not None:
        status = {"status": "DECEASED", "timeOfDeath": {"timestamp": instant(patient["died_at"])}}
    born = datetime.combine(patient["birth_date"], datetime.min.time())
    return {
        "id": name,
        "dateOfBirth": instant(born),
        "timeAtLastEncounter": _age(patient, last.date()),
        "vitalStatus": status,
        "sex": patient["sex"].upper(),
    }


def _age(patient: Row, day: Any) -> Packet:
    return {"age": {"iso8601duration": age_between(patient["birth_date"], day)}}


def _features(chart: Chart) -> list[Packet]:
    """Each term once: as it was first told."""
    features: dict[str, Packet] = {}
    for row in chart.rows["phenotypes"]:
        feature: Packet = {"type": {"id": row["hpo_id"], "label": row["name"]}}
        if row["excluded"]:
            feature["excluded"] = True
        if row["onset_date"] is not None:
            feature["onset"] = _age(chart.patient, row["onset_date"])
        features.setdefault(row["hpo_id"], feature)
    return list(features.values())


def _disease(row: Row, patient: Row) -> Packet:
    found: Packet = {"term": {"id": f"ORPHA:{row['orpha']}", "label": row["name"]}}
    if row["onset_date"] is not None:
        found["onset"] = _age(patient, row["onset_date"])
    return found
