"""Refund abuse: money back for goods that were kept, more than they cost, or for no sale at all."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import opening
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud import buying
from rarecase.finance.cases.fraud.forwarding import exchanged

_MOST, _SEVERAL = 10, 4


class RefundAbuse(BankCase):
    """Refunds far above those of others: without a return, above the sale, or without one."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Refund abuse"
    definition: ClassVar[str] = (
        "A customer's card (current account) gets 4 to 9 refunds (payment_type card_refund) within 30 days "
        "(difficulty 0) to 90 days (1), of 1 merchant or of 2 to 4, each an hour to 9 days after a "
        "purchase of the card at the same merchant. About six in ten equal a purchase that they refer to, "
        "a quarter refer to one and are 8 to 60 % higher, the others refer to none; at least one of the "
        "refunds is of the second or third sort. At 0 the refunds come to at least half of what the card "
        "paid to these merchants in that time (four fifths, but for ordinary purchases there), and the goods "
        "are dear (electronics, clothing, department stores, travel agencies); at 1 nearly as many purchases "
        "again are not refunded, and most goods and prices are usual."
    )
    source: ClassVar[str] = (
        "National Retail Federation and Appriss Retail, Consumer Returns 2023 (return and claims fraud)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset({"transactions.refers_to", "transactions.mcc"})

    kind: Literal["refund_abuse"] = "refund_abuse"
    dearer: float = Field(
        default=2.0, ge=1, le=50, description="prices at difficulty 0 beside what such shops sell; expert"
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Customers who live on refunds."""
        return Natural(
            1e-3,
            "entity-year",
            "expert",
            "one customer in 1,000 a year: no published count of persons; the National Retail Federation "
            "(2023) puts some 14 % of the value of returns in shops down to fraud (from general knowledge)",
        )

    def span_s(self, spec: Spec) -> int:
        """Purchases and refunds."""
        return self._window_s(spec) + 9 * DAY_S

    def draw(self, on: Canvas) -> Footprint:
        """Purchases, and what is given back for them."""
        number = on.whole("number", 4, _MOST - 1)
        until = on.onset + self._window_s(on.spec)
        shop, kind = self._shops(on)
        way = buying.ways_at(on, "purchase", kind)
        amount = buying.ordinary_prices(on, "purchase", kind, on.homes, on.between(self.dearer, 1.0))
        amount = np.clip(amount, 500, np.maximum(on.bears // _MOST, 1_000)[:, None])
        second = buying.moments(on, "purchase", on.onset, until, way, shop, gap_s=20 * MINUTE_S)
        account = np.broadcast_to(on.account(on.homes)[:, None], second.shape)
        row = on.pay(
            on.every[:, None], second, amount, account, shop, way, "purchase", tainted=0,
            where=np.arange(_MOST) < number[:, None],
        )  # fmt: skip
        self._more(on, shop, kind, until)
        back, higher, without = self._refunds(on, row, second, amount, shop, account)
        reported, detected = on.noticed(
            on.last("refund"), told=0.25, hours=14 * 24.0, found=0.2, found_hours=20 * 24.0
        )
        return on.footprint(
            reported=reported, detected=detected, loss=back, borne_by="merchant", total=back,
            purchases=number,
            refunds=on.number("refund"), higher=higher, without=without,
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, a customer got {facts['refunds']} refunds of "
            f"{money(facts['total'], facts['currency'])} in all, {facts['higher']} of them above the sale "
            "and "
            f"{facts['without']} without one."
        )

    def _window_s(self, spec: Spec) -> int:
        return int(
            min(21 * 3.8**self.difficulty, spec.days / 2 - 9 if spec.days > 40 else spec.days / 4) * DAY_S
        )

    def _shops(self, on: Canvas) -> tuple[Int64, Int64]:
        """The shop of each purchase: one for half of the cases, else two to four in turn."""
        few, kinds = buying.where_bought(on, "shop", on.homes, _SEVERAL, "dear", 1.0)
        usual, usual_kinds = buying.where_bought(on, "usual-shop", on.homes, _SEVERAL, "any", 1.0)
        plain = on.u("usual", _SEVERAL) < 0.8 * on.ordinary
        few, kinds = np.where(plain, usual, few), np.where(plain, usual_kinds, kinds)
        several = np.where(on.one("one-shop") < 0.5, 1, on.whole("several", 2, _SEVERAL))
        which = np.arange(_MOST) % several[:, None]
        return few[on.every[:, None], which], kinds[on.every[:, None], which]

    def _more(self, on: Canvas, shop: Int64, kind: Int64, until: Int64) -> None:
        """The harder, the more purchases that are not given back."""
        way = buying.ways_at(on, "kept", kind)
        amount = buying.ordinary_prices(on, "kept", kind, on.homes)
        amount = np.clip(amount, 100, np.maximum(on.bears // _MOST, 1_000)[:, None])
        second = buying.moments(on, "kept", on.onset, until, way, shop, gap_s=20 * MINUTE_S)
        on.pay(
            on.every[:, None], second, amount, on.account(on.homes)[:, None], shop, way, "own_use", tainted=0,
            where=on.u("keeps", _MOST) < 0.8 * on.difficulty,
        )  # fmt: skip

    def _refunds(
        self, on: Canvas, row: Int64, second: Int64, amount: Int64, shop: Int64, account: Int64
    ) -> tuple[Int64, Int64, Int64]:
        """What came back per case; how many refunds were above the sale, and how many without one."""
        u = on.u("refund-kind", _MOST)
        # The first one is never an honest sum.
        u[:, 0] = 0.6 + 0.4 * u[:, 0]
        higher, without = (u >= 0.6) & (u < 0.85), u >= 0.85
        times = np.where(higher, 1.08 + 0.52 * on.u("refund-more", _MOST), 1.0)
        sum_ = np.asarray(amount * np.where(without, 0.5 + on.u("refund-any", _MOST), times), np.int64)
        theirs = exchanged(on, second, np.maximum(sum_, 100), account, shop)
        wait = HOUR_S + (on.u("refund-wait", _MOST) ** 1.5 * 8 * DAY_S).astype(np.int64)
        begin = second + wait
        when = on.within(begin, begin + 10 * HOUR_S, on.u("refund-hour", _MOST), "day")
        opened = opening.while_open(on.spec, shop, when)
        when = np.where(opened < begin, opened + DAY_S, opened)
        when = np.where(begin >= on.horizon, on.horizon, when)
        # Where nothing was bought nothing is given back; what refers to no sale says so.
        told = on.pay(
            on.every[:, None], when, theirs, shop, account, "card_refund", "refund",
            refers=np.where(without, USUAL, row), where=row >= 0,
        )  # fmt: skip
        real = told >= 0
        back = exchanged(on, np.clip(when, 0, on.horizon - 1), theirs, shop, account)
        return (
            np.asarray(np.where(real, back, 0).sum(axis=1), np.int64),
            (real & higher).sum(axis=1).astype(np.int64),
            (real & without).sum(axis=1).astype(np.int64),
        )
