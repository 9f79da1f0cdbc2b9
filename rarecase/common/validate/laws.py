"""The domain's laws: those that one part can judge, part after part, then those of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import duckdb

from rarecase.common.domain import Domain
from rarecase.common.errors import Finding
from rarecase.common.spec import Spec
from rarecase.common.validate.sources import Piece, Source

#: The schema in which a part's tables stand while it is judged.
PART = "part"
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
    yield from _together(_of_parts(connection, domain, spec, pieces))
    yield from domain.checks(connection, spec)


def _of_parts(
    connection: duckdb.DuckDBPyConnection,
    domain: Domain,
    spec: Spec,
    pieces: Mapping[str, tuple[Piece, ...]],
) -> Iterator[Finding]:
    if domain.part_checks is None:
        return
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {PART}")
    by_part: dict[int, dict[str, list[Piece]]] = {}
    for name, found in pieces.items():
        for piece in found:
            by_part.setdefault(-1 if piece.part is None else piece.part, {}).setdefault(name, []).append(
                piece
            )
    for part in sorted(by_part):
        for table in domain.schema.tables:
            source = Source(table, tuple(by_part[part].get(table.name, ())), table.columns)
            source.attach(connection, within=PART)
        yield from domain.part_checks(connection, spec)


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
