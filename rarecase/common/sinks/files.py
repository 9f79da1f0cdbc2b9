"""One table in one file, as Parquet, CSV or JSON Lines, and back again without loss.

Measured on one core: statistics on every column and dictionaries on keys cost more than they save; delta
encoding of numbers and split bytes of floats do most of the work, so that Snappy, which all readers
know, makes files as small as fast levels of zstd do, in an eighth less time. Nothing in a file depends on the
clock or the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from rarecase.common.errors import DatasetError
from rarecase.common.schema import Column, Table, arrow_schema
from rarecase.common.schema.arrow import arrow_type

_DELTA = frozenset({"int32", "int64", "date", "timestamp"})
_FLOATS = frozenset({"float32", "float64"})
_ROWS_PER_GROUP = 1 << 20
_HASH_BLOCK = 1 << 20


class HashingFile:
    """A binary file that knows the SHA-256 and the length of what was written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._state = stream, hashlib.sha256()
        self.bytes = 0

    def write(self, data: Any) -> int:
        """Write a bytes-like object whole."""
        view = memoryview(data).cast("B")
        self._state.update(view)
        self._stream.write(view)
        self.bytes += view.nbytes
        return view.nbytes

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._stream.flush()

    def hexdigest(self) -> str:
        """The SHA-256 of all bytes so far."""
        return self._state.hexdigest()

    @property
    def closed(self) -> bool:
        """Whether the file below is closed."""
        return self._stream.closed


def hash_file(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and length of a file."""
    state, length = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK):
            state.update(block)
            length += len(block)
    return state.hexdigest(), length


def write_file(path: Path, format: str, table: pa.Table, declared: Table) -> tuple[str, int]:
    """Write `table` to the new file `path`; return its SHA-256 (hex) and length."""
    if format == "jsonl":
        _write_jsonl(path, table, declared)
        return hash_file(path)
    with path.open("wb") as stream:
        file = HashingFile(stream)
        if format == "parquet":
            pq.write_table(table, file, row_group_size=_ROWS_PER_GROUP, **_parquet_settings(declared))
        else:
            pa.csv.write_csv(table, file)
    return file.hexdigest(), file.bytes


@lru_cache(maxsize=256)
def _parquet_settings(declared: Table) -> Mapping[str, Any]:
    encodings = {column.name: _encoding(column) for column in declared.columns}
    return {
        "compression": "SNAPPY",
        "use_dictionary": [column.name for column in declared.columns if column.type == "category"],
        "column_encoding": {name: encoding for name, encoding in encodings.items() if encoding},
        "write_statistics": [declared.time] if declared.time else False,
    }


def _encoding(column: Column) -> str | None:
    if column.type in _DELTA:
        return "DELTA_BINARY_PACKED"
    return "BYTE_STREAM_SPLIT" if column.type in _FLOATS else None


def _write_jsonl(path: Path, table: pa.Table, declared: Table) -> None:
    columns = ", ".join(_as_json(column) for column in declared.columns)
    connection = duckdb.connect(config={"threads": 1})
    try:
        connection.register("written", table)
        connection.execute(f"COPY (SELECT {columns} FROM written) TO '{_quoted(path)}' (FORMAT json)")
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _as_json(column: Column) -> str:
    if column.type == "key":  # beyond 2**53, where readers of JSON lose digits
        return f'CAST("{column.name}" AS VARCHAR) AS "{column.name}"'
    if column.type == "timestamp":
        return f'strftime("{column.name}", \'%Y-%m-%dT%H:%M:%S.%f\') AS "{column.name}"'
    return f'"{column.name}"'


def read_files(paths: Sequence[Path], format: str, declared: Table) -> pa.Table:
    """The rows of files, one file after the other, in the declared Arrow types.

    Values are read as they stand: that nulls, ranges and keys are right is for a validator to say.

    Raises
    ------
    DatasetError
        When a file is missing, cut off, damaged, or lacks a column; it names the file.
    """
    schema = arrow_schema(declared)
    pieces = [_read_file(path, format, declared) for path in paths]
    if not pieces:
        return schema.empty_table()
    return pa.concat_tables(pieces).unify_dictionaries()


def _read_file(path: Path, format: str, declared: Table) -> pa.Table:
    try:
        raw = _READERS[format](path, declared)
        schema = arrow_schema(declared)
        missing = [name for name in schema.names if name not in raw.column_names]
        if missing:
            raise DatasetError(str(path), f"without {', '.join(missing)}", "all columns of the schema")
        arrays = [cast(raw.column(field.name), field.type) for field in schema]
        return pa.Table.from_arrays(arrays, schema=schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, format, error) from None


def check_footers(paths: Sequence[Path]) -> None:
    """Refuse Parquet files that are missing or cut off (DatasetError), without reading their rows."""
    for path in paths:
        try:
            pq.read_metadata(path)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, "parquet", error) from None


def _damaged(path: Path, format: str, error: Exception) -> DatasetError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DatasetError(
        str(path),
        said,
        f"a whole {format} file",
        hint="`rarecase verify` lists the files that changed; `rarecase generate` makes the set again.",
    )


def cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A column in another type; values that do not fit raise pyarrow.ArrowInvalid."""
    if column.type == kind:
        return column
    if not pa.types.is_dictionary(kind):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return column.cast(kind)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    chunks = [
        pa.DictionaryArray.from_arrays(
            chunk.indices.cast(kind.index_type), chunk.dictionary.cast(pa.string())
        )
        for chunk in column.unify_dictionaries().chunks
    ]
    return pa.chunked_array(chunks, type=kind)


def cut(pieces: Iterable[pa.Table], rows: Sequence[int], schema: pa.Schema) -> Iterator[pa.Table]:
    """Successive pieces of one table, cut anew: `rows` of them each, and last whatever is left, if any.

    Parameters
    ----------
    pieces : tables under `schema`, consumed as they are needed
    rows : how many rows each slice has; where the pieces end early, slices are shorter
    """
    source, held = iter(pieces), schema.empty_table()
    for wanted in rows:
        while held.num_rows < wanted and (piece := next(source, None)) is not None:
            held = pa.concat_tables([held, piece])
        yield held.slice(0, wanted)
        held = held.slice(wanted)
    for piece in source:
        if held.num_rows:
            yield held
        held = piece
    if held.num_rows:
        yield held


def _read_parquet(path: Path, declared: Table) -> pa.Table:
    with pq.ParquetFile(path) as file:
        names = [name for name in declared.names if name in file.schema_arrow.names]
        return file.read(columns=names)


def _plain(column: Column) -> pa.DataType:
    return pa.string() if column.type == "category" else arrow_type(column)


def _read_csv(path: Path, declared: Table) -> pa.Table:
    if path.stat().st_size == 0:
        raise ValueError("the file is empty")
    return pa.csv.read_csv(
        path,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={column.name: _plain(column) for column in declared.columns},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _read_jsonl(path: Path, declared: Table) -> pa.Table:
    text = pa.string()
    kinds = [text if column.type in ("key", "date") else _plain(column) for column in declared.columns]
    schema = pa.schema(list(zip(declared.names, kinds)))
    if path.stat().st_size == 0:
        return schema.empty_table()
    options = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    return pa.json.read_json(path, parse_options=options)


_READERS: Mapping[str, Callable[[Path, Table], pa.Table]] = {
    "parquet": _read_parquet,
    "csv": _read_csv,
    "jsonl": _read_jsonl,
}
