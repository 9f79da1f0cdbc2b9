"""Whether a written set is still what its manifest sealed, and whether it can be made again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import rarecase
from rarecase.common import entries, run
from rarecase.common.dataset import Dataset
from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import DatasetError, Finding, Findings, InputError, Level
from rarecase.common.manifest import NAME, lock
from rarecase.common.plan import make_plan, twin_of
from rarecase.common.provenance.signing import ENVELOPE, signature_findings
from rarecase.common.reread import Reread, file_findings, reread
from rarecase.common.sinks.base import scheme
from rarecase.common.sinks.directory import LOG
from rarecase.common.sinks.state import DIRECTORY

_BESIDE = frozenset({NAME, ENVELOPE, LOG})


def verify(
    path: str | os.PathLike[str],
    public_key: str | os.PathLike[str] | None = None,
    *,
    regenerate: bool = False,
    workers: int | None = None,
    domain: str | None = None,
) -> Findings:
    """Check a data set, and its twin, against its manifest, and the manifest against its spec.

    Files are hashed; the rows of every table, in files or a database, are read and digested; every entry of
    the manifest that follows from the spec is made again.

    Parameters
    ----------
    path
        A directory or a database address.
    public_key
        The PEM file of the Ed25519 key that must have signed the set.
    regenerate
        Make the set again from the manifest's spec and compare logical digests, and for a directory made
        with the same versions also the bytes.
    workers
        For making it again.
    domain
        Which domain of a database that holds several.

    Raises
    ------
    DatasetError
        When there is no whole set at `path`, or its manifest is damaged.
    InputError
        When the public key cannot be used.
    """
    dataset = open_dataset(path, domain=domain)
    if scheme(path) is not None and public_key is not None:
        raise InputError("public_key", str(public_key), "a data set in a directory: only those are signed")
    key = None if public_key is None else Path(public_key)
    twin, findings = _twin(dataset)
    now: list[tuple[Dataset, Mapping[str, Reread | None]]] = []
    for world in (dataset, twin):
        if world is not None:
            found = _Found(world)
            findings += found.findings(key)
            now.append((world, found.tables))
    if regenerate:
        findings += _again(now, workers)
    return Findings(findings)


def _twin(dataset: Dataset) -> tuple[Dataset | None, list[Finding]]:
    """The twin, and whether it is the one that the manifest vouches for."""
    try:
        twin = dataset.twin
    except DatasetError as error:
        message = f"the manifest vouches for a twin that is not there, or not whole: {error}"
        return None, [Finding("error", "twin.missing", None, None, 1, message)]
    if twin is None:
        return None, []
    found = []
    said, there = dataset.manifest["twin"], twin.manifest
    if said != {"logical": there["logical"], "plan": there["plan"]} or there["world"] != "twin":
        message = "the twin there is not the one that the manifest vouches for"
        found.append(Finding("error", "twin.other", None, None, 1, message))
    if twin.spec != twin_of(dataset.spec):
        message = "the spec of the twin is not that of the set without its cases"
        found.append(Finding("error", "twin.spec", None, None, 1, message))
    return twin, found


class _Found:
    """One world as it is now: files, rows, and a manifest made again from its spec."""

    def __init__(self, world: Dataset) -> None:
        self.world = world
        self.listed = {
            str(file["path"]): file for file in (*world.manifest["files"], *world.manifest["documents"])
        } if world.path is not None else {}  # fmt: skip
        self.files = [] if world.path is None else list(file_findings(world.path, self.listed))
        self.damaged = frozenset(finding.table for finding in self.files if finding.table is not None)
        self.tables = reread(world, [name for name in world.domain.schema.names if name not in self.damaged])

    def findings(self, key: Path | None) -> Iterator[Finding]:
        """All that is wrong with this world in itself."""
        world, path = self.world, self.world.path
        plan = make_plan(world.spec)
        meant = entries.rebuilt(world, plan)
        yield from self.files
        yield from entries.table_findings(world.manifest, self.tables, self.damaged)
        yield from entries.entry_findings(world.manifest, meant)
        if path is None:
            return
        yield from entries.listing_findings(world, plan.parts)
        yield from entries.document_findings(world, meant, self.tables)
        twin = frozenset() if world.manifest["twin"] is None else frozenset({"twin"})
        yield from _unexpected(path, set(self.listed), twin | {DIRECTORY})
        yield from signature_findings(path, key)


def _unexpected(root: Path, listed: set[str], beside: frozenset[str]) -> Iterator[Finding]:
    """Files that the manifest does not name: an error beside a table's parts, elsewhere worth a word."""
    tables = {path.partition("/")[0] for path in listed if "/" in path}
    strange: dict[Level, list[str]] = {"error": [], "warning": []}
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        top = path.partition("/")[0]
        if file.is_file() and path not in listed | _BESIDE and top not in beside:
            strange["error" if top in tables else "warning"].append(path)
    for level, paths in strange.items():
        if paths:
            message = f"{len(paths)} files that the manifest does not name, such as {paths[0]}"
            yield Finding(level, "manifest.unexpected", None, None, len(paths), message, tuple(paths[:3]))


