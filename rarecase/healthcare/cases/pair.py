"""A strong CYP3A inhibitor and a sensitive substrate in one patient: for interaction and look-alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


class Pair(Case):
    """Two drugs of which one raises the exposure to the other."""

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

    def eligible(self, spec: Spec, entities: Int64) -> Bools:
        who = people(spec, entities)  # type: ignore[arg-type]
        fit = (who.age >= ADULT) & (who.death_us > spec.horizon_us)
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
        day = ((0.15 + 0.55 * u) * spec.horizon_us).astype(np.int64) // US_PER_DAY
        day -= np.maximum((day + spec.start.weekday()) % 7 - 4, 0)
        hour = keyed_uniform(spec.seed, ("onset hour", self.label), homes)
        moment = np.maximum(day, 0) * US_PER_DAY + (480 + (hour * 500).astype(np.int64)) * MINUTE
        return np.minimum(moment, spec.horizon_us * 3 // 4)


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
    own
        Row of the patient's ordinary exposure to the victim, -1 where the case brings it.
    at
        When the inhibitor is started.
    """

    local: Int64
    homes: Int64
    victim: Int64
    perpetrator: Int64
    own: Int64
    at: Int64
    draw: Callable[[str], Floats]
    effects: Effects

    def of_victim(self, name: str) -> Int64:
        """A field of the victims, as a column."""
        return np.array([getattr(found, name) for found in victims()], dtype=np.int64)[self.victim]

    def of_perpetrator(self, name: str) -> Int64:
        """A field of the inhibitors, as a column."""
        return np.array([getattr(found, name) for found in inhibitors()], dtype=np.int64)[self.perpetrator]

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
    record, place = effects.record, case.places()
    local = homes - record.low

    def draw(what: str) -> Floats:
        return keyed_uniform(spec.seed, ("pair", case.label, what), homes)

    victim = np.full(homes.shape, 0 if place[0] is None else place[0])
    if place[0] is None:
        victim = _their_victim(record.profile.medicines[local], draw("which victim"))
    weights = np.cumsum([found.weight for found in inhibitors()])
    drawn = np.searchsorted(weights / weights[-1], draw("which inhibitor"), side="right")
    perpetrator = drawn if place[1] is None else np.full(homes.shape, place[1])
    drugs = np.array([found.drug for found in victims()])[victim]
    own = _own_exposure(effects, local, drugs)
    brought = local[own < 0]
    chart = record.tables["medications"]
    second = np.isin(chart["patient"], brought) & np.isin(chart["drug"], inhibitor_drugs())
    effects.remove("medications", np.flatnonzero(second), "second inhibitor")
    return Meeting(local, homes, victim, perpetrator, own, onset_us, draw, effects)


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


def prescribe_inhibitor(meeting: Meeting, end: Int64, horizon_us: int) -> Int64:
    """The visit at which the inhibitor is prescribed, what for, and its exposure until `end`."""
    reason = meeting.of_perpetrator("reason")
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
    drugs = {"drug": meeting.of_perpetrator("drug"), "reason": reason}
    expose(meeting, np.arange(key.size), key, drugs, meeting.at, end, horizon_us, "perpetrator/exposure")
    return key


def bring_victim(meeting: Meeting, start: Int64, end: Int64, horizon_us: int) -> None:
    """An exposure to the victim, and its reason, for patients who do not take it of themselves."""
    row = np.flatnonzero(meeting.own < 0)
    reason = meeting.of_victim("reason")
    none = np.full(row.shape, -1, dtype=np.int64)
    drugs = {"drug": meeting.of_victim("drug")[row], "reason": reason[row]}
    expose(meeting, row, none, drugs, start[row], end[row], horizon_us, "victim/exposure")
    known = meeting.effects.record.profile.conditions[meeting.local[row], reason[row]]
    row = row[~known]
    columns = {
        "encounter": np.full(row.shape, -1),
        "diagnosis": reason[row],
        "disorder": np.full(row.shape, -1),
        "onset_day": np.minimum(start[row], 0) // US_PER_DAY - 30,
        "recorded": np.maximum(start[row], 0),
        "abated": np.full(row.shape, NO_TIME),
        "verification": np.full(row.shape, CONFIRMED),
        "verified": np.maximum(start[row], 0),
    }
    meeting.effects.add("conditions", meeting.local[row], columns, "indication")


def expose(
    meeting: Meeting,
    row: Int64,
    key: Int64,
    drugs: dict[str, Int64],
    start: Int64,
    end: Int64,
    horizon_us: int,
    role: str,
) -> None:
    """Exposures of the patients in `row`; what ends after the window has no end yet."""
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
