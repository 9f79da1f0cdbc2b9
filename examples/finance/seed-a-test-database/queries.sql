-- What a test engineer asks of a new database; for DuckDB and PostgreSQL.

-- Payments by kind, in euro: each country has its currency, and every day its rate.
SELECT payment_type, count(*) AS payments, CAST(avg(amount_minor / 100.0 / units_per_eur) AS DECIMAL(12, 2)) AS mean_eur
FROM finance.transactions t
JOIN finance.fx_rates f ON f.currency = t.currency AND f.rate_date = CAST(ordered_at AS DATE)
GROUP BY payment_type ORDER BY payments DESC, payment_type;

-- Money is conserved: per currency, over all accounts and the world outside, nothing appears and nothing is lost.
SELECT currency, count(*) AS entries, sum(amount_minor) AS moved
FROM finance.entries GROUP BY currency ORDER BY entries DESC;

-- The last balance of every account is the opening one and all entries: no account may be broken.
SELECT count(*) AS accounts,
       sum(CASE WHEN last_balance = opening_balance_minor + moved THEN 0 ELSE 1 END) AS broken
FROM finance.accounts
JOIN (SELECT account_id, sum(amount_minor) AS moved,
             max(CASE WHEN newest = 1 THEN balance_minor END) AS last_balance
      FROM (SELECT *, row_number() OVER (PARTITION BY account_id ORDER BY entry_number DESC) AS newest
            FROM finance.entries) AS e
      GROUP BY account_id) AS s USING (account_id);

-- Payments across currencies have four legs: payer, two position accounts of the banks, payee.
SELECT t.currency, t.credited_currency, count(*) AS payments, min(legs) AS legs, max(legs) AS at_most
FROM finance.transactions t
JOIN (SELECT transaction_id, count(*) AS legs FROM finance.entries GROUP BY transaction_id) AS e
    USING (transaction_id)
WHERE t.currency <> t.credited_currency
GROUP BY t.currency, t.credited_currency ORDER BY payments DESC, t.currency, t.credited_currency LIMIT 4;

-- Edge cases for a screen: refused payments, and why.
SELECT reason, response_code, count(*) AS attempts
FROM finance.declines GROUP BY reason, response_code ORDER BY attempts DESC, reason;

-- Work for an investigator's list: alerts by rule, and how they were closed.
SELECT rule, count(*) AS alerts, sum(CASE WHEN outcome IN ('confirmed', 'reported') THEN 1 ELSE 0 END) AS upheld
FROM finance.alerts JOIN finance.rules USING (rule_id) GROUP BY rule ORDER BY alerts DESC, rule LIMIT 5;

-- What was planted, in plain words: one case of each kind.
SELECT kind, min(story) AS story FROM finance.cases GROUP BY kind ORDER BY kind;
