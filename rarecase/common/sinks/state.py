"""What a running load keeps in ``.rarecase`` below its directory: a lock, what was begun, and receipts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rarecase.common import manifest as sealed
from rarecase.common.atomic import remove_temporary, write_atomically
from rarecase.common.errors import TargetError
from rarecase.common.receipts import FileRecord, Receipt

DIRECTORY = ".rarecase"
#: Files at the top of a data set, the manifest first: without it the rest is not a whole set.
TOP_FILES = (
    sealed.NAME,
    "manifest.dsse.json",
    "croissant.json",
    "DATACARD.md",
    "run.log.json",
    "spec.yaml",
)
PART_FILE = re.compile(r"part-\d{5,}\.(parquet|csv|jsonl)")
_SAID = {"spec": "the spec", "rarecase": "the version of rarecase", "lock": "the versions of dependencies"}


def stamp_of(identity: Mapping[str, Any]) -> str:
    """One hash for everything that receipts must agree on."""
    return hashlib.sha256(sealed.canonical(identity)).hexdigest()


class State:
    """The directory ``.rarecase`` of one world.

    Attributes
    ----------
    found : bool
        Whether it was there before this load claimed it.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.directory = root, root / DIRECTORY
        self.receipts_directory = self.directory / "receipts"
        self.found = False
        self._lock: int | None = None

    @property
    def owned(self) -> bool:
        """Whether this process holds the lock."""
        return self._lock is not None

    @property
    def begun(self) -> bool:
        """Whether a load got as far as saying what it makes."""
        return (self.directory / "begun.json").is_file()

    @property
    def clearing(self) -> bool:
        """Whether a clearing was cut off."""
        return (self.directory / "clearing").exists()

    @property
    def has_receipts(self) -> bool:
        """Whether any part is vouched for."""
        return any(self.receipts_directory.glob("part-*.json"))

    def check_place(self, *, resume: bool, overwrite: bool) -> None:
        """Refuse a target that exists, unless it is ours and we are told what to do with it."""
        if not os.path.lexists(self.root):
            return
        if not self.root.is_dir():
            raise TargetError(
                "target", str(self.root), "a directory, or a path where nothing is yet; it is a file"
            )
        entries = sorted(os.listdir(self.root))
        if not entries:
            return
        ours = self.directory.is_dir() or _is_manifest(self.root / sealed.NAME)
        if not ours:
            hint = f"It holds {entries[0]!r}, which rarecase did not write; choose another target."
            raise TargetError("target", str(self.root), "a path where nothing is yet", hint=hint)
        if resume or overwrite:
            return
        if _is_manifest(self.root / sealed.NAME):
            hint = "It holds a whole data set; `--overwrite` makes it anew."
        else:
            hint = "It holds an unfinished data set; `--resume` finishes it, `--overwrite` makes it anew."
        raise TargetError("target", str(self.root), "a path where nothing is yet", hint=hint)

    def claim(self) -> None:
        """Take the lock, so that no other run writes here; the system gives it up if we are killed."""
        self.found = self.directory.is_dir()
        path = self.directory / "lock"
        while True:
            self.directory.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _lock(descriptor):
                os.close(descriptor)
                raise TargetError(
                    "target",
                    str(self.root),
                    "a target that no other run is writing",
                    hint="Wait for it to end.",
                )
            # A run that ended meanwhile has removed the file that we now hold.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                self._lock = descriptor
                return
            os.close(descriptor)

    def release(self) -> None:
        """Give the lock up and leave everything else."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def check_agrees(self, identity: Mapping[str, Any]) -> None:
        """Refuse to go on from a load of another spec, version, lock or format."""
        begun = self._left()
        differing = [name for name in identity if begun.get(name) != identity[name]]
        if not differing:
            return
        first = next((name for name in (*_SAID, *differing) if name in differing), differing[0])
        raise TargetError(
            "resume",
            _difference(first, begun.get(first), identity[first]),
            f"{_SAID.get(first, first)} that the load in {self.root} began with",
            hint="Use them again, or make the set anew with `--overwrite`.",
        )

    def _left(self) -> dict[str, Any]:
        for path in (self.root / sealed.NAME, self.directory / "begun.json"):
            with suppress(OSError, ValueError):
                found = json.loads(path.read_bytes())
                if isinstance(found, dict):
                    return found
        return {}

    def begin(self, identity: Mapping[str, Any], tables: Sequence[str]) -> None:
        """Say what is made here, and which tables it has."""
        self.receipts_directory.mkdir(exist_ok=True)
        said = {**identity, "tables": list(tables)}
        write_atomically(self.directory / "begun.json", sealed.canonical(said), durable=True)

    def write_receipt(self, receipt: Receipt, stamp: str) -> None:
        """Vouch for a part whose files are all in place."""
        facts = {**vars(receipt), "files": [vars(file) for file in receipt.files]}
        content = json.dumps({"stamp": stamp, "receipt": facts}).encode()
        write_atomically(self.receipts_directory / f"part-{receipt.part:05d}.json", content)

    def receipts(self, stamp: str) -> Iterator[Receipt]:
        """The receipts that bear this stamp."""
        for path in sorted(self.receipts_directory.glob("part-*.json")):
            with suppress(OSError, ValueError, TypeError, KeyError):
                said = json.loads(path.read_bytes())
                if said["stamp"] == stamp:
                    facts = said["receipt"]
                    files = tuple(FileRecord(**file) for file in facts["files"])
                    yield Receipt(int(facts["part"]), facts["rows"], facts["logical"], files)

    def keep_receipts(self, parts: set[int]) -> None:
        """Remove every other receipt."""
        kept = {f"part-{part:05d}.json" for part in parts}
        for path in self.receipts_directory.glob("part-*.json"):
            if path.name not in kept:
                path.unlink()

    def remove_temporary(self) -> None:
        """Remove what killed writers left."""
        for directory in (self.root, self.directory, self.receipts_directory):
            remove_temporary(directory)
        for directory in self.root.iterdir() if self.root.is_dir() else ():
            if directory.is_dir() and directory.name != "twin":
                remove_temporary(directory)

    def clear(self) -> None:
        """Remove a data set, the manifest first; what rarecase did not write stays.

        A marker that names the tables stands while this goes on: a later run finishes what was cut off.
        """
        marker = self.directory / "clearing"
        if not marker.exists():
            write_atomically(marker, sealed.canonical(list(self._left().get("tables", ()))))
        names = json.loads(marker.read_bytes())
        _clear_world(self.root, names)
        twin = self.root / "twin"
        if twin.is_dir():
            _clear_world(twin, names)
            State(twin).remove()
            with suppress(OSError):
                twin.rmdir()
        for path in sorted(self.receipts_directory.glob("*")):
            path.unlink()
        (self.directory / "begun.json").unlink(missing_ok=True)
        marker.unlink()

    def remove(self) -> None:
        """Remove the directory, the lock last."""
        for path in sorted(self.receipts_directory.glob("*")):
            path.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            self.receipts_directory.rmdir()
        for name in ("clearing", "begun.json", "lock"):
            (self.directory / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.directory.rmdir()
        self.release()


def _clear_world(root: Path, tables: Sequence[str]) -> None:
    for name in TOP_FILES:
        (root / name).unlink(missing_ok=True)
    for directory in (root / name for name in tables):
        remove_temporary(directory)
        for file in directory.glob("part-*"):
            if PART_FILE.fullmatch(file.name):
                file.unlink()
        with suppress(OSError):
            directory.rmdir()
    remove_temporary(root)


def _is_manifest(path: Path) -> bool:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        return isinstance(found, dict) and "manifest" in found and "plan" in found
    return False


def _difference(name: str, then: Any, now: Any) -> str:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            if then.get(key) != now.get(key):
                return _difference(f"{name}.{key}", then.get(key), now.get(key))
    return f"{name}: {then!r} then, {now!r} now"


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
