"""Sanctions evasion: a company pays an intermediary in a third country, who pays where it must not."""

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

_WIDTH, _TRIES = 4, 24


class SanctionsEvasion(schemes.Scheme):
    """Money reaches a country under sanctions by way of an account in a third one."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Sanctions evasion by an intermediary"
    hint: ClassVar[str] = (
        "Only owners of companies and shops qualify, some one customer in ten: raise `size`."
    )
    definition: ClassVar[str] = (
        "A company or shop that the customer owns (ownerships) sends, within 14 days (difficulty 0) to 40 "
        "days (1), 2 to 4 wires to the current account of one person (the intermediary) in another country "
        "(places.country), or, in a world of one country, to the outside account abroad of its place. After "
        "each wire is booked, the intermediary sends 81 to 97 % of it (after exchange) by one wire, or from "
        "0.5 on by up to two, to the outside account high_risk of the intermediary's place: at 0 ordered "
        "within 2 days after the wire in (median 12 hours), at 1 after days (median 4 days for each). The "
        "first wires average 4,800 EUR at German prices, those of shops a third of it; from 0.5 on few "
        "carry most."
    )
    source: ClassVar[str] = (
        "BIS, FinCEN and others 2023, Tri-Seal compliance note: third-party intermediaries"
    )
    share: ClassVar[float] = 0.06
    payments: ClassVar[float] = 6.0

    #: Both payments are orders of wires, and the first goes to a customer in another country.
    reveals: ClassVar[frozenset[str]] = frozenset(
        f"transactions.{column}"
        for column in (
            "channel",
            "authentication",
            "is_remote",
            "device_id",
            "ip_id",
            "payee_account_id",
            "payer_account_id",
            "payee_place",
            "currency",
            "credited_currency",
        )
    )

    kind: Literal["sanctions_evasion"] = "sanctions_evasion"
    amount: float = Field(
        default=3_000.0, gt=50, le=1e6, description="mean wire in euros at the prices of Germany; expert"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of companies or shops."""
        return schemes.owners(spec, entities, "employers", "merchants")

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The owner, and the intermediary where another country has places."""
        return np.full(homes.shape, 1 + int(self._countries(spec) > 1), np.int64)

    def recruit(self, spec: Spec, homes: Int64, members: Int64, taken: Int64) -> Int64 | None:
        """Anybody of another country, at a place that deals with the home's if there is one there."""
        if int(members.max()) < 2:
            return None
        home, tries = homes // spec.block, []
        steps = ground.steps(spec.parts)
        for attempt in range(_TRIES):
            u = ground.uniforms(spec, self.label, f"who-{attempt}", homes, 2)
            away = (home + steps[(u[:, 0] * steps.size).astype(np.int64)]) % spec.parts
            anywhere = np.minimum((u[:, 0] * spec.parts).astype(np.int64), spec.parts - 1)
            part = away if attempt < _TRIES // 2 else anywhere
            person = ground.someone(spec, part, u[:, 1])
            abroad = ground.country(spec, part) != ground.country(spec, home)
            tries.append(np.where(abroad, person, -1))
        return schemes.free_one(homes, taken, np.stack(tries, axis=1))[:, None]

    def span_s(self, spec: Spec) -> int:
        """All wires, and some days for the last."""
        return min(self._window_s(spec) + 6 * DAY_S, spec.days * DAY_S // 2)

    def draw(self, on: Canvas) -> Footprint:
        """Wires to the intermediary, and from there."""
        company, part = schemes.company(on), on.part(on.homes)
        number = on.whole("number", 2, _WIDTH)
        total = on.stolen("total", self.amount, log_sd=0.4)[:, 0] * number
        total = np.asarray(total * schemes.business_scale(on), np.int64)
        amount = schemes.liked(
            on,
            "wire",
            schemes.parts(
                on, "wire", np.maximum(total, 40_000), number, _WIDTH, sd=schemes.skew(on, 0.06, 1.2)
            ),
        )
        second = schemes.moments(
            on,
            "wire",
            on.onset,
            on.onset + self._window_s(on.spec),
            number,
            _WIDTH,
            rhythm="office",
            gap_s=6 * HOUR_S,
        )
        alone = on.placement.entities.shape[1] < 2
        between = on.at(part, "abroad") if alone else on.account(on.members(1))
        told = on.pay(
            on.every[:, None],
            second,
            amount,
            company[:, None],
            between[:, None],
            "wire_web",
            "hop",
            stage="layering",
        )
        came = schemes.received(on, second, amount, company[:, None], between[:, None])
        came = np.where(told >= 0, came, 0)
        passed = self._passed_on(on, second, came, between, "wire_in" if alone else "wire_web")
        kept = schemes.received(on, np.minimum(on.onset, on.horizon - 1), passed, between, company)
        return on.footprint(
            detected=schemes.suspected(on),
            wires=on.number("hop"),
            total=np.where(told >= 0, amount, 0).sum(axis=1),
            passed=kept,
            country=ground.country(on.spec, on.part_of(between)),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            f"From {said(spec, facts['started'])} on, a company sent {money(facts['total'], currency)} in "
            f"{facts['wires']} wires to an intermediary in a third country, who passed the worth of "
            f"{money(facts['passed'], currency)} on to a country under sanctions."
        )

    def _passed_on(self, on: Canvas, since: Int64, came: Int64, between: Int64, way: str) -> Int64:
        """Most of each wire goes on, in one wire or two; what went in all, in the intermediary's currency."""
        outside = on.at(on.part_of(between), "high_risk")[:, None]
        whole = came * (0.83 + 0.13 * on.u("passed", _WIDTH))
        two = on.u("two", _WIDTH) < 0.5 * on.ordinary
        first = np.where(two, 0.3 + 0.4 * on.u("cut", _WIDTH), 1.0)
        total, at = np.zeros(on.n, np.int64), since
        for column, share in enumerate((first, 1 - first)):
            begun = at + schemes.WIRE_S
            wait = on.between(12 * HOUR_S, 4 * DAY_S) * np.exp(0.4 * on.normal(f"onward-{column}", _WIDTH))
            begun = begun + np.minimum(wait, on.between(30 * HOUR_S, 12 * DAY_S)).astype(np.int64)
            u = on.u(f"hour-{column}", _WIDTH)
            # Who takes care pays when offices do.
            by_day = on.within(begun, begun + 14 * HOUR_S, u, "office")
            told_at = by_day if on.ordinary == 1 else on.paced(begun, begun + 6 * HOUR_S, u)
            at = np.where(begun >= on.horizon, on.horizon, told_at)
            amount = np.asarray(whole * share, np.int64)
            told = on.pay(
                on.every[:, None], at, amount, between[:, None], outside, way, "exit", stage="integration"
            )
            total += np.where(told >= 0, amount, 0).sum(axis=1)
        return total

    def _countries(self, spec: Spec) -> int:
        return int(np.unique(ground.country(spec, np.arange(min(spec.parts, 64)))).size)

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 14, 40)
