"""GraphML: accounts as nodes and payments as edges, for networkx, igraph, Gephi and others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.iso20022 import instant
from rarecase.finance.formats.stream import Span, books, spans, text
from rarecase.finance.formats.truth import with_truth

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_ROWS = 300_000
#: Attribute, type and SQL.
_NODE = (
    ("kind", "string", "kind::VARCHAR"),
    ("holder", "string", "holder::VARCHAR"),
    ("place", "int", "place"),
    ("currency", "string", "currency::VARCHAR"),
)
_EDGE = (
    ("ordered_at", "string", instant("t.ordered_at")),
    ("booked_at", "string", instant("t.booked_at")),
    ("amount_minor", "long", "t.amount_minor"),
    ("currency", "string", "t.currency::VARCHAR"),
    ("credited_minor", "long", "t.credited_minor"),
    ("credited_currency", "string", "t.credited_currency::VARCHAR"),
    ("payment_type", "string", "t.payment_type::VARCHAR"),
    ("purpose", "string", "t.purpose::VARCHAR"),
    ("is_fraud", "boolean", "coalesce(y.is_fraud, FALSE)"),
    ("is_laundering", "boolean", "coalesce(y.is_laundering, FALSE)"),
)


def export(dataset: Dataset) -> Iterator[Document]:
    """The graph of all payments with their labels.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``graphml/payments.graphml``, in pieces: node ids are account keys, edge ids payment keys.
    """
    with books(dataset) as connection:
        with_truth(connection)
        days = spans(connection, "transactions", "ordered_at", _ROWS)
        nodes, edges = text(connection, (_nodes(),)), text(connection, (_edges(span) for span in days))
        yield Document("graphml/payments.graphml", _framed(nodes, edges))


def _framed(nodes: Iterator[bytes], edges: Iterator[bytes]) -> Iterator[bytes]:
    keys = "".join(
        f'<key id="{whose}_{name}" for="{whose}" attr.name="{name}" attr.type="{kind}"/>\n'
        for whose, attributes in (("node", _NODE), ("edge", _EDGE))
        for name, kind, _ in attributes
    )
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- synthetic data made by rarecase -->\n'
        f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n{keys}'
        '<graph id="payments" edgedefault="directed">\n'
    ).encode()
    yield from nodes
    yield from edges
    yield b"</graph>\n</graphml>\n"


def _data(whose: str, attributes: tuple[tuple[str, str, str], ...]) -> str:
    return ", ".join(f"'<data key=\"{whose}_{name}\">', {sql}, '</data>'" for name, _, sql in attributes)


def _nodes() -> str:
    return f"""
        SELECT concat('<node id="', account_id, '">', {_data("node", _NODE)}, '</node>', chr(10)) AS text
        FROM accounts ORDER BY account_id
    """


def _edges(span: Span) -> str:
    return f"""
        SELECT concat('<edge id="', t.transaction_id, '" source="', t.payer_account_id, '" target="',
            t.payee_account_id, '">', {_data("edge", _EDGE)}, '</edge>', chr(10)) AS text
        FROM transactions t
        LEFT JOIN truth y ON y.transaction_id = t.transaction_id
        WHERE t.ordered_at >= {span.since} AND t.ordered_at < {span.until}
        ORDER BY t.ordered_at, t.transaction_id
    """
