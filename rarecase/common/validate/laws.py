"""The domain's laws: those that one part can judge, part by part, then those of the whole.

As many parts are judged at a time as there are processors; what they say is taken in their order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue

import duckdb
import pyarrow as pa

from rarecase.common.domain import Domain
from rarecase.common.errors import Finding
from rarecase.common.spec import Spec
from rarecase.common.validate.sources import Piece, Source
from rarecase.common.validate.workshop import MEMORY_LIMIT, MEMORY_LIMIT_OF_TABLES, workshop

#: The schema in which a part's tables stand while it is judged.
PART = "part"
#: The schema for what parts leave behind for the judgement of the whole.
SUMS = "sums"
_EXAMPLES = 3


def law_findings(
    connection: duckdb.DuckDBPyConnection,
    domain: Domain,
    spec: Spec,
    pieces: Mapping[str, tuple[Piece, ...]],
) -> Iterator[Finding]:
    """What breaks the domain's laws.

    Parameters
    ----------
    connection
        With a view for each table.
    domain, spec
        Whose laws, and of which world.
    pieces
        Of each table its rows by part; rows of unknown part are one part.

    Yields
    ------
    Finding
        One per law, with the rows of all parts counted together.
    """
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SUMS}")
    yield from _together(_of_parts(connection, domain, spec, pieces))
    yield from domain.checks(connection, spec)
    connection.execute(f"DROP SCHEMA {SUMS} CASCADE")


def _of_parts(
    connection: duckdb.DuckDBPyConnection,
    domain: Domain,
    spec: Spec,
    pieces: Mapping[str, tuple[Piece, ...]],
) -> Iterator[Finding]:
    if domain.part_checks is None:
        return
    by_part: dict[int, dict[str, list[Piece]]] = {}
    for name, found in pieces.items():
        for piece in found:
            by_part.setdefault(-1 if piece.part is None else piece.part, {}).setdefault(name, []).append(
                piece
            )
    desks = min(os.cpu_count() or 1, max(len(by_part), 1))
    with ExitStack() as stack:
        free: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        for _ in range(desks):
            free.put(_desk(stack, domain, pieces, desks))

        def judge(part: int) -> tuple[list[Finding], dict[str, pa.Table]]:
            desk = free.get()
            try:
                return _judge(desk, domain, spec, by_part[part])
            finally:
                free.put(desk)

        # In the order of the parts, whichever is done first.
        pool = stack.enter_context(ThreadPoolExecutor(desks))
        for findings, sums in pool.map(judge, sorted(by_part)):
            yield from findings
            for name, rows in sums.items():
                _add(connection, name, rows)


def _desk(
    stack: ExitStack, domain: Domain, pieces: Mapping[str, tuple[Piece, ...]], desks: int
) -> duckdb.DuckDBPyConnection:
    """One of the connections where parts are judged, with views of the whole: a share of what there is."""
    in_memory = any(piece.arrow is not None for found in pieces.values() for piece in found)
    limit = MEMORY_LIMIT_OF_TABLES if in_memory else MEMORY_LIMIT
    desk = stack.enter_context(workshop(limit // desks, -(-(os.cpu_count() or 1) // desks)))
    for schema in (PART, SUMS):
        desk.execute(f"CREATE SCHEMA {schema}")
    for table in domain.schema.tables:
        Source(table, pieces.get(table.name, ()), table.columns).attach(desk)
    return desk


def _judge(
    desk: duckdb.DuckDBPyConnection, domain: Domain, spec: Spec, pieces: Mapping[str, list[Piece]]
) -> tuple[list[Finding], dict[str, pa.Table]]:
    """Findings on one part, and the sums that it leaves."""
    assert domain.part_checks is not None
    for table in domain.schema.tables:
        Source(table, tuple(pieces.get(table.name, ())), table.columns).attach(desk, within=PART)
    findings = list(domain.part_checks(desk, spec))
    names = desk.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = $schema ORDER BY table_name",
        {"schema": SUMS},
    ).fetchall()
    sums = {str(name): desk.sql(f"SELECT * FROM {SUMS}.{name}").to_arrow_table() for (name,) in names}
    for name in sums:
        desk.execute(f"DROP TABLE {SUMS}.{name}")
    return findings, sums


def _add(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("sums_of_part", rows)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {SUMS}.{name} AS SELECT * FROM sums_of_part LIMIT 0")
    connection.execute(f"INSERT INTO {SUMS}.{name} SELECT * FROM sums_of_part")
    connection.unregister("sums_of_part")


def _together(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings of one law as one, in the order of their first appearance."""
    found: dict[tuple[str, str, str | None, str | None], Finding] = {}
    for finding in findings:
        key = (finding.level, finding.rule, finding.table, finding.column)
        before = found.get(key)
        if before is None:
            found[key] = finding
        else:
            examples = (*before.examples, *finding.examples)[:_EXAMPLES]
            found[key] = replace(before, count=before.count + finding.count, examples=examples)
    yield from found.values()
