"""Find customers whose money moves like laundered money, and compare with the bank's own rules."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import rarecase

try:
    from lightgbm import LGBMClassifier
    from sklearn.metrics import average_precision_score
except ModuleNotFoundError:
    sys.exit("This example needs LightGBM. In the clone: .venv/bin/pip install -e '.[models]'")

HERE = Path(__file__).parent
WINDOW_DAYS, TEST_WINDOWS = 28, 2

# Money that people send, bring or draw, with the persons at both ends. Moves between own accounts are none.
MOVES = """
CREATE TEMP TABLE moves AS
SELECT transaction_id AS id, ordered_at, available_at AS known_at,
    amount_minor / 100 / units_per_eur AS amount,
    coalesce(p.customer_id, p.account_id) AS payer, coalesce(q.customer_id, q.account_id) AS payee,
    p.customer_id IS NOT NULL AS from_customer, q.customer_id IS NOT NULL AS to_customer,
    payment_type = 'cash_deposit' AS cash_in, payment_type = 'cash_withdrawal' AS cash_out,
    payer_place <> payee_place AS far
FROM transactions t JOIN accounts p ON p.account_id = payer_account_id
    JOIN accounts q ON q.account_id = payee_account_id
    JOIN fx_rates f ON f.rate_date = ordered_at::DATE AND f.currency = t.currency
WHERE payment_type IN
        ('transfer', 'wire', 'standing_order', 'cheque', 'business', 'cash_deposit', 'cash_withdrawal')
    AND coalesce(p.customer_id, p.account_id) <> coalesce(q.customer_id, q.account_id);
"""

# Each move from both sides, with what came in during the three days before, and when the two first met.
SIDES = """
CREATE TEMP TABLE sides AS
SELECT *, sum(amount) FILTER (comes) OVER (PARTITION BY customer_id ORDER BY known_at
        RANGE BETWEEN INTERVAL 72 HOURS PRECEDING AND CURRENT ROW) AS came_3d,
    min(known_at) OVER (PARTITION BY customer_id, other) AS met_at
FROM (
    SELECT known_at, amount, payee AS customer_id, payer AS other, true AS comes, cash_in, cash_out, far
    FROM moves WHERE to_customer
    UNION ALL
    SELECT known_at, amount, payer, payee, false, cash_in, cash_out, far FROM moves WHERE from_customer);
"""

# A relay: what came from one customer goes on to another, less a little, within five days. Relays that follow
# each other are a trail; it lists the customers on it. It is known when all its moves are known. The ends of
# relays with two middlemen or more are where money is scattered and gathered again.
TRAILS = """
CREATE TEMP TABLE relays AS
SELECT x.id AS came, y.id AS went, x.payer AS giver, x.payee AS middle, y.payee AS taker,
    greatest(x.known_at, y.known_at) AS known_at
FROM moves x JOIN moves y ON y.payer = x.payee
    AND y.ordered_at > x.ordered_at AND y.ordered_at <= x.ordered_at + INTERVAL 5 DAYS
    AND y.amount BETWEEN 0.85 * x.amount AND x.amount
WHERE x.from_customer AND x.to_customer AND y.to_customer;

CREATE TEMP TABLE trails AS
WITH RECURSIVE trail AS (
    SELECT went AS last, [giver, middle, taker] AS who, 2 AS hops, known_at FROM relays
    UNION ALL
    SELECT r.went, list_append(who, r.taker), hops + 1, greatest(trail.known_at, r.known_at)
    FROM trail JOIN relays r ON r.came = trail.last WHERE hops < 12)
SELECT unnest(list_distinct(who)) AS customer_id, hops, known_at,
    who[1] = who[len(who)] AND hops > 2 AS closed
FROM trail;

CREATE TEMP TABLE ends AS
SELECT number, giver, taker, list(DISTINCT middle) AS middles, count(DISTINCT middle) AS width
FROM relays JOIN windows ON known_at > since AND known_at <= until WHERE giver <> taker
GROUP BY ALL HAVING width > 1;
"""

FEATURES_OF = """
WITH plain AS (
    SELECT number, customer_id,
        sum(amount) FILTER (comes) AS came, sum(amount) FILTER (NOT comes) AS went,
        max(amount) FILTER (comes) AS most_came, max(amount) FILTER (NOT comes) AS most_went,
        sum(amount) FILTER (cash_in) AS cash_came, sum(amount) FILTER (cash_out) AS cash_went,
        count(DISTINCT other) FILTER (comes) AS payers, count(DISTINCT other) FILTER (NOT comes) AS payees,
        count(DISTINCT other) FILTER (comes AND met_at > since) AS new_payers,
        count(DISTINCT other) FILTER (NOT comes AND met_at > since) AS new_payees,
        count(*) FILTER (cash_in) AS deposits, avg(far::INT) AS far,
        sum(least(amount, came_3d)) FILTER (NOT comes) AS passed,
        count(*) FILTER (NOT comes AND amount BETWEEN 0.85 * came_3d AND came_3d) AS times_passed
    FROM sides JOIN windows ON known_at > since AND known_at <= until GROUP BY ALL),
