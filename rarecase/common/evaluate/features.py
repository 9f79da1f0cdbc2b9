"""What a lazy detective may look at in one column: its value, its shape, its roundness, its prefix, its
order.

Each feature is one number per row: either a score (higher is more suspicious, or less) or a code of a class
whose suspicion must be learned. Nothing here combines two columns; finding cases by combinations is what the
data are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.schema import Column

__all__ = ["Feature", "features_of", "order_features"]

_BINS = 20
_PREFIX = 2
_FINEST = 1e-6
_CLOCK_US = (1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000)
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Feature:
    """One number per row: scores (float64), or codes of classes (int64) when `encoded`."""

    name: str
    values: npt.NDArray[np.float64] | npt.NDArray[np.int64]

    @property
    def encoded(self) -> bool:
        """Whether the values are codes that must be scored by what cases have."""
        return self.values.dtype == np.int64


def features_of(
    column: Column, values: pa.Array, ordinary: int, *, artefacts: bool = False
) -> Iterator[Feature]:
    """Features of one column over ordinary rows followed by labelled rows.

    Parameters
    ----------
    column : Column
        Its declaration; columns of role derived or label have no features.
    values : pa.Array
        Values of all rows, the `ordinary` ordinary ones first.
    ordinary : int
        Number of ordinary rows; bins are cut at their quantiles.
    artefacts : bool
        Only what a generator could give away by its making (order, prefix, length, roundness), not the value.
    """
    if column.role in ("derived", "label"):
        return
    for name, make in _FAMILIES[_family(column)]:
        if not artefacts or name in ("order", "leading", "roundness", "prefix", "length"):
            yield Feature(name, make(column, values, ordinary))


def order_features(row: npt.NDArray[np.int64], ordinary: int) -> Iterator[Feature]:
    """Features of the order in which rows are stored."""
    scores = row.astype(np.float64)
    yield Feature("order", scores)
    yield Feature("leading", _binned(scores, ordinary))


def _family(column: Column) -> str:
    if column.type == "key":
        return "key"
    if column.type in ("timestamp", "date"):
        return "time"
    if column.type == "string" and (column.role == "identifier" or column.values is None):
        return "text"
    return "class" if column.type in ("string", "category", "bool") else "number"


def _numbers(values: pa.Array) -> npt.NDArray[np.float64]:
    kind = values.type
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.int64())
    elif pa.types.is_date32(kind):
        values = values.cast(pa.int32())
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _value(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.float64]:
    # A missing value is a value too: it ranks below all others.
    return np.nan_to_num(_numbers(values), nan=-np.inf, neginf=-np.inf)


def _bins(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.int64]:
    return _binned(_value(column, values, ordinary), ordinary)


def _binned(scores: npt.NDArray[np.float64], ordinary: int) -> npt.NDArray[np.int64]:
    known = scores[:ordinary]
    known = known[np.isfinite(known)]
    if not len(known):
        return np.isfinite(scores).astype(np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1), method="nearest"))
    inside = np.searchsorted(edges, scores, "left") + np.searchsorted(edges, scores, "right")
    return np.where(np.isfinite(scores), inside + 1, 0).astype(np.int64)


def _roundness(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.float64]:
    step = 1.0 if column.type.startswith("int") else column.quantum or _FINEST
    numbers = np.nan_to_num(_numbers(values))
    whole = np.rint(np.clip(numbers / step, -9e15, 9e15)).astype(np.int64)
    zeros = sum(((whole % 10**k == 0) & (whole != 0)).astype(np.float64) for k in range(1, 10))
    return np.asarray(zeros, dtype=np.float64)


def _clock_roundness(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.float64]:
    moments = _microseconds(values)
    return np.asarray(sum((moments % unit == 0).astype(np.float64) for unit in _CLOCK_US), dtype=np.float64)


def _hour(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.int64]:
    return _microseconds(values) % _DAY_US // 3_600_000_000


def _microseconds(values: pa.Array) -> npt.NDArray[np.int64]:
    moments = values.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(moments.fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _code(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.int64]:
    return _codes(values)


def _codes(values: pa.Array) -> npt.NDArray[np.int64]:
    plain = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
    indices = pc.dictionary_encode(plain, null_encoding="encode").indices
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _prefix(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.int64]:
    return _codes(pc.utf8_slice_codeunits(values.cast(pa.string()), 0, _PREFIX))


def _length(column: Column, values: pa.Array, ordinary: int) -> npt.NDArray[np.float64]:
    return _value(column, pc.utf8_length(values.cast(pa.string())), ordinary)


_Maker = Callable[[Column, pa.Array, int], "npt.NDArray[np.float64] | npt.NDArray[np.int64]"]
_FAMILIES: dict[str, tuple[tuple[str, _Maker], ...]] = {
    "key": (("order", _value), ("leading", _bins)),
    "time": (("value", _value), ("bins", _bins), ("hour", _hour), ("roundness", _clock_roundness)),
    "number": (("value", _value), ("bins", _bins), ("roundness", _roundness)),
    "text": (("prefix", _prefix), ("length", _length)),
    "class": (("class", _code),),
}
