"""Statements of the Berka data and of a world like it, and the same figures of both.

The file (PKDD'99 Discovery Challenge: Berka, Sochorová) is a Czech bank's, 1993-01 to 1994-03. Accounts with
even numbers are the half from which parameters may be chosen, those with odd ones the half that judges.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rarecase.common.dataset import Dataset

#: What moves the balance of an account, as the bank of the file tells it.
KINDS = ("in", "out", "deposit", "withdrawal", "interest", "fee", "penalty")
SIGNS = {"in": 1, "out": -1, "deposit": 1, "withdrawal": -1, "interest": 1, "fee": -1, "penalty": -1}
BY_BANK = ("interest", "fee", "penalty")
#: Accounts with fewer entries say little of their rhythm.
_LEAST_ENTRIES = 20


def real(folder: Path, odd: bool) -> pd.DataFrame:
    """Statements of half of the accounts of the file: account, date, kind, amount and balance in CZK."""
    rows = pd.read_csv(folder / "trans_half.asc.gz", sep=";", dtype={"bank": str, "account": str})
    rows = rows[rows["account_id"] % 2 == int(odd)]
    why, how = rows["k_symbol"].fillna("").str.strip(), rows["operation"].fillna("")
    kind = np.select(
        [
            why == "UROK",
            why == "SANKC. UROK",
            why == "SLUZBY",
            how == "PREVOD Z UCTU",
            how == "PREVOD NA UCET",
            how == "VKLAD",
            how.str.startswith("VYBER"),
        ],
        ["interest", "penalty", "fee", "in", "out", "deposit", "withdrawal"],
        "unknown",
    )
    return pd.DataFrame(
        {
            "account": rows["account_id"],
            "date": pd.to_datetime("19" + rows["date"].astype(str)),
            "kind": kind,
            "amount": rows["amount"],
            "balance": rows["balance"],
        }
    ).reset_index(drop=True)


def made(dataset: Dataset) -> pd.DataFrame:
    """Statements of the current accounts of a world's customers, like those of the file."""
    return (
        dataset.connect()
        .execute(
            """
            SELECT e.account_id AS account, date_trunc('day', e.booked_at) AS date,
                CASE e.payment_type::VARCHAR
                    WHEN 'cash_deposit' THEN 'deposit' WHEN 'cash_withdrawal' THEN 'withdrawal'
                    WHEN 'fee' THEN 'fee'
                    WHEN 'interest' THEN CASE WHEN e.amount_minor > 0 THEN 'interest' ELSE 'penalty' END
                    ELSE CASE WHEN e.amount_minor > 0 THEN 'in' ELSE 'out' END END AS kind,
                abs(e.amount_minor) / 100 AS amount, e.balance_minor / 100 AS balance
            FROM entries e JOIN accounts a ON a.account_id = e.account_id
            WHERE a.kind::VARCHAR = 'current' AND a.customer_id IS NOT NULL
            ORDER BY e.account_id, e.entry_number
            """
        )
        .df()
    )


