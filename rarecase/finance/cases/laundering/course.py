"""The money of a pattern on its way: cash that comes in, hops that carry it on, and what it is spent on.

A member pays on what reached it, less a fee that it keeps, after all of it has come. Amounts are those of the
payer's currency; what is credited elsewhere is exchanged at the rate of the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.canvas import HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.laundering import graphs, schemes

if TYPE_CHECKING:
    from rarecase.finance.cases.laundering.pattern import Pattern

#: Parts of the whole span: cash before the pattern, and what is bought after it, a sixth each.
_SIXTH = 6
_LEAST_GAP_S, _BOOKED_S = MINUTE_S, 70
#: Deposits of one who pays the first hops alone, and of each of several: at most, and without need.
_MOST_DEPOSITS, _MOST_DEPOSITS_EACH, _LIKED_DEPOSITS_EACH = 8, 3, 2
_MOST_SPENT = 3
#: Most that first hops may move, in limits on cash, where one member pays them and where several do.
_MOST_ALONE, _MOST_EACH = 4.0, 1.5
_LEAST_MINOR = 2_000.0


class Course:
    """The money of all cases on its way.

    Attributes
    ----------
    legs
        Who pays whom in which step.
    held
        What reached each member and was not yet paid on, minor units of the member's currency, shape (n, w).
    ready
        From when the member can pay it on, seconds, shape (n, w).
    sent
        What the first hops move, in the home's currency, shape (n,).
    """

    def __init__(self, kind: Pattern, on: Canvas, legs: graphs.Legs) -> None:
        self.kind, self.on, self.legs = kind, on, legs
        span = kind.spans(on.spec, on.homes)
        self.begin = on.onset + span // _SIXTH
        self.window = span - span // _SIXTH * 2
        self.until = self.begin + self.window
        self.end = on.onset + span
        self.people = np.maximum(on.placement.entities, 0)
        self.accounts = on.account(self.people)
        self.held = np.zeros(self.people.shape, np.int64)
        self.ready = np.broadcast_to(self.begin[:, None], self.people.shape).copy()
        self.wish = self._first_hops()
        self.sent = np.zeros(on.n, np.int64)
        self.edges = self._edges()
        shape = legs.step.shape[1]
        self.way_u, self.time_u = on.u("hop-way", shape), on.u("hop-time", shape)
        self.weight = np.exp((0.35 + 0.8 * on.ordinary) * np.clip(on.normal("hop-part", shape), -2, 2))
        self.fee_u, self.liked_u = on.u("hop-fee", self.people.shape[1] * 2), on.u("hop-liked", shape)

    def place(self) -> None:
        """Cash for all that is paid in step 0, and something that stays."""
        on, first = self.on, self.legs.step == 0
        need = self._gathered(first, self.legs.payer, self.wish)
        most = np.where(self._alone(need), _MOST_DEPOSITS, _MOST_DEPOSITS_EACH)
        liked = np.where(self._alone(need), _MOST_DEPOSITS, _LIKED_DEPOSITS_EACH)
        usual = 1.5 * ground.CASH_IN_MEDIAN_MINOR * on.scale * np.exp(0.8 * on.normal("usual-cash")[:, 0])
        own = (
            ground.CASH_IN_MEDIAN_MINOR
            * on.scale[:, None]
            * np.exp(1.1 * on.normal("own-cash", need.shape[1]))
        )
        for position in np.flatnonzero((need > 0).any(axis=0)).tolist():
            account = self.accounts[:, position]
            name, place = f"cash-{position}", on.part_of(account)
            # At difficulty 0 only the fee stays; later people pay in as much as others do, and keep some.
            stays = self.kind.fee * (0.5 + on.one(f"{name}-stays"))
            stays += 0.35 * on.ordinary * on.one(f"{name}-own")
            total = need[:, position] / (1 - np.minimum(stays, 0.9))
            total = np.maximum(total, np.where(total > 0, on.ordinary * own[:, position], 0)).astype(np.int64)
            ceiling = schemes.limit_minor(on.spec, place) * 85 // 100
            wanted = np.minimum(np.round(on.ordinary * need[:, position] / usual), liked).astype(np.int64)
            number = np.clip(np.maximum(wanted, -(-total * 10 // (ceiling * 9))), 1, most)
            parts = schemes.parts(
                on, name, total, number, _MOST_DEPOSITS, most=ceiling, sd=0.3 + 0.7 * on.ordinary
            )
            notes = -(-parts // schemes.CASH_STEP_MINOR) * schemes.CASH_STEP_MINOR
            second = schemes.moments(on, name, on.onset, self.begin - 10 * MINUTE_S, number, _MOST_DEPOSITS)
            paid = schemes.paid_in(on, name, second, notes, account[:, None], place[:, None])
            self.held[:, position] += paid.total
            self.ready[:, position] = np.maximum(self.begin, paid.last(on.onset) + _BOOKED_S)

    def move(self, step: int) -> None:
        """All hops of a step."""
        on, columns = self.on, self.legs.columns(step)
        there = self.legs.step[:, columns] == step
        payer = np.maximum(self.legs.payer[:, columns], 0)
        payee = np.maximum(self.legs.payee[:, columns], 0)
        second = self._moments(step, columns, payer)
        amount = np.where(there, self._amounts(step, columns, there, payer), 0)
        source, target = self._of(self.accounts, payer), self._of(self.accounts, payee)
        way, wired = self._ways(columns)
        home_again = np.asarray((step + 1 == self.legs.steps) & (not self.kind.spends), np.bool_)
        told = np.full(amount.shape, -1, np.int64)
        for stage in ("layering", "integration"):
            of_stage = there & (home_again if stage == "integration" else ~home_again)[:, None]
            row = on.pay(
                on.every[:, None], second, amount, source, target, way, "hop", stage=stage, where=of_stage
            )
            told = np.maximum(told, row)
        came = np.where(told >= 0, schemes.received(on, second, amount, source, target), 0)
        if step == 0:
            home = np.broadcast_to(self.accounts[:, :1], amount.shape)
            paid = np.where(told >= 0, amount, 0)
            self.sent += np.where(told >= 0, schemes.received(on, second, paid, source, home), 0).sum(axis=1)
        case = np.broadcast_to(on.every[:, None], payer.shape)
        self.held[case[there], payer[there]] = 0
        np.add.at(self.held, (case[there], payee[there]), came[there])
        booked = second + np.where(wired, schemes.WIRE_S, _BOOKED_S)
        np.maximum.at(self.ready, (case[there], payee[there]), booked[there])

    def arrived(self) -> Int64:
        """What is held at the end, in the home's currency."""
        on = self.on
        home = np.broadcast_to(self.accounts[:, :1], self.accounts.shape)
        moment = np.minimum(self.ready, on.horizon - 1)
        worth = schemes.received(on, moment, self.held, self.accounts, home)
        return np.asarray(np.where(self.held > 0, worth, 0).sum(axis=1), np.int64)

    def spend(self) -> None:
        """Goods, cash from machines, or a wire abroad for most of what each of the last members holds."""
        most = np.where(self._alone(self.held), _MOST_SPENT, 1)
        for position in np.flatnonzero((self.held > 0).any(axis=0)).tolist():
            self._spend_at(position, most)

    def _spend_at(self, position: int, most: Int64) -> None:
        on, name, ways, width = self.on, f"spent-{position}", data.ways(), _MOST_SPENT
        account, held = self.accounts[:, position], self.held[:, position]
        place = on.part_of(account)
        total = np.asarray(held * (0.5 + 0.45 * on.one(f"{name}-share")), np.int64)
        number = 1 + np.asarray(on.one(f"{name}-number") * most, np.int64)
        amount = schemes.parts(on, name, total, number, width)
        since = self.ready[:, position]
        until = np.maximum(self.end, since + 6 * HOUR_S)
        u = np.where(np.arange(width) < number[:, None], on.u(f"{name}-time", width), 1.0)
        second = on.ascending(on.within(since, until, np.sort(u, axis=1)), 3 * MINUTE_S)
        second = np.where(self.ready[:, position, None] >= on.horizon, on.horizon, second)
        kind, wire = on.u(f"{name}-kind", width), 0.15 * (1 - on.ordinary)
        does = (on.one(f"{name}-done") < on.between(1.0, 0.6))[:, None] & (amount > 0)
        # Notes as others draw them come from an account that has more than those.
        cash = (kind < 0.4) & (amount >= 20_000 * ground.price_scale(on.spec, place)[:, None])
        abroad = kind > 1 - wire
        every = on.every[:, None]
        goods = does & ~cash & ~abroad
        # People also pay craftsmen, travel and the like, outside the banks of this world.
        outside = on.u(f"{name}-outside", width) < 0.7 * on.ordinary
        shop = (on.one(f"{name}-shop") * on.slots.merchants_n).astype(np.int64)
        seller = np.where(outside, on.at(place, "world")[:, None], on.at(place, "merchants", shop)[:, None])
        mobile = on.u(f"{name}-way", width) < 0.7
        way = np.where(
            outside,
            np.where(mobile, ways.code("mobile"), ways.code("web")),
            np.where(mobile, ways.code("goods_mobile"), ways.code("goods_web")),
        )
        on.pay(
            every, second, schemes.liked(on, name, amount), account[:, None], seller, way, "purchase",
            stage="integration", where=goods,
        )  # fmt: skip
        notes = np.minimum(ground.cash_minor(on.u(f"{name}-notes", width)), amount // 1_000 * 1_000)
        on.pay(
            every, second, notes, account[:, None], on.at(place, "cash")[:, None], "cash_out", "cash_out",
            stage="integration", where=does & cash,
        )  # fmt: skip
        on.pay(
            every, second, amount, account[:, None], on.at(place, "abroad")[:, None], "wire_web", "exit",
            stage="integration", where=does & abroad,
        )  # fmt: skip

    def _first_hops(self) -> Int64:
        """Wished amounts of the legs of step 0: from much to what people of such incomes send each other.

        Sums that could not be paid in below the limit are made smaller.
        """
        on, legs = self.on, self.legs
        usual, spread = ground.TRANSFER_MEDIAN_MINOR / 100, 0.5 + 0.65 * on.ordinary
        much = self.kind.amount * np.exp(-0.125)
        median = usual * (much / usual) ** ((1 - on.difficulty) ** 2)
        # Fees make the money of a path less at each hop; its hops on average are as large as others.
        median *= (1 - self.kind.fee) ** (-0.5 * self.legs.steps[:, None] * self.kind.is_path)
        payer = self._of(self.people, np.maximum(legs.payer, 0))
        income = ground.income_minor(on.spec, self.people.ravel()).reshape(self.people.shape)
        scale = ground.scale_of(on.spec, payer)
        shape = legs.step.shape[1]
        wish = ground.stolen_minor(
            on.u("hop-size", shape), on.u("hop-round", shape),
            self._of(income, np.maximum(legs.payer, 0)), median * np.exp(spread**2 / 2), spread, scale,
        )  # fmt: skip
        wish = np.where(legs.step == 0, np.maximum(wish, (_LEAST_MINOR * scale).astype(np.int64)), 0)
        need = self._gathered(legs.step == 0, legs.payer, wish)
        limits = np.where(self._alone(need), _MOST_ALONE, _MOST_EACH)[:, None]
        most = schemes.limit_minor(on.spec, on.part(payer)) * limits
        together = self._of(need, np.maximum(legs.payer, 0))
        return np.asarray(wish * np.minimum(1.0, most / np.maximum(together, 1)), np.int64)

    def _alone(self, amounts: Int64) -> NDArray[np.bool_]:
        """Cases in which one member alone has something, shape (n,)."""
        return np.asarray((amounts > 0).sum(axis=1) == 1, np.bool_)

    def _amounts(self, step: int, columns: slice, there: NDArray[np.bool_], payer: Int64) -> Int64:
        """What each leg of a step moves: as wished in step 0, then the payer's money less its fee."""
        if step == 0:
            return self.wish[:, columns]
        weight = np.where(there, self.weight[:, columns], 0.0)
        together = np.zeros(self.held.shape)
        case = np.broadcast_to(self.on.every[:, None], payer.shape)
        np.add.at(together, (case[there], payer[there]), weight[there])
        # A member whom the money meets again keeps another share.
        kept = self.kind.fee * (0.5 + self._of(self.fee_u, payer * 2 + step % 2))
        whole = self._of(self.held, payer) * (1 - np.minimum(kept, 0.9))
        amount = np.asarray(whole * weight / np.maximum(self._of(together, payer), 1e-300), np.int64)
        step_minor = schemes.LIKED_STEP_MINOR
        round_ = (self.liked_u[:, columns] < schemes.LIKED_SHARE * self.on.ordinary) & (
            amount >= 8 * step_minor
        )
        return np.where(round_, amount // step_minor * step_minor, amount)

    def _moments(self, step: int, columns: slice, payer: Int64) -> Int64:
        """When each leg of a step is ordered: after all that its payer got, and within the step's time."""
        on, ready = self.on, self._of(self.ready, payer)
        low = np.maximum(ready, self.edges[:, step, None])
        if self.kind.is_path:
            return np.asarray(low, np.int64)
        high = np.maximum(self.edges[:, step + 1, None], low + 15 * MINUTE_S)
        second = on.paced(low, high, self.time_u[:, columns])
        return np.where(low >= on.horizon, on.horizon, second).astype(np.int64)

    def _edges(self) -> Int64:
        """When the time of each step begins, or for a path the moment of its hop; a row per case."""
        on, steps = self.on, self.legs.steps
        width = int(steps.max(initial=0))
        if not self.kind.is_path:
            share = np.minimum(np.arange(width + 1) / np.maximum(steps, 1)[:, None], 1.0)
            return np.asarray(self.begin[:, None] + share * self.window[:, None], np.int64)
        # Columns beyond the last step must not take the late moments of the window.
        u = np.where(np.arange(width) < steps[:, None], on.u("step-time", width), 1.0)
        return on.ascending(on.paced(self.begin, self.until, np.sort(u, axis=1)), _LEAST_GAP_S)

    def _ways(self, columns: slice) -> tuple[Int64, NDArray[np.bool_]]:
        """Mobile or web, and wires where there is time for them and few would wonder."""
        ways, u = data.ways(), self.way_u[:, columns]
        room = (self.window >= 6 * HOUR_S * self.legs.steps)[:, None]
        wired = (u > 1 - 0.1 * (1 - self.on.ordinary)) & room
        way = np.where(wired, ways.code("wire_web"), np.where(u < 0.7, ways.code("mobile"), ways.code("web")))
        return np.asarray(way, np.int64), wired

    def _gathered(self, there: NDArray[np.bool_], member: Int64, amount: Int64) -> Int64:
        """Sums of legs by member, shape (n, w)."""
        total = np.zeros(self.people.shape, np.int64)
        case = np.broadcast_to(self.on.every[:, None], member.shape)
        np.add.at(total, (case[there], member[there]), amount[there])
        return total

    def _of(self, values: Any, member: Int64) -> Any:
        """The value of each leg's member, shape of `member`."""
        return np.take_along_axis(values, member, axis=1)
