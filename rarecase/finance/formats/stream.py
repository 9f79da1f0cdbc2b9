"""How the formats write much in little memory: day after day, as rows of text that SQL has put together.

A query has a column `text`, and for files that it tells apart a column `path`. The rows are never touched one
by one: neighbours lie side by side in Arrow's buffer and leave it as one piece of bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, pairwise
from operator import itemgetter
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.domain import Document
from rarecase.common.errors import RarecaseError
from rarecase.common.identifiers import uuid_from_keys

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

_MEMORY, _BATCH = "1GiB", 100_000
#: Payments that are sorted at once, of lines of some hundred bytes.
ROWS = 1_000_000


@contextmanager
def books(dataset: Dataset) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of bounded memory, with one view per table and the function `uetr` of a payment's key."""
    with TemporaryDirectory(prefix="rarecase-") as spill, dataset.connect() as connection:
        place = spill.replace("'", "''")
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute(f"SET temp_directory = '{place}'")
        connection.create_function("uetr", _uetr, ["BIGINT"], "VARCHAR", type="arrow")  # type: ignore[call-overload]
        yield connection


def _uetr(keys: Any) -> pa.Array:
    """UUIDs of version 4, as the XSDs want them, determined by the keys."""
    found = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    return uuid_from_keys(found.to_numpy(zero_copy_only=False), version=4)


class Span(NamedTuple):
    """Whole days: SQL for the first one and the one after the last, and how many rows come before them."""

    since: str
    until: str
    before: int


def spans(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    moment: str,
    most: int | None = None,
    where: str = "TRUE",
) -> Iterator[Span]:
    """Whole days of a table, as few ranges as have at most `most` (`ROWS`) rows each, or one day.

    Parameters
    ----------
    table, moment, where
        The table (or view), its column of time, and which rows count.

    Yields
    ------
    Span
        Together all days with rows, in order.
    """
    days = connection.sql(
        f"SELECT CAST({moment} AS DATE), CAST({moment} AS DATE) + 1, count(*) FROM {table} "
        f"WHERE {where} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    since, until, held, before = None, None, 0, 0
    for day, next_day, rows in days:
        if since is not None and held + rows > (most or ROWS):
            yield Span(f"DATE '{since}'", f"DATE '{until}'", before)
            since, held, before = None, 0, before + held
        since, until, held = since or day, next_day, held + rows
    if since is not None:
        yield Span(f"DATE '{since}'", f"DATE '{until}'", before)


def place_spans(connection: duckdb.DuckDBPyConnection, counts: str, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of places, first and last, with at most `most` rows each, or one place.

    Parameters
    ----------
    counts
        A query with the columns place and rows.
    """
    first, last, held = None, 0, 0
    for place, rows in connection.sql(f"SELECT place, rows FROM ({counts}) ORDER BY place").fetchall():
        if first is not None and held + rows > most:
            yield first, last
            first, held = None, 0
        first, last, held = place if first is None else first, place, held + rows
    if first is not None:
        yield first, last


class Payers:
    """From which places each place is paid, so that a written set need not be searched through for it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str = "transactions") -> None:
        self._of: dict[int, set[int]] = {}
        query = f"SELECT DISTINCT payee_place, payer_place FROM {table}"
        for payee, payer in connection.sql(query).fetchall():
            self._of.setdefault(payee, set()).add(payer)

    def of(self, first: int, last: int) -> set[int]:
        """The places that pay or are paid at `first` to `last`, on the payer's side."""
        here = range(first, last + 1)
        return set(here).union(*(self._of.get(place, ()) for place in here))


def rows_of(dataset: Dataset, table: str, places: Iterable[int]) -> str:
    """SQL for a table of which only the rows that some places wrote are needed; places are parts."""
    files = dataset.files_of(table)
    if not files or dataset.manifest["storage"] != "parquet":
        return table
    wanted = set(places)
    found = [file for file in files if int(file.stem.rpartition("-")[2]) in wanted]
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in found)
    return f"read_parquet([{listed}])"


def text(connection: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> Iterator[bytes]:
    """The column `text` of the queries, one after another."""
    for query in queries:
        for batch in connection.sql(query).to_arrow_reader(_BATCH):
            yield from _cut(batch.column("text"), (0, batch.num_rows))


def documents(connection: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> Iterator[Document]:
    """Documents of rows (path, text): neighbours with equal paths make one.

    Yields
    ------
    Document
        Its pieces must be taken before the next document is asked for.
    """
    for path, pieces in groupby(_pieces(connection, queries), itemgetter(0)):
        open_ = [True]
        yield Document(path, _while(open_, path, pieces))
        open_.clear()


def _while(open_: list[bool], path: str, pieces: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    if not open_:
        raise RarecaseError(f"document {path}: its pieces are gone, take them before the next document")
    yield from (piece for _, piece in pieces)


def _pieces(connection: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for query in queries:
        for batch in connection.sql(query).to_arrow_reader(_BATCH):
            codes = pc.dictionary_encode(batch.column("path"))
            starts = [0, *(np.flatnonzero(np.diff(codes.indices.to_numpy())) + 1).tolist()]
            if batch.num_rows:
                paths = codes.take(pa.array(starts)).to_pylist()
                yield from zip(paths, _cut(batch.column("text"), (*starts, batch.num_rows)), strict=True)


def headed(header: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces of a file after its first line."""
    yield f"{header}\n".encode()
    yield from pieces


def money(column: str) -> str:
    """SQL for the absolute amount of a column of minor units, with two decimals."""
    return f"(CAST(abs({column}) AS DECIMAL(18, 0)) * CAST(0.01 AS DECIMAL(2, 2)))::VARCHAR"


def decimal(column: str) -> str:
    """SQL for a column of minor units as a float is written: 12.5, 100.0."""
    return f"(({column}) / 100.0)::VARCHAR"


def _cut(column: pa.Array, edges: Sequence[int]) -> list[bytes]:
    """The text of the rows between neighbouring edges, without touching a row."""
    rows = column.cast(pa.large_binary())
    if rows.null_count:
        raise RarecaseError("a row has no text: a word of the data set has no word in this format")
    _, places, held = rows.buffers()
    if held is None or not len(rows):
        return [b""] * (len(edges) - 1)
    ends = np.frombuffer(places, np.int64)[rows.offset + np.asarray(edges)].tolist()
    return [bytes(held.slice(start, stop - start)) for start, stop in pairwise(ends)]


def readme(folder: str, title: str, lines: str, dataset: Dataset) -> Document:
    """The page beside files that have no room for a mark: what they are, and of which data set."""
    spec = dataset.spec
    told = (
        f"{title}\n\nSynthetic data made by rarecase: no person, account, firm or bank in it exists.\n"
        f"Domain {spec.domain}, seed {spec.seed}, {spec.size} customers, {spec.days} days from "
        f"{spec.start:%Y-%m-%d}.\n\n{lines.strip()}\n"
    )
    return Document(f"{folder}/README.txt", told.encode())
