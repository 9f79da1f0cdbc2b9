"""What the ISO 20022 messages share: parties with addresses, amounts, references and the frame of a document.

Fragments of XML are put together as whole columns, in SQL and Arrow; only documents are handled one by one.
Every address names town and country and has no unstructured line, as payment systems ask from November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.identifiers import uuid_from_keys

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

_BATCH = 50_000
_NAME = "coalesce(c.full_name, m.merchant_name, o.organisation_name, b.bank_name::VARCHAR)"


def frame(message: str, root: str, body: str) -> bytes:
    """A whole document of a message such as camt.053.001.08."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- synthetic data made by rarecase -->\n'
    name = f"urn:iso:std:iso:20022:tech:xsd:{message}"
    return f'{head}<Document xmlns="{name}"><{root}>{body}</{root}></Document>\n'.encode()


def escaped(column: str) -> str:
    """SQL for the text of a column as character data."""
    return f"replace(replace(replace({column}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"


def amount(column: str) -> str:
    """SQL for the absolute amount of a column of minor units, with two decimals."""
    return f"printf('%d.%02d', abs({column}) // 100, abs({column}) % 100)"


def reference(column: str) -> str:
    """SQL for a reference of 16 characters out of a key."""
    return f"printf('%016X', {column})"


def with_parties(dataset: Dataset) -> duckdb.DuckDBPyConnection:
    """A connection with the table `party`: of each account its bank, and its holder as XML.

    Columns: account_id, iban, place, kind, customer_id, bank_id, bic, holder (name and address), account
    (its identification) and agent (its bank).
    """
    connection = dataset.connect()
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE party AS
        SELECT a.account_id, a.iban, a.place, a.kind::VARCHAR AS kind, a.customer_id, a.bank_id,
            b.bic::VARCHAR AS bic,
            '<Nm>' || {escaped(_NAME)}
            || '</Nm><PstlAdr>'
            || coalesce('<StrtNm>' || {escaped("c.street")} || '</StrtNm>', '')
            || '<PstCd>' || p.postcode || '</PstCd><TwnNm>' || {escaped("left(p.town::VARCHAR, 35)")}
            || '</TwnNm><Ctry>' || p.country || '</Ctry></PstlAdr>' AS holder,
            '<Id><IBAN>' || a.iban || '</IBAN></Id>' AS account,
            '<FinInstnId><BICFI>' || b.bic || '</BICFI></FinInstnId>' AS agent
        FROM accounts a
        JOIN places p ON p.place = a.place
        LEFT JOIN banks b ON b.bank_id = a.bank_id
        LEFT JOIN customers c ON c.customer_id = a.customer_id
        LEFT JOIN merchants m ON m.merchant_id = a.merchant_id
        LEFT JOIN organisations o ON o.organisation_id = a.organisation_id
        """
    )
    return connection


def fragments(
    connection: duckdb.DuckDBPyConnection, query: str, group: tuple[str, ...]
) -> Iterator[tuple[tuple[object, ...], list[str]]]:
    """Groups of neighbouring rows with the XML of each row, streamed.

    Parameters
    ----------
    query
        Rows in order, with the columns of `group`, `transaction_id`, and the XML `before` and `behind` the
        payment's UETR; where `transaction_id` is null the row has no fragment.
    group
        Columns whose neighbouring equal values make a group.

    Yields
    ------
    tuple
        The values of the group and its fragments, each group once.
    """
    open_group: tuple[object, ...] | None = None
    held: list[str] = []
    for batch in connection.sql(query).to_arrow_reader(_BATCH):
        texts = _texts(batch)
        values = [batch.column(name).to_pylist() for name in group]
        for start, stop in _runs(values):
            key = tuple(column[start] for column in values)
            if key != open_group:
                if open_group is not None:
                    yield open_group, held
                open_group, held = key, []
            held += [text for text in texts[start:stop] if text is not None]
    if open_group is not None:
        yield open_group, held


def _texts(batch: pa.RecordBatch) -> list[str | None]:
    keys = batch.column("transaction_id")
    uetr = uuid_from_keys(keys.fill_null(0).to_numpy(zero_copy_only=False), version=4)
    joined = pc.binary_join_element_wise(batch.column("before"), uetr, batch.column("behind"), "")
    return list(pc.if_else(keys.is_valid(), joined, pa.scalar(None, joined.type)).to_pylist())


def _runs(values: list[list[object]]) -> Iterator[tuple[int, int]]:
    rows = len(values[0])
    changes = np.zeros(max(rows - 1, 0), np.bool_)
    for column in values:
        codes = pa.array(column).dictionary_encode(null_encoding="encode").indices.to_numpy()
        changes |= codes[1:] != codes[:-1]
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), rows]
    yield from (pair for pair in pairwise(edges) if pair[0] < pair[1])
