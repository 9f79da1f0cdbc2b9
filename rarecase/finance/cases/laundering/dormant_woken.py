"""Dormant account woken: an account that slept for half a year or more suddenly moves large sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_WIDTH = 6


class DormantWoken(schemes.Scheme):
    """Large sums run through a second account that nobody has used for long."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Dormant account woken"
    hint: ClassVar[str] = (
        "Six customers in a hundred have a sleeping second account: ask for fewer or raise `size`."
    )
    definition: ClassVar[str] = (
        "An account of kind second that was last used 180 days or more before its first payment in the data "
        "(accounts.last_used_on and transactions) receives, within 6 days (difficulty 0) to 20 days (1), 2 "
        "to 6 credits: wires from abroad and transfers from one person who controls it. Together they are "
        "at least 2 monthly incomes of the holder at 0 (0.3 from 0.5 on). Then 85 to 97 % of them leave by "
        "2 to 6 transfers, at 0 within 5 days after the last credit (median wait 6 hours each), at 1 within "
        "a month (two days each): about half to an exchange for crypto-assets, the rest back to the person "
        "who controls it. Nothing else moves on the account. What the controller sends is at most what the "
        "own account bears, after as much cash was paid in there."
    )
    source: ClassVar[str] = (
        "FFIEC BSA/AML Manual, appendix F, red flags: dormant account with sudden activity"
    )
    share: ClassVar[float] = 0.04
    payments: ClassVar[float] = 9.0

    #: A wire that comes in names no order and goes to a customer, unlike those that go out.
    reveals: ClassVar[frozenset[str]] = frozenset(
        f"transactions.{column}"
        for column in ("channel", "authentication", "is_remote", "device_id", "ip_id", "payee_account_id")
    )

    kind: Literal["dormant_woken"] = "dormant_woken"
    incomes: float = Field(
        default=4.0, gt=0.1, le=100, description="mean sum that runs through, in monthly incomes; expert"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Who has a second account that sleeps."""
        return np.asarray(ground.second_account(spec, entities) == ground.SLEEPING, np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The holder, and who controls the account."""
        return np.full(homes.shape, 2, np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Anybody of the holder's place, or of one that deals with it, may control it."""
        tries = []
        for attempt in range(8):
            u = ground.uniforms(spec, self.label, f"who-{attempt}", homes, 2)
            tries.append(ground.near(spec, homes, u[:, 0], u[:, 1]))
        return schemes.free_one(homes, taken, np.stack(tries, axis=1))[:, None]

    def span_s(self, spec: Spec) -> int:
        """Credits, and as long again for what follows."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 2.0, 1.1)

    def draw(self, on: Canvas) -> Footprint:
        """Credits from abroad and from the controller, then the way out."""
        sleeper, controller = on.account(on.homes, "second"), on.account(on.members(1))
        own = np.asarray(
            self.incomes * 0.28**on.ordinary * np.exp(0.35 * on.normal("total"))[:, 0], np.float64
        )
        own = np.maximum(own, 2.3 * (1 - on.ordinary) + 0.4 * on.ordinary)
        # What the controller pays in as cash must fit into few deposits.
        most = 4 * schemes.limit_minor(on.spec, on.part(on.homes))
        total = np.minimum(np.asarray(own * on.incomes, np.int64), most)
        number = on.whole("number", 2 + round(on.ordinary), _WIDTH)
        cut = schemes.parts(on, "credit", total, number, _WIDTH, sd=schemes.skew(on, hard=1.3))
        # The first comes from the controller, who may try the account with it.
        wired = schemes.largest(np.where(np.arange(_WIDTH) > 0, cut, 0), on.between(0.6, 0.35))
        cut = np.where(wired, schemes.wired(on, "credit", cut), cut)
        until = on.onset + self._window_s(on.spec)
        day = on.onset + min(DAY_S, self._window_s(on.spec) // 4)
        second = schemes.moments(
            on, "credit", day, until, number, _WIDTH, rhythm="office", gap_s=schemes.WIRE_S
        )
        cash = np.where(wired, 0, cut).sum(axis=1)
        self._fund(on, controller, sleeper, cash, day)
        abroad = on.at(on.part(on.homes), "abroad")[:, None]
        came = on.pay(
            on.every[:, None],
            second,
            cut,
            abroad,
            sleeper[:, None],
            "wire_in",
            "credit",
            stage="layering",
            where=wired,
        )
        sent = schemes.liked(
            on, "credit", schemes.received(on, day[:, None], cut, sleeper[:, None], controller[:, None])
        )
        told = on.pay(
            on.every[:, None],
            second,
            sent,
            controller[:, None],
            sleeper[:, None],
            schemes.transfer_ways(on, "credit", _WIDTH),
            "credit",
            stage="layering",
            where=~wired,
        )
        back = schemes.received(on, second, sent, controller[:, None], sleeper[:, None])
        credited = np.where(came >= 0, cut, 0) + np.where(told >= 0, back, 0)
        last = np.where(credited > 0, second + wired * schemes.WIRE_S, -1).max(axis=1)
        leaves = np.asarray(credited.sum(axis=1) * (0.86 + 0.1 * on.one("leaves")), np.int64)
        exchange = on.at(on.part(on.homes), "exchanges", on.whole("exchange", 0, on.slots.exchanges_n - 1))
        width = _WIDTH // 2
        # Coins are rare among transfers, so that from 0.5 on they are bought in one or two.
        several, few = 1 + round(on.ordinary), width - round(on.ordinary)
        crypto = np.asarray(leaves * (0.35 + 0.3 * on.one("crypto")), np.int64)
        out = [
            schemes.sent_on(
                on,
                name,
                np.maximum(last, on.onset),
                amount,
                sleeper,
                payee,
                width=width,
                number=on.whole(f"{name}-number", least, most),
                easy_s=6 * HOUR_S,
                hard_s=2 * DAY_S,
                role="exit",
                stage=stage,
                ways=ways,
            )
            for name, amount, payee, stage, ways, least, most in (
                ("coins", crypto, exchange, "integration", ("crypto_mobile", "crypto_web"), 1, few),
                ("back", leaves - crypto, controller, "integration", ("mobile", "web"), several, width),
            )
        ]
        return on.footprint(
            detected=schemes.suspected(on),
            credits=on.number("credit"),
            credited=credited.sum(axis=1),
            left=out[0].total + out[1].total,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            "An account that had slept for half a year or more received "
            f"{money(facts['credited'], currency)} in {facts['credits']} credits from "
            f"{said(spec, facts['started'])} on; {money(facts['left'], currency)} left it again until "
            f"{said(spec, facts['ended'])}."
        )

    def _fund(self, on: Canvas, controller: Int64, sleeper: Int64, cash: Int64, until: Int64) -> None:
        """Cash reaches the controller's account before anything is sent from it."""
        needed = schemes.received(on, on.onset, cash, sleeper, controller)
        # The rate may move by some per cent until the money is sent.
        needed += needed // 20 + schemes.CASH_STEP_MINOR
        limit = schemes.limit_minor(on.spec, on.part_of(controller)) * 9 // 10
        number = np.clip(-(-needed // limit) + on.whole("fund-number", 0, 2), 1, _WIDTH)
        cut = schemes.parts(
            on, "fund", needed + needed // 50, number, _WIDTH, most=limit, sd=schemes.skew(on, hard=1.3)
        )
        amount = schemes.notes(cut)
        second = schemes.moments(on, "fund", on.onset, until, number, _WIDTH, gap_s=600)
        schemes.paid_in(on, "fund", second, amount, controller[:, None], on.part_of(controller)[:, None])

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 6, 20)
