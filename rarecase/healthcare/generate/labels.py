"""Where the cases are: one row per case, one label per row touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.case import Case
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.common.tables import build, category, constant, empty, nulls, timestamps
from rarecase.healthcare.cases.interaction import Harm, Interaction
from rarecase.healthcare.cases.pair import Meeting, names_of
from rarecase.healthcare.cases.rare_disease import Courses, RareDisease
from rarecase.healthcare.cases.record import CLINICAL, NO_TIME, Effects
from rarecase.healthcare.cases.separated_pair import SeparatedPair
from rarecase.healthcare.data.disorders import MODES, ONSETS, catalogue
from rarecase.healthcare.data.pharmacology import victims
from rarecase.healthcare.data.population import US_PER_DAY
from rarecase.healthcare.schema import SCHEMA

if TYPE_CHECKING:
    from rarecase.healthcare.spec import HealthcareSpec

UNKNOWN = -1
_EFFECTS = ("created", "changed", "removed")
_YEAR_US = 365.25 * US_PER_DAY


@dataclass(frozen=True)
class Told:
    """What is told of the cases of one entry in one part; times in microseconds, NO_TIME for unknown.

    `facts` holds one mapping per case, `stories` one sentence.
    """

    case: Case
    homes: Int64
    started: Int64
    ended: Int64
    reported: Int64
    detected: Int64
    facts: Sequence[dict[str, Any]]
    stories: Sequence[str]


def of_disease(case: RareDisease, homes: Int64, courses: Courses, detected: Int64, effects: Effects) -> Told:
    """Rare diseases: known from the first visit for it, detected with the diagnosis."""
    until = effects.record.until[homes - effects.record.low]
    known = detected != NO_TIME
    book = catalogue()
    delay = (courses.diagnosis_us - courses.onset_us) / _YEAR_US
    at = zip(
        courses.disorder.tolist(),
        courses.mode.tolist(),
        courses.onset_class.tolist(),
        delay.tolist(),
        known.tolist(),
        strict=True,
    )
    facts, stories = [], []
    for disorder, mode, onset, years, found in at:
        facts.append(
            {
                "orpha": int(book.orpha[disorder]),
                "disorder": book.names[disorder],
                "inheritance": MODES[mode],
                "onset": ONSETS[onset].lower(),
                "delay_years": round(years, 3),
                "diagnosed": found,
                "prevalence_basis": book.basis[disorder],
                "prevalence_evidence": book.evidence[disorder],
            }
        )
        end = f"is recognised after {years:.1f} years" if found else "is not recognised within the record"
        stories.append(f"{book.names[disorder]} ({ONSETS[onset].lower()} onset, {MODES[mode]}) {end}.")
    ended = np.maximum(until, courses.onset_us)
    return Told(case, homes, courses.onset_us, ended, np.full(homes.shape, NO_TIME), detected, facts, stories)


def of_harm(case: Interaction, harm: Harm) -> Told:
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
    return Told(case, harm.meeting.homes, harm.meeting.at, harm.end, harm.event, detected, facts, stories)


def of_pair(case: SeparatedPair, meeting: Meeting, end: Int64) -> Told:
    """Look-alikes: nobody reports or detects them, for nothing happens."""
    facts, stories = [], []
    for row in range(meeting.homes.size):
        victim, perpetrator = names_of(meeting, row)
        facts.append({"victim": victim, "perpetrator": perpetrator, "auc_ratio": 1.0})
        stories.append(f"{victim.capitalize()} is paused for a course of {perpetrator}; nothing happens.")
    unknown = np.full(meeting.homes.shape, NO_TIME)
    return Told(case, meeting.homes, meeting.at, end, unknown, unknown, facts, stories)


def cases(spec: HealthcareSpec, plan: Plan, told: Sequence[Told]) -> pa.Table:
    """One row per case of the part."""
    if not told:
        return empty(SCHEMA["cases"])
    which = np.repeat(np.arange(len(told)), [found.homes.size for found in told])
    homes, started, ended, reported, detected = (
        np.concatenate([getattr(found, name) for found in told])
        for name in ("homes", "started", "ended", "reported", "detected")
    )
    natural = [found.case.natural(spec) for found in told]
    rate = np.array([np.nan if found is None else found.value for found in natural])[which]
    per = _worded(which, ["" if found is None else found.per for found in natural], np.isnan(rate))
    common = [found.case.parameters() for found in told]
    parameters = [
        json.dumps({**given, **facts}, sort_keys=True, ensure_ascii=False)
        for given, found in zip(common, told, strict=True)
        for facts in found.facts
    ]
    columns = {
        "case_id": plan.keys.case_rows("cases", homes, np.zeros_like(homes)),
        "kind": _worded(which, [found.case.kind for found in told]),
        "name": _worded(which, [found.case.label for found in told]),
        "is_case": np.array([found.case.is_case for found in told])[which],
        "entity_table": constant("patients", homes.size),
        "entity_id": plan.keys.entities("patients", homes),
        "started_at": _moment(spec, started),
        "ended_at": _moment(spec, ended),
        "natural_rate": nulls(rate, np.isnan(rate)),
        "natural_per": per,
        "difficulty": np.array([found.case.difficulty for found in told])[which],
        "reported_at": _moment(spec, reported),
        "detected_at": _moment(spec, detected),
        "parameters": pa.array(parameters),
        "story": pa.array([story for found in told for story in found.stories]),
    }
    return build(SCHEMA["cases"], columns)


def _worded(codes: Int64, words: Sequence[str], mask: NDArray[np.bool_] | None = None) -> pa.DictionaryArray:
    """A category column from codes into words of which some may be the same."""
    distinct = list(dict.fromkeys(words))
    place = np.array([distinct.index(word) for word in words])
    return category(place[codes].astype(np.int16), distinct, mask)


def _moment(spec: HealthcareSpec, values: Int64) -> pa.Array:
    missing = values == NO_TIME
    return timestamps(spec.start, np.where(missing, 0, values), missing)


def labels(effects: Effects) -> pa.Table:
    """One row per row that a case of the part created, changed or removed."""
    if not effects.labels:
        return empty(SCHEMA["labels"])
    whole = {name: np.concatenate([found[name] for found in effects.labels]) for name in effects.labels[0]}
    order = np.lexsort((whole["row_id"], whole["table"], whole["patient"]))
    whole = {name: values[order] for name, values in whole.items()}
    patient = whole["patient"].astype(np.int64)
    role, stage, staged = _roles(effects.roles)
    rows = patient.size
    nothing = pa.nulls(rows, pa.timestamp("us"))
    kinds = [placement.case.kind for placement in effects.placements]
    said = whole["role"].astype(np.int64)
    columns = {
        "case_id": effects.case_of[patient],
        "kind": _worded(effects.placement_of[patient], kinds),
        "table_name": category(whole["table"].astype(np.int8), CLINICAL),
        "row_id": whole["row_id"],
        "entity_id": pa.nulls(rows, pa.int64()),
        "from_at": nothing,
        "to_at": nothing,
        "role": _worded(said, role),
        "stage": category(np.maximum(stage[said], 0).astype(np.int16), staged, stage[said] < 0),
        "effect": category(whole["effect"].astype(np.int8), _EFFECTS),
    }
    return build(SCHEMA["labels"], columns)


def _roles(said: list[str]) -> tuple[list[str], Int64, list[str]]:
    """Roles and stages out of "role/stage"."""
    split = [word.partition("/") for word in said]
    staged = list(dict.fromkeys(stage for _, _, stage in split if stage)) or [""]
    return (
        [role for role, _, _ in split],
        np.array([staged.index(stage) if stage else UNKNOWN for _, _, stage in split]),
        staged,
    )
