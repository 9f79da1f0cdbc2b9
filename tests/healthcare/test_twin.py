"""Labels are exactly the difference of the two worlds, row by row, in every table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from rarecase.common import registry
from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from rarecase.common.spec import build_spec
from tests.healthcare.conftest import WORLD

TABLES = ("patients", "encounters", "conditions", "phenotypes", "medications", "observations")
ODD: dict[str, dict[str, Any]] = {
    "a month": {"days": 30},
    "a day": {"days": 1},
    "decades": {"days": 7000, "size": 600, "block": 300},
    "the old": {"population": {"youngest": 60}},
}


def _frame(dataset: Dataset, name: str) -> pd.DataFrame:
    table = dataset.domain.schema[name]
    kept = [column.name for column in table.columns if column.role != "derived"]
    frame = dataset.tables[name].select(kept).to_pandas().set_index(table.key[0])
    for column in frame.columns[frame.dtypes == "category"]:
        frame[column] = frame[column].astype(object)
    return frame


def assert_labels_are_the_difference(world: Dataset) -> None:
    """Created, changed and removed rows of every table against the labels."""
    twin = world.twin
    assert twin is not None
    labels = world.tables["labels"].to_pandas()
    for name in TABLES:
        ours, theirs = _frame(world, name), _frame(twin, name)
        both = ours.index.intersection(theirs.index)
        left, right = ours.loc[both], theirs.loc[both]
        differs = ((left != right) & ~(left.isna() & right.isna())).any(axis=1)
        found = {
            "created": set(ours.index) - set(theirs.index),
            "changed": set(both[differs]),
            "removed": set(theirs.index) - set(ours.index),
        }
        for effect, rows in found.items():
            said = labels[(labels.table_name == name) & (labels.effect == effect)].row_id
            assert set(said) == rows, (name, effect)
            assert said.is_unique, (name, effect)


def test_labels_are_the_difference(world: Dataset) -> None:
    assert_labels_are_the_difference(world)
    effects = set(world.tables["labels"].column("effect").to_pylist())
    assert effects == {"created", "changed", "removed"}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_labels_are_the_difference_in_odd_worlds(change: dict[str, Any]) -> None:
    cases = [{**case, "count": min(int(case["count"]), 6)} for case in WORLD["cases"]]
    if "population" in change:
        cases = [case for case in cases if case.get("name") != "dmd"]
    odd = generate(build_spec({**WORLD, **change, "cases": cases}), twin=True)
    assert_labels_are_the_difference(odd)
    with odd.connect() as connection:
        assert list(registry.get("healthcare").checks(connection, odd.spec)) == []
