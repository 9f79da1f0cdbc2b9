"""Hours of a kind of weather, to be drawn whole: nothing of an hour is changed, only which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.automotive.cases.attributes import Float, Int, group_of

if TYPE_CHECKING:
    from rarecase.common.spec import Spec


@dataclass(frozen=True)
class Hours:
    """Rows of the table of hours that are wanted, by the month and the quarter of the day they may stand in.

    Attributes
    ----------
    row, until
        Rows of the table, and hours counted up to and with each of them, (k,).
    first
        First of `row` for each month and quarter, and the number of all, (49,).
    """

    row: Int
    until: Float
    first: Int

    def there(self, spec: Spec, start: Int) -> NDArray[np.bool_]:
        """Whether there is such an hour at the season and time of day of episodes that begin at `start`."""
        group = group_of(spec, start)
        return np.asarray(self.first[group] < self.first[group + 1])

    def draw(self, spec: Spec, start: Int, u: Float) -> Int:
        """A row of the table for each episode, as often as it was an hour; there must be one."""
        group = group_of(spec, start)
        before = np.concatenate([[0.0], self.until])
        low, high = before[self.first[group]], before[self.first[group + 1]]
        place = np.searchsorted(self.until, low + u * (high - low), side="right")
        return np.asarray(self.row[np.minimum(place, self.first[group + 1] - 1)], np.int64)


def hours(least: dict[str, int], most: dict[str, int], *, any_quarter: bool = False) -> Hours:
    """The hours whose classes lie within limits, of the same month or one next to it.

    Parameters
    ----------
    least, most
        Lowest and highest class of some quantities of the table.
    any_quarter
        Whether an hour may stand in another quarter of the day than its own.
    """
    month, quarter = (data.numbers("weather_hours", name) for name in ("month", "quarter"))
    wanted = np.ones(month.size, np.bool_)
    for quantity, limit in least.items():
        wanted &= data.numbers("weather_hours", quantity) >= limit
    for quantity, limit in most.items():
        wanted &= data.numbers("weather_hours", quantity) <= limit
    group = np.arange(48)[:, None]
    apart = (month - 1 - group // 4 + 6) % 12 - 6
    mine = wanted & (np.abs(apart) <= 1) & (any_quarter | (quarter == group % 4))
    found, row = np.nonzero(mine)
    number = data.numbers("weather_hours", "hours")[row]
    return Hours(row, np.cumsum(number), np.searchsorted(found, np.arange(49)))
