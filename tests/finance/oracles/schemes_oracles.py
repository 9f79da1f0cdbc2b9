"""Oracles of the schemes of laundering, in SQL over the tables, from what the kinds say of themselves.

No oracle looks at labels or cases. Each reads the definition at difficulty 0 and is a little wider than it,
where ordinary payments may stand between those of the scheme.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from tests.finance.oracles.harness import Oracle

#: Current accounts of customers with the limit on cash where they are kept; cash paid in; transfers; wires.
_COMMON = """
WITH RECURSIVE own AS (
    SELECT a.account_id, a.customer_id, a.place, p.country::VARCHAR AS country,
           CASE WHEN a.currency::VARCHAR = 'CZK' THEN 25000000 ELSE 1000000 END AS lim
    FROM accounts a JOIN places p ON p.place = a.place
    WHERE a.kind::VARCHAR = 'current' AND a.holder::VARCHAR = 'customer'
), paid AS (
    SELECT transaction_id, payment_type::VARCHAR AS kind, purpose::VARCHAR AS purpose, ordered_at, booked_at,
           payer_account_id AS payer, payee_account_id AS payee, amount_minor AS amount,
           credited_minor AS credited, payer_place, payee_place
    FROM transactions
), deposit AS (
    SELECT o.customer_id, o.account_id, o.place, o.lim, d.booked_at AS moment, d.credited AS amount,
           d.payer_place
    FROM paid d JOIN own o ON o.account_id = d.payee WHERE d.kind = 'cash_deposit'
), sent AS (
    SELECT payer, payee, ordered_at, booked_at, amount, credited FROM paid WHERE kind = 'transfer'
), wire AS (
    SELECT payer, payee, ordered_at, booked_at, amount, credited FROM paid WHERE kind = 'wire'
), outside AS (
    SELECT a.account_id, o.organisation_name AS name, a.place
    FROM accounts a JOIN organisations o ON o.organisation_id = a.organisation_id
    WHERE a.kind::VARCHAR = 'outside'
), ultimate AS (
    SELECT organisation_id, merchant_id, owner_customer_id, owner_organisation_id FROM ownerships
    UNION ALL
    SELECT u.organisation_id, u.merchant_id, w.owner_customer_id, w.owner_organisation_id
    FROM ultimate u JOIN ownerships w ON w.organisation_id = u.owner_organisation_id
), firm AS (
    SELECT DISTINCT u.owner_customer_id AS customer_id, a.account_id,
           coalesce(o.kind::VARCHAR, 'shop') AS kind
    FROM ultimate u LEFT JOIN organisations o ON o.organisation_id = u.organisation_id
    JOIN accounts a ON a.organisation_id = u.organisation_id OR a.merchant_id = u.merchant_id
    WHERE u.owner_customer_id IS NOT NULL
)
"""

_STRUCTURING = """
, large AS (
    SELECT *, count(*) OVER near AS number, sum(amount) OVER near AS total
    FROM deposit WHERE amount >= 0.6 * lim AND amount < lim
    WINDOW near AS (PARTITION BY account_id ORDER BY moment
        RANGE BETWEEN INTERVAL 8 DAY PRECEDING AND CURRENT ROW)
)
SELECT customer_id FROM (
    SELECT l.customer_id, l.total, sum(s.amount) AS gone
    FROM large l JOIN sent s ON s.payer = l.account_id
        AND s.ordered_at > l.moment AND s.ordered_at <= l.moment + INTERVAL 8 DAY
    WHERE l.number >= 3 AND l.total > l.lim
    GROUP BY l.customer_id, l.account_id, l.moment, l.total, s.payee
) WHERE gone BETWEEN 0.8 * total AND 1.0 * total
"""

_SMURFING = """
, behind AS (
    SELECT s.payer, s.payee, s.ordered_at, s.credited, s.amount, d.lim, d.amount AS deposited,
           row_number() OVER (PARTITION BY s.payer, s.payee, s.ordered_at ORDER BY d.moment DESC) AS n,
           sum(d.amount) OVER (PARTITION BY s.payer, s.payee, s.ordered_at ORDER BY d.moment DESC) AS total
    FROM sent s JOIN deposit d ON d.account_id = s.payer
        AND d.moment < s.ordered_at AND d.moment >= s.ordered_at - INTERVAL 9 DAY
    WHERE d.amount < 2.2 * d.lim AND d.amount >= 0.25 * s.amount
), smurf AS (
    SELECT DISTINCT payer, payee, ordered_at, credited FROM behind
    WHERE n <= 3 AND amount BETWEEN 0.875 * total AND 0.975 * total
), gathered AS (
    SELECT o.customer_id, o.account_id, o.lim, a.ordered_at AS began, count(DISTINCT b.payer) AS persons,
           sum(b.credited) AS total, max(b.ordered_at) AS last
    FROM smurf a JOIN smurf b ON a.payee = b.payee
        AND b.ordered_at BETWEEN a.ordered_at AND a.ordered_at + INTERVAL 9 DAY
    JOIN own o ON o.account_id = a.payee
    GROUP BY o.customer_id, o.account_id, o.lim, a.payer, a.ordered_at
)
SELECT customer_id FROM (
    SELECT g.customer_id, g.total, sum(s.amount) AS spent
    FROM gathered g JOIN sent s ON s.payer = g.account_id
        AND s.ordered_at > g.last AND s.ordered_at < g.last + INTERVAL 12 DAY
    JOIN accounts m ON m.account_id = s.payee AND m.merchant_id IS NOT NULL
    WHERE g.persons >= 3 AND g.total > 1.25 * g.lim
    GROUP BY g.customer_id, g.account_id, g.began, g.total, s.payee
) WHERE spent BETWEEN 0.55 * total AND 0.95 * total
"""

_FUNNEL = """
, away AS (
    SELECT *, count(*) OVER near AS number, sum(amount) OVER near AS total,
           list(payer_place) OVER near AS places
    FROM deposit WHERE payer_place <> place AND amount < lim
    WINDOW near AS (PARTITION BY account_id ORDER BY moment
        RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW)
), gone AS (
    SELECT payer, payee_place, ordered_at, amount FROM paid WHERE kind IN ('cash_withdrawal', 'transfer')
)
SELECT customer_id FROM (
    SELECT a.customer_id, a.total, sum(g.amount) AS gone
    FROM away a JOIN gone g ON g.payer = a.account_id
        AND g.ordered_at > a.moment AND g.ordered_at <= a.moment + INTERVAL 4 DAY
    WHERE a.number >= 5 AND len(list_distinct(a.places)) >= 3 AND NOT list_contains(a.places, g.payee_place)
    GROUP BY a.customer_id, a.account_id, a.moment, a.total, g.payee_place
) WHERE gone BETWEEN 0.75 * total AND 1.05 * total
"""

_CASH_FRONT = """
, shop AS (
    SELECT f.customer_id, f.account_id, a.place, coalesce((
               SELECT sum(d.credited) FROM paid d WHERE d.payee = f.account_id AND d.kind = 'cash_deposit'
           ), 0) AS cash
    FROM firm f JOIN accounts a ON a.account_id = f.account_id WHERE f.kind = 'shop'
), usual AS (
    SELECT a.place, median(cash) AS cash FROM (
        SELECT a.place, a.account_id, coalesce(sum(d.credited), 0) AS cash
        FROM accounts a LEFT JOIN paid d ON d.payee = a.account_id AND d.kind = 'cash_deposit'
        WHERE a.merchant_id IS NOT NULL GROUP BY ALL) a
    GROUP BY a.place
), wage AS (
    SELECT s.customer_id, s.account_id, w.payee, w.booked_at AS moment, w.credited
    FROM shop s JOIN usual u ON u.place = s.place AND s.cash > 2 * u.cash
    JOIN paid w ON w.payer = s.account_id AND w.kind = 'payroll'
), returned AS (
    SELECT w.customer_id, w.account_id, w.payee, count(DISTINCT w.moment) AS times
    FROM wage w JOIN own o ON o.customer_id = w.customer_id
    JOIN sent b ON b.payer = w.payee AND b.payee = o.account_id
        AND b.ordered_at > w.moment AND b.ordered_at <= w.moment + INTERVAL 8 DAY
        AND b.amount BETWEEN 0.74 * w.credited AND 0.91 * w.credited
    GROUP BY w.customer_id, w.account_id, w.payee
)
SELECT r.customer_id FROM returned r JOIN own o ON o.customer_id = r.customer_id
WHERE r.times >= 2 AND EXISTS (SELECT 1 FROM paid d WHERE d.payer = r.account_id AND d.payee = o.account_id)
"""

#: Cash paid in, each below the limit, 2 to 6 times in 4 days; the last of a group and their sum.
_PLACED = """
, placed AS (
    SELECT *, count(*) OVER near AS number, sum(amount) OVER near AS total
    FROM deposit WHERE amount < lim
    WINDOW near AS (PARTITION BY account_id ORDER BY moment
        RANGE BETWEEN INTERVAL 4 DAY PRECEDING AND CURRENT ROW)
), shell AS (SELECT customer_id, account_id FROM firm WHERE kind = 'shell')
, secured AS (
    SELECT p.customer_id, p.account_id, h.account_id AS shell, p.moment, p.total, sum(s.amount) AS moved,
           sum(s.credited) AS got, max(s.booked_at) AS last
    FROM placed p JOIN shell h ON h.customer_id = p.customer_id
    JOIN sent s ON s.payer = p.account_id AND s.payee = h.account_id
        AND s.ordered_at > p.moment AND s.ordered_at <= p.moment + INTERVAL 15 DAY
    WHERE p.number BETWEEN 2 AND 8
    GROUP BY p.customer_id, p.account_id, h.account_id, p.moment, p.total
    HAVING sum(s.amount) BETWEEN 0.8 * p.total AND p.total
)
"""

_ROUND_TRIP = (
    _PLACED
    + """
