"""A world into PostgreSQL: binary COPY into a staging schema, keys, a rename, all in one transaction."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv

from rarecase.common import registry
from rarecase.common.errors import DatasetError, RarecaseError, TargetError
from rarecase.common.receipts import Receipt
from rarecase.common.schema import Schema, Table, arrow_schema
from rarecase.common.schema.sql import ddl, qualified
from rarecase.common.sinks import copybinary, database
from rarecase.common.sinks.files import cut
from rarecase.common.sinks.server import Connection, Server
from rarecase.common.spec import dump_spec

if TYPE_CHECKING:
    from rarecase.common.domain import Domain
    from rarecase.common.plan import Plan

_BLOCK = 16 << 20  # bytes of rows that come back at once
# The transaction idles while parts are made, and index builds are long: limits for clients would end it.
_SETTINGS = (
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '30s'",
    "SET LOCAL maintenance_work_mem = '256MB'",
    "SET LOCAL search_path = pg_catalog",
)


class PostgreSQLSink:
    """Loads one world into the schema ``<domain>`` or ``<domain>_twin`` of a PostgreSQL database.

    Everything is one transaction. The tables are filled in a staging schema, which takes its name at the end,
    so that what it replaces can be read until the commit.

    Parameters
    ----------
    address : ``postgresql://user@host/database``, with any option of libpq; a password comes better from
        PGPASSWORD or a password file, and is shown nowhere
    domain : whose schema is written
    twin : whether this is the twin world
    overwrite : replace a schema that rarecase wrote

    Raises
    ------
    TargetError : if the address is wrong or the driver is missing
    """

    parallel_write = False

    def __init__(self, address: str, *, domain: Domain, twin: bool = False, overwrite: bool = False) -> None:
        self._server = Server(address)
        self._schema, self._overwrite = domain.schema, overwrite
        self._domain, self._twin = domain.name, twin
        self._space = database.namespace(domain.name, twin)
        self._staging = f"{self._space}_loading_{secrets.token_hex(4)}"
        self._connection: Connection | None = None
        self._identity: int | None = None
        self._old: list[str] = []
        self._given: Counter[str] = Counter()
        self._spec = ""
        self._sealing = False
        self.location = f"{self._server.shown}, schema {self._space}"

    def begin(self, plan: Plan) -> tuple[Receipt, ...]:
        """Connect and create empty tables in the staging schema; see `Sink.begin`."""
        self._spec = dump_spec(plan.spec)
        with self._guard():
            self._connection = self._server.connect()
            for setting in _SETTINGS:
                self._run(setting)
            self._refuse()
            made = ddl(self._schema, "postgresql", self._staging, keys="later")
            for statement in (*made.namespace, *made.create):
                self._run(statement)
            self._identity = _oid(self._open, self._staging)
        return ()

    def write(self, receipt: Receipt, tables: Mapping[str, pa.Table]) -> Receipt:
        """Copy one part; see `Sink.write`."""
        with self._guard():
            for table in self._schema.tables:
                self._copy(table, tables[table.name].select(table.names))
                self._given[table.name] += tables[table.name].num_rows
        return receipt

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Add keys, checks, indexes, comments and manifest, rename, commit; see `Sink.finish`."""
        made = ddl(self._schema, "postgresql", self._staging, keys="later")
        with self._guard():
            for statement in made.statements[len(made.namespace) + len(made.create) :]:
                self._run(statement)
            self._run(database.create_manifest("postgresql", self._staging))
            rows = database.manifest_rows(self._schema, self._spec, manifest)
            insert = f"INSERT INTO {self._staging}.{database.MANIFEST_TABLE} VALUES (%s, %s)"
            with self._open.cursor() as cursor:
                cursor.executemany(insert, rows)
            for table in self._schema.tables:
                self._run(f"ANALYZE {self._staging}.{table.name}")
                found = self._open.execute(f"SELECT count(*) FROM {self._staging}.{table.name}").fetchone()
                database.check_count(table.name, self._given[table.name], found[0] if found else 0)
            self._replace(database.stale_twin(self._domain, self._twin, self._overwrite, manifest))
            self._sealing = True
            self._open.commit()
            self._close()

    def abort(self) -> None:
        """Roll back; after `finish`, take the schema out again; see `Sink.abort`."""
        self._close()
        if self._sealing:
            self._take_out()
            self._sealing = False

    @staticmethod
    def source(address: str, *, domain: str | None = None, twin: bool = False) -> PostgreSQLSource:
        """What was loaded, to be read back; see `Source`."""
        return PostgreSQLSource(Server(address), domain, twin)

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise RarecaseError("the PostgreSQL sink was used before it was begun or after it was finished")
        return self._connection

    def _run(self, statement: str) -> None:
        self._open.execute(statement)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()  # the server rolls back what was not committed

    def _copy(self, table: Table, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        columns = ", ".join(table.names)
        target = qualified(table.name, "postgresql", self._staging)
        # Nobody else sees these tables yet, so FREEZE is sound; it spares the first vacuum its rewrite.
        order = f"COPY {target} ({columns}) FROM STDIN (FORMAT BINARY, FREEZE)"
        with self._open.cursor() as cursor, cursor.copy(order) as copy:
            copy.write(copybinary.HEADER)
            for piece in copybinary.stream(rows):
                copy.write(piece)
            copy.write(copybinary.TRAILER)

    def _refuse(self) -> None:
        """Refuse a schema that is there, or learn which of its tables to drop."""
        if _oid(self._open, self._space) is None:
            return
        recorded = _recorded(self._open, self._space)
        database.refuse_existing(
            self._server.shown, self._space, ours=recorded is not None, overwrite=self._overwrite
        )
        self._old = recorded or []

    def _replace(self, stale: str | None) -> None:
        if self._old:
            _drop(self._open, self._space, self._old)
        if stale and (recorded := _recorded(self._open, stale)):
            _drop(self._open, stale, recorded)
        self._run(f"ALTER SCHEMA {self._staging} RENAME TO {self._space}")

    def _take_out(self) -> None:
        import psycopg

        with contextlib.suppress(psycopg.Error, TargetError), self._server.connect() as connection:
            # A commit whose answer was lost may have happened; only the schema of this load has its identity.
            if self._identity is not None and _oid(connection, self._space) == self._identity:
                _drop(connection, self._space, _recorded(connection, self._space) or [])

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise self._server.explain(error, self._space) from None


class PostgreSQLSource:
    """One world in a PostgreSQL database, read back; see `Source`."""

    def __init__(self, server: Server, domain: str | None, twin: bool) -> None:
        self._server = server
        with self._session() as connection:
            query = "SELECT schemaname FROM pg_catalog.pg_tables WHERE tablename = %s"
            found = connection.execute(query, [database.MANIFEST_TABLE]).fetchall()
        self._space = database.one_namespace(server.shown, [row[0] for row in found], domain, twin)
        self.location = f"{server.shown}, schema {self._space}"

    def manifest(self) -> dict[str, Any]:
        """The sealed manifest."""
        query = f"SELECT content FROM {self._space}.{database.MANIFEST_TABLE} WHERE name = %s"
        with self._session() as connection:
            rows = connection.execute(query, [database.MANIFEST]).fetchall()
        return database.read_manifest([row[0] for row in rows], self._server.shown)

    def table(self, name: str) -> pa.Table:
        """All rows of one table, in the order in which they were written."""
        table = self._schema[name]
        with self._copied(table) as stored:
            return database.whole(table, _read_csv(table, stored))

    def slices(self, name: str, rows: Sequence[int]) -> Iterator[pa.Table]:
        """The rows of one table as a stream, cut; see `Source`."""
        return cut(self._stream(self._schema[name]), rows, arrow_schema(self._schema[name]))

    def _stream(self, table: Table) -> Iterator[pa.Table]:
        with self._copied(table) as stored:
            if stored.stat().st_size:
                for batch in csv.open_csv(stored, **_csv_options(table)):
                    yield database.whole(table, pa.Table.from_batches([batch]))

    @contextlib.contextmanager
    def _copied(self, table: Table) -> Iterator[Path]:
        """A temporary file with the rows of a table, as the server gives them: memory stays flat."""
        query = f"COPY {self._space}.{table.name} ({', '.join(table.names)}) TO STDOUT (FORMAT CSV)"
        with tempfile.TemporaryDirectory(prefix="rarecase-") as place:
            stored = Path(place) / f"{table.name}.csv"
            with (
                stored.open("wb") as file,
                self._session() as connection,
                connection.cursor() as cursor,
            ):
                # Else a scan of a large table may begin in the middle, where another one is.
                cursor.execute("SET LOCAL synchronize_seqscans = off")
                cursor.execute("SET LOCAL extra_float_digits = 1")
                cursor.execute("SET LOCAL datestyle = 'ISO'")
                with cursor.copy(query) as copy:
                    for piece in copy:
                        file.write(piece)
            yield stored

    @property
    def _schema(self) -> Schema:
        return registry.get(self._space.removesuffix("_twin")).schema

    @contextlib.contextmanager
    def _session(self) -> Iterator[Connection]:
        import psycopg

        try:
            with self._server.connect() as connection:
                yield connection
        except psycopg.Error as error:
            shown, said = self._server.shown, self._server.say(error)
            raise DatasetError("dataset", shown, "a readable PostgreSQL database", hint=said) from None
        except TargetError as error:
            raise DatasetError("dataset", error.value, error.expected, hint=error.hint) from None


def _oid(connection: Connection, space: str) -> int | None:
    query = "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s"
    found = connection.execute(query, [space]).fetchone()
    return None if found is None else int(found[0])


def _recorded(connection: Connection, space: str) -> list[str] | None:
    """The tables of a set that rarecase finished in this schema, or None."""
    there = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s"
    if connection.execute(there, [space, database.MANIFEST_TABLE]).fetchone() is None:
        return None
    query = f"SELECT content FROM {space}.{database.MANIFEST_TABLE} WHERE name = %s"
    found = connection.execute(query, [database.TABLES]).fetchone()
    return None if found is None else database.recorded_tables(found[0])


def _drop(connection: Connection, space: str, tables: list[str]) -> None:
    """Drop our tables and nothing else: what others put there, or hung on them, makes this fail."""
    names = ", ".join(f"{space}.{table}" for table in tables)
    connection.execute(f"DROP TABLE IF EXISTS {names}")
    connection.execute(f"DROP SCHEMA {space}")


def _read_csv(table: Table, stored: Path) -> pa.Table:
    if not stored.stat().st_size:
        return arrow_schema(table).empty_table()
    return csv.read_csv(stored, **_csv_options(table))


def _csv_options(table: Table) -> dict[str, Any]:
    kinds = {
        field.name: pa.string() if pa.types.is_dictionary(field.type) else field.type
        for field in arrow_schema(table)
    }
    return {
        "read_options": csv.ReadOptions(column_names=list(table.names), block_size=_BLOCK),
        "parse_options": csv.ParseOptions(newlines_in_values=True),
        "convert_options": csv.ConvertOptions(
            column_types=kinds,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    }
