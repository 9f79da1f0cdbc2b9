"""Living within one's means: what is left of an income is spent or put aside, and what is missing is fetched.

All of it looks at the ordinary world alone, as planned by the customer, and never at what cases do. So a case
moves no payment here, and balances stay near where they began, over years too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.credit import charges
from rarecase.finance.generate.crossing import Crossing
from rarecase.finance.generate.lending import HOUSING_SHARE, OVERDRAFT_RATE, SAVINGS_RATE
from rarecase.finance.generate.living import (
    CASH_IN_LOG_SD,
    CASH_IN_OTHERS,
    CASH_IN_OWN,
    INVOICE_LOG_SD,
    INVOICES_MONTHLY,
    SAVINGS_LEAST,
    SAVINGS_MOST,
)
from rarecase.finance.generate.maker import Flow, Maker, flow, mobile_or_web, personal_ways
from rarecase.finance.generate.purchases import spending_scale

_ACCOUNTS_LOG_SD = 0.9
_FARTHEST = 2.3
#: Share of people with a monthly plan for what is left over.
_INVESTS = 0.8
_LEAST_SPENT_MINOR = 6_000.0
#: Months between two large purchases out of savings.
_PROJECT_MONTHS = 14.0
_LOW, _HIGH = 0.7, 1.5
_STEP_MINOR, _LEAST_MINOR = 1_000, 5_000
#: Share of sums drawn at a counter that are multiples of ten (or, in small money, a hundred) units.
_ROUND = 0.55
#: Interest below this is not booked.
_LEAST_INTEREST_MINOR = 5


def planned_surplus(make: Maker) -> Float64:
    """What each customer's planned income leaves per month after planned spending, in minor units."""
    place, population, scale = make.place, make.spec.population, make.place.scale
    income, own = place.income, place.segment == ground.SELF_EMPLOYED
    kinds, billers = data.shops(), data.billers()[:-1]
    purchase = float((kinds.share * kinds.median_minor * np.exp(kinds.log_sd**2 / 2)).sum())
    bill = sum(biller.share * biller.median_minor * np.exp(biller.log_sd**2 / 2) for biller in billers)
    relative = income / (ground.USUAL_INCOME_MINOR * scale)
    sent = ground.TRANSFER_MEDIAN_MINOR * np.exp(ground.TRANSFER_LOG_SD**2 / 2) * scale
    sent = population.transfers_per_month * sent * np.sqrt(relative)
    paid_in = np.where(own, CASH_IN_OWN, CASH_IN_OTHERS) * population.cash_deposits_per_month
    paid_in = paid_in * place.activity * ground.CASH_IN_MEDIAN_MINOR * scale * np.exp(CASH_IN_LOG_SD**2 / 2)
    invoiced = INVOICES_MONTHLY / 4.6 * np.exp(INVOICE_LOG_SD**2 / 2) * place.activity - 0.12
    earned = np.where(own, invoiced, 1.0) * income
    drawn = float(np.average(ground.ATM_MINOR, weights=ground.ATM_SHARES)) * scale
    spent = (
        population.purchases_per_month * place.activity * purchase * spending_scale(income, scale)
        + sent * place.activity
        - sent.mean()
        + population.cash_withdrawals_per_month * place.activity * drawn
        + np.where(place.housing == terms.RENTS, HOUSING_SHARE * population.standing_orders, 0.0) * income
        + place.loans.instalment
        + population.bills * bill * scale * relative**0.25
        + np.where(place.saves, (SAVINGS_LEAST + SAVINGS_MOST) / 2, 0.0) * income
        + 900.0 * scale
    )
    return np.asarray(earned + paid_in - spent, np.float64)


def spent_surplus(make: Maker) -> list[Flow]:
    """What people do with what their plan leaves over: invest a fixed part of it, and buy on account."""
    place, surplus = make.place, planned_surplus(make)
    invests = make.rng("investing", "share").random(place.n)
    share = max(_INVESTS * make.spec.population.standing_orders, 1e-9)
    fixed = np.trunc(surplus * np.where(invests < share, 0.9 * invests / share, 0.0) / 1_000) * 1_000
    who = np.flatnonzero(fixed > 0)
    day = make.due("investing", who, make.rng("investing", "day").integers(1, 29, who.size))
    row, second = make.monthly("investing", day)
    amount = fixed[who[row]].astype(np.int64)
    invested = flow(second, amount, who[row], make.slots.first("world"), "investing")
    return [invested, _bought_on_account(make, surplus - np.maximum(fixed, 0))]


