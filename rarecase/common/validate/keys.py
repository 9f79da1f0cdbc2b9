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

from rarecase.common.keys import KeyReading, KeySpace
from rarecase.common.members import among
from rarecase.common.schema import Reference
from rarecase.common.validate.rows import row_text
from rarecase.common.validate.sources import Piece, Source

Int64 = NDArray[np.int64]

_NONE: Int64 = np.empty(0, dtype=np.int64)
# A page holds the bits of so many ordinals; where pages are emptier than this, keys are kept as they are.
_PAGE_BITS = 12
_FEWEST_ON_A_PAGE = 16
_GLIMPSE = 1000


@dataclass(frozen=True)
class Bits:
    """Which ordinals are there: bits on pages, as ordinals come in runs with wide holes between them.

    Attributes
    ----------
    numbers
        Ascending numbers of the pages that hold any, shape (n,).
    pages
        Their bits, shape (n, 512), little end first.
    """

    numbers: Int64
    pages: NDArray[np.uint8]

    @classmethod
    def of(cls, ordinals: Int64) -> Bits:
        """The bits of some ordinals, in any order."""
        numbers = np.unique(ordinals >> _PAGE_BITS)
        present = np.zeros((numbers.size, 1 << _PAGE_BITS), np.bool_)
        present[np.searchsorted(numbers, ordinals >> _PAGE_BITS), ordinals & ((1 << _PAGE_BITS) - 1)] = True
        return cls(numbers, np.packbits(present, axis=1, bitorder="little"))

    def holds(self, ordinals: Int64) -> NDArray[np.bool_]:
        """For each ordinal, whether it is there."""
        if not self.numbers.size:
            return np.zeros(ordinals.shape, np.bool_)
        number = ordinals >> _PAGE_BITS
        at = np.minimum(np.searchsorted(self.numbers, number), self.numbers.size - 1)
        within = ordinals & ((1 << _PAGE_BITS) - 1)
        bit = (self.pages[at, within >> 3] >> (within & 7).astype(np.uint8)) & 1
        return np.asarray((self.numbers[at] == number) & bit.astype(np.bool_))

    def ordinals(self) -> Int64:
        """All that are there, ascending."""
        page, within = np.nonzero(np.unpackbits(self.pages, axis=1, bitorder="little"))
        return (self.numbers[page] << _PAGE_BITS) + within

    def merged(self, other: Bits) -> tuple[Bits, Int64]:
        """Both together, and the ordinals that were in both."""
        mine = self.ordinals()
        return Bits.of(np.concatenate([mine, other.ordinals()])), mine[other.holds(mine)]


_EMPTY = Bits.of(_NONE)


@dataclass(frozen=True)
class _PartKeys:
    """Keys of one piece: those of its own part as bits by ordinal, the rest as they are."""

    part: int
    bits: Bits
    others: Int64
    doubled: Int64
    unread: Int64


@dataclass(frozen=True)
class _Index:
    """Which keys of a table exist: a bit per ordinary row, and the other keys, sorted."""

    table: int
    bits: Mapping[int, Bits]
    others: Int64

    def holds(self, keys: Int64, reading: KeyReading) -> NDArray[np.bool_]:
        """For each key, whether the table has it."""
        found = np.zeros(keys.shape, dtype=np.bool_)
        ordinary = reading.valid & ~reading.is_case & (reading.table == self.table)
        for part in np.unique(reading.stream[ordinary]):
            here = np.flatnonzero(ordinary & (reading.stream == part))
            found[here] = self.bits.get(int(part), _EMPTY).holds(reading.ordinal[here])
        missing = np.flatnonzero(~found)
        found[missing] = among(keys[missing], self.others)
        return found


def check_keys(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Source], keyspace: KeySpace | None
) -> None:
    """Note doubled keys, keys that are not of this data set, and references that lead nowhere."""
    read_back = {name: source for name, source in sources.items() if keyspace and _reads_back(source)}
    indexes: dict[str, _Index] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, source in sources.items():
            if not source.table.key or not source.knows(source.table.key):
                continue
            if keyspace is not None and name in read_back:
                indexes[name] = _index(pool, source, keyspace)
            elif len(source.table.key) == 1 and source.pieces and source.pieces[0].arrow is not None:
                _unique_in_memory(source)
            else:
                _unique_by_grouping(connection, source)
        for source in sources.values():
            for reference in source.table.references:
                target = sources[reference.table]
                if not (source.knows(reference.columns) and target.knows(reference.to) and target.whole):
                    continue
                index = indexes.get(reference.table)
                if keyspace is not None and index is not None and source.has_parts:
                    _follow(pool, source, target, reference, index, keyspace)
                else:
                    _follow_by_joining(connection, source, reference)


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


