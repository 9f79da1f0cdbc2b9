"""Payroll redirection: a stranger changes where an employee's wage goes, and a mule gets it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud import buying
from rarecase.finance.cases.fraud.accomplices import WithAccomplices
from rarecase.finance.cases.fraud.forwarding import Came, came, exchanged, pass_on, stop_mules
from rarecase.finance.schema import BEARERS

_PARTS = 6
_EMPLOYER, _CUSTOMER = BEARERS.index("employer"), BEARERS.index("customer")


class PayrollRedirection(WithAccomplices):
    """The employer pays the wage to an account that a stranger named."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Payroll redirection"
    hint: ClassVar[str] = "Only employees with a pay-day within the data qualify: raise `size` or `days`."
    definition: ClassVar[str] = (
        "On one pay-day, or two in a row, an employed customer gets no wage (payment_type payroll, purpose "
        "SALA) on the current account, which got one on the other pay-days of the data; in the night of "
        "that day the same employer's account pays the customer's monthly_income_minor to the current "
        "account of another customer, whom it pays that sum on no other day, by way of payroll. That other "
        "draws 88 to 98 % of it as cash or sends it on, half an hour after in the median and within two "
        "days at difficulty 0, in 3 to 6 parts within some five days at 1. The employee tells within days, "
        "after which the wages come as before, and for most the employer pays the wage again (payment_type "
        "compensation). At 0 the other may live anywhere, from 0.5 on at the employee's place; at "
        "1 a redirection of two pay-days is three times as frequent."
    )
    source: ClassVar[str] = (
        "FBI IC3, public service announcement I-091818-PSA (2018), and Internet Crime Report 2019 (payroll "
        "diversion)"
    )

    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "declines",
            # What is paid and passed on follows the days on which wages are paid.
            "transactions.ordered_at",
            "transactions.booked_at",
            "transactions.available_at",
            "entries.booked_at",
        }
    )

    kind: Literal["payroll_redirection"] = "payroll_redirection"
    returned: float = Field(
        default=0.8, ge=0, le=1, description="share of employers who pay a diverted wage again; expert"
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Employees whose wage is diverted."""
        return Natural(
            1e-5,
            "entity-year",
            "expert",
            "one customer in 100,000 a year: the FBI's IC3 counted about 1,000 complaints of payroll "
            "diversion in 2019 in the United States (from general knowledge), few against 150 million "
            "employees; ten times as many are taken to be never told",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Employees with a pay-day in the data, whose employer pays them then."""
        found = np.zeros(entities.shape, np.bool_)
        employed = ground.segment(spec.seed, entities) == ground.EMPLOYED
        who = np.flatnonzero(employed & ~terms.paid_in_cash(spec, entities))
        if who.size and spec.size > 3:
            found[who] = (self._pay_days(spec, entities[who]) >= 0).any(axis=1)
        return found

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The employee, who collects, and the mule."""
        return np.full(homes.shape, 3, np.int64)

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """From 0.5 on the mule lives where the employee does, for wages do not leave a place."""
        away = super()._distances(spec, homes, widest)
        away[:, 1:2] = np.where(self.difficulty < 0.5, away[:, 1:2], 0)
        return away

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """Midnight of the first pay-day that is diverted: any but the last, where there are several."""
        days = self._pay_days(spec, homes)
        number = (days >= 0).sum(axis=1)
        u = keyed_uniform(spec.seed, ("onset", self.label), homes)
        first = (u * np.maximum(number - 1, 1)).astype(np.int64)
        order = np.argsort(np.where(days >= 0, days, spec.days), axis=1, kind="stable")
        chosen = np.take_along_axis(days, np.take_along_axis(order, first[:, None], axis=1), axis=1)[:, 0]
        return np.maximum(chosen, 0) * ground.DAY_S * ground.SECOND_US

    def draw(self, on: Canvas) -> Footprint:
        """The wages that stop, those that come elsewhere, and what follows."""
        part, employer = on.part(on.homes), terms.employer(on.spec, on.homes)
        firm, mule = on.at(part, "employers", np.maximum(employer, 0)), on.account(on.members(2))
        days = self._pay_days(on.spec, on.homes)
        twice = on.one("twice") < 0.12 * (1 + 2 * self.difficulty)
        day = self._diverted(on, days, twice)
        hour = ground.batch().at(on.u("hour", 2).ravel()).reshape(day.shape) // ground.SECOND_US
        when = np.where(day < on.spec.days, day * DAY_S + hour, on.horizon)
        wage = np.broadcast_to(on.incomes[:, None], day.shape)
        row = on.pay(on.every[:, None], when, wage, firm[:, None], mule[:, None], "salary", "diverted_wage")
        paid = np.where(row >= 0, wage, 0).sum(axis=1)
        final = np.where(row >= 0, day, -1).max(axis=1)
        on.stop(on.every, on.account(on.homes), on.onset, (final + 1) * DAY_S, "wages", where=final >= 0)
        got = self._parts(on, came(on, row, when, wage, on.account(on.homes)[:, None], mule[:, None]))
        # Who misses a wage tells after some days; who lost two found that late.
        reported, detected = on.noticed(
            np.where(final < 0, NEVER, final * DAY_S + 9 * HOUR_S), told=0.97, hours=on.between(30, 72)
        )
        known = np.minimum(reported, detected)
        until = stop_mules(on, [on.members(2)], known)
        left = pass_on(on, "mule", got, on.members(1), until)
        back = self._recalled(on, got.real, left, firm, mule, known)
        again = self._paid_again(on, paid, known, firm)
        return on.footprint(
            reported=reported, detected=detected, loss=paid, recovered=np.minimum(back, paid),
            # Beside what was recovered.
            reimbursed=np.maximum(again - np.minimum(back, paid), 0),
            borne_by=np.where(again > 0, _EMPLOYER, _CUSTOMER), wages=(row >= 0).sum(axis=1), total=paid,
            again=again,
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        again = "paid it again" if facts["again"] > 0 else "did not pay it again"
        return (
            f"An employer paid {money(facts['total'], facts['currency'])} of wages, {facts['wages']} of them "
            f"to a stranger's account from {said(spec, facts['started'])} on instead of the employee's, and "
            f"{again}."
        )

    def _pay_days(self, spec: Spec, employees: Int64) -> Int64:
        """Days of the data on which each employee is paid, shape (n, months), -1 for none."""
        part, number = employees // spec.block, np.maximum(terms.employer(spec, employees), 0)
        days = ground.calendar(spec.start, spec.days).monthly(terms.pay_day(spec, part, number), "previous")
        fails = terms.employer_fails(spec, part, number)
        open_ = (days >= 0) & (days < spec.days) & (days + 2 < np.minimum(fails // DAY_S, spec.days)[:, None])
        return np.where(open_, days, -1).astype(np.int64)

    def _diverted(self, on: Canvas, days: Int64, twice: NDArray[np.bool_]) -> Int64:
        """The first pay-day that is diverted, and for some the next; shape (n, 2), past the data for none."""
        first = on.onset // DAY_S
        later = np.where(days > first[:, None], days, on.spec.days).min(axis=1)
        return np.stack([first, np.where(twice, later, on.spec.days)], axis=1)

    def _parts(self, on: Canvas, got: Came) -> Came:
        """What the mule passes on at a time: each wage as a whole, or the harder the more parts, by day."""
        n, wages = got.row.shape
        several = on.whole("parts", 1 + round(2 * on.ordinary), 1 + round(5 * on.ordinary))
        weight = buying.weights(on, "parts", several, _PARTS, 1.1)
        share = np.repeat(weight[:, None, :], wages, axis=1).reshape(n, -1)
        row, paid, amount, second, payer, account = (
            np.repeat(column, _PARTS, axis=1)
            for column in (got.row, got.paid, got.amount, got.second, got.payer, got.account)
        )
        morning = np.maximum(second, second // DAY_S * DAY_S + 8 * HOUR_S)
        later = on.within(
            morning, morning + int(self.difficulty * 3.5 * DAY_S), on.u("part-when", wages * _PARTS)
        )
        waits = on.one("waits")[:, None] < on.ordinary
        second = np.where(waits & (later > second), later, second)
        cut = np.asarray(amount * share, np.int64)
        return Came(
            np.where(cut > 0, row, -1), second, np.asarray(paid * share, np.int64), cut, payer, account
        )

    def _recalled(
        self, on: Canvas, real: NDArray[np.bool_], left: Int64, firm: Int64, mule: Int64, known: Int64
    ) -> Int64:
        """The employer's bank gets back what is left at the mule, in some cases."""
        asked = (known != NEVER) & (on.one("recalled") < 0.35)
        when = np.where(
            asked,
            np.minimum(known, on.horizon) + DAY_S + (4 * DAY_S * on.one("recall-when")).astype(np.int64),
            on.horizon,
        )
        rest = np.where(real, left, 0).sum(axis=1)
        told = on.pay(
            on.every, when, rest, mule, firm, "recall", "recall", tainted=0, where=asked & (rest >= 100)
        )
        theirs = exchanged(on, np.clip(when, 0, on.horizon - 1), rest, mule, firm)
        return np.where(told >= 0, theirs, 0)

    def _paid_again(self, on: Canvas, lost: Int64, known: Int64, firm: Int64) -> Int64:
        """Most employers pay the wage again some days after they know."""
        wait = ((3 + 9 * on.one("again-wait")) * DAY_S).astype(np.int64)
        when = np.where(known == NEVER, on.horizon, np.minimum(known, on.horizon) + wait)
        told = on.pay(
            on.every, when, lost, firm, on.account(on.homes), "reimbursement", "reimbursement", tainted=0,
            where=(on.one("again") < self.returned) & (lost > 0),
        )  # fmt: skip
        return np.where(told >= 0, lost, 0)
