"""Tables as pandas frames: joined with their labels, and as they were known at a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.asof import Then
from rarecase.common.errors import DatasetError
from rarecase.common.schema import Table

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset, Moment

LABELS = "case_ids"
_JOIN = "SELECT r.row_number_, l.case_id FROM labels l JOIN shown r ON "
_INTEGERS: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
#: Case ids come as Arrow lists: no Python object per row until one is looked at.
LABEL_TYPE = pd.ArrowDtype(pa.list_(pa.int64()))


def frame(dataset: Dataset, name: str, *, labels: bool, as_of: Moment | None) -> pd.DataFrame:
    """See `rarecase.common.dataset.Dataset.frame`."""
    table, declared = dataset.table(name), dataset.domain.schema[name]
    known = None
    if as_of is not None:
        then = Then(dataset, to_moment(as_of))
        table, known = then.table(name), then.cases
    shown = to_pandas(table, declared)
    if labels:
        shown[LABELS] = pd.Series(
            case_ids(dataset, table, declared, known), index=shown.index, dtype=LABEL_TYPE
        )
    return shown


def to_moment(as_of: Moment) -> datetime:
    """A moment as a naive UTC datetime; a date is its first instant."""
    try:
        stamp = pd.Timestamp(as_of)
    except (ValueError, TypeError):
        raise DatasetError(
            "as_of", as_of, "a date or time, such as 2025-06-30 or 2025-06-30T12:00:00"
        ) from None
    if pd.isna(stamp):
        raise DatasetError("as_of", as_of, "a date or time, not a missing one")
    moment: datetime = stamp.floor("us").to_pydatetime()
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def to_pandas(table: pa.Table, declared: Table) -> pd.DataFrame:
    """A frame whose integer and boolean columns stay what they are also where values are missing."""
    wide = [
        column.name
        for column in declared.columns
        if table.schema.field(column.name).type in _INTEGERS
        and (column.nullable or column.known_at is not None or table.column(column.name).null_count > 0)
    ]
    plain: pd.DataFrame = table.drop_columns(wide).to_pandas()
    whole: pd.DataFrame = table.select(wide).to_pandas(types_mapper=_INTEGERS.get)
    return pd.concat([plain, whole], axis=1)[table.column_names] if wide else plain


def case_ids(dataset: Dataset, table: pa.Table, declared: Table, known: pa.Array | None) -> pa.Array:
    """Cases of every row, shape (rows,), sorted lists of ids without repeats.

    Parameters
    ----------
    table : rows of `declared`, all or some
    known : ids of the cases that may be shown; None shows all
    """
    labels = dataset.table("labels")
    mine = pc.equal(labels.column("table_name").cast(pa.string()), declared.name)
    labels = labels.filter(pc.and_(mine, pc.not_equal(labels.column("effect").cast(pa.string()), "removed")))
    if known is not None:
        labels = labels.filter(pc.is_in(labels.column("case_id"), value_set=known))
    rows, cases = _pairs(labels, table, declared)
    offsets = np.searchsorted(rows, np.arange(table.num_rows + 1))
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(cases, type=pa.int64()))


def _pairs(
    labels: pa.Table, table: pa.Table, declared: Table
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Row numbers and case ids that belong together, sorted by both."""
    queries = []
    if len(declared.key) == 1 and declared[declared.key[0]].type == "key":
        queries.append(_JOIN + f'r."{declared.key[0]}" = l.row_id')
    if declared.entity is not None and declared.time is not None:
        within = f'r."{declared.time}" BETWEEN l.from_at AND l.to_at'
        queries.append(_JOIN + f'r."{declared.entity}" = l.entity_id AND {within}')
    if not queries or labels.num_rows == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    wanted = dict.fromkeys((*declared.key, declared.entity, declared.time))
    shown = table.select([name for name in wanted if name is not None])
    shown = shown.append_column("row_number_", pa.array(np.arange(table.num_rows)))
    with duckdb.connect() as connection:
        connection.register("labels", labels.select(["case_id", "row_id", "entity_id", "from_at", "to_at"]))
        connection.register("shown", shown)
        found = connection.execute(f"{' UNION '.join(queries)} ORDER BY 1, 2").fetchnumpy()
    return np.asarray(found["row_number_"]), np.asarray(found["case_id"])
