"""A world into an SQLite file: foreign keys declared, not enforced during the load, all checked after it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rarecase.common import registry
from rarecase.common.errors import DatasetError, RarecaseError
from rarecase.common.receipts import Receipt
from rarecase.common.schema import Schema, arrow_schema
from rarecase.common.schema.sql import Ddl, ddl, qualified
from rarecase.common.sinks import database
from rarecase.common.sinks.address import FileAddress, parse_file
from rarecase.common.sinks.files import cut
from rarecase.common.sinks.newfile import NewFile, remove
from rarecase.common.spec import dump_spec

if TYPE_CHECKING:
    from rarecase.common.domain import Domain
    from rarecase.common.plan import Plan

# Only while the file has a temporary name: a crash leaves a broken file, which nobody takes for a database.
_FAST = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -65536")
# `ignore_check_constraints` spares the load what `quick_check` does afterwards, in one scan.
_ALWAYS = ("foreign_keys = OFF", "ignore_check_constraints = ON", "busy_timeout = 5000")
_ALL_ROWS = 2**30


class SQLiteSink:
    """Loads one world into tables of an SQLite file, named ``<domain>_…`` or ``<domain>_twin_…``.

    A new file is loaded under a temporary name; into an existing file the tables come in one transaction.

    Parameters
    ----------
    address : ``sqlite:///file.db``
    domain : whose schema is written
    twin : whether this is the twin world
    overwrite : replace tables that rarecase wrote

    Raises
    ------
    TargetError : if the address is wrong
    """

    parallel_write = False

    def __init__(self, address: str, *, domain: Domain, twin: bool = False, overwrite: bool = False) -> None:
        self._address = parse_file(address)
        self._schema, self._overwrite = domain.schema, overwrite
        self._domain, self._twin = domain.name, twin
        self._space = database.namespace(domain.name, twin)
        self._session: _Session | None = None
        self._new: NewFile | None = None
        self._given: Counter[str] = Counter()
        self._spec = ""
        self._finished = False
        self.location = f"{self._address.shown}, tables {self._space}_*"

    def begin(self, plan: Plan) -> tuple[Receipt, ...]:
        """Open the file and create empty tables; see `Sink.begin`."""
        self._spec = dump_spec(plan.spec)
        with self._guard():
            if not self._address.path.exists():
                self._new = NewFile(self._address.path, self._address.shown)
            self._session = _Session(str(self._new.temporary if self._new else self._address.path))
            for setting in (*_ALWAYS, *(_FAST if self._new else ())):
                self._open.run(f"PRAGMA {setting}")
            self._open.run("BEGIN IMMEDIATE")
            self._clear()
            for statement in self._ddl.create:
                self._open.run(statement)
        return ()

    def write(self, receipt: Receipt, tables: Mapping[str, pa.Table]) -> Receipt:
        """Append one part; see `Sink.write`."""
        with self._guard():
            for table in self._schema.tables:
                rows = tables[table.name].select(table.names)
                self._open.append(self._name(table.name), _plain(rows))
                self._given[table.name] += rows.num_rows
        return receipt

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Add unique and other indexes, check all laws, then manifest and commit; see `Sink.finish`."""
        with self._guard():
            for statement in self._ddl.primary_keys:
                self._open.run(statement)
            self._check()
            for statement in self._ddl.indexes:
                self._open.run(statement)
            self._open.run(f"{database.create_manifest('sqlite', self._space)} STRICT")
            rows = database.manifest_rows(self._schema, self._spec, manifest)
            content = pa.table(list(zip(*rows, strict=True)), names=["name", "content"])
            self._open.append(self._name(database.MANIFEST_TABLE), content)
            stale = database.stale_twin(self._domain, self._twin, self._overwrite, manifest)
            if stale:
                self._drop(stale)
            self._open.run("COMMIT")
            self._finished = True
            self._close()
            if self._new:
                self._new.commit()

    def abort(self) -> None:
        """Roll back; after `finish`, take the tables out again; see `Sink.abort`."""
        if self._session is not None:
            with contextlib.suppress(_errors()):
                self._session.run("ROLLBACK")
            self._close()
        elif self._finished:
            self._finished = False
            self._take_out()
        if self._new:
            self._new.discard()

    @staticmethod
    def source(address: str, *, domain: str | None = None, twin: bool = False) -> SQLiteSource:
        """What was loaded, to be read back; see `Source`."""
        return SQLiteSource(parse_file(address), domain, twin)

    @property
    def _open(self) -> _Session:
        if self._session is None:
            raise RarecaseError("the SQLite sink was used before it was begun or after it was finished")
        return self._session

    @property
    def _ddl(self) -> Ddl:
        return ddl(self._schema, "sqlite", self._space, keys="later")

    def _name(self, table: str) -> str:
        return qualified(table, "sqlite", self._space)

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _clear(self) -> None:
        """Refuse or drop what is there."""
        mine = [self._name(name) for name in (*self._schema.names, database.MANIFEST_TABLE)]
        if not set(mine) & set(_tables(self._open)):
            return
        recorded = self._recorded(self._space)
        database.refuse_existing(
            self._address.shown, f"{self._space}_*", ours=recorded is not None, overwrite=self._overwrite
        )
        self._drop(self._space)

    def _recorded(self, space: str) -> list[str] | None:
        """The tables of a set that rarecase finished here, or None."""
        name = qualified(database.MANIFEST_TABLE, "sqlite", space)
        if name not in _tables(self._open):
            return None
        found = self._open.rows(f"SELECT content FROM {name} WHERE name = '{database.TABLES}'")
        return database.recorded_tables(found[0][0]) if found else None

    def _drop(self, space: str) -> None:
        for table in self._recorded(space) or []:
            self._open.run(f"DROP TABLE IF EXISTS {qualified(table, 'sqlite', space)}")

    def _take_out(self) -> None:
        left = [""]
        with contextlib.suppress(_errors(), OSError):
            self._session = _Session(str(self._address.path))
            self._open.run("BEGIN IMMEDIATE")
            self._drop(self._space)
            self._open.run("COMMIT")
            left = _tables(self._open)
        self._close()
        if self._new and not left:
            remove(self._address.path)

    def _check(self) -> None:
        self._open.run("PRAGMA ignore_check_constraints = OFF")  # or quick_check would ignore them too
        for table in self._schema.tables:
            name = self._name(table.name)
            database.check_count(
                name, self._given[table.name], self._open.rows(f"SELECT count(*) FROM {name}")[0][0]
            )
            orphans = self._open.rows(f"SELECT count(*), min(parent) FROM pragma_foreign_key_check('{name}')")
            if orphans[0][0]:
                said = f"{table.name}: foreign keys that lead to no row of {orphans[0][1]}"
                raise database.breach("foreign_key", table.name, int(orphans[0][0]), said)
            found = [str(row[0]) for row in self._open.rows(f"PRAGMA quick_check({name})")]
            if found != ["ok"]:
                raise database.breach("constraint", table.name, len(found), found[0], *found[:3])

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        errors = _errors(self._address.shown)
        try:
            yield
        except errors as error:
            said = str(error)
            if "constraint failed" in said or "cannot store" in said:
                raise database.breach("constraint", None, 1, said.splitlines()[0]) from error
            shown, trouble = self._address.shown, database.file_trouble(self._address.shown, said)
            raise trouble or RarecaseError(f"{shown}: {said.splitlines()[0]}") from error


