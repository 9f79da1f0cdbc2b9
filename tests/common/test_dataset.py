"""Data sets as they are used: tables, views, frames with labels and as of a moment."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rarecase.common import asof, frames
from rarecase.common.dataset import Dataset
from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import DatasetError
from rarecase.common.run import generate
from rarecase.common.schema import Column, Table
from rarecase.common.spec import build_spec
from tests.common.killpoints import spec


@pytest.fixture(scope="module")
def held() -> Dataset:
    """A world of cases and look-alikes, with its twin, in memory."""
    kinds = [{"kind": "visit", "count": 6}, {"kind": "ring", "count": 2}, {"kind": "decoy", "count": 3}]
    return generate(build_spec({**spec(1).model_dump(), "days": 60, "cases": kinds}), twin=True)


@pytest.fixture(scope="module", params=["parquet", "csv", "jsonl", "memory"])
def anywhere(
    request: pytest.FixtureRequest, held: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """The same world in every kind of place."""
    if request.param == "memory":
        return held
    target = tmp_path_factory.mktemp("set") / "set"
    generate(held.spec, target, format=request.param, twin=True)
    return open_dataset(target)


def test_tables_are_lazy_and_named(anywhere: Dataset) -> None:
    assert list(anywhere.tables) == ["guests", "nights", "cases", "labels", "weights"]
    assert len(anywhere.tables) == 5
    assert "nights" in anywhere.tables
    assert anywhere.tables["nights"] is anywhere.table("nights")
    assert anywhere.spec == build_spec(anywhere.manifest["spec"])
    with pytest.raises(DatasetError, match=r"table=night: expected one of .*Did you mean 'nights'\?"):
        anywhere.table("night")


def test_views_count_what_tables_hold(anywhere: Dataset, held: Dataset) -> None:
    with anywhere.connect() as connection:
        for name, table in held.tables.items():
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (table.num_rows,)
        joined = "SELECT count(*) FROM nights JOIN guests USING (guest_id)"
        assert connection.execute(joined).fetchone() == (held.table("nights").num_rows,)
        typed = dict(connection.execute("SELECT name, type FROM pragma_table_info('nights')").fetchall())
    assert typed["arrived_at"] == "TIMESTAMP"
    assert typed["night_id"] == "BIGINT"


def test_frames_are_the_same_everywhere(anywhere: Dataset, held: Dataset) -> None:
    for name in ("guests", "nights", "cases"):
        pd.testing.assert_frame_equal(
            anywhere.frame(name, labels=True), held.frame(name, labels=True), check_categorical=False
        )


def test_the_twin_is_beside(anywhere: Dataset) -> None:
    twin = anywhere.twin
    assert twin is not None
    assert twin.spec.cases == ()
    assert twin.twin is None
    assert twin.table("labels").num_rows == 0
    assert twin.digests["guests"] == anywhere.digests["guests"]
    assert twin.digests["nights"] != anywhere.digests["nights"]


def test_files_are_those_of_the_manifest(anywhere: Dataset) -> None:
    listed = [file["path"] for file in anywhere.manifest["files"]]
    if anywhere.path is None:
        assert anywhere.files == ()
    else:
        assert sorted(path.relative_to(anywhere.path).as_posix() for path in anywhere.files) == sorted(listed)
        assert all(path.is_file() for path in anywhere.files)


def test_labels_stand_beside_every_row_once(held: Dataset) -> None:
    frame = held.frame("nights", labels=True)
    assert len(frame) == held.table("nights").num_rows
    labels = held.table("labels").to_pandas()
    wanted = labels.groupby("row_id")["case_id"].agg(lambda ids: sorted(set(ids))).to_dict()
    found = {row.night_id: list(row.case_ids) for row in frame.itertuples() if len(row.case_ids)}
    assert found == wanted
    assert len(wanted) == held.table("labels").num_rows
    # Only rows are labelled here, so a table that no label names has empty lists.
    assert held.frame("guests", labels=True)[frames.LABELS].list.len().sum() == 0
    assert frames.LABELS not in held.frame("nights")


def _relabelled(held: Dataset, rows: list[dict[str, Any]]) -> Dataset:
    template = dict.fromkeys(held.table("labels").column_names)
    named = [
        {**template, "table_name": "nights", "role": "guest", "kind": "visit", "effect": "changed", **r}
        for r in rows
    ]
    schema = held.table("labels").schema
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in schema])
    labels = pa.Table.from_pylist(named, schema=plain)
    return Dataset.in_memory(held.spec, {**held.tables, "labels": labels})


def test_ranges_label_their_entity_s_rows_inclusively(held: Dataset) -> None:
    nights = held.table("nights").to_pandas().sort_values("arrived_at")
    guest = nights["guest_id"].iloc[0]
    mine = nights[nights["guest_id"] == guest]
    begin, end = mine["arrived_at"].iloc[1], mine["arrived_at"].iloc[3]
    first, second = held.table("cases")["case_id"].to_pylist()[:2]
    told = _relabelled(
        held,
        [
            {"case_id": first, "entity_id": guest, "from_at": begin, "to_at": end},
            {"case_id": first, "row_id": mine["night_id"].iloc[1]},
            {"case_id": second, "row_id": mine["night_id"].iloc[1]},
            {"case_id": second, "row_id": mine["night_id"].iloc[0], "effect": "removed"},
            {"case_id": second, "row_id": mine["night_id"].iloc[0], "table_name": "guests"},
        ],
    )
    frame = told.frame("nights", labels=True)
    found = {row.night_id: list(row.case_ids) for row in frame.itertuples() if len(row.case_ids)}
    ids = mine["night_id"].tolist()
    assert found == {ids[1]: sorted([first, second]), ids[2]: [first], ids[3]: [first]}
    assert told.manifest["tables"]["labels"]["rows"] == 5


def test_as_of_a_moment_nothing_later_is_known(held: Dataset) -> None:
    cases = held.table("cases").to_pandas()
    heard = cases[["reported_at", "detected_at"]].min(axis=1)
    for moment in (heard.min() - timedelta(seconds=1), heard.min(), heard.median(), heard.max()):
        frame = held.frame("nights", labels=True, as_of=moment)
        assert frame["arrived_at"].max() <= moment
        every = held.table("nights").to_pandas()
        assert len(frame) == (every["arrived_at"] <= moment).sum()
        shown = set(frame[frames.LABELS].explode().dropna().astype(int))
        known = set(cases["case_id"][heard <= moment])
        assert shown <= known
        told = held.frame("cases", as_of=moment)
        assert set(told["case_id"]) == known
        assert not (told["reported_at"] > moment).any()
        assert set(held.frame("labels", as_of=moment)["case_id"]) <= known
    assert set(held.frame("nights", labels=True, as_of=heard.max())[frames.LABELS].explode().dropna()) == set(
        cases["case_id"]
    )


def test_a_case_that_nobody_hears_of_is_never_shown(held: Dataset) -> None:
    cases = held.table("cases")
    for name in ("reported_at", "detected_at"):
        position = cases.column_names.index(name)
        cases = cases.set_column(position, name, pa.nulls(cases.num_rows, pa.timestamp("us")))
    silent = Dataset.in_memory(held.spec, {**held.tables, "cases": cases})
    frame = silent.frame("nights", labels=True, as_of="2100-01-01")
    assert frame[frames.LABELS].list.len().sum() == 0
    assert len(silent.frame("cases", as_of="2100-01-01")) == 0
    assert silent.frame("nights", labels=True)[frames.LABELS].list.len().sum() > 0


CLAIMS = Table(
    name="claims",
    meaning="Claims that are settled later.",
    columns=(
        Column(name="claim_id", type="key", meaning="Key", role="identifier"),
        Column(name="made_at", type="timestamp", meaning="When", role="time"),
        Column(name="settled_at", type="timestamp", meaning="When settled", nullable=True),
        Column(name="paid_minor", type="int64", meaning="Paid", known_at="settled_at"),
        Column(name="verdict", type="category", meaning="Verdict", known_at="settled_at"),
    ),
    key=("claim_id",),
    time="made_at",
)


def test_values_that_become_known_later_are_missing_until_then() -> None:
    day = [datetime(2025, 1, n) for n in (1, 2, 3, 9)]
    key = 1 << 61
    table = pa.table(
        {
            "claim_id": [key, key + 1, key + 2, key + 3],
            "made_at": pa.array(day, pa.timestamp("us")),
            "settled_at": pa.array([day[1], day[3], None, day[3]], pa.timestamp("us")),
            "paid_minor": [key + 1, 20, 30, 40],
            "verdict": pa.array(["yes", "no", "open", "no"]).dictionary_encode(),
        }
    )
    moment = datetime(2025, 1, 5)
    table = table.filter(asof.struck(table.column("made_at"), moment))
    known = asof.hide(table, CLAIMS, moment, at_end=False)
    frame = frames.to_pandas(known, CLAIMS)
    assert frame["claim_id"].tolist() == [key, key + 1, key + 2]
    assert frame["paid_minor"].dtype == pd.Int64Dtype()
    assert frame["paid_minor"].iloc[0] == key + 1  # a float would have lost the last digit
    assert frame["paid_minor"].isna().tolist() == [False, True, True]
    assert frame["verdict"].isna().tolist() == [False, True, True]
    assert frame["settled_at"].isna().tolist() == [False, True, True]


def test_keys_stay_integers_where_they_may_be_missing(held: Dataset) -> None:
    labels = held.frame("labels")
    assert labels["row_id"].dtype == labels["entity_id"].dtype == pd.Int64Dtype()
    assert labels["row_id"].tolist() == held.table("labels")["row_id"].to_pylist()
    assert held.frame("nights")["night_id"].dtype == np.int64


@pytest.mark.parametrize(
    "moment",
    [
        "2025-02-01",
        date(2025, 2, 1),
        datetime(2025, 2, 1),
        datetime(2025, 2, 1, tzinfo=UTC),
        datetime(2025, 2, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        pd.Timestamp("2025-01-31T19:00:00-05:00"),
    ],
)
def test_moments_are_utc_however_said(held: Dataset, moment: Any) -> None:
    assert frames.to_moment(moment) == datetime(2025, 2, 1)
    assert len(held.frame("nights", as_of=moment)) == len(held.frame("nights", as_of="2025-02-01T00:00:00Z"))


@pytest.mark.parametrize("moment", ["soon", "NaT", object()])
def test_no_moment_is_told(held: Dataset, moment: Any) -> None:
    with pytest.raises(DatasetError, match=r"as_of=.*a date or time"):
        held.frame("nights", as_of=moment)


def test_weights_tell_who_is_a_case_and_so_are_never_as_of(held: Dataset) -> None:
    assert len(held.frame("weights")) == held.spec.size
    with pytest.raises(DatasetError, match="a table other than weights"):
        held.frame("weights", as_of="2025-02-01")


def test_what_is_no_data_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is nothing at this path"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"it has no manifest\.json"):
        open_dataset(tmp_path)
    generate(spec(1), tmp_path / "set")
    manifest = tmp_path / "set" / "manifest.json"
    whole = manifest.read_text()
    for damaged, said in (
        (whole[:-40], "whole manifest"),
        ("[]", "whole manifest"),
        ("{}", "whole manifest"),
    ):
        manifest.write_text(damaged)
        with pytest.raises(DatasetError, match=said):
            open_dataset(tmp_path / "set")
    manifest.write_text(json.dumps({**json.loads(whole), "manifest": 99}))
    with pytest.raises(
        DatasetError, match=r"manifest format 99: expected format 1\. It was written by rarecase"
    ):
        open_dataset(tmp_path / "set")
    manifest.unlink()
    with pytest.raises(DatasetError, match=r"this one has no manifest, so its making was cut off.*--resume"):
        open_dataset(tmp_path / "set")


def test_damaged_and_absent_files_are_told(tmp_path: Path) -> None:
    made = generate(spec(1), tmp_path / "set")
    file = made.files_of("nights")[1]
    file.write_bytes(file.read_bytes()[:200])
    fresh = open_dataset(tmp_path / "set")
    with pytest.raises(DatasetError, match=r"nights/part-00001\.parquet=.*expected a whole parquet file"):
        fresh.table("nights")
    with pytest.raises(DatasetError, match=r"part-00001\.parquet=.*whole parquet file"):
        fresh.connect()
    assert fresh.table("guests").num_rows == 40
    file.unlink()
    with pytest.raises(DatasetError, match=r"part-00001\.parquet"):
        open_dataset(tmp_path / "set").table("nights")


def test_a_domain_without_a_graph_says_so(held: Dataset) -> None:
    with pytest.raises(DatasetError, match="graph=toy: expected a domain with a graph"):
        held.graph()


def test_tables_of_one_s_own(held: Dataset) -> None:
    fewer = {name: table for name, table in held.tables.items() if name != "guests"}
    with pytest.raises(DatasetError, match="tables=guests: expected all tables"):
        Dataset.in_memory(held.spec, fewer)
    assert "in memory" in repr(held)
