"""Oracles of fraud by holders, shops and payrolls, written from the definitions alone.

Each looks at the tables as a bank's analyst would, in time order, and knows neither labels nor cases.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.finance.oracles.harness import Oracle

if TYPE_CHECKING:
    import duckdb


def _ask(connection: duckdb.DuckDBPyConnection, query: str) -> set[int]:
    """Customers whom a query names in its first column."""
    return {int(row[0]) for row in connection.execute(query).fetchall() if row[0] is not None}


def _changed(columns: str, *roles: str) -> str:
    """A break: columns of planted payments of these roles set anew."""
    wanted = ", ".join(f"'{role}'" for role in roles)
    return (
        f"UPDATE transactions SET {columns} WHERE transaction_id IN "
        f"(SELECT transaction_id FROM planted WHERE role::VARCHAR IN ({wanted}))"
    )


def _apart(days: int, *roles: str) -> str:
    """A break: so many days between one planted payment of a case and the next, in their order."""
    wanted = ", ".join(f"'{role}'" for role in roles)
    return f"""
        UPDATE transactions SET ordered_at = k.later, booked_at = k.later + INTERVAL 5 SECOND FROM (
            SELECT transaction_id, ordered_at + to_days(CAST({days} * (row_number() OVER (
                PARTITION BY case_id ORDER BY ordered_at, transaction_id) - 1) AS INTEGER)) AS later
            FROM transactions JOIN planted USING (transaction_id) WHERE role::VARCHAR IN ({wanted})
        ) k WHERE transactions.transaction_id = k.transaction_id
    """


#: A tenth of the amounts, on both sides.
_SMALL = "amount_minor = greatest(amount_minor // 10, 1), credited_minor = greatest(credited_minor // 10, 1)"

#: Card accounts of young customers that are drawn to 70 % within four days and then stay there.
_SYNTHETIC = """
WITH young AS (
    SELECT c.customer_id, c.phone, c.street, a.account_id, a.credit_limit_minor AS most
    FROM customers c JOIN accounts a ON a.customer_id = c.customer_id AND a.kind = 'card'
    WHERE c.onboarded_on >= (SELECT min(ordered_at)::DATE FROM transactions) - INTERVAL 2 YEAR
), used AS (
    SELECT y.customer_id, y.account_id, y.most, t.transaction_id, t.ordered_at AS at, t.amount_minor,
           t.payment_type = 'cash_withdrawal' AS cash
    FROM transactions t JOIN young y ON y.account_id = t.payer_account_id
    WHERE t.payment_type IN ('card_payment', 'cash_withdrawal')
), drawn AS (
    SELECT a.customer_id, a.account_id, a.most, a.at, max(b.at) AS until
    FROM used a JOIN used b ON b.account_id = a.account_id AND b.at BETWEEN a.at AND a.at + INTERVAL 4 DAY
    GROUP BY a.customer_id, a.account_id, a.most, a.at, a.transaction_id
    HAVING sum(b.amount_minor) >= 0.7 * a.most AND bool_or(b.cash)
), unpaid AS (
    SELECT d.customer_id, min(d.at) AS at FROM drawn d
    WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.account_id = d.account_id
        AND e.booked_at > d.until + INTERVAL 2 DAY AND e.balance_minor > -0.5 * d.most)
    GROUP BY d.customer_id
)
SELECT a.customer_id FROM unpaid a JOIN young x ON x.customer_id = a.customer_id
JOIN unpaid b ON b.customer_id <> a.customer_id JOIN young y ON y.customer_id = b.customer_id
WHERE (x.phone = y.phone OR x.street = y.street) AND abs(epoch(a.at - b.at)) <= 4 * 86400
"""

_APPLICATION = """
WITH first AS (SELECT min(ordered_at)::DATE AS day FROM transactions),
opened AS (
    SELECT a.account_id, a.customer_id FROM accounts a, first
    WHERE a.kind = 'second' AND a.last_used_on IS NULL AND a.opened_on >= first.day
), lent AS (
    SELECT o.*, t.ordered_at AS at, t.credited_minor AS loan FROM transactions t
    JOIN opened o ON o.account_id = t.payee_account_id WHERE t.payment_type = 'loan'
), sent AS (
    SELECT l.customer_id, l.account_id, l.loan, t.device_id, count(*) AS number, sum(t.amount_minor) AS gone,
           count(DISTINCT t.payee_account_id) AS payees, min(t.ordered_at) AS since,
           bool_and(p.customer_id IS NOT NULL) AS persons, list(DISTINCT t.payee_account_id) AS who
    FROM lent l JOIN transactions t ON t.payer_account_id = l.account_id
        AND t.payment_type IN ('transfer', 'wire')
        AND t.ordered_at > l.at AND t.ordered_at <= l.at + INTERVAL 36 HOUR
    JOIN accounts p ON p.account_id = t.payee_account_id
    GROUP BY ALL
)
SELECT s.customer_id FROM sent s
JOIN devices d ON d.device_id = s.device_id AND d.customer_id = s.customer_id
JOIN transactions u ON u.device_id = s.device_id AND u.payer_account_id = s.account_id
JOIN ip_addresses i ON i.ip_id = u.ip_id AND i.network = 'hosting'
WHERE s.number BETWEEN 2 AND 4 AND s.payees <= 3 AND s.persons
  AND s.gone BETWEEN 0.9 * s.loan AND 0.99 * s.loan
  AND d.first_seen_at BETWEEN s.since - INTERVAL 6 HOUR AND s.since
  AND NOT EXISTS (SELECT 1 FROM transactions r WHERE r.payer_account_id = s.account_id AND r.purpose = 'LOAN')
