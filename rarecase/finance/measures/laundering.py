"""How often money is laundered, and in what shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.common.domain import Measure
from rarecase.finance.measures.views import one

if TYPE_CHECKING:
    import duckdb

_ITALY = "Altman and others 2023 (arXiv 2306.16424), §3.5, citing Starnini and others 2021"


def measures(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    """Figures of laundering; nothing where none is planted."""
    staged = "FROM crime WHERE stage IS NOT NULL"
    if not one(connection, f"SELECT count(*) {staged}"):
        return []
    patterns = f"SELECT sum(weight) {staged} AND kind LIKE 'laundering_%'"
    return [
        Measure(
            name="laundering_share_by_count",
            meaning="Weighted share of payments that launder",
            value=one(connection, f"SELECT (SELECT sum(weight) {staged}) / (SELECT count(*) FROM payments)"),
            unit="share",
            low=1 / 63_000,
            high=1 / 7_000,
            published=1 / 21_000,
            evidence="observed",
            source=f"{_ITALY}: one in some 21,000 payments of an Italian bank, found by their shape; a third "
            "to three times that",
            weighted=True,
        ),
        Measure(
            name="laundering_outside_patterns",
            meaning="Weighted share of laundering payments outside the eight named patterns",
            value=one(connection, f"SELECT 1 - coalesce(({patterns}), 0) / (SELECT sum(weight) {staged})"),
            unit="share",
            low=None,
            high=None,
            published=0.8,
            evidence="simulated",
            source="Altman and others 2023 (arXiv 2306.16424), Table 8: 81,143 outside, 19,461 inside",
            weighted=True,
        ),
        Measure(
            name="laundering_tainted_share",
            meaning="Share of the sums of laundering payments that is proceeds of crime",
            value=one(connection, f"SELECT sum(tainted_minor) / sum(amount_minor) {staged}"),
            unit="share",
            low=None,
            high=None,
            published=None,
            evidence="expert",
            source="own accounting: what is carried along the path, less fees and own money",
        ),
    ]
