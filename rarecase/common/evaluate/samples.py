"""Bounded samples of labelled and ordinary rows of a data set, drawn without chance.

At most 1,500 cases of a kind, 20 rows of each in a table, and 20,000 ordinary rows of a table are read. Keys
are pseudo-random, so the first ones in their order are a fair sample of cases; ordinary rows are every n-th
row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.evaluate.separation import Contrast
from rarecase.common.schema import Table

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.case import Case
    from rarecase.common.dataset import Dataset

__all__ = ["Gathered", "gather"]

_CASES = 1_500
_ROWS_PER_CASE = 20
_ORDINARY = 20_000
_FEWEST_ROWS = 20
_FEWEST_ORDINARY = 50
_HARD = 0.5
# An order of rows that has nothing to do with theirs.
_SCATTER = "(leak_row * 2654435761) % 4294967296"


@dataclass(frozen=True)
class Gathered:
    """Rows of one table, ordinary ones first, then those of one kind of case.

    Attributes
    ----------
    columns
        Name to array over all rows.
    row
        Place of each row in the stored order.
    contrast
        Cases and groups of the rows.
    within, value
        Column whose values the rows are compared within, if any, and the one value that these rows have; no
        value where rows of all values stand together.
    artefacts
        Whether only traces of the making are to be judged (rows of entities, which no label names).
    any_ordinary
        Whether the table has an ordinary row at all.
    """

    kind: str
    hard: bool
    table: Table
    columns: Mapping[str, pa.Array]
    row: npt.NDArray[np.int64]
    contrast: Contrast
    within: str | None
    reveals: frozenset[str]
    artefacts: bool
    entities: int
    any_ordinary: bool
    value: str | None = None

    @property
    def labelled_rows(self) -> int:
        """Number of labelled rows in the sample."""
        return len(self.contrast.case)

    @cached_property
    def testable(self) -> bool:
        """Whether there are rows enough on both sides."""
        return self.labelled_rows >= _FEWEST_ROWS and len(self.contrast.ordinary_group) >= _FEWEST_ORDINARY

    def apart(self) -> Iterator[Gathered]:
        """The same by each value of the column compared within: a telltale row hides among many others."""
        if self.within is None:
            yield self
            return
        split, contrast = len(self.contrast.ordinary_group), self.contrast
        every = np.concatenate([contrast.ordinary_group, contrast.group])
        for group in np.unique(contrast.group).tolist():
            rows = np.flatnonzero(every == group)
            case = np.unique(contrast.case[contrast.group == group], return_inverse=True)[1]
            ordinary = np.zeros(int((rows < split).sum()), dtype=np.int64)
            columns = {name: column.take(pa.array(rows)) for name, column in self.columns.items()}
            yield replace(
                self,
                columns=columns,
                row=self.row[rows],
                contrast=Contrast(case=case, group=np.zeros_like(case), ordinary_group=ordinary),
                value=str(columns[self.within][0].as_py()),
            )

    def unseen(self) -> tuple[float, int]:
        """AUC of "no ordinary row has this value of the column compared within", and the number of cases."""
        unseen = ~np.isin(self.contrast.group, self.contrast.ordinary_group)
        rows = np.bincount(self.contrast.case)
        share = np.bincount(self.contrast.case, unseen) / np.maximum(rows, 1)
        return 0.5 + 0.5 * float(share.mean()), len(rows)


def gather(dataset: Dataset) -> Iterator[Gathered]:
    """Samples for every kind of case (no look-alikes), ease and table that its labels name; then entities."""
    schema, kinds = dataset.domain.schema, dataset.domain.kinds()
    with closing(dataset.connect()) as connection:
        _prepare(connection)
        touched = connection.execute("SELECT DISTINCT table_name FROM leak_touched ORDER BY 1").fetchall()
        for name in [str(row[0]) for row in touched if row[0] in schema.names]:
            yield from _of_table(connection, schema[name], kinds, artefacts=False)
        entities = dataset.domain.entity_table
        if entities not in {row[0] for row in touched}:
            yield from _of_table(connection, schema[entities], kinds, artefacts=True)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE leak_cases AS
        SELECT case_id, CAST(kind AS VARCHAR) AS kind, difficulty >= {_HARD} AS hard, entity_id, is_case,
               row_number() OVER (PARTITION BY kind, difficulty >= {_HARD} ORDER BY case_id) AS place
        FROM cases;
        CREATE OR REPLACE TEMP TABLE leak_touched AS
        SELECT DISTINCT case_id, CAST(table_name AS VARCHAR) AS table_name, row_id, entity_id, from_at, to_at
        FROM labels WHERE CAST(effect AS VARCHAR) <> 'removed'
        """
    )