"""

_DISPUTE = """
WITH disputed AS (
    SELECT p.payer_account_id AS account, p.card_id, p.merchant_id, p.ordered_at AS at,
           p.transaction_id, p.device_id
    FROM transactions p JOIN transactions b ON b.refers_to = p.transaction_id
    WHERE b.payment_type = 'chargeback' AND p.payment_type = 'card_payment' AND p.is_remote
      AND p.channel = 'ecommerce' AND b.payee_account_id = p.payer_account_id
      AND b.amount_minor = p.credited_minor
      AND b.credited_minor BETWEEN 0.9 * p.amount_minor AND 1.1 * p.amount_minor
      AND b.ordered_at BETWEEN p.ordered_at + INTERVAL 3 DAY AND p.ordered_at + INTERVAL 42 DAY
), several AS (
    SELECT a.card_id, a.transaction_id FROM disputed a
    JOIN disputed b ON b.card_id = a.card_id AND b.at BETWEEN a.at AND a.at + INTERVAL 25 DAY
    JOIN devices d ON d.device_id = b.device_id
    WHERE d.first_seen_at < (SELECT min(ordered_at) FROM transactions)
       OR EXISTS (SELECT 1 FROM transactions o WHERE o.device_id = b.device_id
                  AND o.transaction_id NOT IN (SELECT transaction_id FROM disputed))
    GROUP BY ALL
    HAVING count(*) BETWEEN 2 AND 5
)
SELECT DISTINCT c.customer_id FROM several s JOIN cards c ON c.card_id = s.card_id
"""

_REFUND = """
WITH back AS (
    SELECT r.payee_account_id AS account, r.merchant_id, r.ordered_at AS at, r.credited_minor AS amount,
           r.transaction_id, p.amount_minor AS paid
    FROM transactions r LEFT JOIN transactions p ON p.transaction_id = r.refers_to
    WHERE r.payment_type = 'card_refund' AND EXISTS (
        SELECT 1 FROM transactions b WHERE b.payer_account_id = r.payee_account_id
        AND b.merchant_id = r.merchant_id AND b.payment_type = 'card_payment'
        AND b.ordered_at BETWEEN r.ordered_at - INTERVAL 9 DAY AND r.ordered_at - INTERVAL 1 HOUR)
), burst AS (
    SELECT a.account, a.at, max(b.at) AS until, count(*) AS number, sum(b.amount) AS refunded,
           list(DISTINCT b.merchant_id) AS shops,
           bool_or(b.paid IS NULL OR b.amount > 1.07 * b.paid) AS odd
    FROM back a JOIN back b ON b.account = a.account AND b.at BETWEEN a.at AND a.at + INTERVAL 30 DAY
    GROUP BY a.account, a.at, a.transaction_id
)
SELECT DISTINCT o.customer_id FROM burst k JOIN accounts o ON o.account_id = k.account AND o.kind = 'current'
WHERE k.number BETWEEN 4 AND 9 AND len(k.shops) <= 4 AND k.odd AND k.refunded >= 0.5 * (
    SELECT sum(t.amount_minor) FROM transactions t WHERE t.payer_account_id = k.account
    AND t.payment_type = 'card_payment' AND list_contains(k.shops, t.merchant_id)
    AND t.ordered_at BETWEEN k.at - INTERVAL 9 DAY AND k.until)