def figures(rows: pd.DataFrame) -> dict[str, float]:
    """All figures of some statements, by name."""
    month = rows["date"].dt.to_period("M")
    by_month = rows.groupby([rows["account"], month]).size()
    found = {"entries per account-month": by_month.mean(), "their standard deviation": by_month.std()}
    for kind in KINDS[:-1]:
        found[f"{kind}, per account-month"] = (rows["kind"] == kind).sum() / by_month.size
    found["recurring share"] = _recurring(rows.assign(month=month))
    found["burstiness, median"] = _burstiness(rows)
    # The published shares of days fit the file only without interest.
    day = rows.loc[rows["kind"] != "interest", "date"].dt.day
    days = day.value_counts(normalize=True).reindex(range(1, 32), fill_value=0.0)
    found["days 5 to 14"] = days.loc[5:14].sum()
    found["days 15 to 27"] = days.loc[15:27].sum()
    found["days 28 to 31"] = days.loc[28:31].sum()
    found["the 31st"] = days.loc[31]
    people = rows[~rows["kind"].isin(BY_BANK)]
    dues = rows[rows["kind"].isin(("in", "out"))]
    found["transfers on days 5 to 14"] = dues["date"].dt.day.between(5, 14).mean()
    weekdays = rows["date"].dt.day_of_week.value_counts(normalize=True).reindex(range(7), fill_value=0.0)
    found["busiest weekday"], found["quietest weekday"] = weekdays.max(), weekdays.min()
    found["Benford MAD"] = _benford(people["amount"])
    for kind in KINDS[:4]:
        size = np.log(rows.loc[rows["kind"] == kind, "amount"])
        found[f"{kind}, mean of ln"], found[f"{kind}, sd of ln"] = size.mean(), size.std()
    for kind in ("deposit", "withdrawal"):
        found[f"{kind}, whole hundreds"] = _hundreds(rows[rows["kind"] == kind])
    found["withdrawal or fee, whole hundreds"] = _hundreds(rows[rows["kind"].isin(("withdrawal", "fee"))])
    paid = rows[(rows["kind"] == "interest") & (rows["balance"] > 0)]
    found["interest / balance, median"] = (paid["amount"] / paid["balance"]).median()
    fees = rows.loc[rows["kind"] == "fee", "amount"]
    found["fee, median"] = fees.median()
    found["fee, share of the commonest"] = fees.value_counts(normalize=True).max()
    found["balance, median"] = rows.groupby("account")["balance"].median().median()
    found["negative balances"] = (rows["balance"] < 0).mean()
    found["balance continuity"] = _continuity(rows)
    return {name: float(value) for name, value in found.items()}


def _hundreds(rows: pd.DataFrame) -> float:
    return float((np.rint(rows["amount"] * 100) % 10_000 == 0).mean())


def _recurring(rows: pd.DataFrame) -> float:
    """Share of entries whose account, kind and amount are found in three months or more."""
    same = rows.groupby(["account", "kind", "amount"])["month"].agg(["nunique", "size"])
    return float(same.loc[same["nunique"] >= 3, "size"].sum() / len(rows))


def _burstiness(rows: pd.DataFrame) -> float:
    """Median over accounts of (sd − mean) / (sd + mean) of whole days between entries."""
    ranked = rows.sort_values(["account", "date"], kind="stable")
    gap = ranked.groupby("account")["date"].diff().dt.days
    law = gap.groupby(ranked["account"]).agg(["mean", "std", "size"])
    law = law[law["size"] >= _LEAST_ENTRIES]
    return float(((law["std"] - law["mean"]) / (law["std"] + law["mean"])).median())


def _benford(amount: pd.Series) -> float:
    size = amount.to_numpy()
    first = np.floor(size / 10.0 ** np.floor(np.log10(size)) + 1e-9)
    shares = np.bincount(first.astype(np.int64), minlength=10)[1:10] / size.size
    return float(np.abs(shares - np.log10(1 + 1 / np.arange(1, 10))).mean())


def _continuity(rows: pd.DataFrame) -> float:
    """Share of account-days whose entries lead from a balance of the day before to one of the day.

    The file has no order within a day, so any balance of a day may be its last; its amounts are rounded to
    ten hundredths, and so half a unit is forgiven.
    """
    minor = np.rint(rows["balance"] * 100).astype(np.int64)
    moved = np.rint(rows["amount"] * 100).astype(np.int64) * rows["kind"].map(SIGNS)
    keys = [rows["account"], rows["date"]]
    net = moved.groupby(keys).sum()
    number = pd.Series(net.groupby(level=0).cumcount(), index=net.index)
    days = pd.DataFrame({"net": net, "number": number}).reset_index()
    held = rows[["account", "date"]].assign(balance=minor).drop_duplicates()
    held = held.merge(days, on=["account", "date"])
    before = held[["account", "number", "balance"]].assign(number=held["number"] + 1)
    pairs = held.merge(before, on=["account", "number"], suffixes=("", "_before"))
    fits = (pairs["balance"] - pairs["balance_before"] - pairs["net"]).abs() <= 50
    return float(fits.groupby([pairs["account"], pairs["number"]]).any().mean())
