"""Oracles of the look-alikes, in SQL over the tables, from what the kinds say of themselves.

No oracle looks at labels or cases. Each reads the definition at difficulty 0; limits are a little wider than
the words, where ordinary payments may stand between those of the look-alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import duckdb
import numpy as np

from tests.finance.oracles.harness import Oracle

_COMMON = """
WITH own AS (
    SELECT a.account_id, a.customer_id, a.place, c.segment::VARCHAR AS segment,
           c.monthly_income_minor AS income
    FROM accounts a JOIN customers c USING (customer_id) WHERE a.kind::VARCHAR = 'current'
), paid AS (
    SELECT transaction_id AS id, payment_type::VARCHAR AS kind, purpose::VARCHAR AS purpose,
           channel::VARCHAR AS channel, ordered_at, booked_at, payer_account_id AS payer,
           payee_account_id AS payee, amount_minor AS amount, credited_minor AS credited,
           payer_place, payee_place, refers_to, is_remote
    FROM transactions
), body AS (
    SELECT a.account_id, o.kind::VARCHAR AS kind, a.place
    FROM accounts a JOIN organisations o USING (organisation_id)
), shop AS (
    SELECT account_id, place FROM accounts WHERE merchant_id IS NOT NULL
), company AS (
    SELECT w.owner_customer_id AS customer_id, a.account_id, a.place
    FROM ownerships w JOIN organisations o USING (organisation_id) JOIN accounts a USING (organisation_id)
    WHERE o.kind::VARCHAR = 'employer' AND w.owner_customer_id IS NOT NULL
)
"""

_CROWDFUNDING = """
, gift AS (
    SELECT p.*, o.customer_id FROM paid p JOIN own o ON o.account_id = p.payee
    WHERE p.kind = 'transfer' AND p.credited BETWEEN 150 AND 25000
), burst AS (
    SELECT payee, customer_id, ordered_at AS last, list(payer) OVER near AS givers,
           sum(credited) OVER near AS total
    FROM gift WINDOW near AS (PARTITION BY payee ORDER BY ordered_at
        RANGE BETWEEN INTERVAL 8 DAY PRECEDING AND CURRENT ROW)
), campaign AS (
    SELECT *, len(list_distinct(givers)) AS number FROM burst WHERE len(list_distinct(givers)) >= 15
), out AS (
    SELECT * FROM paid WHERE kind = 'transfer'
), refunded AS (
    SELECT c.customer_id, c.number, count(DISTINCT p.payee) AS refunded
    FROM campaign c JOIN gift g ON g.payee = c.payee
        AND g.ordered_at BETWEEN c.last - INTERVAL 8 DAY AND c.last
    JOIN out p ON p.payer = c.payee AND p.payee = g.payer AND p.amount = g.credited
        AND p.ordered_at BETWEEN c.last + INTERVAL 23 HOUR AND c.last + INTERVAL 73 HOUR
    GROUP BY c.customer_id, c.last, c.number
)
SELECT customer_id FROM campaign c JOIN out p ON p.payer = c.payee
    AND p.ordered_at BETWEEN c.last + INTERVAL 23 HOUR AND c.last + INTERVAL 73 HOUR
    AND p.amount BETWEEN 0.75 * c.total AND c.total
    AND (p.payee IN (SELECT account_id FROM shop)
         OR p.payee IN (SELECT account_id FROM body WHERE kind = 'charity'))
