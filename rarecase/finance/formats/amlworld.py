"""AMLworld (HI and LI, Altman and others 2023): transactions, accounts and the file of laundering patterns.

Headers and forms of values are those of the files on Kaggle: minutes, bank numbers with a zero before them,
account numbers of nine hexadecimal digits, amounts with two decimals, words for currencies and formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.parties import COUNTRIES, quoted, with_parties, word
from rarecase.finance.formats.stream import Span, books, headed, money, readme, spans, text
from rarecase.finance.formats.truth import with_truth

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

HEADER = (
    "Timestamp,From Bank,Account,To Bank,Account,Amount Received,Receiving Currency,Amount Paid,"
    "Payment Currency,Payment Format,Is Laundering"
)
ACCOUNTS_HEADER = "Bank Name,Bank ID,Account Number,Entity ID,Entity Name"
CURRENCY_WORDS = {
    "EUR": "Euro",
    "GBP": "UK Pound",
    "USD": "US Dollar",
    "AUD": "Australian Dollar",
    "CZK": "Czech Koruna",
}
#: AMLworld pays interest as a reinvestment; what is no card, cash, cheque or wire goes by clearing house.
FORMAT_WORDS = {
    "card_payment": "Credit Card",
    "card_refund": "Credit Card",
    "chargeback": "Credit Card",
    "cash_withdrawal": "Cash",
    "cash_deposit": "Cash",
    "cheque": "Cheque",
    "wire": "Wire",
    "interest": "Reinvestment",
}
OTHER_FORMAT = "ACH"
#: Kinds whose hops are a named pattern, with what AMLworld says of its size.
_PATTERNS = {
    "laundering_fan_out": ("FAN-OUT", "':  Max ' || payees || '-degree Fan-Out'"),
    "laundering_fan_in": ("FAN-IN", "':  Max ' || payers || '-degree Fan-In'"),
    "laundering_cycle": ("CYCLE", "':  Max ' || hops || ' hops'"),
    "laundering_random_walk": ("RANDOM", "':  Max ' || hops || ' hops'"),
    "laundering_bipartite": ("BIPARTITE", "''"),
    "laundering_stack": ("STACK", "''"),
    "laundering_scatter_gather": ("SCATTER-GATHER", "''"),
    "laundering_gather_scatter": ("GATHER-SCATTER", "':  Max ' || degree || '-degree Fan-In'"),
}
_README = """
rarecase_Trans.csv      one line per payment, by the minute in which it was ordered
rarecase_accounts.csv   one line per account
rarecase_Patterns.txt   the hops of each laundering pattern, in order of time
keys.csv                the key in the data set of each account number

Is Laundering is 1 for payments that carry proceeds of crime and launder them, also those that pass on or draw
as cash the money of a fraud; the fraud itself is 0. The patterns hold the hops alone: cash that is paid in
before and what the money is spent on are laundering outside of patterns. Nobody pays himself here. Cash and
the world outside have accounts at bank 0. Czech Koruna is a word that AMLworld does not have; it has
currencies and formats (Bitcoin) that are not here.
"""


def export(dataset: Dataset) -> Iterator[Document]:
    """The three files of AMLworld, with a page that says what they are.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``amlworld/rarecase_Trans.csv`` and so on, in pieces.
    """
    with books(dataset) as connection:
        with_parties(connection)
        with_truth(connection)
        with_accounts(connection)
        yield readme("amlworld", "AMLworld: transactions, accounts and patterns", _README, dataset)
        lines = text(connection, (_lines(span) for span in spans(connection, "transactions", "ordered_at")))
        yield Document("amlworld/rarecase_Trans.csv", headed(HEADER, lines))
        yield Document(
            "amlworld/rarecase_accounts.csv", headed(ACCOUNTS_HEADER, text(connection, (_accounts(),)))
        )
        yield Document("amlworld/rarecase_Patterns.txt", text(connection, (_patterns(),)))
        keys = "SELECT concat(account, ',', account_id, chr(10)) AS text FROM account ORDER BY number"
        yield Document("amlworld/keys.csv", headed("Account Number,account_id", text(connection, (keys,))))


def with_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `account` out of `party`: account_id, number, and AMLworld's bank and account."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE account AS
        SELECT account_id, number, printf('8%07X0', number) AS account,
            CASE WHEN bank_number = 0 THEN '00' ELSE '0' || (bank_number + 9) END AS bank
        FROM party
        """
    )


