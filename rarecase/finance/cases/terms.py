"""Terms that cases must know of accounts and work: banks, card limits, debts, employers and what shops hold.

All of it is stateless, or drawn once per place from the stream that the ordinary world reads too, so both
know the same without asking each other. A test holds the two together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.draws import AliasTable
from rarecase.common.seeds import Float64, Int64, keyed_integers, keyed_uniform, stream
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_PAY_DAYS, _PAY_DAY_SHARES = np.array([25, 31, 15, 28, 1]), (0.35, 0.30, 0.12, 0.15, 0.08)
_FIRM_LOG_SD, _FAILS_A_YEAR = 0.8, 0.01
_SHOP_MINOR, _SHOP_LOG_SD, _SHOP_LIMIT_MINOR = 1_500_000.0, 0.6, 2_000_000
_REVOLVES, _CONSUMER = 0.25, 0.12
RENTS, OWES, NEITHER = range(3)
#: Shares of those who rent, and of those and who owe.
_HOUSED = (0.58, 0.84)


@lru_cache(maxsize=1)
def _banks() -> AliasTable:
    return AliasTable(data.banks()[1])


@lru_cache(maxsize=1)
def _pay_day_table() -> AliasTable:
    return AliasTable(_PAY_DAY_SHARES)


def bank(spec: Spec, address: Int64) -> Int64:
    """The bank of current, second and firms' accounts, by address."""
    return _banks().at(keyed_uniform(spec.seed, "bank", np.asarray(address)))


def card_limit_minor(spec: Spec, customers: Int64) -> Int64:
    """How far the account of a credit card goes below zero before any case: 0.8 to 2 incomes."""
    u = keyed_uniform(spec.seed, "card-limit", customers)
    income = ground.income_minor(spec, customers)
    return (np.maximum(np.rint(income * (0.8 + 1.2 * u) / 10_000.0), 2) * 10_000).astype(np.int64)


def card_revolves(spec: Spec, customers: Int64) -> NDArray[np.bool_]:
    """Which holders of a credit card account pay less than all of it each month."""
    u = keyed_uniform(spec.seed, "card-revolves", customers)
    return np.asarray(ground.has_card_account(spec, customers) & (u < _REVOLVES), np.bool_)


#: Days for which a card is valid, and how soon before its end the next one comes at the earliest.
CARD_DAYS, _AHEAD_DAYS = 1_461, 30


def card_expires(spec: Spec, cards: Int64) -> Int64:
    """Days after the start on which the cards held at the start end, by ordinal (2·customer, credit + 1)."""
    return _card_ends(spec, cards)[0]


def card_renewed(spec: Spec, cards: Int64) -> Int64:
    """Days after the start on which cards are first replaced because they expire, 0 or later."""
    return _card_ends(spec, cards)[1]


def _card_ends(spec: Spec, cards: Int64) -> tuple[Int64, Int64]:
    start = np.datetime64(spec.start, "D")
    drawn = start + 20 + keyed_integers(spec.seed, "expires", cards, CARD_DAYS - 1)
    # A card bears month and year, and is good to the last day of it.
    ends = ((drawn.astype("M8[M]") + 1).astype("M8[D]") - 1 - start).astype(np.int64)
    renewed = ends - _AHEAD_DAYS + keyed_integers(spec.seed, "replaced", cards, _AHEAD_DAYS - 5)
    # Who was sent the next card before the data begin holds it at the start.
    had = np.where(renewed < 0, CARD_DAYS, 0)
    return np.asarray(ends + had, np.int64), np.asarray(renewed + had, np.int64)


def consumer_loan(spec: Spec, customers: Int64) -> NDArray[np.bool_]:
    """Who pays off a consumer loan."""
    owes = housing(spec, customers) == OWES
    share = _CONSUMER * ground.population(spec).borrowers
    return np.asarray(~owes & (keyed_uniform(spec.seed, "consumer-loan", customers) < share), np.bool_)


def housing(spec: Spec, customers: Int64) -> Int64:
    """Whether each customer rents, pays off a mortgage, or neither."""
    u = keyed_uniform(spec.seed, "housing", customers)
    owe = _HOUSED[1] - (_HOUSED[1] - _HOUSED[0]) * (1 - ground.population(spec).borrowers)
    return np.searchsorted([_HOUSED[0], owe], u, side="right").astype(np.int64)


def paid_in_cash(spec: Spec, customers: Int64) -> NDArray[np.bool_]:
    """Who gets what they earn in cash: by default nobody."""
    u = keyed_uniform(spec.seed, "paid-in-cash", customers)
    return np.asarray(u < ground.population(spec).income_in_cash, np.bool_)


def due_day(spec: Spec, what: str, ids: Int64, usual: Int64) -> Int64:
    """Day of the month on which something falls due: the usual one unless the spec says from when to when.

    Parameters
    ----------
    what, ids
        Name of what is due, and a number for each of them.
    usual
        The days by default, shape (n,).
    """
    days = ground.population(spec).due_days
    if days is None:
        return usual
    drawn = keyed_integers(spec.seed, ("due", what), ids, days[1] - days[0] + 1)
    return np.asarray(days[0] + drawn, np.int64)


