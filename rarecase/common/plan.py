"""The plan: exactly what will be made, as a function of the spec alone.

Each case draws its entities from a permutation of all entities that is keyed by the case's unique name, in
the order of the spec: what an earlier case holds, a later one passes over. So appending a case moves nothing,
and planning costs time in the number of cases, not in the number of entities.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rarecase.common import registry
from rarecase.common.case import Case, Natural, Rate
from rarecase.common.domain import Domain
from rarecase.common.errors import PlanError, nearest
from rarecase.common.keys import KeySpace
from rarecase.common.members import among, united
from rarecase.common.seeds import Int64, Permutation, name_key, stream
from rarecase.common.spec import Spec, digest_text


@dataclass(frozen=True)
class Placement:
    """Where and when the cases of one entry of the spec stand.

    Attributes
    ----------
    case, name
        The entry and its unique name.
    entities
        Global ordinals, shape (n, widest), -1 where a case has fewer members; column 0 is the home.
    members
        Entities per case, shape (n,).
    onset_us
        Begin, microseconds after the start, shape (n,).
    case_ids
        Keys in the cases table, shape (n,).
    natural
        The published rate, or None.
    strata, stratum
        Names of strata of the weights, and which of them each case falls into, shape (n,).
    """

    case: Case
    name: str
    entities: Int64
    members: Int64
    onset_us: Int64
    case_ids: Int64
    natural: Natural | None
    strata: tuple[str, ...]
    stratum: Int64

    def __len__(self) -> int:
        return int(self.members.size)

    @property
    def homes(self) -> Int64:
        """The first entity of each case, shape (n,)."""
        homes: Int64 = self.entities[:, 0]
        return homes

    def home_in(self, low: int, high: int) -> Int64:
        """Row numbers of the cases whose home lies in [low, high)."""
        return np.flatnonzero((self.homes >= low) & (self.homes < high))

    def in_part(self, low: int, high: int) -> Int64:
        """Row numbers of the cases any member of which lies in [low, high)."""
        return np.flatnonzero(((self.entities >= low) & (self.entities < high)).any(axis=1))


@dataclass(frozen=True)
class Plan:
    """What will be made: parts, placements, keys and everything that crosses parts."""

    spec: Spec
    domain: Domain
    placements: tuple[Placement, ...]
    keys: KeySpace
    details: Any

    @property
    def parts(self) -> int:
        """The number of parts."""
        return self.spec.parts

    def bounds(self, part: int) -> tuple[int, int]:
        """The entities [low, high) of a part."""
        low = part * self.spec.block
        return low, min(low + self.spec.block, self.spec.size)

    def placement(self, name: str) -> Placement:
        """The placement of the case called `name`."""
        by_name = {placement.name: placement for placement in self.placements}
        if name not in by_name:
            raise PlanError("case", name, f"one of {', '.join(by_name)}", nearest=nearest(name, by_name))
        return by_name[name]

    def of_kind(self, kind: str) -> tuple[Placement, ...]:
        """The placements of one kind, in the order of the spec."""
        return tuple(placement for placement in self.placements if placement.case.kind == kind)

    def case_counts(self) -> dict[str, int]:
        """How many cases of each name are planted."""
        return {placement.name: len(placement) for placement in self.placements}

    def natural_counts(self) -> dict[str, float | None]:
        """How many cases of each name nature would have made in this world, where a rate is published."""
        counts: dict[str, float | None] = {}
        for placement in self.placements:
            share = natural_share(self.spec, self.domain, placement.case, placement.natural)
            members = mean_members(self.spec, placement.case)
            counts[placement.name] = None if share is None else self.spec.size * share / members
        return counts

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the spec and every placement: two plans of one digest make the same data."""
        state = hashlib.sha256(digest_text(self.spec).encode())
        for placement in self.placements:
            state.update(placement.name.encode())
            for column in (placement.entities, placement.members, placement.onset_us, placement.case_ids):
                state.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
        return state.hexdigest()


def make_plan(spec: Spec) -> Plan:
    """Plan `spec`.

    Raises
    ------
    PlanError
        When a wish cannot be placed: more cases than eligible entities, a rate without a published figure, an
        unknown unit; with the path and the value.
    """
    domain = registry.get(spec.domain)
    keys = KeySpace(spec.domain, spec.seed, spec.size, spec.block, domain.schema.names)
    placements: list[Placement] = []
    taken = np.empty(0, dtype=np.int64)
    for position, case in enumerate(spec.cases):
        placement = _place(spec, domain, keys, case, position, taken)
        placements.append(placement)
        taken = united(taken, placement.entities[placement.entities >= 0])
    placed = tuple(placements)
    return Plan(spec, domain, placed, keys, domain.details(spec, placed, keys))


def twin_of(spec: Spec) -> Spec:
    """The same world without cases and without look-alikes."""
    return spec.model_copy(update={"cases": ()})


def exposure(spec: Spec, domain: Domain, per: str) -> float:
    """The planned exposure of one entity in the unit `per`."""
    if per == "entity":
        return 1.0
    if per == "entity-year":
        return spec.years
    return domain.exposure(spec, per)


def natural_share(spec: Spec, domain: Domain, case: Case, natural: Natural | None) -> float | None:
    """The share of entities that nature touches with such cases; None where no rate is published."""
    if natural is None:
        return None
    # A rate that counts rings touches as many entities as the rings have members.
    members = mean_members(spec, case) if natural.counts == "cases" else 1.0
    return share_of(spec, domain, natural, members)


