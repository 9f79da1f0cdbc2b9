from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pyarrow as pa
import pytest

from rarecase.common.errors import CheckError, DatasetError, RarecaseError, TargetError
from rarecase.common.receipts import Receipt
from rarecase.common.sinks.postgresql import PostgreSQLSink
from tests.common.sink_sample import DOMAIN, DOMAINS, MANIFEST, good_tables, halves, load, plan
from tests.common.test_sinks_databases import fresh_database

psycopg = pytest.importorskip("psycopg")


@pytest.fixture(autouse=True)
def _sample_is_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARECASE_DOMAINS", DOMAINS)


@pytest.fixture
def address(postgres_address: str) -> Iterator[str]:
    yield from fresh_database(postgres_address)


def ask(address: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def schemas(address: str) -> set[str]:
    return {row[0] for row in ask(address, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sample%'")}


def begun(address: str, **options: Any) -> PostgreSQLSink:
    sink = PostgreSQLSink(address, domain=DOMAIN, **options)
    sink.begin(plan())
    for number, part in enumerate(halves(good_tables())):
        sink.write(Receipt(number), part)
    return sink


def test_keys_indexes_and_comments_are_there(address: str) -> None:
    load(PostgreSQLSink(address, domain=DOMAIN))
    kinds = ask(
        address,
        "SELECT contype, count(*) FROM pg_constraint WHERE connamespace = 'sample'::regnamespace GROUP BY 1",
    )
    found = {kind.decode() if isinstance(kind, bytes) else kind: count for kind, count in kinds}
    assert found["p"] == 6
    assert found["f"] == 5
    assert found["c"] > 10
    assert ask(address, "SELECT count(*) FROM pg_indexes WHERE schemaname = 'sample'")[0][0] > 6
    assert "Synthetic" in ask(address, "SELECT obj_description('sample.things'::regclass)")[0][0]
    assert ask(address, "SELECT reltuples FROM pg_class WHERE oid = 'sample.things'::regclass") == [(5.0,)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        ask(address, "DELETE FROM sample.owners")


def test_readers_see_the_old_rows_until_the_new_ones_are_whole(address: str) -> None:
    load(PostgreSQLSink(address, domain=DOMAIN))
    sink = begun(address, overwrite=True)
    assert ask(address, "SELECT count(*) FROM sample.things") == [(5,)]
    assert schemas(address) == {"sample"}
    sink.finish(MANIFEST)
    assert schemas(address) == {"sample"}
    assert ask(address, "SELECT count(*) FROM sample.things") == [(5,)]
    assert ask(address, "SELECT 'sample'::regnamespace::oid::bigint") == [(sink._identity,)]


def test_a_terminated_backend_is_the_targets_fault_and_leaves_nothing(address: str) -> None:
    sink = begun(address)
    stop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rarecase'"
    assert ask(address, f"{stop} AND datname = current_database()") == [(True,)]
    with pytest.raises(TargetError, match=r"a server that stays there.*nothing was left behind") as caught:
        sink.write(Receipt(2), good_tables())
    assert caught.value.exit_code == 2
    sink.abort()
    assert schemas(address) == set()
    load(PostgreSQLSink(address, domain=DOMAIN))


class Proxy:
    """Passes bytes between a client and the server until it is told to drop the line."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self.drop_after: int | None = None
        self._passed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._ends += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                self._passed += len(data)
                if self.drop_after is not None and self._passed > self.drop_after:
                    break
                sink.sendall(data)
        self.close_lines()

    def close_lines(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listener.close()
        self.close_lines()


def test_a_line_that_drops_in_the_middle_of_a_copy_leaves_nothing(address: str) -> None:
    host = psycopg.conninfo.conninfo_to_dict(address)
    with closing(Proxy(int(host["port"]))) as proxy:
        through = address.replace(f":{host['port']}/", f":{proxy.port}/")
        sink = PostgreSQLSink(through, domain=DOMAIN)
        sink.begin(plan())
        proxy.drop_after = proxy._passed + 200_000
        many = {name: pa.concat_tables([table] * 2000) for name, table in good_tables().items()}
        with pytest.raises(TargetError, match="a server that stays there during the load"):
            sink.write(Receipt(0), many)
        sink.abort()
    assert schemas(address) == set()


def test_two_loads_of_one_schema_do_not_mix(address: str) -> None:
    first, second = begun(address), begun(address)
    first.finish(MANIFEST)
    with pytest.raises(TargetError, match="came into being meanwhile"):
        second.finish(MANIFEST)
    second.abort()
    assert schemas(address) == {"sample"}
    assert PostgreSQLSink.source(address).manifest() == MANIFEST


def test_what_others_keep_in_the_database_stays(address: str) -> None:
    ask(address, "CREATE SCHEMA sample", "CREATE TABLE sample.own (a int)")
    for overwrite in (False, True):
        with pytest.raises(TargetError, match="did not make"):
            load(PostgreSQLSink(address, domain=DOMAIN, overwrite=overwrite))
    ask(address, "DROP SCHEMA sample CASCADE")
    load(PostgreSQLSink(address, domain=DOMAIN))
    ask(address, "CREATE VIEW public.mine AS SELECT count(*) FROM sample.things")
    with pytest.raises(TargetError, match="that nothing else uses"):
        load(PostgreSQLSink(address, domain=DOMAIN, overwrite=True))
    assert ask(address, "SELECT * FROM mine") == [(5,)]
    ask(address, "DROP VIEW mine", "CREATE TABLE sample.own AS SELECT 1 AS a")
    with pytest.raises(TargetError, match="that nothing else uses"):
        load(PostgreSQLSink(address, domain=DOMAIN, overwrite=True))
    assert schemas(address) == {"sample"}


def test_a_user_without_rights_learns_what_is_missing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = address.rpartition("/")[2]
    ask(address, f"CREATE ROLE guest_{name} LOGIN PASSWORD 'guest'")
    try:
        monkeypatch.setenv("PGPASSWORD", "guest")
        as_guest = address.replace("rarecase@", f"guest_{name}@")
        with pytest.raises(TargetError, match="GRANT CREATE ON DATABASE") as caught:
            load(PostgreSQLSink(as_guest, domain=DOMAIN))
        assert caught.value.exit_code == 2
    finally:
        monkeypatch.undo()
        ask(address, f"DROP ROLE guest_{name}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/rarecase_test", "/no_such_test"), "does not exist"),
        (("127.0.0.1", "256.0.0.1"), "256.0.0.1"),
        (("rarecase@", "rarecase:hunter2@"), "password authentication failed"),
        (("rarecase@", "nobody:hunter2@"), "password authentication failed"),
    ],
)
def test_a_wrong_address_says_so_without_the_password(
    address: str, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(TargetError, match=said) as caught:
        load(PostgreSQLSink(address.replace(*change), domain=DOMAIN))
    assert caught.value.exit_code == 2
    assert "hunter2" not in str(caught.value)
    with pytest.raises(DatasetError, match=said) as reading:
        PostgreSQLSink.source(address.replace(*change))
    assert "hunter2" not in str(reading.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    sink = PostgreSQLSink(f"postgresql://ann:hunter2@127.0.0.1:{port}/world", domain=DOMAIN)
    assert sink.location == f"postgresql://ann@127.0.0.1:{port}/world, schema sample"
    with pytest.raises(TargetError, match=r"lets us in.*refused") as caught:
        load(sink)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["postgresql://ann:hunter2%zz@db/world", "postgresql://ann:hunter2@db/world?no_such=1"]
)
def test_a_malformed_address_is_refused_before_connecting(address: str) -> None:
    with pytest.raises(TargetError, match="libpq says") as caught:
        PostgreSQLSink(address, domain=DOMAIN)
    assert "hunter2" not in str(caught.value)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(TargetError, match=r"pip install 'rarecase\[postgres\]'"):
        PostgreSQLSink("postgresql://ann@db/world", domain=DOMAIN)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ("DiskFull", TargetError, "room on the server's disk"),
        ("ReadOnlySqlTransaction", TargetError, "can be written"),
        ("LockNotAvailable", TargetError, "nobody is reading"),
        ("CheckViolation", CheckError, ""),
        ("UndefinedColumn", RarecaseError, ""),
    ],
)
def test_what_a_server_says_becomes_our_error(error: str, kind: type[Exception], said: str) -> None:
    sink = PostgreSQLSink("postgresql://ann:hunter2@db/world", domain=DOMAIN)
    explained = sink._server.explain(getattr(psycopg.errors, error)("hunter2 is wrong"), "sample")
    assert type(explained) is kind
    assert said in str(explained)
    assert "hunter2" not in str(explained)


def test_a_lost_answer_to_commit_takes_the_schema_out_again(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = begun(address)
    really = sink._open.commit

    def commit_and_lose_the_line() -> None:
        really()
        raise psycopg.OperationalError("the line dropped")

    monkeypatch.setattr(sink._open, "commit", commit_and_lose_the_line)
    with pytest.raises(TargetError, match="connection was lost"):
        sink.finish(MANIFEST)
    sink.abort()
    assert schemas(address) == set()
