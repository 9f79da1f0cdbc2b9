"""Card payments: a few favourite shops, sometimes another one, at the hours when such shops are visited.

People remember their last visits: who has just filled up does not do so again, and who has been to the same
shop several times in a row tries another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.compiled import compiled
from rarecase.common.draws import AliasTable, zipf_weights
from rarecase.common.seeds import Float64, Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.maker import Flow, Maker, shopping_clock
from rarecase.finance.generate.mood import mood

RHYTHMS = ("day", "evening", "travel", "online", "office")
_FAVOURITES = 6
_EXPLORES = 0.14
#: Share of payments from afar that come by mail or telephone.
MANUAL_SHARE = 0.03
#: Visits in a row after which a shop bores.
_BORES = 4
_GUIDE = 4096
_QUANTILES = 1024
_SPREAD = 1 / 4096


@lru_cache(maxsize=1)
def amount_quantiles() -> Float64:
    """Quantiles of each kind's lognormal law in minor units, shape (kinds, 1025), cut at 1 in 4,096."""
    kinds = data.shops()
    share = np.clip(np.arange(_QUANTILES + 1) / _QUANTILES, _SPREAD, 1 - _SPREAD)
    return np.asarray(kinds.median_minor[:, None] * np.exp(kinds.log_sd[:, None] * ndtri(share)), np.float64)


@lru_cache(maxsize=1)
def card_ways() -> NDArray[np.int8]:
    """Codes of the ways to pay with a card: contactless, chip, stripe, from afar, by mail or telephone."""
    ways = data.ways()
    names = ("contactless", "chip", "stripe", "ecommerce", "manual_entry")
    return np.array([ways.code(name) for name in names], np.int8)


def spending_scale(income: Int64, scale: Float64 | float) -> Float64:
    """How the amounts of a purchase follow prices and income; 1 in Germany at the usual income."""
    return np.asarray(scale * (income / (ground.USUAL_INCOME_MINOR * scale)) ** 0.6, np.float64)


def purchases(make: Maker) -> Iterator[Flow]:
    """Card payments of the place, one flow per rhythm; none in a shop while the payer is on a trip."""
    kinds, place = data.shops(), make.place
    scale = spending_scale(place.income, place.scale)
    remote = np.minimum(kinds.remote * make.spec.population.remote_share, 1 - 1e-9)
    first, weight = make.slots.first("merchants"), popularity(make)
    credit = np.where(place.cards.has, make.spec.population.credit_card_share, 0.0)
    feeling = mood(make)
    away = make.away
    for rhythm in RHYTHMS:
        here = np.array([name == rhythm for name in kinds.rhythm])
        shops = np.flatnonzero(here[place.shop])
        if not shops.size:
            continue
        popular, favourites = _where(make, rhythm, shops, weight[shops])
        name = f"purchases-{rhythm}"
        clock, season = shopping_clock(make.spec.start, make.spec.days, rhythm)
        mean = make.spec.population.purchases_per_month * kinds.share[here].sum() * make.months * season
        counts = make.rng(name, "number").poisson(mean * place.activity)
        owner, when = clock.scatter(make.rng(name, "time"), counts, np.zeros(place.n), np.ones(place.n))
        n = owner.size
        second, merchant, amount = when // ground.SECOND_US, np.empty(n, np.int64), np.empty(n, np.int64)
        way = np.empty(n, np.int8)
        size = _shop(
            owner, make.rng(name, "choice").random((3, n)), favourites, _slots_of_favourites(), popular,
            place.shop, (kinds.rest_days * ground.DAY_S).astype(np.int64), scale, feeling, make.month,
            amount_quantiles(), remote, credit, make.slots.first("card"), place.opens, place.closes,
            away.leaves, away.returns, away.phase, card_ways(), second, merchant, amount, way,
        )  # fmt: skip
        yield Flow(second[:size], amount[:size], owner[:size], merchant[:size] + first, way[:size])


@compiled
def _while_open(t: int, low: int, high: int, more: int) -> int:
    """The moment if a shop is open from `low` to `high` seconds of the day, else one of that day."""
    of_day = t % 86_400
    if of_day < low and of_day + 86_400 >= high:
        return t - of_day + low + (of_day * 7 + more) % (min(high, 86_400) - low)
    if of_day >= high:
        return t - of_day + low + (of_day * 7 + more) % (high - low)
    return t


@compiled
def within_hours(second: Int64, opens: Int64, closes: Int64, out: Int64) -> None:
    """For each moment itself if a shop is then open, from `opens` to `closes` seconds of the day, else one
    of that day when it is."""
    for i in range(second.size):
        out[i] = _while_open(second[i], opens[i], closes[i], second[i] % 3_607)


