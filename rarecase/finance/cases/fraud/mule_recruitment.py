"""Mule recruitment: somebody young or in debt lends an account, and strangers' money passes through it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.accomplices import WithAccomplices
from rarecase.finance.cases.fraud.forwarding import exchanged, of_each, payee_checks

_MOST, _FEWEST, _DRAWS = 7, 3, 8


class MuleRecruitment(WithAccomplices):
    """A test, then credits from people who were deceived; nearly all of each goes to whoever recruited."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Money mule recruitment"
    hint: ClassVar[str] = "Only students and those who pay off a loan qualify: raise `size`."
    definition: ClassVar[str] = (
        "A customer who is a student or has a loan account gets a small transfer from a person who never "
        "paid before in the data (the herder; 10 to 60 EUR at German prices) and sends 80 to 95 % of it "
        "back to the herder within 6 hours (difficulty 0) to 2 days (1). From a day later on, within 9 "
        "days (0) to 35 days (1), 3 to 7 other customers, who never paid before, send one transfer each, "
        "1,100 EUR in the mean at 0 and 350 at 1. After each of them, within 6 hours (0) to 2 days (1), 80 "
        "to 95 % of it goes to the herder by one transfer or is drawn in up to 8 cash withdrawals. After "
        "the last one somebody tells, and the account is stopped: what has not left by then stays."
    )
    source: ClassVar[str] = (
        "Europol, European Money Mule Action (EMMA 5 to 9); Cifas, Fraudscape 2024 (misuse of facility, "
        "mule activity)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset({"transactions.payee_check", "declines"})

    kind: Literal["mule_recruitment"] = "mule_recruitment"
    amount: float = Field(
        default=1_100.0,
        gt=50,
        le=1e6,
        description="mean credit at difficulty 0 in euros at the prices of Germany; published: 1,715 EUR per "
        "transfer to a mule (EMMA 5)",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Customers who become mules."""
        return Natural(
            7e-4,
            "entity-year",
            "expert",
            "seven in 10,000 customers a year: order of magnitude of Cifas' some 37,000 bank accounts with "
            "signs of mule activity in 2023 among 55 million adults of the United Kingdom (from general "
            "knowledge)",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Students and those who pay off a consumer loan, where there are enough others."""
        young = ground.segment(spec.seed, entities) == ground.STUDENT
        return np.asarray((young | terms.consumer_loan(spec, entities)) & (spec.size > _MOST + 2), np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The mule, the herder, and three to seven victims."""
        return (
            2
            + _FEWEST
            + keyed_integers(spec.seed, ("case", self.label, "victims"), homes, _MOST - _FEWEST + 1)
        )

    def span_s(self, spec: Spec) -> int:
        """Test, credits and forwards."""
        return self._window_s(spec) + 4 * DAY_S

    def draw(self, on: Canvas) -> Footprint:
        """The test, the credits, what the mule does with them, and the end."""
        mule, herder = on.account(on.homes), on.account(on.members(1))
        self._test(on, mule, herder)
        row, second, got, payer = self._credits(on, mule)
        real = row >= 0
        last = np.where(real, second, -1).max(axis=1)
        reported, detected = on.noticed(
            np.where(last < 0, NEVER, last), told=0.85, hours=on.between(14, 40), found=0.3, found_hours=30
        )
        known = np.minimum(reported, detected)
        until = np.minimum(known, on.horizon)
        on.stop(on.every, mule, known, np.full(on.n, on.horizon), "account")
        out = self._forward(on, second, got, mule, herder, until)
        back = self._recalled(on, np.where(real, got - out, 0), row, mule, payer, known)
        lost = np.where(real, got, 0).sum(axis=1)
        paid = self._reimbursed(on, np.where(real, got, 0) - back, payer, known)
        return on.footprint(
            reported=reported, detected=detected, loss=lost, recovered=np.minimum(back.sum(axis=1), lost),
            reimbursed=paid, credits=real.sum(axis=1), total=lost, moved=out.sum(axis=1),
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        end = "nobody stopped the account within the data"
        if min(facts["reported"], facts["detected"]) != NEVER:
            end = f"the account was stopped at {said(spec, min(facts['reported'], facts['detected']))}"
        return (
            f"After a test at {said(spec, facts['started'])}, {money(facts['total'], currency)} came from "
            f"{facts['credits']} strangers, and the mule passed {money(facts['moved'], currency)} of it on; "
            f"{end}."
        )

    def _window_s(self, spec: Spec) -> int:
        return int(min(9 * (35 / 9) ** self.difficulty, spec.days / 3) * DAY_S)

    def _delay(self, on: Canvas, what: str, since: Int64) -> Int64:
        """When the mule acts: within 6 hours when easy, within two days when hard, at usual hours then."""
        shape = since if since.ndim == 2 else since[:, None]
        most = on.between(4.2 * HOUR_S, 34 * HOUR_S)
        wait = 3 * MINUTE_S + (most * on.u(f"{what}-wait", shape.shape[1])).astype(np.int64)
        begun = shape + wait
        room = on.between(1.2, 11) if on.ordinary < 1 else 14
        u, until = on.u(f"{what}-hour", shape.shape[1]), begun + int(room * HOUR_S)
        awake = on.one("awake")[:, None] < on.ordinary
        when = np.where(awake, on.within(begun, until, u, "cash"), on.within(begun, until, u, None))
        return np.where(begun >= on.horizon, on.horizon, when).reshape(since.shape)

    def _test(self, on: Canvas, mule: Int64, herder: Int64) -> None:
        """A small sum to and fro, which is nobody's loss."""
        want = (
            np.rint(on.scale * 100 * np.maximum(10 + 50 * on.one("test"), 10)).astype(np.int64) // 100 * 100
        )
        sent = exchanged(on, on.onset, want, mule, herder)
        told = on.pay(on.every, on.onset, sent, herder, mule, "mobile", "test", tainted=0)
        came_in = exchanged(on, on.onset, sent, herder, mule)
        back = np.asarray(came_in * (0.81 + 0.13 * on.one("test-back")), np.int64)
        on.pay(
            on.every,
            self._delay(on, "test", on.onset),
            back,
            mule,
            herder,
            "mobile",
            "test",
            tainted=0,
            where=told >= 0,
        )

    def _credits(self, on: Canvas, mule: Int64) -> tuple[Int64, Int64, Int64, Int64]:
        """One transfer of each victim; what the mule gets, in its currency."""
        wide = on.placement.entities
        cells = np.minimum(2 + np.arange(_MOST), wide.shape[1] - 1)
        who = np.where(2 + np.arange(_MOST) < on.placement.members[:, None], wide[:, cells], -1)
        safe = np.maximum(who, 0)
        payer = on.account(safe)
        u = np.where(who >= 0, on.u("credit-when", _MOST), 1.0)
        second = on.ascending(
            on.within(on.onset + DAY_S, on.onset + DAY_S + self._window_s(on.spec), np.sort(u, axis=1)),
            30 * MINUTE_S,
        )
        mean = on.between(self.amount, 0.32 * self.amount)
        want = on.stolen("credit", mean, _MOST, 0.4 + 0.8 * on.ordinary)
        # Neither more than the victim has, nor so little that nobody would bother.
        want = np.maximum(want, np.rint(on.scale * 6_000).astype(np.int64)[:, None])
        paid = exchanged(on, second, want, mule[:, None], payer)
        bears = of_each(ground.opening_minor, on.spec, safe) + of_each(ground.overdraft_minor, on.spec, safe)
        paid = np.minimum(paid, np.maximum(bears * 9 // 10, 1_000))
        way = np.where(on.u("credit-way", _MOST) < 0.7, data.ways().code("mobile"), data.ways().code("web"))
        row = on.pay(
            on.every[:, None], second, paid, payer, mule[:, None], way, "scam",
            payee_check=payee_checks(on, "payee-check", _MOST), where=who >= 0,
        )  # fmt: skip
        return row, second, np.where(row >= 0, exchanged(on, second, paid, payer, mule[:, None]), 0), payer

    def _forward(
        self, on: Canvas, second: Int64, got: Int64, mule: Int64, herder: Int64, until: Int64
    ) -> Int64:
        """Four fifths and more of each credit leave; what left, shape of `second`."""
        keeps = 0.055 + 0.045 * on.u("keeps", _MOST)
        goal = np.asarray(got * (1 - keeps), np.int64)
        when = self._delay(on, "forward", second)
        sums = terms.notes(
            on.spec, on.homes[:, None], np.broadcast_to(ground.ATM_MINOR, (on.n, ground.ATM_MINOR.size))
        )
        least = np.minimum(goal, np.asarray(got * 0.81, np.int64))
        # The harder, the smaller the sums that are drawn at a time.
        wish = ground.cash_minor(on.u("forward-cap", _MOST))
        cap = terms.notes(
            on.spec,
            on.homes[:, None],
            np.where(on.one("cap")[:, None] < on.ordinary, wish, ground.ATM_MINOR[-1]),
        )
        cash = (on.u("forward-cash", _MOST) < 0.4) & (goal <= 6 * cap) & (goal - sums[:, :1] >= least)
        left, out = np.where(cash, goal, 0), np.zeros_like(goal)
        place = on.at(on.part(on.homes), "cash")[:, None]
        for draw in range(_DRAWS):
            fits = sums[:, None, :] <= np.minimum(left, cap)[:, :, None]
            note = np.where(fits, sums[:, None, :], 0).max(axis=2)
            at = when + draw * 4 * MINUTE_S
            told = on.pay(
                on.every[:, None],
                at,
                note,
                mule[:, None],
                place,
                "cash_out",
                "cash_out",
                where=at < until[:, None],
            )
            out += np.where(told >= 0, note, 0)
            left -= note
        way = np.where(on.u("forward-way", _MOST) < 0.7, data.ways().code("mobile"), data.ways().code("web"))
        sent = np.where(cash, 0, goal)
        told = on.pay(
            on.every[:, None],
            when,
            sent,
            mule[:, None],
            herder[:, None],
            way,
            "forward",
            where=when < until[:, None],
        )
        return out + np.where(told >= 0, sent, 0)

    def _recalled(
        self, on: Canvas, left: Int64, row: Int64, mule: Int64, payer: Int64, known: Int64
    ) -> Int64:
        """What is left of each credit goes back in half of the cases; in the mule's currency."""
        asked = (known != NEVER) & (on.one("recalled") < 0.5)
        when = np.where(
            asked,
            np.minimum(known, on.horizon) + ((1 + 6 * on.one("recall-when")) * DAY_S).astype(np.int64),
            on.horizon,
        )
        told = on.pay(
            on.every[:, None], when[:, None] + 90 * np.arange(_MOST), left, mule[:, None], payer, "recall",
            "recall", refers=row, tainted=0, where=asked[:, None] & (left >= 100),
        )  # fmt: skip
        return np.where(told >= 0, left, 0)

    def _reimbursed(self, on: Canvas, rest: Int64, payer: Int64, known: Int64) -> Int64:
        """Victims' banks pay for some of them; the sum in the mule's currency."""
        mule = on.account(on.homes)
        paying = (on.u("reimbursed", _MOST) < 0.4) & (known != NEVER)[:, None] & (rest >= 100)
        wait = ((3 + 14 * on.u("reimbursed-when", _MOST)) * DAY_S).astype(np.int64)
        when = np.where(known == NEVER, on.horizon, np.minimum(known, on.horizon))[:, None] + wait
        theirs = exchanged(on, np.clip(when, 0, on.horizon - 1), rest, mule[:, None], payer)
        bank = terms.bank(on.spec, payer.ravel()).reshape(payer.shape)
        told = on.pay(
            on.every[:, None], when, theirs, on.at(on.part_of(payer), "branches", bank), payer,
            "reimbursement", "reimbursement", tainted=0, where=paying,
        )  # fmt: skip
        return np.asarray(np.where(told >= 0, rest, 0).sum(axis=1), np.int64)