def _bought_on_account(make: Maker, left: Float64) -> Flow:
    place = make.place
    monthly = make.spec.population.on_account_per_month
    owner = make.owners("on-account", monthly / place.activity)
    each = np.maximum(left, _LEAST_SPENT_MINOR * place.scale) / max(monthly, 0.1)
    median = each / np.exp(_ACCOUNTS_LOG_SD**2 / 2)
    normal = np.clip(make.rng("on-account", "amount").standard_normal(owner.size), -_FARTHEST, _FARTHEST)
    amount = np.rint(median[owner] * np.exp(_ACCOUNTS_LOG_SD * normal)).astype(np.int64)
    way = _account_ways(make.rng("on-account", "way").random(owner.size))
    second = make.seconds("on-account", "person", owner.size)
    bought = flow(second, np.maximum(amount, 500), owner, make.slots.first("world"), way)
    return _in_cash(make, bought) if make.spec.population.surplus_in_cash else bought


def draws_surplus(make: Maker) -> NDArray[np.bool_]:
    """Who draws as cash what is left over."""
    u = keyed_uniform(make.spec.seed, "surplus-in-cash", make.place.customers)
    return np.asarray(u < make.spec.population.surplus_in_cash, np.bool_)


def _coarse_minor(make: Maker) -> int:
    """The step of round sums of cash, ten or a hundred units."""
    return 1_000 if make.place.scale < 2 else 10_000


def _in_cash(make: Maker, bought: Flow) -> Flow:
    """What is bought on account, with the sums of who pays in cash drawn at a counter instead."""
    n = bought.second.size
    cash = np.flatnonzero(draws_surplus(make)[bought.payer])
    is_round = make.rng("on-account", "round").random(cash.size) < _ROUND
    step = np.where(is_round, 1.0, 0.1) * _coarse_minor(make)
    amount, payee, way, second = bought.amount, bought.payee, bought.way, bought.second
    amount[cash] = np.maximum(np.rint(amount[cash] / step), 1) * step
    payee[cash], way[cash] = make.slots.first("cash"), data.ways().code("cash_out_branch")
    hours = ground.office().draw(make.rng("on-account", "counter"), cash.size) // ground.SECOND_US
    second[cash] = second[cash] // ground.DAY_S * ground.DAY_S + hours
    kept = np.ones(n, np.bool_)
    kept[cash] = make.home(bought.payer[cash], second[cash])
    return Flow(second[kept], amount[kept], bought.payer[kept], payee[kept], way[kept])


def _account_ways(u: Float64) -> NDArray[np.int8]:
    """As people pay each other, and as for goods more often."""
    goods = data.ways().code("goods_web")
    return np.where(u < 0.2, goods, personal_ways(np.clip((u - 0.2) / 0.8, 0, 1 - 1e-12))).astype(np.int8)


