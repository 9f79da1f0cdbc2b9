from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from rarecase.common.errors import DatasetError, TargetError
from rarecase.common.sinks.duckdb import DuckDBSink
from tests.common.sink_sample import DOMAIN, DOMAINS, MANIFEST, load, plan
from tests.common.small_disk import small_disk

__all__ = ["small_disk"]


@pytest.fixture(autouse=True)
def _sample_is_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARECASE_DOMAINS", DOMAINS)


def constraints(path: Path, kind: str) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        query = (
            "SELECT table_name FROM duckdb_constraints() WHERE constraint_type = ? AND schema_name = 'sample'"
        )
        return {str(row[0]) for row in connection.execute(query, [kind]).fetchall()}


@pytest.mark.parametrize(
    ("option", "with_foreign_keys"),
    [("", set()), ("?foreign_keys=physical", {"things", "pieces", "cases", "labels", "weights"})],
)
def test_keys_are_declared_and_foreign_keys_on_request(
    tmp_path: Path, option: str, with_foreign_keys: set[str]
) -> None:
    path = tmp_path / "x.duckdb"
    load(DuckDBSink(f"duckdb:///{path}{option}", domain=DOMAIN))
    assert constraints(path, "PRIMARY KEY") >= {"owners", "things", "pieces", "cases", "weights"}
    assert constraints(path, "FOREIGN KEY") == with_foreign_keys
    assert "things" in constraints(path, "CHECK")
    with duckdb.connect(str(path)) as connection, pytest.raises(duckdb.ConstraintException):
        connection.execute("INSERT INTO sample.owners FROM sample.owners")


def test_a_file_may_bear_the_name_of_the_schema(tmp_path: Path) -> None:
    address = f"duckdb:///{tmp_path}/sample.duckdb"
    for overwrite in (False, True):
        load(DuckDBSink(address, domain=DOMAIN, overwrite=overwrite))
    assert DuckDBSink.source(address).table("owners").num_rows == 3
    assert [file.name for file in tmp_path.iterdir()] == ["sample.duckdb"]


def test_what_others_keep_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE mine AS SELECT 42 AS a; CREATE SCHEMA sample; CREATE TABLE sample.own (a INT)"
        )
    for overwrite in (False, True):
        with pytest.raises(TargetError, match="did not make"):
            load(DuckDBSink(f"duckdb:///{path}", domain=DOMAIN, overwrite=overwrite))
    twin = DuckDBSink(f"duckdb:///{path}", domain=DOMAIN, twin=True)
    load(twin)
    twin.abort()
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT a FROM mine").fetchall() == [(42,)]
        assert connection.execute("SELECT count(*) FROM sample.own").fetchall() == [(0,)]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(TargetError, match="database file of this kind"):
        load(DuckDBSink(f"duckdb:///{path}", domain=DOMAIN))
    with pytest.raises(DatasetError, match="a readable DuckDB file"):
        DuckDBSink.source(f"duckdb:///{path}")
    with pytest.raises(DatasetError, match="an existing DuckDB file"):
        DuckDBSink.source(f"duckdb:///{tmp_path}/none.duckdb")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="mkdir -p") as caught:
        load(DuckDBSink(f"duckdb:///{tmp_path}/no/where/x.duckdb", domain=DOMAIN))
    assert caught.value.exit_code == 2


HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE IF NOT EXISTS a (b INT)")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "held.duckdb"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        yield path
        holder.stdin.close()


def test_a_file_that_another_program_holds_is_refused(held: Path) -> None:
    with pytest.raises(TargetError, match="no other program holds open"):
        load(DuckDBSink(f"duckdb:///{held}", domain=DOMAIN))


def test_two_loads_of_one_new_file_do_not_mix(tmp_path: Path) -> None:
    first = DuckDBSink(f"duckdb:///{tmp_path}/x.duckdb", domain=DOMAIN)
    first.begin(plan())
    with pytest.raises(TargetError, match="Another load of it is running"):
        load(DuckDBSink(f"duckdb:///{tmp_path}/x.duckdb", domain=DOMAIN))
    first.abort()
    load(DuckDBSink(f"duckdb:///{tmp_path}/x.duckdb", domain=DOMAIN))


def test_a_file_that_came_into_being_meanwhile_stays(tmp_path: Path) -> None:
    sink = DuckDBSink(f"duckdb:///{tmp_path}/x.duckdb", domain=DOMAIN)
    sink.begin(plan())
    (tmp_path / "x.duckdb").write_text("somebody else's")
    with pytest.raises(TargetError, match="came into being during the load"):
        sink.finish(MANIFEST)
    sink.abort()
    assert (tmp_path / "x.duckdb").read_text() == "somebody else's"
    assert [file.name for file in tmp_path.iterdir()] == ["x.duckdb"]


def test_a_full_disk_leaves_nothing(small_disk: Path) -> None:
    with pytest.raises(TargetError, match="room on the disk") as caught:
        load(DuckDBSink(f"duckdb:///{small_disk}/x.duckdb", domain=DOMAIN))
    assert caught.value.exit_code == 2
    assert list(small_disk.iterdir()) == []
