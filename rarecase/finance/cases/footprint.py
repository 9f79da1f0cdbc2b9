"""The rows that cases add and the cards that they stop, dated before anything is made.

A footprint is a set of columns over all cases of one entry. Both sides of a payment between places read the
same footprint in the plan, so neither needs to know what happens in the other's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER


@dataclass(frozen=True)
class CaseRows:
    """Payments that cases add, columns of one length, ordered by case and row.

    Attributes
    ----------
    case
        Position of the case in `CaseFacts`.
    row
        Number of the payment within its case.
    home
        Global ordinal of the case's first entity.
    second
        Seconds after the start at which both legs are booked.
    amount
        Minor units.
    payer, payee
        Addresses of accounts (see `ground.Slots`).
    way
        Code of the way of paying.
    new_device
        1 where the order comes from the case's own device.
    role, stage
        Positions in ROLES and STAGES; stage -1 where a case has no stages.
    """

    case: Int64
    row: Int64
    home: Int64
    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64
    way: Int64
    new_device: Int64
    role: Int64
    stage: Int64

    def __len__(self) -> int:
        return int(self.case.size)

    def take(self, rows: Int64) -> CaseRows:
        """These rows, in this order."""
        return CaseRows(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


ROLES = (
    "drain",
    "placement",
    "hop",
    "wage",
    "funding",
    "blocked_card",
    "new_device",
    "cash_out",
    "forward",
)
STAGES = ("placement", "layering", "integration")


@dataclass(frozen=True)
class CaseFacts:
    """One value per case of an entry, in the order of its placement.

    Attributes
    ----------
    started, ended, reported, detected
        Seconds after the start; NEVER for what does not happen within the data.
    blocked_from, blocked_to
        While the home's card is stopped: [from, to) in seconds; NEVER where it is not.
    device_seen
        When a new device of the case first signs in; NEVER where there is none.
    details
        What the story and the parameters tell, one tuple of values per name.
    """

    started: Int64
    ended: Int64
    reported: Int64
    detected: Int64
    blocked_from: Int64
    blocked_to: Int64
    device_seen: Int64
    details: dict[str, Int64]


def never(n: int) -> Int64:
    """A column of moments that do not come."""
    return np.full(n, NEVER, dtype=np.int64)


def join(pieces: Sequence[CaseRows]) -> CaseRows:
    """Footprints one after another."""
    names = [field.name for field in fields(CaseRows)]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in pieces]) if pieces else np.empty(0, np.int64)
        for name in names
    }
    return CaseRows(**columns)


def case_rows(**columns: Int64 | int) -> CaseRows:
    """A footprint from columns and constants, broadcast to one length."""
    wide = np.broadcast_arrays(*columns.values())
    flat = {
        name: np.ascontiguousarray(column, dtype=np.int64).ravel()
        for name, column in zip(columns, wide, strict=True)
    }
    return CaseRows(**flat)


def moment(seconds: Int64, horizon_s: int) -> Int64:
    """Moments, with those outside the data turned into NEVER."""
    return np.where((seconds >= 0) & (seconds < horizon_s), seconds, NEVER)
