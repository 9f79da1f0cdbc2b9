"""What the measures look at: movements of people, and payments of cases with the weights of nature."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_VIEWS = (
    """
    CREATE OR REPLACE TEMP VIEW customer_entries AS
    SELECT e.account_id, e.booked_at, e.amount_minor, e.payment_type::VARCHAR AS payment_type, e.over_limit
    FROM entries e JOIN accounts a ON a.account_id = e.account_id
    WHERE a.kind::VARCHAR = 'current' AND a.customer_id IS NOT NULL
    """,
    # The price level of each currency, so that amounts of several countries can stand in one law.
    """
    CREATE OR REPLACE TEMP TABLE price AS
    SELECT currency, level / max(CASE WHEN currency = 'EUR' THEN level END) OVER () AS level FROM (
        SELECT a.currency::VARCHAR AS currency, median(c.monthly_income_minor)::DOUBLE AS level
        FROM customers c JOIN accounts a ON a.customer_id = c.customer_id AND a.kind::VARCHAR = 'current'
        GROUP BY 1)
    """,
    """
    CREATE OR REPLACE TEMP VIEW payments AS
    SELECT t.*, t.amount_minor / coalesce(p.level, 1) AS level_minor, t.payment_type::VARCHAR AS type
    FROM transactions t LEFT JOIN price p ON p.currency = t.currency::VARCHAR
    """,
    # A case stands for as many as its home weighs; without a weight for one.
    """
    CREATE OR REPLACE TEMP TABLE case_weight AS
    SELECT c.case_id, c.kind::VARCHAR AS kind, c.is_case, coalesce(w.weight, 1) AS weight, c.loss_minor,
        c.recovered_minor, c.reimbursed_minor, c.borne_by::VARCHAR AS borne_by, c.entity_id,
        coalesce(p.level, 1) AS level
    FROM cases c LEFT JOIN weights w ON w.row_id = c.entity_id
    LEFT JOIN accounts a ON a.customer_id = c.entity_id AND a.kind::VARCHAR = 'current'
    LEFT JOIN price p ON p.currency = a.currency::VARCHAR
    """,
    """
    CREATE OR REPLACE TEMP TABLE crime AS
    SELECT l.case_id, c.kind, c.weight, l.role::VARCHAR AS role, l.stage::VARCHAR AS stage, t.transaction_id,
        t.payer_account_id,
        t.type, t.amount_minor, t.level_minor, t.is_remote, t.payer_place, t.payee_place, l.tainted_minor,
        t.currency::VARCHAR AS currency, t.credited_currency::VARCHAR AS credited_currency
    FROM labels l JOIN case_weight c ON c.case_id = l.case_id
    JOIN payments t ON t.transaction_id = l.row_id
    WHERE l.table_name::VARCHAR = 'transactions' AND l.effect::VARCHAR = 'created' AND c.is_case
    """,
)


def views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views and tables that the measures read."""
    for statement in _VIEWS:
        connection.execute(statement)


def one(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    """The single number of a query, not-a-number where there is none."""
    row = connection.execute(query).fetchone()
    return float("nan") if row is None or row[0] is None else float(row[0])
