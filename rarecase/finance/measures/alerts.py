"""How often the bank's own engine is wrong about laundering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.common.domain import Measure
from rarecase.finance import data
from rarecase.finance.measures.views import one

if TYPE_CHECKING:
    import duckdb


def measures(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    """Figures of alerts; nothing where none was raised."""
    found = data.rules()
    families = zip(found.rule, found.family, strict=True)
    rules = sorted({rule for rule, family in families if family == "laundering"})
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE watched AS
        SELECT a.alert_id, a.account_id, a.customer_id,
            bool_or(x.transaction_id IN (SELECT transaction_id FROM crime)) AS is_right,
            min(x.weight) AS weight
        FROM alerts a JOIN rules r ON r.rule_id = a.rule_id
        JOIN (SELECT t.alert_id, t.transaction_id, c.weight FROM alert_transactions t
              LEFT JOIN crime c ON c.transaction_id = t.transaction_id) x ON x.alert_id = a.alert_id
        WHERE r.kind::VARCHAR = 'internal' AND r.rule::VARCHAR IN {tuple(rules)} GROUP BY 1, 2, 3
        """
    )
    if not one(connection, "SELECT count(*) FROM watched"):
        return []
    wrong = "sum(CASE WHEN is_right THEN 0 ELSE 1 END)"
    right = "sum(CASE WHEN is_right THEN coalesce(weight, 1) ELSE 0 END)"
    return [
        Measure(
            name="laundering_alerts_false",
            meaning="Weighted share of alerts on laundering that are about no case",
            value=one(connection, f"SELECT {wrong} / ({wrong} + {right}) FROM watched"),
            unit="share",
            low=0.90,
            high=0.98,
            published=0.98,
            evidence="survey",
            source="Jensen and others 2023, SynthAML (Scientific Data 10:661): up to 98 % in real "
            "monitoring; 90 to 98 % as commonly told of banks",
            weighted=True,
        ),
        Measure(
            name="laundering_alerts_per_customer",
            meaning="Alerts on laundering per customer",
            value=one(connection, "SELECT (SELECT count(*) FROM watched) / (SELECT count(*) FROM customers)"),
            unit="alerts",
            low=None,
            high=None,
            published=None,
            evidence="expert",
            source="thresholds by own choice",
        ),
    ]
