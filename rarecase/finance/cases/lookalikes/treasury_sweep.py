"""Treasury sweep, a look-alike: a company's balance goes to the group at night and back in the morning."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike

_MOST_DAYS, _TRIES = 30, 4


class TreasurySweep(Lookalike):
    """A round trip of the same sum every business day, between two companies of one group."""

    title: ClassVar[str] = "Treasury sweep"
    definition: ClassVar[str] = (
        "On 8 to 30 (difficulty 0) or 3 to 10 (1) business days in a row a company's account sends a sum by "
        "business payment with purpose TREA to another company's account of the same place between 17 and "
        "20 o'clock, and gets exactly the same sum back from it between 6 and 9 o'clock of the next "
        "business day; no two days' sums are alike. The company belongs to the customer."
    )
    source: ClassVar[str] = "Zero-balancing cash pools as in any textbook of corporate treasury; own figures"
    share: ClassVar[float] = 0.0005
    rate_source: ClassVar[str] = "own choice: one customer in 2,000 owns a company in a cash pool"
    pays_acquaintances: ClassVar[bool] = True
    hint: ClassVar[str] = "Only owners of companies qualify, one customer in sixty: raise `size`."

    kind: Literal["treasury_sweep"] = "treasury_sweep"
    amount: float = Field(
        default=9_000.0, gt=100, le=1e7, description="median sweep in units of the currency"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of companies that do not fail within the data, where the place has another company."""
        several = ground.slots(spec.block).employers_n > 1
        return np.asarray((terms.company(spec, entities) >= 0) & several, np.bool_)

    def span_s(self, spec: Spec) -> int:
        """Seconds until the last sum is back."""
        return int(min(1.5 * _MOST_DAYS * DAY_S, spec.days * DAY_S / 2))

    def draw(self, on: Canvas) -> Footprint:
        """Every evening's sum, and its return."""
        calendar = ground.calendar(on.spec.start, on.spec.days)
        number = on.whole("days", round(on.between(8, 3)), round(on.between(_MOST_DAYS, 10)))
        own = np.maximum(ground.owned(on.spec, on.homes, "employers"), 0)
        part = on.part(on.homes)
        # A company that fails within the data is in no group.
        other = terms.another_company(on.spec, part, own, on.u("group", _TRIES))
        company, group = on.at(part, "employers", own), on.at(part, "employers", other)
        level = 100 * self.amount * on.scale * np.exp(0.5 * on.normal("level")[:, 0])
        sums = np.rint(level[:, None] * np.exp(0.35 * on.normal("sum", _MOST_DAYS))).astype(np.int64)
        day = calendar.business_day(np.minimum(on.onset // DAY_S, on.spec.days - 1), "next")
        out, back = on.u("out", _MOST_DAYS), on.u("back", _MOST_DAYS)
        for turn in range(_MOST_DAYS):
            following = calendar.business_day(np.minimum(day + 1, on.spec.days + 5), "next")
            swept = turn < number
            fits = swept & (following < on.spec.days) & (day < on.spec.days)
            evening = day * DAY_S + 17 * HOUR_S + (3 * HOUR_S * out[:, turn]).astype(np.int64)
            morning = following * DAY_S + 6 * HOUR_S + (3 * HOUR_S * back[:, turn]).astype(np.int64)
            for when, payer, payee in ((evening, company, group), (morning, group, company)):
                on.pay(on.every, when, sums[:, turn], payer, payee, "sweep", "sweep", where=fits)
            day = following
        return on.footprint(days=on.number("sweep") // 2, total=on.total("sweep") // 2)

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, a company lent its group "
            f"{money(facts['total'], facts['currency'])} in all over {facts['days']} nights and had it back "
            "every morning: a cash pool."
        )
