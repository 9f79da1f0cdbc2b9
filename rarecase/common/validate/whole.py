"""Validation of a data set: its files, its tables, its domain's laws, its cases and its marks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from rarecase.common.errors import DatasetError, Finding, Findings
from rarecase.common.plan import Plan, make_plan
from rarecase.common.sinks.files import hash_file
from rarecase.common.validate.labels import check_labels
from rarecase.common.validate.laws import law_findings
from rarecase.common.validate.sources import Piece, Source, piece_of
from rarecase.common.validate.tables import check
from rarecase.common.validate.workshop import MEMORY_LIMIT, MEMORY_LIMIT_OF_TABLES, workshop

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_ENOUGH = 1000  # distinct values in one part, below which a mark may not show
# After these, what a law or a leak test would say is about the damage and not about the data.
_BROKEN = ("file.missing", "file.damaged", "schema.missing", "schema.type", "value.type")


def validate(dataset: Dataset) -> Findings:
    """Check a data set, and its twin where one stands beside it.

    Files against the manifest (missing, unexpected, edited, damaged), rows against the schema, the domain's
    laws, the number of cases against the plan, the marks, the leak test. Damage is reported, never raised;
    what could only be misjudged because of it is left out, with a note.

    Parameters
    ----------
    dataset : Dataset
        Written or in memory.

    Returns
    -------
    Findings
    """
    findings = list(_world(dataset))
    try:
        twin = dataset.twin
    except DatasetError as error:
        findings.append(Finding("error", "file.damaged", None, None, 1, f"twin: {error}"))
        twin = None
    if twin is not None:
        findings += [replace(found, message=f"twin: {found.message}") for found in _world(twin)]
    return Findings(findings)


def _world(dataset: Dataset) -> Iterator[Finding]:
    plan = make_plan(dataset.spec)
    schema = dataset.domain.schema
    told = list(_check_files(dataset))
    pieces = _pieces(dataset)
    with workshop(MEMORY_LIMIT if dataset.path is not None else MEMORY_LIMIT_OF_TABLES) as connection:
        found, counts = check(connection, schema, pieces, None if dataset.path is None else plan.keys)
        told += found
        if any(finding.rule.startswith(_BROKEN) for finding in told):
            yield from told
            yield Finding(
                "note", "laws.unjudged", None, None, 1, "damaged: laws, cases and leaks were not judged"
            )
            return
        told += _check_counts(dataset.manifest, counts)
        told += law_findings(connection, dataset.domain, dataset.spec, pieces)
        told += _check_cases(connection, plan)
        told += check_labels(connection, schema)
    yield from told
    yield from _check_marks(dataset, pieces)
    yield from _check_digits(dataset, pieces)
    yield from _check_leaks(dataset)


def _pieces(dataset: Dataset) -> dict[str, tuple[Piece, ...]]:
    if dataset.path is None:
        return {name: (Piece(arrow=table),) for name, table in dataset.tables.items()}
    names = dataset.domain.schema.names
    return {name: tuple(piece_of(path) for path in dataset.files_of(name)) for name in names}


@dataclass(frozen=True)
class _Kept:
    """What the manifest promises of a file, and what is there."""

    path: str
    table: str | None
    sha256: str
    found: str | None


def _check_files(dataset: Dataset) -> Iterator[Finding]:
    """Every file and document there has the hash in the manifest, and no other stands among the parts."""
    if dataset.path is None:
        return
    root, listed = dataset.path, (*dataset.manifest["files"], *dataset.manifest["documents"])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        kept = list(pool.map(lambda record: _look(root, record), listed))
    changed = [file for file in kept if file.found not in (None, file.sha256)]
    yield from _of_files("hash", "not as the manifest has them: edited or damaged", changed)
    # A missing part is told with its table's columns.
    missing = [file for file in kept if file.found is None and file.table is None]
    yield from _of_files("missing", "missing", missing)
    known = {file.path for file in kept}
    for name in dataset.domain.schema.names:
        there = sorted(path.relative_to(root).as_posix() for path in (root / name).glob("part-*"))
        extra = [_Kept(path, name, "", None) for path in there if path not in known]
        yield from _of_files("extra", "not in the manifest", extra)


def _look(root: Path, record: Mapping[str, Any]) -> _Kept:
    path = root / record["path"]
    try:
        found = hash_file(path)[0]
    except OSError:
        found = None
    return _Kept(record["path"], record.get("table"), record["sha256"], found)


def _of_files(rule: str, what: str, files: Iterable[_Kept]) -> Iterator[Finding]:
    by_table: dict[str | None, list[str]] = {}
    for file in files:
        by_table.setdefault(file.table, []).append(file.path)
    for table, paths in by_table.items():
        kind, word = ("document", "documents") if table is None else ("file", table)
        some = "1 file is" if len(paths) == 1 else f"{len(paths)} files are"
        message = f"{word}: {some} {what}"
        yield Finding("error", f"{kind}.{rule}", table, None, len(paths), message, tuple(paths[:3]))


def _check_counts(manifest: Mapping[str, Any], counts: Mapping[str, int]) -> Iterator[Finding]:
    for table, promised in manifest.get("tables", {}).items():
        found = counts.get(table, 0)
        if found != promised["rows"]:
            told = f"{table}: {found} rows, the manifest says {promised['rows']}"
            yield Finding("error", "count.rows", table, None, abs(found - promised["rows"]), told)


def _check_cases(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Iterator[Finding]:
    """Each case of the spec is there exactly as often as planned."""
    found = dict(connection.execute("SELECT name, count(*) FROM cases GROUP BY name").fetchall())
    planned = plan.case_counts()
    for name in sorted({*found, *planned}):
        there, meant = found.get(name, 0), planned.get(name, 0)
        if there != meant:
            told = f"cases: {there} of {name!r}, planned {meant}"
            yield Finding(
                "error", "count.cases", "cases", "name", abs(there - meant), told, (f"name={name}",)
            )


def _check_marks(dataset: Dataset, pieces: Mapping[str, tuple[Piece, ...]]) -> Iterator[Finding]:
    """The manifest and every typed table say that they are synthetic."""
    if dataset.path is not None and dataset.manifest.get("synthetic") is not True:
        yield Finding(
            "error", "mark.manifest", None, None, 1, "the manifest does not say that the data are synthetic"
        )
    for name, rows in pieces.items():
        bare = [piece for piece in rows if not _is_marked(piece.schema)]
        if bare:
            told = f"{name}: {len(bare)} of {len(rows)} files or tables do not say that they are synthetic"
            yield Finding("error", "mark.metadata", name, None, len(bare), told, tuple(_where(bare)[:3]))


def _is_marked(schema: pa.Schema | None) -> bool:
    return schema is None or (schema.metadata or {}).get(b"synthetic") == b"true"


def _where(pieces: Iterable[Piece]) -> list[str]:
    return [str(piece.path) for piece in pieces if piece.path is not None]


def _check_digits(dataset: Dataset, pieces: Mapping[str, tuple[Piece, ...]]) -> Iterator[Finding]:
    """Columns that were to carry the statistical mark carry it, as far as one part of them can tell."""
    if not dataset.spec.marks.statistical:
        return
    # Imported late: detection brings statistics that few sets need.
    from rarecase.common.mark.detect import detect_frame

    for table in dataset.domain.schema.tables:
        names = [column.name for column in table.columns if column.mark_quantum is not None]
        if not names or not pieces[table.name]:
            continue
        rows = Source(table, pieces[table.name]).read(pieces[table.name][0], names)
        for name in names:
            found = detect_frame(rows.select([name]).replace_schema_metadata(None))
            lock = next((lock for lock in found.locks if lock.name == "digits"), None)
            if lock is not None and lock.of >= _ENOUGH and not lock.found:
                digits = f"{lock.hits} of {lock.of} digits"
                told = f"{table.name}.{name}: does not carry the statistical mark ({digits})"
                yield Finding("warning", "mark.digits", table.name, name, lock.of - lock.hits, told)


def _check_leaks(dataset: Dataset) -> Iterator[Finding]:
    # Imported late: the leak test brings statistics that a plain check of tables does not need.
    from rarecase.common.evaluate.leaks import leak_findings

    yield from leak_findings(dataset)
