"""What people owe their bank: terms of loans and of credit cards, before any payment. Stateless.

Rates are near those of 2024 in the euro area (ECB, MIR statistics: housing 3 to 4 %, consumption 7 to 8 %,
revolving loans and overdrafts near 8 %, credit cards 16 to 20 %); shares of borrowers are our own choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.terms import OWES
from rarecase.finance.spec import FinanceSpec

#: Share of income that rent or the instalments of a mortgage take, and the spread of it.
HOUSING_SHARE, HOUSING_LOG_SD = 0.29, 0.16
#: Share of their income that consumer loans take.
_CONSUMER_SHARE = 0.08
#: Share of those without a loan who take one out each year.
_NEW_A_YEAR = 0.04
CARD_RATE = 0.18
OVERDRAFT_RATE, SAVINGS_RATE = 0.11, 0.02


@dataclass(frozen=True)
class Loans:
    """Loans of customers, arrays of one value each; 0 where there is none.

    Attributes
    ----------
    instalment, owed
        Minor units per month, and what is owed before the data or, of new loans, at their start.
    start
        Second at which new loans are paid out, -1 for old ones.
    rate
        Yearly rate of interest.
    day
        Day of the month of the instalment.
    """

    instalment: Int64
    owed: Int64
    rate: Float64
    day: Int64
    start: Int64

    @property
    def has(self) -> NDArray[np.bool_]:
        """Who has a loan."""
        return self.owed > 0


@dataclass(frozen=True)
class CreditCards:
    """Credit cards of customers with an account of their own, arrays of one value each.

    Attributes
    ----------
    has, revolves
        Who has one, and who pays less than all of it each month.
    limit, owed
        Minor units; owed is before the data.
    day
        Day of the month of the statement; the bill is debited a fortnight later.
    """

    has: NDArray[np.bool_]
    revolves: NDArray[np.bool_]
    limit: Int64
    owed: Int64
    day: Int64


def housing_minor(spec: FinanceSpec, customers: Int64, income: Int64) -> Int64:
    """Monthly rent or instalment of each customer."""
    normal = ndtri(np.clip(keyed_uniform(spec.seed, "rent", customers), 1e-9, 1 - 1e-9))
    return np.asarray(np.rint(income * HOUSING_SHARE * np.exp(HOUSING_LOG_SD * normal)), np.int64)


def loans(spec: FinanceSpec, customers: Int64, income: Int64, dwelling: Int64) -> Loans:
    """Mortgages of those who owe, and consumer loans of some others: annuities somewhere on their way."""
    seed = spec.seed
    owes = dwelling == OWES
    consumer = terms.consumer_loan(spec, customers)
    u, v = (keyed_uniform(seed, f"loan-{what}", customers) for what in ("rate", "left"))
    instalment = np.where(owes, housing_minor(spec, customers, income), 0)
    # People like round instalments; the last one settles what is left.
    small = np.maximum(np.rint(income * _CONSUMER_SHARE * (0.5 + v) / 500) * 500, 500).astype(np.int64)
    instalment = np.where(consumer, small, instalment)
    rate = np.where(owes, 0.012 + 0.034 * u, 0.055 + 0.06 * u)
    months = np.where(owes, 14 + 300 * v, 4 + 60 * v)
    monthly = rate / 12
    owed = instalment * (1 - (1 + monthly) ** -months) / monthly
    new, start = _new_loans(spec, customers, owes | consumer)
    lent = np.maximum(np.rint(income * (0.8 + 3.2 * v) / 10_000), 1) * 10_000
    term = 24 + 48 * u
    instalment = np.where(new, np.ceil(lent * monthly / (1 - (1 + monthly) ** -term)), instalment)
    owed = np.where(new, lent, owed)
    has = owes | consumer | new
    days = np.array([1, 2, 3, 5, 15, 28])
    day = days[(keyed_uniform(seed, "loan-day", customers) * days.size).astype(np.int64)]
    day = terms.due_day(spec, "loan", customers, day)
    has_one = np.where(has, 1, 0)
    return Loans(
        (instalment * has_one).astype(np.int64),
        np.rint(owed * has_one).astype(np.int64),
        rate,
        day,
        start,
    )


def _new_loans(
    spec: FinanceSpec, customers: Int64, borrowed: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], Int64]:
    """Who of the others takes out a loan within the data, and the second of it, in office hours."""
    u = keyed_uniform(spec.seed, "new-loan", customers)
    new = ~borrowed & (u < _NEW_A_YEAR * spec.population.borrowers * spec.days / 365.25)
    v, w = (keyed_uniform(spec.seed, f"new-loan-{what}", customers) for what in ("day", "time"))
    second = (v * spec.days).astype(np.int64) * ground.DAY_S + 32_400 + (w * 25_200).astype(np.int64)
    return new, np.where(new, second, -1)


def credit_cards(spec: FinanceSpec, customers: Int64, income: Int64) -> CreditCards:
    """Terms of credit cards: limits of 0.8 to 2 incomes; one holder in four revolves."""
    seed, has = spec.seed, ground.has_card_account(spec, customers)
    v = keyed_uniform(seed, "card-owed", customers)
    limit = terms.card_limit_minor(spec, customers)
    revolves = terms.card_revolves(spec, customers)
    owed = np.where(revolves, limit * (0.1 + 0.45 * v), np.minimum(income * 0.2 * v, 0.6 * limit))
    day = 1 + (keyed_uniform(seed, "card-day", customers) * 28).astype(np.int64)
    return CreditCards(
        has,
        revolves,
        np.where(has, limit, 0).astype(np.int64),
        np.where(has, np.rint(owed), 0).astype(np.int64),
        day,
    )
