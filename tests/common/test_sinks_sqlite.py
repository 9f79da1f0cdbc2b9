from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rarecase.common.errors import DatasetError, TargetError
from rarecase.common.sinks.sqlite import SQLiteSink
from tests.common.sink_sample import DOMAIN, DOMAINS, load
from tests.common.small_disk import small_disk

__all__ = ["small_disk"]


@pytest.fixture(autouse=True)
def _sample_is_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARECASE_DOMAINS", DOMAINS)


def run(path: Path, *statements: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            found = connection.execute(statement).fetchall()
        connection.commit()
    return found


def test_foreign_keys_and_uniqueness_are_enforced_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    load(SQLiteSink(f"sqlite:///{path}", domain=DOMAIN))
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        run(path, "PRAGMA foreign_keys = ON", "DELETE FROM sample_owners")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        run(path, "INSERT INTO sample_owners SELECT * FROM sample_owners")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        run(path, "UPDATE sample_things SET tiny = 6")
    assert run(path, "PRAGMA integrity_check") == [("ok",)]
    assert run(path, "PRAGMA journal_mode") == [("delete",)]


def test_moments_are_written_as_sqlite_does(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    load(SQLiteSink(f"sqlite:///{path}", domain=DOMAIN))
    query = "SELECT seen_at, made_on, strftime('%H:%M', seen_at), active FROM sample_things LIMIT 1"
    assert run(path, query) == [("2025-03-01 12:00:00.000017", "2024-02-28", "12:00", 1)]


def test_what_others_keep_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    run(path, "CREATE TABLE mine (a)", "INSERT INTO mine VALUES (42)", "CREATE TABLE sample_owners (a)")
    for overwrite in (False, True):
        with pytest.raises(TargetError, match="did not make"):
            load(SQLiteSink(f"sqlite:///{path}", domain=DOMAIN, overwrite=overwrite))
    twin = SQLiteSink(f"sqlite:///{path}", domain=DOMAIN, twin=True)
    load(twin)
    twin.abort()
    assert run(path, "SELECT a FROM mine") == [(42,)]
    assert run(path, "SELECT name FROM sqlite_schema ORDER BY name") == [("mine",), ("sample_owners",)]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(TargetError, match="database file of this kind"):
        load(SQLiteSink(f"sqlite:///{path}", domain=DOMAIN))
    with pytest.raises(DatasetError, match="a readable SQLite file"):
        SQLiteSink.source(f"sqlite:///{path}")
    with pytest.raises(DatasetError, match="an existing SQLite file"):
        SQLiteSink.source(f"sqlite:///{tmp_path}/none.db")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="mkdir -p"):
        load(SQLiteSink(f"sqlite:///{tmp_path}/no/where/x.db", domain=DOMAIN))


# A program of its own: the locks of two SQLite libraries in one process do not see each other.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE a (b)")
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_program_is_writing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rarecase.common.sinks.sqlite._ALWAYS", ("foreign_keys = OFF", "busy_timeout = 10"))
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "x.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TargetError, match="no other program holds open"):
            load(SQLiteSink(f"sqlite:///{tmp_path}/x.db", domain=DOMAIN))
        holder.communicate()


def test_a_missing_driver_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_manager", None)
    with pytest.raises(TargetError, match=r"pip install 'rarecase\[sqlite\]'"):
        load(SQLiteSink(f"sqlite:///{tmp_path}/x.db", domain=DOMAIN))


def test_a_full_disk_leaves_nothing(small_disk: Path) -> None:
    with pytest.raises(TargetError, match="room on the disk"):
        load(SQLiteSink(f"sqlite:///{small_disk}/x.db", domain=DOMAIN))
    assert list(small_disk.iterdir()) == []
