"""Where the cases are: one row per case, one label per row touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from rarecase.common.plan import Placement, Plan
from rarecase.common.schema.cases import EFFECTS
from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER, category, empty, worded
from rarecase.common.telling import Told, labels_table
from rarecase.healthcare.cases.interaction import Harm
from rarecase.healthcare.cases.pair import Meeting, names_of
from rarecase.healthcare.cases.rare_disease import Courses
from rarecase.healthcare.cases.record import CLINICAL, NO_TIME, Effects
from rarecase.healthcare.data.disorders import MODES, ONSETS, catalogue
from rarecase.healthcare.data.pharmacology import victims
from rarecase.healthcare.data.population import US_PER_DAY
from rarecase.healthcare.schema import SCHEMA

if TYPE_CHECKING:
    pass

UNKNOWN = -1
_YEAR_US = 365.25 * US_PER_DAY


@dataclass(frozen=True)
class Mine:
    """Cases of one entry whose home lies in the part, ordered by home."""

    placement: Placement
    rows: Int64

    @property
    def homes(self) -> Int64:
        """Global ordinals, shape (n,)."""
        return self.placement.homes[self.rows]


def of_disease(mine: Mine, courses: Courses, detected: Int64, effects: Effects) -> Told:
    """Rare diseases: known from the first visit for it, detected with the diagnosis."""
    until = effects.record.until[mine.homes - effects.record.low]
    known = detected != NO_TIME
    book = catalogue()
    who = effects.record.who.take(mine.homes - effects.record.low)
    in_life = courses.diagnosis_us < who.death_us
    delay = (courses.diagnosis_us - courses.onset_us) / _YEAR_US
    at = zip(
        courses.disorder.tolist(),
        courses.mode.tolist(),
        courses.onset_class.tolist(),
        delay.tolist(),
        known.tolist(),
        in_life.tolist(),
        strict=True,
    )
    facts, stories = [], []
    for disorder, mode, onset, years, found, ever in at:
        facts.append(
            {
                "orpha": int(book.orpha[disorder]),
                "disorder": book.names[disorder],
                "inheritance": MODES[mode],
                "onset": ONSETS[onset].lower(),
                # Who dies before the diagnosis has no delay of it.
                "delay_years": round(years, 3) if ever else None,
                "diagnosed": found,
                "prevalence_basis": book.basis[disorder],
                "prevalence_evidence": book.evidence[disorder],
                "prevalence_place": book.place[disorder],
            }
        )
        end = f"is recognised after {years:.1f} years" if found else "is not recognised within the record"
        stories.append(f"{book.names[disorder]} ({ONSETS[onset].lower()} onset, {MODES[mode]}) {end}.")
    ended = np.maximum(until, courses.onset_us)
    return _told(mine, courses.onset_us, ended, np.full(ended.shape, NO_TIME), detected, facts, stories)


def of_harm(mine: Mine, harm: Harm) -> Told:
    """Interactions: reported when the patient comes, detected when somebody names the interaction."""
    facts, stories = [], []
    for row, (ratio, other) in enumerate(
        zip(harm.ratio.tolist(), harm.midazolam_ratio.tolist(), strict=True)
    ):
        victim, perpetrator = names_of(harm.meeting, row)
        found = victims()[harm.meeting.victim[row]]
        facts.append(
            {
                "victim": victim,
                "perpetrator": perpetrator,
                "auc_ratio": round(ratio, 3),
                "midazolam_ratio": round(other, 3),
                "event": found.event_name,
                "fraction_cyp3a": found.fraction,
                "evidence": found.evidence,
            }
        )
        days = (harm.event[row] - harm.meeting.at[row]) / US_PER_DAY
        stories.append(
            f"{perpetrator.capitalize()} raises the exposure to {victim} {ratio:.1f}-fold;"
            f" {days:.0f} days later the patient is seen with {found.event_name}."
        )
    detected = np.where(harm.recognised >= 0, harm.recognised, NO_TIME)
    return _told(mine, harm.meeting.at, harm.end, harm.event, detected, facts, stories)


def of_pair(mine: Mine, meeting: Meeting, end: Int64) -> Told:
    """Look-alikes: nobody reports or detects them, for nothing happens."""
    facts, stories = [], []
    for row in range(meeting.homes.size):
        victim, perpetrator = names_of(meeting, row)
        facts.append({"victim": victim, "perpetrator": perpetrator, "auc_ratio": 1.0})
        stories.append(f"{victim.capitalize()} is paused for a course of {perpetrator}; nothing happens.")
    unknown = np.full(meeting.homes.shape, NO_TIME)
    return _told(mine, meeting.at, end, unknown, unknown, facts, stories)


def _told(
    mine: Mine,
    started: Int64,
    ended: Int64,
    reported: Int64,
    detected: Int64,
    facts: Sequence[dict[str, Any]],
    stories: Sequence[str],
) -> Told:
    begun, over, said, found = (
        np.where(column == NO_TIME, NEVER, column) for column in (started, ended, reported, detected)
    )
    return Told(mine.placement, mine.rows, begun, over, said, found, facts, stories)


def labels(plan: Plan, effects: Effects) -> pa.Table:
    """One row per row that a case of the part created, changed or removed."""
    if not effects.labels:
        return empty(SCHEMA["labels"])
    whole = {name: np.concatenate([found[name] for found in effects.labels]) for name in effects.labels[0]}
    order = np.lexsort((whole["row_id"], whole["table"], whole["patient"]))
    whole = {name: values[order] for name, values in whole.items()}
    patient = whole["patient"].astype(np.int64)
    role, stage, staged = _roles(effects.roles)
    kinds = [placement.case.kind for placement in effects.placements]
    said = whole["role"].astype(np.int64)
    columns = {
        "case_id": effects.case_of[patient],
        "kind": worded(effects.placement_of[patient], kinds),
        "table_name": category(whole["table"].astype(np.int8), CLINICAL),
        "row_id": whole["row_id"],
        "role": worded(said, role),
        "stage": category(np.maximum(stage[said], 0).astype(np.int16), staged, stage[said] < 0),
        "effect": category(whole["effect"].astype(np.int8), EFFECTS),
    }
    return labels_table(plan, columns)


def _roles(said: list[str]) -> tuple[list[str], Int64, list[str]]:
    """Roles and stages out of "role/stage"."""
    split = [word.partition("/") for word in said]
    staged = list(dict.fromkeys(stage for _, _, stage in split if stage)) or [""]
    return (
        [role for role, _, _ in split],
        np.array([staged.index(stage) if stage else UNKNOWN for _, _, stage in split]),
        staged,
    )
