"""Exports are the same bytes however they are cut, and whatever holds the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarecase.common import dataset as datasets
from rarecase.common.dataset import Dataset
from rarecase.common.errors import RarecaseError
from rarecase.common.export import export
from rarecase.common.run import generate
from rarecase.finance.formats import FORMATS, camt053, graphml, iso8583, pacs008, pain001, paysim, stream
from rarecase.finance.formats.parties import quoted, word
from tests.finance.formats.conftest import taken

_SPEC = {
    "domain": "finance",
    "size": 240,
    "block": 60,
    "days": 14,
    "cases": [{"kind": "laundering_cycle", "count": 3}],
}


@pytest.fixture(scope="module")
def small() -> Dataset:
    return generate(_SPEC)


@pytest.fixture(scope="module")
def whole(small: Dataset) -> dict[str, dict[str, bytes]]:
    return {name: taken(form.export(small)) for name, form in FORMATS.items()}


def test_all_formats_tell_a_world_without_cases() -> None:
    quiet = generate({**_SPEC, "size": 60, "cases": []})
    for form in FORMATS.values():
        assert sum(map(len, taken(form.export(quiet)).values())) > 1_000


def test_how_it_is_cut_changes_nothing(
    small: Dataset, whole: dict[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ROWS", 100)
    monkeypatch.setattr(stream, "_BATCH", 7_000)
    for module in (camt053, graphml, iso8583, pacs008, pain001, paysim):
        monkeypatch.setattr(module, "_ROWS", 100)
    for name, form in FORMATS.items():
        assert taken(form.export(small)) == whole[name], name


def test_written_tables_tell_the_same(
    small: Dataset, whole: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    generate(_SPEC, tmp_path / "set")
    written = datasets.open(tmp_path / "set")
    for name, form in FORMATS.items():
        assert taken(form.export(written)) == whole[name], name


def test_files_are_written_in_pieces(
    small: Dataset, whole: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    assert export(small, "paysim", tmp_path / "out") == len(whole["paysim"])
    for path, content in whole["paysim"].items():
        assert (tmp_path / "out" / path).read_bytes() == content


def test_pieces_must_be_taken_in_time(small: Dataset) -> None:
    held = list(FORMATS["pacs.008"].export(small))
    with pytest.raises(RarecaseError, match="take them before the next document"):
        b"".join(held[0].pieces())


def test_days_are_put_together_and_none_is_lost(small: Dataset) -> None:
    with stream.books(small) as connection:
        (rows,) = connection.sql("SELECT count(*) FROM transactions").fetchall()[0]
        for most in (1, 500, 10**9):
            found = list(stream.spans(connection, "transactions", "ordered_at", most))
            counts = [
                connection.sql(
                    "SELECT count(*), count(DISTINCT CAST(ordered_at AS DATE)) FROM transactions "
                    f"WHERE ordered_at >= {span.since} AND ordered_at < {span.until}"
                ).fetchall()[0]
                for span in found
            ]
            assert sum(number for number, _ in counts) == rows
            assert all(number <= most or days == 1 for number, days in counts)
            before = [sum(number for number, _ in counts[:at]) for at in range(len(counts))]
            assert [span.before for span in found] == before
        assert len(found) == 1


def test_text_that_is_missing_is_an_error(small: Dataset) -> None:
    with stream.books(small) as connection, pytest.raises(RarecaseError, match="no text"):
        list(stream.text(connection, ["SELECT CAST(NULL AS VARCHAR) AS text"]))
    with stream.books(small) as connection, pytest.raises(Exception, match="no word for a value of 'x'"):
        connection.sql("SELECT " + word("'x'", {"y": "z"})).fetchall()


@pytest.mark.parametrize(
    ("plain", "field"), [("a b", "a b"), ("a,b", '"a,b"'), ('say "a"', '"say ""a"""'), ("a\nb", '"a\nb"')]
)
def test_fields_of_a_csv_file_are_quoted(small: Dataset, plain: str, field: str) -> None:
    with stream.books(small) as connection:
        connection.execute("CREATE TEMP TABLE t AS SELECT ? AS x", [plain])
        assert connection.sql(f"SELECT {quoted('x')} FROM t").fetchall() == [(field,)]
