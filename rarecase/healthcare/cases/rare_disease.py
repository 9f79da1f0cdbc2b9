"""A rare disease: who has it, since when, and when it was or will be recognised.

A prevalent patient has lived to see the onset: at age a, the share of a disorder's patients that counts is
the part of its onset classes that lies below a, times the share of its patients that survive to a, times the
share of their sex. Homes
are drawn by that law from the population (a thinning of candidates, and then the disorder given sex and age),
so that disorders come out in proportion to their prevalence and patients with the right age and sex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.case import Case, Natural
from rarecase.common.errors import SpecError, nearest
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.healthcare.data.disorders import (
    MALE_SHARE,
    MODE_WEIGHT,
    MODES,
    ONSET_YEARS,
    RARE,
    catalogue,
    delay_of,
    delay_scale,
    delay_survival,
    names,
    onset_share,
    survivors,
)
from rarecase.healthcare.data.people import AGES, pyramid
from rarecase.healthcare.data.population import DAYS_PER_YEAR, FEMALE, MALE, US_PER_DAY, People, people

if TYPE_CHECKING:
    from rarecase.common.spec import Spec
    from rarecase.healthcare.spec import HealthcareSpec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_US_PER_YEAR = DAYS_PER_YEAR * US_PER_DAY
#: Points per class of onset at which its law is followed when the delay must end within the window.
_STEPS = 48
#: Patients whose courses are worked out at a time.
_CHUNK = 4096
_YEARS_OF_AGE = np.maximum(np.arange(AGES, dtype=np.float64), 0.25)


class RareDisease(Case):
    """A patient with a rare disorder of Orphanet's, chosen by code, by name, or by natural prevalence."""

    title: ClassVar[str] = "Rare disease"
    definition: ClassVar[str] = (
        "A living patient of an age and sex that the disorder allows has signs of it by their published"
        " frequencies, sees specialists, is often told something else first, and is diagnosed after a delay"
        " (median two years, mean five, long tail, forty years at most) before, within or after the window,"
        " or never. Acute disorders are recognised within weeks of the window."
    )
    source: ClassVar[str] = (
        "Orphanet 2025-12 (CC BY 4.0): phenotypes, onset, inheritance, prevalence; HPO 2025-01-16; delay"
        " after Faye 2024 (Eur J Hum Genet 32:1116) and the registry of Spain; misdiagnosis: EURORDIS 2024"
    )
    #: What was known at the opening with what was known at the opening, visits with visits.
    compared_within: ClassVar[Mapping[str, str]] = MappingProxyType({"conditions": "category"})
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "conditions.orpha",
            "conditions.name",
            "conditions.icd10cm",
            "conditions.onset_date",
            "conditions.abated_at",
            "phenotypes.hpo_id",
            "phenotypes.name",
            "phenotypes.onset_date",
            "encounters.specialty",
        }
    )

    kind: Literal["rare_disease"] = "rare_disease"
    disorder: int | str | None = Field(
        default=None,
        description="ORPHA code or name; none draws over all chronic disorders by natural prevalence",
    )
    diagnosis: Literal["any", "within"] = Field(
        default="any", description="when it is recognised: at any time of life, or within the window"
    )

    def place(self) -> int | None:
        """Position of the disorder in the catalogue, None for all of them.

        Raises
        ------
        SpecError
            For a disorder that is not there, with the nearest name.
        """
        if self.disorder is None:
            return None
        word = str(self.disorder).strip().lower()
        if word in names():
            return names()[word]
        raise SpecError(
            "disorder",
            self.disorder,
            f"an ORPHA code or name among the {len(catalogue()):,} disorders with phenotypes, onset,"
            " inheritance and prevalence",
            nearest=nearest(word, names()),
        )

    def stratum(self) -> str:
        place = self.place()
        name = self.kind if place is None else f"{self.kind}:{catalogue().orpha[place]}"
        return name if self.diagnosis == "any" else f"{name}:within"

    def strata(self, spec: Spec, homes: Int64) -> tuple[tuple[str, ...], Int64]:
        parts = self._parts(spec)
        names = (self.stratum(), *dict.fromkeys(part.stratum() for part in parts))
        which = np.zeros(homes.shape, dtype=np.int64)
        if parts and homes.size:
            courses = self.courses(spec, people(spec, homes))  # type: ignore[arg-type]
            # The narrowest comes last and so decides.
            for part in parts:
                which[part._covers(spec, courses)] = names.index(part.stratum())
        return names, which

    def stratum_natural(self, spec: Spec) -> Natural | None:
        whole, parts = self.natural(spec), self._parts(spec)
        own = {part.stratum(): part for part in parts}.values()
        largest = [part for part in own if not any(part.stratum() in other._inside(spec) for other in own)]
        taken = sum(part.choice(spec).total for part in largest)
        return None if whole is None else replace(whole, value=max(whole.value - taken, 0.0))

    def _parts(self, spec: Spec) -> list[RareDisease]:
        """Entries of the spec that ask for a part of what this one covers, the narrowest last.

        Raises
        ------
        SpecError
            When another entry's patients and this one's overlap and neither holds the other.
        """
        others = [case for case in spec.cases if isinstance(case, RareDisease)]
        for other in others:
            if self._crosses(other):
                raise SpecError(
                    f"cases[{spec.cases.index(other)}].diagnosis",
                    other.diagnosis,
                    f"the same diagnosis as {self.label} has, for the patients of both overlap and neither "
                    "holds the other, so that no weights lead back to nature",
                )
        inside = [other for other in others if self._holds(other)]
        return sorted(inside, key=lambda case: (case.disorder is not None, case.diagnosis == "within"))

    def _inside(self, spec: Spec) -> set[str]:
        return {part.stratum() for part in self._parts(spec)}

    def _holds(self, other: RareDisease) -> bool:
        """Whether every patient of another entry would be one of this one, but not the reverse."""
        wider = self.place() is None or self.place() == other.place()
        later = self.diagnosis == "any" or other.diagnosis == "within"
        return wider and later and self.stratum() != other.stratum()

    def _crosses(self, other: RareDisease) -> bool:
        apart = None not in (self.place(), other.place()) and self.place() != other.place()
        same = self.stratum() == other.stratum()
        return not (apart or same or self._holds(other) or other._holds(self))

    def _covers(self, spec: Spec, courses: Courses) -> Bools:
        """Which of the patients of another entry this one speaks of as well."""
        place = self.place()
        covered = np.ones(courses.disorder.shape, np.bool_) if place is None else courses.disorder == place
        if self.diagnosis == "within":
            covered &= (courses.diagnosis_us >= 0) & (courses.diagnosis_us < spec.horizon_us)
        return np.asarray(covered, np.bool_)

    def natural(self, spec: Spec) -> Natural | None:
        choice, place = self.choice(spec), self.place()
        # How often what is over in weeks comes anew within a window, no share of the living tells.
        if choice.total == 0 or (place is not None and catalogue().acute[place]):
            return None
        evidence = "expert" if place is None else catalogue().evidence[place]
        within = " whose diagnosis falls into the window" if self.diagnosis == "within" else ""
        return Natural(
            choice.total,
            "entity",
            "observed" if evidence == "observed" and not within else "expert",
            "Orphanet 2025-12, class of prevalence with the mean of 2021 where one is given:"
            f" living patients{within}; all disorders at once: each at most 5 in 10,000",
        )

    def choice(self, spec: Spec) -> Choice:
        """The law of who has it in the world of `spec`."""
        world: HealthcareSpec = spec  # type: ignore[assignment]
        return _choice(self.place(), world.youngest, world.oldest, self._window(spec))

    def _window(self, spec: Spec) -> float | None:
        """Years within which the diagnosis must fall, None for any time of life."""
        place = self.place()
        acute = place is not None and bool(catalogue().acute[place])
        return spec.days / DAYS_PER_YEAR if acute or self.diagnosis == "within" else None

    def eligible(self, spec: Spec, entities: Int64) -> Bools:
        who = people(spec, entities)  # type: ignore[arg-type]
        u = keyed_uniform(spec.seed, ("eligible", self.label), entities)
        lives = who.death_us > (US_PER_DAY if self._window(spec) is None else spec.horizon_us)
        return np.asarray((u < self.choice(spec).acceptance[who.cells]) & lives, np.bool_)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        courses = self.courses(spec, people(spec, homes))  # type: ignore[arg-type]
        return np.clip(courses.onset_us, 0, spec.horizon_us - 1)

    def courses(self, spec: Spec, who: People) -> Courses:
        """When each patient's disease began and was recognised."""
        # The laws are followed on a grid per patient: in pieces, so that memory stays flat.
        size = who.ordinals.size
        pieces = [
            self._courses(spec, who.take(np.arange(begin, min(begin + _CHUNK, size))))
            for begin in range(0, max(size, 1), _CHUNK)
        ]
        names = ("disorder", "mode", "onset_class", "onset_us", "diagnosis_us")
        return Courses(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))

    def _courses(self, spec: Spec, who: People) -> Courses:
        def draw(what: str) -> Floats:
            return keyed_uniform(spec.seed, ("course", self.label, what), who.ordinals)

        disorder = self.choice(spec).disorder(who.cells, draw("disorder"))
        window, longest = self._window(spec), catalogue().longest_delay[disorder]
        onset_class, years = _onset(disorder, who.age, who.sex == FEMALE, draw("onset"), window)
        place = self.place()
        if window is not None and place is not None and catalogue().acute[place]:
            # What is over in weeks, and falls into the window, has begun in it.
            years = who.age + 0.97 * window * draw("begins")
        scale = delay_scale(who.sex == FEMALE, onset_class)
        delay = _delay(draw("delay"), (scale, longest), who.age - years, window)
        begins = who.birth_day * US_PER_DAY + (years * _US_PER_YEAR).astype(np.int64)
        recognised = begins + (delay * _US_PER_YEAR).astype(np.int64)
        if window is not None:
            begins = np.minimum(begins, spec.horizon_us - 4 * US_PER_DAY)
            recognised = np.clip(recognised, US_PER_DAY, spec.horizon_us - 2 * US_PER_DAY)
            recognised = np.maximum(recognised, begins + US_PER_DAY)
        return Courses(disorder, _mode(disorder, who.sex, draw("mode")), onset_class, begins, recognised)


