"""The logical digest: the same for the same rows, another for any other cell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rarecase.common import tables
from rarecase.common.digest import combine, table_digest
from tests.common.test_directory import THINGS, things

DIGEST = table_digest(things(300), THINGS)


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    position = table.column_names.index(name)
    return table.set_column(position, table.schema.field(name), values)


def test_chunks_and_offsets_do_not_matter() -> None:
    pieces = [things(300).slice(start, 70) for start in range(0, 300, 70)]
    assert table_digest(pa.concat_tables(pieces), THINGS) == DIGEST
    longer = pa.concat_tables([things(5, seed=9), things(300)]).combine_chunks()
    assert table_digest(longer.slice(5), THINGS) == DIGEST


def test_a_pool_s_order_and_unused_words_do_not_matter() -> None:
    table = things(300)
    words = pa.array(table["colour"].cast(pa.string()).to_pylist())
    codes = pa.compute.index_in(words, pa.array(["", "green", "blue", "red"])).to_numpy()
    other = _with(table, "colour", tables.category(codes.astype(np.int8), ("", "green", "blue", "red")))
    assert table_digest(other, THINGS) == DIGEST


def test_less_than_half_a_quantum_does_not_matter() -> None:
    table = things(300)
    rounded = table["rounded"].to_numpy()
    assert table_digest(_with(table, "rounded", pa.array(rounded + 0.004)), THINGS) == DIGEST
    assert table_digest(_with(table, "rounded", pa.array(rounded + 0.006)), THINGS) != DIGEST


def test_the_last_bit_of_a_float_without_quantum_does_not_matter() -> None:
    table = things(300)
    single = table["single"].to_numpy()
    fine = table["double_"].combine_chunks()
    mask = fine.is_null().to_numpy(zero_copy_only=False)
    values = fine.fill_null(1).to_numpy()
    last_bit = pa.array(np.nextafter(values, np.inf), mask=mask)
    assert table_digest(_with(table, "double_", last_bit), THINGS) == DIGEST
    assert table_digest(_with(table, "double_", pa.array(values * (1 + 1e-9), mask=mask)), THINGS) != DIGEST
    zero = np.zeros_like(single)
    assert table_digest(_with(table, "single", pa.array(zero)), THINGS) == table_digest(
        _with(table, "single", pa.array(-zero)), THINGS
    )


def test_what_lies_under_a_null_does_not_matter() -> None:
    table = things(300)
    keys = table["other_id"].combine_chunks()
    mask = keys.is_null().to_numpy(zero_copy_only=False)
    dirty = pa.array(keys.fill_null(12345).to_numpy(), mask=mask)
    assert table_digest(_with(table, "other_id", dirty), THINGS) == DIGEST


@pytest.mark.parametrize("name", THINGS.names)
def test_any_other_cell_gives_another_digest(name: str) -> None:
    table = things(300)
    column = table[name].combine_chunks()
    plain = column.cast(pa.string()) if THINGS[name].type == "category" else column
    values = plain.to_pylist()
    place = next(row for row in range(1, 300) if values[row] != values[0])
    values[0], values[place] = values[place], values[0]
    swapped = pa.array(values, type=plain.type)
    if THINGS[name].type == "category":
        swapped = swapped.dictionary_encode().cast(column.type)
    assert table_digest(_with(table, name, swapped), THINGS) != DIGEST


def test_null_is_not_zero_and_not_a_number_is_neither() -> None:
    table = things(4)
    digests = {
        table_digest(
            _with(table, "double_", pa.array([1.0, 2.0, 3.0, last], pa.float64(), from_pandas=False)), THINGS
        )
        for last in (0.0, None, float("nan"), float("inf"))
    }
    assert len(digests) >= 3


def test_the_order_of_parts_matters() -> None:
    one, two = table_digest(things(3), THINGS), table_digest(things(4), THINGS)
    assert combine([one, two]) != combine([two, one])
    assert combine([one]) != one
