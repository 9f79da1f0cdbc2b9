"""Oracles of takeover, authorised push payments and card fraud, written from the definitions alone.

Each looks at the tables as a bank's analyst would, in time order, and knows neither labels nor cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.finance.oracles.harness import Oracle

if TYPE_CHECKING:
    import duckdb

#: Payments with who stands behind both accounts; `fresh` is the first payment from this payer to this payee.
_FLOW = """
CREATE OR REPLACE TEMP TABLE flow AS
SELECT t.*, p.customer_id AS payer_customer, q.customer_id AS payee_customer, po.kind AS payer_firm,
       qo.kind AS payee_firm, p.organisation_id AS payer_organisation,
       row_number() OVER (PARTITION BY payer_account_id, payee_account_id
                          ORDER BY ordered_at, transaction_id) = 1
           AND coalesce(t.payee_age_days, 0) = 0 AS fresh
FROM transactions t
JOIN accounts p ON p.account_id = t.payer_account_id
JOIN accounts q ON q.account_id = t.payee_account_id
LEFT JOIN organisations po ON po.organisation_id = p.organisation_id
LEFT JOIN organisations qo ON qo.organisation_id = q.organisation_id
"""

#: Credits of 200 units or more of which three quarters or more leave within a day (or so many hours):
#: as notes, or by one transfer or wire that is not larger than the credit.
_PASSED = """
CREATE OR REPLACE TEMP TABLE passed AS
SELECT c.transaction_id,
       coalesce(sum(o.amount_minor) FILTER (o.payment_type = 'cash_withdrawal'), 0) >= 0.75 * c.credited_minor
       OR coalesce(max(o.amount_minor) FILTER (o.payment_type IN ('transfer', 'wire')
           AND o.amount_minor <= c.credited_minor), 0) >= 0.75 * c.credited_minor AS passed
FROM flow c
LEFT JOIN transactions o ON o.payer_account_id = c.payee_account_id AND o.ordered_at > c.ordered_at
    AND o.ordered_at <= c.ordered_at + INTERVAL {hours} HOUR
WHERE c.payment_type IN ('transfer', 'wire') AND c.payee_customer IS NOT NULL AND c.credited_minor >= 20000
GROUP BY c.transaction_id, c.credited_minor
"""


def _ask(connection: duckdb.DuckDBPyConnection, query: str, hours: int = 24) -> set[int]:
    """Customers whom a query over payments and credits passed on names."""
    connection.execute(_FLOW)
    connection.execute(_PASSED.format(hours=hours))
    return {int(row[0]) for row in connection.execute(query).fetchall() if row[0] is not None}


_TAKEOVER = """
WITH first AS (
    SELECT f.*, d.first_seen_at FROM flow f JOIN devices d ON d.device_id = f.device_id
    WHERE f.payment_type = 'transfer' AND f.is_remote AND f.fresh AND f.payer_customer IS NOT NULL
      AND f.payer_organisation IS NULL AND f.ordered_at >= d.first_seen_at
      AND f.ordered_at < d.first_seen_at + INTERVAL 2 HOUR
)
SELECT a.payer_customer FROM first a
JOIN flow b ON b.payer_account_id = a.payer_account_id AND b.device_id = a.device_id
    AND b.payment_type = 'transfer'
    AND b.ordered_at BETWEEN a.ordered_at AND a.ordered_at + INTERVAL 61 MINUTE
LEFT JOIN passed p ON p.transaction_id = b.transaction_id
GROUP BY a.transaction_id, a.payer_customer
HAVING count(*) BETWEEN 2 AND 7 AND count(DISTINCT b.payee_account_id) <= 3
   AND (bool_or(p.passed) OR count(p.passed) = 0)
"""

_PURCHASE = """
WITH paid AS (
    SELECT f.*, p.passed FROM flow f LEFT JOIN passed p USING (transaction_id)
    WHERE f.payment_type = 'transfer' AND f.purpose = 'GDDS' AND f.fresh
      AND f.payer_customer IS NOT NULL AND f.payee_customer IS NOT NULL
), burst AS (
    SELECT a.transaction_id, a.payee_customer, a.payee_account_id, a.ordered_at AS since,
           count(DISTINCT b.payer_customer) AS buyers, count(b.passed) AS large,
           count(*) FILTER (b.passed) AS gone
    FROM paid a JOIN paid b ON b.payee_account_id = a.payee_account_id
        AND b.ordered_at BETWEEN a.ordered_at AND a.ordered_at + INTERVAL 14 DAY
    GROUP BY ALL
    HAVING buyers >= 3 AND (large = 0 OR gone >= 0.5 * large)
)
SELECT payee_customer FROM burst
UNION
SELECT b.payer_customer FROM burst a JOIN paid b ON b.payee_account_id = a.payee_account_id
    AND b.ordered_at BETWEEN a.since AND a.since + INTERVAL 14 DAY
