"""Train a model of fraudulent payments on what the bank knew then, and test it on later weeks."""

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
#: Payments that customers order and a bank can stop; direct debits, wages and fees are not among them.
ORDERS = ("card_payment", "cash_withdrawal", "transfer", "wire")
#: What offenders take, and what mules do with it then: no fraud on their own account, yet nothing honest.
TAKEN, MOVED_ON = ("drain", "scam", "bait", "purchase", "withdrawal"), ("forward", "cash_out")
TEST_DAYS, TEST_CUSTOMERS, ALERTS_A_DAY = 40, 0.4, 10

CODED = ["payment_type", "channel", "entry_mode", "payee_check", "three_ds", "network"]
PLAIN = ["amount", "hour", "weekday", "payment_type", "channel"]
DESK = [*PLAIN, "entry_mode", "payee_check", "three_ds", "network", "device_age_days", "payee_age_days"]
PAST = ["to_usual", "gap_h", "orders_1h", "orders_24h", "sent_24h", "new_payees_24h", "refused_24h"]
FEATURES = [*DESK, "crosses_border", *PAST, "km_per_h", "payers_new_to_payee_7d"]
RISKY = [*FEATURES, "risk_of_customer_id", "risk_of_payee_account_id"]


def orders_of_customers(bank: rarecase.Dataset) -> pd.DataFrame:
    """What customers ordered, and what was refused to them, by time; amounts in euro."""
    tried = bank.frame("declines").rename(columns={"decline_id": "order_id", "attempted_at": "ordered_at"})
    paid = bank.frame("transactions").rename(columns={"transaction_id": "order_id"})
    rows = pd.concat([paid.assign(refused=0.0), tried.assign(refused=1.0)])
    rows["customer_id"] = rows["payer_account_id"].map(
        bank.frame("accounts").set_index("account_id")["customer_id"]
    )
    rows = rows[rows["payment_type"].isin(ORDERS) & rows["customer_id"].notna()]
    rows = rows.sort_values(["ordered_at", "order_id"], ignore_index=True)
    rates = bank.frame("fx_rates")
    rates = rates.set_index([pd.to_datetime(rates["rate_date"]), rates["currency"].astype(str)])
    days = pd.MultiIndex.from_arrays([rows["ordered_at"].dt.normalize(), rows["currency"].astype(str)])
    rows["amount"] = rows["amount_minor"] / 100 / rates["units_per_eur"].reindex(days).to_numpy()
    rows["network"] = rows["ip_id"].map(bank.frame("ip_addresses").set_index("ip_id")["network"])
    places = bank.frame("places").set_index("place")
    rows["crosses_border"] = (
        rows["payer_place"].map(places["country"]).astype(str)
        != rows["payee_place"].map(places["country"]).astype(str)
    ).astype(float)
    for angle in ("latitude_deg", "longitude_deg"):
        rows[angle] = rows["payee_place"].map(places[angle])
    for name in CODED:
        rows[name] = rows[name].astype(str).astype("category").cat.codes
    return rows


def add_features(rows: pd.DataFrame) -> pd.DataFrame:
    """What a payment desk can compute when each order comes: from the order itself and from the past."""
    rows["hour"], rows["weekday"] = rows["ordered_at"].dt.hour, rows["ordered_at"].dt.day_of_week
    for name in ("device_age_days", "payee_age_days"):
        rows[name] = rows[name].astype("Float64").astype(float)
    rows["new_payee"] = (rows["payee_age_days"] == 0).astype(float)

    like = rows.groupby(["customer_id", "payment_type"], observed=True)["amount"]
    before = (like.cumsum() - rows["amount"]) / like.cumcount().replace(0, np.nan)
    rows["to_usual"] = rows["amount"] / before
    rows["gap_h"] = hours(rows.groupby("customer_id")["ordered_at"].diff())
    last = within(rows.assign(orders=1.0), "customer_id", 24, ["orders", "amount", "new_payee", "refused"])
    rows[["orders_24h", "sent_24h", "new_payees_24h", "refused_24h"]] = last
    rows["orders_1h"] = within(rows.assign(orders=1.0), "customer_id", 1, ["orders"])

    people = rows[rows["payee_age_days"].notna()]
    rows["payers_new_to_payee_7d"] = within(people, "payee_account_id", 7 * 24, ["new_payee"])["new_payee"]

    present = rows[rows["card_id"].notna() & rows["channel"].isin(["pos", "atm"])]
    before = present.groupby("card_id")[["latitude_deg", "longitude_deg", "ordered_at"]].shift()
    rows["km_per_h"] = kilometres(present, before) / hours(present["ordered_at"] - before["ordered_at"])
    return rows


