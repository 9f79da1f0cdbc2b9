"""Rare diseases: who has them, since when, with what signs, recognised when."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.errors import SpecError
from rarecase.common.plan import make_plan
from rarecase.common.spec import build_spec
from rarecase.healthcare.cases import RareDisease
from rarecase.healthcare.data.disorders import RARE, catalogue, delay_mean_years, delay_survival, names
from rarecase.healthcare.data.population import DAYS_PER_YEAR, FEMALE, MALE, US_PER_DAY, people
from tests.healthcare.conftest import WORLD


def _cases(dataset: Dataset, name: str | None = None) -> pd.DataFrame:
    frame = dataset.tables["cases"].to_pandas()
    frame = frame[frame.kind == "rare_disease"]
    frame = frame if name is None else frame[frame.name == name]
    facts = pd.DataFrame([json.loads(text) for text in frame.parameters], index=frame.index)
    return pd.concat([frame.drop(columns="parameters"), facts], axis=1)


def _many(count: int = 4000, **fields: Any) -> Any:
    """Courses of many planted cases, without making their records."""
    raw = {**WORLD, "size": 400_000, "cases": [{"kind": "rare_disease", "count": count, **fields}]}
    spec = build_spec(raw)
    plan = make_plan(spec)
    case, homes = plan.placements[0].case, plan.placements[0].homes
    assert isinstance(case, RareDisease)
    who = people(spec, homes)  # type: ignore[arg-type]
    return spec, who, case.courses(spec, who)


def test_disorders_come_in_proportion_to_their_prevalence() -> None:
    _, _, courses = _many(20_000)
    found = np.bincount(courses.disorder, minlength=len(catalogue()))
    expected = np.where(catalogue().drawn, np.minimum(np.nan_to_num(catalogue().prevalence), RARE), 0.0)
    expected = expected / expected.sum() * found.sum()
    assert found[expected == 0].sum() == 0
    large = expected >= 10
    assert large.sum() > 200
    # Residuals within 5 standard errors: 1 false alarm in 3,000 seeds over 500 disorders.
    assert np.abs((found - expected)[large] / np.sqrt(expected[large])).max() < 5


def test_sex_follows_inheritance() -> None:
    _, who, courses = _many(20_000)
    xlr, xld = courses.mode == 2, courses.mode == 3
    assert xlr.sum() > 100
    assert (who.sex[xlr] == MALE).all()
    # Fragile X syndrome is more frequent in males, most others in females.
    assert 0.3 < (who.sex[xld] == FEMALE).mean() < 0.8
    rett = courses.disorder == names()["rett syndrome"]
    assert (who.sex[rett] == FEMALE).mean() > 0.9
    turner = names()["turner syndrome"]
    assert (who.sex[courses.disorder == turner] == FEMALE).all()


def test_onset_lies_in_its_class_and_in_the_life_so_far() -> None:
    from rarecase.healthcare.data.disorders import ONSET_YEARS

    _, who, courses = _many()
    years = (courses.onset_us / US_PER_DAY - who.birth_day) / DAYS_PER_YEAR
    low, high = ONSET_YEARS[courses.onset_class].T
    assert (years >= 0).all()
    assert (years <= who.age + 0.01).all()
    young = who.age < high + 1
    assert ((years >= low - 0.1) & (years <= high + 0.1))[~young].all()
    assert catalogue().onset[courses.disorder, courses.onset_class].all()


def test_the_delay_is_as_long_and_as_skewed_as_published() -> None:
    _, _, courses = _many(20_000)
    years = (courses.diagnosis_us - courses.onset_us) / US_PER_DAY / DAYS_PER_YEAR
    assert 1.7 < np.median(years) < 2.3
    assert 4.7 < years.mean() < 7.0
    assert 0.5 < (years > 1).mean() < 0.7
    assert delay_mean_years() == pytest.approx(4.73, abs=0.01)
    assert delay_survival(np.array([2.0]), 2.0 / np.log(2) ** (1 / 0.6))[0] == pytest.approx(0.5)


def test_diagnosis_within_the_window_is_within_it() -> None:
    spec, who, courses = _many(2000, disorder=586, diagnosis="within")
    assert (courses.diagnosis_us > 0).all()
    assert (courses.diagnosis_us < spec.horizon_us).all()
    assert (courses.onset_us <= courses.diagnosis_us).all()
    assert (courses.onset_us >= who.birth_day * US_PER_DAY).all()


def test_natural_rates_are_the_prevalences() -> None:
    spec = build_spec(WORLD)
    one, every = spec.cases[1], spec.cases[0]
    total = every.natural(spec)
    assert total is not None
    assert total.value == pytest.approx(
        np.minimum(catalogue().prevalence[catalogue().drawn], RARE).sum(), rel=1e-6
    )
    single = one.natural(spec)
    assert single is not None
    assert single.value == pytest.approx(catalogue().prevalence[names()["98896"]], rel=1e-6)
    within = spec.cases[2].natural(spec)
    assert within is not None
    assert 0 < within.value < 0.2 * catalogue().prevalence[names()["586"]]
    assert len({case.stratum() for case in spec.cases}) == len(spec.cases)


@pytest.mark.parametrize(
    ("disorder", "meant"),
    [("Cystic fibroses", "cystic fibrosis"), ("duchene muscular dystrophy", "duchenne muscular dystrophy")],
)
def test_a_typo_is_met_with_the_nearest_name(disorder: str, meant: str) -> None:
    raw = {
        **WORLD,
        "cases": [
            {"kind": "interaction", "count": 1},
            {"kind": "rare_disease", "count": 1, "disorder": disorder},
        ],
    }
    with pytest.raises(SpecError) as told:
        build_spec(raw)
    assert told.value.path == "cases[1].disorder"
    assert told.value.nearest == meant


def test_codes_and_names_mean_the_same() -> None:
    spec = build_spec(WORLD)
    for word in (98896, "98896", "ORPHA:98896", "Duchenne muscular dystrophy", "DMD"):
        case = RareDisease(count=1, disorder=word)
        assert case.place() == spec.cases[1].place()  # type: ignore[union-attr]


def test_patients_of_one_disorder_show_its_signs(world: Dataset) -> None:
    cases = _cases(world, "dmd")
    patients = world.tables["patients"].to_pandas().set_index("patient_id")
    assert (patients.loc[cases.entity_id].sex == "male").all()
    labels = world.tables["labels"].to_pandas()
    signs = world.tables["phenotypes"].to_pandas().set_index("phenotype_id")
    made = labels[
        (labels.table_name == "phenotypes")
        & labels.case_id.isin(cases.case_id)
        & (labels.stage == "observed")
    ]
    shown = signs.loc[made.row_id].hpo_id.value_counts()
    # Creatine kinase is very frequent (80 to 99 %) in Duchenne muscular dystrophy.
    assert shown["HP:0003236"] >= 6


def test_unrecognised_disease_has_no_name_in_the_record(world: Dataset) -> None:
    cases = _cases(world)
    known = world.tables["conditions"].to_pandas()
    named = set(known[known.orpha.notna()].patient_id)
    assert set(cases[cases.diagnosed].entity_id) == named
    assert cases[~cases.diagnosed].detected_at.isna().all()
    assert cases[cases.diagnosed].detected_at.notna().all()


def test_wrong_names_are_refuted_by_the_right_one(world: Dataset) -> None:
    labels = world.tables["labels"].to_pandas()
    known = world.tables["conditions"].to_pandas().set_index("condition_id")
    wrong = known.loc[labels[(labels.table_name == "conditions") & (labels.stage == "wrong")].row_id]
    assert len(wrong) >= 10
    assert wrong.orpha.isna().all()
    assert set(wrong.verification) <= {"refuted", "provisional"}
    refuted = wrong[wrong.verification == "refuted"]
    right = known[known.orpha.notna()].groupby("patient_id").recorded_at.min()
    assert (refuted.verified_at.to_numpy() == right.loc[refuted.patient_id].to_numpy()).all()


def test_difficulty_makes_values_milder() -> None:
    from tests.healthcare.conftest import world_of

    shown = []
    for difficulty in (0.0, 1.0):
        case = {"kind": "rare_disease", "count": 60, "disorder": 98896, "difficulty": difficulty}
        made = world_of(size=4000, cases=[case])
        labels = made.tables["labels"].to_pandas()
        rows = set(labels[labels.table_name == "observations"].row_id)
        values = made.tables["observations"].to_pandas()
        enzymes = values[values.observation_id.isin(rows) & (values.loinc == "2157-6")].value
        shown.append(float(np.median(enzymes)))
    assert shown[0] > 2 * shown[1]
