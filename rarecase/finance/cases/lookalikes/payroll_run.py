"""Payroll run, a look-alike: a person with a small firm pays the staff from the same account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtri

from rarecase.common.case import Natural
from rarecase.common.seeds import Float64, Int64
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.footprint import ROLES, CaseFacts, CaseRows, case_rows, join, never

if TYPE_CHECKING:
    from rarecase.common.plan import Placement
    from rarecase.common.spec import Spec

_MOST_STAFF = 20
_HOUR_S = 3_600
_INVOICES = 4
#: Shares of mini-jobs, and of these with part-time jobs.
_MINI, _PART = 0.5, 0.75


class PayrollRun(BankCase):
    """Fan-out that is no fraud: the same wages to the same few people on the same day of each month."""

    is_case: ClassVar[bool] = False
    title: ClassVar[str] = "Payroll run of a small employer"
    definition: ClassVar[str] = (
        "A self-employed customer pays 4 to 12 people of the same place or of places that deal with it on a "
        "fixed day of every month, each the same wage every time, out of one to four invoices paid on "
        "business days shortly before; it looks like fan-out but is honest."
    )
    source: ClassVar[str] = (
        "Normal fan-out as in Altman and others 2023, AMLworld, arXiv 2306.16424; wages by own choice, half "
        "of them below the German limit of a mini-job (556 EUR in 2025)"
    )

    kind: Literal["payroll_run"] = "payroll_run"
    fewest_staff: int = Field(default=4, ge=2, le=_MOST_STAFF, description="fewest people paid")
    most_staff: int = Field(default=12, ge=2, le=_MOST_STAFF, description="most people paid")

    def natural(self, spec: Spec) -> Natural | None:
        """Own-account employers among the customers."""
        share = 0.04 * (ground.SEGMENT_SHARES[ground.EMPLOYED] + ground.SEGMENT_SHARES[ground.SELF_EMPLOYED])
        return Natural(
            share,
            "entity",
            "survey",
            "Eurostat, EU labour force survey, third quarter of 2021: 4 % of employed persons of 20 to "
            "64 are "
            "employers; times the share of customers who work",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Only the self-employed employ others."""
        chosen: NDArray[np.bool_] = ground.segment(spec.seed, entities) == ground.SELF_EMPLOYED
        return chosen

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """The first pay-day."""
        days = self._pay_days(spec, homes)
        first = np.where(days >= 0, days, spec.days - 1).min(axis=1)
        return np.asarray(first * ground.DAY_S * ground.SECOND_US, np.int64)

    def footprint(self, spec: Spec, placement: Placement) -> tuple[CaseRows, CaseFacts]:
        """Invoices and wages of every month."""
        homes = placement.homes
        days = self._pay_days(spec, homes)
        staff, wages = self._staff(spec, homes)
        paid = self._wages(spec, homes, days, staff, wages)
        rows = join([self._invoices(spec, homes, days, wages), paid])
        rows = rows.take(np.lexsort((rows.row, rows.case)))
        return rows, self._facts(spec, homes, rows, (wages > 0).sum(axis=1), wages.sum(axis=1))

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        if facts["first_wage"] == NEVER:
            return (
                f"At {said(spec, facts['started'])} a self-employed customer has {facts['staff']} staff, "
                "but the data hold no pay-day."
            )
        return (
            f"From {said(spec, facts['started'])} on, a self-employed customer paid "
            f"{facts['staff']} people {money(facts['payroll'])} together on each pay-day out of "
            f"paid invoices, the first time at {said(spec, facts['first_wage'])}: an ordinary payroll."
        )

    def _staff(self, spec: Spec, homes: Int64) -> tuple[Int64, Int64]:
        """Global ordinals of the staff and their wages in minor units, shapes (n, 20); wage 0: nobody."""
        span = max(self.most_staff - self.fewest_staff, 0) + 1
        number = self.fewest_staff + np.floor(self._u(spec, "number", homes, 1) * span).astype(np.int64)
        where, who = self._u(spec, "where", homes, _MOST_STAFF), self._u(spec, "who", homes, _MOST_STAFF)
        home = np.repeat(homes, _MOST_STAFF)
        staff = ground.near(spec, home, where.ravel(), who.ravel()).reshape(where.shape)
        works = (np.arange(_MOST_STAFF) < number) & (staff != homes[:, None]) & ~_again(staff)
        return staff, np.where(works, self._wage(spec, homes), 0)

    def _wage(self, spec: Spec, homes: Int64) -> Int64:
        """Net monthly wages: half mini-jobs, some part-time jobs, some full ones."""
        u, kind = self._u(spec, "wage", homes, _MOST_STAFF), self._u(spec, "job", homes, _MOST_STAFF)
        mini = 20_000 + u * 35_600
        part = 70_000 + u * 80_000
        full = 190_000 * np.exp(0.25 * ndtri(np.clip(u, 1e-9, 1 - 1e-9)))
        wage = np.where(kind < _MINI, mini, np.where(kind < _PART, part, full))
        return np.rint(wage / 100).astype(np.int64) * 100

    def _wages(self, spec: Spec, homes: Int64, days: Int64, staff: Int64, wages: Int64) -> CaseRows:
        case, person, month = np.nonzero((wages > 0)[:, :, None] & (days >= 0)[:, None, :])
        hour = ground.office().at(self._u(spec, "hour", homes, 1)[:, 0])[case] // ground.SECOND_US
        spread = self._u(spec, "spread", homes, _MOST_STAFF)[case, person]
        gap = (person * 45 * (1 - self.difficulty) + spread * self.difficulty * 6 * _HOUR_S).astype(np.int64)
        slots, ways = ground.slots(spec.block), data.ways()
        mobile = self._u(spec, "way", homes, 1)[case, 0] < 0.4
        return case_rows(
            case=case,
            row=_INVOICES * days.shape[1] + month * _MOST_STAFF + person,
            home=homes[case],
            second=days[case, month] * ground.DAY_S + np.minimum(hour + gap, ground.DAY_S - 1),
            amount=wages[case, person],
            payer=slots.customer(homes)[case],
            payee=slots.customer(staff[case, person]),
            way=np.where(mobile, ways.code("wage_mobile"), ways.code("wage_web")),
            new_device=0,
            role=ROLES.index("wage"),
            stage=-1,
        )

    def _invoices(self, spec: Spec, homes: Int64, days: Int64, wages: Int64) -> CaseRows:
        number = 1 + np.floor(_INVOICES * self._u(spec, "invoices", homes, 1)).astype(np.int64)
        weight = 0.3 + self._u(spec, "share", homes, _INVOICES)
        weight = np.where(np.arange(_INVOICES) < number, weight, 0.0)
        total = wages.sum(axis=1, keepdims=True) * weight / weight.sum(axis=1, keepdims=True)
        case, month, row = np.nonzero((days >= 0)[:, :, None] & (total > 0)[:, None, :])
        cell = month * _INVOICES + row
        width = days.shape[1] * _INVOICES
        u = 9 * self._u(spec, "before", homes, width)[case, cell]
        calendar = ground.calendar(spec.start, spec.days)
        wanted = days[case, month] - 1 - np.floor(u).astype(np.int64)
        day = calendar.business_day(wanted, "previous")
        # Not all that would fall on a weekend is paid on the Friday before.
        earlier = day - np.floor(4 * (u % 1.0)).astype(np.int64)
        day = np.where(day == wanted, day, calendar.business_day(earlier, "previous"))
        clock = ground.office().at(self._u(spec, "paid", homes, width)[case, cell])
        more = 1.05 + 0.2 * self._u(spec, "invoice", homes, width)[case, cell]
        slots = ground.slots(spec.block)
        return case_rows(
            case=case,
            row=cell,
            home=homes[case],
            second=day * ground.DAY_S + clock // ground.SECOND_US,
            amount=np.rint(total[case, row] * more).astype(np.int64),
            payer=homes[case] // spec.block * slots.width + slots.first("world"),
            payee=slots.customer(homes)[case],
            way=data.ways().code("invoice"),
            new_device=0,
            role=ROLES.index("funding"),
            stage=-1,
            # What was paid before the data began pays the first wages.
        ).take(np.flatnonzero(day >= 0))

    def _facts(self, spec: Spec, homes: Int64, rows: CaseRows, staff: Int64, payroll: Int64) -> CaseFacts:
        n = homes.size
        started, ended, first_wage = np.full(n, NEVER), np.full(n, -1), np.full(n, NEVER)
        wages = rows.role == ROLES.index("wage")
        np.minimum.at(first_wage, rows.case[wages], rows.second[wages])
        np.minimum.at(started, rows.case, rows.second)
        np.maximum.at(ended, rows.case, rows.second)
        # A window shorter than a month may hold no pay-day; such a case is there but did nothing yet.
        started = np.where(started == NEVER, 0, started)
        return CaseFacts(
            started=started,
            ended=np.maximum(ended, started),
            reported=never(n),
            detected=never(n),
            blocked_from=never(n),
            blocked_to=never(n),
            device_seen=never(n),
            details={"staff": staff, "payroll": payroll, "first_wage": first_wage},
        )

    def _pay_days(self, spec: Spec, homes: Int64) -> Int64:
        wanted = 24 + np.floor(self._u(spec, "day", homes, 1)[:, 0] * 7).astype(np.int64)
        days = ground.calendar(spec.start, spec.days).monthly(wanted)
        return np.asarray(days, np.int64)

    def _u(self, spec: Spec, what: str, homes: Int64, width: int) -> Float64:
        return ground.uniforms(spec, self.label, what, homes, width)


def _again(staff: Int64) -> NDArray[np.bool_]:
    """Who stands in the same row before."""
    order = np.argsort(staff, axis=1, kind="stable")
    ranked = np.take_along_axis(staff, order, axis=1)
    same = np.zeros(staff.shape, np.bool_)
    same[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    again = np.empty_like(same)
    np.put_along_axis(again, order, same, axis=1)
    return again
