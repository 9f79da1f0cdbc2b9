from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rarecase.common.sinks.copybinary import CHUNK, stream
from tests.common.sink_sample import good_tables

EPOCH_US, EPOCH_DAYS = 946_684_800_000_000, 10_957
FIXED = {"bool": "?", "int8": "h", "int16": "h", "int32": "i", "int64": "q", "float": "f", "double": "d"}


def one_value(value: Any, kind: pa.DataType) -> bytes:
    if value is None:
        return struct.pack("!i", -1)
    if pa.types.is_timestamp(kind):
        content = struct.pack("!q", value.value - EPOCH_US)
    elif pa.types.is_date(kind):
        content = struct.pack("!i", value.value - EPOCH_DAYS)
    elif str(kind) in FIXED:
        content = struct.pack("!" + FIXED[str(kind)], value.as_py())
    else:
        content = value.as_py().encode()
    return struct.pack("!i", len(content)) + content


def row_by_row(table: pa.Table) -> bytes:
    """The format of the manual, spelt out value by value."""
    out = b""
    for row in range(table.num_rows):
        out += struct.pack("!h", table.num_columns)
        for column in table.columns:
            cell = column[row]
            out += one_value(cell if cell.is_valid else None, column.type)
    return out


@pytest.mark.parametrize("name", ["owners", "things", "labels", "weights"])
def test_the_stream_is_that_of_the_manual(name: str) -> None:
    table = good_tables()[name]
    for low in range(table.num_rows + 1):
        piece = table.slice(low, 3)
        assert b"".join(stream(piece)) == row_by_row(piece)


def test_chunks_of_every_shape_and_empty_columns() -> None:
    rows = CHUNK + 7
    table = pa.table(
        {
            "nothing": pa.nulls(rows, pa.string()),
            "no_word": pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int8()), pa.array([], pa.string())),
            "large": pa.array(["ä" * (i % 5) for i in range(rows)], pa.large_string()),
            "flag": pa.array(np.arange(rows) % 3 == 0),
        }
    )
    cut = pa.concat_tables([table.slice(3, 10), table.slice(0, 0), table.slice(11)])
    assert b"".join(stream(cut)) == row_by_row(cut)


def test_a_type_that_no_column_has_is_our_fault() -> None:
    with pytest.raises(TypeError, match="no binary COPY"):
        list(stream(pa.table({"a": pa.array([1], pa.uint64())})))
