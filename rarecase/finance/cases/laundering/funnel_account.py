"""Funnel account: cash is paid in at many distant places and leaves soon after at one other place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_WIDTH, _DRAWS = 9, 12


class FunnelAccount(schemes.Scheme):
    """One account gathers cash from many places; one place sees it leave."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Funnel account"
    hint: ClassVar[str] = "Needs at least four places: lower `block` or raise `size`."
    definition: ClassVar[str] = (
        "Within 7 days (difficulty 0) to 21 days (1), 5 to 9 cash deposits reach one current account, made "
        "(payer_place) at no fewer than 3 (0) or 2 (1) different places other than the one where the "
        "account is kept, each below the limit on cash of structuring; at 1 three in ten are made at home. "
        "The deposits are even at 0; from 0.5 on a few carry most of the sum. From hours (0) to days (1) "
        "after the last deposit, 80 to 95 % of the sum leaves at one place where no deposit was made: as "
        "notes from machines there (cash_withdrawal, payee_place) and, for what exceeds them, by 1 or 2 "
        "transfers at 0, 4 to 6 from 0.5 on, to one person who lives there; at 0 within 4 days after the "
        "last deposit."
    )
    source: ClassVar[str] = "FinCEN advisory FIN-2014-A005 (funnel accounts)"
    share: ClassVar[float] = 0.08
    payments: ClassVar[float] = 16.0

    #: In which places it is paid in and drawn is what the kind is about.
    reveals: ClassVar[frozenset[str]] = frozenset(
        f"transactions.{column}" for column in ("payer_place", "payee_place", "currency", "credited_currency")
    )

    kind: Literal["funnel_account"] = "funnel_account"
    amount: float = Field(
        default=9_000.0,
        gt=100,
        le=1e6,
        description="mean sum of a case in euros at the prices of Germany; expert",
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are places enough."""
        return np.full(entities.shape, spec.parts >= 4 and spec.size > 1)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The holder, and who collects elsewhere."""
        return np.full(homes.shape, 2, np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """The collector lives at a place that deals with the home's."""
        part = self._away(spec, homes)
        tries = [
            ground.someone(
                spec, part[:, -1], ground.uniforms(spec, self.label, f"who-{attempt}", homes, 1)[:, 0]
            )
            for attempt in range(8)
        ]
        return schemes.free_one(homes, taken, np.stack(tries, axis=1))[:, None]

    def span_s(self, spec: Spec) -> int:
        """Deposits, and as long again for what follows."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 2.0, 1.2)

    def draw(self, on: Canvas) -> Footprint:
        """Deposits all over, then notes and transfers at one place."""
        limit = schemes.limit_minor(on.spec, on.part(on.homes))
        number = on.whole("number", 5, _WIDTH)
        mean = self.amount * on.between(1.0, 0.6)
        total = np.minimum(on.stolen("total", mean, log_sd=0.4)[:, 0], number * limit * 6 // 10)
        total = np.maximum(total, number * 10 * schemes.CASH_STEP_MINOR)
        amount = schemes.notes(schemes.parts(on, "deposit", total, number, _WIDTH, most=limit * 9 // 10))
        until = on.onset + self._window_s(on.spec)
        second = schemes.moments(on, "deposit", on.onset, until, number, _WIDTH)
        away = self._away(on.spec, on.homes)
        several = away.shape[1] - 1
        # Each of the other places in turn, so that few deposits already come from many places.
        # From 0.5 on they are, as far as there are two, those with the account's own money, which come last.
        same = ground.currency(on.spec, away[:, :-1]) == ground.currency(on.spec, on.part(on.homes))[:, None]
        some = np.clip(same.sum(axis=1), 2, several) if on.ordinary == 1 else np.full(on.n, several)
        turn = np.arange(_WIDTH) + (on.one("turn") * some).astype(np.int64)[:, None]
        which = several - 1 - turn % some[:, None]
        place = np.take_along_axis(away, which, axis=1)
        at_home = (on.u("at-home", _WIDTH) < 0.3 * on.difficulty) & (np.arange(_WIDTH) >= 2)
        place = np.where(at_home, on.part(on.homes)[:, None], place)
        account = on.account(on.homes)
        paid = schemes.paid_in(on, "deposit", second, amount, account[:, None], place)
        leaves = np.asarray(paid.total * (0.82 + 0.12 * on.one("leaves")), np.int64)
        collector = on.members(1)
        exit_ = on.part(collector)
        cash = schemes.drawn(
            on,
            "exit",
            paid.last(on.onset),
            np.asarray(leaves * (0.25 + 0.25 * on.one("cash") + 0.25 * on.ordinary), np.int64),
            account,
            exit_,
            width=_DRAWS,
            easy_s=2 * HOUR_S,
            hard_s=8 * HOUR_S,
        )
        sent = schemes.sent_on(
            on,
            "onward",
            paid.last(on.onset),
            leaves - cash.total,
            account,
            on.account(collector),
            width=6,
            number=schemes.several(on, "onward-number", (1, 2), (4, 6)),
            easy_s=5 * HOUR_S,
            hard_s=2 * DAY_S,
        )
        places = np.sort(np.where(paid.amount > 0, place, -1), axis=1)
        return on.footprint(
            detected=schemes.suspected(on),
            deposits=on.number("placement"),
            places=(np.diff(places, axis=1, prepend=-1) > 0).sum(axis=1),
            total=paid.total,
            drawn=cash.total,
            sent=sent.total,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, {money(facts['total'], currency)} of cash was paid "
            f"in by {facts['deposits']} deposits at {facts['places']} places; "
            f"{money(facts['drawn'], currency)} was drawn and {money(facts['sent'], currency)} sent on at "
            "one other place."
        )

    def _away(self, spec: Spec, homes: Int64) -> Int64:
        """Places that deal with the home's, each once and in an order of chance, shape (n, places)."""
        steps = np.unique(ground.steps(spec.parts) % spec.parts)
        order = np.argsort(ground.uniforms(spec, self.label, "order", homes, steps.size), axis=1)
        away = np.asarray((homes[:, None] // spec.block + steps[order]) % spec.parts, np.int64)
        # Cash is drawn where it is the account's own money, if there is such a place: that one comes last.
        same = ground.currency(spec, away) == ground.currency(spec, homes // spec.block)[:, None]
        return np.take_along_axis(away, np.argsort(same, axis=1, kind="stable"), axis=1)

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 7, 21)