def _moments(microseconds: Floats) -> Int64:
    """Whole minutes: over a lifetime the last bit of a float is worth microseconds."""
    return np.floor(microseconds / 60e6).astype(np.int64) * 60_000_000


@dataclass(frozen=True)
class Courses:
    """The course of each patient's disease, shape (n,): microseconds after the start, often negative."""

    disorder: Int64
    mode: Int64
    onset_class: Int64
    onset_us: Int64
    diagnosis_us: Int64


@dataclass(frozen=True)
class Choice:
    """Who has a disorder, and which, in one population.

    Disorders of equal onset and sex share form a group. Cells are sex × 101 + year of age.

    Attributes
    ----------
    total
        Share of the population that has any of them.
    acceptance
        Relative chance of a cell's people, shape (cells,), at most 1.
    groups
        Cumulative weight of the groups given the cell, shape (groups, cells), last row 1.
    members, first, cumulative
        Disorders ordered by group, where each group begins, and running prevalence over all.
    """

    total: float
    acceptance: Floats
    groups: Floats
    members: Int64
    first: Int64
    cumulative: Floats

    def disorder(self, cells: Int64, u: Floats) -> Int64:
        """A disorder for people in these cells, from one uniform each, shape (n,)."""
        if self.members.size == 1:
            return np.full(cells.shape, self.members[0])
        group = (u[None, :] >= self.groups[:, cells]).sum(axis=0)
        group = np.minimum(group, self.groups.shape[0] - 1)
        below = np.where(group > 0, self.groups[group - 1, cells], 0.0)
        rest = (u - below) / np.maximum(self.groups[group, cells] - below, 1e-300)
        start = np.where(self.first[group] > 0, self.cumulative[self.first[group] - 1], 0.0)
        end = self.cumulative[self.first[group + 1] - 1]
        at = np.searchsorted(self.cumulative, start + rest * (end - start), side="right")
        at = np.clip(at, self.first[group], self.first[group + 1] - 1)
        return np.asarray(self.members[at], np.int64)


