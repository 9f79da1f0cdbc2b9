"""Lost or stolen card: whoever has it taps from shop to shop and guesses the PIN, until the holder tells."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud.cards import (
    EEA,
    STOPPED,
    Paid,
    bearer,
    cases_a_year,
    give_back,
    kinds_of_shops,
    loss,
    prices,
    shop_places,
    shops,
    stop_cards,
)
from rarecase.finance.cases.fraud.forwarding import notes
from rarecase.finance.schema import DECLINE_REASONS

_MOST, _GUESSES = 9, 3
_BLOCKED, _WRONG = DECLINE_REASONS.index("blocked_card"), DECLINE_REASONS.index("wrong_code")
#: What may be paid by touch, minor units in German prices.
_CONTACTLESS_MOST = 5_000
_BOOKED = 5.9


class LostAndStolen(BankCase):
    """The finder taps below the limit, and tries a machine."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Lost or stolen card"
    definition: ClassVar[str] = (
        "A customer's card is used 5 to 9 times at difficulty 0, 3 to 7 at 1, by touch (contactless, each "
        "at most 50 units in German prices) in three or more shops of the holder's place or a place that "
        "deals with it, within 4 hours (0) to 30 hours (1); and 2 or 3 cash withdrawals (0; at 1 none to "
        "2) are tried in the same hours with the wrong PIN (declines: wrong_code). The holder tells the "
        "bank hours later, the card is stopped, what is tried after that is refused as blocked_card, and a "
        "new card comes in 3 to 9 days."
    )
    source: ClassVar[str] = "UK Finance, Annual Fraud Report 2025 (lost and stolen card fraud)"
    #: Touch is what a finder can do by definition.
    reveals: ClassVar[frozenset[str]] = STOPPED | {"transactions.entry_mode", "transactions.authentication"}

    kind: Literal["lost_and_stolen"] = "lost_and_stolen"

    def natural(self, spec: Spec) -> Natural | None:
        """Cases a year and customer, by this kind's share of fraudulent card payments."""
        return Natural(
            cases_a_year("lost_and_stolen", _BOOKED),
            "entity-year",
            "expert",
            f"{EEA}; 19 % of them by count here, {_BOOKED} booked per case (own choice)",
        )

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first use to the last."""
        return int(min(1 + 2 * self.difficulty, spec.days / 2) * DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """Purchases by touch, guesses at machines, and the end."""
        low, high = round(5 - 2 * self.difficulty), round(9 - 2 * self.difficulty)
        number = low + keyed_integers(on.spec.seed, ("case", self.label, "number"), on.homes, high - low + 1)
        begin = on.within(on.onset, on.onset + DAY_S, on.one("begin"), "day")
        window = int(on.between(3.7, 29) * HOUR_S)
        u = np.sort(on.u("when", _MOST), axis=1)
        u[:, 0] = 0.0
        second = on.ascending(
            on.within(begin, begin + window, u, "day" if on.difficulty >= 0.5 else None), 4 * MINUTE_S
        )
        reported, detected = on.noticed(
            second[:, 2], told=0.93, hours=on.between(9, 26), found=0.15, found_hours=8
        )
        known = np.minimum(reported, detected)
        paid = self._taps(on, number, second, known)
        self._guesses(on, begin, window, known)
        stop_cards(on, on.homes, known)
        merchant, bank = give_back(on, paid, known, disputed=0.0, told=0.95)
        taken = loss(on, paid)
        ends = np.where(np.arange(_MOST) < number[:, None], second, -1).max(axis=1)
        return on.footprint(
            reported=reported,
            detected=detected,
            loss=taken,
            reimbursed=np.minimum(bank, taken),
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
            f"From {said(spec, facts['started'])} on, somebody with a lost or stolen card tapped it "
            f"{facts['attempts']} times by {said(spec, facts['last_second'])} and got "
            f"{money(facts['total'], facts['currency'])} out of it; {end}."
        )

    def _taps(self, on: Canvas, number: Int64, second: Int64, known: Int64) -> Paid:
        part = shop_places(on, "shop-place", _MOST, 0.9)
        shop, kind = shops(on, "shop", part, kinds_of_shops(0.0, 1.0), second)
        most = (_CONTACTLESS_MOST * on.scale).astype(np.int64)[:, None]
        amount = np.minimum(
            prices(on, "price", kind, 1.3), (most * (0.5 + 0.5 * on.u("below", _MOST))).astype(np.int64)
        )
        late = second >= known[:, None]
        payer = np.broadcast_to(on.account(on.homes)[:, None], second.shape)
        payee = on.at(part, "merchants", shop)
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            payer,
            payee,
            "contactless",
            "purchase",
            declined=np.where(late, _BLOCKED, USUAL),
            where=np.arange(_MOST) < number[:, None],
        )
        return Paid(np.where(late, -1, row), second, amount, payer, payee)

    def _guesses(self, on: Canvas, begin: Int64, window: int, known: Int64) -> None:
        """Wrong codes at machines of the place, one soon after the other."""
        low = 2 * (1 - self.difficulty)
        number = np.floor(low + (2 - 0.01) * on.one("guesses")).astype(np.int64)
        first = on.within(begin + 20 * MINUTE_S, begin + window * 8 // 10, on.one("machine"), None)
        second = (
            first[:, None] + np.arange(_GUESSES) * 75 + (40 * on.u("guess-time", _GUESSES)).astype(np.int64)
        )
        sums = notes(on, np.broadcast_to(on.part(on.homes)[:, None], second.shape))
        pick = (3 + 7 * on.u("notes", _GUESSES)).astype(np.int64)
        wanted = np.take_along_axis(sums, pick[..., None], -1)[..., 0]
        on.pay(
            on.every[:, None],
            second,
            wanted,
            on.account(on.homes)[:, None],
            on.at(on.part(on.homes), "cash")[:, None],
            "cash_out",
            "withdrawal",
            declined=np.where(second >= known[:, None], _BLOCKED, _WRONG),
            where=np.arange(_GUESSES) < number[:, None],
        )
