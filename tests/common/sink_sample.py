"""A domain around the sample schema, and what tests of the database sinks do with every one of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

import duckdb
import pyarrow as pa

from rarecase.common.domain import Domain
from rarecase.common.errors import Finding
from rarecase.common.plan import Plan, make_plan
from rarecase.common.receipts import Receipt
from rarecase.common.sinks.base import Sink
from rarecase.common.spec import Spec
from tests.common.schema_sample import SAMPLE, as_tables, good_rows

DOMAINS = "sample=tests.common.sink_sample:DOMAIN"
MANIFEST: dict[str, Any] = {"manifest": 1, "domain": "sample", "rows": 18, "story": "naïve"}


class SampleSpec(Spec):
    domain: Literal["sample"] = "sample"


def good_tables() -> dict[str, pa.Table]:
    return as_tables(good_rows())


def _generate(plan: Plan, part: int) -> dict[str, pa.Table]:
    return {name: table for name, table in good_tables().items() if name != "weights"}


def _no_checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterable[Finding]:
    return ()


DOMAIN = Domain(
    name="sample",
    title="Sample",
    schema=SAMPLE,
    spec=SampleSpec,
    cases=(),
    entity_table="owners",
    entities="owners",
    generate_part=_generate,
    checks=_no_checks,
    measures=lambda dataset: (),
)


def plan() -> Plan:
    return make_plan(SampleSpec(size=3, block=3, start=date(2025, 1, 1), days=1))


def halves(tables: dict[str, pa.Table]) -> list[dict[str, pa.Table]]:
    """The rows in two parts; the first refers to rows of the second."""
    cut = {name: table.num_rows // 2 for name, table in tables.items()}
    first = {name: table.slice(0, cut[name]) for name, table in tables.items()}
    second = {name: table.slice(cut[name]) for name, table in tables.items()}
    first["owners"], second["owners"] = tables["owners"].slice(0, 0), tables["owners"]
    return [first, second]


def load(
    sink: Sink, tables: dict[str, pa.Table] | None = None, *, manifest: dict[str, Any] | None = None
) -> None:
    """A whole load in two parts, taken back when it fails."""
    try:
        assert sink.begin(plan()) == ()
        for number, part in enumerate(halves(good_tables() if tables is None else tables)):
            receipt = Receipt(number, {name: table.num_rows for name, table in part.items()})
            assert sink.write(receipt, part) == receipt
        sink.finish(manifest or MANIFEST)
    except BaseException:
        sink.abort()
        raise


def damaged(table: str, row: int, **cells: Any) -> dict[str, pa.Table]:
    """The good tables with some cells of one row replaced."""
    rows = good_rows()
    rows[table][row].update(cells)
    return as_tables(rows)
