"""Tables as pandas frames: joined with their labels, and as they were known at a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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
    moment = None if as_of is None else to_moment(as_of)
    known = None if moment is None else known_cases(dataset, moment)
    if moment is not None and known is not None:
        table = as_known(table, declared, moment, known)
        if name == "labels":
            table = _of_known_rows(dataset, table, moment)
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


def known_cases(dataset: Dataset, moment: datetime) -> pa.Array:
    """Ids of the cases that the institution has heard of: reported or detected by then."""
    cases = dataset.table("cases")
    told = pc.min_element_wise(cases.column("reported_at"), cases.column("detected_at"), skip_nulls=True)
    heard = pc.fill_null(pc.less_equal(told, _scalar(moment, told.type)), False)
    return pc.filter(cases.column("case_id"), heard).combine_chunks()


def _scalar(moment: datetime, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(moment.date() if pa.types.is_date(kind) else moment, type=kind)


def as_known(table: pa.Table, declared: Table, moment: datetime, known: pa.Array) -> pa.Table:
    """A table as it was known: later rows gone, later values null, no word of cases not yet heard of."""
    if declared.name == "weights":
        raise DatasetError(
            "as_of", moment, "a table other than weights: they weigh the whole set, and tell who is a case"
        )
    if declared.name in ("cases", "labels"):
        table = table.filter(pc.is_in(table.column("case_id"), value_set=known))
    elif declared.time is not None:
        times = table.column(declared.time)
        table = table.filter(pc.fill_null(pc.less_equal(times, _scalar(moment, times.type)), False))
    clocks = {column.known_at for column in declared.columns} - {None}
    known_by = {
        clock: pc.fill_null(
            pc.less_equal(table.column(clock), _scalar(moment, table.column(clock).type)), False
        )
        for clock in clocks
    }
    for position, column in enumerate(declared.columns):
        # The clock itself is a thing of the future until it strikes.
        clock = column.known_at or (column.name if column.name in clocks else None)
        if clock is not None and clock != declared.time:
            values = table.column(column.name)
            hidden = pc.if_else(known_by[clock], values, pa.scalar(None, type=values.type))
            table = table.set_column(position, pa.field(column.name, values.type), hidden)
    return table


def _of_known_rows(dataset: Dataset, labels: pa.Table, moment: datetime) -> pa.Table:
    """Labels of rows that are known by then: not of later ones, nor of rows that only the twin has."""
    begun = labels.column("from_at")
    shown = pc.fill_null(pc.less_equal(begun, _scalar(moment, begun.type)), False)
    names = labels.column("table_name").cast(pa.string())
    for name in names.unique().to_pylist():
        declared, rows = dataset.domain.schema[name], dataset.table(name)
        if declared.time is not None:
            times = rows.column(declared.time)
            rows = rows.filter(pc.fill_null(pc.less_equal(times, _scalar(moment, times.type)), False))
        if len(declared.key) == 1:
            ids = rows.column(declared.key[0]).combine_chunks()
            here = pc.and_(pc.equal(names, name), pc.is_in(labels.column("row_id"), value_set=ids))
            shown = pc.or_(shown, here)
    return labels.filter(shown)


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
