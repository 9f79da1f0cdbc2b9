"""A data set as it is used: lazy tables, views in DuckDB, frames with labels and as of a moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import duckdb
import pandas as pd
import pyarrow as pa

from rarecase.common import frames, registry
from rarecase.common.errors import DatasetError, nearest
from rarecase.common.manifest import NAME, check_format, lock, read_manifest
from rarecase.common.schema import arrow_schema
from rarecase.common.shape import check_tables
from rarecase.common.sinks.base import FORMATS, Source, database_sink, scheme
from rarecase.common.sinks.files import cast, check_footers, cut, read_files
from rarecase.common.spec import Spec, build_spec

if TYPE_CHECKING:
    import networkx as nx

    from rarecase.common.domain import Domain

_SUFFIXES = {
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
}
Moment = str | date | datetime | pd.Timestamp


class _Files:
    """The tables of a directory, read when they are asked for."""

    def __init__(self, path: Path, manifest: Mapping[str, Any], domain: Domain) -> None:
        self.path, self._manifest, self._domain = path, manifest, domain

    def of(self, name: str) -> list[Path]:
        """The files of a table, in the order of the parts."""
        found = [file["path"] for file in self._manifest["files"] if file["table"] == name]
        return [self.path / path for path in sorted(found, key=lambda path: (len(path), path))]

    def table(self, name: str) -> pa.Table:
        """The rows of a table."""
        return read_files(self.of(name), self._manifest["storage"], self._domain.schema[name])


class _Held:
    """Tables in memory."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables

    def table(self, name: str) -> pa.Table:
        """The rows of a table."""
        return self._tables[name]


class _Reader(Protocol):
    def table(self, name: str) -> pa.Table: ...


@runtime_checkable
class _Streams(Protocol):
    def slices(self, name: str, rows: Sequence[int]) -> Iterator[pa.Table]: ...


