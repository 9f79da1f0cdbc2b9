"""Crypto off-ramp: coins of criminal origin are sold, and the money is drawn or moved on at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_WIDTH, _DRAWS = 6, 8


class CryptoOffRamp(schemes.Scheme):
    """An exchange pays a customer for coins in several amounts; soon hardly anything of them is left."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Crypto off-ramp"
    definition: ClassVar[str] = (
        "Coins are sold to one exchange of the customer's place (a payment from the outside account "
        "crypto to the exchange before each pay-out, 0.5 to 2 % larger, minutes before at 0, up to 30 "
        "hours before by day from 0.5 on); the exchange (organisations.kind exchange) pays the current "
        "account 3 to 6 times within 4 days (difficulty 0) to 21 days (1), and 82 to 95 % of their sum "
        "leaves again: 10 to 45 % of it as notes from machines of the place and the rest by 1 or 2 "
        "transfers at 0, 4 to 7 from 0.5 on, to one other person, all after the last pay-out; at 0 within "
        "2 days after it, at 1 with waits of days. The sum averages 4,500 EUR at German prices at 0 and "
        "2,500 at 1; pay-outs are even at 0, and from 0.5 on few carry most."
    )
    source: ClassVar[str] = "FATF 2020, Virtual assets red flag indicators; Europol 2022, Cryptocurrencies"
    share: ClassVar[float] = 0.10
    payments: ClassVar[float] = 14.0

    #: That an exchange pays is what the kind is about, and nobody gives the order on a device.
    reveals: ClassVar[frozenset[str]] = frozenset(
        f"transactions.{column}"
        for column in (
            "purpose",
            "channel",
            "is_remote",
            "authentication",
            "device_id",
            "ip_id",
            "payer_account_id",
        )
    )

    kind: Literal["crypto_off_ramp"] = "crypto_off_ramp"
    amount: float = Field(
        default=4_500.0,
        gt=100,
        le=1e6,
        description="mean sum of a case in euros at the prices of Germany; expert",
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there is somebody else."""
        return np.full(entities.shape, spec.size > 1)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Who sells, and who is paid afterwards."""
        return np.full(homes.shape, 2, np.int64)

    def span_s(self, spec: Spec) -> int:
        """Pay-outs, and as long again for what follows."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 2.0, 1.2)

    def draw(self, on: Canvas) -> Footprint:
        """Coins, pay-outs, notes and transfers."""
        number = on.whole("number", 3, _WIDTH)
        total = on.stolen("total", self.amount * on.between(1.0, 0.55), log_sd=0.4)[:, 0]
        amount = schemes.parts(
            on, "sale", np.maximum(total, 60_000), number, _WIDTH, sd=schemes.skew(on, 0.06, 1.1)
        )
        until = on.onset + self._window_s(on.spec)
        second = schemes.moments(on, "sale", on.onset, until, number, _WIDTH, rhythm="person", gap_s=HOUR_S)
        part, account = on.part(on.homes), on.account(on.homes)
        exchange = on.at(part, "exchanges", on.whole("exchange", 0, on.slots.exchanges_n - 1))
        fee = 1.005 + 0.015 * on.u("spread", _WIDTH)
        # The coins change hands while the customer looks on; the exchange pays from what it got.
        before = second - 2 * MINUTE_S - (25 * MINUTE_S * on.u("lead", _WIDTH)).astype(np.int64)
        if on.ordinary == 1:
            by_day = on.within(second - 30 * HOUR_S, second - 2 * MINUTE_S, on.u("lead", _WIDTH), "office")
            before = np.minimum(by_day, before)
        before = np.maximum(before, 0)
        on.pay(
            on.every[:, None],
            before,
            np.asarray(np.ceil(amount * fee), np.int64),
            on.at(part, "crypto")[:, None],
            exchange[:, None],
            schemes.settled(on, "sale", _WIDTH),
            "sale",
            stage="placement",
        )
        told = on.pay(
            on.every[:, None],
            second,
            amount,
            exchange[:, None],
            account[:, None],
            "crypto_out",
            "payout",
            stage="layering",
        )
        came = schemes.Moved(second, np.where(told >= 0, amount, 0))
        leaves = np.asarray(came.total * (0.83 + 0.12 * on.one("leaves")), np.int64)
        share = 0.2 + 0.25 * on.one("cash")
        cash = schemes.drawn(
            on,
            "exit",
            came.last(on.onset),
            np.asarray(leaves * share, np.int64),
            account,
            part,
            width=_DRAWS,
            easy_s=40 * MINUTE_S,
            hard_s=8 * HOUR_S,
        )
        sent = schemes.sent_on(
            on,
            "onward",
            came.last(on.onset),
            leaves - cash.total,
            account,
            on.account(on.members(1)),
            width=7,
            number=schemes.several(on, "onward-number", (1, 2), (4, 7)),
            easy_s=4 * HOUR_S,
            hard_s=2 * DAY_S,
            stage="integration",
        )
        return on.footprint(
            detected=schemes.suspected(on),
            payouts=on.number("payout"),
            total=came.total,
            drawn=cash.total,
            sent=sent.total,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, coins of criminal origin were sold for "
            f"{money(facts['total'], currency)} in {facts['payouts']} pay-outs; "
            f"{money(facts['drawn'], currency)} was drawn as cash and {money(facts['sent'], currency)} "
            "sent on."
        )

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 4, 21)