@lru_cache(maxsize=8_192)
def _employers(seed: int, block: int, size: int, part: int) -> Int64:
    """The employer that each customer of a place would have, by place in the block."""
    own = ground.slots(block)
    firms = np.arange(own.employers_n)
    u = keyed_uniform(seed, "firm-size", part * own.width + firms)
    sizes = np.exp(_FIRM_LOG_SD * ndtri(np.clip(u, 1e-9, 1 - 1e-9)))
    n = min(part * block + block, size) - part * block
    return np.asarray(AliasTable(sizes).draw(stream(seed, "employer", part), n), np.int64)


def employer(spec: Spec, customers: Int64) -> Int64:
    """The number within the place of each customer's employer, -1 for who has none."""
    part, within = np.divmod(np.asarray(customers), spec.block)
    found = np.full(part.shape, -1, np.int64)
    for place in np.unique(part).tolist():
        there = part == place
        found[there] = _employers(spec.seed, spec.block, spec.size, place)[within[there]]
    employed = ground.segment(spec.seed, customers) == ground.EMPLOYED
    return np.where(employed, found, -1)


def pay_day(spec: Spec, part: Int64, number: Int64) -> Int64:
    """Day of the month on which each employer pays wages; 31 is the last."""
    firm = np.asarray(part) * ground.slots(spec.block).width + number
    usual = np.asarray(_PAY_DAYS[_pay_day_table().at(keyed_uniform(spec.seed, "pay-day", firm))], np.int64)
    return due_day(spec, "pay-day", firm, usual)


def employer_fails(spec: Spec, part: Int64, number: Int64) -> Int64:
    """Second at which each employer stops paying, NEVER for nearly all."""
    firm = np.asarray(part) * ground.slots(spec.block).width + number
    days = -np.log1p(-keyed_uniform(spec.seed, "fails", firm)) / _FAILS_A_YEAR * 365.25
    fails = np.floor(days) < spec.days
    return np.where(fails, np.where(fails, days, 0).astype(np.int64) * ground.DAY_S + 43_200, NEVER)


def company(spec: Spec, customers: Int64) -> Int64:
    """The number within its place of the employer that each customer owns, -1 for none and for one that fails
    within the data: nobody pays it then, and it pays nobody."""
    number = ground.owned(spec, customers, "employers")
    fails = employer_fails(spec, np.asarray(customers) // spec.block, np.maximum(number, 0))
    return np.where(fails == NEVER, number, -1).astype(np.int64)


def another_company(spec: Spec, part: Int64, own: Int64, u: Float64) -> Int64:
    """Numbers of employers of places, none `own`: of the tries `u`, shape (n, tries), the first that does not
    fail within the data, or the last."""
    n = ground.slots(spec.block).employers_n
    tries = (own[:, None] + 1 + (u * (n - 1)).astype(np.int64)) % n
    stands = employer_fails(spec, np.broadcast_to(part[:, None], tries.shape), tries) == NEVER
    first = np.where(stands.any(axis=1), stands.argmax(axis=1), u.shape[1] - 1)
    return np.asarray(np.take_along_axis(tries, first[:, None], axis=1)[:, 0], np.int64)


@lru_cache(maxsize=1_024)
def _shops_hold(seed: int, block: int, size: int, part: int) -> Float64:
    """What the shops of a place hold before the data, beside a usual one."""
    rng = stream(seed, "opening", part)
    n = min(part * block + block, size) - part * block
    # Savings and sleeping accounts of the place's people are drawn first.
    rng.standard_normal(2 * n)
    return np.exp(_SHOP_LOG_SD * rng.standard_normal(ground.slots(block).merchants_n))


def shop_bears(spec: Spec, part: Int64, number: Int64) -> tuple[Int64, Int64]:
    """What each shop's account holds before the data, and how far below zero it may go; minor units."""
    scale = ground.price_scale(spec, part)
    held = np.empty(part.size, np.float64)
    for place in np.unique(part).tolist():
        there = part == place
        held[there] = _shops_hold(spec.seed, spec.block, spec.size, place)[number[there]]
    return (
        np.rint(_SHOP_MINOR * scale * held).astype(np.int64),
        (_SHOP_LIMIT_MINOR * scale).astype(np.int64),
    )


def business_ways(u: Float64) -> Int64:
    """Codes of ways in which firms pay, shape of the uniforms `u`: supplies, invoices and the rest, as often
    as they do."""
    ways = data.ways()
    codes = np.array([ways.code("supplier"), ways.code("invoice"), ways.code("payout")], np.int64)
    return codes[np.searchsorted((0.40, 0.85), u, side="right")]


def notes(spec: Spec, customers: Int64, sums: Int64 | Float64) -> Int64:
    """Sums in minor units of euros as machines where the customers live pay them: whole notes."""
    scale = ground.scale_of(spec, customers)
    least = np.where(scale < 2, 1_000, 10_000)
    return (np.maximum(np.rint(sums * scale / least), 1) * least).astype(np.int64)