def share_of(spec: Spec, domain: Domain, rate: Natural | Rate, members: float = 1.0) -> float:
    """The share of entities that a rate touches: π = 1 − exp(−rate × exposure).

    A rate per entity is already a share (a prevalence), and is taken as it is.
    """
    if rate.per == "entity":
        return rate.value * members
    return -math.expm1(-rate.value * members * exposure(spec, domain, rate.per))


def mean_members(spec: Spec, case: Case) -> float:
    """Members of a case on average, over enough homes to tell."""
    return float(case.members(spec, np.arange(min(spec.size, 4096), dtype=np.int64)).mean())


def _place(spec: Spec, domain: Domain, keys: KeySpace, case: Case, position: int, taken: Int64) -> Placement:
    where = f"cases[{position}]"
    natural = case.natural(spec)
    wanted = _wanted(spec, domain, case, natural, where)
    if wanted is None:
        entities, members = _fill_share(spec, domain, case, natural, where, taken)
    else:
        homes_and_more = _Walk(spec, domain, case, where, taken)
        entities, members = homes_and_more.cases(wanted)
    homes = entities[:, 0]
    onset = case.onset(spec, homes) if homes.size else np.empty(0, dtype=np.int64)
    case_ids = keys.case_rows("cases", homes, np.zeros_like(homes))
    names, stratum = case.strata(spec, homes)
    return Placement(case, case.label, entities, members, onset, case_ids, natural, names, stratum)


def _wanted(spec: Spec, domain: Domain, case: Case, natural: Natural | None, where: str) -> int | None:
    """How many cases; None when a rate counts members and so must be filled member by member."""
    if case.count is not None:
        return case.count
    if case.rate == "natural" and natural is None:
        raise PlanError(
            f"{where}.rate",
            "natural",
            f"a count, for no natural rate of {case.kind} is published",
            hint="Say `count: N`, or a rate of your own as {value, per}.",
        )
    return None


def _fill_share(
    spec: Spec, domain: Domain, case: Case, natural: Natural | None, where: str, taken: Int64
) -> tuple[Int64, Int64]:
    """Cases by rate: their members make up the share of entities that the rate asks for."""
    own = case.rate if isinstance(case.rate, Rate) else None
    try:
        share = share_of(spec, domain, own) if own else natural_share(spec, domain, case, natural)
    except KeyError:
        per = own.per if own else natural.per if natural else ""
        raise PlanError(
            f"{where}.rate.per", per, f"a unit that {domain.name} plans exposure in: entity, entity-year …"
        ) from None
    touched = spec.size * (share or 0.0) * case.enrich
    expected = touched / mean_members(spec, case)
    if expected > spec.size:
        raise PlanError(
            where, f"{expected:,.0f} cases", f"at most the {spec.size:,} {domain.entities} there are"
        )
    draw = stream(spec.seed, "count", case.label).random()
    nearest_one = own is not None and own.round == "nearest"
    number = math.floor(expected + (0.5 if nearest_one else draw))
    return _Walk(spec, domain, case, where, taken).cases(number)


class _Walk:
    """Candidates in the order of the case's own permutation, passing over the taken and the ineligible."""

    _CHUNK = 1 << 16

    def __init__(self, spec: Spec, domain: Domain, case: Case, where: str, taken: Int64) -> None:
        self.spec, self.domain, self.case, self.where, self.taken = spec, domain, case, where, taken
        self.order = Permutation(name_key(spec.seed, "place", case.label), spec.size)
        self.position = 0
        self.pool = np.empty(0, dtype=np.int64)

    def cases(self, number: int) -> tuple[Int64, Int64]:
        """Entities (number, widest) and members (number,)."""
        if number > self.spec.size:
            self._refuse(number, self.spec.size)
        # Homes come first, so that a case's home does not depend on how many members others take.
        homes = self._take(number, number)
        members = self.case.members(self.spec, homes) if number else np.empty(0, dtype=np.int64)
        widest = int(members.max()) if number else 1
        entities = np.full((number, widest), -1, dtype=np.int64)
        entities[:, 0] = homes
        chosen = self.case.recruit(self.spec, homes, members, self.taken) if number else None
        if chosen is not None:
            entities[:, 1:] = chosen
            self._hold(chosen[chosen >= 0])
        wanted = (np.arange(widest) < members[:, None]) & (entities < 0)
        entities[wanted] = self._take(int(wanted.sum()), number)
        return entities, members

    def _hold(self, chosen: Int64) -> None:
        """Pass over those whom the case has chosen by itself."""
        self.taken = united(self.taken, chosen)
        self.pool = self.pool[~among(self.pool, np.sort(chosen))]

    def _take(self, number: int, asked: int) -> Int64:
        while self.pool.size < number and self.position < self.spec.size:
            stop = min(self.position + max(self._CHUNK, 2 * number), self.spec.size)
            candidates = self.order.forward(np.arange(self.position, stop, dtype=np.int64))
            free = candidates[~among(candidates, self.taken)]
            self.pool = np.concatenate([self.pool, free[self.case.eligible(self.spec, free)]])
            self.position = stop
        if self.pool.size < number:
            self._refuse(asked, int(self.pool.size))
        taken, self.pool = self.pool[:number], self.pool[number:]
        return taken

    def _refuse(self, number: int, free: int) -> None:
        said: Mapping[str, Any] = {
            "path": f"{self.where}.count" if self.case.count is not None else self.where
        }
        raise PlanError(
            said["path"],
            number,
            f"no more than the eligible {self.domain.entities} that earlier cases leave "
            f"({free:,} left for {self.case.label}, of {self.spec.size:,})",
            hint=self.case.hint,
        )
