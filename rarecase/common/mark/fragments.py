"""The first rows of a file of any kind, as one Arrow table."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet

from rarecase.common.errors import InputError

MAX_ROWS = 1_000_000
_KINDS = ".parquet, .arrow, .feather, .csv, .tsv, .jsonl or .ndjson, optionally with .gz"
_JSON_BYTES = 256 << 20


def read_fragment(path: Path, max_rows: int = MAX_ROWS) -> pa.Table:
    """Read up to ``max_rows`` rows (JSON Lines: up to 256 MiB); the kind follows from the suffix.

    Raises
    ------
    InputError
        If the file is missing, unreadable or of an unknown kind.
    """
    if not path.is_file():
        raise InputError("file", str(path), "a file that exists")
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = suffixes[-1].lower() if suffixes else ""
    try:
        if kind in {".parquet", ".arrow", ".feather"}:
            return _columnar(path, kind, max_rows)
        if kind in {".csv", ".tsv", ".jsonl", ".ndjson"}:
            with path.open("rb") as raw, _unpacked(raw, path.suffix) as stream:
                return _text(stream, kind, max_rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError) as error:
        raise InputError("file", str(path), f"a readable {kind} file", hint=str(error)) from error
    raise InputError("file", str(path), f"a file ending in {_KINDS}")


def _unpacked(raw: BinaryIO, suffix: str) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if suffix == ".gz" else raw


def _columnar(path: Path, kind: str, max_rows: int) -> pa.Table:
    if kind == ".parquet":
        with pa.parquet.ParquetFile(path) as file:
            return _first(file.schema_arrow, file.iter_batches(batch_size=1 << 16), max_rows)
    return pa.feather.read_table(path, memory_map=True).slice(0, max_rows)


def _text(stream: BinaryIO, kind: str, max_rows: int) -> pa.Table:
    if kind in {".csv", ".tsv"}:
        options = pa.csv.ParseOptions(delimiter="\t" if kind == ".tsv" else ",")
        reader = pa.csv.open_csv(stream, parse_options=options)
        return _first(reader.schema, reader, max_rows)
    data = stream.read(_JSON_BYTES)
    if len(data) == _JSON_BYTES:
        data = data[: data.rfind(b"\n") + 1]
    return pa.json.read_json(BytesIO(data)).slice(0, max_rows)


def _first(schema: pa.Schema, batches: Iterable[pa.RecordBatch], max_rows: int) -> pa.Table:
    taken: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        taken.append(batch.slice(0, max_rows - rows))
        rows += len(taken[-1])
        if rows >= max_rows:
            break
    return pa.Table.from_batches(taken, schema)
