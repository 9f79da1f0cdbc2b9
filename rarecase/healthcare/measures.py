"""The figures of a set of patients beside published ones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rarecase.common.domain import Measure
from rarecase.healthcare.data.people import AGES, SEXES, cumulative_hazard, life_expectancy, pyramid
from rarecase.healthcare.data.pharmacology import STRONG_MEDIAN, STRONG_QUARTILES
from rarecase.healthcare.data.population import DAYS_PER_YEAR

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset
    from rarecase.healthcare.spec import HealthcareSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: How many standard errors a figure may lie beyond a published one: one false alarm in about 16,000.
ERRORS = 4.0
#: Fewest cases from which a figure of theirs is told.
FEWEST = 10
_CENSUS = "United States 2020 by age and sex, US government via R package survival (projection: shape only)"


def measures(dataset: Dataset) -> Sequence[Measure]:
    """All figures that the data set can tell; those of cases from ten cases on."""
    spec = cast("HealthcareSpec", dataset.spec)
    age, sex, weight = _people(dataset, spec)
    found = [*_shape(spec, age, sex, weight), *_deaths(dataset, spec, age, sex), *_use(dataset, spec)]
    found += _polypharmacy(dataset, spec, age, weight)
    told = _cases(dataset)
    return [*found, *_rare(dataset, told), *_interactions(told)]


def _column(table: pa.Table, name: str, kind: pa.DataType) -> NDArray[Any]:
    return np.asarray(table.column(name).cast(kind).to_numpy())


def _people(dataset: Dataset, spec: HealthcareSpec) -> tuple[Floats, Ints, Floats]:
    """Age at the start, sex and weight of each patient, shape (n,); weights 1 where nature is unknown."""
    patients, weights = dataset.tables["patients"], dataset.tables["weights"]
    first = np.datetime64(spec.start, "D").astype(np.int64)
    born = _column(patients, "birth_date", pa.int32()).astype(np.int64)
    sex = pc.index_in(patients.column("sex").cast(pa.string()), pa.array(SEXES)).to_numpy().astype(np.int64)
    place = pc.index_in(patients.column("patient_id"), weights.column("row_id")).to_numpy()
    weight = weights.column("weight").fill_null(1.0).to_numpy()[place]
    return (first - born) / DAYS_PER_YEAR, sex, np.asarray(weight, np.float64)


def _share(
    name: str, meaning: str, mask: NDArray[np.bool_], weight: Floats, published: float, source: str
) -> Measure:
    total = weight.sum()
    value = float((weight * mask).sum() / total) if total else math.nan
    size = total**2 / max((weight**2).sum(), 1e-300)
    error = ERRORS * math.sqrt(published * (1 - published) / max(size, 1.0))
    return Measure(
        name=name,
        meaning=meaning,
        value=value,
        unit="share",
        low=published - error,
        high=published + error,
        published=published,
        evidence="observed",
        source=source,
        weighted=True,
    )


def _shape(spec: HealthcareSpec, age: Floats, sex: Ints, weight: Floats) -> Iterator[Measure]:
    shares = pyramid(spec.youngest, spec.oldest)
    years = np.arange(AGES)
    yield _share("women", "Share of women", sex == 1, weight, float(shares[1].sum()), _CENSUS)
    for name, low, high in (("aged under 18", 0, 18), ("aged 65 and over", 65, 200)):
        inside = (age.astype(np.int64) >= low) & (age.astype(np.int64) < high)
        published = float(shares[:, (years >= low) & (years < high)].sum())
        yield _share(name, f"Share of people {name}", inside, weight, published, _CENSUS)


def _deaths(dataset: Dataset, spec: HealthcareSpec, age: Floats, sex: Ints) -> Iterator[Measure]:
    table = f"Life table of the United States {spec.life_table}, US government via R package survival"
    hazard, birthdays = cumulative_hazard(spec.life_table), np.arange(111, dtype=np.float64)
    expected = 0.0
    for code in (0, 1):
        mine = age[sex == code]
        later = np.interp(mine + spec.days / DAYS_PER_YEAR, birthdays, hazard[code])
        expected += float(-np.expm1(np.interp(mine, birthdays, hazard[code]) - later).sum())
    died = dataset.tables["patients"].num_rows - dataset.tables["patients"].column("died_at").null_count
    error = ERRORS / math.sqrt(max(expected, 1e-9))
    yield Measure(
        name="deaths",
        meaning="Deaths within the window over those that the life table expects",
        value=died / expected if expected else math.nan,
        unit="ratio",
        low=1 - error,
        high=1 + error,
        published=1.0,
        evidence="observed",
        source=table,
    )
    for code, name in enumerate(SEXES):
        years = float(life_expectancy(spec.life_table)[code])
        yield Measure(
            name=f"life expectancy, {name}",
            meaning="Life expectancy at birth under the life table in use",
            value=years,
            unit="years",
            low=None,
            high=None,
            published=(76.47, 81.25)[code],
            evidence="observed",
            source="United States 2014",
        )


def _use(dataset: Dataset, spec: HealthcareSpec) -> Iterator[Measure]:
    """Encounters per person-year; the published orders of magnitude are from memory and not judged."""
    kinds = dataset.tables["encounters"].column("encounter_class").cast(pa.string())
    counts = {row["values"]: row["counts"] for row in pc.value_counts(kinds).to_pylist()}
    for kind, published in (("ambulatory", 3.2), ("emergency", 0.43), ("inpatient", 0.11)):
        yield Measure(
            name=f"{kind} encounters",
            meaning=f"Encounters of class {kind} per person and year",
            value=counts.get(kind, 0) / (spec.size * spec.years),
            unit="1/year",
            low=None,
            high=None,
            published=published,
            evidence="expert",
            source="orders of magnitude of NAMCS, NHAMCS and HCUP, from memory",
        )


def _polypharmacy(dataset: Dataset, spec: HealthcareSpec, age: Floats, weight: Floats) -> Iterator[Measure]:
    """Five medicines or more at once, on the day in the middle of the window."""
    table = dataset.tables["medications"]
    middle = np.datetime64(spec.start, "us").astype(np.int64) + spec.horizon_us // 2
    started = _column(table, "started_at", pa.int64())
    ended = table.column("ended_at").cast(pa.int64()).fill_null(np.iinfo(np.int64).max).to_numpy()
    taken = (started <= middle) & (ended > middle)
    place = pc.index_in(
        table.column("patient_id"), dataset.tables["patients"].column("patient_id")
    ).to_numpy()
    number = np.bincount(place[taken], minlength=age.size)
    for name, least, published, low, high in (
        ("polypharmacy, adults", 20, 0.171, 0.13, 0.22),
        ("polypharmacy, 65 and over", 65, 0.441, 0.33, 0.50),
    ):
        older = age >= least
        if older.sum() >= 100:
            yield Measure(
                name=name,
                meaning=f"Share of people of {least} and over who take five medicines or more at once",
                value=float((weight * (number >= 5))[older].sum() / max(weight[older].sum(), 1e-300)),
                unit="share",
                low=low,
                high=high,
                published=published,
                evidence="survey",
                source="NHANES 2017-18, PMC10337167; the range allows for the interview's 30 days",
                weighted=True,
            )


def _cases(dataset: Dataset) -> list[dict[str, Any]]:
    """Kind, patient and facts of every case."""
    table = dataset.tables["cases"].select(["case_id", "kind", "entity_id", "parameters"])
    return [{**row, **json.loads(row["parameters"])} for row in table.to_pylist()]


def _rare(dataset: Dataset, told: list[dict[str, Any]]) -> Iterator[Measure]:
    everyone = [
        case
        for case in told
        if case["kind"] == "rare_disease" and case["disorder"] and case["diagnosis"] == "any"
    ]
    if len(everyone) >= FEWEST:
        yield from _prevalence(dataset, everyone)
        yield from _delay(
            np.array([case["delay_years"] for case in everyone if case["delay_years"] is not None])
        )
    diseased = [case["case_id"] for case in told if case["kind"] == "rare_disease"]
    if len(diseased) >= FEWEST:
        yield _signs(dataset, len(diseased))


def _prevalence(dataset: Dataset, everyone: list[dict[str, Any]]) -> Iterator[Measure]:
    weights = dataset.tables["weights"]
    drawn = pc.equal(weights.column("stratum").cast(pa.string()), "rare_disease")
    rows = weights.filter(drawn)
    if rows.num_rows < FEWEST or rows.column("weight").null_count:
        return
    weight = dict(zip(rows.column("row_id").to_pylist(), rows.column("weight").to_pylist(), strict=True))
    counted = [case for case in everyone if case["entity_id"] in weight]
    value = sum(weight[case["entity_id"]] for case in counted) / dataset.spec.size
    error = ERRORS * value / math.sqrt(max(len(counted), 1))
    yield Measure(
        name="rare disease, prevalence",
        meaning="Weighted share of people with a rare disorder",
        value=value,
        unit="share",
        low=max(0.035 - error, 0.0),
        high=0.059 + error,
        published=0.047,
        evidence="observed",
        source="Nguengang Wakap 2020, Eur J Hum Genet 28:165: 3.5 to 5.9 % (3,585 disorders; here 2,891)",
        weighted=True,
    )


def _delay(years: Floats) -> Iterator[Measure]:
    error = ERRORS / math.sqrt(years.size)
    yield Measure(
        name="diagnostic delay, median",
        meaning="Median time from first signs to the diagnosis",
        value=float(np.median(years)),
        unit="years",
        low=2.0 * math.exp(-2.2 * error),
        high=2.0 * math.exp(2.2 * error),
        published=2.0,
        evidence="observed",
        source="registry of Spain, n = 3,304",
    )
    yield Measure(
        name="diagnostic delay, mean",
        meaning="Mean time from first signs to the diagnosis",
        value=float(years.mean()),
        unit="years",
        low=max(4.7 * (1 - 1.8 * error), 0.0),
        high=6.2 * (1 + 1.8 * error),
        published=4.7,
        evidence="survey",
        source="Faye 2024, Eur J Hum Genet 32:1116 (4.7, n = 6,507); registry of Spain (6.2)",
    )


def _signs(dataset: Dataset, diseased: int) -> Measure:
    labels = dataset.tables["labels"]
    mask = pc.and_(
        pc.equal(labels.column("table_name").cast(pa.string()), "phenotypes"),
        pc.equal(labels.column("stage").cast(pa.string()).fill_null(""), "observed"),
    )
    observed = int(pc.sum(mask).as_py() or 0)
    return Measure(
        name="observed terms per case",
        meaning="Observed HPO terms that a rare disease leaves in the record",
        value=observed / diseased,
        unit="terms",
        low=7.0,
        high=24.1,
        published=8.9,
        evidence="observed",
        source="phenopacket-store 2026-06: mean 8.9, median 7; Alsentzer 2023: 24.1 in undiagnosed patients",
    )


def _interactions(told: list[dict[str, Any]]) -> Iterator[Measure]:
    ratios = np.array([case["midazolam_ratio"] for case in told if case["kind"] == "interaction"])
    if ratios.size < FEWEST:
        return
    error = math.exp(ERRORS * 0.7 / math.sqrt(ratios.size))
    yield Measure(
        name="AUC ratio on midazolam, median",
        meaning="Median ratio that the patients' inhibitors would show on oral midazolam",
        value=float(np.median(ratios)),
        unit="ratio",
        low=STRONG_QUARTILES[0] / error,
        high=STRONG_QUARTILES[1] * error,
        published=STRONG_MEDIAN,
        evidence="observed",
        source="26 study arms of strong CYP3A inhibitors: quartiles 4.74 and 8.15",
    )