class SQLiteSource:
    """One world in an SQLite file, read back; see `Source`."""

    def __init__(self, address: FileAddress, domain: str | None, twin: bool) -> None:
        self._path, self._shown = address.path, address.shown
        if not self._path.is_file():
            raise DatasetError("dataset", self._shown, "an existing SQLite file")
        ending = f"_{database.MANIFEST_TABLE}"
        with self._session() as session:
            found = [name.removesuffix(ending) for name in _tables(session) if name.endswith(ending)]
        self._space = database.one_namespace(self._shown, found, domain, twin)
        self.location = f"{self._shown}, tables {self._space}_*"

    def manifest(self) -> dict[str, Any]:
        """The sealed manifest."""
        name = qualified(database.MANIFEST_TABLE, "sqlite", self._space)
        with self._session() as session:
            rows = session.rows(f"SELECT content FROM {name} WHERE name = '{database.MANIFEST}'")
        return database.read_manifest([row[0] for row in rows], self._shown)

    def table(self, name: str) -> pa.Table:
        """All rows of one table, in the order in which they were written."""
        table = self._schema[name]
        columns, stored = ", ".join(table.names), qualified(name, "sqlite", self._space)
        with self._session() as session:
            return database.whole(table, session.arrow(f"SELECT {columns} FROM {stored} ORDER BY rowid"))

    def slices(self, name: str, rows: Sequence[int]) -> Iterator[pa.Table]:
        """The rows of one table as a stream, cut; see `Source`."""
        return cut(self._stream(name), rows, arrow_schema(self._schema[name]))

    def _stream(self, name: str) -> Iterator[pa.Table]:
        table, last = self._schema[name], 0
        read = (
            f"SELECT rowid AS rowid_, {', '.join(table.names)} FROM {qualified(name, 'sqlite', self._space)}"
        )
        with self._session() as session:
            while True:
                found = session.arrow(
                    f"{read} WHERE rowid > {last} ORDER BY rowid LIMIT {database.ROWS_AT_ONCE}"
                )
                if not found.num_rows:
                    return
                last = found["rowid_"][-1].as_py()
                yield database.whole(table, found)

    @property
    def _schema(self) -> Schema:
        return registry.get(self._space.removesuffix("_twin")).schema

    @contextlib.contextmanager
    def _session(self) -> Iterator[_Session]:
        errors = _errors(self._shown)
        try:
            session = _Session(str(self._path))
            try:
                yield session
            finally:
                session.close()
        except errors as error:
            said = str(error).splitlines()[0]
            raise DatasetError("dataset", self._shown, "a readable SQLite file", hint=said) from None


