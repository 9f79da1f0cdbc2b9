"""UUIDs for exported documents."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

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
    mac = (keyed_u64(name_key(0, "rarecase", "uuid"), numbers) >> np.uint64(4)).astype(np.int64)
    text = blank(len(numbers), f"00000000-0000-{version}000-0000-000000000000")
    write_symbols(text, 0, 8, numbers >> 30, HEX)
    write_symbols(text, 9, 4, numbers >> 14 & 0xFFFF, HEX)
    write_symbols(text, 15, 3, numbers >> 2 & 0xFFF, HEX)
    write_symbols(text, 19, 4, 0x8000 | (numbers & 3) << 12 | mac >> 48, HEX)
    write_symbols(text, 24, 12, mac & (1 << 48) - 1, HEX)
    return checks.to_strings(text)
