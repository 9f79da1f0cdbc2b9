"""Whether references lead somewhere: among the keys of the same part, or to a bit of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.keys import KeySpace
from rarecase.common.schema import Reference
from rarecase.common.validate.index import Index
from rarecase.common.validate.positions import Held
from rarecase.common.validate.rows import count_and_show
from rarecase.common.validate.sources import Piece, Source

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class _Link:
    """A reference of one column to keys that read back to their part."""

    source: Source
    target: Source
    reference: Reference
    index: Index


def check_references(
    connection: duckdb.DuckDBPyConnection,
    pool: ThreadPoolExecutor,
    sources: Mapping[str, Source],
    indexes: Mapping[str, Index],
    keyspace: KeySpace | None,
) -> None:
    """Note references that lead nowhere; `indexes` has the tables whose keys read back to their part."""
    judged = [
        (source, reference)
        for source in sources.values()
        for reference in source.table.references
        if source.knows(reference.columns)
        and sources[reference.table].knows(reference.to)
        and sources[reference.table].whole
    ]
    links = [
        _Link(source, sources[reference.table], reference, indexes[reference.table])
        for source, reference in judged
        if reference.table in indexes and source.has_parts
    ]
    missing = iter(() if keyspace is None else _missing(pool, links, keyspace))
    followed = {(link.source.table.name, link.reference) for link in links}
    for source, reference in judged:
        if (source.table.name, reference) in followed:
            keys = next(missing)
            _tell(
                source, reference, keys.size, [f"{reference.columns[0]}={key}" for key in keys[:3].tolist()]
            )
        else:
            _follow_by_joining(connection, source, reference)


def _missing(pool: ThreadPoolExecutor, links: list[_Link], keyspace: KeySpace) -> Iterator[Int64]:
    """For each link the values that lead nowhere, in the order of the parts."""
    parts = sorted({piece.part or 0 for link in links for piece in link.source.pieces})
    by_part: list[list[Int64]] = [[] for _ in links]
    for found in pool.map(lambda part: list(_missing_of_part(part, links, keyspace)), parts):
        for all_found, keys in zip(by_part, found, strict=True):
            all_found.append(keys)
    return (np.concatenate([np.empty(0, np.int64), *found]) for found in by_part)


def _missing_of_part(part: int, links: list[_Link], keyspace: KeySpace) -> Iterator[Int64]:
    columns = _Columns(part, links)
    held: dict[tuple[str, str], Held] = {}
    for link in links:
        (ours,), (theirs,) = link.reference.columns, link.reference.to
        keys = columns.of(link.source, ours)
        # Most references stay in their part, where a look-up is cheaper than reading a key back.
        if keys.size:
            place = (link.target.table.name, theirs)
            if place not in held:
                held[place] = Held(columns.of(link.target, theirs))
            keys = keys[held[place].positions(keys) < 0]
        yield keys[~link.index.holds(keys, keyspace.read(keys))] if keys.size else keys


class _Columns:
    """Columns of keys of one part, each table read once."""

    def __init__(self, part: int, links: Iterable[_Link]) -> None:
        self._part = part
        self._wanted: dict[str, set[str]] = {}
        self._read: dict[str, pa.Table | None] = {}
        for link in links:
            self._wanted.setdefault(link.source.table.name, set()).update(link.reference.columns)
            self._wanted.setdefault(link.target.table.name, set()).update(link.reference.to)

    def of(self, source: Source, column: str) -> Int64:
        """The values of a column that are not null."""
        name = source.table.name
        if name not in self._read:
            pieces = [piece for piece in source.pieces if piece.part == self._part]
            self._read[name] = _rows(source, pieces, sorted(self._wanted[name])) if pieces else None
        rows = self._read[name]
        if rows is None:
            return np.empty(0, np.int64)
        keys: Int64 = rows.column(column).drop_null().to_numpy()
        return keys


def _rows(source: Source, pieces: list[Piece], names: list[str]) -> pa.Table:
    return pa.concat_tables([source.read(piece, names) for piece in pieces])


def _tell(source: Source, reference: Reference, count: int, examples: Iterable[str]) -> None:
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
    _tell(source, reference, *count_and_show(connection, query))
