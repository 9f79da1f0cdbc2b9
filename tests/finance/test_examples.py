"""The stories under examples/finance run and say what their pages say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from rarecase.common.run import generate
from rarecase.common.validate import validate

STORIES = Path(__file__).resolve().parents[2] / "examples" / "finance"


def test_the_database_is_what_its_page_says(tmp_path: Path) -> None:
    target = tmp_path / "bank.duckdb"
    generate(STORIES / "seed-a-test-database" / "spec.yaml", f"duckdb:///{target}")
    page = (STORIES / "seed-a-test-database" / "README.md").read_text("utf-8")
    with duckdb.connect(str(target), read_only=True) as connection:
        rows = connection.execute(
            "SELECT payment_type::VARCHAR, count(*), round(avg(amount_minor) / 100, 2)"
            " FROM finance.transactions GROUP BY 1"
        ).fetchall()
        stories = connection.execute("SELECT min(story) FROM finance.cases GROUP BY kind").fetchall()
        moved = connection.execute("SELECT sum(amount_minor) FROM finance.entries").fetchall()
    words = page.split()
    for kind, number, mean in rows:
        at = words.index(kind)
        assert words[at + 1 : at + 3] == [str(number), f"{mean:.2f}"]
    assert sum(story[:60] in " ".join(words) for (story,) in stories) == 2
    assert moved == [(0,)]


def test_the_database_has_no_findings() -> None:
    made = generate(STORIES / "seed-a-test-database" / "spec.yaml")
    assert validate(made).ok


def test_a_model_can_be_trained() -> None:
    pytest.importorskip("sklearn")
    script = STORIES / "train-a-fraud-model" / "train.py"
    run = subprocess.run(
        [sys.executable, str(script), "--size", "800"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert [line.split(" average")[0].strip() for line in lines[2:]] == [
        "amount and hour",
        "and the payer's past",
    ]
    precision = [float(line.split("precision ")[1].split(",")[0]) for line in lines[2:]]
    assert precision[1] > precision[0]
