"""What flows are made of, and the drawer of a place's flows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from rarecase.common.clocks import Clock
from rarecase.common.seeds import Float64, Int64, stream
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.place import Place
from rarecase.finance.spec import FinanceSpec

if TYPE_CHECKING:
    from datetime import date

    from rarecase.finance.generate.travel import Away

_MOBILE = 0.7
#: By which ways people send each other money; a twelfth of it is for goods, a twelfth within the family.
_PERSONAL = {
    "mobile": 0.555,
    "web": 0.235,
    "family_mobile": 0.075,
    "goods_mobile": 0.06,
    "goods_web": 0.025,
    "branch_transfer": 0.03,
    "wage_mobile": 0.012,
    "wage_web": 0.008,
}
#: How much busier shops are from month to month: more before Christmas, less after it.
_SEASON = (0.95, 0.95, 0.98, 1.0, 1.0, 1.0, 0.99, 0.98, 0.98, 1.0, 1.05, 1.24)


@dataclass(frozen=True)
class Flow:
    """Payments of one kind, columns of one length; payer and payee are slots of the place.

    Attributes
    ----------
    second
        Seconds after the start at which it is ordered.
    amount
        Minor units.
    way
        Codes of the ways of paying.
    declined
        For attempts the reason, a position in `schema.DECLINE_REASONS`, -1 for payments; None: all payments.
    refers
        Position, among all flows of the place one after another, of the payment that each gives back, -1
        for none; None: none does.
    """

    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64
    way: NDArray[np.int8]
    declined: NDArray[np.int8] | None = None
    refers: Int64 | None = None


def flow(
    second: Int64, amount: Int64, payer: Int64 | int, payee: Int64 | int, way: str | NDArray[np.int8]
) -> Flow:
    """A flow from columns and constants; amounts below one unit are raised to it."""
    n = second.size
    code = np.full(n, data.ways().code(way), np.int8) if isinstance(way, str) else way
    return Flow(
        second,
        np.maximum(amount, 1),
        np.full(n, payer, np.int64) if isinstance(payer, int) else payer,
        np.full(n, payee, np.int64) if isinstance(payee, int) else payee,
        code,
    )


@lru_cache(maxsize=32)
def shopping_clock(start: date, days: int, rhythm: str) -> tuple[Clock, float]:
    """When shops of a rhythm are visited, and how much more often than in a usual season, over the data."""
    shape = data.rhythms()[rhythm]
    days_of_month = np.ones(31)
    if rhythm != "office":
        days_of_month[[24, 25, 26, 27, 28, 29, 30, 0, 1, 2]] = 1.22
    weigh = ground.calendar(start, days).weights
    holiday = 0.1 if rhythm == "office" else 0.7
    common = {"weekday": shape.weekdays.tolist(), "day_of_month": days_of_month.tolist(), "holiday": holiday}
    season = _SEASON if rhythm in ("day", "evening", "online") else (1.0,) * 12
    busy = weigh(month=season, **common)  # type: ignore[arg-type]
    return Clock.over(busy, shape.hours), float(busy.sum() / weigh(**common).sum())  # type: ignore[arg-type]


class Maker:
    """Draws the flows of one place.

    Parameters
    ----------
    spec, place
        The world, and the place.

    Attributes
    ----------
    months
        Length of the data in months.
    month
        Calendar month of each day, counted from the one in which the data begin.
    """

    def __init__(self, spec: FinanceSpec, place: Place) -> None:
        self.spec, self.place = spec, place
        self.slots = ground.slots(spec.block)
        self.months = spec.days / ground.MONTH_DAYS
        self.calendar = ground.calendar(spec.start, spec.days)
        month = (
            (np.datetime64(spec.start, "D") + np.arange(spec.days)).astype("datetime64[M]").astype(np.int64)
        )
        self.month = month - month[0]
        self.horizon = spec.days * ground.DAY_S
        self._away: Away | None = None

    @property
    def away(self) -> Away:
        """When the people of the place are on trips."""
        from rarecase.finance.generate.travel import away

        if self._away is None:
            self._away = away(self.spec, self.place.customers)
        return self._away

    def rng(self, *name: str | int) -> np.random.Generator:
        """The stream of a column of this place."""
        return stream(self.spec.seed, *name, self.place.part)

    def owners(self, name: str, monthly: Float64 | float) -> Int64:
        """Who pays, once per payment of a flow with so many a month: Poisson, by activity."""
        mean = monthly * self.months * self.place.activity
        return np.repeat(np.arange(self.place.n), self.rng(name, "number").poisson(mean))

    def seconds(self, name: str, rhythm: str, n: int) -> Int64:
        """Moments of a rhythm, in seconds after the start."""
        clock = ground.clock(self.spec.start, self.spec.days, rhythm)
        return np.asarray(clock.draw(self.rng(name, "time"), n) // ground.SECOND_US, np.int64)

    def monthly(
        self, name: str, day_of_month: Int64, move: Literal["next", "previous"] = "next"
    ) -> tuple[Int64, Int64]:
        """Row numbers and seconds of payments on a fixed day of each month, in the night's batch."""
        days = self.calendar.monthly(day_of_month, move)
        owner, month = np.nonzero(days >= 0)
        within = ground.batch().draw(self.rng(name, "time"), owner.size) // ground.SECOND_US
        return owner, days[owner, month] * ground.DAY_S + within

    def due(self, name: str, who: Int64, usual: Int64) -> Int64:
        """Days of the month on which something falls due for customers, numbers within the place."""
        return terms.due_day(self.spec, name, self.place.customers[who], usual)

    def weekly(self, name: str, n: int, rhythm: str) -> tuple[Int64, Int64]:
        """One payment per row and week, each at a moment of its rhythm."""
        weeks = max(round(self.spec.days / 7), 1)
        row = np.repeat(np.arange(n), weeks)
        return row, self.seconds(name, rhythm, row.size)

    def lognormal(self, name: str, n: int, median: Float64 | float, sd: float) -> Int64:
        """Amounts of a lognormal law."""
        normal = self.rng(name, "amount").standard_normal(n)
        return np.rint(median * np.exp(sd * normal)).astype(np.int64)

    def home(self, who: Int64, second: Int64) -> NDArray[np.bool_]:
        """Whether customers (numbers within the place) are not on a trip at these seconds."""
        return self.away.home(who, second)


@lru_cache(maxsize=1)
def _personal_guide() -> NDArray[np.int8]:
    edges = np.cumsum(list(_PERSONAL.values()))
    codes = np.array([data.ways().code(name) for name in _PERSONAL], np.int8)
    cells = (np.arange(1_000) + 0.5) / 1_000
    return codes[np.minimum(np.searchsorted(edges, cells), codes.size - 1)]


def personal_ways(u: Float64) -> NDArray[np.int8]:
    """Ways in which people pay each other, for uniforms in [0, 1)."""
    return _personal_guide()[(u * 1_000).astype(np.int64)]


def mobile_or_web(u: Float64) -> NDArray[np.int8]:
    """Ways of transfers for uniforms."""
    ways = data.ways()
    return np.where(u < _MOBILE, ways.code("mobile"), ways.code("web")).astype(np.int8)