def within(rows: pd.DataFrame, who: str, span_h: float, columns: list[str]) -> pd.DataFrame:
    """Sums over the rows of the same `who` in the hours that end with each row; no later row counts."""
    people, seconds = pd.factorize(rows[who])[0], rows["ordered_at"].astype("datetime64[s]").astype("int64")
    order = np.argsort(people, kind="stable")  # one after the other, each by time, as the rows are
    at = people[order] * 10**11 + seconds.to_numpy()[order]
    first = np.searchsorted(at, at - int(span_h * 3_600))
    total = np.pad(rows[columns].to_numpy()[order].cumsum(axis=0), ((1, 0), (0, 0)))
    return pd.DataFrame(total[1:] - total[first], rows.index[order], columns)


def hours(spans: pd.Series) -> pd.Series:
    """Spans of time in hours."""
    return spans.dt.total_seconds() / 3_600


def kilometres(here: pd.DataFrame, there: pd.DataFrame) -> pd.Series:
    """Length of the way over the globe between the places of two frames, row by row."""
    north, east = np.radians(here["latitude_deg"]), np.radians(here["longitude_deg"])
    north_2, east_2 = np.radians(there["latitude_deg"]), np.radians(there["longitude_deg"])
    half = np.sin((north - north_2) / 2) ** 2
    half += np.cos(north) * np.cos(north_2) * np.sin((east - east_2) / 2) ** 2
    return 12_742 * np.arcsin(np.sqrt(half))


def labelled(bank: rarecase.Dataset, roles: tuple[str, ...], as_of: pd.Timestamp | None = None) -> pd.Series:
    """The case of each payment that plays one of the roles, by its id; `as_of`: of cases known by then."""
    cases = bank.frame("cases", as_of=as_of).query("is_case")["case_id"]
    labels = bank.frame("labels", as_of=as_of)
    labels = labels[(labels["table_name"] == "transactions") & (labels["effect"] != "removed")]
    labels = labels[labels["role"].isin(roles) & labels["case_id"].isin(cases)]
    return labels.drop_duplicates("row_id").set_index("row_id")["case_id"]


def split(rows: pd.DataFrame, moment: pd.Timestamp) -> tuple[pd.Series, pd.Series]:
    """Rows to train on and rows to test on: disjoint in time, in case and in customer.

    People whom a case brought together, mules among them, are drawn together.
    """
    group = rows["touched_by"].groupby(rows["customer_id"]).transform("max").fillna(rows["customer_id"])
    names = np.sort(group.unique())
    to_test = group.isin(names[np.random.default_rng(0).random(len(names)) < TEST_CUSTOMERS])
    return ~to_test & (rows["available_at"] <= moment), to_test & (rows["ordered_at"] > moment)


def add_risk(rows: pd.DataFrame, train: pd.Series, label: pd.Series) -> pd.DataFrame:
    """The share of fraud among the other training rows of the same customer, and of the same payee."""
    risk = {}
    for who in ("customer_id", "payee_account_id"):
        bad, seen = (label & train).groupby(rows[who]), train.groupby(rows[who])
        others = (seen.transform("sum") - train).replace(0, np.nan)
        risk[f"risk_of_{who}"] = (bad.transform("sum") - (label & train)) / others
    return rows.assign(**risk)


def main(size: int | None = None) -> None:
    """Make the world, split it, train, and print what each way of testing would have promised."""
    bank = rarecase.generate(sized_spec(size))
    rows, moment = orders_with_features(bank)
    train, test = split(rows, moment)
    truth = rows["is_fraud"]
    known = rows["order_id"].isin(labelled(bank, TAKEN, as_of=moment).index)
    told = known[train].sum() / truth[train].sum()
    print(f"{len(rows):,} orders, {truth.sum():,} fraudulent in {rows['case_id'].nunique()} cases")
    print(f"train {train.sum():,} until {moment:%Y-%m-%d}; of their frauds the bank knew {told:.0%} by then")
    print(f"test  {test.sum():,} of other customers after that, {truth[test].sum()} fraudulent")

    print(f"\n{'':46s}average    base  found by {ALERTS_A_DAY}")
    print(f"{'tested on later weeks and other customers':46s}precision  rate  alerts a day")
    fit_and_tell("amount, hour and channel", rows, PLAIN, train, test, known)
    fit_and_tell("all that the payment says", rows, DESK, train, test, known)
    score = fit_and_tell("and the past", rows, FEATURES, train, test, known)
    fit_and_tell("and the past, were all labels known at once", rows, FEATURES, train, test, truth)
    risky = add_risk(rows, train, known)
    fit_and_tell("and the past, and who was robbed or paid before", risky, RISKY, train, test, known)
    print("tested on orders of the same weeks drawn at random")
    later = rows.index[rows["ordered_at"] > moment]
    drawn = pd.Series(rows.index.isin(np.random.default_rng(1).choice(later, test.sum(), replace=False)))
    fit_and_tell("and the past", rows, FEATURES, ~drawn, drawn, truth)
    risky = add_risk(rows, ~drawn, truth)
    fit_and_tell("and the past, and who was robbed or paid before", risky, RISKY, ~drawn, drawn, truth)
    tested = rows[test].assign(score=score)
    by_kind(bank, tested)
    at_natural_rates(bank, tested)


