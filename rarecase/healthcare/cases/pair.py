"""A strong CYP3A inhibitor and a sensitive substrate in one patient: for interaction and look-alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.case import Case, Natural
from rarecase.common.errors import SpecError, nearest
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.healthcare.cases.record import AMBULATORY, CONFIRMED, NO_TIME, Effects
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.laboratory import laboratory
from rarecase.healthcare.data.pharmacology import (
    course_days,
    inhibitor_drugs,
    inhibitors,
    victim_drugs,
    victim_slots,
    victims,
)
from rarecase.healthcare.data.population import MALE, US_PER_DAY, People, Profile, people, profile
from rarecase.healthcare.schema import SPECIALTIES

if TYPE_CHECKING:
    from rarecase.common.spec import Spec
    from rarecase.healthcare.spec import HealthcareSpec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MINUTE = 60_000_000
ADULT = 18
#: The longest time from the inhibitor's start to the recovery, and the earliest start of one, in days.
LONGEST_DAYS, EARLIEST_DAYS = 45, 8


class Pair(Case):
    """Two drugs of which one raises the exposure to the other."""

    #: What was known at the opening with what was known at the opening, visits with visits.
    compared_within: ClassVar[Mapping[str, str]] = MappingProxyType({"conditions": "category"})
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "medications.drug",
            "medications.rxcui",
            "medications.atc",
            "medications.reason_icd10cm",
            "encounters.reason_icd10cm",
            "conditions.icd10cm",
            "conditions.name",
            "observations.loinc",
            "observations.test",
            "observations.unit",
        }
    )

    victim: str | None = Field(
        default=None,
        description="the sensitive substrate; none takes patients who are on one already, and theirs",
    )
    perpetrator: str | None = Field(
        default=None, description="the strong inhibitor; none draws one by how often they are prescribed"
    )

    def places(self) -> tuple[int | None, int | None]:
        """Positions of victim and perpetrator in the shipped tables, None where the choice is free.

        Raises
        ------
        SpecError
            For a drug that is not there, with the nearest name.
        """
        return (
            _place("victim", self.victim, [found.name for found in victims()], "sensitive CYP3A substrate"),
            _place(
                "perpetrator",
                self.perpetrator,
                [found.name for found in inhibitors()],
                "strong CYP3A inhibitor",
            ),
        )

    def stratum(self) -> str:
        return ":".join(word for word in (self.kind, self.victim, self.perpetrator) if word)

    def share(self) -> float:
        """Share of all such pairs that the chosen drugs make up, by how often they are used."""
        used = np.array([found.weight for found in victims()])
        given = np.array([found.weight for found in inhibitors()])
        victim, perpetrator = self.places()
        part = 1.0 if victim is None else used[victim] / used.sum()
        return float(part * (1.0 if perpetrator is None else given[perpetrator] / given.sum()))

    def strata(self, spec: Spec, homes: Int64) -> tuple[tuple[str, ...], Int64]:
        parts = self._parts(spec)
        names = (self.stratum(), *dict.fromkeys(part.stratum() for part in parts))
        which = np.zeros(homes.shape, dtype=np.int64)
        if parts and homes.size:
            victim, perpetrator = self.drugs(spec, homes)
            # The narrowest comes last and so decides.
            for part in parts:
                wanted = part.places()
                covered = (wanted[0] is None) | (victim == wanted[0])
                covered &= (wanted[1] is None) | (perpetrator == wanted[1])
                which[covered] = names.index(part.stratum())
        return names, which

    def stratum_natural(self, spec: Spec) -> Natural | None:
        whole, parts = self.natural(spec), self._parts(spec)
        own = {part.stratum(): part for part in parts}.values()
        largest = [part for part in own if not any(other._holds(part) for other in own)]
        left = self.share() - sum(part.share() for part in largest)
        return None if whole is None else replace(whole, value=whole.value * max(left, 0.0) / self.share())

    def _parts(self, spec: Spec) -> list[Pair]:
        """Entries of the spec that ask for a part of what this one covers, the narrowest last.

        Raises
        ------
        SpecError
            When another entry's pairs and this one's overlap and neither holds the other.
        """
        others = [case for case in spec.cases if isinstance(case, Pair) and case.kind == self.kind]
        for other in others:
            if self._crosses(other):
                raise SpecError(
                    f"cases[{spec.cases.index(other)}]",
                    other.stratum(),
                    f"drugs that do not overlap with those of {self.label}, or lie among them, or hold them:"
                    " else no weights lead back to nature",
                )
        inside = [other for other in others if self._holds(other)]
        return sorted(inside, key=lambda case: sum(place is not None for place in case.places()))

    def _holds(self, other: Pair) -> bool:
        """Whether every pair of another entry would be one of this one, but not the reverse."""
        mine, theirs = self.places(), other.places()
        wider = all(one is None or one == two for one, two in zip(mine, theirs, strict=True))
        return wider and mine != theirs

    def _crosses(self, other: Pair) -> bool:
        mine, theirs = self.places(), other.places()
        apart = any(None not in both and both[0] != both[1] for both in zip(mine, theirs, strict=True))
        return not (apart or mine == theirs or self._holds(other) or other._holds(self))

    def drugs(self, spec: Spec, homes: Int64, found: Profile | None = None) -> tuple[Int64, Int64]:
        """Victim and perpetrator of patients, positions in the shipped tables, shape (n,) each."""
        place = self.places()

        def draw(what: str) -> Floats:
            return keyed_uniform(spec.seed, ("pair", self.label, what), homes)

        victim = np.full(homes.shape, 0 if place[0] is None else place[0])
        if place[0] is None:
            known = found or profile(spec, people(spec, homes))  # type: ignore[arg-type]
            victim = _their_victim(known.medicines, draw("which victim"))
        weights = np.cumsum([found.weight for found in inhibitors()])
        drawn = np.searchsorted(weights / weights[-1], draw("which inhibitor"), side="right")
        return victim, drawn if place[1] is None else np.full(homes.shape, place[1])

    def eligible(self, spec: Spec, entities: Int64) -> Bools:
        who = people(spec, entities)  # type: ignore[arg-type]
        # Whoever dies later has lived through it: what happens after that is cut short.
        needed = np.minimum(self.onset(spec, entities) + LONGEST_DAYS * US_PER_DAY, spec.horizon_us)
        fit = (who.age >= ADULT) & (who.death_us > needed)
        rows = np.flatnonzero(fit)
        some = who.take(rows)
        found = profile(spec, some)  # type: ignore[arg-type]
        fit[rows] = self._fits(some, found)
        return fit

    def _fits(self, who: People, found: Profile) -> Bools:
        place = self.places()[0]
        # With two substrates at once, the second would be a case of its own.
        number = found.how_many(victim_drugs())
        if place is None:
            return np.asarray(number == 1, np.bool_)
        victim = victims()[place]
        own = found.takes(np.array([victim.drug]))
        slot = victim_slots()[place]
        room = np.ones(own.shape, dtype=np.bool_) if slot < 0 else found.medicines[:, slot] < 0
        able = (who.sex == MALE) | (victim.slot != "pde5 inhibitor")
        return np.asarray(np.where(own, number == 1, (number == 0) & room & able), np.bool_)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        u = keyed_uniform(spec.seed, ("onset", self.label), homes)
        # A pause comes days before, and something must be seen of it.
        first, last = min(EARLIEST_DAYS, spec.days / 4), max(spec.days - 7, spec.days / 2)
        day = np.asarray(first + u * (last - first), np.float64).astype(np.int64)
        back = np.maximum((day + spec.start.weekday()) % 7 - 4, 0)
        day = np.where(day - back >= first, day - back, day + 3 - back)
        hour = keyed_uniform(spec.seed, ("onset hour", self.label), homes)
        moment = day * US_PER_DAY + (480 + (hour * 500).astype(np.int64)) * MINUTE
        latest = spec.horizon_us * 3 // 4 if spec.days < 16 else spec.horizon_us
        return np.asarray(np.minimum(moment, latest), np.int64)


def _place(field: str, name: str | None, known: list[str], what: str) -> int | None:
    if name is None:
        return None
    if name.lower() in known:
        return known.index(name.lower())
    raise SpecError(field, name, f"a {what}: {', '.join(known)}", nearest=nearest(name.lower(), known))


def expert_rate(case: Pair, value: float, source: str) -> Natural:
    """A yearly rate of all pairs, for the drugs that the case allows."""
    return Natural(value * case.share(), "entity-year", "expert", source)


@dataclass(frozen=True)
class Meeting:
    """The two drugs in each patient of one entry and part, arrays of shape (n,).

    Attributes
    ----------
    victim, perpetrator
        Positions in the shipped tables.
    reason, course
        What the inhibitor is given for, and how long it is meant to be taken, in microseconds.
    own
        Row of the patient's ordinary exposure to the victim, -1 where the case brings it.
    at, until
        When the inhibitor is started, and when the patient's record ends.
    """

    local: Int64
    homes: Int64
    victim: Int64
    perpetrator: Int64
    reason: Int64
    course: Int64
    own: Int64
    at: Int64
    until: Int64
    draw: Callable[[str], Floats]
    effects: Effects

    def take(self, rows: Int64) -> Meeting:
        """Some of them; their draws stay those of the same patients."""
        some = {
            name: getattr(self, name)[rows]
            for name in ("local", "homes", "victim", "perpetrator", "reason", "course", "own", "at", "until")
        }
        return replace(self, **some, draw=lambda what: self.draw(what)[rows])

    def of_victim(self, name: str) -> Int64:
        """A field of the victims, as a column."""
        return np.array([getattr(found, name) for found in victims()], dtype=np.int64)[self.victim]

    def days(self, name: str, low: Floats | float, high: Floats | float) -> Int64:
        """Whole minutes between two numbers of days, drawn by name."""
        minutes = 1440 * (low + self.draw(name) * (np.asarray(high) - low))
        return np.asarray(minutes, np.float64).astype(np.int64) * MINUTE

    def in_office(self, moment: Int64, name: str) -> Int64:
        """The same day in office hours, never before the moment's midnight."""
        minute = 480 + (self.draw(name) * 520).astype(np.int64)
        return moment // US_PER_DAY * US_PER_DAY + minute * MINUTE


