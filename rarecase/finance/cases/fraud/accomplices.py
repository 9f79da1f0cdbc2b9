"""Whom a case takes beside its home: people in their places, whether or not the kind could befall them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from rarecase.common.members import among, united
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase

_ATTEMPTS = 8
#: Worlds up to this size are searched through where chance finds nobody free.
_SEARCHED = 1 << 20


class WithAccomplices(BankCase):
    """A kind whose further members need not be eligible themselves: mules, herders, holders of cards."""

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """As everywhere, and who is not to live nearby may be anybody in the world."""
        others = super().recruit(spec, homes, members, taken)
        if others is None:
            return None

        def anywhere(position: int, attempt: int, rows: Int64) -> Int64:
            u = ground.uniforms(spec, self.label, f"any-{position}-{attempt}", homes[rows], 1)[:, 0]
            return np.minimum((u * spec.size).astype(np.int64), spec.size - 1)

        return searched(spec, homes, chosen(homes, members, taken, others, anywhere), members, taken)


def chosen(
    homes: Int64,
    members: Int64,
    taken: Int64,
    others: Int64,
    offer: Callable[[int, int, Int64], Int64],
) -> Int64:
    """Fill the open cells of `others`, shape (n, most members − 1), with free people whom `offer` names.

    Parameters
    ----------
    offer
        Gives a person, or -1, for each of some cases, by position of the member, attempt, and cases.
    """
    others = others.copy()
    held = united(united(taken, homes), others[others >= 0])
    for position, attempt in itertools.product(range(others.shape[1]), range(_ATTEMPTS)):
        open_ = np.flatnonzero((position + 1 < members) & (others[:, position] < 0))
        if open_.size == 0:
            continue
        person = offer(position, attempt, open_)
        first = np.zeros(open_.size, np.bool_)
        first[np.unique(person, return_index=True)[1]] = True
        free = first & (person >= 0) & ~among(person, held)
        others[open_[free], position] = person[free]
        held = united(held, person[free])
    return others


def searched(spec: Spec, homes: Int64, others: Int64, members: Int64, taken: Int64) -> Int64:
    """The last open cells of a small and crowded world, filled with those who are left."""
    row, position = np.nonzero((np.arange(1, others.shape[1] + 1) < members[:, None]) & (others < 0))
    if row.size == 0 or spec.size > _SEARCHED:
        return others
    held = united(united(taken, homes), others[others >= 0])
    left = np.setdiff1d(np.arange(spec.size), held)[: row.size]
    others[row[: left.size], position[: left.size]] = left
    return others
