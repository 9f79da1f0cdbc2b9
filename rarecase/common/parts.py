"""One part: made, checked, digested and written; what every engine runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rarecase.common import tables as building
from rarecase.common.digest import part_digests
from rarecase.common.errors import Finding, Findings, RarecaseError
from rarecase.common.plan import Plan, make_plan
from rarecase.common.receipts import Receipt
from rarecase.common.schema import Table, arrow_schema
from rarecase.common.sinks.base import Sink
from rarecase.common.spec import Spec
from rarecase.common.weights import weights_table


@dataclass(frozen=True)
class Made:
    """What a task returns: the receipt, and the tables where the sink takes them in the calling process."""

    receipt: Receipt
    tables: Mapping[str, pa.Table] | None
    pid: int
    seconds: float


def generate_tables(plan: Plan, part: int) -> dict[str, pa.Table]:
    """Every table of one part, under the declared Arrow schemas, in the order of the schema.

    Raises
    ------
    CheckError
        When a table is missing, unknown or not as declared, or the part's cases are not those of the plan.
    """
    schema = plan.domain.schema
    made = dict(plan.domain.generate_part(plan, part))
    made["weights"] = weights_table(plan, part)
    found = [
        Finding("error", "part.tables", name, None, 1, f"part {part}: table {name} is {what}")
        for name, what in _name_faults(set(schema.names), set(made))
    ]
    tables = {}
    for name in schema.names:
        if name in made:
            try:
                tables[name] = conform(made[name], schema[name])
            except (ValueError, pa.ArrowException) as error:
                found.append(Finding("error", "part.schema", name, None, 1, f"part {part}: {error}"))
    if "cases" in tables:
        found += _case_findings(plan, part, tables["cases"])
    Findings(found).raise_if_errors()
    return tables


def conform(table: pa.Table, declared: Table) -> pa.Table:
    """A table under its declared Arrow schema; ValueError where it cannot be."""
    if table.schema.equals(arrow_schema(declared), check_metadata=True):
        return table
    if len(set(table.column_names)) < table.num_columns:
        raise ValueError(f"table {declared.name}: two columns of one name")
    return building.build(declared, dict(zip(table.column_names, table.columns)))


def _name_faults(declared: set[str], made: set[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(declared ^ made):
        yield name, "missing" if name in declared else "not declared"


def _case_findings(plan: Plan, part: int, cases: pa.Table) -> Iterator[Finding]:
    """Whether the cases whose home is in the part are there, each once, under its name."""
    low, high = plan.bounds(part)
    names = cases.column("name").cast(pa.string()).to_numpy(zero_copy_only=False)
    ids = cases.column("case_id").to_numpy()
    known = [placement.name for placement in plan.placements]
    for name in sorted(set(names.tolist()) - set(known)):
        yield _case_finding(part, f"{name} is not in the plan", name, int((names == name).sum()))
    for placement in plan.placements:
        planned = np.sort(placement.case_ids[placement.home_in(low, high)])
        written = np.sort(ids[names == placement.name])
        if not np.array_equal(planned, written):
            said = f"{written.size} cases of {placement.name} where the plan has {planned.size}"
            if written.size == planned.size:
                said = f"cases of {placement.name} with other keys than the plan's"
            yield _case_finding(part, said, placement.name, abs(written.size - planned.size) or 1)


def _case_finding(part: int, said: str, name: str, count: int) -> Finding:
    return Finding("error", "part.cases", "cases", "case_id", count, f"part {part}: {said}", (name,))


@dataclass(frozen=True)
class PartTask:
    """Makes one part: what every engine runs. It travels as a pickle, so it holds the spec and not the plan.

    Attributes
    ----------
    spec, digest : the spec, and the digest of the plan that it must lead to
    sink : writes the part here and now; None returns the tables instead
    """

    spec: Spec
    digest: str
    sink: Sink | None

    def __call__(self, part: int) -> Made:
        """Make, check, digest and write a part."""
        begun = time.perf_counter()
        plan = _plan_of(self.spec, self.digest)
        tables = generate_tables(plan, part)
        rows = {name: table.num_rows for name, table in tables.items()}
        receipt = Receipt(part, rows, part_digests(tables, plan.domain.schema))
        kept: Mapping[str, pa.Table] | None = tables
        if self.sink is not None:
            receipt, kept = self.sink.write(receipt, tables), None
        return Made(receipt, kept, os.getpid(), time.perf_counter() - begun)


_PLANS: dict[str, Plan] = {}
_PLANNING = threading.Lock()


def _plan_of(spec: Spec, digest: str) -> Plan:
    """The plan of a spec, made once in each process."""
    with _PLANNING:
        if digest not in _PLANS:
            plan = make_plan(spec)
            if plan.digest != digest:
                raise RarecaseError("a worker plans other data than the caller: its versions differ")
            _keep(plan)
        return _PLANS[digest]


def remember(plan: Plan) -> None:
    """Keep a plan that is already made, so that tasks of this process need not make it again."""
    with _PLANNING:
        _keep(plan)


def _keep(plan: Plan) -> None:
    while len(_PLANS) > 3:
        _PLANS.pop(next(iter(_PLANS)))
    _PLANS[plan.digest] = plan
