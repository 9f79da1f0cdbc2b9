"""What look-alikes have in common: honest, undisturbed, and never known to the bank as anything."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rarecase.common.case import Evidence, Natural
from rarecase.common.seeds import Float64, Int64
from rarecase.common.spec import Spec
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.canvas import Canvas


class Lookalike(BankCase):
    """A kind that is no case; its natural rate is the share of customers who are part of one."""

    is_case: ClassVar[bool] = False
    always_local: ClassVar[bool] = True
    #: Besides what BankCase knows "here": every member lives where the home does.
    members_live: ClassVar[str] = "home"
    #: Share of customers, of what kind the figure is, and where it comes from.
    share: ClassVar[float]
    evidence: ClassVar[Evidence] = "expert"
    rate_source: ClassVar[str]

    #: Of what: those who always are part of one ("entity"), or to whom it happens ("entity-year").
    per: ClassVar[str] = "entity"

    def natural(self, spec: Spec) -> Natural | None:
        """The share of customers who are part of one, or how often it happens to one."""
        return Natural(self.share, self.per, self.evidence, self.rate_source)

    def _distances(self, spec: Spec, homes: Int64, widest: int) -> Int64:
        if self.members_live == "here":
            return np.zeros((homes.size, widest - 1), np.int64)
        return super()._distances(spec, homes, widest)


def arrives(on: Canvas, second: Int64, amount: Int64, payer: Int64, payee: Int64) -> Int64:
    """What reaches customers `payee` of amounts that customers `payer` send, in their own currency."""
    source, target = (ground.currency(on.spec, on.part(people)) for people in (payer, payee))
    wide = np.broadcast_arrays(second, amount, source, target)
    return ground.exchanged(on.spec, *wide)


def near_people(on: Canvas, what: str, width: int, local: float = 0.7) -> Int64:
    """Customers whom the homes may know, global ordinals, shape (n, width); some may be named twice."""
    where, who = on.u(f"{what}-where", width), on.u(f"{what}-who", width)
    home = np.repeat(on.homes, width)
    found = ground.near(on.spec, home, where.ravel(), who.ravel(), local)
    return np.asarray(found.reshape(where.shape), np.int64)


def first_time(people: Int64) -> NDArray[np.bool_]:
    """Who does not stand in the same row before, shape of `people`."""
    order = np.argsort(people, axis=1, kind="stable")
    ranked = np.take_along_axis(people, order, axis=1)
    same = np.zeros(people.shape, np.bool_)
    same[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    again = np.empty_like(same)
    np.put_along_axis(again, order, same, axis=1)
    return np.asarray(~again, np.bool_)


def orders(on: Canvas, what: str, width: int, mobile: str = "mobile", web: str = "web") -> Int64:
    """Ways by which people order, seven in ten with the telephone, shape (n, width)."""
    ways = data.ways()
    return np.where(on.u(what, width) < 0.7, ways.code(mobile), ways.code(web)).astype(np.int64)


def liked(amount: Float64, u: Float64, step: int = 500) -> Int64:
    """Whole minor units, 45 % of them in steps that people like, at least one."""
    plain = np.maximum(np.rint(amount), 100)
    stepped = np.maximum(np.rint(plain / step) * step, step)
    return np.where(u < 0.45, stepped, plain).astype(np.int64)
