"""Whether a written set is still what its manifest sealed, and whether it can be made again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import rarecase
from rarecase.common import run
from rarecase.common.dataset import Dataset
from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import Finding, Findings, InputError, Level
from rarecase.common.manifest import NAME, lock
from rarecase.common.plan import make_plan
from rarecase.common.provenance.signing import ENVELOPE, signature_findings
from rarecase.common.sinks.base import scheme
from rarecase.common.sinks.directory import LOG
from rarecase.common.sinks.files import hash_file
from rarecase.common.sinks.state import DIRECTORY

_BESIDE = frozenset({NAME, ENVELOPE, LOG})


def verify(
    path: str | os.PathLike[str],
    public_key: str | os.PathLike[str] | None = None,
    *,
    regenerate: bool = False,
    workers: int | None = None,
) -> Findings:
    """Check a data set against its manifest.

    Parameters
    ----------
    path
        A directory or a database address. A directory's files are hashed; a database's rows are counted.
    public_key
        The PEM file of the Ed25519 key that must have signed the set.
    regenerate
        Make the set again from the manifest's spec and compare logical digests, and for a directory made
        with the same versions also the bytes.
    workers
        For making it again.

    Raises
    ------
    DatasetError
        When there is no whole set at `path`.
    InputError
        When the public key cannot be used.
    """
    dataset = open_dataset(path)
    findings: list[Finding] = []
    if scheme(path) is not None:
        if public_key is not None:
            raise InputError(
                "public_key", str(public_key), "a data set in a directory: only those are signed"
            )
        findings += _row_findings(dataset)
    for world in (dataset, dataset.twin):
        if world is not None and world.path is not None:
            findings += _file_findings(world)
            findings += signature_findings(world.path, None if public_key is None else Path(public_key))
    if regenerate:
        findings += _again(dataset, workers)
    return Findings(findings)


def _row_findings(dataset: Dataset) -> Iterator[Finding]:
    for name, said in dataset.manifest["tables"].items():
        rows = dataset.table(name).num_rows
        if rows != said["rows"]:
            message = f"{name} has {rows:,} rows, the manifest says {said['rows']:,}"
            yield Finding("error", "manifest.rows", name, None, abs(rows - said["rows"]), message)


def _file_findings(dataset: Dataset) -> Iterator[Finding]:
    root = dataset.path
    assert root is not None
    listed = {file["path"]: file for file in (*dataset.manifest["files"], *dataset.manifest["documents"])}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for finding in pool.map(lambda file: _file_finding(root, file), listed.values()):
            if finding is not None:
                yield finding
    yield from _unexpected(root, set(listed))


def _file_finding(root: Path, file: Mapping[str, Any]) -> Finding | None:
    table, name = file.get("table"), (str(root / file["path"]),)
    try:
        digest, length = hash_file(root / file["path"])
    except OSError as error:
        message = f"{file['path']} cannot be read: {error.strerror}"
        return Finding("error", "manifest.missing", table, None, 1, message, name)
    if (digest, length) != (file["sha256"], file["bytes"]):
        what = "other bytes" if length == file["bytes"] else f"{length:,} bytes instead of {file['bytes']:,}"
        return Finding("error", "manifest.hash", table, None, 1, f"{file['path']} has {what}", name)
    return None


def _unexpected(root: Path, listed: set[str]) -> Iterator[Finding]:
    """Files that the manifest does not name: an error beside a table's parts, elsewhere worth a word."""
    tables = {path.partition("/")[0] for path in listed if "/" in path}
    strange: dict[Level, list[str]] = {"error": [], "warning": []}
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        top = path.partition("/")[0]
        if file.is_file() and path not in listed | _BESIDE and top not in ("twin", DIRECTORY):
            strange["error" if top in tables else "warning"].append(path)
    for level, paths in strange.items():
        if paths:
            message = f"{len(paths)} files that the manifest does not name, such as {paths[0]}"
            yield Finding(level, "manifest.unexpected", None, None, len(paths), message, tuple(paths[:3]))


def _again(dataset: Dataset, workers: int | None) -> Iterator[Finding]:
    """Make the set again and compare."""
    manifest = dataset.manifest
    same = manifest["lock"] == lock() and manifest["rarecase"] == rarecase.__version__
    if not same:
        message = "made with other versions: bytes are not compared, and digests may differ for that reason"
        yield Finding("warning", "again.versions", None, None, 1, message)
    if make_plan(dataset.spec).digest != manifest["plan"]:
        yield Finding("error", "again.plan", None, None, 1, "the spec leads to another plan than it did then")
    # On disk even for a database: memory must stay flat here too.
    storage = manifest["storage"] if dataset.path is not None else "parquet"
    beside = (
        dataset.path.parent if dataset.path is not None and os.access(dataset.path.parent, os.W_OK) else None
    )
    with tempfile.TemporaryDirectory(prefix=".rarecase-again-", dir=beside) as place:
        other = run.generate(
            dataset.spec, Path(place) / "set", format=storage, workers=workers, twin=dataset.twin is not None
        )
        pairs = [(dataset, other), (dataset.twin, other.twin)]
        for then, now in pairs:
            if then is not None and now is not None:
                yield from _differences(then, now, same_bytes=same and dataset.path is not None)


def _differences(then: Dataset, now: Dataset, *, same_bytes: bool) -> Iterator[Finding]:
    for name, digest in then.digests.items():
        if now.digests[name] != digest:
            message = f"{name} made again says something else ({then.manifest['world']} world)"
            yield Finding("error", "again.logical", name, None, 1, message)
    hashes = {file["path"]: file["sha256"] for file in now.manifest["files"]}
    for file in then.manifest["files"] if same_bytes else ():
        if hashes.get(file["path"]) != file["sha256"]:
            message = f"{file['path']} made again has other bytes: another class of processor, or edits"
            yield Finding("warning", "again.bytes", file["table"], None, 1, message, (file["path"],))