def meet(case: Pair, spec: HealthcareSpec, homes: Int64, onset_us: Int64, effects: Effects) -> Meeting:
    """Choose the drugs of each patient; take away what would make a second, unlabelled pair."""
    record = effects.record
    local = homes - record.low

    def draw(what: str) -> Floats:
        return keyed_uniform(spec.seed, ("pair", case.label, what), homes)

    victim, perpetrator = case.drugs(spec, homes, _profile_of(record.profile, local))
    reason, course = _indications(perpetrator, draw("indication"), draw("course"))
    drugs = np.array([found.drug for found in victims()])[victim]
    own = _own_exposure(effects, local, drugs)
    brought = local[own < 0]
    chart = record.tables["medications"]
    second = np.isin(chart["patient"], brought) & np.isin(chart["drug"], inhibitor_drugs())
    effects.remove("medications", np.flatnonzero(second), "second inhibitor")
    until = record.until[local]
    return Meeting(local, homes, victim, perpetrator, reason, course, own, onset_us, until, draw, effects)


def _profile_of(found: Profile, local: Int64) -> Profile:
    return Profile(found.frailty[local], found.conditions[local], found.medicines[local])


def _indications(perpetrator: Int64, u: Floats, v: Floats) -> tuple[Int64, Int64]:
    """What each course is for, and its length: as ordinary prescriptions of the drug are."""
    reason, days = np.zeros(u.shape, dtype=np.int64), np.zeros((u.size, 2))
    for place, found in enumerate(inhibitors()):
        mine = np.flatnonzero(perpetrator == place)
        which = np.minimum(np.searchsorted(found.cumulative, u[mine], side="right"), found.reasons.size - 1)
        reason[mine], days[mine] = found.reasons[which], found.course_days[which]
    return reason, (course_days(days, v) * US_PER_DAY).astype(np.int64)


