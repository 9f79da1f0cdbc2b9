"""What does a policy that blocks payments save, and whom does it annoy? The twin of the world tells."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import pandas as pd

import rarecase

try:
    from lightgbm import LGBMClassifier
except ModuleNotFoundError:
    sys.exit("This example needs LightGBM. In the clone: .venv/bin/pip install -e '.[models]'")

HERE = Path(__file__).parent
#: What a wrongly blocked payment costs in euro: a call, an excuse, a customer who may leave. Our guess.
COST = 15.0
#: Figures are told for so many customers and a year.
CUSTOMERS, DAYS = 100_000, 365
#: From which number of its points on a policy blocks a payment.
POLICIES = {
    "new payee, EUR": (10_000, 5_000, 2_000, 1_000, 500, 200),
    "score of a model": (0.99, 0.98, 0.95, 0.9, 0.8, 0.6, 0.4, 0.2, 0.1),
    "score times EUR": (5_000, 2_000, 1_000, 500, 200, 100, 50),
}
#: Case of an honest payment. Not null: as a float, which may be missing, a key would lose its last digits.
HONEST = 0
TAKEN = "('drain', 'scam', 'purchase', 'withdrawal')"
FEATURES = ["amount", "hour", "card", "cash", "way", "device_days", "payee_days", "name_differs"]
FEATURES += ["hosting", "abroad", "to_usual", "orders_1h", "orders_24h", "sent_24h", "new_payees_24h"]

# One row per payment that a customer ordered. Every window ends with the payment itself: no future in it.
# What mules do with stolen money is nothing honest, and not what these policies are for: it does not count.
ORDERS = f"""
WITH taken AS (
    SELECT row_id, any_value(case_id) AS case_id FROM labels JOIN cases USING (case_id)
    WHERE is_case AND table_name = 'transactions' AND role IN {TAKEN} AND effect = 'created'
    GROUP BY row_id),
moved_on AS (
    SELECT row_id FROM labels WHERE table_name = 'transactions' AND role IN ('forward', 'cash_out')),
orders AS (
    SELECT t.*, customer_id, amount_minor / 100 / units_per_eur AS amount, hour(ordered_at) AS hour,
        (t.payment_type = 'card_payment')::INT AS card, (t.payment_type = 'cash_withdrawal')::INT AS cash,
        list_position(['pos', 'atm', 'mobile', 'web', 'ecommerce', 'mail_order', 'branch'], t.channel) AS way,
        (payee_check IN ('no_match', 'close_match'))::INT AS name_differs,
        (network = 'hosting')::INT AS hosting, (home.country <> there.country)::INT AS abroad,
        (payee_age_days = 0)::INT AS new_payee,
        device_age_days::DOUBLE AS device_days, payee_age_days::DOUBLE AS payee_days
    FROM transactions t JOIN accounts a ON a.account_id = payer_account_id AND a.holder = 'customer'
        JOIN places home ON home.place = payer_place JOIN places there ON there.place = payee_place
        JOIN fx_rates f ON f.rate_date = ordered_at::DATE AND f.currency = t.currency
        LEFT JOIN ip_addresses USING (ip_id)
    WHERE payment_type IN ('card_payment', 'cash_withdrawal', 'transfer', 'wire'))
SELECT transaction_id, ordered_at, customer_id, coalesce(case_id, {HONEST}) AS case_id, stratum, weight,
    {", ".join(FEATURES)}
