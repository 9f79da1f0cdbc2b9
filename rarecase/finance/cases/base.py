"""What every case kind of the bank's world says of itself."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from rarecase.common.case import Case
from rarecase.common.seeds import Int64
from rarecase.finance.cases.footprint import CaseFacts, CaseRows

if TYPE_CHECKING:
    from rarecase.common.plan import Placement
    from rarecase.common.spec import Spec


class BankCase(Case):
    """A case of the bank's world: all its payments are known in the plan."""

    compared_within: ClassVar[dict[str, str]] = {"transactions": "payment_type", "entries": "payment_type"}

    @abstractmethod
    def footprint(self, spec: Spec, placement: Placement) -> tuple[CaseRows, CaseFacts]:
        """The payments and dates of every case of this entry, from stateless draws alone."""

    @abstractmethod
    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """One plain sentence from the facts of one case."""


def said(spec: Spec, second: int) -> str:
    """A moment for people."""
    when = datetime(spec.start.year, spec.start.month, spec.start.day) + timedelta(seconds=int(second))
    return f"{when:%Y-%m-%d %H:%M}"


def money(minor: int) -> str:
    """An amount for people."""
    return f"{minor // 100:,}.{minor % 100:02d}"


def column(facts: CaseFacts, name: str) -> Int64:
    """A detail of all cases."""
    return facts.details[name]
