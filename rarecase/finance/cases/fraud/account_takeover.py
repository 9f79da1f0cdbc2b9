"""Account takeover: somebody else signs in and sends the customer's money away."""

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
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import USUAL, Footprint
from rarecase.finance.cases.fraud.cards import (
    REMOTE,
    Paid,
    kinds_of_shops,
    loss,
    prices,
    shop_places,
    shops,
    stop_cards,
)
from rarecase.finance.cases.fraud.forwarding import (
    Came,
    came,
    days_later,
    pass_on,
    payee_checks,
    recall,
    stop_mules,
)
from rarecase.finance.cases.fraud.scams import mule_accounts, mules, within_means
from rarecase.finance.schema import DECLINE_REASONS

MOST = 7
_PURCHASES = 4
_SUSPECTED, _BLOCKED = (DECLINE_REASONS.index(word) for word in ("suspected_fraud", "blocked_card"))


class AccountTakeover(BankCase):
    """A stranger's device drains a customer's account, and turns to the card when the bank refuses."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Account takeover"
    definition: ClassVar[str] = (
        "Between 2 and 7 remote transfers leave one customer's account for 1 to 3 payees it never paid "
        "before, within an hour at difficulty 0 and two days at 1, at 0 from a device first seen less than "
        "two hours before (at 1 in four cases of ten, days before). In three cases of ten with three "
        "transfers or more the bank refuses the third and what follows it (suspected_fraud), and most of "
        "those offenders go on with 1 to 4 remote card purchases until the card is stopped too. Each payee, "
        "unless stopped before, passes on at least three quarters of each credit of 200 units or more "
        "within 24 hours (two days from 0.5 on), by cash withdrawals or by one transfer or wire (up to "
        "three at 1). Once the bank knows, the card is stopped and replaced, in most cases the account is "
        "stopped for up to two days, and some of the money is recalled. An e-mail address or telephone "
        "number is changed in seven cases of ten (0)."
    )
    source: ClassVar[str] = (
        "UK Finance, Annual Fraud Report 2025 (unauthorised remote banking fraud); drain to new payees "
        "from a new device as in PaySim (Lopez-Rojas and others 2016, EMSS)"
    )
    reveals: ClassVar[frozenset[str]] = REMOTE

    kind: Literal["account_takeover"] = "account_takeover"
    amount: float = Field(
        default=1_100.0,
        gt=1,
        le=1e6,
        description="mean transfer in units of the currency, before what the account can bear cuts it short; "
        "published: 1,715 EUR per transfer to a mule (EMMA 5), over 2,000 EUR per fraudulent credit "
        "transfer of all payers (EEA 2024)",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Cases a year and customer, from the value of fraudulent transfers that no payer was talked into."""
        return Natural(
            0.0008,
            "entity-year",
            "expert",
            "EBA and ECB, Report on payment fraud, December 2025: 2.5 billion EUR of fraudulent credit "
            "transfers in 2024, less than half of the value without manipulation of the payer; taken as "
            "1.2 billion EUR in cases of some 4,000 EUR among 370 million adults",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there are enough others to send money to."""
        return np.full(entities.shape, spec.size > 5)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The victim, who collects, and one to three mules."""
        return 3 + keyed_integers(spec.seed, ("case", self.label, "mules"), homes, 3)

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        """Who collects lives where the victim does, so that every mule deals with the collector."""
        away = super()._distances(spec, homes, widest)
        away[:, :1] = 0
        return away

    def span_s(self, spec: Spec) -> int:
        """Seconds from the onset to the last transfer."""
        return int(min(2 + 2 * self.difficulty, spec.days / 2) * DAY_S)

    def draw(self, on: Canvas) -> Footprint:
        """Transfers to mules, what they do with the money, and who notices when."""
        number = 2 + keyed_integers(on.spec.seed, ("case", self.label, "number"), on.homes, MOST - 1)
        second = self._moments(on)
        new_device = self._brings(on, second[:, 0])
        midway = (on.one("midway") < 0.3) & (number > 2)
        got, refused = self._drains(on, number, second, new_device, midway)
        last = np.where(got.real, got.second, -1).max(axis=1)
        reported, detected = on.noticed(last, told=0.88, hours=20, found=0.25, found_hours=4)
        call = refused + (HOUR_S * (0.5 + 6 * on.one("call"))).astype(np.int64)
        detected = np.where(midway, np.minimum(detected, np.where(call < on.horizon, call, NEVER)), detected)
        known = np.minimum(reported, detected)
        bought = self._purchases(on, refused, known, new_device, midway)
        self._stops(on, known)
        left = pass_on(on, "mule", got, on.members(1), stop_mules(on, mules(on), known))
        back = recall(on, got, left, known, 0.5).sum(axis=1)
        lost = got.paid.sum(axis=1) + loss(on, bought)
        back = np.minimum(back, lost)
        paid = on.reimburse(lost - back, known, 0.85)
        return on.footprint(
            reported=reported,
            detected=detected,
            loss=lost,
            recovered=back,
            reimbursed=paid,
            payments=got.real.sum(axis=1),
            total=got.paid.sum(axis=1),
            last_second=np.maximum(last, 0),
            purchases=(bought.row >= 0).sum(axis=1),
            new_device=new_device.astype(np.int64),
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        device = "a device never seen before" if facts["new_device"] else "the customer's own device"
        known = min(facts["reported"], facts["detected"])
        end = (
            f"it was noticed at {said(spec, known)}"
            if known != NEVER
            else "nobody reported or stopped it within the data"
        )
        card = f", then bought with the card {facts['purchases']} times," if facts["purchases"] else ""
        return (
            f"From {said(spec, facts['started'])} on, a stranger using {device} sent "
            f"{money(facts['total'], facts['currency'])} away in {facts['payments']} transfers{card} until "
            f"{said(spec, facts['last_second'])}; {end}."
        )

    def _moments(self, on: Canvas) -> Int64:
        """Seconds of each transfer, shape (n, 7): easy ones often begin at night."""
        day = on.onset // DAY_S * DAY_S
        night = day + (5 * HOUR_S * on.one("night-hour")).astype(np.int64)
        awake = on.within(day, day + DAY_S, on.one("hour"))
        begin = np.where(on.one("night") < 0.5 * (1 - self.difficulty) ** 2, night, awake)
        window = min(int(on.between(3_400, 47 * HOUR_S)), on.horizon // 2)
        u = np.sort(on.u("gap", MOST), axis=1)
        u[:, 0] = 0.0
        return on.ascending(on.paced(begin, begin + window, u), 40)

    def _brings(self, on: Canvas, first: Int64) -> NDArray[np.bool_]:
        """The stranger's device and network, and the contact data that he changes."""
        brings = on.one("device") < 1 - 0.6 * self.difficulty
        lead = np.maximum(on.between(240, 86_400) * np.exp(1.3 * on.normal("lead")[:, 0]), 20)
        lead = np.minimum(lead, on.between(7_000, 20 * DAY_S))
        on.device(on.every, on.homes, np.maximum(first - lead.astype(np.int64), 0), where=brings)
        on.network(on.every, "hosting", where=self._hosted(on))
        changed = on.one("contact") < 0.7 * (1 - 0.5 * self.difficulty)
        by_mail = on.one("contact-kind") < 0.5
        value = (on.one("contact-value") * 1e6).astype(np.int64)
        on.edit(on.every, on.homes, "email", value, where=changed & by_mail)
        on.edit(on.every, on.homes, "phone", value, where=changed & ~by_mail)
        return brings

    def _hosted(self, on: Canvas) -> NDArray[np.bool_]:
        return on.one("network") < 0.9 - 0.5 * self.difficulty

    def _drains(
        self,
        on: Canvas,
        number: Int64,
        second: Int64,
        new_device: NDArray[np.bool_],
        midway: NDArray[np.bool_],
    ) -> tuple[Came, Int64]:
        """Transfers to mules, refused from the third on where the bank wakes up; and when it does."""
        amount = on.stolen("size", self.amount, MOST, 0.5 + 1.0 * on.ordinary)
        amount = within_means(on, np.where(np.arange(MOST) < number[:, None], amount, 0))
        account = mule_accounts(on, np.broadcast_to(np.arange(MOST), second.shape))
        mobile = np.broadcast_to((on.one("way") < 0.7)[:, None], second.shape)
        home = np.broadcast_to(on.account(on.homes)[:, None], second.shape)
        stopped = midway[:, None] & (np.arange(MOST) >= 2)
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            home,
            account,
            np.where(mobile, data.ways().code("mobile"), data.ways().code("web")),
            "drain",
            device=new_device[:, None].astype(np.int64),
            ip=self._hosted(on)[:, None].astype(np.int64),
            declined=np.where(stopped, _SUSPECTED, USUAL),
            payee_check=payee_checks(on, "payee-check", MOST),
            where=(np.arange(MOST) < np.where(midway, np.minimum(number, 4), number)[:, None]),
        )
        refused = np.where(midway, second[:, 2], on.horizon)
        return came(on, np.where(stopped, -1, row), second, amount, home, account), refused

    def _purchases(
        self,
        on: Canvas,
        refused: Int64,
        known: Int64,
        new_device: NDArray[np.bool_],
        midway: NDArray[np.bool_],
    ) -> Paid:
        """Where transfers are refused the offender goes on with the card, until that is stopped too."""
        gaps = (600 + 5_400 * on.u("card-gap", _PURCHASES)).astype(np.int64)
        second = refused[:, None] + np.cumsum(gaps, axis=1)
        part = shop_places(on, "card-place", _PURCHASES, 0.8)
        shop, kind = shops(on, "card-shop", part, kinds_of_shops(1.0, 0.0))
        amount = prices(on, "card-price", kind, 2.0)
        payer = np.broadcast_to(on.account(on.homes)[:, None], second.shape)
        payee = on.at(part, "merchants", shop)
        number = 1 + (_PURCHASES * on.one("card-uses")).astype(np.int64)
        goes_on = midway & (on.one("turns") < 0.75)
        late = second >= known[:, None]
        row = on.pay(
            on.every[:, None],
            second,
            amount,
            payer,
            payee,
            "ecommerce",
            "purchase",
            device=new_device[:, None].astype(np.int64),
            ip=self._hosted(on)[:, None].astype(np.int64),
            declined=np.where(late, _BLOCKED, USUAL),
            where=goes_on[:, None] & (np.arange(_PURCHASES) < number[:, None]),
        )
        return Paid(np.where(late, -1, row), second, amount, payer, payee)

    def _stops(self, on: Canvas, known: Int64) -> None:
        """The card is stopped and replaced; the whole account for up to two days, until it is in order."""
        stop_cards(on, on.homes, known)
        until = days_later(known, 0.3 + 1.7 * on.one("account-stopped"))
        on.stop(on.every, on.account(on.homes), known, until, "account", where=on.one("account-stop") < 0.6)
