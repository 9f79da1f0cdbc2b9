"""What the ordinary world promises: hours, trips, firms that fail, prices, loans, households, owners."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.plan import Plan, make_plan
from rarecase.common.run import generate
from rarecase.common.spec import load_spec
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.crossing import crossings
from rarecase.finance.generate.flows import Flow, Maker, ordinary_flows
from rarecase.finance.generate.living import price_level
from rarecase.finance.generate.place import Place, bank_of, make_place
from rarecase.finance.plan import Rooms


def spec_of(**changes: Any) -> dict[str, Any]:
    return {"domain": "finance", "size": 1600, "block": 200, "days": 120, "cases": [], **changes}


@pytest.fixture(scope="module")
def quiet() -> Dataset:
    """Eight places over four months, without cases."""
    return generate(spec_of())


@pytest.fixture(scope="module")
def sql(quiet: Dataset) -> duckdb.DuckDBPyConnection:
    return quiet.connect()


def count(sql: duckdb.DuckDBPyConnection, query: str) -> int:
    row = sql.execute(f"SELECT count(*) FROM ({query})").fetchone()
    assert row is not None
    return int(row[0])


def make_part(plan: Plan, part: int) -> tuple[Place, list[Flow]]:
    """A place and its ordinary flows."""
    place = make_place(plan, part)
    across = crossings(plan.spec, part, Rooms(plan.keys.part_row_bits))  # type: ignore[arg-type]
    return place, ordinary_flows(Maker(plan.spec, place), across)  # type: ignore[arg-type]


def of_way(flows: list[Flow], way: str) -> list[Flow]:
    code = data.ways().code(way)
    return [each for each in flows if each.way.size and (each.way == code).all()]


PRESENT = "entry_mode::VARCHAR IN ('contactless', 'chip', 'magnetic_stripe')"


def test_cards_are_read_in_shops_that_are_open(sql: duckdb.DuckDBPyConnection) -> None:
    paid = f"""
        SELECT hour(ordered_at) AS h, opens_hour, closes_hour
        FROM transactions JOIN merchants USING (merchant_id)
        WHERE payment_type::VARCHAR = 'card_payment' AND {PRESENT}"""
    assert count(sql, paid) > 50_000
    opened = "(h >= opens_hour AND h < closes_hour OR h + 24 < closes_hour)"
    shut = f"SELECT 1 FROM ({paid}) WHERE NOT {opened}"
    assert count(sql, shut) == 0


def test_nobody_travels_faster_than_a_plane(sql: duckdb.DuckDBPyConnection) -> None:
    hops = f"""
        WITH seen AS (
            SELECT c.customer_id, t.ordered_at, t.payee_place AS place, lag(t.ordered_at) OVER w AS before,
                lag(t.payee_place) OVER w AS place_before
            FROM transactions t JOIN cards c USING (card_id) WHERE {PRESENT}
            WINDOW w AS (PARTITION BY c.customer_id ORDER BY t.ordered_at))
        SELECT epoch(ordered_at) - epoch(before) AS seconds,
            2 * 6371 * asin(sqrt(pow(sin(radians(b.latitude_deg - a.latitude_deg) / 2), 2)
                + cos(radians(a.latitude_deg)) * cos(radians(b.latitude_deg))
                * pow(sin(radians(b.longitude_deg - a.longitude_deg) / 2), 2))) AS km
        FROM seen JOIN places a ON a.place = place_before JOIN places b ON b.place = seen.place
        WHERE place_before <> seen.place"""
    assert count(sql, hops) > 1_000
    assert count(sql, f"SELECT 1 FROM ({hops}) WHERE km > 900 * seconds / 3600") == 0


def test_people_pay_on_trips_in_other_countries(sql: duckdb.DuckDBPyConnection) -> None:
    abroad = f"""
        SELECT 1 FROM transactions t JOIN places a ON a.place = payer_place
        JOIN places b ON b.place = payee_place
        WHERE a.country <> b.country AND {PRESENT}"""
    assert count(sql, abroad) > 500


def test_fuel_is_not_bought_twice_in_a_day_or_two(sql: duckdb.DuckDBPyConnection) -> None:
    gaps = """
        SELECT epoch(ordered_at - lag(ordered_at) OVER w) AS gap
        FROM transactions t JOIN cards c USING (card_id)
        WHERE t.mcc::VARCHAR = '5541' AND payer_place = payee_place
        WINDOW w AS (PARTITION BY c.customer_id ORDER BY ordered_at)"""
    everything = count(sql, f"SELECT 1 FROM ({gaps}) WHERE gap IS NOT NULL")
    soon = count(sql, f"SELECT 1 FROM ({gaps}) WHERE gap < 2 * 86400")
    # Without memory one in ten of the gaps of a Poisson process of this rate would be as short.
    assert everything > 1_000
    assert soon < 0.05 * everything


def test_openings_sum_to_zero_in_every_place(sql: duckdb.DuckDBPyConnection) -> None:
    sums = "SELECT place, sum(opening_balance_minor) AS held FROM accounts GROUP BY place"
    assert count(sql, f"SELECT 1 FROM ({sums}) WHERE held <> 0") == 0


def test_households_hold_their_members(sql: duckdb.DuckDBPyConnection) -> None:
    told = """
        SELECT h.household_id, h.persons, count(*) AS found, bool_and(h.place = c.place) AS near
        FROM households h JOIN customers c USING (household_id) GROUP BY ALL"""
    assert count(sql, told) == count(sql, "SELECT 1 FROM households")
    assert count(sql, f"SELECT 1 FROM ({told}) WHERE persons <> found OR NOT near OR persons > 4") == 0
    shares = sql.execute("SELECT persons, count(*) FROM households GROUP BY 1 ORDER BY 1").fetchall()
    assert [persons for persons, _ in shares] == [1, 2, 3, 4]


def test_politically_exposed_persons_are_of_high_risk(sql: duckdb.DuckDBPyConnection) -> None:
    assert count(sql, "SELECT 1 FROM customers WHERE is_pep AND risk_class::VARCHAR <> 'high'") == 0
    high = count(sql, "SELECT 1 FROM customers WHERE risk_class::VARCHAR = 'high'")
    assert 0.005 * 1600 < high < 0.05 * 1600


def test_ownership_chains_end_in_persons(quiet: Dataset) -> None:
    shares = quiet.frame("ownerships")
    organisations = quiet.frame("organisations")
    owned = shares.groupby(shares["organisation_id"].fillna(shares["merchant_id"]))["share"].sum()
    assert np.allclose(owned, 1.0, atol=1e-4)
    kinds = organisations[organisations["kind"].isin(["employer", "shell", "landlord"])]
    assert set(kinds["organisation_id"]) <= set(shares["organisation_id"].dropna())
    direct = shares[shares["owner_organisation_id"].notna()]
    # A shell belongs to a company, and that company to persons.
    assert 0 < len(direct) < len(shares)
    parents = shares[shares["organisation_id"].isin(direct["owner_organisation_id"])]
    assert len(parents) >= 2 * direct["owner_organisation_id"].nunique()
    assert parents["owner_customer_id"].notna().all()


def test_the_ultimate_owner_holds_a_quarter_or_more(quiet: Dataset) -> None:
    plan = make_plan(load_spec(spec_of()))
    shares = quiet.frame("ownerships")
    own = ground.slots(200)
    number = np.arange(own.shells_n)
    for part in range(8):
        shell = plan.keys.rows("organisations", part, own.first("shells") - own.first("employers") + number)
        owner = plan.keys.entities(
            "customers", ground.owner(plan.spec, np.full(number.size, part), "shells", number)
        )  # type: ignore[arg-type]
        for key, who in zip(shell.tolist(), owner.tolist(), strict=True):
            row = shares[shares["organisation_id"] == key].iloc[0]
            if pd.notna(row["owner_customer_id"]):
                assert row["owner_customer_id"] == who
                continue
            company = shares[shares["organisation_id"] == row["owner_organisation_id"]]
            assert company.set_index("owner_customer_id").loc[who, "share"] >= 0.25


def test_banks_work_in_every_country_with_a_row_each(sql: duckdb.DuckDBPyConnection) -> None:
    assert count(sql, "SELECT 1 FROM banks") == 6 * count(sql, "SELECT DISTINCT country FROM places")
    odd = """
        SELECT 1 FROM accounts a JOIN banks b USING (bank_id) JOIN places p ON p.place = a.place
        WHERE b.country <> p.country"""
    assert count(sql, odd) == 0
    assert count(sql, "SELECT bic FROM banks GROUP BY bic HAVING count(*) > 1") == 0


def test_accounts_have_the_numbers_of_their_country(sql: duckdb.DuckDBPyConnection) -> None:
    table = data.countries()
    with_iban = ", ".join(f"'{c}'" for c, has in zip(table.country, table.has_iban, strict=True) if has)
    odd = f"""
        SELECT 1 FROM accounts a JOIN places p USING (place) WHERE kind::VARCHAR <> 'outside'
        AND ((iban IS NULL) <> (p.country::VARCHAR NOT IN ({with_iban}))
            OR (iban IS NULL) = (domestic_number IS NULL))"""
    assert count(sql, odd) == 0
    numbers = (
        "SELECT coalesce(iban, domestic_number) AS number FROM accounts WHERE kind::VARCHAR <> 'outside'"
    )
    assert count(sql, numbers) == count(sql, f"SELECT DISTINCT number FROM ({numbers})")


def test_interest_is_booked_on_loan_and_savings_accounts(sql: duckdb.DuckDBPyConnection) -> None:
    loans = """
        SELECT e.account_id, sum(amount_minor) FILTER (payment_type::VARCHAR = 'interest') AS interest,
            sum(amount_minor) FILTER (payment_type::VARCHAR = 'direct_debit') AS paid,
            any_value(opening_balance_minor) AS opening
        FROM entries e JOIN accounts a USING (account_id) WHERE a.kind::VARCHAR = 'loan' GROUP BY 1"""
    assert count(sql, loans) > 400
    # Four months of 1.2 to 11.5 % a year, on what is owed.
    odd = f"""
        SELECT 1 FROM ({loans}) WHERE opening < -200000 AND paid > -interest
        AND NOT -interest BETWEEN -opening * 0.012 / 12 * 2 AND -opening * 0.115 / 12 * 5"""
    assert count(sql, odd) == 0
    pays_off = f"SELECT 1 FROM ({loans}) WHERE paid > -interest"
    assert count(sql, pays_off) > 0.95 * count(sql, f"SELECT 1 FROM ({loans}) WHERE opening < 0")
    savings = """
        SELECT 1 FROM transactions t JOIN accounts p ON p.account_id = payer_account_id
        JOIN accounts a ON a.account_id = payee_account_id
        WHERE payment_type::VARCHAR = 'interest' AND a.kind::VARCHAR = 'savings'
        AND p.kind::VARCHAR = 'branch'"""
    assert count(sql, savings) > 1_500


def test_loans_never_turn_into_money(sql: duckdb.DuckDBPyConnection) -> None:
    above = """
        SELECT 1 FROM entries e JOIN accounts a USING (account_id)
        WHERE a.kind::VARCHAR = 'loan' AND (e.balance_minor > 0 OR e.over_limit)"""
    assert count(sql, above) == 0


def test_card_bills_follow_what_was_charged(sql: duckdb.DuckDBPyConnection) -> None:
    billed = """
        SELECT t.payee_account_id, count(*) AS bills, sum(amount_minor) AS paid FROM transactions t
        JOIN accounts a ON a.account_id = payee_account_id
        WHERE purpose::VARCHAR = 'CCRD' AND a.kind::VARCHAR = 'card' GROUP BY 1"""
    assert count(sql, billed) > 450
    assert count(sql, f"SELECT 1 FROM ({billed}) WHERE bills > 5") == 0
    # Nobody pays more than was owed before and charged since.
    balance = """
        SELECT 1 FROM entries e JOIN accounts a USING (account_id)
        WHERE a.kind::VARCHAR = 'card' AND payment_type::VARCHAR = 'direct_debit' AND balance_minor > 0"""
    refunded = """
        SELECT e.account_id FROM entries e JOIN accounts a USING (account_id)
        WHERE a.kind::VARCHAR = 'card' AND payment_type::VARCHAR IN ('card_refund', 'chargeback')"""
    assert count(sql, f"{balance} AND e.account_id NOT IN ({refunded})") == 0


def test_what_is_given_back_was_paid_before(sql: duckdb.DuckDBPyConnection) -> None:
    back = """
        SELECT b.*, o.amount_minor AS paid, o.payer_account_id AS buyer, o.ordered_at AS since,
            o.booked_at AS booked, o.merchant_id AS shop
        FROM transactions b JOIN transactions o ON o.transaction_id = b.refers_to
        WHERE b.payment_type::VARCHAR IN ('card_refund', 'chargeback')"""
    assert count(sql, back) > 100
    odd = f"""
        SELECT 1 FROM ({back}) WHERE amount_minor > paid OR buyer <> payee_account_id
        OR shop <> merchant_id OR ordered_at < booked"""
    assert count(sql, odd) == 0
    assert count(sql, f"SELECT 1 FROM ({back}) WHERE amount_minor < paid") > 10


def test_attempts_fail_before_the_same_payment_succeeds(sql: duckdb.DuckDBPyConnection) -> None:
    failed = """
        SELECT * FROM declines
        WHERE reason::VARCHAR IN ('wrong_code', 'invalid_card', 'expired_card', 'limit_exceeded')"""
    tried = count(sql, failed)
    assert tried > 300
    followed = f"""
        SELECT d.decline_id FROM ({failed}) d JOIN transactions t ON t.payer_account_id = d.payer_account_id
        AND t.payee_account_id = d.payee_account_id AND t.amount_minor = d.amount_minor
        AND t.ordered_at BETWEEN d.attempted_at AND d.attempted_at + INTERVAL 2 MINUTE"""
    # What a false stop or the end of the data cut off is not followed.
    assert count(sql, followed) > 0.97 * tried
    codes = f"SELECT 1 FROM ({failed}) WHERE reason::VARCHAR = 'wrong_code'"
    assert count(sql, f"{codes} AND entry_mode::VARCHAR <> 'chip'") == 0


def test_second_accounts_sleep_or_are_new(sql: duckdb.DuckDBPyConnection) -> None:
    second = """
        SELECT a.account_id, last_used_on, opened_on, opening_balance_minor AS held,
            count(e.entry_id) AS used, min(e.booked_at) AS first
        FROM accounts a LEFT JOIN entries e USING (account_id)
        WHERE a.kind::VARCHAR = 'second' GROUP BY ALL"""
    asleep = f"SELECT * FROM ({second}) WHERE last_used_on IS NOT NULL"
    assert count(sql, asleep) > 50
    day = "DATE '2025-01-01'"
    awake = (
        f"SELECT 1 FROM ({asleep}) WHERE used > 0 OR {day} - last_used_on < 190 OR opened_on > last_used_on"
    )
    assert count(sql, awake) == 0
    fresh = f"SELECT * FROM ({second}) WHERE last_used_on IS NULL"
    assert count(sql, f"{fresh} AND used > 0") > 5
    assert (
        count(sql, f"SELECT 1 FROM ({fresh}) WHERE held <> 0 OR opened_on < {day} OR first < opened_on") == 0
    )


def test_nobody_is_banked_before_the_age_of_18(sql: duckdb.DuckDBPyConnection) -> None:
    assert count(sql, "SELECT 1 FROM customers WHERE birth_date + INTERVAL 18 YEAR > onboarded_on") == 0
    older = "SELECT 1 FROM accounts a JOIN customers c USING (customer_id) WHERE opened_on < onboarded_on"
    assert count(sql, older) == 0


_PLASTIC = """
    SELECT *, coalesce(lead(since) OVER mine, TIMESTAMP '9999-12-31') AS until,
        lead(expires_on) OVER mine AS next
    FROM (SELECT card_id, expires_on, TIMESTAMP '0001-01-01' AS since FROM cards
        UNION ALL SELECT card_id, expires_on, replaced_at FROM card_replacements)
    WINDOW mine AS (PARTITION BY card_id ORDER BY since)"""


def test_no_card_is_used_after_its_end(sql: duckdb.DuckDBPyConnection) -> None:
    for table, when in (("transactions", "ordered_at"), ("declines", "attempted_at")):
        late = f"""
            SELECT 1 FROM {table} t JOIN ({_PLASTIC}) k ON k.card_id = t.card_id
            AND {when} >= since AND {when} < until WHERE {when}::DATE > expires_on"""
        assert count(sql, late) == 0
    ended = f"""
        SELECT 1 FROM ({_PLASTIC}) k WHERE k.card_id = d.card_id
        AND attempted_at::DATE > expires_on AND next > expires_on"""
    expired = "SELECT 1 FROM declines d WHERE reason::VARCHAR = 'expired_card'"
    assert count(sql, expired) > 0
    # Only a shop on-line that still keeps the old date tries a card that has ended.
    assert count(sql, f"{expired} AND NOT EXISTS ({ended})") == 0
    assert count(sql, f"{expired} AND channel::VARCHAR NOT IN ('ecommerce', 'mail_order')") == 0


def test_a_telephone_number_is_given_out_again_only_when_all_are(sql: duckdb.DuckDBPyConnection) -> None:
    many = """
        SELECT phone[:3] AS land, count(*) AS people, count(DISTINCT phone) AS numbers
        FROM customers GROUP BY ALL"""
    assert count(sql, f"SELECT 1 FROM ({many}) WHERE land <> '+49' AND numbers < 0.99 * people") == 0
    used = "SELECT phone, count(*) AS people FROM customers WHERE phone LIKE '+49%' GROUP BY ALL"
    size = count(sql, "SELECT 1 FROM customers WHERE phone LIKE '+49%'")
    assert count(sql, f"SELECT 1 FROM ({used}) WHERE people > {size // 5_200 + 4}") == 0


def test_cards_are_replaced_before_they_expire(sql: duckdb.DuckDBPyConnection) -> None:
    new = """
        SELECT r.reason::VARCHAR AS reason, date_diff('day', replaced_at, c.expires_on) AS ahead
        FROM card_replacements r JOIN cards c USING (card_id)"""
    assert count(sql, f"SELECT 1 FROM ({new}) WHERE reason = 'expired'") > 50
    assert count(sql, f"SELECT 1 FROM ({new}) WHERE reason = 'expired' AND ahead NOT BETWEEN 4 AND 31") == 0
    pans = "SELECT pan FROM cards UNION ALL SELECT pan FROM card_replacements"
    assert count(sql, pans) == count(sql, f"SELECT DISTINCT pan FROM ({pans})")


@cache
def _failing() -> tuple[Plan, int, int]:
    """A world with a place in which an employer of some people fails in the first half."""
    plan = make_plan(load_spec(spec_of(size=60_000, block=200, days=365)))
    own = ground.slots(200)
    for part in range(300):
        number = np.arange(own.employers_n)
        failed = terms.employer_fails(plan.spec, np.full(number.size, part), number)
        place = make_place(plan, part)
        for firm in np.flatnonzero((failed > 90 * ground.DAY_S) & (failed < 180 * ground.DAY_S)).tolist():
            if (place.employer == firm).sum() >= 20:
                return plan, part, firm
    raise AssertionError("no firm fails")


def test_a_firm_that_fails_pays_nobody_and_the_state_does() -> None:
    plan, part, firm = _failing()
    place, flows = make_part(plan, part)
    slots = ground.slots(200)
    account, when = slots.first("employers") + firm, int(place.failed[firm])
    assert when < NEVER
    paid = [each for each in flows if (each.payer == account).any()]
    seconds = np.concatenate([each.second[each.payer == account] for each in paid])
    assert (seconds < when).all()
    staff = np.flatnonzero(place.employer == firm)
    [benefit] = of_way(flows, "benefit")
    got = benefit.payee[np.isin(benefit.payee, staff)]
    assert set(got) == set(staff)
    assert (benefit.second[np.isin(benefit.payee, staff)] > when).all()


def test_people_out_of_work_spend_less() -> None:
    plan, part, firm = _failing()
    place, flows = make_part(plan, part)
    staff = place.employer == firm
    when = int(place.failed[firm]) + 31 * ground.DAY_S
    purchases = flows[:4]
    mean = {}
    for late in (False, True):
        for hit in (False, True):
            sums = []
            for each in purchases:
                local = each.payer < place.n
                who = each.payer[local]
                kept = (staff[who] == hit) & ((each.second[local] > when) == late)
                sums.append(np.log(each.amount[local][kept]))
            mean[late, hit] = float(np.concatenate(sums).mean())
    change = (mean[True, True] - mean[False, True]) - (mean[True, False] - mean[False, False])
    # 28 % less; the standard error of this difference is below 0.08.
    assert -0.6 < change < -0.1


def test_prices_rise_once_a_year_and_for_all_alike() -> None:
    spec = load_spec(spec_of(days=365 * 3))
    for biller in data.billers()[:-1]:
        level = price_level(spec, 0, biller.name, 36)  # type: ignore[arg-type]
        steps = level[1:] / level[:-1]
        risen = np.flatnonzero(steps > 1)
        assert level[0] == 1.0
        assert 2 <= risen.size <= 3
        assert (np.diff(risen) == 12).all()
        assert ((steps[risen] >= 1.02) & (steps[risen] <= 1.08)).all()


def test_bills_follow_the_prices() -> None:
    plan = make_plan(load_spec(spec_of(size=400, block=400, days=365)))
    _, flows = make_part(plan, 0)
    [energy] = of_way(flows, "energy")
    months = {}
    for payer in np.unique(energy.payer):
        own = energy.payer == payer
        amounts = energy.amount[own][np.argsort(energy.second[own])]
        months[payer] = (np.unique(amounts).size, amounts[-1] / amounts[0])
    assert {number for number, _ in months.values()} <= {1, 2}
    ratios = np.array([ratio for number, ratio in months.values() if number == 2])
    assert ratios.size > 300
    assert ratios.std() < 0.001


def test_prices_follow_the_country() -> None:
    means = {}
    for country in ("DE", "CZ"):
        found = generate(spec_of(size=300, block=300, days=40, population={"countries": [country]}))
        cards = found.table("transactions").to_pandas()
        cards = cards[cards["payment_type"] == "card_payment"]
        means[country] = cards["amount_minor"].mean()
        assert set(cards["currency"]) == {"EUR" if country == "DE" else "CZK"}
    table = data.countries()
    scale = table.income_scale[table.country.index("CZ")]
    assert 0.8 * scale < means["CZ"] / means["DE"] < 1.25 * scale


def test_a_world_of_cash_can_be_wished_for() -> None:
    population = {
        "countries": ["CZ"],
        "purchases_per_month": 0.2,
        "credit_card_share": 0.0,
        "remote_share": 0.0,
        "bills": 0.0,
        "bank_fees": 0.0,
        "savers": 0.0,
        "trips_per_year": 0.0,
        "cash_withdrawals_per_month": 3.0,
        "cash_deposits_per_month": 1.5,
    }
    found = generate(spec_of(size=400, block=100, days=60, population=population))
    paid = found.table("transactions").to_pandas()
    monthly = paid["payment_type"].value_counts() / 400 / (60 / ground.MONTH_DAYS)
    assert 2.6 < monthly["cash_withdrawal"] < 3.4
    assert 0.1 < monthly["card_payment"] < 0.4
    assert not (paid["channel"] == "ecommerce").any()
    assert not (paid["payment_type"] == "fee").any()
    accounts = found.table("accounts").to_pandas()
    assert not (accounts["kind"] == "savings").any()
    assert not [finding for finding in rarecase.validate(found) if finding.level == "error"]


def test_any_part_knows_the_bank_of_any_account() -> None:
    plan = make_plan(load_spec(spec_of()))
    own = ground.slots(200)
    slot = np.arange(own.width)
    for part in (0, 5):
        assert (bank_of(plan.spec, part, slot) == make_place(plan, part).bank).all()  # type: ignore[arg-type]
    everywhere = bank_of(plan.spec, np.repeat([0, 5], own.width), np.tile(slot, 2))  # type: ignore[arg-type]
    assert (everywhere[own.width :] == make_place(plan, 5).bank).all()
    assert (everywhere[: own.block] == everywhere[own.first("card") : own.first("card") + own.block]).all()


def test_the_ordinary_world_uses_every_way_that_cases_use(quiet: Dataset) -> None:
    paid = quiet.table("transactions").to_pandas()
    found = set(zip(paid["payment_type"], paid["channel"], paid["purpose"], strict=True))
    ways = data.ways()
    wanted = set(zip(*(ways.columns[name] for name in ("payment_type", "channel", "purpose")), strict=True))
    # Withdrawals at a counter are of worlds with branches; no case makes one.
    assert wanted - found == {("cash_withdrawal", "branch", "CASH")}
