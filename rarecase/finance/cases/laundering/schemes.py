"""What schemes of laundering have in common: limits on cash, sums in parts, money moved on, rates.

Proceeds come in, are passed on and come out again; at every step at most what came is moved, and what is
tainted is what is left after fees. At difficulty 0 a sum is parted evenly and moves at once; from 0.5 on a
few parts carry most of it and the others are as small as ordinary payments, so that no single amount tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.case import Natural
from rarecase.common.members import among, united
from rarecase.common.seeds import Float64, Int64
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

#: One laundering payment per so many payments, and the share of laundering outside the named patterns.
PAYMENTS_PER_LAUNDERING, OUTSIDE_PATTERNS = 21_000.0, 0.8
#: Notes and coins are paid in by whole tens; some transfers are stepped as people like them.
CASH_STEP_MINOR, LIKED_STEP_MINOR, LIKED_SHARE = 1_000, 500, 0.45
#: Log standard deviation of the parts of a sum that is sent on, from 0.5 on.
ONWARD_LOG_SD = 2.1
#: Share of deposits of persons at machines.
MACHINES = 0.3
#: Time that a wire may need until it is booked.
WIRE_S = 5 * HOUR_S


class Scheme(BankCase):
    """A scheme of laundering; its natural rate is its share of what is laundered outside graph patterns."""

    #: Share of laundering outside the named patterns (expert), and payments of an average case.
    share: ClassVar[float]
    payments: ClassVar[float]

    def natural(self, spec: Spec) -> Natural | None:
        """Cases per payment, as an order of magnitude."""
        return Natural(
            OUTSIDE_PATTERNS * self.share / PAYMENTS_PER_LAUNDERING / self.payments,
            "transaction",
            "expert",
            "Altman and others 2023 (arXiv 2306.16424), §3.5, citing Starnini and others 2021: about one "
            "laundering payment in 21,000 of an Italian bank; Table 8 (simulated): 80 % of laundering "
            f"outside named patterns; of that {self.share:.0%} for this scheme, and {self.payments:g} "
            "payments a case, are expert figures (in SAML-D structuring has 19 %, deposit-send 12 % and "
            "smurfing 10 % of the "
            "suspicious rows)",
            counts="cases",
        )


def limit_minor(spec: Spec, part: Int64) -> Int64:
    """The sum of cash that draws attention at each place, minor units of its currency.

    That of the rule against structuring: where a law names a sum, everybody knows it, and banks take it too.
    """
    table, rules = data.countries(), data.rules()
    known = {
        (jurisdiction, currency): threshold
        for rule, jurisdiction, currency, threshold in zip(
            rules.rule, rules.jurisdiction, rules.currency, rules.threshold_minor.tolist(), strict=True
        )
        if rule == "structuring"
    }
    places = zip(table.jurisdiction, table.currency, strict=True)
    limits = np.array([known[place] for place in places], np.int64)
    return np.asarray(limits[ground.country(spec, part)], np.int64)


def skew(on: Canvas, easy: float = 0.06, hard: float = 1.8) -> float:
    """Log standard deviation of the parts of a sum: even when easy, a few large ones from 0.5 on."""
    return easy + (hard - easy) * on.ordinary


def parts(
    on: Canvas,
    what: str,
    total: Int64,
    number: Int64,
    width: int,
    *,
    most: Int64 | None = None,
    first: float = 1.0,
    sd: float | None = None,
) -> Int64:
    """Sums cut into parts, shape (n, width), zero beyond `number`; never more than the sum together.

    Parameters
    ----------
    total, number
        Minor units, and how many parts, shape (n,).
    most
        Most that a part may have, shape (n,); what is above goes to the other parts as far as there is room.
    first
        Weight of the parts after the second, beside 1 for the first two.
    sd
        Log standard deviation of the parts; `skew` unless told.
    """
    weight = np.exp((skew(on) if sd is None else sd) * on.normal(f"{what}-parts", width))
    weight[:, 2:] *= first
    weight = np.where(np.arange(width) < number[:, None], weight, 0.0)
    whole = total.astype(np.float64)[:, None]
    cut = whole * weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    if most is not None:
        ceiling = most.astype(np.float64)[:, None]
        for _ in range(width):
            open_ = np.where(cut < ceiling, weight, 0.0)
            excess = np.maximum(cut - ceiling, 0).sum(axis=1, keepdims=True)
            room = np.maximum(open_.sum(axis=1, keepdims=True), 1e-300)
            cut = np.minimum(cut, ceiling) + np.where(
                open_.any(axis=1, keepdims=True), excess * open_ / room, 0
            )
        cut = np.minimum(cut, ceiling)
    return np.asarray(cut, np.int64)


def several(on: Canvas, what: str, easy: tuple[int, int], hard: tuple[int, int]) -> Int64:
    """How many parts, shape (n,): between two numbers at difficulty 0, and between two others from 0.5 on."""
    low, high = (round(a + (b - a) * on.ordinary) for a, b in zip(easy, hard, strict=True))
    return on.whole(what, low, high)


def largest(amount: Int64, share: float) -> NDArray[np.bool_]:
    """Which of the parts of each sum are the largest ones, a share of them; shape kept."""
    rank = np.argsort(np.argsort(-amount, axis=1, kind="stable"), axis=1, kind="stable")
    number = (amount > 0).sum(axis=1, keepdims=True)
    return np.asarray(rank < np.rint(share * number), np.bool_)


def notes(amount: Int64, step: int = CASH_STEP_MINOR) -> Int64:
    """Amounts as they are paid in over a counter: whole tens or another step, at least one."""
    tens = np.maximum(amount // step, 1) * step
    return np.where(amount > 0, tens, 0)


def liked(on: Canvas, what: str, amount: Int64) -> Int64:
    """Amounts of transfers, 45 in 100 cut to the step of 5.00 below as people like them."""
    wide = amount if amount.ndim == 2 else amount[:, None]
    stepped = np.where(wide >= LIKED_STEP_MINOR, wide // LIKED_STEP_MINOR * LIKED_STEP_MINOR, wide)
    told = np.where(on.u(f"{what}-liked", wide.shape[1]) < LIKED_SHARE, stepped, wide)
    return np.asarray(told.reshape(amount.shape), np.int64)


def wired(on: Canvas, what: str, amount: Int64) -> Int64:
    """Amounts of wires, half of them cut to the step of 50.00 below, as people like them."""
    stepped = np.where(amount >= 10_000, amount // 5_000 * 5_000, np.maximum(amount, 2_000))
    told = np.where(on.u(f"{what}-even", amount.shape[1]) < 0.5, stepped, np.maximum(amount, 2_000))
    return np.asarray(np.where(amount > 0, told, 0), np.int64)


def moments(
    on: Canvas,
    what: str,
    since: Int64,
    until: Int64,
    number: Int64,
    width: int,
    *,
    rhythm: str = "cash",
    gap_s: int = 30 * MINUTE_S,
) -> Int64:
    """Moments of `number` payments in a window, ascending with a gap, shape (n, width); unused ones last."""
    u = np.where(np.arange(width) < number[:, None], on.u(f"{what}-time", width), 1.0)
    return on.ascending(on.within(since, until, np.sort(u, axis=1), rhythm), gap_s)


def later(
    on: Canvas,
    what: str,
    since: Int64,
    easy_s: float,
    hard_s: float,
    *,
    least_s: int = 2 * MINUTE_S,
    rhythm: str = "person",
) -> Int64:
    """A moment after each of `since`, shape kept: a median wait between the two, at ordinary hours as
    difficulty asks; past the data it stays there."""
    wide = since if since.ndim == 2 else since[:, None]
    median = on.between(easy_s, hard_s)
    wait = least_s + median * np.exp(0.5 * on.normal(f"{what}-wait", wide.shape[1]))
    begun = np.asarray(wide + wait, np.int64)
    u, long = on.u(f"{what}-hour", wide.shape[1]), max(int(median * 0.7), 600)
    if rhythm == "person":
        told = on.paced(begun, begun + long, u)
    else:
        # Firms and banks pay by day, whatever the difficulty.
        told = on.within(begun, begun + max(long, 14 * HOUR_S), u, rhythm)
        told = on.workday(told) if on.ordinary == 1 else told
    return np.asarray(np.where(begun >= on.horizon, on.horizon, told).reshape(since.shape), np.int64)


@dataclass(frozen=True)
class Moved:
    """Payments that were put down: moments and amounts, shape (n, width), amount 0 where there is none."""

    second: Int64
    amount: Int64

    @property
    def total(self) -> Int64:
        """What they move within the data, per case."""
        return np.asarray(self.amount.sum(axis=1), np.int64)

    def last(self, since: Int64) -> Int64:
        """When the last one is ordered, or `since` where there is none."""
        seen = np.where(self.amount > 0, self.second, -1).max(axis=1)
        return np.asarray(np.maximum(seen, since), np.int64)


def paid_in(
    on: Canvas,
    what: str,
    second: Int64,
    amount: Int64,
    payee: Int64,
    place: Int64,
    *,
    machines: Float64 | float = MACHINES,
    step: int = CASH_STEP_MINOR,
    where: NDArray[np.bool_] | None = None,
) -> Moved:
    """Cash over the counter of places, or at machines for a share; role and stage placement.

    Amounts are in the payee's currency. Where the place has another one, notes of that are paid in, at most
    what stays below its own limit; what is told is what the payee gets.
    """
    ways, cash = data.ways(), on.at(place, "cash")
    machine = on.u(f"{what}-way", amount.shape[1]) < machines
    way = np.where(machine, ways.code("cash_in_atm"), ways.code("cash_in"))
    there = received(on, second, amount, payee, cash)
    there = np.where(
        on.part_of(payee) == place, amount, np.minimum(there, limit_minor(on.spec, place) * 94 // 100)
    )
    there = notes(there, step)
    told = on.pay(
        on.every[:, None], second, there, cash, payee, way, "placement", stage="placement", where=where
    )
    return Moved(second, np.where(told >= 0, received(on, second, there, cash, payee), 0))


def sent_on(
    on: Canvas,
    what: str,
    since: Int64,
    total: Int64,
    payer: Int64,
    payee: Int64,
    *,
    width: int,
    number: Int64,
    easy_s: float,
    hard_s: float,
    role: str = "forward",
    stage: str = "layering",
    ways: tuple[str, str] | Int64 | None = None,
    least_s: int = 2 * MINUTE_S,
    rhythm: str = "person",
    even: bool = True,
    sd: float | None = None,
) -> Moved:
    """Transfers of together at most `total`, one after another, to one payee or one per column.

    Waits before each have a median of `easy_s` at difficulty 0 and `hard_s` at 1. Without `even` no amount is
    rounded as people like it; `sd` is the log standard deviation of the parts unless it moves as usual.
    """
    amount = parts(on, what, total, number, width, sd=skew(on, 0.1, ONWARD_LOG_SD) if sd is None else sd)
    amount = liked(on, what, amount) if even else amount
    second = np.empty(amount.shape, np.int64)
    at = since
    for column in range(width):
        at = later(on, f"{what}-{column}", at, easy_s, hard_s, least_s=least_s, rhythm=rhythm)
        second[:, column] = at
    if ways is None:
        way = transfer_ways(on, what, width)
    elif not isinstance(ways, tuple):
        way = ways
    else:
        codes = [data.ways().code(name) for name in ways]
        way = np.where(on.u(f"{what}-way") < 0.7, codes[0], codes[1]).astype(np.int64)
    told = on.pay(
        on.every[:, None],
        second,
        amount,
        payer[:, None],
        payee if payee.ndim == 2 else payee[:, None],
        way,
        role,
        stage=stage,
    )
    return Moved(second, np.where(told >= 0, amount, 0))


def drawn(
    on: Canvas,
    what: str,
    since: Int64,
    total: Int64,
    payer: Int64,
    place: Int64,
    *,
    width: int,
    easy_s: float,
    hard_s: float,
    stage: str = "integration",
) -> Moved:
    """Notes drawn at machines of a place by day, the larger the easier, together at most `total`."""
    wish = ground.cash_minor(on.u(f"{what}-notes", width) ** (1 / (4 - 3 * on.ordinary)))
    amount = np.where(np.cumsum(wish, axis=1) <= total[:, None], wish, 0)
    median = on.between(easy_s, hard_s)
    waits = np.cumsum(5 * MINUTE_S + median * np.exp(0.7 * on.normal(f"{what}-wait", width)), axis=1)
    begun = np.asarray(since[:, None] + waits, np.int64)
    # Who comes by night finds the machine closed or himself alone at it: cash is drawn by day.
    day = on.within(begun, begun + 6 * HOUR_S, on.u(f"{what}-hour", width), "cash")
    second = np.where(begun >= on.horizon, on.horizon, on.ascending(day, 3 * MINUTE_S))
    told = on.pay(
        on.every[:, None],
        second,
        amount,
        payer[:, None],
        on.at(place, "cash")[:, None],
        "cash_out",
        "cash_out",
        stage=stage,
    )
    return Moved(second, np.where(told >= 0, amount, 0))


def received(on: Canvas, second: Int64, amount: Int64, payer: Int64, payee: Int64) -> Int64:
    """What a payment is worth in the currency of the payee's place, at the rate of the day."""
    spec = on.spec
    source, target = ground.currency(spec, on.part_of(payer)), ground.currency(spec, on.part_of(payee))
    return ground.exchanged(spec, second, amount, source, target)