"""

_COLLUSION = """
WITH charge AS (
    SELECT t.merchant_id, t.card_id, t.ordered_at AS at, t.credited_minor AS amount, t.transaction_id,
           t.payee_account_id AS shop
    FROM transactions t
    WHERE t.payment_type = 'card_payment' AND t.entry_mode = 'manual' AND hour(t.ordered_at) < 5
      AND t.amount_minor % 1000 = 0
), burst AS (
    SELECT a.merchant_id, a.shop, a.at AS since, max(b.at) AS until, sum(b.amount) AS charged,
           count(*) AS number, list(b.transaction_id) AS charges
    FROM charge a JOIN charge b ON b.merchant_id = a.merchant_id
        AND b.at BETWEEN a.at AND a.at + INTERVAL 2 DAY
    GROUP BY a.merchant_id, a.shop, a.at, a.transaction_id
    HAVING count(DISTINCT b.card_id) >= 5 AND count(*) >= 3 * count(DISTINCT b.card_id)
       AND count(*) <= 5 * count(DISTINCT b.card_id)
), paid_out AS (
    SELECT k.*, o.owner_customer_id AS owner, t.payee_account_id AS account, sum(t.credited_minor) AS got,
           min(t.ordered_at) AS first_out, max(t.ordered_at) AS last_out
    FROM burst k JOIN ownerships o ON o.merchant_id = k.merchant_id
    JOIN accounts a ON a.customer_id = o.owner_customer_id AND a.kind = 'current'
    JOIN transactions t ON t.payer_account_id = k.shop AND t.payee_account_id = a.account_id
        AND t.payment_type = 'business' AND t.ordered_at BETWEEN k.until AND k.until + INTERVAL 9 DAY
    GROUP BY ALL
    HAVING sum(t.amount_minor) >= 0.9 * k.charged
)
SELECT DISTINCT owner FROM paid_out p
WHERE (SELECT sum(t.amount_minor) FROM transactions t JOIN accounts a ON a.account_id = t.payee_account_id
       WHERE t.payer_account_id = p.account AND t.payment_type = 'wire' AND a.kind = 'outside'
       AND t.ordered_at BETWEEN p.first_out AND p.last_out + INTERVAL 3 DAY) >= 0.9 * p.got
  AND (SELECT count(*) FROM transactions b WHERE b.payment_type = 'chargeback'
       AND list_contains(p.charges, b.refers_to)
       AND b.ordered_at > p.until + INTERVAL 8 DAY) >= 0.75 * p.number
"""

_KITING = """
WITH deposited AS (
    SELECT payee_account_id AS account, ordered_at AS came, credited_minor AS amount,
           payer_account_id AS branch
    FROM transactions t JOIN accounts a ON a.account_id = t.payer_account_id AND a.kind = 'branch'
    WHERE payment_type = 'cheque'
), collected AS (
    SELECT payer_account_id AS account, ordered_at AS came, booked_at, amount_minor AS amount,
           payee_account_id AS branch
    FROM transactions t JOIN accounts a ON a.account_id = t.payee_account_id AND a.kind = 'branch'
    WHERE payment_type = 'cheque'
), drawn AS (
    SELECT d.account AS payee, c.account AS drawer, d.came, c.booked_at, d.amount,
           least(d.account, c.account) AS low_id, greatest(d.account, c.account) AS high_id
    FROM deposited d JOIN collected c ON c.branch = d.branch AND c.amount = d.amount
        AND c.account <> d.account
        AND c.booked_at > d.came AND c.booked_at < d.came + INTERVAL 8 DAY
), turns AS (
    SELECT *, lag(payee) OVER pair AS payee_before, lag(amount) OVER pair AS amount_before,
           lag(booked_at) OVER pair AS collected_before
    FROM drawn WINDOW pair AS (PARTITION BY low_id, high_id ORDER BY came)
), kited AS (
    SELECT low_id, high_id, min(came) AS since, max(came) AS until FROM turns GROUP BY low_id, high_id
    HAVING count(*) BETWEEN 4 AND 13
       AND count(*) FILTER (payee <> payee_before AND amount > 1.05 * amount_before
                            AND amount < 1.45 * amount_before
                            AND came < collected_before) >= 0.8 * (count(*) - 1)
)
SELECT DISTINCT a.customer_id FROM kited k JOIN accounts a ON a.account_id IN (k.low_id, k.high_id)
WHERE EXISTS (SELECT 1 FROM declines n WHERE n.reason = 'insufficient_funds' AND n.payment_type = 'cheque'
    AND n.payer_account_id IN (k.low_id, k.high_id) AND n.attempted_at > k.since)