def _their_victim(medicines: NDArray[np.int16], u: Floats) -> Int64:
    """One of the sensitive substrates that each patient takes."""
    taken = np.stack([(medicines == found.drug).any(axis=1) for found in victims()], axis=1)
    running = np.cumsum(taken, axis=1)
    wanted = np.minimum((u * running[:, -1]).astype(np.int64), running[:, -1] - 1) + 1
    return np.asarray((running < wanted[:, None]).sum(axis=1), np.int64)


def _own_exposure(effects: Effects, local: Int64, drugs: Int64) -> Int64:
    """Row of the ordinary exposure of each patient to a drug, -1 where there is none."""
    chart, patients = effects.record.tables["medications"], effects.case_of.size
    wanted = np.full(patients, -1, dtype=np.int64)
    wanted[local] = drugs
    row = np.full(patients, -1, dtype=np.int64)
    patient = chart["patient"].astype(np.int64)
    mine = np.flatnonzero(wanted[patient] == chart["drug"].astype(np.int64))[::-1]
    row[patient[mine]] = mine
    return row[local]


def prescribe_inhibitor(meeting: Meeting, end: Int64) -> Int64:
    """The visit at which the inhibitor is prescribed, what for, and its exposure until `end`."""
    reason = meeting.reason
    minutes = (12 + (meeting.draw("prescribing takes") * 30).astype(np.int64)) * MINUTE
    key = meeting.effects.visit(
        meeting.local,
        start=meeting.at,
        end=meeting.at + minutes,
        kind=AMBULATORY,
        specialty=SPECIALTIES.index("primary care"),
        reason=reason,
        role="visit/prescription",
    )
    diagnose(meeting, key, reason, meeting.at, meeting.at + meeting.days("illness", 7, 28), "indication")
    given = np.array([found.drug for found in inhibitors()])[meeting.perpetrator]
    drugs = {"drug": given, "reason": reason}
    expose(meeting, np.arange(key.size), key, drugs, meeting.at, end, "perpetrator/exposure")
    return key


