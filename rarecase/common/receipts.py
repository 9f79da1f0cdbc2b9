"""What a written part leaves behind: its rows, digests and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileRecord:
    """One written file: its path below the target with ``/`` between names, hash, length and rows."""

    path: str
    sha256: str
    bytes: int
    rows: int
    table: str


@dataclass(frozen=True)
class Receipt:
    """What one part came to.

    Attributes
    ----------
    part : int
    rows : mapping of table name to number of rows
    logical : mapping of table name to the logical digest (hex) of the part's rows
    files : the files that hold the part; empty for a database
    """

    part: int
    rows: Mapping[str, int] = field(default_factory=dict)
    logical: Mapping[str, str] = field(default_factory=dict)
    files: tuple[FileRecord, ...] = ()
