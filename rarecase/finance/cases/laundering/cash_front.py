"""Cash front: a shop pays in far more cash than it takes; its owner draws the difference as clean money."""

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

_WEEKS, _PERIODS = 10, 3


class CashFront(schemes.Scheme):
    """Proceeds of crime come in as the takings of a shop and go out as drawings, wages and supplies."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Cash front"
    hint: ClassVar[str] = "Only owners of shops qualify, one customer in eight or fewer: raise `size`."
    definition: ClassVar[str] = (
        "For 8 to 10 weeks (as many as fit half the data; from 0.5 on as far as the data reach) the account "
        "of a shop owned by the customer (ownerships, merchants) receives, beside its own weekly takings, "
        "one or two further cash deposits a week of together on average 5,000 EUR at German prices at "
        "difficulty 0, 800 at 0.5 and 520 at 1, each below the limit on cash of structuring: at 0 its "
        "weekly cash is a multiple of its weekly card payments and of the cash of shops of its place, at 1 "
        "less than double. Three times (0), twice (0.5) or once (1), after equal numbers of weeks (from 0.5 "
        "on sooner), 70 to 95 % of the further cash so far not used leaves in three ways: drawings of the "
        "owner to the own current account (half on average; from 0.5 on mostly as supplies or invoices), "
        "wages (from 0.5 on invoices of a freelance) to one other person who does not work there (a third), "
        "and the rest to a supplier in the world outside; the employee sends 75 to 90 % of each back to the "
        "owner within hours to days, in one transfer at 0 and up to 5 from 0.5 on."
    )
    source: ClassVar[str] = (
        "FATF 2006, Trade and cash-intensive businesses; AMLworld (arXiv 2306.16424): front firms"
    )
    share: ClassVar[float] = 0.12
    payments: ClassVar[float] = 26.0

    #: That a shop pays is what the kind is about; other payments of business mostly come from elsewhere.
    reveals: ClassVar[frozenset[str]] = frozenset({"transactions.payer_account_id"})

    kind: Literal["cash_front"] = "cash_front"
    amount: float = Field(
        default=5_000.0,
        gt=100,
        le=1e6,
        description="mean further cash of a week in euros at German prices; expert",
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of shops."""
        return schemes.owners(spec, entities, "merchants") & (spec.size > 1)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The owner, and who is on the payroll for show."""
        return np.full(homes.shape, 2, np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Anybody of the shop's place or, below 0.5, of one that deals with it."""
        tries = []
        for attempt in range(8):
            u = ground.uniforms(spec, self.label, f"who-{attempt}", homes, 2)
            local = 0.7 + 0.3 * ground.ordinary_share(self.difficulty)
            tries.append(ground.near(spec, homes, u[:, 0], u[:, 1], local))
        return schemes.free_one(homes, taken, np.stack(tries, axis=1))[:, None]

    def span_s(self, spec: Spec) -> int:
        """Weeks of takings and some days for the last drawings, from 0.5 on three fifths of that: the rest
        may lie after the data, for a kind that never begins late would tell."""
        return int(self._whole_s(spec) * (1 - 0.4 * ground.ordinary_share(self.difficulty)))

    def _whole_s(self, spec: Spec) -> int:
        return min((_WEEKS * 7 + 7) * DAY_S, spec.days * DAY_S // 2)

    def draw(self, on: Canvas) -> Footprint:
        """Further takings week by week, and how they are turned into income."""
        part, owner = on.part(on.homes), on.account(on.homes)
        shop = on.at(part, "merchants", np.maximum(ground.owned(on.spec, on.homes, "merchants"), 0))
        room = max(min(self._whole_s(on.spec) // (7 * DAY_S) - 1, _WEEKS), 1)
        weeks = on.whole("weeks", max(min(room, 8), 1), room)
        paid = self._takings(on, shop, weeks)
        used, drawn, wages = np.zeros(on.n, np.int64), np.zeros(on.n, np.int64), np.zeros(on.n, np.int64)
        periods = round(_PERIODS - 2 * self.difficulty)
        for period in range(periods):
            # From 0.5 on not always at the end of the weeks.
            share = (period + 1) / periods * (1 - 0.5 * on.ordinary * on.one("early"))
            edge = on.onset + np.ceil(weeks * share).astype(np.int64) * 7 * DAY_S
            there = (paid.second < edge[:, None]) & (paid.amount > 0)
            so_far = np.where(there, paid.amount, 0).sum(axis=1)
            free = np.asarray((so_far - used) * (0.72 + 0.2 * on.one(f"free-{period}")), np.int64)
            moved = self._turned(on, period, np.minimum(edge, on.horizon), free, shop, owner)
            used += moved[0]
            drawn += moved[1]
            wages += moved[2]
        return on.footprint(
            detected=schemes.suspected(on),
            weeks=weeks,
            deposits=on.number("placement"),
            total=paid.total,
            drawn=drawn,
            wages=wages,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, a shop paid in {money(facts['total'], currency)} of "
            f"cash that it never took, over {facts['weeks']} weeks; its owner drew "
            f"{money(facts['drawn'], currency)} and paid {money(facts['wages'], currency)} of wages for "
            "show."
        )

    def _takings(self, on: Canvas, shop: Int64, weeks: Int64) -> schemes.Moved:
        """One or two further deposits a week, columns of 2 × weeks."""
        width = 2 * _WEEKS
        week = np.arange(width) // 2
        # From 0.5 on as much again as ordinary takings, and at 1 less.
        shrunk = 0.16**on.ordinary * 0.65 ** max(0.0, 2 * self.difficulty - 1)
        mean = self.amount * 100 * shrunk * on.scale
        level = mean * np.exp(0.3 * on.normal("level"))[:, 0]
        each = level[:, None] * np.exp((0.2 + 0.5 * on.ordinary) * on.normal("takings", width)) / 1.4
        twice = on.u("twice", width) < 0.4
        used = (week < weeks[:, None]) & ((np.arange(width) % 2 == 0) | twice)
        each = np.minimum(each, schemes.limit_minor(on.spec, on.part(on.homes))[:, None] * 0.92)
        amount = np.where(used, schemes.notes(each.astype(np.int64), 500), 0)
        begin = on.onset[:, None] + week * 7 * DAY_S
        second = on.within(begin, begin + 7 * DAY_S, on.u("takings-time", width), "office")
        second = np.where(begin >= on.horizon, on.horizon, second)
        place = on.part(on.homes)[:, None]
        return schemes.paid_in(on, "takings", second, amount, shop[:, None], place, machines=0.0, step=500)

    def _turned(
        self, on: Canvas, period: int, since: Int64, free: Int64, shop: Int64, owner: Int64
    ) -> tuple[Int64, Int64, Int64]:
        """What leaves the shop after a period: all of it, drawings and wages."""
        name = f"turned-{period}"
        share = np.exp((0.4 + 0.6 * on.ordinary) * on.normal(f"{name}-share", 3)) * np.array(
            [0.5, 0.33, 0.17]
        )
        cut = np.asarray(free[:, None] * share / share.sum(axis=1, keepdims=True), np.int64)
        straw, world = on.account(on.members(1)), on.at(on.part(on.homes), "world")
        low = np.minimum(since + HOUR_S, on.horizon - 1)[:, None]
        high = np.minimum(since + 5 * DAY_S, on.horizon)[:, None]
        # Drawings and wages are booked in the night's batch, invoices are paid by day.
        night, day = (on.within(low, high, on.u(f"{name}-when", 3), rhythm) for rhythm in ("batch", "office"))
        when = np.where(np.arange(3) < (2 if on.ordinary < 1 else 1), night, day)
        when = np.where(since[:, None] + DAY_S >= on.horizon, on.horizon, when)
        wage_way: str = "salary" if on.ordinary < 1 else "invoice"
        # Payments to owners are rare among those of firms: from 0.5 on most are called something else.
        drawing_way = "payout" if on.ordinary < 1 else schemes.settled(on, f"{name}-drawing", 1)[:, 0]
        told = [
            on.pay(on.every, when[:, column], cut[:, column], shop, payee, way, role, stage="integration")
            for column, (payee, way, role) in enumerate(
                ((owner, drawing_way, "payout"), (straw, wage_way, "wage"), (world, "supplier", "invoice"))
            )
        ]
        paid = np.where(np.stack(told, axis=1) >= 0, cut, 0)
        wage = schemes.received(on, when[:, 1], paid[:, 1], shop, straw)
        # Ordinary people send each other some hundred units at a time.
        usual = np.rint(wage / (30_000 * on.scale)).astype(np.int64)
        several = np.clip(usual, 1, 5) if on.ordinary == 1 else np.ones_like(usual)
        schemes.sent_on(
            on,
            f"{name}-back",
            when[:, 1],
            np.asarray(wage * (0.76 + 0.13 * on.one(f"{name}-kept")), np.int64),
            straw,
            owner,
            width=5,
            number=several,
            easy_s=10 * HOUR_S,
            hard_s=DAY_S,
            stage="integration",
        )
        return paid.sum(axis=1), paid[:, 0], paid[:, 1]
