"""Account numbers and bank codes of banks that do not exist."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rarecase.common.errors import InputError
from rarecase.common.identifiers import checks, render
from rarecase.common.identifiers.checks import IntArray, blank, write_digits
from rarecase.common.identifiers.makers import Mode, check_fits, permutation
from rarecase.common.identifiers.render import impossible_97


def bic(ids: IntArray, *, seed: int, country: str = "DE") -> pa.StringArray:
    """Test BICs (eighth character 0) of a country, one for each number below 26**4; as :func:`make`."""
    numbers = np.ascontiguousarray(ids, np.int64)
    check_fits("bic", numbers, 26**4)
    return checks.to_strings(
        render.bic(permutation(seed, "bic", "checkable", 26**4).forward(numbers), country)
    )


# country: what stands before the bank's digits, bank digits, what stands between, account digits, after
_IBAN: dict[str, tuple[str, int, str, int]] = {
    "DE": ("9", 7, "", 10),
    "AT": ("98", 3, "", 11),
    "CH": ("9", 4, "", 12),
    "FR": ("99", 3, "00001", 11),
    "GB": ("ZZZZ", 6, "", 8),
}


def iban(
    accounts: IntArray,
    banks: IntArray | int = 0,
    *,
    seed: int,
    country: str = "DE",
    mode: Mode = "checkable",
) -> pa.StringArray:
    """Account numbers at banks that do not exist.

    ``checkable``: valid check digits (in France the national key too) under a bank code that the national
    registry has not assigned. schwifty and python-stdnum accept it, also with national checks, because
    schwifty does not look the bank up; whoever does look it up finds no bank. ``impossible``: check digits
    00, 01 or 99 over a body whose true check digits are 97, 98 or 02. A naive remainder test (python-stdnum)
    accepts it; schwifty and every check that knows ISO 13616 refuse it.

    Parameters
    ----------
    accounts : int64[n]
        Numbers from 0; different numbers give different account numbers, whatever the bank.
    banks : int64[n] or int
        Number of the bank, from 0: becomes part of the bank code (GB: of the sort code).
    seed
        The data set's seed.
    country
        DE, AT, CH, FR or GB.

    Returns
    -------
    pyarrow.StringArray of length n, without blanks

    Raises
    ------
    InputError
        If the country has no layout.
    PlanError
        If accounts or banks exceed the digits: 10**10 accounts and 10**7 banks in DE, 10**8 and 10**6 in GB,
        10**11 and 10**3 in AT and FR, 10**12 and 10**4 in CH; impossible ones 3/100 of the accounts.
    """
    if country not in _IBAN:
        raise InputError("country", country, f"one of {', '.join(_IBAN)}")
    head, bank_digits, middle, digits = _IBAN[country]
    numbers = np.ascontiguousarray(accounts, np.int64)
    bank = np.broadcast_to(np.asarray(banks, np.int64), numbers.shape)
    limit = 10**digits if mode == "checkable" else 3 * 10 ** (digits - 2)
    check_fits("iban", numbers, limit)
    check_fits("bank", bank, 10**bank_digits)
    spread = permutation(seed, f"iban-{country}", mode, limit).forward(numbers)
    key = "00" if country == "FR" else ""
    text = blank(len(numbers), f"{country}00{head}{'0' * bank_digits}{middle}{'0' * digits}{key}")
    write_digits(text, 4 + len(head), bank_digits, bank)
    account = text.shape[1] - len(key) - digits
    tail = f"{country}00"
    if mode == "impossible":
        write_digits(text, account, digits - 2, spread // 3)
        body = slice(4, text.shape[1])
        impossible_97(text, body, slice(2, 4), account + digits - 2, tail, spread % 3)
        return checks.to_strings(text)
    write_digits(text, account, digits, spread)
    if key:  # the French key makes the whole body divisible by 97
        body_97 = checks.mod97(text, 4, text.shape[1], 0)
        write_digits(text, text.shape[1] - 2, 2, 97 - body_97)
    rest = checks.mod97(text, 4, text.shape[1], 0)
    shift = 10 ** sum(2 if letter > "9" else 1 for letter in tail)
    base = int(checks.mod97(checks.ascii_row(tail), 0, 4, 0)[0])
    write_digits(text, 2, 2, 98 - (rest * (shift % 97) + base) % 97)
    return checks.to_strings(text)
