"""Check digits in whole columns; a column of text is a matrix of ASCII bytes, one row per value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

Text = NDArray[np.uint8]
IntArray = NDArray[np.int64]

VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_VIN_VALUES = np.zeros(128, np.int64)
for _letters, _values in (("ABCDEFGH", range(1, 9)), ("JKLMN", range(1, 6)), ("P", [7]), ("R", [9])):
    for _letter, _value in zip(_letters, _values, strict=True):
        _VIN_VALUES[ord(_letter)] = _value
for _letter, _value in zip("STUVWXYZ", range(2, 10), strict=True):
    _VIN_VALUES[ord(_letter)] = _value
for _value in range(10):
    _VIN_VALUES[ord("0") + _value] = _value
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2], np.int64)


@compiled
def write_digits(text: Text, first: int, width: int, values: IntArray) -> None:
    """Write values as decimal digits with leading zeros into ``width`` columns from column ``first``."""
    for n in range(values.size):
        left = values[n]
        for column in range(first + width - 1, first - 1, -1):
            text[n, column] = 48 + left % 10
            left //= 10


@compiled
def write_symbols(text: Text, first: int, width: int, values: IntArray, alphabet: Text) -> None:
    """Write values in the base of an alphabet, most significant symbol first."""
    base = alphabet.size
    for n in range(values.size):
        left = values[n]
        for column in range(first + width - 1, first - 1, -1):
            text[n, column] = alphabet[left % base]
            left //= base


@compiled
def luhn_digits(text: Text, first: int, last: int, extra: int) -> IntArray:
    """Luhn check digit of columns ``first`` to ``last`` (exclusive), ``extra`` being added to the sum."""
    out = np.empty(text.shape[0], np.int64)
    for n in range(text.shape[0]):
        total, double = extra, True
        for column in range(last - 1, first - 1, -1):
            digit = int(text[n, column]) - 48
            total += 2 * digit - 9 * (digit > 4) if double else digit
            double = not double
        out[n] = (10 - total % 10) % 10
    return out


@compiled
def mod97(text: Text, first: int, last: int, start: int) -> IntArray:
    """Remainder by 97 of columns read as a number (letters as 10 … 35), going on from ``start``."""
    out = np.empty(text.shape[0], np.int64)
    for n in range(text.shape[0]):
        rest = np.int64(start)
        for column in range(first, last):
            symbol = np.int64(text[n, column])
            rest = (rest * 10 + symbol - 48) % 97 if symbol < 65 else (rest * 100 + symbol - 55) % 97
        out[n] = rest
    return out


@compiled
def nhs_check(nine_digits: IntArray) -> IntArray:
    """NHS check digit (modulus 11) of nine-digit numbers; 10 where no digit is valid."""
    out = np.empty(nine_digits.size, np.int64)
    for n in range(nine_digits.size):
        total = 0
        for power in range(9):
            total += (power + 2) * (nine_digits[n] // 10**power % 10)
        out[n] = (11 - total % 11) % 11
    return out


@compiled
def _vin_sum(text: Text, values: IntArray, weights: IntArray) -> IntArray:
    out = np.empty(text.shape[0], np.int64)
    for n in range(text.shape[0]):
        total = 0
        for column in range(17):
            total += values[text[n, column]] * weights[column]
        out[n] = total % 11
    return out


def vin_check(text: Text) -> IntArray:
    """Remainder by 11 of each 17-character VIN (49 CFR 565.15); 10 is written as X in the ninth place."""
    return _vin_sum(text, _VIN_VALUES, _VIN_WEIGHTS)


def ascii_row(value: str) -> Text:
    """One value as a matrix of one row."""
    return np.frombuffer(value.encode("ascii"), np.uint8).reshape(1, -1)


def blank(n: int, template: str) -> Text:
    """A matrix of ``n`` rows that all hold the template."""
    return np.tile(ascii_row(template), (n, 1))


def to_strings(text: Text) -> pa.StringArray:
    """An Arrow string column over a matrix of bytes, without copying them.

    Raises
    ------
    ValueError
        If the column exceeds the 2 GiB that Arrow's string type can address.
    """
    rows, width = text.shape
    if rows * width >= 1 << 31:
        raise ValueError(f"ids: expected fewer than {(1 << 31) // width} values at once, got {rows}")
    ends = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = pa.py_buffer(np.ascontiguousarray(text))
    return pa.StringArray.from_buffers(rows, pa.py_buffer(ends), data)
