"""Authorised push payments: the customer gives the orders and is deceived about whom they serve, or what for.

The five kinds share what follows a payment: mules pass the money on, the customer notices late or never, the
bank asks back what is left, and pays where the law or its good will says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rarecase.common.case import Natural
from rarecase.common.members import among, united
from rarecase.common.seeds import Float64, Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import BankCase, said
from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud.forwarding import (
    Came,
    came,
    pass_on,
    payee_checks,
    recall,
    stop_mules,
)
from rarecase.finance.schema import DECLINE_REASONS

#: Authorised push payment cases a year and adult of the United Kingdom: fewer than 186,000 among 55 million.
APP_A_YEAR = 186_000 / 55e6
UK_FINANCE = (
    "UK Finance, Annual Fraud Report 2025: fewer than 186,000 cases of authorised push payments in 2024 and "
    "450.7 million GBP, 144.4 million of it in investment scams, among some 55 million adults"
)
#: Reimbursement of authorised push payments has been the law in the United Kingdom since this day: up to
#: 85,000 GBP, less 100 GBP that the bank may leave to the customer.
_MANDATORY = date(2024, 10, 7)
_MOST_MINOR, _EXCESS_MINOR = 8_500_000, 10_000
#: Shares of reported losses that are reimbursed: in the United Kingdom by law and before, and elsewhere (in
#: the EEA users bore some 85 % of the losses by credit transfers in 2024).
_BY_LAW, _BY_CODE, _ELSEWHERE = 0.88, 0.59, 0.13
_UK = "UK"
_ATTEMPTS = 12
#: Money of victims that is not in the account: rich people's savings, in monthly incomes.
MOST_INCOMES = 30
#: Sales of what victims hold elsewhere, at most, and what each brings from difficulty 0.5 on.
_SALES, _SALE_MINOR = 8, 120_000
#: Why a bank refuses.
_SUSPECTED = DECLINE_REASONS.index("suspected_fraud")


class Scam(BankCase):
    """What the five kinds have in common: a victim, somebody who collects, and one or two mules."""

    is_case: ClassVar[bool] = True
    source: ClassVar[str] = (
        "UK Finance, Annual Fraud Report 2025 (authorised push payment fraud); EBA and ECB, Report on "
        "payment fraud, December 2025 (manipulation of the payer); Payment Systems Regulator, PS23/4 "
        "(reimbursement)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset({"declines"})
    #: Share of all cases of authorised push payments, and why.
    share: ClassVar[float]
    reason: ClassVar[str]

    def natural(self, spec: Spec) -> Natural | None:
        """Cases a year and customer: the published number of all forms, split by expert shares."""
        return Natural(
            APP_A_YEAR * self.share,
            "entity-year",
            "expert",
            f"{UK_FINANCE}; {self.reason}",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are enough others to deceive them."""
        return np.full(entities.shape, spec.size > 4)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The victim, who collects, and one or two mules."""
        return 3 + keyed_integers(spec.seed, ("case", self.label, "mules"), homes, 2)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Mules may be anybody, also where victims may not."""
        others = super().recruit(spec, homes, members, taken)
        if others is None:
            return None
        held = united(united(taken, homes), others[others >= 0])
        for attempt in range(_ATTEMPTS):
            case, position = np.nonzero((others < 0) & (np.arange(others.shape[1]) + 1 < members[:, None]))
            if case.size == 0:
                break
            u = ground.uniforms(spec, self.label, f"anybody-{attempt}", homes, others.shape[1])[
                case, position
            ]
            person = np.minimum((u * spec.size).astype(np.int64), spec.size - 1)
            first = np.zeros(case.size, np.bool_)
            first[np.unique(person, return_index=True)[1]] = True
            free = first & ~among(person, held)
            others[case[free], position[free]] = person[free]
            held = united(held, person[free])
        return others

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """Who collects lives where the victim does, so that every mule deals with the collector."""
        away = super()._distances(spec, homes, widest)
        away[:, :1] = 0
        return away


def mule_accounts(on: Canvas, which: Int64) -> Int64:
    """Addresses of the mules' current accounts; `which`, from 0, is folded to how many a case has."""
    case = np.broadcast_to(on.every[:, None], which.shape)
    several = on.placement.members[case] - 2
    return on.account(on.placement.entities[case, 2 + which % several])


def mules(on: Canvas) -> list[Int64]:
    """Customers that are mules, by position, -1 where a case has fewer."""
    return [on.members(position) for position in range(2, on.placement.entities.shape[1])]


