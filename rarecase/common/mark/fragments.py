"""The first rows of a file of any kind, as one Arrow table; of a document, the words that may be keys."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from contextlib import suppress
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
_TABLES = (".parquet", ".arrow", ".feather", ".csv", ".tsv", ".jsonl", ".ndjson")
# Documents of foreign formats, which hold keys and UUIDs somewhere among other words.
_DOCUMENTS = (".json", ".xml", ".xosc", ".xodr", ".osc", ".txt", ".md", ".yaml", ".yml", ".html")
_KINDS = f"{', '.join((*_TABLES, *_DOCUMENTS))}, optionally with .gz"
_DELIMITERS = ",;\t|"
_HEAD = 1 << 14
_MOST_FILES = 10_000  # of a directory; a few are enough to tell
_WORD = re.compile(
    rb"(?<![0-9A-Za-z.])(?:[0-9]{16,19}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    rb"(?![0-9A-Za-z]|[.][0-9])"
)
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
    kind = _kind(path)
    try:
        if kind in {".parquet", ".arrow", ".feather"}:
            return _columnar(path, kind, max_rows)
        if kind in {".csv", ".tsv", ".jsonl", ".ndjson"}:
            between = "\t" if kind == ".tsv" else _delimiter(_head(path))
            with path.open("rb") as raw, _unpacked(raw, path.suffix) as stream:
                return _text(stream, kind, between, max_rows)
        if kind in _DOCUMENTS:
            with path.open("rb") as raw, _unpacked(raw, path.suffix) as stream:
                return _words(path.name.encode() + b"\n" + stream.read(_JSON_BYTES), max_rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError) as error:
        raise InputError("file", str(path), f"a readable {kind} file", hint=str(error)) from error
    raise InputError("file", str(path), f"a file ending in {_KINDS}")


def read_fragments(path: Path, max_rows: int = MAX_ROWS) -> dict[str, pa.Table]:
    """What a file holds, or every readable file below a directory, by name; at most `max_rows` rows in all.

    Columns of one name in one folder are one column, so that many small documents count together.

    Raises
    ------
    InputError
        If there is nothing to read; a single file as for `read_fragment`.
    """
    if not path.is_dir():
        return {"": read_fragment(path, max_rows)}
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and _kind(file)]
    found: dict[str, list[pa.Table]] = {}
    left = max_rows
    for file in files[:_MOST_FILES]:
        if left <= 0:
            break
        with suppress(InputError):  # other people's files may lie there too
            table = read_fragment(file, max(left // 4, 1))
            left -= table.num_rows
            found.setdefault(f"{file.parent.relative_to(path)}/*{_kind(file)}", []).append(table)
    if not found:
        raise InputError("file", str(path), f"a directory with files ending in {_KINDS}")
    return {
        name if len(groups) == 1 else f"{name}#{place}": group
        for name, tables in found.items()
        for groups in [_alike(tables)]
        for place, group in enumerate(groups)
    }


def _alike(tables: Iterable[pa.Table]) -> list[pa.Table]:
    by_schema: dict[str, list[pa.Table]] = {}
    for table in tables:
        by_schema.setdefault(str(table.schema.remove_metadata()), []).append(table)
    return [pa.concat_tables(alike).unify_dictionaries() for alike in by_schema.values()]


def _kind(path: Path) -> str:
    """The suffix that says what a file is, without ``.gz``; empty for what we do not read."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix != ".gz"]
    return suffixes[-1] if suffixes and suffixes[-1] in _TABLES + _DOCUMENTS else ""


def _words(content: bytes, max_rows: int) -> pa.Table:
    """The words of a document (its name first) that are spelt like a key or a UUID, wherever they stand."""
    found = [word.decode() for word in _WORD.findall(content)]
    return pa.table({"text": pa.array(list(dict.fromkeys(found))[:max_rows], pa.string())})


def _head(path: Path) -> bytes:
    with path.open("rb") as raw, _unpacked(raw, path.suffix) as stream:
        return stream.read(_HEAD)


def _delimiter(head: bytes) -> str:
    """The delimiter of a CSV file: the one that the first lines hold most, equally often in each."""
    lines = head.decode("utf-8", "replace").splitlines()[:20] or [""]
    lines = lines[:-1] if len(lines) > 1 else lines  # the last may be cut off

    def told(mark: str) -> tuple[bool, int]:
        counts = [line.count(mark) for line in lines]
        return min(counts) == max(counts) > 0, counts[0]

    return max(_DELIMITERS, key=told)


def _unpacked(raw: BinaryIO, suffix: str) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if suffix == ".gz" else raw


def _columnar(path: Path, kind: str, max_rows: int) -> pa.Table:
    if kind == ".parquet":
        with pa.parquet.ParquetFile(path) as file:
            return _first(file.schema_arrow, file.iter_batches(batch_size=1 << 16), max_rows)
    return pa.feather.read_table(path, memory_map=True).slice(0, max_rows)


def _text(stream: BinaryIO, kind: str, delimiter: str, max_rows: int) -> pa.Table:
    if kind in {".csv", ".tsv"}:
        options = pa.csv.ParseOptions(delimiter=delimiter)
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
