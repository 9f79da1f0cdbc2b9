"""A domain of two tables and four kinds, small enough to read at a glance: a hotel, its guests and nights.

It is a real domain in every respect; worker processes find it through the variable RARECASE_DOMAINS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import duckdb
import numpy as np
import pyarrow as pa
from pydantic import Field

from rarecase.common import tables
from rarecase.common.case import Case, Natural
from rarecase.common.domain import Domain, Measure
from rarecase.common.errors import Finding
from rarecase.common.plan import Placement, Plan
from rarecase.common.schema import Column, Reference, RowRule, Schema, Table
from rarecase.common.schema.cases import case_tables
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform, stream
from rarecase.common.spec import US_PER_DAY, Population, Spec
from rarecase.common.telling import Told, cases_table, labels_table

GUESTS = Table(
    name="guests",
    meaning="One row per guest.",
    columns=(
        Column(name="guest_id", type="key", meaning="Key of the guest", role="identifier"),
        Column(
            name="town", type="category", meaning="Where the guest lives", values=("Ash", "Birch", "Cedar")
        ),
        Column(name="income", type="float64", meaning="Yearly income", unit="EUR", minimum=0, quantum=0.01),
    ),
    key=("guest_id",),
)
NIGHTS = Table(
    name="nights",
    meaning="One row per night that a guest paid for.",
    columns=(
        Column(name="night_id", type="key", meaning="Key of the night", role="identifier"),
        Column(name="guest_id", type="key", meaning="Who slept", role="identifier"),
        Column(name="arrived_at", type="timestamp", meaning="Arrival", role="time", unit="UTC"),
        Column(name="price_minor", type="int64", meaning="Price", unit="cent", minimum=0),
    ),
    key=("night_id",),
    references=(Reference(columns=("guest_id",), table="guests", to=("guest_id",)),),
    row_rules=(RowRule(name="price", sql="price_minor < 100000000", meaning="No night costs a million"),),
    time="arrived_at",
    entity="guest_id",
)
AMOUNT = Column(name="amount_minor", type="int64", meaning="Price of the night", unit="cent", nullable=True)
SCHEMA = Schema(domain="toy", version="1", tables=(GUESTS, NIGHTS, *case_tables("guests", AMOUNT)))


class Visit(Case):
    """A guest stays three nights more."""

    kind: Literal["visit"] = "visit"
    title: ClassVar[str] = "An unplanned visit"
    definition: ClassVar[str] = "three nights in a row that were not booked"
    source: ClassVar[str] = "made up for the tests"

    def natural(self, spec: Spec) -> Natural | None:
        return Natural(0.02, "entity-year", "expert", "made up for the tests")

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        room = max(spec.days - 3, 1) * US_PER_DAY
        return keyed_integers(spec.seed, ("onset", self.label), homes, room)


class Ring(Visit):
    """Guests who travel together."""

    kind: Literal["ring"] = "ring"  # type: ignore[assignment]
    title: ClassVar[str] = "A party"

    def natural(self, spec: Spec) -> Natural | None:
        return Natural(0.005, "entity-year", "expert", "made up for the tests", counts="cases")

    def members(self, spec: Spec, homes: Int64) -> Int64:
        return 3 + keyed_integers(spec.seed, ("members", self.label), homes, 4)


class Common(Visit):
    """What nearly everybody does."""

    kind: Literal["common"] = "common"  # type: ignore[assignment]

    def natural(self, spec: Spec) -> Natural | None:
        return Natural(0.99, "entity", "expert", "made up for the tests")


class Decoy(Visit):
    """A stay that was booked."""

    kind: Literal["decoy"] = "decoy"  # type: ignore[assignment]
    is_case: ClassVar[bool] = False

    def natural(self, spec: Spec) -> Natural | None:
        return None


Kind = Annotated[Visit | Ring | Common | Decoy, Field(discriminator="kind")]


class ToySpec(Spec):
    """A hotel."""

    domain: Literal["toy"] = "toy"
    population: Population = Field(default_factory=Population)
    cases: tuple[Kind, ...] = ()


def generate_part(plan: Plan, part: int) -> dict[str, pa.Table]:
    """Guests with five nights each, and three nights more for each member of a case."""
    low, high = plan.bounds(part)
    guests = np.arange(low, high, dtype=np.int64)
    income = np.round(keyed_uniform(plan.spec.seed, "income", guests) * 1e5, 2)
    town = stream(plan.spec.seed, "town", part).integers(0, 3, guests.size)
    nights = _ordinary_nights(plan, part, guests)
    extra, told, cases = _cases(plan, low, high)
    return {
        "guests": tables.build(
            GUESTS,
            {
                "guest_id": plan.keys.entities("guests", guests),
                "town": tables.category(town, ("Ash", "Birch", "Cedar")),
                "income": income,
            },
        ),
        "nights": _nights(plan, {name: np.concatenate([nights[name], extra[name]]) for name in nights}),
        "cases": cases,
        "labels": told,
    }


def _ordinary_nights(plan: Plan, part: int, guests: Int64) -> dict[str, Int64]:
    rng = stream(plan.spec.seed, "nights", part)
    guest = np.repeat(guests, 5)
    at = rng.integers(0, plan.spec.horizon_us, guest.size)
    price = np.round(np.exp(rng.normal(9, 0.4, guest.size))).astype(np.int64)
    key = plan.keys.rows("nights", part, np.arange(guest.size, dtype=np.int64))
    return {"night_id": key, "guest": guest, "at": at, "price": price}


def _nights(plan: Plan, columns: dict[str, Int64]) -> pa.Table:
    order = np.lexsort((columns["night_id"], columns["at"]))
    return tables.build(
        NIGHTS,
        {
            "night_id": columns["night_id"][order],
            "guest_id": plan.keys.entities("guests", columns["guest"][order]),
            "arrived_at": tables.timestamps(plan.spec.start, columns["at"][order]),
            "price_minor": columns["price"][order],
        },
    )


def _cases(plan: Plan, low: int, high: int) -> tuple[dict[str, Int64], pa.Table, pa.Table]:
    none = np.empty(0, dtype=np.int64)
    extra: list[dict[str, Int64]] = [{"night_id": none, "guest": none, "at": none, "price": none}]
    told, cases = [tables.empty(SCHEMA["labels"])], []
    for placement in plan.placements:
        rows = _case_nights(plan, placement, low, high)
        extra.append({name: rows[name] for name in extra[0]})
        told.append(_labels(plan, placement, rows))
        cases.append(_told(placement, placement.home_in(low, high)))
    joined = {name: np.concatenate([piece[name] for piece in extra]) for name in extra[0]}
    return joined, tables.concat(SCHEMA["labels"], told), cases_table(plan, cases)


def _case_nights(plan: Plan, placement: Placement, low: int, high: int) -> dict[str, Int64]:
    case, place = np.nonzero((placement.entities >= low) & (placement.entities < high))
    guest = placement.entities[case, place]
    case, place, guest = (np.repeat(column, 3) for column in (case, place, guest))
    day = np.tile(np.arange(3), guest.size // 3)
    return {
        "night_id": plan.keys.case_rows("nights", placement.homes[case], place * 3 + day),
        "guest": guest,
        "at": placement.onset_us[case] + day * US_PER_DAY,
        "price": 5_000 + keyed_integers(plan.spec.seed, ("price", placement.name), guest * 3 + day, 9_000),
        "case_id": placement.case_ids[case],
    }


def _labels(plan: Plan, placement: Placement, rows: dict[str, Int64]) -> pa.Table:
    number = rows["guest"].size
    return labels_table(
        plan,
        {
            "case_id": rows["case_id"],
            "kind": tables.constant(placement.case.kind, number),
            "table_name": tables.constant("nights", number),
            "row_id": rows["night_id"],
            "role": tables.constant("guest", number),
            "effect": tables.constant("created", number),
            "amount_minor": rows["price"],
        },
    )


def _told(placement: Placement, mine: Int64) -> Told:
    begun = placement.onset_us[mine]
    known = begun + 5 * US_PER_DAY
    unrated = np.full(mine.size, placement.natural is None)
    stories = [
        f"Guest {home} stayed three nights more with {size - 1} others."
        for home, size in zip(placement.homes[mine], placement.members[mine], strict=True)
    ]
    detected = np.where(unrated, tables.NEVER, known)
    facts: list[dict[str, Any]] = [{} for _ in stories]
    return Told(placement, mine, begun, begun + 2 * US_PER_DAY, known, detected, facts, stories)


def checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterable[Finding]:
    """Nobody arrives before the window."""
    row = connection.execute("SELECT count(*) FROM nights WHERE arrived_at < ?", [spec.start]).fetchone()
    if row and row[0]:
        yield Finding(
            "error", "toy.before_start", "nights", "arrived_at", int(row[0]), "nights before the window"
        )


def measures(dataset: Any) -> list[Measure]:
    """How much a night costs."""
    mean = float(np.mean(dataset.table("nights")["price_minor"].to_numpy()))
    return [
        Measure(
            name="price",
            meaning="mean price of a night",
            value=mean,
            unit="cent",
            low=None,
            high=None,
            published=None,
            evidence="expert",
            source="made up for the tests",
        )
    ]


DEFAULT = """\
# A small hotel.
domain: toy
size: 300
block: 100
start: 2025-01-01
days: 60
cases:
  - {kind: visit, count: 5}
  - {kind: ring, count: 3}
  - {kind: decoy, count: 4}
"""

DOMAIN = Domain(
    name="toy",
    title="A hotel",
    schema=SCHEMA,
    spec=ToySpec,
    cases=(Visit, Ring, Common, Decoy),
    entity_table="guests",
    entities="guests",
    generate_part=generate_part,
    checks=checks,
    measures=measures,
    examples={"default": DEFAULT},
)
