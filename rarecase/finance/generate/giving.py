"""Donations to charities and trade in coins with exchanges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rarecase.common.seeds import keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.maker import Flow, Maker, flow
from rarecase.finance.generate.place import risk_appetite

#: Share of people with a monthly donation, of those who give in the weeks before Christmas, and other gifts.
_GIVES, _GIVES_IN_DECEMBER, _GIFTS_MONTHLY = 0.06, 0.09, 0.01
#: Orders per month of who trades in coins, and the share of orders that sell.
_ORDERS_MONTHLY, _SELLS = 0.8, 0.3
_COINS_MEDIAN_MINOR, _COINS_LOG_SD = 12_000.0, 1.1


def donations(make: Maker) -> Iterator[Flow]:
    """Standing orders to a charity, gifts, most before Christmas, and what charities pass on each month."""
    place, slots = make.place, make.slots
    first = slots.first("charities")
    u = keyed_uniform(make.spec.seed, "donates", place.customers)
    rng = make.rng("donation", "terms")
    who = np.flatnonzero(u < _GIVES * make.spec.population.standing_orders)
    step = 500 if place.scale < 2 else 5_000
    amount = rng.choice(np.array([1, 2, 2, 3, 4, 5, 6, 10]), who.size) * step
    row, second = make.monthly("donation", rng.choice(np.array([1, 5, 15]), who.size))
    to = first + rng.integers(0, slots.charities_n, who.size)
    yield flow(second, amount[row], who[row], to[row], "donation")
    december = np.flatnonzero(make.calendar.month == 12)
    who = np.flatnonzero((u >= _GIVES) & (u < _GIVES + _GIVES_IN_DECEMBER) & (december.size > 0))
    day = december[(rng.random(who.size) * min(december.size, 24)).astype(np.int64)] if who.size else who
    second = day * ground.DAY_S + rng.integers(9 * 3_600, 21 * 3_600, who.size)
    gift = rng.choice(np.array([2, 4, 5, 6, 10, 20]), who.size) * step
    yield flow(second, gift, who, first + rng.integers(0, slots.charities_n, who.size), "donation_mobile")
    owner = make.owners("gift", _GIFTS_MONTHLY)
    gift = rng.choice(np.array([1, 2, 4, 5, 10]), owner.size) * step
    to = first + rng.integers(0, slots.charities_n, owner.size)
    yield flow(make.seconds("gift", "person", owner.size), gift, owner, to, "donation_mobile")
    given = 0.06 * place.n * 3.5 * step / slots.charities_n
    row, second = make.monthly("aid", np.full(slots.charities_n, 22))
    amount = make.lognormal("aid", row.size, max(given * 0.9, 1_000.0), 0.2)
    yield flow(second, amount, first + row, slots.first("abroad"), "supplier")


def coins(make: Maker) -> Iterator[Flow]:
    """People buy coins from an exchange and sell them to it; each week it settles what it sold and bought."""
    place, slots = make.place, make.slots
    first, crypto = slots.first("exchanges"), slots.first("crypto")
    u = keyed_uniform(make.spec.seed, "trades-coins", place.customers)
    # The mean appetite is four tenths.
    trades = u < make.spec.population.coin_traders / 0.4 * risk_appetite(make.spec, place.customers)
    owner = make.owners("coins", np.where(trades, _ORDERS_MONTHLY, 0.0))
    n, rng = owner.size, make.rng("coins", "terms")
    to = first + (place.customers[owner] % slots.exchanges_n)
    median = _COINS_MEDIAN_MINOR * np.sqrt(place.income[owner] * place.scale / ground.USUAL_INCOME_MINOR)
    amount = make.lognormal("coins", n, median, _COINS_LOG_SD)
    liked = rng.random(n) < 0.5
    sells = rng.random(n) < _SELLS
    rounded = np.maximum(np.rint(amount / 1_000), 1).astype(np.int64) * 1_000
    amount = np.where(liked & ~sells, rounded, np.maximum(amount, 500))
    ways = data.ways()
    bought = np.where(rng.random(n) < 0.75, ways.code("crypto_mobile"), ways.code("crypto_web"))
    trade = flow(
        make.seconds("coins", "online", n),
        amount,
        np.where(sells, to, owner),
        np.where(sells, owner, to),
        np.where(sells, ways.code("crypto_out"), bought).astype(np.int8),
    )
    yield trade
    weeks = max(-(-make.spec.days // 7), 1)
    net = np.zeros((slots.exchanges_n, weeks), np.int64)
    np.add.at(net, (to - first, trade.second // (7 * ground.DAY_S)), np.where(sells, -amount, amount))
    exchange, week = np.nonzero(net)
    second = (7 * week + 6) * ground.DAY_S + rng.integers(8 * 3_600, 18 * 3_600, week.size)
    kept = np.flatnonzero(second < make.horizon)
    exchange, settled = first + exchange[kept], net[exchange[kept], week[kept]]
    yield flow(
        second[kept],
        np.abs(settled),
        np.where(settled > 0, exchange, crypto),
        np.where(settled > 0, crypto, exchange),
        "payout",
    )
