"""Investment scam: a small trial that seems to pay, then all there is."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.forwarding import Came, exchanged
from rarecase.finance.cases.fraud.scams import (
    Scam,
    bring_savings,
    finish,
    growth,
    liked,
    mule_accounts,
    new_payee_ways,
    noticed_so,
    room_s,
    send,
    share_of_days,
)

_MOST = 12
#: Share of cases whose large sums go through an exchange for crypto-assets, easy and hard.
_CRYPTO, _CRYPTO_HARD = 0.35, 0.12


class AppInvestment(Scam):
    """A platform that shows profits until somebody wants them."""

    title: ClassVar[str] = "Authorised push payment: investment scam"
    definition: ClassVar[str] = (
        "A customer sends a trial to a payee never paid before: 5 % of a later payment or less at "
        "difficulty 0, a fifth or less of it at 1. Between one and six days later (1 and 12 at difficulty "
        "1) the same account pays back a `profit` of 20 to 60 % of the trial. After that 3 to 8 (0) or 6 to "
        "12 (from 0.5 on) further transfers follow within two weeks (0) to seven (1), or half the data "
        "together (from 0.5 on the last of them may lie after the data), at difficulty 0 each larger than "
        "the one before: to the same payee, or in about a third of the cases (an eighth from 0.5 on) to an "
        "exchange for crypto-assets, which sends the money out within hours. A mule passes on at least "
        "three quarters of each large credit within 24 hours (two days from 0.5 on) unless stopped before. "
        "Money that the account does not hold comes before from the victim's savings elsewhere: as a wire "
        "at 0, as payments of type business from 0.5 on."
    )
    share: ClassVar[float] = 0.045
    reason: ClassVar[str] = (
        "some 4.5 in 100 cases are investment scams (expert), so that the mean loss is near 16,000 GBP"
    )

    kind: Literal["app_investment"] = "app_investment"
    amount: float = Field(
        default=19_000.0, gt=10, le=1e6, description="mean loss of a victim in units of the currency"
    )

    def span_s(self, spec: Spec) -> int:
        """Seconds from the trial to the last payment that is sure to lie within the data."""
        return room_s(spec, self.difficulty, 24 + 38 * self.difficulty)

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Those who have something to invest: all but students."""
        invests = ground.segment(spec.seed, entities) != ground.STUDENT
        return np.asarray(super().eligible(spec, entities) & invests, np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The victim, who collects, and a mule."""
        return np.full(homes.shape, 3)

    def draw(self, on: Canvas) -> Footprint:
        """The trial, the profit, and the large sums."""
        low, high = round(3 + 3 * on.ordinary), round(8 + 4 * on.ordinary)
        number = low + keyed_integers(on.spec.seed, ("case", self.label, "number"), on.homes, high - low + 1)
        total = on.stolen("total", self.amount, 1, 0.6 + 0.9 * on.ordinary)
        weight = growth(on, "growth", number, _MOST, 1.5, 1.08)
        large = liked(on, "liked", np.maximum(total * weight, 3_000.0 * on.scale[:, None]))
        large = np.where(np.arange(_MOST) < number[:, None], large, 0)
        trial_at = on.within(on.onset, on.onset + DAY_S, on.one("begin"))
        # A fourteenth of the data at most, so that short data see the large sums too.
        wait = on.one("profit") * min(on.between(5, 11), on.spec.days / 14) + min(1.0, on.spec.days / 60)
        profit_at = trial_at + (wait * DAY_S).astype(np.int64)
        span = min(share_of_days(on, 14, 49), on.horizon // 3)
        step = (np.arange(_MOST + 1) + 0.2 + 0.7 * on.u("when", _MOST + 1)) / number[:, None]
        since = profit_at[:, None] + 6 * HOUR_S + (np.minimum(step, 1.1) * span).astype(np.int64)
        second = on.ascending(on.within(since, since + 8 * HOUR_S, on.u("hour", _MOST + 1)), HOUR_S)
        large = bring_savings(on, large, second[:, 0])
        got, refused, trial = self._pays(on, number, large, trial_at, second, profit_at)
        crypto = on.one("crypto") < _share_of_crypto(on)
        at_mules = np.concatenate(
            [np.zeros((on.n, 1), np.bool_), np.broadcast_to(~crypto[:, None], second.shape)], 1
        )
        self._out(on, got, crypto)
        return finish(
            on,
            got,
            refused,
            told=0.65,
            hours=24 * on.between(10, 25),
            at_mules=at_mules,
            total=got.paid.sum(axis=1),
            trial=trial,
            crypto=crypto.astype(np.int64),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        where = "through an exchange for crypto-assets" if facts["crypto"] else "to the same account"
        return (
            f"A trial of {money(facts['trial'], facts['currency'])} at {said(spec, facts['started'])} "
            f"seemed to pay, and by {said(spec, facts['last_second'])} "
            f"{money(facts['total'], facts['currency'])} were sent in {facts['payments']} payments, most of "
            f"it {where}; {noticed_so(spec, facts)}."
        )

    def _pays(
        self, on: Canvas, number: Int64, large: Int64, trial_at: Int64, second: Int64, profit_at: Int64
    ) -> tuple[Came, Int64, Int64]:
        """The trial and the large sums, in columns of their own, with the profit between them."""
        largest = large.max(axis=1)
        fifth = on.between(0.05, 0.2)
        trial = np.maximum(np.rint(largest * fifth * (0.4 + 0.6 * on.one("trial")) / 500) * 500, 500).astype(
            np.int64
        )
        extra = large[on.every, np.minimum(number, _MOST) - 1][:, None]
        large = np.concatenate([large, extra], axis=1)
        large[on.every, np.minimum(number, _MOST)] = extra[:, 0]
        amount = np.concatenate([trial[:, None], large], axis=1)
        when = np.concatenate([trial_at[:, None], second], axis=1)
        mule = mule_accounts(on, np.zeros(when.shape, np.int64))
        exchange = (on.one("exchange") * on.slots.exchanges_n).astype(np.int64)
        crypto = (on.one("crypto") < _share_of_crypto(on))[:, None] & (np.arange(when.shape[1]) > 0)
        payee = np.where(crypto, on.at(on.part(on.homes), "exchanges", exchange)[:, None], mule)
        plain = new_payee_ways(on, "way", when.shape[1], ("mobile", "web"), (0.6, 1.0))
        bought = new_payee_ways(on, "way", when.shape[1], ("crypto_mobile", "crypto_web"), (0.6, 1.0))
        got, refused = send(on, number + 1, when, amount, payee, np.where(crypto, bought, plain))
        back = exchanged(
            on, trial_at, (trial * (0.2 + 0.4 * on.one("back"))).astype(np.int64), got.payer[:, 0], mule[:, 0]
        )
        on.pay(
            on.every,
            profit_at,
            np.maximum(back, 100),
            mule[:, 0],
            got.payer[:, 0],
            plain[:, 0],
            "bait",
            where=got.real[:, 0],
        )
        return got, refused, trial

    def _out(self, on: Canvas, got: Came, crypto: NDArray[np.bool_]) -> None:
        """The exchange sends out what the victim had it buy."""
        wait = ((0.3 + 5 * on.u("out", got.row.shape[1])) * HOUR_S).astype(np.int64)
        large = np.arange(got.row.shape[1]) > 0
        on.pay(
            on.every[:, None],
            got.second + wait,
            got.amount,
            got.account,
            on.at(on.part_of(got.account), "crypto"),
            "crypto_out",
            "exit",
            where=got.real & crypto[:, None] & large,
        )


def _share_of_crypto(on: Canvas) -> float:
    return _CRYPTO + (_CRYPTO_HARD - _CRYPTO) * on.ordinary
