"""The bank as an agent: which rules speak, about what, and how alerts are closed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rarecase.common.plan import Plan, make_plan
from rarecase.common.seeds import Float64, Int64
from rarecase.common.spec import load_spec
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor import alert_tables, rules_table
from rarecase.finance.generate.monitor.seen import Seen, holders

DAY = ground.DAY_S
BLOCK, DAYS = 60, 120
SLOTS = ground.slots(BLOCK)


def plan(country: str = "DE", **changes: object) -> Plan:
    """A plan of one place, without cases."""
    spec = {"domain": "finance", "size": BLOCK, "block": BLOCK, "days": DAYS, "cases": [], "seed": 11}
    return make_plan(load_spec({**spec, "population": {"countries": [country]}, **changes}))


@dataclass
class Ledger:
    """Payments put down by hand: what the engine sees is built from them and from nothing else."""

    rows: list[tuple[int, int, str, float, int]] = field(default_factory=list)
    given: dict[int, dict[str, int]] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    foreign: list[tuple[int, int]] = field(default_factory=list)
    income: int = 250_000
    unused: dict[int, int] = field(default_factory=dict)
    limit: dict[int, int] = field(default_factory=dict)

    def pay(
        self,
        payer: int,
        payee: int,
        way: str,
        day: float,
        amount: float,
        *,
        refused: bool = False,
        **given: int,
    ) -> None:
        """A payment of `amount` units on a day; `given` are device_age, payee_age, payee_check."""
        if refused:
            self.refused.append(len(self.rows))
        self.given[len(self.rows)] = given
        self.rows.append((payer, payee, way, day, round(amount * 100)))

    def stranger(self, place: int, name: str = "current", number: int = 0) -> int:
        """An account of another place, as a party."""
        self.foreign.append((place, SLOTS.first(name) + number))
        return SLOTS.width + len(self.foreign) - 1

    def seen(self) -> Seen:
        """What the engine sees of it."""
        width, ways = SLOTS.width, data.ways()
        payer, payee = (np.array([row[side] for row in self.rows], np.int64) for side in (0, 1))
        way = np.array([ways.code(row[2]) for row in self.rows], np.int8)
        ordered = np.array([round(row[3] * DAY) for row in self.rows], np.int64)
        amount = np.array([row[4] for row in self.rows], np.int64)
        night = ways.booking[way] >= 2
        booked = np.where(night, (ordered // DAY + 1) * DAY + 7_200, ordered + 5)
        paid = np.setdiff1d(np.arange(payer.size), self.refused)
        paid = paid[np.argsort(booked[paid], kind="stable")]
        leg = np.stack([4 * paid, 4 * paid + 3], axis=1).ravel()
        who = np.where(leg & 3 == 3, payee[leg >> 2], payer[leg >> 2])
        leg, who = leg[who < width], who[who < width]
        moved = np.where(leg & 3 == 3, amount[leg >> 2], -amount[leg >> 2])
        balance = pd.Series(moved).groupby(who).cumsum().to_numpy() if leg.size else moved
        row = paid[payer[paid] < width]
        unused, limit = np.zeros(width, np.int64), np.full(width, 1 << 60, np.int64)
        for slot, seconds in self.unused.items():
            unused[slot] = seconds
        for slot, most in self.limit.items():
            limit[slot] = most
        given = {
            name: np.array([self.given[i].get(name, -1) for i in row], np.int32)
            for name in ("device_age", "payee_age", "payee_check")
        }
        far = np.array(self.foreign, np.int64).reshape(-1, 2)
        return Seen(
            payer=payer,
            payee=payee,
            way=way,
            ordered=ordered,
            booked=booked,
            amount=amount,
            leg=leg,
            slot=who.astype(np.int32),
            moved=moved,
            balance=balance,
            row=row,
            device_age=given["device_age"],
            payee_age=given["payee_age"],
            payee_check=given["payee_check"].astype(np.int8),
            declined=np.array(self.refused, np.int64),
            party_slot=np.concatenate([np.arange(width), far[:, 1]]).astype(np.int32),
            party_place=np.concatenate([np.zeros(width), far[:, 0]]).astype(np.int32),
            limit=limit,
            unused=unused,
            income=np.full(BLOCK, self.income, np.int64),
            scale=1.0,
            towns=_towns,
        )


def _towns(places: Int64) -> tuple[Float64, Float64]:
    """Towns in a row, 5 degrees of longitude apart."""
    return np.full(places.size, 50.0), np.asarray(10.0 + 5.0 * places, np.float64)


def keys_of(ledger: Ledger) -> Int64:
    """Stand-ins for the keys of payments."""
    return np.arange(len(ledger.rows), dtype=np.int64) + 1_000


def spoken(ledger: Ledger, country: str = "DE", **changes: object) -> pd.DataFrame:
    """The alerts that a ledger raises, with the rule's name and the rows of the payments listed."""
    made = plan(country, **changes)
    seen = ledger.seen()
    tables = alert_tables(made, 0, seen, keys_of(ledger))
    alerts: pd.DataFrame = tables["alerts"].to_pandas()
    rules = rules_table(made, 0).to_pandas().set_index("rule_id")
    assert alerts["rule_id"].isin(rules.index).all()
    alerts["rule"] = alerts["rule_id"].map(rules["rule"]).astype(str)
    alerts["kind"] = alerts["rule_id"].map(rules["kind"]).astype(str)
    pairs = tables["alert_transactions"].to_pandas()
    listed = (pairs["transaction_id"] - 1_000).groupby(pairs["alert_id"]).apply(lambda rows: sorted(rows))
    alerts["listed"] = [listed.get(alert, []) for alert in alerts["alert_id"]]
    return alerts


