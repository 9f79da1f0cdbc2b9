"""Student support, a look-alike: the family sends money each month, and the rent leaves soon after."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground, terms
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.lookalikes.lookalike import Lookalike, arrives


class StudentSupport(Lookalike):
    """In and out within days, like a mule; but monthly, from parents, and most of it stays."""

    title: ClassVar[str] = "Student supported by the family"
    definition: ClassVar[str] = (
        "A student, who pays no other rent, gets a transfer with purpose FAMI from each of one or two "
        "relatives in every month, each the same sum every time, within three days from a day of 25 to 31 on "
        "(or the business day before; six days at difficulty 1), and one to four days after the last of them "
        "pays a landlord by transfer the same rent every time, 30 to 60 % of what arrives."
    )
    source: ClassVar[str] = "Own choice of sums, after Deutsches Studierendenwerk, 22nd social survey (2021)"
    share: ClassVar[float] = 0.02
    rate_source: ClassVar[str] = (
        "own choice: one student in ten, with one or two relatives in the same bank's world"
    )

    pays_acquaintances: ClassVar[bool] = True
    kind: Literal["student_support"] = "student_support"
    amount: float = Field(
        default=450.0, gt=10, le=1e5, description="median sum of a relative, in EUR at German prices"
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Students who pay no other rent."""
        studies = ground.segment(spec.seed, entities) == ground.STUDENT
        return np.asarray(studies & (terms.housing(spec, entities) != terms.RENTS), np.bool_)

    def members(self, spec: Spec, homes: Int64) -> Int64:
        """The student and one or two relatives."""
        return 2 + keyed_integers(spec.seed, ("case", self.label, "relatives"), homes, 2)

    def onset(self, spec: Spec, homes: Int64) -> Int64:
        """The first day of the data: support runs on."""
        return np.zeros(homes.shape, np.int64)

    def draw(self, on: Canvas) -> Footprint:
        """Every month's support, and the rent."""
        relatives = on.placement.entities[:, 1:]
        width = relatives.shape[1]
        payers = np.maximum(relatives, 0)
        sums = 100 * self.amount * ground.scale_of(on.spec, payers) * np.exp(0.35 * on.normal("sum", width))
        sums = np.maximum(np.rint(sums / 1_000) * 1_000, 1_000).astype(np.int64)
        days = on.monthly(on.whole("day", 25, 31), "previous")
        share, landlord = 0.33 + 0.24 * on.one("share"), on.one("landlord")
        owner = on.at(on.part(on.homes), "landlords", (landlord * on.slots.landlords_n).astype(np.int64))
        # Sums from abroad arrive a little different every month; the rent is that of the lease.
        usual = arrives(on, np.maximum(days[:, :1], 0) * DAY_S, sums, payers, on.homes[:, None])
        rent = np.rint(np.where(relatives >= 0, usual, 0).sum(axis=1) * share / 500).astype(np.int64) * 500
        for month in range(days.shape[1]):
            begin = days[:, month] * DAY_S + 8 * HOUR_S
            late = (3 + 3 * self.difficulty) * (DAY_S - 4 * HOUR_S)
            second = on.within(begin, begin + int(late), on.u(f"sent-{month}", width))
            sent = (relatives >= 0) & (days[:, month : month + 1] >= 0)
            row = on.pay(
                on.every[:, None], second, sums, on.account(payers),
                on.account(on.homes)[:, None], "family_mobile", "support", where=sent,
            )  # fmt: skip
            last = np.where(row >= 0, second, 0).max(axis=1, initial=0)
            when = on.within(last + DAY_S, last + 4 * DAY_S, on.one(f"rent-{month}"))
            fits = (days[:, month] >= 0) & (last + 4 * DAY_S < on.horizon)
            on.pay(
                on.every, when, rent, on.account(on.homes), owner, "mobile", "rent", where=fits & (rent > 0)
            )  # fmt: skip
        return on.footprint(
            relatives=(relatives >= 0).sum(axis=1), monthly=np.where(relatives >= 0, sums, 0).sum(axis=1)
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        return (
            f"From {said(spec, facts['started'])} on, {facts['relatives']} relatives sent a student "
            f"{money(facts['monthly'], facts['currency'])} a month, and the rent was paid from it."
        )
