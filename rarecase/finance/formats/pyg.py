"""Edge arrays for PyTorch Geometric, in one NumPy archive that loads without torch.

Three lines make a graph of it::

    import numpy, torch, torch_geometric
    z, names = numpy.load("payments.npz"), ("x", "edge_index", "edge_attr", "edge_time", "y")
    data = torch_geometric.data.Data(**{name: torch.from_numpy(z[name]) for name in names})
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from rarecase.common.domain import Document
from rarecase.finance.formats.parties import with_parties
from rarecase.finance.formats.stream import books, readme, spans
from rarecase.finance.formats.truth import with_truth
from rarecase.finance.schema import ACCOUNT_KINDS, COUNTRIES, PAYMENT_TYPES

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

_BATCH = 200_000
_EDGE = {
    "log10_eur": "log10(t.amount_minor / 100.0 / coalesce(f.units_per_eur, 1) + 1)",
    "is_exchanged": "t.currency::VARCHAR <> t.credited_currency::VARCHAR",
    "is_cross_border": "d.country <> c.country",
    "is_remote": "t.is_remote",
    "device_age_days": "coalesce(t.device_age_days, -1)",
    "payee_age_days": "coalesce(t.payee_age_days, -1)",
    **{f"is_{kind}": f"t.payment_type::VARCHAR = '{kind}'" for kind in PAYMENT_TYPES},
}
_NODE = {
    "is_customer": "p.customer_id IS NOT NULL",
    "log10_age_days": "log10(greatest(date_diff('day', a.opened_on, {start}), 0) + 1)",
    **{f"is_{kind}": f"p.kind = '{kind}'" for kind in ACCOUNT_KINDS},
    **{f"in_{country}": f"p.country = '{country}'" for country in COUNTRIES},
}
_README = """
payments.npz, for numpy.load; E payments by the second in which they were ordered, N accounts by their keys:

edge_index    int64 [2, E]    position of the payer's and of the payee's account
edge_attr     float32 [E, F]  names in edge_names; -1 where an age is not known
edge_time     int64 [E]       seconds since 1970, UTC
y             int64 [E]       0 ordinary, 1 fraud, 2 laundering, 3 both (proceeds of a fraud on their way)
case_id       int64 [E]       the case or look-alike that a payment belongs to, 0 for none: split by it
edge_id       int64 [E]       keys of the payments
x             float32 [N, G]  names in node_names
node_id       int64 [N]       keys of the accounts

    import numpy, torch, torch_geometric
    z, names = numpy.load("payments.npz"), ("x", "edge_index", "edge_attr", "edge_time", "y")
    data = torch_geometric.data.Data(**{name: torch.from_numpy(z[name]) for name in names})
"""


@dataclass(frozen=True)
class Array:
    """An array that comes in pieces along its first axis, in C order."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    pieces: Iterable[NDArray[Any]]


def export(dataset: Dataset) -> Iterator[Document]:
    """All payments as arrays.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``pyg/payments.npz``, in pieces.
    """
    with books(dataset) as connection:
        with_parties(connection)
        with_truth(connection)
        _with_edges(connection)
        yield readme("pyg", "Edge arrays for PyTorch Geometric", _README, dataset)
        yield Document("pyg/payments.npz", npz(_arrays(connection, f"DATE '{dataset.spec.start}'")))


def _with_edges(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `edge`, in the order of time; it spills to disk where memory ends."""
    features = ", ".join(f"CAST({sql} AS FLOAT) AS {name}" for name, sql in _EDGE.items())
    query = f"""
        SELECT t.transaction_id AS edge_id, CAST(d.number - 1 AS BIGINT) AS payer,
            CAST(c.number - 1 AS BIGINT) AS payee, epoch(t.ordered_at)::BIGINT AS second,
            CAST(coalesce(y.is_fraud, FALSE) AS BIGINT) + 2 * CAST(coalesce(y.is_laundering, FALSE) AS BIGINT)
                AS y, coalesce(y.case_id, 0) AS case_id, {features}
        FROM transactions t
        JOIN party d ON d.account_id = t.payer_account_id
        JOIN party c ON c.account_id = t.payee_account_id
        LEFT JOIN fx_rates f ON f.rate_date = CAST(t.ordered_at AS DATE)
            AND f.currency::VARCHAR = t.currency::VARCHAR
        LEFT JOIN truth y ON y.transaction_id = t.transaction_id
        WHERE {{}}
        ORDER BY t.ordered_at, t.transaction_id
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE edge AS {query.format('FALSE')}")
    for since, until, _ in spans(connection, "transactions", "ordered_at"):
        within = f"t.ordered_at >= {since} AND t.ordered_at < {until}"
        connection.execute(f"INSERT INTO edge {query.format(within)}")


def _arrays(connection: duckdb.DuckDBPyConnection, start: str) -> Iterator[Array]:
    edges = _rows(connection, "edge")
    nodes = _rows(connection, "party")
    node = "SELECT {} FROM party p JOIN accounts a ON a.account_id = p.account_id ORDER BY p.number"
    whole, single = np.dtype(np.int64), np.dtype(np.float32)

    def column(name: str) -> Iterator[NDArray[Any]]:
        return _scan(connection, f"SELECT {name} FROM edge", whole)

    features = ", ".join(f"CAST({sql.format(start=start)} AS FLOAT)" for sql in _NODE.values())
    yield Array("edge_index", whole, (2, edges), chain(column("payer"), column("payee")))
    attributes = f"SELECT {', '.join(_EDGE)} FROM edge"
    yield Array("edge_attr", single, (edges, len(_EDGE)), _scan(connection, attributes, single))
    yield Array("edge_time", whole, (edges,), column("second"))
    for name in ("y", "case_id", "edge_id"):
        yield Array(name, whole, (edges,), column(name))
    yield Array("x", single, (nodes, len(_NODE)), _scan(connection, node.format(features), single))
    yield Array("node_id", whole, (nodes,), _scan(connection, node.format("p.account_id"), whole))
    for name, words in (("edge_names", tuple(_EDGE)), ("node_names", tuple(_NODE))):
        told = np.array(words)
        yield Array(name, told.dtype, told.shape, (told,))
    about = np.array("synthetic data made by rarecase")
    yield Array("about", about.dtype, (), (about,))


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    (found,) = connection.sql(f"SELECT count(*) FROM {table}").fetchall()
    return int(found[0])


def _scan(connection: duckdb.DuckDBPyConnection, query: str, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """The rows of a query as arrays, columns side by side."""
    for batch in connection.sql(query).to_arrow_reader(_BATCH):
        held = np.empty((batch.num_rows, batch.num_columns), dtype)
        for place, values in enumerate(batch.columns):
            held[:, place] = values.to_numpy(zero_copy_only=False)
        yield held


class _Sink(io.RawIOBase):
    """A stream that cannot be rewound and hands on what was written to it."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self.held.append(bytes(piece))
        return len(piece)

    def taken(self) -> Iterator[bytes]:
        """What was written since the last call."""
        held, self.held = self.held, []
        yield from held


def npz(arrays: Iterable[Array]) -> Iterator[bytes]:
    """A NumPy archive, uncompressed, written as its arrays come."""
    sink = _Sink()
    with ZipFile(sink, "w") as archive:
        for array in arrays:
            # A fixed date: the archive depends on the data alone.
            info = ZipInfo(f"{array.name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(info, "w", force_zip64=True) as member:
                header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
                np.lib.format.write_array_header_1_0(member, header)
                for piece in array.pieces:
                    member.write(np.ascontiguousarray(piece, array.dtype).tobytes())
                    yield from sink.taken()
    yield from sink.taken()
