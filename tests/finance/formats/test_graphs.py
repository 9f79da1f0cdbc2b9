"""The graph of payments in memory, as GraphML and as edge arrays."""

from __future__ import annotations

import io

import networkx as nx
import numpy as np
import pytest

from rarecase.finance.formats.graph import EDGE, NODE
from rarecase.finance.formats.pyg import Array, npz
from rarecase.finance.schema import PAYMENT_TYPES
from tests.finance.formats.conftest import Books
from tests.finance.formats.test_dropins import crimes, launders


def test_the_graph_has_every_payment(books: Books) -> None:
    graph = books.dataset.graph()
    payments = books.rows()
    assert graph.is_directed()
    assert graph.is_multigraph()
    assert graph.number_of_nodes() == len(books.frame("accounts"))
    assert graph.number_of_edges() == len(payments)
    for payer, payee, key, held in list(graph.edges(keys=True, data=True))[::97]:
        row = payments[key]
        assert (payer, payee) == (row["payer_account_id"], row["payee_account_id"])
        assert set(held) == set(EDGE)
        assert all(held[name] == row[name] for name in EDGE)
    accounts = books.frame("accounts").set_index("account_id")
    for node, held in list(graph.nodes(data=True))[::53]:
        assert held == {name: accounts[name][node] for name in NODE}


@pytest.fixture(scope="module")
def read(books: Books) -> nx.MultiDiGraph:
    content = books.export("graphml")["graphml/payments.graphml"]
    assert b"<!-- synthetic data made by rarecase -->" in content[:200]
    return nx.read_graphml(io.BytesIO(content), node_type=int, edge_key_type=int)


def test_graphml_is_the_graph(books: Books, read: nx.MultiDiGraph) -> None:
    graph = books.dataset.graph()
    assert isinstance(read, nx.MultiDiGraph)
    assert set(read.nodes) == set(graph.nodes)
    assert set(read.edges(keys=True)) == set(graph.edges(keys=True))
    for payer, payee, key in list(graph.edges(keys=True))[::31]:
        told, ours = read[payer][payee][key], graph[payer][payee][key]
        for name in ("amount_minor", "credited_minor", "currency", "payment_type", "purpose"):
            assert told[name] == ours[name]
        assert told["ordered_at"] == f"{ours['ordered_at']:%Y-%m-%dT%H:%M:%S}"
    for node, held in read.nodes(data=True):
        assert held == dict(graph.nodes[node])


def test_graphml_carries_the_labels(books: Books, read: nx.MultiDiGraph) -> None:
    found = crimes(books)
    told = {key for *_, key, crime in read.edges(keys=True, data="is_laundering") if crime}
    assert told == set(found[launders(found)]["row_id"])
    fraud = {key for *_, key, crime in read.edges(keys=True, data="is_fraud") if crime}
    assert fraud >= set(found[found["kind"] == "account_takeover"]["row_id"]) > set()


def test_edge_arrays_tell_the_payments(books: Books) -> None:
    held = np.load(io.BytesIO(books.export("pyg")["pyg/payments.npz"]), allow_pickle=False)
    payments = books.frame("transactions").sort_values(["ordered_at", "transaction_id"])
    rows, nodes = len(payments), len(books.frame("accounts"))
    assert str(held["about"]) == "synthetic data made by rarecase"
    assert held["edge_index"].shape == (2, rows)
    assert held["edge_index"].dtype == held["y"].dtype == held["edge_time"].dtype == np.int64
    assert held["edge_attr"].shape == (rows, held["edge_names"].size)
    assert held["x"].shape == (nodes, held["node_names"].size)
    assert held["x"].dtype == held["edge_attr"].dtype == np.float32
    for side, name in enumerate(("payer_account_id", "payee_account_id")):
        assert (held["node_id"][held["edge_index"][side]] == payments[name].to_numpy()).all()
    assert (held["edge_id"] == payments["transaction_id"].to_numpy()).all()
    seconds = payments["ordered_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    assert (held["edge_time"] == seconds).all()
    assert np.isfinite(held["edge_attr"]).all()
    assert np.isfinite(held["x"]).all()
    names = held["edge_names"].tolist()
    kinds = held["edge_attr"][:, [names.index(f"is_{kind}") for kind in PAYMENT_TYPES]]
    assert (np.array(PAYMENT_TYPES)[kinds.argmax(axis=1)] == payments["payment_type"].to_numpy()).all()
    assert (kinds.sum(axis=1) == 1).all()
    euro = (payments["currency"] == "EUR").to_numpy()
    wanted = np.log10(payments["amount_minor"].to_numpy() / 100 + 1)
    assert np.allclose(held["edge_attr"][euro, names.index("log10_eur")], wanted[euro], atol=1e-5)
    age = payments["payee_age_days"].fillna(-1).to_numpy(np.float64)
    assert np.allclose(held["edge_attr"][:, names.index("payee_age_days")], age)


def test_edge_arrays_carry_labels_and_cases(books: Books) -> None:
    held = np.load(io.BytesIO(books.export("pyg")["pyg/payments.npz"]), allow_pickle=False)
    found = crimes(books)
    dirty = set(held["edge_id"][held["y"] >= 2].tolist())
    assert dirty == set(found[launders(found)]["row_id"])
    assert set(np.unique(held["y"])) == {0, 1, 2, 3}
    case = dict(zip(held["edge_id"].tolist(), held["case_id"].tolist(), strict=True))
    assert all(case[row] == held_by for row, held_by in zip(found["row_id"], found["case_id"], strict=True))
    known = set(books.frame("cases")["case_id"]) | {0}
    assert set(held["case_id"].tolist()) <= known


def test_an_archive_of_arrays_in_pieces() -> None:
    whole = np.arange(24, dtype=np.int64).reshape(2, 12)
    pieces = (whole[0, :5], whole[0, 5:], whole[1])
    empty = np.empty((0, 3), np.float32)
    arrays = (Array("a", whole.dtype, (2, 12), pieces), Array("b", empty.dtype, (0, 3), ()))
    held = np.load(io.BytesIO(b"".join(npz(arrays))), allow_pickle=False)
    assert (held["a"] == whole).all()
    assert held["b"].shape == (0, 3)