def orders_with_features(bank: rarecase.Dataset) -> tuple[pd.DataFrame, pd.Timestamp]:
    """All orders that went through, with features and truth, and the moment of training."""
    rows = add_features(orders_of_customers(bank))
    moved_on = rows["order_id"].isin(labelled(bank, MOVED_ON).index)
    # What was refused has no known outcome; and mules' orders are neither honest nor what this model is for.
    rows = rows[(rows["refused"] == 0) & ~moved_on].reset_index(drop=True)
    rows["case_id"] = rows["order_id"].map(labelled(bank, TAKEN))
    rows["is_fraud"] = rows["case_id"].notna()
    touched = bank.frame("labels").dropna(subset="row_id").drop_duplicates("row_id").set_index("row_id")
    rows["touched_by"] = rows["order_id"].map(touched["case_id"])
    return rows, pd.Timestamp(bank.spec.start) + pd.Timedelta(days=bank.spec.days - TEST_DAYS)


def fit_and_tell(
    name: str, rows: pd.DataFrame, columns: list[str], train: pd.Series, test: pd.Series, label: pd.Series
) -> np.ndarray:
    """Train on `label`, test on the truth; prints a line of the table and returns the scores of the test."""
    model = LGBMClassifier(
        n_estimators=150, learning_rate=0.05, num_leaves=15, min_child_samples=40, subsample=0.8,
        subsample_freq=1, colsample_bytree=0.7, random_state=0, n_jobs=1, deterministic=True, verbose=-1,
    )  # fmt: skip
    model.fit(rows.loc[train, columns], label[train])
    score = model.predict_proba(rows.loc[test, columns])[:, 1]
    tested = rows[test].assign(score=score)
    precision, base = average_precision_score(tested["is_fraud"], score), tested["is_fraud"].mean()
    found = alerts(tested)["is_fraud"].sum() / tested["is_fraud"].sum()
    print(f"  {name:47s} {precision:5.2f} {base:7.2%} {found:8.0%}")
    return score


def alerts(tested: pd.DataFrame) -> pd.DataFrame:
    """The orders of each day with the highest scores, as many as people can look at."""
    ranked = tested.sort_values("score", ascending=False)
    return ranked.groupby(ranked["ordered_at"].dt.normalize()).head(ALERTS_A_DAY)


def by_kind(bank: rarecase.Dataset, tested: pd.DataFrame) -> None:
    """Average precision against the honest orders, and what the alerts find, kind by kind."""
    kinds = bank.frame("cases").set_index("case_id")["kind"]
    raised = tested.index.isin(alerts(tested).index)
    tested = tested.assign(kind=tested["case_id"].map(kinds), raised=raised)
    print(f"\n{'by kind':20s} orders  cases   average    orders  cases   money")
    print(f"{'':35s}  precision   found  found   found")
    for kind, taken in tested.dropna(subset="kind").groupby("kind", observed=True):
        either = tested[~tested["is_fraud"] | (tested["kind"] == kind)]
        precision = average_precision_score(either["is_fraud"], either["score"])
        cases, seen = taken["case_id"].nunique(), taken[taken["raised"]]
        print(
            f"{kind:20s} {len(taken):6d} {cases:6d} {precision:11.2f} {len(seen) / len(taken):7.0%}"
            f" {seen['case_id'].nunique() / cases:6.0%} {seen['amount'].sum() / taken['amount'].sum():7.0%}"
        )


def at_natural_rates(bank: rarecase.Dataset, tested: pd.DataFrame) -> None:
    """Average precision if frauds were as rare as in nature: each customer weighs what `weights` says."""
    weight = tested["customer_id"].map(bank.frame("weights").set_index("row_id")["weight"]).astype(float)
    precision = average_precision_score(tested["is_fraud"], tested["score"], sample_weight=weight)
    base = np.average(tested["is_fraud"], weights=weight)
    print(f"\nat natural rates: average precision {precision:.2f}, base rate {base:.4%}")


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
