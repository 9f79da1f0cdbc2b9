"""House purchase, a look-alike: savings and a loan come together, and one very large sum leaves."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike


class HousePurchase(Lookalike):
    """One transfer that is larger than anything before, and has its papers."""

    title: ClassVar[str] = "House purchase"
    definition: ClassVar[str] = (
        "A customer with 13 monthly incomes' worth or more of own money (one to three payments from outside "
        "with purpose SAVG) gets a loan of 1.5 to 4 times that by a payment of type loan from a bank's "
        "branch, and within four days (difficulty 0) to fifteen (1) sends both together, in one transfer "
        "given at a branch, to the world outside (a notary). Nothing of it comes back."
    )
    source: ClassVar[str] = "Course of a house purchase with notary and mortgage; own figures"
    share: ClassVar[float] = 0.015
    per: ClassVar[str] = "entity-year"
    rate_source: ClassVar[str] = (
        "own choice, after some 600,000 homes sold a year among 40 million German households"
    )

    kind: Literal["house_purchase"] = "house_purchase"
    price: float = Field(default=80.0, gt=10, le=400, description="mean price in monthly incomes")

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Not students."""
        return np.asarray(ground.segment(spec.seed, entities) != ground.STUDENT, np.bool_)

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first money to the last."""
        return int(min((24 + 16 * self.difficulty) * DAY_S, spec.days * DAY_S / 2))

    def draw(self, on: Canvas) -> Footprint:
        """Own money, the loan, and the price."""
        price = on.incomes * self.price * np.exp(0.3 * on.normal("price")[:, 0] - 0.045)
        price = np.rint(np.maximum(price, on.incomes * 65.0) / 100_000) * 100_000
        loan = np.rint(price * (0.60 + 0.20 * on.one("loan")) / 10_000) * 10_000
        own = np.maximum(price - loan, 1)
        parts = on.whole("parts", 1, 3)
        weight = np.where(np.arange(3) < parts[:, None], 0.4 + on.u("part", 3), 0)
        weight /= weight.sum(axis=1, keepdims=True)
        span = self.span_s(on.spec)
        saved = on.within(on.onset, on.onset + span // 2, np.sort(on.u("saved", 3), axis=1), "office")
        home, part = on.account(on.homes), on.part(on.homes)
        on.pay(
            on.every[:, None], saved, np.rint(own[:, None] * weight).astype(np.int64) + 1,
            on.at(part, "world")[:, None], home[:, None], "release", "funding", where=weight > 0,
        )  # fmt: skip
        lent = on.within(
            np.maximum(on.last("funding"), on.onset) + HOUR_S,
            on.onset + span * 5 // 8,
            on.one("lent"),
            "office",
        )
        bank = (on.one("bank") * on.slots.banks_n).astype(np.int64)
        on.pay(
            on.every, lent, loan.astype(np.int64), on.at(part, "branches", bank), home,
            "loan_payout", "credit",
        )  # fmt: skip
        latest = int(min((4 + 11 * self.difficulty) * DAY_S, span * 3 // 8))
        # At a counter: on the business day that follows, while it is open.
        paid = on.within(lent + HOUR_S, lent + max(latest - 3 * DAY_S, DAY_S), on.one("paid"), "office")
        day = ground.calendar(on.spec.start, on.spec.days).business_day(paid // DAY_S + 1, "next")
        paid = day * DAY_S + 9 * HOUR_S + (8 * HOUR_S * on.one("counter")).astype(np.int64)
        on.pay(
            on.every, paid, price.astype(np.int64), home, on.at(part, "world"), "branch_transfer", "purchase"
        )
        return on.footprint(price=price.astype(np.int64), loan=loan.astype(np.int64))

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, own money and a loan of "
            f"{money(facts['loan'], facts['currency'])} came together, and "
            f"{money(facts['price'], facts['currency'])} went to a notary: somebody bought a house."
        )
