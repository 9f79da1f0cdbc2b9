"""Merchant collusion: a shop charges cards for nothing, pays itself out, and is gone when it is disputed."""

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
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint, moment
from rarecase.finance.cases.fraud.accomplices import WithAccomplices
from rarecase.finance.cases.fraud.cards import REMOTE
from rarecase.finance.cases.fraud.forwarding import exchanged, of_each

#: What a shop's account gains a day from ordinary business, in the mean, at German prices.
_EARNS_A_DAY = 10_700.0
_CARDS, _EACH, _PAYOUTS, _EXITS = 11, 5, 14, 10


class MerchantCollusion(WithAccomplices):
    """The owner of a shop keys in cards by night, takes the money out, and leaves the chargebacks behind."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Merchant collusion"
    hint: ClassVar[str] = "Only owners of shops qualify, one customer in eight: raise `size`."
    definition: ClassVar[str] = (
        "The customer owns a shop (ownerships.merchant_id). Within 2 days (difficulty 0) to 10 days (1), "
        "the cards of 5 to 11 other customers are charged there 3 to 5 times each; at 0 all by manual entry "
        "between 0 and 5 o'clock and in whole tens, from 0.5 on by manual entry (four in ten) or online at "
        "usual hours in any amount. 2 to 8 days after the last charge the shop's account pays its owner's "
        "current account in 2 to 6 payments at 0, 1 to 14 at 1 (payment_type business), at 0 at least 90 % "
        "of all charges and what the account holds beside them, at 1 90 to 98 % of the charges; the owner "
        "sends at least 90 % of that away within 3 days after, at 0 abroad (outside account abroad) by 1 to "
        "4 wires, at 1 by up to 10 transfers there or to the world outside. Then 80 to 100 % of the charges "
        "are charged back (refers_to) 10 to 30 days after the last charge, from 0.5 on as far as the data "
        "reach, which at 0 leave the shop's account below its limit (over_limit) in most cases."
    )
    source: ClassVar[str] = (
        "Visa, Global Acquirer Risk Standards 2023 (bust-out and collusive merchants, transaction laundering)"
    )
    reveals: ClassVar[frozenset[str]] = REMOTE | {
        "declines",
        "transactions.refers_to",
        "transactions.terminal_id",
    }

    kind: Literal["merchant_collusion"] = "merchant_collusion"
    amount: float = Field(
        default=360.0,
        gt=10,
        le=1e5,
        description="mean charge at difficulty 0 in euros at German prices, a tenth from 0.5 on; expert",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Shops that exist to be charged back."""
        return Natural(
            2e-5,
            "entity-year",
            "expert",
            "one shop in 6,000 a year (one customer in eight owns one): no published count; far fewer than "
            "the shops that card schemes list as terminated (MATCH)",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of shops, where there are people whose cards can be charged."""
        return np.asarray(
            (ground.owned(spec, entities, "merchants") >= 0) & (spec.size > _CARDS + 1), np.bool_
        )

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The owner, and five to eleven holders of cards."""
        return 6 + keyed_integers(spec.seed, ("case", self.label, "cards"), homes, _CARDS - 4)

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """From 0.5 on most cards belong to people of the place, as is usual in a shop."""
        away = super()._distances(spec, homes, widest)
        stays = ground.uniforms(spec, self.label, "stays", homes, widest - 1)
        moved: Int64 = np.where(stays < 0.7 * ground.ordinary_share(self.difficulty), 0, away)
        return moved

    def span_s(self, spec: Spec) -> int:
        """Charges, payouts and chargebacks."""
        hard = ground.ordinary_share(self.difficulty)
        # From 0.5 on chargebacks may come after the data: shops that never charge late would tell.
        return min(self._window_s(spec) + round(41 - 30 * hard) * DAY_S, spec.days * DAY_S // 2)

    def draw(self, on: Canvas) -> Footprint:
        """Charges, payouts, the way abroad, and chargebacks."""
        part = on.part(on.homes)
        number = np.maximum(ground.owned(on.spec, on.homes, "merchants"), 0)
        shop = on.at(part, "merchants", number)
        row, second, amount, card = self._charges(on, shop)
        theirs = exchanged(on, second, amount, card, shop[:, None])
        taken = np.where(row >= 0, theirs, 0).sum(axis=1)
        last = np.maximum(np.where(row >= 0, second, -1).max(axis=1), on.onset)
        paid, gone = self._paid_out(on, shop, number, taken, last)
        back = self._charged_back(on, row, amount, theirs, card, shop, last)
        first = on.first("dispute")
        _, detected = on.noticed(
            np.where(first < on.horizon, first, NEVER), told=0.0, hours=1.0, found=0.9, found_hours=72.0
        )
        on.stop(on.every, shop, detected, np.full(on.n, on.horizon), "account")
        reported = np.where(first == NEVER, NEVER, moment(first - 12 * HOUR_S, on.horizon))
        return on.footprint(
            reported=reported, detected=detected, loss=taken, reimbursed=back, borne_by="payee_bank",
            charges=(row >= 0).sum(axis=1), taken=taken, paid_out=paid, sent=gone, charged_back=back,
            cards=on.placement.members - 1,
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, a shop charged {facts['cards']} cards "
            f"{money(facts['taken'], currency)} in {facts['charges']} payments for nothing and paid its "
            "owner "
            f"{money(facts['paid_out'], currency)}, who sent {money(facts['sent'], currency)} abroad before "
            f"{money(facts['charged_back'], currency)} was charged back."
        )

    def _window_s(self, spec: Spec) -> int:
        return int(min(1.9 * 5.0**self.difficulty, spec.days / 8) * DAY_S)

    def _charges(self, on: Canvas, shop: Int64) -> tuple[Int64, Int64, Int64, Int64]:
        """Payments of the members' cards, columns by member and number."""
        width = _CARDS * _EACH
        member = 1 + np.arange(width) // _EACH
        wide = on.placement.entities
        who = wide[:, np.minimum(member, wide.shape[1] - 1)]
        who = np.where(member < on.placement.members[:, None], who, -1)
        safe = np.maximum(who, 0)
        several = 3 + (on.u("several", _CARDS) * (_EACH - 2)).astype(np.int64)
        used = (who >= 0) & (np.arange(width) % _EACH < several[:, member - 1])
        card = on.account(safe)
        amount = self._sums(on, safe, width)
        u, days = on.u("charge-when", width), max(self._window_s(on.spec) // DAY_S, 1)
        night = (on.onset[:, None] // DAY_S + (on.u("charge-night", width) * days).astype(np.int64)) * DAY_S
        night = np.where(night + DAY_S // 5 < on.onset[:, None], night + DAY_S, night) + (
            u * 4.9 * HOUR_S
        ).astype(np.int64)
        until = on.onset + self._window_s(on.spec)
        manual = on.u("charge-way", width) < 1 - 0.6 * on.ordinary
        by_day, online = (on.within(on.onset, until, u, rhythm) for rhythm in ("day", "online"))
        at_night = on.u("charge-hours", width) < 1 - on.ordinary
        second = np.where(at_night, night, np.where(manual, by_day, online))
        way = np.where(manual, data.ways().code("manual_entry"), data.ways().code("ecommerce"))
        row = on.pay(on.every[:, None], second, amount, card, shop[:, None], way, "purchase", where=used)
        return row, second, amount, card

    def _sums(self, on: Canvas, who: Int64, width: int) -> Int64:
        """Whole tens when easy; in the holder's currency, and what the account was to bear at most."""
        scale = (
            of_each(
                lambda spec, people: (1_000 * ground.scale_of(spec, people)).astype(np.int64), on.spec, who
            )
            / 1_000
        )
        bears = of_each(ground.opening_minor, on.spec, who) + of_each(ground.overdraft_minor, on.spec, who)
        # From 0.5 on some shops are dear and others cheap.
        level = np.exp(on.ordinary * (0.8 * on.normal("level") - 0.32))
        mean = np.asarray(self.amount * 0.1**on.ordinary * level, np.float64)
        spread = 0.35 + 0.9 * on.ordinary
        wish = 100 * mean * scale * np.exp(spread * on.normal("charge", width) - spread**2 / 2)
        wish = np.minimum(wish, bears * 0.8 / _EACH)
        step = np.where(on.u("charge-round", width) < 1 - on.ordinary * 0.97, 1_000, 1)
        return np.maximum(wish // step * step, 100).astype(np.int64)

    def _paid_out(
        self, on: Canvas, shop: Int64, number: Int64, taken: Int64, last: Int64
    ) -> tuple[Int64, Int64]:
        """The takings and what else the account bears go to the owner, and from there abroad."""
        held, limit = terms.shop_bears(on.spec, on.part(on.homes), number)
        earned = _EARNS_A_DAY * on.scale * (last / DAY_S + 12)
        rest = held + earned + limit * (0.7 + 0.15 * on.one("emptied"))
        wanted = taken * (0.92 + 0.06 * on.one("paid-out")) + rest * (1 - on.ordinary)
        # The harder, the more each payment is as large as others of shops.
        usual = 100_000 * on.scale * np.exp(0.8 * on.normal("payout-size")[:, 0])
        many = np.clip(wanted / usual, 1, _PAYOUTS).astype(np.int64)
        several = np.where(on.one("as-usual") < on.ordinary, many, on.whole("payouts", 2, 6))
        weight = np.where(
            np.arange(_PAYOUTS) < several[:, None],
            np.exp((0.5 + 0.8 * on.ordinary) * on.normal("payout", _PAYOUTS)),
            0.0,
        )
        part = np.asarray(wanted[:, None] * weight / weight.sum(axis=1, keepdims=True), np.int64)
        even = np.maximum(part // 5_000 * 5_000, np.minimum(part, 5_000))
        amount = np.where(on.u("payout-round", _PAYOUTS) < 1 - on.ordinary * 0.95, even, part)
        # Card payments are booked within two nights.
        begin = last + 2 * DAY_S + 6 * HOUR_S
        u = np.sort(on.u("payout-when", _PAYOUTS), axis=1)
        when = on.ascending(on.within(begin, begin + 4 * DAY_S, u, "office"), 15 * 60)
        when = on.workday(when) if on.ordinary == 1 else when
        when = np.where((begin >= on.horizon)[:, None], on.horizon, when)
        owner = on.account(on.homes)
        # What the shop held before is the owner's own.
        share = np.minimum(1.0, taken / np.maximum(amount.sum(axis=1), 1))[:, None]
        disguised = on.u("payout-way", _PAYOUTS) < 0.55 * on.ordinary
        way = np.where(disguised, data.ways().code("supplier"), data.ways().code("payout"))
        told = on.pay(
            on.every[:, None], when, amount, shop[:, None], owner[:, None], way, "payout",
            tainted=np.asarray(amount * share, np.int64),
        )  # fmt: skip
        paid = np.where(told >= 0, amount, 0).sum(axis=1)
        done = np.where(told >= 0, when, -1).max(axis=1)
        return paid, self._abroad(on, paid, done, share)

    def _abroad(self, on: Canvas, paid: Int64, done: Int64, share: NDArray[np.float64]) -> Int64:
        """The owner's wires, within three days after the last payout; what they come to."""
        goes = paid * (0.91 + 0.07 * on.one("goes"))
        # The harder, the more each transfer is as large as those of other people.
        usual = 22_000 * on.scale * np.exp(0.6 * on.normal("exit-size")[:, 0])
        many = np.clip(goes / usual, 1, _EXITS).astype(np.int64)
        several = np.where(on.one("as-usual") < on.ordinary, many, on.whole("exits", 1, 4))
        weight = np.where(
            np.arange(_EXITS) < several[:, None],
            np.exp((0.3 + 1.1 * on.ordinary) * on.normal("exit", _EXITS)),
            0.0,
        )
        amount = np.asarray(goes[:, None] * weight / weight.sum(axis=1, keepdims=True), np.int64)
        liked = (on.u("exit-liked", _EXITS) < 0.45 * on.ordinary) & (amount >= 2_000)
        amount = np.where(liked, amount // 500 * 500, amount)
        u = np.sort(on.u("exit-when", _EXITS), axis=1)
        begin = done + HOUR_S
        until = begin + int(2.7 * DAY_S)
        awake = on.within(begin, until, u) if on.ordinary == 1 else on.paced(begin, until, u)
        when = on.ascending(awake, 15 * 60)
        when = np.where(((begin >= on.horizon) | (done < 0))[:, None], on.horizon, when)
        hidden = on.u("exit-where", _EXITS) < 0.6 * on.ordinary
        place = on.part(on.homes)[:, None]
        payee = np.where(hidden, on.at(place, "world"), on.at(place, "abroad"))
        transfer = on.one("exit-way") < on.ordinary
        way = np.where(transfer, data.ways().code("mobile"), data.ways().code("wire_web"))[:, None]
        told = on.pay(
            on.every[:, None], when, amount, on.account(on.homes)[:, None],
            payee, way, "exit",
            tainted=np.asarray(amount * share, np.int64),
        )  # fmt: skip
        return np.asarray(np.where(told >= 0, amount, 0).sum(axis=1), np.int64)

    def _charged_back(
        self, on: Canvas, row: Int64, amount: Int64, theirs: Int64, card: Int64, shop: Int64, last: Int64
    ) -> Int64:
        """Holders dispute nearly all charges; what the shop's account is debited."""
        wait = ((10 + 20 * on.u("dispute-wait", row.shape[1])) * DAY_S).astype(np.int64)
        when = last[:, None] + (wait * min(1.0, on.spec.days / 84)).astype(np.int64)
        disputed = (row >= 0) & (on.u("disputed", row.shape[1]) < 0.82 + 0.18 * on.u("disputes"))
        told = on.pay(
            on.every[:, None], when, theirs, shop[:, None], card, "chargeback", "dispute", refers=row,
            tainted=0, where=disputed,
        )  # fmt: skip
        return np.asarray(np.where(told >= 0, theirs, 0).sum(axis=1), np.int64)