UNION ALL
SELECT customer_id FROM refunded WHERE refunded >= 0.75 * number
"""

_HOLIDAY = """
, card AS (
    SELECT a.customer_id, h.place, p.ordered_at, p.payee_place AS there, p.payee
    FROM paid p JOIN accounts a ON a.account_id = p.payer
    JOIN own h ON h.customer_id = a.customer_id
    WHERE (p.kind = 'card_payment' AND NOT p.is_remote) OR p.kind = 'cash_withdrawal'
), stretch AS (
    SELECT *, sum(CASE WHEN there = before THEN 0 ELSE 1 END) OVER steps AS stay
    FROM (SELECT *, lag(there) OVER steps AS before FROM card
          WINDOW steps AS (PARTITION BY customer_id ORDER BY ordered_at))
    WINDOW steps AS (PARTITION BY customer_id ORDER BY ordered_at)
), stay AS (
    SELECT customer_id, stay, any_value(place) AS place, any_value(there) AS there, count(*) AS payments,
           count(DISTINCT payee) AS shops, count(DISTINCT ordered_at::DATE) AS days,
           min(ordered_at) AS since, max(ordered_at) AS until
    FROM stretch GROUP BY customer_id, stay
), abroad AS (
    SELECT DISTINCT t.payer_place AS home, x.country <> h.country AS foreign_land, t.payee_place AS there
    FROM transactions t JOIN places h ON h.place = t.payer_place JOIN places x ON x.place = t.payee_place
), between AS (
    SELECT *, since - lag(until) OVER stays AS arrives, lead(since) OVER stays - until AS leaves
    FROM stay WINDOW stays AS (PARTITION BY customer_id ORDER BY stay)
)
SELECT customer_id FROM between
WHERE there <> place AND payments BETWEEN 17 AND 50 AND shops >= 4
  AND until - since BETWEEN INTERVAL 4 DAY AND INTERVAL 19 DAY
  AND days > 0.5 * date_diff('day', since, until)
  AND (SELECT bool_or(foreign_land) FILTER (there = between.there) >= bool_or(foreign_land)
       FROM abroad WHERE home = between.place)
  AND coalesce(arrives >= INTERVAL 29 HOUR, TRUE) AND coalesce(leaves >= INTERVAL 29 HOUR, TRUE)
"""

_HOUSE = """
, loan AS (
    SELECT p.payee, p.credited AS lent, p.booked_at FROM paid p
    JOIN accounts b ON b.account_id = p.payer AND b.kind::VARCHAR = 'branch'
    WHERE p.kind = 'loan'
), saved AS (
    SELECT l.payee, l.lent, l.booked_at, sum(s.credited) AS saved
    FROM loan l JOIN paid s ON s.payee = l.payee AND s.purpose = 'SAVG'
        AND s.booked_at BETWEEN l.booked_at - INTERVAL 25 DAY AND l.booked_at
    JOIN body w ON w.account_id = s.payer AND w.kind = 'outside' GROUP BY ALL
)
SELECT o.customer_id FROM saved s JOIN own o ON o.account_id = s.payee
JOIN paid p ON p.payer = s.payee AND p.channel = 'branch' AND p.kind = 'transfer'
    AND p.ordered_at > s.booked_at AND p.ordered_at <= s.booked_at + INTERVAL 4 DAY
    AND p.amount - s.lent BETWEEN 12.9 * o.income AND 1.001 * s.saved
    AND s.lent BETWEEN 1.45 * (p.amount - s.lent) AND 4.05 * (p.amount - s.lent)
