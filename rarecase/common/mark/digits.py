"""The statistical mark in the low digits of free measures.

A number is read as x = |value| / quantum, a whole number. A keyed hash colours every x green or red; red
cells move to the nearest green neighbour. The mark is a function of the value alone: no column name, row or
neighbour enters, so it survives renaming, reordering, sampling, dropped columns, changed formats, and units
that differ by a power of ten (cents or euros). Numbers that are round at their quantum (x a multiple of ten)
are neither moved nor reached nor counted, so round amounts stay as frequent as they are.

The hash is SipHash-2-4 (Aumasson and Bernstein 2012), a keyed pseudorandom function made for short messages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Word = np.uint64

#: The key of the whole ecosystem; published, so that anyone may look for the mark.
PUBLISHED_KEY = b"rarecase-mark-v1"
#: Resolutions that carry a mark, and that the detector tries.
QUANTA = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6)
_REACH = 9  # a red number moves by 0.7 steps on average; beyond nine it stays (2 in 10,000)
_LARGEST = 1 << 50  # beyond this, whole numbers in a double lose their last digits


@compiled
def _round(v0: Word, v1: Word, v2: Word, v3: Word) -> tuple[Word, Word, Word, Word]:
    v0 += v1
    v1 = ((v1 << np.uint64(13)) | (v1 >> np.uint64(51))) ^ v0
    v0 = (v0 << np.uint64(32)) | (v0 >> np.uint64(32))
    v2 += v3
    v3 = ((v3 << np.uint64(16)) | (v3 >> np.uint64(48))) ^ v2
    v0 += v3
    v3 = ((v3 << np.uint64(21)) | (v3 >> np.uint64(43))) ^ v0
    v2 += v1
    v1 = ((v1 << np.uint64(17)) | (v1 >> np.uint64(47))) ^ v2
    v2 = (v2 << np.uint64(32)) | (v2 >> np.uint64(32))
    return v0, v1, v2, v3


@compiled
def _siphash(k0: Word, k1: Word, word: Word) -> Word:
    v0, v1 = k0 ^ np.uint64(0x736F6D6570736575), k1 ^ np.uint64(0x646F72616E646F6D)
    v2, v3 = k0 ^ np.uint64(0x6C7967656E657261), k1 ^ np.uint64(0x7465646279746573) ^ word
    last = np.uint64(8) << np.uint64(56)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v3 = v0 ^ word, v3 ^ last
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v2 = v0 ^ last, v2 ^ np.uint64(0xFF)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@compiled
def _hash_column(k0: Word, k1: Word, x: IntArray, out: NDArray[np.uint64]) -> None:
    for n in range(x.size):
        out[n] = _siphash(k0, k1, np.uint64(x[n]))


@compiled
def _move(
    k0: Word, k1: Word, x: IntArray, allowed: BoolArray, edges: IntArray, reach: int, out: IntArray
) -> None:
    one, top = np.uint64(1), np.uint64(63)
    for n in range(x.size):
        start = x[n]
        out[n] = start
        if start % 10 == 0 or not allowed[n]:
            continue
        colour = _siphash(k0, k1, np.uint64(abs(start)))
        if colour >> top == one:
            continue
        low, high = edges[0], edges[edges.size - 1]
        for edge in edges:
            if edge <= start:
                low = edge
            else:
                high = edge
                break
        # a bit of the hash decides which side is tried first, or sums would drift
        side = 1 if colour & one == one else -1
        for step in range(1, 2 * reach + 1):
            near = start + side * ((step + 1) // 2) * (1 if step % 2 else -1)
            inside = low <= near < high and near % 10 != 0 and (near > 0) == (start > 0)
            if inside and _siphash(k0, k1, np.uint64(abs(near))) >> top == one:
                out[n] = near
                break


def _halves(key: bytes) -> tuple[Word, Word]:
    if len(key) != 16:
        raise ValueError(f"key: expected 16 bytes, got {len(key)}")
    return np.uint64(int.from_bytes(key[:8], "little")), np.uint64(int.from_bytes(key[8:], "little"))


def siphash(x: IntArray, key: bytes) -> NDArray[np.uint64]:
    """SipHash-2-4 of each number as eight little-endian bytes, under a key of 16 bytes."""
    out = np.empty(len(x), np.uint64)
    _hash_column(*_halves(key), np.ascontiguousarray(x, np.int64), out)
    return out


def green(x: IntArray, key: bytes = PUBLISHED_KEY) -> BoolArray:
    """Which whole numbers are green under a key, by the top bit of the hash of |x|."""
    return np.asarray(siphash(np.abs(x), key) >> np.uint64(63) == 1, np.bool_)


def embed(
    values: FloatArray | IntArray,
    quantum: float,
    *,
    key: bytes = PUBLISHED_KEY,
    minimum: float = -np.inf,
    maximum: float = np.inf,
    thresholds: tuple[float, ...] = (),
    allowed: BoolArray | None = None,
) -> NDArray[np.float64] | NDArray[np.int64]:
    """Mark a column when it is drawn, before anything is derived from it.

    Each cell depends on its own value alone. Zero, NaN and round numbers stay; signs are kept.

    Parameters
    ----------
    values : float64[n] or int64[n]
        Floats are first rounded to the quantum.
    quantum
        Resolution that carries the mark, one of :data:`QUANTA` (for int64 at least 1, and the values must be
        multiples of it to be touched).
    key
        16 bytes; the default lets anyone detect.
    minimum, maximum
        Inclusive limits that no cell crosses.
    thresholds
        No cell moves from below a threshold to or above it, nor back, such as a reporting limit.
    allowed : bool[n], optional
        Cells that may move; legs that must agree and derived cells may not.

    Returns
    -------
    array of the same type and length
        The mean move of a marked column is about 0.7 quanta, its mean moves by nothing on average.

    Raises
    ------
    ValueError
        If the quantum is not one that the detector tries, or the key has not 16 bytes.
    """
    if quantum not in QUANTA or (values.dtype.kind == "i" and quantum < 1):
        raise ValueError(f"quantum={quantum}: expected one of {QUANTA}, for whole numbers at least 1")
    free = np.ones(len(values), np.bool_) if allowed is None else allowed.copy()
    x = _units(values, quantum, free)
    limits = [np.ceil(minimum / quantum - 1e-9), np.floor(maximum / quantum + 1e-9) + 1]
    walls = [np.ceil(wall / quantum - 1e-9) for wall in thresholds if minimum < wall <= maximum]
    edges = np.clip(np.sort([*limits, *walls]), -float(_LARGEST), float(_LARGEST)).astype(np.int64)
    free &= (x >= edges[0]) & (x < edges[-1])
    moved = np.empty_like(x)
    _move(*_halves(key), x, free, edges, _REACH, moved)
    if values.dtype.kind == "i":
        whole = np.asarray(values, np.int64)
        return np.where(moved != x, moved * np.int64(quantum), whole)
    rounded = moved * quantum if quantum >= 1 else moved / np.rint(1 / quantum)
    return np.where(np.isfinite(values) & (np.abs(values) < _LARGEST * quantum), rounded, values)


def _units(values: FloatArray | IntArray, quantum: float, free: BoolArray) -> IntArray:
    if values.dtype.kind == "i":
        x, rest = np.divmod(np.asarray(values, np.int64), np.int64(quantum))
        free &= (rest == 0) & (np.abs(x) < _LARGEST)
        return np.asarray(x, np.int64)
    ratio = np.asarray(values, np.float64) * np.rint(1 / quantum) if quantum < 1 else values / quantum
    usable = np.isfinite(ratio) & (np.abs(ratio) < _LARGEST)
    free &= usable
    return np.rint(np.where(usable, ratio, 0.0)).astype(np.int64)


def digits_of(values: NDArray[np.float64] | NDArray[np.float32] | NDArray[np.int64]) -> list[IntArray]:
    """The distinct |x| of a column at each of :data:`QUANTA`, as the detector counts them.

    Every cell counts once, at the coarsest quantum of which it is a multiple; there its last digit is not 0.
    Floats of more digits than the finest quantum count nowhere.
    """
    finite = np.abs(np.unique(values[np.isfinite(values)]))
    finite = finite[(finite > 0) & (finite < 1e15)]
    # how far a stored decimal may lie from the true one, relative to its size
    blur = {"f4": 1.2e-7, "f8": 4e-16}.get(finite.dtype.str[1:], 0.0)
    left, found = finite.astype(np.float64), []
    for quantum in QUANTA:
        ratio = left * np.rint(1 / quantum) if quantum < 1 else left / quantum
        x = np.rint(ratio)
        tolerance = np.maximum(ratio * blur, 1e-9)
        here = (np.abs(ratio - x) <= tolerance) & (x >= 1)
        found.append(np.unique(x[here & (tolerance < 0.05) & (x < _LARGEST)].astype(np.int64)))
        left = left[~here]
    return found
