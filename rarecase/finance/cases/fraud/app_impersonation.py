"""Impersonation scam: a call from the bank or the police, and the money must go to a safe account at once."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.seeds import keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.scams import (
    Scam,
    finish,
    liked,
    mule_accounts,
    mules,
    new_payee_ways,
    noticed_so,
    send,
    within_means,
)

_MOST = 9


class AppImpersonation(Scam):
    """Somebody who says that he calls from the bank lets the customer rescue the money."""

    title: ClassVar[str] = "Authorised push payment: impersonation of bank or police"
    definition: ClassVar[str] = (
        "2 to 6 transfers (3 to 9 at difficulty 1) leave one customer's account from the customer's own "
        "device for one or two payees never paid before, all within two hours of the first (difficulty 0) "
        "to 20 hours (1), a minute or more apart. At difficulty 0 they take half or more of the opening "
        "balance and overdraft together, and the largest is half or more of their sum; at 1 sums are as "
        "heavy-tailed as those of other payments, with a mean of some 4,000 units together. Each payee, "
        "unless stopped before, passes on at least three quarters of each credit of 200 units or more "
        "within 24 hours (two days from 0.5 on), by cash withdrawals or by one transfer or wire (up to "
        "three at 1). The bank is told within a day in the median."
    )
    share: ClassVar[float] = 0.12
    reason: ClassVar[str] = "some 12 in 100 cases impersonate a bank, the police or somebody else (expert)"

    kind: Literal["app_impersonation"] = "app_impersonation"
    amount: float = Field(
        default=8_000.0,
        gt=10,
        le=1e6,
        description="mean loss of a victim in units of the currency, when hard",
    )

    def span_s(self, spec: Spec) -> int:
        """Seconds from the call to the last payment."""
        return int(min(1 + 2 * self.difficulty, spec.days / 2) * DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """All that one call takes."""
        low, high = round(2 + self.difficulty), round(6 + 3 * self.difficulty)
        number = low + keyed_integers(on.spec.seed, ("case", self.label, "number"), on.homes, high - low + 1)
        begin = on.within(on.onset, on.onset + DAY_S, on.one("call"), "person")
        window = int(on.between(1.8, 19) * HOUR_S)
        u = np.sort(on.u("when", _MOST + 1), axis=1)
        u[:, 0] = 0.0
        second = on.ascending(on.paced(begin, begin + window, u), 2 * MINUTE_S)
        share = 0.62 + 0.3 * on.one("share")
        hard = on.one("sum-law") < on.ordinary
        total = np.where(hard, on.stolen("total", self.amount, 1, 1.5)[:, 0], share * on.bears / 0.9)
        weight = self._weights(on, number)
        amount = liked(on, "liked", np.maximum(total[:, None] * weight, 1_000.0 * on.scale[:, None]))
        amount = within_means(on, np.where(np.arange(_MOST + 1) < number[:, None], amount, 0))
        amount[on.every, number] = np.maximum(amount.max(axis=1), 100)
        several = on.placement.members[:, None] - 2
        which = np.where((several > 1) & (np.arange(_MOST + 1) * 2 > number[:, None]), 1, 0)
        way = new_payee_ways(on, "way", _MOST + 1, ("mobile", "web"), (0.7, 1.0))
        got, refused = send(on, number, second, amount, mule_accounts(on, which), way)
        return finish(
            on,
            got,
            refused,
            told=0.9,
            hours=on.between(8, 30),
            robbed=mules(on),
            total=got.paid.sum(axis=1),
            largest=got.paid.max(axis=1),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"On a call that began before {said(spec, facts['started'])} a customer moved "
            f"{money(facts['total'], facts['currency'])} to `safe accounts` in {facts['payments']} "
            f"transfers, the largest of {money(facts['largest'], facts['currency'])}, the last at "
            f"{said(spec, facts['last_second'])}; {noticed_so(spec, facts)}."
        )

    def _weights(self, on: Canvas, number: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, Any]:
        """Shares of the payments: one is half or more of the whole at difficulty 0, less by chance at 1."""
        width = _MOST + 1
        held = np.arange(width) < number[:, None]
        rest = np.where(held, 0.2 + on.u("weight", width), 0.0)
        large = np.argmax(rest, axis=1)
        others = rest.copy()
        others[on.every, large] = 0.0
        others /= np.maximum(others.sum(axis=1, keepdims=True), 1e-9)
        head = (0.53 + 0.3 * on.one("head")) * (1 - 0.5 * self.difficulty)
        weight = others * (1 - head)[:, None]
        weight[on.every, large] = head
        return np.asarray(weight)