JOIN body w ON w.account_id = p.payee AND w.kind = 'outside'
"""

#: What customers buy of companies, and what companies of customers pay to shops of their place, by time.
_SALES = """
, firm AS (SELECT DISTINCT account_id, place FROM company)
SELECT c.account_id, epoch(p.ordered_at), p.credited FROM paid p
JOIN firm c ON c.account_id = p.payee JOIN own o ON o.account_id = p.payer
WHERE p.kind = 'transfer' AND p.purpose = 'GDDS' ORDER BY 1, 2
"""
_RUNS = """
, firm AS (SELECT DISTINCT account_id, place FROM company)
SELECT c.account_id, min(epoch(p.ordered_at)), sum(p.amount), list(p.payee)
FROM paid p JOIN firm c ON c.account_id = p.payer JOIN shop s ON s.account_id = p.payee AND s.place = c.place
WHERE p.kind = 'business' AND p.purpose = 'OTHR' GROUP BY c.account_id, p.ordered_at::DATE ORDER BY 1, 2
"""
_DAY_S = 86_400
_COMMISSION = (0.079, 0.151)


def _one_commission(sales: list[tuple[float, int]], runs: list[tuple[float, int, list[int]]]) -> bool:
    """Whether every run of pay-outs passes on what a week brought, less one and the same share.

    What the runs have paid so far is then, each time, the same part of what had been sold when a week ended,
    one to five days before. Each shop's part is rounded.
    """
    times = np.array([when for when, _ in sales])
    sold = np.concatenate(([0], np.cumsum([amount for _, amount in sales])))
    at = np.array([when for when, _, _ in runs])
    paid = np.cumsum([amount for _, amount, _ in runs])
    shops = np.cumsum([len(payees) for _, _, payees in runs])
    until = np.searchsorted(times, at)
    since = np.searchsorted(times, at - 6 * _DAY_S)
    for before in range(since[0], until[0] + 1):
        kept = 1 - paid[0] / sold[before] if sold[before] else 1.0
        if not _COMMISSION[0] <= kept <= _COMMISSION[1]:
            continue
        slack = shops + 2 + 0.002 * paid
        if all(
            (np.abs((1 - kept) * sold[low : high + 1] - total) <= most).any()
            for low, high, total, most in zip(since, until, paid, slack, strict=True)
        ):
            return True
    return False


def _marketplaces(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Owners of companies that many pay, and that pay shops week by week what is theirs."""
    sales: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for account, when, amount in connection.execute(f"{_COMMON}{_SALES}").fetchall():
        sales[account].append((when, amount))
    runs: dict[int, list[tuple[float, int, list[int]]]] = defaultdict(list)
    for account, when, amount, payees in connection.execute(f"{_COMMON}{_RUNS}").fetchall():
        runs[account].append((when, amount, payees))
    found = [
        account
        for account, paid in runs.items()
        if 25 <= len(sales[account]) <= 61
        and 3 <= len(paid) <= 8
        and 5 <= len({payee for _, _, payees in paid for payee in payees}) <= 14
        and all(later[0] - run[0] >= 2 * _DAY_S for run, later in pairwise(paid))
        and _one_commission(sales[account], paid)
    ]
    listed = ", ".join(str(account) for account in [0, *found])
    owners = f"{_COMMON} SELECT DISTINCT customer_id FROM company WHERE account_id IN ({listed})"
    return {row[0] for row in connection.execute(owners).fetchall()}


_PAYROLL = """
, wage AS (
    SELECT p.payer, p.payee, p.amount, p.ordered_at FROM paid p
    JOIN own o ON o.account_id = p.payer AND o.segment = 'self_employed'
    WHERE p.kind = 'transfer' AND p.purpose = 'SALA'
), steady AS (
    SELECT payer, payee, amount FROM wage
    GROUP BY ALL HAVING count(DISTINCT date_trunc('month', ordered_at)) >= 3
), run AS (
    SELECT payer, ordered_at::DATE AS day, count(DISTINCT payee) AS staff, sum(amount) AS total
    FROM wage JOIN steady USING (payer, payee, amount) WHERE day(ordered_at) >= 20
    GROUP BY ALL HAVING count(DISTINCT payee) BETWEEN 3 AND 12
), funded AS (
    SELECT r.payer, r.day FROM run r JOIN paid i ON i.payee = r.payer AND i.purpose = 'IVPT'
        AND i.booked_at >= r.day - INTERVAL 13 DAY AND i.booked_at < r.day
    GROUP BY r.payer, r.day, r.total HAVING sum(i.credited) >= r.total
)
SELECT o.customer_id FROM funded JOIN own o ON o.account_id = payer
GROUP BY ALL HAVING count(DISTINCT day) >= 3
"""

