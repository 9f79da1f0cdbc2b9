"""The look-alike of an interaction: the same two drugs in one patient, but never at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64
from rarecase.healthcare.cases import pair
from rarecase.healthcare.cases.pair import MINUTE, Meeting, Pair
from rarecase.healthcare.cases.record import AMBULATORY, Effects
from rarecase.healthcare.data.laboratory import laboratory
from rarecase.healthcare.data.pharmacology import inhibitors
from rarecase.healthcare.schema import SPECIALTIES

if TYPE_CHECKING:
    from rarecase.common.spec import Spec
    from rarecase.healthcare.spec import HealthcareSpec


class SeparatedPair(Pair):
    """The victim is paused while the inhibitor is taken: exposure never rises, nothing happens."""

    is_case: ClassVar[bool] = False
    title: ClassVar[str] = "The same drugs, separated in time"
    definition: ClassVar[str] = (
        "A patient on a sensitive CYP3A substrate stops it days before a course of a strong inhibitor and"
        " takes it up again, if at all, a week or more after; a check-up afterwards shows ordinary values."
    )
    source: ClassVar[str] = (
        "Labels of statins advise it with strong CYP3A inhibitors; rate and gaps are expert"
    )
    kind: Literal["separated_pair"] = "separated_pair"

    def natural(self, spec: Spec) -> Natural | None:
        return pair.expert_rate(
            self,
            1.2e-3,
            "a twentieth of adults on a sensitive substrate, one in thirty of them with such a course a year,"
            " most of them paused (expert)",
        )


def happen(
    case: SeparatedPair, spec: HealthcareSpec, homes: Int64, onset_us: Int64, effects: Effects
) -> tuple[Meeting, Int64]:
    """Let it happen to patients of a part; the drugs and the last consequence, for the cases table."""
    meeting = pair.meet(case, spec, homes, onset_us, effects)
    days = np.array([found.course_days for found in inhibitors()])[meeting.perpetrator]
    course = np.minimum(meeting.days("course", days[:, 0], days[:, 1]), (spec.horizon_us - meeting.at) // 3)
    last = meeting.at + course
    pair.prescribe_inhibitor(meeting, last, spec.horizon_us)
    stopped = meeting.at - meeting.days("gap before", 2, 6)
    check = _check_up(meeting, last, spec.horizon_us)
    once = meeting.of_victim("single_dose").astype(np.bool_)
    start = np.where(once, stopped - 30 * MINUTE, stopped - meeting.days("on the victim since", 14, 300))
    pair.bring_victim(meeting, start, stopped, spec.horizon_us)
    # An opening of the record may lie between the pause and the course.
    row = np.flatnonzero(meeting.own >= 0)
    effects.change("medications", meeting.own[row], "end", stopped[row], "victim/paused")
    again = np.flatnonzero((meeting.draw("taken up again") < 0.8) & ~once)
    drugs = {"drug": meeting.of_victim("drug")[again], "reason": meeting.of_victim("reason")[again]}
    none = np.full(again.shape, -1, dtype=np.int64)
    later = np.full(again.shape, spec.horizon_us)
    pair.expose(meeting, again, none, drugs, check[again], later, spec.horizon_us, "victim/taken up again")
    return meeting, check + 60 * MINUTE


def _check_up(meeting: Meeting, last: Int64, horizon_us: int) -> Int64:
    """A visit a week or more after the course; its moment. The values are the patient's ordinary ones."""
    wait = np.minimum(meeting.days("gap after", 7, 21), (horizon_us - last) // 2)
    start = np.minimum(
        np.maximum(meeting.in_office(last + wait, "check-up hour"), last), horizon_us - 60 * MINUTE
    )
    finish = start + (12 + (meeting.draw("check-up takes") * 30).astype(np.int64)) * MINUTE
    key = meeting.effects.visit(
        meeting.local,
        start=start,
        end=finish,
        kind=AMBULATORY,
        specialty=SPECIALTIES.index("primary care"),
        reason=meeting.of_victim("reason"),
        role="visit/check-up",
    )
    quiet = np.zeros((meeting.local.size, len(laboratory().analytes)))
    pair.measure(meeting, "check-up", key, start, finish, quiet)
    return start
