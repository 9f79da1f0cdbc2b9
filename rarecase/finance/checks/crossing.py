"""What a part leaves for the judgement of the whole: sums of money, and of hashes of what crosses places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.validate.positions import positions
from rarecase.finance.checks import kernels
from rarecase.finance.checks.books import Books, Int64, UInt64

#: Tables of sums, to which every part adds its rows.
SUMS = """
CREATE TABLE IF NOT EXISTS sums.held (currency UBIGINT, high BIGINT, low BIGINT);
CREATE TABLE IF NOT EXISTS sums.crossing (
    place BIGINT, due BIGINT, paid BIGINT, due_hash UBIGINT, paid_hash UBIGINT);
CREATE TABLE IF NOT EXISTS sums.far_refers (transaction_id BIGINT, refers_to BIGINT, ordered_us BIGINT);
"""


def held(books: Books) -> Iterator[pa.Table]:
    """By currency, the opening balances and the amounts of all entries, in two halves."""
    accounts, entries = books.accounts, books.entries
    yield _held(accounts["currency"], accounts["opening"])
    yield _held(entries["currency"], entries["amount"])


def _held(code: UInt64, amount: Int64) -> pa.Table:
    room = 64
    while True:
        codes, high, low = np.zeros(room, np.uint64), np.zeros(room, np.int64), np.zeros(room, np.int64)
        count = kernels.sum_by(code, amount, codes, high, low)
        if count >= 0:
            return pa.table({"currency": codes[:count], "high": high[:count], "low": low[:count]})
        room *= 4


def crossing(books: Books) -> Iterator[pa.Table]:
    """By place, number and hashes of the payments that it is due and of those that its accounts got."""
    payments, entries, sides = books.payments, books.entries, books.sides
    away = np.flatnonzero(books.payee < 0)
    names = ("payee", "credited", "credited_currency", "booked", "kind")
    due = _hashes([payments["id"][away], *(payments[name][away] for name in names), books.four[away]])
    place, count, total = _by_place(payments["payee_place"][away], due)
    nothing, none = np.zeros(place.size, np.int64), np.zeros(place.size, np.uint64)
    yield _crossing(place, count, nothing, total, none)
    came = np.flatnonzero(books.kept & ~books.middle & (books.payment >= payments["id"].size))
    four = sides["middles"][sides["of_entry"][came]] > 0
    names = ("account", "amount", "currency", "booked", "kind")
    paid = _hashes([entries["payment"][came], *(entries[name][came] for name in names), four])
    place, count, total = _by_place(books.of_account("place")[came], paid)
    nothing, none = np.zeros(place.size, np.int64), np.zeros(place.size, np.uint64)
    yield _crossing(place, nothing, count, none, total)


def _hashes(columns: list[NDArray[Any]]) -> UInt64:
    words = np.zeros(columns[0].size, np.uint64)
    for column in columns:
        kernels.mix(words, column.astype(np.uint64))
    return words


def _by_place(place: Int64, words: UInt64) -> tuple[Int64, Int64, UInt64]:
    places, which = np.unique(place, return_inverse=True)
    total = np.zeros(places.size, np.uint64)
    np.add.at(total, which, words)
    return places, np.bincount(which, minlength=places.size), total


def _crossing(place: Int64, due: Int64, paid: Int64, due_hash: UInt64, paid_hash: UInt64) -> pa.Table:
    names = ("place", "due", "paid", "due_hash", "paid_hash")
    return pa.table(dict(zip(names, (place, due, paid, due_hash, paid_hash), strict=True)))


def far_refers(books: Books) -> Iterator[pa.Table]:
    """Payments that give back one which is not, or not yet, in their part."""
    payments = books.payments
    rows = np.flatnonzero(payments["refers_to"] >= 0)
    at = positions(payments["id"], payments["refers_to"][rows])
    near = at >= 0
    near[near] = payments["ordered"][at[near]] <= payments["ordered"][rows[near]]
    rows = rows[~near]
    columns = {"transaction_id": "id", "refers_to": "refers_to", "ordered_us": "ordered"}
    yield pa.table({name: payments[column][rows] for name, column in columns.items()})
