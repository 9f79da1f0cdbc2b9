"""Train a model that finds drained accounts on what the bank knew then, and test it on later weeks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import rarecase

try:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import average_precision_score
except ModuleNotFoundError:
    sys.exit("This example needs scikit-learn. In the clone: .venv/bin/pip install -e '.[evaluate]'")

HERE = Path(__file__).parent
PLAIN = ["amount", "hour", "weekday", "mobile"]
PAST = ["payer_gap_h", "amount_to_usual", "new_payee", "payees_24h", "sent_24h", "device_age_d"]


def transfers(dataset: rarecase.Dataset) -> pd.DataFrame:
    """Transfers with their cases, in order of time, and how old the device was."""
    rows = dataset.frame("transactions", labels=True)
    rows = rows[rows["payment_type"] == "transfer"].sort_values(["booked_at", "transaction_id"])
    cases = dataset.frame("cases").query("is_case").set_index("case_id")["entity_id"]
    owner = dataset.frame("accounts").set_index("account_id")["customer_id"]
    payers = rows["payer_account_id"].map(owner)
    # What mules send on belongs to the case too, but it is not this desk's customer who is robbed.
    rows["case_id"] = [
        next((case for case in ids if cases.get(case) == payer), None)
        for ids, payer in zip(rows["case_ids"], payers, strict=True)
    ]
    rows["is_fraud"] = rows["case_id"].notna()
    first_seen = dataset.frame("devices").set_index("device_id")["first_seen_at"]
    age = rows["booked_at"] - rows["device_id"].map(first_seen)
    rows["device_age_d"] = age.dt.total_seconds() / 86_400
    return rows.reset_index(drop=True)


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """What a payment desk can compute from the past of a payer alone."""
    payer = rows.groupby("payer_account_id")
    made = pd.DataFrame(
        {
            "amount": rows["amount_minor"] / 100,
            "hour": rows["booked_at"].dt.hour,
            "weekday": rows["booked_at"].dt.day_of_week,
            "mobile": (rows["channel"] == "mobile").astype(int),
            "payer_gap_h": payer["booked_at"].diff().dt.total_seconds() / 3_600,
            "new_payee": ~rows.duplicated(["payer_account_id", "payee_account_id"]),
            "device_age_d": rows["device_age_d"],
        }
    )
    usual = payer["amount_minor"].transform(lambda past: past.shift().expanding().median())
    made["amount_to_usual"] = rows["amount_minor"] / usual
    timed = rows.assign(new=made["new_payee"].astype(float)).set_index("booked_at")
    day = timed.groupby("payer_account_id")[["amount_minor", "new"]].rolling("24h").sum()
    day = day.reset_index(drop=True).set_axis(payer_order(rows)).sort_index()
    made["sent_24h"], made["payees_24h"] = day["amount_minor"] / 100, day["new"]
    return made


def payer_order(rows: pd.DataFrame) -> np.ndarray:
    """Row numbers in the order in which pandas rolls over groups."""
    return np.concatenate(list(rows.groupby("payer_account_id").indices.values()))


def main() -> None:
    """Make the data, train on the first weeks, test on the last ones."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, help="customers, to make it smaller")
    size = options.parse_args().size
    spec = rarecase.load_spec(HERE / "spec.yaml").model_dump(mode="json")
    if size:
        share = size / spec["size"]
        spec |= {
            "size": size,
            "cases": [{**case, "count": int(case["count"] * share)} for case in spec["cases"]],
        }
    dataset = rarecase.generate(spec)
    rows = transfers(dataset)
    made = features(rows)
    end = pd.Timestamp(dataset.spec.start) + pd.Timedelta(days=dataset.spec.days)
    split = end - pd.Timedelta(days=40)
    # A case belongs to the test only if all of it is later; its label is known in time only if it was found.
    began = rows.groupby("case_id")["booked_at"].transform("min")
    cases = dataset.frame("cases").set_index("case_id")
    found = rows["case_id"].map(cases[["reported_at", "detected_at"]].min(axis=1))
    known = rows["is_fraud"] & (found < split)
    train = (rows["booked_at"] < split) & ~(rows["is_fraud"] & ~known)
    test = (rows["booked_at"] >= split) & ~(began < split)
    cases_n = rows["case_id"].nunique()
    print(f"{len(rows):,} transfers, {rows['is_fraud'].sum():,} of them fraud in {cases_n} cases")
    print(f"train {train.sum():,} (fraud known in time: {known.sum()}), test {test.sum():,}")
    for name, columns in (("amount and hour", PLAIN), ("and the payer's past", PLAIN + PAST)):
        model = HistGradientBoostingClassifier(random_state=0, max_iter=150, learning_rate=0.06)
        model.fit(made.loc[train, columns], known[train])
        score = model.predict_proba(made.loc[test, columns])[:, 1]
        report(name, rows[test], score)


def report(name: str, rows: pd.DataFrame, score: np.ndarray) -> None:
    """Average precision, and the share of cases that 20 alerts a day find."""
    days = rows["booked_at"].dt.date.nunique()
    alerts = rows.iloc[np.argsort(-score)[: 20 * days]]
    caught = alerts["case_id"].dropna().nunique() / max(rows["case_id"].nunique(), 1)
    precision = average_precision_score(rows["is_fraud"], score)
    base = rows["is_fraud"].mean()
    print(f"{name:20s} average precision {precision:.2f}, base {base:.3f}; 20 alerts a day find {caught:.0%}")


if __name__ == "__main__":
    main()
