"""Invoice redirection: a company pays a known supplier's invoice to an account that is not the supplier's."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.scams import Scam, finish, mule_accounts, noticed_so, send

#: Genuine invoices before the forged ones, and forged ones at most.
_GENUINE, _FORGED = 3, 2
#: Suppliers asked before one that fails is taken.
_TRIES = 4
_BOOKED_S = 5 * HOUR_S


class AppInvoice(Scam):
    """Business e-mail compromise: the usual invoice, the usual sum, another account."""

    title: ClassVar[str] = "Authorised push payment: invoice redirection"
    definition: ClassVar[str] = (
        "A company (kind employer) pays the same supplier, another company, three payments of like sums "
        "(within 12 % of each other), a month apart, or a tenth of the data if that is less: wires at "
        "difficulty 0, payments of type business (purpose SUPP) to a supplier of the same place from 0.5 "
        "on, where one or two of the three may lie before the data. Neither fails within the data. One "
        "interval after the last of them it sends one or two such payments of that sum (each within 4 % of "
        "the mean of the three at difficulty 0, within 20 % at 1) to a private customer's account that it "
        "never paid, two days apart if there are two, and none to the supplier in that interval. The "
        "receiver, unless stopped before, passes on at least three quarters of each within 30 hours after "
        "it was ordered (two days from 0.5 on), by one transfer or wire (up to three of them at 1). Sums "
        "have a median of 8,000 units at 0 and of 400 from 0.5 on, where they are as heavy-tailed as those "
        "of other companies. The home is the company's owner; the mule's account is a second account newly "
        "opened where the mule had none."
    )
    #: The mule's account is new, and invoices are what is paid, by definition.
    reveals: ClassVar[frozenset[str]] = Scam.reveals | {"accounts", "transactions.purpose"}
    share: ClassVar[float] = 0.015
    reason: ClassVar[str] = "some 1.5 in 100 cases redirect an invoice (expert)"
    hint: ClassVar[str] = "Only owners of employers are eligible, about one customer in sixty; raise `size`."

    kind: Literal["app_invoice"] = "app_invoice"
    amount: float = Field(
        default=8_000.0, gt=10, le=1e6, description="median invoice in units of the currency, when easy"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of companies with staff that do not fail within the data."""
        return np.asarray((terms.company(spec, entities) >= 0) & (spec.size > 4), np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The owner, who collects, and a mule."""
        return np.full(homes.shape, 3)

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """From 0.5 on the mule lives at the company's place, for firms pay each other nowhere else."""
        away = super()._distances(spec, homes, widest)
        return np.where(self.difficulty < 0.5, away, 0)

    def gap_s(self, spec: Spec) -> int:
        """Seconds between invoices."""
        return int(min(30.0, spec.days / 10) * ground.DAY_S)

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first genuine invoice to the last forged one."""
        return min((_GENUINE + 1) * self.gap_s(spec), spec.days * ground.DAY_S * 2 // 3)

    def draw(self, on: Canvas) -> Footprint:
        """The supplier is paid as usual, then somebody else is."""
        own, part = ground.owned(on.spec, on.homes, "employers"), on.part(on.homes)
        company = on.at(part, "employers", own)
        supplier = self._supplier(on, part, own)
        gap = self.gap_s(on.spec)
        sums = on.lognormal("sum", self.amount * 20.0**-on.ordinary * 100 * on.scale, 0.7 + 1.0 * on.ordinary)
        wired = np.where(
            on.one("wired") < on.ordinary, data.ways().code("supplier"), data.ways().code("wire_web")
        )
        swing = 0.94 + 0.12 * on.u("swing", _GENUINE)
        invoices = np.rint(sums * swing).astype(np.int64)
        # From 0.5 on the first ones may lie before the data, or no forged one would come early in them.
        before = on.whole("before", 0, _GENUINE - 1) if on.ordinary == 1 else np.zeros(on.n, np.int64)
        base = on.onset[:, None] + gap * (np.arange(_GENUINE) - before[:, None])
        window = min(2 * ground.DAY_S, gap // 3)
        due = on.within(base, base + window, on.u("due", _GENUINE), "office")
        due = np.where(base < 0, -1, on.workday(due) if on.ordinary == 1 else due)
        on.pay(
            on.every[:, None],
            due,
            invoices,
            company[:, None],
            supplier[:, None],
            wired[:, None],
            "own_use",
            tainted=0,
        )
        forged, refused = self._forged(on, company, wired, due[:, -1], gap, window, invoices.mean(axis=1))
        return finish(
            on,
            forged,
            refused,
            told=0.9,
            hours=24 * on.between(8, 16),
            least_s=_BOOKED_S if on.ordinary < 1 else MINUTE_S,
            cash=False,
            robbed=[on.members(2)],
            usual=np.rint(invoices.mean(axis=1)).astype(np.int64),
            total=forged.paid.sum(axis=1),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on a company paid a supplier's invoices of about "
            f"{money(facts['usual'], facts['currency'])}; then {money(facts['total'], facts['currency'])} "
            f"went to another account by {said(spec, facts['last_second'])}; {noticed_so(spec, facts)}."
        )

    def _supplier(self, on: Canvas, part: Int64, own: Int64) -> Int64:
        """Another company at the same place or one that deals with it."""
        there = ground.near_part(on.spec, part, on.one("supplier-place"), 0.6 + 0.4 * on.ordinary)
        # Nobody buys from a firm that has failed.
        other = terms.another_company(on.spec, there, own, on.u("supplier", _TRIES))
        return on.at(there, "employers", other)

    def _forged(
        self,
        on: Canvas,
        company: Int64,
        wired: Int64,
        last: Int64,
        gap: int,
        window: int,
        usual: NDArray[np.float64],
    ) -> Any:
        mule = on.members(2)
        bare = ground.second_account(on.spec, mule) == ground.NO_SECOND
        second = np.stack(
            [last + gap + two * min(2 * ground.DAY_S, gap // 4) for two in range(_FORGED + 1)], axis=1
        )
        second = on.ascending(
            on.within(second, second + window // 3, on.u("forged", _FORGED + 1), "office"), HOUR_S
        )
        second = on.workday(second) if on.ordinary == 1 else second
        opened = np.maximum(second[:, 0] - ((2 + 30 * on.one("opened")) * ground.DAY_S).astype(np.int64), 0)
        on.edit(on.every, mule, "second_account", opened, where=bare)
        account = np.where(
            bare, on.account(mule, "second"), mule_accounts(on, np.zeros((on.n, 1), np.int64))[:, 0]
        )
        near = 0.04 * 5.0**self.difficulty
        amount = usual[:, None] * (1 + near * (2 * on.u("near", _FORGED + 1) - 1))
        number = 1 + keyed_integers(on.spec.seed, ("case", self.label, "forged"), on.homes, _FORGED)
        return send(
            on,
            number,
            second,
            np.rint(amount).astype(np.int64),
            np.broadcast_to(account[:, None], second.shape),
            wired[:, None],
            payer=company[:, None],
        )