@lru_cache(maxsize=32)
def _choice(place: int | None, youngest: int, oldest: int, window: float | None) -> Choice:
    book, people_in = catalogue(), pyramid(youngest, oldest).ravel()
    known = np.flatnonzero(book.drawn) if place is None else np.array([place])
    prevalence = np.nan_to_num(book.prevalence[known])
    prevalence = np.minimum(prevalence, RARE) if place is None else prevalence
    more = [book.male_share[known], book.survival[known], book.longest_delay[known]]
    law = np.concatenate([book.onset[known], np.stack(more, axis=1)], axis=1)
    kinds, group = np.unique(law, axis=0, return_inverse=True)
    order = np.argsort(group, kind="stable")
    onset, male, longest = kinds[:, :8].astype(np.bool_), kinds[:, 8], kinds[:, 10:]
    sexes = np.repeat(np.stack([male, 1 - male], axis=1), AGES, axis=1)
    sexes *= np.tile(survivors(_YEARS_OF_AGE, kinds[:, 9:10]), 2)
    alive = people_in * sexes * np.tile(_mean(onset, onset_share(_YEARS_OF_AGE)), 2)
    meets = alive if window is None else people_in * sexes * _recognised(onset, window, longest)
    per_group = np.bincount(group, np.maximum(prevalence, 1e-12), kinds.shape[0])
    whole = np.maximum(alive.sum(axis=1, keepdims=True), 1e-300)
    share = per_group[:, None] * meets / whole
    cell = share.sum(axis=0)
    chance = np.divide(cell, people_in, out=np.zeros_like(cell), where=people_in > 0)
    running = np.cumsum(share, axis=0)
    return Choice(
        total=float(cell.sum()) if prevalence.sum() > 0 else 0.0,
        acceptance=chance / max(chance.max(), 1e-300),
        groups=running / np.maximum(running[-1], 1e-300),
        members=known[order],
        first=np.searchsorted(group[order], np.arange(kinds.shape[0] + 1)),
        cumulative=np.cumsum(np.maximum(prevalence, 1e-12)[order]),
    )


