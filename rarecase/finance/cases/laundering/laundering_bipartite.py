"""Laundering bipartite: each of several accounts pays each of several others."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, TwoPlaces


class LaunderingBipartite(TwoPlaces):
    """Money of several accounts that is mixed in one layer of payments."""

    title: ClassVar[str] = "Laundering bipartite"
    definition: ClassVar[str] = (
        "k senders (the home is one) pay m receivers, who pay nobody in the pattern; k or m is 2 (3 in half "
        "of the patterns of 6 to 9 accounts), the other one up to 16 (4 to 18 accounts in all). At "
        "difficulty 0 every sender pays every receiver once, k · m hops; at 1 a third of the pairs "
        "beyond what joins everybody are left out. "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 277
    payments: ClassVar[float] = 23.0
    how: ClassVar[str] = "from several accounts to several others"

    kind: Literal["laundering_bipartite"] = "laundering_bipartite"
    smallest: int = Field(default=4, ge=4, le=graphs.MOST, description="fewest accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From a few to many, or from many to a few."""
        members = on.placement.members
        position, u = graphs.positions(members), on.u("sides", 2)
        few = np.where((members >= 6) & (members <= 9) & (u[:, 0] < 0.5), 3, 2)
        senders = np.where(u[:, 1] < 0.5, few, members - few)
        layer = np.where(position < 0, -1, np.where(position < senders[:, None], 0, 1))
        return graphs.layered(layer, on.u("left-out", position.shape[1] ** 2), on.difficulty / 3)