"""

_PAYROLL = """
WITH wage AS (
    SELECT t.payer_account_id AS employer, t.payee_account_id AS account, t.amount_minor, t.credited_minor,
           t.ordered_at AS at, t.ordered_at::DATE AS day, o.customer_id
    FROM transactions t JOIN accounts o ON o.account_id = t.payee_account_id AND o.kind = 'current'
    JOIN accounts e ON e.account_id = t.payer_account_id AND e.holder = 'organisation'
    WHERE t.payment_type = 'payroll' AND t.purpose = 'SALA'
), months AS (
    SELECT employer, account, amount_minor, count(*) AS number FROM wage GROUP BY ALL
), staff AS (
    SELECT DISTINCT employer, account FROM wage
), odd AS (
    SELECT w.* FROM wage w JOIN months m USING (employer, account, amount_minor) WHERE m.number <= 2
), robbed AS (
    SELECT c.customer_id AS victim, o.account, o.credited_minor, o.at
    FROM odd o
    JOIN customers c ON c.monthly_income_minor = o.amount_minor AND c.customer_id <> o.customer_id
    JOIN accounts own ON own.customer_id = c.customer_id AND own.kind = 'current'
    JOIN staff s ON s.employer = o.employer AND s.account = own.account_id
    WHERE NOT EXISTS (SELECT 1 FROM wage w WHERE w.account = own.account_id AND abs(w.day - o.day) <= 3)
)
SELECT r.victim FROM robbed r
WHERE (SELECT sum(t.amount_minor) FROM transactions t WHERE t.payer_account_id = r.account
       AND t.payment_type IN ('transfer', 'wire', 'cash_withdrawal')
       AND t.ordered_at > r.at AND t.ordered_at <= r.at + INTERVAL 2 DAY) >= 0.87 * r.credited_minor
"""

_MULE = """
WITH sent AS (
    SELECT t.payer_account_id AS payer, t.payee_account_id AS payee, t.ordered_at, t.amount_minor,
           t.credited_minor, o.customer_id AS payer_customer, p.customer_id AS payee_customer,
           row_number() OVER (PARTITION BY t.payer_account_id, t.payee_account_id
                              ORDER BY t.ordered_at, t.transaction_id) = 1 AS fresh
    FROM transactions t
    JOIN accounts o ON o.account_id = t.payer_account_id AND o.customer_id IS NOT NULL
    JOIN accounts p ON p.account_id = t.payee_account_id AND p.customer_id IS NOT NULL
    WHERE t.payment_type = 'transfer' AND o.customer_id <> p.customer_id
), poor AS (
    SELECT customer_id FROM customers WHERE segment = 'student'
    UNION SELECT customer_id FROM accounts WHERE kind = 'loan'
), trial AS (
    SELECT a.payee AS mule, a.payer AS herder, a.payee_customer AS customer, min(b.ordered_at) AS since
    FROM sent a JOIN poor ON poor.customer_id = a.payee_customer
    JOIN sent b ON b.payer = a.payee AND b.payee = a.payer
        AND b.ordered_at BETWEEN a.ordered_at AND a.ordered_at + INTERVAL 370 MINUTE
        AND b.amount_minor BETWEEN 0.79 * a.credited_minor AND 0.96 * a.credited_minor
    WHERE a.fresh AND a.credited_minor <= 20000
    GROUP BY ALL
), credit AS (
    SELECT r.*, c.payer AS sender, c.ordered_at AS came, c.credited_minor FROM trial r
    JOIN sent c ON c.payee = r.mule AND c.payer <> r.herder AND c.fresh
        AND c.ordered_at BETWEEN r.since + INTERVAL 20 HOUR AND r.since + INTERVAL 12 DAY
), moved AS (
    SELECT c.*, (SELECT coalesce(bool_or(o.amount_minor BETWEEN 0.79 * c.credited_minor
                                         AND 0.96 * c.credited_minor), FALSE)
                 FROM sent o WHERE o.payer = c.mule AND o.payee = c.herder
                 AND o.ordered_at BETWEEN c.came AND c.came + INTERVAL 370 MINUTE)
             OR (SELECT coalesce(sum(d.amount_minor), 0) FROM transactions d WHERE d.payer_account_id = c.mule
                 AND d.payment_type = 'cash_withdrawal'
                 AND d.ordered_at BETWEEN c.came AND c.came + INTERVAL 370 MINUTE)
                 >= 0.7 * c.credited_minor AS gone
    FROM credit c
)
SELECT customer FROM moved GROUP BY customer, mule, herder
HAVING count(DISTINCT sender) FILTER (gone) BETWEEN 3 AND 8 AND count(*) FILTER (gone) >= 0.6 * count(*)
"""

#: Transfers from persons to persons and exchanges, and what exchanges sell, in the order of time.
_COINS = """
SELECT t.payer_account_id, t.payee_account_id, epoch(t.ordered_at), t.amount_minor, t.credited_minor,
       o.customer_id, x.kind = 'exchange' AS to_exchange, y.kind = 'exchange' AND p.kind = 'outside' AS sold
