"""What offenders buy: which shops, at what prices, and with which card."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64
from rarecase.finance import data
from rarecase.finance.cases import ground, opening, terms
from rarecase.finance.cases.fraud.cards import prices, shops

if TYPE_CHECKING:
    from rarecase.finance.cases.canvas import Canvas

#: Kinds of shops whose goods are dear and easily sold on: electronics, department stores, clothing, travel
#: agencies, direct marketing, bookshops with vouchers.
_DEAR = ("5732", "5311", "5651", "4722", "5964", "5942")
_CONTACTLESS, _LEAST_REMOTE = 0.68, 0.05


@lru_cache(maxsize=4)
def edges(what: str) -> Float64:
    """Chances of kinds of shops, added up: `counter` (by day, in person), `remote`, `dear`, `any`."""
    kinds = data.shops()
    by_day = np.isin(np.array(kinds.rhythm), ("day", "travel", "office"))
    weight = {
        "counter": kinds.share * (1 - kinds.remote) * by_day,
        "remote": kinds.share * np.where(kinds.remote >= _LEAST_REMOTE, kinds.remote, 0.0),
        "any": kinds.share,
        "dear": np.sqrt(kinds.share) * np.isin(np.array(kinds.mcc), _DEAR),
    }[what]
    return np.asarray(np.cumsum(weight) / weight.sum(), np.float64)


def where_bought(
    on: Canvas, what: str, customers: Int64, width: int, kinds: str, home_share: float = 0.93
) -> tuple[Int64, Int64]:
    """Accounts of shops and their kinds, shape (n, width): where each customer lives, or nearby."""
    part = np.broadcast_to(on.part(customers)[:, None], (on.n, width))
    place = ground.near_part(on.spec, part, on.u(f"{what}-where", width), home_share)
    number, kind = shops(on, what, place, edges(kinds))
    return on.at(place, "merchants", number), kind


def ordinary_prices(on: Canvas, what: str, kind: Int64, customers: Int64, dearer: float = 1.0) -> Int64:
    """What people of the customers' incomes pay in shops of these kinds, minor units."""
    who = np.broadcast_to(customers[:, None], kind.shape)
    return prices(on, f"{what}-price", kind, dearer, who)


def ways_at(on: Canvas, what: str, kind: Int64, remote: NDArray[np.bool_] | None = None) -> Int64:
    """Ways to pay with a card in shops of these kinds: at the counter by touch or chip, or from afar.

    `remote` says where it is from afar; by default as often as is usual for the kind.
    """
    codes, u = data.ways(), on.u(f"{what}-way", 2 * kind.shape[1]).reshape(on.n, kind.shape[1], 2)
    afar = u[..., 0] < data.shops().remote[kind] if remote is None else remote
    near = np.where(u[..., 1] < _CONTACTLESS, codes.code("contactless"), codes.code("chip"))
    return np.where(afar, codes.code("ecommerce"), near).astype(np.int64)


def moments(
    on: Canvas, what: str, since: Int64, until: Int64, way: Int64, shop: Int64, *, gap_s: int = 240
) -> Int64:
    """When each payment of these ways is made, shape of `way`: in shops (addresses) by day and while they are
    open, in web shops at their hours."""
    u = on.u(f"{what}-when", way.shape[1])
    low, high = (np.broadcast_to(edge[:, None], way.shape) for edge in (since, until))
    by_day, afar = on.within(low, high, u, "day"), on.within(low, high, u, "online")
    remote = data.ways().remote[way]
    second = np.where(remote, afar, by_day)
    second = np.where(remote, second, opening.while_open(on.spec, shop, second))
    # Nobody pays twice at the same moment.
    order = np.argsort(second, axis=1, kind="stable")
    spaced = on.ascending(np.take_along_axis(second, order, axis=1), gap_s)
    told = np.empty_like(second)
    np.put_along_axis(told, order, spaced, axis=1)
    return np.where(remote, told, opening.while_open(on.spec, shop, told))


def weights(on: Canvas, what: str, number: Int64, width: int, spread: float) -> Float64:
    """Shares of the first `number` parts of a sum, shape (n, width), sum 1; lognormal of this spread."""
    weight = np.where(np.arange(width) < number[:, None], np.exp(spread * on.normal(what, width)), 0.0)
    return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300), np.float64)


def drawn_sums(on: Canvas, what: str, customers: Int64, total: Int64, width: int) -> Int64:
    """Sums that machines give, shape (n, width), together at most `total`: large when easy, else as usual."""
    wish = ground.cash_minor(on.u(f"{what}-notes", width) ** (1 / (4 - 3 * on.ordinary)))
    wish = terms.notes(on.spec, np.broadcast_to(customers[:, None], wish.shape), wish)
    return np.where(np.cumsum(wish, axis=1) <= total[:, None], wish, 0)
