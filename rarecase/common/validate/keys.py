"""Unique keys and kept references, part by part.

The keys of rarecase say, with the seed, from which part they are and where they stand in it. So keys are
unique if they are so within their part and read back to that part; and a reference into another part is one
look at a bit. Memory is one bit per row with such a key, plus the few keys that cases add; everything else is
one part at a time. Without a key space, DuckDB groups and anti-joins, and spills to disk where memory ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rarecase.common.keys import KeySpace
from rarecase.common.validate.index import PAGE_BITS, Bits, Index
from rarecase.common.validate.references import check_references
from rarecase.common.validate.rows import count_and_show, row_text
from rarecase.common.validate.sources import Piece, Source

Int64 = NDArray[np.int64]

_NONE: Int64 = np.empty(0, dtype=np.int64)
# Where pages are emptier than this, keys are kept as they are.
_FEWEST_ON_A_PAGE = 16
_GLIMPSE = 1000


@dataclass(frozen=True)
class _PartKeys:
    """Keys of one piece: those of its own part as bits by ordinal, the rest as they are."""

    part: int
    bits: Bits
    others: Int64
    doubled: Int64
    unread: Int64


def check_keys(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Source], keyspace: KeySpace | None
) -> None:
    """Note doubled keys, keys that are not of this data set, and references that lead nowhere."""
    read_back = {name: source for name, source in sources.items() if keyspace and _reads_back(source)}
    indexes: dict[str, Index] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, source in sources.items():
            if not source.table.key or not source.knows(source.table.key):
                continue
            if keyspace is not None and name in read_back:
                indexes[name] = _index(pool, source, keyspace)
            elif len(source.table.key) == 1 and source.pieces and source.pieces[0].arrow is not None:
                _unique_in_memory(source)
            elif keyspace is None or not _unique_by_part(pool, source, keyspace):
                _unique_by_grouping(connection, source)
        check_references(connection, pool, sources, indexes, keyspace)


def _reads_back(source: Source) -> bool:
    key = source.table.key
    return len(key) == 1 and source.table[key[0]].type == "key" and source.has_parts


def _origin(source: Source, keyspace: KeySpace) -> str:
    """The table whose keys the key column holds: another one where each row speaks of a row elsewhere."""
    table = source.table
    told = next((found.table for found in table.references if found.columns == table.key), table.name)
    if told != table.name or not source.pieces:
        return told
    reading = keyspace.read(
        _numbers(source.read(source.pieces[0], table.key).column(table.key[0]))[:_GLIMPSE]
    )
    seen = set(reading.table[reading.valid].tolist())
    return list(keyspace.tables)[seen.pop()] if len(seen) == 1 else told


def _numbers(column: pa.ChunkedArray) -> Int64:
    numbers: Int64 = column.drop_null().to_numpy()
    return numbers


def _index(pool: ThreadPoolExecutor, source: Source, keyspace: KeySpace) -> Index:
    name = source.table.key[0]
    origin = _origin(source, keyspace)
    table = keyspace.tables[origin]

    def one(piece: Piece) -> _PartKeys:
        keys = _numbers(source.read(piece, [name]).column(name))
        assert piece.part is not None
        return _sort_out(keys, keyspace, table, piece.part)

    parts = list(pool.map(one, source.pieces))
    bits: dict[int, Bits] = {}
    doubled = [part.doubled for part in parts]
    for part in parts:
        # Two files may claim one part; then the same ordinal in both is a doubled key.
        if part.part in bits:
            bits[part.part], both = bits[part.part].merged(part.bits)
            doubled.append(keyspace.rows(origin, part.part, both))
        else:
            bits[part.part] = part.bits
    others = np.sort(np.concatenate([_NONE, *(part.others for part in parts)]))
    doubled.append(_repeated(others))
    doubled.append(others[Index(table, bits, _NONE).holds(others, keyspace.read(others))])
    unread = np.concatenate([_NONE, *(part.unread for part in parts)])
    _tell_keys(source, "key.unique", np.concatenate(doubled), "occur more than once")
    _tell_keys(source, "key.read", unread, f"are no keys of this data set's {origin}")
    return Index(table, bits, others)


def _sort_out(keys: Int64, keyspace: KeySpace, table: int, part: int) -> _PartKeys:
    reading = keyspace.read(keys)
    ours = reading.valid & (reading.table == table)
    home = ours & ~reading.is_case & (reading.stream == part)
    if home.any():
        # Keys that were made up may lie anywhere; a page for each would be dear.
        pages, which, each = np.unique(
            reading.ordinal[home] >> PAGE_BITS, return_inverse=True, return_counts=True
        )
        if pages.size > 1024:
            home[np.flatnonzero(home)[each[which] < _FEWEST_ON_A_PAGE]] = False
    bits, at_home = Bits.of(reading.ordinal[home]), keys[home]
    doubled = _NONE if bits.count == at_home.size else _repeated(np.sort(at_home))
    return _PartKeys(part, bits, keys[~home], doubled, keys[~ours])


def _repeated(sorted_keys: Int64) -> Int64:
    repeated: Int64 = sorted_keys[1:][sorted_keys[1:] == sorted_keys[:-1]]
    return repeated


def _tell_keys(source: Source, rule: str, keys: Int64, what: str) -> None:
    if len(keys):
        name = source.table.key[0]
        examples = [f"{name}={key}" for key in keys[:3].tolist()]
        source.finding(rule, name, len(keys), f"{len(keys)} keys {what}", examples)


def _unique_in_memory(source: Source) -> None:
    name = source.table.key[0]
    columns = [piece.arrow.column(name) for piece in source.pieces if piece.arrow is not None]
    if not pa.types.is_integer(columns[0].type):
        counted = pc.value_counts(pa.chunked_array([chunk for column in columns for chunk in column.chunks]))
        repeated = [
            entry["values"] for entry in counted.filter(pc.greater(counted.field("counts"), 1)).to_pylist()
        ]
        if repeated:
            examples = [f"{name}={value}" for value in repeated[:3]]
            source.finding(
                "key.unique", name, len(repeated), f"{len(repeated)} keys occur more than once", examples
            )
        return
    keys = np.sort(np.concatenate([_numbers(column) for column in columns]))
    _tell_keys(source, "key.unique", _repeated(keys), "occur more than once")


def _unique_by_part(pool: ThreadPoolExecutor, source: Source, keyspace: KeySpace) -> bool:
    """Judge keys of several columns part by part, if the first column keeps equal ones in one part."""
    names = list(source.table.key)
    if not source.has_parts or any(source.table[name].type != "key" for name in names):
        return False
    parts = [piece.part for piece in source.pieces]
    if len(set(parts)) < len(parts):
        return False

    def one(piece: Piece) -> pa.Table | None:
        rows = source.read(piece, names)
        reading = keyspace.read(_numbers(rows.column(names[0])))
        home = np.where(reading.is_case, reading.stream // keyspace.block, reading.stream)
        if rows.column(names[0]).null_count or not (reading.valid & (home == piece.part)).all():
            return None
        counted = rows.group_by(names, use_threads=False).aggregate([([], "count_all")])
        return counted.filter(pc.greater(counted.column("count_all"), 1)).select(names)

    found = list(pool.map(one, source.pieces))
    repeated = [rows for rows in found if rows is not None]
    if len(repeated) < len(found):
        return False
    shown = [tuple(row.values()) for rows in repeated for row in rows.slice(0, 3).to_pylist()][:3]
    _tell_repeated(
        source, sum(rows.num_rows for rows in repeated), [row_text(names, values) for values in shown]
    )
    return True


def _unique_by_grouping(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    columns = ", ".join(source.table.key)
    doubled = f"SELECT {columns} FROM {source.table.name} GROUP BY {columns} HAVING count(*) > 1"
    _tell_repeated(source, *count_and_show(connection, doubled))


def _tell_repeated(source: Source, count: int, examples: Iterable[str]) -> None:
    if count:
        names = source.table.key
        columns = ", ".join(names)
        column = names[0] if len(names) == 1 else None
        source.finding(
            "key.unique", column, count, f"{count} keys ({columns}) occur more than once", examples
        )
