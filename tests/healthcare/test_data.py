"""The shipped tables: said where from, whole, and true to what they were distilled from."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from rarecase.healthcare import data
from rarecase.healthcare.data.clinic import clinic, slots
from rarecase.healthcare.data.disorders import (
    ancestors,
    catalogue,
    contradicted,
    implied,
    names,
    organ_table,
    phenotype_shifts,
    terms,
)
from rarecase.healthcare.data.laboratory import DERIVED, laboratory
from rarecase.healthcare.data.people import life_expectancy, pyramid
from rarecase.healthcare.data.pharmacology import MIDAZOLAM_CR, inhibitors, victims

ROOT = Path(__file__).resolve().parents[2]


def _shipped() -> set[str]:
    folder = resources.files("rarecase.healthcare.data")
    return {file.name for file in folder.iterdir() if file.name.endswith((".csv", ".parquet"))}


def test_every_table_says_where_it_comes_from() -> None:
    sources = data.sources()
    assert set(sources) == _shipped()
    for name, told in sources.items():
        assert {"made", "source", "version", "licence", "evidence"} <= set(told), name
        assert told["made"] in {"distilled", "written"}
        assert ("from" in told) or told["made"] == "written", name
        assert told["evidence"] in {"observed", "survey", "simulated", "expert", "per row"}


def test_the_distillation_is_reproducible(shared_data: Path, tmp_path: Path) -> None:
    tool = ROOT / "tools" / "distil_healthcare.py"
    subprocess.run([sys.executable, str(tool), str(shared_data / "healthcare"), str(tmp_path)], check=True)
    made = {file.name for file in tmp_path.iterdir()}
    assert made == {name for name, told in data.sources().items() if told["made"] == "distilled"}
    shipped = ROOT / "rarecase" / "healthcare" / "data"
    for name in made:
        if name.endswith(".csv"):
            assert (tmp_path / name).read_text() == (shipped / name).read_text(), name
        else:
            assert pq.read_table(tmp_path / name).equals(pq.read_table(shipped / name)), name


def test_what_is_shipped_holds_nothing_that_may_not() -> None:
    for name in _shipped():
        if name.endswith(".csv"):
            text = (resources.files("rarecase.healthcare.data") / name).read_text().lower()
            assert "drugbank" not in text
            assert "snomed" not in text


def test_the_catalogue_holds_every_disorder_of_the_facts() -> None:
    book = catalogue()
    assert len(book) == 3653
    assert (np.diff(book.orpha) > 0).all()
    assert (np.diff(book.first) > 0).all()
    assert book.onset.any(axis=1).all()
    assert np.nansum(book.prevalence[np.array(book.basis) == "point"]) == pytest.approx(0.0461, abs=1e-3)
    assert set(book.evidence) == {"observed", "expert"}
    assert names()["cystic fibrosis"] == names()["586"] == names()["mucoviscidosis"]


def test_point_prevalences_lie_within_their_class(shared_data: Path) -> None:
    table = data.parquet("disorders.parquet").to_pylist()
    bounds = {"1-5 / 10 000": (1e-4, 5e-4), "1-9 / 100 000": (1e-5, 9e-5), "<1 / 1 000 000": (0, 1e-6)}
    for row in table:
        if row["basis"] == "point" and row["prevalence_class"] in bounds:
            low, high = bounds[row["prevalence_class"]]
            assert low <= row["prevalence"] <= high


def test_ancestors_contain_the_term_and_the_root() -> None:
    book = terms()
    position = book.positions()
    seizure, root = position["HP:0001250"], position["HP:0000118"]
    row, above = ancestors(np.array([seizure, root]))
    assert {seizure, root} <= set(above[row == 0])
    assert seizure not in set(above[row == 1])


def test_contradictions_follow_the_true_path() -> None:
    position = terms().positions()
    microcytic, anemia, fever = (position[code] for code in ("HP:0001935", "HP:0001903", "HP:0001945"))
    one = np.array([0, 0, 0])
    told = contradicted(np.array([0]), np.array([microcytic]), one, np.array([anemia, microcytic, fever]))
    assert told.tolist() == [True, True, False]
    elsewhere = contradicted(np.array([1]), np.array([microcytic]), np.array([0]), np.array([anemia]))
    assert not elsewhere.any()
    assert implied(np.array([0, 0, 1]), np.array([anemia, microcytic, anemia])).tolist() == [
        True,
        False,
        False,
    ]


def test_signs_move_the_values_that_they_name() -> None:
    tests, position = laboratory(), terms().positions()
    shifts = phenotype_shifts()
    assert shifts[position["HP:0001935"], tests.analyte("hemoglobin")] < 0
    assert shifts[position["HP:0003236"], tests.analyte("creatine_kinase")] > 0
    assert not shifts[position["HP:0000505"]].any()


def test_every_name_in_the_written_tables_is_known() -> None:
    tables, known = clinic(), set(terms().hpo)
    assert all(found.hpo in known for found in tables.diagnoses if found.hpo)
    assert slots(chronic=True)
    assert slots(chronic=False)
    specialties, mistaken = organ_table()
    assert len(specialties) == len(mistaken) == len(terms().organs)
    for found in mistaken:
        assert all(tables.diagnosis(code) >= 0 for code in found)
    for slot in (*slots(chronic=True), *slots(chronic=False)):
        assert slot.cumulative[-1] <= 1


def test_reference_intervals_are_those_of_their_source(shared_data: Path) -> None:
    import csv

    with (shared_data / "healthcare" / "lab_reference_ranges_loinc.csv").open() as lines:
        source = {(row["loinc"], row["sex"]): row for row in csv.DictReader(lines)}
    ours = [row for row in data.rows("analytes.csv") if row["source"] == "reference"]
    assert len(ours) > 25
    for row in ours:
        if row["law"] in DERIVED and row["code"] in ("egfr",):
            continue
        for sex, low, high in (("M", "low_m", "high_m"), ("F", "low_f", "high_f")):
            told = source.get((row["loinc"], sex)) or source[row["loinc"], ""]
            assert float(told["low"]) == float(row[low]), row["loinc"]
            assert float(told["high"]) == float(row[high]), row["loinc"]


def test_life_expectancy_and_census_are_as_published() -> None:
    assert life_expectancy(2014) == pytest.approx([76.47, 81.25], abs=0.01)
    assert pyramid().sum() == pytest.approx(1)
    assert pyramid(18, 40)[:, :18].sum() == 0


def test_victims_depend_as_their_sources_say() -> None:
    fm = {row["name"]: float(row["apparent_fm"]) for row in data.rows("apparent_fm.csv")}
    strength = {found.name: found.midazolam_ratio for found in inhibitors()}
    ratios = {
        (row["victim"], row["perpetrator"]): float(row["ratio"]) for row in data.rows("exposure_ratios.csv")
    }
    checked = 0
    for row in data.rows("victims.csv"):
        basis, fraction = row["fraction_basis"], float(row["fraction"])
        if basis.startswith("apparent fm"):
            assert fraction == pytest.approx(fm[row["drug"]], abs=0.006)
            checked += 1
        if basis.startswith("clinical ratio"):
            inhibitor = basis.rsplit(" ", 1)[-1]
            taken_away = (1 - 1 / strength[inhibitor]) / MIDAZOLAM_CR
            inverted = (1 - 1 / ratios[row["drug"], inhibitor]) / taken_away
            assert fraction == pytest.approx(min(inverted, 0.99), abs=0.011)
            checked += 1
    assert checked >= 9
    assert all(0 < found.fraction < 1 for found in victims())
