"""Alerts in whole worlds, asked with SQL: reports of law are complete, false alarms as often as in banks."""

from __future__ import annotations

from typing import Any

import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from rarecase.finance import data
from rarecase.finance.cases import KINDS

_COUNTRIES = ["US", "AU", "GB", "DE"]
_RULES = data.rules()
_LAUNDERING = sorted(
    {rule for rule, family in zip(_RULES.rule, _RULES.family, strict=True) if family == "laundering"}
)


@pytest.fixture(scope="module")
def countries() -> Dataset:
    """Four places in four jurisdictions, with every kind of case that pays in cash or moves money on."""
    kinds = {"structuring", "smurfing", "cash_front", "rapid_movement", "account_takeover", "funnel_account"}
    cases = [
        {"kind": kind, "count": 12}
        for kind in sorted(kinds & {k.model_fields["kind"].default for k in KINDS})
    ]
    # Offenders stay below the limits; honest shops in their season do not.
    cases.append({"kind": "seasonal_cash_business", "count": 12})
    return generate(
        {
            "domain": "finance",
            "size": 3_200,
            "block": 800,
            "days": 62,
            "population": {"countries": _COUNTRIES},
            "cases": cases,
        }
    )


@pytest.fixture(scope="module")
def natural() -> Dataset:
    """A large world with every kind at its natural rate, as far as one is known."""
    cases = [
        {"kind": kind.model_fields["kind"].default, "rate": "natural", "difficulty": 0.5} for kind in KINDS
    ]
    return generate({"domain": "finance", "size": 24_000, "block": 3_000, "days": 90, "cases": cases})


def _ask(books: Dataset, sql: str) -> tuple[Any, ...]:
    """The one row of an answer."""
    row = books.connect().execute(sql).fetchone()
    assert row is not None
    return tuple(row)


def test_reports_of_law_are_those_that_the_law_asks_for(countries: Dataset) -> None:
    """Cash in of a person or firm and day above 10,000 USD, and each payment in of 10,000 AUD or more."""
    wrong = _ask(
        countries,
        """
        WITH cash AS (
            SELECT coalesce(a.customer_id, a.merchant_id, a.organisation_id) AS holder,
                a.currency::VARCHAR AS c, e.booked_at::DATE AS day,
                sum(e.amount_minor) FILTER (c = 'USD' OR e.amount_minor >= 1000000) AS total
            FROM entries e JOIN accounts a USING (account_id)
            WHERE e.payment_type::VARCHAR = 'cash_deposit' AND e.amount_minor > 0
                AND e.booked_at::DATE < (SELECT max(booked_at)::DATE FROM entries)
            GROUP BY 1, 2, 3
        ), asked AS (
            SELECT holder, day, total FROM cash
            WHERE (c = 'USD' AND total > 1000000) OR (c = 'AUD' AND total IS NOT NULL)
        ), told AS (
            SELECT coalesce(c.customer_id, c.merchant_id, c.organisation_id) AS holder,
                a.raised_at::DATE - 1 AS day, a.amount_minor AS total
            FROM alerts a JOIN rules r USING (rule_id) JOIN accounts c USING (account_id)
            WHERE r.rule::VARCHAR IN ('cash_report_in', 'cash_payment_report_in') AND a.raised_at::DATE - 1 <
                (SELECT max(booked_at)::DATE FROM entries)
        )
        SELECT (SELECT count(*) FROM asked), (SELECT count(*) FROM told),
            (SELECT count(*) FROM (FROM asked EXCEPT FROM told)),
            (SELECT count(*) FROM (FROM told EXCEPT FROM asked))
        """,
    )
    assert wrong[0] > 0
    assert wrong[0] == wrong[1]
    assert wrong[2:] == (0, 0)


def test_alerts_are_about_payments_of_their_holder_that_could_be_read(countries: Dataset) -> None:
    found = _ask(
        countries,
        """
        WITH holder AS (
            SELECT account_id, coalesce(customer_id, merchant_id, organisation_id) AS holder FROM accounts
        ), pairs AS (
            SELECT a.alert_id, a.raised_at, t.available_at, h.holder, p.holder AS payer, q.holder AS payee
            FROM alerts a JOIN alert_transactions x USING (alert_id)
            JOIN transactions t USING (transaction_id)
            JOIN holder h USING (account_id)
            JOIN holder p ON p.account_id = t.payer_account_id
            JOIN holder q ON q.account_id = t.payee_account_id
        )
        SELECT count(*), count(*) FILTER (raised_at < available_at),
            count(*) FILTER (holder NOT IN (payer, payee)) FROM pairs
        """,
    )
    assert found[0] > 100
    assert found[1:] == (0, 0)


def test_alerts_count_and_add_up_what_they_list(countries: Dataset) -> None:
    """Where all payments are listed, their sum and number are the alert's; some rules count attempts."""
    found = _ask(
        countries,
        """
        SELECT count(*), count(*) FILTER (n <> payments OR total <> amount_minor) FROM (
            SELECT a.alert_id, any_value(a.payments) AS payments, any_value(a.amount_minor) AS amount_minor,
                count(*) AS n, sum(abs(e.amount_minor)) AS total
            FROM alerts a JOIN alert_transactions x USING (alert_id) JOIN accounts mine USING (account_id)
            JOIN accounts c ON coalesce(c.customer_id, c.merchant_id, c.organisation_id)
                = coalesce(mine.customer_id, mine.merchant_id, mine.organisation_id)
            JOIN entries e ON e.transaction_id = x.transaction_id AND e.account_id = c.account_id
            JOIN rules r USING (rule_id)
            WHERE r.rule::VARCHAR NOT IN ('repeated_declines', 'merchant_testing')
            GROUP BY 1 HAVING any_value(a.payments) <= 50
        )
        """,
    )
    assert found[0] > 50
    assert found[1] == 0


