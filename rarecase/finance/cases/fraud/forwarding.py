"""What mules do with stolen money: draw it as cash or send it on; and what is taken back from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.schema import PAYEE_CHECKS

if TYPE_CHECKING:
    from rarecase.common.spec import Spec
    from rarecase.finance.cases.canvas import Canvas

#: Cash withdrawals out of one credit at most, and the least credit for which a mule goes to a machine.
_DRAWS, _LEAST_CASH = 6, 15_000
_LEAST_GAP_S = 120
#: Of seven in ten of the credits that machines can give cash is drawn; what is sent on goes to the collector,
#: from the second figure on to an exchange for crypto-assets, and from the third on abroad.
_CASH, _TO_EXCHANGE, _ABROAD = 0.7, 0.80, 0.92
#: What mules send on as a wire, and in parts, minor units in German prices; and into how many parts at most.
_LARGE, _PARTED, _PARTS = 300_000, 40_000, 3
#: Seconds until a mule acts, at most.
HOUR_S = 3_600
MOST_WAIT_S = 20 * HOUR_S


@dataclass(frozen=True)
class Came:
    """Payments that reached mules; all of shape (n, k).

    Attributes
    ----------
    row
        Number of the payment within its case, -1 where there is none.
    second
        When it was ordered.
    paid, amount
        Minor units of the payer's currency, and of the mule's.
    payer, account
        Addresses of the victim's and of the mule's account.
    """

    row: Int64
    second: Int64
    paid: Int64
    amount: Int64
    payer: Int64
    account: Int64

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which of them were booked."""
        return self.row >= 0


def came(on: Canvas, row: Int64, second: Int64, paid: Int64, payer: Int64, account: Int64) -> Came:
    """Payments as the mules got them, in their currency; arguments broadcast to the shape of `row`."""
    when, gave, victim, mule = (np.broadcast_to(each, row.shape) for each in (second, paid, payer, account))
    amount = exchanged(on, np.maximum(when, 0), gave, victim, mule)
    return Came(row, when, np.where(row >= 0, gave, 0), np.where(row >= 0, amount, 0), victim, mule)


def exchanged(on: Canvas, second: Int64, amount: Int64, payer: Int64, payee: Int64) -> Int64:
    """What the holder of `payee` gets of `amount` in the currency of `payer` (addresses)."""
    source, target = (ground.currency(on.spec, on.part_of(each)) for each in (payer, payee))
    return ground.exchanged(on.spec, second, amount, *np.broadcast_arrays(source, target))