_RENT = """
, due AS (
    SELECT p.payee, p.payer, p.amount, p.ordered_at, p.credited FROM paid p
    JOIN own o ON o.account_id = p.payee JOIN own t ON t.account_id = p.payer AND t.place = o.place
    WHERE p.kind = 'standing_order' AND p.purpose = 'RENT' AND p.payer NOT IN (
        SELECT payer FROM paid JOIN body ON body.account_id = payee AND body.kind = 'landlord'
        WHERE paid.purpose = 'RENT')
), steady AS (
    SELECT payee, payer, amount FROM due
    GROUP BY ALL HAVING count(DISTINCT date_trunc('month', ordered_at)) >= 3
), run AS (
    SELECT payee, date_trunc('month', ordered_at) AS month, sum(credited) AS total,
           max(ordered_at) AS last, count(DISTINCT payer) AS tenants
    FROM due JOIN steady USING (payee, payer, amount) GROUP BY ALL
    HAVING count(DISTINCT payer) BETWEEN 4 AND 12
       AND max(ordered_at) - min(ordered_at) <= INTERVAL 4 DAY AND day(min(ordered_at)) <= 8
)
SELECT o.customer_id FROM run r JOIN own o ON o.account_id = r.payee
JOIN paid p ON p.payer = r.payee AND p.kind = 'transfer'
    AND p.ordered_at BETWEEN r.last + INTERVAL 23 HOUR AND r.last + INTERVAL 145 HOUR
    AND p.amount BETWEEN 0.899 * r.total AND 0.961 * r.total
JOIN body w ON w.account_id = p.payee AND w.kind = 'landlord'
GROUP BY ALL HAVING count(DISTINCT r.month) >= 2
"""

_CLUB = """
, share AS (
    SELECT p.payee, p.payer, p.amount, p.ordered_at FROM paid p
    JOIN own o ON o.account_id = p.payee JOIN own t ON t.account_id = p.payer AND t.place = o.place
    WHERE p.kind = 'transfer' AND p.payer <> p.payee
), pot AS (
    SELECT payee, amount, ordered_at, list(payer) OVER near AS payers
    FROM share WINDOW near AS (PARTITION BY payee, amount ORDER BY ordered_at
        RANGE BETWEEN INTERVAL 24 HOUR PRECEDING AND CURRENT ROW)
), meeting AS (
    SELECT payee, amount, max(ordered_at) AS moment,
           list_sort(list_distinct(list_append(payers, payee))) AS club
    FROM pot WHERE len(list_distinct(payers)) BETWEEN 4 AND 11 GROUP BY ALL
), paced AS (
    SELECT *, moment - lag(moment) OVER (PARTITION BY club, amount ORDER BY moment) AS gap FROM meeting
)
SELECT o.customer_id FROM (
    SELECT club FROM paced GROUP BY club, amount
    HAVING count(DISTINCT payee) = len(club) AND count(*) = len(club) AND min(gap) >= INTERVAL 96 HOUR
       AND max(gap) <= INTERVAL 31 DAY
) JOIN own o ON list_contains(club, o.account_id)
"""

_SEASON = """
, owned AS (
    SELECT w.owner_customer_id AS customer_id, a.account_id FROM ownerships w
    JOIN accounts a USING (merchant_id) WHERE w.owner_customer_id IS NOT NULL
), deposit AS (
    SELECT s.customer_id, p.ordered_at, isodow(p.ordered_at) AS weekday, p.credited,
           date_trunc('week', p.ordered_at) AS week
    FROM paid p JOIN owned s ON s.account_id = p.payee WHERE p.kind = 'cash_deposit'
), weekly AS (
    SELECT customer_id, week, max(credited) FILTER (weekday = 1) AS monday,
           max(credited) FILTER (weekday = 3) AS wednesday
    FROM deposit GROUP BY ALL
), heavy AS (
    SELECT customer_id, week, monday, wednesday, monday + wednesday AS total,
           week - INTERVAL 7 DAY * row_number() OVER (PARTITION BY customer_id ORDER BY week) AS run
    FROM weekly WHERE monday > 1.4 * wednesday AND monday < 3.6 * wednesday AND monday > 60000
), shape AS (
    SELECT customer_id, run, count(*) AS weeks, max(total) AS peak, arg_max(week, total) AS top,
           arg_min(total, week) AS first, arg_max(total, week) AS last, min(week) AS since,
           max(week) AS until
    FROM heavy GROUP BY ALL
)
SELECT customer_id FROM shape
WHERE weeks BETWEEN 4 AND 13 AND peak >= 2 * first AND peak >= 2 * last
  AND top BETWEEN since + INTERVAL 7 DAY AND until - INTERVAL 7 DAY
"""

