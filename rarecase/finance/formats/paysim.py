"""PaySim (Lopez-Rojas and others 2016): payments with the balances of both sides before and after.

The balances come from the entries of both accounts, so that every line adds up. PaySim knows one currency:
there is one file per currency, and payments between two are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.parties import with_parties
from rarecase.finance.formats.stream import Span, books, decimal, headed, readme, spans, text
from rarecase.finance.formats.truth import with_truth

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

HEADER = (
    "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,"
    "isFraud,isFlaggedFraud"
)
_FIRST_ACCOUNT = 1_000_000_000
_ROWS = 400_000
#: PaySim flags an attempt to transfer more than this in one payment, in units of its currency.
_FLAGGED_MINOR = 200_000_00
_README = """
<currency>.csv    one line per payment within that currency, in the order of booking; step 1 is the first hour
keys.csv          the key in the data set of each name, without its letter

CASH_IN is cash that somebody pays in, who stands at nameOrig, whose balance rises; CASH_OUT is cash drawn;
DEBIT are direct debits, fees and interest; PAYMENT is what is paid to merchants by card, cheque, transfer,
wire or standing order; TRANSFER is everything else. Names of merchants begin with M at nameDest, all others
with C. Balances are those of the accounts, on both sides and also of merchants, from the entries:
oldbalanceOrg - amount = newbalanceOrig (+ for CASH_IN) and the other way round at the destination, in every
line. Accounts of cash and of the world outside stand below zero. isFraud is 1 for payments that carry
proceeds of a fraud, also where thieves pass them on or draw them as cash; laundering of other money is 0.
isFlaggedFraud is PaySim's published rule: TRANSFER of more than 200,000, in units of the file's currency.
Payments between two currencies are in none of the files.
"""


def export(dataset: Dataset) -> Iterator[Document]:
    """Payments of one currency per file.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``paysim/EUR.csv`` and so on, and ``paysim/keys.csv``, in pieces.
    """
    start = f"TIMESTAMP '{dataset.spec.start:%Y-%m-%d}'"
    with books(dataset) as connection:
        with_parties(connection)
        with_truth(connection)
        yield readme("paysim", "PaySim: payments with balances", _README, dataset)
        found = connection.sql("SELECT DISTINCT currency::VARCHAR FROM accounts ORDER BY 1").fetchall()
        for (currency,) in found:
            days = spans(connection, "transactions t", "booked_at", _ROWS, _within(currency))
            lines = text(connection, (_lines(span, currency, start) for span in days))
            yield Document(f"paysim/{currency}.csv", headed(HEADER, lines))
        keys = (
            f"SELECT concat({_FIRST_ACCOUNT} + number, ',', account_id, chr(10)) AS text FROM party "
            "ORDER BY number"
        )
        yield Document("paysim/keys.csv", headed("name,account_id", text(connection, (keys,))))


def _type() -> str:
    return """CASE
        WHEN kind = 'cash_deposit' THEN 'CASH_IN'
        WHEN kind = 'cash_withdrawal' THEN 'CASH_OUT'
        WHEN kind IN ('direct_debit', 'fee', 'interest') THEN 'DEBIT'
        WHEN payee_holder = 'merchant'
            AND kind IN ('card_payment', 'transfer', 'wire', 'cheque', 'standing_order') THEN 'PAYMENT'
        ELSE 'TRANSFER' END"""


def _within(currency: str) -> str:
    return f"t.currency::VARCHAR = '{currency}' AND t.credited_currency::VARCHAR = '{currency}'"


def _lines(span: Span, currency: str, start: str) -> str:
    within = f"booked_at >= {span.since} AND booked_at < {span.until}"
    leg = (
        "SELECT transaction_id, account_id, balance_minor, balance_minor - amount_minor AS before, "
        "row_number() OVER (PARTITION BY account_id, booked_at ORDER BY entry_number) AS turn "
        f"FROM entries WHERE {within} AND currency::VARCHAR = '{currency}'"
    )
    # Of cash that is paid in, PaySim's origin is the customer, whom we credit.
    swapped = {
        name: f"CASE WHEN kind = 'cash_deposit' THEN payee_{name} ELSE payer_{name} END"
        for name in ("number", "before", "after")
    }
    other = {
        name: f"CASE WHEN kind = 'cash_deposit' THEN payer_{name} ELSE payee_{name} END"
        for name in ("number", "before", "after", "holder")
    }
    return f"""
        WITH leg AS MATERIALIZED ({leg}),
        paid AS (
            SELECT t.transaction_id, t.booked_at, t.payment_type::VARCHAR AS kind, t.amount_minor,
                d.number AS payer_number, d.holder AS payer_holder, c.number AS payee_number,
                c.holder AS payee_holder, ed.before AS payer_before, ed.balance_minor AS payer_after,
                ec.before AS payee_before, ec.balance_minor AS payee_after,
                greatest(ed.turn, ec.turn) AS turn,
                coalesce(y.is_fraud, FALSE) AS is_fraud
            FROM transactions t
            JOIN leg ed ON ed.transaction_id = t.transaction_id AND ed.account_id = t.payer_account_id
            JOIN leg ec ON ec.transaction_id = t.transaction_id AND ec.account_id = t.payee_account_id
            JOIN party d ON d.account_id = t.payer_account_id
            JOIN party c ON c.account_id = t.payee_account_id
            LEFT JOIN truth y ON y.transaction_id = t.transaction_id
            WHERE t.{within.replace("AND booked_at", "AND t.booked_at")} AND {_within(currency)}),
        line AS (
            SELECT *, {_type()} AS type FROM paid)
        SELECT concat(1 + (epoch(booked_at)::BIGINT - epoch({start})::BIGINT) // 3600, ',', type, ',',
            {decimal("amount_minor")}, ',C', {_FIRST_ACCOUNT} + {swapped["number"]}, ',',
            {decimal(swapped["before"])}, ',', {decimal(swapped["after"])}, ',',
            CASE WHEN {other["holder"]} = 'merchant' THEN 'M' ELSE 'C' END,
            {_FIRST_ACCOUNT} + {other["number"]}, ',', {decimal(other["before"])}, ',',
            {decimal(other["after"])}, ',', is_fraud::INTEGER, ',',
            (type = 'TRANSFER' AND amount_minor > {_FLAGGED_MINOR})::INTEGER, chr(10)) AS text
        FROM line
        ORDER BY booked_at, turn, transaction_id
    """