def pass_on(
    on: Canvas,
    name: str,
    got: Came,
    collector: Int64,
    until: Int64,
    least_s: int = _LEAST_GAP_S,
    with_card: bool = True,
) -> Int64:
    """Mules keep up to an eighth of each credit and pass the rest on.

    Parameters
    ----------
    name
        Of the draws.
    got
        What came.
    collector
        Customer who collects, shape (n,).
    until
        Second from which the mules' accounts are stopped, shape (n,).
    least_s
        Seconds until the credit is booked for certain.
    with_card
        Whether cash can be drawn from the mules' accounts.

    Returns
    -------
    int64[n, k]
        Minor units of the mule's currency that are left of each credit.

    Notes
    -----
    Half an hour passes in the median at difficulty 0 and some eight at 1, a day or little more at most. 80 to
    95 % of a credit leaving within hours to two days is what mule accounts are known by.
    """
    width = got.row.shape[1]
    keeps = 0.02 + 0.10 * on.u(f"{name}-keeps", width)
    goal = np.rint(got.amount * (1 - keeps)).astype(np.int64)
    sums = notes(on, on.part_of(got.account))
    most = np.searchsorted(ground.ATM_MINOR, ground.cash_minor(0.35 + 0.6 * on.u(f"{name}-cap", width)))
    cap = np.take_along_axis(sums, most[..., None], -1)[..., 0]
    out = on.u(f"{name}-exit", width)
    cash = (
        with_card
        & got.real
        & (goal <= 5 * cap)
        & (goal >= _LEAST_CASH * sums[..., 0] // 2_000)
        & (out < _CASH)
    )
    spread = np.exp(0.8 * on.normal(f"{name}-wait", width))
    wait = np.clip(on.between(1_800, 28_800) * spread, least_s, MOST_WAIT_S).astype(np.int64)
    since, u = got.second + wait, on.u(f"{name}-when", width)
    late = since >= on.horizon
    # Who acts at night is seen; from difficulty 0.5 on mules keep the hours of others.
    hard = on.ordinary == 1
    room = np.maximum(since + 10 * HOUR_S, got.second + ground.DAY_S)
    by_day = on.within(since, room, u, "cash") if hard else since
    moved = _drawn(on, name, got, np.where(cash, goal, 0), cap, np.where(late, since, by_day), until)
    awake = on.within(since, room, u) if hard else on.paced(since, since + HOUR_S, u)
    at_desk = np.where(late, since, awake)
    moved += _sent(on, name, got, np.where(cash, 0, goal), out, collector, at_desk, until)
    return np.asarray(got.amount - moved, np.int64)


def notes(on: Canvas, part: Int64) -> Int64:
    """Sums that machines of each place give, ascending, shape (…, 11): whole notes at its prices."""
    scale = ground.price_scale(on.spec, part)[..., None]
    least = np.where(scale < 2, 1_000, 10_000)
    return np.maximum(np.rint(ground.ATM_MINOR * scale / least), 1).astype(np.int64) * least


def _drawn(on: Canvas, name: str, got: Came, goal: Int64, cap: Int64, since: Int64, until: Int64) -> Int64:
    """Notes as machines give them, the largest first; returns what was drawn."""
    sums = notes(on, on.part_of(got.account))
    gaps = np.exp(0.7 * on.normal(f"{name}-gap", since.shape[1] * _DRAWS)).reshape(*since.shape, _DRAWS)
    when = since[..., None] + np.cumsum(60 + (on.between(300, 2_400) * gaps).astype(np.int64), axis=-1)
    moved, left = np.zeros_like(goal), goal.copy()
    cash = on.at(on.part_of(got.account), "cash")
    for draw in range(_DRAWS):
        most = np.minimum(left, cap)[..., None]
        drawn = np.where(sums <= most, sums, 0).max(axis=-1)
        told = on.pay(
            on.every[:, None],
            when[..., draw],
            drawn,
            got.account,
            cash,
            "cash_out",
            "cash_out",
            where=got.real & (when[..., draw] < until[:, None]),
        )
        moved += np.where(told >= 0, drawn, 0)
        left -= drawn
    return moved


def _sent(
    on: Canvas, name: str, got: Came, goal: Int64, out: Float64, collector: Int64, when: Int64, until: Int64
) -> Int64:
    """Transfers to the collector, to an exchange or abroad; returns what was sent.

    From difficulty 0.5 on larger sums go in up to three transfers, and none as a wire.
    """
    place, width = on.part_of(got.account), goal.shape[1]
    number = (on.u(f"{name}-exchange", width) * on.slots.exchanges_n).astype(np.int64)
    mobile, plain = on.u(f"{name}-way", width) < 0.7, on.one(f"{name}-plain")[:, None] < on.ordinary
    coins, abroad = (out >= _TO_EXCHANGE) & (out < _ABROAD), (out >= _ABROAD) & ~plain
    payee = np.where(coins, on.at(place, "exchanges", number), on.account(collector)[:, None])
    payee = np.where(abroad, on.at(place, "abroad"), payee)
    code = data.ways().code
    way = np.where(mobile, code("mobile"), code("web"))
    way = np.where(coins, np.where(mobile, code("crypto_mobile"), code("crypto_web")), way)
    scale = ground.price_scale(on.spec, place)
    way = np.where(abroad | ((goal >= _LARGE * scale) & ~coins & ~plain), code("wire_web"), way)
    parts = np.where(
        goal >= _PARTED * scale, 1 + (3 * on.ordinary * on.u(f"{name}-parts", width)).astype(int), 1
    )
    moved, left = np.zeros_like(goal), goal
    for part in range(_PARTS):
        share = 0.2 + 0.6 * on.u(f"{name}-share-{part}", width)
        amount = np.where(part + 1 < parts, (left * share).astype(np.int64), left)
        # People like steps of 5.00; from difficulty 0.5 on so do mules, and keep the rest.
        liked = (on.u(f"{name}-liked-{part}", width) < 0.45 * on.ordinary) & (amount >= 2_000)
        amount = np.where(liked, amount // 500 * 500, amount)
        later = when + (part * (900 + on.between(3_600, 14_400) * on.u(f"{name}-{part}", width))).astype(
            np.int64
        )
        told = on.pay(
            on.every[:, None],
            later,
            amount,
            got.account,
            payee,
            way,
            "forward",
            where=got.real & (part < parts) & (later < until[:, None]),
        )
        moved += np.where(told >= 0, amount, 0)
        left = left - amount
    return moved


def recall(on: Canvas, got: Came, left: Int64, known: Int64, share: float) -> Int64:
    """The bank asks back what is left at the mules, and gets it for a share of the cases some days later.

    Returns
    -------
    int64[n, k]
        Minor units of the victim's currency that came back of each payment.
    """
    u = on.u("recall", 2)
    asked = (known != NEVER) & (u[:, 0] < share)
    when = np.where(
        asked, np.minimum(known, on.horizon) + ((1 + 5 * u[:, 1]) * ground.DAY_S).astype(np.int64), -1
    )
    second = when[:, None] + 61 * np.arange(left.shape[1])
    told = on.pay(
        on.every[:, None],
        second,
        left,
        got.account,
        got.payer,
        "recall",
        "recall",
        refers=got.row,
        where=asked[:, None] & (left >= 100) & got.real,
    )
    back = exchanged(on, np.maximum(second, 0), left, got.account, got.payer)
    return np.where(told >= 0, back, 0).astype(np.int64)


def of_each(law: Callable[[Spec, Int64], Int64], spec: Spec, customers: Int64) -> Int64:
    """What a law of `ground` says of customers, for columns of them."""
    return law(spec, np.ascontiguousarray(customers).ravel()).reshape(customers.shape)


def stop_mules(on: Canvas, mules: list[Int64], known: Int64, share: float = 0.6) -> Int64:
    """The mules' banks stop their accounts hours after the victim's bank knows, in a share of the cases.

    Returns
    -------
    int64[n]
        Second from which nothing leaves the mules' accounts; the end of the data where nobody stops them.
    """
    u = on.u("mules-stopped", 2)
    stops = (known != NEVER) & (u[:, 0] < share)
    since = np.where(
        stops, np.minimum(known, on.horizon) + ((1 + 20 * u[:, 1]) * 3_600).astype(np.int64), NEVER
    )
    for mule in mules:
        kept = stops & (mule >= 0)
        on.stop(
            on.every, on.account(np.maximum(mule, 0)), since, days_later(since, 30), "account", where=kept
        )
    return np.where(stops, np.minimum(since, on.horizon), on.horizon)


def days_later(since: Int64, days: Float64 | float) -> Int64:
    """Moments some days later; NEVER stays NEVER."""
    later = np.where(since == NEVER, 0, since) + np.asarray(np.asarray(days) * ground.DAY_S, np.int64)
    return np.where(since == NEVER, NEVER, later)


def payee_checks(on: Canvas, what: str, width: int) -> Int64:
    """Outcomes of the check of the payee's name for mules, shape (n, width).

    The name that the victim was told does not fit in nearly all of them at difficulty 0, in a fifth of them
    from 0.5 on, in a sixth at 1.
    """
    easy = (1 - on.difficulty) ** 4
    odd = 0.16 + 0.82 * easy
    edges = np.cumsum([1 - odd, (0.25 - 0.22 * easy) * odd, (0.4 + 0.54 * easy) * odd])
    return np.minimum(np.searchsorted(edges, on.u(what, width), side="right"), len(PAYEE_CHECKS) - 1)
