"""Payroll run, a look-alike: a person with a small firm pays the staff from the same account."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtri

from rarecase.common.seeds import Float64, Int64
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike, first_time, near_people, orders

_MOST_STAFF = 20
_INVOICES = 4
#: Wages are ordered before the evening, so that they are booked on the pay-day.
_LATEST_S = 20 * HOUR_S
#: Shares of mini-jobs, and of these with part-time jobs.
_MINI, _PART = 0.5, 0.75


class PayrollRun(Lookalike):
    """Fan-out that is no fraud: the same wages to the same few people on the same day of each month."""

    title: ClassVar[str] = "Payroll run of a small employer"
    definition: ClassVar[str] = (
        "A self-employed customer pays 4 to 12 people of the same place or of places that deal with it by "
        "transfer with purpose SALA on a fixed day of every month (24 to 30, or the business day before), "
        "each the same wage every time, out of one to four invoices paid on business days in the eleven "
        "days before; it looks like fan-out but is honest."
    )
    source: ClassVar[str] = (
        "Normal fan-out as in Altman and others 2023, AMLworld, arXiv 2306.16424; wages by own choice, half "
        "of them below the German limit of a mini-job (556 EUR in 2025)"
    )
    share: ClassVar[float] = 0.04 * (
        ground.SEGMENT_SHARES[ground.EMPLOYED] + ground.SEGMENT_SHARES[ground.SELF_EMPLOYED]
    )
    evidence = "survey"
    rate_source: ClassVar[str] = (
        "Eurostat, EU labour force survey, third quarter of 2021: 4 % of employed persons of 20 to 64 are "
        "employers; times the share of customers who work"
    )

    pays_acquaintances: ClassVar[bool] = True
    kind: Literal["payroll_run"] = "payroll_run"
    fewest_staff: int = Field(default=4, ge=2, le=_MOST_STAFF, description="fewest people paid")
    most_staff: int = Field(default=12, ge=2, le=_MOST_STAFF, description="most people paid")

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Only the self-employed employ others."""
        chosen: NDArray[np.bool_] = ground.segment(spec.seed, entities) == ground.SELF_EMPLOYED
        return chosen

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """The first day of the data: a payroll runs on."""
        return np.zeros(homes.shape, np.int64)

    def draw(self, on: Canvas) -> Footprint:
        """Invoices and wages of every month."""
        days = on.monthly(on.whole("day", 24, 30), "previous")
        number = on.whole("number", self.fewest_staff, max(self.most_staff, self.fewest_staff))
        staff = near_people(on, "staff", _MOST_STAFF)
        works = (np.arange(_MOST_STAFF) < number[:, None]) & (staff != on.homes[:, None]) & first_time(staff)
        wages = np.where(works, self._wage(on), 0)
        self._invoices(on, days, wages.sum(axis=1))
        begins = ground.office().at(on.one("hour")) // ground.SECOND_US
        way = orders(on, "way", 1, "wage_mobile", "wage_web")
        for month in range(days.shape[1]):
            on.pay(
                on.every[:, None],
                days[:, month : month + 1] * DAY_S + self._orders(on, begins, month),
                wages,
                on.account(on.homes)[:, None],
                on.account(staff),
                way,
                "wage",
                where=works & (days[:, month : month + 1] >= 0),
            )
        return on.footprint(
            staff=works.sum(axis=1), payroll=wages.sum(axis=1), first_wage_second=on.first("wage")
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        if facts["first_wage_second"] == NEVER:
            return (
                f"At {said(spec, facts['started'])} a self-employed customer has {facts['staff']} staff, "
                "but the data hold no pay-day."
            )
        return (
            f"From {said(spec, facts['started'])} on, a self-employed customer paid {facts['staff']} people "
            f"{money(facts['payroll'], facts['currency'])} together on each pay-day out of paid invoices, "
            f"the first time at {said(spec, facts['first_wage_second'])}: an ordinary payroll."
        )

    def _wage(self, on: Canvas) -> Int64:
        """Net monthly wages: half mini-jobs, some part-time jobs, some full ones."""
        u, kind = on.u("wage", _MOST_STAFF), on.u("job", _MOST_STAFF)
        mini, part = 20_000 + u * 35_600, 70_000 + u * 80_000
        full = 190_000 * np.exp(0.25 * ndtri(np.clip(u, 1e-9, 1 - 1e-9)))
        wage: Float64 = np.where(kind < _MINI, mini, np.where(kind < _PART, part, full))
        return np.rint(wage * on.scale[:, None] / 100).astype(np.int64) * 100

    def _orders(self, on: Canvas, begins: Int64, month: int) -> Int64:
        """Seconds of the day: one sitting at about the same hour of each pay-day, hard ones over the day."""
        about = np.clip(
            begins + np.rint((on.one(f"about-{month}") - 0.5) * 2 * HOUR_S), 7 * HOUR_S, _LATEST_S
        )
        typed = np.cumsum(20 + 70 * on.u(f"typed-{month}", _MOST_STAFF) ** 2, axis=1)
        left = np.minimum(_LATEST_S - about, 6 * HOUR_S)[:, None]
        spread = on.u(f"spread-{month}", _MOST_STAFF) * left
        gap = typed * (1 - self.difficulty) + spread * self.difficulty
        return np.asarray(about[:, None] + gap, np.int64)

    def _invoices(self, on: Canvas, days: Int64, payroll: Int64) -> None:
        number = on.whole("invoices", 1, _INVOICES)
        weight = np.where(np.arange(_INVOICES) < number[:, None], 0.3 + on.u("share", _INVOICES), 0.0)
        weight /= weight.sum(axis=1, keepdims=True)
        calendar = ground.calendar(on.spec.start, on.spec.days)
        for month in range(days.shape[1]):
            u = 9 * on.u(f"before-{month}", _INVOICES)
            # What was paid before the data began pays the first wages.
            wanted = np.maximum(days[:, month : month + 1] - 1 - np.floor(u).astype(np.int64), -20)
            day = calendar.business_day(wanted.ravel(), "previous").reshape(wanted.shape)
            clock = ground.office().at(on.u(f"paid-{month}", _INVOICES).ravel()).reshape(day.shape)
            more = 1.05 + 0.2 * on.u(f"invoice-{month}", _INVOICES)
            on.pay(
                on.every[:, None],
                day * DAY_S + clock // ground.SECOND_US,
                np.rint(payroll[:, None] * weight * more).astype(np.int64),
                on.at(on.part(on.homes), "world")[:, None],
                on.account(on.homes)[:, None],
                "invoice",
                "funding",
                where=(days[:, month : month + 1] >= 0) & (day >= 0) & (weight > 0),
            )