def _line() -> str:
    """SQL for the line of a payment `t` between the accounts `d` and `c`, with its truth `y`."""
    currency = word("t.currency", CURRENCY_WORDS)
    received = word("t.credited_currency", CURRENCY_WORDS)
    return (
        f"concat(strftime(t.ordered_at, '%Y/%m/%d %H:%M'), ',', d.bank, ',', d.account, ',', c.bank, ',', "
        f"c.account, ',', {money('t.credited_minor')}, ',', {received}, ',', {money('t.amount_minor')}, ',', "
        f"{currency}, ',', {payment_format('t.payment_type')}, ',', "
        "CASE WHEN y.is_laundering THEN '1' ELSE '0' END, chr(10))"
    )


def payment_format(column: str) -> str:
    """SQL for the payment format of a payment type."""
    return word(column, FORMAT_WORDS, OTHER_FORMAT)


_JOINED = """
    FROM transactions t
    JOIN account d ON d.account_id = t.payer_account_id
    JOIN account c ON c.account_id = t.payee_account_id
    LEFT JOIN truth y ON y.transaction_id = t.transaction_id
"""


def _lines(span: Span) -> str:
    return f"""
        SELECT {_line()} AS text {_JOINED}
        WHERE t.ordered_at >= {span.since} AND t.ordered_at < {span.until}
        ORDER BY t.ordered_at, t.transaction_id
    """


def _accounts() -> str:
    kind = "CASE WHEN p.customer_id IS NULL THEN 'Corporation' ELSE 'Individual' END"
    holder = "coalesce(p.customer_id, p.merchant_id, p.organisation_id, p.bank_id)"
    named = f"{word('p.country', COUNTRIES)} || ' Bank #' || (p.bank_number + 9)"
    bank = f"CASE WHEN p.bank_number = 0 THEN 'Outside' ELSE {named} END"
    number = f"CAST(dense_rank() OVER (ORDER BY {holder}) AS INTEGER)"
    return f"""
        SELECT concat({quoted("bank_name")}, ',', bank, ',', account, ',', printf('8%07X0', entity), ',',
            kind, ' #', entity, chr(10)) AS text
        FROM (
            SELECT {bank} AS bank_name, CAST(a.bank AS INTEGER) AS bank, a.account, {kind} AS kind,
                {number} AS entity, a.number
            FROM party p JOIN account a ON a.account_id = p.account_id)
        ORDER BY number
    """


def _patterns() -> str:
    names = word("kind", {kind: name for kind, (name, _) in _PATTERNS.items()})
    sizes = " ".join(f"WHEN '{kind}' THEN {size}" for kind, (_, size) in _PATTERNS.items())
    listed = ", ".join(f"'{kind}'" for kind in _PATTERNS)
    return f"""
        WITH hop AS (
            SELECT y.case_id, y.kind, t.ordered_at, t.transaction_id, t.payer_account_id, t.payee_account_id,
                {_line()} AS line
            {_JOINED}
            WHERE y.is_laundering AND y.role = 'hop' AND y.kind IN ({listed})),
        fan AS (
            SELECT case_id, max(payers) AS degree FROM (
                SELECT case_id, payee_account_id, count(DISTINCT payer_account_id) AS payers
                FROM hop GROUP BY ALL) GROUP BY ALL),
        attempt AS (
            SELECT case_id, kind, min(ordered_at) AS started_at, count(*) AS hops,
                count(DISTINCT payer_account_id) AS payers, count(DISTINCT payee_account_id) AS payees,
                string_agg(line, '' ORDER BY ordered_at, transaction_id) AS lines
            FROM hop GROUP BY ALL)
        SELECT concat('BEGIN LAUNDERING ATTEMPT - ', {names}, CASE kind {sizes} END, chr(10), lines,
            'END LAUNDERING ATTEMPT - ', {names}, chr(10), chr(10)) AS text
        FROM attempt JOIN fan USING (case_id)
        ORDER BY started_at, case_id
    """
