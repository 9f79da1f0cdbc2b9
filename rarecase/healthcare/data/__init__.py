"""The reference tables of healthcare, read once per process.

`SOURCES.toml` says of each where it comes from, in what version, under what licence, and of what kind its
evidence is.
"""

from __future__ import annotations

import csv
import io
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


@lru_cache(maxsize=64)
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a shipped CSV table, as text."""
    text = (resources.files(__name__) / name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


@lru_cache(maxsize=8)
def parquet(name: str) -> pa.Table:
    """A shipped Parquet table."""
    return pq.read_table(pa.BufferReader((resources.files(__name__) / name).read_bytes()))


def sources() -> dict[str, Any]:
    """What `SOURCES.toml` says, by table."""
    return tomllib.loads((resources.files(__name__) / "SOURCES.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def examples() -> dict[str, str]:
    """The commented example specs, by name."""
    folder = resources.files(__name__) / "examples"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".yaml")
    }
