"""The laws of a bank's books, as queries that return what breaks them.

Nearly all are judged part after part, where the part owns the account, so that memory does not grow with the
data. What crosses parts is compared by sums: of hashes of the payments that a place is due, as their payers'
parts have them, and of those that its accounts got. The schema's own rules (keys, references, ranges) are not
repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rarecase.common.errors import Finding
from rarecase.common.spec import Spec

if TYPE_CHECKING:
    import duckdb

_CARDS = "('card_payment', 'card_refund', 'chargeback')"


@dataclass(frozen=True)
class Law:
    """A law, and the query whose rows break it; the first column names a row."""

    rule: str
    table: str
    column: str
    meaning: str
    sql: str


#: What every part does before its laws: legs per payment, and the sums that the whole is judged by.
_PREPARE = """
CREATE TEMP TABLE IF NOT EXISTS held (currency VARCHAR, amount HUGEINT);
CREATE TEMP TABLE IF NOT EXISTS crossing (
    place INTEGER, due BIGINT, paid BIGINT, due_hash HUGEINT, paid_hash HUGEINT);
CREATE TEMP TABLE IF NOT EXISTS far_refers (transaction_id BIGINT, refers_to BIGINT, ordered_at TIMESTAMP);
CREATE TEMP TABLE IF NOT EXISTS shops AS SELECT merchant_id, mcc::VARCHAR AS mcc FROM merchants;
CREATE OR REPLACE TEMP TABLE leg AS
    SELECT e.transaction_id, e.account_id, e.amount_minor, e.currency::VARCHAR AS currency, e.booked_at,
        e.payment_type::VARCHAR AS payment_type, a.bank_id, a.place,
        a.kind::VARCHAR IN ('settlement', 'position') AS middle
    FROM part.entries e JOIN part.accounts a ON a.account_id = e.account_id;
CREATE OR REPLACE TEMP TABLE side AS
    SELECT transaction_id, place, sum(amount_minor) AS total, count(*) AS legs,
        count(*) FILTER (middle) AS middles, min(booked_at) AS since, max(booked_at) AS until,
        count(DISTINCT currency) AS currencies
    FROM leg GROUP BY transaction_id, place;
CREATE OR REPLACE TEMP TABLE paid AS
    SELECT t.transaction_id, t.payer_account_id, t.payee_account_id, t.amount_minor, t.credited_minor,
        t.currency::VARCHAR AS currency, t.credited_currency::VARCHAR AS credited_currency, t.booked_at,
        t.payment_type::VARCHAR AS payment_type, t.payer_place, t.payee_place,
        coalesce(s.middles, 0) > 0 AS four
    FROM part.transactions t LEFT JOIN side s
        ON s.transaction_id = t.transaction_id AND s.place = t.payer_place;
INSERT INTO held
    SELECT currency::VARCHAR, sum(opening_balance_minor) FROM part.accounts GROUP BY 1
    UNION ALL SELECT currency::VARCHAR, sum(amount_minor) FROM part.entries GROUP BY 1;
INSERT INTO crossing
    SELECT payee_place, count(*), 0, sum(hash(transaction_id, payee_account_id, credited_minor,
        credited_currency, booked_at, payment_type, four)::HUGEINT), 0
    FROM paid p ANTI JOIN part.accounts a ON a.account_id = p.payee_account_id GROUP BY payee_place;
INSERT INTO crossing
    SELECT l.place, 0, count(*), 0, sum(hash(l.transaction_id, l.account_id, l.amount_minor,
        l.currency, l.booked_at, l.payment_type, s.middles > 0)::HUGEINT)
    FROM leg l JOIN side s ON s.transaction_id = l.transaction_id AND s.place = l.place
    ANTI JOIN part.transactions t ON t.transaction_id = l.transaction_id WHERE NOT l.middle GROUP BY l.place;
INSERT INTO far_refers
    SELECT t.transaction_id, t.refers_to, t.ordered_at FROM part.transactions t
    ANTI JOIN part.transactions o ON o.transaction_id = t.refers_to AND o.ordered_at <= t.ordered_at
    WHERE t.refers_to IS NOT NULL;