def rules_of(ledger: Ledger, country: str = "DE", **changes: object) -> set[str]:
    return set(spoken(ledger, country, **changes)["rule"])


CASH, WORLD, RISK = (SLOTS.first(name) for name in ("cash", "world", "high_risk"))
SHOP, FIRM, EXCHANGE = (SLOTS.first(name) for name in ("merchants", "employers", "exchanges"))


def test_cash_below_the_threshold_that_passes_it_together_is_structuring() -> None:
    ledger = Ledger()
    for day in range(4):
        ledger.pay(CASH, 7, "cash_in", 10.5 + day, 3_000)
    alerts = spoken(ledger)
    found = alerts[alerts["rule"] == "structuring"]
    assert len(found) == 1
    assert found["listed"].iloc[0] == [0, 1, 2, 3]
    assert found["amount_minor"].iloc[0] == 1_200_000
    assert found["payments"].iloc[0] == 4
    assert found["raised_at"].iloc[0] > pd.Timestamp("2025-01-15 07:00")
    assert found["raised_at"].iloc[0] < pd.Timestamp("2025-01-15 09:00")


def test_one_deposit_above_the_threshold_is_no_structuring() -> None:
    ledger = Ledger()
    for day, amount in enumerate((11_000, 400, 400)):
        ledger.pay(CASH, 7, "cash_in", 10.5 + day, amount)
    assert "structuring" not in rules_of(ledger)


@pytest.mark.parametrize(
    ("country", "amounts", "reported"),
    [
        ("US", [10_000.00], False),
        ("US", [10_000.01], True),
        ("US", [6_000, 5_000], True),
        ("AU", [9_999.99], False),
        ("AU", [10_000.00], True),
        ("AU", [6_000, 5_000], False),
        ("AU", [10_500, 2_000, 10_000], True),
        ("GB", [50_000], False),
        ("DE", [50_000], False),
    ],
)
def test_only_the_us_and_australia_report_cash(country: str, amounts: list[float], reported: bool) -> None:
    ledger = Ledger()
    for hour, amount in enumerate(amounts):
        ledger.pay(CASH, 3, "cash_in", 20.4 + hour / 24, amount)
    alerts = spoken(ledger, country)
    report = alerts[alerts["kind"] == "report"]
    assert (len(report) == 1) is reported
    if reported:
        # The United States add up what came on a day, Australia looks at each payment by itself.
        counted = [amount for amount in amounts if country == "US" or amount >= 10_000]
        assert report["rule"].tolist() == ["cash_report_in" if country == "US" else "cash_payment_report_in"]
        assert report["payments"].tolist() == [len(counted)]
        assert report["amount_minor"].tolist() == [round(100 * sum(counted))]
        assert report["listed"].tolist() == [[amounts.index(amount) for amount in counted]]
        assert report["outcome"].dropna().eq("reported").all()


