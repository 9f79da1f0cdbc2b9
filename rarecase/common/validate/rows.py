"""What every row must keep by itself: one scan per table counts all faults, a second look shows examples.

Words of a list are judged by the dictionaries of their columns: a few hundred words, not a million rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.schema import Column
from rarecase.common.schema.constraints import constraints
from rarecase.common.validate.sources import DamagedFileError, Piece, Source


@dataclass(frozen=True)
class _Law:
    """`bad` is true in SQL exactly where a row breaks the law."""

    rule: str
    column: str | None
    bad: str
    message: str


def check_rows(connection: duckdb.DuckDBPyConnection, source: Source) -> int:
    """Count nulls, ranges, allowed values, patterns and row rules in one scan; return the number of rows."""
    if not source.pieces or not source.usable:
        source.attach(connection)
        return 0
    uncast = _check_words(connection, source)
    if not source.pieces:
        return 0
    laws = list(_laws(source, uncast))
    listed = {} if source.is_text else _listed(connection, source)
    if not source.pieces:
        return 0
    scanned = [law for law in laws if not (law.rule == "value.allowed" and law.column in listed)]
    rows, *counts = _counted(connection, source, source.table.name, scanned)
    counted = dict(zip(scanned, counts, strict=True))
    for law in laws:
        count = counted[law] if law in counted else listed[str(law.column)]
        if count:
            _tell(connection, source, source.table.name, law, count)
    return rows


def _listed(connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, int]:
    """For each column whose words come from a list, how many of its rows have another word."""
    columns = [column for column in source.usable if column.type == "category" and column.values is not None]
    if not columns:
        return {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            found = list(pool.map(lambda piece: _strangers(source, piece, columns), source.pieces))
        except DamagedFileError:
            source.drop_damaged()
            source.attach(connection)
            found = list(pool.map(lambda piece: _strangers(source, piece, columns), source.pieces))
    return {column.name: sum(counts[at] for counts in found) for at, column in enumerate(columns)}


def _strangers(source: Source, piece: Piece, columns: Sequence[Column]) -> list[int]:
    rows = source.read(piece, [column.name for column in columns])
    return [
        sum(_outside(chunk, pa.array(column.values)) for chunk in rows.column(column.name).chunks)
        for column in columns
    ]


def _outside(words: pa.Array, allowed: pa.Array) -> int:
    """How many rows have a word that is not allowed; nulls are judged elsewhere."""
    if not pa.types.is_dictionary(words.type):
        words = words.dictionary_encode()
    strange = pc.invert(pc.is_in(words.dictionary.cast(allowed.type), value_set=allowed))
    if not pc.any(strange).as_py():
        return 0
    return int(np.count_nonzero(strange.to_numpy(zero_copy_only=False)[words.indices.drop_null().to_numpy()]))


def _check_words(connection: duckdb.DuckDBPyConnection, source: Source) -> frozenset[str]:
    """The columns of a text file that hold words which are no values of their type."""
    source.attach(connection)
    if not source.pieces or not source.is_text:
        return frozenset()
    plain = [column for column in source.usable if column.type not in ("string", "category")]
    laws = [_Law("value.type", c.name, source.uncast(c), f"is a {c.type}") for c in plain]
    view = f"{source.table.name}__text"
    counts = _counted(connection, source, view, laws)
    wrong = [(law, count) for law, count in zip(laws, counts[1:], strict=True) if count]
    for law, count in wrong:
        _tell(connection, source, view, law, count)
    return frozenset(str(law.column) for law, _ in wrong)


def _laws(source: Source, uncast: frozenset[str]) -> Iterator[_Law]:
    known = {column.name for column in source.usable}
    for column in source.usable:
        if not column.nullable and column.name not in uncast:
            yield _Law("value.null", column.name, f"{column.name} IS NULL", f"{column.name} is never null")
    absent = [name for name in source.table.names if name not in known]
    unjudged = re.compile(rf"\b({'|'.join(absent)})\b") if absent else None
    for law in constraints(source.table, "duckdb"):
        out_of_reach = law.column in absent or (unjudged is not None and unjudged.search(law.sql))
        if not out_of_reach:
            yield _Law(law.rule, law.column, f"NOT ({law.sql})", law.message)


def _counted(connection: duckdb.DuckDBPyConnection, source: Source, view: str, laws: list[_Law]) -> list[int]:
    counts = ", ".join(["count(*)", *(f"count(*) FILTER (WHERE {law.bad})" for law in laws)])
    query = f"SELECT {counts} FROM {view}"
    try:
        return [int(count) for count in connection.execute(query).fetchall()[0]]
    except duckdb.Error:
        if not source.drop_damaged():
            raise
        source.attach(connection)
        if not source.pieces:
            return [0] * (len(laws) + 1)
        return [int(count) for count in connection.execute(query).fetchall()[0]]


def _tell(connection: duckdb.DuckDBPyConnection, source: Source, view: str, law: _Law, count: int) -> None:
    shown = [name for name in source.table.key if source.knows([name])]
    if law.column is None:
        mentioned = set(re.findall(r"\w+", law.bad))
        shown += [
            column.name for column in source.usable if column.name in mentioned and column.name not in shown
        ]
    elif law.column not in shown:
        shown.append(law.column)
    found = connection.execute(f"SELECT {', '.join(shown)} FROM {view} WHERE {law.bad} LIMIT 3").fetchall()
    examples = [row_text(shown, values) for values in found]
    rows = "1 row breaks" if count == 1 else f"{count} rows break"
    source.finding(law.rule, law.column, count, f"{rows} the law: {law.message}", examples)


def row_text(names: list[str], values: tuple[object, ...]) -> str:
    """A row in an example: ``name=value`` for each."""
    return ", ".join(f"{name}={'null' if value is None else value}" for name, value in zip(names, values))


def count_and_show(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, list[str]]:
    """Number of rows that a query returns, and three of them as text."""
    count = int(connection.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])
    if not count:
        return 0, []
    shown = connection.execute(f"SELECT * FROM ({query}) LIMIT 3")
    names = [str(column[0]) for column in shown.description or ()]
    return count, [row_text(names, values) for values in shown.fetchall()]