, last_shell AS (
    SELECT s.*, s.shell AS gives, s.last AS ready, s.got AS held FROM secured s
    UNION ALL
    SELECT s.*, b.payee, max(b.booked_at), sum(b.credited)
    FROM secured s JOIN paid b ON b.payer = s.shell AND b.kind = 'business' AND b.ordered_at > s.last
        AND b.ordered_at <= s.last + INTERVAL 15 DAY
    WHERE b.payee IN (SELECT account_id FROM firm WHERE kind = 'shell')
    GROUP BY ALL
), left_country AS (
    SELECT l.customer_id, l.account_id, l.moment, l.moved, w.booked_at AS gone
    FROM last_shell l JOIN wire w ON w.payer = l.gives AND w.ordered_at > l.ready
        AND w.ordered_at <= l.ready + INTERVAL 15 DAY AND w.amount BETWEEN 0.93 * l.held AND l.held
    JOIN outside f ON f.account_id = w.payee AND f.name {abroad}
)
SELECT customer_id FROM (
    SELECT l.customer_id, l.moved, sum(w.credited) AS back
    FROM left_country l JOIN wire w ON w.payee = l.account_id AND w.ordered_at > l.gone
        AND w.ordered_at <= l.gone + INTERVAL 25 DAY
    JOIN outside f ON f.account_id = w.payer AND f.name {abroad}
    GROUP BY l.customer_id, l.moment, l.moved, l.gone
) WHERE back BETWEEN 0.88 * moved AND moved
"""
)

_TRADE = """
, deal AS (
    SELECT f.customer_id, f.account_id, w.ordered_at AS moment, w.booked_at, true AS pays, w.amount
    FROM firm f JOIN wire w ON w.payer = f.account_id
    JOIN outside o ON o.account_id = w.payee AND o.name {abroad}
    UNION ALL
    SELECT f.customer_id, f.account_id, w.ordered_at, w.booked_at, false, w.credited
    FROM firm f JOIN wire w ON w.payee = f.account_id
    JOIN outside o ON o.account_id = w.payer AND o.name {abroad}
), fair AS (
    SELECT a.customer_id, a.account_id, a.pays, a.moment AS anchor, a.amount AS price,
           min(b.moment) - INTERVAL 15 DAY AS since, max(b.moment) + INTERVAL 15 DAY AS until
    FROM deal a JOIN deal b ON b.account_id = a.account_id AND b.pays = a.pays
        AND b.customer_id = a.customer_id AND abs(b.amount - a.amount) <= 0.1 * a.amount
        AND b.moment BETWEEN a.moment - INTERVAL 50 DAY AND a.moment + INTERVAL 50 DAY
    GROUP BY ALL HAVING count(*) >= 4
), odd AS (
    SELECT f.customer_id, f.account_id, f.pays, f.anchor, d.moment, abs(d.amount - f.price) AS gain
    FROM fair f JOIN deal d ON d.account_id = f.account_id AND d.pays = f.pays
        AND d.customer_id = f.customer_id AND d.moment BETWEEN f.since AND f.until
    WHERE f.pays AND d.amount BETWEEN 1.8 * f.price AND 3.3 * f.price
        OR NOT f.pays AND d.amount BETWEEN 0.3 * f.price AND 0.56 * f.price
    UNION ALL
    SELECT f.customer_id, f.account_id, f.pays, f.anchor, d.moment, d.amount
    FROM fair f JOIN deal d ON d.account_id = f.account_id AND d.pays = f.pays
        AND d.customer_id = f.customer_id AND d.moment BETWEEN f.since AND f.until
    WHERE f.pays AND abs(d.amount - f.price) <= 0.1 * f.price AND EXISTS (
        SELECT 1 FROM deal e WHERE e.account_id = d.account_id AND e.pays AND e.amount = d.amount
            AND e.moment < d.moment AND e.moment >= d.moment - INTERVAL 5 DAY)
)
SELECT customer_id FROM (
    SELECT d.customer_id, d.account_id, d.pays, d.anchor, count(DISTINCT d.moment) AS times
    FROM odd d JOIN own o ON o.customer_id = d.customer_id
    JOIN wire w ON w.payee = o.account_id AND w.ordered_at > d.moment + INTERVAL 1 DAY
        AND w.ordered_at <= d.moment + INTERVAL 12 DAY
    JOIN outside f ON f.account_id = w.payer AND f.name {abroad}
    WHERE w.credited BETWEEN 0.65 * d.gain AND 1.2 * d.gain
    GROUP BY ALL
) WHERE times >= 2
"""

_DORMANT = """
, used AS (
    SELECT a.customer_id, a.account_id, a.last_used_on, c.monthly_income_minor AS income,
           min(p.booked_at) AS first
    FROM accounts a JOIN customers c ON c.customer_id = a.customer_id
    JOIN paid p ON a.account_id IN (p.payer, p.payee)
    WHERE a.kind::VARCHAR = 'second' AND a.last_used_on IS NOT NULL
    GROUP BY ALL
), credit AS (
    SELECT u.*, sum(p.credited) AS total, max(p.booked_at) AS last, count(*) AS number
    FROM used u JOIN paid p ON p.payee = u.account_id AND p.kind IN ('wire', 'transfer')
    WHERE u.first >= u.last_used_on + INTERVAL 180 DAY
    GROUP BY ALL
)
SELECT customer_id FROM (
    SELECT c.customer_id, c.total, sum(s.amount) AS gone
    FROM credit c JOIN sent s ON s.payer = c.account_id
        AND s.ordered_at > c.last AND s.ordered_at <= c.last + INTERVAL 6 DAY
    WHERE c.number BETWEEN 2 AND 6 AND c.last <= c.first + INTERVAL 7 DAY AND c.total >= 2 * c.income
    GROUP BY c.customer_id, c.total
) WHERE gone BETWEEN 0.83 * total AND total
"""

_RAPID = """
, credit AS (
    SELECT account_id, moment, amount FROM deposit WHERE amount < lim
    UNION ALL
    SELECT o.account_id, w.booked_at, w.credited
    FROM wire w JOIN own o ON o.account_id = w.payee
    JOIN outside f ON f.account_id = w.payer AND f.name {abroad}
), pair AS (
    SELECT o.customer_id, o.account_id, s.payee, c.moment
    FROM credit c JOIN own o ON o.account_id = c.account_id JOIN sent s ON s.payer = c.account_id
        AND s.ordered_at > c.moment AND s.ordered_at <= c.moment + INTERVAL 9 HOUR
        AND s.amount BETWEEN 0.925 * c.amount AND 0.995 * c.amount
    JOIN own p ON p.account_id = s.payee
)
SELECT customer_id FROM (
    SELECT customer_id, count(*) OVER (PARTITION BY account_id, payee ORDER BY moment
        RANGE BETWEEN INTERVAL 10 DAY PRECEDING AND CURRENT ROW) AS times FROM pair
) WHERE times >= 3
"""

_CRYPTO = """
, exchange AS (
    SELECT a.account_id FROM accounts a JOIN organisations o ON o.organisation_id = a.organisation_id
    WHERE o.kind::VARCHAR = 'exchange'
), payout AS (
    SELECT o.customer_id, o.account_id, p.booked_at AS moment, p.credited AS amount
    FROM paid p JOIN exchange e ON e.account_id = p.payer JOIN own o ON o.account_id = p.payee
    WHERE EXISTS (
        SELECT 1 FROM paid c JOIN outside f ON f.account_id = c.payer AND f.name {crypto}
        WHERE c.payee = p.payer AND c.booked_at < p.ordered_at AND c.booked_at > p.ordered_at - INTERVAL 2 DAY
            AND c.credited BETWEEN 1.004 * p.amount AND 1.021 * p.amount
    )
), run AS (
    SELECT *, count(*) OVER near AS number, sum(amount) OVER near AS total FROM payout
    WINDOW near AS (PARTITION BY account_id ORDER BY moment
        RANGE BETWEEN INTERVAL 4 DAY PRECEDING AND CURRENT ROW)
), gone AS (
    SELECT r.customer_id, r.moment, r.total,
           (SELECT coalesce(sum(c.amount), 0) FROM paid c WHERE c.payer = r.account_id
                AND c.kind = 'cash_withdrawal' AND c.ordered_at > r.moment
                AND c.ordered_at <= r.moment + INTERVAL 50 HOUR) AS notes,
           (SELECT max(whole) FROM (
                SELECT sum(s.amount) AS whole FROM sent s WHERE s.payer = r.account_id
                AND s.ordered_at > r.moment AND s.ordered_at <= r.moment + INTERVAL 50 HOUR
                GROUP BY s.payee)) AS passed
    FROM run r WHERE r.number >= 3
)
SELECT customer_id FROM gone
WHERE notes >= 0.04 * total AND passed >= 0.3 * total AND notes + passed BETWEEN 0.78 * total AND 1.02 * total
"""

_LOAN_BACK = (
    _PLACED
    + """