def test_cash_of_two_days_is_not_added_up_for_a_report() -> None:
    ledger = Ledger()
    ledger.pay(CASH, 3, "cash_in", 20.9, 6_000)
    ledger.pay(CASH, 3, "cash_in", 21.1, 6_000)
    assert "cash_report_in" not in rules_of(ledger, "US")
    assert "structuring" not in rules_of(ledger, "US")


def test_cash_out_and_cash_in_are_added_up_apart() -> None:
    ledger = Ledger()
    ledger.pay(CASH, 3, "cash_in", 20.4, 6_000)
    ledger.pay(3, CASH, "cash_out", 20.5, 6_000)
    ledger.pay(3, CASH, "cash_out", 20.6, 6_000)
    found = spoken(ledger, "US")
    assert found[found["kind"] == "report"]["rule"].tolist() == ["cash_report_out"]


def test_accounts_of_one_person_are_added_up_together() -> None:
    ledger = Ledger()
    ledger.pay(CASH, 3, "cash_in", 20.4, 6_000)
    ledger.pay(CASH, SLOTS.first("second") + 3, "cash_in", 20.5, 6_000)
    assert "cash_report_in" in rules_of(ledger, "US")


@pytest.mark.parametrize(("senders", "hits"), [(4, True), (3, False)])
def test_fan_in_counts_different_payers(senders: int, hits: bool) -> None:
    ledger = Ledger()
    for number in range(12):
        ledger.pay(10 + number % senders, 5, "mobile", 30 + number / 4, 700)
    alerts = spoken(ledger)
    found = alerts[alerts["rule"] == "fan_in"]
    assert (len(found) > 0) is hits


def test_behind_an_account_of_the_outside_stand_many() -> None:
    ledger = Ledger()
    for number in range(4):
        ledger.pay(WORLD, 5, "wire_in", 30 + number / 4, 400)
        ledger.pay(11, 6, "mobile", 30 + number / 4, 400)
    alerts = spoken(ledger)
    found = alerts[alerts["rule"] == "fan_in"]
    assert found["listed"].tolist() == [[0, 2, 4, 6]]


def test_fan_out_within_the_window_only() -> None:
    quick, slow = Ledger(), Ledger()
    for number in range(8):
        quick.pay(5, 10 + number, "mobile", 30 + number / 8, 900)
        slow.pay(5, 10 + number, "mobile", 30 + number * 3, 900)
    assert "fan_out" in rules_of(quick)
    assert "fan_out" not in rules_of(slow)


def test_a_window_that_spoke_starts_again() -> None:
    ledger = Ledger()
    for number in range(18):
        ledger.pay(10 + number % 6, 5, "mobile", 30 + number / 4, 900)
    found = spoken(ledger)
    found = found[found["rule"] == "fan_in"]
    assert found["listed"].tolist() == [list(range(n, n + 4)) for n in (0, 4, 8, 12)]


def test_money_between_accounts_of_one_person_is_no_movement() -> None:
    ledger = Ledger()
    ledger.pay(SLOTS.first("second") + 5, 5, "mobile", 30, 9_000)
    ledger.pay(5, SLOTS.first("savings") + 5, "mobile", 31, 9_000)
    assert rules_of(ledger) == set()


