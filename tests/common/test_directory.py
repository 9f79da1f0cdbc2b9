"""Directories of files: layout, formats, the same bytes, flat memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rarecase.common import tables
from rarecase.common.digest import table_digest
from rarecase.common.errors import DatasetError
from rarecase.common.run import generate
from rarecase.common.schema import Column, Table, arrow_schema
from rarecase.common.sinks.files import hash_file, read_files, write_file
from tests.common.killpoints import contents, spec

FORMATS = ("parquet", "csv", "jsonl")
THINGS = Table(
    name="things",
    meaning="A column of every type.",
    columns=(
        Column(name="thing_id", type="key", meaning="Key", role="identifier"),
        Column(name="other_id", type="key", meaning="Another key", nullable=True),
        Column(name="seen_at", type="timestamp", meaning="When", role="time"),
        Column(name="born", type="date", meaning="A day", nullable=True),
        Column(name="tiny", type="int8", meaning="Small", nullable=True),
        Column(name="short", type="int16", meaning="Short"),
        Column(name="middle", type="int32", meaning="Middling"),
        Column(name="single", type="float32", meaning="Rough"),
        Column(name="double_", type="float64", meaning="Fine", nullable=True),
        Column(name="rounded", type="float64", meaning="Of hundredths", quantum=0.01),
        Column(name="ok", type="bool", meaning="Yes or no", nullable=True),
        Column(name="said", type="string", meaning="Text", nullable=True),
        Column(name="colour", type="category", meaning="One of few", values=("red", "blue", "")),
        Column(name="mood", type="category", meaning="One of some", nullable=True),
    ),
    key=("thing_id",),
    time="seen_at",
)


def things(rows: int, seed: int = 0) -> pa.Table:
    """Random rows of every type, with nulls and with texts that trip up formats."""
    rng = np.random.default_rng(seed)
    absent = rng.random(rows) < 0.1
    texts = pa.array([None, "", 'a"b\n,\\ü', "NULL", "null", "1", "NaN", "2025-01-01"], pa.string())
    return tables.build(
        THINGS,
        {
            "thing_id": rng.integers(1, 1 << 62, rows),
            "other_id": tables.nulls(rng.integers(1, 1 << 62, rows), absent),
            "seen_at": pa.array(np.sort(rng.integers(-(10**15), 10**15, rows))).cast(pa.timestamp("us")),
            "born": tables.nulls(rng.integers(-20_000, 20_000, rows).astype(np.int32), absent).cast(
                pa.date32()
            ),
            "tiny": tables.nulls(rng.integers(-128, 128, rows).astype(np.int8), absent),
            "short": rng.integers(-9, 9, rows).astype(np.int16),
            "middle": rng.integers(-(2**31), 2**31, rows).astype(np.int32),
            "single": rng.normal(size=rows).astype(np.float32),
            "double_": tables.nulls(rng.lognormal(0, 9, rows), absent),
            "rounded": np.round(rng.normal(size=rows), 2),
            "ok": tables.nulls(rng.random(rows) < 0.5, absent),
            "said": texts.take(pa.array(rng.integers(0, len(texts), rows))),
            "colour": tables.category(rng.integers(0, 3, rows), ("red", "blue", "")),
            "mood": tables.category(rng.integers(0, 3, rows), ("glad", "NaN", "null"), absent),
        },
    )


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rows", [0, 1, 4_000])
def test_a_file_says_what_the_table_said(tmp_path: Path, format: str, rows: int) -> None:
    table = things(rows)
    files = []
    for part, piece in enumerate((table, things(10, seed=1))):
        files.append(tmp_path / f"part-{part}")
        digest, length = write_file(files[-1], format, piece, THINGS)
        assert (digest, length) == hash_file(files[-1])
        assert write_file(files[-1], format, piece, THINGS) == (digest, length)
    back = read_files(files, format, THINGS)
    assert back.schema.equals(arrow_schema(THINGS))
    whole = pa.concat_tables([table, things(10, seed=1)])
    assert table_digest(back, THINGS) == table_digest(whole, THINGS)
    for name in THINGS.names:
        plain = pa.string() if THINGS[name].type == "category" else whole.schema.field(name).type
        assert back[name].cast(plain).combine_chunks() == whole[name].cast(plain).combine_chunks()


def test_json_writes_keys_as_strings(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "jsonl", things(20), THINGS)
    rows = [json.loads(line) for line in (tmp_path / "file").read_text().splitlines()]
    assert [int(row["thing_id"]) for row in rows] == things(20)["thing_id"].to_pylist()
    assert all(isinstance(row["thing_id"], str) for row in rows)
    assert rows[0]["seen_at"][10] == "T"


def test_parquet_is_packed_as_declared(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "parquet", things(5_000), THINGS)
    file = pq.ParquetFile(tmp_path / "file")
    assert file.schema_arrow.metadata[b"synthetic"] == b"true"
    group = file.metadata.row_group(0)
    for position, column in enumerate(THINGS.columns):
        chunk = group.column(position)
        assert chunk.compression == "SNAPPY"
        assert ("RLE_DICTIONARY" in chunk.encodings) == (column.type == "category")
        assert chunk.is_stats_set == (column.name == THINGS.time)


@pytest.mark.parametrize("format", FORMATS)
def test_a_damaged_file_is_named(tmp_path: Path, format: str) -> None:
    whole = tmp_path / "whole"
    write_file(whole, format, things(50), THINGS)
    cut = tmp_path / "cut"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    for path in (cut, tmp_path / "absent"):
        with pytest.raises(DatasetError, match=f"{path}=.*expected a whole {format} file"):
            read_files([path], format, THINGS)


def test_a_file_without_a_column_is_named(tmp_path: Path) -> None:
    fewer = replace(THINGS, columns=THINGS.columns[:5])
    for format in FORMATS[:2]:
        write_file(tmp_path / "file", format, things(5).select(fewer.names), fewer)
        with pytest.raises(DatasetError, match=r"all columns of the schema|whole csv file"):
            read_files([tmp_path / "file"], format, THINGS)


@pytest.mark.parametrize("format", FORMATS)
def test_the_layout_and_the_same_bytes_however_made(tmp_path: Path, format: str) -> None:
    generate(spec(1), tmp_path / "one", format=format, workers=1, twin=True)
    generate(spec(1), tmp_path / "two", format=format, workers=2, twin=True)
    generate(spec(1), tmp_path / "three", format=format, workers=2, twin=True, mode="processes")
    found = contents(tmp_path / "one")
    assert found == contents(tmp_path / "two") == contents(tmp_path / "three")
    names = ("guests", "nights", "cases", "labels", "weights")
    parts = {f"{name}/part-0000{part}.{format}" for name in names for part in (0, 1)}
    papers = {"manifest.json", "croissant.json", "DATACARD.md", "spec.yaml"}
    world = parts | papers
    assert set(found) == world | {f"twin/{name}" for name in world}
    assert (tmp_path / "one" / "run.log.json").is_file()


def test_all_formats_say_the_same(tmp_path: Path) -> None:
    made = [generate(spec(1), tmp_path / format, format=format) for format in FORMATS]
    held = generate(spec(1))
    for one in made:
        assert one.digests == held.digests
        for name in one.tables:
            declared = one.domain.schema[name]
            assert table_digest(one.table(name), declared) == table_digest(held.table(name), declared)


def test_a_dataset_can_be_moved(tmp_path: Path) -> None:
    made = generate(spec(1), tmp_path / "here", twin=True)
    rows = made.table("nights").num_rows
    (tmp_path / "here").rename(tmp_path / "there")
    from rarecase.common.dataset import open as open_dataset

    assert open_dataset(tmp_path / "there").table("nights").num_rows == rows
