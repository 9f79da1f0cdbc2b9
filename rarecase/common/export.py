"""From a written data set to documents of a foreign format, or into a database.

A format is a pure function that yields documents; here they are written beside the target, and get its name
together, when the last one is there. ``export.json`` among them says what they are: synthetic, of which data
set, and the hash of each.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import rarecase
from rarecase.common.atomic import in_words, to_disk
from rarecase.common.dataset import Dataset
from rarecase.common.digest import part_digests
from rarecase.common.errors import DatasetError, RarecaseError, TargetError, nearest
from rarecase.common.manifest import build_manifest, canonical
from rarecase.common.plan import make_plan
from rarecase.common.receipts import Receipt
from rarecase.common.sinks.base import open_sink, scheme
from rarecase.common.sinks.files import hash_file, read_files

if TYPE_CHECKING:
    from rarecase.common.domain import Document

DATABASE = "database"
INDEX = "export.json"
Target = str | os.PathLike[str]


def export(dataset: Dataset, form: str, target: Target, *, overwrite: bool = False) -> int:
    """Export a data set.

    Parameters
    ----------
    dataset
        What to export.
    form
        A format of the data set's domain, or ``database``.
    target
        A directory for documents, an address for ``database``.
    overwrite
        Replace an export, or a schema in a database, that rarecase wrote.

    Returns
    -------
    int
        Documents written, or rows loaded over all tables and worlds.

    Raises
    ------
    TargetError
        When there is no such format, or the target exists, is of the wrong kind or cannot be written.
    DatasetError
        When a file of the data set is not as it was written.
    """
    kind = scheme(target)
    if form == DATABASE:
        if kind is None:
            expected = "an address such as duckdb:///file.duckdb, sqlite:///file.db or postgresql://host/db"
            raise TargetError("target", os.fspath(target), expected)
        return load_database(dataset, os.fspath(target), overwrite=overwrite)
    formats = dataset.domain.formats
    if form not in formats:
        known = (*formats, DATABASE)
        raise TargetError("as", form, f"one of {', '.join(known)}", nearest=nearest(form, known))
    if kind is not None:
        raise TargetError("target", f"{kind}://…", "a directory, for documents", hint="Or use --as database.")
    facts = {"format": form, "domain": dataset.domain.name, "dataset": dataset.manifest.get("logical")}
    return write_documents(formats[form].export(dataset), Path(target), facts, overwrite=overwrite)


def write_documents(
    documents: Iterable[Document], target: Path, facts: Mapping[str, Any], *, overwrite: bool = False
) -> int:
    """Write documents into a directory that is there whole or not at all.

    Parameters
    ----------
    documents
        Taken one by one, piece by piece, and let go; their paths are relative and distinct.
    target
        A directory that does not exist, is empty, or holds an earlier export and may be overwritten.
    facts
        What the index says beside the hashes.

    Returns
    -------
    int
        How many were written.
    """
    target = target.absolute()
    with in_words(target):
        _check_target(target, overwrite)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            written = list(_write_all(documents, staging))
            index = {
                "export": 1,
                "synthetic": True,
                "rarecase": rarecase.__version__,
                **facts,
                "files": written,
            }
            (staging / INDEX).write_bytes(canonical(index))
            _put_in_place(staging, target)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    return len(written)


def _check_target(target: Path, overwrite: bool) -> None:
    if not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / INDEX).is_file():
        hint = "There is something that is no export of rarecase; it is left as it is."
        raise TargetError("target", str(target), "a path where nothing is yet", hint=hint)
    if not overwrite:
        hint = "It holds an export; `--overwrite` makes it anew."
        raise TargetError("target", str(target), "a path where nothing is yet", hint=hint)


def _write_all(documents: Iterable[Document], staging: Path) -> Iterator[dict[str, Any]]:
    seen = {INDEX}
    for document in documents:
        inside = PurePosixPath(document.path)
        if inside.is_absolute() or ".." in inside.parts or not inside.parts or document.path in seen:
            raise RarecaseError(f"document path {document.path!r}: expected a new relative path")
        seen.add(document.path)
        path = staging / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as stream:
            for piece in document.pieces():
                stream.write(piece)
                digest.update(piece)
                size += len(piece)
        yield {"path": document.path, "bytes": size, "sha256": digest.hexdigest()}


def _put_in_place(staging: Path, target: Path) -> None:
    """Rename; what was there goes aside first, and comes back if the rename fails."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        os.rename(target, aside)
    try:
        os.rename(staging, target)
    except BaseException:
        with suppress(OSError):
            os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    to_disk(target.parent)


