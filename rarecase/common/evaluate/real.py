"""Reading a real file beside a synthetic table: the columns both have, as the schema declares them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from rarecase.common.errors import InputError, nearest
from rarecase.common.schema import Column

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

__all__ = ["IS_CASE", "Frame", "Pair", "pair_up"]

#: Name of the target that says whether a row belongs to a case; the labels of the data set supply it.
IS_CASE = "is_case"
_MOST_CLASSES = 250


@dataclass(frozen=True)
class Frame:
    """Columns of one table as numbers.

    Attributes
    ----------
    numbers
        Name to float64[n]; NaN is missing.
    classes
        Name to int64[n] codes into a vocabulary shared by the real and the synthetic side, most frequent
        first.
    """

    numbers: dict[str, npt.NDArray[np.float64]]
    classes: dict[str, npt.NDArray[np.int64]]

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [*self.numbers, *self.classes]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter({**self.numbers, **self.classes}.values())))

    def take(self, index: npt.NDArray[np.int64]) -> Frame:
        """The rows at `index`."""
        return Frame(
            {name: values[index] for name, values in self.numbers.items()},
            {name: values[index] for name, values in self.classes.items()},
        )

    def matrix(self, without: str | None = None) -> npt.NDArray[np.float64]:
        """All columns side by side, float64[n, columns]; classes as codes."""
        columns = {**self.numbers, **self.classes}
        return np.column_stack(
            [values.astype(np.float64) + 0.0 for name, values in columns.items() if name != without]
        )


@dataclass(frozen=True)
class Pair:
    """The real and the synthetic side of a comparison, and why columns were left out."""

    real: Frame
    synthetic: Frame
    left_out: dict[str, str]


def pair_up(dataset: Dataset, file: str | Path, table: str, target: str) -> Pair:
    """Real and synthetic rows of a table under the columns that both have.

    Parameters
    ----------
    dataset : Dataset
    file : path
        CSV, JSON Lines or Parquet with column names as in the schema.
    table, target : str
        Table of the data set, and the column to predict; ``is_case`` asks the labels.

    Raises
    ------
    InputError
        If the file, the table or the target does not exist, or values do not fit the declared type.
    """
    schema = dataset.domain.schema
    if table not in schema.names:
        raise InputError(
            "--table", table, f"one of {', '.join(schema.names)}", nearest=nearest(table, schema.names)
        )
    real = _read(Path(file))
    declared = {column.name: column for column in schema[table].columns}
    synthetic = _synthetic(dataset, table, target, declared)
    _require_target(target, list(declared), real.column_names, str(file))
    left_out: dict[str, str] = {}
    pair = Pair(Frame({}, {}), Frame({}, {}), left_out)
    for name, column in declared.items():
        reason = _unfit(column, name, real.column_names, target)
        if reason:
            left_out[name] = reason
        else:
            _add(pair, column, real[name], synthetic[name], str(file))
    left_out.update({name: "not in the schema" for name in real.column_names if name not in declared})
    if len(pair.real.names) < 2:
        raise InputError("--real", str(file), f"columns of {table}: {', '.join(declared)}")
    return pair


def _require_target(target: str, declared: list[str], real: list[str], file: str) -> None:
    for names, where in ((declared, "the schema"), (real, file)):
        if target not in names:
            known = [*names, IS_CASE] if where == "the schema" else names
            raise InputError("--target", target, f"a column of {where}", nearest=nearest(target, known))


def _synthetic(dataset: Dataset, table: str, target: str, declared: dict[str, Column]) -> pa.Table:
    rows = dataset.table(table)
    if target != IS_CASE or target in declared:
        return rows
    cases = dataset.table("cases")
    true_cases = set(cases.filter(cases["is_case"])["case_id"].to_pylist())
    touched = dataset.frame(table, labels=True)["case_ids"]
    flags = [not true_cases.isdisjoint(ids) for ids in touched]
    declared[IS_CASE] = Column(name=IS_CASE, type="bool", meaning="Whether the row belongs to a case")
    return rows.append_column(IS_CASE, pa.array(flags))


def _unfit(column: Column, name: str, real: list[str], target: str) -> str | None:
    if name not in real:
        return "not in the real file"
    if name == target:
        return None
    if column.type == "key" or column.role in ("identifier", "label"):
        return "an identifier or label"
    return None


def _add(pair: Pair, column: Column, real: pa.ChunkedArray, synthetic: pa.ChunkedArray, file: str) -> None:
    name = column.name
    if column.type in ("string", "category", "bool"):
        codes = _shared_codes(_texts(real), _texts(synthetic))
        pair.real.classes[name], pair.synthetic.classes[name] = codes
        return
    try:
        pair.real.numbers[name] = _numbers(real, column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"--real {file}: {name}", str(error).splitlines()[0], f"values of type {column.type}"
        ) from None
    pair.synthetic.numbers[name] = _numbers(synthetic, column)


def _numbers(values: pa.ChunkedArray, column: Column) -> npt.NDArray[np.float64]:
    if column.type in ("timestamp", "date"):
        moments = values.cast(pa.timestamp("us")) if not pa.types.is_integer(values.type) else values
        values = moments.cast(pa.int64())
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_integer(values.type) and pc.all(pc.is_in(values, pa.array([0, 1], values.type))).as_py():
        values = values.cast(pa.bool_())
    return pc.utf8_lower(values.cast(pa.string())) if _boolean(values) else values.cast(pa.string())


def _boolean(values: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_boolean(values.type))


def _shared_codes(
    real: pa.ChunkedArray, synthetic: pa.ChunkedArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    both = pa.chunked_array([*real.chunks, *synthetic.chunks], type=pa.string()).combine_chunks()
    codes = (
        pc.dictionary_encode(both, null_encoding="encode")
        .indices.to_numpy(zero_copy_only=False)
        .astype(np.int64)
    )
    order = np.argsort(-np.bincount(codes), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    codes = np.minimum(rank[codes], _MOST_CLASSES)
    return codes[: len(real)], codes[len(real) :]


def _read(path: Path) -> pa.Table:
    readers: dict[str, Callable[[Path], pa.Table]] = {
        ".csv": pyarrow.csv.read_csv,
        ".parquet": pyarrow.parquet.read_table,
        ".jsonl": pyarrow.json.read_json,
    }
    if path.suffix.lower() not in readers:
        raise InputError("--real", str(path), "a file that ends in .csv, .jsonl or .parquet")
    try:
        return readers[path.suffix.lower()](path)
    except FileNotFoundError:
        raise InputError("--real", str(path), "a file that exists") from None
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            "--real", str(path), f"a readable {path.suffix[1:]} file ({str(error).splitlines()[0]})"
        ) from None
