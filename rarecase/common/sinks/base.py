"""What a sink is: the protocol, its receipts, and the choice of one by its address.

One load has one life: ``begin``, one ``write`` per part, then ``finish`` or ``abort``. Files can be written
by many workers at once (``parallel_write``); a database takes the parts one after the other, in ascending
order, in the calling process.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pyarrow as pa

from rarecase.common.errors import TargetError, nearest
from rarecase.common.receipts import Receipt
from rarecase.common.sinks.address import HIDDEN, redact

if TYPE_CHECKING:
    from rarecase.common.domain import Domain
    from rarecase.common.plan import Plan

#: An address as it may be shown.
hide_password = redact
FORMATS = ("parquet", "csv", "jsonl")
DATABASES = {
    "duckdb": "rarecase.common.sinks.duckdb:DuckDBSink",
    "sqlite": "rarecase.common.sinks.sqlite:SQLiteSink",
    "postgresql": "rarecase.common.sinks.postgresql:PostgreSQLSink",
}
_KINDS = ", ".join(f"{name}://" for name in DATABASES)
_ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):(/?)")


@runtime_checkable
class Sink(Protocol):
    """Takes the parts of one world, and is whole or not there.

    Attributes
    ----------
    parallel_write : bool
        True: the sink can be pickled, and ``write`` may be called by many workers, in any order.
        False: ``write`` is called in the process and thread that called ``begin``, parts ascending.
    location : str
        Where it goes, in words fit for a log: without any password.
    """

    parallel_write: bool
    location: str

    def begin(self, plan: Plan) -> tuple[Receipt, ...]:
        """Make the target ready; return the receipts of parts that are already there (for a resumed run).

        Raises TargetError if the target exists (unless told to overwrite or resume) or cannot be used.
        """
        ...

    def write(self, receipt: Receipt, tables: Mapping[str, pa.Table]) -> Receipt:
        """Write one part's tables; return the receipt with the files that now hold them."""
        ...

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Seal the set: constraints and indexes, then the manifest, last."""
        ...

    def abort(self) -> None:
        """Leave nothing behind that looks whole.

        Called after any failure, also after ``finish`` (when the other world failed), and when ``begin`` was
        not done. Never raises for what is already gone.
        """
        ...


class Source(Protocol):
    """What a written set is read back from.

    A database sink offers it as a static method ``source(address, *, domain=None, twin=False) -> Source``;
    ``domain`` is a name, and may be left out where the database holds only one domain of rarecase.
    """

    location: str

    def manifest(self) -> dict[str, Any]:
        """The sealed manifest; DatasetError where there is none."""
        ...

    def table(self, name: str) -> pa.Table:
        """All rows of one table, in the Arrow types of the schema."""
        ...

    def slices(self, name: str, rows: Sequence[int]) -> Iterator[pa.Table]:
        """The rows of one table in the order of their storage, cut into so many each, then what is left."""
        ...


def scheme(target: str | os.PathLike[str]) -> str | None:
    """The database kind that a target names, or None for a directory; TargetError for an unknown kind."""
    text = os.fspath(target)
    if not text.strip():
        raise TargetError("target", repr(text), f"a directory, or an address that begins with {_KINDS}")
    found = _ADDRESS.match(text)
    if found is None:
        return None
    word, slash = found[1].lower(), found[2]
    if word in DATABASES and text.startswith(word + "://"):
        return word
    close = nearest(word, DATABASES)
    if len(word) == 1 and os.name == "nt":
        return None  # a drive
    if slash or close is not None:
        expected = f"a directory, or an address that begins with {_KINDS}"
        shown = redact(text) if "://" in text or "@" not in text else f"{found[1]}:{HIDDEN}"
        raise TargetError("target", shown, expected, nearest=close)
    return None


def database_sink(kind: str) -> Any:
    """The sink class of a database kind, imported only now."""
    module, _, name = DATABASES[kind].partition(":")
    return getattr(importlib.import_module(module), name)


def open_sink(
    target: str | os.PathLike[str],
    *,
    domain: Domain,
    format: str = "parquet",
    twin: bool = False,
    with_twin: bool = False,
    resume: bool = False,
    overwrite: bool = False,
) -> Sink:
    """The sink for a target.

    Parameters
    ----------
    target : path of a directory, or a database address
    domain : the domain whose schema is written
    format : ``parquet``, ``csv`` or ``jsonl``; a database has none of its own
    twin : the load is the twin world (``twin/`` below a directory, ``<domain>_twin`` in a database)
    with_twin : the load is the main world, and a twin will stand beside it
    resume : go on with what receipts vouch for; directories only
    overwrite : clear what is there first

    Raises
    ------
    TargetError : unknown kind of target, unknown format, a format for a database, or a resumed database
    """
    if resume and overwrite:
        raise TargetError("resume", True, "either resume or overwrite, not both")
    kind = scheme(target)
    if kind is None:
        from rarecase.common.sinks.directory import DirectorySink

        if format not in FORMATS:
            raise TargetError(
                "format", format, "one of " + ", ".join(FORMATS), nearest=nearest(format, FORMATS)
            )
        path = Path(target) / "twin" if twin else Path(target)
        return DirectorySink(
            path,
            domain=domain,
            format=format,
            twin=twin,
            with_twin=with_twin,
            resume=resume,
            overwrite=overwrite,
        )
    if format != FORMATS[0]:
        raise TargetError("format", format, "no format beside a database, which stores rows in its own way")
    if resume:
        raise TargetError("resume", True, "a directory: a database load rolls back and is not resumed")
    sink: Sink = database_sink(kind)(os.fspath(target), domain=domain, twin=twin, overwrite=overwrite)
    return sink