def other_place(on: Canvas, what: str, width: int = 1) -> Int64:
    """A place that deals with the home's and is not it, shape (n, width); the home's where there is none."""
    home = on.part(on.homes)[:, None]
    return ground.near_part(on.spec, np.broadcast_to(home, (on.n, width)), on.u(f"{what}-place", width), 0.0)


def suspected(on: Canvas, share: float = 0.3, days: float = 20.0) -> Int64:
    """When the bank itself comes to suspect: a share of cases, a median of days after the last payment.

    The bank reports and does not stop the account, for it must not warn its holder.
    """
    late = days * DAY_S * np.exp(0.8 * ndtri(np.clip(on.one("suspected-time"), 1e-9, 1 - 1e-9)))
    found = np.asarray(np.maximum(on.last(), 0) + late, np.int64)
    return np.where((on.one("suspected") < share) & (found < on.horizon), found, NEVER)


def firm(spec: Spec, entities: Int64, kind: str) -> Int64:
    """The number within its place of the firm of a kind that each owns, -1 for none or a failing one."""
    return terms.company(spec, entities) if kind == "employers" else ground.owned(spec, entities, kind)


def owners(spec: Spec, entities: Int64, *kinds: str) -> NDArray[np.bool_]:
    """Who owns a firm of one of the kinds: merchants, employers, shells."""
    return np.asarray(np.any([firm(spec, entities, kind) >= 0 for kind in kinds], axis=0), np.bool_)


