"""Payroll run, a look-alike: a person with a small firm pays the staff from the same account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

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


class PayrollRun(BankCase):
    """Fan-out that is no fraud: the same wages to the same few people on the same day of each month."""

    is_case: ClassVar[bool] = False
    title: ClassVar[str] = "Payroll run of a small employer"
    definition: ClassVar[str] = (
        "A self-employed customer pays 4 to 12 people of the same place on a fixed day of every month, "
        "each the "
        "same amount every time, out of an invoice paid the day before; it looks like fan-out but is honest."
    )
    source: ClassVar[str] = "Normal fan-out as in Altman and others 2023, AMLworld, arXiv 2306.16424"

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
            f"Paid by an invoice at {said(spec, facts['started'])}, a self-employed customer paid "
            f"{facts['staff']} people {money(facts['payroll'])} together on each pay-day, the first time at "
            f"{said(spec, facts['first_wage'])}: an ordinary payroll."
        )

    def _staff(self, spec: Spec, homes: Int64) -> tuple[Int64, Int64]:
        """Global ordinals of the staff and their wages in minor units, shapes (n, 20); wage 0: nobody."""
        span = max(self.most_staff - self.fewest_staff, 0) + 1
        number = self.fewest_staff + np.floor(self._u(spec, "number", homes, 1) * span).astype(np.int64)
        low = (homes // spec.block * spec.block)[:, None]
        size = np.minimum(low + spec.block, spec.size) - low
        start = np.floor(self._u(spec, "who", homes, 1) * size).astype(np.int64)
        # Neighbours in the block are as good as any others, for attributes are hashed.
        staff = low + (start + np.arange(_MOST_STAFF)) % size
        u, v = self._u(spec, "wage", homes, _MOST_STAFF), self._u(spec, "round", homes, _MOST_STAFF)
        income = np.broadcast_to(ground.income_minor(spec, homes)[:, None], u.shape)
        wages = ground.transfer_minor(u * 0.6 + 0.4, v, income, shift=1.6 * (1 - self.difficulty) ** 1.5)
        works = (np.arange(_MOST_STAFF) < number) & (staff != homes[:, None])
        works &= np.arange(_MOST_STAFF) < size
        return staff, np.where(works, wages, 0)

    def _wages(self, spec: Spec, homes: Int64, days: Int64, staff: Int64, wages: Int64) -> CaseRows:
        case, person, month = np.nonzero((wages > 0)[:, :, None] & (days >= 0)[:, None, :])
        hour = self._hour(spec, homes)[case]
        spread = self._u(spec, "spread", homes, _MOST_STAFF)[case, person]
        gap = (person * 45 * (1 - self.difficulty) + spread * self.difficulty * 6 * _HOUR_S).astype(np.int64)
        slots, ways = ground.slots(spec.block), data.ways()
        mobile = self._u(spec, "way", homes, 1)[case, 0] < 0.4
        return case_rows(
            case=case,
            row=days.shape[1] + month * _MOST_STAFF + person,
            home=homes[case],
            second=days[case, month] * ground.DAY_S + np.minimum(hour + gap, ground.DAY_S - 1),
            amount=wages[case, person],
            payer=slots.customer(homes)[case],
            payee=slots.customer(staff[case, person]),
            way=np.where(mobile, ways.code("mobile"), ways.code("web")),
            new_device=0,
            role=ROLES.index("wage"),
            stage=-1,
        )

    def _invoices(self, spec: Spec, homes: Int64, days: Int64, wages: Int64) -> CaseRows:
        case, month = np.nonzero((days >= 0) & (wages.sum(axis=1) > 0)[:, None])
        slots = ground.slots(spec.block)
        total = wages.sum(axis=1)[case]
        before = np.maximum(days[case, month] - 1, 0) * ground.DAY_S
        more = 1.05 + 0.2 * self._u(spec, "invoice", homes, days.shape[1])[case, month]
        return case_rows(
            case=case,
            row=month,
            home=homes[case],
            second=before
            + (self._u(spec, "paid", homes, days.shape[1])[case, month] * 6 * _HOUR_S).astype(np.int64),
            amount=np.rint(total * more).astype(np.int64),
            payer=homes[case] // spec.block * slots.width + slots.first("world"),
            payee=slots.customer(homes)[case],
            way=data.ways().code("invoice"),
            new_device=0,
            role=ROLES.index("funding"),
            stage=-1,
        )

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

    def _hour(self, spec: Spec, homes: Int64) -> Int64:
        return (9 * _HOUR_S + self._u(spec, "hour", homes, 1)[:, 0] * 8 * _HOUR_S).astype(np.int64)

    def _u(self, spec: Spec, what: str, homes: Int64, width: int) -> Float64:
        return ground.uniforms(spec, self.label, what, homes, width)
