"""A world into a DuckDB file: rows from Arrow, then primary keys; foreign keys are checked by anti-join."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from rarecase.common import registry
from rarecase.common.errors import DatasetError, RarecaseError, TargetError
from rarecase.common.receipts import Receipt
from rarecase.common.schema import Reference, Schema, Table, arrow_schema
from rarecase.common.schema.sql import SQL_TYPES, Ddl, ddl, qualified
from rarecase.common.sinks import database
from rarecase.common.sinks.address import FileAddress, parse_file
from rarecase.common.sinks.files import cut
from rarecase.common.sinks.newfile import NewFile, remove
from rarecase.common.spec import dump_spec

if TYPE_CHECKING:
    from rarecase.common.domain import Domain
    from rarecase.common.plan import Plan

# DuckDB cannot add foreign keys to a table that is there, so physical ones cost a second copy of the rows.
OPTIONS = {"foreign_keys": ("checked", "physical")}

_CATALOG = "rarecase_file"
_OF_THE_FILE = (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException)


class DuckDBSink:
    """Loads one world into the schema ``<domain>`` or ``<domain>_twin`` of a DuckDB file.

    A new file is loaded under a temporary name; into an existing file the schema comes in one transaction.
    Foreign keys are always checked; ``?foreign_keys=physical`` in the address also declares them.

    Parameters
    ----------
    address : ``duckdb:///file.duckdb``
    domain : whose schema is written
    twin : whether this is the twin world
    overwrite : replace a schema that rarecase wrote

    Raises
    ------
    TargetError : if the address is wrong
    """

    parallel_write = False

    def __init__(self, address: str, *, domain: Domain, twin: bool = False, overwrite: bool = False) -> None:
        self._address = parse_file(address, OPTIONS)
        self._schema, self._overwrite = domain.schema, overwrite
        self._domain, self._twin = domain.name, twin
        self._space = database.namespace(domain.name, twin)
        self._physical = self._address.options["foreign_keys"] == "physical"
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._new: NewFile | None = None
        self._given: Counter[str] = Counter()
        self._spec = ""
        self._finished = False
        self.location = f"{self._address.shown}, schema {self._space}"

    def begin(self, plan: Plan) -> tuple[Receipt, ...]:
        """Open the file and create empty tables; see `Sink.begin`."""
        self._spec = dump_spec(plan.spec)
        with self._guard():
            if not self._address.path.exists():
                self._new = NewFile(self._address.path, self._address.shown)
            self._connection = _attached(self._new.temporary if self._new else self._address.path)
            self._run("BEGIN")
            self._clear()
            for statement in (*self._ddl.namespace, *self._ddl.create):
                self._run(statement)
            if self._physical:
                for table in self._schema.tables:
                    self._run(_create_staged(table))
        return ()

    def write(self, receipt: Receipt, tables: Mapping[str, pa.Table]) -> Receipt:
        """Append one part; see `Sink.write`."""
        with self._guard():
            for table in self._schema.tables:
                # Not for speed: DuckDB 2.0.0 loses a large insert that follows an empty one in a transaction.
                if tables[table.name].num_rows:
                    self._append(table, tables[table.name])
        return receipt

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Check foreign keys, add primary keys and comments, then manifest and commit; see `Sink.finish`."""
        with self._guard():
            self._place_staged()
            self._check_counts()
            self._check_references()
            for statement in (*self._ddl.primary_keys, *self._ddl.comments):
                self._run(statement)
            self._run(database.create_manifest("duckdb", self._space))
            rows = database.manifest_rows(self._schema, self._spec, manifest)
            self._open.executemany(f"INSERT INTO {self._name(database.MANIFEST_TABLE)} VALUES (?, ?)", rows)
            stale = database.stale_twin(self._domain, self._twin, self._overwrite, manifest)
            if stale and (recorded := _recorded(self._open, stale)):
                self._drop(stale, recorded)
            self._run("COMMIT")
            self._finished = True
            if self._new:
                self._run(
                    f"CHECKPOINT {_CATALOG}"
                )  # or rows would stay behind in the log beside the temporary file
            self._close()
            if self._new:
                self._new.commit()

    def abort(self) -> None:
        """Roll back; after `finish`, take the schema out again; see `Sink.abort`."""
        if self._connection is not None:
            with contextlib.suppress(duckdb.Error):
                self._run("ROLLBACK")
            self._close()
        elif self._finished:
            self._finished = False
            self._take_out()
        if self._new:
            self._new.discard()

    def _append(self, table: Table, rows: pa.Table) -> None:
        target = _staged(table) if self._physical else self._name(table.name)
        columns = ", ".join(table.names)
        self._open.register("incoming_rows", rows)
        self._run(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM incoming_rows")
        self._open.unregister("incoming_rows")
        self._given[table.name] += rows.num_rows

    @staticmethod
    def source(address: str, *, domain: str | None = None, twin: bool = False) -> DuckDBSource:
        """What was loaded, to be read back; see `Source`."""
        return DuckDBSource(parse_file(address, OPTIONS), domain, twin)

    @property
    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise RarecaseError("the DuckDB sink was used before it was begun or after it was finished")
        return self._connection

    @property
    def _ddl(self) -> Ddl:
        return ddl(self._schema, "duckdb", self._space, keys="inline" if self._physical else "later")

    def _name(self, table: str) -> str:
        return qualified(table, "duckdb", self._space)

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._open.execute(statement).fetchall()
        return found

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(duckdb.Error):
                connection.execute("USE memory")
                connection.execute(f"DETACH {_CATALOG}")
            connection.close()

    def _clear(self) -> None:
        """Refuse or drop what is there."""
        there = "SELECT 1 FROM duckdb_schemas() WHERE database_name = current_database() AND schema_name = "
        if not self._run(f"{there}'{self._space}'"):
            return
        recorded = _recorded(self._open, self._space)
        database.refuse_existing(
            self._address.shown, self._space, ours=recorded is not None, overwrite=self._overwrite
        )
        self._drop(self._space, recorded or [])

    def _drop(self, space: str, tables: list[str]) -> None:
        for table in tables:
            self._run(f"DROP TABLE IF EXISTS {qualified(table, 'duckdb', space)}")
        self._run(f"DROP SCHEMA {space}")

    def _take_out(self) -> None:
        left: list[tuple[Any, ...]] = [()]
        with (
            contextlib.suppress(duckdb.Error, OSError),
            _attached(self._address.path) as connection,
        ):
            self._connection = connection
            self._drop(self._space, _recorded(connection, self._space) or [])
            left = self._run("SELECT 1 FROM duckdb_tables() WHERE NOT temporary LIMIT 1")
        self._connection = None
        if self._new and not left:
            remove(self._address.path)

    def _place_staged(self) -> None:
        if self._physical:
            for table in self._schema.ordered():
                if self._given[table.name]:
                    self._run(f"INSERT INTO {self._name(table.name)} FROM {_staged(table)}")
                self._run(f"DROP TABLE {_staged(table)}")

    def _check_counts(self) -> None:
        for table in self._schema.tables:
            # A bare count(*) is answered from what DuckDB believes to hold, not from the rows.
            read = f"count(*) FILTER (WHERE hash({table.columns[0].name}) IS NOT NULL)"
            found = self._run(f"SELECT {read} FROM {self._name(table.name)}")[0][0]
            database.check_count(table.name, self._given[table.name], found)

    def _check_references(self) -> None:
        for table in self._schema.tables:
            for reference in table.references:
                query = _orphans(self._name(table.name), self._name(reference.table), reference)
                count, example = self._run(query)[0]
                if count:
                    said = f"{table.name}: {', '.join(reference.columns)} lead to no row of {reference.table}"
                    raise database.breach("foreign_key", table.name, count, said, str(example))

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: duckdb.Error) -> RarecaseError:
        said = str(error).splitlines()[0]
        # What a transaction breaks comes out at its commit, as an error of the transaction.
        if isinstance(error, duckdb.ConstraintException) or "constraint violation" in said:
            return database.breach("constraint", None, 1, said)
        trouble = database.file_trouble(self._address.shown, str(error))
        if trouble or isinstance(error, _OF_THE_FILE):
            return trouble or TargetError("target", self._address.shown, "a DuckDB file", hint=said)
        if isinstance(error, duckdb.TransactionException | duckdb.DependencyException):
            expected = f"a schema {self._space} that nothing else uses"
            return TargetError("target", self._address.shown, expected, hint=said)
        return RarecaseError(f"{self._address.shown}: {said}")


