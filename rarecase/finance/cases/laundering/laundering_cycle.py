"""Laundering cycle: cash is paid in, goes round a ring of accounts, and comes back a little smaller."""

from __future__ import annotations

import itertools
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
_MOST_DEPOSITS = 6
#: How often a ring leaves the home's place at a hop, and comes back: some three hops in ten cross a border.
_LEAVES, _RETURNS = 0.25, 0.5
_ATTEMPTS = 8


class LaunderingCycle(BankCase):
    """Money that walks in a ring: A pays B, B pays C, and the last pays A, each later and a fee less."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Laundering cycle"
    definition: ClassVar[str] = (
        "Cash is paid into one account, at once (difficulty 0) or in up to six deposits (1); then 3 to 8 "
        "accounts A → B → … → A pay each other in turn, each payment strictly later than the one before and "
        "equal to it times (1 − fee), within 2 days (0) to 21 days (1)."
    )
    source: ClassVar[str] = "Altman and others 2023, AMLworld, arXiv 2306.16424 (pattern: cycle)"

    kind: Literal["laundering_cycle"] = "laundering_cycle"
    smallest: int = Field(default=3, ge=3, le=12, description="fewest accounts in a ring")
    largest: int = Field(default=8, ge=3, le=12, description="most accounts in a ring")
    amount: float = Field(
        default=1_000.0,
        gt=20,
        le=1e6,
        description="mean first hop in units of the currency; published: 1,715 EUR per transfer to a mule "
        "(EMMA 5)",
    )
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
            "Altman and others 2023 (arXiv 2306.16424), §3.5, citing Starnini and others 2021: 855 motifs of "
            "fewer than 20 accounts in 180 million payments of an Italian bank; those were scatter and "
            "gather motifs, carried over to cycles as an order of magnitude",
            counts="cases",
        )

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Accounts in each ring."""
        span = self.largest - self.smallest + 1
        return self.smallest + keyed_integers(spec.seed, ("case", self.label, "members"), homes, span)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """Uniform over the days that leave room for the whole round."""
        room = spec.horizon_us - (self._span_s(spec) + 3_600) * ground.SECOND_US
        return (keyed_uniform(spec.seed, ("onset", self.label), homes) * max(room, 1)).astype(np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """From difficulty 0.5 on all rings, below it a share of them, run where ordinary payments go.

        Such a ring leaves the home's place for a place that deals with it and comes back, so that every hop,
        the closing one too, covers a distance that ordinary payments cover, and seven in ten cover none.
        """
        widest = int(members.max())
        local = self._u(spec, "local", homes, 1)[:, 0] < ground.ordinary_share(self.difficulty)
        away = self._excursions(spec, homes, widest)
        held, others = np.union1d(taken, homes), np.full((homes.size, widest - 1), -1, np.int64)
        for position, attempt in itertools.product(range(widest - 1), range(_ATTEMPTS)):
            open_ = np.flatnonzero(local & (position + 1 < members) & (others[:, position] < 0))
            if open_.size == 0:
                continue
            u = self._u(spec, f"who-{position}-{attempt}", homes[open_], 1)[:, 0]
            part = (homes[open_] // spec.block + away[open_, position]) % spec.parts
            person = ground.someone(spec, part, u)
            first = np.zeros(open_.size, np.bool_)
            first[np.unique(person, return_index=True)[1]] = True
            free = first & ~np.isin(person, held)
            others[open_[free], position] = person[free]
            held = np.union1d(held, person[free])
        return others

    def footprint(self, spec: Spec, placement: Placement) -> tuple[CaseRows, CaseFacts]:
        """The cash and every hop of every ring."""
        homes = placement.homes
        onset = placement.onset_us // ground.SECOND_US
        hops = self._amounts(spec, homes, placement.entities.shape[1])
        cash = self._cash(spec, homes, onset, hops[:, 0])
        seconds = self._moments(spec, placement, onset + self._span_s(spec) // 4)
        rows = _joined(cash, self._hops(spec, placement, seconds, hops))
        return rows, self._facts(spec, placement, rows, hops)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"Cash was paid in from {said(spec, facts['started'])} on; {money(facts['first_hop'])} then went "
            f"round {facts['members']} accounts and came back as {money(facts['last_hop'])} at "
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
            row=_MOST_DEPOSITS + hop,
            home=placement.homes[case],
            second=seconds[case, hop],
            amount=amounts[case, hop],
            payer=slots.customer(placement.entities[case, hop]),
            payee=slots.customer(payee),
            way=np.where(mobile, ways.code("mobile"), ways.code("web")),
            new_device=0,
            role=ROLES.index("hop"),
            stage=np.where(last, STAGES.index("integration"), STAGES.index("layering")),
        )

    def _excursions(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """How many places on the ring each further member lives from the home, shape (n, widest − 1)."""
        steps = ground.steps(spec.parts)
        away = np.zeros((homes.size, widest - 1), np.int64)
        if steps.size == 0:
            return away
        u, v = self._u(spec, "leave", homes, widest), self._u(spec, "where", homes, widest)
        there = np.zeros(homes.size, np.int64)
        for position in range(widest - 1):
            step = steps[np.minimum((v[:, position] * steps.size).astype(np.int64), steps.size - 1)]
            leaves, returns = u[:, position] < _LEAVES, u[:, position] < _RETURNS
            there = np.where(there == 0, np.where(leaves, step, 0), np.where(returns, 0, there))
            away[:, position] = there
        return away

    def _cash(self, spec: Spec, homes: Int64, onset: Int64, needed: Int64) -> CaseRows:
        """One deposit when easy; when hard as many as ordinary deposits need to add up to the first hop."""
        usual = ground.CASH_IN_MEDIAN_MINOR * np.exp(
            ndtri(0.02 + 0.96 * self._u(spec, "usual", homes, 1)[:, 0])
        )
        most = np.clip(np.round(self.difficulty * needed / usual), 1, _MOST_DEPOSITS).astype(np.int64)
        weight = 0.4 + self._u(spec, "deposit", homes, _MOST_DEPOSITS)
        weight = np.where(np.arange(_MOST_DEPOSITS) < most[:, None], weight, 0.0)
        paid = needed[:, None] * weight / weight.sum(axis=1, keepdims=True)
        clock = ground.clock(spec.start, spec.days, "cash")
        low = clock.share(onset * ground.SECOND_US)[:, None]
        high = clock.share((onset + self._span_s(spec) // 4) * ground.SECOND_US)[:, None]
        share = np.minimum(low + self._u(spec, "paid", homes, _MOST_DEPOSITS) * (high - low), 1 - 1e-12)
        second = (clock.at(share.ravel()) // ground.SECOND_US).reshape(share.shape)
        case, row = np.nonzero(weight > 0)
        slots = ground.slots(spec.block)
        return case_rows(
            case=case,
            row=row,
            home=homes[case],
            second=second[case, row],
            amount=-(-np.rint(paid[case, row]).astype(np.int64) // 1_000) * 1_000,
            payer=homes[case] // spec.block * slots.width + slots.first("cash"),
            payee=slots.customer(homes[case]),
            way=data.ways().code("cash_in"),
            new_device=0,
            role=ROLES.index("placement"),
            stage=STAGES.index("placement"),
        )

    def _amounts(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """Minor units of each hop, shape (n, widest): each the one before times (1 − fee)."""
        u = self._u(spec, "size", homes, 2)
        log_sd = 0.5 + 0.7 * ground.ordinary_share(self.difficulty)
        income = ground.income_minor(spec, homes)
        amounts = np.empty((homes.size, widest), np.int64)
        amounts[:, 0] = np.maximum(ground.stolen_minor(u[:, 0], u[:, 1], income, self.amount, log_sd), 2_000)
        kept = self.fee * (0.5 + self._u(spec, "fee", homes, widest))
        for hop in range(1, widest):
            amounts[:, hop] = np.rint(amounts[:, hop - 1] * (1 - kept[:, hop])).astype(np.int64)
        return amounts

    def _moments(self, spec: Spec, placement: Placement, since: Int64) -> Int64:
        """Seconds of each hop, shape (n, widest), strictly ascending, at hours when people pay."""
        width = placement.entities.shape[1]
        until = placement.onset_us // ground.SECOND_US + self._span_s(spec)
        u = self._u(spec, "time", placement.homes, width)
        # Columns beyond a ring's last hop must not take the late moments of the window.
        u[np.arange(width) >= placement.members[:, None]] = 1.0
        u = np.sort(u, axis=1)
        clock = ground.clock(spec.start, spec.days, "person")
        low = clock.share(since * ground.SECOND_US)
        high = clock.share(until * ground.SECOND_US)
        shares = np.clip(low[:, None] + u * (high - low)[:, None], 0.0, 1 - 1e-12)
        seconds = (clock.at(shares.ravel()) // ground.SECOND_US).reshape(u.shape)
        seconds = np.maximum(seconds, since[:, None])
        steps = np.arange(1, width + 1) * _LEAST_GAP_S
        return np.asarray(np.maximum.accumulate(seconds - steps, axis=1) + steps, np.int64)

    def _facts(self, spec: Spec, placement: Placement, rows: CaseRows, hops: Int64) -> CaseFacts:
        n, members = len(placement), placement.members
        started, ended = never(n), np.zeros(n, np.int64)
        np.minimum.at(started, rows.case, rows.second)
        np.maximum.at(ended, rows.case, rows.second)
        u = np.clip(self._u(spec, "alert", placement.homes, 2), 1e-9, 1 - 1e-9)
        found = ended + (20 * ground.DAY_S * np.exp(0.8 * ndtri(u[:, 0]))).astype(np.int64)
        found = np.where(u[:, 1] < 0.3, moment(found, spec.days * ground.DAY_S), NEVER)
        return CaseFacts(
            started=started,
            ended=ended,
            reported=never(n),
            detected=found,
            blocked_from=never(n),
            blocked_to=never(n),
            device_seen=never(n),
            details={
                "members": members,
                "first_hop": hops[:, 0],
                "last_hop": hops[np.arange(n), members - 1],
            },
        )

    def _span_s(self, spec: Spec) -> int:
        """Length of a round: two days when easy, three weeks when hard, at most half the data."""
        return int(min(2 * 10.5**self.difficulty * ground.DAY_S, spec.days * ground.DAY_S / 2))

    def _u(self, spec: Spec, what: str, homes: Int64, width: int) -> Float64:
        return ground.uniforms(spec, self.label, what, homes, width)


def _joined(cash: CaseRows, hops: CaseRows) -> CaseRows:
    both = join([cash, hops])
    return both.take(np.lexsort((both.row, both.case)))
