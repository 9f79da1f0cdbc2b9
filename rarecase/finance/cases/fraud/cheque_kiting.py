"""Cheque kiting: two accounts at two banks live on cheques that neither could pay, until one is not paid."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint, moment
from rarecase.finance.cases.fraud.accomplices import chosen, searched

_MOST, _FEWEST, _DRAWS = 12, 6, 4
#: Shares of customers who write cheques, by country (expert); they are common in the first two.
_WRITE, _ELSEWHERE = {"US": 1.0, "FR": 1.0, "GB": 0.6, "AU": 0.6}, 0.2


class ChequeKiting(BankCase):
    """Cheques to and fro between two banks, each larger than the last, each covering the last."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Cheque kiting"
    hint: ClassVar[str] = "Outside US, FR, GB and AU one customer in five qualifies: raise `size`."
    definition: ClassVar[str] = (
        "Two accounts at two banks of one place (four in five where cheques are written: US, FR, GB, AU, "
        "if the world has places there): a customer's current account and either the own second account or "
        "another customer's current account. 6 to 12 cheques are drawn on the one and deposited in the "
        "other in turn, one each business day (difficulty 0) to each third (1). The bank of the payee "
        "credits a cheque at once (payment_type cheque from its branch to the payee's account); the "
        "drawer's account pays the same amount to that branch (payment_type cheque) in the night after the "
        "day of the next deposit, which is made into the drawer's account and covers it: each deposit is "
        "10 to 35 % (0), 4 to 15 % (1) larger than the one before. What a deposit brings beyond the last "
        "one (of the first: all) leaves the account within a day (0; from 0.5 on three days) as cash or by "
        "transfer to the world outside or, from 0.5 on, a shop. The last cheque, larger than what both "
        "accounts held before the data, is not paid (declines, insufficient_funds), and both accounts are "
        "stopped: their deposits minus their collected cheques stay unpaid with the branch."
    )
    source: ClassVar[str] = (
        "FFIEC, BSA/AML Examination Manual (red flags: kiting); FinCEN, SAR form, item check fraud"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "transactions.payment_type",
            "transactions.amount_minor",
            "transactions.credited_minor",
            "entries.payment_type",
            "entries.amount_minor",
            "declines",
        }
    )

    kind: Literal["cheque_kiting"] = "cheque_kiting"
    excess: float = Field(
        default=1.7,
        gt=1.0,
        le=20,
        description="last cheque beside what both accounts held, in the mean; expert",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Kites among customers."""
        return Natural(
            2e-5,
            "entity-year",
            "expert",
            "one in 50,000 customers a year: no published count; suspicious activity reports in the United "
            "States name check fraud hundreds of thousands of times a year and kiting in a small part of "
            "them (from general knowledge)",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Who lives where cheques are written, and some others, where there is somebody else."""
        known = data.countries().country
        share = np.array([_WRITE.get(name, _ELSEWHERE) for name in known])
        share = share[ground.country(spec, entities // spec.block)]
        writes = keyed_uniform(spec.seed, "writes-cheques", entities) < share
        return np.asarray(writes & (spec.size > 1), np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Whoever has a second account at another bank needs nobody else."""
        return np.where(self._alone(spec, homes), 1, 2).astype(np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Somebody of the same place with another bank."""
        if int(members.max()) < 2:
            return None
        own = ground.slots(spec.block)

        def neighbour(position: int, attempt: int, rows: Int64) -> Int64:
            u = ground.uniforms(spec, self.label, f"who-{attempt}", homes[rows], 1)[:, 0]
            found = ground.someone(spec, homes[rows] // spec.block, u)
            other = terms.bank(spec, own.customer(found)) != terms.bank(spec, own.customer(homes[rows]))
            return np.where(other, found, -1)

        others = np.full((homes.size, 1), -1, np.int64)
        return searched(spec, homes, chosen(homes, members, taken, others, neighbour), members, taken)

    def span_s(self, spec: Spec) -> int:
        """All rounds with their weekends."""
        return min(int(_MOST * (1.5 + 1.6 * self.difficulty) + 5) * DAY_S, spec.days * DAY_S // 2)

    def draw(self, on: Canvas) -> Footprint:
        """Deposits, collections, what is taken out, and the end."""
        cap = max(int(on.spec.days / 2 / (1.5 + 1.6 * self.difficulty)) - 2, 2)
        number = on.whole("number", min(_FEWEST, cap), min(_MOST, cap))
        accounts = self._accounts(on)
        days = self._days(on)
        amount = self._amounts(on, accounts, number)
        turn = np.arange(_MOST) % 2
        drawer, payee = accounts[:, turn], accounts[:, 1 - turn]
        branch = on.at(on.part_of(payee), "branches", terms.bank(on.spec, payee.ravel()).reshape(payee.shape))
        used = np.arange(_MOST) < number[:, None]
        at = (
            days[:, :_MOST] * DAY_S + 9 * HOUR_S + (7 * HOUR_S * on.u("deposit-hour", _MOST)).astype(np.int64)
        )
        told = on.pay(on.every[:, None], at, amount, branch, payee, "cheque_deposit", "deposit", where=used)
        due = days[:, 1:] * DAY_S + 6 * HOUR_S + (2 * HOUR_S * on.u("collect-hour", _MOST)).astype(np.int64)
        last = np.arange(_MOST) == number[:, None] - 1
        on.pay(
            on.every[:, None],
            due,
            amount,
            drawer,
            branch,
            "cheque",
            "repayment",
            where=used & ~last & (told >= 0),
        )
        on.pay(
            on.every[:, None], due, amount, drawer, branch, "cheque", "no_funds",
            declined="insufficient_funds", where=last & (told >= 0),
        )  # fmt: skip
        end = moment(np.where(last, due, 0).max(axis=1) + 3 * HOUR_S, on.horizon)
        out = self._taken_out(on, at, amount, payee, told >= 0, end)
        for column in range(2):
            on.stop(on.every, accounts[:, column], end, np.full(on.n, on.horizon), "account")
        lost = np.where(last & (told >= 0), amount, 0).max(axis=1)
        back = self._taken_back(on, end, out, amount, payee, branch, last)
        return on.footprint(
            detected=end, loss=lost, recovered=np.minimum(back, lost), borne_by="bank",
            cheques=(told >= 0).sum(axis=1), first_cheque=amount[:, 0], last_cheque=lost,
            own=self._alone(on.spec, on.homes).astype(np.int64),
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        whose = "a customer's own two accounts" if facts["own"] else "the accounts of two customers"
        end = (
            ""
            if facts["detected"] == NEVER
            else f"; on {said(spec, facts['detected'])} the last one was not paid"
        )
        return (
            f"From {said(spec, facts['started'])} on, {facts['cheques']} cheques went to and fro between "
            f"{whose} at two banks and grew from {money(facts['first_cheque'], currency)} to "
            f"{money(facts['last_cheque'], currency)}{end}."
        )

    def _alone(self, spec: Spec, homes: Int64) -> NDArray[np.bool_]:
        own = ground.slots(spec.block)
        sleeps = ground.second_account(spec, homes) == ground.SLEEPING
        two = terms.bank(spec, own.customer(homes)) != terms.bank(spec, own.customer(homes, "second"))
        return np.asarray(sleeps & two, np.bool_)

    def _accounts(self, on: Canvas) -> Int64:
        own = on.account(on.homes)
        if on.placement.entities.shape[1] < 2:
            return np.stack([own, on.account(on.homes, "second")], axis=1)
        other = on.members(1)
        theirs = np.where(other >= 0, on.account(np.maximum(other, 0)), on.account(on.homes, "second"))
        return np.stack([own, theirs], axis=1)

    def _days(self, on: Canvas) -> Int64:
        """Business days of deposits and of the last collection, shape (n, 13); its length past the data."""
        open_ = ground.calendar(on.spec.start, on.spec.days).business
        following = np.append(np.where(open_, np.arange(on.spec.days), on.spec.days), [on.spec.days] * 2)
        following = np.minimum.accumulate(following[::-1])[::-1]
        step = 1 + (on.u("gap", _MOST) * (1 + 2 * self.difficulty)).astype(np.int64)
        found = np.empty((on.n, _MOST + 1), np.int64)
        found[:, 0] = following[np.minimum(on.onset // DAY_S + 1, on.spec.days)]
        for column in range(_MOST):
            found[:, column + 1] = following[np.minimum(found[:, column] + step[:, column], on.spec.days)]
        return found

    def _amounts(self, on: Canvas, accounts: Int64, number: Int64) -> Int64:
        """Cheques that grow to more than both accounts held, shape (n, 12)."""
        held = ground.opening_minor(on.spec, on.homes)
        if on.placement.entities.shape[1] > 1:
            other = on.members(1)
            held = held + np.where(other >= 0, ground.opening_minor(on.spec, np.maximum(other, 0)), 0)
        most = np.maximum(held, 100_000) * (1.05 + (self.excess - 1.05) * 2 * on.one("excess"))
        low, span = on.between(0.12, 0.05), on.between(0.22, 0.09)
        growth = 1 + low + span * on.u("growth", _MOST)
        growth[:, 0] = 1.0
        step = np.where(on.one("whole") < 1 - 0.95 * on.ordinary, 100, 1)[:, None]
        rises = np.cumprod(growth, axis=1)
        top = rises[on.every, np.maximum(number - 1, 0)]
        return np.asarray(most[:, None] * rises / top[:, None] // step * step, np.int64)

    def _taken_out(
        self, on: Canvas, at: Int64, amount: Int64, payee: Int64, real: NDArray[np.bool_], end: Int64
    ) -> Int64:
        """What each deposit brings more leaves as cash or by transfer; what left, shape of `at`."""
        gain = np.diff(amount, axis=1, prepend=0)
        goal = np.asarray(gain * (0.93 + 0.06 * on.u("gain", _MOST)), np.int64)
        sums = terms.notes(
            on.spec, on.homes[:, None], np.broadcast_to(ground.ATM_MINOR, (on.n, ground.ATM_MINOR.size))
        )
        cash = real & (on.u("gain-cash", _MOST) < 0.5) & (goal <= 4 * sums[:, -1:]) & (goal >= sums[:, :1])
        left, out = np.where(cash, goal, 0), np.zeros_like(goal)
        part, since = on.part_of(payee), at + HOUR_S
        until = since + int((4 + 62 * on.ordinary) * HOUR_S)
        drawn = on.within(since, until, on.u("gain-drawn", _MOST), "cash")
        for draw in range(_DRAWS):
            fits = sums[:, None, :] <= left[:, :, None]
            note = np.where(fits, sums[:, None, :], 0).max(axis=2)
            begin = drawn + draw * (20 * MINUTE_S)
            when = begin + (10 * MINUTE_S * on.u(f"gain-{draw}", _MOST)).astype(np.int64)
            told = on.pay(
                on.every[:, None], when, note, payee, on.at(part, "cash"), "cash_out", "cash_out",
                where=real & (when < end[:, None]),
            )  # fmt: skip
            out += np.where(told >= 0, note, 0)
            left -= note
        codes = data.ways()
        goods = on.u("gain-goods", _MOST) < 1 - 0.9 * on.ordinary
        mobile, web = (
            np.where(goods, codes.code(f"goods_{name}"), codes.code(name)) for name in ("mobile", "web")
        )
        way = np.where(on.u("gain-way", _MOST) < 0.6, mobile, web)
        bought = on.u("gain-where", _MOST) < 0.6 * on.ordinary
        shop = (on.u("gain-shop", _MOST) * on.slots.merchants_n).astype(np.int64)
        when = on.within(since, until, on.u("gain-when", _MOST))
        told = on.pay(
            on.every[:, None],
            when,
            np.where(cash, 0, goal),
            payee,
            np.where(bought, on.at(part, "merchants", shop), on.at(part, "world")),
            way,
            "exit",
            where=real & (when < end[:, None]),
        )
        return out + np.where(told >= 0, np.where(cash, 0, goal), 0)

    def _taken_back(
        self, on: Canvas, end: Int64, out: Int64, amount: Int64, payee: Int64, branch: Int64,
        last: NDArray[np.bool_],
    ) -> Int64:  # fmt: skip
        """What is left of the last deposit goes back to the branch."""
        rest = np.where(last, np.diff(amount, axis=1, prepend=0) - out, 0).max(axis=1)
        column = np.argmax(last, axis=1)
        when = np.where(end == NEVER, on.horizon, np.minimum(end, on.horizon) + 20 * HOUR_S)
        told = on.pay(
            on.every, when, rest, payee[on.every, column], branch[on.every, column], "recall", "recall",
            tainted=0, where=rest >= 100,
        )  # fmt: skip
        return np.where(told >= 0, rest, 0)