def _again(
    worlds: list[tuple[Dataset, Mapping[str, Reread | None]]], workers: int | None
) -> Iterator[Finding]:
    """Make the set again and compare."""
    dataset = worlds[0][0]
    manifest = dataset.manifest
    same = manifest["lock"] == lock() and manifest["rarecase"] == rarecase.__version__
    if not same:
        message = "made with other versions: bytes are not compared, and digests may differ for that reason"
        yield Finding("warning", "again.versions", None, None, 1, message)
    # On disk even for a database: memory must stay flat here too.
    storage = manifest["storage"] if dataset.path is not None else "parquet"
    beside = (
        dataset.path.parent if dataset.path is not None and os.access(dataset.path.parent, os.W_OK) else None
    )
    with tempfile.TemporaryDirectory(prefix=".rarecase-again-", dir=beside) as place:
        other = run.generate(
            dataset.spec, Path(place) / "set", format=storage, workers=workers, twin=len(worlds) > 1
        )
        for (then, found), now in zip(worlds, (other, other.twin)):
            if now is not None:
                yield from _differences(then, found, now, same_bytes=same and dataset.path is not None)


def _differences(
    then: Dataset, found: Mapping[str, Reread | None], now: Dataset, *, same_bytes: bool
) -> Iterator[Finding]:
    """What is there, and what the manifest says, against what was made again."""
    world, differing = then.manifest["world"], set()
    for name, entry in now.manifest["tables"].items():
        rows = found.get(name)
        if then.manifest["tables"][name] != entry or (rows is not None and rows.entry != entry):
            differing.add(name)
            yield _difference(then, now, name, f"({world} world)")
    hashes = {file["path"]: file["sha256"] for file in now.manifest["files"]}
    for file in then.manifest["files"] if same_bytes else ():
        if hashes.get(file["path"]) != file["sha256"] and file["table"] not in differing:
            message = f"{file['path']} made again has other bytes, though it says the same"
            yield Finding("warning", "again.bytes", file["table"], None, 1, message, (file["path"],))


def _difference(then: Dataset, now: Dataset, name: str, world: str) -> Finding:
    rows = _other_rows(then, now, name) if then.path is None else None
    if rows == 0:
        message = f"{name} made again has the same rows in another order, or other digests {world}"
        return Finding("error", "again.logical", name, None, 1, message)
    message = f"{name} made again says something else {world}"
    if rows:
        message += f": {rows:,} rows are on one side only"
    return Finding("error", "again.logical", name, None, rows or 1, message)


def _other_rows(then: Dataset, now: Dataset, name: str) -> int | None:
    """Rows of a database that were not made again, and the other way round; DuckDB spills what is large."""
    with tempfile.TemporaryDirectory(prefix="rarecase-") as place, now.connect() as connection:
        connection.execute(f"SET temp_directory = '{place}'")
        connection.execute(f"CREATE TABLE rows_there AS FROM {name} LIMIT 0")
        for part in then.slices(name, then.manifest["tables"][name]["part_rows"]):
            connection.register("rows_part", part)
            connection.execute("INSERT INTO rows_there FROM rows_part")
            connection.unregister("rows_part")
        one, other = "FROM rows_there", f"FROM {name}"
        both = f"({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one})"
        counted = connection.execute(f"SELECT count(*) FROM ({both})").fetchone()
    return None if counted is None else int(counted[0])
