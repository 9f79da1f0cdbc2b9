"""Do hard cases give themselves away? Single columns and shallow trees, kind by kind.

python tools/leaks.py [--cases 120] [--levels 0.5 1] [-o docs/studies]

Within a payment type, the rows of the table transactions that a kind ordered are set against ordinary ones. A
single column is scored by the leak test of `validate` (AUC over cases); a decision tree of depth 4 sees all
columns that a row has by itself and is judged on cases that it has not seen. Only rows that were ordered
before anybody knew of the case count, for a recall or a compensation follows from being found. What a kind's
definition says tells it apart (`reveals`) is left out of both, and so are derived columns.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.evaluate.leaks import leak_scores
from rarecase.finance import DOMAIN

ROOT = Path(__file__).resolve().parent.parent
_FEWEST, _ORDINARY, _DEPTH, _FOLDS = 60, 200_000, 4, 3
_WORDS = (
    "channel", "purpose", "mcc", "entry_mode", "authentication", "three_ds", "payee_check", "currency",
    "credited_currency",
)  # fmt: skip


def main() -> int:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--size", type=int, default=60_000)
    parser.add_argument("--levels", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "studies")
    options = parser.parse_args()
    kinds = [name for name, kind in DOMAIN.kinds().items() if kind.is_case]
    columns = {level: of_level(level, kinds, options) for level in options.levels}
    page = "\n".join(told(kinds, columns, options))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "leaks.md").write_text(page)
    print(page)
    return 0


def of_level(level: float, kinds: list[str], options: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """The best column and the best tree of each kind at a difficulty, told."""
    made = rarecase.generate(
        {
            "domain": "finance",
            "size": options.size,
            "block": 2_000,
            "days": 90,
            "cases": [{"kind": kind, "count": options.cases, "difficulty": level} for kind in kinds],
        }
    )
    print(f"difficulty {level}: {made.table('transactions').num_rows:,} payments", file=sys.stderr)
    single: dict[str, tuple[float, str]] = defaultdict(lambda: (0.0, "too few rows"))
    for score in leak_scores(made):
        if score.table == "transactions" and score.cases >= 40 and score.auc > single[score.kind][0]:
            single[score.kind] = (score.auc, f"{score.auc:.2f} {score.feature}")
    trees = of_trees(made, kinds)
    return {kind: (single[kind][1], trees.get(kind, "too few rows")) for kind in kinds}


def of_trees(made: Dataset, kinds: list[str]) -> dict[str, str]:
    """The payment type in which a tree finds each kind best, and how well."""
    rows = frame(made)
    best: dict[str, tuple[float, str]] = {}
    rng = np.random.default_rng(7)
    for payment_type, within in rows.groupby("payment_type", observed=True):
        ordinary = within[within["kind"] == ""]
        if len(ordinary) > _ORDINARY:
            ordinary = ordinary.sample(_ORDINARY, random_state=7)
        for kind in kinds:
            own = within[within["kind"] == kind]
            if len(own) < _FEWEST or own["case_id"].nunique() < 40:
                continue
            hidden = {name.split(".")[1] for name in DOMAIN.kinds()[kind].reveals if "transactions." in name}
            used = [name for name in rows.columns if name not in ("payment_type", "kind", "case_id")]
            used = [name for name in used if name.split("__")[0] not in hidden]
            found = score_of(ordinary, own, used, rng)
            if found > best.get(kind, (0.0, ""))[0]:
                best[kind] = (found, f"{found:.2f} {payment_type}")
    return {kind: text for kind, (_, text) in best.items()}


def frame(made: Dataset) -> pd.DataFrame:
    """What a row has by itself, as numbers, with its kind and case ("" and 0 for ordinary ones)."""
    table = made.table("transactions").to_pandas()
    labels = made.table("labels").to_pandas()
    own = labels["table_name"].eq("transactions") & labels["effect"].eq("created")
    marks = labels[own].drop_duplicates("row_id").set_index("row_id")
    when, amount = table["ordered_at"], table["amount_minor"]
    columns: dict[str, Any] = {
        "payment_type": table["payment_type"],
        "amount_minor": amount,
        "amount_minor__5": amount % 500 == 0,
        "amount_minor__10": amount % 1_000 == 0,
        "amount_minor__100": amount % 10_000 == 0,
        "ordered_at__hour": when.dt.hour + when.dt.minute / 60,
        "ordered_at__weekday": when.dt.day_of_week,
        "ordered_at__day": when.dt.day,
        "ordered_at__date": (when - when.min()).dt.days,
        "booked_at__lag": (table["booked_at"] - when).dt.total_seconds(),
        "payer_place": table["payer_place"],
        "payee_place__away": (table["payee_place"] - table["payer_place"]) % made.spec.parts,
        "is_remote": table["is_remote"],
        "device_id__given": table["device_id"].notna(),
        "ip_id__given": table["ip_id"].notna(),
        **{name: table[name].cat.codes for name in _WORDS},
    }
    rows = pd.DataFrame(columns)
    kind = table["transaction_id"].map(marks["kind"].astype(str))
    look_alikes = {name for name, each in DOMAIN.kinds().items() if not each.is_case}
    rows["kind"] = kind.fillna("").to_numpy()
    case = table["transaction_id"].map(marks["case_id"])
    cases = made.table("cases").to_pandas().set_index("case_id")
    known = case.map(cases[["reported_at", "detected_at"]].min(axis=1))
    rows["case_id"] = case.fillna(0).astype("int64").to_numpy()
    late = (known.notna() & (when >= known)).to_numpy()
    return rows[~rows["kind"].isin(look_alikes) & ~late]


def score_of(ordinary: pd.DataFrame, own: pd.DataFrame, used: list[str], rng: np.random.Generator) -> float:
    """Mean AUC over folds by case; ordinary rows are split by chance."""
    cases = own["case_id"].unique()
    fold_of = dict(zip(cases.tolist(), rng.integers(0, _FOLDS, cases.size).tolist(), strict=True))
    fold = np.concatenate([own["case_id"].map(fold_of), rng.integers(0, _FOLDS, len(ordinary))])
    rows = np.concatenate([own[used].to_numpy(np.float32), ordinary[used].to_numpy(np.float32)])
    guilty = np.arange(len(rows)) < len(own)
    scores = []
    for test in range(_FOLDS):
        tree = DecisionTreeClassifier(
            max_depth=_DEPTH, min_samples_leaf=20, class_weight="balanced", random_state=7
        )
        tree.fit(rows[fold != test], guilty[fold != test])
        if guilty[fold == test].any():
            found = tree.predict_proba(rows[fold == test])[:, 1]
            scores.append(roc_auc_score(guilty[fold == test], found))
    return float(np.mean(scores))


def told(
    kinds: list[str], columns: dict[float, dict[str, tuple[str, str]]], options: argparse.Namespace
) -> list[str]:
    """The page of the study."""
    heads = [f"{what}, {level:g}" for level in columns for what in ("column", "tree")]
    lines = ["# Leaks", "", (__doc__ or "").split("\n\n", 2)[2].strip(), ""]
    lines += [
        f"{options.cases} cases of each kind among {options.size:,} customers over 90 days, one world per "
        "difficulty. Limits: 0.75 for a column, 0.80 for a tree; with so many kinds the best of many scores "
        "lies some hundredths above its true value.",
        "",
        "| kind | " + " | ".join(heads) + " |",
        "| --- |" + " --- |" * len(heads),
    ]
    for kind in sorted(kinds):
        cells = [cell for found in columns.values() for cell in found[kind]]
        lines.append(f"| `{kind}` | " + " | ".join(cells) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    raise SystemExit(main())
