"""Card payments: a few favourite shops, sometimes another one, at the hours when such shops are visited."""

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
from rarecase.finance.generate.flows import Flow, Maker

RHYTHMS = ("day", "evening", "travel", "online", "office")
_FAVOURITES = 6
_EXPLORES = 0.14
_GUIDE = 4096
_QUANTILES = 1024


@lru_cache(maxsize=1)
def amount_quantiles() -> Float64:
    """Quantiles of each kind's lognormal law in minor units, shape (kinds, 1025), cut at 1 in 4,096."""
    kinds = data.shops()
    share = np.clip(np.arange(_QUANTILES + 1) / _QUANTILES, 1 / 4096, 1 - 1 / 4096)
    return np.asarray(kinds.median_minor[:, None] * np.exp(kinds.log_sd[:, None] * ndtri(share)), np.float64)


@lru_cache(maxsize=1)
def card_ways() -> NDArray[np.int8]:
    """Codes of the ways to pay with a card: contactless, chip, stripe, from afar."""
    ways = data.ways()
    return np.array([ways.code(name) for name in ("contactless", "chip", "stripe", "ecommerce")], np.int8)


def spending_scale(income: Int64) -> Float64:
    """How the amounts of a purchase follow the income."""
    return np.asarray((income / ground.USUAL_INCOME_MINOR) ** 0.6, np.float64)


@compiled
def _shop(
    owner: Int64,
    u: Float64,
    favourites: Int64,
    slot_of: Int64,
    popular: Int64,
    kind: Int64,
    scale: Float64,
    quantiles: Float64,
    remote: Float64,
    codes: NDArray[np.int8],
    merchant: Int64,
    amount: Int64,
    way: NDArray[np.int8],
) -> None:
    last = quantiles.shape[1] - 1
    for i in range(owner.size):
        who = owner[i]
        cell = u[0, i] * slot_of.size
        slot = slot_of[int(cell)]
        if slot < favourites.shape[1]:
            m = favourites[who, slot]
        else:
            m = popular[int((cell - int(cell)) * popular.size)]
        merchant[i] = m
        k = kind[m]
        x = u[1, i] * last
        left = int(x)
        value = quantiles[k, left] + (x - left) * (quantiles[k, left + 1] - quantiles[k, left])
        amount[i] = max(int(value * scale[who] + 0.5), 10)
        r = u[2, i]
        if r < remote[k]:
            way[i] = codes[3]
        else:
            r = (r - remote[k]) / (1.0 - remote[k])
            way[i] = codes[0] if r < 0.68 else codes[1] if r < 0.985 else codes[2]


def purchases(make: Maker) -> Iterator[Flow]:
    """Card payments of the place, one flow per rhythm."""
    kinds, place = data.shops(), make.place
    scale = spending_scale(place.income)
    remote = np.minimum(kinds.remote, 1 - 1e-9)
    first, weight = make.slots.first("merchants"), popularity(make)
    for rhythm in RHYTHMS:
        here = np.array([name == rhythm for name in kinds.rhythm])
        shops = np.flatnonzero(here[place.shop])
        popular, favourites = _where(make, rhythm, shops, weight[shops])
        name = f"purchases-{rhythm}"
        owner = make.owners(name, make.spec.population.purchases_per_month * kinds.share[here].sum())
        n = owner.size
        merchant, amount, way = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int8)
        u = make.rng(name, "choice").random((3, n))
        _shop(
            owner,
            u,
            favourites,
            _slots_of_favourites(),
            popular,
            place.shop,
            scale,
            amount_quantiles(),
            remote,
            card_ways(),
            merchant,
            amount,
            way,
        )
        yield Flow(make.seconds(name, rhythm, n), amount, owner, merchant + first, way)


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
