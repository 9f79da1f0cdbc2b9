"""Where rows are judged: a DuckDB connection of bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

#: In megabytes. Files are looked at part after part; a set in memory is one part, however large.
MEMORY_LIMIT, MEMORY_LIMIT_OF_TABLES = 512, 4096


@contextmanager
def workshop(
    memory_limit: int = MEMORY_LIMIT, threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection of bounded memory that spills into a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="rarecase-validate-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_limit}MB",
            "temp_directory": spill,
        }
        if threads is not None:
            config["threads"] = threads
        with duckdb.connect(config=config) as connection:
            yield connection
