"""What every case kind of the bank's world says of itself."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rarecase.common.case import Case
from rarecase.common.members import among, united
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance.cases import ground
from rarecase.finance.cases.canvas import Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.schema import CURRENCIES

if TYPE_CHECKING:
    from rarecase.common.plan import Placement
    from rarecase.common.spec import Spec

#: How often a walk leaves the home's place at a step, and comes back: some three steps in ten cross a border.
_LEAVES, _RETURNS = 0.25, 0.5


class BankCase(Case):
    """A case of the bank's world: all that it does is known in the plan."""

    compared_within: ClassVar[dict[str, str]] = {
        "transactions": "payment_type",
        "entries": "payment_type",
        "declines": "payment_type",
    }
    #: Where members live: "walk" (each deals with the one before, and the last with the home), "home" (each
    #: where the home's payees live), "together" (all at one place that deals with the home's, or at it).
    members_live: ClassVar[str] = "home"
    #: Whether members live where ordinary payees do at any difficulty.
    always_local: ClassVar[bool] = False
    #: Whether those who are paid are as old acquaintances of the payers as other payees; else they are new.
    pays_acquaintances: ClassVar[bool] = False
    #: How many people are asked for each place among the members.
    attempts: ClassVar[int] = 8

    def footprint(self, spec: Spec, placement: Placement) -> Footprint:
        """All that every case of this entry does, from stateless draws alone."""
        on = Canvas(self, spec, placement)
        # A natural rate may place no case at all: then nothing is done.
        return self.draw(on) if on.n else on.footprint()

    @abstractmethod
    def draw(self, on: Canvas) -> Footprint:
        """Put the payments, stops, devices and dates of all cases of the entry down."""

    @abstractmethod
    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """One plain sentence from the facts of one case: the details, started, ended, reported, detected,
        loss, and `currency` of the home."""

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """From difficulty 0.5 on all members, below it those of a share of cases, live where ordinary payees
        do; the others anywhere."""
        widest = int(members.max())
        if widest < 2:
            return None
        u = ground.uniforms(spec, self.label, "local", homes, 1)[:, 0]
        local = u < (1.0 if self.always_local else ground.ordinary_share(self.difficulty))
        away = self._distances(spec, homes, widest)
        held, others = united(taken, homes), np.full((homes.size, widest - 1), -1, np.int64)
        for position, attempt in itertools.product(range(widest - 1), range(self.attempts)):
            open_ = np.flatnonzero(local & (position + 1 < members) & (others[:, position] < 0))
            if open_.size == 0:
                continue
            u = ground.uniforms(spec, self.label, f"who-{position}-{attempt}", homes[open_], 1)[:, 0]
            part = (homes[open_] // spec.block + away[open_, position]) % spec.parts
            person = ground.someone(spec, part, u)
            first = np.zeros(open_.size, np.bool_)
            first[np.unique(person, return_index=True)[1]] = True
            free = first & ~among(person, held) & self.joins(spec, person)
            others[open_[free], position] = person[free]
            held = united(held, person[free])
        return others

    def joins(self, spec: Spec, people: Int64) -> NDArray[np.bool_]:
        """Who may be a member beside the home, shape (n,), from stateless attributes alone."""
        return np.ones(people.shape, np.bool_)

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """How many places on the ring each further member lives from the home, shape (n, widest − 1)."""
        steps = ground.steps(spec.parts)
        away = np.zeros((homes.size, widest - 1), np.int64)
        if steps.size == 0:
            return away
        u = ground.uniforms(spec, self.label, "leave", homes, widest)
        v = ground.uniforms(spec, self.label, "where", homes, widest)
        step = steps[np.minimum((v * steps.size).astype(np.int64), steps.size - 1)]
        if self.members_live == "together":
            one = np.where(u[:, :1] < 0.3, step[:, :1], 0)
            return np.broadcast_to(one, away.shape).copy()
        if self.members_live == "home":
            return np.asarray(np.where(u < 0.3, step, 0)[:, : widest - 1], np.int64)
        there = np.zeros(homes.size, np.int64)
        for position in range(widest - 1):
            leaves, returns = u[:, position] < _LEAVES, u[:, position] < _RETURNS
            moved = np.where(leaves, step[:, position], 0)
            there = np.where(there == 0, moved, np.where(returns, 0, there))
            away[:, position] = there
        return away

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """Uniform over the days that leave room for `span_s` seconds, microseconds after the start."""
        room = max(spec.horizon_us - self.span_s(spec) * ground.SECOND_US, ground.SECOND_US)
        return (keyed_uniform(spec.seed, ("onset", self.label), homes) * room).astype(np.int64)

    def span_s(self, spec: Spec) -> int:
        """How many seconds a case needs until its last payment; at most half the data."""
        return min(3 * ground.DAY_S, spec.days * ground.DAY_S // 2)


def said(spec: Spec, second: int) -> str:
    """A moment for people."""
    when = datetime(spec.start.year, spec.start.month, spec.start.day) + timedelta(seconds=int(second))
    return f"{when:%Y-%m-%d %H:%M}"


def money(minor: int, currency: int | None = None) -> str:
    """An amount for people, with the code of its currency where it is given (a position in CURRENCIES)."""
    told = f"{int(minor) // 100:,}.{int(minor) % 100:02d}"
    return told if currency is None else f"{told} {CURRENCIES[currency]}"