_STUDENT = """
, support AS (
    SELECT p.payee, p.payer, p.amount, p.credited, p.ordered_at FROM paid p
    JOIN own o ON o.account_id = p.payee AND o.segment = 'student'
    WHERE p.kind = 'transfer' AND p.purpose = 'FAMI'
), steady AS (
    SELECT payee, payer, amount FROM support GROUP BY ALL HAVING count(*) >= 3
), given AS (
    SELECT s.*, sum(credited) OVER near AS total FROM support s JOIN steady USING (payee, payer, amount)
    WINDOW near AS (PARTITION BY payee ORDER BY ordered_at
        RANGE BETWEEN INTERVAL 72 HOUR PRECEDING AND CURRENT ROW)
)
SELECT o.customer_id FROM given g JOIN own o ON o.account_id = g.payee
JOIN paid r ON r.payer = g.payee AND r.kind = 'transfer'
    AND r.ordered_at BETWEEN g.ordered_at + INTERVAL 23 HOUR AND g.ordered_at + INTERVAL 97 HOUR
    AND r.amount BETWEEN 0.29 * g.total AND 0.61 * g.total
JOIN body w ON w.account_id = r.payee AND w.kind = 'landlord'
WHERE g.payee NOT IN (SELECT payer FROM paid WHERE purpose = 'RENT')
  AND (day(g.ordered_at) >= 22 OR day(g.ordered_at) <= 4)
GROUP BY o.customer_id, r.payee, r.amount HAVING count(DISTINCT r.id) >= 3
"""

_SWEEP = """
, moved AS (
    SELECT p.id, p.payer, p.payee, p.amount, p.ordered_at FROM paid p
    WHERE p.kind = 'business' AND p.purpose = 'TREA'
), night AS (
    SELECT c.customer_id, out.payer, out.payee, out.amount, out.ordered_at::DATE AS day
    FROM company c JOIN moved out ON out.payer = c.account_id AND hour(out.ordered_at) BETWEEN 17 AND 19
    JOIN company g ON g.account_id = out.payee AND g.place = c.place
    JOIN moved back ON back.payer = out.payee AND back.payee = out.payer AND back.amount = out.amount
        AND hour(back.ordered_at) BETWEEN 6 AND 8
        AND date_diff('day', out.ordered_at::DATE, back.ordered_at::DATE) BETWEEN 1 AND 5
)
SELECT customer_id FROM night GROUP BY customer_id, payer, payee
HAVING count(DISTINCT day) BETWEEN 7 AND 31 AND count(DISTINCT amount) >= 0.95 * count(DISTINCT day)
   AND date_diff('day', min(day), max(day)) <= 2 * count(DISTINCT day)
"""


def _finds(query: str) -> Callable[[duckdb.DuckDBPyConnection], set[int]]:
    def find(connection: duckdb.DuckDBPyConnection) -> set[int]:
        found = connection.execute(f"SELECT DISTINCT customer_id FROM ({_COMMON}{query})").fetchall()
        return {row[0] for row in found}

    return find


def _change(role: str, change: str, which: str = "TRUE") -> str:
    return (
        f"UPDATE transactions SET {change} WHERE transaction_id IN "
        f"(SELECT transaction_id FROM planted WHERE role = '{role}') AND {which}"
    )


def _earlier(role: str, days: int) -> str:
    return _change(
        role, f"ordered_at = ordered_at - INTERVAL {days} DAY, booked_at = booked_at - INTERVAL {days} DAY"
    )