FROM transactions t
JOIN accounts o ON o.account_id = t.payer_account_id
JOIN accounts p ON p.account_id = t.payee_account_id
LEFT JOIN organisations x ON x.organisation_id = p.organisation_id
LEFT JOIN organisations y ON y.organisation_id = o.organisation_id
WHERE t.payment_type IN ('transfer', 'wire')
  AND (o.customer_id IS NOT NULL AND (p.customer_id IS NOT NULL OR x.kind = 'exchange')
       OR y.kind = 'exchange')
ORDER BY t.ordered_at, t.transaction_id
"""
_HOUR_S, _KEEPS_LEAST, _KEEPS_MOST = 3_600, 0.005, 0.07


class _Flows:
    """Payments by who pays, to follow money from one to the next."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.leaving: dict[int, list[tuple[float, int, int, int]]] = defaultdict(list)
        self.sold: dict[int, list[tuple[float, int]]] = defaultdict(list)
        self.pairs: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
        self.holder: dict[int, int] = {}
        self.exchanges: set[int] = set()
        for payer, payee, at, amount, credited, customer, to_exchange, sold in rows:
            if sold:
                self.sold[payer].append((at, amount))
            elif customer is not None:
                self.leaving[payer].append((at, payee, amount, credited))
                self.holder[payer] = customer
                if to_exchange:
                    self.exchanges.add(payee)
                else:
                    self.pairs[payer, payee].append((at, credited))

    def passed(self, account: int, came: int, last: float) -> dict[int, tuple[int, float]] | None:
        """To whom somebody passes on nearly all that came within some ten hours, or None.

        One payment alone that does is it; of several, one may be the account's ordinary business.
        """
        near = [row for row in self.leaving[account] if last < row[0] <= last + 11 * _HOUR_S]
        fewer = [[*near[:beside], *near[beside + 1 :]] for beside in range(len(near))]
        for out in (*([row] for row in near), near, *fewer):
            whole = sum(row[2] for row in out)
            nearly_all = (1 - _KEEPS_MOST) * came <= whole <= (1 - _KEEPS_LEAST) * came
            if nearly_all and len({row[1] for row in out}) == len(out):
                return {payee: (credited, at) for at, payee, _, credited in out}
        return None

    def reach(self, account: int, came: int, last: float) -> bool:
        """Whether the money goes through 4 to 9 accounts, layer by layer, to one exchange that sells it."""
        layer, met = {account: (came, last)}, {account}
        for _ in range(10):
            following: dict[int, tuple[int, float]] = {}
            for node, (amount, at) in layer.items():
                out = self.passed(node, amount, at)
                if out is None:
                    return False
                for payee, (credited, moment) in out.items():
                    more, latest = following.get(payee, (0, 0.0))
                    following[payee] = (more + credited, max(latest, moment))
            if len(following) == 1 and set(following) <= self.exchanges:
                exchange, (amount, at) = next(iter(following.items()))
                sold = [s for when, s in self.sold[exchange] if at < when <= at + 24.5 * _HOUR_S]
                return 4 <= len(met) <= 9 and any(0.975 * amount <= s <= 0.9995 * amount for s in sold)
            if self.exchanges & set(following) or met & set(following):
                return False
            met |= set(following)
            layer = following
        return False


