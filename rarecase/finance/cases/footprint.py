"""What cases do to the bank's world, dated before anything is made.

A footprint is a set of columns over all cases of one entry. Both sides of a payment between places read the
same footprint in the plan, so neither needs to know what happens in the other's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER

#: What a row of a case is to its case.
ROLES = (
    "drain",
    "placement",
    "hop",
    "wage",
    "funding",
    "blocked",
    "new_device",
    "cash_out",
    "forward",
    "test",
    "purchase",
    "withdrawal",
    "scam",
    "bait",
    "exit",
    "dispute",
    "refund",
    "reimbursement",
    "recall",
    "credit",
    "repayment",
    "fee",
    "contact_change",
    "new_account",
    "limit_change",
    "new_address",
    "new_card",
    "rent",
    "payout",
    "donation",
    "share",
    "sweep",
    "deposit",
    "support",
    "travel",
    "sale",
    "invoice",
    "diverted_wage",
    "own_use",
    "no_funds",
)
STAGES = ("placement", "layering", "integration")
#: What a stop stops: card payments of the account, all orders of its holder, wages that would reach it, or
#: card payments in person, as the holder is away; the last two are not even tried.
STOPS = ("card", "account", "wages", "away")
#: What an edit changes: contact data of a customer, the limit of a card account, or a new second account.
EDITS = ("phone", "email", "street", "card_limit", "second_account")
#: Reads as "decided as for everybody else".
USUAL = -1


class Columns:
    """Columns of one length that can be cut and put together."""

    def __len__(self) -> int:
        return int(getattr(self, fields(self)[0].name).size)  # type: ignore[arg-type]

    def take(self, rows: Int64) -> Self:
        """These rows, in this order."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})  # type: ignore[arg-type]

    @classmethod
    def join(cls, pieces: Sequence[Self]) -> Self:
        """One after another."""
        return cls(**{f.name: _joined([getattr(piece, f.name) for piece in pieces]) for f in fields(cls)})  # type: ignore[arg-type]

    @classmethod
    def of(cls, **columns: Int64 | int) -> Self:
        """From columns and constants, broadcast to one length."""
        wide = np.broadcast_arrays(*columns.values())
        return cls(
            **{
                name: np.array(column, dtype=np.int64).ravel()
                for name, column in zip(columns, wide, strict=True)
            }
        )


def _joined(columns: list[Any]) -> Int64:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


@dataclass(frozen=True)
class CaseRows(Columns):
    """Payments that cases order, columns of one length, ordered by case.

    Attributes
    ----------
    case
        Position of the case in its entry.
    row
        Number of the payment within its case.
    home
        Global ordinal of the case's first entity.
    second
        Seconds after the start at which it is ordered; the way says how much later it is booked.
    amount
        Minor units of the payer's currency.
    payer, payee
        Addresses of accounts (see `ground.Slots`).
    way
        Code of the way of paying.
    device
        0 the payer's own device, n the n-th device that the case brings.
    ip
        0 the payer's own address, n the n-th address that the case brings.
    declined
        USUAL for a payment that is booked; else a position in `schema.DECLINE_REASONS`: it is only tried.
    payee_check, three_ds
        USUAL, or a position in `schema.PAYEE_CHECKS` or `schema.THREE_DS`.
    refers
        Number of the payment of this case that this one gives back or disputes, USUAL for none.
    role, stage
        Positions in ROLES and STAGES; stage USUAL where a case has no stages.
    tainted
        Minor units of proceeds of crime in it, USUAL for look-alikes.
    """

    case: Int64
    row: Int64
    home: Int64
    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64
    way: Int64
    device: Int64
    ip: Int64
    declined: Int64
    payee_check: Int64
    three_ds: Int64
    refers: Int64
    role: Int64
    stage: Int64
    tainted: Int64


@dataclass(frozen=True)
class Stops(Columns):
    """What is stopped: in [since, until) seconds nothing of `what` (a position in STOPS) leaves the account
    `address` or, for wages, reaches it."""

    case: Int64
    address: Int64
    since: Int64
    until: Int64
    what: Int64


@dataclass(frozen=True)
class Devices(Columns):
    """Devices that cases bring: the n-th of its case (`number`, from 1) signs in for `customer` at `seen`."""

    case: Int64
    customer: Int64
    number: Int64
    seen: Int64


@dataclass(frozen=True)
class Networks(Columns):
    """Addresses of the internet that cases bring: the n-th of its case, in a network (`schema.NETWORKS`)."""

    case: Int64
    number: Int64
    network: Int64


@dataclass(frozen=True)
class Edits(Columns):
    """Rows of the register that cases change or create: what (position in EDITS) of `customer`, to `value`.

    A value is a number of which the identifier is made (contact data; equal values make equal contacts),
    minor units (card_limit), or the second of opening (second_account).
    """

    case: Int64
    customer: Int64
    what: Int64
    value: Int64


@dataclass(frozen=True)
class NewCards(Columns):
    """Cards that are replaced for a case: the new plastic of `customer` works from `since` on."""

    case: Int64
    customer: Int64
    since: Int64


@dataclass(frozen=True)
class CaseFacts:
    """One value per case of an entry, in the order of its placement.

    Attributes
    ----------
    started, ended, reported, detected
        Seconds after the start; NEVER for what does not happen within the data.
    loss, recovered, reimbursed
        Minor units, USUAL where the case knows no loss.
    borne_by
        Position in `schema.BEARERS`, USUAL where nothing was lost.
    details
        What the story and the parameters tell, one array of values per name.
    """

    started: Int64
    ended: Int64
    reported: Int64
    detected: Int64
    loss: Int64
    recovered: Int64
    reimbursed: Int64
    borne_by: Int64
    details: dict[str, Int64] = field(default_factory=dict)


@dataclass(frozen=True)
class Footprint:
    """All that the cases of one entry do."""

    rows: CaseRows
    stops: Stops
    devices: Devices
    networks: Networks
    edits: Edits
    new_cards: NewCards
    facts: CaseFacts


def never(n: int) -> Int64:
    """A column of moments that do not come."""
    return np.full(n, NEVER, dtype=np.int64)


def moment(seconds: Int64, horizon_s: int) -> Int64:
    """Moments, with those outside the data turned into NEVER."""
    return np.where((seconds >= 0) & (seconds < horizon_s), seconds, NEVER)
