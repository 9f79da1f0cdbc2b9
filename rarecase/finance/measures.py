"""The figures of a bank's world beside published ones.

Each says where the published figure comes from and of what kind it is; only observed and survey figures carry
a range that judges. Figures of another century or country are shown without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rarecase.common.domain import Measure
from rarecase.finance.cases.ground import MONTH_DAYS

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

_BERKA = "Berka data (PKDD'99 Discovery Challenge): a Czech bank, 1993 and 1994"
_FED = "Federal Reserve Payments Study 2016; Federal Reserve Bank of Atlanta, debit cards 2012 and 2015"


def measures(dataset: Dataset) -> Sequence[Measure]:
    """All figures of a data set.

    Parameters
    ----------
    dataset
        A finance data set; the figures are read from its tables with DuckDB.
    """
    connection = dataset.connect()
    connection.execute(
        """
        CREATE OR REPLACE TEMP VIEW customer_entries AS
        SELECT e.account_id, e.booked_at, e.amount_minor, e.payment_type::VARCHAR AS payment_type,
            e.over_limit
        FROM entries e JOIN accounts a ON a.account_id = e.account_id WHERE a.kind::VARCHAR = 'current'
          AND a.customer_id IS NOT NULL
        """
    )
    return (
        *_habits(connection, dataset.spec.days),
        *_clock(connection),
        *_amounts(connection),
        *_cases(connection, dataset),
        *_losses(connection),
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    row = connection.execute(query).fetchone()
    return float("nan") if row is None or row[0] is None else float(row[0])


def _habits(connection: duckdb.DuckDBPyConnection, days: int) -> list[Measure]:
    months = days / MONTH_DAYS
    monthly = _one(
        connection,
        f"SELECT count(*) / count(DISTINCT account_id) / {months} FROM customer_entries",
    )
    recurring = _one(
        connection,
        """
        SELECT sum(CASE WHEN months >= 3 THEN n ELSE 0 END) / sum(n) FROM (
            SELECT count(DISTINCT date_trunc('month', booked_at)) AS months, count(*) AS n
            FROM customer_entries GROUP BY account_id, payment_type, amount_minor)
        """,
    )
    # Three full months are needed before anything can recur in three.
    seen = days >= 88
    below = _one(connection, "SELECT avg(over_limit::INT) FROM customer_entries")
    return [
        Measure(
            name="payments_per_account_month",
            meaning="Entries of a customer's current account per month",
            value=monthly,
            unit="entries per month",
            low=None,
            high=None,
            published=4.48,
            evidence="observed",
            source=f"{_BERKA}; before cards were common, so it does not judge",
        ),
        Measure(
            name="recurring_share",
            meaning="Share of entries whose account, kind and amount recur in three months or more",
            value=recurring,
            unit="share",
            low=0.30 if seen else None,
            high=0.45 if seen else None,
            published=0.385,
            evidence="observed",
            source=_BERKA,
        ),
        Measure(
            name="burstiness",
            meaning="Median over accounts of (sd − mean) / (sd + mean) of the times between entries",
            value=_burstiness(connection),
            unit="none",
            low=-0.15,
            high=0.15,
            published=-0.018,
            evidence="observed",
            source=f"{_BERKA}; CDNOW purchases: +0.022",
        ),
        Measure(
            name="over_limit_share",
            meaning="Share of a customer's entries after which the account is below its limit",
            value=below,
            unit="share",
            low=None,
            high=None,
            published=0.0019,
            evidence="observed",
            source=f"{_BERKA}: negative balances, whatever the limit",
        ),
    ]


def _burstiness(connection: duckdb.DuckDBPyConnection) -> float:
    return _one(
        connection,
        """
        SELECT median((sd - mean) / (sd + mean)) FROM (
            SELECT stddev_pop(gap) AS sd, avg(gap) AS mean FROM (
                SELECT account_id, epoch(booked_at) - lag(epoch(booked_at)) OVER (PARTITION BY account_id
                    ORDER BY booked_at)
                    AS gap FROM customer_entries WHERE hash(account_id) % 8 = 0)
            WHERE gap IS NOT NULL GROUP BY account_id HAVING count(*) >= 20)
        """,
    )


def _clock(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    share = (
        "SELECT {what}(share) FROM (SELECT count(*) / sum(count(*)) OVER () AS share "
        "FROM customer_entries GROUP BY {unit})"
    )
    found = []
    for what, word, published in (("max", "busiest", 0.19), ("min", "quietest", 0.11)):
        found.append(
            Measure(
                name=f"{word}_weekday_share",
                meaning=f"Share of the {word} weekday",
                value=_one(connection, share.format(what=what, unit="dayofweek(booked_at)")),
                unit="share",
                low=None,
                high=None,
                published=published,
                evidence="observed",
                source=f"{_BERKA}; banks then had no card payments at weekends, so it does not judge",
            )
        )
    found.append(
        Measure(
            name="night_share",
            meaning="Share of card payments between midnight and five",
            value=_one(
                connection,
                "SELECT avg((hour(booked_at) < 5)::INT) FROM customer_entries WHERE payment_type = "
                "'card_payment'",
            ),
            unit="share",
            low=0.0,
            high=0.05,
            published=None,
            evidence="expert",
            source="shape of the rhythms, by own choice",
        )
    )
    found.append(
        Measure(
            name="busiest_day_of_month_share",
            meaning="Share of the busiest day of the month",
            value=_one(connection, share.format(what="max", unit="dayofmonth(booked_at)")),
            unit="share",
            low=None,
            high=None,
            published=0.095,
            evidence="observed",
            source=f"{_BERKA}: the 31st, with interest and fees",
        )
    )
    return found


def _amounts(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    cards = "FROM transactions WHERE payment_type::VARCHAR = 'card_payment'"
    spread = "SELECT stddev_pop(ln(amount_minor)) FROM transactions WHERE payment_type::VARCHAR = '{}'"
    found = [
        Measure(
            name="card_payments_below_25",
            meaning="Share of card payments below 25 units",
            value=_one(connection, f"SELECT avg((amount_minor < 2500)::INT) {cards}"),
            unit="share",
            low=0.55,
            high=0.68,
            published=0.618,
            evidence="observed",
            source=_FED,
        ),
        Measure(
            name="card_payment_mean",
            meaning="Mean card payment",
            value=_one(connection, f"SELECT avg(amount_minor) / 100 {cards}"),
            unit="units of the currency",
            low=28.0,
            high=48.0,
            published=38.0,
            evidence="observed",
            source=f"{_FED}; in US dollars",
        ),
        Measure(
            name="benford_distance",
            meaning="Mean absolute deviation of first digits of customers' entries from Benford's law",
            value=_benford(connection),
            unit="none",
            low=0.0,
            high=0.015,
            published=0.0118,
            evidence="observed",
            source=f"{_BERKA}, without interest and fees",
        ),
    ]
    for kind, published in (("transfer", 1.42), ("cash_withdrawal", None)):
        found.append(
            Measure(
                name=f"{kind}_log_sd",
                meaning=f"Standard deviation of the logarithm of amounts: {kind}",
                value=_one(connection, spread.format(kind)),
                unit="none",
                low=0.7,
                high=1.5,
                published=published,
                evidence="observed",
                source=_BERKA,
            )
        )
    return found


def _benford(connection: duckdb.DuckDBPyConnection) -> float:
    rows = connection.execute(
        "SELECT CAST(left(abs(amount_minor)::VARCHAR, 1) AS INT) AS digit, count(*) FROM "
        "customer_entries GROUP BY 1 ORDER BY 1"
    ).fetchall()
    digits = np.zeros(9)
    for digit, number in rows:
        digits[int(digit) - 1] = number
    expected = np.log10(1 + 1 / np.arange(1, 10))
    return float(np.abs(digits / max(digits.sum(), 1) - expected).mean())


def _losses(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    """What takeovers take; nothing where there are none."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP VIEW drains AS
        SELECT l.case_id, e.account_id, e.entry_number, -e.amount_minor AS taken,
            e.balance_minor - e.amount_minor AS held
        FROM labels l JOIN entries e ON e.entry_id = l.row_id
        WHERE l.table_name::VARCHAR = 'entries' AND l.kind::VARCHAR = 'account_takeover'
          AND l.role::VARCHAR = 'drain' AND e.amount_minor < 0
        """
    )
    if not _one(connection, "SELECT count(*) FROM drains"):
        return []
    per_case = "SELECT sum(taken) AS taken, arg_min(held, entry_number) AS held FROM drains GROUP BY case_id"
    return [
        Measure(
            name="fraudulent_transfer_mean",
            meaning="Mean transfer out of an account that was taken over",
            value=_one(connection, "SELECT avg(taken) / 100 FROM drains"),
            unit="units of the currency",
            low=None,
            high=None,
            published=1_715.0,
            evidence="observed",
            source="EMMA 5 (Europol, 2019): 12.9 million EUR in 7,520 transfers to mules; EBA and ECB, "
            "December 2025: more than 2,000 EUR per fraudulent credit transfer (EEA 2024). Both include "
            "firms, so they do not judge",
        ),
        Measure(
            name="takeover_loss_mean",
            meaning="Mean loss of a takeover",
            value=_one(connection, f"SELECT avg(taken) / 100 FROM ({per_case})"),
            unit="units of the currency",
            low=None,
            high=None,
            published=231.0,
            evidence="observed",
            source="UK Finance, Annual Fraud Report 2025: 722 million GBP in 3.13 million unauthorised "
            "cases, nearly all of them misused cards, so it does not judge (authorised push payments: "
            "some 2,420)",
        ),
        Measure(
            name="balance_taken_median",
            meaning="Median share of the balance that a takeover takes, of accounts in credit",
            value=_one(connection, f"SELECT median(taken / held) FROM ({per_case}) WHERE held > 0"),
            unit="share",
            low=0.2,
            high=1.0,
            published=None,
            evidence="expert",
            source="own choice: a takeover takes what transfers of usual sums can carry away",
        ),
    ]


def _cases(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> list[Measure]:
    years = dataset.spec.days / 365.25
    weighted = (
        "SELECT sum(CASE WHEN stratum::VARCHAR = '{0}' THEN weight ELSE 0 END) / sum(weight) FROM weights"
    )
    takeovers = _one(connection, weighted.format("account_takeover"))
    value = _one(
        connection,
        """
        WITH case_of AS (
            SELECT DISTINCT l.row_id, c.entity_id FROM labels l JOIN cases c ON c.case_id = l.case_id
            WHERE l.table_name::VARCHAR = 'transactions' AND l.effect::VARCHAR = 'created' AND c.is_case
              AND l.kind::VARCHAR = 'account_takeover' AND l.role::VARCHAR = 'drain')
        SELECT sum(CASE WHEN o.row_id IS NULL THEN 0 ELSE w.weight * t.amount_minor END)
             / sum(t.amount_minor * CASE WHEN o.row_id IS NULL THEN 1 ELSE w.weight END)
        FROM transactions t LEFT JOIN case_of o ON o.row_id = t.transaction_id
        LEFT JOIN weights w ON w.row_id = o.entity_id
        """,
    )
    return [
        Measure(
            name="takeovers_per_customer_year",
            meaning="Weighted account takeovers per customer and year",
            value=-np.log1p(-min(takeovers, 1 - 1e-12)) / years if takeovers == takeovers else takeovers,
            unit="per customer and year",
            low=None,
            high=0.045,
            published=0.03,
            evidence="survey",
            source="Bureau of Justice Statistics, Victims of Identity Theft 2021: misuse of an existing "
            "bank account",
            weighted=True,
        ),
        Measure(
            name="takeover_share_of_value",
            meaning="Weighted share of the value of all payments that account takeover takes",
            value=value,
            unit="share",
            low=None,
            high=None,
            published=0.00002,
            evidence="observed",
            source="EBA and ECB, report on payment fraud, December 2025: all fraud, all payers, EEA "
            "2024; firms' large "
            "payments are in it, so it does not judge a world of persons",
            weighted=True,
        ),
    ]
