"""The logical digest: what a table says, whatever file, engine or processor it came from.

SHA-256 over normalised columns: a float counts as its whole number of quanta, a category as the sorted words
in use and the place of each row's word among them, a null as a bit of a mask and as nothing among the values.
Whole numbers are hashed in blocks, as distances from a block's smallest in as few bytes as they need, since
hashing is what a digest costs. Two CPUs that differ in the last bit of ``exp``, and Parquet and CSV of the
same rows, give the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.schema import Column, Schema, Table

_BLOCK = 1 << 12  # rows that are packed together: days of timestamps, and within the processor's first cache
_NOT_FINITE = np.iinfo(np.int64).min
_SPARE_BITS = 16  # of a float without a quantum: 36 of 52 bits count, about ten digits


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


def table_digest(table: pa.Table, declared: Table) -> str:
    """The digest (hex) of the rows of `table`, in their order, under its declaration.

    Parameters
    ----------
    table : the rows; its columns have the declared Arrow types
    declared : the declaration, which says the quantum of each float
    """
    state = hashlib.sha256()
    for column in declared.columns:
        array = _whole(table.column(column.name))
        state.update(f"{column.name}:{column.type}:{len(array)}:".encode())
        _add_mask(state, array)
        _add_values(state, array, column)
    return state.hexdigest()


def part_digests(tables: Mapping[str, pa.Table], schema: Schema) -> dict[str, str]:
    """The digest of each table of one part."""
    return {name: table_digest(table, schema[name]) for name, table in tables.items()}


def combine(digests: Iterable[str]) -> str:
    """The digest (hex) of a table from those of its parts, in the order of the parts."""
    state = hashlib.sha256()
    for digest in digests:
        state.update(bytes.fromhex(digest))
    return state.hexdigest()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else pa.array([], type=column.type)
    return whole


def _add_mask(state: _Hash, array: pa.Array) -> None:
    if array.null_count == 0:
        state.update(b"whole")
    else:
        state.update(np.packbits(pc.is_valid(array).to_numpy(zero_copy_only=False)))


def _add_values(state: _Hash, array: pa.Array, column: Column) -> None:
    if column.type == "category":
        _add_category(state, array)
    elif column.type == "string":
        _add_strings(state, array)
    elif column.type in ("float32", "float64"):
        _add_floats(state, _numbers(array), column.quantum)
    elif column.type == "bool":
        state.update(np.packbits(_numbers(array.cast(pa.uint8()))))
    elif column.type == "key":  # scattered over all 62 bits
        state.update(_numbers(array))
    else:
        _add_integers(state, _numbers(array))


def _numbers(array: pa.Array) -> NDArray[Any]:
    """The values of a number, date or time column that are not null, in their order."""
    width = array.type.bit_width // 8
    if pa.types.is_temporal(array.type):
        array = array.view(pa.int64() if width == 8 else pa.int32())
    values: NDArray[Any] = (array.drop_null() if array.null_count else array).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(values)


def _add_integers(state: _Hash, values: NDArray[Any]) -> None:
    blocks = -(-values.size // _BLOCK)
    packed = np.empty(2 * blocks + values.size + blocks, np.uint64)
    state.update(packed[: _pack(values, packed)])


@compiled
def _pack(values: NDArray[Any], packed: NDArray[np.uint64]) -> int:
    """Write blocks of whole numbers: the smallest, width and shift, then what is above it; return the end.

    The shift is the zero bits that all of a block end in: timestamps of whole seconds end in six.
    """
    at = 0
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        low = np.int64(block[0])
        high = low
        for i in range(block.size):
            low, high = min(low, np.int64(block[i])), max(high, np.int64(block[i]))
        ends = np.uint64(0)
        for i in range(block.size):
            ends |= np.uint64(np.int64(block[i]) - low)
        shift = np.uint64(0)
        while ends and not (ends >> shift) & np.uint64(1):
            shift += np.uint64(1)
        reach = np.uint64(high - low) >> shift
        width = 1 if reach < 1 << 8 else 2 if reach < 1 << 16 else 4 if reach < 1 << 32 else 8
        packed[at], packed[at + 1] = np.uint64(low), np.uint64(width) | (shift << np.uint64(8))
        at += 2
        words = (block.size * width + 7) // 8
        room = packed[at : at + words]
        room[words - 1] = 0
        if width == 1:
            _shifted(block, low, shift, room.view(np.uint8))
        elif width == 2:
            _shifted(block, low, shift, room.view(np.uint16))
        elif width == 4:
            _shifted(block, low, shift, room.view(np.uint32))
        else:
            _shifted(block, low, shift, room)
        at += words
    return at


@compiled
def _shifted(block: NDArray[Any], low: np.int64, shift: np.uint64, out: NDArray[Any]) -> None:
    for i in range(block.size):
        out[i] = np.uint64(np.int64(block[i]) - low) >> shift


def _add_floats(state: _Hash, values: NDArray[Any], quantum: float | None) -> None:
    counts = np.empty(values.size, np.int64)
    if quantum is None:
        _leading_bits(values.astype(np.float64), counts)
    else:
        _quanta(values, quantum, counts)
    _add_integers(state, counts)


@compiled
def _quanta(values: NDArray[Any], quantum: float, out: NDArray[np.int64]) -> None:
    for i in range(values.size):
        count = np.rint(np.float64(values[i]) / quantum)
        # Comparisons with not-a-number are false, so this covers it too.
        out[i] = np.int64(count) if abs(count) < 9.0e18 else _NOT_FINITE


def _leading_bits(block: NDArray[np.float64], out: NDArray[np.int64]) -> None:
    bits = (block + 0.0).view(np.int64)  # adding zero turns -0.0 into 0.0
    np.right_shift(bits + (1 << (_SPARE_BITS - 1)), _SPARE_BITS, out=out)
    out[np.isnan(block)] = _NOT_FINITE


def _add_strings(state: _Hash, array: pa.Array) -> None:
    whole = array.fill_null("") if array.null_count else array
    _, offsets, data = whole.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[whole.offset : whole.offset + len(whole) + 1]
    if not len(whole):
        return
    state.update(np.ascontiguousarray(np.diff(ends)))
    if data is not None:
        state.update(memoryview(data)[int(ends[0]) : int(ends[-1])])


def _add_category(state: _Hash, array: pa.DictionaryArray) -> None:
    codes = _numbers(array.indices)
    pool = np.array(array.dictionary.to_pylist(), dtype=object)
    used = np.zeros(pool.size, dtype=np.bool_)
    _mark(codes, used)
    words, place = np.unique(pool[used].astype(str), return_inverse=True)
    width = np.uint8 if words.size <= 256 else np.uint16 if words.size <= 65536 else np.uint32
    ranks = np.zeros(pool.size, dtype=width)
    ranks[used] = place
    for word in words.tolist():
        data = word.encode()
        state.update(len(data).to_bytes(4, "little") + data)
    state.update(f":{words.size}:".encode())
    state.update(_look_up(codes, ranks, np.empty(codes.size, dtype=width)))


@compiled
def _mark(codes: NDArray[Any], used: NDArray[np.bool_]) -> None:
    for i in range(codes.size):
        used[codes[i]] = True


@compiled
def _look_up(codes: NDArray[Any], ranks: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    for i in range(codes.size):
        out[i] = ranks[codes[i]]
    return out
