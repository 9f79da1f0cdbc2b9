"""What people do again and again, and in what rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.common.domain import Measure
from rarecase.finance.cases.ground import MONTH_DAYS
from rarecase.finance.measures.views import one

if TYPE_CHECKING:
    import duckdb

_BERKA = "Berka data (PKDD'99 Discovery Challenge): a Czech bank, 1993 and 1994"


def measures(connection: duckdb.DuckDBPyConnection, days: int) -> list[Measure]:
    """Figures of habits over a number of days."""
    months = days / MONTH_DAYS
    monthly = one(
        connection,
        f"SELECT count(*) / count(DISTINCT account_id) / {months} FROM customer_entries",
    )
    recurring = one(
        connection,
        """
        SELECT sum(CASE WHEN months >= 3 THEN n ELSE 0 END) / sum(n) FROM (
            SELECT count(DISTINCT date_trunc('month', booked_at)) AS months, count(*) AS n
            FROM customer_entries GROUP BY account_id, payment_type, amount_minor)
        """,
    )
    # Three full months are needed before anything can recur in three.
    seen = days >= 88
    below = one(connection, "SELECT avg(over_limit::INT) FROM customer_entries")
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
    return one(
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
