"""The laws that one part can judge, each by the keys of the rows that break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarecase.common.validate.positions import positions
from rarecase.finance.checks import kernels
from rarecase.finance.checks.books import Books, Columns, Int64

_CARDS = ("card_payment", "card_refund", "chargeback")


@dataclass(frozen=True)
class PartLaw:
    """A law of the rows of a part; `broken` names the rows that break it."""

    rule: str
    table: str
    column: str
    meaning: str
    broken: Callable[[Books], NDArray[Any]]


def _balance_continuity(books: Books) -> Int64:
    return books.entry_ids(books.followed[0])


def _entries_in_order(books: Books) -> Int64:
    return books.entry_ids(books.followed[1])


def _entries_where_the_account_is(books: Books) -> Int64:
    return books.entry_ids(~books.kept | (books.of_account("currency", 0) != books.entries["currency"]))


def _double_entry(books: Books) -> Int64:
    sides, payments = books.sides, books.payments
    known = sides["payment"] < payments["id"].size
    inside = np.zeros(known.size, np.bool_)
    payment = sides["payment"][known]
    inside[known] = payments["payer_place"][payment] == payments["payee_place"][payment]
    legs, middles, even = sides["legs"], sides["middles"], sides["total"] == 0
    whole = even & (legs == 2 + middles) & ((middles == 0) | (middles == 2))
    half = ((legs == 1) & (middles == 0)) | ((legs == 2) & (middles == 1) & even)
    broken: Int64 = sides["id"][(legs > 0) & (sides["uneven"] | ~np.where(inside, whole, half))]
    return broken


def _legs_match_payment(books: Books) -> Int64:
    entries, payments = books.entries, books.payments
    paid, got = np.zeros(payments["id"].size, np.bool_), np.zeros(payments["id"].size, np.bool_)
    kernels.match_legs(
        books.payment,
        np.where(books.kept, books.account, -1),
        _facts(entries),
        books.payer,
        books.payee,
        _facts(payments),
        (payments["credited"], payments["credited_currency"]),
        paid,
        got,
    )
    return books.payment_ids(~paid | (~got & (books.payee >= 0)))


def _facts(rows: Columns) -> kernels.Facts:
    return rows["amount"], rows["currency"], rows["booked"], rows["kind"]


def _through_the_banks(books: Books) -> Int64:
    payments, four = books.payments, books.four
    exchanged = payments["currency"] != payments["credited_currency"]
    bank = books.accounts["bank"]
    ours, theirs = _taken(bank, books.payer), _taken(bank, books.payee)
    cards = books.kinds(*_CARDS)
    # The world outside has no bank, so that nothing is said of payments with it.
    judged = (books.payer >= 0) & (books.payee >= 0)
    judged &= exchanged | cards | ((ours >= 0) & (theirs >= 0))
    wrong = judged & (four != (exchanged | ((ours != theirs) & ~cards)))
    strange = np.zeros(max(int(books.payment.max(initial=-1)) + 1, four.size), np.bool_)
    kernels.strange_banks(
        np.where(books.kept, books.payment, -1),
        books.entries["amount"],
        books.of_account("bank"),
        books.middle,
        strange.size,
        strange,
    )
    broken = books.payment_ids(wrong | (exchanged & ~four) | strange[: four.size])
    if not strange[four.size :].any():
        return broken
    far = books.entries["payment"][strange[books.payment] & (books.payment >= four.size)]
    return np.concatenate([broken, np.unique(far)])


def _over_limit_says_so(books: Books) -> Int64:
    entries = books.entries
    below = books.of_account("limited", 0) & (entries["balance"] < -books.of_account("most", 0))
    return books.entry_ids(books.kept & (entries["over"] != below))


def _places_of_accounts(books: Books) -> Int64:
    payments, place = books.payments, books.accounts["place"]
    wrong = (books.payer < 0) | (_taken(place, books.payer) != payments["payer_place"])
    there = _taken(place, books.payee)
    return books.payment_ids(wrong | ((there >= 0) & (there != payments["payee_place"])))


def _merchant_is_paid(books: Books) -> Int64:
    payments = books.payments
    rows = np.flatnonzero(payments["merchant"] >= 0)
    shops = books.read("SELECT merchant_id AS id, mcc FROM shops")
    merchant, shop = payments["merchant"][rows], positions(shops["id"], payments["merchant"][rows])
    wrong = (shop < 0) | (_taken(shops["mcc"], shop) != payments["mcc"][rows])
    account = np.where(books.kinds("card_payment"), books.payee, books.payer)[rows]
    wrong |= (account >= 0) & (_taken(books.accounts["merchant"], account) != merchant)
    return books.payment_ids(_mask(rows[wrong], books))


def _card_of_payer(books: Books) -> Int64:
    payments = books.payments
    rows = np.flatnonzero(payments["card"] >= 0)
    cards = books.read(
        "SELECT coalesce(card_id, -1) AS id, coalesce(account_id, -1) AS account FROM part.cards"
    )
    card = positions(cards["id"], payments["card"][rows])
    backwards = books.kinds("card_refund", "chargeback", "cash_deposit")
    account = np.where(backwards, payments["payee"], payments["payer"])[rows]
    wrong = (card >= 0) & (_taken(cards["account"], card) != account)
    return books.payment_ids(_mask(rows[wrong], books))


def _device_of_payer(books: Books) -> Int64:
    payments = books.payments
    rows = np.flatnonzero((payments["device"] >= 0) & (books.payer >= 0))
    devices = books.read(
        "SELECT coalesce(device_id, -1) AS id, coalesce(customer_id, -1) AS customer, "
        "coalesce(epoch_us(first_seen_at), 0) AS seen FROM part.devices"
    )
    device = positions(devices["id"], payments["device"][rows])
    customer = _taken(books.accounts["customer"], books.payer[rows])
    late = _taken(devices["seen"], device) > payments["ordered"][rows]
    wrong = (device >= 0) & ((_taken(devices["customer"], device) != customer) | late)
    return books.payment_ids(_mask(rows[wrong], books))


def _open_before_used(books: Books) -> Int64:
    early = books.payments["booked"] < _taken(books.accounts["opened"], books.payer)
    return books.payment_ids((books.payer >= 0) & early)


def _within_the_window(books: Books) -> Int64:
    payments, (start, end) = books.payments, books.window
    return books.payment_ids((payments["ordered"] < start) | (payments["booked"] >= end))


def _taken(values: NDArray[Any], at: Int64) -> NDArray[Any]:
    """Values at positions; anything, most often -1, where the position is -1."""
    return np.append(values, np.array([-1]).astype(values.dtype))[at]


def _mask(rows: Int64, books: Books) -> NDArray[np.bool_]:
    mask = np.zeros(books.payments["id"].size, np.bool_)
    mask[rows] = True
    return mask


PART_LAWS = (
    PartLaw(
        "balance_continuity",
        "entries",
        "balance_minor",
        "an entry's balance is not the balance before it plus its amount",
        _balance_continuity,
    ),
    PartLaw(
        "entries_in_order",
        "entries",
        "entry_number",
        "an account's entries are not numbered from 1 in order of time",
        _entries_in_order,
    ),
    PartLaw(
        "entries_where_the_account_is",
        "entries",
        "account_id",
        "an entry stands in another part than its account, or in another currency",
        _entries_where_the_account_is,
    ),
    PartLaw(
        "double_entry",
        "entries",
        "amount_minor",
        "the legs of a payment do not cancel out: two, or four where they pass through banks, at one moment",
        _double_entry,
    ),
    PartLaw(
        "legs_match_payment",
        "transactions",
        "transaction_id",
        "a payment has no leg of its amount, currency, kind and moment on its payer's or payee's account",
        _legs_match_payment,
    ),
    PartLaw(
        "through_the_banks",
        "transactions",
        "transaction_id",
        "a transfer between banks or currencies does not pass through settlement or position accounts, or "
        "another payment does",
        _through_the_banks,
    ),
    PartLaw(
        "over_limit_says_so",
        "entries",
        "over_limit",
        "over_limit does not say whether the balance is below the account's limit",
        _over_limit_says_so,
    ),
    PartLaw(
        "places_of_accounts",
        "transactions",
        "payer_place",
        "a payment states another place than its accounts have",
        _places_of_accounts,
    ),
    PartLaw(
        "merchant_is_paid",
        "transactions",
        "merchant_id",
        "a card payment goes to another account than the merchant's, or states another category",
        _merchant_is_paid,
    ),
    PartLaw(
        "card_of_payer",
        "transactions",
        "card_id",
        "a card draws on another account than its own",
        _card_of_payer,
    ),
    PartLaw(
        "device_of_payer",
        "transactions",
        "device_id",
        "a device gives an order for another customer, or before it was first seen",
        _device_of_payer,
    ),
    PartLaw(
        "open_before_used",
        "transactions",
        "payer_account_id",
        "an account pays before it was opened",
        _open_before_used,
    ),
    PartLaw(
        "within_the_window",
        "transactions",
        "booked_at",
        "a payment is ordered before, or booked after, the window of the spec",
        _within_the_window,
    ),
)
