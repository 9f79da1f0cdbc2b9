"""Everything of the bank's world that crosses places, dated before anything is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from rarecase.common.errors import PlanError
from rarecase.common.keys import KeySpace
from rarecase.common.plan import Placement
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.common.tables import NEVER
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.footprint import CaseFacts, CaseRows, join

_PAIR_BITS = 7


@dataclass(frozen=True)
class Block:
    """Stopped cards, sorted by customer; arrays of one length.

    Attributes
    ----------
    customer
        Global ordinal.
    since, until
        Seconds [since, until) in which the card does not work.
    case
        Position of the case that stopped it.
    """

    customer: Int64
    since: Int64
    until: Int64
    case: Int64


@dataclass(frozen=True)
class Details:
    """What the cases do, known to every part.

    Attributes
    ----------
    rows
        Payments of all cases, ordered by the part that pays.
    payee_order
        Row numbers of `rows`, ordered by the part that is paid.
    payer_part, payee_part
        Ascending parts, of `rows` and of `payee_order`.
    blocks
        Stopped cards.
    home, case_id, entry
        Per case: first entity, key, position of its entry in the spec.
    facts
        Per entry of the spec: what happened when.
    first
        Position of each entry's first case.
    """

    rows: CaseRows
    payee_order: Int64
    payer_part: Int64
    payee_part: Int64
    blocks: Block
    home: Int64
    case_id: Int64
    entry: Int64
    facts: tuple[CaseFacts, ...]
    first: Int64

    def touching(self, part: int) -> Int64:
        """Row numbers of the case payments with a leg in `part`, ascending."""
        low, high = np.searchsorted(self.payer_part, [part, part + 1])
        begin, end = np.searchsorted(self.payee_part, [part, part + 1])
        return np.union1d(np.arange(low, high), self.payee_order[begin:end])

    def per_case(self, name: str) -> Int64:
        """A moment of all cases, by position."""
        columns = [getattr(facts, name) for facts in self.facts]
        return np.concatenate(columns) if columns else np.empty(0, np.int64)


class Rooms:
    """Ranges of ordinals of a part: half of them for payments of its own, two quarters for crossing ones."""

    def __init__(self, part_row_bits: int) -> None:
        # One bit tells the two legs of a payment apart in the keys of the entries.
        quarter = part_row_bits - 3
        self.own = 2 << quarter
        self.sweeps = 3 << quarter
        self.end = 4 << quarter
        self.pair_room = 1 << max(quarter - _PAIR_BITS, 0)

    def pair(self, code: Int64, rows: Int64) -> Int64:
        """Ordinals of a pair stream's rows."""
        self._fits(rows, self.pair_room)
        return self.own + code * self.pair_room + rows

    def sweep(self, numbers: Int64) -> Int64:
        """Ordinals of sweeps."""
        self._fits(numbers, self.end - self.sweeps)
        return self.sweeps + numbers

    def check_own(self, rows: int) -> None:
        """Refuse more payments within a place than there is room for."""
        self._fits(np.array([rows], np.int64), self.own)

    def _fits(self, rows: Int64, room: int) -> None:
        if rows.size and int(rows.max()) >= room:
            raise PlanError(
                "block",
                int(rows.max()),
                f"places with fewer than {room:,} payments of a kind",
                hint="Use larger blocks, so that there are fewer places, or fewer days.",
            )


def sweep_months(spec: Spec) -> Int64:
    """The days on which places sweep to treasuries, -1 where one falls outside the data, shape (months,)."""
    found: Int64 = ground.calendar(spec.start, spec.days).monthly([4])[0]
    return found


def check_rooms(spec: Spec, keys: KeySpace) -> None:
    """Refuse worlds whose payments would not fit their keys.

    Raises
    ------
    PlanError
        When sweeps, or six standard deviations more payments than expected, exceed their ranges.
    """
    rooms = Rooms(keys.part_row_bits)
    last = spec.parts * ground.slots(spec.block).treasuries_n * sweep_months(spec).size
    rooms.sweep(np.array([last], np.int64))
    people = min(spec.block, spec.size)
    expected = people * 1.2 * exposure(spec, "transaction")
    rooms.check_own(int(expected + 6 * np.sqrt(expected)) + 1_000)


def details(spec: Spec, placements: tuple[Placement, ...], keys: KeySpace) -> Details:
    """Date all that cases do; PlanError where payments would not fit their keys."""
    check_rooms(spec, keys)
    made = [cast(BankCase, placement.case).footprint(spec, placement) for placement in placements]
    sizes = np.array([len(placement) for placement in placements], np.int64)
    first = np.cumsum(sizes) - sizes
    rows = join([_moved(rows, int(start)) for (rows, _), start in zip(made, first, strict=True)])
    width = ground.slots(spec.block).width
    rows = rows.take(np.argsort(rows.payer // width, kind="stable"))
    payee_part = rows.payee // width
    payee_order = np.argsort(payee_part, kind="stable")
    facts = tuple(fact for _, fact in made)
    home = _joined([placement.homes for placement in placements])
    return Details(
        rows=rows,
        payee_order=payee_order,
        payer_part=rows.payer // width,
        payee_part=payee_part[payee_order],
        blocks=_blocks(home, facts),
        home=home,
        case_id=_joined([placement.case_ids for placement in placements]),
        entry=np.repeat(np.arange(len(placements)), sizes),
        facts=facts,
        first=first,
    )


def exposure(spec: Spec, per: str) -> float:
    """Planned payments of a customer over the data, for rates per transaction; KeyError for other units."""
    if per != "transaction":
        raise KeyError(per)
    from rarecase.finance.spec import FinanceSpec

    population = cast(FinanceSpec, spec).population
    monthly = population.purchases_per_month + population.transfers_per_month + _OTHER_PER_MONTH
    return monthly * spec.days / ground.MONTH_DAYS


#: Bills, wages, housing, savings, cash, fees, what is bought on account and what firms pay, per customer and
#: month.
_OTHER_PER_MONTH = 12.3


def case_words(
    spec: Spec, placement: Placement, facts: CaseFacts, position: int
) -> tuple[dict[str, Any], str]:
    """Facts for the parameters, and story, of one case of an entry."""
    case = cast(BankCase, placement.case)
    own = {name: int(column[position]) for name, column in facts.details.items()}
    dated = {
        name: int(getattr(facts, name)[position]) for name in ("started", "ended", "reported", "detected")
    }
    # Moments stand in columns of their own and in the story; seconds would say nothing to people.
    told = {name: value for name, value in own.items() if name not in ("last_payment", "first_wage")}
    return told, case.story(spec, {**own, **dated})


def _moved(rows: CaseRows, start: int) -> CaseRows:
    return CaseRows(**{**rows.__dict__, "case": rows.case + start})


def _joined(columns: list[Int64]) -> Int64:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


def _blocks(home: Int64, facts: tuple[CaseFacts, ...]) -> Block:
    since = _joined([fact.blocked_from for fact in facts])
    until = _joined([fact.blocked_to for fact in facts])
    stopped = np.flatnonzero(since != NEVER)
    stopped = stopped[np.argsort(home[stopped], kind="stable")]
    return Block(home[stopped], since[stopped], until[stopped], stopped)
