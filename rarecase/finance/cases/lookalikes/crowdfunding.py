"""Crowdfunding, a look-alike: many small payments for one purpose, paid out, or given back."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import (
    Lookalike,
    arrives,
    first_time,
    liked,
    near_people,
    orders,
)

_MOST = 60


class Crowdfunding(Lookalike):
    """A burst of fan-in: a campaign that either reaches its aim or gives everything back."""

    title: ClassVar[str] = "Crowdfunding campaign"
    definition: ClassVar[str] = (
        "Within 8 days (difficulty 0) to 25 days (1), some 15 to 60 different people each send one small "
        "transfer (2 to 120 EUR at German prices) to one person. Then either (seven in ten) one to three "
        "days after the last 92 to 99 % of what arrived leaves by one transfer to a charity or shop, or "
        "within one to three days every sender gets back exactly what arrived from them."
    )
    source: ClassVar[str] = "Campaigns as on public platforms: many small gifts, all or nothing; own figures"
    share: ClassVar[float] = 0.003
    per: ClassVar[str] = "entity-year"
    rate_source: ClassVar[str] = "own choice: three persons in a thousand run such a campaign in a year"

    kind: Literal["crowdfunding"] = "crowdfunding"
    succeeds: float = Field(default=0.7, ge=0, le=1, description="share of campaigns that reach their aim")

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first gift to the payout."""
        return int(min((8 + 17 * self.difficulty + 6) * DAY_S, spec.days * DAY_S / 2))

    def draw(self, on: Canvas) -> Footprint:
        """Gifts, then the payout or what is given back."""
        number = on.whole("number", 18, _MOST)
        people = near_people(on, "giver", _MOST, 0.6)
        gives = (np.arange(_MOST) < number[:, None]) & first_time(people) & (people != on.homes[:, None])
        window = int(self.span_s(on.spec) * (8 + 17 * self.difficulty) / (14 + 17 * self.difficulty))
        # Campaigns begin with friends and end with a rush.
        u = on.u("when", _MOST)
        u = np.where(on.u("rush", _MOST) < 0.3, 1 - 0.15 * u, u)
        second = on.within(on.onset, on.onset + window, u)
        scale = ground.scale_of(on.spec, people)
        size = np.clip(1_800 * np.exp(0.8 * on.normal("gift", _MOST)), 250, 11_750) * scale
        amount = liked(size, on.u("liked", _MOST))
        row = on.pay(
            on.every[:, None], second, amount, on.account(people), on.account(on.homes)[:, None],
            orders(on, "way", _MOST, "donation_mobile", "web"), "donation", where=gives,
        )  # fmt: skip
        got = np.where(row >= 0, arrives(on, second, amount, people, on.homes[:, None]), 0)
        came = got.sum(axis=1)
        last = np.maximum(on.last("donation"), 0)
        good = on.one("succeeds") < self.succeeds
        cause = on.at(
            on.part(on.homes), "charities", (on.one("cause") * on.slots.charities_n).astype(np.int64)
        )
        shop = on.at(on.part(on.homes), "merchants", (on.one("shop") * on.slots.merchants_n).astype(np.int64))
        kept = 0.92 + 0.07 * on.one("kept")
        on.pay(
            on.every, on.within(last + DAY_S, last + 3 * DAY_S, on.one("payout")),
            np.rint(came * kept).astype(np.int64), on.account(on.homes),
            np.where(on.one("to") < 0.5, cause, shop), orders(on, "payout-way", 1)[:, 0], "payout",
            where=good,
        )  # fmt: skip
        # Who gives back does so in one sitting, order by order.
        sitting = on.within(last + DAY_S, last + 3 * DAY_S - 2 * HOUR_S, on.one("back"))
        back = sitting[:, None] + np.cumsum(15 + 75 * on.u("typed", _MOST) ** 2, axis=1).astype(np.int64)
        on.pay(
            on.every[:, None], back, got, on.account(on.homes)[:, None], on.account(people),
            orders(on, "back-way", 1), "refund", refers=row, where=(row >= 0) & ~good[:, None],
        )  # fmt: skip
        return on.footprint(givers=on.number("donation"), total=came, succeeded=good.astype(np.int64))

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        end = "it was paid out to its cause" if facts["succeeded"] else "all of it was given back"
        return (
            f"From {said(spec, facts['started'])} on, {facts['givers']} people gave "
            f"{money(facts['total'], facts['currency'])} to a campaign; {end}."
        )
