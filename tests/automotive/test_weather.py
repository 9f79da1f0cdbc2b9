"""The weather is that of three airports, joint and unaltered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from rarecase.automotive import data
from rarecase.automotive.cases import attributes
from rarecase.common.clocks import DAY_US, HOUR_US
from tests.automotive.conftest import default_spec

YEAR = {"size": 60_000, "block": 1_000, "start": "2026-01-01", "days": 365, "cases": []}


@pytest.fixture(scope="session")
def airports(shared_data: Path) -> pd.DataFrame:
    hours = pd.read_csv(shared_data / "automotive" / "weather" / "nycflights13_weather.csv.gz")
    return pd.DataFrame(
        {
            "temperature": (hours["temp"] - 32) / 1.8,
            "rain": hours["precip"] * 25.4,
            "visibility": hours["visib"] * 1609.344,
        }
    ).dropna()


def _share(quantity: str, low: int, high: int) -> float:
    hours, found = data.numbers("weather_hours", "hours"), data.numbers("weather_hours", quantity)
    return float(hours[(found >= low) & (found <= high)].sum() / hours.sum())


@pytest.mark.parametrize(
    ("quantity", "classes", "published"),
    [
        ("rain", (1, 7), 0.067),
        ("rain", (4, 7), 0.0137),
        ("rain", (6, 7), 0.0022),
        ("visibility", (0, 1), 0.0133),
        ("visibility", (0, 0), 0.0021),
        ("temperature", (0, 5), 0.109),
    ],
)
def test_the_shipped_table_keeps_the_published_shares(
    quantity: str, classes: tuple[int, int], published: float
) -> None:
    assert _share(quantity, *classes) == pytest.approx(published, rel=0.03)


def test_the_shipped_table_is_that_of_the_file(airports: pd.DataFrame) -> None:
    for quantity in ("temperature", "rain", "visibility"):
        low, high = data.class_limits(quantity)
        for upto in range(len(high) - 1):
            border = (high[upto] + low[upto + 1]) / 2 if high[upto] < low[upto + 1] else high[upto]
            told = _share(quantity, 0, upto)
            assert told == pytest.approx(float((airports[quantity] <= border + 1e-6).mean()), abs=0.001)


def test_a_year_of_draws_has_the_shares_of_the_table() -> None:
    """Chi-square of rain by month and quarter of the day; a false alarm once in 10,000 new seeds."""
    spec = default_spec(**YEAR)
    entities = np.arange(spec.size)
    start = attributes.start_us(spec, entities)
    drawn = attributes.setting(spec, entities)
    day = np.datetime64(spec.start, "D") + (start // DAY_US).astype("timedelta64[D]")
    month = day.astype("datetime64[M]").astype(np.int64) % 12
    quarter = start % DAY_US // (6 * HOUR_US)
    group = month * 4 + quarter
    hours, rain = data.numbers("weather_hours", "hours"), data.numbers("weather_hours", "rain")
    rows = (
        (data.numbers("weather_hours", "month") - 1) * 4 + data.numbers("weather_hours", "quarter")
    ).astype(int)
    wet = np.bincount(rows, hours * (rain > 0), 48) / np.bincount(rows, hours, 48)
    number, found = np.bincount(group, minlength=48), np.bincount(group, drawn.rain > 0, 48)
    statistic = ((found - number * wet) ** 2 / (number * wet * (1 - wet))).sum()
    assert statistic < chi2.isf(1e-4, 48)


def test_weather_hangs_together() -> None:
    spec = default_spec(**YEAR)
    drawn = attributes.setting(spec, np.arange(20_000))
    assert ((drawn.precipitation == attributes.SNOWFALL) == ((drawn.rain > 0) & (drawn.air <= 1.0))).all()
    assert (drawn.ground[drawn.state >= attributes.SNOW] <= 0.5).all()
    foggy, clear = drawn.visibility < 1000, drawn.visibility > 16000
    assert drawn.humidity[foggy].mean() > drawn.humidity[clear].mean() + 15
    assert drawn.visibility.max() == 16090


def test_no_episode_outlasts_the_window() -> None:
    spec = default_spec(**{**YEAR, "days": 2})
    start = attributes.start_us(spec, np.arange(spec.size))
    assert start.min() >= 0
    assert start.max() + 600 * attributes.TICK_US <= spec.horizon_us
    assert (start % attributes.TICK_US == 0).all()