def test_rapid_movement_needs_most_of_it_to_leave_soon() -> None:
    for day, amount, hits in ((30.5, 3_800, True), (30.5, 2_000, False), (36.0, 3_800, False)):
        ledger = Ledger()
        ledger.pay(9, 5, "mobile", 30, 4_000)
        ledger.pay(5, 8, "web", day, amount)
        alerts = spoken(ledger)
        assert ("rapid_movement" in set(alerts["rule"])) is hits
        if hits:
            assert alerts.set_index("rule").loc["rapid_movement", "listed"] == [0, 1]


def test_what_leaves_before_it_came_is_not_rapid() -> None:
    ledger = Ledger()
    ledger.pay(5, 8, "web", 30.0, 3_800)
    ledger.pay(9, 5, "mobile", 30.5, 4_000)
    assert "rapid_movement" not in rules_of(ledger)


def test_a_round_trip_comes_back_from_the_same_payee() -> None:
    for back, hits in ((8, True), (9, False)):
        ledger = Ledger()
        ledger.pay(5, 8, "web", 30.0, 3_000)
        ledger.pay(back, 5, "web", 60.0, 2_700)
        assert ("round_trip" in rules_of(ledger)) is hits


def test_a_woken_account_was_asleep_before_the_data() -> None:
    slot = SLOTS.first("second") + 5
    for seconds, hits in ((400 * DAY, True), (20 * DAY, False), (-1, False)):
        ledger = Ledger(unused={slot: seconds})
        ledger.pay(9, slot, "mobile", 5, 1_000)
        ledger.pay(9, slot, "mobile", 8, 1_000)
        assert ("dormant_woken" in rules_of(ledger)) is hits


def test_places_of_cash_are_counted() -> None:
    for places, hits in ((3, True), (2, False)):
        ledger = Ledger()
        machines = [CASH, *(ledger.stranger(place, "cash") for place in range(1, places))]
        for number in range(6):
            ledger.pay(machines[number % places], 5, "cash_in_atm", 40 + number, 600)
        assert ("cash_many_places" in rules_of(ledger)) is hits


def test_crypto_high_risk_and_round_amounts() -> None:
    ledger = Ledger()
    ledger.pay(5, EXCHANGE, "crypto_mobile", 10, 4_100)
    ledger.pay(6, RISK, "wire_web", 10, 3_234)
    for number in range(4):
        ledger.pay(7, 20 + number % 2, "web", 50 + 6 * number, 1_500)
    assert {"crypto", "high_risk_country", "round_amounts"} <= rules_of(ledger)
    near = Ledger()
    near.pay(5, EXCHANGE, "crypto_mobile", 10, 2_400)
    for number in range(4):
        near.pay(7, 20 + number % 2, "web", 50 + 6 * number, 1_510)
    assert not {"crypto", "round_amounts"} & rules_of(near)


def test_an_unusual_credit_depends_on_the_income() -> None:
    for income, hits in ((200_000, True), (900_000, False)):
        ledger = Ledger(income=income)
        ledger.pay(WORLD, 5, "wire_in", 10, 9_000)
        assert ("unusual_credit" in rules_of(ledger)) is hits


def test_a_wage_that_stays_away_is_noticed_when_it_is_late() -> None:
    ledger = Ledger()
    for month in range(2):
        ledger.pay(FIRM, 5, "salary", 3 + 30 * month, 2_400)
    for month in range(4):
        ledger.pay(FIRM, 6, "salary", 3 + 30 * month, 2_400)
    alerts = spoken(ledger)
    found = alerts[alerts["rule"] == "salary_diverted"]
    assert found["listed"].tolist() == [[0, 1]]
    assert found["raised_at"].dt.date.tolist() == [date(2025, 3, 15)]


