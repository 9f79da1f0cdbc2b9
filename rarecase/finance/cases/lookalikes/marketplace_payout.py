"""Marketplace payout, a look-alike: many buyers pay one company, which pays many sellers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike, liked, near_people, orders

_BUYERS, _SELLERS, _WEEKS = 60, 14, 8


class MarketplacePayout(Lookalike):
    """Gather-scatter that is honest: a commission stays, and sellers are paid each week."""

    title: ClassVar[str] = "Marketplace payout"
    definition: ClassVar[str] = (
        "Over 3 to 8 weeks customers send a company's account 25 to 60 (difficulty 0) or 12 to 24 (1) "
        "transfers with purpose GDDS; on the first business day after the day on which a week ends (weeks of "
        "168 hours, from a moment of its own on) the company sends those of its 6 to 14 shops that sold "
        "something, all of its place, by business payment what was bought from each in that week, less one "
        "and the same commission of 8 to 15 %. The company belongs to the customer."
    )
    source: ClassVar[str] = "Pay-outs of marketplaces and payment institutions; commission by own choice"
    share: ClassVar[float] = 0.0004
    rate_source: ClassVar[str] = "own choice: one customer in 2,500 owns a marketplace"
    hint: ClassVar[str] = "Only owners of companies qualify, one customer in sixty: raise `size`."

    kind: Literal["marketplace_payout"] = "marketplace_payout"
    commission: float = Field(default=0.115, gt=0.01, lt=0.5, description="mean share that the company keeps")

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of companies that do not fail within the data."""
        return np.asarray(terms.company(spec, entities) >= 0, np.bool_)

    def span_s(self, spec: Spec) -> int:
        """Seconds until the last pay-out."""
        return int(min((7 * _WEEKS + 6) * DAY_S, spec.days * DAY_S / 2))

    def draw(self, on: Canvas) -> Footprint:
        """Purchases, then each week's pay-outs."""
        weeks = np.minimum(on.whole("weeks", 3, _WEEKS), max((self.span_s(on.spec) // DAY_S - 6) // 7, 1))
        own = np.maximum(ground.owned(on.spec, on.homes, "employers"), 0)
        company = on.at(on.part(on.homes), "employers", own)
        number = on.whole("buyers", round(on.between(25, 12)), round(on.between(_BUYERS, 24)))
        buys = np.arange(_BUYERS) < number[:, None]
        buyer = near_people(on, "buyer", _BUYERS, 1.0)
        second = on.within(on.onset, on.onset + 7 * DAY_S * weeks, on.u("when", _BUYERS), "online")
        size = 3_500 * on.scale[:, None] * np.exp(0.9 * on.normal("price", _BUYERS))
        amount = liked(size, on.u("liked", _BUYERS), 100)
        sellers = on.whole("sellers", 6, _SELLERS)
        seller = (on.u("seller", _BUYERS) * sellers[:, None]).astype(np.int64)
        row = on.pay(
            on.every[:, None], second, amount, on.account(buyer), company[:, None],
            orders(on, "way", _BUYERS, "goods_mobile", "goods_web"), "sale", where=buys,
        )  # fmt: skip
        sold = np.where(row >= 0, amount, 0)
        week = np.clip((second - on.onset[:, None]) // (7 * DAY_S), 0, _WEEKS - 1)
        first = (on.one("first-shop") * on.slots.merchants_n).astype(np.int64)
        kept = self.commission * (0.7 + 0.6 * on.one("commission"))
        self._payouts(on, company, first, sold, week, seller, kept)
        return on.footprint(
            buyers=on.number("sale"), sellers=sellers, sold=on.total("sale"), paid=on.total("payout")
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, {facts['buyers']} buyers paid a marketplace "
            f"{money(facts['sold'], facts['currency'])}, which paid its sellers "
            f"{money(facts['paid'], facts['currency'])} week by week and kept a commission."
        )

    def _payouts(
        self,
        on: Canvas,
        company: Int64,
        first: Int64,
        sold: Int64,
        week: Int64,
        seller: Int64,
        kept: NDArray[np.float64],
    ) -> None:
        calendar = ground.calendar(on.spec.start, on.spec.days)
        hour = on.u("hour", _WEEKS)
        for turn in range(_WEEKS):
            end = on.onset // DAY_S + 7 * (turn + 1)
            day = calendar.business_day(np.minimum(end + 1, on.spec.days + 20), "next")
            clock = ground.office().at(hour[:, turn]) // ground.SECOND_US
            for shop in range(_SELLERS):
                due = np.where((week == turn) & (seller == shop), sold, 0).sum(axis=1)
                payee = on.at(on.part(on.homes), "merchants", (first + shop) % on.slots.merchants_n)
                on.pay(
                    on.every, day * DAY_S + clock + 7 * shop, np.rint(due * (1 - kept)).astype(np.int64),
                    company, payee, "payout", "payout", where=(due > 0) & (day < on.spec.days),
                )  # fmt: skip