@compiled
def _shop(
    owner: Int64,
    u: Float64,
    favourites: Int64,
    slot_of: Int64,
    popular: Int64,
    kind: Int64,
    rest_s: Int64,
    scale: Float64,
    feeling: Float64,
    month: Int64,
    quantiles: Float64,
    remote: Float64,
    credit: Float64,
    card: int,
    opens: Int64,
    closes: Int64,
    leaves: Int64,
    returns: Int64,
    phase: Int64,
    codes: NDArray[np.int8],
    second: Int64,
    merchant: Int64,
    amount: Int64,
    way: NDArray[np.int8],
) -> int:
    """Fill the columns in place, owners and their moments ascending; returns how many rows are left."""
    last, most = quantiles.shape[1] - 1, favourites.shape[1]
    visited = np.full(rest_s.size, -1, np.int64)
    visitor = np.full(rest_s.size, -1, np.int64)
    before, streak, someone, kept = -1, 0, -1, 0
    for i in range(owner.size):
        who, t = owner[i], second[i]
        if who != someone:
            someone, before, streak = who, -1, 0
        cell = u[0, i] * slot_of.size
        slot, free = slot_of[int(cell)], cell - int(cell)
        m = favourites[who, slot] if slot < most else popular[int(free * popular.size)]
        k = kind[m]
        if visitor[k] == who and t - visited[k] < rest_s[k]:
            for other in range(1, most):
                m = favourites[who, (slot + other) % most]
                k = kind[m]
                if visitor[k] != who or t - visited[k] >= rest_s[k]:
                    break
        elif m == before and streak >= _BORES:
            m = popular[int(free * popular.size)]
            k = kind[m]
        r = u[2, i]
        if r < remote[k]:
            # Some remote orders come by mail or telephone.
            w = codes[4] if r < MANUAL_SHARE * remote[k] else codes[3]
        else:
            # In a shop: not on a trip, and while it is open.
            j = (t // 86_400 + phase[who]) // 45
            if leaves[who, j] <= t < returns[who, j]:
                continue
            r = (r - remote[k]) / (1.0 - remote[k])
            w = codes[0] if r < 0.68 else codes[1] if r < 0.985 else codes[2]
            t = _while_open(t, opens[m] * 3_600, closes[m] * 3_600, int(r * 3_600))
        streak = streak + 1 if m == before else 1
        before, visited[k], visitor[k] = m, t, who
        x = u[1, i] * last
        left = int(x)
        value = quantiles[k, left] + (x - left) * (quantiles[k, left + 1] - quantiles[k, left])
        amount[kept] = max(int(value * scale[who] * feeling[who, month[t // 86_400]] + 0.5), 10)
        fine = u[2, i] * 4_096.0
        owner[kept] = card + who if fine - int(fine) < credit[who] else who
        second[kept], merchant[kept], way[kept] = t, m, w
        kept += 1
    return kept


def popularity(make: Maker) -> Float64:
    """Relative business of merchants of the place: by kind, shared unevenly within it."""
    kinds, place = data.shops(), make.place
    size = np.exp(0.7 * make.rng("merchant", "size").standard_normal(make.slots.merchants_n))
    total = np.bincount(place.shop, size, len(kinds.mcc))
    return np.asarray(kinds.share[place.shop] * size / total[place.shop], np.float64)


def _where(make: Maker, rhythm: str, shops: Int64, weight: Float64) -> tuple[Int64, Int64]:
    """A guide of merchants by popularity, and the favourites of each customer."""
    edges = np.cumsum(weight) / weight.sum()
    guide = shops[np.minimum(np.searchsorted(edges, (np.arange(_GUIDE) + 0.5) / _GUIDE), shops.size - 1)]
    drawn = AliasTable(weight).draw(make.rng("favourites", rhythm), make.place.n * _FAVOURITES)
    return guide, shops[drawn].reshape(make.place.n, _FAVOURITES)


@lru_cache(maxsize=1)
def _slots_of_favourites() -> Int64:
    """A guide of 256 cells: which favourite, or the number of favourites where somebody explores."""
    weights = np.append(zipf_weights(_FAVOURITES, 0.9) * (1 - _EXPLORES), _EXPLORES)
    edges = np.cumsum(weights)
    return np.minimum(np.searchsorted(edges, (np.arange(256) + 0.5) / 256), _FAVOURITES).astype(np.int64)