class _LazyTables(Mapping[str, pa.Table]):
    """All tables by name, each read at its first use and kept."""

    def __init__(self, names: tuple[str, ...], reader: _Reader) -> None:
        self._names, self._reader = names, reader
        self._read: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._names:
            known = ", ".join(self._names)
            raise DatasetError("table", name, f"one of {known}", nearest=nearest(name, self._names))
        if name not in self._read:
            self._read[name] = self._reader.table(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class Dataset:
    """Tables, labels, spec and manifest of one world.

    Made by `open`, `generate` or `Dataset.in_memory`.

    Attributes
    ----------
    spec, domain
        What was asked for, and the domain's record.
    manifest
        What was made, from what, and every hash; a plain dictionary.
    location
        The directory, or the database's address without its password; ``memory`` otherwise.
    path
        The directory, or None.
    """

    def __init__(
        self,
        spec: Spec,
        manifest: Mapping[str, Any],
        reader: _Reader,
        location: str,
        twin: Dataset | Callable[[], Dataset] | None,
    ) -> None:
        self.spec = spec
        self.domain: Domain = registry.get(spec.domain)
        self.manifest: Mapping[str, Any] = manifest
        self.location = location
        self.path = reader.path if isinstance(reader, _Files) else None
        self._reader, self._twin = reader, twin
        self._tables = _LazyTables(self.domain.schema.names, reader)

    @classmethod
    def in_memory(
        cls,
        spec: Spec,
        tables: Mapping[str, pa.Table],
        twin: Dataset | None = None,
        *,
        manifest: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """A data set of tables that are already there.

        Parameters
        ----------
        spec, tables
            The tables of the domain's schema; their types are cast, their values taken as they are.
        twin
            The same world without cases.
        manifest
            That of the run; without one, a short manifest of the rows alone is made.
        """
        schema = registry.get(spec.domain).schema
        missing = [name for name in schema.names if name not in tables]
        if missing:
            raise DatasetError("tables", ", ".join(missing), "all tables of the schema; these are missing")
        held = {}
        for name in schema.names:
            declared = arrow_schema(schema[name])
            arrays = [cast(tables[name].column(field.name), field.type) for field in declared]
            held[name] = pa.Table.from_arrays(arrays, schema=declared)
        return cls(spec, manifest or _short_manifest(spec, held), _Held(held), "memory", twin)

    def __repr__(self) -> str:
        return f"<Dataset of {self.domain.name}: {self.manifest['rows']:,} rows in {self.location}>"

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """Tables by name, each read when it is first asked for."""
        return self._tables

    def table(self, name: str) -> pa.Table:
        """One table; DatasetError with the nearest name where there is none."""
        return self._tables[name]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold the rows; empty where there are none."""
        if not isinstance(self._reader, _Files):
            return ()
        return tuple(path for name in self.domain.schema.names for path in self._reader.of(name))

    def files_of(self, name: str) -> tuple[Path, ...]:
        """The files of one table, in the order of the parts."""
        return tuple(self._reader.of(name)) if isinstance(self._reader, _Files) else ()

    @property
    def digests(self) -> Mapping[str, str]:
        """Logical digests by table: equal data have equal digests, whatever holds them."""
        return {name: table["logical"] for name, table in self.manifest["tables"].items()}

    @cached_property
    def twin(self) -> Dataset | None:
        """The same world without cases, where it was made.

        Raises
        ------
        DatasetError
            When the manifest vouches for a twin that is not there, or cannot be read.
        """
        return self._twin() if callable(self._twin) else self._twin

    def slices(self, name: str, rows: Sequence[int]) -> Iterator[pa.Table]:
        """The rows of a table in their order, cut: `rows` of them each, and last whatever is left, if any.

        A database is read as a stream; memory holds one slice.
        """
        if name not in self._tables:
            self.table(name)
        if isinstance(self._reader, _Streams):
            yield from self._reader.slices(name, rows)
            return
        yield from cut([self.table(name)], rows, arrow_schema(self.domain.schema[name]))

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of your own with one view per table; close it when done.

        Parquet is scanned where it lies, with at most the memory that DuckDB allows itself; other formats and
        tables in memory come as Arrow tables.
        """
        connection = duckdb.connect()
        try:
            for name in self.domain.schema.names:
                self._show(connection, name)
        except BaseException:
            connection.close()
            raise
        return connection

    def _show(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        files = self.files_of(name)
        if files and self.manifest["storage"] == "parquet":
            check_footers(files)
            listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
            connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{listed}])')
        else:
            connection.register(name, self.table(name))

    def frame(self, name: str, labels: bool = False, as_of: Moment | None = None) -> pd.DataFrame:
        """A table as a pandas frame, one row per row.

        Parameters
        ----------
        labels
            Add ``case_ids``, a list of the cases (and look-alikes) that touched the row; empty for most.
        as_of
            What was known at that moment (UTC): later rows are gone, values that became known later are
            missing, and a case counts only from the earlier of its ``reported_at`` and ``detected_at``.

        Notes
        -----
        Integer columns that may hold nulls have pandas' nullable integer type: a key has more digits than a
        float keeps.
        """
        return frames.frame(self, name, labels=labels, as_of=as_of)

    def graph(self) -> nx.Graph:
        """The data as a networkx graph, where the domain has one."""
        if self.domain.graph is None:
            raise DatasetError("graph", self.domain.name, "a domain with a graph; this one has none")
        return self.domain.graph(self)


def open(path: str | os.PathLike[str], *, domain: str | None = None, twin: bool = False) -> Dataset:
    """Open a data set that was written.

    Parameters
    ----------
    path
        A directory or a database address.
    domain
        Which domain of a database that holds several.
    twin
        The twin world of a database; that of a directory is ``open(path).twin``.

    Raises
    ------
    DatasetError
        When nothing is there, or the set is not whole; it says how to finish it.
    """
    kind = scheme(path)
    if kind is not None:
        return _open_database(kind, os.fspath(path), domain, twin)
    _refuse_file(Path(path))
    place = Path(path) / "twin" if twin else Path(path)
    manifest = read_manifest(place)
    if domain is not None and manifest["domain"] != domain:
        raise DatasetError("domain", domain, f"the domain of the set in {place}, {manifest['domain']}")
    spec = _checked(manifest, str(place / NAME), FORMATS)
    beside = None if manifest["twin"] is None else partial(_twin_below, place)
    return Dataset(spec, manifest, _Files(place, manifest, registry.get(spec.domain)), str(place), beside)


def _refuse_file(path: Path) -> None:
    """DatasetError for a file, or the name of one, that looks like a database."""
    head = b""
    if path.is_file():
        with suppress(OSError), path.open("rb") as stream:
            head = stream.read(16)
    elif path.exists():
        return
    kind = "sqlite" if head == b"SQLite format 3\0" else "duckdb" if head[8:12] == b"DUCK" else None
    kind = kind or _SUFFIXES.get(path.suffix.lower())
    if path.is_file() or kind is not None:
        hint = f"A database? Write {kind}:///{path}" if kind else None
        raise DatasetError("dataset", str(path), "a directory, or the address of a database", hint=hint)


def _twin_below(place: Path) -> Dataset:
    if not (place / "twin" / NAME).is_file():
        hint = "Its manifest vouches for one; `rarecase generate --twin --overwrite` makes both again."
        raise DatasetError("twin", str(place / "twin"), "the twin of this set, whole", hint=hint)
    return open(place / "twin")


def _open_database(kind: str, address: str, domain: str | None, twin: bool) -> Dataset:
    sink = database_sink(kind)
    source: Source = sink.source(address, domain=domain, twin=twin)
    manifest = source.manifest()
    check_format(manifest, source.location)
    spec = _checked(manifest, source.location, (kind,))
    beside = None
    if not twin and manifest["twin"] is not None:
        beside = partial(_open_database, kind, address, manifest["domain"], True)
    return Dataset(spec, manifest, source, source.location, beside)


def _checked(manifest: Mapping[str, Any], shown: str, storage: tuple[str, ...]) -> Spec:
    """The spec of a manifest whose tables and files are those of its domain."""
    spec = build_spec(manifest["spec"])
    if manifest["domain"] != spec.domain:
        raise DatasetError(shown, f"domain: {manifest['domain']}", f"the domain of its spec, {spec.domain}")
    if manifest["storage"] not in storage:
        raise DatasetError(shown, f"storage: {manifest['storage']}", f"one of {', '.join(storage)}")
    check_tables(manifest, registry.get(spec.domain).schema.names, shown)
    return spec


def _short_manifest(spec: Spec, tables: Mapping[str, pa.Table]) -> dict[str, Any]:
    from rarecase.common.digest import combine, part_digests

    digests = part_digests(tables, registry.get(spec.domain).schema)
    return {
        "domain": spec.domain,
        "spec": spec.model_dump(mode="json"),
        "storage": "memory",
        "lock": lock(),
        "tables": {
            name: {"rows": table.num_rows, "logical": combine([digests[name]])}
            for name, table in tables.items()
        },
        "rows": sum(table.num_rows for table in tables.values()),
        "files": [],
        "twin": None,
    }
