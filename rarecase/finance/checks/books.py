"""One part's ledger as arrays: every entry with its account and payment, every payment with its sides.

Words come as hashes of DuckDB's, which are the same in every part; keys that are missing come as -1.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from rarecase.common.validate.positions import positions
from rarecase.finance.checks import kernels

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.spec import Spec

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]
Bool = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]

_ACCOUNTS = """
SELECT coalesce(account_id, -1) AS id, coalesce(bank_id, -1) AS bank, coalesce(place, -1)::BIGINT AS place,
    hash(currency::VARCHAR) AS currency,
    coalesce(kind::VARCHAR IN ('settlement', 'position'), false) AS middle,
    coalesce(customer_id, -1) AS customer, coalesce(merchant_id, -1) AS merchant,
    coalesce(epoch_us(opened_on::TIMESTAMP), 0) AS opened, coalesce(opening_balance_minor, 0) AS opening,
    credit_limit_minor IS NOT NULL AS limited, coalesce(credit_limit_minor, 0) AS most
FROM part.accounts
"""
_ENTRIES = """
SELECT coalesce(transaction_id, -1) AS payment, coalesce(account_id, -1) AS account,
    coalesce(epoch_us(booked_at), 0) AS booked, hash(payment_type::VARCHAR) AS kind,
    coalesce(amount_minor, 0) AS amount, hash(currency::VARCHAR) AS currency,
    coalesce(balance_minor, 0) AS balance, coalesce(entry_number, 0)::BIGINT AS number,
    coalesce(over_limit, false) AS over
FROM part.entries
"""
_PAYMENTS = """
SELECT coalesce(transaction_id, -1) AS id, coalesce(payer_account_id, -1) AS payer,
    coalesce(payee_account_id, -1) AS payee, coalesce(amount_minor, 0) AS amount,
    hash(currency::VARCHAR) AS currency, coalesce(credited_minor, 0) AS credited,
    hash(credited_currency::VARCHAR) AS credited_currency, hash(payment_type::VARCHAR) AS kind,
    coalesce(epoch_us(ordered_at), 0) AS ordered, coalesce(epoch_us(booked_at), 0) AS booked,
    coalesce(payer_place, -1)::BIGINT AS payer_place, coalesce(payee_place, -1)::BIGINT AS payee_place,
    coalesce(merchant_id, -1) AS merchant, hash(mcc::VARCHAR) AS mcc, coalesce(card_id, -1) AS card,
    coalesce(device_id, -1) AS device, coalesce(refers_to, -1) AS refers_to
