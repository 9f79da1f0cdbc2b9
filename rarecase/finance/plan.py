"""Everything of the bank's world that crosses places, dated before anything is made."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, cast

import numpy as np

from rarecase.common.errors import PlanError
from rarecase.common.keys import KeySpace
from rarecase.common.plan import Placement
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.footprint import (
    STOPS,
    CaseFacts,
    CaseRows,
    Columns,
    Devices,
    Edits,
    Networks,
    NewCards,
    Stops,
)

_PAIR_BITS = 8


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
    stops
        For each kind of STOPS what is stopped, ascending by address.
    devices, networks, edits, new_cards
        What cases bring to the register.
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
    stops: tuple[Stops, ...]
    devices: Devices
    networks: Networks
    edits: Edits
    new_cards: NewCards
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


class Rooms:
    """Ranges of ordinals of a part: half of them for payments of its own, two quarters for crossing ones."""

    def __init__(self, part_row_bits: int) -> None:
        # Two bits tell the four legs of a payment apart in the keys of the entries.
        quarter = part_row_bits - 4
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
    rows = _all(CaseRows, [found.rows for found in made], first)
    width = ground.slots(spec.block).width
    rows = rows.take(np.argsort(rows.payer // width, kind="stable"))
    payee_part = rows.payee // width
    payee_order = np.argsort(payee_part, kind="stable")
    stops = _all(Stops, [found.stops for found in made], first)
    stops = stops.take(np.argsort(stops.address, kind="stable"))
    return Details(
        rows=rows,
        payee_order=payee_order,
        payer_part=rows.payer // width,
        payee_part=payee_part[payee_order],
        stops=tuple(stops.take(np.flatnonzero(stops.what == what)) for what in range(len(STOPS))),
        devices=_all(Devices, [found.devices for found in made], first),
        networks=_all(Networks, [found.networks for found in made], first),
        edits=_all(Edits, [found.edits for found in made], first),
        new_cards=_all(NewCards, [found.new_cards for found in made], first),
        home=_joined([placement.homes for placement in placements]),
        case_id=_joined([placement.case_ids for placement in placements]),
        entry=np.repeat(np.arange(len(placements)), sizes),
        facts=tuple(found.facts for found in made),
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
_OTHER_PER_MONTH = 16.0


def case_words(
    spec: Spec, placement: Placement, facts: CaseFacts, position: int
) -> tuple[dict[str, Any], str]:
    """Facts for the parameters, and story, of one case of an entry."""
    case = cast(BankCase, placement.case)
    own = {name: int(column[position]) for name, column in facts.details.items()}
    words = ("started", "ended", "reported", "detected", "loss", "recovered", "reimbursed")
    more = {name: int(getattr(facts, name)[position]) for name in words}
    home = placement.homes[position : position + 1]
    more["currency"] = int(ground.currency(spec, home // spec.block)[0])
    # Moments stand in columns of their own and in the story; seconds would say nothing to people.
    told = {name: value for name, value in own.items() if not name.endswith("_second")}
    return told, case.story(spec, {**own, **more})


_C = TypeVar("_C", bound=Columns)


def _all(kind: type[_C], pieces: list[_C], first: Int64) -> _C:
    """Columns of all entries, with cases numbered through."""
    moved = [
        replace(piece, case=piece.case + start)  # type: ignore[attr-defined,type-var]
        for piece, start in zip(pieces, first.tolist(), strict=True)
    ]
    if not moved:
        return kind(**{each.name: np.empty(0, np.int64) for each in fields(kind)})  # type: ignore[arg-type]
    return kind.join(moved)


def _joined(columns: list[Int64]) -> Int64:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)
