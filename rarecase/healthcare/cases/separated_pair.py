"""The look-alike of an interaction: the same two drugs in one patient, but never at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64
from rarecase.healthcare.cases import pair
from rarecase.healthcare.cases.pair import MINUTE, Bools, Meeting, Pair
from rarecase.healthcare.cases.record import AMBULATORY, Effects
from rarecase.healthcare.data.laboratory import laboratory
from rarecase.healthcare.data.population import NEVER
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
    last = meeting.at + meeting.course
    pair.prescribe_inhibitor(meeting, last)
    stopped = meeting.at - meeting.days("gap before", 2, 6)
    once = meeting.of_victim("single_dose").astype(np.bool_)
    start = np.where(once, stopped - 30 * MINUTE, stopped - meeting.days("on the victim since", 14, 300))
    pair.bring_victim(meeting, start, stopped)
    row = np.flatnonzero(meeting.own >= 0)
    effects.change("medications", meeting.own[row], "end", stopped[row], "victim/paused")
    seen, check = _check_up(meeting, last)
    again = seen & (meeting.draw("taken up again") < 0.8) & ~once
    row = np.flatnonzero(again)
    drugs = {"drug": meeting.of_victim("drug")[row], "reason": meeting.of_victim("reason")[row]}
    none = np.full(row.shape, -1, dtype=np.int64)
    never = np.full(row.shape, NEVER)
    pair.expose(meeting, row, none, drugs, check[row], never, "victim/taken up again")
    return meeting, np.where(seen, check + 60 * MINUTE, np.minimum(last, meeting.until))


def _check_up(meeting: Meeting, last: Int64) -> tuple[Bools, Int64]:
    """A visit a week or more after the course, if the record goes on so long; who comes, and when.

    The values are the patient's ordinary ones.
    """
    start = meeting.in_office(last + meeting.days("gap after", 7, 21), "check-up hour")
    finish = start + (12 + (meeting.draw("check-up takes") * 30).astype(np.int64)) * MINUTE
    seen = finish + MINUTE < meeting.until
    some = meeting.take(np.flatnonzero(seen))
    key = meeting.effects.visit(
        some.local,
        start=start[seen],
        end=finish[seen],
        kind=AMBULATORY,
        specialty=SPECIALTIES.index("primary care"),
        reason=some.of_victim("reason"),
        role="visit/check-up",
    )
    quiet = np.zeros((some.local.size, len(laboratory().analytes)))
    pair.measure(some, "check-up", key, start[seen], finish[seen], quiet)
    return seen, start