def _of_table(
    connection: duckdb.DuckDBPyConnection, table: Table, kinds: Mapping[str, type[Case]], *, artefacts: bool
) -> Iterator[Gathered]:
    if artefacts:
        nothing = "CAST(NULL AS BIGINT) AS entity_id, NULL::TIMESTAMP AS from_at, NULL::TIMESTAMP AS to_at"
        touched = f"SELECT case_id, entity_id AS row_id, {nothing} FROM leak_cases"
    else:
        touched = f"SELECT * EXCLUDE (table_name) FROM leak_touched WHERE table_name = '{table.name}'"
    ordinary = _ordinary(connection, table, touched)
    labelled = _labelled(connection, table, touched)
    for kind, hard in _kinds_in(labelled):
        reveals: frozenset[str] = getattr(kinds.get(kind), "reveals", frozenset())
        if table.name not in reveals:
            mask = pc.and_(pc.equal(labelled["leak_kind"], kind), pc.equal(labelled["leak_hard"], hard))
            within = dict(getattr(kinds.get(kind), "compared_within", {})).get(table.name)
            yield _joined(table, kind, hard, ordinary, labelled.filter(mask), within, reveals, artefacts)


def _kinds_in(labelled: pa.Table) -> list[tuple[str, bool]]:
    pairs = labelled.select(["leak_kind", "leak_hard"]).group_by(["leak_kind", "leak_hard"]).aggregate([])
    return sorted({(str(row["leak_kind"]), bool(row["leak_hard"])) for row in pairs.to_pylist()})


def _rows(table: Table) -> str:
    return f'(SELECT row_number() OVER () AS leak_row, * FROM "{table.name}")'


def _matches(table: Table) -> str:
    """Conditions under which a row r is named by a label l: by its key, or by its entity and time."""
    by_key = (
        f'r."{table.key[0]}" = l.row_id'
        if len(table.key) == 1 and table[table.key[0]].type == "key"
        else None
    )
    by_range = None
    if table.entity and table.time:
        by_range = f'r."{table.entity}" = l.entity_id AND r."{table.time}" BETWEEN l.from_at AND l.to_at'
    return "UNION ALL".join(
        f" SELECT l.case_id, r.* FROM {{rows}} r JOIN ({{touched}}) l ON {condition} "
        for condition in (by_key, by_range)
        if condition
    )


def _labelled(connection: duckdb.DuckDBPyConnection, table: Table, touched: str) -> pa.Table:
    chosen = (
        f"SELECT t.* FROM ({touched}) t JOIN leak_cases USING (case_id) WHERE place <= {_CASES} AND is_case"
    )
    hits = _matches(table).format(rows=_rows(table), touched=chosen)
    return connection.sql(
        f"""
        SELECT c.kind AS leak_kind, c.hard AS leak_hard, h.case_id AS leak_case, h.* EXCLUDE (case_id)
        FROM ({hits}) h JOIN leak_cases c ON h.case_id = c.case_id
        QUALIFY row_number() OVER (PARTITION BY h.case_id ORDER BY {_SCATTER}) <= {_ROWS_PER_CASE}
        ORDER BY leak_case, leak_row
        """
    ).to_arrow_table()


def _ordinary(connection: duckdb.DuckDBPyConnection, table: Table, touched: str) -> pa.Table:
    total = connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()[0][0]
    step = max(1, int(total) // _ORDINARY)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE leak_sample AS SELECT * FROM {_rows(table)} "
        f"WHERE leak_row % {step} = {step // 2}"
    )
    hits = _matches(table).format(rows="leak_sample", touched=touched)
    return connection.sql(
        f"SELECT * FROM leak_sample WHERE leak_row NOT IN (SELECT leak_row FROM ({hits})) ORDER BY leak_row"
    ).to_arrow_table()


def _joined(
    table: Table,
    kind: str,
    hard: bool,
    ordinary: pa.Table,
    labelled: pa.Table,
    within: str | None,
    reveals: frozenset[str],
    artefacts: bool,
) -> Gathered:
    columns = {
        name: pa.chunked_array(
            [*_plain(ordinary[name]).chunks, *_plain(labelled[name]).chunks]
        ).combine_chunks()
        for name in (*table.names, "leak_row")
    }
    split = ordinary.num_rows
    groups = _codes(columns[within]) if within else np.zeros(split + labelled.num_rows, dtype=np.int64)
    contrast = Contrast(
        case=_codes(labelled["leak_case"]), group=groups[split:], ordinary_group=groups[:split]
    )
    entities = len(pc.unique(ordinary[table.entity])) if table.entity else split
    row = columns.pop("leak_row").to_numpy(zero_copy_only=False).astype(np.int64)
    return Gathered(
        kind,
        hard,
        table,
        columns,
        row,
        contrast,
        within,
        reveals,
        artefacts,
        entities,
        any_ordinary=split > 0,
    )


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _codes(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    indices = pc.dictionary_encode(whole, null_encoding="encode").indices
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)
