"""How the numbers of a range are written: each function turns int64[n] into a matrix of ASCII bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa

from rarecase.common.identifiers import checks
from rarecase.common.identifiers.checks import IntArray, Text, blank, write_digits, write_symbols

Render = Callable[[IntArray], Text | pa.StringArray]
HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_BASE32 = np.frombuffer(b"abcdefghjkmnpqrstuvwxyz123456789", np.uint8)
_UPPER = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
_VIN = np.frombuffer(checks.VIN_LETTERS.encode(), np.uint8)


def blocks(prefixes: list[str], digits: int) -> tuple[int, Callable[[IntArray], Text]]:
    """Numbers behind one of several prefixes of equal length."""
    heads = np.array([list(prefix.encode()) for prefix in prefixes], np.uint8)
    size, width = 10**digits, heads.shape[1]

    def render(values: IntArray) -> Text:
        text = np.empty((len(values), width + digits), np.uint8)
        text[:, :width] = heads[values // size]
        write_digits(text, width, digits, values % size)
        return text

    return len(prefixes) * size, render


def pool(values: list[str]) -> tuple[int, Render]:
    """A short list of values."""
    pool = pa.array(values, pa.string())
    return len(values), pool.take


def email(domains: list[str]) -> tuple[int, Render]:
    """A local part of eight letters at one of several domains of equal length."""
    heads = np.array([list(("x" * 8 + "@" + domain).encode()) for domain in domains], np.uint8)

    def render(values: IntArray) -> Text:
        text = heads[values % len(domains)]
        write_symbols(text, 0, 8, values // len(domains), _BASE32)
        return text

    return len(domains) * 32**8, render


def ipv6(values: IntArray) -> Text:
    """An address of 2001:db8::/32."""
    # no group begins with 0, so that this is the one canonical spelling (RFC 5952)
    text = blank(len(values), "2001:db8:1:1:1:0000:0000:0000")
    for group, column in enumerate((15, 20, 25)):
        part = values // 61_440**group % 61_440 + 4096
        write_symbols(text, column, 4, part, HEX)
    return text


def ssn_checkable(values: IntArray) -> Text:
    """Areas and groups that are never issued."""
    # 99 groups of area 666, then groups 01-49 of areas 900-999
    number, serial = values // 9999, values % 9999 + 1
    rest = np.maximum(number - 99, 0)
    area = np.where(number < 99, 666, 900 + rest // 49)
    group = np.where(number < 99, number, rest % 49) + 1
    return _ssn(area, group, serial)


def ssn_impossible(values: IntArray) -> Text:
    """Area 000."""
    return _ssn(np.zeros_like(values), values // 9999 + 1, values % 9999 + 1)


def _ssn(area: IntArray, group: IntArray, serial: IntArray) -> Text:
    text = blank(len(area), "000-00-0000")
    write_digits(text, 0, 3, area)
    write_digits(text, 4, 2, group)
    write_digits(text, 7, 4, serial)
    return text


def nino(prefixes: list[str]) -> tuple[int, Render]:
    """Prefix, six digits, suffix."""
    size, digits = blocks(prefixes, 6)
    suffix = np.frombuffer(b"ABCD", np.uint8)

    def render(values: IntArray) -> Text:
        return np.column_stack([digits(values // 4), suffix[values % 4]])

    return size * 4, render


@cache
def _nhs_bodies() -> IntArray:
    bodies = 999_000_000 + np.arange(1_000_000)
    return bodies[checks.nhs_check(bodies) < 10]


def nhs(values: IntArray) -> Text:
    """999 with a valid check digit."""
    bodies = _nhs_bodies()[values]
    return _numbers(bodies * 10 + checks.nhs_check(bodies), 10)


def nhs_wrong(values: IntArray) -> Text:
    """999 with a failing check digit."""
    bodies = 999_000_000 + values
    return _numbers(bodies * 10 + (checks.nhs_check(bodies) + 1) % 10, 10)


def _numbers(values: IntArray, width: int) -> Text:
    text = np.empty((len(values), width), np.uint8)
    write_digits(text, 0, width, values)
    return text


def luhn(prefix: str, digits: int, extra: int, wrong: int) -> tuple[int, Render]:
    """Digits behind a prefix, and the Luhn digit moved by ``wrong``."""
    width = len(prefix) + digits

    def render(values: IntArray) -> Text:
        text = blank(len(values), prefix + "0" * (digits + 1))
        write_digits(text, len(prefix), digits, values)
        check = checks.luhn_digits(text, 0, width, extra)
        write_digits(text, width, 1, (check + wrong) % 10)
        return text

    return 10**digits, render


def mbi(values: IntArray) -> Text:
    """A Medicare number whose second letter is never used."""
    text = blank(len(values), "1S00A00AA00")
    write_digits(text, 0, 1, values % 9 + 1)
    write_symbols(text, 1, 1, values // 9 % 6, np.frombuffer(b"SLOIBZ", np.uint8))
    rest = values // 54
    for column in (2, 3, 5, 6, 9, 10):
        write_digits(text, column, 1, rest % 10)
        rest = rest // 10
    for column in (4, 7, 8):
        write_symbols(text, column, 1, rest % 20, np.frombuffer(b"ACDEFGHJKMNPQRTUVWXY", np.uint8))
        rest = rest // 20
    return text


def bic(values: IntArray, country: str = "DE") -> Text:
    """A test BIC of a country."""
    text = blank(len(values), f"AAAA{country}X0XXX")
    write_symbols(text, 0, 4, values, _UPPER)
    return text


def lei(values: IntArray) -> Text:
    """A LEI of issuer 0000."""
    text = blank(len(values), "0" * 20)
    write_digits(text, 6, 12, values)
    write_digits(text, 18, 2, 98 - checks.mod97(text, 0, 20, 0))
    return text


_TARGETS = np.array([1, 0, 96], np.int64)  # remainders whose only valid check digits are 97, 98 and 02
_FORBIDDEN = np.array([0, 1, 99], np.int64)  # congruent to them, and never issued


def impossible_97(text: Text, body: slice, check: slice, free: int, tail: str, choice: IntArray) -> None:
    """Settle two free digits so that forbidden check digits pass a naive remainder test."""
    write_digits(text, free, 2, np.zeros(len(text), np.int64))
    suffix = checks.ascii_row(tail)
    rest = checks.mod97(text, body.start, body.stop, 0)
    shift = pow(10, sum(2 if letter > "9" else 1 for letter in tail), 97)
    base = (rest * shift + int(checks.mod97(suffix, 0, len(tail), 0)[0])) % 97
    weight = shift * pow(10, body.stop - free - 2, 97) % 97
    digits = (_TARGETS[choice] - base) * pow(weight, -1, 97) % 97
    write_digits(text, free, 2, digits)
    write_digits(text, check.start, 2, _FORBIDDEN[choice])


def lei_impossible(values: IntArray) -> Text:
    """A LEI with check digits that are never issued."""
    text = blank(len(values), "0" * 20)
    write_digits(text, 6, 10, values // 3)
    impossible_97(text, slice(0, 18), slice(18, 20), 16, "00", values % 3)
    return text


def vin(wrong: int) -> tuple[int, Render]:
    """A VIN of model year 0, its check digit moved by ``wrong``."""

    def render(values: IntArray) -> Text:
        text = blank(len(values), "1RCEAAAA00N000000")
        write_digits(text, 11, 6, values % 10**6)
        write_symbols(text, 4, 4, values // 10**6, _VIN)
        check = (checks.vin_check(text) + wrong) % 11
        text[:, 8] = np.frombuffer(b"0123456789X", np.uint8)[check]
        return text

    return 33**4 * 10**6, render
