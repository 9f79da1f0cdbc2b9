"""Laundering scatter-gather: one account pays many, and all of them pay one and the same other."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, TwoPlaces


class LaunderingScatterGather(TwoPlaces):
    """Money is scattered over several accounts that meet again in one."""

    title: ClassVar[str] = "Laundering scatter-gather"
    definition: ClassVar[str] = (
        "One source (the home) pays k = 2 to 16 intermediaries once each, and each of them, after it was "
        "paid, pays one and the same sink once (4 to 18 accounts in all). "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 276
    payments: ClassVar[float] = 19.0
    how: ClassVar[str] = "through several accounts to one"

    kind: Literal["laundering_scatter_gather"] = "laundering_scatter_gather"
    smallest: int = Field(default=4, ge=4, le=graphs.MOST, description="fewest accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From the home to all between, and from them to the last."""
        members = on.placement.members
        position = graphs.positions(members)
        layer = np.where(position == members[:, None] - 1, 2, np.minimum(position, 1))
        return graphs.layered(np.where(position < 0, -1, layer))
