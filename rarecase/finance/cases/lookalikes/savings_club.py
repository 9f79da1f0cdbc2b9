"""Savings club, a look-alike: each member gets the pot once (ROSCA)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike, orders


class SavingsClub(Lookalike):
    """Fan-in that rotates: a fixed group, equal shares, and every member receives once."""

    title: ClassVar[str] = "Rotating savings club"
    definition: ClassVar[str] = (
        "A fixed group of 5 to 12 people of one place meets once a round: all but one each send the same "
        "share by transfer to that one, within a day (difficulty 0) to four days (1); in every round "
        "another member receives, until each has received once. Rounds are 5 to 30 days apart, as far as "
        "the data allow."
    )
    source: ClassVar[str] = "Rotating savings and credit associations: Besley, Coate, Loury 1993, AER 83:792"
    share: ClassVar[float] = 0.003
    rate_source: ClassVar[str] = "own choice: three persons in a thousand are in such a club"
    pays_acquaintances: ClassVar[bool] = True
    members_live: ClassVar[str] = "here"

    kind: Literal["savings_club"] = "savings_club"
    fewest: int = Field(default=5, ge=3, le=12, description="fewest members")
    most: int = Field(default=12, ge=3, le=12, description="most members")

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Who is in the club."""
        span = max(self.most - self.fewest, 0) + 1
        return self.fewest + keyed_integers(spec.seed, ("case", self.label, "members"), homes, span)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """The first days of the data: a whole rotation is to fit."""
        room = max(spec.horizon_us // 20, 1)
        return keyed_integers(spec.seed, ("onset", self.label), homes, room)

    def draw(self, on: Canvas) -> Footprint:
        """Every round's shares."""
        club, members = on.placement.entities, on.placement.members
        width = club.shape[1]
        room = on.horizon - on.onset - 5 * DAY_S
        apart = np.minimum(room // np.maximum(members, 1), (5 + 25 * on.one("apart")) * DAY_S)
        apart = np.maximum(apart.astype(np.int64), HOUR_S)
        share = np.rint(12_000 * on.scale * np.exp(0.7 * on.normal("share")[:, 0]) / 1_000) * 1_000
        share = np.maximum(share, 1_000).astype(np.int64)
        spread = np.minimum((1 + 3 * self.difficulty) * DAY_S, 0.8 * apart)
        way = orders(on, "way", width)
        for turn in range(width):
            begin = on.onset + turn * apart
            second = on.within(begin, begin + spread.astype(np.int64), on.u(f"when-{turn}", width))
            pays = (club >= 0) & (np.arange(width) != turn) & (turn < members)[:, None]
            on.pay(
                on.every[:, None],
                second,
                share[:, None],
                on.account(np.maximum(club, 0)),
                on.account(np.maximum(club[:, turn], 0))[:, None],
                way,
                "share",
                where=pays,
            )
        return on.footprint(members=members, share=share, days_apart=apart // DAY_S)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, {facts['members']} friends put "
            f"{money(facts['share'], facts['currency'])} each into a pot every {facts['days_apart']} days, "
            "and each of them got it once: a savings club."
        )
