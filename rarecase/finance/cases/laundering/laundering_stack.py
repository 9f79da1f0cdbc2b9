"""Laundering stack: layers of accounts, each of which pays the next one in common."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, TwoPlaces


class LaunderingStack(TwoPlaces):
    """Two or three bipartite layers in series."""

    title: ClassVar[str] = "Laundering stack"
    definition: ClassVar[str] = (
        "Accounts stand in 3 layers, or in 4 in half of the patterns of 8 or more (6 to 18 accounts in all): "
        "2 in each inner layer, and the others in equal parts, the larger one first, in the first (the home "
        "is one of it) and in the last. At difficulty 0 every account of a layer pays every account of the "
        "next one once, after all payments to it were booked; at 1 a third of the pairs beyond what joins "
        "everybody are left out. "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 259
    payments: ClassVar[float] = 25.0
    how: ClassVar[str] = "through layers of accounts"

    kind: Literal["laundering_stack"] = "laundering_stack"
    smallest: int = Field(default=6, ge=6, le=graphs.MOST, description="fewest accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From each layer to the next."""
        members = on.placement.members
        position = graphs.positions(members)
        inner = np.where((members >= 8) & (on.one("layers") < 0.5), 2, 1)[:, None]
        first = (members[:, None] - 2 * inner + 1) // 2
        layer = np.minimum(1 + np.maximum(position - first, -2) // 2, 1 + inner)
        layer = np.where(position < first, 0, layer)
        return graphs.layered(
            np.where(position < 0, -1, layer), on.u("left-out", position.shape[1] ** 2), on.difficulty / 3
        )
