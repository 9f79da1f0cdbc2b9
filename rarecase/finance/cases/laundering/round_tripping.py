"""Round-tripping: own money leaves through shells and comes home as if it were somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_DEPOSITS, _OUT, _BACK = 6, 5, 3


class RoundTripping(schemes.Scheme):
    """Cash goes through own and strangers' shells abroad, and returns as investment to its owner."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Round-tripping"
    hint: ClassVar[str] = "Only owners of shell companies qualify, one customer in sixty: raise `size`."
    definition: ClassVar[str] = (
        "The customer owns a shell company (ownerships, organisations.kind shell). 2 to 6 cash deposits, "
        "each below the limit on cash of structuring, reach the customer's current account within 4 days "
        "(difficulty 0) to 10 days (1); then 1 to 3 transfers (0; 3 to 5 from 0.5 on) go from it to the "
        "own shell, in half of the cases one payment of business (up to 2 from 0.5 on) from there to the "
        "shell of another customer, from the last shell one wire to the outside account abroad of the "
        "shell's place, and 1 to 3 wires come back from abroad (the account of the customer's place) to "
        "the customer's current account. Every step begins after the one before has ended and is booked; "
        "each carries 96.5 to 99.5 % of the one before (after exchange), so that at least 85 % returns. "
        "Waits at each step have a median of half a day at 0 and of a day at 1. The sum averages 8,000 "
        "EUR at German prices at 0 and 5,000 from 0.5 on; from 0.5 on few parts carry most."
    )
    source: ClassVar[str] = "FATF and Egmont 2018, Concealment of beneficial ownership (round-tripping)"
    share: ClassVar[float] = 0.05
    payments: ClassVar[float] = 9.0

    kind: Literal["round_tripping"] = "round_tripping"
    amount: float = Field(
        default=8_000.0,
        gt=100,
        le=1e7,
        description="mean sum of a case in euros at the prices of Germany; expert",
    )
    nominees: float = Field(
        default=0.5, ge=0, le=1, description="share of cases that use a second, foreign shell"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of shells."""
        return schemes.owners(spec, entities, "shells")

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The owner, and in some cases the owner of a second shell."""
        second = keyed_uniform(spec.seed, ("case", self.label, "nominee"), homes) < self.nominees
        return 1 + (second & (spec.size > 1)).astype(np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Owners of shells at the home's place, or below 0.5 at one that deals with it."""
        if int(members.max()) < 2:
            return None
        nearby = 0.3 + 0.7 * ground.ordinary_share(self.difficulty)
        tries, several = [], ground.slots(spec.block).shells_n
        for attempt in range(12):
            u = ground.uniforms(spec, self.label, f"who-{attempt}", homes, 2)
            part = ground.near_part(spec, homes // spec.block, u[:, 0], nearby)
            number = np.minimum((u[:, 1] * several).astype(np.int64), several - 1)
            person = ground.owner(spec, part, "shells", number)
            tries.append(np.where((members > 1) & self.eligible(spec, person), person, -1))
        return schemes.free_one(homes, taken, np.stack(tries, axis=1))[:, None]

    def span_s(self, spec: Spec) -> int:
        """Deposits, and three times as long for the way round."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 4.0, 1.5)

    def draw(self, on: Canvas) -> Footprint:
        """Deposits, the way out through shells, and the way back."""
        spec, part, account = on.spec, on.part(on.homes), on.account(on.homes)
        number = on.whole("number", 2 + round(2 * on.ordinary), _DEPOSITS)
        limit = schemes.limit_minor(spec, part) * 9 // 10
        total = on.stolen("total", self.amount * 0.62**on.ordinary, log_sd=0.4 + 0.5 * on.ordinary)[:, 0]
        total = np.minimum(np.maximum(total, 40_000), number * limit * 8 // 10)
        amount = schemes.notes(schemes.parts(on, "deposit", total, number, _DEPOSITS, most=limit))
        second = schemes.moments(on, "deposit", on.onset, on.onset + self._window_s(spec), number, _DEPOSITS)
        paid = schemes.paid_in(on, "deposit", second, amount, account[:, None], part[:, None])
        own = self._shell(on, 0)
        out = schemes.sent_on(
            on,
            "out",
            paid.last(on.onset),
            self._kept(on, "out", paid.total),
            account,
            own,
            width=_OUT,
            number=schemes.several(on, "out-number", (1, 3), (3, _OUT)),
            easy_s=12 * HOUR_S,
            hard_s=DAY_S,
            role="hop",
        )
        at, carried, holder = out.last(paid.last(on.onset)), out.total, own
        if on.placement.entities.shape[1] > 1:
            there = on.members(1) >= 0
            nominee = np.where(there, self._shell(on, 1), own)
            paid_on = schemes.sent_on(
                on,
                "shell",
                at,
                self._kept(on, "shell", carried),
                own,
                nominee,
                width=_OUT,
                number=schemes.several(on, "shell-number", (1, 1), (1, 2)),
                easy_s=12 * HOUR_S,
                hard_s=DAY_S,
                role="hop",
                ways=schemes.settled(on, "shell", _OUT),
                rhythm="office",
                even=on.ordinary < 1,
            )
            came = schemes.received(on, paid_on.second, paid_on.amount, own[:, None], nominee[:, None])
            came = np.where(paid_on.amount > 0, came, 0).sum(axis=1)
            carried = np.where(there, came, carried)
            at = paid_on.last(at)
            holder = nominee
        abroad = on.at(on.part_of(holder), "abroad")
        at, carried = self._hop(on, "abroad", at, carried, holder, abroad)
        home = on.at(part, "abroad")
        carried = schemes.received(on, np.minimum(at, on.horizon - 1), carried, abroad, home)
        back = schemes.sent_on(
            on,
            "back",
            at,
            self._kept(on, "back", carried),
            home,
            account,
            width=_BACK,
            number=on.whole("back-number", 1, 1 + round(2 * on.ordinary)),
            easy_s=12 * HOUR_S,
            hard_s=DAY_S,
            role="exit",
            stage="integration",
            ways=("wire_in", "wire_in"),
            least_s=schemes.WIRE_S,
            rhythm="office",
        )
        return on.footprint(
            detected=schemes.suspected(on),
            shells=on.placement.members,
            total=paid.total,
            left=out.total,
            returned=back.total,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        through = "the own shell company" if facts["shells"] == 1 else "two shell companies"
        return (
            f"From {said(spec, facts['started'])} on, {money(facts['total'], currency)} of cash was paid "
            f"in and {money(facts['left'], currency)} went abroad through {through}; "
            f"{money(facts['returned'], currency)} came back to the owner until "
            f"{said(spec, facts['ended'])}."
        )

    def _shell(self, on: Canvas, position: int) -> Int64:
        """The shell of a member."""
        who = np.maximum(on.members(position), 0)
        return on.at(on.part(who), "shells", np.maximum(ground.owned(on.spec, who, "shells"), 0))

    def _kept(self, on: Canvas, what: str, amount: Int64) -> Int64:
        """What is left of a sum after the fee of a step."""
        return np.asarray(amount * (1 - 0.006 - 0.028 * on.one(f"{what}-fee")), np.int64)

    def _hop(
        self, on: Canvas, what: str, since: Int64, carried: Int64, payer: Int64, payee: Int64
    ) -> tuple[Int64, Int64]:
        """One wire onward; when it can be used, and what arrived."""
        at = schemes.later(on, what, since, 12 * HOUR_S, DAY_S, rhythm="office")
        amount = self._kept(on, what, carried)
        told = on.pay(on.every, at, amount, payer, payee, "wire_web", "hop", stage="layering")
        arrived = schemes.received(on, np.minimum(at, on.horizon - 1), amount, payer, payee)
        return at + schemes.WIRE_S, np.where(told >= 0, arrived, 0)

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 4, 10)