def evened(make: Maker, flows: list[Flow], crossings: list[Crossing]) -> list[Flow]:
    """What customers put aside and fetch back once a month, what they buy out of their savings, and interest.

    Parameters
    ----------
    flows, crossings
        Everything else that the ordinary world books at this place.

    Returns
    -------
    list of Flow
        Moves between current account and savings, or the world outside where there is no savings account;
        large purchases; interest paid on savings and charged on overdrafts at the month's end.
    """
    place, slots = make.place, make.slots
    day = make.rng("even", "day").integers(6, 21, place.n)
    days = make.calendar.monthly(day, "next")
    within = ground.batch().draw(make.rng("even", "time"), days.size).reshape(days.shape) // ground.SECOND_US
    in_cash = draws_surplus(make) & ~place.saves
    if in_cash.any():
        hours = ground.office().draw(make.rng("even", "counter"), days.size).reshape(days.shape)
        within = np.where(in_cash[:, None], hours // ground.SECOND_US, within)
    moment = np.where(days >= 0, days * ground.DAY_S + within, NEVER)
    net = charges(make, moment, "current", flows, crossings, ranges=2)
    planned = _moves(make, moment, net, np.where(in_cash, _coarse_minor(make), _STEP_MINOR))
    moved, here = planned.moved, planned.here
    rows, months = np.nonzero(moved)
    amount = moved[rows, months]
    apart = np.where(here[rows, months], slots.first("savings") + rows, slots.first("world"))
    ways = data.ways()
    cash = in_cash[rows]
    apart = np.where(cash, slots.first("cash"), apart)
    kept_by = np.where(cash, ways.code("cash_out_branch"), ways.code("savings"))
    fetched_by = np.where(cash, ways.code("cash_in"), ways.code("release"))
    kept = flow(
        moment[rows, months],
        np.abs(amount),
        np.where(amount > 0, rows, apart),
        np.where(amount > 0, apart, rows),
        np.where(amount > 0, kept_by, fetched_by).astype(np.int8),
    )
    return [kept, *_purchases(make, moment, planned.bought), *_interest(make, planned)]


@dataclass(frozen=True)
class _Planned:
    """What each customer does in each month, shape (n, months).

    Attributes
    ----------
    moved
        Minor units put aside (above zero) or fetched.
    here
        Whether that meets the savings account here, and not one elsewhere.
    bought
        Minor units spent on large purchases.
    earned, owed, credited
        Interest on the savings account, on an overdrawn current account, and on one in credit.
    """

    moved: Int64
    here: NDArray[np.bool_]
    bought: Int64
    earned: Int64
    owed: Int64
    credited: Int64


def _moves(make: Maker, moment: Int64, net: Int64, steps: Int64) -> _Planned:
    place, n, first, block = make.place, make.place.n, make.slots.first("savings"), make.slots.block
    wanted = place.opening[:n].astype(np.float64)
    held, kept = place.opening[:n].copy(), place.opening[first : first + n].copy()
    moved, bought = np.zeros_like(moment), np.zeros_like(moment)
    earned, owed, credited = (np.zeros_like(moment) for _ in range(3))
    rate = make.spec.population.current_account_rate
    here = np.zeros(moment.shape, np.bool_)
    u = make.rng("even", "project").random((2, *moment.shape))
    project = np.rint(place.income[:, None] * 0.1 * _PROJECT_MONTHS * (0.3 + 1.4 * u[1]) / 5_000) * 5_000
    # Interest is paid on business days at the end of months that lie within the data as a whole.
    ends = make.calendar.monthly([31], "previous")[0] >= 0
    for month in range(moment.shape[1]):
        held, kept = held + net[:n, month], kept + net[block : block + n, month]
        now = moment[:, month] < NEVER
        over = now & (held > _HIGH * wanted)
        under = now & (held < _LOW * wanted)
        step = np.where(over | under, held - wanted, 0.0)
        move = (np.trunc(step / steps) * steps).astype(np.int64)
        move[np.abs(move) < _LEAST_MINOR * place.scale] = 0
        # Who has no savings here, or too little, has some elsewhere, or a family.
        here[:, month] = place.saves & (kept + move >= 0)
        if ends[month]:
            owed[:, month] = np.rint(np.maximum(-held, 0) * OVERDRAFT_RATE / 12)
            credited[:, month] = np.rint(np.maximum(held, 0) * rate / 12)
        held, kept, moved[:, month] = held - move, kept + np.where(here[:, month], move, 0), move
        buys = now & place.saves & (u[0, :, month] < 1 / _PROJECT_MONTHS) & (move >= 0)
        most = np.trunc(np.maximum(kept, 0) * 0.7 / _STEP_MINOR) * _STEP_MINOR
        cost = np.where(buys, np.minimum(project[:, month], most), 0.0).astype(np.int64)
        kept, bought[:, month] = kept - cost, cost
        if ends[month]:
            earned[:, month] = np.where(place.saves, np.rint(np.maximum(kept, 0) * SAVINGS_RATE / 12), 0)
        for interest in (earned, owed, credited):
            interest[interest[:, month] < _LEAST_INTEREST_MINOR, month] = 0
        held, kept = held - owed[:, month] + credited[:, month], kept + earned[:, month]
    return _Planned(moved, here, bought, earned, owed, credited)


def _interest(make: Maker, planned: _Planned) -> list[Flow]:
    """Interest at the month's end, on what the customer planned to hold after looking at it."""
    place, slots = make.place, make.slots
    ends = make.calendar.monthly([31], "previous")[0]
    found = []
    for way, due, kind in (
        ("interest_paid", planned.earned, "savings"),
        ("interest_charged", planned.owed, "current"),
        ("interest_paid", planned.credited, "current"),
    ):
        rows, months = np.nonzero(due)
        within = ground.batch().draw(make.rng(way, kind, "time"), rows.size) // ground.SECOND_US
        account = slots.first(kind) + rows
        branch = slots.first("branches") + place.bank[account]
        payer, payee = (branch, account) if way == "interest_paid" else (account, branch)
        found.append(flow(ends[months] * ground.DAY_S + within, due[rows, months], payer, payee, way))
    return found


def _purchases(make: Maker, moment: Int64, bought: Int64) -> list[Flow]:
    """Savings fetched for a large purchase, and the purchase some days later, at hours when people pay."""
    slots = make.slots
    rows, months = np.nonzero(bought)
    amount, when = bought[rows, months], moment[rows, months]
    fetched = flow(when, amount, slots.first("savings") + rows, rows, "release")
    clock = ground.clock(make.spec.start, make.spec.days, "person")
    low = clock.share(when * ground.SECOND_US)
    high = clock.share((when + 6 * ground.DAY_S) * ground.SECOND_US)
    u = make.rng("even", "purchase").random((2, rows.size))
    second = clock.at(np.minimum(low + u[0] * (high - low), 1 - 1e-12)) // ground.SECOND_US
    later = np.flatnonzero(second > when)
    paid = flow(second[later], amount[later], rows[later], slots.first("world"), mobile_or_web(u[1][later]))
    return [fetched, paid]
