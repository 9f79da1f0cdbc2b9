"""Laundering gather-scatter: many pay one account, which then pays many others."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, Pattern


class LaunderingGatherScatter(Pattern):
    """Money is gathered on one account and scattered from it again."""

    title: ClassVar[str] = "Laundering gather-scatter"
    definition: ClassVar[str] = (
        "k = 2 to 11 sources pay one hub (the home) once each; after all of that was booked, the hub pays "
        "m = 2 to 11 other accounts once each (5 to 18 accounts in all, k about half of the others). "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 284
    payments: ClassVar[float] = 19.0
    how: ClassVar[str] = "through one account"

    kind: Literal["laundering_gather_scatter"] = "laundering_gather_scatter"
    smallest: int = Field(default=5, ge=5, le=graphs.MOST, description="fewest accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From the sources to the home, and from the home to the others."""
        members = on.placement.members
        position = graphs.positions(members)
        sources = np.clip(np.round((0.4 + 0.2 * on.one("sources")) * (members - 1)), 2, members - 3)
        after = np.where(position <= sources[:, None], 0, 2)
        return graphs.layered(np.where(position > 0, after, np.where(position == 0, 1, -1)))
