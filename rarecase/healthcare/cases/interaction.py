"""A strong CYP3A inhibitor meets a sensitive substrate, and the patient comes to harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from scipy.special import ndtri

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64
from rarecase.healthcare.cases import pair
from rarecase.healthcare.cases.pair import MINUTE, Bools, Floats, Meeting, Pair
from rarecase.healthcare.cases.record import AMBULATORY, EMERGENCY, INPATIENT, Effects
from rarecase.healthcare.data import pharmacology
from rarecase.healthcare.data.pharmacology import victims
from rarecase.healthcare.data.population import NEVER, US_PER_DAY
from rarecase.healthcare.schema import SPECIALTIES

if TYPE_CHECKING:
    from rarecase.common.spec import Spec
    from rarecase.healthcare.spec import HealthcareSpec

#: Share of harmed patients in whom somebody names the interaction (expert).
RECOGNISED = 0.6
#: Log exposure ratio at which half of the patients go to an emergency department (a ratio of 6; expert).
EMERGENCY_AT = np.log(6.0)


class Interaction(Pair):
    """A manifest interaction: exposure rises by the published ratio, a value moves, an encounter follows."""

    title: ClassVar[str] = "CYP3A drug interaction"
    definition: ClassVar[str] = (
        "A patient on a sensitive CYP3A substrate is prescribed a strong inhibitor; while both are taken"
        " the exposure to the substrate rises (published ratio of the pair, else 1/(1 - CR x IR),"
        " log-normal between patients), after days a laboratory value or vital sign moves with the"
        " logarithm of the ratio, and the patient is seen for it; one drug is stopped and the value returns."
    )
    source: ClassVar[str] = (
        "Model: Ohno 2007 (Clin Pharmacokinet 46:681); CR: Yeung 2015 (PMID 26380158) and clinical ratios by"
        " PMID; IR: 26 arms on oral midazolam; effects per unit of log exposure: expert"
    )
    kind: Literal["interaction"] = "interaction"

    def natural(self, spec: Spec) -> Natural | None:
        return pair.expert_rate(
            self,
            6e-5,
            "0.11 admissions per person-year, of which 1.1 % are due to interactions (Dechanont 2014,"
            " median), a twentieth of these of a strong CYP3A inhibitor with a sensitive substrate (expert)",
        )


@dataclass(frozen=True)
class Harm:
    """How it went with each patient, shape (n,)."""

    meeting: Meeting
    ratio: Floats
    midazolam_ratio: Floats
    event: Int64
    end: Int64
    recognised: Int64


def happen(case: Interaction, spec: HealthcareSpec, homes: Int64, onset_us: Int64, effects: Effects) -> Harm:
    """Let it happen to patients of a part; how it went, for the cases table."""
    meeting = pair.meet(case, spec, homes, onset_us, effects)
    ratio, on_midazolam = pharmacology.exposure(
        meeting.victim, meeting.perpetrator, _normal(meeting, "study"), _normal(meeting, "subject")
    )
    kind = _setting(meeting, ratio)
    event = _event(case, meeting, kind)
    end = np.minimum(event + meeting.days("recovery", 7, 24), (event + meeting.until) // 2)
    stops_victim = meeting.draw("what is stopped") < 0.7
    pair.prescribe_inhibitor(meeting, np.where(stops_victim, meeting.at + meeting.course, event))
    _victim(meeting, event, end, stops_victim)
    # A difficult case is a mild one: the value moves, but less than the exposure would let it.
    strength = (1.25 - 0.9 * case.difficulty) * np.log(ratio)
    shift = pharmacology.effects()[meeting.victim] * strength[:, None]
    home = _visit_for_harm(meeting, event, kind, shift)
    _recovery(meeting, (home, end), 0.12 * shift)
    effects.shift_ordinary(meeting.local, meeting.at + US_PER_DAY, end - US_PER_DAY, shift)
    seen = meeting.draw("recognised") < RECOGNISED
    recognised = event + meeting.days("recognition takes", 0, 3)
    return Harm(meeting, ratio, on_midazolam, event, end, np.where(seen, recognised, -1))


def _normal(meeting: Meeting, name: str) -> Floats:
    return np.asarray(ndtri(meeting.draw(name) * (1 - 2e-16) + 1e-16), np.float64)


def _event(case: Interaction, meeting: Meeting, kind: Int64) -> Int64:
    """When the patient is seen for it: days after the inhibitor began, later where it is hard to see.

    It is so while the inhibitor is taken, and before the record ends.
    """
    lag = np.array([found.lag_days for found in victims()])[meeting.victim]
    wait = meeting.days("lag", lag[:, 0], lag[:, 1]) * (0.75 + 0.5 * case.difficulty)
    wait = np.minimum(wait, (0.6 + 0.4 * meeting.draw("lag in a short course")) * meeting.course)
    moment = meeting.at + np.minimum(wait.astype(np.int64), (meeting.until - meeting.at) // 2)
    # Emergencies come at any hour, but in whole minutes; others in office hours.
    moment = np.where(kind == AMBULATORY, meeting.in_office(moment, "event hour"), moment // MINUTE * MINUTE)
    return np.asarray(np.maximum(moment, meeting.at + 60 * MINUTE), np.int64)


def _setting(meeting: Meeting, ratio: Floats) -> Int64:
    """Where the patient is seen for it: strong cases are emergencies or admitted."""
    urgency = 1 / (1 + np.exp(-2.0 * (np.log(ratio) - EMERGENCY_AT)))
    u = meeting.draw("where to")
    return np.where(u < 0.35 * urgency, INPATIENT, np.where(u < urgency, EMERGENCY, AMBULATORY))


def _victim(meeting: Meeting, event: Int64, end: Int64, stops: Bools) -> None:
    """The victim's exposure: theirs, cut short and taken up again; or one that the case brings."""
    once = meeting.of_victim("single_dose").astype(np.bool_)
    start = meeting.at - meeting.days("on the victim since", 14, 300)
    start = np.where(once, event - 90 * MINUTE, start)
    last = np.where(once, event - 60 * MINUTE, np.where(stops, event, NEVER))
    pair.bring_victim(meeting, start, last)
    row = np.flatnonzero((meeting.own >= 0) & stops)
    meeting.effects.change("medications", meeting.own[row], "end", event[row], "victim/stopped")
    again = row[meeting.draw("taken up again")[row] < 0.6]
    drugs = {"drug": meeting.of_victim("drug")[again], "reason": meeting.of_victim("reason")[again]}
    none = np.full(again.shape, -1, dtype=np.int64)
    later = np.full(again.shape, NEVER)
    pair.expose(meeting, again, none, drugs, end[again], later, "victim/taken up again")


