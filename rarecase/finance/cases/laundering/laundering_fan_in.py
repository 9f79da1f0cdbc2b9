"""Laundering fan-in: cash that many accounts bring together on one."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, Pattern


class LaunderingFanIn(Pattern):
    """Cash comes to many accounts, and all of them pay one."""

    title: ClassVar[str] = "Laundering fan-in"
    definition: ClassVar[str] = (
        "k = 3 to 17 accounts pay one and the same other account (the home; 4 to 18 accounts in all) once "
        "each. "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 279
    payments: ClassVar[float] = 16.0
    how: ClassVar[str] = "from many accounts to one"

    kind: Literal["laundering_fan_in"] = "laundering_fan_in"
    smallest: int = Field(default=4, ge=4, le=graphs.MOST, description="fewest accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From everybody else to the home."""
        position = graphs.positions(on.placement.members)
        return graphs.layered(np.where(position > 0, 0, np.where(position == 0, 1, -1)))
