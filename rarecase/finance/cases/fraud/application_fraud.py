"""Application fraud: an account in another's name, a loan paid into it, and everything gone."""

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
from rarecase.finance.cases.fraud import buying
from rarecase.finance.cases.fraud.accomplices import WithAccomplices
from rarecase.finance.cases.fraud.forwarding import Came, came, pass_on, payee_checks

_MOST, _LARGE = 8, 4


class ApplicationFraud(WithAccomplices):
    """A stranger opens an account in the customer's name and borrows; mules take the money away."""

    compared_within: ClassVar[dict[str, str]] = {**WithAccomplices.compared_within, "accounts": "kind"}
    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Application fraud"
    definition: ClassVar[str] = (
        "A customer who had none gets a second account (accounts.kind second, never used before the data) "
        "within the data, and a device never seen before signs in for the customer minutes (difficulty 0) "
        "to days (1) before its first transfer, from a hosting network (in all cases at 0, in one of four "
        "at 1). Half a day to 2 days later (0; up to 10 days at 1) a branch pays a loan (payment_type loan) "
        "into that account. 2 to 4 transfers at 0, up to 8 at 1, of the new device then take 90 to 99 % of "
        "it within 36 hours (0) to 10 days (1) after the loan to 1 to 3 customers who draw it as cash or "
        "send it on within a day each (two days from 0.5 on); nothing of the loan is ever paid back by the "
        "account in instalments. At 0 the transfers are of like size, from 0.5 on few carry most of it."
    )
    source: ClassVar[str] = (
        "Cifas, Fraudscape 2024 (identity fraud and false applications); Feedzai BAF (Jesus and others 2022, "
        "NeurIPS)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset(
        {
            "devices.first_seen_at",
            "ip_addresses.network",
            "accounts.opened_on",
            "accounts.last_used_on",
            "accounts.opening_balance_minor",
            "transactions.payee_check",
            "declines",
        }
    )

    kind: Literal["application_fraud"] = "application_fraud"
    amount: float = Field(
        default=6_500.0,
        gt=100,
        le=1e6,
        description="mean loan at difficulty 0 in euros at the prices of Germany, half as much at 1; expert",
    )

    def natural(self, spec: Spec) -> Natural | None:
        """Loans in other people's names."""
        return Natural(
            4e-4,
            "entity-year",
            "expert",
            "four in 10,000 customers a year: order of magnitude of Cifas' some 250,000 filings of "
            "identity fraud a year among 55 million adults of the United Kingdom, of which one in ten is "
            "for a loan account (shares from general knowledge)",
            counts="cases",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Customers without a second account, where there is somebody else."""
        none = ground.second_account(spec, entities) == ground.NO_SECOND
        return np.asarray(none & (spec.size > 4), np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The victim, who collects, and one to three mules."""
        return 3 + keyed_integers(spec.seed, ("case", self.label, "mules"), homes, 3)

    def span_s(self, spec: Spec) -> int:
        """Application, loan and drain."""
        return self._wait_s(spec) + self._drain_s(spec) + DAY_S

    def draw(self, on: Canvas) -> Footprint:
        """The account, the loan, the drain, and what the bank gets back."""
        second = on.account(on.homes, "second")
        opened = on.within(on.onset, on.onset + DAY_S, on.one("opened"), "office")
        on.edit(on.every, on.homes, "second_account", opened)
        lent, since = self._loan(on, opened, second)
        got, first = self._drained(on, lent, since, second)
        lead = on.between(20 * MINUTE_S, 4 * DAY_S) * np.exp(0.8 * on.normal("lead")[:, 0])
        on.device(on.every, on.homes, np.maximum(first - np.maximum(lead, 60).astype(np.int64), 0))
        hosted = on.one("hosted") < 1 - 0.75 * on.difficulty
        on.network(on.every, "hosting", 1, where=hosted)
        on.network(on.every, "mobile", 1, where=~hosted)
        ends = np.where(got.real, got.second, -1).max(axis=1)
        reported, detected = on.noticed(
            np.where(ends < 0, NEVER, ends), told=0.6, hours=30 * 24.0, found=0.8, found_hours=36 * 24.0
        )
        left = pass_on(on, "mule", got, on.members(1), np.full(on.n, on.horizon))
        known = np.minimum(reported, detected)
        on.stop(on.every, second, known, np.full(on.n, on.horizon), "account")
        back = self._taken_back(on, lent - got.paid.sum(axis=1), known, second)
        return on.footprint(
            reported=reported, detected=detected, loss=lent, recovered=back, borne_by="bank",
            loan=lent, moved=got.paid.sum(axis=1), payments=got.real.sum(axis=1), kept=left.sum(axis=1),
            loan_second=since, last_second=np.maximum(ends, 0),
        )  # fmt: skip

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        return (
            "A stranger opened an account in the customer's name; a loan of "
            f"{money(facts['loan'], currency)} came at {said(spec, facts['loan_second'])}, of which "
            f"{money(facts['moved'], currency)} went to mules in "
            f"{facts['payments']} transfers until {said(spec, facts['last_second'])}."
        )

    def _wait_s(self, spec: Spec) -> int:
        return int(min(2 * 5.0**self.difficulty, spec.days / 6) * DAY_S)

    def _drain_s(self, spec: Spec) -> int:
        return int(min(1.4 * 6.5**self.difficulty, spec.days / 6) * DAY_S)

    def _loan(self, on: Canvas, opened: Int64, second: Int64) -> tuple[Int64, Int64]:
        """What the bank lends, in whole hundreds, and when."""
        wait = (0.3 + 0.7 * on.one("wait")) * self._wait_s(on.spec)
        office = ground.office().at(on.one("loan-hour")) // ground.SECOND_US
        since = (opened + wait.astype(np.int64)) // DAY_S * DAY_S + office
        since = np.where(since > opened + HOUR_S, since, since + DAY_S)
        wish = on.stolen("loan", self.amount * on.between(1.0, 0.5), log_sd=0.5)[:, 0]
        lent = np.maximum(wish // 10_000 * 10_000, np.maximum(on.scale * 50_000, 50_000).astype(np.int64))
        branch = on.at(on.part(on.homes), "branches", terms.bank(on.spec, second))
        told = on.pay(on.every, since, lent, branch, second, "loan_payout", "credit")
        return np.where(told >= 0, lent, 0), since

    def _drained(self, on: Canvas, lent: Int64, since: Int64, second: Int64) -> tuple[Came, Int64]:
        """Transfers to mules, and when the first is."""
        number = 2 + (on.ordinary * 3 + on.one("number") * (3 + on.ordinary)).astype(np.int64)
        weight = buying.weights(on, "parts", number, _MOST, 0.25 + 1.45 * on.ordinary)
        leaves = lent * (0.91 + 0.08 * on.one("leaves"))
        cut = leaves[:, None] * weight
        amount = np.where(cut >= 20_000, cut // 500 * 500, cut).astype(np.int64)
        u = np.sort(np.where(np.arange(_MOST) < number[:, None], on.u("drain-when", _MOST), 1.0), axis=1)
        begin = since + HOUR_S + (on.between(2, 20) * HOUR_S * on.one("begin")).astype(np.int64)
        when = on.ascending(on.paced(begin, since + self._drain_s(on.spec), u), 4 * MINUTE_S)
        several = on.placement.members[:, None] - 2
        which = (on.u("which", _MOST) * several).astype(np.int64)
        mule = on.account(on.placement.entities[on.every[:, None], 2 + which])
        way = np.where(on.u("way") < 0.7, data.ways().code("mobile"), data.ways().code("web"))
        row = on.pay(
            on.every[:, None], when, amount, second[:, None], mule, way, "drain", device=1, ip=1,
            payee_check=payee_checks(on, "payee-check", _MOST),
        )  # fmt: skip
        first = np.where(row >= 0, when, on.horizon).min(axis=1)
        return came(on, row, when, amount, second[:, None], mule), first

    def _taken_back(self, on: Canvas, rest: Int64, known: Int64, second: Int64) -> Int64:
        """The bank takes what still lies in the account."""
        when = np.where(known == NEVER, on.horizon, np.minimum(known, on.horizon) + DAY_S)
        branch = on.at(on.part(on.homes), "branches", terms.bank(on.spec, second))
        told = on.pay(on.every, when, rest, second, branch, "recall", "recall", where=rest >= 100)
        return np.where(told >= 0, rest, 0)