relayed AS (
    SELECT number, middle AS customer_id, count(DISTINCT relays.came) AS relays
    FROM relays JOIN windows ON known_at > since AND known_at <= until GROUP BY ALL),
trailed AS (
    SELECT number, customer_id, max(hops) AS longest_trail, count(*) AS trails, sum(closed::INT) AS cycles
    FROM trails JOIN windows ON known_at > since AND known_at <= until GROUP BY ALL),
spread AS (
    SELECT number, customer_id, max(width) AS widest
    FROM (SELECT number, width, unnest(list_concat([giver, taker], middles)) AS customer_id FROM ends)
    GROUP BY ALL)
SELECT * EXCLUDE (case_id, alerted), passed / came AS pass_through,
    coalesce(laundered.case_id, 0) AS of_case, alerted IS NOT NULL AS has_alert
FROM plain LEFT JOIN relayed USING (number, customer_id) LEFT JOIN trailed USING (number, customer_id)
    LEFT JOIN spread USING (number, customer_id) LEFT JOIN laundered USING (number, customer_id)
    LEFT JOIN alerted USING (number, customer_id)
ORDER BY number, customer_id
"""
AMOUNTS = ["came", "went", "most_came", "most_went", "cash_came", "cash_went"]
DEGREES = ["payers", "payees", "new_payers", "new_payees", "deposits", "far"]
WAYS = ["pass_through", "times_passed", "relays", "longest_trail", "trails", "cycles", "widest"]
FEATURES = [*AMOUNTS, *DEGREES, *WAYS]

# The truth: who had a hand in laundering, and in which case; and what the bank's own rules said.
TRUTH = """
CREATE TEMP TABLE laundered AS
SELECT number, customer_id, min(case_id) AS case_id
FROM windows JOIN (
    SELECT case_id, available_at, unnest([p.customer_id, q.customer_id]) AS customer_id
    FROM labels JOIN cases USING (case_id) JOIN transactions ON transaction_id = row_id
        JOIN accounts p ON p.account_id = payer_account_id JOIN accounts q ON q.account_id = payee_account_id
    WHERE is_case AND stage IS NOT NULL AND effect = 'created'
) ON available_at > since AND available_at <= until
WHERE customer_id IS NOT NULL GROUP BY ALL;

