"""Rapid movement: what comes in leaves again within hours, nearly all of it, several times over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_WIDTH = 6


class RapidMovement(schemes.Scheme):
    """An account through which sums pass without resting."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Rapid movement"
    definition: ClassVar[str] = (
        "Within 10 days (difficulty 0) to 30 days (1), 3 to 6 times in turn a current account is credited "
        "with cash (below the limit on cash of structuring) or with a wire from abroad, and 93 to 99 % of "
        "that very credit leaves by one transfer to one and the same other person: ordered, at 0, within 9 "
        "hours after the credit was booked (median 2 hours) and before the next credit, so that the balance "
        "is nearly what it was; at 1 after a day and a half (median). Credits average 1,200 EUR at German "
        "prices at 0 and 760 from 0.5 on; from 0.5 on few of them carry most."
    )
    source: ClassVar[str] = "SAML-D (Oztas and others 2023, deposit-send); FATF 2009, rapid movement of funds"
    share: ClassVar[float] = 0.12
    payments: ClassVar[float] = 9.0

    #: A wire that comes in names no order and goes to a customer, unlike those that go out.
    reveals: ClassVar[frozenset[str]] = frozenset(
        f"transactions.{column}"
        for column in ("channel", "authentication", "is_remote", "device_id", "ip_id", "payee_account_id")
    )

    kind: Literal["rapid_movement"] = "rapid_movement"
    amount: float = Field(
        default=1_200.0, gt=20, le=1e6, description="mean credit in euros at the prices of Germany; expert"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there is somebody else."""
        return np.full(entities.shape, spec.size > 1)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Whose account it is, and who is paid from it."""
        return np.full(homes.shape, 2, np.int64)

    def span_s(self, spec: Spec) -> int:
        """All rounds, and a while for the last."""
        return min(self._window_s(spec) + 4 * DAY_S, spec.days * DAY_S // 2)

    def draw(self, on: Canvas) -> Footprint:
        """Each credit, and what leaves after it."""
        number = on.whole("number", 3, _WIDTH)
        mean = self.amount * 0.63**on.ordinary
        limit = schemes.limit_minor(on.spec, on.part(on.homes)) * 9 // 10
        total = on.stolen("total", mean, log_sd=0.4 + 0.5 * on.ordinary)[:, 0] * number
        sizes = schemes.parts(on, "credit", total, number, _WIDTH, most=limit, sd=schemes.skew(on, 0.25, 1.3))
        # What comes from abroad is rather large.
        wired = schemes.largest(sizes, 0.35)
        used = np.arange(_WIDTH) < number[:, None]
        amount = np.where(used, np.where(wired, schemes.wired(on, "credit", sizes), schemes.notes(sizes)), 0)
        # A wire of the morning is booked by the afternoon; the next round waits for it.
        gap = int(min(on.between(30 * HOUR_S, 2 * HOUR_S), self._window_s(on.spec) // 12))
        second = schemes.moments(
            on, "credit", on.onset, on.onset + self._window_s(on.spec), number, _WIDTH, gap_s=gap
        )
        account, part = on.account(on.homes)[:, None], on.part(on.homes)[:, None]
        told = schemes.paid_in(on, "credit", second, amount, account, part, where=~wired)
        wire = on.pay(
            on.every[:, None],
            second,
            amount,
            on.at(part, "abroad"),
            account,
            "wire_in",
            "credit",
            stage="placement",
            where=wired,
        )
        came = np.where(wire >= 0, amount, told.amount)
        free = second + np.where(wired, 4 * HOUR_S + 600, 0)
        wait = 5 * 60 + on.between(2 * HOUR_S, 36 * HOUR_S) * np.exp(0.4 * on.normal("wait", _WIDTH))
        left = np.minimum(free + wait.astype(np.int64), free + int(on.between(4.5 * HOUR_S, 10 * DAY_S)))
        if on.ordinary == 1:
            awake = on.within(left, left + 12 * HOUR_S, on.u("awake", _WIDTH), "person")
            left = np.where(left >= on.horizon, on.horizon, awake)
        # One transfer after the other, as the credits came.
        left = np.maximum.accumulate(left, axis=1) + np.arange(_WIDTH) * 60
        kept = 0.012 + 0.03 * on.u("kept", _WIDTH)
        sent = np.asarray(came * (1 - kept), np.int64)
        # Whole fives where they do not take too much of it.
        sent = np.where(sent >= 20_000, schemes.liked(on, "sent", sent), sent)
        payee = on.account(on.members(1))[:, None]
        way = schemes.transfer_ways(on, "sent", _WIDTH)
        out = on.pay(on.every[:, None], left, sent, account, payee, way, "forward", stage="layering")
        return on.footprint(
            detected=schemes.suspected(on),
            rounds=(came > 0).sum(axis=1),
            credited=came.sum(axis=1),
            sent=np.where(out >= 0, sent, 0).sum(axis=1),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, {money(facts['credited'], currency)} came in "
            f"{facts['rounds']} times and left again soon after, {money(facts['sent'], currency)} in all, "
            "to one and the same account."
        )

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 10, 30)
