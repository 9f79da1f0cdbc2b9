"""Trade mispricing: invoices between a company and a partner abroad that are far from the fair price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_WIDTH, _BACK = 10, 2


class TradeMispricing(schemes.Scheme):
    """Value crosses the border in the price of goods; its owner gets it there."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Trade over- and under-invoicing"
    hint: ClassVar[str] = (
        "Only owners of companies and shops qualify, some one customer in ten: raise `size`."
    )
    definition: ClassVar[str] = (
        "A company or shop that the customer owns (ownerships) deals, beside its other wires, with a "
        "partner abroad in a series of 7 to 10 wires, all out of or all into its account, to or from the "
        "outside account abroad of its place, spread over 50 days (at most half the data; from 0.5 on as "
        "far as the data reach). All but 2 or 3 of them have the fair price, the same amount within 3 % "
        "(difficulty 0) to 12 % (1, log standard deviation). The 2 or 3, never among the first three, are "
        "over-invoiced imports (direction over: the company pays 2 to 3 times the fair price at 0, 1.2 to "
        "1.6 times at 1; in a quarter of these cases one fair invoice is instead paid twice, the same "
        "amount again within 1 to 4 days) or under-invoiced exports (under: the company gets 1/3 to 1/2 of "
        "it at 0, 1/1.6 to 1/1.2 at 1). 2 to 10 days after each of them, 80 to 95 % of the difference to "
        "the fair price comes from abroad to the owner's own current account, in one wire at 0, in up to 2 "
        "from 0.5 on."
    )
    source: ClassVar[str] = "FATF 2006, Trade based money laundering; FATF and Egmont 2020"
    share: ClassVar[float] = 0.10
    payments: ClassVar[float] = 6.0

    kind: Literal["trade_mispricing"] = "trade_mispricing"
    direction: Literal["over", "under", "either"] = Field(
        default="either",
        description="over-invoiced imports, under-invoiced exports, or either in half of cases",
    )
    amount: float = Field(
        default=2_500.0,
        gt=50,
        le=1e6,
        description="mean fair price of an invoice in euros at German prices; expert",
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of companies or shops."""
        return schemes.owners(spec, entities, "employers", "merchants")

    def span_s(self, spec: Spec) -> int:
        """The series and two weeks for the last difference, from 0.5 on half of it: the later ones may lie
        after the data, for a kind that never begins late would tell."""
        whole = min(64 * DAY_S, spec.days * DAY_S // 2)
        return int(whole * (1 - 0.5 * ground.ordinary_share(self.difficulty)))

    def draw(self, on: Canvas) -> Footprint:
        """The series of invoices, and what comes to the owner."""
        part = on.part(on.homes)
        company = schemes.company(on)
        abroad = on.at(part, "abroad")
        over = self._over(on)
        number = on.whole("number", 7, _WIDTH)
        fair = on.stolen("fair", self.amount, log_sd=0.5 + 0.6 * on.ordinary)[:, 0]
        fair = np.maximum(
            np.asarray(fair * schemes.business_scale(on) * (0.625 + 0.875 * on.ordinary), np.int64), 5_000
        )
        wrong = self._wrong(on, number)
        twice = over & (on.one("twice") < 0.25)
        plain = fair[:, None] * np.exp(on.between(0.03, 0.12) * on.normal("noise", _WIDTH))
        low, high = on.between(2.0, 1.2), on.between(3.0, 1.6)
        factor = low + (high - low) * on.u("factor", _WIDTH)
        factor = np.where(over[:, None], factor, 1 / factor)
        mispriced = wrong & ~twice[:, None]
        amount = np.asarray(np.where(mispriced, plain * factor, plain), np.int64)
        amount = np.where(np.arange(_WIDTH) < number[:, None], amount, 0)
        length = int(min(64 * DAY_S, on.horizon // 2) * 50 / 64)
        second = self._weekly(on, number, length)
        payer = np.where(over, company, abroad)[:, None]
        payee = np.where(over, abroad, company)[:, None]
        ways = data.ways()
        way = np.where(over, ways.code("wire_web"), ways.code("wire_in"))[:, None]
        moved = np.where(mispriced, np.abs(amount - plain.astype(np.int64)), 0)
        # Fair invoices belong to the case: nobody else deals with this partner; they carry nothing tainted.
        on.pay(on.every[:, None], second, amount, payer, payee, way, "invoice", tainted=0, where=~mispriced)
        tainted = np.minimum(moved, amount)
        done = on.pay(
            on.every[:, None],
            second,
            amount,
            payer,
            payee,
            way,
            "invoice",
            stage="layering",
            tainted=tainted,
            where=mispriced,
        )
        again = second + DAY_S + (3 * DAY_S * on.u("again", _WIDTH)).astype(np.int64)
        copied = on.pay(
            on.every[:, None],
            again,
            amount,
            payer,
            payee,
            way,
            "invoice",
            stage="layering",
            where=wrong & twice[:, None],
        )
        moved = np.where(done >= 0, moved, np.where(copied >= 0, amount, 0))
        returned = self._returned(on, np.where(copied >= 0, again, second), moved, abroad)
        return on.footprint(
            detected=schemes.suspected(on),
            over=over.astype(np.int64),
            twice=twice.astype(np.int64),
            invoices=on.number("invoice"),
            fair=fair,
            moved=moved.sum(axis=1),
            returned=returned,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        how = "paid invoices from abroad far above" if facts["over"] else "charged abroad far below"
        how = "paid invoices from abroad twice at" if facts["twice"] else how
        return (
            f"In {facts['invoices']} invoices from {said(spec, facts['started'])} on, a company {how} the "
            f"fair price of {money(facts['fair'], currency)}; {money(facts['returned'], currency)} of the "
            f"{money(facts['moved'], currency)} so moved came to its owner from abroad."
        )

    def _over(self, on: Canvas) -> NDArray[np.bool_]:
        if self.direction == "either":
            return np.asarray(on.one("direction") < 0.5, np.bool_)
        return np.full(on.n, self.direction == "over")

    def _wrong(self, on: Canvas, number: Int64) -> NDArray[np.bool_]:
        """Which invoices of each series are wrong: 2 or 3 of them, after the first three."""
        u = on.u("wrong", _WIDTH)
        u[:, :3] = 2.0
        u = np.where(np.arange(_WIDTH) < number[:, None], u, 2.0)
        rank = np.argsort(np.argsort(u, axis=1), axis=1)
        return np.asarray(rank < on.whole("wrongs", 2, 3)[:, None], np.bool_)

    def _weekly(self, on: Canvas, number: Int64, length: int) -> Int64:
        """Moments of the invoices: evenly spaced, moved by up to a third of a space, at hours of offices."""
        space = length / number[:, None]
        begin = on.onset[:, None] + (np.arange(_WIDTH) + 0.33 * on.u("shift", _WIDTH)) * space
        begun = begin.astype(np.int64)
        second = on.within(
            begun,
            begun + np.asarray(np.minimum(space * 0.4, 2 * DAY_S), np.int64),
            on.u("hour", _WIDTH),
            "office",
        )
        return np.where(begun >= on.horizon, on.horizon, second)

    def _returned(self, on: Canvas, since: Int64, moved: Int64, abroad: Int64) -> Int64:
        """The difference comes to the owner; what came in all."""
        owner, total = on.account(on.homes)[:, None], np.zeros(on.n, np.int64)
        whole = moved * (0.8 + 0.15 * on.u("share", _WIDTH))
        number = 1 + np.asarray(on.u("back-number", _WIDTH) * (1 + 0.5 * on.ordinary), np.int64)
        for column in range(_BACK):
            share = np.where(column < number, 1.0 / number, 0.0) * (1 - 0.1 * (column > 0))
            wait = (2 + (6 + column) * on.u(f"back-{column}", _WIDTH)) * DAY_S
            begun = since + wait.astype(np.int64)
            at = on.within(begun, begun + 12 * 3_600, on.u(f"back-hour-{column}", _WIDTH), "office")
            at = np.where(begun >= on.horizon, on.horizon, at)
            amount = np.asarray(whole * share, np.int64)
            amount = schemes.wired(on, f"back-{column}", amount) if on.ordinary == 1 else amount
            told = on.pay(
                on.every[:, None], at, amount, abroad[:, None], owner, "wire_in", "exit", stage="integration"
            )
            total += np.where(told >= 0, amount, 0).sum(axis=1)
        return total
