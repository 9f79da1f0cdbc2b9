"""Chance by name: the name of a decision fixes its numbers, never the order of calls.

A stream is an SFC64 generator seeded through `numpy.random.SeedSequence` by a hash of the decision's name.
A keyed draw is a stateless hash of (seed, name, id): any part can recompute the attribute of an entity that
another part owns. The mixer is SplitMix64's finaliser (Steele, Lea, Flood 2014, OOPSLA, "Fast splittable
pseudorandom number generators"), applied twice with the key between.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]
Float64 = NDArray[np.float64]
Name = tuple[str | int, ...] | str

_GOLDEN = 0x9E3779B97F4A7C15
_MASK64 = (1 << 64) - 1
_TO_UNIT = 2.0**-53


def _digest(seed: int, name: tuple[str | int, ...]) -> bytes:
    # Lengths and kinds are hashed too, so that ("ab", 1) and ("a", "b1") are different names.
    state = hashlib.blake2b(digest_size=32, person=b"rarecase-stream1")
    state.update(seed.to_bytes(16, "little", signed=True))
    for word in name:
        data = word.encode() if isinstance(word, str) else str(int(word)).encode()
        state.update((b"s" if isinstance(word, str) else b"i") + len(data).to_bytes(4, "little") + data)
    return state.digest()


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """The generator of one named decision; about 7 µs, so one per column and part, never per row."""
    words = np.frombuffer(_digest(seed, name), dtype="<u4")
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(words.tolist())))


@lru_cache(maxsize=4096)
def name_key(seed: int, *name: str | int) -> int:
    """The 64-bit key of a named decision, for `keyed_u64` and `Permutation`."""
    return int.from_bytes(_digest(seed, name)[:8], "little")


def _key_of(seed: int, name: Name) -> int:
    return name_key(seed, name) if isinstance(name, str) else name_key(seed, *name)


@compiled
def mix64(x: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: a bijection of 64-bit words."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _hash_column(key: np.uint64, ids: Int64, out: UInt64) -> None:
    for i in range(ids.size):
        out[i] = mix64(mix64(np.uint64(ids[i]) + np.uint64(0x9E3779B97F4A7C15)) ^ key)


def keyed_u64(key: int, ids: Int64) -> UInt64:
    """A 64-bit hash of each id under `key`: the same wherever and whenever it is asked.

    Parameters
    ----------
    key
        A key of `name_key`.
    ids
        Any shape of integers; negative ids are allowed.
    """
    flat = np.ascontiguousarray(ids, dtype=np.int64)
    out = np.empty(flat.shape, dtype=np.uint64)
    _hash_column(np.uint64(key & _MASK64), flat.ravel(), out.ravel())
    return out


def keyed_uniform(seed: int, name: Name, ids: Int64) -> Float64:
    """A uniform draw in [0, 1) for each id, of 53 bits, stateless."""
    words = keyed_u64(_key_of(seed, name), ids)
    return (words >> np.uint64(11)).astype(np.float64) * _TO_UNIT


def keyed_integers(seed: int, name: Name, ids: Int64, n: int) -> Int64:
    """A uniform draw from range(n) for each id, stateless.

    The bias of the multiplication is below n / 2**53, far under what any sample of ids could show.
    """
    drawn = (keyed_uniform(seed, name, ids) * n).astype(np.int64)
    return np.minimum(drawn, n - 1)


#: Words that go through the rounds together: they stay in the first-level cache, and rounds of arrays use the
#: processor's widest registers, some ten times faster than word after word.
_TOGETHER = 1024


@compiled
def feistel(words: UInt64, keys: UInt64, half: int, inverse: bool, out: UInt64) -> None:
    """A balanced Feistel permutation of 2 × `half` bits with one 64-bit key per round, of each word.

    `out` may be `words` itself.
    """
    shift = np.uint64(half)
    mask = (np.uint64(1) << shift) - np.uint64(1)
    left, right = np.empty(_TOGETHER, np.uint64), np.empty(_TOGETHER, np.uint64)
    for start in range(0, words.size, _TOGETHER):
        n = min(_TOGETHER, words.size - start)
        for i in range(n):
            left[i], right[i] = words[start + i] >> shift, words[start + i] & mask
        for r in range(keys.size):
            if inverse:
                key = keys[keys.size - 1 - r]
                for i in range(n):
                    kept = left[i]
                    left[i] = right[i] ^ (mix64(kept + key) & mask)
                    right[i] = kept
            else:
                key = keys[r]
                for i in range(n):
                    kept = right[i]
                    right[i] = left[i] ^ (mix64(kept + key) & mask)
                    left[i] = kept
        for i in range(n):
            out[start + i] = (left[i] << shift) | right[i]


def _walk(values: Int64, keys: UInt64, half: int, n: int, inverse: bool) -> Int64:
    """Each value's image, walked on until it falls inside range(n)."""
    words = values.view(np.uint64)
    out = np.empty(words.size, np.uint64)
    feistel(words, keys, half, inverse, out)
    outside = np.flatnonzero(out >= np.uint64(n))
    while outside.size:
        again = out[outside]
        feistel(again, keys, half, inverse, again)
        out[outside] = again
        outside = outside[again >= np.uint64(n)]
    return out.view(np.int64)


def round_keys(key: int, rounds: int) -> UInt64:
    """Independent round keys out of one 64-bit key."""
    return keyed_u64(key, np.arange(rounds, dtype=np.int64))


class Permutation:
    """A keyed permutation of range(n), evaluated where it is asked: no table, any n below 2**62.

    A Feistel network over the next even power of two walks each value until it falls inside range(n)
    (Black and Rogaway 2002, CT-RSA, "Ciphers with arbitrary finite domains").
    """

    _ROUNDS = 6

    def __init__(self, key: int, n: int) -> None:
        if n < 1:
            raise ValueError("a permutation needs at least one element")
        self.n = n
        self._half = max(1, (max(n - 1, 1).bit_length() + 1) // 2)
        self._keys = round_keys(key, self._ROUNDS)

    def forward(self, values: Int64) -> Int64:
        """Where each of `values` goes."""
        return self._run(values, inverse=False)

    def inverse(self, values: Int64) -> Int64:
        """Where each of `values` came from."""
        return self._run(values, inverse=True)

    def _run(self, values: Int64, *, inverse: bool) -> Int64:
        flat = np.ascontiguousarray(values, dtype=np.int64)
        if flat.size and (flat.min() < 0 or flat.max() >= self.n):
            raise ValueError(f"values must lie in range({self.n})")
        return _walk(flat.ravel(), self._keys, self._half, self.n, inverse).reshape(flat.shape)