def _mean(onset: Bools, share: Floats) -> Floats:
    """Mean over the classes of each set, shape (sets, ages): summed in a fixed order, without BLAS."""
    total = np.zeros((onset.shape[0], share.shape[1]))
    for number in range(8):
        total += onset[:, number, None] * share[number]
    return np.asarray(total / onset.sum(axis=1, keepdims=True), np.float64)


def _recognised(onset: Bools, window: float, longest: Floats) -> Floats:
    """Chance of a diagnosis within the window, by set of onset classes and cell, shape (sets, cells)."""
    found = np.empty((onset.shape[0], 2 * AGES))
    for limit in np.unique(longest):
        mine = np.flatnonzero(longest[:, 0] == limit)
        by_sex = [_mean(onset[mine], _chances(sex, window, float(limit))) for sex in (MALE, FEMALE)]
        found[mine] = np.concatenate(by_sex, axis=1)
    return found


def _chances(sex: int, window: float, longest: float) -> Floats:
    """Chance of a diagnosis within the window by class of onset and age, shape (8, ages).

    The disease may begin within the window too: then nobody has been diagnosed before.
    """
    share = np.empty((8, AGES))
    for number in range(8):
        since = _YEARS_OF_AGE - _points(number)[:, None]
        scale = delay_scale(sex == FEMALE, number)
        ends = delay_survival(since, scale, longest) - delay_survival(since + window, scale, longest)
        share[number] = ends.mean(axis=0)
    return share


def _points(number: int) -> Floats:
    """Ages in the middle of equal shares of a class of onset, shape (steps,)."""
    low, high = ONSET_YEARS[number]
    return np.asarray(low + (high - low) * (np.arange(_STEPS) + 0.5) / _STEPS, np.float64)


def _onset(
    disorder: Int64, age: Floats, female: Bools, u: Floats, window: float | None
) -> tuple[Int64, Floats]:
    """Class and age of onset, given the age reached (and a diagnosis within the window, if that is asked)."""
    points = np.concatenate([_points(number) for number in range(8)])
    number = np.repeat(np.arange(8), _STEPS)
    since = age[:, None] - points[None, :]
    weight = catalogue().onset[disorder][:, number] * (since > 0)
    if window is not None:
        scale = delay_scale(female[:, None], number[None, :])
        longest = catalogue().longest_delay[disorder][:, None]
        ends = delay_survival(since, scale, longest) - delay_survival(since + window, scale, longest)
        weight = catalogue().onset[disorder][:, number] * ends
    # Between two points of a class the law is flat; a newborn may stand before the first of them.
    total = weight.sum(axis=1)
    running = np.cumsum(np.where(total[:, None] > 0, weight, catalogue().onset[disorder][:, number]), axis=1)
    at = (u[:, None] * running[:, -1:] >= running).sum(axis=1)
    at = np.minimum(at, points.size - 1)
    within = np.clip(
        (u * running[:, -1] - np.where(at > 0, running[np.arange(at.size), at - 1], 0.0)), 0, None
    )
    width = (ONSET_YEARS[number[at], 1] - ONSET_YEARS[number[at], 0]) / _STEPS
    step = np.maximum(
        running[np.arange(at.size), at] - np.where(at > 0, running[np.arange(at.size), at - 1], 0.0), 1e-300
    )
    years = points[at] + width * (np.clip(within / step, 0, 1) - 0.5)
    latest = 0.98 * age if window is None else age + 0.98 * window
    return number[at], np.minimum(np.maximum(years, 0.0), latest)


def _delay(u: Floats, law: tuple[Floats, Floats], since: Floats, window: float | None) -> Floats:
    """Years from onset to diagnosis by scale and longest; cut to the window if that is asked."""
    scale, longest = law
    if window is None:
        return delay_of(1 - u, scale, longest)
    first, last = delay_survival(since, scale, longest), delay_survival(since + window, scale, longest)
    return delay_of(first - u * (first - last), scale, longest)


def _mode(disorder: Int64, sex: Int64, u: Floats) -> Int64:
    """Mode of inheritance, given the sex; "unknown" where Orphanet names none."""
    book = catalogue()
    share = np.where(sex[:, None] == MALE, MALE_SHARE, 1 - MALE_SHARE)
    weight = book.inheritance[disorder] * share * MODE_WEIGHT
    running = np.cumsum(weight, axis=1)
    at = (u[:, None] * running[:, -1:] >= running).sum(axis=1)
    return np.where(running[:, -1] > 0, np.minimum(at, len(MODES) - 1), MODES.index("unknown"))