CREATE TEMP TABLE alerted AS
SELECT number, customer_id, count(*) AS alerted
FROM windows JOIN alerts ON raised_at > since AND raised_at <= until
WHERE customer_id IS NOT NULL GROUP BY ALL;
"""


def observe(bank: rarecase.Dataset) -> pd.DataFrame:
    """One row per customer and four weeks: features, the case (0: none), whether the bank's rules spoke."""
    first = pd.Timestamp(bank.spec.start)
    ends = pd.date_range(first, periods=bank.spec.days // WINDOW_DAYS + 1, freq=f"{WINDOW_DAYS}D")
    windows = pd.DataFrame({"number": range(1, len(ends)), "since": ends[:-1], "until": ends[1:]})
    with bank.connect() as connection:
        connection.execute("SET threads = 1")  # sums in one order: the same figures on every machine
        connection.register("windows", windows)
        for statements in (MOVES, SIDES, TRAILS, TRUTH):
            connection.execute(statements)
        rows = connection.execute(FEATURES_OF).df()
    rows[FEATURES] = rows[FEATURES].astype(float).fillna(0.0)
    return rows.merge(windows)


def main(size: int | None = None) -> None:
    """Make the world, observe it, train on the first windows, test on the last, and compare."""
    bank = rarecase.generate(sized_spec(size))
    rows = observe(bank)
    first_tested = rows["number"].max() - TEST_WINDOWS + 1
    moment = rows.loc[rows["number"] == first_tested, "since"].min()
    cases = bank.frame("cases").set_index("case_id")
    train, test = split(rows, cases, first_tested)
    truth = rows["of_case"] != 0
    known = rows["of_case"].isin(bank.frame("cases", as_of=moment)["case_id"])
    told = cases.index[cases["is_case"] & (cases["started_at"] < moment)]
    share = np.isin(told, bank.frame("cases", as_of=moment)["case_id"]).mean()
    print(f"{len(rows):,} times a customer was seen over four weeks, {truth.sum():,} of them laundering")
    print(
        f"train on {train.sum():,} until {moment:%Y-%m-%d}, when {share:.0%} of {len(told)} cases were known"
    )
    later = rows.loc[test & truth, "of_case"].nunique()
    print(f"test on {test.sum():,} after that, {truth[test].sum()} of them in {later} new cases")

    closed = bank.frame("alerts", as_of=moment).query("outcome == 'reported'")
    reported = known | (rows["has_alert"] & rows["customer_id"].isin(closed["customer_id"].dropna()))
    tested = rows[test].assign(kind=rows["of_case"].map(cases["kind"]), rules=rows["has_alert"])
    budget = tested.groupby("number")["has_alert"].sum()
    weight = tested["customer_id"].map(bank.frame("weights").set_index("row_id")["weight"]).astype(float)
    ways = {
        "amounts": fit(rows, AMOUNTS, train, test, known),
        "and degrees": fit(rows, AMOUNTS + DEGREES, train, test, known),
        "and ways": fit(rows, FEATURES, train, test, known),
        "reports too": fit(rows, FEATURES, train, test, reported),
        "all labels": fit(rows, FEATURES, train, test, truth),
    }
    print(f"\n{budget.sum()} alerts each                    average  precision  recall  average precision")
    print("                                 precision  of alerts          at natural rates")
    line("the bank's rules", None, tested["rules"], tested, weight)
    for name, score in ways.items():
        ranked = (
            pd.Series(score, tested.index).groupby(tested["number"]).rank(ascending=False, method="first")
        )
        tested[name] = ranked <= tested["number"].map(budget)
        line(name, score, tested[name], tested, weight)
    base = (tested["of_case"] != 0).mean(), np.average(tested["of_case"] != 0, weights=weight)
    print(f"  {'what chance would give':30s} {base[0]:9.2f} {base[0]:9.0%} {'':7s} {base[1]:9.4f}")
    by_kind(tested, ["rules", *ways])


def split(rows: pd.DataFrame, cases: pd.DataFrame, first_tested: int) -> tuple[pd.Series, pd.Series]:
    """Earlier windows to train on, later ones to test on; a case that lies in both is only trained on."""
    later = rows["number"] >= first_tested
    began = rows["of_case"].map(cases["started_at"])
    return ~later, later & ~(began < rows.loc[later, "since"].min())


def fit(
    rows: pd.DataFrame, columns: list[str], train: pd.Series, test: pd.Series, label: pd.Series
) -> np.ndarray:
    """Train on `label`; returns the scores of the test."""
    model = LGBMClassifier(
        n_estimators=150, learning_rate=0.04, num_leaves=15, min_child_samples=30, subsample=0.8,
        subsample_freq=1, colsample_bytree=0.7, random_state=0, n_jobs=1, deterministic=True, verbose=-1,
    )  # fmt: skip
    model.fit(rows.loc[train, columns], label[train])
    return model.predict_proba(rows.loc[test, columns])[:, 1]


def line(
    name: str, score: np.ndarray | None, alerted: pd.Series, tested: pd.DataFrame, weight: pd.Series
) -> None:
    """A line of the table: how good a detector is, here and at natural rates."""
    truth = tested["of_case"] != 0
    hits = (alerted & truth).sum()
    here = nature = f"{'':>9s}"
    if score is not None:
        here = f"{average_precision_score(truth, score):9.2f}"
        nature = f"{average_precision_score(truth, score, sample_weight=weight):9.3f}"
    print(f"  {name:30s} {here} {hits / alerted.sum():9.0%} {hits / truth.sum():7.0%} {nature}")


def by_kind(tested: pd.DataFrame, detectors: list[str]) -> None:
    """Which cases have at least one member with an alert, kind by kind."""
    guilty = tested[tested["of_case"] != 0].astype({"kind": str})
    found = guilty.groupby(["kind", "of_case"])[detectors].any()
    print(f"\n{'cases found, by kind':28s}cases" + "".join(f"{name:>12s}" for name in detectors))
    for kind, one in found.groupby("kind"):
        print(f"{kind:28s}{len(one):5d}" + "".join(f"{one[name].mean():12.0%}" for name in detectors))
    print(f"{'all':28s}{len(found):5d}" + "".join(f"{found[name].mean():12.0%}" for name in detectors))


def sized_spec(size: int | None) -> dict[str, object]:
    """The spec beside this script, or one of a smaller world with as many cases per customer."""
    spec = rarecase.load_spec(HERE / "spec.yaml").model_dump(mode="json")
    if size:
        share = size / spec["size"]
        cases = [case | {"count": math.ceil(case["count"] * share)} for case in spec["cases"]]
        spec |= {"size": size, "block": math.ceil(spec["block"] * share), "cases": cases}
    return spec


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, help="customers, to make it smaller")
    main(options.parse_args().size)
