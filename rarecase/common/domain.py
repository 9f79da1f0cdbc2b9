"""A domain is a plain record of functions and values; the spine knows domains only through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rarecase.common.case import Case, Evidence
from rarecase.common.errors import Finding
from rarecase.common.schema import Schema

if TYPE_CHECKING:
    import duckdb
    import networkx as nx
    import pyarrow as pa

    from rarecase.common.dataset import Dataset
    from rarecase.common.keys import KeySpace
    from rarecase.common.plan import Placement, Plan
    from rarecase.common.spec import Spec


@dataclass(frozen=True)
class Document:
    """One exported file: a relative path with forward slashes, and its bytes.

    A large file comes in pieces, which can be taken once, and before the next document is asked for.
    """

    path: str
    content: bytes | Iterator[bytes]

    def pieces(self) -> Iterator[bytes]:
        """The bytes in order, piece by piece."""
        return iter((self.content,)) if isinstance(self.content, bytes) else self.content


@dataclass(frozen=True)
class Format:
    """A foreign format: a pure function from a data set to documents, streamed one by one."""

    name: str
    title: str
    export: Callable[[Dataset], Iterator[Document]]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure of the data beside a published one.

    Only evidence of the kinds observed and survey makes a range check; the others are shown, not judged.
    """

    name: str
    meaning: str
    value: float
    unit: str
    low: float | None
    high: float | None
    published: float | None
    evidence: Evidence
    source: str
    weighted: bool = False

    @property
    def inside(self) -> bool | None:
        """Whether the value lies in its range; None where nothing may be judged."""
        if self.evidence not in ("observed", "survey") or (self.low is None and self.high is None):
            return None
        above = self.low is None or self.value >= self.low
        below = self.high is None or self.value <= self.high
        return bool(above and below)


def no_details(spec: Spec, placements: tuple[Placement, ...], keys: KeySpace) -> None:
    """The plan of a domain in which nothing crosses parts."""


def only_entity_years(spec: Spec, per: str) -> float:
    """The exposure of a domain that plans no unit of its own."""
    raise KeyError(per)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """All that the spine needs to know of a domain.

    Attributes
    ----------
    entity_table, entities
        The table of the entities that parts are made of, and the plural word for people.
    details
        Everything that crosses parts, dated: part of the plan.
    exposure
        Planned exposure of one entity in a unit; raises KeyError for a unit that it does not know.
    generate_part
        A pure function of (plan, part): every table of the schema but `weights`.
    part_checks
        Laws that the rows of one part can judge, over views part.<table>, called part after part; may leave
        sums in tables of the schema `sums` for `checks`. None where there are none.
    checks
        The domain's laws of the whole over views named as the tables, called once after `part_checks`.
    measures
        The domain's figures beside published ones.
    workers
        What was measured to be faster for this domain: threads or processes.
    """

    name: str
    title: str
    schema: Schema
    spec: type[Spec]
    cases: tuple[type[Case], ...]
    entity_table: str
    entities: str
    generate_part: Callable[[Plan, int], dict[str, pa.Table]]
    details: Callable[[Spec, tuple[Placement, ...], KeySpace], Any] = no_details
    exposure: Callable[[Spec, str], float] = only_entity_years
    checks: Callable[[duckdb.DuckDBPyConnection, Spec], Iterable[Finding]]
    part_checks: Callable[[duckdb.DuckDBPyConnection, Spec], Iterable[Finding]] | None = None
    measures: Callable[[Dataset], Sequence[Measure]]
    formats: Mapping[str, Format] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    graph: Callable[[Dataset], nx.Graph] | None = None
    workers: Literal["threads", "processes"] = "threads"

    def kinds(self) -> dict[str, type[Case]]:
        """Case kinds by name."""
        return {str(case.model_fields["kind"].default or _literal(case)): case for case in self.cases}


def _literal(case: type[Case]) -> str:
    from typing import get_args

    return str(get_args(case.model_fields["kind"].annotation)[0])
