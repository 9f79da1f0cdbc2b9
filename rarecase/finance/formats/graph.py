"""The payments as a graph in memory: accounts are nodes, payments are edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

NODE = ("kind", "holder", "place", "currency")
EDGE = (
    "ordered_at",
    "booked_at",
    "amount_minor",
    "currency",
    "credited_minor",
    "credited_currency",
    "payment_type",
    "purpose",
)


def graph(dataset: Dataset) -> nx.MultiDiGraph:
    """A directed multigraph of all payments.

    Parameters
    ----------
    dataset
        A finance data set; the graph is held in memory, some 800 bytes per payment.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are account keys with `kind`, `holder`, `place` and `currency`; edges are keyed by
        `transaction_id` and carry the moments, amounts and words of `EDGE`. It has no labels: join them by
        the keys.
    """
    made: nx.MultiDiGraph = nx.MultiDiGraph()
    accounts = dataset.table("accounts").select(["account_id", *NODE]).to_pydict()
    values = zip(*(accounts[name] for name in NODE), strict=True)
    made.add_nodes_from(
        (key, dict(zip(NODE, value, strict=True)))
        for key, value in zip(accounts["account_id"], values, strict=True)
    )
    ends = ("payer_account_id", "payee_account_id", "transaction_id")
    rows = dataset.table("transactions").select([*ends, *EDGE]).to_pydict()
    values = zip(*(rows[name] for name in EDGE), strict=True)
    made.add_edges_from(
        (payer, payee, key, dict(zip(EDGE, value, strict=True)))
        for payer, payee, key, value in zip(*(rows[name] for name in ends), values, strict=True)
    )
    return made
