"""What the three database sinks share: names, the manifest table, and errors in the user's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from rarecase.common.errors import (
    CheckError,
    DatasetError,
    Finding,
    Findings,
    RarecaseError,
    TargetError,
)
from rarecase.common.manifest import canonical
from rarecase.common.schema import Schema, Table, arrow_schema
from rarecase.common.schema.constraints import Dialect
from rarecase.common.schema.sql import qualified
from rarecase.common.sinks.files import cast

ROWS_AT_ONCE = 1 << 17  # of a stream
MANIFEST_TABLE = "rarecase_manifest"
MANIFEST, SPEC, TABLES = "manifest.json", "spec.yaml", "tables.json"


def namespace(domain: str, twin: bool) -> str:
    """The schema of a domain's world in a database, or the prefix of its tables."""
    return f"{domain}_twin" if twin else domain


def check_count(table: str, given: int, found: int) -> None:
    """RarecaseError unless a database holds as many rows as it was given; some have lost rows in silence."""
    if given != found:
        raise RarecaseError(f"table {table}: {given:,} rows were loaded, but the database holds {found:,}")


def stale_twin(domain: str, twin: bool, overwrite: bool, manifest: Mapping[str, Any]) -> str | None:
    """The twin of a world that is being replaced by one without a twin, which it would not match."""
    stale = overwrite and not twin and manifest.get("twin") is None
    return namespace(domain, True) if stale else None


def create_manifest(dialect: Dialect, space: str) -> str:
    """The statement that creates the table of manifest and spec."""
    name = qualified(MANIFEST_TABLE, dialect, space)
    return f"CREATE TABLE {name} (name TEXT NOT NULL PRIMARY KEY, content TEXT NOT NULL)"


def manifest_rows(schema: Schema, spec: str, manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of that table: the manifest, the spec, and which tables belong to the set."""
    return [
        (MANIFEST, canonical(manifest).decode()),
        (SPEC, spec),
        (TABLES, json.dumps([*(table.name for table in reversed(schema.ordered())), MANIFEST_TABLE])),
    ]


def recorded_tables(content: str) -> list[str]:
    """The tables of a set already there, referring ones first, so that they can be dropped in this order."""
    names: list[str] = json.loads(content)
    return names


def read_manifest(content: Sequence[str], shown: str) -> dict[str, Any]:
    """The manifest from the rows that should be one.

    Raises
    ------
    DatasetError : if there is none, or it is no JSON
    """
    try:
        manifest: dict[str, Any] = json.loads(content[0])
    except (IndexError, ValueError, RecursionError):
        raise DatasetError("dataset", shown, f"a sealed manifest in {MANIFEST_TABLE}") from None
    return manifest


def whole(table: Table, rows: pa.Table) -> pa.Table:
    """Rows as a database gave them, in the Arrow types of the declaration."""
    declared = arrow_schema(table)
    return pa.Table.from_arrays([cast(rows[field.name], field.type) for field in declared], schema=declared)


def refuse_existing(shown: str, space: str, *, ours: bool, overwrite: bool) -> None:
    """TargetError for a schema that is there already, unless it is ours and may be overwritten."""
    if not ours:
        raise TargetError(
            "target",
            shown,
            f"a database without tables named {space}",
            hint=f"There is a {space} that rarecase did not make, or did not finish; it is left as it is.",
        )
    if not overwrite:
        raise TargetError(
            "target", shown, f"a database without {space}", hint="Use --overwrite to replace what is there."
        )


def one_namespace(shown: str, found: Iterable[str], domain: str | None, twin: bool) -> str:
    """Which of the namespaces found in a database is meant.

    Raises
    ------
    DatasetError : if there is none, or several and no domain is named
    """
    worlds = sorted(found)
    if domain is not None:
        wanted = namespace(domain, twin)
        if wanted not in worlds:
            raise DatasetError("dataset", shown, f"a database with {wanted}", hint=_there(worlds))
        return wanted
    fit = [name for name in worlds if name.endswith("_twin") == twin]
    if len(fit) != 1:
        wanted = "one data set" + (" with a twin" if twin else "")
        hint = _there(worlds) + (" Choose one by its domain: `--domain NAME`." if len(fit) > 1 else "")
        raise DatasetError("dataset", shown, f"a database with {wanted} of rarecase", hint=hint)
    return fit[0]


def _there(worlds: Sequence[str]) -> str:
    return f"It holds {', '.join(worlds)}." if worlds else "It holds none."


def missing_driver(package: str, extra: str, shown: str) -> TargetError:
    """The error for a driver that is not installed."""
    hint = f"Install it: pip install 'rarecase[{extra}]'"
    return TargetError("target", shown, f"the driver {package}, which is not installed", hint=hint)


def breach(rule: str, table: str | None, count: int, message: str, *examples: str) -> CheckError:
    """The error for rows that break a law of the schema, found by a database."""
    return CheckError(Findings([Finding("error", rule, table, None, count, message, examples)]))


def file_trouble(shown: str, message: str) -> TargetError | None:
    """The TargetError for what an embedded database says of its file, or None for other troubles."""
    said = next(iter(message.strip().splitlines()), "")
    lower = message.lower()
    for marks, expected, hint in _FILE_TROUBLES:
        if any(mark in lower for mark in marks):
            return TargetError("target", shown, expected, hint=hint or f"The database says: {said}")
    return None


_NOTHING = "Nothing was left behind."
_FILE_TROUBLES: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (
        ("no space left", "disk is full", "file too large"),
        "room on the disk",
        f"The disk is full. {_NOTHING}",
    ),
    (("database is locked", "lock on file", "busy"), "a file that no other program holds open", None),
    (("permission denied", "readonly", "read-only", "unable to open"), "a file that may be written", None),
    (("not a valid duckdb", "not a database", "malformed"), "a database file of this kind", None),
)
