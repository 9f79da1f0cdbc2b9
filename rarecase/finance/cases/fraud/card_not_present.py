"""Card-not-present fraud: a stolen card number shops from afar."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud.cards import (
    EEA,
    REMOTE,
    Paid,
    bearer,
    cases_a_year,
    give_back,
    kinds_of_shops,
    loss,
    prices,
    refusals,
    shop_places,
    shops,
    stop_cards,
)
from rarecase.finance.schema import DECLINE_REASONS, THREE_DS

_MOST = 9
_BLOCKED = DECLINE_REASONS.index("blocked_card")
_BOOKED = 4.4


class CardNotPresent(BankCase):
    """Somebody buys what can be sold on, with a number that was stolen, until the card is stopped."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Card-not-present fraud"
    definition: ClassVar[str] = (
        "A stolen card number is used from afar (is_remote: ecommerce, mail order, or a stored credential) "
        "5 to 9 times at difficulty 0, 3 to 7 times at 1, at three shops or more, within 3 hours (0) to 3 "
        "days (1) of the first use, attempts that were declined included. E-commerce orders come from a "
        "device first seen within an hour before the first use and from a hosting network. One attempt in "
        "six is refused (wrong_code, suspected_fraud, limit_exceeded); what is tried after the card was "
        "stopped is refused as blocked_card. The card is replaced 3 to 9 days after the bank knows."
    )
    source: ClassVar[str] = (
        "EBA and ECB, Report on payment fraud, December 2025 (remote card payments); UK Finance, Annual "
        "Fraud Report 2025 (remote purchase fraud)"
    )
    reveals: ClassVar[frozenset[str]] = REMOTE

    kind: Literal["card_not_present"] = "card_not_present"
    dearer: float = Field(
        default=1.5,
        gt=0,
        le=100,
        description="how much dearer the purchases are than others in such shops; published: 1.45 "
        "(credit) to 1.97 (debit), Federal Reserve Payments Study 2016",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Cases a year and customer, by this kind's share of fraudulent card payments."""
        return Natural(
            cases_a_year("card_not_present", _BOOKED),
            "entity-year",
            "expert",
            f"{EEA}; 62 % of them by count here, {_BOOKED} booked per case (own choice)",
        )

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first use to the last."""
        return int(min(1 + 3 * self.difficulty, spec.days / 2) * DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """Purchases from afar, and how they end."""
        low, high = round(5 - 2 * self.difficulty), round(9 - 2 * self.difficulty)
        number = low + keyed_integers(on.spec.seed, ("case", self.label, "number"), on.homes, high - low + 1)
        window = int(on.between(2.9, 70) * HOUR_S)
        begin = on.paced(on.onset, on.onset + DAY_S, on.one("begin"), "online")
        u = np.sort(on.u("when", _MOST), axis=1)
        u[:, 0] = 0.0
        second = on.ascending(on.paced(begin, begin + window, u, "online"), 40)
        real = np.arange(_MOST) < number[:, None]
        paid = self._purchases(on, second, real)
        on.device(
            on.every, on.homes, np.maximum(begin - (60 + 3_000 * on.one("device") ** 2).astype(np.int64), 0)
        )
        on.network(on.every)
        ends = np.where(real, second, -1).max(axis=1)
        reported, detected = self._seen(on, second)
        known = np.minimum(reported, detected)
        stop_cards(on, on.homes, known)
        merchant, bank = give_back(on, paid, known, disputed=0.55)
        taken = loss(on, paid)
        return on.footprint(
            reported=reported,
            detected=detected,
            loss=taken,
            reimbursed=np.minimum(merchant + bank, taken),
            borne_by=bearer(merchant, bank),
            payments=(paid.row >= 0).sum(axis=1),
            attempts=number,
            total=taken,
            last_second=np.minimum(ends, on.horizon - 1),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        known = min(facts["reported"], facts["detected"])
        end = (
            f"the card was stopped at {said(spec, known)}"
            if known != NEVER
            else "nobody reported or stopped it within the data"
        )
        return (
            f"From {said(spec, facts['started'])} to {said(spec, facts['last_second'])} a stolen card "
            f"number was tried {facts['attempts']} times from afar and bought for "
            f"{money(facts['total'], facts['currency'])} in {facts['payments']} payments; {end}."
        )

    def _seen(self, on: Canvas, second: Int64) -> tuple[Int64, Int64]:
        """The bank's own eye is quick, the customer reads a statement; the third use is the first seen."""
        return on.noticed(second[:, 2], told=0.92, hours=on.between(20, 72), found=0.4, found_hours=6)

    def _purchases(self, on: Canvas, second: Int64, real: Any) -> Paid:
        width = second.shape[1]
        # Who does not hide: far away, dear goods, in web shops that take no part in 3-D Secure.
        open_ = (1 - self.difficulty) ** 6
        part = shop_places(on, "shop-place", width, on.between(0.4, 0.85) * (1 - 0.9 * open_))
        number, kind = shops(on, "shop", part, kinds_of_shops(1.0, 0.0))
        amount = prices(on, "price", kind, self.dearer * (1 + 11 * open_))
        payee = on.at(part, "merchants", number)
        u = on.u("way", width)
        ways = [data.ways().code(name) for name in ("ecommerce", "card_on_file", "manual_entry")]
        # Others buy by mail or telephone too, and with what a shop has kept of the card.
        told, kept = 0.06 + 0.06 * open_, 0.14 - 0.12 * open_
        way = np.where(u < told, ways[2], np.where(u < told + kept, ways[1], ways[0]))
        device = (way == ways[0]).astype(np.int64)
        reported, detected = self._seen(on, second)
        known = np.minimum(np.minimum(reported, detected), on.horizon)[:, None]
        declined = refusals(on, "refused", width, 0.16, "wrong_code", "suspected_fraud", "limit_exceeded")
        declined = np.where(second >= known, _BLOCKED, declined)
        attempted, frictionless = THREE_DS.index("attempted"), THREE_DS.index("frictionless")
        weak = 0.2 + 0.79 * open_
        three_ds = np.where(on.u("three-ds", width) < weak, attempted, frictionless)
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            on.account(on.homes)[:, None],
            payee,
            way,
            "purchase",
            device=device,
            ip=device,
            declined=declined,
            three_ds=three_ds,
            where=real & (second < known + 2 * DAY_S),
        )
        payer = np.broadcast_to(on.account(on.homes)[:, None], payee.shape)
        return Paid(np.where(declined == USUAL, row, -1), second, amount, payer, payee)
