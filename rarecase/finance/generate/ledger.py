"""What is ordered at a place: every payment with a leg there, and what becomes of it.

Ordinary payments of the place come first, then those that cross its border, then those of cases. Which of the
ordinary ones a stop prevents, which are only tried, and which belong to one of the two worlds alone is said
here by a fate per row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import USUAL, CaseRows, Stops
from rarecase.finance.generate.counters import at_counters
from rarecase.finance.generate.crossing import crossings
from rarecase.finance.generate.flows import Flow, Maker, ordinary_flows
from rarecase.finance.generate.manner import possible
from rarecase.finance.generate.place import Place
from rarecase.finance.plan import Details, Rooms
from rarecase.finance.schema import DECLINE_REASONS
from rarecase.finance.spec import FinanceSpec

#: In which worlds a row is a payment: in both; only here, as a case ordered it; only in the twin, as a case
#: prevents it; in none (an attempt); only here, as the twin refused it for want of funds; in none, but
#: refused for other reasons here than in the twin.
BOTH, HERE, TWIN, TRIED, GAINED, OTHERWISE = range(6)


@dataclass(frozen=True)
class Ordered:
    """Payments and attempts with a leg in the part, columns of one length.

    Attributes
    ----------
    second, amount, way
        As in `flows.Flow`.
    payer, payee
        Addresses relative to the part's first slot: in [0, width) for accounts of the part; of orders that
        are settled, indices of `parties.Parties`.
    word
        Words of the payments' keys (`KeySpace.of_words`).
    ordinal
        Ordinals from which the words of the legs follow; of cases row numbers.
    fate
        BOTH, HERE, TWIN, TRIED, GAINED or OTHERWISE.
    reason
        Why it is an attempt here, a position in DECLINE_REASONS; -1 for payments.
    cause
        Position of the case that prevents or makes the row, -1 for none.
    refers
        Row of the payment that it gives back, -1 for none.
    of_case
        Row of `cases`, -1 for ordinary ones.
    cases
        What the cases planned. Before they are put in order of time, these are the last rows.
    """

    second: Int64
    amount: Int64
    way: NDArray[np.int8]
    payer: Int64
    payee: Int64
    word: Int64
    ordinal: Int64
    fate: NDArray[np.int8]
    reason: NDArray[np.int8]
    cause: NDArray[np.int32]
    refers: NDArray[np.int32]
    of_case: NDArray[np.int32]
    cases: CaseRows

    def __len__(self) -> int:
        return int(self.second.size)

    def put(self, order: Int64) -> Ordered:
        """The same rows in another order; `order` is a permutation of all."""
        place = np.empty(order.size, np.int32)
        place[order] = np.arange(order.size, dtype=np.int32)
        refers = _moved(self.refers, place)
        back = np.flatnonzero(refers >= 0)
        refers[back] = place[refers[back]]
        return Ordered(
            second=self.second[order],
            amount=self.amount[order],
            way=self.way[order],
            payer=self.payer[order],
            payee=self.payee[order],
            word=self.word[order],
            ordinal=self.ordinal[order],
            fate=self.fate[order],
            reason=_moved(self.reason, place),
            cause=_moved(self.cause, place),
            refers=refers,
            of_case=_moved(self.of_case, place),
            cases=self.cases,
        )


def _moved(column: NDArray[Any], place: NDArray[np.int32]) -> NDArray[Any]:
    """A column that is -1 nearly everywhere, in its new order."""
    out = np.full(column.size, -1, column.dtype)
    some = np.flatnonzero(column >= 0)
    out[place[some]] = column[some]
    return out


def ordered(plan: Plan, place: Place) -> tuple[Ordered, list[Flow]]:
    """All orders at a place, and the ordinary ones as flows of the place and of its crossings."""
    spec = plan.spec
    assert isinstance(spec, FinanceSpec)
    details: Details = plan.details
    rooms, width = Rooms(plan.keys.part_row_bits), place.opening.size
    across = crossings(spec, place.part, rooms)
    own = ordinary_flows(Maker(spec, place), across)
    rows = details.rows.take(details.touching(place.part))
    base = place.part * width
    ordinal = np.arange(sum(flow.second.size for flow in own), dtype=np.int64)
    rooms.check_own(ordinal.size)
    moved = [
        Flow(piece.second, piece.amount, piece.payer - base, piece.payee - base, piece.way)
        for piece in across
    ]
    flows = [*own, *moved]
    n = sum(flow.second.size for flow in flows)
    ordinals = np.concatenate([ordinal, *(piece.ordinal for piece in across), rows.row])
    payer_part = (
        place.part + np.concatenate([flow.payer for flow in moved]) // width if moved else ordinal[:0]
    )
    word = np.concatenate(
        [
            plan.keys.row_words(place.part, ordinal),
            plan.keys.row_words(payer_part, ordinals[ordinal.size : n]),
            plan.keys.case_words(rows.home, rows.row),
        ]
    )
    flows = at_counters(spec, flows, word[:n])
    tried = np.concatenate([*(_declined(flow) for flow in flows), rows.declined.astype(np.int8)])
    fate = np.where(tried >= 0, TRIED, BOTH).astype(np.int8)
    fate[n:] = np.where(rows.declined >= 0, TRIED, HERE)
    cause = np.full(n + len(rows), -1, np.int32)
    cause[n:] = rows.case
    of_case = np.full(n + len(rows), -1, np.int32)
    of_case[n:] = np.arange(len(rows))
    second = np.concatenate([*(flow.second for flow in flows), rows.second])
    amount = np.concatenate([*(flow.amount for flow in flows), rows.amount])
    way = np.concatenate([*(flow.way for flow in flows), rows.way.astype(np.int8)])
    payer = np.concatenate([*(flow.payer for flow in flows), rows.payer - base])
    payee = np.concatenate([*(flow.payee for flow in flows), rows.payee - base])
    possible(spec, way, second, amount, payer + base, payee + base)
    return (
        Ordered(
            second=second,
            amount=amount,
            way=way,
            payer=payer,
            payee=payee,
            word=word,
            ordinal=ordinals,
            fate=fate,
            reason=tried,
            cause=cause,
            refers=np.concatenate([*(_refers(flow) for flow in flows), _within_cases(rows, n)]),
            of_case=of_case,
            cases=rows,
        ),
        flows,
    )


def stop(plan: Plan, place: Place, orders: Ordered) -> None:
    """Give ordinary orders that a stopped card, account or wage prevents the fate of it.

    What the bank stops by mistake is tried in both worlds; what a case stops is a payment of the twin only.
    What gives a prevented payment back is prevented with it.
    """
    details: Details = plan.details
    width, n = place.opening.size, len(orders) - len(orders.cases)
    base = place.part * width
    since, until = _mistakes(plan, orders, n, width, base)
    ways = data.ways()
    _stop_by_mistake(
        ways.stopped_by[orders.way[:n]] == data.STOPPERS.index("card"),
        orders.second,
        since,
        until,
        orders.fate,
        orders.reason,
        DECLINE_REASONS.index("suspected_fraud"),
    )
    card, account, wages, away = (_Local(stops, base, width) for stops in details.stops)
    in_person = ways.card & ~ways.remote
    wage_ways = np.array([word == "SALA" and kind == "payroll" for word, kind in _purposes()])
    for stops, who, stopped, reason in (
        (account, orders.payer, ways.stopped_by >= data.STOPPERS.index("account"), "blocked_account"),
        (card, orders.payer, ways.stopped_by == data.STOPPERS.index("card"), "blocked_card"),
        (wages, orders.payee, wage_ways, None),
        (away, orders.payer, in_person, None),
    ):
        if len(stops.stops):
            _stop_by_case(
                stops.here,
                stops.relative,
                stops.stops.since,
                stops.stops.until,
                stops.stops.case,
                who[:n],
                orders.second,
                stopped,
                orders.way,
                -1 if reason is None else DECLINE_REASONS.index(reason),
                orders.fate,
                orders.reason,
                orders.cause,
            )
    back = np.flatnonzero(orders.refers[:n] >= 0)
    lost = back[orders.fate[orders.refers[back]] != BOTH]
    orders.fate[lost] = orders.fate[orders.refers[lost]]
    orders.cause[lost] = orders.cause[orders.refers[lost]]
    # A payment that never was is not given back, in no world and without a word.
    orders.reason[lost] = -1


class _Local:
    """Stops of one kind as a part sees them."""

    def __init__(self, stops: Stops, base: int, width: int) -> None:
        self.stops, self.relative = stops, stops.address - base
        self.here = np.full(width, -1, np.int32)
        own = np.flatnonzero((self.relative >= 0) & (self.relative < width))
        self.here[self.relative[own]] = own


def _declined(flow: Flow) -> NDArray[np.int8]:
    return np.full(flow.second.size, USUAL, np.int8) if flow.declined is None else flow.declined


def _refers(flow: Flow) -> NDArray[np.int32]:
    return np.full(flow.second.size, -1, np.int32) if flow.refers is None else flow.refers.astype(np.int32)


def _within_cases(rows: CaseRows, first: int) -> NDArray[np.int32]:
    """Rows that rows of cases refer to, counted from `first`; -1 for none, or if it is not here."""
    found = np.full(len(rows), -1, np.int32)
    back = np.flatnonzero(rows.refers >= 0)
    if back.size:
        packed = (rows.case << 32) | rows.row
        order = np.argsort(packed)
        at = np.searchsorted(packed[order], (rows.case[back] << 32) | rows.refers[back])
        at = np.minimum(at, order.size - 1)
        hit = packed[order[at]] == ((rows.case[back] << 32) | rows.refers[back])
        found[back[hit]] = first + order[at[hit]]
    return found


def _purposes() -> zip[tuple[str, str]]:
    columns = data.ways().columns
    return zip(columns["purpose"], columns["payment_type"], strict=True)


def _mistakes(plan: Plan, orders: Ordered, n: int, width: int, base: int) -> tuple[Int64, Int64]:
    """Per ordinary row: from and to when the payer's card is stopped by mistake; NEVER for nearly all."""
    slots, spec = ground.slots(plan.spec.block), plan.spec
    low = base // width * spec.block
    own = np.arange(low, min(low + spec.block, spec.size))
    since, until = np.full(width, NEVER), np.full(width, NEVER)
    since[: own.size], until[: own.size] = ground.false_stop(spec, own)
    payer = orders.payer[:n]
    far = np.flatnonzero((payer < 0) | (payer >= width))
    row_since, row_until = since[payer.clip(0, width - 1)], until[payer.clip(0, width - 1)]
    address = payer[far] + base
    there, slot = np.divmod(address, width)
    known = slot < slots.block
    customer = np.minimum(there * spec.block + np.where(known, slot, 0), spec.size - 1)
    far_since, far_until = ground.false_stop(spec, customer)
    row_since[far] = np.where(known, far_since, NEVER)
    row_until[far] = np.where(known, far_until, NEVER)
    return row_since, row_until