def test_every_alert_lists_payments_unless_none_was_made(countries: Dataset) -> None:
    found = _ask(
        countries,
        """
        SELECT count(*) FROM alerts a JOIN rules r USING (rule_id)
        ANTI JOIN alert_transactions x USING (alert_id)
        WHERE r.rule::VARCHAR NOT IN ('repeated_declines', 'merchant_testing')
        """,
    )
    assert found == (0,)


def test_each_place_is_watched_by_its_own_rules(countries: Dataset) -> None:
    found = _ask(
        countries,
        """
        SELECT count(*), count(*) FILTER (p.jurisdiction::VARCHAR <> r.jurisdiction::VARCHAR
            OR c.currency::VARCHAR <> r.currency::VARCHAR OR c.currency::VARCHAR <> a.currency::VARCHAR)
        FROM alerts a JOIN rules r USING (rule_id) JOIN accounts c USING (account_id)
        JOIN places p USING (place)
        """,
    )
    assert found[0] > 20
    assert found[1] == 0


def _judged(books: Dataset) -> tuple[int, int, int]:
    """Alerts on laundering, those about no case, and customers with one."""
    names = ", ".join(f"'{name}'" for name in _LAUNDERING)
    found = _ask(
        books,
        f"""
        WITH crime AS (
            SELECT DISTINCT l.row_id FROM labels l JOIN cases c USING (case_id)
            WHERE c.is_case AND l.table_name::VARCHAR = 'transactions'
        ), alarms AS (
            SELECT a.alert_id, a.customer_id, bool_or(c.row_id IS NOT NULL) AS is_right
            FROM alerts a JOIN rules r USING (rule_id) JOIN alert_transactions x USING (alert_id)
            LEFT JOIN crime c ON c.row_id = x.transaction_id
            WHERE r.rule::VARCHAR IN ({names}) GROUP BY 1, 2
        )
        SELECT count(*), count(*) FILTER (NOT is_right), count(DISTINCT customer_id) FROM alarms
        """,
    )
    return found[0], found[1], found[2]


def test_alerts_on_laundering_are_false_nine_times_in_ten(natural: Dataset) -> None:
    """Real monitoring: 90 to 98 % false (Jensen and others 2023).

    With some 600 alerts the standard error at 95 % is 0.9 %: a world inside by two of them fails once in 40.
    """
    alarms, false, customers = _judged(natural)
    assert alarms > 300
    assert 0.88 <= false / alarms <= 0.99
    assert 0.015 <= customers / natural.spec.size <= 0.06


@pytest.mark.parametrize(
    ("family", "word", "most"), [("laundering", "reported", 0.10), ("fraud", "confirmed", 0.25)]
)
def test_investigators_are_right_most_of_the_time(
    natural: Dataset, family: str, word: str, most: float
) -> None:
    """Nineteen banks of the US reported 4 % of their alerts (Bank Policy Institute 2018).

    Measured over five seeds: of the alerts on laundering 94 to 96 % are closed rightly and 3 to 8 % reported,
    true ones 8 to 20 times as often as false ones; on fraud 86 to 89 %, 13 to 16 % and 5 to 8 times.
    """
    pairs = zip(_RULES.rule, _RULES.family, strict=True)
    names = ", ".join(f"'{rule}'" for rule in sorted({rule for rule, each in pairs if each == family}))
    right, of_true, of_false, of_all = _ask(
        natural,
        f"""
        WITH crime AS (
            SELECT DISTINCT l.row_id FROM labels l JOIN cases c USING (case_id)
            WHERE c.is_case AND l.table_name::VARCHAR = 'transactions'
        ), alarms AS (
            SELECT a.alert_id, any_value(a.outcome::VARCHAR) = '{word}' AS is_told,
                bool_or(c.row_id IS NOT NULL) AS is_right
            FROM alerts a JOIN rules r USING (rule_id) JOIN alert_transactions x USING (alert_id)
            LEFT JOIN crime c ON c.row_id = x.transaction_id
            WHERE r.rule::VARCHAR IN ({names}) AND a.outcome IS NOT NULL GROUP BY 1
        )
        SELECT avg((is_told = is_right)::INT), avg(is_told::INT) FILTER (is_right),
            avg(is_told::INT) FILTER (NOT is_right), avg(is_told::INT)
        FROM alarms
        """,
    )
    assert 0.80 <= right <= 0.98
    assert of_true > 3 * of_false
    assert 0.02 <= of_all <= most


def test_shops_where_cards_are_tested_are_noticed_the_day_after() -> None:
    """Attempts refused for many cards tell nearly every plain case, and nothing else."""
    cases = [{"kind": "card_testing", "count": 20, "difficulty": 0.0}]
    books = generate({"domain": "finance", "size": 4_000, "block": 500, "days": 40, "cases": cases})
    found = _ask(
        books,
        """
        WITH tested AS (
            SELECT alert_id, raised_at FROM alerts JOIN rules USING (rule_id)
            WHERE rule::VARCHAR = 'merchant_testing'
        ), about AS (
            SELECT t.alert_id, l.case_id, min(t.raised_at - c.started_at) AS wait
            FROM tested t JOIN alert_transactions x USING (alert_id)
            JOIN labels l ON l.row_id = x.transaction_id AND l.table_name::VARCHAR = 'transactions'
            JOIN cases c USING (case_id) GROUP BY 1, 2
        )
        SELECT (SELECT count(*) FROM tested), count(DISTINCT alert_id), count(DISTINCT case_id),
            max(wait) < INTERVAL 2 DAY
        FROM about
        """,
    )
    raised, right, cases_seen, soon = found
    assert cases_seen >= 18
    assert raised == right
    assert soon
