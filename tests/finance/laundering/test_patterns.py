"""The eight patterns in the plan: their graphs, what they conserve, when and where they run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import networkx as nx
import numpy as np
import pytest

from rarecase.common.plan import Placement, make_plan
from rarecase.common.seeds import Int64
from rarecase.common.spec import Spec, load_spec
from rarecase.finance.cases import KINDS, ground
from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.footprint import ROLES, STAGES, CaseRows, Footprint
from rarecase.finance.cases.laundering import graphs, schemes
from rarecase.finance.cases.laundering.pattern import Pattern

PATTERNS = tuple(kind.model_fields["kind"].default for kind in KINDS if issubclass(kind, Pattern))
PLACEMENT, HOP = ROLES.index("placement"), ROLES.index("hop")
DAY_S = ground.DAY_S
#: Least time between what comes and what is paid on.
SETTLED_S = 60


class Drawn:
    """The cases of one entry, rows in the order of time."""

    def __init__(self, kind: str, difficulty: float, count: int = 30, **changes: Any) -> None:
        case = {"kind": kind, "count": count, "difficulty": difficulty}
        world = {"domain": "finance", "size": 4_000, "block": 250, "days": 90, **changes}
        self.spec: Spec = load_spec({**world, "cases": [case]})
        self.placement: Placement = make_plan(self.spec).placements[0]
        self.made: Footprint = cast(BankCase, self.placement.case).footprint(self.spec, self.placement)
        rows = self.made.rows
        self.rows: CaseRows = rows.take(np.lexsort((rows.second, rows.case)))
        self.width = ground.slots(self.spec.block).width

    def of(self, case: int, *roles: int) -> CaseRows:
        rows = self.rows
        return rows.take(np.flatnonzero((rows.case == case) & np.isin(rows.role, roles)))

    def hops(self, case: int) -> nx.DiGraph:
        rows = self.of(case, HOP)
        graph = nx.DiGraph()
        graph.add_edges_from(zip(rows.payer.tolist(), rows.payee.tolist(), strict=True))
        return graph

    def accounts(self, case: int) -> list[int]:
        found = self.placement.entities[case]
        return list(ground.slots(self.spec.block).customer(found[found >= 0]).tolist())

    def credited(self, rows: CaseRows) -> Int64:
        source, target = (ground.currency(self.spec, side // self.width) for side in (rows.payer, rows.payee))
        return ground.exchanged(self.spec, rows.second, rows.amount, source, target)


def is_kind(kind: str, graph: nx.DiGraph, accounts: list[int], complete: bool) -> bool:
    """Whether hops have the shape of a kind; the home is the first of the accounts."""
    home, others = accounts[0], set(accounts[1:])
    ins, outs = dict(graph.in_degree()), dict(graph.out_degree())
    if kind == "laundering_fan_out":
        return set(graph[home]) == others and outs[home] == graph.number_of_edges()
    if kind == "laundering_fan_in":
        return set(graph.predecessors(home)) == others and ins[home] == graph.number_of_edges()
    if kind == "laundering_cycle":
        return nx.is_strongly_connected(graph) and all(ins[a] == outs[a] == 1 for a in accounts)
    if kind == "laundering_gather_scatter":
        apart = set(graph.predecessors(home)).isdisjoint(graph[home])
        return apart and ins[home] + outs[home] == graph.number_of_edges() == len(others) and ins[home] > 1
    if kind == "laundering_scatter_gather":
        sink = next(a for a in accounts if outs[a] == 0)
        between = others - {sink}
        return set(graph[home]) == between == set(graph.predecessors(sink)) and len(between) > 1
    if kind == "laundering_random_walk":
        return ins[home] == 0 and set(nx.descendants(graph, home)) == others
    sources, sinks = [a for a in accounts if ins[a] == 0], [a for a in accounts if outs[a] == 0]
    depth = nx.dag_longest_path_length(graph)
    if kind == "laundering_bipartite":
        full = len(sources) * len(sinks)
        enough = graph.number_of_edges() == full if complete else graph.number_of_edges() >= full / 2
        return home in sources and depth == 1 and enough
    return kind == "laundering_stack" and home in sources and depth in (2, 3)


@pytest.fixture(scope="module", params=PATTERNS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_every_case_has_its_shape(kind: str, difficulty: float) -> None:
    drawn = Drawn(kind, difficulty)
    for case in range(len(drawn.placement)):
        graph, accounts = drawn.hops(case), drawn.accounts(case)
        assert set(graph) == set(accounts)
        assert is_kind(kind, graph, accounts, complete=difficulty == 0.0)


@pytest.mark.parametrize("difficulty", [0.0, 1.0])
def test_nobody_pays_on_what_has_not_come(kind: str, difficulty: float) -> None:
    drawn = Drawn(kind, difficulty)
    rows, came = drawn.rows, drawn.credited(drawn.rows)
    held: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], int] = {}
    columns = zip(
        *(column.tolist() for column in (rows.case, rows.payer, rows.payee, rows.role, rows.second)),
        rows.amount.tolist(),
        came.tolist(),
        strict=True,
    )
    for case, payer, payee, role, second, amount, credited in columns:
        if role != PLACEMENT:
            held[case, payer] = held.get((case, payer), 0) - amount
            assert held[case, payer] >= 0
            assert second - last[case, payer] >= SETTLED_S
        held[case, payee] = held.get((case, payee), 0) + credited
        last[case, payee] = second
    assert (rows.tainted == rows.amount).all()


def test_fees_are_as_declared_when_easy(kind: str) -> None:
    drawn = Drawn(kind, 0.0)
    for case in range(len(drawn.placement)):
        hops = drawn.of(case, HOP)
        came = drawn.credited(hops)
        if kind in ("laundering_cycle", "laundering_random_walk"):
            kept = 1 - hops.amount[1:] / came[:-1]
            assert ((kept > 0.0149) & (kept < 0.0451)).all()
        else:
            accounts = drawn.accounts(case)
            for account in accounts:
                moved, got = hops.amount[hops.payer == account].sum(), came[hops.payee == account].sum()
                assert got == 0 or moved == 0 or 0.0149 < 1 - moved / got < 0.0451


@pytest.mark.parametrize(("difficulty", "days"), [(0.0, 2.0), (0.5, 6.5), (1.0, 21.0)])
def test_hops_lie_in_their_window_with_cash_before(kind: str, difficulty: float, days: float) -> None:
    drawn = Drawn(kind, difficulty)
    longest = 0
    for case in range(len(drawn.placement)):
        hops, cash = drawn.of(case, HOP), drawn.of(case, PLACEMENT)
        longest = max(longest, int(np.ptp(hops.second)))
        payers = set(hops.payer.tolist()) - set(hops.payee.tolist()) or {drawn.accounts(case)[0]}
        assert set(cash.payee.tolist()) == payers
        assert cash.second.max() < hops.second.min()
    assert 0.6 * days * DAY_S < longest <= days * DAY_S


def test_cash_stays_below_the_limit(kind: str) -> None:
    for difficulty in (0.0, 1.0):
        drawn = Drawn(kind, difficulty)
        cash = drawn.rows.take(np.flatnonzero(drawn.rows.role == PLACEMENT))
        limit = schemes.limit_minor(drawn.spec, cash.payer // drawn.width)
        assert (cash.amount < limit).all()
        assert (cash.payer // drawn.width == cash.payee // drawn.width).all()
        assert (cash.stage == STAGES.index("placement")).all()


def test_stages_follow_each_other(kind: str) -> None:
    rows = Drawn(kind, 0.5).rows
    assert (np.diff(rows.stage)[np.diff(rows.case) == 0] >= -1).all()
    assert set(rows.stage.tolist()) == {0, 1, 2}
    last = np.flatnonzero(np.diff(rows.case, append=-1) != 0)
    assert (rows.stage[last] >= STAGES.index("layering")).all()


def test_hard_hops_go_where_ordinary_payments_go(kind: str) -> None:
    for difficulty in (0.5, 1.0):
        drawn = Drawn(kind, difficulty)
        rows = drawn.rows.take(np.flatnonzero(drawn.rows.role == HOP))
        parts = drawn.spec.parts
        away = (rows.payee // drawn.width - rows.payer // drawn.width) % parts
        assert np.isin(away, np.append(ground.steps(parts) % parts, 0)).all()
        assert 0.1 < (away != 0).mean() < 0.5


def test_cases_differ(kind: str) -> None:
    for difficulty in (0.0, 1.0):
        drawn = Drawn(kind, difficulty, count=60)
        told = set()
        for case in range(60):
            hops = drawn.of(case, HOP)
            told.add((len(hops), tuple(hops.amount.tolist()), tuple(np.diff(hops.second).tolist())))
        assert len(told) == 60
        assert len(set(drawn.placement.members.tolist())) >= 6


def test_sizes_are_spread_as_published() -> None:
    """Four ranges with equal chance; the share of 40,000 draws in one errs by 0.002."""
    found = graphs.sizes((np.arange(40_000) + 0.5) / 40_000, 3, 18)
    for low, high in graphs.SIZES:
        assert np.mean((found >= low) & (found <= high)) == pytest.approx(0.25, abs=0.001)
    assert set(found.tolist()) == set(range(3, 19))
    cut = graphs.sizes((np.arange(1_000) + 0.5) / 1_000, 6, 10)
    assert set(cut.tolist()) == {6, 7, 8, 9, 10}


def test_a_walk_meets_everybody_and_never_the_start() -> None:
    rng = np.random.default_rng(1)
    members = rng.integers(3, 19, 500)
    order = graphs.wander(members, rng.random((500, 27)), rng.random((500, 27)))
    longest = (order >= 0).sum(axis=1)
    for walk, number, length in zip(order.tolist(), members.tolist(), longest.tolist(), strict=True):
        assert set(walk[:length]) == set(range(number))
        assert 0 not in walk[1:length]
        assert all(a != b for a, b in pairwise(walk[:length]))
    assert (longest > members).any()


def test_left_out_pairs_leave_nobody_out() -> None:
    rng = np.random.default_rng(2)
    layer = np.array([[0, 0, 0, 1, 1, 2, 2, 2, -1]] * 300)
    legs = graphs.layered(layer, rng.random((300, 81)), 1 / 3)
    whole = graphs.layered(layer)
    assert (whole.real.sum(axis=1) == 3 * 2 + 2 * 3).all()
    assert legs.real.sum() < whole.real.sum()
    for payer, payee in zip(legs.payer.tolist(), legs.payee.tolist(), strict=True):
        assert set(payer) - {-1} == {0, 1, 2, 3, 4}
        assert set(payee) - {-1} == {3, 4, 5, 6, 7}


@pytest.mark.parametrize("days", [1, 3, 30])
def test_small_and_short_worlds_bear_patterns(kind: str, days: int) -> None:
    drawn = Drawn(kind, 0.6, count=3, size=400, block=60, days=days)
    assert (drawn.rows.second < days * DAY_S).all()
    assert np.ptp(drawn.rows.second) <= days * DAY_S
    assert (drawn.rows.role == HOP).any()


def test_first_hops_move_towards_ordinary_transfers() -> None:
    medians = []
    for difficulty in (0.0, 0.25, 0.5, 0.75, 1.0):
        rows = Drawn("laundering_fan_in", difficulty, count=60, population={"countries": ["DE"]}).rows
        medians.append(float(np.median(rows.amount[rows.role == HOP])))
    assert 120_000 < medians[0] < 180_000
    assert (np.diff(medians) < 0).all()
    assert 7_000 < medians[-1] < 14_000