def send(
    on: Canvas,
    number: Int64,
    second: Int64,
    amount: Int64,
    account: Int64,
    way: str | Int64,
    *,
    payer: Int64 | None = None,
    refused: float = 0.12,
    role: str = "scam",
) -> tuple[Came, Int64]:
    """The first `number` columns as payments; the bank refuses one more of a share of the cases.

    Returns
    -------
    tuple
        What the mules got, and when the bank refused, NEVER where it did not.
    """
    column = np.arange(second.shape[1])
    victim = np.broadcast_to(on.account(on.homes)[:, None] if payer is None else payer, second.shape)
    # Names are checked where a payee is entered, not in the batches of companies.
    kinds = np.array(data.ways().columns["payment_type"])
    code = data.ways().code(way) if isinstance(way, str) else way
    checked = np.isin(kinds[code], ("transfer", "wire"))
    last = column == number[:, None]
    asks = last & (on.u("refused") < refused)
    row = on.pay(
        on.every[:, None],
        second,
        amount,
        victim,
        account,
        way,
        role,
        payee_check=np.where(checked, payee_checks(on, "payee-check", second.shape[1]), USUAL),
        declined=np.where(last, _SUSPECTED, USUAL),
        where=(column < number[:, None]) | asks,
    )
    tried = np.where(asks & (row >= 0), second, NEVER).min(axis=1)
    return came(on, np.where(last, -1, row), second, amount, victim, account), tried


def finish(
    on: Canvas,
    got: Came,
    refused: Int64,
    *,
    told: float,
    hours: float,
    collector: Int64 | None = None,
    robbed: list[Int64] | None = None,
    at_mules: NDArray[np.bool_] | None = None,
    least_s: int = 120,
    cash: bool = True,
    **details: Int64,
) -> Footprint:
    """What mules, customers and banks do after the payments.

    Parameters
    ----------
    got, refused
        As `send` returned them.
    told, hours
        Share of the cases that the customer reports, and the median of the hours until then.
    collector
        Who collects from the mules; the second member by default.
    robbed
        The mules; the members from the third on by default.
    at_mules
        Which payments mules got, shape (n, k); all by default.
    least_s
        Seconds after which a payment is booked for certain.
    cash
        Whether the mules' accounts have cards.
    details
        What the story needs beside the number of payments and their sum.
    """
    ends = np.where(got.real, got.second, -1).max(axis=1)
    reported, detected = on.noticed(np.where(ends < 0, NEVER, ends), told=told, hours=hours, found=0.06)
    detected = np.minimum(detected, refused)
    known = np.minimum(reported, detected)
    until = stop_mules(on, mules(on) if robbed is None else robbed, known)
    theirs = got if at_mules is None else replace(got, row=np.where(at_mules, got.row, -1))
    to = on.members(1) if collector is None else collector
    left = pass_on(on, "mule", theirs, to, until, least_s, cash)
    back = recall(on, theirs, left, known, 0.4)
    lost = got.paid
    paid = reimburse(on, np.maximum(lost - back, 0), got, known)
    return on.footprint(
        reported=reported,
        detected=detected,
        loss=lost.sum(axis=1),
        recovered=np.minimum(back, lost).sum(axis=1),
        reimbursed=paid,
        payments=got.real.sum(axis=1),
        last_second=np.maximum(ends, 0),
        **details,
    )


def reimburse(on: Canvas, rest: Int64, got: Came, known: Int64) -> Int64:
    """What banks pay back of `rest`, shape (n, k), some days after `known`; returns the sum per case."""
    part = on.part_of(got.payer)
    jurisdictions = data.countries().jurisdiction
    british = np.array([word == _UK for word in jurisdictions])[ground.country(on.spec, part)]
    first = (_MANDATORY - on.spec.start).days * ground.DAY_S
    by_law = british & (got.second >= first)
    share = np.where(by_law, _BY_LAW, np.where(british, _BY_CODE, _ELSEWHERE))
    due = np.where(by_law, np.minimum(rest, _MOST_MINOR), rest)
    # The excess is left to the customer once per case, and by law only.
    largest = np.arange(rest.shape[1]) == np.argmax(due, axis=1)[:, None]
    due = np.where(by_law & largest, np.maximum(due - _EXCESS_MINOR, 0), due)
    # One decision per case, and one payment per victim: the columns of one payer are paid together.
    first_of = np.array(got.payer[:, :1] == got.payer)
    single = bool(first_of.all())
    due = due.sum(axis=1, keepdims=True) if single else due
    paying = (on.u("reimbursed") < share)[:, : due.shape[1]] & (known != NEVER)[:, None] & (due >= 100)
    wait = 6 * ground.DAY_S * np.exp(0.5 * on.normal("reimbursed-time", due.shape[1]))
    when = np.where(known == NEVER, 0, np.minimum(known, on.horizon))[:, None] + wait.astype(np.int64)
    bank = (on.u("reimbursing-bank", due.shape[1]) * on.slots.banks_n).astype(np.int64)
    payer = got.payer[:, : due.shape[1]]
    row = on.pay(
        on.every[:, None],
        when,
        due,
        on.at(part[:, : due.shape[1]], "branches", bank),
        payer,
        "reimbursement",
        "reimbursement",
        tainted=0,
        where=paying,
    )
    return np.asarray(np.where(row >= 0, due, 0).sum(axis=1), np.int64)


