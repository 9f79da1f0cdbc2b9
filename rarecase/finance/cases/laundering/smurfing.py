"""Smurfing: several people pay cash in below the limit and send it all to one beneficiary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_EACH = 3


class Smurfing(schemes.Scheme):
    """Cash comes in through the accounts of several helpers and is collected on one account."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Smurfing"
    definition: ClassVar[str] = (
        "Within 5 days (difficulty 0) to 21 days (1), 3 to 7 persons (smurfs) each receive 1 to 3 cash "
        "deposits on their current accounts where they live, each below the limits on cash where the smurf "
        "and where the beneficiary live (10,000 USD, EUR, AUD or GBP; 250,000 CZK), all together above the "
        "latter (T; in the beneficiary's currency; at 0 above 1.5 T). Each smurf, after the last of the own "
        "deposits, sends 88 to 97 % of them to one beneficiary, in one transfer at 0 (median wait 8 hours) "
        "and 2 or 3 from 0.5 on (at 1 after two days each). At 0 the sums are even among deposits; from 0.5 "
        "on a few carry most and the others are ordinary. Within days after the last of them the "
        "beneficiary sends 60 to 90 % of it by 1 or 2 transfers (4 to 6 from 0.5 on) to one shop of the "
        "place (goods paid by transfer, with the purpose GDDS below 0.5)."
    )
    source: ClassVar[str] = (
        "FATF 2005, Money laundering typologies (smurfing); SAML-D (Oztas and others 2023)"
    )
    share: ClassVar[float] = 0.10
    payments: ClassVar[float] = 16.0

    kind: Literal["smurfing"] = "smurfing"
    fewest: int = Field(default=3, ge=2, le=10, description="fewest smurfs")
    most: int = Field(default=7, ge=2, le=10, description="most smurfs")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fewest > self.most:
            raise ValueError("fewest at most as large as most")
        return self

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are people enough."""
        return np.full(entities.shape, spec.size > self.most)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The beneficiary and the smurfs."""
        span = self.most - self.fewest + 1
        return 1 + self.fewest + keyed_integers(spec.seed, ("case", self.label, "members"), homes, span)

    def span_s(self, spec: Spec) -> int:
        """Deposits, and as long again for what follows."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 2.0, 1.2)

    def draw(self, on: Canvas) -> Footprint:
        """Deposits and transfers of each smurf, then what the beneficiary buys."""
        limit = schemes.limit_minor(on.spec, on.part(on.homes))
        smurfs = on.placement.members - 1
        easy = 1.7 + 0.5 * np.minimum(smurfs, 6) * (0.6 + 0.4 * on.one("total"))
        hard = 1.15 + on.between(0.8, 0.3) * on.one("total")
        total = np.asarray(limit * easy ** (1 - on.ordinary) * hard**on.ordinary, np.int64)
        widest = on.placement.entities.shape[1] - 1
        sd = schemes.skew(on, hard=1.1)
        cut = schemes.parts(on, "smurf", total, smurfs, widest, most=limit * 25 // 10, sd=sd)
        beneficiary = on.account(on.homes)
        collected, last = np.zeros(on.n, np.int64), on.onset.copy()
        until = on.onset + self._window_s(on.spec)
        for position in range(1, widest + 1):
            who = on.members(position)
            there = who >= 0
            account = np.where(there, on.account(np.maximum(who, 0)), beneficiary)
            came, at = self._one(on, position, there, account, cut[:, position - 1], limit, until)
            collected += came
            last = np.maximum(last, at)
        spent = np.asarray(collected * (0.6 + 0.3 * on.one("spent")), np.int64)
        shop = on.at(on.part(on.homes), "merchants", (on.one("shop") * on.slots.merchants_n).astype(np.int64))
        bought = schemes.sent_on(
            on,
            "goods",
            last,
            spent,
            beneficiary,
            shop,
            width=6,
            number=schemes.several(on, "goods-number", (1, 2), (4, 6)),
            easy_s=12 * HOUR_S,
            hard_s=3 * DAY_S,
            role="purchase",
            stage="integration",
            ways=("goods_mobile", "goods_web") if on.ordinary < 1 else ("mobile", "web"),
        )
        return on.footprint(
            detected=schemes.suspected(on),
            smurfs=smurfs,
            deposits=on.number("placement"),
            collected=collected,
            limit=limit,
            spent=bought.total,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, {facts['smurfs']} people paid cash in by "
            f"{facts['deposits']} deposits below the limit of {money(facts['limit'], currency)} and sent "
            f"{money(facts['collected'], currency)} to one beneficiary, who bought goods for "
            f"{money(facts['spent'], currency)}."
        )

    def _one(
        self,
        on: Canvas,
        position: int,
        there: NDArray[np.bool_],
        account: Int64,
        sum_: Int64,
        limit: Int64,
        until: Int64,
    ) -> tuple[Int64, Int64]:
        """What reaches the beneficiary through the smurf at a position, and when."""
        name, home = f"smurf-{position}", on.account(on.homes)
        # The smurf pays in the money of the own place.
        own = schemes.received(on, on.onset, sum_, home, account)
        ceiling = schemes.received(on, on.onset, limit, home, account)
        ceiling = np.minimum(ceiling, schemes.limit_minor(on.spec, on.part_of(account))) * 9 // 10
        number = np.maximum(on.whole(f"{name}-number", 1, _EACH), -(-own // np.maximum(ceiling, 1)))
        amount = schemes.parts(
            on, name, own, np.minimum(number, _EACH), _EACH, most=ceiling, sd=schemes.skew(on, hard=1.1)
        )
        amount = np.where(there[:, None], schemes.notes(amount), 0)
        second = schemes.moments(on, name, on.onset, until, number, _EACH)
        paid = schemes.paid_in(on, name, second, amount, account[:, None], on.part_of(account)[:, None])
        kept = 0.03 + 0.09 * on.one(f"{name}-kept")
        amount = np.where(there, np.asarray(paid.total * (1 - kept), np.int64), 0)
        sent = schemes.sent_on(
            on,
            f"{name}-sent",
            paid.last(on.onset),
            amount,
            account,
            home,
            width=_EACH,
            number=schemes.several(on, f"{name}-sent-number", (1, 1), (2, _EACH)),
            easy_s=8 * HOUR_S,
            hard_s=2 * DAY_S,
        )
        came = schemes.received(on, sent.second, sent.amount, account[:, None], home[:, None])
        return np.where(sent.amount > 0, came, 0).sum(axis=1), sent.last(np.zeros(on.n, np.int64))

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 5, 21)
