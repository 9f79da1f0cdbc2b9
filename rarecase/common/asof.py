"""A data set as it was known at a moment: which rows there were, and which values they had by then."""

from __future__ import annotations

import re
from datetime import datetime, time
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rarecase.common.errors import DatasetError
from rarecase.common.schema import Table

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_SECOND = 1_000_000


class Then:
    """What the institution knew at a moment (naive UTC)."""

    def __init__(self, dataset: Dataset, moment: datetime) -> None:
        self._dataset, self._moment = dataset, moment
        self._rows: dict[tuple[str, bool], pa.ChunkedArray] = {}

    def table(self, name: str) -> pa.Table:
        """A table as it was known: later rows gone, later values null, no word of cases not yet heard of."""
        declared, table = self._dataset.domain.schema[name], self._dataset.table(name)
        if name == "weights":
            raise DatasetError(
                "as_of",
                self._moment,
                "a table other than weights: they weigh the whole set, and tell who is a case",
            )
        if name in ("cases", "labels"):
            table = table.filter(pc.is_in(table.column("case_id"), value_set=self.cases))
            table = self._of_known_rows(table) if name == "labels" else table
        else:
            table = self._recounted(table.filter(self.rows(name)), declared)
        last = datetime.combine(self._dataset.spec.end, time())
        return hide(table, declared, self._moment, at_end=self._moment >= last)

    @cached_property
    def cases(self) -> pa.Array:
        """Ids of the cases that the institution has heard of: reported or detected by then."""
        cases = self._dataset.table("cases")
        told = pc.min_element_wise(cases.column("reported_at"), cases.column("detected_at"), skip_nulls=True)
        return pc.filter(cases.column("case_id"), struck(told, self._moment)).combine_chunks()

    def rows(self, name: str, over: bool = False) -> pa.ChunkedArray:
        """Which rows of a table were known, or were over: truth values, shape (rows,)."""
        if (name, over) not in self._rows:
            self._rows[name, over] = self._find(name, over)
        return self._rows[name, over]

    def _find(self, name: str, over: bool) -> pa.ChunkedArray:
        schema, table = self._dataset.domain.schema, self._dataset.table(name)
        declared, knowing = schema[name], schema[name].knowing
        known = pa.chunked_array([pa.repeat(True, table.num_rows)])
        if declared.time is not None:
            times = table.column(declared.time)
            if over and knowing.lasts is not None:
                lasts = pc.multiply(table.column(knowing.lasts).cast(pa.int64()), _SECOND)
                times = pc.add(times, lasts.cast(pa.duration("us")))
            known = pc.and_(known, struck(times, self._moment))
        waits = [(column, over) for column in knowing.with_rows]
        for column, until in (*waits, *((column, True) for column in knowing.after_rows)):
            target = declared.reference(column).table
            keys = self._dataset.table(target).column(schema[target].key[0])
            ids = pc.filter(keys, self.rows(target, until)).combine_chunks()
            found = table.column(column)
            known = pc.and_(known, pc.or_(pc.is_in(found, value_set=ids), pc.is_null(found)))
        if knowing.used_by:
            known = pc.and_(known, self._used(table.column(declared.key[0]), knowing.used_by, over))
        return known

    def _used(self, keys: pa.ChunkedArray, users: tuple[str, ...], over: bool) -> pa.ChunkedArray:
        used = pa.chunked_array([pa.repeat(False, len(keys))])
        for user, column in (place.split(".", 1) for place in users):
            named = pc.filter(self._dataset.table(user).column(column), self.rows(user, over))
            used = pc.or_(used, pc.is_in(keys, value_set=pc.drop_null(named).combine_chunks()))
        return used

    def _recounted(self, table: pa.Table, declared: Table) -> pa.Table:
        """What counts rows of other tables, counted over those that were known."""
        query = declared.knowing.recount
        if query is None:
            return table
        names = self._dataset.domain.schema.names
        with duckdb.connect() as connection:
            for name in set(re.findall(r"\w+", query)).intersection(names):
                connection.register(name, self._dataset.table(name).filter(self.rows(name)))
            connection.register("shown_", table.append_column("row_", pa.array(np.arange(table.num_rows))))
            counted = connection.sql(query).to_arrow_table()
            connection.register("counted_", counted)
            new = [name for name in counted.column_names if name not in declared.key]
            told = [f'c."{name}"' if name in new else f's."{name}"' for name in declared.names]
            joined = " AND ".join(f's."{name}" = c."{name}"' for name in declared.key)
            found = connection.sql(
                f"SELECT {', '.join(told)} FROM shown_ s JOIN counted_ c ON {joined} ORDER BY s.row_"
            ).to_arrow_table()
        return found.cast(table.schema)

    def _of_known_rows(self, labels: pa.Table) -> pa.Table:
        """Labels of rows that are known by then: not of later ones, nor of rows that only the twin has."""
        shown = struck(labels.column("from_at"), self._moment)
        names = labels.column("table_name").cast(pa.string())
        for name in names.unique().to_pylist():
            declared = self._dataset.domain.schema[name]
            if len(declared.key) == 1:
                keys = self._dataset.table(name).column(declared.key[0])
                ids = pc.filter(keys, self.rows(name)).combine_chunks()
                here = pc.and_(pc.equal(names, name), pc.is_in(labels.column("row_id"), value_set=ids))
                shown = pc.or_(shown, here)
        return labels.filter(shown)


def struck(times: pa.ChunkedArray, moment: datetime) -> pa.ChunkedArray:
    """Whether each date or moment had come by then; a date stands for its first instant, null never comes."""
    then = pa.scalar(moment.date() if pa.types.is_date(times.type) else moment, type=times.type)
    return pc.fill_null(pc.less_equal(times, then), False)


def hide(table: pa.Table, declared: Table, moment: datetime, *, at_end: bool) -> pa.Table:
    """Known rows without the values that became known later; `at_end`: the moment is not before the end."""
    clocks = {column.known_at for column in declared.columns} - {None}
    known_by = {clock: struck(table.column(clock), moment) for clock in clocks}
    for position, column in enumerate(declared.columns):
        # The clock itself is a thing of the future until it strikes.
        clock = column.known_at or (column.name if column.name in clocks else None)
        values = table.column(column.name)
        if clock is not None and clock != declared.time:
            hidden = pc.if_else(known_by[clock], values, pa.scalar(None, type=values.type))
        elif column.horizon == "at_end" and not at_end:
            hidden = pa.nulls(table.num_rows, values.type)
        else:
            continue
        table = table.set_column(position, pa.field(column.name, values.type), hidden)
    return table
