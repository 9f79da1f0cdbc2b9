"""UUIDs for exported documents."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.errors import InputError
from rarecase.common.identifiers import checks
from rarecase.common.identifiers.checks import IntArray, blank, write_symbols
from rarecase.common.identifiers.render import HEX
from rarecase.common.seeds import keyed_u64, name_key


def uuid_from_keys(keys: IntArray, version: Literal[4, 8] = 8) -> pa.StringArray:
    """UUIDs that carry a 62-bit key and 60 bits of its keyed hash.

    The hash's key is published, so anyone can confirm one such UUID with a chance of error of 2**-60.
    Version 8 is for ids of our own; version 4 has the shape that some standards demand (the UETR of
    ISO 20022) and is determined by the key all the same.

    Parameters
    ----------
    keys : int64[n]
        Keys of :class:`rarecase.common.keys.KeySpace`, from 0 to 2**62 - 1. Other numbers would show
        through: the first 60 bits of the key stand in plain sight.
    """
    numbers = np.ascontiguousarray(keys, np.int64)
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= 1 << 62):
        raise InputError("keys", int(numbers.min()), "numbers from 0 to 2**62 - 1")
    mac = _mac(numbers)
    text = blank(len(numbers), f"00000000-0000-{version}000-0000-000000000000")
    write_symbols(text, 0, 8, numbers >> 30, HEX)
    write_symbols(text, 9, 4, numbers >> 14 & 0xFFFF, HEX)
    write_symbols(text, 15, 3, numbers >> 2 & 0xFFF, HEX)
    write_symbols(text, 19, 4, 0x8000 | (numbers & 3) << 12 | mac >> 48, HEX)
    write_symbols(text, 24, 12, mac & (1 << 48) - 1, HEX)
    return checks.to_strings(text)


def confirm_uuids(halves: IntArray) -> NDArray[np.bool_]:
    """Which UUIDs carry the keyed hash of :func:`uuid_from_keys`; a strange one passes with 2**-60.

    Parameters
    ----------
    halves : int64[n, 2]
        Upper and lower 64 bits of each UUID.
    """
    top, bottom = halves.view(np.uint64)[:, 0], halves.view(np.uint64)[:, 1]
    key = top >> np.uint64(16) << np.uint64(14) | (top & np.uint64(0xFFF)) << np.uint64(2)
    key |= bottom >> np.uint64(60) & np.uint64(3)
    mac = _mac(key.view(np.int64))
    return np.asarray(mac == (bottom & np.uint64((1 << 60) - 1)).view(np.int64), np.bool_)


def _mac(keys: IntArray) -> IntArray:
    return (keyed_u64(name_key(0, "rarecase", "uuid"), keys) >> np.uint64(4)).astype(np.int64)