"""

PART_LAWS = (
    Law(
        "balance_continuity",
        "entries",
        "balance_minor",
        "an entry's balance is not the balance before it plus its amount",
        """
        SELECT entry_id FROM (
            SELECT entry_id, balance_minor - amount_minor AS before, opening_balance_minor, entry_number,
                   lag(balance_minor) OVER (PARTITION BY e.account_id ORDER BY entry_number) AS previous
            FROM part.entries e JOIN part.accounts a ON a.account_id = e.account_id)
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
            FROM part.entries WINDOW w AS (PARTITION BY account_id ORDER BY entry_number))
        WHERE entry_number <> coalesce(number_before, 0) + 1 OR booked_at < booked_before
        """,
    ),
    Law(
        "entries_where_the_account_is",
        "entries",
        "account_id",
        "an entry stands in another part than its account, or in another currency",
        """
        SELECT e.entry_id FROM part.entries e LEFT JOIN part.accounts a ON a.account_id = e.account_id
        WHERE a.account_id IS NULL OR a.currency::VARCHAR <> e.currency::VARCHAR
        """,
    ),
    Law(
        "double_entry",
        "entries",
        "amount_minor",
        "the legs of a payment do not cancel out: two, or four where they pass through banks, at one moment",
        """
        SELECT s.transaction_id FROM side s LEFT JOIN paid p ON p.transaction_id = s.transaction_id
        WHERE s.since <> s.until OR s.currencies <> 1 OR NOT CASE
            WHEN p.payee_place = p.payer_place
                THEN s.total = 0 AND s.legs = 2 + s.middles AND s.middles IN (0, 2)
            ELSE (s.legs = 1 AND s.middles = 0)
                OR (s.legs = 2 AND s.middles = 1 AND s.total = 0) END
        """,
    ),
    Law(
        "legs_match_payment",
        "transactions",
        "transaction_id",
        "a payment has no leg of its amount, currency, kind and moment on its payer's or payee's account",
        """
        SELECT p.transaction_id FROM paid p ANTI JOIN leg l ON l.transaction_id = p.transaction_id
            AND l.account_id = p.payer_account_id AND l.amount_minor = -p.amount_minor
            AND l.currency = p.currency AND l.booked_at = p.booked_at AND l.payment_type = p.payment_type
        UNION
        SELECT p.transaction_id FROM paid p SEMI JOIN part.accounts a ON a.account_id = p.payee_account_id
        ANTI JOIN leg l ON l.transaction_id = p.transaction_id AND l.account_id = p.payee_account_id
            AND l.amount_minor = p.credited_minor AND l.currency = p.credited_currency
            AND l.booked_at = p.booked_at AND l.payment_type = p.payment_type
        """,
    ),
    Law(
        "through_the_banks",
        "transactions",
        "transaction_id",
        "a transfer between banks or currencies does not pass through settlement or position accounts, or "
        "another payment does",
        f"""
        SELECT p.transaction_id FROM paid p
        JOIN part.accounts a ON a.account_id = p.payer_account_id
        JOIN part.accounts b ON b.account_id = p.payee_account_id
        WHERE p.four <> (p.currency <> p.credited_currency
            OR (a.bank_id <> b.bank_id AND p.payment_type NOT IN {_CARDS}))
        UNION
        SELECT p.transaction_id FROM paid p WHERE p.currency <> p.credited_currency AND NOT p.four
        UNION
        SELECT l.transaction_id FROM leg l JOIN leg o ON o.transaction_id = l.transaction_id
            AND o.amount_minor = -l.amount_minor AND NOT o.middle
        WHERE l.middle AND l.bank_id <> o.bank_id
            AND NOT EXISTS (SELECT 1 FROM leg x WHERE x.transaction_id = l.transaction_id AND NOT x.middle
                AND x.amount_minor = -l.amount_minor AND x.bank_id = l.bank_id)
        """,
    ),
    Law(
        "over_limit_says_so",
        "entries",
        "over_limit",
        "over_limit does not say whether the balance is below the account's limit",
        """
        SELECT entry_id FROM part.entries e JOIN part.accounts a ON a.account_id = e.account_id
        WHERE over_limit <> (credit_limit_minor IS NOT NULL AND balance_minor < -credit_limit_minor)
        """,
    ),
    Law(
        "places_of_accounts",
        "transactions",
        "payer_place",
        "a payment states another place than its accounts have",
        """
        SELECT t.transaction_id FROM part.transactions t
        LEFT JOIN part.accounts a ON a.account_id = t.payer_account_id
        LEFT JOIN part.accounts b ON b.account_id = t.payee_account_id
        WHERE a.place IS DISTINCT FROM t.payer_place OR (b.place IS NOT NULL AND b.place <> t.payee_place)
        """,
    ),
    Law(
        "exchanged_at_the_rate",
        "transactions",
        "credited_minor",
        "an exchanged amount is not that of the day's rate",
        """
        SELECT t.transaction_id FROM part.transactions t
        JOIN fx_rates a ON a.rate_date = t.ordered_at::DATE AND a.currency::VARCHAR = t.currency::VARCHAR
        JOIN fx_rates b ON b.rate_date = t.ordered_at::DATE
            AND b.currency::VARCHAR = t.credited_currency::VARCHAR
        WHERE t.currency::VARCHAR <> t.credited_currency::VARCHAR
          AND abs(t.credited_minor - t.amount_minor * b.units_per_eur / a.units_per_eur) > 1
        """,
    ),
    Law(
        "merchant_is_paid",
        "transactions",
        "merchant_id",
        "a card payment goes to another account than the merchant's, or states another category",
        """
        SELECT t.transaction_id FROM part.transactions t
        LEFT JOIN shops m ON m.merchant_id = t.merchant_id
        LEFT JOIN part.accounts a ON a.account_id = CASE WHEN t.payment_type::VARCHAR = 'card_payment'
            THEN t.payee_account_id ELSE t.payer_account_id END
        WHERE t.merchant_id IS NOT NULL AND (m.mcc IS DISTINCT FROM t.mcc::VARCHAR
            OR (a.account_id IS NOT NULL AND a.merchant_id IS DISTINCT FROM t.merchant_id))
        """,
    ),
    Law(
        "card_of_payer",
        "transactions",
        "card_id",
        "a card draws on another account than its own",
        """
        SELECT t.transaction_id FROM part.transactions t JOIN part.cards c ON c.card_id = t.card_id
        WHERE c.account_id <> CASE
            WHEN t.payment_type::VARCHAR IN ('card_refund', 'chargeback', 'cash_deposit')
            THEN t.payee_account_id ELSE t.payer_account_id END
        """,
    ),
    Law(
        "device_of_payer",
        "transactions",
        "device_id",
        "a device gives an order for another customer, or before it was first seen",
        """
        SELECT t.transaction_id FROM part.transactions t
        JOIN part.devices d ON d.device_id = t.device_id
        JOIN part.accounts a ON a.account_id = t.payer_account_id
        WHERE d.customer_id IS DISTINCT FROM a.customer_id OR d.first_seen_at > t.ordered_at
        """,
    ),
    Law(
        "open_before_used",
        "transactions",
        "payer_account_id",
        "an account pays before it was opened",
        """
        SELECT t.transaction_id FROM part.transactions t
        JOIN part.accounts a ON a.account_id = t.payer_account_id WHERE t.booked_at < a.opened_on
        """,
    ),
    Law(
        "customer_before_account",
        "accounts",
        "opened_on",
        "an account is older than the relation with its customer",
        """
        SELECT a.account_id FROM part.accounts a JOIN part.customers c ON c.customer_id = a.customer_id
        WHERE a.opened_on < c.onboarded_on
        """,
    ),
    Law(
        "customer_before_device",
        "devices",
        "first_seen_at",
        "a device signed in before the relation with its customer began",
        """
        SELECT d.device_id FROM part.devices d JOIN part.customers c ON c.customer_id = d.customer_id
        WHERE d.first_seen_at < c.onboarded_on
        """,
    ),
    Law(
        "within_the_window",
        "transactions",
        "booked_at",
        "a payment is ordered before, or booked after, the window of the spec",
        "SELECT transaction_id FROM part.transactions WHERE ordered_at < $start OR booked_at >= $end",
    ),
)

LAWS = (
    Law(
        "money_is_conserved",
        "accounts",
        "opening_balance_minor",
        "the balances of all accounts and the world outside do not sum to zero in every currency",
        "SELECT currency FROM held GROUP BY currency HAVING sum(amount) <> 0",
    ),
    Law(
        "crossing_payments_arrive",
        "entries",
        "transaction_id",
        "payments from other places are not those that the accounts of a place got",
        """
        SELECT 'place ' || place FROM crossing GROUP BY place
        HAVING sum(due) <> sum(paid) OR sum(due_hash) <> sum(paid_hash)
        """,
    ),
    Law(
        "gives_back_what_was",
        "transactions",
        "refers_to",
        "a payment gives back another one that does not exist, or is later",
        """
        SELECT f.transaction_id FROM far_refers f
        ANTI JOIN transactions o ON o.transaction_id = f.refers_to AND o.ordered_at <= f.ordered_at
        """,
    ),
)


def part_checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Finding]:
    """Findings on the laws that one part can judge.

    Parameters
    ----------
    connection
        With a view part.<table> for each table.
    spec
        The spec of the data set.
    """
    for statement in _PREPARE.split(";"):
        if statement.strip():
            connection.execute(statement)
    yield from _broken(connection, spec, PART_LAWS)


def checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Finding]:
    """Findings on the laws of the whole, from the sums that `part_checks` left.

    Parameters
    ----------
    connection
        With a view for each table.
    spec
        The spec of the data set.
    """
    yield from _broken(connection, spec, LAWS)
    for table in ("held", "crossing", "far_refers", "shops"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def _broken(connection: duckdb.DuckDBPyConnection, spec: Spec, laws: tuple[Law, ...]) -> Iterator[Finding]:
    for law in laws:
        bounds = {"start": spec.start, "end": spec.end} if "$start" in law.sql else {}
        query = f"SELECT count(*), list(broken)[1:3] FROM (SELECT * FROM ({law.sql}) AS found(broken))"
        row = connection.execute(query, bounds).fetchone()
        if row and row[0]:
            examples = tuple(str(value) for value in row[1])
            yield Finding(
                "error", f"finance.{law.rule}", law.table, law.column, int(row[0]), law.meaning, examples
            )
