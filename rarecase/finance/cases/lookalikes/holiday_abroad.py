"""Holiday abroad, a look-alike: a card that is suddenly used far away, by its holder."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance import data
from rarecase.finance.cases import ground, opening
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike

_MOST, _ATTEMPTS = 40, 4
_JOURNEY_S = 30 * HOUR_S


class HolidayAbroad(Lookalike):
    """Weeks of card payments at one far place, with a journey before and after."""

    title: ClassVar[str] = "Holiday abroad"
    definition: ClassVar[str] = (
        "For 7 to 16 days all card-present payments and withdrawals of a customer are made at one other "
        "place, in another country if one deals with the home's: 18 to 40 of them (difficulty 0), 12 to 18 "
        "as on ordinary trips (1), on most of the days and at several shops. For 30 hours before and after, "
        "none is made at home, so that no journey is faster than an airliner; no transfer to a new payee "
        "belongs to it."
    )
    source: ClassVar[str] = "Travel as the classic false alarm of card monitoring; own figures"
    share: ClassVar[float] = 0.04
    per: ClassVar[str] = "entity-year"
    rate_source: ClassVar[str] = "own choice: beside ordinary trips, one customer in twenty-five a year"
    hint: ClassVar[str] = "A world of one place has no abroad: use smaller blocks."

    kind: Literal["holiday_abroad"] = "holiday_abroad"
    days: int = Field(default=11, ge=4, le=30, description="mean length in days")

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there is another place."""
        return np.full(entities.shape, ground.steps(spec.parts).size > 0)

    def span_s(self, spec: Spec) -> int:
        """Seconds from leaving to being back."""
        return int(min((1.5 * self.days + 3) * DAY_S, spec.days * DAY_S / 2))

    def draw(self, on: Canvas) -> Footprint:
        """Payments there, and none at home."""
        span = self.span_s(on.spec)
        length = np.rint(self.days * (0.64 + 0.8 * on.one("length"))).astype(np.int64) * DAY_S
        length = np.minimum(length, max(span - 2 * _JOURNEY_S, DAY_S))
        begin = on.onset + min(_JOURNEY_S, span // 4)
        end = begin + length
        there = self._where(on)
        number = on.whole("number", round(on.between(18, 12)), round(on.between(_MOST, 18)))
        used = np.arange(_MOST) < number[:, None]
        # Those that are not used stand last, so that the others fill the whole stay.
        when = on.within(begin, end, np.where(used, on.u("when", _MOST), 1.0), "day")
        steps = np.cumsum(5 * MINUTE_S + 50 * MINUTE_S * on.u("gap", _MOST) ** 2, axis=1).astype(np.int64)
        second = np.maximum.accumulate(np.sort(when, axis=1) - steps, axis=1) + steps
        part = np.broadcast_to(there[:, None], second.shape)
        shop = (on.u("shop", _MOST) * on.slots.merchants_n).astype(np.int64)
        for attempt in range(_ATTEMPTS):
            other = (on.u(f"shop-{attempt}", _MOST) * on.slots.merchants_n).astype(np.int64)
            shop = np.where(opening.is_open(on.spec, part, shop, second), shop, other)
        kinds = data.shops()
        never_closed = kinds.mcc.index("5541")
        shop = np.where(opening.is_open(on.spec, part, shop, second), shop, never_closed)
        kind = ground.shop_kinds(on.spec, part.ravel(), shop.ravel()).reshape(shop.shape)
        price = kinds.median_minor[kind] * np.exp(kinds.log_sd[kind] * on.normal("price", _MOST))
        amount = np.maximum(np.rint(price * on.scale[:, None]), 100).astype(np.int64)
        ways = data.ways()
        way = np.where(on.u("way", _MOST) < 0.66, ways.code("contactless"), ways.code("chip"))
        home = on.account(on.homes)
        cash = on.u("cash", _MOST) < 0.1
        inside = used & (second < end[:, None])
        on.pay(
            on.every[:, None], second, amount, home[:, None], on.at(part, "merchants", shop), way, "travel",
            where=inside & ~cash,
        )  # fmt: skip
        drawn = ground.cash_minor(on.u("notes", _MOST)) * np.maximum(np.rint(on.scale[:, None]), 1)
        on.pay(
            on.every[:, None], second, drawn.astype(np.int64), home[:, None], on.at(part, "cash"), "cash_out",
            "travel", where=inside & cash,
        )  # fmt: skip
        until = np.minimum(end + _JOURNEY_S, on.horizon)
        for kind_of_account in ("current", "card"):
            on.stop(
                on.every,
                on.account(on.homes, kind_of_account),
                np.maximum(begin - _JOURNEY_S, 0),
                until,
                "away",
            )
        return on.footprint(payments=on.number("travel"), spent=on.total("travel"), days=length // DAY_S)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, a customer on holiday paid {facts['payments']} times "
            f"far from home, {money(facts['spent'], facts['currency'])} in {facts['days']} days."
        )

    def _where(self, on: Canvas) -> Int64:
        """A place in another country if one deals with the home's place, else any that does."""
        steps = ground.steps(on.spec.parts)
        if steps.size == 0:
            return on.part(on.homes)
        places = (on.part(on.homes)[:, None] + steps) % on.spec.parts
        foreign = ground.country(on.spec, places) != ground.country(on.spec, on.part(on.homes))[:, None]
        score = on.u("where", steps.size) + 2.0 * foreign
        return np.asarray(places[on.every, score.argmax(axis=1)], np.int64)
