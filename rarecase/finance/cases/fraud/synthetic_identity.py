"""Synthetic identity: people who do not exist use their cards well, have limits raised, and are gone."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.case import Natural
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground, opening, terms
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.fraud import buying
from rarecase.finance.cases.fraud.accomplices import chosen
from rarecase.finance.cases.fraud.forwarding import exchanged

_MOST, _SMALL, _LARGE, _DRAWS, _MONTHLY = 4, 16, 8, 8, 4
_MONTH_S, _NEW_DAYS = 30 * DAY_S, 730


class SyntheticIdentity(BankCase):
    """Two to four invented people with one telephone or address draw all that cards bear, and vanish."""

    compared_within: ClassVar[dict[str, str]] = {**BankCase.compared_within, "accounts": "kind"}
    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Synthetic identity bust-out"
    hint: ClassVar[str] = (
        "Only customers of less than two years with a credit card account that they pay off qualify, three "
        "in a hundred: raise `size`."
    )
    definition: ClassVar[str] = (
        "2 to 4 customers who came less than two years before the data (onboarded_on), each with a card "
        "account (accounts.kind card) whose limit was raised, have the same telephone number, the same "
        "street or both (both in nearly all cases at difficulty 0, one of the two at 1). For months they "
        "use the card and pay all of it from the current account (card_bill). Then, within the same 4 days "
        "(difficulty 0) to 16 days (1) by time of order, purchases and cash withdrawals on each member's "
        "card account add up to at least 70 % of its credit_limit_minor, at least one of them cash; none "
        "of that is ever paid: from then on to the end of the data the card account's balance never rises "
        "above half of the limit below zero. At 0 the sum goes into few dear purchases; from 0.5 on most "
        "of the purchases are as small as usual. Ordinary use of card and account goes on beside it until "
        "the bank, some 40 days later, stops the card accounts."
    )
    source: ClassVar[str] = (
        "Federal Reserve, Synthetic Identity Fraud in the U.S. Payment System 2019 (mixed identities, good "
        "use, bust-out)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "accounts.credit_limit_minor",
            "accounts.opened_on",
            "customers.onboarded_on",
            "customers.phone",
            "customers.street",
            "declines",
            "transactions.purpose",
        }
    )

    kind: Literal["synthetic_identity"] = "synthetic_identity"
    use: float = Field(
        default=0.93, gt=0.8, le=1.0, description="share of the raised limit that is drawn; expert"
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Invented people among the customers, by their bust-outs a year."""
        return Natural(
            1e-4,
            "entity-year",
            "expert",
            "one customer in 10,000 a year: no published count of persons; the Federal Reserve (2019) "
            "calls it the fastest growing financial crime of the United States without one",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Customers of less than two years with a credit card that they pay off."""
        holds = ground.has_card_account(spec, entities) & ~terms.card_revolves(spec, entities)
        # Who has an account that sleeps came longer ago.
        holds &= ground.second_account(spec, entities) != ground.SLEEPING
        return np.asarray(holds & (ground.onboarded_days(spec, entities) < _NEW_DAYS), np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """Two to four identities."""
        return 2 + keyed_integers(spec.seed, ("case", self.label, "members"), homes, _MOST - 1)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Others of the home's place, as far as there are any."""
        part = homes // spec.block
        there = {place: self._candidates(spec, place) for place in np.unique(part).tolist()}

        def neighbour(position: int, attempt: int, rows: Int64) -> Int64:
            u = ground.uniforms(spec, self.label, f"who-{position}-{attempt}", homes[rows], 1)[:, 0]
            people = [there[place] for place in part[rows].tolist()]
            found = [
                int(who[int(v * who.size)]) if who.size else -1 for who, v in zip(people, u, strict=True)
            ]
            return np.array(found, np.int64)

        others = np.full((homes.size, int(members.max()) - 1), -1, np.int64)
        return chosen(homes, members, taken, others, neighbour)

    def span_s(self, spec: Spec) -> int:
        """Good months and the end."""
        return self._good_s(spec) + self._bust_s(spec) + 2 * DAY_S

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """Uniform over the days that leave room for what each case takes, microseconds after the start."""
        takes = self._good(spec, homes) + self._bust_s(spec) + 2 * DAY_S
        room = np.maximum(spec.horizon_us - takes * ground.SECOND_US, ground.SECOND_US)
        return (keyed_uniform(spec.seed, ("onset", self.label), homes) * room).astype(np.int64)

    def draw(self, on: Canvas) -> Footprint:
        """Good use, contact data, limits, and the end."""
        lost, charged = np.zeros(on.n, np.int64), np.zeros(on.n, np.int64)
        both, phone = on.one("both") < 1 - 0.9 * on.ordinary, on.one("which") < 0.6
        contact = on.spec.size + on.homes
        bust = on.onset + self._good(on.spec, on.homes)
        for position in range(on.placement.entities.shape[1]):
            here = on.members(position) >= 0
            who = np.maximum(on.members(position), 0)
            on.edit(on.every, who, "phone", contact, where=here & (both | phone))
            on.edit(on.every, who, "street", contact, where=here & (both | ~phone))
            limit = self._raised(on, position, who)
            on.edit(on.every, who, "card_limit", limit, where=here)
            unpaid = self._use_well(on, position, who, here)
            drawn = self._end(on, position, who, here, bust, limit, unpaid)
            mine = np.where(here, drawn + unpaid, 0)
            lost += exchanged(on, bust, mine, on.account(who), on.account(on.homes))
            charged += np.where(here, 1, 0)
        done = bust + self._bust_s(on.spec)
        _, detected = on.noticed(done, told=0.0, hours=24.0, found=0.95, found_hours=40 * 24.0)
        for position in range(on.placement.entities.shape[1]):
            who = on.members(position)
            card = on.account(np.maximum(who, 0), "card")
            on.stop(on.every, card, detected, np.full(on.n, on.horizon), "account", where=who >= 0)
        return on.footprint(
            detected=detected, loss=lost, borne_by="bank", identities=charged, bust_second=bust, total=lost,
            days=np.full(on.n, self._bust_s(on.spec) // DAY_S),
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"{facts['identities']} invented people who shared contact data used their cards well until "
            f"{said(spec, facts['bust_second'])}, then drew {money(facts['total'], facts['currency'])} in "
            f"{facts['days']} days and never paid it."
        )

    def _candidates(self, spec: Spec, place: int) -> Int64:
        people = np.arange(place * spec.block, min((place + 1) * spec.block, spec.size))
        return np.asarray(people[self.eligible(spec, people)], np.int64)

    def _good_s(self, spec: Spec) -> int:
        return max(min(180 * DAY_S, spec.days * DAY_S // 2 - self._bust_s(spec) - 2 * DAY_S), DAY_S)

    def _good(self, spec: Spec, homes: Int64) -> Int64:
        """Seconds of good use of each case, from a third of the most to all of it."""
        u = keyed_uniform(spec.seed, ("case", self.label, "good"), homes)
        return np.asarray((0.3 + 0.7 * u) * self._good_s(spec), np.int64)

    def _bust_s(self, spec: Spec) -> int:
        return int(min(3.5 * (15 / 3.5) ** self.difficulty, spec.days / 6) * DAY_S)

    def _raised(self, on: Canvas, position: int, who: Int64) -> Int64:
        before = terms.card_limit_minor(on.spec, who)
        times = on.between(1.6, 1.25) + on.between(0.9, 0.4) * on.one(f"raised-{position}")
        return np.asarray(before * times // 10_000 * 10_000, np.int64)

    def _use_well(self, on: Canvas, position: int, who: Int64, here: NDArray[np.bool_]) -> Int64:
        """Some more purchases each month, each month's sum paid 12 days after it; returns what is not."""
        good = self._good(on.spec, on.homes)
        months = max(2, self._good_s(on.spec) // _MONTH_S)
        each, name = (good // months)[:, None], f"good-{position}"
        width = months * _MONTHLY
        shop, kind = buying.where_bought(on, name, who, width, "counter")
        way = buying.ways_at(on, name, kind)
        month = np.repeat(np.arange(months), _MONTHLY)
        since = on.onset[:, None] + month * each
        u = on.u(f"{name}-when", width)
        second = opening.while_open(on.spec, shop, on.within(since, since + each * 4 // 5, u, "day"))
        amount = buying.ordinary_prices(on, name, kind, who)
        told = on.pay(
            on.every[:, None], second, amount, on.account(who, "card")[:, None], shop, way, "own_use",
            tainted=0,
            where=here[:, None] & (on.u(f"{name}-many", width) < 0.7),
        )  # fmt: skip
        owed = np.where(told >= 0, amount, 0).reshape(on.n, months, _MONTHLY).sum(axis=2)
        due = on.onset[:, None] + (np.arange(months) + 1) * each + each * 2 // 5
        batch = ground.batch().at(on.u(f"{name}-bill", months).ravel()).reshape(due.shape) // ground.SECOND_US
        paid = on.pay(
            on.every[:, None], on.workday(due // DAY_S * DAY_S + batch), owed, on.account(who)[:, None],
            on.account(who, "card")[:, None], "card_bill", "repayment", tainted=0,
            where=here[:, None] & (np.arange(months) < months - 1),
        )  # fmt: skip
        return np.asarray(np.where(paid >= 0, 0, owed).sum(axis=1), np.int64)

    def _end(
        self, on: Canvas, position: int, who: Int64, here: NDArray[np.bool_], bust: Int64, limit: Int64,
        unpaid: Int64,
    ) -> Int64:  # fmt: skip
        """Purchases and cash up to the limit; returns what they come to."""
        name, until = f"end-{position}", bust + self._bust_s(on.spec)
        card = on.account(who, "card")
        # Ordinary use of the card stands beside it: a tenth of the limit as it was.
        before = terms.card_limit_minor(on.spec, who)
        wanted = self.use * limit * (0.96 + 0.04 * on.one(f"{name}-use")) - before // 10 - unpaid
        total = np.maximum(wanted, limit * 3 // 4).astype(np.int64)
        wish = np.asarray(total * (0.1 + 0.2 * on.one(f"{name}-cash")), np.int64)
        cash = np.maximum(buying.drawn_sums(on, name, who, wish, _DRAWS), 0)
        least = terms.notes(on.spec, who, np.full(on.n, 5_000))
        cash[:, 0] = np.where(cash.sum(axis=1) == 0, least, cash[:, 0])
        when = on.ascending(on.within(bust, until, on.u(f"{name}-drawn", _DRAWS), "cash"), 300)
        on.pay(
            on.every[:, None], when, cash, card[:, None], on.at(on.part(who), "cash")[:, None], "cash_out",
            "cash_out", where=here[:, None],
        )  # fmt: skip
        rest = total - cash.sum(axis=1)
        spent = self._small(on, f"{name}-small", who, here, (bust, until), rest)
        number = 3 + (on.one(f"{name}-several") * (_LARGE - 2)).astype(np.int64)
        weight = buying.weights(on, f"{name}-parts", number, _LARGE, 0.4 + 0.8 * on.ordinary)
        large = np.asarray((rest - spent)[:, None] * weight, np.int64)
        shop, kind = buying.where_bought(on, f"{name}-large", who, _LARGE, "dear")
        way = buying.ways_at(on, f"{name}-large", kind)
        second = buying.moments(on, f"{name}-large", bust, until, way, shop)
        row = on.pay(
            on.every[:, None], second, large, card[:, None], shop, way, "purchase", where=here[:, None]
        )
        return np.asarray(cash.sum(axis=1) + spent + np.where(row >= 0, large, 0).sum(axis=1), np.int64)

    def _small(
        self,
        on: Canvas,
        name: str,
        who: Int64,
        here: NDArray[np.bool_],
        window: tuple[Int64, Int64],
        rest: Int64,
    ) -> Int64:
        """Purchases at usual prices, more of them the harder, at most a third of what is left; their cost."""
        number = np.rint(on.ordinary * (10 + 6 * on.one(f"{name}-several"))).astype(np.int64)
        shop, kind = buying.where_bought(on, name, who, _SMALL, "counter")
        way = buying.ways_at(on, name, kind)
        amount = np.where(np.arange(_SMALL) < number[:, None], buying.ordinary_prices(on, name, kind, who), 0)
        amount = np.where(np.cumsum(amount, axis=1) <= rest[:, None] // 3, amount, 0)
        second = buying.moments(on, name, *window, way, shop)
        row = on.pay(
            on.every[:, None], second, amount, on.account(who, "card")[:, None], shop, way, "purchase",
            where=here[:, None],
        )  # fmt: skip
        return np.asarray(np.where(row >= 0, amount, 0).sum(axis=1), np.int64)