def within_means(on: Canvas, amount: Int64, share: float = 1.0, most: Int64 | None = None) -> Int64:
    """Columns of payments made smaller, where they are more than the account was planned to bear."""
    bears = share * on.bears if most is None else most
    part = np.minimum(1.0, bears / np.maximum(amount.sum(axis=1), 1))[:, None]
    cut = np.where(amount > 0, np.maximum(amount * part // 500 * 500, 100), 0).astype(np.int64)
    return np.where(part < 1, cut, amount)


def bring_savings(on: Canvas, amount: Int64, first: Int64) -> Int64:
    """The victim sells what it holds elsewhere, where the account does not bear `amount`, shape (n, k).

    The money comes from outside, as a wire one to four days before `first`, or from difficulty 0.5 on as what
    firms pay within the ten days before, in sums of their size; it is the victim's own.
    Returns what then goes: a victim has `MOST_INCOMES` monthly incomes elsewhere at most.
    """
    most = on.bears + MOST_INCOMES * on.incomes
    amount = within_means(on, amount, most=most)
    short = np.maximum(amount.sum(axis=1) - on.bears, 0)
    # What is sold brings a little more than is needed.
    brought = short * (1.0 + 0.03 * on.one("savings-more"))
    hard = on.ordinary == 1
    usual = _SALE_MINOR * on.scale * np.exp(0.6 * on.normal("savings-size")[:, 0])
    number = np.clip(brought / usual, 1, _SALES if hard else 1).astype(np.int64)
    weight = np.where(np.arange(_SALES) < number[:, None], np.exp(0.9 * on.normal("savings-part", _SALES)), 0)
    sold = np.ceil(brought[:, None] * weight / weight.sum(axis=1, keepdims=True)).astype(np.int64)
    begin = first - (10 if hard else 4) * ground.DAY_S
    day = on.within(begin, first - ground.DAY_S, on.u("savings-time", _SALES), "office")
    told = on.pay(
        on.every[:, None],
        np.where((first >= 2 * ground.DAY_S)[:, None], day, -1),
        sold,
        on.at(on.part(on.homes), "world")[:, None],
        on.account(on.homes)[:, None],
        terms.business_ways(on.u("savings-way", _SALES)) if hard else "wire_in",
        "own_use",
        tainted=0,
    )
    came_in = np.where(told >= 0, sold, 0).sum(axis=1)
    return np.where((came_in >= short)[:, None], amount, within_means(on, amount))


def new_payee_ways(
    on: Canvas, what: str, width: int, names: tuple[str, ...], shares: tuple[float, ...]
) -> Int64:
    """Ways of transfers, of which each case uses one; the last share may be the rest."""
    codes = np.array([data.ways().code(name) for name in names])
    edges = np.cumsum(shares)
    picked = np.minimum(np.searchsorted(edges, on.one(what), side="right"), codes.size - 1)
    return np.broadcast_to(codes[picked][:, None], (on.n, width))


def room_s(spec: Spec, difficulty: float, days: float) -> int:
    """Seconds from a first payment on that lie within the data: all the days of a case at difficulty 0, two
    fifths from 0.5 on, for a kind whose cases never begin late would tell."""
    seen = 1 - 0.6 * ground.ordinary_share(difficulty)
    return int(seen * min(days, spec.days / 2) * ground.DAY_S)


def awake(on: Canvas, what: str = "begin", room_s: int = ground.DAY_S) -> Int64:
    """When each case begins: at ordinary hours of the day that follows its onset, seconds."""
    return on.within(on.onset, on.onset + room_s, on.one(what))


def noticed_so(spec: Spec, facts: dict[str, Any]) -> str:
    """The end of a story: who noticed, and what came back."""
    moments = [moment for moment in (facts["reported"], facts["detected"]) if moment != NEVER]
    if not moments:
        return "nobody told the bank within the data"
    returned = facts["reimbursed"] + facts["recovered"]
    some = "some of it came back" if returned > 0 else "nothing came back"
    return f"the bank knew at {said(spec, min(moments))}, and {some}"


def share_of_days(on: Canvas, easy: float, hard: float) -> int:
    """Seconds of a span of days that moves with difficulty, at most half the data."""
    return int(min(on.between(easy, hard), on.spec.days / 2) * ground.DAY_S)


def liked(on: Canvas, what: str, amount: Float64) -> Int64:
    """Whole minor units, of which people like steps of 5.00 in 45 of 100; at least 1.00."""
    whole = np.rint(amount).astype(np.int64)
    stepped = np.maximum((whole + 250) // 500 * 500, 500)
    return np.where(on.u(what, amount.shape[1]) < 0.45, stepped, np.maximum(whole, 100))


def growth(on: Canvas, what: str, number: Int64, width: int, easy: float, hard: float) -> Float64:
    """Weights of the columns of each case that grow from one to the next, sum 1, shape (n, width)."""
    rate = 1 + (on.between(easy, hard) - 1) * (0.6 + 0.8 * on.u(what, width))
    weight = np.cumprod(rate, axis=1) * (np.arange(width) < number[:, None])
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float64)
