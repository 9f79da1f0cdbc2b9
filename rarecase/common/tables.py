"""From columns to Arrow tables under a declared schema, without copies where Arrow allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.schema import Column, Table, arrow_schema

Values: TypeAlias = "NDArray[Any] | pa.Array | pa.ChunkedArray"

#: The moment that does not come.
NEVER = np.iinfo(np.int64).max
US_PER_SECOND = 1_000_000
US_PER_DAY = 86_400 * US_PER_SECOND


def build(table: Table, columns: Mapping[str, Values]) -> pa.Table:
    """An Arrow table of `table` from one array per column, all of one length.

    Parameters
    ----------
    table
        The declaration; its order of columns is the order of the result.
    columns
        Name to numpy array or Arrow array, shape (rows,). Nulls come as Arrow arrays (see `nulls`).

    Raises
    ------
    ValueError
        When a column is missing, unknown or of another length: a fault of the generator, not of the user.
    """
    declared = arrow_schema(table)
    names = [column.name for column in table.columns]
    if set(names) != set(columns):
        missing, extra = sorted(set(names) - set(columns)), sorted(set(columns) - set(names))
        raise ValueError(f"table {table.name}: missing columns {missing}, unknown columns {extra}")
    arrays = [
        _array(column, declared.field(column.name).type, columns[column.name]) for column in table.columns
    ]
    if len({len(array) for array in arrays}) > 1:
        lengths = dict(zip(names, map(len, arrays), strict=True))
        raise ValueError(f"table {table.name}: columns of unequal length {lengths}")
    return pa.Table.from_arrays(arrays, schema=declared)


def empty(table: Table) -> pa.Table:
    """The table with no rows."""
    return arrow_schema(table).empty_table()


def concat(table: Table, pieces: Sequence[pa.Table]) -> pa.Table:
    """Pieces of one table, one after another, as a single chunk per column."""
    if not pieces:
        return empty(table)
    if len(pieces) == 1:
        return pieces[0]
    return pa.concat_tables(pieces).unify_dictionaries().combine_chunks()


def category(
    codes: NDArray[Any], pool: Sequence[str], mask: NDArray[np.bool_] | None = None
) -> pa.DictionaryArray:
    """A dictionary-encoded column: codes into a pool of strings; True in `mask` means null."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=mask), pa.array(list(pool), type=pa.string()))


def worded(
    codes: NDArray[Any], words: Sequence[str], mask: NDArray[np.bool_] | None = None
) -> pa.DictionaryArray:
    """A category column from codes into words of which some may be the same."""
    pool = list(dict.fromkeys(words)) or [""]
    place = np.array([pool.index(word) for word in words] or [0])
    return category(place[codes], pool, mask)


def constant(value: str, rows: int) -> pa.DictionaryArray:
    """A category column that says the same in every row."""
    return category(np.zeros(rows, dtype=np.int8), [value])


def nulls(values: NDArray[Any], mask: NDArray[np.bool_]) -> pa.Array:
    """A column with nulls where `mask` is True."""
    return pa.array(values, mask=mask)


def timestamps(
    start: date, microseconds: NDArray[np.int64], mask: NDArray[np.bool_] | None = None
) -> pa.Array:
    """UTC timestamps, `microseconds` after midnight of `start`."""
    return pa.array(epoch_us(start) + microseconds, mask=mask).cast(pa.timestamp("us"))


def moments(start: date, microseconds: NDArray[np.int64]) -> pa.Array:
    """UTC timestamps as `timestamps`, null where the moment is `NEVER`."""
    never = microseconds == NEVER
    return timestamps(start, np.where(never, 0, microseconds), never)


def epoch_us(day: date) -> int:
    """Microseconds from 1970-01-01 to midnight of `day`."""
    return (day - date(1970, 1, 1)).days * US_PER_DAY


def codes_of(column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Codes and pool of a category column; null is -1."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.unify_dictionaries().chunk(0) if whole.num_chunks else pa.array([], type=whole.type)
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, whole.dictionary.to_pylist()


def _array(column: Column, kind: pa.DataType, values: Values) -> pa.Array:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.type != kind:
        array = _cast(array, kind)
    if array.null_count and not column.nullable:
        raise ValueError(f"column {column.name} holds {array.null_count} nulls but is not nullable")
    return array


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind) and pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices.cast(kind.index_type), array.dictionary)
    if pa.types.is_dictionary(kind):
        encoded = array.cast(pa.string()).dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.cast(kind.index_type), encoded.dictionary)
    return array.cast(kind)