class DuckDBSource:
    """One world in a DuckDB file, read back; see `Source`."""

    def __init__(self, address: FileAddress, domain: str | None, twin: bool) -> None:
        self._path, shown = address.path, address.shown
        if not self._path.is_file():
            raise DatasetError("dataset", shown, "an existing DuckDB file")
        self._space, self._shown = "", shown
        found = self._query(
            "SELECT schema_name FROM duckdb_tables() WHERE database_name = current_database() "
            f"AND table_name = '{database.MANIFEST_TABLE}'"
        )
        self._space = database.one_namespace(shown, found.column(0).to_pylist(), domain, twin)
        self.location = f"{shown}, schema {self._space}"

    def manifest(self) -> dict[str, Any]:
        """The sealed manifest."""
        content = self._query(
            f"SELECT content FROM {self._space}.{database.MANIFEST_TABLE} WHERE name = '{database.MANIFEST}'"
        )
        return database.read_manifest(content.column(0).to_pylist(), self._shown)

    def table(self, name: str) -> pa.Table:
        """All rows of one table, in the order in which they were written."""
        table = self._schema[name]
        return database.whole(
            table, self._query(f"SELECT {', '.join(table.names)} FROM {self._space}.{name}")
        )

    def slices(self, name: str, rows: Sequence[int]) -> Iterator[pa.Table]:
        """The rows of one table as a stream, cut; see `Source`."""
        return cut(self._stream(name), rows, arrow_schema(self._schema[name]))

    def _stream(self, name: str) -> Iterator[pa.Table]:
        table = self._schema[name]
        try:
            with _attached(self._path, " (READ_ONLY)") as connection:
                read = f"SELECT {', '.join(table.names)} FROM {self._space}.{name}"
                for batch in connection.sql(read).to_arrow_reader(database.ROWS_AT_ONCE):
                    yield database.whole(table, pa.Table.from_batches([batch]))
        except duckdb.Error as error:
            raise self._unreadable(error) from None

    @property
    def _schema(self) -> Schema:
        return registry.get(self._space.removesuffix("_twin")).schema

    def _query(self, statement: str) -> pa.Table:
        # Opened for each question: a file that is held open cannot be written by another process.
        try:
            with _attached(self._path, " (READ_ONLY)") as connection:
                return connection.sql(statement).to_arrow_table()
        except duckdb.Error as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: duckdb.Error) -> DatasetError:
        said = str(error).splitlines()[0]
        return DatasetError("dataset", self._shown, "a readable DuckDB file", hint=said)


