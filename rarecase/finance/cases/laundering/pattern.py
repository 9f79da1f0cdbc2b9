"""What the eight patterns of the graph have in common: cash comes in, hops carry it on, and it is spent.

A kind says who pays whom in which step (`graphs.Legs`). `course.Course` gives
each leg its amount, its moment and its way.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import graphs, schemes
from rarecase.finance.cases.laundering.course import Course

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

#: Table 7 of AMLworld: instances of all eight patterns in LI-Large.
_INSTANCES = 277 + 279 + 298 + 277 + 259 + 278 + 276 + 284

#: What the definitions of all eight kinds say alike.
PLACED = (
    "Each account that pays first has cash paid in where its holder lives (cash_deposit), before its "
    "first hop and each time below the limit T on cash of that place (10,000 EUR, USD or AUD, 9,000 GBP, "
    "250,000 CZK): at difficulty 0 as few deposits as T allows, of which its first hops move 94 to 98.5 % "
    "in all; at 1 up to 8 (3 where several accounts pay first), as large as other deposits of cash, of "
    "which its first hops move at most 98.5 %. "
)
MOVED = (
    "Hops are transfers (at 0 one in ten a wire) between current accounts of customers. Who pays on does "
    "so after all hops to it were booked, and pays on in all what they credited less a fee of 1.5 to 4.5 "
    "% (from 0.5 on 45 % of the amounts from 40.00 up are cut to whole 5.00, so that less is paid on). "
    "All hops lie within 2 days (0) to 21 days (1), at most a third of the data; all cash comes within the "
    "half day (0) to 5 days (1) before these days. "
)
SIZED = (
    "First hops (in a path, hops on average) have a mean of 1,700 EUR at the usual income at 0 (log sd "
    "0.5); at 1 they are as people's other transfers (median 90 EUR, log sd 1.15). "
)
SPENT = (
    "Who holds the money at the end spends 50 to 95 % of it in half a day (0) to 5 days (1), at 0 "
    "everybody, at 1 six in ten: goods by transfer to a shop of the place (from 0.5 on seven in ten of "
    "these to the world outside, as craftsmen and travel are paid), cash from a machine, or at 0 a wire "
    "abroad."
)


class Pattern(BankCase):
    """A pattern of payments through which proceeds are layered."""

    is_case: ClassVar[bool] = True
    source: ClassVar[str] = "Altman and others 2023, AMLworld, arXiv 2306.16424"
    #: Instances in Table 7 of AMLworld, LI-Large, and payments of an average case of this kind.
    instances: ClassVar[int]
    payments: ClassVar[float]
    #: One payment per step, at any moment of the window, and not a part of the window for each step.
    is_path: ClassVar[bool] = False
    #: What the last step brings is spent; a cycle has come home with it.
    spends: ClassVar[bool] = True
    how: ClassVar[str]

    smallest: int = Field(default=3, ge=3, le=graphs.MOST, description="fewest accounts in a pattern")
    largest: int = Field(default=graphs.MOST, ge=3, le=graphs.MOST, description="most accounts in a pattern")
    amount: float = Field(
        default=1_700.0,
        gt=20,
        le=1e6,
        description="mean first hop at difficulty 0 in euros at the usual income, moving to that of ordinary "
        "transfers at 1; published: 1,715 EUR per transfer to a mule (EMMA 5)",
    )
    fee: float = Field(default=0.03, gt=0, lt=0.5, description="mean share that each member keeps")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError("smallest at most as large as largest")
        return self

    @abstractmethod
    def legs(self, on: Canvas) -> graphs.Legs:
        """Who pays whom in which step."""

    def natural(self, spec: Spec) -> Natural | None:
        """Cases per payment, as an order of magnitude."""
        return Natural(
            (1 - schemes.OUTSIDE_PATTERNS)
            / schemes.PAYMENTS_PER_LAUNDERING
            / self.payments
            * self.instances
            / _INSTANCES,
            "transaction",
            "expert",
            "Altman and others 2023 (arXiv 2306.16424), §3.5, citing Starnini and others 2021: 855 motifs of "
            "fewer than 20 accounts in 180 million payments of an Italian bank, about one laundering payment "
            "in 21,000; Table 8 (simulated): 20 % of laundering in named patterns; Table 7 (simulated): "
            f"{self.instances} of {_INSTANCES} patterns are of this kind; {self.payments:g} payments a case "
            "are those made here",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are people enough."""
        return np.full(entities.shape, spec.size >= self.largest)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Accounts in each pattern."""
        u = keyed_uniform(spec.seed, ("case", self.label, "members"), homes)
        return graphs.sizes(u, self.smallest, self.largest)

    def span_s(self, spec: Spec) -> int:
        """Two days for the hops when easy, three weeks when hard, and half as long again for what is before
        and after; at most half the data."""
        return int(min(1.5 * 2 * 10.5**self.difficulty, spec.days / 2) * DAY_S)

    def spans(self, spec: Spec, homes: Int64) -> Int64:
        """Seconds that each case takes: all of `span_s` when easy, from 0.5 on a sixth of it to all.

        Long cases leave little room in the data; were all of them long, the date would tell.
        """
        u = keyed_uniform(spec.seed, ("case", self.label, "span"), homes)
        shorter = 0.84 * np.sqrt(u) * ground.ordinary_share(self.difficulty)
        return np.asarray((1 - shorter) * self.span_s(spec), np.int64)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """Uniform over the days that leave room for what each case takes, microseconds after the start."""
        room = np.maximum(spec.horizon_us - self.spans(spec, homes) * ground.SECOND_US, ground.SECOND_US)
        return (keyed_uniform(spec.seed, ("onset", self.label), homes) * room).astype(np.int64)

    def draw(self, on: Canvas) -> Footprint:
        """Cash, hops and what the money is spent on."""
        course = Course(self, on, self.legs(on))
        course.place()
        for step in range(int(course.legs.steps.max(initial=0))):
            course.move(step)
        arrived = course.arrived()
        if self.spends:
            course.spend()
        return on.footprint(
            detected=schemes.suspected(on),
            members=on.placement.members,
            deposits=on.number("placement"),
            hops=on.number("hop"),
            first_sum=course.sent,
            last_sum=arrived,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, cash was paid in by {facts['deposits']} "
            f"deposits; {money(facts['first_sum'], currency)} went {self.how.format(**facts)}, and "
            f"{money(facts['last_sum'], currency)} was left of it after {facts['hops']} hops."
        )


class TwoPlaces(Pattern):
    """A pattern whose members live at the home's place or, two in ten, at one that deals with it.

    So anybody may pay anybody, and three hops in ten cross a border, as many as ordinary payments.
    """

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        steps = ground.steps(spec.parts)
        if steps.size == 0:
            return np.zeros((homes.size, widest - 1), np.int64)
        u = ground.uniforms(spec, self.label, "away", homes, widest)
        step = steps[np.minimum((u[:, :1] * steps.size).astype(np.int64), steps.size - 1)]
        return np.asarray(np.where(u[:, 1:] < 0.2, step, 0), np.int64)
