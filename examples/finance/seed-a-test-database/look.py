"""Ask a database the questions of queries.sql and print the answers."""

from __future__ import annotations

import sys
from pathlib import Path


def main(address: str) -> None:
    """Print each question, as its comment puts it, and the answer of a DuckDB file or a PostgreSQL server."""
    questions = (Path(__file__).parent / "queries.sql").read_text("utf-8").strip().split("\n\n")[1:]
    with connect(address) as database:
        for question in questions:
            answer = database.execute(question)
            rows = [[column[0] for column in answer.description], *answer.fetchall()]
            cells = [[str(cell) for cell in row] for row in rows]
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            print(question.splitlines()[0].removeprefix("-- "))
            for row in cells:
                padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                print("    " + "  ".join(padded).rstrip())
            print()


def connect(address: str):  # type: ignore[no-untyped-def]
    """A connection of the database's own driver."""
    if address.startswith("postgresql://"):
        import psycopg

        return psycopg.connect(address)
    import duckdb

    return duckdb.connect(address.removeprefix("duckdb:///"), read_only=True)


if __name__ == "__main__":
    main(sys.argv[1])
