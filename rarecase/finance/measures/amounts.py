"""How much people pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rarecase.common.domain import Measure
from rarecase.finance.measures.views import one

if TYPE_CHECKING:
    import duckdb

_BERKA = "Berka data (PKDD'99 Discovery Challenge): a Czech bank, 1993 and 1994"
_FED = "Federal Reserve Payments Study 2016; Federal Reserve Bank of Atlanta, debit cards 2012 and 2015"


def measures(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    """Sizes of payments, in the price level of the euro area, and their digits."""
    cards = "FROM payments WHERE type = 'card_payment'"
    spread = "SELECT stddev_pop(ln(level_minor)) FROM payments WHERE type = '{}'"
    by_card = [
        Measure(
            name="card_payments_below_25",
            meaning="Share of card payments below 25 units",
            value=one(connection, f"SELECT avg((level_minor < 2500)::INT) {cards}"),
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
            value=one(connection, f"SELECT avg(level_minor) / 100 {cards}"),
            unit="units of the currency",
            low=28.0,
            high=48.0,
            published=38.0,
            evidence="observed",
            source=f"{_FED}; in US dollars",
        ),
    ]
    # A bank without cards has nothing to be judged by them.
    found = by_card if one(connection, f"SELECT count(*) {cards}") else []
    found.append(
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
        )
    )
    for kind, published in (("transfer", 1.42), ("cash_withdrawal", None)):
        found.append(
            Measure(
                name=f"{kind}_log_sd",
                meaning=f"Standard deviation of the logarithm of amounts: {kind}",
                value=one(connection, spread.format(kind)),
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
        "customer_entries WHERE payment_type NOT IN ('fee', 'interest') GROUP BY 1 ORDER BY 1"
    ).fetchall()
    digits = np.zeros(9)
    for digit, number in rows:
        digits[int(digit) - 1] = number
    expected = np.log10(1 + 1 / np.arange(1, 10))
    return float(np.abs(digits / max(digits.sum(), 1) - expected).mean())