FROM (SELECT *,
        amount / avg(amount) OVER (PARTITION BY customer_id, payment_type ORDER BY ordered_at, transaction_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS to_usual,
        count(*) OVER (PARTITION BY customer_id ORDER BY ordered_at
            RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS orders_1h,
        count(*) OVER day AS orders_24h, sum(amount) OVER day AS sent_24h,
        sum(new_payee) OVER day AS new_payees_24h
    FROM orders WINDOW day AS (PARTITION BY customer_id ORDER BY ordered_at
        RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND CURRENT ROW))
    LEFT JOIN taken ON taken.row_id = transaction_id
    JOIN weights w ON w.row_id = customer_id
WHERE transaction_id NOT IN (SELECT row_id FROM moved_on)
ORDER BY ordered_at, transaction_id
"""


def orders_of(bank: rarecase.Dataset) -> pd.DataFrame:
    """The payments that customers ordered, with features, and the case where an offender took the money."""
    with bank.connect() as connection:
        connection.execute("SET threads = 1")  # sums in one order: the same figures on every machine
        return connection.execute(ORDERS).df()


def model_of(bank: rarecase.Dataset) -> LGBMClassifier:
    """A model of last year's frauds, all of which have come to light meanwhile."""
    rows = orders_of(bank)
    model = LGBMClassifier(
        n_estimators=120, learning_rate=0.06, num_leaves=15, min_child_samples=40, random_state=0, n_jobs=1,
        deterministic=True, verbose=-1,
    )  # fmt: skip
    return model.fit(rows[FEATURES], rows["case_id"] != HONEST)


def outcome(world: pd.DataFrame, twin: pd.DataFrame, at_least: float) -> dict[str, float]:
    """What blocking every payment with `score` >= `at_least` does, at natural rates.

    Money is euro, `blocks` and `customers` are numbers; all of them of the world's own days and customers.
    """
    # A victim who is called stops paying: what is saved is the blocked payment and what followed in the case.
    taken = world[world["case_id"] != HONEST]
    blocked = taken[taken["score"] >= at_least]
    called = blocked.groupby(["case_id", "customer_id"])["ordered_at"].min()
    when = called.reindex(pd.MultiIndex.from_frame(taken[["case_id", "customer_id"]])).to_numpy()
    saved = taken[taken["ordered_at"].to_numpy() >= when]
    # Honest payments that are blocked. In the twin all are honest.
    wrong = world[(world["case_id"] == HONEST) & (world["score"] >= at_least)]
    wrong_twin = twin[twin["score"] >= at_least]
    people, people_twin = (rows.drop_duplicates("customer_id") for rows in (wrong, wrong_twin))
    return {
        "saved": (saved["lost"] * saved["weight"]).sum(),
        "by_blocks": (blocked["lost"] * blocked["weight"]).sum(),
        "blocks": to_nature(wrong, wrong_twin),
        "customers": to_nature(people, people_twin),
    }


def to_nature(world: pd.DataFrame, twin: pd.DataFrame) -> float:
    """How many rows there would be at natural rates: those of the twin, and what each case adds, weighted.

    Who is in no case is as in the twin; of the others the weight says for how many of nature they stand.
    """
    in_case = [rows[rows["stratum"] != "ordinary"]["weight"].sum() for rows in (world, twin)]
    return len(twin) + in_case[0] - in_case[1]


def not_recovered(bank: rarecase.Dataset, rows: pd.DataFrame) -> pd.Series:
    """Of each payment that an offender took, in euro, what nobody took back from the receivers anyway."""
    cases = bank.frame("cases").query("is_case").set_index("case_id")
    back = cases["recovered_minor"].astype(float) / cases["loss_minor"].astype(float).clip(lower=1)
    return rows["amount"] * (1 - rows["case_id"].map(back)).clip(0, 1)


def evaluate(
    name: str, world: pd.DataFrame, twin: pd.DataFrame, thresholds: tuple[float, ...], scale: float
) -> pd.DataFrame:
    """What a policy does at each threshold, for 100,000 customers and a year; prints the table."""
    lines = [outcome(world, twin, at_least) for at_least in thresholds]
    table = pd.DataFrame(lines, index=pd.Index(thresholds, dtype=float))
    table["share"] = table["saved"] / (world["lost"] * world["weight"]).sum()
    table["touched"] = table["customers"] / world["customer_id"].nunique()
    table[["saved", "by_blocks", "blocks"]] *= scale
    table["break_even"] = table["saved"] / table["blocks"]
    table["net"] = table["saved"] - COST * table["blocks"]
    print(f"\n{name:22s} fraud   saved  of which     honest  customers  break-even      net")
    print("threshold           stopped    kEUR   blocked    blocked    touched  EUR/block     kEUR")
    for at_least, line in table.iterrows():
        print(
            f"{at_least:17,.2f} {line['share']:9.0%} {line['saved'] / 1e3:7.0f}"
            f" {line['by_blocks'] / 1e3:9.0f} {line['blocks']:10,.0f} {line['touched']:10.2%}"
            f" {line['break_even']:10.2f} {line['net'] / 1e3:8.0f}"
        )
    best, pays = table["net"].idxmax(), table.index[table["net"] > 0]
    print(f"best at {best:,.2f}; pays down to {pays.min():,.2f}" if len(pays) else "never pays")
    who = world[(world["case_id"] == HONEST) & (world["score"] >= best)].groupby("stratum")["weight"].sum()
    shares = (who / who.sum()).sort_values(ascending=False).head(3)
    print("wrongly blocked there:", ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    return table


def main(size: int | None = None) -> None:
    """Train on another year, score this one and its twin, and compare three policies."""
    spec = sized_spec(size)
    this = rarecase.generate(spec, twin=True)
    last = rarecase.generate(spec | {"seed": spec["seed"] + 1, "start": "2024-01-01"})
    world, twin = orders_of(this), orders_of(this.twin)
    world["lost"] = not_recovered(this, world).fillna(0.0)
    scale = CUSTOMERS / this.spec.size * DAYS / this.spec.days
    taken = world[world["case_id"] != HONEST]
    missing = ~twin["transaction_id"].isin(world["transaction_id"])
    print(f"world {len(world):,} payments, {len(taken):,} of them fraud for {taken['amount'].sum():,.0f} EUR")
    print(
        f"twin  {len(twin):,} payments; {missing.sum():,} of them did not happen in the world: cards stopped,"
    )
    print("      accounts empty")
    natural = (taken["amount"] * taken["weight"]).sum() * scale
    print(f"at natural rates, {CUSTOMERS:,} customers lose {natural / 1e3:,.0f} kEUR a year")

    model = model_of(last)
    score = [model.predict_proba(rows[FEATURES])[:, 1] for rows in (world, twin)]
    for name, thresholds in POLICIES.items():
        for rows, points in zip((world, twin), score, strict=True):
            to_new = rows["amount"].where(rows["payee_days"] == 0, 0.0)
            rows["score"] = dict(zip(POLICIES, (to_new, points, points * rows["amount"]), strict=True))[name]
        evaluate(name, world, twin, thresholds, scale)


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