def _attached(path: Path, mode: str = "") -> duckdb.DuckDBPyConnection:
    """A connection to a file under a name of ours.

    DuckDB calls an opened file by its stem, and would not know whether ``finance`` in ``finance.duckdb`` is
    the file or the schema.
    """
    # More threads than processors that we may use would only wait for each other.
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    connection = duckdb.connect(config={"temp_directory": f"{path}.tmp", "threads": threads})
    try:
        quoted = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS {_CATALOG}{mode}")
        connection.execute(f"USE {_CATALOG}")
    except BaseException:
        connection.close()
        raise
    return connection


def _staged(table: Table) -> str:
    return f"staged_{table.name}"


def _create_staged(table: Table) -> str:
    columns = ", ".join(f"{column.name} {SQL_TYPES['duckdb'][column.type]}" for column in table.columns)
    return f"CREATE TEMP TABLE {_staged(table)} ({columns})"


def _recorded(connection: duckdb.DuckDBPyConnection, space: str) -> list[str] | None:
    """The tables of a set that rarecase finished in this schema, or None."""
    # Asked first, as an error would end the transaction.
    there = (
        "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() "
        f"AND schema_name = '{space}' AND table_name = '{database.MANIFEST_TABLE}'"
    )
    if not connection.execute(there).fetchall():
        return None
    query = f"SELECT content FROM {space}.{database.MANIFEST_TABLE} WHERE name = '{database.TABLES}'"
    found = connection.execute(query).fetchall()
    return database.recorded_tables(found[0][0]) if found else None


def _orphans(child: str, parent: str, reference: Reference) -> str:
    present = " AND ".join(f"c.{column} IS NOT NULL" for column in reference.columns)
    pairs = zip(reference.columns, reference.to, strict=True)
    equal = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in pairs)
    shown = ", ".join(f"c.{column}" for column in reference.columns)
    return (
        f"SELECT count(*), any_value(concat_ws(', ', {shown})) FROM {child} c "
        f"WHERE {present} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {equal})"
    )
