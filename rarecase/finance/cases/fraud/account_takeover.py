"""Account takeover: somebody else signs in and sends the customer's money away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtri

from rarecase.common.case import Natural
from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import forwarding, ground
from rarecase.finance.cases.base import BankCase, money, said
from rarecase.finance.cases.footprint import ROLES, CaseFacts, CaseRows, case_rows, join, moment, never

if TYPE_CHECKING:
    from rarecase.common.plan import Placement
    from rarecase.common.spec import Spec

MOST = 7
_HOUR_S = 3_600


class AccountTakeover(BankCase):
    """A stranger's device drains a customer's account; the card is stopped once somebody notices."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Account takeover"
    definition: ClassVar[str] = (
        "Between 2 and 7 remote transfers leave one customer's account for 1 to 3 payees it never paid "
        "before, within minutes (difficulty 0) to two days (difficulty 1), mostly from a device enrolled "
        "minutes (0) to days (1) before; the payees draw the money as cash or send it on within hours or "
        "days. Once the bank or the customer notices, the card is stopped for 2 to 6 days, and what was "
        "still to come does not happen."
    )
    source: ClassVar[str] = (
        "UK Finance, Annual Fraud Report 2025 (unauthorised remote banking fraud); drain to new payees "
        "from a "
        "new device as in PaySim (Lopez-Rojas and others 2016, EMSS)"
    )
    reveals: ClassVar[frozenset[str]] = frozenset({"devices.first_seen_at"})

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
        """Misuse of an existing bank account as victims report it, an upper bound for takeover."""
        return Natural(
            0.03,
            "entity-year",
            "survey",
            "Bureau of Justice Statistics, Victims of Identity Theft 2021: 3 % of persons of 16 or "
            "older had an "
            "existing bank account misused within 12 months (an upper bound for takeover)",
        )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Everybody, where there is somebody else to send money to."""
        return np.full(entities.shape, spec.size > 1)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """At ordinary hours, or at night for the easy ones; early enough that the drain ends in the data."""
        u = keyed_uniform(spec.seed, ("onset", self.label), homes)
        night = ground.uniforms(spec, self.label, "night", homes, 2)
        awake = ground.clock(spec.start, spec.days, "person").at(u)
        asleep = (np.floor(u * spec.days) * ground.DAY_S + night[:, 1] * 5 * _HOUR_S).astype(np.int64)
        at_night = night[:, 0] < 0.6 * (1 - self.difficulty) ** 2
        when = np.where(at_night, asleep * ground.SECOND_US, awake)
        return ground.fold(when, spec.horizon_us - self._window_s(spec) * ground.SECOND_US)

    def footprint(self, spec: Spec, placement: Placement) -> tuple[CaseRows, CaseFacts]:
        """Transfers to mules, what the mules do with the money, and when others notice."""
        homes = placement.homes
        drains = self._drains(spec, homes, placement.onset_us // ground.SECOND_US)
        last = np.zeros(homes.size, np.int64)
        np.maximum.at(last, drains.case, drains.second)
        reported, detected, halted = self._noticed(spec, homes, drains, last)
        drains = drains.take(np.flatnonzero(drains.second < halted[drains.case]))
        onward = forwarding.forward(spec, self.label, self.difficulty, drains, np.minimum(reported, detected))
        rows = join([drains, onward])
        rows = rows.take(np.lexsort((rows.row, rows.case)))
        return rows, self._facts(spec, homes, rows, reported, detected)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        device = "a device never seen before" if facts["new_device"] else "the customer's own device"
        noticed = [moment for moment in (facts["reported"], facts["detected"]) if moment != NEVER]
        end = f"it was noticed at {said(spec, min(noticed))}" if noticed else "nobody noticed within the data"
        return (
            f"From {said(spec, facts['started'])} on, a stranger using {device} sent "
            f"{money(facts['total'])} away "
            f"in {facts['payments']} transfers until {said(spec, facts['last_payment'])}; {end}."
        )

    def _drains(self, spec: Spec, homes: Int64, onset: Int64) -> CaseRows:
        """The transfers that a thief nobody stops would make."""
        number = 2 + np.floor(self._u(spec, "number", homes, 1)[:, 0] * (MOST - 1)).astype(np.int64)
        case, row = _cells(number)
        new_device = self._brings_device(spec, homes)
        slots = ground.slots(spec.block)
        return case_rows(
            case=case,
            row=row,
            home=homes[case],
            second=self._moments(spec, onset, homes)[case, row],
            amount=self._amounts(spec, homes, number)[case, row],
            payer=slots.customer(homes)[case],
            payee=slots.customer(self._mules(spec, homes, case, row)),
            way=self._way(spec, homes)[case],
            new_device=new_device.astype(np.int64)[case],
            role=ROLES.index("drain"),
            stage=-1,
        )

    def _amounts(self, spec: Spec, homes: Int64, number: Int64) -> Int64:
        """Minor units of each transfer, shape (n, 7): together at most what the account was to bear."""
        log_sd = 0.5 + 0.7 * ground.ordinary_share(self.difficulty)
        amounts = ground.stolen_minor(
            self._u(spec, "size", homes, MOST),
            self._u(spec, "round", homes, MOST),
            ground.income_minor(spec, homes)[:, None],
            self.amount,
            log_sd,
        )
        amounts = np.where(np.arange(MOST) < number[:, None], amounts, 0)
        bears = 0.9 * (ground.opening_minor(spec, homes) + ground.overdraft_minor(spec, homes))
        share = np.minimum(1.0, bears / np.maximum(amounts.sum(axis=1), 1))[:, None]
        cut = np.maximum(amounts * share // 500 * 500, 100).astype(np.int64)
        return np.where(share < 1, cut, amounts)

    def _noticed(self, spec: Spec, homes: Int64, drains: CaseRows, last: Int64) -> tuple[Int64, Int64, Int64]:
        """When the customer tells, when the bank knows, and from when nothing more leaves the account."""
        horizon_s = spec.days * ground.DAY_S
        u = np.clip(self._u(spec, "notice", homes, 6), 1e-9, 1 - 1e-9)
        third = never(homes.size)
        np.minimum.at(third, drains.case[drains.row == 2], drains.second[drains.row == 2])
        # A fifth of what the bank finds by itself it finds while money still leaves, after two transfers.
        midway = (u[:, 3] < 0.35) & (u[:, 5] < 0.35) & (third < horizon_s)
        last = np.where(midway, third - 1, last)
        told = last + (20 * _HOUR_S * np.exp(1.2 * ndtri(u[:, 0]))).astype(np.int64)
        reported = np.where(u[:, 1] < 0.88, moment(told, horizon_s), NEVER)
        own = last + (3 * _HOUR_S * np.exp(1.0 * ndtri(u[:, 2]))).astype(np.int64)
        own = np.where(midway, third, own)
        confirmed = np.where(reported == NEVER, horizon_s, np.minimum(reported, horizon_s) + 2 * _HOUR_S)
        seen = np.where(u[:, 3] < 0.35, np.minimum(own, confirmed), confirmed)
        detected = moment(seen, horizon_s)
        return reported, detected, np.where(midway, third, NEVER)

    def _facts(self, spec: Spec, homes: Int64, rows: CaseRows, reported: Int64, detected: Int64) -> CaseFacts:
        n, horizon_s = homes.size, spec.days * ground.DAY_S
        drains = np.flatnonzero(rows.role == ROLES.index("drain"))
        case = rows.case[drains]
        first, last, ended = never(n), np.zeros(n, np.int64), np.zeros(n, np.int64)
        np.minimum.at(first, case, rows.second[drains])
        np.maximum.at(last, case, rows.second[drains])
        np.maximum.at(ended, rows.case, rows.second)
        stopped = np.minimum(reported, detected)
        days = 2 + 4 * self._u(spec, "notice", homes, 5)[:, 4]
        known = stopped != NEVER
        until = never(n)
        until[known] = np.minimum(stopped[known] + (days[known] * ground.DAY_S).astype(np.int64), horizon_s)
        new_device = self._brings_device(spec, homes)
        lead = self._lead_s(spec, homes)
        return CaseFacts(
            started=first,
            ended=np.where(known, np.maximum(ended, np.minimum(until, horizon_s - 1)), ended),
            reported=reported,
            detected=detected,
            blocked_from=stopped,
            blocked_to=until,
            device_seen=np.where(new_device, np.maximum(first - lead, 0), NEVER),
            details={
                "payments": np.bincount(case, minlength=n),
                "total": np.bincount(case, rows.amount[drains], n).astype(np.int64),
                "last_payment": last,
                "new_device": new_device.astype(np.int64),
            },
        )

    def _brings_device(self, spec: Spec, homes: Int64) -> NDArray[np.bool_]:
        brings: NDArray[np.bool_] = self._u(spec, "device", homes, 1)[:, 0] < 1 - 0.6 * self.difficulty
        return brings

    def _lead_s(self, spec: Spec, homes: Int64) -> Int64:
        """Seconds from first sign-in to first transfer: some 4 minutes when easy, a day when hard."""
        normal = ndtri(np.clip(self._u(spec, "lead", homes, 1)[:, 0], 1e-9, 1 - 1e-9))
        lead = np.maximum(240 * 360.0**self.difficulty * np.exp(1.3 * normal), 20)
        return np.asarray(lead, np.int64)

    def _moments(self, spec: Spec, onset: Int64, homes: Int64) -> Int64:
        """Seconds of each transfer, shape (n, 7), ascending, the first at the onset."""
        u = np.sort(self._u(spec, "gap", homes, MOST), axis=1)
        u[:, :1] = 0.0
        end = np.minimum(onset + self._window_s(spec), spec.days * ground.DAY_S - MOST)
        plain = onset[:, None] + u * np.maximum(end - onset, 1)[:, None]
        clock = ground.clock(spec.start, spec.days, "person")
        low = clock.share(onset * ground.SECOND_US)
        high = clock.share(end * ground.SECOND_US)
        shares = np.clip(low[:, None] + u * (high - low)[:, None], 0.0, 1 - 1e-12)
        paced = (clock.at(shares.ravel()) // ground.SECOND_US).reshape(u.shape)
        ordinary = self._u(spec, "hours", homes, 1) < self.difficulty
        seconds = np.where(ordinary, np.clip(paced, onset[:, None], None), plain).astype(np.int64)
        return seconds + np.arange(MOST)

    def _mules(self, spec: Spec, homes: Int64, case: Int64, row: Int64) -> Int64:
        """Customers who receive the transfers: anywhere when easy, where people's payees live when hard."""
        several = 1 + np.floor(self._u(spec, "mules", homes, 1)[:, 0] * 3).astype(np.int64)
        which = row % several[case]
        u = self._u(spec, "mule", homes, 12)
        from_home = homes[case]
        usual = ground.near(spec, from_home, u[case, which], u[case, 3 + which])
        far = np.minimum((u[case, 6 + which] * spec.size).astype(np.int64), spec.size - 1)
        mimic = u[case, 9 + which] < ground.ordinary_share(self.difficulty)
        return np.where(mimic, usual, ground.another(spec, from_home, far))

    def _way(self, spec: Spec, homes: Int64) -> Int64:
        ways = data.ways()
        mobile = self._u(spec, "way", homes, 1)[:, 0] < 0.7
        return np.where(mobile, ways.code("mobile"), ways.code("web"))

    def _window_s(self, spec: Spec) -> int:
        """Length of the drain: an hour when easy, two days when hard."""
        return int(min(_HOUR_S * 48.0**self.difficulty, spec.days * ground.DAY_S / 2))

    def _u(self, spec: Spec, what: str, homes: Int64, width: int) -> Float64:
        return ground.uniforms(spec, self.label, what, homes, width)


def _cells(number: Int64) -> tuple[Int64, Int64]:
    """Case and row of every payment, for cases of `number` payments."""
    case = np.repeat(np.arange(number.size), number)
    start = np.cumsum(number) - number
    return case, np.arange(case.size) - start[case]
