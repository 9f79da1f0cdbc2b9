"""The laws of a bank's books, as queries that return what breaks them.

Every query groups by keys and needs no order among rows but the one that `entry_number` states, so DuckDB can
spill it. The schema's own rules (keys, references, ranges) are not repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rarecase.common.errors import Finding
from rarecase.common.spec import Spec

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Law:
    """A law, and the query whose rows break it; the first column names a row."""

    rule: str
    table: str
    column: str
    meaning: str
    sql: str


LAWS = (
    Law(
        "balance_continuity",
        "entries",
        "balance_minor",
        "an entry's balance is not the balance before it plus its amount",
        """
        SELECT entry_id FROM (
            SELECT entry_id, balance_minor - amount_minor AS before, opening_balance_minor, entry_number,
                   lag(balance_minor) OVER (PARTITION BY e.account_id ORDER BY entry_number) AS previous
            FROM entries e JOIN accounts a ON a.account_id = e.account_id)
        WHERE before <> CASE WHEN entry_number = 1 THEN opening_balance_minor ELSE previous END
           OR (previous IS NULL) <> (entry_number = 1)
        """,
    ),
    Law(
        "entries_in_order",
        "entries",
        "entry_number",
        "an account's entries are not numbered from 1 in order of time",
        """
        SELECT entry_id FROM (
            SELECT entry_id, entry_number, booked_at,
                   lag(entry_number) OVER w AS number_before, lag(booked_at) OVER w AS booked_before
            FROM entries WINDOW w AS (PARTITION BY account_id ORDER BY entry_number))
        WHERE entry_number <> coalesce(number_before, 0) + 1 OR booked_at < booked_before
        """,
    ),
    Law(
        "double_entry",
        "entries",
        "amount_minor",
        "a payment does not have exactly two legs that cancel out, in one currency, at one moment",
        """
        SELECT transaction_id FROM entries GROUP BY transaction_id
        HAVING count(*) <> 2 OR sum(amount_minor) <> 0 OR min(booked_at) <> max(booked_at)
            OR min(currency::VARCHAR) <> max(currency::VARCHAR)
        """,
    ),
    Law(
        "legs_match_payment",
        "entries",
        "transaction_id",
        "a leg is not that of its payment: account, amount, currency, kind or moment differ",
        """
        SELECT e.entry_id FROM entries e JOIN transactions t ON t.transaction_id = e.transaction_id
        WHERE NOT ((e.account_id = t.payer_account_id AND e.amount_minor = -t.amount_minor)
                OR (e.account_id = t.payee_account_id AND e.amount_minor = t.amount_minor))
           OR e.booked_at <> t.booked_at OR e.currency::VARCHAR <> t.currency::VARCHAR
           OR e.payment_type::VARCHAR <> t.payment_type::VARCHAR
        """,
    ),
    Law(
        "payments_booked",
        "transactions",
        "transaction_id",
        "the number of entries is not twice the number of payments",
        """
        SELECT 'entries' FROM (SELECT (SELECT count(*) FROM entries) AS legs, (SELECT count(*) FROM
            transactions) AS payments)
        WHERE legs <> 2 * payments
        """,
    ),
    Law(
        "money_is_conserved",
        "accounts",
        "opening_balance_minor",
        "the balances of all accounts and the world outside do not sum to zero",
        """
        SELECT currency FROM (
            SELECT currency::VARCHAR AS currency, sum(opening_balance_minor) AS held FROM accounts GROUP BY 1
            UNION ALL SELECT currency::VARCHAR, sum(amount_minor) FROM entries GROUP BY 1)
        WHERE held <> 0
        """,
    ),
    Law(
        "over_limit_says_so",
        "entries",
        "over_limit",
        "over_limit does not say whether the balance is below the account's limit",
        """
        SELECT entry_id FROM entries e JOIN accounts a ON a.account_id = e.account_id
        WHERE over_limit <> (credit_limit_minor IS NOT NULL AND balance_minor < -credit_limit_minor)
        """,
    ),
    Law(
        "places_of_accounts",
        "transactions",
        "payer_place",
        "a payment states another place than its accounts have",
        """
        SELECT t.transaction_id FROM transactions t
        JOIN accounts a ON a.account_id = t.payer_account_id JOIN accounts b ON b.account_id =
            t.payee_account_id
        WHERE a.place <> t.payer_place OR b.place <> t.payee_place
        """,
    ),
    Law(
        "merchant_is_paid",
        "transactions",
        "merchant_id",
        "a card payment goes to another account than the merchant's, or states another category",
        """
        SELECT t.transaction_id FROM transactions t
        JOIN merchants m ON m.merchant_id = t.merchant_id JOIN accounts a ON a.account_id = t.payee_account_id
        WHERE a.merchant_id IS DISTINCT FROM t.merchant_id OR m.mcc::VARCHAR <> t.mcc::VARCHAR
        """,
    ),
    Law(
        "card_of_payer",
        "transactions",
        "card_id",
        "a card draws on another account than its own",
        """
        SELECT t.transaction_id FROM transactions t JOIN cards c ON c.card_id = t.card_id
        WHERE c.account_id <> t.payer_account_id
        """,
    ),
    Law(
        "device_of_payer",
        "transactions",
        "device_id",
        "a device gives an order for another customer, or before it was first seen",
        """
        SELECT t.transaction_id FROM transactions t
        JOIN devices d ON d.device_id = t.device_id JOIN accounts a ON a.account_id = t.payer_account_id
        WHERE d.customer_id IS DISTINCT FROM a.customer_id OR d.first_seen_at > t.booked_at
        """,
    ),
    Law(
        "customer_before_account",
        "accounts",
        "opened_on",
        "an account is older than the relation with its customer",
        """
        SELECT a.account_id FROM accounts a JOIN customers c ON c.customer_id = a.customer_id
        WHERE a.opened_on < c.onboarded_on
        """,
    ),
    Law(
        "customer_before_device",
        "devices",
        "first_seen_at",
        "a device signed in before the relation with its customer began",
        """
        SELECT d.device_id FROM devices d JOIN customers c ON c.customer_id = d.customer_id
        WHERE d.first_seen_at < c.onboarded_on
        """,
    ),
    Law(
        "within_the_window",
        "transactions",
        "booked_at",
        "a payment is booked outside the window of the spec",
        "SELECT transaction_id FROM transactions WHERE booked_at < $start OR booked_at >= $end",
    ),
)


def checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Finding]:
    """Findings on the laws of the books.

    Parameters
    ----------
    connection
        With a view for each table.
    spec
        The spec of the data set.
    """
    for law in LAWS:
        bounds = {"start": spec.start, "end": spec.end} if "$start" in law.sql else {}
        query = f"SELECT count(*), list(broken)[1:3] FROM (SELECT * FROM ({law.sql}) AS found(broken))"
        row = connection.execute(query, bounds).fetchone()
        if row and row[0]:
            examples = tuple(str(value) for value in row[1])
            yield Finding(
                "error", f"finance.{law.rule}", law.table, law.column, int(row[0]), law.meaning, examples
            )
