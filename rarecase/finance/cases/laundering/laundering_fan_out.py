"""Laundering fan-out: cash that one account spreads over many others."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, Pattern


class LaunderingFanOut(Pattern):
    """Cash comes to one account, and parts of it go to many others."""

    title: ClassVar[str] = "Laundering fan-out"
    definition: ClassVar[str] = (
        "One account (the home, 1 + k accounts in all, 4 to 18) pays k = 3 to 17 different others once each; "
        "the receivers pay nobody in the pattern. "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 277
    payments: ClassVar[float] = 16.5
    how: ClassVar[str] = "from one account to several others"

    kind: Literal["laundering_fan_out"] = "laundering_fan_out"
    smallest: int = Field(default=4, ge=4, le=graphs.MOST, description="fewest accounts in a pattern")

    def legs(self, on: Canvas) -> graphs.Legs:
        """From the home to everybody else."""
        position = graphs.positions(on.placement.members)
        return graphs.layered(np.minimum(position, 1))