def load_database(dataset: Dataset, address: str, *, overwrite: bool = False) -> int:
    """Load a data set, and its twin where it has one, into a database.

    Returns
    -------
    int
        Rows loaded over all tables and worlds.

    Raises
    ------
    TargetError, DatasetError, CheckError
        See `export`; CheckError where rows break the schema's keys or laws. Nothing is left behind.
    """
    worlds = [(dataset.twin, True)] if dataset.twin is not None else []
    begun = []
    rows = 0
    try:
        for world, twin in (*worlds, (dataset, False)):
            sink = open_sink(address, domain=world.domain, twin=twin, overwrite=overwrite)
            begun.append(sink)
            sink.begin(make_plan(world.spec))
            for receipt, tables in _parts(world):
                sink.write(receipt, tables)
                rows += sum(receipt.rows.values())
            sink.finish({**_full_manifest(world), "storage": scheme(address), "files": []})
    except BaseException:
        for sink in reversed(begun):
            sink.abort()
        raise
    return rows


def _full_manifest(world: Dataset) -> Mapping[str, Any]:
    """The manifest; tables that a caller put together have a short one, which is made whole here."""
    if "plan" in world.manifest:
        return world.manifest
    digests = part_digests(world.tables, world.domain.schema)
    rows = {name: table.num_rows for name, table in world.tables.items()}
    twin = None if world.twin is None else _full_manifest(world.twin)
    receipts = [Receipt(0, rows, digests)]
    return build_manifest(make_plan(world.spec), receipts, "memory", with_twin=twin is not None, twin=twin)


def _parts(world: Dataset) -> Iterator[tuple[Receipt, dict[str, pa.Table]]]:
    """The parts of a written set one by one, so that memory stays flat; of another, all rows as one part."""
    names = world.domain.schema.names
    if world.path is None:
        yield _receipt(0, {name: world.table(name) for name in names})
        return
    by_part: dict[str, list[Mapping[str, Any]]] = {}
    for file in world.manifest["files"]:
        by_part.setdefault(PurePosixPath(file["path"]).stem, []).append(file)
    for number, stem in enumerate(sorted(by_part, key=lambda stem: (len(stem), stem))):
        yield _receipt(number, _read_part(world, world.path, by_part[stem]))


def _receipt(number: int, tables: dict[str, pa.Table]) -> tuple[Receipt, dict[str, pa.Table]]:
    return Receipt(number, {name: table.num_rows for name, table in tables.items()}), tables


def _read_part(world: Dataset, path: Path, files: Iterable[Mapping[str, Any]]) -> dict[str, pa.Table]:
    paths: dict[str, list[Path]] = {name: [] for name in world.domain.schema.names}
    for file in files:
        _check_hash(path / file["path"], file["sha256"])
        paths[file["table"]].append(path / file["path"])
    storage, schema = world.manifest["storage"], world.domain.schema
    return {name: read_files(found, storage, schema[name]) for name, found in paths.items()}


def _check_hash(path: Path, expected: str) -> None:
    """The manifest goes into the database too, and must not vouch for other rows."""
    found = None
    with suppress(OSError):
        found, _ = hash_file(path)
    if found != expected:
        said = "missing" if found is None else "changed since it was written"
        hint = "`rarecase verify` lists the files that changed; `rarecase generate` makes the set again."
        raise DatasetError(str(path), said, "the file that the manifest vouches for", hint=hint)
