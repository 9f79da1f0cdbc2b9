"""FHIR R4 bundles pass two independent validators, a third one's types, and an own check of references."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.domain import Document
from rarecase.healthcare.formats.fhir import export

GATE = Path(__file__).parent / "fhir_validator"
#: What each kind of reference may point to.
TARGETS = {"subject": "Patient", "encounter": "Encounter", "context": "Encounter"}
SYSTEMS = {
    "http://human-phenotype-ontology.org",
    "http://www.orpha.net",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://loinc.org",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://www.whocc.no/atc",
}
Resource = dict[str, Any]


def gate(resources: list[Resource]) -> list[dict[str, list[str]]]:
    """What Medplum and `fhir` say of each resource."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (GATE / "node_modules").is_dir():
        pytest.skip("the node validators are not installed: `npm ci` in tests/healthcare/fhir_validator")
    lines = "\n".join(json.dumps(resource) for resource in resources)
    done = subprocess.run(
        ["node", str(GATE / "validate.mjs")], input=lines, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def loose_ends(bundle: Resource) -> Iterator[str]:
    """References that lead nowhere or to the wrong kind, and addresses used twice."""
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    if len(set(urls)) < len(urls):
        yield "an address is used twice"
    kinds = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"]}
    for entry in bundle["entry"]:
        for field, wanted in TARGETS.items():
            reference = entry["resource"].get(field, {}).get("reference")
            if reference is not None and kinds.get(reference) != wanted:
                yield f"{field} of {entry['fullUrl']} leads to {kinds.get(reference)}"
        if entry["resource"]["resourceType"] != "Patient" and "subject" not in entry["resource"]:
            yield f"{entry['fullUrl']} is of nobody"


def codings(resource: Any) -> Iterator[Resource]:
    """All codings anywhere in a resource."""
    if isinstance(resource, list):
        for item in resource:
            yield from codings(item)
    elif isinstance(resource, dict):
        if "system" in resource and "code" in resource:
            yield resource
        for item in resource.values():
            yield from codings(item)


@pytest.fixture(scope="module")
def documents(world: Dataset) -> list[Document]:
    return list(export(world))


@pytest.fixture(scope="module")
def bundles(world: Dataset, documents: list[Document]) -> list[Resource]:
    """Some of each case, and some of nobody's."""
    cases = world.tables["cases"].to_pandas()
    chosen = set(cases.groupby("name", observed=True).head(6).entity_id)
    wanted, ordinary = [], 0
    for document in documents:
        mine = int(document.path.removesuffix(".json")) in chosen
        ordinary += not mine
        if mine or ordinary <= 15:
            wanted.append(json.loads(document.content))
    return wanted


def test_every_patient_has_a_bundle_with_every_row(world: Dataset, documents: list[Document]) -> None:
    counted: dict[str, int] = {}
    for document in documents:
        for entry in json.loads(document.content)["entry"]:
            kind = entry["resource"]["resourceType"]
            counted[kind] = counted.get(kind, 0) + 1
    rows = {name: world.tables[name].num_rows for name in world.tables}
    assert len(documents) == counted["Patient"] == rows["patients"]
    assert counted["Encounter"] == rows["encounters"]
    assert counted["Condition"] == rows["conditions"]
    assert counted["MedicationStatement"] == rows["medications"]
    assert counted["Observation"] == rows["observations"] + rows["phenotypes"]


def test_two_validators_accept_every_bundle(bundles: list[Resource]) -> None:
    for told in gate(bundles):
        assert told == {"medplum": [], "fhir": []}


def test_references_hold(bundles: list[Resource]) -> None:
    for bundle in bundles:
        assert list(loose_ends(bundle)) == []


def test_a_third_validator_reads_every_type(bundles: list[Resource]) -> None:
    models = pytest.importorskip("fhir.resources.R4B", reason="needs the test dependency fhir.resources")
    for bundle in bundles[:12]:
        models.get_fhir_model_class("Bundle").model_validate(copy.deepcopy(bundle))


def test_code_systems_are_those_that_may_be_shared(bundles: list[Resource]) -> None:
    for bundle in bundles:
        assert bundle["meta"]["security"][0]["code"] == "HTEST"
        for entry in bundle["entry"]:
            resource = entry["resource"]
            assert resource["meta"]["security"][0]["code"] == "HTEST"
            for coding in codings({key: value for key, value in resource.items() if key != "identifier"}):
                system = coding["system"]
                assert system in SYSTEMS or system.startswith(
                    ("http://terminology.hl7.org/", "http://unitsofmeasure.org")
                )


def _damaged(bundles: list[Resource], kind: str, **changes: Any) -> Resource:
    for bundle in bundles:
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] == kind:
                return {**copy.deepcopy(entry["resource"]), **changes}
    raise AssertionError(kind)


def test_the_gate_refuses_damage(bundles: list[Resource]) -> None:
    bad = [
        _damaged(bundles, "Encounter", status="over"),
        _damaged(bundles, "Patient", birthDate="2020-02-31"),
        _damaged(bundles, "Patient", favouriteColour="blue"),
        _damaged(bundles, "Patient", active="yes"),
        _damaged(bundles, "Observation", code=None),
        _damaged(bundles, "Observation", valueString="high"),
        _damaged(
            bundles,
            "Condition",
            abatementDateTime="2024-01-01",
            clinicalStatus={
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
                ]
            },
        ),
    ]
    for resource, told in zip(bad, gate(bad), strict=True):
        assert told["medplum"] or told["fhir"], resource["resourceType"]


def test_the_own_check_refuses_loose_ends(bundles: list[Resource]) -> None:
    twice, dangling, wrong = (copy.deepcopy(bundles[0]) for _ in range(3))
    twice["entry"][1]["fullUrl"] = twice["entry"][2]["fullUrl"]
    dangling["entry"].pop(0)
    wrong["entry"][1]["resource"]["subject"]["reference"] = wrong["entry"][1]["fullUrl"]
    for bundle in (twice, dangling, wrong):
        assert list(loose_ends(bundle))


def test_the_lock_file_names_no_place() -> None:
    assert "resolved" not in (GATE / "package-lock.json").read_text()
    assert "integrity" in (GATE / "package-lock.json").read_text()
