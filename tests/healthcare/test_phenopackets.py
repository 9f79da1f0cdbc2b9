"""Phenopackets v2: what protobuf accepts, and what it would let pass."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from rarecase.common.dataset import Dataset
from rarecase.healthcare.data.disorders import contradicted, terms
from rarecase.healthcare.formats.charts import age_between
from rarecase.healthcare.formats.phenopackets import export

CURIE = {"HP": re.compile(r"HP:[0-9]{7}"), "ORPHA": re.compile(r"ORPHA:[1-9][0-9]*")}
DURATION = re.compile(r"P(?=[0-9])([0-9]+Y)?([0-9]+M)?([0-9]+D)?")


@pytest.fixture(scope="module")
def packets(world: Dataset) -> list[dict[str, Any]]:
    return [json.loads(document.content) for document in export(world)]


def problems(packet: dict[str, Any]) -> Iterator[str]:
    """What protobuf lets pass: missing metaData, junk identifiers and durations, contradictions."""
    told = packet.get("metaData", {})
    for field in ("created", "createdBy", "phenopacketSchemaVersion", "resources"):
        if not told.get(field):
            yield f"metaData.{field} is missing"
    if told.get("phenopacketSchemaVersion") != "2.0":
        yield "not version 2.0"
    codes = [feature["type"]["id"] for feature in packet.get("phenotypicFeatures", [])]
    codes += [disease["term"]["id"] for disease in packet.get("diseases", [])]
    for code in codes:
        prefix = code.partition(":")[0]
        if prefix not in CURIE or not CURIE[prefix].fullmatch(code):
            yield f"{code} is no identifier of HPO or Orphanet"
    if {code.partition(":")[0] for code in codes} != {
        found["namespacePrefix"] for found in told.get("resources", [])
    }:
        yield "resources are not the prefixes in use"
    yield from (
        f"resource {found['id']} has no version"
        for found in told.get("resources", [])
        if not found["version"]
    )
    for duration in re.findall(r'"iso8601duration": "([^"]*)"', json.dumps(packet)):
        if not DURATION.fullmatch(duration):
            yield f"{duration} is no age"


def test_every_packet_is_parsed_and_well_said(packets: list[dict[str, Any]]) -> None:
    json_format = pytest.importorskip(
        "google.protobuf.json_format", reason="needs the test dependency phenopackets"
    )
    schema = pytest.importorskip("phenopackets", reason="needs the test dependency phenopackets")
    assert len(packets) > 500
    for packet in packets:
        json_format.Parse(json.dumps(packet), schema.Phenopacket())
        assert list(problems(packet)) == []
    assert len({packet["id"] for packet in packets}) == len(packets)


def test_the_own_check_refuses_what_protobuf_lets_pass(packets: list[dict[str, Any]]) -> None:
    packet = next(found for found in packets if found.get("diseases"))
    for damage in (
        {"metaData": {}},
        {"diseases": [{"term": {"id": "ORPHANET:1", "label": "?"}}]},
        {"phenotypicFeatures": [{"type": {"id": "HP:12", "label": "?"}}]},
        {"subject": {"timeAtLastEncounter": {"age": {"iso8601duration": "six years"}}}},
    ):
        assert list(problems({**packet, **damage}))


def test_nothing_excluded_stands_above_something_observed(packets: list[dict[str, Any]]) -> None:
    import numpy as np

    position = terms().positions()
    shown, absent = ([], []), ([], [])
    for number, packet in enumerate(packets):
        for feature in packet.get("phenotypicFeatures", []):
            owner, term = absent if feature.get("excluded") else shown
            owner.append(number)
            term.append(position[feature["type"]["id"]])
    assert len(absent[0]) > 100
    assert not contradicted(*(np.array(column) for column in (*shown, *absent))).any()


def test_packets_say_what_the_record_says(world: Dataset, packets: list[dict[str, Any]]) -> None:
    """The same disorders as in the table, and nobody's before it is recognised."""
    known = world.tables["conditions"].to_pandas()
    rare = known[known.orpha.notna()]
    told = sorted(disease["term"]["id"] for packet in packets for disease in packet.get("diseases", []))
    assert told == sorted(f"ORPHA:{code:.0f}" for code in rare.orpha)


def test_the_same_data_give_the_same_bytes(world: Dataset) -> None:
    assert [document.content for document in export(world)] == [
        document.content for document in export(world)
    ]


def test_ages_are_written_as_durations() -> None:
    from datetime import date

    birth = date(2020, 1, 31)
    assert age_between(birth, birth) == "P0D"
    assert age_between(birth, date(2020, 2, 10)) == "P10D"
    assert age_between(birth, date(2020, 12, 31)) == "P11M"
    assert age_between(birth, date(2026, 3, 30)) == "P6Y1M"
    assert age_between(birth, date(2026, 1, 31)) == "P6Y"
