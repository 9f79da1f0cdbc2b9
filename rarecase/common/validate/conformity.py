"""Whether the columns there are the columns declared, in number, name and type."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.types as pt

from rarecase.common.errors import Finding
from rarecase.common.schema import Column
from rarecase.common.schema.arrow import arrow_type
from rarecase.common.validate.sources import Piece, Source


def conform(source: Source) -> None:
    """Set aside files that do not open, note columns missing, unexpected or of the wrong type."""
    missing = [piece for piece in source.pieces if piece.path is not None and not piece.path.exists()]
    source.set_aside(missing, "file.missing")
    source.set_aside([piece for piece in source.pieces if not _opens(piece)])
    usable = {column.name: column for column in source.table.columns}
    for piece in source.pieces:
        for rule, name, message in _differences(source, piece):
            if rule != "schema.extra_column":
                usable.pop(name, None)
            source.finding(rule, name, 1, message, () if piece.path is None else (str(piece.path),))
    source.usable = tuple(usable.values())
    source.findings = _merged(source)


def _opens(piece: Piece) -> bool:
    try:
        if piece.format == "parquet":
            return piece.schema is not None
        return piece.path is None or _header(piece) is not None
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return False


def _header(piece: Piece) -> list[str] | None:
    """Names in the first line of a CSV file; a JSON Lines file names its columns in every row."""
    assert piece.path is not None
    with piece.path.open(encoding="utf-8", newline="") as lines:
        first = next(csv.reader(lines), None)
    return first if piece.format == "csv" else [] if first is None else first


def _differences(source: Source, piece: Piece) -> Iterator[tuple[str, str, str]]:
    found = piece.schema
    if found is None and piece.format == "jsonl":
        return
    names = list(found.names) if found is not None else (_header(piece) or [])
    for column in source.table.columns:
        if column.name not in names:
            yield "schema.missing_column", column.name, "the column is missing"
        elif found is not None and not is_of(column, found.field(column.name).type):
            got = found.field(column.name).type
            yield "schema.type", column.name, f"is {got}, expected {arrow_type(column)}"
    for name in names:
        if name not in source.table.names:
            yield "schema.extra_column", name, "the column is not declared"


def is_of(column: Column, found: pa.DataType) -> bool:
    """Whether an Arrow type stores the column's type; text may be of any width and dictionary-encoded."""
    if column.type in ("string", "category"):
        plain = found.value_type if pt.is_dictionary(found) else found
        return bool(pt.is_string(plain) or pt.is_large_string(plain) or pt.is_string_view(plain))
    return bool(found == arrow_type(column))


def _merged(source: Source) -> list[Finding]:
    """One finding for the same fault in many files."""
    groups: dict[tuple[str, str | None, str], list[Finding]] = {}
    for finding in source.findings:
        groups.setdefault((finding.rule, finding.column, finding.message), []).append(finding)
    return [
        replace(
            group[0],
            count=sum(finding.count for finding in group),
            examples=tuple(example for finding in group for example in finding.examples)[:3],
        )
        for group in groups.values()
    ]