SELECT s.customer_id FROM secured s JOIN paid l ON l.kind = 'loan' AND l.payer = s.shell
    AND l.payee = s.account_id AND l.ordered_at > s.last AND l.ordered_at <= s.last + INTERVAL 8 DAY
WHERE l.credited BETWEEN 0.88 * s.moved AND s.moved
    AND (l.ordered_at + INTERVAL 31 DAY > (SELECT max(ordered_at) FROM paid) OR EXISTS (
        SELECT 1 FROM paid d WHERE d.kind = 'direct_debit' AND d.purpose = 'LOAN' AND d.payer = s.account_id
        AND d.payee = s.shell AND d.ordered_at > l.ordered_at + INTERVAL 25 DAY))
"""
)

_SANCTIONS = """
, home AS (
    SELECT f.customer_id, f.account_id, p.country::VARCHAR AS country
    FROM firm f JOIN accounts a ON a.account_id = f.account_id JOIN places p ON p.place = a.place
), passed AS (
    SELECT h.customer_id, h.account_id, w.payee, w.ordered_at AS moment
    FROM home h JOIN wire w ON w.payer = h.account_id
    JOIN own i ON i.account_id = w.payee AND i.country <> h.country
    JOIN wire o ON o.payer = i.account_id AND o.ordered_at > w.booked_at
        AND o.ordered_at <= w.booked_at + INTERVAL 2 DAY
        AND o.amount BETWEEN 0.8 * w.credited AND 0.98 * w.credited
    JOIN outside f ON f.account_id = o.payee AND f.name {high_risk}
)
SELECT customer_id FROM (
    SELECT customer_id, account_id, payee FROM passed GROUP BY ALL
    HAVING count(DISTINCT moment) >= 2 AND max(moment) <= min(moment) + INTERVAL 14 DAY
)
"""

#: How the world outside is called.
_NAMES = {
    "{abroad}": "= 'Other countries'",
    "{high_risk}": "= 'Countries of high risk or under sanctions'",
    "{crypto}": "= 'Crypto-assets'",
}


def _finder(query: str) -> Callable[[duckdb.DuckDBPyConnection], set[int]]:
    text = _COMMON + query
    for name, condition in _NAMES.items():
        text = text.replace(name, condition)
    return lambda connection: {int(row[0]) for row in connection.execute(text).fetchall()}


def _times(kind: str, factor: float, more: str = "TRUE") -> str:
    """All planted payments of a type are so many times as large."""
    return (
        f"UPDATE transactions SET amount_minor = greatest(1, (amount_minor * {factor})::BIGINT), "
        f"credited_minor = greatest(1, (credited_minor * {factor})::BIGINT) WHERE transaction_id IN "
        f"(SELECT transaction_id FROM planted) AND payment_type::VARCHAR = '{kind}' AND {more}"
    )


def _moved(kind: str, days: int, more: str = "TRUE") -> str:
    """All planted payments of a type are so many days later."""
    return (
        f"UPDATE transactions SET ordered_at = ordered_at + INTERVAL ({days}) DAY, "
        f"booked_at = booked_at + INTERVAL ({days}) DAY WHERE transaction_id IN "
        f"(SELECT transaction_id FROM planted) AND payment_type::VARCHAR = '{kind}' AND {more}"
    )


_FROM_HOME = """
UPDATE transactions SET payer_place = payee_place
WHERE transaction_id IN (SELECT transaction_id FROM planted)
"""
_OWNED_BY_OTHERS = """
UPDATE ownerships SET owner_customer_id = (
    SELECT min(customer_id) FROM customers WHERE customer_id <> ownerships.owner_customer_id
) WHERE owner_customer_id IS NOT NULL
"""
_FIRMS_SEND = "payer_account_id IN (SELECT account_id FROM accounts WHERE customer_id IS NULL)"
_TO_HOLDERS = "payee_account_id IN (SELECT account_id FROM accounts WHERE holder::VARCHAR = 'customer')"

ORACLES: tuple[Oracle, ...] = (
    Oracle(
        kind="structuring",
        find=_finder(_STRUCTURING),
        breaks={
            "threshold": _times("cash_deposit", 2),
            "order": _moved("transfer", -30),
            "conservation": _times("transfer", 0.3),
        },
    ),
    Oracle(
        kind="smurfing",
        find=_finder(_SMURFING),
        breaks={
            "order": _moved("cash_deposit", 20),
            "conservation": _times("cash_deposit", 0.5),
            "threshold": _times("cash_deposit", 40),
        },
    ),
    Oracle(
        kind="funnel_account",
        find=_finder(_FUNNEL),
        breaks={
            "place": _FROM_HOME,
            "order": _moved("cash_deposit", 20),
            "threshold": _times("cash_deposit", 30),
        },
    ),
    Oracle(
        kind="cash_front",
        find=_finder(_CASH_FRONT),
        breaks={
            "takings": _times("cash_deposit", 0.02),
            "order": _moved("payroll", 20),
            "conservation": _times("payroll", 0.5),
        },
    ),
    Oracle(
        kind="round_tripping",
        spec={"size": 4_000},
        find=_finder(_ROUND_TRIP),
        breaks={
            "owner": _OWNED_BY_OTHERS,
            "order": _moved("cash_deposit", 40),
            "conservation": _times("wire", 0.5),
        },
    ),
    Oracle(
        kind="trade_mispricing",
        find=_finder(_TRADE),
        breaks={
            "owner": _OWNED_BY_OTHERS,
            "order": _moved("wire", -20, _TO_HOLDERS),
            "conservation": _times("wire", 3, _TO_HOLDERS),
        },
    ),
    Oracle(
        kind="dormant_woken",
        find=_finder(_DORMANT),
        breaks={
            "dormancy": "UPDATE accounts SET last_used_on = DATE '2100-01-01' WHERE kind::VARCHAR = 'second'",
            "conservation": _times(
                "transfer",
                0.3,
                "payer_account_id IN (SELECT account_id FROM accounts WHERE kind::VARCHAR = 'second')",
            ),
        },
    ),
    Oracle(
        kind="rapid_movement",
        find=_finder(_RAPID),
        breaks={
            "order": _moved("transfer", -30),
            "conservation": _times("transfer", 0.5),
            "speed": _moved("transfer", 3),
        },
    ),
    Oracle(
        kind="crypto_off_ramp",
        find=_finder(_CRYPTO),
        breaks={
            "order": _moved("cash_withdrawal", -20),
            "conservation": _times("cash_withdrawal", 40),
        },
    ),
    Oracle(
        kind="loan_back",
        spec={"size": 4_000},
        find=_finder(_LOAN_BACK),
        breaks={
            "owner": _OWNED_BY_OTHERS,
            "order": _moved("loan", -40),
            "conservation": _times("loan", 1.5),
        },
    ),
    Oracle(
        kind="sanctions_evasion",
        find=_finder(_SANCTIONS),
        breaks={
            "owner": _OWNED_BY_OTHERS,
            "order": _moved("wire", 10, _FIRMS_SEND),
            "conservation": _times("wire", 0.5, _FIRMS_SEND),
            "place": "UPDATE places SET country = (SELECT min(country) FROM places)",
        },
    ),
)
