"""How the truth is told: the rows of `cases` and `labels`, alike in every domain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from rarecase.common import tables
from rarecase.common.plan import Placement, Plan
from rarecase.common.seeds import Int64
from rarecase.common.weights import rounded


@dataclass(frozen=True)
class Told:
    """What is told of some cases of one entry of the spec.

    Attributes
    ----------
    placement, rows
        The entry, and which of its cases, shape (n,).
    started_us, ended_us, reported_us, detected_us
        Microseconds after the start, shape (n,); `tables.NEVER` where nobody reports or detects.
    facts
        One mapping per case: what stands in its parameters beside what the spec said.
    stories
        One sentence per case.
    own
        The domain's own columns of the table cases, shape (n,) each.
    """

    placement: Placement
    rows: Int64
    started_us: Int64
    ended_us: Int64
    reported_us: Int64
    detected_us: Int64
    facts: Sequence[Mapping[str, Any]]
    stories: Sequence[str]
    own: Mapping[str, tables.Values] = field(default_factory=dict)


def cases_table(plan: Plan, told: Sequence[Told]) -> pa.Table:
    """The table `cases` of a part, one row per case or look-alike."""
    declared = plan.domain.schema["cases"]
    return tables.concat(declared, [_cases(plan, found) for found in told])


def _cases(plan: Plan, told: Told) -> pa.Table:
    placement, number = told.placement, told.rows.size
    case, natural, table = placement.case, placement.natural, plan.domain.entity_table
    said = case.parameters()
    unrated = np.full(number, natural is None)
    per = natural.per if natural else ""
    facts = [json.dumps({**said, **own}, sort_keys=True, ensure_ascii=False) for own in told.facts]
    return tables.build(
        plan.domain.schema["cases"],
        {
            "case_id": placement.case_ids[told.rows],
            "kind": tables.constant(case.kind, number),
            "name": tables.constant(placement.name, number),
            "is_case": np.full(number, case.is_case),
            "entity_table": tables.constant(table, number),
            "entity_id": plan.keys.entities(table, placement.homes[told.rows]),
            "started_at": tables.moments(plan.spec.start, told.started_us),
            "ended_at": tables.moments(plan.spec.start, told.ended_us),
            "natural_rate": tables.nulls(
                np.full(number, rounded(natural.value) if natural else 0.0), unrated
            ),
            "natural_per": tables.category(np.zeros(number, np.int8), [per], unrated),
            "difficulty": np.full(number, case.difficulty),
            "reported_at": tables.moments(plan.spec.start, told.reported_us),
            "detected_at": tables.moments(plan.spec.start, told.detected_us),
            "parameters": pa.array(facts, pa.string()),
            "story": pa.array(told.stories, pa.string()),
            **told.own,
        },
    )


def labels_table(plan: Plan, columns: Mapping[str, tables.Values]) -> pa.Table:
    """Rows of `labels`; what is not given is null.

    Parameters
    ----------
    columns
        case_id, kind, table_name, role and effect always; row_id, or entity_id with from_at and to_at; stage
        and the domain's amount where there is one. Shape (n,) each.
    """
    declared = plan.domain.schema["labels"]
    number = len(columns["case_id"])
    types = {column.name: column.type for column in declared.columns}
    absent = {name: _nothing(kind, number) for name, kind in types.items() if name not in columns}
    return tables.build(declared, {**columns, **absent})


def _nothing(kind: str, number: int) -> pa.Array:
    if kind == "category":
        return tables.category(np.zeros(number, np.int8), [""], np.ones(number, np.bool_))
    return pa.nulls(number)
