"""Who pays whom in the patterns of the graph: members by position, legs in steps.

Everything is a dense matrix with one row per case, -1 where a case has no such leg. A member pays only what
earlier steps brought to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64

#: Accounts of a pattern: one of these ranges with equal chance, then any size within it.
SIZES = ((3, 4), (5, 8), (9, 12), (13, 18))
FEWEST, MOST = SIZES[0][0], SIZES[-1][1]


@dataclass(frozen=True)
class Legs:
    """Payments of the patterns, shape (n, legs); ascending by step within each case.

    Attributes
    ----------
    payer, payee
        Positions of members in their case.
    step
        Steps from 0; who pays in step 0 has brought the money into the bank.
    """

    payer: Int64
    payee: Int64
    step: Int64

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which legs there are."""
        return np.asarray(self.step >= 0, np.bool_)

    @property
    def steps(self) -> Int64:
        """Steps of each case, shape (n,)."""
        return np.asarray(self.step.max(axis=1) + 1, np.int64)

    def columns(self, step: int) -> slice:
        """The columns among which all legs of a step are."""
        found = np.flatnonzero((self.step == step).any(axis=0))
        return slice(int(found[0]), int(found[-1]) + 1)


def sizes(u: Float64, smallest: int, largest: int) -> Int64:
    """Accounts of each pattern, nearly uniform over the ranges of SIZES as in Table 6 of AMLworld.

    Parameters
    ----------
    u
        Uniforms, shape (n,).
    smallest, largest
        Fewest and most accounts; ranges are cut to them.
    """
    kept = [(max(low, smallest), min(high, largest)) for low, high in SIZES]
    kept = [(low, high) for low, high in kept if low <= high]
    place = u * len(kept)
    which = np.minimum(place.astype(np.int64), len(kept) - 1)
    low, high = np.array(kept, np.int64)[which].T
    return np.asarray(
        low + np.minimum(((place - which) * (high - low + 1)).astype(np.int64), high - low), np.int64
    )


def positions(members: Int64) -> Int64:
    """Position of each member in its case, -1 beyond the last, shape (n, most members)."""
    column = np.arange(int(members.max(initial=1)))
    return np.where(column < members[:, None], column, -1)


def chain(order: Int64) -> Legs:
    """Legs from each of a sequence of members to the next one, one per step.

    Parameters
    ----------
    order
        Positions in the order in which they hold the money, -1 after the last, shape (n, legs + 1).
    """
    there = order[:, 1:] >= 0
    step = np.where(there, np.arange(there.shape[1]), -1)
    return Legs(np.where(there, order[:, :-1], -1), np.where(there, order[:, 1:], -1), step)


def layered(layer: Int64, dropped: NDArray[np.float64] | None = None, share: float = 0.0) -> Legs:
    """Legs from every member of a layer to every member of the next one.

    Parameters
    ----------
    layer
        Layer of each member, -1 where there is no member, shape (n, w).
    dropped, share
        Uniforms, shape (n, w · w), below which a leg is left out; each payer keeps one leg at least, and
        each payee one, and with two payers or two payees half of all legs are kept.
    """
    n, width = layer.shape
    pays = (layer[:, :, None] >= 0) & (layer[:, None, :] == layer[:, :, None] + 1)
    if dropped is not None and share > 0:
        same = (layer[:, :, None] == layer[:, None, :]) & (layer[:, :, None] >= 0)
        rank, size = np.tril(same, -1).sum(axis=2), np.maximum(same.sum(axis=2), 1)
        payer, payee = rank[:, :, None], rank[:, None, :]
        spread = np.where(
            size[:, :, None] <= size[:, None, :],
            payee % size[:, :, None] == payer,
            payer % size[:, None, :] == payee,
        )
        pays &= spread | (dropped.reshape(n, width, width) >= share)
    flat = pays.reshape(n, -1)
    step = np.repeat(layer, width, axis=1)
    cells = np.arange(width * width)
    key = np.where(flat, step * cells.size + cells, np.iinfo(np.int64).max)
    order = np.argsort(key, axis=1, kind="stable")[:, : int(flat.sum(axis=1).max(initial=1))]
    there = np.take_along_axis(flat, order, axis=1)
    return Legs(
        np.where(there, order // width, -1),
        np.where(there, order % width, -1),
        np.where(there, np.take_along_axis(step, order, axis=1), -1),
    )


def wander(members: Int64, detour: Float64, choice: Float64) -> Int64:
    """A walk from member 0 over all others that never returns to it, though it may meet others again.

    Parameters
    ----------
    members
        Accounts of each case, shape (n,).
    detour, choice
        Uniforms for whether a step leads to somebody met before, and to whom, shape (n, steps).

    Returns
    -------
    int64[n, steps + 1]
        Positions in order, -1 after the last. Detours are at most half of the members.
    """
    n, steps = detour.shape
    order = np.full((n, steps + 1), -1, np.int64)
    order[:, 0] = 0
    here, met, spare = np.zeros(n, np.int64), np.ones(n, np.int64), (members - 2) // 2
    for step in range(steps):
        again = (detour[:, step] < 0.3) & (met >= 3) & (spare > 0) & (met < members)
        # Of those met but the start, anybody but the one who holds the money.
        other = 1 + np.minimum((choice[:, step] * (met - 2)).astype(np.int64), met - 3)
        other += other >= here
        on = again | (met < members)
        here = np.where(again, other, np.where(on, met, here))
        met += on & ~again
        spare -= again
        order[:, step + 1] = np.where(on, here, -1)
    return order
