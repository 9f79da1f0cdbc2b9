"""Calendars by hand-checked dates, clocks against their intensity.

Statistical tests have a fixed seed and fail a correct clock with probability 1e-4 (`ALPHA`).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from rarecase.common.clocks import DAY_US, HOUR_US, Calendar, Clock
from rarecase.common.seeds import stream

ALPHA = 1e-4


def test_calendar_knows_its_days() -> None:
    calendar = Calendar(date(2024, 2, 26), 8, [date(2024, 2, 27)])
    assert calendar.weekday.tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert calendar.day_of_month.tolist() == [26, 27, 28, 29, 1, 2, 3, 4]
    assert calendar.month.tolist() == [2, 2, 2, 2, 3, 3, 3, 3]
    assert np.flatnonzero(calendar.month_end).tolist() == [3]
    assert np.flatnonzero(calendar.holiday).tolist() == [1]
    assert np.flatnonzero(~calendar.business).tolist() == [1, 5, 6]
    assert calendar.day(date(2024, 3, 1)) == 4
    assert calendar.date(4) == date(2024, 3, 1)
    with pytest.raises(ValueError, match="days=0"):
        Calendar(date(2024, 1, 1), 0)


@pytest.mark.parametrize("start", [date(1969, 12, 30), date(2000, 2, 28), date(2026, 1, 1)])
def test_calendar_agrees_with_the_standard_library(start: date) -> None:
    calendar = Calendar(start, 800)
    dates = [calendar.date(day) for day in range(800)]
    assert calendar.weekday.tolist() == [day.weekday() for day in dates]
    assert calendar.month.tolist() == [day.month for day in dates]
    assert calendar.day_of_month.tolist() == [day.day for day in dates]


def test_business_days_move_past_weekends_and_holidays_and_over_the_edge() -> None:
    calendar = Calendar(date(2026, 1, 3), 10, [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 9)])
    assert calendar.business_day(np.array([0, 2, 6])).tolist() == [-3, 2, 5]
    assert calendar.business_day(np.array([0, 6, 7]), "next").tolist() == [2, 9, 9]
    with pytest.raises(ValueError, match="from -62"):
        calendar.business_day(np.array([-63]))


def test_pay_days_fall_on_the_business_day_before() -> None:
    calendar = Calendar(date(2026, 1, 1), 365, [date(2026, 12, 25)])
    days = calendar.monthly([25, 31, 1])
    assert days.shape == (3, 14)
    dates = [calendar.date(int(day)) for day in days[0] if day >= 0]
    assert dates[:5] == [
        date(2026, 1, 23),
        date(2026, 2, 25),
        date(2026, 3, 25),
        date(2026, 4, 24),
        date(2026, 5, 25),
    ]
    assert dates[-1] == date(2026, 12, 24)
    assert len(dates) == 12
    ends = [calendar.date(int(day)) for day in days[1] if day >= 0]
    assert ends[1] == date(2026, 2, 27)
    assert all(end.weekday() < 5 for end in ends)
    # the first of January 2027 is a Friday and stays outside
    assert (days[2] >= 0).sum() == 12


def test_a_pay_day_after_the_end_may_move_into_the_horizon() -> None:
    calendar = Calendar(date(2026, 1, 1), 31)  # 1 February 2026 is a Sunday
    assert calendar.monthly([1])[0].tolist() == [-1, 0, 29]
    assert calendar.monthly([1], "none")[0].tolist() == [-1, 0, -1]
    with pytest.raises(ValueError, match="1 to 31"):
        calendar.monthly([0])


def test_day_weights_multiply() -> None:
    calendar = Calendar(date(2026, 1, 31), 2, [date(2026, 2, 1)])
    month_days = [1.0] * 31
    month_days[0] = 5.0
    busy = calendar.weights(
        weekday=(1, 1, 1, 1, 1, 2, 3),
        day_of_month=month_days,
        month=[7.0] + [1.0] * 11,
        month_end=11.0,
        holiday=0.5,
    )
    assert busy.tolist() == [2 * 7 * 11, 3 * 5 * 0.5]
    with pytest.raises(ValueError, match="weekday: expected 7"):
        calendar.weights(weekday=(1.0,))


def office() -> tuple[Calendar, Clock]:
    calendar = Calendar(date(2026, 1, 1), 364)
    hours = np.zeros((7, 24))
    hours[:5, 8:18] = np.arange(1, 11)
    hours[5:, 10:12] = 1.0
    busy = calendar.weights(weekday=(5, 5, 5, 5, 5, 2, 0))
    return calendar, Clock.over(busy, hours[calendar.weekday])


def test_times_follow_days_and_hours() -> None:
    calendar, clock = office()
    times = clock.draw(stream(3, "office"), 50_000)
    days, hours = times // DAY_US, times % DAY_US // HOUR_US
    per_weekday = np.bincount(calendar.weekday[days], minlength=7)
    assert per_weekday[6] == 0
    assert stats.chisquare(per_weekday[:6], 50_000 * np.array([5, 5, 5, 5, 5, 2]) / 27).pvalue > ALPHA
    weekday_hours = np.bincount(hours[calendar.weekday[days] < 5], minlength=24)
    assert weekday_hours[:8].sum() == 0
    assert weekday_hours[18:].sum() == 0
    assert stats.chisquare(weekday_hours[8:18], weekday_hours.sum() * np.arange(1, 11) / 55).pvalue > ALPHA
    assert stats.kstest(clock.share(times), "uniform").pvalue > ALPHA
    assert stats.kstest(times % HOUR_US / HOUR_US, "uniform").pvalue > ALPHA


def test_inversion_is_monotone_and_stays_inside() -> None:
    _, clock = office()
    u = np.append(np.linspace(0, 1, 10_001)[:-1], np.nextafter(1.0, 0.0))
    times = clock.at(u)
    assert (np.diff(times) >= 0).all()
    assert times.max() < clock.horizon_us
    assert np.abs(clock.share(times) - u).max() < 1e-9
    leading = Clock([0, 0, 1, 0])
    assert leading.at(np.array([0.0, 0.999999])).tolist() == [2 * HOUR_US, 3 * HOUR_US - 3600]


def test_events_are_a_poisson_process() -> None:
    _, clock = office()
    rates = np.linspace(0, 12, 8000)
    owner, times = clock.events(stream(3, "events"), rates)
    assert (np.diff(owner) >= 0).all()
    assert (np.diff(times)[np.diff(owner) == 0] >= 0).all()
    counts = np.bincount(owner, minlength=len(rates))
    # the counts' chi-square statistic is close to normal: 4 standard deviations, false alarm 6e-5
    busy = rates > 1
    score = ((counts - rates)[busy] ** 2 / rates[busy]).sum() - busy.sum()
    assert abs(score) < 4 * np.sqrt((2 + 1 / rates[busy]).sum())
    assert stats.kstest(clock.share(times), "uniform").pvalue > ALPHA
    # the first of n uniforms: P(U(1) <= x) = 1 - (1 - x)**n
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    lowest = 1 - (1 - clock.share(times[first])) ** counts[owner[first]]
    assert stats.kstest(lowest, "uniform").pvalue > ALPHA


def test_events_keep_to_their_window() -> None:
    _, clock = office()
    since = np.full(2000, 100 * DAY_US)
    until = np.full(2000, 200 * DAY_US)
    owner, times = clock.events(stream(3, "window"), np.full(2000, 20.0), since, until)
    assert times.min() >= 100 * DAY_US
    assert times.max() < 200 * DAY_US
    mean = 2000 * 20 * float(clock.share(200 * DAY_US) - clock.share(100 * DAY_US))
    assert abs(len(owner) - mean) < 4 * np.sqrt(mean)
    nobody, none = clock.events(stream(3, "window"), np.array([5.0]), np.array([DAY_US]), np.array([0]))
    assert len(nobody) == len(none) == 0


def test_clocks_refuse_what_cannot_run() -> None:
    with pytest.raises(ValueError, match="positive sum"):
        Clock([0.0, 0.0])
    with pytest.raises(ValueError, match=r"\(24,\) or \(3, 24\)"):
        Clock.over([1, 1, 1], np.ones(23))
    with pytest.raises(ValueError, match="every shape"):
        Clock.over([1, 1], np.zeros((2, 24)))
    assert (Clock.of_day(np.ones(24)).draw(stream(3, "day"), 100) < DAY_US).all()
