"""A directory of files: whole, or plainly not whole, whenever it is cut off.

    OUT/.rarecase/begun.json            first: what is being made; a later run must agree with it
    OUT/spec.yaml
    OUT/<table>/part-00000.parquet      each under a temporary name, then renamed
    OUT/.rarecase/receipts/part-00000.json    after all files of the part, with their hashes
    OUT/manifest.json                   last; then the signature, and .rarecase goes

What a killed run leaves is trusted only as far as a receipt vouches for it, hash by hash. Files reach the
disk (fsync) before the manifest does, once, at the end: receipts need no such care, since they are checked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rarecase.common import manifest as sealed
from rarecase.common.atomic import in_words, replace_atomically, to_disk, write_atomically
from rarecase.common.errors import TargetError
from rarecase.common.provenance import documents, signing
from rarecase.common.receipts import FileRecord, Receipt
from rarecase.common.sinks.files import hash_file, write_file
from rarecase.common.sinks.state import State, stamp_of
from rarecase.common.spec import dump_spec

if TYPE_CHECKING:
    from rarecase.common.domain import Domain
    from rarecase.common.plan import Plan

LOG = "run.log.json"
_SYNCS = 8


class DirectorySink:
    """Writes one world into a directory; its `write` may run in many threads, processes or hosts at once.

    Parameters
    ----------
    path : the directory of this world
    domain : whose schema is written
    format : ``parquet``, ``csv`` or ``jsonl``
    twin : this is the twin world, below another directory that holds the lock
    with_twin : a twin world will stand beside this one
    resume, overwrite : what to do with what is there; neither: refuse it
    """

    parallel_write = True

    def __init__(
        self,
        path: Path,
        *,
        domain: Domain,
        format: str = "parquet",
        twin: bool = False,
        with_twin: bool = False,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.path, self.location, self.format = path, str(path), format
        self.schema = domain.schema
        self.twin, self.with_twin = twin, with_twin
        self.resume, self.overwrite = resume, overwrite
        self._identity: dict[str, Any] = {}
        self._stamp = ""
        self._state = State(path)
        self._new: list[Path] = []

    def __getstate__(self) -> dict[str, Any]:
        # The lock belongs to the process that began the load, never to its workers.
        return {**self.__dict__, "_state": State(self.path), "_new": []}

    @property
    def whole(self) -> bool:
        """Whether the manifest is there: nothing is left to make."""
        return (self.path / sealed.NAME).is_file()

    def begin(self, plan: Plan) -> tuple[Receipt, ...]:
        """Claim the directory, settle what is in it, write down what is begun."""
        world = "twin" if self.twin else "main"
        self._identity = sealed.identity(plan, self.format, world=world, with_twin=self.with_twin)
        self._stamp = stamp_of(self._identity)
        with in_words(self.path):
            self._state.check_place(resume=self.resume, overwrite=self.overwrite)
            try:
                self._new = _make_directories(self.path)
                self._state.claim()
                return self._settle(plan)
            except BaseException:
                self.abort()
                raise

    def _settle(self, plan: Plan) -> tuple[Receipt, ...]:
        if self.overwrite or self._state.clearing:
            self._state.clear()
        if self.whole or self._state.begun:
            if not self.resume:
                raise TargetError(
                    "target", str(self.path), "a path where nothing is yet; a run has just written it"
                )
            self._state.check_agrees(self._identity)
        if self.whole:
            return ()
        self._state.begin(self._identity, self.schema.names)
        write_atomically(self.path / "spec.yaml", dump_spec(plan.spec).encode())
        for name in self.schema.names:
            (self.path / name).mkdir(exist_ok=True)
        return self._trusted(plan.parts)

    def _trusted(self, parts: int) -> tuple[Receipt, ...]:
        """The receipts whose files are all there, byte for byte; what vouches for nothing is removed."""
        found = [receipt for receipt in self._state.receipts(self._stamp) if 0 <= receipt.part < parts]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            good = list(pool.map(self._holds, found))
        kept = tuple(receipt for receipt, holds in zip(found, good) if holds)
        self._state.keep_receipts({receipt.part for receipt in kept})
        self._state.remove_temporary()
        self._remove_unvouched({file.path for receipt in kept for file in receipt.files})
        return kept

    def _holds(self, receipt: Receipt) -> bool:
        if {file.table for file in receipt.files} != set(self.schema.names):
            return False
        return all(_matches(self.path / file.path, file) for file in receipt.files)

    def _remove_unvouched(self, vouched: set[str]) -> None:
        for name in self.schema.names:
            for file in (self.path / name).glob("part-*"):
                if f"{name}/{file.name}" not in vouched:
                    file.unlink()

    def write(self, receipt: Receipt, tables: Mapping[str, pa.Table]) -> Receipt:
        """Write every table of a part, then its receipt."""
        with in_words(self.path):
            files = tuple(self._write_table(receipt.part, name, tables[name]) for name in self.schema.names)
            whole = Receipt(receipt.part, receipt.rows, receipt.logical, files)
            self._state.write_receipt(whole, self._stamp)
            return whole

    def _write_table(self, part: int, name: str, table: pa.Table) -> FileRecord:
        path = f"{name}/part-{part:05d}.{self.format}"

        def fill(temporary: Path) -> tuple[str, int]:
            return write_file(temporary, self.format, table, self.schema[name])

        digest, length = replace_atomically(self.path / path, fill)
        return FileRecord(path, digest, length, table.num_rows, name)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the documents, bring everything to the disk, then the manifest; sign; clear away."""
        with in_words(self.path):
            papers = documents.papers(manifest, self.schema)
            for name, content in papers.items():
                write_atomically(self.path / name, content)
            listed = [self._listed(name) for name in sorted(("spec.yaml", *papers))]
            everything = [self.path / file["path"] for file in (*manifest["files"], *listed)]
            with ThreadPoolExecutor(_SYNCS) as pool:  # a disk takes many requests at once
                list(pool.map(to_disk, everything))
            whole = {**manifest, "documents": listed}
            write_atomically(self.path / sealed.NAME, sealed.canonical(whole), durable=True)
            self.tidy()

    def _listed(self, name: str) -> dict[str, Any]:
        digest, length = hash_file(self.path / name)
        return {"path": name, "sha256": digest, "bytes": length}

    def tidy(self) -> None:
        """What follows the manifest: the signature, if a key is given, and the end of the receipts."""
        with in_words(self.path):
            signing.sign_if_asked(self.path)
            self._state.remove_temporary()
            self._state.remove()

    def log(self, facts: Mapping[str, Any]) -> None:
        """Write the run log, which is no part of the set."""
        with in_words(self.path):
            write_atomically(self.path / LOG, sealed.canonical(facts))

    def abort(self) -> None:
        """Keep what a receipt vouches for, for a later ``resume``; without any, remove all that was made."""
        if self._state.owned:
            with suppress(OSError):
                self._state.remove_temporary()
            if not (self.whole or self._state.has_receipts or self._state.found):
                with suppress(OSError):
                    self._state.clear()
                with suppress(OSError):
                    self._state.remove()
            self._state.release()
        for path in reversed(self._new):
            with suppress(OSError):
                path.rmdir()  # only what is empty goes


def _make_directories(path: Path) -> list[Path]:
    """Make a directory and its parents; return those that were not there, outermost first."""
    missing = [parent for parent in (path, *path.parents) if not parent.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _matches(path: Path, file: FileRecord) -> bool:
    try:
        return path.stat().st_size == file.bytes and hash_file(path) == (file.sha256, file.bytes)
    except OSError:
        return False
