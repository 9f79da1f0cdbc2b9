"""Structuring: one party pays cash in by sums that each stay below the limit that draws attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_WIDTH = 8


class Structuring(schemes.Scheme):
    """Several cash deposits, each below the limit of the place, together above it."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Structuring"
    definition: ClassVar[str] = (
        "Within 8 days (difficulty 0) to 21 days (1), 3 to 8 cash deposits reach the current account of one "
        "person (payment_type cash_deposit), each below the limit T on cash of the jurisdiction where the "
        "person lives and together above T. T is 10,000 USD in the US, 10,000 EUR in the EU (250,000 CZK in "
        "Czechia), 10,000 AUD in Australia, and 9,000 GBP, the banks' own, in the United Kingdom. At 0 "
        "every deposit is at least 0.6 T, so that three of them pass 1.8 T; from 0.5 on a few carry most of "
        "the sum (together at least 1.05 T) and the others are as small as ordinary deposits. The first is "
        "made where the person lives; of the others, below 0.5, six in ten (at 0) are made at one other "
        "place of the same currency, if one deals with the home's; from 0.5 on none. In a third of cases a "
        "teller asks after the second deposit: from then on the person goes to another place (below 0.5) or "
        "mostly to a machine (from 0.5 on) and brings less each time. From hours (0) to days (1) after the "
        "last deposit, 85 to 96 % of the sum by 1 to 3 transfers at 0, and 38 to 44 % by 4 to 6 from 0.5 "
        "on, goes to the account of one other person."
    )
    source: ClassVar[str] = "31 CFR 1010.314 and 31 USC 5324 (structuring); SAML-D (Oztas and others 2023)"
    share: ClassVar[float] = 0.19
    payments: ClassVar[float] = 8.0

    kind: Literal["structuring"] = "structuring"
    fewest: int = Field(default=3, ge=3, le=_WIDTH, description="fewest deposits")
    most: int = Field(default=_WIDTH, ge=3, le=_WIDTH, description="most deposits")
    questioned: float = Field(
        default=0.35, ge=0, le=1, description="share of cases in which a teller asks after the second deposit"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fewest > self.most:
            raise ValueError("fewest at most as large as most")
        return self

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Who pays in, and who collects."""
        return np.full(homes.shape, 2 if spec.size > 1 else 1, np.int64)

    def span_s(self, spec: Spec) -> int:
        """Deposits, and as long again for what follows."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 2.0, 1.2)

    def draw(self, on: Canvas) -> Footprint:
        """Deposits, then the transfers to the collector."""
        limit = schemes.limit_minor(on.spec, on.part(on.homes))
        fewest = min(self.fewest + round(2 * on.ordinary), self.most)
        number = on.whole("number", fewest, self.most)
        asked = on.one("asked") < self.questioned
        easy = number * (0.74 + 0.16 * on.one("total"))
        hard = 1.08 + on.between(0.8, 0.3) * on.one("total")
        total = np.asarray(limit * easy ** (1 - on.ordinary) * hard**on.ordinary, np.int64)
        # A teller's question makes the later ones smaller; what remains to be paid in stays.
        plain = schemes.parts(on, "deposit", total, number, _WIDTH, most=limit * 94 // 100)
        less = schemes.parts(on, "deposit", total, number, _WIDTH, most=limit * 94 // 100, first=0.85)
        amount = schemes.notes(np.where(asked[:, None], less, plain))
        end = on.onset + self._window_s(on.spec)
        second = schemes.moments(on, "deposit", on.onset, end, number, _WIDTH)
        moves = on.u("moves", _WIDTH) < 0.6 * (1 - on.ordinary)
        moves[:, 0] = False
        moves[:, 2:] |= asked[:, None] & (on.ordinary < 1)
        place = np.where(moves, self._elsewhere(on), on.part(on.homes)[:, None])
        account = on.account(on.homes)
        # Who was asked by a teller uses machines when places do not change.
        shy = asked[:, None] & (np.arange(_WIDTH) >= 2)
        machines = np.where(shy, 0.8, 0.2) if on.ordinary == 1 else np.full(shy.shape, schemes.MACHINES)
        paid = schemes.paid_in(on, "deposit", second, amount, account[:, None], place, machines=machines)
        collector = self._collector(on)
        leaves = (0.85 + 0.11 * on.one("leaves")) * (1 - 0.55 * on.ordinary)
        sent = schemes.sent_on(
            on,
            "onward",
            paid.last(on.onset),
            np.asarray(paid.total * leaves, np.int64),
            account,
            collector,
            width=6,
            number=schemes.several(on, "onward-number", (1, 3), (4, 6)),
            easy_s=6 * HOUR_S,
            hard_s=2 * DAY_S,
        )
        return on.footprint(
            detected=schemes.suspected(on),
            deposits=on.number("placement"),
            total=paid.total,
            largest=paid.amount.max(axis=1),
            limit=limit,
            asked=asked.astype(np.int64),
            sent=sent.total,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        asked = "; after a teller's question the branch and the sums were changed" if facts["asked"] else ""
        return (
            f"From {said(spec, facts['started'])} on, {money(facts['total'], currency)} of cash was paid "
            f"in by {facts['deposits']} deposits of at most {money(facts['largest'], currency)}, each "
            f"below the limit of {money(facts['limit'], currency)}{asked}; "
            f"{money(facts['sent'], currency)} went on to a collector."
        )

    def _elsewhere(self, on: Canvas) -> Int64:
        """One other place with the same money, shape (n, 1); the home's where there is none nearby."""
        home, tries = on.part(on.homes), schemes.other_place(on, "away", 6)
        same = ground.currency(on.spec, tries) == ground.currency(on.spec, home)[:, None]
        chosen = np.where(
            same.any(axis=1), np.take_along_axis(tries, same.argmax(axis=1)[:, None], 1)[:, 0], home
        )
        return np.asarray(chosen, np.int64)[:, None]

    def _collector(self, on: Canvas) -> Int64:
        if on.placement.entities.shape[1] < 2:
            return on.at(on.part(on.homes), "world")
        return on.account(on.members(1))

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 8, 21)
