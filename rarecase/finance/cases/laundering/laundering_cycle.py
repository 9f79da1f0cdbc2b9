"""Laundering cycle: cash is paid in, goes round a ring of accounts, and comes back a little smaller."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, Pattern


class LaunderingCycle(Pattern):
    """Money that walks in a ring: A pays B, B pays C, and the last pays A, each later and a fee less."""

    title: ClassVar[str] = "Laundering cycle"
    definition: ClassVar[str] = (
        "3 to 12 accounts A (the home), B, … pay each other in turn, A → B → … → A, each hop strictly later "
        "than the one before; the last hop closes the ring (stage integration). "
        f"{PLACED}{MOVED}{SIZED}"
    )
    instances: ClassVar[int] = 298
    payments: ClassVar[float] = 9.0
    is_path: ClassVar[bool] = True
    spends: ClassVar[bool] = False
    members_live: ClassVar[str] = "walk"
    how: ClassVar[str] = "round {members} accounts"

    kind: Literal["laundering_cycle"] = "laundering_cycle"
    largest: int = Field(default=12, ge=3, le=12, description="most accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From each to the next, and from the last to the home."""
        members = on.placement.members
        column = np.arange(int(members.max(initial=1)) + 1)
        order = np.where(column < members[:, None], column, np.where(column == members[:, None], 0, -1))
        return graphs.chain(order)
