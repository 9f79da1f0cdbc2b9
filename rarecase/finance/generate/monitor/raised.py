"""Alerts before they have keys: which rule spoke about which account, and which payments it saw."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rarecase.common.compiled import compiled
from rarecase.common.seeds import Float64, Int64
from rarecase.finance.generate.monitor.seen import Int32, Sorted

#: Payments that an alert lists, at most; the latest ones.
MOST_LISTED = 50


@dataclass(frozen=True)
class Raised:
    """Columns of one length over alerts, and pairs of an alert's position and an order.

    Attributes
    ----------
    rule, slot
        Number of the rule at the place, and the account.
    second
        When the last of its payments was booked, or the attempt was made.
    amount, payments
        Sum and number of all its payments.
    ratio
        How far above the rule, from 1.
    pair_alert, pair_order
        The payments listed, at most MOST_LISTED each.
    """

    rule: Int64
    slot: Int64
    second: Int64
    amount: Int64
    payments: Int64
    ratio: Float64
    pair_alert: Int64
    pair_order: Int64

    def __len__(self) -> int:
        return int(self.rule.size)

    def take(self, rows: Int64) -> Raised:
        """These alerts, in this order."""
        to = np.full(len(self), -1, np.int64)
        to[rows] = np.arange(rows.size)
        kept = np.flatnonzero(to[self.pair_alert] >= 0)
        return Raised(
            **{field.name: getattr(self, field.name)[rows] for field in fields(self)[:6]},
            pair_alert=to[self.pair_alert[kept]],
            pair_order=self.pair_order[kept],
        )


def together(pieces: list[Raised]) -> Raised:
    """One after another."""
    first = np.cumsum([0, *(len(piece) for piece in pieces)])
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in pieces]) for f in fields(Raised)}
    moved = [piece.pair_alert + start for piece, start in zip(pieces, first[:-1], strict=True)]
    columns["pair_alert"] = np.concatenate(moved)
    return Raised(**columns)


def single(rule: int, slot: Int64, second: Int64, amount: Int64, ratio: Float64, order: Int64) -> Raised:
    """Alerts about one payment each."""
    n = slot.size
    return Raised(
        np.full(n, rule, np.int64), slot.astype(np.int64), second, amount, np.ones(n, np.int64),
        np.broadcast_to(ratio, n).astype(np.float64), np.arange(n), order,
    )  # fmt: skip


def listed(
    sorted_: Sorted,
    windows: Int64,
    mask: Int64,
    above: Int64,
    below: Int64,
    ratio: Float64,
    other: Int64 | None = None,
) -> Raised:
    """Alerts about windows of sorted entries.

    Parameters
    ----------
    windows
        Rule, first and last entry of each window, sum and number of its payments, shape (5, n).
    mask, above, below
        Which entries of each window count: flags, and minor units between which each must lie.
    other
        The only other party that counts; all parties count where it is missing or -1.
    """
    n = windows.shape[1]
    alert, order = np.empty(n * MOST_LISTED, np.int64), np.empty(n * MOST_LISTED, np.int64)
    party = np.full(n, -1, np.int64) if other is None else other
    pairs = _list(
        windows, mask, above, below, party, sorted_.flag, sorted_.amount, sorted_.other, sorted_.order,
        MOST_LISTED, alert, order,
    )  # fmt: skip
    last = windows[2]
    return Raised(
        rule=windows[0],
        slot=sorted_.slot[last].astype(np.int64),
        second=sorted_.booked[last],
        amount=windows[3],
        payments=windows[4],
        ratio=ratio,
        pair_alert=alert[:pairs],
        pair_order=order[:pairs],
    )


@compiled
def _list(
    windows: Int64,
    mask: Int64,
    above: Int64,
    below: Int64,
    party: Int64,
    flag: Int32,
    amount: Int64,
    other: Int32,
    order: Int32,
    most: int,
    out_alert: Int64,
    out_order: Int64,
) -> int:
    pairs = 0
    for a in range(mask.size):
        k, found = windows[2, a], 0
        while k >= windows[1, a] and found < most:
            counts = flag[k] & mask[a] and above[a] < amount[k] < below[a]
            if counts and (party[a] < 0 or other[k] == party[a]):
                out_alert[pairs], out_order[pairs] = a, order[k]
                pairs += 1
                found += 1
            k -= 1
    return pairs
