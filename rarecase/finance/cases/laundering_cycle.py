"""Laundering cycle: cash is paid in, goes round a ring of accounts, and comes back a little smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.special import ndtri

from rarecase.common.case import Natural
from rarecase.common.seeds import Float64, Int64, keyed_integers, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.footprint import (
    ROLES,
    STAGES,
    CaseFacts,
    CaseRows,
    case_rows,
    join,
    moment,
    never,
)

if TYPE_CHECKING:
    from rarecase.common.plan import Placement
    from rarecase.common.spec import Spec

_LEAST_GAP_S = 60


class LaunderingCycle(BankCase):
    """Money that walks in a ring: A pays B, B pays C, and the last pays A, each later and a fee less."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Laundering cycle"
    definition: ClassVar[str] = (
        "Cash is paid into one account; then 3 to 8 accounts A → B → … → A pay each other in turn, each "
        "payment "
        "strictly later than the one before and equal to it times (1 − fee), within 2 days (difficulty "
        "0) to 21 "
        "days (difficulty 1)."
    )
    source: ClassVar[str] = "Altman and others 2023, AMLworld, arXiv 2306.16424 (pattern: cycle)"

    kind: Literal["laundering_cycle"] = "laundering_cycle"
    smallest: int = Field(default=3, ge=3, le=12, description="fewest accounts in a ring")
    largest: int = Field(default=8, ge=3, le=12, description="most accounts in a ring")
    fee: float = Field(default=0.03, gt=0, lt=0.5, description="mean share that each member keeps")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError("smallest at most as large as largest")
        return self

    def natural(self, spec: Spec) -> Natural | None:
        """Laundering motifs per payment, as an order of magnitude."""
        return Natural(
            855 / 180e6,
            "transaction",
            "expert",
            "Starnini and others 2021, §3.5: 855 motifs of fewer than 20 accounts in 180 million "
            "payments of an "
            "Italian bank; those were scatter and gather motifs, carried over to cycles as an order of "
            "magnitude",
        )

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Accounts in each ring."""
        span = self.largest - self.smallest + 1
        return self.smallest + keyed_integers(spec.seed, ("case", self.label, "members"), homes, span)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """Uniform over the days that leave room for the whole round."""
        room = spec.horizon_us - (self._span_s(spec) + 3_600) * ground.SECOND_US
        return (keyed_uniform(spec.seed, ("onset", self.label), homes) * max(room, 1)).astype(np.int64)

    def footprint(self, spec: Spec, placement: Placement) -> tuple[CaseRows, CaseFacts]:
        """The cash and every hop of every ring."""
        homes, n = placement.homes, len(placement)
        widest = placement.entities.shape[1]
        seconds = self._moments(spec, placement, widest + 1)
        hops = self._amounts(spec, homes, widest)
        slots = ground.slots(spec.block)
        home_part = homes // spec.block
        cash = case_rows(
            case=np.arange(n),
            row=0,
            home=homes,
            second=seconds[:, 0],
            amount=-(-hops[:, 0] // 1_000) * 1_000,
            payer=home_part * slots.width + slots.first("cash"),
            payee=slots.customer(homes),
            way=data.ways().code("cash_in"),
            new_device=0,
            role=ROLES.index("placement"),
            stage=STAGES.index("placement"),
        )
        return _joined(cash, self._hops(spec, placement, seconds, hops)), self._facts(
            spec, placement, seconds, hops
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"Cash was paid in at {said(spec, facts['started'])}; {money(facts['first_hop'])} then went "
            f"round "
            f"{facts['members']} accounts and came back as {money(facts['last_hop'])} at "
            f"{said(spec, facts['ended'])}."
        )

    def _hops(self, spec: Spec, placement: Placement, seconds: Int64, amounts: Int64) -> CaseRows:
        case, hop = np.nonzero(placement.entities >= 0)
        last = hop + 1 == placement.members[case]
        slots, ways = ground.slots(spec.block), data.ways()
        payee = placement.entities[
            case, np.where(last, 0, np.minimum(hop + 1, placement.entities.shape[1] - 1))
        ]
        mobile = self._u(spec, "way", placement.homes, placement.entities.shape[1])[case, hop] < 0.7
        return case_rows(
            case=case,
            row=hop + 1,
            home=placement.homes[case],
            second=seconds[case, hop + 1],
            amount=amounts[case, hop],
            payer=slots.customer(placement.entities[case, hop]),
            payee=slots.customer(payee),
            way=np.where(mobile, ways.code("mobile"), ways.code("web")),
            new_device=0,
            role=ROLES.index("hop"),
            stage=np.where(last, STAGES.index("integration"), STAGES.index("layering")),
        )

    def _amounts(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """Minor units of each hop, shape (n, widest): each the one before times (1 − fee)."""
        u = self._u(spec, "size", homes, 2)
        shift = 2.6 * (1 - self.difficulty) ** 1.8
        income = ground.income_minor(spec, homes)
        amounts = np.empty((homes.size, widest), np.int64)
        amounts[:, 0] = np.maximum(ground.transfer_minor(u[:, 0], u[:, 1], income, shift=shift), 2_000)
        kept = self.fee * (0.5 + self._u(spec, "fee", homes, widest))
        for hop in range(1, widest):
            amounts[:, hop] = np.rint(amounts[:, hop - 1] * (1 - kept[:, hop])).astype(np.int64)
        return amounts

    def _moments(self, spec: Spec, placement: Placement, width: int) -> Int64:
        """Seconds of cash and hops, shape (n, width), strictly ascending, at hours when people pay."""
        onset = placement.onset_us // ground.SECOND_US
        u = self._u(spec, "time", placement.homes, width)
        # Columns beyond a ring's last hop must not take the late moments of the window.
        u[np.arange(width) > placement.members[:, None]] = 1.0
        u = np.sort(u, axis=1)
        clock = ground.clock(spec.start, spec.days, "person")
        low = clock.share(onset * ground.SECOND_US)
        high = clock.share((onset + self._span_s(spec)) * ground.SECOND_US)
        shares = np.clip(low[:, None] + u * (high - low)[:, None], 0.0, 1 - 1e-12)
        seconds = (clock.at(shares.ravel()) // ground.SECOND_US).reshape(u.shape)
        steps = np.arange(width) * _LEAST_GAP_S
        return np.asarray(np.maximum.accumulate(seconds - steps, axis=1) + steps, np.int64)

    def _facts(self, spec: Spec, placement: Placement, seconds: Int64, hops: Int64) -> CaseFacts:
        n, members = len(placement), placement.members
        rows = np.arange(n)
        ended = seconds[rows, members]
        u = np.clip(self._u(spec, "alert", placement.homes, 2), 1e-9, 1 - 1e-9)
        found = ended + (20 * ground.DAY_S * np.exp(0.8 * ndtri(u[:, 0]))).astype(np.int64)
        found = np.where(u[:, 1] < 0.3, moment(found, spec.days * ground.DAY_S), NEVER)
        return CaseFacts(
            started=seconds[:, 0],
            ended=ended,
            reported=never(n),
            detected=found,
            blocked_from=never(n),
            blocked_to=never(n),
            device_seen=never(n),
            details={"members": members, "first_hop": hops[:, 0], "last_hop": hops[rows, members - 1]},
        )

    def _span_s(self, spec: Spec) -> int:
        """Length of a round: two days when easy, three weeks when hard, at most half the data."""
        return int(min(2 * 10.5**self.difficulty * ground.DAY_S, spec.days * ground.DAY_S / 2))

    def _u(self, spec: Spec, what: str, homes: Int64, width: int) -> Float64:
        return ground.uniforms(spec, self.label, what, homes, width)


def _joined(cash: CaseRows, hops: CaseRows) -> CaseRows:
    both = join([cash, hops])
    return both.take(np.lexsort((both.row, both.case)))
