"""Seasonal cash business, a look-alike: much cash, but as a season has it and not below a limit."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike

_MOST_WEEKS, _EACH = 12, 3


class SeasonalCashBusiness(Lookalike):
    """Cash takings that swell and shrink; weekends bring the most, and some pass the limit."""

    title: ClassVar[str] = "Seasonal cash business"
    definition: ClassVar[str] = (
        "Over 5 to 12 weeks the account of a shop that the customer owns gets, beside its usual takings, "
        "cash deposits on Monday and Wednesday, and for six shops in ten on Friday; the week's sum rises to "
        "a peak in the middle of the season, at least twice that of its first week, and falls again; those "
        "of Monday, with the weekend's takings, are about twice the others. Single sums vary by a tenth "
        "(difficulty 0) to a third (1), and take no notice of a limit: they pass it where the season makes "
        "them."
    )
    source: ClassVar[str] = (
        "Shop takings as the benign twin of structuring (FATF and FinCEN guidance); own figures"
    )
    share: ClassVar[float] = 0.002
    rate_source: ClassVar[str] = "own choice: one customer in 500 owns a seasonal shop"
    hint: ClassVar[str] = "Only owners of shops qualify, one customer in twenty-five: raise `size`."

    kind: Literal["seasonal_cash_business"] = "seasonal_cash_business"
    peak: float = Field(
        default=7_500.0, gt=100, le=1e6, description="median deposit after a weekend at the peak"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of shops."""
        return np.asarray(ground.owned(spec, entities, "merchants") >= 0, np.bool_)

    def span_s(self, spec: Spec) -> int:
        """Seconds of a season."""
        return int(min((7 * _MOST_WEEKS + 1) * DAY_S, spec.days * DAY_S * 0.75))

    def draw(self, on: Canvas) -> Footprint:
        """Deposits, week by week."""
        most = max(self.span_s(on.spec) // (7 * DAY_S), 1)
        weeks = np.minimum(on.whole("weeks", 5, _MOST_WEEKS), most)
        own = np.maximum(ground.owned(on.spec, on.homes, "merchants"), 0)
        shop = on.at(on.part(on.homes), "merchants", own)
        monday = (3 - (np.datetime64(on.spec.start, "D").astype(np.int64) + 3) % 7 + 4) % 7
        begin = (on.onset // DAY_S - monday + 6) // 7 * 7 + monday
        level = 100 * self.peak * on.scale * np.exp(0.35 * on.normal("level")[:, 0])
        three = on.one("three") < 0.6
        for week in range(_MOST_WEEKS):
            season = 0.25 + 0.75 * np.sin(np.pi * (week + 0.5) / np.maximum(weeks, 1)) ** 2
            for turn, (day, weight) in enumerate(((0, 1.0), (2, 0.45), (4, 0.55))):
                swing = np.exp((0.1 + 0.25 * self.difficulty) * on.normal(f"swing-{week}-{turn}")[:, 0])
                amount = np.rint(level * season * weight * swing / 500).astype(np.int64) * 500
                when = (begin + 7 * week + day) * DAY_S
                second = on.within(when, when + DAY_S - 1, on.one(f"hour-{week}-{turn}"), "office")
                kept = (week < weeks) & (when + DAY_S < on.horizon) & (three if turn == 2 else True)
                on.pay(
                    on.every,
                    second,
                    amount,
                    on.at(on.part(on.homes), "cash"),
                    shop,
                    "cash_in",
                    "deposit",
                    where=kept,
                )
        return on.footprint(deposits=on.number("deposit"), total=on.total("deposit"), weeks=weeks)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, a shop paid in "
            f"{money(facts['total'], facts['currency'])} of cash by {facts['deposits']} deposits over a "
            f"season of {facts['weeks']} weeks: honest takings."
        )
