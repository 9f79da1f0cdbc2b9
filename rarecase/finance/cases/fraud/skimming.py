"""Skimming: one shop's terminal copies magnetic stripes; the copies are used far away."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rarecase.common.case import Natural
from rarecase.common.seeds import Float64, Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, opening
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, MINUTE_S, Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud.cards import (
    EEA,
    STOPPED,
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
from rarecase.finance.cases.fraud.forwarding import exchanged, notes
from rarecase.finance.schema import DECLINE_REASONS

_USES = 4
_BLOCKED = DECLINE_REASONS.index("blocked_card")
#: Nobody travels faster, km/h; and how far away at least copies are used, if there is such a place.
FASTEST, _FAR_KM = 900.0, 400.0
_EARTH_KM = 6_371.0
_BOOKED_EACH = 0.82


class Skimming(BankCase):
    """Cards that met at one till appear as counterfeits elsewhere while their holders are at home."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Skimmed and counterfeited cards"
    definition: ClassVar[str] = (
        "3 to 8 cardholders each pay once by chip in the same shop (the point of compromise) within 6 days "
        "at difficulty 0 and 14 at 1. Days later the copies appear: each card is used 2 to 4 times by "
        "magnetic stripe, as purchases or cash withdrawals (declined attempts included), within 8 hours (0) "
        "to 20 hours (1) and as far as the data reach, at another place, in another country where one deals "
        "with the holder's. The first such use follows a genuine contactless payment at the holder's own "
        "place so soon that the way from town to town would take a speed above 900 km/h. Cards are stopped "
        "and replaced when the bank knows."
    )
    source: ClassVar[str] = (
        "European Central Bank, Seventh report on card fraud (2021): counterfeit fraud at terminals and "
        "machines outside the euro area; point-of-compromise analysis as in Visa, What To Do If "
        "Compromised (2021)"
    )
    #: Counterfeits are read by stripe, abroad, where machines give whole notes of other money.
    reveals: ClassVar[frozenset[str]] = STOPPED | {
        "transactions.entry_mode",
        "transactions.authentication",
        "transactions.payee_place",
        "transactions.amount_minor",
        "transactions.credited_minor",
        "transactions.credited_currency",
        "entries.amount_minor",
    }
    hint: ClassVar[str] = "Counterfeits need a second place, and 3 to 8 cardholders each."

    kind: Literal["skimming"] = "skimming"
    fewest: int = Field(default=3, ge=2, le=60, description="fewest cards copied at a shop")
    most: int = Field(default=8, ge=2, le=60, description="most cards copied at a shop")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fewest > self.most:
            raise ValueError("fewest at most as large as most")
        return self

    def natural(self, spec: Spec) -> Natural | None:
        """Cards misused a year and customer, by this kind's share of fraudulent card payments."""
        return Natural(
            cases_a_year("skimming", _BOOKED_EACH),
            "entity-year",
            "expert",
            f"{EEA}; 5 % of them by count here, {_BOOKED_EACH} card payments booked per card (own choice)",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there is another place."""
        return np.full(entities.shape, ground.steps(spec.parts).size > 0)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Cardholders, the home included."""
        span = self.most - self.fewest + 1
        return self.fewest + keyed_integers(spec.seed, ("case", self.label, "cards"), homes, span)

    def span_s(self, spec: Spec) -> int:
        """Seconds from the first copy to the last use, from 0.5 on to the first: the others may lie after
        the data, for a kind that never begins late would tell."""
        hard = ground.ordinary_share(self.difficulty)
        days = (1 - hard) * (25 + 20 * self.difficulty) + hard * (8 + 11 * self.difficulty)
        return int(min(days, spec.days / 2) * DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """Copies are made, and used."""
        who = on.placement.entities
        real = who >= 0
        holder = np.where(real, who, on.homes[:, None])
        skimmed = self._copied(on, holder, real)
        rests = min(1.0, on.spec.days / 30) * DAY_S * (1 + 2 * on.one("rests"))
        begin = np.where(real, skimmed, -1).max(axis=1) + rests.astype(np.int64)
        spread = int(min(on.between(3, 10), on.spec.days / 12) * DAY_S)
        away, distance = _far_places(on, holder)
        u = on.u("at-home", holder.shape[1])
        # The home's copy is the first to be used.
        u[:, 0] = 0.1 * u.min(axis=1)
        last_home = on.within(begin[:, None], begin[:, None] + spread, u, "day")
        # Copies that would be used after the end of the data are not used in it.
        real &= last_home < on.horizon - min(12 * HOUR_S, on.horizon // 20)
        soon = distance / FASTEST * 3_600 * (0.25 + 0.6 * on.u("too-fast", holder.shape[1]))
        first = last_home + np.maximum(soon, 30).astype(np.int64)
        seen = np.where(real, first, on.horizon).min(axis=1) + 3 * HOUR_S
        reported, detected = on.noticed(
            seen, told=0.9, hours=on.between(40, 90), found=0.4, found_hours=on.between(30, 60)
        )
        known = np.minimum(reported, detected)
        # Nobody pays with a card that is stopped already.
        real &= last_home < known[:, None]
        self._at_home(on, holder, real, last_home)
        paid = self._used(on, holder, real, first, away, known)
        for position in range(who.shape[1]):
            stop_cards(on, holder[:, position], known, f"card-{position}", where=who[:, position] >= 0)
        merchant, bank = give_back(on, paid, known, disputed=0.0)
        taken = loss(on, paid)
        return on.footprint(
            reported=reported,
            detected=detected,
            loss=taken,
            reimbursed=np.minimum(bank, taken),
            borne_by=bearer(merchant, bank),
            cards=on.placement.members,
            payments=(paid.row >= 0).sum(axis=1),
            total=taken,
            km=np.rint(distance[:, 0]).astype(np.int64),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        known = min(facts["reported"], facts["detected"])
        end = (
            f"the cards were stopped at {said(spec, known)}"
            if known != NEVER
            else "nobody reported or stopped it within the data"
        )
        return (
            f"From {said(spec, facts['started'])} on {facts['cards']} cards were copied at one shop; their "
            f"counterfeits took {money(facts['total'], facts['currency'])} in {facts['payments']} payments, "
            f"{facts['km']} km from home or so; {end}."
        )

    def _copied(self, on: Canvas, holder: Int64, real: NDArray[np.bool_]) -> Int64:
        """Each card is paid with once at the shop; returns when, shape (n, cards)."""
        width = holder.shape[1]
        part = on.part(on.homes)[:, None]
        shop, kind = shops(on, "compromised", part, kinds_of_shops(0.0, 1.0))
        payee = np.broadcast_to(on.at(part, "merchants", shop), holder.shape)
        amount = prices(on, "copied-price", np.broadcast_to(kind, holder.shape), 1.0, holder)
        span = int(min(5.8 + 8 * on.difficulty, on.spec.days / 6) * DAY_S)
        when = on.within(on.onset[:, None], on.onset[:, None] + span, on.u("copied", width), "day")
        when = opening.while_open(on.spec, payee, when)
        on.pay(
            on.every[:, None],
            when,
            amount,
            on.account(holder),
            payee,
            "chip",
            "own_use",
            tainted=0,
            where=real,
        )
        return when

    def _at_home(self, on: Canvas, holder: Int64, real: NDArray[np.bool_], when: Int64) -> None:
        """The holder pays at home, just before the counterfeit is used elsewhere."""
        part = on.part(holder)
        shop, kind = shops(on, "home", part, kinds_of_shops(0.0, 1.0), when)
        most = ground.touch_limit_minor(on.spec, part)
        amount = np.minimum(prices(on, "home-price", kind, 1.0, holder), most)
        payee = on.at(part, "merchants", shop)
        on.pay(
            on.every[:, None],
            when,
            amount,
            on.account(holder),
            payee,
            "contactless",
            "own_use",
            tainted=0,
            where=real,
        )

    def _used(
        self, on: Canvas, holder: Int64, real: NDArray[np.bool_], first: Int64, away: Int64, known: Int64
    ) -> Paid:
        """Purchases and withdrawals with the counterfeits, columns card by card for each use."""
        cards = holder.shape[1]
        width = cards * _USES
        who, part, since = (np.tile(each, (1, _USES)) for each in (holder, away, first))
        use = np.repeat(np.arange(_USES), cards)
        number = np.tile(2 + (3 * on.u("uses", cards)).astype(np.int64), (1, _USES))
        gap = (on.between(7, 19) * HOUR_S / _USES * on.u("use-time", width)).astype(np.int64) + 6 * MINUTE_S
        second = since + np.where(use > 0, (use - 1) * int(on.between(7, 19) * HOUR_S / _USES) + gap, 0)
        at_machine = on.u("machine", width) < 0.45
        if on.ordinary == 1:
            # From 0.5 on those who use them keep the hours of others.
            low, high = since + 6 * MINUTE_S, since + int(on.between(7, 19) * HOUR_S)
            by_day, at_till = (on.within(low, high, on.u("use-hour", width), how) for how in ("cash", "day"))
            awake = np.where(at_machine, by_day, at_till)
            second = np.where((use > 0) & (low < on.horizon), awake, second)
        shop, kind = shops(on, "use", part, kinds_of_shops(0.0, 1.0), second)
        payer = on.account(who)
        payee = np.where(at_machine, on.at(part, "cash"), on.at(part, "merchants", shop))
        # Machines give whole notes of where they stand.
        pick = (4 + 7 * on.u("notes", width) ** 1.5).astype(np.int64)
        given = np.take_along_axis(notes(on, part), pick[..., None], -1)[..., 0]
        drawn = exchanged(on, np.clip(second, 0, on.horizon - 1), given, payee, payer)
        amount = np.where(at_machine, drawn, prices(on, "use-price", kind, 2.0, who))
        ways = data.ways()
        way = np.where(at_machine, ways.code("cash_out_stripe"), ways.code("stripe"))
        declined = refusals(on, "refused", width, 0.15, "suspected_fraud", "limit_exceeded")
        declined = np.where(second >= known[:, None], _BLOCKED, declined)
        wanted = (
            np.tile(real, (1, _USES))
            & (use < number)
            & (second < np.minimum(known, on.horizon)[:, None] + DAY_S)
        )
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            payer,
            payee,
            way,
            "purchase",
            declined=declined,
            where=wanted & ~at_machine,
        )
        taken = on.pay(
            on.every[:, None],
            second,
            amount,
            payer,
            payee,
            way,
            "withdrawal",
            declined=declined,
            where=wanted & at_machine,
        )
        return Paid(np.where(declined == USUAL, np.maximum(row, taken), -1), second, amount, payer, payee)


def _far_places(on: Canvas, holder: Int64) -> tuple[Int64, Float64]:
    """A place far from each holder's that deals with it, abroad if there is one; km between them."""
    part = on.part(holder)
    step = ground.steps(on.spec.parts)
    there = (part[..., None] + step) % on.spec.parts
    km = kilometres(on.spec, np.broadcast_to(part[..., None], there.shape), there)
    abroad = ground.country(on.spec, there) != ground.country(on.spec, part)[..., None]
    far = km >= _FAR_KM
    chance = on.u("far", part.shape[1] * step.size).reshape(there.shape)
    score = np.where(far & abroad, 2 + chance, np.where(far, 1 + chance, km / 1e5))
    best = np.argmax(score, axis=-1)[..., None]
    return np.take_along_axis(there, best, -1)[..., 0], np.take_along_axis(km, best, -1)[..., 0]


def kilometres(spec: Spec, a: Int64, b: Int64) -> Float64:
    """Great-circle distance between the towns of two places."""
    north_a, east_a = (np.radians(each) for each in ground.towns(spec, a))
    north_b, east_b = (np.radians(each) for each in ground.towns(spec, b))
    half = np.sin((north_b - north_a) / 2) ** 2
    half = half + np.cos(north_a) * np.cos(north_b) * np.sin((east_b - east_a) / 2) ** 2
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))), np.float64)
