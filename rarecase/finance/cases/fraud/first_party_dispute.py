"""First-party dispute: the holder buys, and then says it was somebody else."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint, moment
from rarecase.finance.cases.fraud import buying
from rarecase.finance.cases.fraud.forwarding import exchanged

_MOST, _OTHERS = 5, 4


class FirstPartyDispute(BankCase):
    """The genuine holder, on the own device, buys from afar again and again and disputes it afterwards."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "First-party dispute"
    definition: ClassVar[str] = (
        "With the own card, on a device first seen before the data or used for other payments too, a "
        "customer makes 2 to 5 remote card payments (is_remote, channel ecommerce), nearly always at 2 or "
        "more merchants, within 25 days (difficulty 0) to 75 days (1), and each of them is charged back in "
        "full (payment_type chargeback, refers_to the purchase, what the shop got goes back to the account "
        "that paid, at the rate of that day) 4 to 40 days after it. At 0 the goods are dear (1.6 times and "
        "more what such shops usually sell), at 1 they cost what is usual, and up to 4 other remote "
        "purchases at such shops are not disputed."
    )
    source: ClassVar[str] = (
        "Visa, Compelling Evidence 3.0 (2023); Merchant Risk Council, 2024 (first-party misuse)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        f"transactions.{column}"
        for column in (
            "is_remote",
            "channel",
            "entry_mode",
            "authentication",
            "three_ds",
            "device_id",
            "ip_id",
            "mcc",
        )
    ) | frozenset({"transactions.purpose", "transactions.card_id", "transactions.terminal_id"})

    kind: Literal["first_party_dispute"] = "first_party_dispute"
    dearer: float = Field(
        default=2.6, ge=1, le=50, description="prices at difficulty 0 beside what such shops sell; expert"
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Holders who dispute their own purchases again and again."""
        return Natural(
            1.5e-3,
            "entity-year",
            "expert",
            "1.5 in 1,000 customers a year: from general knowledge, some 0.5 % of remote card payments are "
            "disputed where they are most, and card schemes call a good part of that first-party misuse; no "
            "published count of holders who do it repeatedly",
        )

    def span_s(self, spec: Spec) -> int:
        """From the first purchase to the last dispute."""
        return self._window_s(spec) + self._wait_s(spec) + 4 * DAY_S

    def draw(self, on: Canvas) -> Footprint:
        """Purchases that are disputed, and some that are not."""
        number = on.whole("number", 2, _MOST)
        until = on.onset + self._window_s(on.spec)
        row, second, amount, shop = self._buy(on, "disputed", _MOST, number, until, "purchase")
        others = np.rint(on.difficulty * on.whole("others", 0, _OTHERS)).astype(np.int64)
        self._buy(on, "other", _OTHERS, others, until, "own_use")
        back, first = self._dispute(on, row, second, amount, shop)
        _, detected = on.noticed(
            np.where(back.sum(axis=1) > 0, on.last("dispute"), on.horizon), told=0.0, hours=1.0, found=0.35,
            found_hours=10 * 24.0,
        )  # fmt: skip
        return on.footprint(
            reported=moment(first - HOUR_S, on.horizon), detected=detected,
            loss=back.sum(axis=1), borne_by="merchant", purchases=(row >= 0).sum(axis=1),
            disputes=(back > 0).sum(axis=1), total=back.sum(axis=1),
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, a customer bought {facts['purchases']} times from afar "
            f"and disputed it, and got {money(facts['total'], facts['currency'])} back for "
            f"{facts['disputes']} genuine "
            "purchases."
        )

    def _window_s(self, spec: Spec) -> int:
        return int(min(25 * 3.0**self.difficulty, spec.days / 4) * DAY_S)

    def _wait_s(self, spec: Spec) -> int:
        return int(min(34, spec.days / 5) * DAY_S)

    def _buy(
        self, on: Canvas, what: str, width: int, number: Int64,
        until: Int64, role: str,
    ) -> tuple[Int64, ...]:  # fmt: skip
        shop, kind = buying.where_bought(on, what, on.homes, width, "remote")
        amount = buying.ordinary_prices(on, what, kind, on.homes, on.between(self.dearer, 1.0))
        amount = np.minimum(amount, np.maximum(on.bears // _MOST, 2_000)[:, None])
        way = buying.ways_at(on, what, kind, np.ones(kind.shape, np.bool_))
        second = buying.moments(on, what, on.onset, until, way, shop, gap_s=20 * 60)
        used = np.arange(width) < number[:, None]
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            on.account(on.homes)[:, None],
            shop,
            way,
            role,
            tainted=0,
            where=used,
        )
        return row, second, amount, shop

    def _dispute(
        self, on: Canvas, row: Int64, second: Int64,
        amount: Int64, shop: Int64,
    ) -> tuple[Int64, Int64]:  # fmt: skip
        """Each purchase is charged back; what came back of each, and when the first dispute is."""
        account = np.broadcast_to(on.account(on.homes)[:, None], row.shape)
        wait = 4 * DAY_S + (on.u("dispute-wait", _MOST) * self._wait_s(on.spec)).astype(np.int64)
        hours = (9 * HOUR_S + 9 * HOUR_S * on.u("dispute-hour", _MOST)).astype(np.int64)
        when = (second + wait) // DAY_S * DAY_S + hours
        # The merchant gives back what it got, in its own currency.
        theirs = exchanged(on, second, amount, account, shop)
        told = on.pay(
            on.every[:, None],
            when,
            theirs,
            shop,
            account,
            "chargeback",
            "dispute",
            refers=row,
            where=row >= 0,
        )
        back = exchanged(on, np.clip(when, 0, on.horizon - 1), theirs, shop, account)
        return np.where(told >= 0, back, 0), np.where(told >= 0, when, on.horizon).min(axis=1)