def test_a_wage_of_a_second_employer_is_strange_once() -> None:
    ledger = Ledger()
    for month in range(3):
        ledger.pay(FIRM, 5, "salary", 3 + 30 * month, 2_400)
        ledger.pay(FIRM + 1, 5, "salary", 20 + 30 * month, 2_100)
        ledger.pay(FIRM, 6, "salary", 3 + 30 * month, 2_400)
    alerts = spoken(ledger)
    assert alerts[alerts["rule"] == "strange_wage"]["listed"].tolist() == [[1]]


def test_new_payees_new_devices_and_names_that_differ() -> None:
    ledger = Ledger()
    ledger.pay(5, 20, "mobile", 10, 3_010, payee_age=0, device_age=500)
    ledger.pay(6, 21, "mobile", 11, 410, payee_age=0, device_age=1)
    ledger.pay(7, 22, "mobile", 12, 910, payee_age=300, device_age=300, payee_check=2)
    ledger.pay(9, 23, "mobile", 12, 2_410, payee_age=3, device_age=300, payee_check=0)
    alerts = spoken(ledger)
    assert dict(zip(alerts["rule"], alerts["listed"].str[0].astype(int), strict=True)) == {
        "new_payee_large": 0,
        "new_device_payee": 1,
        "payee_mismatch": 2,
    }
    booked = pd.Timestamp("2025-01-01 00:00:05") + pd.to_timedelta([11, 10, 12], unit="D")
    waits = (alerts.sort_values("rule")["raised_at"] - booked).dt.total_seconds()
    assert waits.between(31, 121).all()


def test_cards_that_travel_faster_than_an_airliner() -> None:
    for hours, hits in ((1.0, True), (24.0, False)):
        ledger = Ledger()
        away = ledger.stranger(3, "merchants")  # 15 degrees of longitude: some 1,060 km
        ledger.pay(5, SHOP, "chip", 10.4, 40)
        ledger.pay(5, away, "stripe", 10.4 + hours / 24, 250)
        alerts = spoken(ledger)
        assert ("impossible_travel" in set(alerts["rule"])) is hits
        if hits:
            assert alerts.set_index("rule").loc["impossible_travel", "listed"] == [0, 1]


def test_online_purchases_do_not_travel() -> None:
    ledger = Ledger()
    ledger.pay(5, SHOP, "chip", 10.4, 40)
    ledger.pay(5, ledger.stranger(3, "merchants"), "ecommerce", 10.41, 250)
    assert rules_of(ledger) == set()


def test_cards_used_in_haste_and_tested_at_a_shop() -> None:
    haste, tested = Ledger(), Ledger()
    for number in range(6):
        haste.pay(5, SHOP + number, "ecommerce", 10.4 + number / 100, 60)
    for number in range(14):
        tested.pay(number, SHOP, "ecommerce", 10.4 + number / 1_000, 1, refused=number % 3 > 0)
    tested.pay(20, SHOP, "ecommerce", 10.9, 40)
    assert rules_of(haste) == {"card_velocity"}
    found = spoken(tested)
    assert found["rule"].tolist() == ["merchant_testing"]
    assert found["customer_id"].isna().all()
    assert found["listed"].tolist() == [[3, 6, 9, 12]]
    assert found["payments"].tolist() == [13]
    assert found["raised_at"].iloc[0] > pd.Timestamp("2025-01-12 06:30")


def test_a_shop_that_sells_little_by_little_is_not_tested() -> None:
    ledger = Ledger()
    for number in range(30):
        ledger.pay(number, SHOP, "ecommerce", 10.4 + number / 1_000, 1)
        ledger.pay(30 + number % 7, SHOP, "ecommerce", 12.4 + number / 1_000, 1, refused=True)
    assert "merchant_testing" not in rules_of(ledger)


def test_cards_of_other_places_are_tried_at_a_shop_too() -> None:
    ledger = Ledger()
    for number in range(9):
        card = ledger.stranger(2, number=number)
        ledger.pay(card, SHOP, "ecommerce", 10.4 + number / 1_000, 1, refused=True)
    found = spoken(ledger)
    assert found["rule"].tolist() == ["merchant_testing"]
    assert found["listed"].tolist() == [[]]


