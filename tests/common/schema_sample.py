"""A small schema that uses every column type and every kind of constraint, and one good data set of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from rarecase.common.schema import (
    Column,
    Reference,
    RowRule,
    Schema,
    Table,
    TableRule,
    arrow_schema,
    case_tables,
)

OWNERS = Table(
    name="owners",
    meaning="Who owns things.",
    columns=(
        Column(name="owner_id", type="key", meaning="Key", role="identifier"),
        Column(name="country", type="category", meaning="Where they live", values=("AA", "QM", "ZZ")),
        Column(
            name="e_mail",
            type="string",
            meaning="Address",
            pattern=r"[a-z]+@example\.(com|org)",
            privacy="direct",
        ),
    ),
    key=("owner_id",),
)

THINGS = Table(
    name="things",
    meaning="Something of every type.",
    columns=(
        Column(name="thing_id", type="key", meaning="Key", role="identifier"),
        Column(name="owner_id", type="key", meaning="Owner", nullable=True),
        Column(name="tiny", type="int8", meaning="Tiny", minimum=-5, maximum=5),
        Column(name="small", type="int16", meaning="One of three", values=(1, 2, 3)),
        Column(name="plain", type="int32", meaning="Any whole number", nullable=True),
        Column(name="amount_minor", type="int64", meaning="Money", minimum=0, role="measure", unit="minor"),
        Column(name="ratio", type="float32", meaning="Ratio", minimum=0, maximum=1, quantum=0.25),
        Column(name="speed_mps", type="float64", meaning="Speed", unit="m/s", role="measure", quantum=0.01),
        Column(name="active", type="bool", meaning="Whether it lives"),
        Column(name="code", type="string", meaning="Four digits", pattern="[0-9]{4}"),
        Column(
            name="colour", type="category", meaning="Colour", values=("red", "green", "blue"), nullable=True
        ),
        Column(name="town", type="category", meaning="Any town", nullable=True),
        Column(name="made_on", type="date", meaning="Day it was made", privacy="quasi"),
        Column(name="seen_at", type="timestamp", meaning="When it was seen", role="time", unit="UTC"),
        Column(name="known_at", type="timestamp", meaning="When that was known", role="time", nullable=True),
    ),
    key=("thing_id",),
    references=(Reference(columns=("owner_id",), table="owners", to=("owner_id",)),),
    row_rules=(
        RowRule(
            name="known_after_seen", sql="seen_at <= known_at", meaning="Nothing is known before it is seen"
        ),
        RowRule(name="red_is_active", sql="colour <> 'red' OR active", meaning="Red things live"),
    ),
    table_rules=(
        TableRule(
            name="one_town_per_owner",
            sql="SELECT owner_id FROM things WHERE owner_id IS NOT NULL "
            "GROUP BY owner_id HAVING count(DISTINCT town) > 1",
            meaning="An owner's things stand in one town",
            level="warning",
        ),
    ),
    time="seen_at",
    entity="owner_id",
)

PIECES = Table(
    name="pieces",
    meaning="Numbered pieces of things.",
    columns=(
        Column(name="thing_id", type="key", meaning="Thing"),
        Column(name="number", type="int16", meaning="Number of the piece", minimum=1),
    ),
    key=("thing_id", "number"),
    references=(Reference(columns=("thing_id",), table="things", to=("thing_id",)),),
)

AMOUNT = Column(
    name="amount_minor", type="int64", meaning="Money lost", nullable=True, unit="minor", role="label"
)

SAMPLE = Schema(
    domain="sample",
    version="1",
    tables=(PIECES, THINGS, OWNERS, *case_tables("owners", AMOUNT, entity_key="owner_id")),
)


def moment(second: int) -> dt.datetime:
    return dt.datetime(2025, 3, 1, 12) + dt.timedelta(seconds=second, microseconds=17)


def good_rows() -> dict[str, list[dict[str, Any]]]:
    """A few rows per table, in which nothing is wrong."""
    owners = [
        {"owner_id": 10 + i, "country": country, "e_mail": f"{name}@example.com"}
        for i, (country, name) in enumerate([("AA", "ann"), ("QM", "bob"), ("ZZ", "o")])
    ]
    things = [
        {
            "thing_id": 2**61 + i,
            "owner_id": None if i == 4 else 10 + i % 3,
            "tiny": i - 2,
            "small": 1 + i % 3,
            "plain": None if i == 1 else i * 1000,
            "amount_minor": 2**40 + i,
            "ratio": i / 4,
            "speed_mps": -1.5 * i,
            "active": i % 2 == 0,
            "code": f"{i:04d}",
            "colour": ["red", "green", None, "blue", "red"][i],
            "town": ["x", "y", "z", "x", None][i],
            "made_on": dt.date(2024, 2, 28 + i % 2),
            "seen_at": moment(i),
            "known_at": None if i == 2 else moment(i + 1),
        }
        for i in range(5)
    ]
    pieces = [{"thing_id": 2**61 + i // 2, "number": 1 + i % 2} for i in range(6)]
    case = {
        "case_id": 77,
        "kind": "theft",
        "name": "theft",
        "is_case": True,
        "entity_table": "owners",
        "entity_id": 10,
        "started_at": moment(0),
        "ended_at": moment(9),
        "natural_rate": 0.001,
        "natural_per": "entity-year",
        "difficulty": 0.5,
        "reported_at": None,
        "detected_at": moment(10),
        "parameters": "{}",
        "story": "Somebody took it.",
    }
    nothing = dict.fromkeys(("row_id", "entity_id", "from_at", "to_at", "stage", "amount_minor"))
    label = {"case_id": 77, "kind": "theft", "table_name": "things", "role": "prey", "effect": "changed"}
    ranged = {"entity_id": 10, "from_at": moment(0), "to_at": moment(3)}
    labels = [nothing | label | {"row_id": 2**61}, nothing | label | ranged]
    weights = [
        {"table_name": "owners", "row_id": 10 + i, "stratum": "ordinary", "weight": None if i else 1.5}
        for i in range(3)
    ]
    return {
        "pieces": pieces,
        "things": things,
        "owners": owners,
        "cases": [case],
        "labels": labels,
        "weights": weights,
    }


def as_tables(rows: dict[str, list[dict[str, Any]]]) -> dict[str, pa.Table]:
    return {
        name: pa.Table.from_pylist(found, schema=arrow_schema(SAMPLE[name])) for name, found in rows.items()
    }