def _to_exchange(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Whose first payments to somebody, of half a day, go on through others to an exchange."""
    flows = _Flows(connection.execute(_COINS).fetchall())
    found = set()
    for (payer, payee), paid in flows.pairs.items():
        first = [row for row in paid if row[0] <= paid[0][0] + 12.5 * _HOUR_S]
        if len(first) <= 3 and flows.reach(payee, sum(row[1] for row in first), first[-1][0]):
            found.add(flows.holder[payer])
    return found


ORACLES: tuple[Oracle, ...] = (
    Oracle(
        "synthetic_identity",
        lambda connection: _ask(connection, _SYNTHETIC),
        {
            "small sums": _changed(_SMALL, "purchase", "cash_out"),
            "weeks apart": _apart(5, "purchase", "cash_out"),
            "another telephone and street each": "UPDATE customers SET phone = customer_id::VARCHAR, "
            "street = customer_id::VARCHAR",
            "paid in the end": """
                UPDATE entries SET balance_minor = 0 FROM (
                    SELECT account_id, max(entry_number) AS last FROM entries GROUP BY ALL
                ) k WHERE entries.account_id = k.account_id AND entry_number = k.last
            """,
        },
        spec={"size": 8_000},
    ),
    Oracle(
        "application_fraud",
        lambda connection: _ask(connection, _APPLICATION),
        {
            "before the loan": _changed("ordered_at = ordered_at - INTERVAL 4 DAY", "drain"),
            "a third of it": _changed("amount_minor = amount_minor // 3", "drain"),
            "months apart": _apart(20, "drain"),
        },
    ),
    Oracle(
        "first_party_dispute",
        lambda connection: _ask(connection, _DISPUTE),
        {
            "half of the price": _changed("credited_minor = credited_minor // 2", "dispute"),
            "before the purchase": _changed("ordered_at = ordered_at - INTERVAL 60 DAY", "dispute"),
            "of something else": _changed("refers_to = NULL", "dispute"),
            "months apart": _apart(30, "purchase"),
        },
    ),
    Oracle(
        "refund_abuse",
        lambda connection: _ask(connection, _REFUND),
        {
            "small sums": _changed(_SMALL, "refund"),
            "before the purchase": _changed("ordered_at = ordered_at - INTERVAL 60 DAY", "refund"),
            "months apart": _apart(31, "refund"),
            "of other shops": _changed("merchant_id = NULL", "refund"),
        },
    ),
    Oracle(
        "merchant_collusion",
        lambda connection: _ask(connection, _COLLUSION),
        {
            "by day": _changed("ordered_at = ordered_at + INTERVAL 12 HOUR", "purchase"),
            "weeks apart": _apart(3, "purchase"),
            "hardly paid out": _changed("amount_minor = greatest(amount_minor // 100, 1)", "payout"),
            "paid out before": _changed("ordered_at = ordered_at - INTERVAL 30 DAY", "payout"),
            "never charged back": _changed("refers_to = NULL", "dispute"),
        },
    ),
    Oracle(
        "cheque_kiting",
        lambda connection: _ask(connection, _KITING),
        {
            "collected at once": _changed(
                "ordered_at = ordered_at - INTERVAL 9 DAY, booked_at = booked_at - INTERVAL 9 DAY",
                "repayment",
            ),
            "other sums": _changed(
                "amount_minor = amount_minor + 100 + hash(transaction_id) % 1000", "repayment"
            ),
            "never refused": "DELETE FROM declines",
        },
    ),
    Oracle(
        "payroll_redirection",
        lambda connection: _ask(connection, _PAYROLL),
        {
            "on another day": _changed("ordered_at = ordered_at + INTERVAL 12 DAY", "diverted_wage"),
            "another sum": _changed("amount_minor = amount_minor + 12345", "diverted_wage"),
            "kept by who got it": _changed(
                "amount_minor = greatest(amount_minor // 10, 1)", "cash_out", "forward"
            ),
        },
        spec={"days": 150},
    ),
    Oracle(
        "mule_recruitment",
        lambda connection: _ask(connection, _MULE),
        {
            "weeks apart": _apart(9, "scam"),
            "hardly passed on": _changed(
                "amount_minor = greatest(amount_minor // 10, 1)", "cash_out", "forward"
            ),
            "passed on before it came": _changed(
                "ordered_at = ordered_at - INTERVAL 2 DAY", "cash_out", "forward"
            ),
        },
    ),
    Oracle(
        "scam_to_exchange",
        _to_exchange,
        {
            "against the order": _changed("ordered_at = ordered_at - INTERVAL 2 DAY", "hop"),
            "a third of it": _changed("amount_minor = greatest(amount_minor // 3, 1)", "hop"),
            "never sold": _changed("ordered_at = ordered_at - INTERVAL 9 DAY", "exit"),
        },
    ),
)