def test_cheques_disputes_and_refunds() -> None:
    ledger = Ledger()
    for number in range(5):
        ledger.pay(5, 8, "cheque", 10 + number, 900)
        ledger.pay(SHOP, 20, "card_refund", 30 + 9 * number, 90)
        ledger.pay(SHOP + 1, 21 + number, "chargeback", 70 + number, 60)
    ledger.pay(20, SHOP, "chip", 29, 300)
    assert {"cheque_velocity", "merchant_disputes", "refund_ratio"} <= rules_of(ledger)
    ledger.pay(20, SHOP, "chip", 31, 9_000)
    assert "refund_ratio" not in rules_of(ledger)


def test_a_card_account_drawn_to_its_limit() -> None:
    slot = SLOTS.first("card") + 5
    for days, hits in ((1, True), (10, False)):
        ledger = Ledger(limit={slot: 300_000})
        for number in range(7):
            ledger.pay(slot, SHOP + number, "chip", 10 + days * number, 420)
        assert ("limit_run_up" in rules_of(ledger)) is hits


def test_refused_attempts_list_the_payments_around_them_that_can_be_read() -> None:
    ledger = Ledger()
    ledger.pay(5, SHOP, "chip", 8.5, 30)
    ledger.pay(5, CASH, "cash_out", 10.2, 50)
    ledger.pay(5, SHOP, "chip", 10.3, 20)
    for number in range(5):
        ledger.pay(5, SHOP, "ecommerce", 10.4 + number / 100, 60, refused=True)
    found = spoken(ledger)
    assert found["rule"].tolist() == ["repeated_declines"]
    assert found["payments"].tolist() == [4]
    assert found["amount_minor"].tolist() == [24_000]
    # The purchase of the same morning is booked in the night after.
    assert found["listed"].tolist() == [[1]]


def test_a_rule_speaks_only_while_it_holds() -> None:
    ledger = Ledger()
    ledger.pay(CASH, 3, "cash_in", 20.4, 12_000)
    assert "cash_payment_report_in" in rules_of(ledger, "AU")
    assert rules_of(ledger, "AU", start="1998-05-01") == set()


def test_thresholds_are_in_the_currency_of_the_place() -> None:
    ledger = Ledger()
    ledger.pay(5, RISK, "wire_web", 10, 3_300)
    assert "high_risk_country" in rules_of(ledger, "GB")
    assert "high_risk_country" not in rules_of(ledger, "US")
    alerts = spoken(ledger, "GB")
    assert set(alerts["currency"].astype(str)) == {"GBP"}


def test_an_alert_lists_at_most_fifty_payments() -> None:
    ledger = Ledger()
    for number in range(120):
        ledger.pay(CASH, 5, "cash_in", 10 + number / 10, 60)
    alerts = spoken(ledger)
    found = alerts[alerts["rule"] == "cash_volume"]
    assert len(found) == 2
    assert found["listed"].str.len().tolist() == [50] * len(found)
    assert (found["payments"] > 50).all()
    assert [rows[-1] - rows[0] for rows in found["listed"]] == [49] * len(found)


def test_at_most_one_alert_per_rule_account_and_day() -> None:
    ledger = Ledger()
    for number in range(40):
        ledger.pay(5, 8 + number, "mobile", 10.1 + number / 50, 3_000, payee_age=0)
    alerts = spoken(ledger)
    assert (alerts["rule"] == "new_payee_large").sum() == 1
    assert alerts["alert_id"].is_unique
    day = alerts["raised_at"].dt.date
    assert not alerts.assign(day=day).duplicated(["rule", "account_id", "day"]).any()


