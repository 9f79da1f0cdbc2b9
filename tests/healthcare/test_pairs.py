"""Interactions and look-alikes: exposure by the published ratio, values that move, values that do not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.errors import PlanError, SpecError
from rarecase.common.plan import make_plan
from rarecase.common.spec import build_spec
from rarecase.healthcare import data
from rarecase.healthcare.data.pharmacology import (
    MIDAZOLAM_CR,
    STRONG_MEDIAN,
    STRONG_QUARTILES,
    STUDY_SIGMA,
    exposure,
    inhibitor_drugs,
    inhibitors,
    published,
    victim_drugs,
    victims,
)
from rarecase.healthcare.data.population import people
from tests.healthcare.conftest import WORLD


def _place(name: str) -> tuple[int, int]:
    victim, inhibitor = name.split("+")
    return (
        [found.name for found in victims()].index(victim),
        [found.name for found in inhibitors()].index(inhibitor),
    )


def _facts(dataset: Dataset, name: str) -> pd.DataFrame:
    frame = dataset.tables["cases"].to_pandas()
    frame = frame[frame.name == name]
    return pd.concat(
        [frame, pd.DataFrame([json.loads(text) for text in frame.parameters], index=frame.index)], axis=1
    )


@pytest.mark.parametrize(
    ("pair", "ratio"),
    [
        ("simvastatin+ketoconazole", 12.552),
        ("triazolam+itraconazole", 8.756),
        ("sildenafil+ritonavir", 9.894),
        ("sildenafil+itraconazole", 2.499),
    ],
)
def test_published_ratios_stand_in_for_the_model(pair: str, ratio: float) -> None:
    victim, inhibitor = _place(pair)
    assert published()[victim, inhibitor] == ratio
    rng, many = np.random.default_rng(1), 20_000
    found, _ = exposure(
        np.full(many, victim), np.full(many, inhibitor), rng.standard_normal(many), rng.standard_normal(many)
    )
    assert np.median(found) == pytest.approx(ratio, rel=0.03)
    assert 0.3 < np.std(np.log(found)) < 0.45


def test_the_static_model_stands_in_for_the_unstudied() -> None:
    victim, inhibitor = _place("eplerenone+clarithromycin")
    found, _ = exposure(np.array([victim]), np.array([inhibitor]), np.zeros(1), np.zeros(1))
    share, taken = victims()[victim].fraction, (1 - 1 / 5.6) / MIDAZOLAM_CR
    assert found[0] == pytest.approx(1 / (1 - share * taken))


def test_the_spread_of_studies_is_the_published_one() -> None:
    # posaconazole has the median of the class: its study distribution is that of the class.
    place = [found.name for found in inhibitors()].index("posaconazole")
    rng, many = np.random.default_rng(2), 40_000
    _, on_midazolam = exposure(
        np.zeros(many, int), np.full(many, place), rng.standard_normal(many), np.zeros(many)
    )
    low, middle, high = np.quantile(on_midazolam, (0.25, 0.5, 0.75))
    assert middle == pytest.approx(STRONG_MEDIAN, rel=0.02)
    assert high / low == pytest.approx(STRONG_QUARTILES[1] / STRONG_QUARTILES[0], rel=0.03)
    assert 0.3 < STUDY_SIGMA < 0.5


def test_midazolam_rises_as_in_the_studies(world: Dataset) -> None:
    ratios = _facts(world, "premedication").auc_ratio
    assert STRONG_QUARTILES[0] * 0.7 < ratios.median() < STRONG_QUARTILES[1] * 1.4


def test_both_drugs_are_taken_when_it_happens(world: Dataset) -> None:
    drugs = world.tables["medications"].to_pandas()
    for name in ("interaction", "premedication", "graft"):
        for case in _facts(world, name).itertuples():
            mine = drugs[drugs.patient_id == case.entity_id]
            victim, other = mine[mine.drug == case.victim], mine[mine.drug == case.perpetrator]
            event = case.reported_at
            assert (victim.started_at <= event).any()
            assert ((other.started_at < event) & (other.ended_at.isna() | (other.ended_at >= event))).any()


def test_the_value_moves_and_returns(world: Dataset) -> None:
    """Tacrolimus levels rise with the exposure and are back at the visit after it."""
    labels = world.tables["labels"].to_pandas()
    values = world.tables["observations"].to_pandas().set_index("observation_id")
    cases = _facts(world, "graft").set_index("case_id")
    shown = {}
    for stage in ("event", "recovery"):
        said = labels[
            (labels.table_name == "observations") & (labels.stage == stage) & labels.case_id.isin(cases.index)
        ]
        levels = values.loc[said.row_id]
        shown[stage] = levels[levels.loinc == "11253-2"].groupby("patient_id").value.first()
    rise = shown["event"] / shown["recovery"].loc[shown["event"].index]
    ratio = cases.set_index("entity_id").auc_ratio.loc[rise.index]
    assert (rise > 1).mean() > 0.9
    assert np.corrcoef(np.log(rise), np.log(ratio))[0, 1] > 0.5


def test_the_look_alike_never_has_both(world: Dataset) -> None:
    drugs = world.tables["medications"].to_pandas()
    cases = _facts(world, "separated_pair")
    assert not cases.is_case.any()
    for case in cases.itertuples():
        mine = drugs[drugs.patient_id == case.entity_id]
        for first in mine[mine.drug == case.victim].itertuples():
            for second in mine[mine.drug == case.perpetrator].itertuples():
                end = pd.Timestamp.max if pd.isna(first.ended_at) else first.ended_at
                other = pd.Timestamp.max if pd.isna(second.ended_at) else second.ended_at
                assert end < second.started_at or other < first.started_at


def test_the_look_alike_keeps_ordinary_values(world: Dataset) -> None:
    labels = world.tables["labels"].to_pandas()
    cases = _facts(world, "separated_pair")
    said = labels[
        labels.case_id.isin(cases.case_id)
        & (labels.table_name == "observations")
        & (labels.effect == "created")
    ]
    values = world.tables["observations"].to_pandas().set_index("observation_id").loc[said.row_id]
    enzymes = values[values.loinc == "2157-6"].value
    assert enzymes.median() < 320


def test_nobody_else_takes_both(world: Dataset) -> None:
    assert world.twin is not None
    drugs = world.twin.tables["medications"].to_pandas()
    from rarecase.healthcare.data.clinic import clinic

    pool = [found.name for found in clinic().drugs]
    sensitive = {pool[at] for at in victim_drugs()}
    strong = {pool[at] for at in inhibitor_drugs()}
    both = set(drugs[drugs.drug.isin(sensitive)].patient_id) & set(drugs[drugs.drug.isin(strong)].patient_id)
    assert both == set()


@pytest.mark.parametrize(
    ("field", "word", "meant"),
    [("victim", "simvastatine", "simvastatin"), ("perpetrator", "clarithromicin", "clarithromycin")],
)
def test_a_typo_is_met_with_the_nearest_drug(field: str, word: str, meant: str) -> None:
    with pytest.raises(SpecError) as told:
        build_spec({**WORLD, "cases": [{"kind": "interaction", "count": 1, field: word}]})
    assert (told.value.path, told.value.nearest) == (f"cases[0].{field}", meant)


def test_more_cases_than_patients_on_the_drug_are_refused() -> None:
    with pytest.raises(PlanError) as told:
        make_plan(build_spec({**WORLD, "size": 500, "cases": [{"kind": "interaction", "count": 400}]}))
    assert told.value.path.startswith("cases[0]")


def test_choosing_the_drug_makes_room() -> None:
    """A chosen victim is brought by the case where the patient does not take it: there is room for many."""
    plan = make_plan(
        build_spec(
            {**WORLD, "size": 500, "cases": [{"kind": "interaction", "count": 60, "victim": "sirolimus"}]}
        )
    )
    assert plan.case_counts() == {"interaction": 60}


def test_rates_divide_among_the_drugs() -> None:
    spec = build_spec(
        {
            **WORLD,
            "cases": [
                {
                    "kind": "interaction",
                    "count": 1,
                    "victim": found.name,
                    "name": found.name.replace(" ", "-"),
                }
                for found in victims()
            ],
        }
    )
    parts = [case.natural(spec) for case in spec.cases]
    whole = build_spec({**WORLD, "cases": [{"kind": "interaction", "count": 1}]}).cases[0].natural(spec)
    assert whole is not None
    assert sum(part.value for part in parts if part) == pytest.approx(whole.value)


def test_every_published_pair_is_met() -> None:
    """The published value itself is taken: this says that it arrives, not that a model predicts it."""
    met = 0
    for row in data.rows("exposure_ratios.csv"):
        names = [found.name for found in victims()], [found.name for found in inhibitors()]
        if row["victim"] not in names[0] or row["perpetrator"] not in names[1]:
            continue
        at = names[0].index(row["victim"]), names[1].index(row["perpetrator"])
        rng, many = np.random.default_rng(7), 20_000
        found, _ = exposure(
            np.full(many, at[0]), np.full(many, at[1]), rng.standard_normal(many), rng.standard_normal(many)
        )
        assert np.median(found) == pytest.approx(float(row["ratio"]), rel=0.2), row
        met += 1
    assert met >= 11


def test_courses_are_those_of_ordinary_prescriptions(world: Dataset) -> None:
    allowed: dict[str, list[tuple[float, float]]] = {}
    for row in data.rows("prescriptions.csv"):
        allowed.setdefault(row["drug"], []).append((float(row["days_low"]), float(row["days_high"])))
    for found in inhibitors():
        assert sorted(map(tuple, found.course_days.tolist())) == sorted(allowed[found.name])
    labels = world.tables["labels"].to_pandas()
    drugs = world.tables["medications"].to_pandas().set_index("medication_id")
    cases = _facts(world, "separated_pair")
    mine = labels[labels.case_id.isin(cases.case_id) & (labels.role == "perpetrator")]
    taken = drugs.loc[mine.row_id].dropna(subset=["ended_at"])
    days = (taken.ended_at - taken.started_at).dt.total_seconds() / 86400
    assert len(days) >= 10
    for drug, length in zip(taken.drug, days, strict=True):
        assert length == round(length)
        assert any(low <= length <= high for low, high in allowed[drug])


def test_who_dies_after_it_may_have_it() -> None:
    spec = build_spec(
        {**WORLD, "size": 60_000, "days": 1500, "cases": [{"kind": "interaction", "count": 500}]}
    )
    plan = make_plan(spec)
    homes = plan.placements[0].homes
    death = people(spec, homes).death_us  # type: ignore[arg-type]
    assert (death < spec.horizon_us).sum() > 10
    lived = np.minimum(plan.placements[0].onset_us + 30 * 86_400_000_000, spec.horizon_us)
    assert (death > lived).all()


def test_interactions_begin_over_the_whole_window() -> None:
    spec = build_spec({**WORLD, "size": 40_000, "cases": [{"kind": "interaction", "count": 600}]})
    share = make_plan(spec).placements[0].onset_us / spec.horizon_us
    assert (np.abs(np.histogram(share, bins=4, range=(0, 1))[0] / 600 - 0.25) < 0.07).all()


@pytest.mark.parametrize("days", [30, 90])
def test_short_windows_break_no_law(days: int) -> None:
    from tests.healthcare.conftest import world_of

    cases = [{"kind": "interaction", "count": 60}, {"kind": "separated_pair", "count": 60}]
    made = world_of(size=6000, days=days, cases=cases)
    with made.connect() as connection:
        assert list(made.domain.checks(connection, made.spec)) == []