def _index(pool: ThreadPoolExecutor, source: Source, keyspace: KeySpace) -> _Index:
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
    doubled.append(others[_Index(table, bits, _NONE).holds(others, keyspace.read(others))])
    unread = np.concatenate([_NONE, *(part.unread for part in parts)])
    _tell_keys(source, "key.unique", np.concatenate(doubled), "occur more than once")
    _tell_keys(source, "key.read", unread, f"are no keys of this data set's {origin}")
    return _Index(table, bits, others)


def _sort_out(keys: Int64, keyspace: KeySpace, table: int, part: int) -> _PartKeys:
    reading = keyspace.read(keys)
    ours = reading.valid & (reading.table == table)
    home = ours & ~reading.is_case & (reading.stream == part)
    if home.any():
        # Keys that were made up may lie anywhere; a page for each would be dear.
        pages, which, each = np.unique(
            reading.ordinal[home] >> _PAGE_BITS, return_inverse=True, return_counts=True
        )
        if pages.size > 1024:
            home[np.flatnonzero(home)[each[which] < _FEWEST_ON_A_PAGE]] = False
    at_home = np.sort(keys[home])
    return _PartKeys(part, Bits.of(reading.ordinal[home]), keys[~home], _repeated(at_home), keys[~ours])


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


def _unique_by_grouping(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    names, table = list(source.table.key), source.table.name
    columns = ", ".join(names)
    doubled = f"SELECT {columns} FROM {table} GROUP BY {columns} HAVING count(*) > 1"
    count, examples = count_and_show(connection, doubled)
    if count:
        column = names[0] if len(names) == 1 else None
        source.finding(
            "key.unique", column, count, f"{count} keys ({columns}) occur more than once", examples
        )


def _follow(
    pool: ThreadPoolExecutor,
    source: Source,
    target: Source,
    reference: Reference,
    index: _Index,
    keyspace: KeySpace,
) -> None:
    (ours,), (theirs,) = reference.columns, reference.to
    same_part = {piece.part: piece for piece in target.pieces}

    def one(piece: Piece) -> Int64:
        values = source.read(piece, [ours]).column(ours).drop_null()
        if piece.part in same_part:
            # Most references stay in their part, and a hash look-up is cheaper than reading a key back.
            local = target.read(same_part[piece.part], [theirs]).column(theirs).combine_chunks()
            values = values.filter(pc.invert(pc.is_in(values, value_set=local)))
        away = _numbers(values)
        return away[~index.holds(away, keyspace.read(away))]

    _tell_broken(
        source, reference, (key for missing in pool.map(one, source.pieces) for key in missing.tolist())
    )


def _tell_broken(source: Source, reference: Reference, missing: Iterable[int]) -> None:
    examples, count = [], 0
    for key in missing:
        count += 1
        if count <= 3:
            examples.append(f"{reference.columns[0]}={key}")
    _broken(source, reference, count, examples)


def _broken(source: Source, reference: Reference, count: int, examples: Iterable[str]) -> None:
    if count:
        column = reference.columns[0] if len(reference.columns) == 1 else None
        told = f"{count} rows refer to {reference.table} that do not exist ({', '.join(reference.columns)})"
        source.finding("reference.missing", column, count, told, examples)


def _follow_by_joining(connection: duckdb.DuckDBPyConnection, source: Source, reference: Reference) -> None:
    pairs = [f"ours.{a} = theirs.{b}" for a, b in zip(reference.columns, reference.to, strict=True)]
    given = " AND ".join(f"ours.{name} IS NOT NULL" for name in reference.columns)
    query = (
        f"SELECT {', '.join(f'ours.{name}' for name in reference.columns)} FROM {source.table.name} ours "
        f"ANTI JOIN {reference.table} theirs ON {' AND '.join(pairs)} WHERE {given}"
    )
    _broken(source, reference, *count_and_show(connection, query))


def count_and_show(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, list[str]]:
    """Number of rows that a query returns, and three of them as text."""
    count = int(connection.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])
    if not count:
        return 0, []
    shown = connection.execute(f"SELECT * FROM ({query}) LIMIT 3")
    names = [str(column[0]) for column in shown.description or ()]
    return count, [row_text(names, values) for values in shown.fetchall()]
