"""What experts reviewed row by row: sex, shares of males, prevalence of the world, courses, malformations."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from rarecase.common.plan import make_plan
from rarecase.common.spec import build_spec
from rarecase.healthcare import data
from rarecase.healthcare.cases import RareDisease
from rarecase.healthcare.data.disorders import LONGEST_DELAY_YEARS, RARE, catalogue, terms
from rarecase.healthcare.data.population import DAYS_PER_YEAR, FEMALE, MALE, US_PER_DAY, people

WORLD: dict[str, Any] = {"domain": "healthcare", "seed": 5, "size": 200_000, "block": 50_000, "days": 730}
#: Words that may tie a disorder to one sex.
SEXED = re.compile(
    r"eclamps|pregnan|partum|vas deferens|4[5-9],X|trisomy x|\bx[xy]\b|asherman|gestational|testic|testes"
    r"|testis|ovar|prostat|uter|vagin|vulv|endometr|hellp|placent|trophobl|lymphangioleio|penile|penis|\bpeno|hypospad"
    r"|epispad|insensitivity syndrome|müller|sex development|sex revers|gonadal|\bmale\b|\bfemale\b|sperm"
    r"|chromosome y|urethra|scrot|oocyt|rokitansky|turner|klinefelter|mammary|breast|maternal|orchid|carriers"
    r"|menstr|menopaus|amenorr",
    re.IGNORECASE,
)
WOMEN = (275555, 137686, 3375, 563, 244242, 99926, 538, 881, 3109, 2975, 243, 242)
MEN = (48, 8, 10, 96263, 96264, 2856, 752, 753, 90796, 168558, 168563, 251510, 393, 85112, 93110, 1646)


def place(orpha: int) -> int:
    return int(np.searchsorted(catalogue().orpha, orpha))


def planted(count: int, **fields: Any) -> Any:
    spec = build_spec({**WORLD, "cases": [{"kind": "rare_disease", "count": count, **fields}]})
    found = make_plan(spec).placements[0]
    assert isinstance(found.case, RareDisease)
    who = people(spec, found.homes)  # type: ignore[arg-type]
    return spec, who, found.case.courses(spec, who)


def test_every_name_that_speaks_of_a_sex_was_reviewed() -> None:
    reviewed = {int(row["orpha"]): row["sex"] for row in data.rows("sex_limits.csv")}
    book = catalogue()
    named = {int(code) for code, name in zip(book.orpha, book.names, strict=True) if SEXED.search(name)}
    assert len(named) > 60
    assert named - set(reviewed) == set()
    assert set(reviewed.values()) == {"male", "female", "either"}
    assert set(reviewed) <= set(book.orpha.tolist())


@pytest.mark.parametrize(("codes", "share"), [(WOMEN, 0.0), (MEN, 1.0)])
def test_disorders_of_one_sex_befall_that_sex(codes: tuple[int, ...], share: float) -> None:
    assert [catalogue().male_share[place(code)] for code in codes] == [share] * len(codes)
    _, who, _ = planted(40, disorder=codes[0])
    assert set(who.sex) == {MALE if share else FEMALE}


@pytest.mark.parametrize(("orpha", "share"), [(778, 0.01), (464, 0.03), (50, 0.0), (186, 0.12), (379, 0.81)])
def test_what_is_lethal_in_males_is_rare_among_them(orpha: int, share: float) -> None:
    assert catalogue().male_share[place(orpha)] == share


def test_autosomal_modes_weigh_more_than_x_linked_ones() -> None:
    # Alport syndrome: both autosomal modes and the X-linked one.
    assert catalogue().male_share[place(63)] == pytest.approx((2 * 0.5 + 2 * 0.5 + 1 / 3) / 5)


def test_founders_are_not_the_world() -> None:
    book = catalogue()
    for code in (603, 98, 103909):
        assert np.isnan(book.prevalence[place(code)])
    assert book.prevalence[place(175)] == pytest.approx(1e-5)
    assert book.evidence[place(175)] == "expert"
    assert book.place[place(88661)] == "United States"
    wide = {"Worldwide", "Europe", "United States", "several countries", "unknown"}
    of_one_country = [at for at, where in enumerate(book.place) if where not in wide]
    assert len(of_one_country) > 20
    assert {book.evidence[at] for at in of_one_country} == {"expert"}
    assert np.nanmax(book.prevalence[of_one_country]) < 1e-4
    assert "Specific population" not in book.place


def test_all_disorders_together_are_as_common_as_published() -> None:
    spec = build_spec({**WORLD, "cases": [{"kind": "rare_disease", "count": 1}]})
    natural = spec.cases[0].natural(spec)
    assert natural is not None
    # Nguengang Wakap 2020: 3.5 to 5.9 %.
    assert 0.035 < natural.value < 0.059
    shares = catalogue().prevalence[catalogue().drawn]
    assert natural.value == pytest.approx(np.minimum(shares, RARE).sum(), rel=1e-9)


def test_what_is_over_in_days_is_not_drawn_among_all() -> None:
    book = catalogue()
    for code in (63259, 1041, 294, 90051, 97292, 448237, 275555, 391673, 340, 90062):
        assert not book.drawn[place(code)], code
    _, _, courses = planted(3000)
    assert book.drawn[courses.disorder].all()


@pytest.mark.parametrize("orpha", [97292, 99828, 448237])
def test_acute_disorders_can_be_chosen_and_are_recognised_at_once(orpha: int) -> None:
    spec, _, courses = planted(60, disorder=orpha)
    days = (courses.diagnosis_us - courses.onset_us) / US_PER_DAY
    assert (days < 0.27 * DAYS_PER_YEAR).all()
    assert (courses.onset_us >= 0).all()
    assert ((courses.diagnosis_us > 0) & (courses.diagnosis_us < spec.horizon_us)).all()
    assert spec.cases[0].natural(spec) is None


def test_who_has_a_lethal_malformation_is_newborn() -> None:
    _, who, _ = planted(20, disorder=1041)
    assert (who.age < 1.5).all()


def test_no_delay_is_longer_than_the_law_allows() -> None:
    _, _, courses = planted(6000)
    years = (courses.diagnosis_us - courses.onset_us) / US_PER_DAY / DAYS_PER_YEAR
    longest = catalogue().longest_delay[courses.disorder]
    assert (years <= longest + 1e-3).all()
    assert years.max() <= LONGEST_DELAY_YEARS + 1e-3


@pytest.mark.parametrize(("diagnosis", "oldest"), [("within", 20), ("any", 45)])
def test_survival_bounds_the_age_of_patients(diagnosis: str, oldest: float) -> None:
    _, who, _ = planted(150 if diagnosis == "any" else 40, disorder=98896, diagnosis=diagnosis)
    assert who.age.max() < oldest
    assert (who.age < 28).mean() > 0.7


def test_courses_within_the_window_may_begin_in_it() -> None:
    spec, _, courses = planted(400, diagnosis="within")
    assert (courses.onset_us > 0).mean() > 0.1
    assert (courses.onset_us < courses.diagnosis_us).all()
    # Diagnoses fall over the whole window alike.
    shares = np.histogram(courses.diagnosis_us, bins=4, range=(0, spec.horizon_us))[0] / 400
    assert (np.abs(shares - 0.25) < 0.1).all()


def test_malformations_are_congenital_and_diseases_are_not() -> None:
    congenital, position = terms().congenital, terms().positions()
    for code in ("HP:0000175", "HP:0000316", "HP:0001159", "HP:0001671", "HP:0010442", "HP:0000776"):
        assert congenital[position[code]], code
    for code in ("HP:0001250", "HP:0001903", "HP:0001638", "HP:0002650", "HP:0000518", "HP:0002664"):
        assert not congenital[position[code]], code


def test_malformations_begin_at_birth(world: Any) -> None:
    labels = world.tables["labels"].to_pandas()
    made = labels[(labels.table_name == "phenotypes") & (labels.stage == "observed")].row_id
    signs = world.tables["phenotypes"].to_pandas().set_index("phenotype_id").loc[made]
    born = world.tables["patients"].to_pandas().set_index("patient_id").birth_date
    position = terms().positions()
    innate = terms().congenital[[position[code] for code in signs.hpo_id]]
    at_birth = signs.onset_date.to_numpy() == born.loc[signs.patient_id].to_numpy()
    assert innate.sum() > 50
    assert at_birth[innate].all()
    assert at_birth[~innate].mean() < 0.2


def test_reasons_of_specialists_are_theirs(world: Any) -> None:
    seen = world.tables["encounters"].to_pandas()
    odd = seen[seen.specialty.isin(["genetics", "neurology", "dermatology", "cardiology"])]
    assert len(odd) > 100
    assert not odd.reason_icd10cm.isin(["H66.90", "T14.90XA", "J02.9", "Z00.00", "Z00.129"]).any()


def test_who_is_never_diagnosed_in_life_has_no_delay(world: Any) -> None:
    import json

    cases = world.tables["cases"].to_pandas()
    died = world.tables["patients"].to_pandas().set_index("patient_id").died_at
    facts = [json.loads(text) for text in cases[cases.kind == "rare_disease"].parameters]
    delays = [fact["delay_years"] for fact in facts]
    assert all(delay is None or delay <= LONGEST_DELAY_YEARS + 0.01 for delay in delays)
    without = cases[cases.kind == "rare_disease"].entity_id[[delay is None for delay in delays]]
    assert not any(fact["diagnosed"] for fact in facts if fact["delay_years"] is None)
    assert len(without) <= len(died)
