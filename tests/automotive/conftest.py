"""A small world with every kind of case, made once, and its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from rarecase.automotive import data
from rarecase.automotive.formats import scenario_library
from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from rarecase.common.spec import Spec, build_spec, parse_yaml

ROOT = Path(__file__).resolve().parents[2]


def default_spec(**changes: Any) -> Spec:
    """The default example with changes."""
    return build_spec({**parse_yaml(data.text("examples/default.yaml"), "default"), **changes})


@pytest.fixture(scope="session")
def world() -> Dataset:
    """The default example with its twin, at two levels of difficulty."""
    cases = [
        {"kind": kind, "name": f"{kind}-{level}", "count": count, "difficulty": level}
        for kind, count in (("black_ice", 6), ("stationary_queue_in_fog", 4), ("wet_but_grippy", 6))
        for level in (0.0, 0.5, 1.0)
    ]
    return generate(default_spec(size=320, block=80, cases=cases), twin=True)


@pytest.fixture(scope="session")
def connection(world: Dataset) -> duckdb.DuckDBPyConnection:
    return world.connect()


@pytest.fixture(scope="session")
def library(world: Dataset) -> dict[str, bytes]:
    """Every exported file by its path."""
    return {document.path: document.content for document in scenario_library(world)}


@pytest.fixture(scope="session")
def library_path(library: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for path, content in library.items():
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def oracles() -> Path:
    """The interpreter of an environment with the checkers and players of tests/automotive/oracles.txt."""
    python = Path(os.environ.get("RARECASE_ORACLES", ROOT / ".venv-oracles" / "bin" / "python"))
    if not python.exists():
        pytest.skip("no environment with oracles: see tests/automotive/oracles.txt")
    return python
