"""The payments as a graph: accounts are nodes, payments are edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset


def graph(dataset: Dataset) -> nx.MultiDiGraph:
    """A directed multigraph of all payments.

    Parameters
    ----------
    dataset
        A finance data set; the graph is held in memory, some 500 bytes per payment.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are account keys with `kind`, `holder` and `place`; edges are keyed by `transaction_id` and
        carry `booked_at`, `amount_minor` and `payment_type`.
    """
    made: nx.MultiDiGraph = nx.MultiDiGraph()
    accounts = dataset.table("accounts").select(["account_id", "kind", "holder", "place"]).to_pydict()
    kinds, holders, places = accounts["kind"], accounts["holder"], accounts["place"]
    made.add_nodes_from(
        (key, {"kind": kind, "holder": holder, "place": place})
        for key, kind, holder, place in zip(accounts["account_id"], kinds, holders, places, strict=True)
    )
    names = [
        "transaction_id",
        "payer_account_id",
        "payee_account_id",
        "booked_at",
        "amount_minor",
        "payment_type",
    ]
    rows = dataset.table("transactions").select(names).to_pydict()
    made.add_edges_from(
        (payer, payee, key, {"booked_at": when, "amount_minor": amount, "payment_type": kind})
        for key, payer, payee, when, amount, kind in zip(*(rows[name] for name in names), strict=True)
    )
    return made
