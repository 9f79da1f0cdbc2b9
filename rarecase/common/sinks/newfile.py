"""A new file under a temporary name, which gets its own name when it is whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from rarecase.common.atomic import to_disk
from rarecase.common.errors import TargetError

# What DuckDB and SQLite put beside a file while they write it.
_COMPANIONS = ("", ".wal", "-journal", "-wal", "-shm")
_SPILL = ".tmp"  # DuckDB's directory for what does not fit into memory


class NewFile:
    """The temporary file of one load, held by a lock so that a second load of the same target is told off.

    A load that was killed leaves the temporary file without its lock; the next load removes it.

    Raises
    ------
    TargetError : if the directory is missing or unwritable, or another load holds the file
    """

    def __init__(self, path: Path, shown: str) -> None:
        self.path, self._shown = path, shown
        self.temporary = path.with_name(f".{path.name}.loading")
        self._guard = path.with_name(f".{path.name}.lock")
        self._lock = self._take()
        self._remove_temporary()

    def _take(self) -> int:
        try:
            lock = os.open(self._guard, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused(error, self.path, self._shown) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.fstat(lock).st_nlink > 0  # else its last holder has just removed it
        except OSError:
            held = False
        if not held:
            os.close(lock)
            hint = "Another load of it is running."
            raise TargetError("target", self._shown, "a file that nobody else is making", hint=hint)
        return lock

    def commit(self) -> None:
        """Give the file its name, durably, unless a file of that name came into being meanwhile."""
        try:
            to_disk(self.temporary)
            try:
                os.link(self.temporary, self.path)
            except FileExistsError:
                hint = "It came into being during the load and is left as it is."
                raise TargetError("target", self._shown, "a file that does not exist", hint=hint) from None
            except OSError:  # a file system without hard links
                os.replace(self.temporary, self.path)
            self._release()
            to_disk(self.path.parent)
        except OSError as error:
            raise refused(error, self.path, self._shown) from None

    def discard(self) -> None:
        """Remove the temporary file; harmless when repeated or after `commit`."""
        if self._lock >= 0:
            self._release()

    def _release(self) -> None:
        self._remove_temporary()
        # The name goes before the lock, or another load could hold a lock on a file without a name.
        with contextlib.suppress(OSError):
            self._guard.unlink()
        os.close(self._lock)
        self._lock = -1

    def _remove_temporary(self) -> None:
        remove(self.temporary)


def remove(path: Path) -> None:
    """Remove a database file and what its engine may have put beside it."""
    for companion in _COMPANIONS:
        with contextlib.suppress(OSError):
            os.unlink(f"{path}{companion}")
    shutil.rmtree(f"{path}{_SPILL}", ignore_errors=True)


def refused(error: OSError, path: Path, shown: str) -> TargetError:
    """The TargetError for what the operating system says of a file."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = f"Make it first: mkdir -p {path.parent}"
        return TargetError("target", shown, f"an existing directory {path.parent}", hint=hint)
    return TargetError(
        "target", shown, "a file that may be written", hint=f"The system says: {error.strerror}."
    )
