"""The laws of a bank's books: each returns what breaks it.

Nearly all are judged part after part, where the part owns the account, so that memory does not grow with the
data (`laws`). What crosses parts is compared by sums: of hashes of the payments that a place is due, as their
payers' parts have them, and of those that its accounts got (`crossing`). The schema's own rules (keys,
references, ranges) are not repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rarecase.common.errors import Finding
from rarecase.common.spec import Spec
from rarecase.finance.checks.books import Books
from rarecase.finance.checks.crossing import SUMS, crossing, far_refers, held
from rarecase.finance.checks.laws import PART_LAWS

if TYPE_CHECKING:
    import duckdb

__all__ = ["checks", "part_checks"]


@dataclass(frozen=True)
class Law:
    """A law, and the query whose rows break it; the first column names a row."""

    rule: str
    table: str
    column: str
    meaning: str
    sql: str


# Of the whole, but small: every part asks for them, and opening all of their files again would be dear.
_KEPT = """
CREATE TEMP TABLE IF NOT EXISTS shops AS
    SELECT coalesce(merchant_id, -1) AS merchant_id, hash(mcc::VARCHAR) AS mcc FROM merchants;
CREATE TEMP TABLE IF NOT EXISTS rates AS
    SELECT rate_date, currency::VARCHAR AS currency, units_per_eur FROM fx_rates;
"""

#: Laws of a part that look at few rows.
SMALL_LAWS = (
    Law(
        "exchanged_at_the_rate",
        "transactions",
        "credited_minor",
        "an exchanged amount is not that of the day's rate",
        """
        SELECT t.transaction_id FROM (SELECT * FROM part.transactions
            WHERE currency::VARCHAR <> credited_currency::VARCHAR) t
        JOIN rates a ON a.rate_date = t.ordered_at::DATE AND a.currency = t.currency::VARCHAR
        JOIN rates b ON b.rate_date = t.ordered_at::DATE AND b.currency = t.credited_currency::VARCHAR
        WHERE abs(t.credited_minor - t.amount_minor * b.units_per_eur / a.units_per_eur) > 1
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
)

LAWS = (
    Law(
        "money_is_conserved",
        "accounts",
        "opening_balance_minor",
        "the balances of all accounts and the world outside do not sum to zero in every currency",
        """
        SELECT coalesce(any_value(a.currency), 'unknown') FROM (
            SELECT currency AS code FROM sums.held GROUP BY currency
            HAVING sum(high::HUGEINT * 4294967296 + low) <> 0) broken
        LEFT JOIN (SELECT DISTINCT currency::VARCHAR AS currency FROM accounts) a
            ON hash(a.currency) = broken.code
        GROUP BY broken.code ORDER BY 1
        """,
    ),
    Law(
        "crossing_payments_arrive",
        "entries",
        "transaction_id",
        "payments from other places are not those that the accounts of a place got",
        """
        SELECT 'place ' || place FROM sums.crossing GROUP BY place
        HAVING sum(due) <> sum(paid)
            OR (sum(due_hash::HUGEINT) - sum(paid_hash::HUGEINT)) % 18446744073709551616::HUGEINT <> 0
        ORDER BY place
        """,
    ),
    # Payments are many, those that give back far away few: the few are held, and the many scanned.
    Law(
        "gives_back_what_was",
        "transactions",
        "refers_to",
        "a payment gives back another one that does not exist, or is later",
        """
        SELECT f.transaction_id FROM sums.far_refers f ANTI JOIN (
            SELECT transaction_id, epoch_us(ordered_at) AS ordered_us FROM transactions
            SEMI JOIN (SELECT DISTINCT refers_to FROM sums.far_refers) g
                ON transactions.transaction_id = g.refers_to) o
            ON o.transaction_id = f.refers_to AND o.ordered_us <= f.ordered_us
        ORDER BY 1
        """,
    ),
)


def part_checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Finding]:
    """Findings on the laws that one part can judge.

    Parameters
    ----------
    connection
        With a view part.<table> for each table of the part, a view <table> for each of the whole, and a
        schema `sums` for what the whole is judged by.
    spec
        The spec of the data set.
    """
    connection.execute(SUMS)
    connection.execute(_KEPT)
    books = Books(connection, spec)
    for law in PART_LAWS:
        keys = law.broken(books)
        if keys.size:
            yield _finding(law.rule, law.table, law.column, keys.size, law.meaning, keys[:3].tolist())
    for name, left in (("held", held), ("crossing", crossing), ("far_refers", far_refers)):
        for rows in left(books):
            connection.register("left_by_part", rows)
            connection.execute(f"INSERT INTO sums.{name} SELECT * FROM left_by_part")
            connection.unregister("left_by_part")
    yield from _broken(connection, SMALL_LAWS)


def checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterator[Finding]:
    """Findings on the laws of the whole, from the sums that `part_checks` left.

    Parameters
    ----------
    connection
        With a view for each table, and the sums of all parts.
    spec
        The spec of the data set.
    """
    connection.execute(SUMS)
    yield from _broken(connection, LAWS)


def _broken(connection: duckdb.DuckDBPyConnection, laws: tuple[Law, ...]) -> Iterator[Finding]:
    for law in laws:
        query = f"SELECT count(*), list(broken)[1:3] FROM (SELECT * FROM ({law.sql}) AS found(broken))"
        ((count, examples),) = connection.execute(query).fetchall()
        if count:
            yield _finding(law.rule, law.table, law.column, int(count), law.meaning, examples)


def _finding(rule: str, table: str, column: str, count: int, meaning: str, examples: list[object]) -> Finding:
    shown = tuple(str(value) for value in examples)
    return Finding("error", f"finance.{rule}", table, column, count, meaning, shown)
