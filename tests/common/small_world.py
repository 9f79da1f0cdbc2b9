"""A data set of a few columns, held in memory, whose leaks a test can choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from rarecase.common.schema import Column, Schema, Table, arrow_schema, case_tables

BEGIN = np.datetime64("2024-01-01", "us").astype(np.int64)
DAY = 86_400_000_000


def _column(name: str, kind: Any, **more: Any) -> Column:
    return Column(name=name, type=kind, meaning=name, **more)


PEOPLE = Table(
    name="people",
    meaning="People.",
    columns=(_column("person_id", "key", role="identifier"), _column("surname", "string", role="identifier")),
    key=("person_id",),
    entity="person_id",
)
VISITS = Table(
    name="visits",
    meaning="Visits.",
    columns=(
        _column("visit_id", "key", role="identifier"),
        _column("person_id", "key", role="identifier"),
        _column("seen_at", "timestamp", role="time"),
        _column("price_minor", "int64", role="measure", nullable=True),
        _column("channel", "category"),
        _column("balance_minor", "int64", role="derived"),
    ),
    key=("visit_id",),
    time="seen_at",
    entity="person_id",
)
SCHEMA = Schema(domain="small", version="1", tables=(PEOPLE, VISITS, *case_tables("people", None)))


class Burglary:
    """The only kind of case there is."""

    reveals: ClassVar[frozenset[str]] = frozenset()
    compared_within: ClassVar[dict[str, str]] = {}


@dataclass
class SmallWorld:
    """What the leak test and the comparison need of a data set."""

    tables: dict[str, pa.Table]
    kind: type = Burglary
    measures: tuple[Any, ...] = ()
    domain: Any = field(init=False)

    def __post_init__(self) -> None:
        self.domain = SimpleNamespace(
            name="small",
            schema=SCHEMA,
            entity_table="people",
            kinds=lambda: {"burglary": self.kind},
            measures=lambda _: self.measures,
        )

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        for name, rows in self.tables.items():
            connection.register(name, rows)
        return connection

    def table(self, name: str) -> pa.Table:
        return self.tables[name]

    def frame(self, name: str, labels: bool = False) -> pd.DataFrame:
        rows = self.tables[name].to_pandas()
        touched = self.tables["labels"].to_pandas().groupby("row_id")["case_id"].agg(list)
        found = touched.reindex(rows[SCHEMA[name].key[0]])
        rows["case_ids"] = [ids if isinstance(ids, list) else [] for ids in found]
        return rows


Change = Callable[[dict[str, Any], np.ndarray, np.random.Generator], None]


def small_world(
    seed: int,
    *,
    people: int = 400,
    cases: int = 100,
    rows_per_case: int = 3,
    difficulty: float = 0.5,
    change: Change | None = None,
) -> SmallWorld:
    """A world whose cases are like everything else, until `change` touches the columns of their visits."""
    rng = np.random.default_rng(seed)
    persons = np.sort(rng.choice(1 << 40, people, replace=False)) + 1
    visits = people * 12
    owner = rng.integers(0, people, visits)
    columns = {
        "visit_id": rng.permutation(visits) * 977 + 5,
        "person_id": persons[owner],
        "seen_at": BEGIN + rng.integers(0, 90 * DAY, visits),
        "price_minor": rng.integers(100, 100_000, visits),
        "channel": np.array(["shop", "web", "phone"])[rng.integers(0, 3, visits)],
        "balance_minor": rng.integers(0, 1_000_000, visits),
    }
    victims = rng.choice(people, cases, replace=False)
    chosen = [
        rng.choice(found, min(rows_per_case, len(found)), replace=False)
        for found in (np.flatnonzero(owner == v) for v in victims)
    ]
    touched, case_of = np.concatenate(chosen), np.repeat(np.arange(cases), [len(rows) for rows in chosen])
    if change is not None:
        change(columns, touched, rng)
    case_ids = rng.permutation(cases) * 31 + 7
    surnames = np.array(["Abe", "Bell", "Cole", "Dunn"])[rng.integers(0, 4, people)]
    return SmallWorld({
        "people": _table("people", {"person_id": persons, "surname": surnames}),
        "visits": _table("visits", columns),
        "cases": _table("cases", _cases(case_ids, persons[victims], difficulty)),
        "labels": _table("labels", _labels(case_ids[case_of], columns["visit_id"][touched])),
        "weights": arrow_schema(SCHEMA["weights"]).empty_table(),
    })  # fmt: skip


def _cases(ids: np.ndarray, persons: np.ndarray, difficulty: float) -> dict[str, Any]:
    n = len(ids)
    return {
        "case_id": ids, "kind": ["burglary"] * n, "name": ["burglary"] * n, "is_case": [True] * n,
        "entity_table": ["people"] * n, "entity_id": persons,
        "started_at": np.full(n, BEGIN), "ended_at": np.full(n, BEGIN),
        "natural_rate": [None] * n, "natural_per": [None] * n, "difficulty": np.full(n, difficulty),
        "reported_at": [None] * n, "detected_at": [None] * n, "parameters": ["{}"] * n,
        "story": [f"Person {person} was burgled." for person in persons],
    }  # fmt: skip


def _labels(cases: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    n = len(cases)
    return {
        "case_id": cases, "kind": ["burglary"] * n, "table_name": ["visits"] * n, "row_id": rows,
        "entity_id": [None] * n, "from_at": [None] * n, "to_at": [None] * n, "role": ["visit"] * n,
        "stage": [None] * n, "effect": ["changed"] * n,
    }  # fmt: skip


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    declared = arrow_schema(SCHEMA[name])
    arrays = []
    for item in declared:
        values = columns[item.name]
        array = pa.array(list(values) if isinstance(values, list) else values)
        plain = item.type.value_type if pa.types.is_dictionary(item.type) else item.type
        array = array.cast(plain)
        if pa.types.is_dictionary(item.type):
            array = array.dictionary_encode().cast(item.type)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=declared)
