"""Days on which money in a currency is settled between banks.

TARGET, CHAPS, Fedwire, RITS and CERTIS rest at weekends and on the days below. One-off holidays are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

_MONDAY, _THURSDAY = 0, 3


def settlement(day: date, currency: str) -> date:
    """The day itself or the next one on which the currency's system settles."""
    while day.weekday() > 4 or day in holidays(day.year, currency):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=256)
def holidays(year: int, currency: str) -> frozenset[date]:
    """Days of a year on which the currency's system rests although it is no weekend."""
    return frozenset(_SYSTEMS[currency](year))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, rest = divmod(year, 100)
    leap, over = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * (year % 19) + century - leap - correction + 15) % 30
    sunday = (32 + 2 * over + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (year % 19 + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _around_easter(year: int) -> set[date]:
    return {easter(year) - timedelta(days=2), easter(year) + timedelta(days=1)}


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th such weekday of a month; n = -1 is the last one."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _moved(*days: date) -> set[date]:
    """Holidays of which those on a weekend are kept on the next free working day."""
    found: set[date] = set()
    for day in sorted(days):
        while day.weekday() > 4 or day in found:
            day += timedelta(days=1)
        found.add(day)
    return found


def _target(year: int) -> set[date]:
    return {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26), *_around_easter(year)}


def _chaps(year: int) -> set[date]:
    """Bank holidays of England and Wales (Banking and Financial Dealings Act 1971)."""
    mondays = {_nth(year, 5, _MONDAY, 1), _nth(year, 5, _MONDAY, -1), _nth(year, 8, _MONDAY, -1)}
    christmas = _moved(date(year, 12, 25), date(year, 12, 26))
    return _moved(date(year, 1, 1)) | mondays | christmas | _around_easter(year)


def _fedwire(year: int) -> set[date]:
    """Holidays of the Federal Reserve; one on a Sunday is kept on Monday, one on a Saturday not at all."""
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    kept = {day + timedelta(days=day.weekday() == 6) for day in fixed}
    return kept | {
        _nth(year, 1, _MONDAY, 3),
        _nth(year, 2, _MONDAY, 3),
        _nth(year, 5, _MONDAY, -1),
        _nth(year, 9, _MONDAY, 1),
        _nth(year, 10, _MONDAY, 2),
        _nth(year, 11, _THURSDAY, 4),
    }


def _rits(year: int) -> set[date]:
    """Holidays on which banks rest in Sydney and nationally."""
    kept = (
        _moved(date(year, 1, 1)) | _moved(date(year, 1, 26)) | _moved(date(year, 12, 25), date(year, 12, 26))
    )
    mondays = {_nth(year, 6, _MONDAY, 2), _nth(year, 10, _MONDAY, 1)}
    return kept | {date(year, 4, 25)} | mondays | _around_easter(year)


def _certis(year: int) -> set[date]:
    """Public holidays of Czechia (Act 245/2000)."""
    fixed = (
        (1, 1),
        (5, 1),
        (5, 8),
        (7, 5),
        (7, 6),
        (9, 28),
        (10, 28),
        (11, 17),
        (12, 24),
        (12, 25),
        (12, 26),
    )
    return {date(year, month, day) for month, day in fixed} | _around_easter(year)


_SYSTEMS: dict[str, Callable[[int], set[date]]] = {
    "EUR": _target,
    "GBP": _chaps,
    "USD": _fedwire,
    "AUD": _rits,
    "CZK": _certis,
}
