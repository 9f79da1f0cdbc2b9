"""Which bank keeps an account, and where in each country a bank or biller has its treasury: stateless.

Every bank works in every country of the world with a row of its own in the table of banks, and has a head
office in one place there. Anybody can say the bank of any account without asking its part.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rarecase.common.keys import KeySpace
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.spec import FinanceSpec

#: Share of savings accounts that are kept at another bank than the current account.
_SAVES_ELSEWHERE = 0.25
_DRAWN, _OUTSIDE = -1, -2


@lru_cache(maxsize=16)
def _rule(block: int) -> tuple[Int64, Int64]:
    """For each slot its bank (or _DRAWN, _OUTSIDE), and the slot that it shares its draw with."""
    slots = ground.slots(block)
    fixed, like = np.full(slots.width, _DRAWN), np.arange(slots.width)
    for name in ("branches", "settlement", "position", "bank_treasury"):
        fixed[slots.first(name) + np.arange(slots.banks_n)] = np.arange(slots.banks_n)
    fixed[slots.first(ground.OUTSIDE[0]) :] = _OUTSIDE
    for name in ("card", "loan"):
        like[slots.first(name) + np.arange(block)] = np.arange(block)
    return fixed, like


def bank_of(spec: FinanceSpec, part: Int64 | int, slot: Int64) -> Int64:
    """The bank of each account, -1 for the world outside; shape of `slot`.

    Cards and loans are at the bank of the current account, and so are three in four savings accounts.
    """
    slots = ground.slots(spec.block)
    fixed, like = _rule(spec.block)
    base = np.asarray(part) * slots.width
    shared = like[slot]
    within = slot - slots.first("savings")
    saves = (within >= 0) & (within < slots.block)
    loyal = keyed_uniform(spec.seed, "saves-elsewhere", base + slot) >= _SAVES_ELSEWHERE
    shared = np.where(saves & loyal, within, shared)
    drawn = terms.bank(spec, base + shared)
    return np.where(fixed[slot] == _DRAWN, drawn, np.maximum(fixed[slot], -1)).astype(np.int64)


def hosts(spec: FinanceSpec, part: Int64 | int, numbers: Int64, kind: str) -> Int64:
    """The place, in the country of `part`, in which the treasury of each biller or bank is kept."""
    country = ground.country(spec, np.asarray(part))
    turn, count = _turns(spec.population.countries, spec.parts)
    shift = 0 if kind == "biller" else 3
    return np.asarray(turn[country, (numbers + shift) % count[country]], np.int64)


def places_of(spec: FinanceSpec, country: int) -> Int64:
    """The places of a country, ascending."""
    turn, count = _turns(spec.population.countries, spec.parts)
    return turn[country, : count[country]]


def bank_key(keys: KeySpace, spec: FinanceSpec, part: Int64 | int, bank: Int64) -> Int64:
    """Keys of banks as they work in the country of `part`."""
    country = ground.country(spec, np.asarray(part))
    number = bank + len(data.banks()[0]) * country
    where, number = np.broadcast_arrays(hosts(spec, part, bank, "bank"), number)
    return keys.part_rows("banks", where, number)


@lru_cache(maxsize=8)
def _turns(countries: tuple[str, ...], parts: int) -> tuple[Int64, Int64]:
    """The first places of each country, shape (countries, most), and how many there are."""
    known = data.countries().country
    where = np.array([known.index(name) for name in countries])[np.arange(parts) % len(countries)]
    found = [np.flatnonzero(where == code) for code in range(len(known))]
    count = np.array([places.size for places in found])
    turn = np.zeros((len(known), max(int(count.max()), 1)), np.int64)
    for code, places in enumerate(found):
        turn[code, : places.size] = places
    return turn, np.maximum(count, 1)
