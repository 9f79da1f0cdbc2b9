"""Measures beside published figures, and a table beside real rows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from rarecase.common.domain import Measure
from rarecase.common.errors import InputError
from rarecase.common.evaluate.compare import Comparison, compare
from rarecase.common.evaluate.evaluation import evaluate
from rarecase.common.evaluate.likeness import (
    contingency_similarity,
    correlation_similarity,
    ks_complement,
    tv_complement,
)
from tests.common.small_world import SmallWorld, small_world


def _measure(
    value: float, evidence: str = "observed", low: float | None = 1, high: float | None = 2
) -> Measure:
    return Measure(
        name="m",
        meaning="m",
        value=value,
        unit="",
        low=low,
        high=high,
        published=1.5,
        evidence=evidence,
        source="s",
    )


@pytest.mark.parametrize(
    ("measure", "inside"),
    [
        (_measure(1.5), True),
        (_measure(2.5), False),
        (_measure(0.5, "survey"), False),
        (_measure(9, "expert"), None),
        (_measure(9, "simulated"), None),
        (_measure(9, high=None), True),
        (_measure(9, low=None, high=None), None),
    ],
)
def test_only_observed_and_surveyed_ranges_judge(measure: Measure, inside: bool | None) -> None:
    world = small_world(1, people=20, cases=2)
    world.measures = (measure,)
    evaluation = evaluate(world)
    assert measure.inside is inside
    assert evaluation.ok is (inside is not False)
    assert len(evaluation.outside) == (inside is False)


def test_what_cannot_be_computed_is_null_in_json() -> None:
    world = small_world(1, people=20, cases=2)
    world.measures = (_measure(math.nan, "expert"),)
    told = evaluate(world).to_json()
    assert told["measures"][0]["value"] is None
    json.dumps(told, allow_nan=False)


def _write(rows: pa.Table, path: Path) -> Path:
    plain = rows.set_column(4, "channel", rows["channel"].cast(pa.string()))
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(plain, path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row, default=str) for row in plain.to_pylist()))
    else:
        pq.write_table(plain, path)
    return path


def _linked(columns: dict[str, Any], rows: np.ndarray, rng: np.random.Generator) -> None:
    """Prices depend on the channel, so that there is something to learn."""
    columns["price_minor"] += np.where(columns["channel"] == "web", 60_000, 0)


def _scores(comparison: Comparison) -> dict[str, tuple[float, float]]:
    return {f"{score.metric} {score.subject}": (score.value, score.baseline) for score in comparison.scores}


@pytest.fixture(scope="module")
def world() -> SmallWorld:
    return small_world(1, people=150, change=_linked)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = small_world(2, people=150, change=_linked).tables["visits"]
    return _write(rows, tmp_path_factory.mktemp("real") / "real.parquet")


def test_like_data_score_like_the_baseline(world: SmallWorld, real: Path) -> None:
    """Two samples of one law, 900 rows a side: gaps beyond 0.08 are about four standard errors."""
    scores = _scores(compare(world, real, "visits", "channel"))
    for name, (value, baseline) in scores.items():
        assert abs(value - baseline) < 0.08, name
    assert abs(scores["C2ST all columns"][0] - 0.5) < 0.08
    assert scores["TSTR channel"][0] > 0.45  # three channels, one of them known by its prices
    assert scores["IMS all columns"] == (0.0, 0.0)


def test_a_copy_is_caught(real: Path) -> None:
    copy = small_world(2, people=150, change=_linked)
    scores = _scores(compare(copy, real, "visits", "channel"))
    assert scores["IMS all columns"][0] > 0.4  # the synthetic rows are drawn from both halves
    copied = copy.tables["visits"]
    assert copied.num_rows == 1_800


def test_shuffled_columns_pass_margins_and_fail_the_rest(world: SmallWorld, real: Path) -> None:
    rng, rows = np.random.default_rng(3), world.tables["visits"]
    shuffled = small_world(1, people=150, change=_linked)
    columns = [column.take(rng.permutation(rows.num_rows)) for column in rows.columns]
    shuffled.tables["visits"] = pa.Table.from_arrays(columns, schema=rows.schema)
    scores = _scores(compare(shuffled, real, "visits", "channel"))
    assert scores["KSComplement price_minor"][0] > 0.92
    assert scores["C2ST all columns"][0] > scores["C2ST all columns"][1] + 0.08
    assert scores["TSTR channel"][0] < scores["TSTR channel"][1] - 0.08


def test_comparison_repeats(world: SmallWorld, real: Path) -> None:
    first, again = (compare(world, real, "visits", "price_minor") for _ in range(2))
    assert first == again


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_reads_csv_and_json_lines(world: SmallWorld, tmp_path: Path, suffix: str) -> None:
    rows = small_world(2, people=150, change=_linked).tables["visits"]
    comparison = compare(world, _write(rows, tmp_path / f"real{suffix}"), "visits", "channel")
    assert {"seen_at", "price_minor", "channel"} <= set(comparison.columns)
    assert comparison.left_out["visit_id"] == "an identifier or label"


def test_is_case_asks_the_labels(world: SmallWorld, tmp_path: Path) -> None:
    rows = small_world(2, people=150).tables["visits"]
    flags = pa.array((np.arange(rows.num_rows) % 7 == 0).astype(np.int64))
    file = tmp_path / "real.parquet"
    pq.write_table(rows.append_column("is_case", flags), file)
    comparison = compare(world, file, "visits", "is_case")
    assert "TSTR is_case" in _scores(comparison)
    assert "AUC" in next(score.meaning for score in comparison.scores if score.metric == "TSTR")


def test_one_class_alone_has_no_score(world: SmallWorld, tmp_path: Path) -> None:
    rows = small_world(2, people=150).tables["visits"]
    file = tmp_path / "real.parquet"
    pq.write_table(rows.append_column("is_case", pa.array(np.zeros(rows.num_rows, dtype=np.int64))), file)
    value, baseline = _scores(compare(world, file, "visits", "is_case"))["TSTR is_case"]
    assert math.isnan(value)
    assert math.isnan(baseline)


def test_small_samples_work_and_tiny_ones_are_refused(world: SmallWorld, tmp_path: Path) -> None:
    rows = small_world(2, people=150, change=_linked).tables["visits"]
    small = compare(world, _write(rows.slice(0, 45), tmp_path / "small.parquet"), "visits", "channel")
    assert small.compared_rows == 22
    with pytest.raises(InputError, match="at least 40 real"):
        compare(world, _write(rows.slice(0, 30), tmp_path / "tiny.parquet"), "visits", "channel")


@pytest.mark.parametrize(
    ("table", "target", "said"),
    [
        ("visit", "channel", "Did you mean 'visits'"),
        ("visits", "chanel", "Did you mean 'channel'"),
        ("visits", "is_case", "a column of"),
    ],
)
def test_misnamed_things_name_the_nearest(
    world: SmallWorld, real: Path, table: str, target: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        compare(world, real, table, target)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.csv", None, "a file that exists"),
        ("real.txt", "a", "ends in .csv"),
        ("real.parquet", "no parquet", "a readable parquet file"),
        ("real.csv", "channel,price_minor\nweb,dear\n", "values of type int64"),
        ("real.csv", "channel\nweb\n", "columns of visits"),
    ],
)
def test_bad_real_files(world: SmallWorld, tmp_path: Path, name: str, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        compare(world, tmp_path / name, "visits", "channel")


def test_the_three_options_go_together(world: SmallWorld, real: Path) -> None:
    with pytest.raises(InputError, match="--real, --table and --target together"):
        evaluate(world, real=real)


def test_likeness_by_hand() -> None:
    assert ks_complement(np.array([1.0, 2.0, np.nan]), np.array([3.0, 4.0])) == 0
    assert ks_complement(np.array([1.0, 2.0]), np.array([1.0, 3.0])) == 0.5
    assert math.isnan(ks_complement(np.array([np.nan]), np.array([1.0])))
    assert tv_complement(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])) == 0.75
    up, down = np.column_stack([np.arange(9.0)] * 2), np.column_stack([np.arange(9.0), -np.arange(9.0)])
    assert correlation_similarity(up, down) == pytest.approx(0)
    assert contingency_similarity(np.array([[0, 0], [1, 1]]), np.array([[0, 1], [1, 0]])) == 0
