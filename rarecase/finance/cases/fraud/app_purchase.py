"""Purchase scam: buyers pay a seller whom they do not know, and the goods never arrive."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.forwarding import of_each
from rarecase.finance.cases.fraud.scams import Scam, finish, new_payee_ways, noticed_so, send, share_of_days

#: Positions of who is no victim: who collects, and the seller.
_COLLECTOR, _SELLER = 1, 2
_GOODS = ("goods_mobile", "goods_web", "mobile", "web")


class AppPurchase(Scam):
    """A seller of what does not exist: paid by transfer, emptied at once."""

    title: ClassVar[str] = "Authorised push payment: purchase scam"
    definition: ClassVar[str] = (
        "Several customers (3 to 6 at difficulty 0, 1 to 4 at 1) who never paid a seller before pay it one "
        "transfer each within 14 days (0) to 21 days (1), or half the data if that is less. At difficulty 0 "
        "each transfer has the purpose GDDS; at 1 nearly two thirds of them say OTHR like other payments "
        "between people. Sums are tens to hundreds (mean some 600 units). Unless its account is stopped "
        "first, the seller's account passes on at least three quarters of each credit of 200 units or more "
        "within 24 hours after it came (two days from 0.5 on), by cash withdrawals or by one transfer or "
        "wire (up to three at 1). Nothing is sent. A buyer tells the bank after a week in the median, or "
        "never."
    )
    share: ClassVar[float] = 0.70
    reason: ClassVar[str] = (
        "seven in ten cases are purchase scams, with 2.5 to 4.5 victims of one seller (own choice)"
    )

    kind: Literal["app_purchase"] = "app_purchase"
    amount: float = Field(
        default=600.0,
        gt=1,
        le=1e5,
        description="mean price in units of the currency; published: some 2,420 GBP over all forms (2024)",
    )

    def victims(self, spec: Spec, homes: Int64) -> Int64:
        """Buyers of each seller, the home included."""
        low = round(3 - 2 * self.difficulty)
        return low + keyed_integers(spec.seed, ("case", self.label, "victims"), homes, 4)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Buyers, the seller, and who collects."""
        return 2 + np.minimum(self.victims(spec, homes), max(spec.size // 8, 1))

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """The seller too lives where the home does, and so near all other buyers."""
        away = super()._distances(spec, homes, widest)
        away[:, :_SELLER] = 0
        return away

    def natural(self, spec: Spec) -> Any:
        """Victims a year and customer, told as sellers."""
        found = super().natural(spec)
        assert found is not None
        mean = float(self.victims(spec, np.arange(4096)).mean())
        return type(found)(found.value / mean, found.per, found.evidence, found.source, found.counts)

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first payment to the last."""
        return int(min(14 + 7 * self.difficulty, spec.days / 2) * ground.DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """Buyers pay, the seller empties the account."""
        number = on.placement.members - 2
        width = int(number.max()) + 1
        buyers = np.concatenate([on.homes[:, None], on.placement.entities[:, 3:], on.homes[:, None]], axis=1)
        buyers = np.where((np.arange(width) < number[:, None]) & (buyers >= 0), buyers, on.homes[:, None])
        # At difficulty 1 a seller with one buyer is paid at once; the others wait for their turn.
        span = share_of_days(on, 13, 20)
        second = on.within(on.onset, on.onset + span, on.u("when", width))
        second = on.ascending(second, 600)
        income, scale = of_each(ground.income_minor, on.spec, buyers), ground.scale_of(on.spec, buyers)
        amount = ground.stolen_minor(
            on.u("price", width), on.u("price-round", width), income, self.amount, on.between(0.9, 1.5), scale
        )
        held = of_each(ground.opening_minor, on.spec, buyers) + of_each(
            ground.overdraft_minor, on.spec, buyers
        )
        amount = np.minimum(amount, np.maximum(held // 2, 1_000))
        goods = 1 - 0.65 * on.ordinary
        way = new_payee_ways(on, "way", width, _GOODS, (0.7 * goods, goods, goods + 0.7 * (1 - goods), 1.0))
        seller = np.broadcast_to(on.account(on.members(_SELLER))[:, None], amount.shape)
        got, refused = send(on, number, second, amount, seller, way, payer=on.account(buyers), refused=0.06)
        return finish(
            on,
            got,
            refused,
            told=0.75,
            hours=24 * on.between(5, 8),
            robbed=[on.members(_SELLER)],
            victims=number,
            total=got.paid.sum(axis=1),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        who = "One buyer" if facts["victims"] == 1 else f"{facts['victims']} buyers"
        return (
            f"{who} paid a seller of goods that never came {money(facts['total'], facts['currency'])} in "
            f"all, from {said(spec, facts['started'])} to {said(spec, facts['last_second'])}; "
            f"{noticed_so(spec, facts)}."
        )
