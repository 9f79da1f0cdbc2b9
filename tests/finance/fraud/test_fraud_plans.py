"""What the kinds of fraud do, as the plan has it: order, conservation, limits, shares."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from rarecase.common.plan import Plan, make_plan
from rarecase.common.spec import load_spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import ROLES, STOPS, USUAL, CaseFacts, CaseRows, Stops
from rarecase.finance.cases.fraud.skimming import kilometres
from rarecase.finance.plan import case_words
from rarecase.finance.schema import DECLINE_REASONS

SCAMS = ("app_impersonation", "app_investment", "app_invoice", "app_purchase", "app_romance")
CARDS = ("card_not_present", "card_testing", "lost_and_stolen", "skimming")
ALL = ("account_takeover", *SCAMS, *CARDS)
COUNT = {"app_invoice": 20, "card_testing": 20, "skimming": 30}


@lru_cache(maxsize=32)
def planned(kind: str, difficulty: float) -> Plan:
    wanted = {"kind": kind, "count": COUNT.get(kind, 60), "difficulty": difficulty}
    return make_plan(
        load_spec({"domain": "finance", "size": 4_000, "block": 250, "days": 120, "cases": [wanted]})
    )


def drawn(kind: str, difficulty: float) -> tuple[Plan, CaseRows, CaseFacts]:
    plan = planned(kind, difficulty)
    return plan, plan.details.rows, plan.details.facts[0]


def of(rows: CaseRows, *roles: str) -> CaseRows:
    return rows.take(np.flatnonzero(np.isin(rows.role, [ROLES.index(role) for role in roles])))


def booked(rows: CaseRows) -> CaseRows:
    return rows.take(np.flatnonzero(rows.declined == USUAL))


def currency(plan: Plan, address: np.ndarray) -> np.ndarray:
    return ground.currency(plan.spec, address // ground.slots(plan.spec.block).width)


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["account_takeover", *SCAMS])
def test_mules_pass_on_less_than_came_and_later(kind: str, difficulty: float) -> None:
    plan, rows, _ = drawn(kind, difficulty)
    came, left = booked(of(rows, "drain", "scam")), of(rows, "cash_out", "forward", "recall", "exit")
    credited = ground.exchanged(
        plan.spec, came.second, came.amount, currency(plan, came.payer), currency(plan, came.payee)
    )
    assert len(left) > 20
    for account in np.unique(left.payer):
        here, gone = came.payee == account, left.payer == account
        assert here.any()
        for at in np.unique(left.second[gone]):
            before = credited[here & (came.second <= at - 60)].sum()
            assert left.amount[gone & (left.second <= at)].sum() <= before


@pytest.mark.parametrize("kind", ["account_takeover", *SCAMS])
def test_three_quarters_leave_within_a_day_unless_stopped(kind: str) -> None:
    plan, rows, _ = drawn(kind, 0.0)
    came, left = booked(of(rows, "drain", "scam")), of(rows, "cash_out", "forward", "exit")
    late = came.second > plan.spec.days * ground.DAY_S - 2 * ground.DAY_S
    stopped = np.isin(came.payee, plan.details.stops[STOPS.index("account")].address)
    large = came.amount >= 25_000 * ground.price_scale(plan.spec, came.payer // ground.slots(250).width)
    share = []
    for row in np.flatnonzero(~late & ~stopped & large):
        soon = (left.payer == came.payee[row]) & (left.second > came.second[row])
        soon &= left.second < came.second[row] + 36 * 3_600
        same = currency(plan, came.payer[row : row + 1]) == currency(plan, came.payee[row : row + 1])
        if same[0]:
            share.append(left.amount[soon].sum() / came.amount[row])
    # The trial of an investment stays at the mule, which pays the `profit` out of it.
    fewest = {"app_investment": 0.6}.get(kind, 0.95)
    assert len(share) > 5
    assert np.mean(np.array(share) >= 0.75) >= fewest


@pytest.mark.parametrize("difficulty", [0.0, 1.0])
@pytest.mark.parametrize("kind", ALL)
def test_nothing_leaves_what_a_case_has_stopped(kind: str, difficulty: float) -> None:
    plan, rows, _ = drawn(kind, difficulty)
    by_card = data.ways().stopped_by == data.STOPPERS.index("card")
    by_account = data.ways().stopped_by >= data.STOPPERS.index("account")
    paid = booked(rows)
    for name, stopped in (("card", by_card), ("account", by_account)):
        stops: Stops = plan.details.stops[STOPS.index(name)]
        since = dict(zip(stops.address.tolist(), stops.since.tolist(), strict=True))
        until = dict(zip(stops.address.tolist(), stops.until.tolist(), strict=True))
        begin = np.array([since.get(address, NEVER) for address in paid.payer.tolist()])
        end = np.array([until.get(address, 0) for address in paid.payer.tolist()])
        assert not (stopped[paid.way] & (paid.second >= begin) & (paid.second < end)).any()


@pytest.mark.parametrize("kind", ALL)
def test_cases_differ_and_stories_tell_them(kind: str) -> None:
    plan, rows, facts = drawn(kind, 0.5)
    n = len(plan.placements[0])
    shapes = set()
    for case in range(n):
        mine = np.flatnonzero(rows.case == case)
        shapes.add((mine.size, tuple(rows.amount[mine].tolist()), tuple(np.diff(rows.second[mine]).tolist())))
        told, story = case_words(plan.spec, plan.placements[0], facts, case)
        assert story.endswith(".")
        assert told
    assert len(shapes) >= 0.9 * n


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("size", "block", "days"), [(400, 60, 30), (400, 60, 3), (1_500, 60, 7)])
def test_short_and_small_data_have_cases_too(kind: str, size: int, block: int, days: int) -> None:
    for difficulty in (0.0, 0.6, 1.0):
        case = {"kind": kind, "count": 2, "difficulty": difficulty}
        spec = {"domain": "finance", "size": size, "block": block, "days": days, "cases": [case]}
        rows = make_plan(load_spec(spec)).details.rows
        assert np.unique(rows.case).size == 2
        assert ((rows.second >= 0) & (rows.second < days * ground.DAY_S)).all()
        assert ((rows.tainted >= 0) & (rows.tainted <= rows.amount)).all()


def test_an_offender_who_is_refused_turns_to_the_card() -> None:
    _, rows, _ = drawn("account_takeover", 0.0)
    drains, bought = of(rows, "drain"), of(rows, "purchase")
    refused = drains.take(np.flatnonzero(drains.declined == DECLINE_REASONS.index("suspected_fraud")))
    assert 8 <= np.unique(bought.case).size <= np.unique(refused.case).size
    for case in np.unique(bought.case):
        first = refused.second[refused.case == case].min()
        assert (bought.second[bought.case == case] > first).all()
        own = drains.take(np.flatnonzero((drains.case == case) & (drains.declined == USUAL)))
        assert len(own) == 2
        assert (own.second < first).all()


def test_a_shop_that_is_used_for_testing_refuses_most_cards() -> None:
    for difficulty in (0.0, 1.0):
        plan, rows, _ = drawn("card_testing", difficulty)
        tests = of(rows, "test")
        fails = np.bincount(tests.case, tests.declined >= 0) / np.bincount(tests.case)
        assert ((fails >= 0.58) & (fails <= 0.92)).all()
        assert plan.placements[0].members.min() >= 12
        for case in range(len(plan.placements[0])):
            mine = tests.take(np.flatnonzero(tests.case == case))
            assert np.unique(mine.payee).size == 1
            assert np.unique(mine.payer).size == plan.placements[0].members[case]


def test_counterfeits_are_too_far_away() -> None:
    for difficulty in (0.0, 1.0):
        plan, rows, _ = drawn("skimming", difficulty)
        width = ground.slots(plan.spec.block).width
        used, own = of(rows, "purchase", "withdrawal"), of(rows, "own_use")
        speeds = []
        for case, payer in {(c, p) for c, p in zip(used.case.tolist(), used.payer.tolist(), strict=True)}:
            first = used.take(np.flatnonzero((used.case == case) & (used.payer == payer)))
            first = first.take(np.argsort(first.second)[:1])
            before = own.take(np.flatnonzero((own.payer == payer) & (own.second < first.second)))
            last = before.take(np.argsort(before.second)[-1:])
            km = kilometres(plan.spec, last.payee // width, first.payee // width)
            speeds.append(float(km[0] / (first.second - last.second)[0] * 3_600))
        assert len(speeds) > 60
        assert min(speeds) > 900


def test_romance_payments_grow() -> None:
    _, rows, _ = drawn("app_romance", 0.0)
    sent = booked(of(rows, "scam"))
    for case in np.unique(sent.case):
        mine = np.flatnonzero(sent.case == case)
        amount = sent.amount[mine[np.argsort(sent.second[mine])]]
        assert amount.size >= 7
        assert amount[-1] >= 2.5 * amount[0]
        assert (np.diff(amount) > 0).mean() >= 0.8


def test_the_law_reimburses_the_british() -> None:
    """Shares of UK and other cases that are paid back; 60 and 60 draws, false alarm below 10⁻⁴."""
    kind = {"kind": "app_impersonation", "count": 60, "difficulty": 0.0}
    share = {}
    for country in ("GB", "DE"):
        spec = {
            "domain": "finance", "size": 2_000, "block": 250, "days": 300, "cases": [kind],
            "population": {"countries": [country]},
        }  # fmt: skip
        facts = make_plan(load_spec(spec)).details.facts[0]
        known = np.minimum(facts.reported, facts.detected) < 250 * ground.DAY_S
        share[country] = float((facts.reimbursed[known] > 0).mean())
        assert (facts.reimbursed <= 8_500_000).all()
        assert (facts.reimbursed + facts.recovered <= facts.loss).all()
    assert share["GB"] > 0.65
    assert share["DE"] < 0.40


def test_all_card_fraud_together_is_what_is_published() -> None:
    """0.015 % of card payments by count, four fifths of their value remote (EBA and ECB 2025)."""
    ways = data.ways()
    is_card = np.array([name == "card_payment" for name in ways.columns["payment_type"]])
    number = value = remote = 0.0
    for kind in (*CARDS, "account_takeover"):
        plan, rows, _ = drawn(kind, 0.5)
        paid = booked(rows)
        paid = paid.take(np.flatnonzero(is_card[paid.way] & (paid.role != ROLES.index("own_use"))))
        natural = plan.placements[0].natural
        assert natural is not None
        per = len(plan.placements[0]) if natural.counts == "cases" else plan.placements[0].members.sum()
        number += natural.value * len(paid) / per
        value += natural.value * paid.amount.sum() / per
        remote += natural.value * paid.amount[ways.remote[paid.way].astype(bool)].sum() / per
    assert number / 156 == pytest.approx(0.00015, rel=0.2)
    assert 0.75 < remote / value < 0.93


def test_scams_together_lose_what_is_published() -> None:
    """Mean loss of a case near 2,400 units, and 0.0034 cases a year and adult (UK Finance 2025)."""
    cases = loss = 0.0
    for kind in SCAMS:
        plan, _, facts = drawn(kind, 0.7)
        natural = plan.placements[0].natural
        assert natural is not None
        victims = facts.details["victims"].mean() if kind == "app_purchase" else 1.0
        scale = ground.scale_of(plan.spec, plan.placements[0].homes)
        cases += natural.value * victims
        loss += natural.value * float((facts.loss / scale).mean()) / 100
    assert cases == pytest.approx(186_000 / 55e6, rel=0.15)
    assert loss / cases == pytest.approx(2_420, rel=0.35)


@pytest.mark.parametrize("kind", ALL)
def test_places_that_never_deal_do_not_in_cases_either(kind: str) -> None:
    for difficulty in (0.5, 1.0):
        plan, rows, _ = drawn(kind, difficulty)
        width, parts = ground.slots(plan.spec.block).width, plan.parts
        usual = {0, *(ground.steps(parts) % parts).tolist()}
        assert set(((rows.payee // width - rows.payer // width) % parts).tolist()) <= usual