def bring_victim(meeting: Meeting, start: Int64, end: Int64) -> None:
    """An exposure to the victim, and its reason, for patients who do not take it of themselves."""
    row = np.flatnonzero(meeting.own < 0)
    reason = meeting.of_victim("reason")
    none = np.full(row.shape, -1, dtype=np.int64)
    drugs = {"drug": meeting.of_victim("drug")[row], "reason": reason[row]}
    expose(meeting, row, none, drugs, start[row], end[row], "victim/exposure")
    known = meeting.effects.record.profile.conditions[meeting.local[row], reason[row]]
    row = row[~known]
    lived = -meeting.effects.record.who.birth_day[meeting.local[row]] - 800
    # As long as anybody's chronic conditions: most of a life, and 25 years.
    longest = np.minimum(0.7 * lived, 25 * 365)
    since = np.asarray(meeting.draw("indication since")[row] * longest, np.float64).astype(np.int64)
    columns = {
        "encounter": np.full(row.shape, -1),
        "diagnosis": reason[row],
        "disorder": np.full(row.shape, -1),
        "onset_day": np.minimum(start[row], 0) // US_PER_DAY - 1 - since,
        # It was known when the record was opened, whenever the drug was begun.
        "recorded": np.zeros(row.shape, dtype=np.int64),
        "abated": np.full(row.shape, NO_TIME),
        "verification": np.full(row.shape, CONFIRMED),
        "verified": np.zeros(row.shape, dtype=np.int64),
    }
    meeting.effects.add("conditions", meeting.local[row], columns, "indication")


def expose(
    meeting: Meeting,
    row: Int64,
    key: Int64,
    drugs: dict[str, Int64],
    start: Int64,
    end: Int64,
    role: str,
) -> None:
    """Exposures of the patients in `row`; what ends after the window has no end yet, but for the dead."""
    until, horizon_us = meeting.until[row], meeting.effects.record.horizon_us
    end = np.minimum(end, until)
    columns = {
        **drugs,
        "encounter": key,
        "start": start,
        "end": np.where(end < horizon_us, end, NO_TIME),
        "recorded": np.maximum(start, 0),
    }
    meeting.effects.add("medications", meeting.local[row], columns, role)


def diagnose(meeting: Meeting, key: Int64, diagnosis: Int64, at: Int64, abated: Int64, role: str) -> None:
    """A confirmed diagnosis at a visit, over at `abated` if that lies before the end of the record."""
    until = meeting.effects.record.until[meeting.local]
    columns = {
        "encounter": key,
        "diagnosis": diagnosis,
        "disorder": np.full(key.shape, -1),
        "onset_day": at // US_PER_DAY - 1,
        "recorded": at,
        "abated": np.where(abated < until, abated, NO_TIME),
        "verification": np.full(key.shape, CONFIRMED),
        "verified": at,
    }
    meeting.effects.add("conditions", meeting.local, columns, role)


def measure(meeting: Meeting, name: str, key: Int64, start: Int64, end: Int64, shift: Floats) -> None:
    """Take the panels that show the victim's effect, and the vital signs, at a visit of every patient."""
    shown = np.zeros((len(victims()), len(laboratory().panels)), dtype=np.bool_)
    tests = laboratory()
    from rarecase.healthcare.data.pharmacology import effects as per_victim

    for at, panel in enumerate(tests.panels):
        shown[:, at] = per_victim()[:, panel.analytes].any(axis=1) | (panel.name in ("vitals", "metabolic"))
    for at, panel in enumerate(tests.panels):
        row = np.flatnonzero(shown[meeting.victim, at])
        visit = (key[row], start[row], end[row])
        meeting.effects.measure(name, panel, meeting.local[row], visit, shift[row], f"laboratory/{name}")


def names_of(meeting: Meeting, row: int) -> tuple[str, str]:
    """Victim and perpetrator of one patient, by name."""
    return victims()[meeting.victim[row]].name, inhibitors()[meeting.perpetrator[row]].name


def specialty_of(diagnosis: Int64) -> Int64:
    """Specialty that looks after a diagnosis, shape (n,)."""
    return np.array([SPECIALTIES.index(found.specialty) for found in clinic().diagnoses])[diagnosis]
