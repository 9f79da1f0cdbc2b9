"""Romance scam: growing payments over weeks to somebody known from the internet only."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.common.spec import Spec
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.scams import (
    Scam,
    bring_savings,
    finish,
    growth,
    liked,
    mule_accounts,
    mules,
    new_payee_ways,
    noticed_so,
    room_s,
    send,
    share_of_days,
)

_MOST = 14


class AppRomance(Scam):
    """Trust first, then need: a ticket, a hospital, a fee, each dearer than the last."""

    title: ClassVar[str] = "Authorised push payment: romance scam"
    definition: ClassVar[str] = (
        "7 to 14 transfers go from one customer to a payee never paid before (in half as many cases as the "
        "difficulty says, the later half of them to a second one), spread over six weeks at difficulty 0 "
        "and ten at 1, or half the data if that is less; from 0.5 on the last of them may lie after the "
        "data. At difficulty 0 the last is at least 2.5 times the first and at least four in five are "
        "larger than the one before; at 1 they grow by 5 % a time on average. The payee, unless stopped "
        "before, passes on at least three quarters of each credit of 200 units or more within 24 hours (two "
        "days from 0.5 on), by cash withdrawals or by one transfer or wire (up to three at 1). Money that "
        "the account does not hold comes before the first payment from the victim's savings elsewhere: as a "
        "wire at 0, as payments of type business from 0.5 on. The bank is told weeks after the last "
        "payment, or never."
    )
    share: ClassVar[float] = 0.025
    reason: ClassVar[str] = "some 2.5 in 100 cases are romance scams (expert)"

    kind: Literal["app_romance"] = "app_romance"
    amount: float = Field(
        default=9_000.0, gt=10, le=1e6, description="mean loss of a victim in units of the currency"
    )

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The victim, who collects, and one mule or two."""
        u = keyed_uniform(spec.seed, ("case", self.label, "payees"), homes)
        return 3 + (u < 0.5 * self.difficulty).astype(np.int64)

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first payment to the last that is sure to lie within the data."""
        return room_s(spec, self.difficulty, 42 + 28 * self.difficulty)

    def draw(self, on: Canvas) -> Footprint:
        """Payments that grow, and what becomes of them."""
        number = 7 + keyed_integers(on.spec.seed, ("case", self.label, "number"), on.homes, _MOST - 6)
        span = share_of_days(on, 40, 68)
        # Regular enough to be a habit: each payment in its own stretch of the weeks.
        step = (np.arange(_MOST + 1) + 0.9 * on.u("when", _MOST + 1)) / number[:, None]
        since = on.onset[:, None] + (np.minimum(step, 1.1) * span).astype(np.int64)
        second = on.ascending(on.within(since, since + DAY_S // 2, on.u("hour", _MOST + 1)), 3_600)
        total = on.stolen("total", self.amount, 1, 0.6 + 0.8 * on.ordinary)
        weight = growth(on, "growth", number, _MOST, 1.35, 1.05)
        # The first is 25 units or more, so that the others can be seen to grow.
        total = np.maximum(total, 2_500.0 * on.scale[:, None] / weight[:, :1])
        amount = liked(on, "liked", total * weight)
        amount = np.where(np.arange(_MOST) < number[:, None], amount, 0)
        amount = bring_savings(on, amount, second[:, 0])
        amount = np.concatenate([amount, amount[:, -1:]], axis=1)
        at = np.minimum(number, _MOST)
        amount[on.every, at] = np.maximum(amount[on.every, at - 1], 100)
        which = (np.arange(_MOST + 1) * 2 >= number[:, None]).astype(np.int64)
        way = new_payee_ways(on, "way", _MOST + 1, ("mobile", "web", "family_mobile"), (0.6, 0.85, 1.0))
        got, refused = send(on, number, second, amount, mule_accounts(on, which), way)
        return finish(
            on,
            got,
            refused,
            told=0.6,
            hours=24 * on.between(14, 30),
            robbed=mules(on),
            total=got.paid.sum(axis=1),
            largest=got.paid.max(axis=1),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} to {said(spec, facts['last_second'])} a customer sent "
            f"{facts['payments']} payments to somebody met online, "
            f"{money(facts['total'], facts['currency'])} in all and "
            f"{money(facts['largest'], facts['currency'])} at most; {noticed_so(spec, facts)}."
        )