def window_s(spec: Spec, on_difficulty: float, easy_days: float, hard_days: float) -> int:
    """Length of a scheme: between two lengths by difficulty, at most half the data."""
    days = easy_days * (hard_days / easy_days) ** on_difficulty
    return int(min(days, spec.days / 2) * DAY_S)


def room_s(spec: Spec, difficulty: float, window: int, easy: float, hard: float) -> int:
    """Seconds that a case needs until its last payment, as a multiple of a window; at most half the data.

    A hard case may still be under way when the data end: one that never begins in the last weeks would tell.
    """
    return int(min(window * (easy + (hard - easy) * min(1.0, 2 * difficulty)), spec.days * DAY_S // 2))


def free_one(homes: Int64, taken: Int64, choose: Int64) -> Int64:
    """The first free one of several candidates per case, -1 where none is; `choose` has shape (n, tries)."""
    held = united(taken, homes)
    found = np.full(homes.size, -1, np.int64)
    for attempt in range(choose.shape[1]):
        person = np.where(found < 0, choose[:, attempt], -1)
        first = np.zeros(homes.size, np.bool_)
        first[np.unique(person, return_index=True)[1]] = True
        free = first & (person >= 0) & ~among(person, held)
        found = np.where(free, person, found)
        held = united(held, person[free])
    return found


def transfer_ways(on: Canvas, what: str, width: int) -> Int64:
    """Codes of ways of transfers, shape (n, width): from 0.5 on with the purposes of other transfers."""
    names = ("mobile", "web", "goods_web", "family_mobile", "goods_mobile")
    shares = (0.55, 0.82, 0.90, 0.96) if on.ordinary == 1 else (0.7, 1.0, 1.0, 1.0)
    codes = np.array([data.ways().code(name) for name in names], np.int64)
    return codes[np.searchsorted(shares, on.u(f"{what}-way", width), side="right")]


def settled(on: Canvas, what: str, width: int) -> Int64:
    """Codes of ways in which firms pay each other, shape (n, width): from 0.5 on as often as they do."""
    u = on.u(f"{what}-settled", width)
    return terms.business_ways(u if on.ordinary == 1 else np.zeros_like(u))


def mobile_or_web(on: Canvas, what: str) -> Int64:
    """Codes of ways of transfers, one per case: seven in ten by mobile."""
    codes = data.ways()
    return np.where(on.one(f"{what}-way") < 0.7, codes.code("mobile"), codes.code("web")).astype(np.int64)


def company(on: Canvas) -> Int64:
    """The account of the company, or else of the shop, that each home owns; both make money."""
    works, shop = (firm(on.spec, on.homes, kind) for kind in ("employers", "merchants"))
    part = on.part(on.homes)
    return np.where(
        works >= 0,
        on.at(part, "employers", np.maximum(works, 0)),
        on.at(part, "merchants", np.maximum(shop, 0)),
    ).astype(np.int64)


def business_scale(on: Canvas) -> Float64:
    """How much larger or smaller the sums are that the company or shop of each home can bear."""
    return np.where(firm(on.spec, on.homes, "employers") >= 0, 1.6, 0.5)
