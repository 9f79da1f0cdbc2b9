"""One patient's rows at a time, out of tables of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

Row = Mapping[str, Any]
#: Patients whose rows are turned into Python objects at a time.
CHUNK = 200


@dataclass(frozen=True)
class Chart:
    """A patient and their rows by table, each in the order of the table."""

    patient: Row
    rows: Mapping[str, list[dict[str, Any]]]


def charts(
    dataset: Dataset, names: tuple[str, ...], only: NDArray[np.bool_] | None = None
) -> Iterator[Chart]:
    """The charts of all patients, or of those that `only` marks, in the order of the table of patients."""
    patients = dataset.tables["patients"]
    ids = patients.column("patient_id")
    chosen = np.arange(patients.num_rows) if only is None else np.flatnonzero(only)
    places = {name: _places(dataset.tables[name], ids) for name in names}
    for begin in range(0, chosen.size, CHUNK):
        some = chosen[begin : begin + CHUNK]
        found = {name: _rows(dataset.tables[name], *places[name], some) for name in names}
        for number, patient in enumerate(patients.take(pa.array(some)).to_pylist()):
            yield Chart(patient, {name: found[name][number] for name in names})


def _places(table: pa.Table, ids: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows ordered by patient, and where each patient's begin."""
    owner = pc.index_in(table.column("patient_id"), ids).to_numpy().astype(np.int64)
    order = np.argsort(owner, kind="stable")
    return order, np.searchsorted(owner[order], np.arange(len(ids) + 1))


def _rows(
    table: pa.Table, order: NDArray[np.int64], first: NDArray[np.int64], some: NDArray[np.int64]
) -> list[list[dict[str, Any]]]:
    counts = first[some + 1] - first[some]
    wanted = np.concatenate([order[first[at] : first[at + 1]] for at in some]) if some.size else order[:0]
    rows = table.take(pa.array(wanted)).to_pylist()
    ends = np.cumsum(counts)
    return [rows[end - count : end] for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]


def instant(moment: datetime) -> str:
    """A UTC moment in ISO 8601."""
    return moment.isoformat(timespec="milliseconds") + "Z"


def age_between(birth: date, day: date) -> str:
    """The age on a day as an ISO 8601 duration: days in the first month, then years and months."""
    days = max((day - birth).days, 0)
    if days < 31:
        return f"P{days}D"
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    years, months = divmod(max(months, 1), 12)
    return "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")