def _visit_for_harm(meeting: Meeting, start: Int64, kind: Int64, shift: Floats) -> Int64:
    """The encounter for it, with the values that show it; when it is over."""
    reason, u = meeting.of_victim("event"), meeting.draw("where to")
    hours = np.where(
        kind == INPATIENT, 30 + meeting.draw("stay") * 90, np.where(kind == EMERGENCY, 2 + 5 * u, 0.5)
    )
    finish = start + (hours * 60).astype(np.int64) * MINUTE
    internal, urgent = SPECIALTIES.index("internal medicine"), SPECIALTIES.index("emergency medicine")
    specialty = np.where(kind == INPATIENT, internal, urgent)
    specialty = np.where(kind == AMBULATORY, SPECIALTIES.index("primary care"), specialty)
    key = meeting.effects.visit(
        meeting.local,
        start=start,
        end=finish,
        kind=kind,
        specialty=specialty,
        reason=reason,
        role="visit/event",
    )
    pair.diagnose(meeting, key, reason, start, start + meeting.days("harm lasts", 5, 30), "event")
    until = meeting.effects.record.until[meeting.local]
    pair.measure(meeting, "event", key, start, np.minimum(finish, until), shift)
    return np.asarray(np.minimum(finish, until), np.int64)


def _recovery(meeting: Meeting, over: tuple[Int64, Int64], shift: Floats) -> None:
    """A visit when it is over, at which the values have returned; none if the record ends before."""
    home, end = over
    start = np.maximum(meeting.in_office(end, "recovery hour"), home + 60 * MINUTE)
    finish = start + (12 + (meeting.draw("recovery takes") * 30).astype(np.int64)) * MINUTE
    seen = np.flatnonzero(finish + MINUTE < meeting.until)
    some, start, finish = meeting.take(seen), start[seen], finish[seen]
    key = some.effects.visit(
        some.local,
        start=start,
        end=finish,
        kind=AMBULATORY,
        specialty=SPECIALTIES.index("primary care"),
        reason=some.of_victim("reason"),
        role="visit/recovery",
    )
    pair.measure(some, "recovery", key, start, finish, shift[seen])
