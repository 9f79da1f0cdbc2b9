"""What mules do with stolen money: draw it as cash, or send it on, soon after it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import ROLES, CaseRows, case_rows, join

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

#: Cash withdrawals out of one transfer, and payments of a case before which the mules' ones are numbered.
_DRAWS = 4
_FIRST_ROW = 16
_LEAST_GAP_S = 120


def forward(spec: Spec, name: str, difficulty: float, drains: CaseRows, until: Int64) -> CaseRows:
    """Payments by which mules pass each transfer on.

    Parameters
    ----------
    name
        Label of the entry of the spec.
    drains
        Transfers to the mules.
    until
        Per case: second from which the mules' accounts are stopped.

    Returns
    -------
    CaseRows
        Half of the transfers are drawn as cash, in up to four withdrawals; of the others nine tenths or more
        are sent on. All are inside the data and before `until`.
    """
    cash = _u(spec, name, "exit", drains, 1)[:, 0] < 0.5
    wait = ndtri(np.clip(_u(spec, name, "wait", drains, _DRAWS), 1e-9, 1 - 1e-9))
    gap = 1_800 * 16.0**difficulty * np.exp(0.9 * wait)
    when = drains.second[:, None] + _LEAST_GAP_S + np.cumsum(gap, axis=1).astype(np.int64)
    rows = join(
        [
            _withdrawn(
                spec, name, difficulty, drains.take(np.flatnonzero(cash)), _at_machines(spec, when[cash])
            ),
            _sent_on(spec, name, drains.take(np.flatnonzero(~cash)), when[~cash, 0]),
        ]
    )
    stop = np.minimum(until, spec.days * ground.DAY_S)[rows.case]
    return rows.take(np.flatnonzero(rows.second < stop))


def _at_machines(spec: Spec, when: Int64) -> Int64:
    """The same waits told by the clock of cash, which runs by day: a night's wait ends in the morning."""
    horizon_s = spec.days * ground.DAY_S
    clock = ground.clock(spec.start, spec.days, "cash")
    first = when[:, :1]
    begun = clock.share(np.minimum(first[:, 0], horizon_s - 1) * ground.SECOND_US)[:, None]
    later = begun + (when - first + _LEAST_GAP_S) / horizon_s
    second = clock.at(np.minimum(later, 1 - 1e-12).ravel()).reshape(later.shape) // ground.SECOND_US
    return np.where(later < 1, np.maximum(second, first), horizon_s)


def _withdrawn(spec: Spec, name: str, difficulty: float, drains: CaseRows, when: Int64) -> CaseRows:
    """Notes as people draw them, larger ones when easy; never more than came."""
    drawn = ground.cash_minor(_u(spec, name, "notes", drains, _DRAWS) ** (1 / (3 - 2 * difficulty)))
    left = drains.amount[:, None] - np.cumsum(drawn, axis=1)
    row, draw = np.nonzero(left >= 0)
    slots = ground.slots(spec.block)
    part = drains.payee // slots.width
    return case_rows(
        case=drains.case[row],
        row=_FIRST_ROW + drains.row[row] * _DRAWS + draw,
        home=drains.home[row],
        second=when[row, draw],
        amount=drawn[row, draw],
        payer=drains.payee[row],
        payee=part[row] * slots.width + slots.first("cash"),
        way=data.ways().code("cash_out"),
        new_device=0,
        role=ROLES.index("cash_out"),
        stage=-1,
    )


def _sent_on(spec: Spec, name: str, drains: CaseRows, when: Int64) -> CaseRows:
    slots, ways = ground.slots(spec.block), data.ways()
    part, slot = np.divmod(drains.payee, slots.width)
    mule = part * spec.block + slot
    u = _u(spec, name, "on", drains, 4)
    payee = ground.near(spec, mule, u[:, 0], u[:, 1])
    # A second mule is neither the first one nor the victim.
    payee = np.where(payee == drains.home, ground.another(spec, drains.home, drains.home), payee)
    return case_rows(
        case=drains.case,
        row=_FIRST_ROW + drains.row * _DRAWS,
        home=drains.home,
        second=when,
        amount=np.maximum(np.rint(drains.amount * (0.9 + 0.08 * u[:, 2])), 1).astype(np.int64),
        payer=drains.payee,
        payee=slots.customer(payee),
        way=np.where(u[:, 3] < 0.7, ways.code("mobile"), ways.code("web")),
        new_device=0,
        role=ROLES.index("forward"),
        stage=-1,
    ).take(np.flatnonzero(payee != mule))


def _u(spec: Spec, name: str, what: str, drains: CaseRows, width: int) -> Float64:
    ids = (drains.home * 16 + drains.row)[:, None] * 16 + np.arange(width)
    return keyed_uniform(spec.seed, ("case", name, what), ids)