@compiled
def _stop_by_mistake(
    cards: NDArray[np.bool_],
    second: Int64,
    since: Int64,
    until: Int64,
    fate: NDArray[np.int8],
    reason: NDArray[np.int8],
    word: int,
) -> None:
    for i in range(cards.size):
        if cards[i] and since[i] <= second[i] < until[i] and fate[i] == 0:
            fate[i] = 3
            reason[i] = word


@compiled
def _stop_by_case(
    here: NDArray[np.int32],
    relative: Int64,
    since: Int64,
    until: Int64,
    case: Int64,
    who: Int64,
    second: Int64,
    stopped: NDArray[np.bool_],
    way: NDArray[np.int8],
    word: int,
    fate: NDArray[np.int8],
    reason: NDArray[np.int8],
    cause: NDArray[np.int32],
) -> None:
    for i in range(who.size):
        if not stopped[way[i]] or fate[i] != 0:
            continue
        at = -1
        if 0 <= who[i] < here.size:
            at = here[who[i]]
        else:  # relative addresses ascend
            at = np.searchsorted(relative, who[i])
            if at == relative.size or relative[at] != who[i]:
                at = -1
        if at >= 0 and since[at] <= second[i] < until[at]:
            fate[i] = 2
            reason[i] = word
            cause[i] = case[at]
