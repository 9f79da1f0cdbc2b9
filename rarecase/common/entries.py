"""Whether a manifest says what follows from its spec and its rows, entry by entry."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.errors import Finding, Level
from rarecase.common.manifest import LOCKED, build_manifest, canonical, tables_digest
from rarecase.common.plan import Plan
from rarecase.common.provenance import documents
from rarecase.common.reread import Reread
from rarecase.common.spec import dump_spec

# What cannot be known again (versions), and what is judged file by file or table by table.
_ELSEWHERE = frozenset({"lock", "rarecase", "files", "documents", "tables", "rows", "logical"})
_ENOUGH = 8  # differences that are told one by one


def rebuilt(dataset: Dataset, plan: Plan) -> dict[str, Any]:
    """The manifest that follows from the spec: all but versions, rows and files."""
    said = dataset.manifest
    with_twin = said["twin"] is not None
    world = "main" if plan.placements or with_twin else said["world"]  # a twin has no cases
    return build_manifest(plan, (), said["storage"], world=world, with_twin=with_twin, twin=said["twin"])


def entry_findings(said: Mapping[str, Any], meant: Mapping[str, Any]) -> Iterator[Finding]:
    """Entries of a manifest that do not follow from its spec."""
    meant = json.loads(canonical(meant))  # as it would have been read
    found = [
        difference
        for name in sorted({*said, *meant} - _ELSEWHERE)
        for difference in _differences(name, said.get(name), meant.get(name))
    ]
    for where, there, expected in found[:_ENOUGH]:
        message = f"{where} is {_shown(there)} in the manifest; from its spec follows {_shown(expected)}"
        yield Finding("error", "manifest.entry", None, None, 1, message, (where,))
    if len(found) > _ENOUGH:
        message = f"{len(found) - _ENOUGH} more entries of the manifest do not follow from its spec"
        yield Finding("error", "manifest.entry", None, None, len(found) - _ENOUGH, message)


def table_findings(
    said: Mapping[str, Any], found: Mapping[str, Reread | None], damaged: frozenset[str]
) -> Iterator[Finding]:
    """Tables whose rows are not those that the manifest vouches for, and totals that are not their sum."""
    for name, entry in said["tables"].items():
        now = found.get(name)
        if name in damaged:
            continue
        if now is None:
            message = f"{name} cannot be read in the types of the schema"
            yield Finding("error", "manifest.unreadable", name, None, 1, message)
        elif now.entry["rows"] != entry["rows"]:
            message = f"{name} has {now.entry['rows']:,} rows, the manifest says {entry['rows']:,}"
            yield Finding(
                "error", "manifest.rows", name, None, abs(now.entry["rows"] - entry["rows"]), message
            )
        elif now.entry != entry:
            order = "" if said["files"] else ", or has them in another order"
            message = f"{name} holds other rows than the manifest vouches for{order} (logical digest)"
            yield Finding("error", "manifest.logical", name, None, entry["rows"], message)
    yield from _total_findings(said)


def _total_findings(said: Mapping[str, Any]) -> Iterator[Finding]:
    totals = {
        "rows": sum(table["rows"] for table in said["tables"].values()),
        "logical": tables_digest(said["tables"]),
    }
    for name, meant in totals.items():
        if said[name] != meant:
            message = (
                f"{name} is {_shown(said[name])} in the manifest; from its tables follows {_shown(meant)}"
            )
            yield Finding("error", "manifest.entry", None, None, 1, message, (name,))


def listing_findings(dataset: Dataset, parts: int) -> Iterator[Finding]:
    """Files that the manifest of a directory should list and does not, or the other way round."""
    said = dataset.manifest
    listed = [file["path"] for file in said["files"]]
    names, form = dataset.domain.schema.names, said["storage"]
    meant = {f"{name}/part-{part:05d}.{form}" for name in names for part in range(parts)}
    wrong = sorted(meant ^ set(listed)) or sorted({path for path in listed if listed.count(path) > 1})
    if wrong:
        message = (
            f"the manifest's list of files is not that of its spec: {len(wrong)} differ, such as {wrong[0]}"
        )
        yield Finding("error", "manifest.files", None, None, len(wrong), message, tuple(wrong[:3]))
    yield from _file_rows(said)


def _file_rows(said: Mapping[str, Any]) -> Iterator[Finding]:
    rows: dict[str, list[int]] = {name: [] for name in said["tables"]}
    for file in sorted(said["files"], key=lambda file: (len(file["path"]), file["path"])):
        rows[file["table"]].append(file["rows"])
    for name, counts in rows.items():
        if counts != said["tables"][name]["part_rows"]:
            message = f"{name}: the manifest's files have other rows than its parts"
            yield Finding("error", "manifest.files", name, None, 1, message)


def document_findings(
    dataset: Dataset, meant: Mapping[str, Any], found: Mapping[str, Reread | None]
) -> Iterator[Finding]:
    """Documents that tell something else than the set, though the manifest has their hash."""
    said = dataset.manifest
    tables = {name: now.entry for name, now in found.items() if now is not None}
    if set(tables) != set(said["tables"]):
        return  # damage is told already, and papers tell of whole sets
    totals = {"rows": sum(entry["rows"] for entry in tables.values()), "logical": tables_digest(tables)}
    # In the order in which they were written, which the card keeps.
    lock = {name: said["lock"][name] for name in ("python", *LOCKED) if name in said["lock"]}
    kept = {"lock": lock, "rarecase": said["rarecase"], "files": said["files"]}
    papers = documents.papers({**meant, **kept, **totals, "tables": tables}, dataset.domain.schema)
    papers["spec.yaml"] = dump_spec(dataset.spec).encode()
    # Another version may have other words.
    level: Level = "error" if said["rarecase"] == rarecase.__version__ else "warning"
    listed = {file["path"]: file["sha256"] for file in said["documents"]}
    for name in sorted({*papers, *listed}):
        digest = hashlib.sha256(papers[name]).hexdigest() if name in papers else None
        if listed.get(name) != digest:
            message = f"{name}: the manifest vouches for another document than follows from the set"
            yield Finding(level, "manifest.document", None, None, 1, message, (name,))


def _differences(where: str, there: Any, meant: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(there, dict) and isinstance(meant, dict):
        for name in sorted({*there, *meant}):
            yield from _differences(f"{where}.{name}", there.get(name), meant.get(name))
    elif isinstance(there, list) and isinstance(meant, list) and len(there) == len(meant):
        for place, (one, other) in enumerate(zip(there, meant)):
            yield from _differences(f"{where}[{place}]", one, other)
    elif not _equal(there, meant):
        yield where, there, meant


def _equal(there: Any, meant: Any) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (there, meant)]
    if all(numbers):
        # A last bit that differs between processors is no difference.
        return math.isclose(there, meant, rel_tol=1e-9) if isinstance(meant, float) else bool(there == meant)
    return type(there) is type(meant) and bool(there == meant)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