class _Session:
    """An ADBC connection that begins and ends transactions only by statement."""

    def __init__(self, path: str) -> None:
        import adbc_driver_sqlite.dbapi as driver

        self._connection = driver.connect(path, autocommit=True)
        self._cursor = self._connection.cursor()

    def run(self, statement: str) -> None:
        """Execute, and leave any result."""
        self._cursor.execute(statement)
        if self._cursor.description:
            self._cursor.fetchall()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a query with a small result."""
        self._cursor.execute(statement)
        return list(self._cursor.fetchall())

    def arrow(self, statement: str) -> pa.Table:
        """Execute a query; columns get the widest type over all rows, as SQLite declares none."""
        with self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_ALL_ROWS)})
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def append(self, table: str, rows: pa.Table) -> None:
        """Append Arrow rows to a table."""
        if rows.num_rows:
            self._cursor.adbc_ingest(table, rows, mode="append")

    def close(self) -> None:
        """Close; an open transaction rolls back."""
        self._cursor.close()
        self._connection.close()


def _errors(shown: str = "sqlite") -> type[Exception]:
    """The driver's base error; TargetError where the driver is not installed."""
    try:
        import adbc_driver_manager
    except ImportError:
        raise database.missing_driver("adbc-driver-sqlite", "sqlite", shown) from None
    return adbc_driver_manager.Error


def _tables(session: _Session) -> list[str]:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    return [row[0] for row in session.rows(query)]


def _plain(rows: pa.Table) -> pa.Table:
    """Moments and days as text, which Arrow writes faster than the driver, and in SQLite's own form."""
    fields = [
        field.with_type(pa.string()) if pa.types.is_temporal(field.type) else field for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
