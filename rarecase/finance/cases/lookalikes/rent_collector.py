"""Rent collector, a look-alike: tenants pay one person, who pays the owner."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike, arrives, orders


class RentCollector(Lookalike):
    """Fan-in, then one payment out: equal rents each month, and the owner's share less a fee."""

    title: ClassVar[str] = "Rent collector"
    definition: ClassVar[str] = (
        "From a day of 1 to 5 of each month on, 4 to 12 tenants of a place, who pay no other rent, each pay "
        "one person by standing order with purpose RENT, every tenant the same amount on the same day of the "
        "month, all of them on two days in a row (difficulty 0) or five (1), or on the business day after; "
        "one to six days after the last of them that person sends the owner, an account of a landlord, 90 "
        "to 96 % of what came in by one transfer."
    )
    source: ClassVar[str] = "Rent collection as a benign fan-in; fee of property managers by own choice"
    share: ClassVar[float] = 0.004
    rate_source: ClassVar[str] = "own choice: one person in 2,500 collects rents from some nine others"
    pays_acquaintances: ClassVar[bool] = True
    members_live: ClassVar[str] = "here"
    attempts: ClassVar[int] = 24

    kind: Literal["rent_collector"] = "rent_collector"
    fewest: int = Field(default=4, ge=2, le=20, description="fewest tenants")
    most: int = Field(default=12, ge=2, le=20, description="most tenants")

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The collector and the tenants."""
        span = max(self.most - self.fewest, 0) + 1
        return 1 + self.fewest + keyed_integers(spec.seed, ("case", self.label, "tenants"), homes, span)

    def joins(self, spec: Spec, people: Int64) -> NDArray[np.bool_]:
        """Who pays no rent to a landlord already."""
        return np.asarray(terms.housing(spec, people) != terms.RENTS, np.bool_)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """The first day of the data: rents run on."""
        return np.zeros(homes.shape, np.int64)

    def draw(self, on: Canvas) -> Footprint:
        """Rents, and what the owner gets of them."""
        width = on.placement.entities.shape[1] - 1
        tenants = on.placement.entities[:, 1:]
        there = tenants >= 0
        due = on.whole("day", 1, 5)[:, None] + (on.u("due", width) * (2 + 3 * self.difficulty)).astype(
            np.int64
        )
        days = on.monthly(due.ravel(), "next").reshape(on.n, width, -1)
        # A rent takes as much of an income as elsewhere.
        income = ground.income_minor(on.spec, np.maximum(tenants, 0).ravel())
        size = 0.29 * income.reshape(tenants.shape) * np.exp(0.16 * on.normal("rent", width))
        rent = np.maximum(np.rint(size / 500).astype(np.int64) * 500, 500)
        fee, landlord = 0.04 + 0.06 * on.one("fee"), on.one("landlord")
        owner = on.at(on.part(on.homes), "landlords", (landlord * on.slots.landlords_n).astype(np.int64))
        collected = np.zeros(on.n, np.int64)
        for month in range(days.shape[2]):
            night = ground.batch().at(on.u(f"night-{month}", width).ravel()).reshape(on.n, width)
            second = days[:, :, month] * DAY_S + night // ground.SECOND_US
            row = on.pay(
                on.every[:, None], second, rent, on.account(np.maximum(tenants, 0)),
                on.account(on.homes)[:, None], "rent", "rent", where=there & (days[:, :, month] >= 0),
            )  # fmt: skip
            got = arrives(on, second, rent, np.maximum(tenants, 0), on.homes[:, None])
            came = np.where(row >= 0, got, 0).sum(axis=1)
            last = np.where(row >= 0, second, 0).max(axis=1, initial=0)
            when = on.within(last + DAY_S, last + 6 * DAY_S, on.one(f"payout-{month}"), "office")
            whole = (row >= 0).sum(axis=1) == there.sum(axis=1)
            on.pay(
                on.every, np.where(whole & (last + 6 * DAY_S < on.horizon), when, on.horizon),
                np.rint(came * (1 - fee)).astype(np.int64), on.account(on.homes), owner,
                orders(on, "way", 1)[:, 0], "payout",
            )  # fmt: skip
            collected = np.maximum(collected, came)
        return on.footprint(tenants=there.sum(axis=1), rents=collected)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, {facts['tenants']} tenants paid "
            f"{money(facts['rents'], facts['currency'])} a month to one person, who sent the owner what was "
            "left after a fee: ordinary rents."
        )