FROM part.transactions
"""


class Books:
    """The ledger of one part, read from the views part.<table> of a connection.

    Attributes
    ----------
    accounts, entries, payments
        Columns of the tables, by the names in the queries above.
    account, payment
        Of each entry the position of its account and payment; what is not in the part has positions beyond.
    payer, payee
        Of each payment the position of its accounts, -1 where they are not in the part.
    window
        First moment of the data and the first one after them, in microseconds.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
        self._connection = connection
        window = np.array([spec.start, spec.end], "datetime64[us]").astype(np.int64)
        self.window = (int(window[0]), int(window[1]))
        self.accounts, self.entries = self.read(_ACCOUNTS), self.read(_ENTRIES)
        self.payments = self.read(_PAYMENTS)
        self.account = _dense(self.accounts["id"], self.entries["account"])
        self.payment = _dense(self.payments["id"], self.entries["payment"])
        self.payer = positions(self.accounts["id"], self.payments["payer"])
        self.payee = positions(self.accounts["id"], self.payments["payee"])

    def read(self, query: str) -> Columns:
        """The columns that a query returns, which may hold no nulls."""
        found = self._connection.sql(query).to_arrow_table()
        return {name: found.column(name).to_numpy() for name in found.column_names}

    def entry_ids(self, broken: Bool) -> Int64:
        """Keys of entries."""
        if not broken.any():
            return np.empty(0, np.int64)
        return cast(Int64, self.read("SELECT coalesce(entry_id, -1) AS id FROM part.entries")["id"][broken])

    def payment_ids(self, broken: Bool) -> Int64:
        """Keys of payments."""
        return cast(Int64, self.payments["id"][broken])

    @cached_property
    def kept(self) -> Bool:
        """Which entries stand beside their account."""
        return self.account < self.accounts["id"].size

    @cached_property
    def at(self) -> Int64:
        """Of each entry the position of its account, of all others one beyond the last."""
        return np.minimum(self.account, self.accounts["id"].size)

    def of_account(self, name: str, missing: int = -1) -> NDArray[Any]:
        """A column of each entry's account."""
        values = self.accounts[name]
        return np.append(values, np.array([missing]).astype(values.dtype))[self.at]

    @cached_property
    def middle(self) -> Bool:
        """Which entries are of settlement or position accounts."""
        return self.of_account("middle", 0)

    @cached_property
    def followed(self) -> tuple[Bool, Bool]:
        """Which entries do not continue the balance of their account, and which are out of its order."""
        entries, known = self.entries, self.accounts["opening"]
        accounts = max(int(self.account.max(initial=-1)) + 1, known.size)
        if kernels.ascends(self.account, entries["number"], accounts):
            order = np.arange(self.account.size)
        else:
            order = np.lexsort((entries["number"], self.account))
        jumps, disorder = np.zeros(order.size, np.bool_), np.zeros(order.size, np.bool_)
        kernels.follow_accounts(
            order,
            self.account,
            entries["number"],
            entries["booked"],
            entries["amount"],
            entries["balance"],
            known,
            accounts,
            jumps,
            disorder,
        )
        return jumps, disorder

    @cached_property
    def sides(self) -> Columns:
        """The legs of a payment in one place, together: `payment`, `place`, `total`, `legs`, `middles`,
        `uneven` (in moment or currency), `id`; and `of_entry`, the side of each entry or -1."""
        payments = int(self.payment.max(initial=-1)) + 1
        places = np.unique(self.accounts["place"])
        if places.size <= 1:
            of_entry, count = np.where(self.kept, self.payment, -1), payments
            payment, place = np.arange(count), np.full(count, places[0] if places.size else -1)
        else:
            both = self.payment * places.size + np.searchsorted(
                places, self.of_account("place", int(places[0]))
            )
            of_entry = np.full(both.size, -1, np.int64)
            sides, of_entry[self.kept] = np.unique(both[self.kept], return_inverse=True)
            count, payment, place = sides.size, sides // places.size, places[sides % places.size]
        found: Columns = {name: np.zeros(count, np.int64) for name in ("total", "legs", "middles", "id")}
        found |= {"payment": payment, "place": place, "uneven": np.zeros(count, np.bool_)}
        entries = self.entries
        kernels.sum_sides(
            of_entry,
            entries["amount"],
            entries["booked"],
            entries["currency"],
            self.middle,
            *(found[name] for name in ("total", "legs", "middles", "uneven")),
        )
        ids = np.full(payments, -1, np.int64)
        ids[self.payment] = entries["payment"]
        found["id"] = ids[payment]
        return found | {"of_entry": of_entry}

    @cached_property
    def four(self) -> Bool:
        """Which payments pass through banks where the payer is."""
        sides = self.sides
        known = np.flatnonzero((sides["payment"] < self.payments["id"].size) & (sides["middles"] > 0))
        payment = sides["payment"][known]
        here = payment[sides["place"][known] == self.payments["payer_place"][payment]]
        four = np.zeros(self.payments["id"].size, np.bool_)
        four[here] = True
        return four

    def kinds(self, *names: str) -> Bool:
        """Which payments are of these kinds."""
        given = ", ".join(f"hash('{name}') AS k{at}" for at, name in enumerate(names))
        codes = [code[0] for code in self.read(f"SELECT {given}").values()]
        return np.isin(self.payments["kind"], np.array(codes, np.uint64))


def _dense(held: Int64, wanted: Int64) -> Int64:
    """Positions among those held; the others are counted on from there."""
    found = positions(held, wanted)
    away = found < 0
    if away.any():
        found[away] = held.size + np.unique(wanted[away], return_inverse=True)[1]
    return found
