"""When things happen: calendars of business days and clocks whose pace follows day and hour.

All times are int64 microseconds after midnight (UTC) of the first day; all days are int64 numbers, the first
is 0. A clock is an inhomogeneous Poisson process with an intensity that is constant within each bin (an hour,
unless told otherwise). Events are drawn by inverting the cumulative intensity (Çinlar 1975), which takes
nothing but sums and products and so gives the same bytes on every processor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarecase.common.compiled import compiled
from rarecase.common.draws.ragged import offsets

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_MARGIN = 62  # days known on either side, so that a pay-day may move across the horizon's edge


@compiled
def _invert(edges: FloatArray, guide: IntArray, u: FloatArray, width: int, out: IntArray) -> None:
    last, steps = edges.size - 2, guide.size
    for n in range(u.size):
        b = guide[min(int(u[n] * steps), steps - 1)]
        while b < last and edges[b + 1] <= u[n]:
            b += 1
        share = (u[n] - edges[b]) / (edges[b + 1] - edges[b])
        out[n] = b * width + min(int(share * width), width - 1)


@compiled
def _ordered_uniforms(
    counts: IntArray, spacings: FloatArray, low: FloatArray, span: FloatArray, owner: IntArray, u: FloatArray
) -> None:
    at, taken = 0, 0
    for i in range(counts.size):
        first, running = at, 0.0
        for _ in range(counts[i]):
            running += spacings[taken]
            taken += 1
            owner[at] = i
            u[at] = running
            at += 1
        running += spacings[taken]
        taken += 1
        for j in range(first, at):
            u[j] = low[i] + span[i] * (u[j] / running)


class Calendar:
    """The days of a horizon, with weekends and given holidays.

    Parameters
    ----------
    start
        The first day.
    days
        How many days, at least 1.
    holidays
        Dates without business; dates outside the horizon are welcome, they matter where a pay-day moves.

    Attributes
    ----------
    weekday, day_of_month, month : int64[days]
        Monday is 0; days and months count from 1.
    month_end, holiday, business : bool[days]
    """

    def __init__(self, start: date, days: int, holidays: Iterable[date] = ()) -> None:
        if days < 1:
            raise ValueError(f"days={days}: expected at least 1")
        self.start, self.days = start, days
        first = np.datetime64(start, "D") - _MARGIN
        dates = first + np.arange(days + 2 * _MARGIN)
        months = dates.astype("datetime64[M]")
        free = np.array(sorted(set(holidays)), "datetime64[D]")
        weekday = (dates.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        working = (weekday < 5) & ~np.isin(dates, free)
        numbers = np.arange(len(dates), dtype=np.int64) - _MARGIN
        self._previous = np.maximum.accumulate(np.where(working, numbers, -_MARGIN))
        self._next = np.minimum.accumulate(np.where(working, numbers, days + _MARGIN)[::-1])[::-1]
        inner = slice(_MARGIN, _MARGIN + days)
        self.weekday = weekday[inner]
        self.day_of_month = ((dates - months).astype(np.int64) + 1)[inner]
        self.month = (months.astype(np.int64) % 12 + 1)[inner]
        self.month_end = ((dates + 1).astype("datetime64[M]") != months)[inner]
        self.holiday = np.isin(dates, free)[inner]
        self.business = working[inner]

    def day(self, when: date) -> int:
        """The number of a date, which may lie outside the horizon."""
        return (when - self.start).days

    def date(self, day: int) -> date:
        """The date of a day number."""
        return self.start + timedelta(days=int(day))

    def business_day(self, days: IntArray, move: Literal["previous", "next"] = "previous") -> IntArray:
        """Each day itself if it is a business day, otherwise the previous or next one.

        The result may lie up to some days outside the horizon.

        Raises
        ------
        ValueError
            If a day lies more than 62 days outside the horizon.
        """
        given = np.asarray(days, np.int64)
        if given.size and (given.min() < -_MARGIN or given.max() >= self.days + _MARGIN):
            raise ValueError(f"days: expected numbers from {-_MARGIN} to {self.days + _MARGIN - 1}")
        table = self._previous if move == "previous" else self._next
        return np.asarray(table[given + _MARGIN], np.int64)

    def monthly(
        self, day_of_month: ArrayLike, move: Literal["previous", "next", "none"] = "previous"
    ) -> IntArray:
        """The pay-days of each row: the n-th of every month, moved to a business day.

        Parameters
        ----------
        day_of_month : array_like of int, shape (n,)
            From 1 to 31; a month that has no such day uses its last one, so 31 is always the month's end.
        move
            Where a day without business goes.

        Returns
        -------
        int64[n, m]
            Ascending day numbers, one column per calendar month from the one before the start to the one
            after the end; -1 where the pay-day falls outside the horizon.

        Raises
        ------
        ValueError
            If a day of the month is not from 1 to 31.
        """
        wanted = np.asarray(day_of_month, np.int64)
        if wanted.size and (wanted.min() < 1 or wanted.max() > 31):
            raise ValueError("day_of_month: expected numbers from 1 to 31")
        start = np.datetime64(self.start, "D")
        low, high = start.astype("datetime64[M]") - 1, (start + self.days - 1).astype("datetime64[M]") + 1
        months = np.arange(low, high + 1)
        first = (months.astype("datetime64[D]") - start).astype(np.int64)
        length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
        due = first + np.minimum(wanted[:, None], length) - 1
        if move != "none":
            due = self.business_day(due, move)
        return np.asarray(np.where((due >= 0) & (due < self.days), due, -1), np.int64)

    def weights(
        self,
        *,
        weekday: Sequence[float] = (1.0,) * 7,
        day_of_month: Sequence[float] = (1.0,) * 31,
        month: Sequence[float] = (1.0,) * 12,
        month_end: float = 1.0,
        holiday: float = 1.0,
    ) -> FloatArray:
        """How busy each day is, as the product of its weights; float64[days].

        Parameters
        ----------
        weekday
            Seven weights from Monday.
        day_of_month
            Thirty-one weights.
        month
            Twelve weights from January.
        month_end, holiday
            Factors of the last day of a month and of holidays.

        Raises
        ------
        ValueError
            If a list has the wrong length.
        """
        lists = (("weekday", weekday, 7), ("day_of_month", day_of_month, 31), ("month", month, 12))
        for name, values, length in lists:
            if len(values) != length:
                raise ValueError(f"{name}: expected {length} weights, got {len(values)}")
        busy = np.asarray(weekday, np.float64)[self.weekday]
        busy = busy * np.asarray(day_of_month, np.float64)[self.day_of_month - 1]
        busy = busy * np.asarray(month, np.float64)[self.month - 1]
        busy = busy * np.where(self.month_end, month_end, 1.0) * np.where(self.holiday, holiday, 1.0)
        return np.asarray(busy, np.float64)


class Clock:
    """A clock that runs faster in some bins of time than in others.

    Parameters
    ----------
    weights : array_like of float, shape (bins,)
        Intensity of each bin, in any unit, at least 0 with a positive sum.
    width_us
        Length of a bin in microseconds.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are 0.
    """

    def __init__(self, weights: ArrayLike, width_us: int = HOUR_US) -> None:
        given = np.asarray(weights, np.float64).ravel()
        if not np.isfinite(given).all() or (given < 0).any() or not (given > 0).any():
            raise ValueError("weights: expected finite numbers of at least 0 with a positive sum")
        running = np.concatenate([[0.0], np.cumsum(given)])
        self.width_us, self.horizon_us = width_us, width_us * len(given)
        self._edges = running / running[-1]
        steps = np.arange(4 * len(given)) / (4 * len(given))
        self._guide = np.searchsorted(self._edges, steps, side="right").astype(np.int64) - 1
        self._last_busy = int(np.flatnonzero(given)[-1])
        self._guide = np.minimum(self._guide, self._last_busy)

    @classmethod
    def over(cls, day_weights: ArrayLike, hour_weights: ArrayLike) -> Clock:
        """A clock over days × hours.

        Parameters
        ----------
        day_weights : array_like of float, shape (days,)
            Such as :meth:`Calendar.weights`.
        hour_weights : array_like of float, shape (24,) or (days, 24)
            One shape for all days, or one per day, such as ``shapes[calendar.weekday]``. Each shape counts by
            its proportions only: it is scaled to sum 1, so that the day weights alone say how busy a day is.

        Raises
        ------
        ValueError
            If the shapes do not fit, or a shape has no positive weight.
        """
        days, hours = np.asarray(day_weights, np.float64), np.atleast_2d(np.asarray(hour_weights, np.float64))
        if hours.shape not in {(1, 24), (len(days), 24)} or days.ndim != 1:
            raise ValueError(f"hour_weights: expected the shape (24,) or ({len(days)}, 24)")
        total = hours.sum(axis=1, keepdims=True)
        if not (total > 0).all():
            raise ValueError("hour_weights: expected a positive weight in every shape")
        return cls(days[:, None] * (hours / total))

    @classmethod
    def of_day(cls, hour_weights: ArrayLike) -> Clock:
        """A clock over one day: ``days * DAY_US + clock.draw(rng, n)`` are times on given days."""
        return cls.over([1.0], hour_weights)

    def at(self, u: FloatArray) -> IntArray:
        """Microseconds for uniforms in [0, 1), ascending where ``u`` ascends: stateless."""
        out = np.empty(len(u), np.int64)
        edges = self._edges[: self._last_busy + 2]
        _invert(edges, self._guide, np.ascontiguousarray(u, np.float64), self.width_us, out)
        return out

    def draw(self, rng: np.random.Generator, n: int) -> IntArray:
        """``n`` independent times, unordered, int64 microseconds."""
        return self.at(rng.random(n))

    def share(self, until_us: ArrayLike) -> FloatArray:
        """The share of the whole intensity that lies before given times: the cumulative intensity, 0 to 1."""
        when = np.clip(np.asarray(until_us, np.float64) / self.width_us, 0.0, len(self._edges) - 1.0)
        return np.asarray(np.interp(when, np.arange(len(self._edges)), self._edges), np.float64)

    def events(
        self,
        rng: np.random.Generator,
        expected: ArrayLike,
        since_us: ArrayLike | None = None,
        until_us: ArrayLike | None = None,
    ) -> tuple[IntArray, IntArray]:
        """Poisson events of many owners at once, ordered by owner and time.

        Parameters
        ----------
        expected : array_like of float, shape (n,)
            Expected number of events of each owner over the whole horizon.
        since_us, until_us : array_like of int, shape (n,), optional
            The window in which each owner is active; the number of events shrinks accordingly.

        Returns
        -------
        owner : int64[k]
            Ascending row numbers of ``expected``.
        time_us : int64[k]
            Ascending within each owner, inside the window.
        """
        rates = np.asarray(expected, np.float64)
        low = np.zeros(len(rates)) if since_us is None else self.share(since_us)
        high = np.ones(len(rates)) if until_us is None else self.share(until_us)
        counts = rng.poisson(rates * np.maximum(high - low, 0.0)).astype(np.int64)
        owner, times = self.scatter(rng, counts, low, high)
        # the cumulative intensity is rounded, which may push an event a microsecond over the window's edge
        if since_us is not None:
            times = np.maximum(times, np.asarray(since_us, np.int64)[owner])
        if until_us is not None:
            times = np.minimum(times, np.asarray(until_us, np.int64)[owner] - 1)
        return owner, times

    def scatter(
        self, rng: np.random.Generator, counts: IntArray, low: FloatArray, high: FloatArray
    ) -> tuple[IntArray, IntArray]:
        """A given number of events per owner between shares of the intensity, ordered by owner and time.

        Given its number, the events of a Poisson process are independent draws; their order statistics come
        from exponential spacings, so nothing is sorted.

        Parameters
        ----------
        counts : int64[n]
        low, high : float64[n]
            Shares from :meth:`share`, 0 and 1 for the whole horizon.

        Returns
        -------
        owner, time_us : int64[sum of counts]
        """
        total = int(offsets(counts)[-1])
        owner, u = np.empty(total, np.int64), np.empty(total, np.float64)
        spacings = rng.standard_exponential(total + len(counts))
        _ordered_uniforms(np.ascontiguousarray(counts, np.int64), spacings, low, high - low, owner, u)
        return owner, self.at(u)
