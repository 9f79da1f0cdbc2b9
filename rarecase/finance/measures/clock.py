"""When people pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.common.domain import Measure
from rarecase.finance.measures.views import one

if TYPE_CHECKING:
    import duckdb

_BERKA = "Berka data (PKDD'99 Discovery Challenge): a Czech bank, 1993 and 1994"


def measures(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    """Shares of weekdays, hours and days of the month."""
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
                value=one(connection, share.format(what=what, unit="dayofweek(booked_at)")),
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
            value=one(
                connection,
                "SELECT avg((hour(ordered_at) < 5)::INT) FROM payments WHERE type = 'card_payment'",
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
            value=one(connection, share.format(what="max", unit="dayofmonth(booked_at)")),
            unit="share",
            low=None,
            high=None,
            published=0.095,
            evidence="observed",
            source=f"{_BERKA}: the 31st, with fees and without interest",
        )
    )
    return found
