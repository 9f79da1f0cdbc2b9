from __future__ import annotations

import os
from pathlib import Path

import pytest

from rarecase.common.errors import TargetError
from rarecase.common.sinks.address import parse_file, redact, scrub
from rarecase.common.sinks.base import open_sink, scheme
from tests.common.sink_sample import DOMAIN

SECRETS = (
    "postgresql://ann:{}@db.example:5432/world",
    "postgresql://ann:{}@db.example/world?application_name=a@b",
    "postgresql://:{}@db.example/world",
    "postgresql://ann@db.example/world?password={}&sslmode=require",
    "postgresql://ann@db.example/world?sslPassword={}",
    "postgresql://a/nn:{}@[broken",
)


@pytest.mark.parametrize("address", SECRETS)
@pytest.mark.parametrize("secret", ["hunter2", "p%40ss", "p@s:s", "with a space", "100%zz"])
def test_redacted_addresses_hold_no_password(address: str, secret: str) -> None:
    whole = address.format(secret)
    shown = redact(whole)
    assert secret not in shown
    assert secret.split()[-1] not in shown
    assert "***" in shown


def test_redaction_leaves_the_rest_alone() -> None:
    for address in (
        "postgresql://ann@db:5432/world",
        "duckdb:///a@b:c.duckdb",
        "a/directory",
        "sqlite:////x.db",
    ):
        assert redact(address) == address
    assert redact("postgresql://ann:x@db:5432/world") == "postgresql://ann:***@db:5432/world"


def test_messages_are_scrubbed_of_written_and_decoded_passwords() -> None:
    address = "postgresql://ann:p%40ss@db/world?password=other"
    assert scrub("bad p%40ss, bad p@ss, bad other", address) == "bad ***, bad ***, bad ***"


def test_files_are_relative_with_three_slashes_and_absolute_with_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_file("sqlite:///some/data.db").path == tmp_path / "some" / "data.db"
    assert parse_file("duckdb:////abs/my%20data.duckdb").path == Path("/abs/my data.duckdb")


@pytest.mark.parametrize(
    "address", ["sqlite://data.db", "sqlite://", "sqlite:///", "sqlite:///dir/", "duckdb:///:memory:"]
)
def test_an_address_without_a_file_is_refused(address: str) -> None:
    with pytest.raises(TargetError, match=r"target=.*expected .*:///") as caught:
        parse_file(address)
    assert caught.value.exit_code == 2


def test_options_are_known_or_refused_with_the_nearest() -> None:
    known = {"foreign_keys": ("checked", "physical")}
    assert parse_file("duckdb:///x", known).options == {"foreign_keys": "checked"}
    assert parse_file("duckdb:///x?foreign_keys=physical", known).options == {"foreign_keys": "physical"}
    with pytest.raises(TargetError, match="Did you mean 'foreign_keys'"):
        parse_file("duckdb:///x?foreign_key=physical", known)
    with pytest.raises(TargetError, match="Did you mean 'physical'"):
        parse_file("duckdb:///x?foreign_keys=physicl", known)
    with pytest.raises(TargetError, match="without options"):
        parse_file("sqlite:///x?foreign_keys=physical")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgres://ann:hunter2@db/world", "Did you mean 'postgresql'"),
        ("duckbd:///x.duckdb", "Did you mean 'duckdb'"),
        ("oracle://ann:hunter2@db", "expected a directory, or an address that begins with duckdb://"),
        ("sqlite:/x.db", "sqlite://"),
        ("sqlite:relative.db", "sqlite://"),
        ("SQLite:relative.db", "sqlite://"),
        ("duckbd:x.duckdb", "Did you mean 'duckdb'"),
        ("postgres:ann:hunter2@db/world", "Did you mean 'postgresql'"),
        pytest.param("C:/x", "a directory", marks=pytest.mark.skipif(os.name == "nt", reason="a drive")),
        ("", "target='': expected a directory"),
        ("  ", "expected a directory"),
    ],
)
def test_an_unknown_kind_names_the_nearest_and_no_password(address: str, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        scheme(address)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("path", ["out", "./sqlite:x.db", "a:b", "run 12:30", "/tmp/sqlite:x", ".", "x:y/z"])
def test_a_directory_may_have_a_colon(path: str) -> None:
    assert scheme(path) is None


def test_a_database_has_no_file_format(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="format=csv: expected no format beside a database"):
        open_sink(f"duckdb:///{tmp_path}/x.duckdb", domain=DOMAIN, format="csv")


def test_a_database_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="rolls back and is not resumed"):
        open_sink(f"duckdb:///{tmp_path}/x.duckdb", domain=DOMAIN, resume=True)
