"""Rare cases: what the user may say of one, and where it may stand.

A case kind is one frozen class in its domain's `cases/`. Its fields are what a spec says; its class variables
and methods say what it is, where it may be placed and when. What it does to the world lies beside it, in the
same file, called by the domain's `generate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rarecase.common.seeds import Int64, keyed_uniform

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

Evidence = Literal["observed", "survey", "simulated", "expert"]


def whole_number(value: Any) -> Any:
    """Refuse what is no whole number though it could be read as one: true, 1.0, "500"."""
    if isinstance(value, bool | float | str):
        raise ValueError("a whole number")
    return value


class Rate(BaseModel):
    """How often, per what: a share of entities, or events per entity-year or per a unit of the domain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float = Field(ge=0, allow_inf_nan=False)
    per: str = "entity"
    round: Literal["stochastic", "nearest"] = "stochastic"


@dataclass(frozen=True)
class Natural:
    """How often a case occurs in nature.

    Attributes
    ----------
    value
        Share of entities when `per` is "entity", else events per unit of exposure.
    per
        "entity", "entity-year", or a unit whose exposure the domain plans ("vehicle-km").
    evidence, source
        Where the figure comes from and of what kind it is.
    counts
        What the figure counts: entities touched ("members"), or cases of several members each ("cases").
    """

    value: float
    per: str
    evidence: Evidence
    source: str
    counts: Literal["members", "cases"] = "members"


class Case(BaseModel):
    """One kind of rare event, or of a look-alike that is not one.

    Exactly one of `count` and `rate` says how many; `rate: natural` takes the published rate, times `enrich`.
    `difficulty` moves the footprint from plain (0) towards ordinary behaviour (1).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_case: ClassVar[bool] = True
    title: ClassVar[str]
    definition: ClassVar[str]
    source: ClassVar[str]
    #: "table.column" that by definition of the kind tell it apart, and that a leak test must not complain of.
    reveals: ClassVar[frozenset[str]] = frozenset()
    #: Table to the column within whose values rows are compared when leaks are looked for (a payment type).
    compared_within: ClassVar[Mapping[str, str]] = MappingProxyType({})
    #: What helps when too few entities are eligible.
    hint: ClassVar[str] = "Ask for fewer cases or raise `size`."

    kind: str
    name: str | None = Field(default=None, min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    count: int | None = Field(default=None, ge=0)
    rate: Rate | Literal["natural"] | None = None
    enrich: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    difficulty: float = Field(default=0.5, ge=0, le=1)

    @field_validator("count", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return whole_number(value)

    @model_validator(mode="after")
    def _count_or_rate(self) -> Self:
        if (self.count is None) == (self.rate is None):
            raise ValueError("exactly one of count and rate (a rate is {value, per}, or natural)")
        if self.count is not None and self.enrich != 1.0:
            raise ValueError("enrich only beside rate: natural; a count is already exact")
        if isinstance(self.rate, Rate) and self.enrich != 1.0:
            raise ValueError(
                "enrich only beside rate: natural; a rate given by value is already what you want"
            )
        return self

    @property
    def label(self) -> str:
        """The case's unique name in its spec."""
        return self.name or self.kind

    def stratum(self) -> str:
        """The stratum of the weights: cases that share one natural rate."""
        return self.kind

    def strata(self, spec: Spec, homes: Int64) -> tuple[tuple[str, ...], Int64]:
        """Names of strata, and which of them each case falls into, shape (n,).

        Strata must not overlap: where another entry of the spec asks for a part of what this one covers, the
        cases of this one that lie in that part belong to the stratum of the other.
        """
        return (self.stratum(),), np.zeros(homes.shape, dtype=np.int64)

    def stratum_natural(self, spec: Spec) -> Natural | None:
        """The published rate of this entry's stratum, without what other entries' strata take out of it."""
        return self.natural(spec)

    def natural(self, spec: Spec) -> Natural | None:
        """The published rate of this kind in the world of `spec`, or None where there is none."""
        return None

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Which entities this kind may befall, shape (n,), from stateless attributes alone."""
        return np.ones(entities.shape, dtype=np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """How many entities each case takes, its home included, shape (n,)."""
        return np.ones(homes.shape, dtype=np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Whom each case takes beside its home, shape (n, most members − 1), or None: anybody eligible.

        A cell of -1 is filled with anybody eligible. Nobody may be named twice, nor any home, nor anybody of
        `taken`, whom earlier entries of the spec hold.
        """
        return None

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """When each case begins, microseconds after the start, shape (n,)."""
        return (keyed_uniform(spec.seed, ("onset", self.label), homes) * spec.horizon_us).astype(np.int64)

    def parameters(self) -> dict[str, Any]:
        """What the spec said of this case beyond its number, for the cases table."""
        return self.model_dump(mode="json", exclude={"kind", "name", "count", "rate", "enrich"})
