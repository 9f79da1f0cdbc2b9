"""Files that are there whole or not at all, and the operating system's refusals in plain words."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from rarecase.common.errors import TargetError

T = TypeVar("T")

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_DIRECTORY = {errno.ENOTDIR, errno.EEXIST}
SUFFIX = ".tmp"


def replace_atomically(path: Path, fill: Callable[[Path], T]) -> T:
    """Let `fill` write a temporary file beside `path`, then rename it; on any failure nothing is left."""
    # Two workers may make the same file (one of them given up for dead): each has a name of its own.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{SUFFIX}")
    try:
        result = fill(temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return result


def write_atomically(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a small file; `durable`: it is on the disk when this returns."""

    def fill(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())

    replace_atomically(path, fill)
    if durable:
        to_disk(path.parent)


def to_disk(path: Path) -> None:
    """Wait until a file or a directory is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporary(directory: Path) -> None:
    """Remove what killed writers left in a directory."""
    for file in directory.glob(f".*{SUFFIX}"):
        file.unlink(missing_ok=True)


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn an OSError into a TargetError that says what was expected and what to do."""
    try:
        yield
    except OSError as error:
        raise _told(path, error) from error


def _told(path: Path, error: OSError) -> TargetError:
    said = error.strerror or str(error).splitlines()[0]
    expected, advice = "a place that can be written", "choose another target"
    if error.errno in _NO_ROOM:
        expected = "room on the disk"
        advice = "free some and finish with `--resume`, or choose another target"
    elif error.errno in _NOT_ALLOWED:
        expected = "a place that may be written to"
    elif error.errno in _NO_DIRECTORY:
        expected = "a path whose parents are directories"
    return TargetError("target", str(path), expected, hint=f"The system says: {said}; {advice}.")
