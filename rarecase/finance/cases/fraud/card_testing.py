"""Card testing: tiny payments at one web shop tell which of many stolen cards work; those are used."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud.cards import (
    EEA,
    REMOTE,
    Paid,
    bearer,
    cases_a_year,
    give_back,
    kinds_of_shops,
    loss,
    prices,
    refusals,
    shops,
    stop_cards,
)
from rarecase.finance.schema import DECLINE_REASONS

#: Attempts per card, and purchases with a card that works, at most.
_TRIES, _USES = 3, 2
_BLOCKED = DECLINE_REASONS.index("blocked_card")
#: Attempts below this many minor units in German prices at difficulty 0.
_PLAIN_MOST = 290.0
#: Fraudulent payments booked per card tried.
_BOOKED_EACH = 0.78


class CardTesting(BankCase):
    """A list of stolen numbers is tried at one shop within hours, then the good ones shop elsewhere."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Card testing"
    definition: ClassVar[str] = (
        "At one web shop 12 to 40 different cards are tried from afar (is_remote), one to three times "
        "each, all within 3 hours at difficulty 0 and 2 days at 1; 60 to 90 % of the attempts are declined "
        "(invalid_card, wrong_code, suspected_fraud). At difficulty 0 every attempt is below 3.00 units of "
        "the card's currency in German prices; from 0.5 on attempts are as large as small purchases "
        "on-line (median 6.50). Of the cards that passed, most make one or two further remote purchases "
        "elsewhere in the next 2 days. Cards are stopped and replaced when the bank knows."
    )
    source: ClassVar[str] = (
        "Visa, Anti-Enumeration and Account Testing Best Practices for Merchants (2022); EBA and ECB, "
        "Report on payment fraud, December 2025 (remote card payments)"
    )
    reveals: ClassVar[frozenset[str]] = REMOTE
    hint: ClassVar[str] = (
        "Each case takes 12 to 40 customers; ask for fewer cases, fewer cards or raise `size`."
    )

    kind: Literal["card_testing"] = "card_testing"
    fewest: int = Field(default=12, ge=4, le=60, description="fewest cards tried in a case")
    most: int = Field(default=40, ge=4, le=60, description="most cards tried in a case")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fewest > self.most:
            raise ValueError("fewest at most as large as most")
        return self

    def natural(self, spec: Spec) -> Natural | None:
        """Cards tried a year and customer, by this kind's share of fraudulent card payments."""
        return Natural(
            cases_a_year("card_testing", _BOOKED_EACH),
            "entity-year",
            "expert",
            f"{EEA}; 12 % of them by count here, {_BOOKED_EACH} booked per card tried (own choice)",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are cards enough."""
        return np.full(entities.shape, spec.size > self.fewest)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Cardholders, the home included."""
        span = self.most - self.fewest + 1
        return self.fewest + keyed_integers(spec.seed, ("case", self.label, "cards"), homes, span)

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first attempt to the last purchase."""
        return int(min(3 + 2 * self.difficulty, spec.days / 2) * DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """Attempts, and purchases with the cards that passed."""
        who = on.placement.entities
        holder = np.where(who >= 0, who, on.homes[:, None])
        begin = on.paced(on.onset, on.onset + DAY_S // 2, on.one("begin"), "online")
        window = int(on.between(2.8, 40) * HOUR_S)
        tested = self._tests(on, who >= 0, holder, begin, window)
        for position in range(who.shape[1]):
            seen = np.maximum(tested.second[:, position] - 1_500, 0)
            on.device(on.every, holder[:, position], seen, 1 + position, where=who[:, position] >= 0)
        on.network(on.every)
        ends = np.minimum(begin + window, on.horizon - 1)
        found_hours = on.between(8, 40)
        reported, detected = on.noticed(
            ends, told=0.9, hours=on.between(24, 72), found=0.5, found_hours=found_hours
        )
        known = np.minimum(reported, detected)
        used = self._uses(on, holder, tested, known)
        for position in range(who.shape[1]):
            held = who[:, position] >= 0
            stop_cards(on, holder[:, position], known, f"card-{position}", where=held)
        both = Paid(*(np.concatenate(pair, axis=1) for pair in zip(tested, used, strict=True)))
        merchant, bank = give_back(on, both, known, disputed=0.6)
        taken = loss(on, both)
        return on.footprint(
            reported=reported,
            detected=detected,
            loss=taken,
            reimbursed=np.minimum(merchant + bank, taken),
            borne_by=bearer(merchant, bank),
            cards=on.placement.members,
            passed=(tested.row >= 0).sum(axis=1),
            purchases=(used.row >= 0).sum(axis=1),
            total=taken,
            last_second=ends,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        known = min(facts["reported"], facts["detected"])
        end = (
            f"the cards were stopped at {said(spec, known)}"
            if known != NEVER
            else "nobody reported or stopped it within the data"
        )
        bought = "purchase was" if facts["purchases"] == 1 else "purchases were"
        return (
            f"From {said(spec, facts['started'])} to {said(spec, facts['last_second'])} {facts['cards']} "
            f"stolen cards were tried at one web shop and {facts['passed']} passed, with which "
            f"{facts['purchases']} {bought} made for {money(facts['total'], facts['currency'])}; "
            f"{end}."
        )

    def _tests(self, on: Canvas, real: NDArray[np.bool_], holder: Int64, begin: Int64, window: int) -> Paid:
        """All attempts at the shop; returns the last of each card, of which the good ones passed."""
        width = holder.shape[1]
        at_home = 0.4 + 0.6 * on.ordinary
        part = ground.near_part(on.spec, on.part(on.homes)[:, None], on.u("shop-place"), at_home)
        shop, _ = shops(on, "shop", part, kinds_of_shops(1.0, 0.0))
        payee = np.broadcast_to(on.at(part, "merchants", shop), holder.shape)
        tries = np.where(real, 1 + (_TRIES * on.u("tries", width) ** 2).astype(np.int64), 0)
        good = _chosen(on, real, tries)
        at = on.paced(begin, begin + window * 9 // 10, on.u("card-time", width), "online")
        at[:, 0] = begin
        median, log_sd = 130.0 * 5.0**on.ordinary, 0.35 + 0.45 * on.ordinary
        found = Paid(
            np.full(holder.shape, -1), at, np.zeros(holder.shape, np.int64), on.account(holder), payee
        )
        for turn in range(_TRIES):
            second = at + (turn * (25 + 400 * on.u(f"again-{turn}", width) ** 2)).astype(np.int64)
            declined = refusals(
                on, f"reason-{turn}", width, 1.0, "invalid_card", "wrong_code", "suspected_fraud"
            )
            size = np.clip(median * np.exp(log_sd * on.normal(f"tiny-{turn}", width)), 50, _PLAIN_MOST)
            size = size if on.ordinary < 1 else median * np.exp(log_sd * on.normal(f"tiny-{turn}", width))
            amount = np.maximum(np.rint(size * ground.scale_of(on.spec, holder)).astype(np.int64), 1)
            passes = good & (turn == tries - 1)
            row = on.pay(
                on.every[:, None],
                second,
                amount,
                found.payer,
                payee,
                "ecommerce",
                "test",
                device=1 + np.arange(width),
                ip=1,
                declined=np.where(passes, USUAL, declined),
                where=turn < tries,
            )
            found = Paid(
                np.where(passes, row, found.row),
                np.where(turn < tries, second, found.second),
                np.where(passes, amount, found.amount),
                found.payer,
                payee,
            )
        return found

    def _uses(self, on: Canvas, holder: Int64, tested: Paid, known: Int64) -> Paid:
        """Purchases with the cards that passed, refused once the cards are stopped."""
        width = holder.shape[1] * _USES
        who, since = np.tile(holder, (1, _USES)), np.tile(tested.second, (1, _USES))
        works = np.tile(tested.row >= 0, (1, _USES))
        works &= on.u("used", width) < np.repeat([0.85, 0.4], holder.shape[1])
        gap = (HOUR_S * (0.5 + 40 * on.u("use-time", width))).astype(np.int64)
        second = on.paced(since + gap, since + gap + 4 * HOUR_S, on.u("use-hour", width), "online")
        part = ground.near_part(on.spec, on.part(who), on.u("use-place", width), on.between(0.5, 0.85))
        number, kind = shops(on, "use", part, kinds_of_shops(1.0, 0.0))
        amount = prices(on, "use-price", kind, 1.6, who)
        payer, payee = on.account(who), on.at(part, "merchants", number)
        late = second >= known[:, None]
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            payer,
            payee,
            "ecommerce",
            "purchase",
            device=1 + np.tile(np.arange(holder.shape[1]), _USES),
            ip=1,
            declined=np.where(late, _BLOCKED, USUAL),
            where=works & (second < np.minimum(known, on.horizon)[:, None] + DAY_S),
        )
        return Paid(np.where(late, -1, row), second, amount, payer, payee)


def _chosen(on: Canvas, real: NDArray[np.bool_], tries: Int64) -> NDArray[np.bool_]:
    """Which cards work: as many as let 65 to 86 % of the attempts fail, at least one."""
    fails = 0.65 + 0.21 * on.one("fails")
    works = np.clip(np.rint(tries.sum(axis=1) * (1 - fails)), 1, real.sum(axis=1)).astype(np.int64)
    rank = np.argsort(np.argsort(np.where(real, on.u("good", real.shape[1]), 2.0), axis=1), axis=1)
    return np.asarray(rank < works[:, None], np.bool_)
