"""What a written set holds now: hashes of its files, and logical digests of its rows, part by part."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from rarecase.common.dataset import Dataset
from rarecase.common.digest import combine, table_digest
from rarecase.common.errors import DatasetError, Finding
from rarecase.common.sinks.files import hash_file, read_files

_AT_ONCE = 4  # parts of one table in memory


@dataclass(frozen=True)
class Reread:
    """The rows of one table as they are now, part by part.

    Attributes
    ----------
    rows, logical
        Per part, in the order of the parts; a database that holds too many rows has one part more.
    """

    rows: tuple[int, ...]
    logical: tuple[str, ...]

    @property
    def entry(self) -> dict[str, Any]:
        """The table's entry of a manifest."""
        return {"rows": sum(self.rows), "part_rows": list(self.rows), "logical": combine(self.logical)}


def reread(dataset: Dataset, whole: Sequence[str]) -> dict[str, Reread | None]:
    """Read some tables of a written set again.

    Parameters
    ----------
    dataset
        In a directory or a database; memory holds a few parts of one table.
    whole
        Tables to read.

    Returns
    -------
    dict
        None for a table that cannot be read to its end.
    """
    return {name: _table(dataset, name) for name in whole}


def _table(dataset: Dataset, name: str) -> Reread | None:
    declared = dataset.domain.schema[name]
    try:
        if dataset.path is None:
            counts = dataset.manifest["tables"][name]["part_rows"]
            found = [(part.num_rows, table_digest(part, declared)) for part in dataset.slices(name, counts)]
        else:
            storage = dataset.manifest["storage"]

            def read(path: Path) -> tuple[int, str]:
                part = read_files([path], storage, declared)
                return part.num_rows, table_digest(part, declared)

            with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
                found = list(pool.map(read, dataset.files_of(name)))
    except (DatasetError, pa.ArrowException, ValueError):
        return None
    return Reread(tuple(rows for rows, _ in found), tuple(digest for _, digest in found))


def file_findings(root: Path, listed: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Files that are missing or have other bytes than the manifest says."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for finding in pool.map(lambda file: _file_finding(root, file), listed.values()):
            if finding is not None:
                yield finding


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
