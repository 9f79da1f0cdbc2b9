"""Where rows come from: Arrow tables in memory, or the part files of a written set, behind one face."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rarecase.common.errors import Finding
from rarecase.common.schema import Column, Table
from rarecase.common.schema.constraints import literal
from rarecase.common.schema.declare import INTEGERS
from rarecase.common.schema.sql import SQL_TYPES

_PART = re.compile(r"part-(\d+)\.\w+")
_TEXT_FORMATS = {".csv": "csv", ".jsonl": "jsonl"}


class DamagedFileError(Exception):
    """A file cannot be read to its end."""


@dataclass(frozen=True)
class Piece:
    """Rows of one part: a file, or a table in memory. `part` is None where no part is known."""

    path: Path | None = None
    arrow: pa.Table | None = None
    part: int | None = None

    @property
    def format(self) -> str:
        """``arrow``, ``parquet``, ``csv`` or ``jsonl``."""
        if self.path is None:
            return "arrow"
        return _TEXT_FORMATS.get(self.path.suffix, "parquet")

    @property
    def schema(self) -> pa.Schema | None:
        """Arrow schema of the rows; None for text, whose columns have no types."""
        if self.arrow is not None:
            return self.arrow.schema
        return pq.read_schema(self.path) if self.format == "parquet" else None


def piece_of(path: Path) -> Piece:
    """The piece that a file is; its part follows from a name such as ``part-00007.parquet``."""
    found = _PART.fullmatch(path.name)
    return Piece(path=path, part=int(found[1]) if found else None)


@dataclass
class Source:
    """All rows of one declared table.

    Attributes
    ----------
    usable
        The declared columns that every piece has in its declared type; only these are looked at further.
    whole
        False when a file had to be set aside, so that what refers to its rows cannot be judged.
    findings
        What is wrong with files and columns as such.
    """

    table: Table
    pieces: tuple[Piece, ...]
    usable: tuple[Column, ...] = ()
    whole: bool = True
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_text(self) -> bool:
        """Whether the rows are CSV or JSON Lines."""
        return any(piece.format in ("csv", "jsonl") for piece in self.pieces)

    @property
    def has_parts(self) -> bool:
        """Whether the part of every piece is known."""
        return all(piece.part is not None for piece in self.pieces)

    def knows(self, names: Iterable[str]) -> bool:
        """Whether all these columns are usable."""
        return set(names) <= {column.name for column in self.usable}

    def finding(
        self, rule: str, column: str | None, count: int, message: str, examples: Iterable[str] = ()
    ) -> None:
        """Note something that makes the table unfit."""
        where = self.table.name if column is None else f"{self.table.name}.{column}"
        told = Finding(
            "error", rule, self.table.name, column, count, f"{where}: {message}", tuple(examples)[:3]
        )
        self.findings.append(told)

    def set_aside(self, lost: Sequence[Piece], rule: str = "file.damaged") -> None:
        """Leave missing or damaged files out of everything that follows."""
        if not lost:
            return
        self.pieces = tuple(piece for piece in self.pieces if piece not in lost)
        self.whole = False
        some = "1 file" if len(lost) == 1 else f"{len(lost)} files"
        what = "missing" if rule == "file.missing" else "cut off, damaged or unreadable"
        self.finding(rule, None, len(lost), f"{some} {what}", [str(piece.path) for piece in lost])

    def drop_damaged(self) -> bool:
        """Set aside every file that cannot be read to its end; whether there were any."""
        damaged = [piece for piece in self.pieces if not self.readable(piece)]
        self.set_aside(damaged)
        return bool(damaged)

    def attach(self, connection: duckdb.DuckDBPyConnection, within: str = "main") -> None:
        """(Re-)create the view named as the table, and for text the view of its raw words.

        Parameters
        ----------
        within
            Schema of the database in which the views stand.
        """
        try:
            self._attach(connection, within)
        except duckdb.Error:
            if not self.drop_damaged():
                raise
            self._attach(connection, within)

    def _attach(self, connection: duckdb.DuckDBPyConnection, within: str) -> None:
        rows = f"{within}__{self.table.name}__rows"
        name = f"{within}.{self.table.name}"
        if not self.pieces:
            connection.register(rows, _nothing(self.usable))
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {rows}")
            return
        raw = self._raw(connection, self.pieces, rows)
        if self.is_text:
            connection.execute(f"CREATE OR REPLACE VIEW {name}__text AS SELECT * FROM {raw}")
        columns = ", ".join(self._typed(column) for column in self.usable)
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {raw}")

    def _typed(self, column: Column) -> str:
        if not self.is_text:
            return column.name
        return f"TRY_CAST({column.name} AS {SQL_TYPES['duckdb'][column.type]}) AS {column.name}"

    def _raw(self, connection: duckdb.DuckDBPyConnection, pieces: Sequence[Piece], rows: str = "") -> str:
        if pieces[0].arrow is not None:
            whole = pa.concat_tables([piece.arrow for piece in pieces])
            connection.register(rows, whole)
            return rows
        listed = ", ".join(literal(str(piece.path)) for piece in pieces)
        if pieces[0].format == "parquet":
            return f"read_parquet([{listed}])"
        columns = ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in self.table.columns)
        if pieces[0].format == "jsonl":
            return f"read_json([{listed}], format='newline_delimited', columns={{{columns}}})"
        return (
            f"read_csv([{listed}], header=true, delim=',', quote='\"', escape='\"', all_varchar=true,"
            " nullstr='', allow_quoted_nulls=false, auto_detect=false, strict_mode=true,"
            f" columns={{{columns}}})"
        )

    def uncast(self, column: Column) -> str:
        """SQL that is true where a word of a text file is no value of the column's type."""
        name, kind = column.name, SQL_TYPES["duckdb"][column.type]
        sql = f"{name} IS NOT NULL AND TRY_CAST({name} AS {kind}) IS NULL"
        if column.type in INTEGERS or column.type == "key":
            return f"{sql} OR NOT regexp_full_match({name}, '-?[0-9]+')"
        return sql

    def read(self, piece: Piece, names: Sequence[str]) -> pa.Table:
        """Some columns of one piece, in their declared types.

        Raises
        ------
        DamagedFileError
        """
        if piece.arrow is not None:
            return piece.arrow.select(names)
        try:
            if piece.format == "parquet":
                return pq.read_table(piece.path, columns=list(names), use_threads=False)
            with duckdb.connect(config={"threads": 1}) as connection:
                columns = ", ".join(self._typed(self.table[name]) for name in names)
                query = f"SELECT {columns} FROM {self._raw(connection, [piece])}"
                return connection.sql(query).to_arrow_table()
        except (pa.ArrowException, OSError, duckdb.Error) as error:
            raise DamagedFileError(f"{piece.path}: {error}") from None

    def readable(self, piece: Piece) -> bool:
        """Whether every usable column of a piece can be read to its end."""
        try:
            self.read(piece, [column.name for column in self.usable])
        except DamagedFileError:
            return False
        return True


def _nothing(columns: Sequence[Column]) -> pa.Table:
    from rarecase.common.schema.arrow import arrow_field

    return pa.schema([arrow_field(column) for column in columns]).empty_table()
