"""Arrow columns as the tuples of PostgreSQL's binary COPY, without a loop over rows in Python.

Every column is reduced to three arrays: its bytes in network order, where each value starts, and how long it
is (-1 is the protocol's own null). One compiled kernel then lays the values of all columns into the stream.
The format is that of the PostgreSQL manual, section "COPY", "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
CHUNK = 8192  # rows; the stream of one chunk stays in the second-level cache

_POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 after 1970-01-01
_POSTGRES_EPOCH_DAYS = 10_957


@dataclass(frozen=True)
class Field:
    """One column: value i is ``data[starts[i] : starts[i] + lengths[i]]``, or null where the length is -1."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def stream(table: pa.Table) -> Iterator[memoryview]:
    """The rows of a table as pieces of a COPY stream; the caller sends `HEADER` before and `TRAILER` after.

    Integers of 8 bits become ``smallint``; the other types are those of the same width; text and categories
    become ``text``; dates and timestamps count from 2000-01-01.

    Raises
    ------
    TypeError
        For an Arrow type that no column of a schema has.
    """
    for batch in table.to_batches(max_chunksize=CHUNK):
        if batch.num_rows:
            yield _tuples([field(column) for column in batch.columns], batch.num_rows).data


def field(column: pa.Array) -> Field:
    """One Arrow column as bytes, starts and lengths."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _category(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        data, starts, lengths = _text(column)
        return Field(data, starts, _with_nulls(column, lengths))
    return _fixed(column, _network(column))


def _tuples(fields: list[Field], rows: int) -> NDArray[np.uint8]:
    sizes = np.full(rows, 2 + 4 * len(fields), np.int64)
    for item in fields:
        sizes += np.maximum(item.lengths, 0)
    ends = np.cumsum(sizes)
    places = ends - sizes
    out = np.empty(int(ends[-1]), np.uint8)
    out[places], out[places + 1] = len(fields) >> 8, len(fields) & 0xFF
    places += 2
    for item in fields:
        _lay(out, places, item.data, item.starts, item.lengths)
    return out


@compiled
def _lay(
    out: NDArray[np.uint8],
    places: NDArray[np.int64],
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    for i in range(places.size):
        place, start, length = places[i], starts[i], lengths[i]
        out[place] = (length >> 24) & 0xFF
        out[place + 1] = (length >> 16) & 0xFF
        out[place + 2] = (length >> 8) & 0xFF
        out[place + 3] = length & 0xFF
        place += 4
        for k in range(length):
            out[place + k] = data[start + k]
        places[i] = place + max(length, 0)


def _fixed(column: pa.Array, network: NDArray[np.generic]) -> Field:
    width = network.dtype.itemsize
    starts = np.arange(len(column), dtype=np.int64) * width
    return Field(network.view(np.uint8), starts, _with_nulls(column, np.full(len(column), width, np.int64)))


def _network(column: pa.Array) -> NDArray[np.generic]:
    """Values in network byte order; what stands at nulls does not matter."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return _values(column.cast(pa.uint8()), np.uint8)
    if pa.types.is_timestamp(kind):
        return (_values(column, np.int64) - _POSTGRES_EPOCH_US).astype(">i8")
    if pa.types.is_date32(kind):
        return (_values(column, np.int32) - _POSTGRES_EPOCH_DAYS).astype(">i4")
    if pa.types.is_int8(kind):
        return _values(column, np.int8).astype(">i2")
    if kind in (pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()):
        return _values(column, kind.to_pandas_dtype()).byteswap()
    raise TypeError(f"no binary COPY for a column of type {kind}")


def _values(column: pa.Array, dtype: type[np.generic]) -> NDArray[np.generic]:
    """The raw values of a fixed-width column, nulls included."""
    buffer = column.buffers()[1]
    if buffer is None:
        return np.zeros(len(column), dtype)
    return np.frombuffer(buffer, dtype)[column.offset : column.offset + len(column)]


def _text(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    _, offsets, data = column.buffers()
    if offsets is None:
        nothing = np.zeros(len(column), np.int64)
        return np.empty(0, np.uint8), nothing, nothing
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    edges = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    octets = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return octets, edges[:-1], np.diff(edges)


def _category(column: pa.DictionaryArray) -> Field:
    data, starts, lengths = _text(column.dictionary)
    codes = np.asarray(pc.fill_null(column.indices, 0))
    if not len(starts):
        starts = lengths = np.zeros(1, np.int64)
    return Field(data, starts[codes], _with_nulls(column, lengths[codes]))


def _with_nulls(column: pa.Array, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    if column.null_count == 0:
        return lengths
    return np.where(np.asarray(column.is_valid()), lengths, np.int64(-1))
