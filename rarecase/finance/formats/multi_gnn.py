"""The table that IBM's Multi-GNN makes of AMLworld before it trains: formatted_transactions.csv."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.amlworld import CURRENCY_WORDS, FORMAT_WORDS, OTHER_FORMAT, payment_format
from rarecase.finance.formats.parties import with_parties
from rarecase.finance.formats.stream import Span, books, decimal, headed, readme, spans, text
from rarecase.finance.formats.truth import with_truth

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

HEADER = (
    "EdgeID,from_id,to_id,Timestamp,Amount Sent,Sent Currency,Amount Received,Received Currency,"
    "Payment Format,Is Laundering"
)
CURRENCIES = tuple(CURRENCY_WORDS)
FORMATS = (OTHER_FORMAT, *dict.fromkeys(FORMAT_WORDS.values()))
_README = f"""
formatted_transactions.csv   one line per payment, by time
nodes.csv                    the key in the data set of each account

Timestamp is in seconds, of whole minutes, from ten seconds before the first day with payments. Sent and
Received Currency: {", ".join(f"{i} {name}" for i, name in enumerate(CURRENCIES))}. Payment Format:
{", ".join(f"{i} {name}" for i, name in enumerate(FORMATS))}. Is Laundering is as in the format
amlworld; nodes are numbered by their keys, and not by when they first pay, so all accounts have a number.
"""


def export(dataset: Dataset) -> Iterator[Document]:
    """Payments as numbers.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``multi-gnn/formatted_transactions.csv`` and ``multi-gnn/nodes.csv``, in pieces.
    """
    with books(dataset) as connection:
        with_parties(connection)
        with_truth(connection)
        yield readme("multi-gnn", "Multi-GNN: formatted transactions", _README, dataset)
        days = list(spans(connection, "transactions", "ordered_at"))
        lines = text(connection, (_lines(span, days[0].since) for span in days))
        yield Document("multi-gnn/formatted_transactions.csv", headed(HEADER, lines))
        keys = "SELECT concat(number - 1, ',', account_id, chr(10)) AS text FROM party ORDER BY number"
        yield Document("multi-gnn/nodes.csv", headed("node,account_id", text(connection, (keys,))))


def _code(column: str, words: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {code}" for code, word in enumerate(words))
    return f"CASE {column}::VARCHAR {cases} ELSE error('no code') END"


def _lines(span: Span, first: str) -> str:
    return f"""
        SELECT concat(edge, ',', payer, ',', payee, ',', second, ',', paid, ',', sent, ',', credited, ',',
            received, ',', way, ',', label, chr(10)) AS text
        FROM (
            SELECT {span.before} - 1 + row_number() OVER (ORDER BY t.ordered_at, t.transaction_id) AS edge,
                d.number - 1 AS payer, c.number - 1 AS payee,
                epoch(date_trunc('minute', t.ordered_at))::BIGINT - epoch({first})::BIGINT + 10 AS second,
                {decimal("t.amount_minor")} AS paid, {_code("t.currency", CURRENCIES)} AS sent,
                {decimal("t.credited_minor")} AS credited,
                {_code("t.credited_currency", CURRENCIES)} AS received,
                {_code(payment_format("t.payment_type"), FORMATS)} AS way,
                CASE WHEN y.is_laundering THEN 1 ELSE 0 END AS label
            FROM transactions t
            JOIN party d ON d.account_id = t.payer_account_id
            JOIN party c ON c.account_id = t.payee_account_id
            LEFT JOIN truth y ON y.transaction_id = t.transaction_id
            WHERE t.ordered_at >= {span.since} AND t.ordered_at < {span.until})
        ORDER BY edge
    """
