"""Is this ours? Three locks, each with an honest chance of error.

* **metadata**: the file says so itself. A declaration, no statistics: it has no p-value.
* **keys**: surrogate keys carry twelve check bits. A strange number passes with 2**-12, so k hits among n
  *distinct* candidates have the binomial tail P(X >= k | n, 2**-12): two keys alone reach 6e-8, and a column
  in which only some rows are ours is judged by what chance would give. Document ids of
  :func:`rarecase.common.identifiers.uuid_from_keys` carry sixty bits and are counted the same way.
* **digits**: the statistical mark of :mod:`rarecase.common.mark.digits`, k green among n *distinct* numbers,
  with the tail at 1/2. Repeated numbers would count one coin many times (on real tables that alone made up to
  one in four "synthetic" at 1e-6), hence the distinct ones, also where columns are pooled.

Each lock tests every column and all columns pooled; its p-value is the smallest one times the number of tests
(Bonferroni), and the verdict's is the smallest lock's times the number of locks. "Synthetic" is said below
1e-6 only. The opposite is never said: rows without marks may have lost them, or come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import bdtrc

from rarecase.common.identifiers.uuids import confirm_uuids
from rarecase.common.keys import CHECK_BITS, recognise
from rarecase.common.mark.digits import PUBLISHED_KEY, QUANTA, digits_of, green
from rarecase.common.mark.fragments import MAX_ROWS, read_fragments

IntArray = NDArray[np.int64]
Test = tuple[str, int, int, float]  # what was counted, hits, of how many, p-value

ALPHA = 1e-6
_SMALLEST_KEY = 1 << 50  # one of ours is smaller with 2**-12; counters and small codes need not be asked
_FEW = 20  # fewer coins cannot reach the threshold


@dataclass(frozen=True)
class Lock:
    """One kind of mark that was looked for.

    Attributes
    ----------
    name
        ``metadata``, ``keys``, ``uuids`` or ``digits``.
    found
        Whether it holds (for the statistical ones, by itself and below 1e-6).
    where
        The column, or ``all columns``, that told most.
    hits, of
        Marked among distinct values there.
    tests
        How many places were tried.
    p_value
        Corrected for the number of places; None for metadata.
    """

    name: str
    found: bool
    where: str
    hits: int
    of: int
    tests: int
    p_value: float | None


@dataclass(frozen=True)
class Detection:
    """The verdict on some rows.

    Attributes
    ----------
    synthetic
        True if a lock holds, None if nothing can be said; never False, see the module's text.
    locks
        Every lock that could be tried.
    p_value
        How likely strange rows would look so marked, over all locks tried; None if none could be.
    """

    synthetic: bool | None
    locks: tuple[Lock, ...]
    p_value: float | None


class Verdict(TypedDict):
    """A detection as JSON: ``locks`` names those that hold, ``evidence`` gives all that were tried."""

    synthetic: bool | None
    locks: list[str]
    p_value: float | None
    evidence: list[dict[str, object]]


def detect(source: Path | str | pa.Table | Mapping[str, pa.Table]) -> Verdict:
    """Look for marks in a file or in tables; the answer of ``rarecase detect FILE --json``.

    Raises
    ------
    InputError
        If the file is missing, unreadable or of an unknown kind.
    """
    found = detect_file(source) if isinstance(source, Path | str) else detect_frame(source)
    return Verdict(
        synthetic=found.synthetic,
        locks=[lock.name for lock in found.locks if lock.found],
        p_value=found.p_value,
        evidence=[asdict(lock) for lock in found.locks],
    )


def detect_file(path: Path | str, *, keys: Sequence[bytes] = (PUBLISHED_KEY,)) -> Detection:
    """Look for marks in the first million rows of a file, or of all files below a directory.

    Parquet, Arrow, JSON Lines and CSV (delimited by comma, semicolon, tab or bar) are read as tables. In
    JSON, XML and other documents every word that is spelt like a key or a UUID is looked at. Keys that
    something turned into floating-point numbers are lost: a double does not keep their last digits.

    Parameters
    ----------
    path
        The kind of a file follows from its suffix; a ``.gz`` behind it is unpacked.
    keys
        Keys of the statistical mark to try, 16 bytes each.

    Raises
    ------
    InputError
        If the file is missing, unreadable or of an unknown kind.
    """
    return detect_frame(read_fragments(Path(path), MAX_ROWS), keys=keys)


def detect_frame(
    tables: pa.Table | Mapping[str, pa.Table], *, keys: Sequence[bytes] = (PUBLISHED_KEY,)
) -> Detection:
    """Look for marks in tables; parameters and result as for :func:`detect_file`."""
    named = {"": tables} if isinstance(tables, pa.Table) else dict(tables)
    columns = {
        f"{name}.{column}" if name else column: table.column(position)
        for name, table in named.items()
        for position, column in enumerate(table.column_names)
    }
    declared = any(_declares(table.schema) for table in named.values())
    numbers = {name: whole for name, column in columns.items() if len(whole := _key_candidates(column))}
    uuids = {name: text for name, column in columns.items() if len(text := _uuid_candidates(column))}
    locks = [
        _lock("keys", _coins(numbers, recognise, 2.0**-CHECK_BITS)),
        _lock("uuids", _coins(uuids, confirm_uuids, 2.0**-60)),
        _lock("digits", _digit_tests(columns, keys)),
    ]
    tried = [lock for lock in locks if lock is not None]
    values = [lock.p_value for lock in tried if lock.p_value is not None]
    p_value = min(1.0, len(values) * min(values)) if values else None
    if declared:
        tried.insert(0, Lock("metadata", True, "schema", 1, 1, 1, None))
    synthetic = declared or (p_value is not None and p_value < ALPHA)
    return Detection(synthetic or None, tuple(tried), p_value)


def _declares(schema: pa.Schema) -> bool:
    told = schema.metadata or {}
    ours = told.get(b"generator") == b"rarecase" and told.get(b"synthetic") == b"true"
    return ours or told.get(b"rarecase.synthetic") == b"true"


def _lock(name: str, tests: list[Test]) -> Lock | None:
    if not tests:
        return None
    where, hits, of, p_value = min(tests, key=lambda test: test[3])
    corrected = min(1.0, p_value * len(tests))
    return Lock(name, corrected < ALPHA, where, hits, of, len(tests), corrected)


def _tail(hits: int, of: int, chance: float) -> float:
    return float(bdtrc(hits - 1, of, chance))


def _coins(
    columns: Mapping[str, NDArray[np.int64]], hit: Callable[[IntArray], NDArray[np.bool_]], chance: float
) -> list[Test]:
    """One test per column and one for all distinct values together; values are distinct rows already."""
    pools = dict(columns)
    if len(pools) > 1:
        pools["all columns"] = np.unique(np.concatenate(list(columns.values())), axis=0)
    tests = []
    for name, values in pools.items():
        hits = int(np.count_nonzero(hit(values)))
        tests.append((name, hits, len(values), _tail(hits, len(values), chance)))
    return tests


def _digit_tests(columns: Mapping[str, pa.ChunkedArray], keys: Sequence[bytes]) -> list[Test]:
    digits = {name: digits_of(values) for name, column in columns.items() if len(values := _numbers(column))}
    tests = []
    for position, quantum in enumerate(QUANTA):
        at = {f"{name} at {quantum:g}": found[position] for name, found in digits.items()}
        if len(at) > 1:
            at[f"all columns at {quantum:g}"] = np.unique(np.concatenate(list(at.values())))
        large = {name: x for name, x in at.items() if len(x) >= _FEW}
        for key in keys:
            for name, x in large.items():
                hits = int(np.count_nonzero(green(x, key)))
                tests.append((name, hits, len(x), _tail(hits, len(x), 0.5)))
    return tests


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    distinct = pc.drop_null(pc.unique(column))
    return distinct.dictionary_decode() if isinstance(distinct, pa.DictionaryArray) else distinct


def _key_candidates(column: pa.ChunkedArray) -> IntArray:
    if pa.types.is_integer(column.type) and column.type.bit_width == 64:
        distinct = _distinct(column)
        if pa.types.is_uint64(column.type):
            distinct = distinct.filter(pc.less(distinct, pa.scalar(1 << 62, pa.uint64())))
        values = distinct.to_numpy(zero_copy_only=False).astype(np.int64)
    elif _is_text(column):
        # 16 to 19 digits without a leading zero, below 5e18: the spelling of keys above 2**50 in JSON and CSV
        text = _distinct(column).cast(pa.string())
        spelt = pc.match_substring_regex(text, r"^(?:[1-9]\d{15,17}|[1-4]\d{18})$")
        values = text.filter(spelt).cast(pa.int64()).to_numpy(zero_copy_only=False)
    else:
        return np.empty(0, np.int64)
    return np.asarray(values[(values >= _SMALLEST_KEY) & (values < 1 << 62)], np.int64)


def _uuid_candidates(column: pa.ChunkedArray) -> IntArray:
    if not _is_text(column):
        return np.empty((0, 2), np.int64)
    text = pc.utf8_lower(_distinct(column).cast(pa.string()))
    spelt = r"^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    found = pc.unique(text.filter(pc.match_substring_regex(text, spelt)))
    words = np.frombuffer("".join(found.to_pylist()).replace("-", "").encode(), "S16").reshape(-1, 2)
    return (
        np.array([[int(word, 16) for word in pair] for pair in words], np.uint64)
        .reshape(-1, 2)
        .view(np.int64)
    )


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64] | NDArray[np.float32] | NDArray[np.int64]:
    kind = column.type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return np.empty(0, np.float64)
    values: NDArray[np.float64] = _distinct(column).to_numpy(zero_copy_only=False)
    return values if values.dtype == np.float32 else values.astype(np.float64)


def _is_text(column: pa.ChunkedArray) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