def test_investigators_are_late_and_sometimes_wrong() -> None:
    ledger = Ledger()
    rng = np.random.default_rng(3)
    for customer in range(BLOCK - 2):
        for day in (5, 25, 45) if customer < 20 else (5,):
            ledger.pay(WORLD, customer, "wire_in", day + rng.random(), 8_000)
            if customer < 20:
                ledger.pay(customer, BLOCK - 1, "web", day + 1.2, 7_900)
                ledger.pay(customer, EXCHANGE, "crypto_mobile", day + 2.2, 7_900)
    alerts = spoken(ledger)
    closed = alerts.dropna(subset=["closed_at"])
    delay = (closed["closed_at"] - closed["raised_at"]).dt.total_seconds() / DAY
    assert 6 < delay.median() < 13
    assert (alerts["closed_at"].dropna() < pd.Timestamp("2025-01-01") + pd.Timedelta(days=DAYS)).all()
    many = closed.groupby("account_id")["rule"].transform("nunique") >= 3
    reported = closed["outcome"].eq("reported")
    assert reported[many].mean() > 0.5
    assert reported[~many].mean() < 0.2
    assert 0 < reported.mean() < 1


def test_scores_rise_with_the_sum() -> None:
    ledger = Ledger()
    ledger.pay(5, RISK, "wire_web", 10, 3_000)
    ledger.pay(6, RISK, "wire_web", 10, 27_000)
    scores = spoken(ledger).set_index("amount_minor")["score"]
    assert scores[300_000] == 0.5
    assert scores[2_700_000] == 0.9


def test_the_view_of_the_engine_decides_alone() -> None:
    ledger = Ledger()
    for number in range(8):
        ledger.pay(5, 10 + number, "mobile", 30 + number / 8, 900, payee_age=0)
    made, seen = plan(), ledger.seen()
    first = alert_tables(made, 0, seen, keys_of(ledger))
    again = alert_tables(made, 0, replace(seen), keys_of(ledger))
    assert first["alerts"].equals(again["alerts"])
    assert first["alert_transactions"].equals(again["alert_transactions"])


def test_a_place_without_payments_has_no_alerts() -> None:
    made = alert_tables(plan(), 0, Ledger().seen(), np.empty(0, np.int64))
    assert {name: table.num_rows for name, table in made.items()} == {"alerts": 0, "alert_transactions": 0}


def test_rules_stand_at_the_first_place_and_say_where_they_come_from() -> None:
    made = plan(size=3 * BLOCK)
    rules: pa.Table = rules_table(made, 0)
    assert rules_table(made, 1).num_rows == 0
    assert rules.num_rows == len(data.rules().rule)
    frame = rules.to_pandas()
    assert frame["rule_id"].is_unique
    assert frame["rule_source"].str.len().min() > 20
    uk = frame[frame["jurisdiction"] == "UK"]
    assert set(uk["kind"].astype(str)) == {"due_diligence", "internal"}
    assert set(frame[frame["kind"] == "report"]["jurisdiction"].astype(str)) == {"US", "AU"}
    ceiling = frame.query("kind == 'ceiling' and currency == 'EUR'")
    assert ceiling["valid_from"].astype(str).tolist() == ["2027-07-10"]
    assert set(frame["jurisdiction"].astype(str)) == {"US", "EU", "UK", "AU"}


def test_every_country_has_every_internal_rule_in_its_currency() -> None:
    rules, table = data.rules(), data.countries()
    names = {name for name, kind in zip(rules.rule, rules.kind, strict=True) if kind == "internal"}
    for jurisdiction, currency in set(zip(table.jurisdiction, table.currency, strict=True)):
        here = [
            rules.rule[row]
            for row in range(len(rules.rule))
            if (rules.jurisdiction[row], rules.currency[row], rules.kind[row])
            == (jurisdiction, currency, "internal")
        ]
        assert sorted(here) == sorted(names)


def test_institutions_are_exempt() -> None:
    ledger = Ledger()
    charity = SLOTS.first("charities")
    for number in range(30):
        ledger.pay(number, charity, "donation_mobile", 10 + number / 30, 900)
    assert "fan_in" not in rules_of(ledger)
    assert holders(BLOCK).end == charity
