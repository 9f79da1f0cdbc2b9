"""Laundering random walk: money that wanders among accounts and never returns to where it began."""

from __future__ import annotations

from typing import ClassVar, Literal

from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.laundering import graphs
from rarecase.finance.cases.laundering.pattern import MOVED, PLACED, SIZED, SPENT, TwoPlaces


class LaunderingRandomWalk(TwoPlaces):
    """Money handed from one to another, now and then to somebody who had it before."""

    title: ClassVar[str] = "Laundering random walk"
    definition: ClassVar[str] = (
        "3 to 18 accounts hand the money on from one to the next, starting at the home, each hop strictly "
        "later than the one before; every account has it at least once, up to half of them once more, and it "
        "never returns to the home. "
        f"{PLACED}{MOVED}{SIZED}{SPENT}"
    )
    instances: ClassVar[int] = 278
    payments: ClassVar[float] = 11.5
    is_path: ClassVar[bool] = True
    how: ClassVar[str] = "on a walk among {members} accounts"

    kind: Literal["laundering_random_walk"] = "laundering_random_walk"

    def legs(self, on: Canvas) -> graphs.Legs:
        """From each holder to the next one."""
        members = on.placement.members
        steps = int(members.max(initial=2)) * 3 // 2
        return graphs.chain(graphs.wander(members, on.u("detour", steps), on.u("to-whom", steps)))
