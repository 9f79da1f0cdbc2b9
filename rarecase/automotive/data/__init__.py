"""The domain's reference tables, read once; what each is worth stands in SOURCES.toml."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Column: TypeAlias = "NDArray[np.float64] | tuple[str, ...]"


@cache
def text(name: str) -> str:
    """The text of a file of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


@cache
def _columns(name: str) -> Mapping[str, tuple[str, ...]]:
    rows = list(csv.reader(text(f"{name}.csv").splitlines()))
    return dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))


def words(name: str, column: str) -> tuple[str, ...]:
    """A column of a table as texts."""
    return _columns(name)[column]


@cache
def numbers(name: str, column: str) -> NDArray[np.float64]:
    """A column of a table as read-only float64[rows]."""
    values = np.array(_columns(name)[column], dtype=np.float64)
    values.flags.writeable = False
    return values


def class_limits(quantity: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper limits of the classes of one quantity of the weather, float64[classes] each."""
    mine = np.array(words("weather_classes", "quantity")) == quantity
    return numbers("weather_classes", "low")[mine], numbers("weather_classes", "high")[mine]