def _sums(role: str) -> str:
    """Amounts of these payments become those of no relation: a tenth to three times."""
    factor = "(0.1 + (hash(transaction_id) % 2900) / 1000.0)"
    return _change(
        role,
        f"amount_minor = greatest(1, (amount_minor * {factor})::BIGINT), "
        f"credited_minor = greatest(1, (credited_minor * {factor})::BIGINT)",
    )


def _spread(role: str, days: int) -> str:
    """These payments are up to some days later, each by its own number of days."""
    later = f"to_days((hash(transaction_id) % {days})::INTEGER)"
    return _change(role, f"ordered_at = ordered_at + {later}, booked_at = booked_at + {later}")


ORACLES = (
    Oracle(
        "crowdfunding",
        _finds(_CROWDFUNDING),
        {
            "order": _earlier("payout", 20) + ";" + _earlier("refund", 20),
            "conservation": _change("payout", "amount_minor = amount_minor * 3") + ";" + _sums("refund"),
            "one giver": "UPDATE transactions SET payer_account_id = (SELECT min(account_id) FROM accounts "
            "WHERE kind::VARCHAR = 'current') WHERE transaction_id IN "
            "(SELECT transaction_id FROM planted WHERE role = 'donation')",
        },
    ),
    Oracle(
        "holiday_abroad",
        _finds(_HOLIDAY),
        {
            "place": _change("travel", "payee_place = payer_place", "hash(transaction_id) % 3 = 0"),
            "time": _spread("travel", 60),
            "often": _change(
                "travel", "is_remote = TRUE, payment_type = 'card_payment'", "hash(transaction_id) % 5 < 3"
            ),
        },
    ),
    Oracle(
        "house_purchase",
        _finds(_HOUSE),
        {
            "order": _earlier("purchase", 40),
            "conservation": _change("purchase", "amount_minor = amount_minor / 2"),
            "no loan": _change("credit", "credited_minor = credited_minor / 3"),
        },
    ),
    Oracle(
        "marketplace_payout",
        _marketplaces,
        {
            "order": _earlier("payout", 60),
            "conservation": _change("payout", "amount_minor = amount_minor / 2"),
            "another commission each week": _change(
                "payout", "amount_minor = (amount_minor * (1 + 0.1 * sin(epoch(ordered_at) / 86400)))::BIGINT"
            ),
        },
        spec={"size": 6_000},
    ),
    Oracle(
        "payroll_run",
        _finds(_PAYROLL),
        {
            "equal wages": _sums("wage"),
            "pay-day": _spread("wage", 25),
            "funding": _change("funding", "credited_minor = credited_minor / 4"),
        },
    ),
    Oracle(
        "rent_collector",
        _finds(_RENT),
        {
            "equal rents": _sums("rent"),
            "order": _earlier("payout", 15),
            "conservation": _change("payout", "amount_minor = amount_minor / 2"),
        },
    ),
    Oracle(
        "savings_club",
        _finds(_CLUB),
        {
            "equal shares": _sums("share"),
            "rotation": "UPDATE transactions SET payee_account_id = first FROM ("
            "SELECT p.case_id, min(t.payee_account_id) AS first FROM planted p "
            "JOIN transactions t USING (transaction_id) GROUP BY ALL) c, planted p "
            "WHERE p.case_id = c.case_id AND p.transaction_id = transactions.transaction_id "
            "AND transactions.payer_account_id <> first",
        },
    ),
    Oracle(
        "seasonal_cash_business",
        _finds(_SEASON),
        {"weekday": _spread("deposit", 7), "season": _sums("deposit")},
    ),
    Oracle(
        "student_support",
        _finds(_STUDENT),
        {
            "equal sums": _sums("support"),
            "order": _earlier("rent", 12),
            "conservation": _change("rent", "amount_minor = amount_minor * 3"),
            "another rent each month": _change("rent", "amount_minor = amount_minor + day(ordered_at)"),
        },
    ),
    Oracle(
        "treasury_sweep",
        _finds(_SWEEP),
        {"exactly": _sums("sweep"), "hours": _spread("sweep", 15)},
        spec={"size": 6_000},
    ),
)
