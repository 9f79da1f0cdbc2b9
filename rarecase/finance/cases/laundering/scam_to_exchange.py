"""Joined: a victim's money goes to a mule, through others, and leaves as coins; one case, one story."""

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
from rarecase.finance.cases import terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud.accomplices import WithAccomplices
from rarecase.finance.cases.laundering import schemes

#: How the money is layered: to several who all cash out, from one to the next, or apart and together again.
FAN_OUT, CHAIN, SCATTER_GATHER = range(3)
_NAMES = ("a fan-out", "a chain", "a scatter-gather")
_PAYMENTS, _FEWEST, _MOST = 3, 3, 8


class ScamToExchange(WithAccomplices):
    """Placement by a deceived customer, layering among mules, integration through an exchange."""

    members_live: ClassVar[str] = "walk"
    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Scam to exchange"
    definition: ClassVar[str] = (
        "Placement: a customer who is deceived sends 1 to 3 transfers within 12 hours (difficulty 0) to 3 "
        "days (1) to a customer never paid before in the data (the first mule). Layering, after the last "
        "of them: 3 to 8 further customers in one of three patterns. Fan-out: the first mule pays each of "
        "them, and each of them pays an exchange (organisations.kind exchange). Chain: each pays the next, "
        "the last one the exchange. Scatter-gather: the first pays all but the last, these pay the last, "
        "and that one the exchange. Every payment is a transfer and later than those that bring its money, "
        "by minutes up to 10 hours at 0, up to 2 days at 1; every mule keeps 1 to 6 % of what it got (in "
        "its own currency) and passes on the rest in one payment to each payee. Integration: within a day "
        "after the last payment to it the same exchange pays 98 to 99.9 % of all that it got to the "
        "outside account crypto of its place in one payment. At 0 the whole is 2,600 EUR at German prices "
        "in the mean and larger than what the victim usually pays, at 1 it is 1,000. The victim tells "
        "late, days after the last payment; then some of what mules kept is recalled."
    )
    source: ClassVar[str] = (
        "UK Finance, Annual Fraud Report 2025 (authorised push payment fraud); Altman and others 2023, "
        "AMLworld, arXiv 2306.16424 (patterns); Europol 2022, Cryptocurrencies"
    )
    reveals: ClassVar[frozenset[str]] = frozenset({"transactions.purpose"})

    kind: Literal["scam_to_exchange"] = "scam_to_exchange"
    amount: float = Field(
        default=2_600.0,
        gt=100,
        le=1e6,
        description="mean loss at difficulty 0 in euros at the prices of Germany; published: about 2,420 GBP "
        "per case of authorised push payment fraud (UK Finance 2025)",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Cases of authorised push payments that leave as coins through several mules."""
        return Natural(
            186_000 / 55e6 * 0.05,
            "entity-year",
            "expert",
            "UK Finance, Annual Fraud Report 2025: fewer than 186,000 cases of authorised push payments in "
            "2024 among some 55 million adults; that one in twenty is layered by four mules or more and "
            "leaves through an exchange is an expert figure",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are enough others."""
        return np.full(entities.shape, spec.size > _MOST + 2)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The victim, the first mule, and three to eight further ones."""
        return (
            2 + _FEWEST + keyed_integers(spec.seed, ("case", self.label, "mules"), homes, _MOST - _FEWEST + 1)
        )

    def span_s(self, spec: Spec) -> int:
        """From the first payment to the coins."""
        hop = self._wait_s(spec) + 2 * HOUR_S
        return min(self._placing_s(spec) + hop * (_MOST + 2) + 2 * DAY_S, spec.days * DAY_S // 2)

    def draw(self, on: Canvas) -> Footprint:
        """All three stages, what the bank learns, and what comes back."""
        wide = on.placement.entities
        mules = on.placement.members - 1
        cells = np.minimum(1 + np.arange(_MOST + 1), wide.shape[1] - 1)
        who = np.where(np.arange(_MOST + 1) < mules[:, None], wide[:, cells], -1)
        account = on.account(np.maximum(who, 0))
        lost, last, got, row = self._placed(on, account[:, 0])
        pattern = on.whole("pattern", FAN_OUT, SCATTER_GATHER)
        kept, arrived, at, exchange, place = self._layered(on, pattern, account, who >= 0, got, last)
        coins = self._integrated(on, arrived, at, exchange, place)
        ends = np.maximum(on.last("scam", "hop", "exit"), 0)
        reported, detected = on.noticed(ends, told=0.9, hours=on.between(48, 90), found=0.08, found_hours=72)
        known = np.minimum(reported, detected)
        back = self._recalled(on, kept, account, known, row)
        lost_back = np.minimum(back, lost)
        paid = self._reimbursed(on, lost - lost_back, known)
        return on.footprint(
            reported=reported, detected=detected, loss=lost, recovered=lost_back, reimbursed=paid,
            pattern=pattern, mules=mules, total=lost, coins=coins, coin_place=place, hops=on.number("hop"),
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        from rarecase.finance.cases import ground

        theirs = int(ground.currency(spec, np.array([facts["coin_place"]]))[0])
        known = min(facts["reported"], facts["detected"])
        end = (
            "nobody told the bank within the data"
            if known == NEVER
            else f"the bank knew at {said(spec, known)}"
        )
        return (
            f"A deceived customer sent {money(facts['total'], facts['currency'])} from "
            f"{said(spec, facts['started'])} on to a mule; it went through {facts['mules']} mules in "
            f"{_NAMES[facts['pattern']]} and left as coins for "
            f"{money(facts['coins'], theirs)}; {end}."
        )

    def _placing_s(self, spec: Spec) -> int:
        return int(min(11 * 6.0**self.difficulty, spec.days * 2) * HOUR_S)

    def _wait_s(self, spec: Spec) -> int:
        """Most that passes between what comes and what goes."""
        return int(min(8.5 * 4.7**self.difficulty, spec.days) * HOUR_S)

    def _later(self, on: Canvas, what: str, since: Int64) -> Int64:
        """A moment after each of `since`, shape (n,)."""
        # Short by far in most cases; in ten thousand lives nobody waits longer than the most.
        u = on.one(f"{what}-wait") ** 2.5
        begun = since + 3 * MINUTE_S + (u * self._wait_s(on.spec)).astype(np.int64)
        told = on.paced(begun, begun + HOUR_S + int(6 * HOUR_S * on.difficulty), on.u(f"{what}-hour"))
        return np.where(begun >= on.horizon, on.horizon, told if told.ndim == 1 else told[:, 0])

    def _passes(self, on: Canvas, what: str, came: Int64) -> Int64:
        """What a mule passes on of what came."""
        return np.asarray(came * (0.942 + 0.046 * on.one(f"{what}-fee")), np.int64)

    def _way(self, on: Canvas, what: str, mobile: str = "mobile", web: str = "web") -> Int64:
        ways = data.ways()
        return np.where(on.one(f"{what}-way") < 0.7, ways.code(mobile), ways.code(web)).astype(np.int64)

    def _placed(self, on: Canvas, mule: Int64) -> tuple[Int64, Int64, Int64, Int64]:
        """The victim's payments: sum, last moment, what the mule got, and row numbers."""
        victim = on.account(on.homes)
        mean = on.between(self.amount, 0.4 * self.amount)
        total = np.minimum(on.stolen("loss", mean, log_sd=0.4 + 0.5 * on.ordinary)[:, 0], on.bears)
        total = np.maximum(total, np.rint(on.scale * 15_000).astype(np.int64))
        amount = schemes.liked(
            on, "loss", schemes.parts(on, "loss", total, on.whole("payments", 1, _PAYMENTS), _PAYMENTS)
        )
        u = np.sort(on.u("placed", _PAYMENTS), axis=1)
        u[:, 0] = 0.0
        second = on.ascending(on.within(on.onset, on.onset + self._placing_s(on.spec), u), 4 * MINUTE_S)
        row = on.pay(
            on.every[:, None], second, amount, victim[:, None], mule[:, None],
            self._way(on, "placed")[:, None], "scam", stage="placement",
        )  # fmt: skip
        real = row >= 0
        got = schemes.received(on, second, amount, victim[:, None], mule[:, None])
        last = np.where(real, second, on.onset[:, None]).max(axis=1)
        return np.where(real, amount, 0).sum(axis=1), last, np.where(real, got, 0).sum(axis=1), row

    def _hop(
        self, on: Canvas, what: str, since: Int64, amount: Int64, payer: Int64, payee: Int64,
        where: NDArray[np.bool_], *, coins: bool = False,
    ) -> tuple[Int64, Int64]:  # fmt: skip
        """One payment per case after `since`; when it is, and what the payee gets (0 where there is none)."""
        second = self._later(on, what, since)
        way = self._way(on, what, "crypto_mobile", "crypto_web") if coins else self._way(on, what)
        told = on.pay(
            on.every, second, amount, payer, payee, way, "exit" if coins else "hop",
            stage="integration" if coins else "layering", where=where,
        )  # fmt: skip
        got = schemes.received(on, np.minimum(second, on.horizon - 1), amount, payer, payee)
        return second, np.where(told >= 0, got, 0)

    def _layered(
        self, on: Canvas, pattern: Int64, account: Int64, real: NDArray[np.bool_], got: Int64, last: Int64
    ) -> tuple[Int64, Int64, Int64, Int64, Int64]:
        """Hops among the mules, and payments to the exchange.

        Returns
        -------
        tuple
            What each mule kept, shape (n, mules); what the exchange got and when; its address and place.
        """
        n, width = account.shape
        size = real.sum(axis=1)
        final = account[on.every, size - 1]
        place = on.part_of(final)
        exchange = on.at(place, "exchanges", on.whole("exchange", 0, on.slots.exchanges_n - 1))
        held, seen = np.zeros((n, width), np.int64), np.full((n, width), -1, np.int64)
        kept = np.zeros((n, width), np.int64)
        held[:, 0], seen[:, 0] = got, last
        arrived, at = np.zeros(n, np.int64), np.full(n, -1, np.int64)
        share = self._shares(on, pattern, size, width)
        first = self._passes(on, "first", got)
        # The first mule pays the others, or the next one.
        for column in range(1, width):
            apart = np.asarray(first * share[:, column], np.int64)
            second, came = self._hop(
                on,
                f"out-{column}",
                last,
                apart,
                account[:, 0],
                account[:, column],
                real[:, column] & (apart > 0),
            )
            held[:, column], seen[:, column] = came, second
        for column in range(1, width):
            goes = self._passes(on, f"mule-{column}", held[:, column])
            end = column == size - 1
            onward = real[:, column] & ~end & (pattern != FAN_OUT)
            target = np.where(pattern == CHAIN, np.minimum(column + 1, width - 1), size - 1)
            second, came = self._hop(
                on,
                f"on-{column}",
                seen[:, column],
                goes,
                account[:, column],
                account[on.every, target],
                onward,
            )
            held[on.every, target] += np.where(onward, came, 0)
            seen[on.every, target] = np.where(
                onward & (came > 0), np.maximum(seen[on.every, target], second), seen[on.every, target]
            )
            out = real[:, column] & (end | (pattern == FAN_OUT))
            second, came = self._hop(
                on, f"exit-{column}", seen[:, column], goes, account[:, column], exchange, out, coins=True
            )
            arrived += came
            at = np.where(came > 0, np.maximum(at, second), at)
            kept[:, column] = np.where(real[:, column], held[:, column] - goes, 0)
        kept[:, 0] = got - np.asarray((first[:, None] * share).astype(np.int64).sum(axis=1), np.int64)
        return np.maximum(kept, 0), arrived, at, exchange, place

    def _shares(self, on: Canvas, pattern: Int64, size: Int64, width: int) -> NDArray[np.float64]:
        """Of what the first mule passes on, how much each other mule gets from it, shape (n, mules)."""
        weight = np.exp(schemes.skew(on, 0.15, 0.7) * on.normal("share", width))
        column = np.arange(width)
        paid = (column > 0) & (column < size[:, None])
        paid &= (
            np.where(pattern == CHAIN, 1, np.where(pattern == SCATTER_GATHER, size - 2, width))[:, None]
            >= column
        )
        weight = np.where(paid, weight, 0.0)
        return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300), np.float64)

    def _integrated(self, on: Canvas, arrived: Int64, at: Int64, exchange: Int64, place: Int64) -> Int64:
        """The exchange sells coins for it; what the payment to the outside comes to."""
        amount = np.asarray(arrived * (0.982 + 0.016 * on.one("coin-fee")), np.int64)
        wait = 10 * MINUTE_S + (20 * HOUR_S * on.one("coin-wait") ** 2).astype(np.int64)
        told = on.pay(
            on.every, at + wait, amount, exchange, on.at(place, "crypto"), "crypto_out", "exit",
            stage="integration", where=arrived > 0,
        )  # fmt: skip
        return np.where(told >= 0, amount, 0)

    def _recalled(self, on: Canvas, kept: Int64, account: Int64, known: Int64, row: Int64) -> Int64:
        """Mules who can be found give back what they kept, in half of the cases; in the victim's currency."""
        victim = on.account(on.homes)
        asked = (known != NEVER) & (on.one("recalled") < 0.5)
        begin = np.minimum(known, on.horizon) + DAY_S
        when = begin[:, None] + (6 * DAY_S * on.u("recall-when", kept.shape[1])).astype(np.int64)
        told = on.pay(
            on.every[:, None], when, kept, account, victim[:, None], "recall", "recall", tainted=0,
            refers=np.where(np.arange(kept.shape[1]) == 0, row[:, :1], -1),
            where=asked[:, None] & (kept >= 100) & (on.u("found", kept.shape[1]) < 0.7),
        )  # fmt: skip
        theirs = schemes.received(on, np.clip(when, 0, on.horizon - 1), kept, account, victim[:, None])
        return np.asarray(np.where(told >= 0, theirs, 0).sum(axis=1), np.int64)

    def _reimbursed(self, on: Canvas, rest: Int64, known: Int64) -> Int64:
        """The victim's bank pays for half of the cases."""
        victim = on.account(on.homes)
        when = np.where(
            known == NEVER,
            on.horizon,
            np.minimum(known, on.horizon) + ((4 + 12 * on.one("paid-when")) * DAY_S).astype(np.int64),
        )
        branch = on.at(on.part(on.homes), "branches", terms.bank(on.spec, victim))
        told = on.pay(
            on.every, when, rest, branch, victim, "reimbursement", "reimbursement", tainted=0,
            where=(on.one("paid") < 0.5) & (rest >= 100),
        )  # fmt: skip
        return np.where(told >= 0, rest, 0)