"""

_INVOICE = """
WITH bill AS (
    SELECT * FROM flow WHERE payment_type = 'wire' AND payer_firm = 'employer'
), usual AS (
    SELECT payer_account_id, payee_account_id, transaction_id, ordered_at AS last,
           avg(amount_minor) OVER three AS mean, min(amount_minor) OVER three AS least,
           max(amount_minor) OVER three AS most, count(*) OVER three AS number,
           first(ordered_at) OVER three AS first
    FROM bill WHERE payee_firm = 'employer'
    WINDOW three AS (PARTITION BY payer_account_id, payee_account_id ORDER BY ordered_at
                     ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
)
SELECT DISTINCT w.owner_customer_id
FROM usual u
JOIN bill n ON n.payer_account_id = u.payer_account_id AND n.payee_customer IS NOT NULL AND n.fresh
    AND n.ordered_at > u.last AND n.ordered_at < u.last + 1.2 * ((u.last - u.first) / 2) + INTERVAL 4 DAY
    AND abs(n.amount_minor / u.mean - 1) < 0.05
JOIN passed p ON p.transaction_id = n.transaction_id
JOIN ownerships w ON w.organisation_id = n.payer_organisation
WHERE u.number = 3 AND u.most <= 1.12 * u.least AND p.passed
  AND NOT EXISTS (SELECT 1 FROM bill s WHERE s.payer_account_id = u.payer_account_id
      AND s.payee_account_id = u.payee_account_id AND s.ordered_at > u.last AND s.ordered_at <= n.ordered_at)
"""

_ROMANCE = """
WITH pair AS (
    SELECT f.*, p.passed,
           lag(amount_minor) OVER inorder AS before,
           min(ordered_at) OVER (PARTITION BY payer_account_id, payee_account_id) AS since,
           bool_or(fresh) OVER (PARTITION BY payer_account_id, payee_account_id) AS met
    FROM flow f LEFT JOIN passed p USING (transaction_id)
    WHERE payment_type = 'transfer' AND payer_customer IS NOT NULL AND payee_customer IS NOT NULL
      AND payer_customer <> payee_customer
    WINDOW inorder AS (PARTITION BY payer_account_id, payee_account_id ORDER BY ordered_at, transaction_id)
)
SELECT payer_customer FROM pair
WHERE met
GROUP BY payer_customer, payer_account_id, payee_account_id
HAVING count(*) BETWEEN 7 AND 14 AND max(ordered_at) <= min(ordered_at) + INTERVAL 50 DAY
   AND last(amount_minor ORDER BY ordered_at, transaction_id)
       >= 2.5 * first(amount_minor ORDER BY ordered_at, transaction_id)
   AND count(*) FILTER (amount_minor > before) >= 0.79 * (count(*) - 1)
   AND (count(passed) = 0 OR count(*) FILTER (passed) >= 0.5 * count(passed))
"""

_INVESTMENT = """
WITH sent AS (
    SELECT * FROM flow WHERE payment_type = 'transfer' AND payer_customer IS NOT NULL
), lured AS (
    SELECT t.payer_customer AS victim, t.payer_account_id AS account, t.payee_account_id AS platform,
           t.amount_minor AS trial, min(r.ordered_at) AS profit_at
    FROM sent t
    JOIN flow r ON r.payer_account_id = t.payee_account_id AND r.payee_account_id = t.payer_account_id
        AND r.ordered_at BETWEEN t.ordered_at + INTERVAL 20 HOUR AND t.ordered_at + INTERVAL 7 DAY
        AND r.credited_minor BETWEEN 0.18 * t.amount_minor AND 0.62 * t.amount_minor
    WHERE t.fresh
    GROUP BY ALL
), after AS (
    SELECT l.*, f.payee_account_id AS payee, f.amount_minor, f.ordered_at, f.transaction_id, p.passed,
           coalesce(f.payee_firm, '') = 'exchange' AS coins,
           lag(f.amount_minor) OVER (PARTITION BY l.account, l.platform, l.profit_at, f.payee_account_id
                                     ORDER BY f.ordered_at, f.transaction_id) AS before
    FROM lured l
    JOIN sent f ON f.payer_account_id = l.account AND f.ordered_at > l.profit_at
        AND f.ordered_at <= l.profit_at + INTERVAL 15 DAY
        AND (f.payee_account_id = l.platform OR f.payee_firm = 'exchange')
    LEFT JOIN passed p ON p.transaction_id = f.transaction_id
)
SELECT victim FROM after
GROUP BY victim, account, platform, profit_at, payee, trial
HAVING count(*) BETWEEN 3 AND 9 AND count(*) FILTER (amount_minor > before) >= 0.8 * (count(*) - 1)
   AND trial <= 0.055 * max(amount_minor)
"""

_IMPERSONATION = """
WITH sent AS (
    SELECT f.*, a.opening_balance_minor + a.credit_limit_minor AS bears
    FROM flow f JOIN accounts a ON a.account_id = f.payer_account_id
    JOIN devices d ON d.device_id = f.device_id AND d.first_seen_at < f.ordered_at - INTERVAL 1 DAY
    WHERE f.payment_type = 'transfer' AND f.payer_customer IS NOT NULL AND a.kind = 'current'
), burst AS (
    SELECT a.payer_customer, a.transaction_id, any_value(a.bears) AS bears, count(*) AS number,
           count(DISTINCT b.payee_account_id) AS payees, sum(b.amount_minor) AS whole,
           max(b.amount_minor) AS largest, bool_or(p.passed) AS passed, count(p.passed) AS large
    FROM sent a
    JOIN sent b ON b.payer_account_id = a.payer_account_id
        AND b.ordered_at BETWEEN a.ordered_at AND a.ordered_at + INTERVAL 121 MINUTE
    LEFT JOIN passed p ON p.transaction_id = b.transaction_id
    WHERE a.fresh
    GROUP BY ALL
)
SELECT payer_customer FROM burst
WHERE number BETWEEN 2 AND 6 AND payees <= 2 AND whole >= 0.5 * bears AND bears > 0 AND largest >= 0.5 * whole
  AND (passed OR large = 0)
"""

#: Uses of cards, tried ones too.
_USES = """
CREATE OR REPLACE TEMP TABLE uses AS
SELECT transaction_id AS id, ordered_at AS used_at, card_id, merchant_id, device_id, ip_id, entry_mode,
       channel IN ('ecommerce', 'mail_order') AS is_remote, payment_type, amount_minor, currency, payer_place,
       payee_place, NULL AS reason
FROM transactions WHERE card_id IS NOT NULL
UNION ALL
SELECT decline_id, attempted_at, card_id, merchant_id, device_id, ip_id, entry_mode,
       channel IN ('ecommerce', 'mail_order'), payment_type, amount_minor, currency, payer_place,
       payee_place, CAST(reason AS VARCHAR)
FROM declines WHERE card_id IS NOT NULL
"""


def _ask_cards(connection: duckdb.DuckDBPyConnection, query: str) -> set[int]:
    """Customers whose cards a query over uses names."""
    connection.execute(_USES)
    found = connection.execute(
        f"SELECT DISTINCT c.customer_id FROM ({query}) u JOIN cards c ON c.card_id = u.card_id"
    )
    return {int(row[0]) for row in found.fetchall()}


_NOT_PRESENT = """
-- What is ordered on-line comes from a stranger's device; what is told by telephone or charged from none.
WITH strange AS (
    SELECT u.*, d.first_seen_at FROM uses u
    LEFT JOIN devices d ON d.device_id = u.device_id
    LEFT JOIN ip_addresses i ON i.ip_id = u.ip_id
    WHERE u.is_remote AND u.payment_type = 'card_payment'
      AND (u.entry_mode <> 'ecommerce' OR (i.network = 'hosting' AND d.first_seen_at <= u.used_at))
)
SELECT a.card_id FROM strange a
JOIN strange b ON b.card_id = a.card_id
    AND b.used_at BETWEEN a.used_at AND a.used_at + INTERVAL 181 MINUTE
    AND (b.first_seen_at IS NULL OR b.first_seen_at >= a.used_at - INTERVAL 1 HOUR)
GROUP BY a.card_id, a.id
HAVING count(*) >= 5 AND count(DISTINCT b.merchant_id) >= 3
"""

_TESTING = """
WITH away AS (
    SELECT u.*, 300 * p.prices AS small FROM uses u
    JOIN (SELECT currency, CASE currency WHEN 'USD' THEN 1.45 WHEN 'AUD' THEN 1.6 WHEN 'CZK' THEN 3.4
                 ELSE 1.0 END AS prices FROM (SELECT DISTINCT currency FROM places)) p USING (currency)
    WHERE is_remote AND payment_type = 'card_payment'
), burst AS (
    SELECT a.merchant_id, a.id, a.used_at FROM away a
    JOIN away b ON b.merchant_id = a.merchant_id AND b.used_at BETWEEN a.used_at
        AND a.used_at + INTERVAL 181 MINUTE
    WHERE a.amount_minor < a.small AND b.amount_minor < b.small
    GROUP BY ALL
    HAVING count(DISTINCT b.card_id) >= 10
       AND count(*) FILTER (b.reason IN ('invalid_card', 'wrong_code', 'suspected_fraud')) >= 0.5 * count(*)
)
SELECT DISTINCT b.card_id FROM burst k
JOIN away b ON b.merchant_id = k.merchant_id AND b.used_at BETWEEN k.used_at
    AND k.used_at + INTERVAL 181 MINUTE
    AND b.amount_minor < b.small
"""

_STOLEN = """
WITH touch AS (SELECT * FROM uses WHERE entry_mode = 'contactless'),
wrong AS (SELECT * FROM uses WHERE payment_type = 'cash_withdrawal'
    AND reason IN ('wrong_code', 'blocked_card'))
SELECT a.card_id FROM touch a
JOIN touch b ON b.card_id = a.card_id AND b.used_at BETWEEN a.used_at AND a.used_at + INTERVAL 241 MINUTE
WHERE (SELECT count(*) FROM wrong w WHERE w.card_id = a.card_id
       AND w.used_at BETWEEN a.used_at AND a.used_at + INTERVAL 241 MINUTE) >= 2
GROUP BY a.card_id, a.id
HAVING count(*) >= 5 AND count(DISTINCT b.merchant_id) >= 3
"""

_SKIMMED = """
WITH stripe AS (
    SELECT * FROM uses WHERE entry_mode = 'magnetic_stripe' AND payee_place <> payer_place
), copies AS (
    SELECT a.card_id, a.used_at, a.payee_place AS place, a.payer_place AS home
    FROM stripe a JOIN stripe b ON b.card_id = a.card_id
        AND b.used_at BETWEEN a.used_at AND a.used_at + INTERVAL 481 MINUTE
    GROUP BY ALL HAVING count(*) >= 2
), travelled AS (
    SELECT c.card_id, c.used_at, c.place, c.home, max(g.used_at) AS seen
    FROM copies c
    JOIN uses g ON g.card_id = c.card_id AND g.entry_mode = 'contactless' AND g.payee_place = c.home
        AND g.used_at < c.used_at AND g.reason IS NULL
    GROUP BY ALL
), impossible AS (
    SELECT t.* FROM travelled t
    JOIN places a ON a.place = t.home JOIN places b ON b.place = t.place
    WHERE 2 * 6371 * asin(sqrt(
        pow(sin(radians(b.latitude_deg - a.latitude_deg) / 2), 2)
        + cos(radians(a.latitude_deg)) * cos(radians(b.latitude_deg))
        * pow(sin(radians(b.longitude_deg - a.longitude_deg) / 2), 2)))
        > 900 * epoch(t.used_at - t.seen) / 3600
), suspect AS (
    -- Copies that the bank forestalled show only in the cards that it replaced.
    SELECT card_id, used_at AS until, true AS travelled FROM impossible
    UNION ALL
    SELECT card_id, replaced_at, false FROM card_replacements WHERE reason = 'misused'
), met AS (
    SELECT DISTINCT s.card_id, s.travelled, u.merchant_id, u.used_at FROM suspect s
    JOIN uses u ON u.card_id = s.card_id AND u.entry_mode = 'chip' AND u.payment_type = 'card_payment'
        AND u.used_at < s.until AND u.used_at > s.until - INTERVAL 40 DAY
)
SELECT a.card_id FROM met a
JOIN met b ON b.merchant_id = a.merchant_id AND abs(epoch(b.used_at - a.used_at)) <= 6 * 86400
WHERE a.travelled
GROUP BY a.card_id, a.merchant_id, a.used_at
HAVING count(DISTINCT b.card_id) >= 3
"""


def _those(roles: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{role}'" for role in roles)
    return f"SELECT transaction_id FROM planted WHERE role::VARCHAR IN ({listed})"


def _changed(what: str, *roles: str) -> str:
    """Sets something else in the planted payments of some roles."""
    return f"UPDATE transactions SET {what} WHERE transaction_id IN ({_those(roles)})"


def _apart(days: int, *roles: str) -> str:
    """Draws the planted payments of some roles so many days apart, in an order of chance."""
    return f"""
    UPDATE transactions SET ordered_at = ordered_at + INTERVAL {days} DAY * k.place FROM (
        SELECT transaction_id, row_number() OVER (PARTITION BY case_id ORDER BY transaction_id) AS place
        FROM planted WHERE transaction_id IN ({_those(roles)})
    ) k WHERE transactions.transaction_id = k.transaction_id
    """


#: Before the money came, or a twentieth of it: what is no passing on.
_BEFORE = _changed("ordered_at = ordered_at - INTERVAL 20 DAY", "forward", "cash_out")
_KEPT = _changed("amount_minor = greatest(amount_minor // 20, 1)", "forward", "cash_out")

ORACLES: tuple[Oracle, ...] = (
    Oracle(
        "account_takeover",
        lambda connection: _ask(connection, _TAKEOVER),
        {
            "no new device": _changed("device_id = NULL", "drain"),
            "days apart": _apart(3, "drain"),
            "passed on before it came": _BEFORE,
            "hardly passed on": _KEPT,
        },
    ),
    Oracle(
        "app_purchase",
        lambda connection: _ask(connection, _PURCHASE),
        {"weeks apart": _apart(16, "scam"), "passed on before it came": _BEFORE, "hardly passed on": _KEPT},
    ),
    Oracle(
        "app_invoice",
        lambda connection: _ask(connection, _INVOICE, hours=30),
        {
            "another sum": _changed(
                "amount_minor = amount_minor * 2, credited_minor = credited_minor * 2", "scam"
            ),
            "before the usual ones": _changed("ordered_at = ordered_at - INTERVAL 100 DAY", "scam"),
            "hardly passed on": _KEPT,
        },
        spec={"days": 180},
    ),
    Oracle(
        "app_romance",
        lambda connection: _ask(connection, _ROMANCE),
        {
            "dearer the other way round": """
            UPDATE transactions SET ordered_at = k.turned FROM (
                SELECT transaction_id, min(ordered_at) OVER (PARTITION BY case_id)
                    + (max(ordered_at) OVER (PARTITION BY case_id) - ordered_at) AS turned
                FROM transactions JOIN planted USING (transaction_id) WHERE role::VARCHAR = 'scam'
            ) k WHERE transactions.transaction_id = k.transaction_id
         """,
            "months apart": _apart(30, "scam"),
            "hardly passed on": _KEPT,
        },
    ),
    Oracle(
        "app_investment",
        lambda connection: _ask(connection, _INVESTMENT),
        {
            "no profit first": _changed("ordered_at = ordered_at + INTERVAL 60 DAY", "bait"),
            "a profit above the trial": _changed("credited_minor = credited_minor * 10", "bait"),
        },
    ),
    Oracle(
        "app_impersonation",
        lambda connection: _ask(connection, _IMPERSONATION),
        {
            "days apart": _apart(2, "scam"),
            "small sums": _changed(
                "amount_minor = greatest(amount_minor // 20, 1), "
                "credited_minor = greatest(credited_minor // 20, 1)",
                "scam",
            ),
            "an unknown device": _changed("device_id = NULL", "scam"),
        },
    ),
    Oracle(
        "card_testing",
        lambda connection: _ask_cards(connection, _TESTING),
        {
            "hardly declined": "UPDATE declines SET reason = 'insufficient_funds'",
            "dear": "UPDATE declines SET amount_minor = amount_minor * 100",
            "at every shop": "UPDATE declines SET merchant_id = (decline_id % 997)",
        },
        spec={"size": 8000, "count": 20},
    ),
    Oracle(
        "card_not_present",
        lambda connection: _ask_cards(connection, _NOT_PRESENT),
        {
            "days apart": _apart(2, "purchase"),
            "at one shop": "UPDATE transactions SET merchant_id = 1; UPDATE declines SET merchant_id = 1",
            "in person": _changed("channel = 'pos'", "purchase") + "; UPDATE declines SET channel = 'pos'",
        },
    ),
    Oracle(
        "lost_and_stolen",
        lambda connection: _ask_cards(connection, _STOLEN),
        {
            "days apart": _apart(2, "purchase"),
            "the right number": "UPDATE declines SET reason = 'insufficient_funds'",
            "at one shop": _changed("merchant_id = 1", "purchase") + "; UPDATE declines SET merchant_id = 1",
        },
    ),
    Oracle(
        "skimming",
        lambda connection: _ask_cards(connection, _SKIMMED),
        {
            "time enough to travel": _changed(
                "ordered_at = ordered_at + INTERVAL 3 DAY", "purchase", "withdrawal"
            )
            + "; UPDATE declines SET attempted_at = attempted_at + INTERVAL 3 DAY",
            "never at one till": _changed("entry_mode = 'contactless'", "own_use"),
            "at home": _changed("payee_place = payer_place", "purchase", "withdrawal")
            + "; UPDATE declines SET payee_place = payer_place",
        },
        spec={"size": 8000, "count": 20},
    ),
)
