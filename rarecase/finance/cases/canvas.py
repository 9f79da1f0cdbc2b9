"""On which a kind of case draws what its cases do: all of an entry at once, in whole columns.

Everything is drawn from stateless uniforms named by the entry and the home, so that any part reads the same
footprint. Rows are numbered in the order in which they are put down.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.seeds import Float64, Int64
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import (
    EDITS,
    ROLES,
    STAGES,
    STOPS,
    USUAL,
    CaseFacts,
    CaseRows,
    Devices,
    Edits,
    Footprint,
    Networks,
    NewCards,
    Stops,
    moment,
    never,
)
from rarecase.finance.schema import BEARERS, DECLINE_REASONS, NETWORKS, PAYEE_CHECKS, THREE_DS

if TYPE_CHECKING:
    from rarecase.common.plan import Placement
    from rarecase.common.spec import Spec
    from rarecase.finance.cases.base import BankCase

MINUTE_S, HOUR_S = 60, 3_600
DAY_S = ground.DAY_S


class Canvas:
    """The footprint of one entry while it is drawn.

    Parameters
    ----------
    kind
        The entry.
    spec, placement
        The world, and where the cases of the entry stand.

    Attributes
    ----------
    n, homes, onset
        How many cases; first entity of each (global ordinal); begin in seconds after the start.
    horizon
        Seconds of the data.
    difficulty, ordinary
        Of the entry; `ordinary` is the share of payees who live where ordinary payees do.
    slots
        Where the accounts of a place stand.
    """

    def __init__(self, kind: BankCase, spec: Spec, placement: Placement) -> None:
        self.kind, self.spec, self.placement = kind, spec, placement
        self.n, self.homes = len(placement), placement.homes
        self.onset = placement.onset_us // ground.SECOND_US
        self.horizon = spec.days * DAY_S
        self.difficulty = kind.difficulty
        self.ordinary = ground.ordinary_share(kind.difficulty)
        self.slots = ground.slots(spec.block)
        self.every = np.arange(self.n)
        self._rows: list[CaseRows] = []
        self._stops: list[Stops] = []
        self._devices: list[Devices] = []
        self._networks: list[Networks] = []
        self._edits: list[Edits] = []
        self._new_cards: list[NewCards] = []

    # Chance

    def u(self, what: str, width: int = 1) -> Float64:
        """Uniforms named `what`, shape (n, width); the same name gives the same numbers."""
        return ground.uniforms(self.spec, self.kind.label, what, self.homes, width)

    def one(self, what: str) -> Float64:
        """A uniform per case, shape (n,)."""
        return self.u(what)[:, 0]

    def normal(self, what: str, width: int = 1) -> Float64:
        """Standard normals, shape (n, width)."""
        return np.asarray(ndtri(np.clip(self.u(what, width), 1e-9, 1 - 1e-9)), np.float64)

    def whole(self, what: str, low: int, high: int) -> Int64:
        """Whole numbers from low to high, both included, shape (n,)."""
        return low + np.minimum((self.one(what) * (high - low + 1)).astype(np.int64), high - low)

    def lognormal(self, what: str, median: Float64 | float, log_sd: float, width: int = 1) -> Float64:
        """Positive numbers, shape (n, width); a median of shape (n,) or (n, 1) is spread over the columns."""
        mid = np.asarray(median, np.float64)
        mid = mid[:, None] if mid.ndim == 1 else mid
        return np.asarray(mid * np.exp(log_sd * self.normal(what, width)), np.float64)

    def between(self, easy: float, hard: float) -> float:
        """A setting that moves geometrically from easy (difficulty 0) to hard (1); both above zero."""
        return float(easy * (hard / easy) ** self.difficulty)

    # Who and where

    @property
    def incomes(self) -> Int64:
        """Monthly income of each home, minor units."""
        return ground.income_minor(self.spec, self.homes)

    @property
    def scale(self) -> Float64:
        """Prices where each home lives, beside those of Germany in euros."""
        return ground.scale_of(self.spec, self.homes)

    @property
    def bears(self) -> Int64:
        """What each home's current account was planned to bear: nine tenths of balance and overdraft."""
        held = ground.opening_minor(self.spec, self.homes) + ground.overdraft_minor(self.spec, self.homes)
        return np.asarray(np.maximum(held * 9 // 10, 0), np.int64)

    def part(self, customers: Int64) -> Int64:
        """The place of each customer."""
        part: Int64 = np.asarray(customers, np.int64) // self.spec.block
        return part

    def account(self, customers: Int64, kind: str = "current") -> Int64:
        """Addresses of customers' accounts of a kind: current, savings, card, loan, second."""
        return self.slots.customer(customers, kind)

    def at(self, part: Int64, name: str, number: Int64 | int = 0) -> Int64:
        """Addresses in a range of places: merchants, shells, branches, cash, world, abroad, crypto …"""
        return np.asarray(part * self.slots.width + self.slots.first(name) + number, np.int64)

    def part_of(self, address: Int64) -> Int64:
        """The place of each account."""
        part: Int64 = np.asarray(address, np.int64) // self.slots.width
        return part

    def members(self, position: int) -> Int64:
        """Global ordinals of the members at a position (0 is the home), -1 where a case has fewer."""
        column: Int64 = self.placement.entities[:, position]
        return column

    # When

    def within(self, since: Int64, until: Int64, u: Float64, rhythm: str | None = "person") -> Int64:
        """Moments in [since, until): uniform, or at the pace of a rhythm of `data.rhythms` (None: uniform).

        `since` and `until` have shape (n,) or that of `u`; outside the data, moments are cut to it.
        """
        low, high = np.broadcast_arrays(_like(since, u), _like(until, u))
        low, high = np.clip(low, 0, self.horizon - 1), np.clip(high, 0, self.horizon - 1)
        if rhythm is None:
            return np.asarray(low + u * np.maximum(high - low, 0), np.int64)
        clock = ground.clock(self.spec.start, self.spec.days, rhythm)
        begin = clock.share(np.ascontiguousarray(low).ravel() * ground.SECOND_US).reshape(low.shape)
        end = clock.share(np.ascontiguousarray(high).ravel() * ground.SECOND_US).reshape(high.shape)
        share = np.clip(begin + u * np.maximum(end - begin, 0), 0, 1 - 1e-12)
        found = clock.at(share.ravel()).reshape(share.shape) // ground.SECOND_US
        return np.asarray(np.clip(found, low, np.maximum(high, low)), np.int64)

    def paced(self, since: Int64, until: Int64, u: Float64, rhythm: str = "person") -> Int64:
        """Moments as `within`, at ordinary hours for a share `difficulty` of the cases, else at any hour."""
        plain, awake = self.within(since, until, u, None), self.within(since, until, u, rhythm)
        hours = self.one("ordinary-hours") < self.difficulty
        return np.where(_like(hours, u), awake, plain)

    def workday(self, seconds: Int64) -> Int64:
        """Moments moved to the next business day, at the same hour; those past the data stay there."""
        calendar = ground.calendar(self.spec.start, self.spec.days)
        day, hour = np.divmod(np.clip(seconds, 0, self.horizon), DAY_S)
        moved = calendar.business_day(day, "next") * DAY_S + hour
        return np.where((seconds < 0) | (seconds >= self.horizon), seconds, moved)

    def ascending(self, seconds: Int64, least_gap_s: int = MINUTE_S) -> Int64:
        """The columns of each row sorted and pushed apart to at least a gap, shape kept."""
        steps = np.arange(seconds.shape[1]) * least_gap_s
        return np.asarray(np.maximum.accumulate(np.sort(seconds, axis=1) - steps, axis=1) + steps, np.int64)

    def monthly(self, day_of_month: Int64, move: str = "next") -> Int64:
        """Days after the start of a day of each month, shape (n, months), -1 outside the data."""
        days: Int64 = ground.calendar(self.spec.start, self.spec.days).monthly(day_of_month, move)  # type: ignore[arg-type]
        return days

    # Amounts

    def stolen(self, what: str, mean: float, width: int = 1, log_sd: float | None = None) -> Int64:
        """Sums that cases move, shape (n, width): mean in euros at the usual income, spread as difficulty
        asks (0.5 easy, 1.2 from 0.5 on) unless told, in steps that people like in 45 of 100."""
        spread = 0.5 + 0.7 * self.ordinary if log_sd is None else log_sd
        return ground.stolen_minor(
            self.u(what, width),
            self.u(f"{what}-round", width),
            self.incomes[:, None],
            mean,
            spread,
            self.scale[:, None],
        )

    def usual(self, what: str, width: int = 1) -> Int64:
        """Sums as ordinary people of the homes' incomes send each other, shape (n, width)."""
        return ground.transfer_minor(
            self.u(what, width), self.u(f"{what}-round", width), self.incomes[:, None], self.scale[:, None]
        )

    # Putting down

    def pay(
        self,
        case: Int64,
        second: Int64,
        amount: Int64,
        payer: Int64,
        payee: Int64,
        way: str | Int64,
        role: str,
        *,
        stage: str | None = None,
        tainted: Int64 | int | None = None,
        device: Int64 | int = 0,
        ip: Int64 | int = 0,
        declined: str | Int64 | None = None,
        payee_check: str | Int64 | None = None,
        three_ds: str | Int64 | None = None,
        refers: Int64 | int = USUAL,
        where: NDArray[np.bool_] | None = None,
    ) -> Int64:
        """Put payments down, one per element; all arguments broadcast to the shape of `second`.

        Parameters
        ----------
        case
            Positions of the cases (`every` for one payment each; `every[:, None]` for a column per payment).
        second, amount, payer, payee
            As in `CaseRows`. Payments outside the data, of no amount or from an account to itself are left
            out, and what people send of less than a unit of their money, as nobody does.
        way
            Name of a way in data/ways.csv, or codes.
        role, stage
            Words of ROLES and STAGES.
        tainted
            Minor units of proceeds; by default all of a case's payment, and nothing for a look-alike.
        device, ip
            0 for the payer's own, n for the n-th that the case brings (`device()`, `network()`).
        declined, payee_check, three_ds
            Words (`schema.DECLINE_REASONS` …) or positions; None means booked, or as for everybody.
        refers
            Row numbers of this case's earlier payments, as this method returned them.
        where
            Puts down only these elements.

        Returns
        -------
        int64
            Row number within its case of each element, -1 where nothing was put down; shape of `second`.
        """
        shape = np.broadcast_shapes(np.shape(case), np.shape(second), np.shape(amount))
        wide = np.broadcast_to(np.asarray(case, np.int64), shape).ravel()
        code = data.ways().code(way) if isinstance(way, str) else way
        taint = (amount if self.kind.is_case else USUAL) if tainted is None else tainted
        columns: dict[str, Int64 | int] = {
            "second": second,
            "amount": amount,
            "payer": payer,
            "payee": payee,
            "way": code,
            "device": device,
            "ip": ip,
            "declined": _position(declined, DECLINE_REASONS),
            "payee_check": _position(payee_check, PAYEE_CHECKS),
            "three_ds": _position(three_ds, THREE_DS),
            "refers": refers,
            "tainted": taint,
        }
        flat = {
            name: np.broadcast_to(np.asarray(value, np.int64), shape).ravel()
            for name, value in columns.items()
        }
        kept = (flat["second"] >= 0) & (flat["second"] < self.horizon) & (flat["amount"] > 0)
        kept &= flat["payer"] != flat["payee"]
        kept &= (flat["amount"] >= 100) | ~_sent()[flat["way"]]
        if where is not None:
            kept &= np.broadcast_to(where, shape).ravel()
        rows = np.flatnonzero(kept)
        number = self._numbers(wide[rows])
        told = np.full(wide.size, -1, np.int64)
        told[rows] = number
        if rows.size:
            self._rows.append(
                CaseRows.of(
                    case=wide[rows],
                    row=number,
                    home=self.homes[wide[rows]],
                    **{name: column[rows] for name, column in flat.items()},
                    role=ROLES.index(role),
                    stage=USUAL if stage is None else STAGES.index(stage),
                )
            )
        return told.reshape(shape)

    def stop(
        self,
        case: Int64,
        address: Int64,
        since: Int64,
        until: Int64,
        what: str = "card",
        where: NDArray[np.bool_] | None = None,
    ) -> None:
        """Stop card payments or all orders of an account, the wages that would reach it, or (away) its card
        payments in person; `since` NEVER stops nothing. At most one stop of a kind per account."""
        found = Stops.of(case=case, address=address, since=since, until=until, what=STOPS.index(what))
        kept = (found.since != NEVER) & (found.since < self.horizon) & (found.until > found.since)
        if where is not None:
            kept &= np.broadcast_to(where, np.shape(case)).ravel()
        self._stops.append(found.take(np.flatnonzero(kept)))

    def device(
        self,
        case: Int64,
        customer: Int64,
        seen: Int64,
        number: Int64 | int = 1,
        where: NDArray[np.bool_] | None = None,
    ) -> None:
        """The case's `number`-th device (from 1, below 64) signs in for a customer at a second of the data.

        It must be seen before the first order that it gives.
        """
        found = Devices.of(case=case, customer=customer, number=number, seen=np.maximum(seen, 0))
        self._devices.append(found if where is None else found.take(np.flatnonzero(where)))

    def network(
        self,
        case: Int64,
        kind: str = "hosting",
        number: Int64 | int = 1,
        where: NDArray[np.bool_] | None = None,
    ) -> None:
        """The case's `number`-th address of the internet (from 1, below 64)."""
        found = Networks.of(case=case, number=number, network=NETWORKS.index(kind))
        self._networks.append(found if where is None else found.take(np.flatnonzero(where)))

    def edit(
        self, case: Int64, customer: Int64, what: str, value: Int64, where: NDArray[np.bool_] | None = None
    ) -> None:
        """Change a customer's phone, email, street or card_limit, or open a second_account; see `Edits`."""
        found = Edits.of(case=case, customer=customer, what=EDITS.index(what), value=value)
        self._edits.append(found if where is None else found.take(np.flatnonzero(where)))

    def new_card(
        self, case: Int64, customer: Int64, since: Int64, where: NDArray[np.bool_] | None = None
    ) -> None:
        """A customer's card is replaced; the new one works from `since` on (NEVER: not within the data)."""
        found = NewCards.of(case=case, customer=customer, since=since)
        kept = found.since < self.horizon
        if where is not None:
            kept &= where
        self._new_cards.append(found.take(np.flatnonzero(kept)))

    # What rows say

    def rows(self, *roles: str) -> CaseRows:
        """What was put down so far, of these roles or of all."""
        rows = CaseRows.join(self._rows)
        wanted = [ROLES.index(role) for role in roles]
        return rows.take(np.flatnonzero(np.isin(rows.role, wanted))) if roles else rows

    def total(self, *roles: str) -> Int64:
        """Sum of the booked payments of these roles per case, minor units, shape (n,)."""
        rows = self.rows(*roles)
        booked = rows.declined == USUAL
        return np.bincount(rows.case[booked], rows.amount[booked], self.n).astype(np.int64)

    def number(self, *roles: str) -> Int64:
        """How many payments of these roles each case booked, shape (n,)."""
        rows = self.rows(*roles)
        return np.bincount(rows.case[rows.declined == USUAL], minlength=self.n)

    def first(self, *roles: str) -> Int64:
        """Second of the first row of these roles per case, NEVER where there is none."""
        rows, found = self.rows(*roles), never(self.n)
        np.minimum.at(found, rows.case, rows.second)
        return found

    def last(self, *roles: str) -> Int64:
        """Second of the last row of these roles per case, -1 where there is none."""
        rows, found = self.rows(*roles), np.full(self.n, -1, np.int64)
        np.maximum.at(found, rows.case, rows.second)
        return found

    def drop_after(self, until: Int64, *roles: str) -> None:
        """Take back rows of these roles (all, if none is named) at or after a second of their case.

        What refers to a dropped row refers to nothing.
        """
        wanted = [ROLES.index(role) for role in roles]
        for position, rows in enumerate(self._rows):
            late = rows.second >= until[rows.case]
            if roles:
                late &= np.isin(rows.role, wanted)
            self._rows[position] = rows.take(np.flatnonzero(~late))

    def noticed(
        self, since: Int64, *, told: float, hours: float, found: float = 0.0, found_hours: float = 12.0
    ) -> tuple[Int64, Int64]:
        """When somebody tells the bank, and when the bank knows: `reported` and `detected`, shape (n,).

        Parameters
        ----------
        since
            From when it can be noticed.
        told, hours
            Share that is told, and the median of the time until then (lognormal, log sd 1.2).
        found, found_hours
            Share that the bank finds by itself, and the median of the time until then.
        """
        u, late = self.u("noticed", 2), np.exp(1.2 * self.normal("notice-time", 2))
        base = np.where(since == NEVER, self.horizon, np.maximum(since, 0))
        report = np.where(u[:, 0] < told, base + (hours * HOUR_S * late[:, 0]).astype(np.int64), self.horizon)
        own = np.where(
            u[:, 1] < found, base + (found_hours * HOUR_S * late[:, 1]).astype(np.int64), self.horizon
        )
        seen = np.minimum(own, np.where(report < self.horizon, report + 2 * HOUR_S, self.horizon))
        return moment(report, self.horizon), moment(seen, self.horizon)

    def reimburse(
        self, lost: Int64, known: Int64, share: float, victims: Int64 | None = None, days: float = 8.0
    ) -> Int64:
        """The victim's bank pays back `lost` minor units for a share of the cases some days after `known`.

        Books the payment (role reimbursement) and returns what was paid per case, shape (n,).
        """
        who = self.homes if victims is None else victims
        wait = (days * DAY_S * np.exp(0.5 * self.normal("reimbursed-time")[:, 0])).astype(np.int64)
        paid = (self.one("reimbursed") < share) & (known != NEVER) & (lost > 0)
        when = np.where(paid, np.minimum(known, self.horizon) + wait, self.horizon)
        bank = (self.one("reimbursing-bank") * self.slots.banks_n).astype(np.int64)
        told = self.pay(
            self.every, when, lost, self.at(self.part(who), "branches", bank), self.account(who),
            "reimbursement", "reimbursement", tainted=0, where=paid,
        )  # fmt: skip
        return np.where(told >= 0, lost, 0)

    def footprint(
        self,
        *,
        reported: Int64 | None = None,
        detected: Int64 | None = None,
        loss: Int64 | None = None,
        recovered: Int64 | None = None,
        reimbursed: Int64 | None = None,
        borne_by: str | Int64 | None = None,
        started: Int64 | None = None,
        ended: Int64 | None = None,
        **details: Int64,
    ) -> Footprint:
        """The finished footprint; begin and end are those of the rows unless told.

        Every case must have put down at least one row, stop, device or edit. `borne_by` None is derived:
        the bank where it reimbursed, else the customer, nobody where nothing was lost.
        """
        rows = self.rows()
        # Cases in order, each with its rows in the order put down.
        rows = rows.take(np.argsort(rows.case, kind="stable"))
        begun = self.first() if started is None else started
        begun = np.where(begun == NEVER, np.minimum(self.onset, self.horizon - 1), begun)
        done = np.maximum(self.last() if ended is None else ended, begun)
        stops = Stops.join(self._stops)
        until = np.minimum(stops.until, self.horizon - 1)
        np.maximum.at(done, stops.case, until)
        nothing = np.full(self.n, USUAL)
        lost = nothing if loss is None else loss
        back = nothing if loss is None else np.zeros(self.n, np.int64) if recovered is None else recovered
        paid = nothing if loss is None else np.zeros(self.n, np.int64) if reimbursed is None else reimbursed
        if borne_by is None:
            bearer = np.where(paid > 0, BEARERS.index("bank"), BEARERS.index("customer"))
        else:
            bearer = np.broadcast_to(_position(borne_by, BEARERS), (self.n,))
        facts = CaseFacts(
            started=begun,
            ended=done,
            reported=never(self.n) if reported is None else reported,
            detected=never(self.n) if detected is None else detected,
            loss=lost,
            recovered=back,
            reimbursed=paid,
            borne_by=np.where(lost > 0, bearer, USUAL).astype(np.int64),
            details=details,
        )
        return Footprint(
            rows=rows,
            stops=stops,
            devices=Devices.join(self._devices),
            networks=Networks.join(self._networks),
            edits=Edits.join(self._edits),
            new_cards=NewCards.join(self._new_cards),
            facts=facts,
        )

    def _numbers(self, case: Int64) -> Int64:
        """The next row numbers of cases, in order."""
        if not hasattr(self, "_count"):
            self._count = np.zeros(self.n, np.int64)
        order = np.argsort(case, kind="stable")
        ranked = case[order]
        start = np.searchsorted(ranked, ranked)
        number = np.empty(case.size, np.int64)
        number[order] = self._count[ranked] + np.arange(case.size) - start
        self._count += np.bincount(case, minlength=self.n)
        return number


def _like(values: Int64 | NDArray[np.bool_], u: Float64) -> NDArray[np.generic]:
    wide = np.asarray(values)
    return wide[:, None] if wide.ndim == 1 and u.ndim == 2 else wide


@lru_cache(maxsize=1)
def _sent() -> NDArray[np.bool_]:
    """Ways by which somebody sends a sum of the own choice."""
    kinds = np.array(data.ways().columns["payment_type"])
    return np.isin(kinds, ("transfer", "wire", "business", "cash_deposit", "cash_withdrawal"))


def _position(value: str | Int64 | None, words: tuple[str, ...]) -> Int64 | int:
    if value is None:
        return USUAL
    return words.index(value) if isinstance(value, str) else value
