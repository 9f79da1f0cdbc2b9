"""Do hard cases give themselves away? Single columns and shallow trees, kind by kind.

python tools/leaks.py [--cases 120] [--seeds 3] [--levels 0.5 1] [--kinds ...] [--explain] [-o docs/studies]

Within a payment type, the rows of the table transactions that a kind ordered are set against ordinary ones. A
single column is scored by the features of the leak test of `validate` (AUC over cases); a decision tree of
depth 4 sees all columns that a row has by itself and is judged on cases that it has not seen (AUC over rows).
Only rows that were ordered before anybody knew of the case count, for a recall or a compensation follows from
being found. What a kind's definition says tells it apart (`reveals`) is left out of both, and so are derived
columns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.tree import DecisionTreeClassifier, export_text

import rarecase
from rarecase.common.dataset import Dataset
from rarecase.common.evaluate.features import features_of, order_features
from rarecase.common.evaluate.separation import Contrast, cross_fitted, placements
from rarecase.finance import DOMAIN

ROOT = Path(__file__).resolve().parent.parent
COLUMN, TREE = 0.75, 0.80
_FEWEST_ROWS, _FEWEST_CASES, _DEPTH, _FOLDS = 60, 40, 4, 3
#: Ordinary rows of a payment type that are read of all worlds together: by trees, and by single columns.
_ORDINARY, _ORDINARY_OF_COLUMN = 200_000, 40_000
_WORDS = (
    "channel", "purpose", "mcc", "entry_mode", "authentication", "three_ds", "payee_check", "currency",
    "credited_currency",
)  # fmt: skip
#: Columns of a row that are no columns of the table.
_ABOUT = ("kind", "case", "row")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """An AUC, its standard error over cases and (at most) over ordinary rows, and what reaches it."""

    auc: float
    error: float
    what: str

    def told(self, limit: float) -> str:
        """With half the width of the 95 % interval; bold above the limit."""
        text = f"{self.auc:.2f} ± {1.96 * self.error:.2f}"
        return f"**{text}** {self.what}" if self.auc > limit else f"{text} {self.what}"


def main() -> int:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    known = [name for name, kind in DOMAIN.kinds().items() if kind.is_case]
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--size", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--levels", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--kinds", nargs="+", choices=known, default=known, metavar="KIND")
    parser.add_argument("--explain", action="store_true", help="print all scores and trees, write nothing")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "studies")
    options = parser.parse_args()
    found: dict[float, dict[str, tuple[Score, Score]]] = {}
    for level in options.levels:
        rows = rows_of(level, options)
        if options.explain:
            print(f"# difficulty {level:g}\n")
            for kind in options.kinds:
                print(explained(rows, kind))
        else:
            found[level] = {kind: best_of(rows, kind) for kind in options.kinds}
    if not options.explain:
        page = "\n".join(told(found, options))
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "leaks.md").write_text(page)
        print(page)
    return 0


def rows_of(level: float, options: argparse.Namespace) -> pa.Table:
    """Rows of cases and a sample of the ordinary ones of each payment type, from all worlds of a level."""
    pieces = []
    for seed in range(1, options.seeds + 1):
        made = rarecase.generate(
            {
                "domain": "finance",
                "seed": seed,
                "size": options.size,
                "block": 2_000,
                "days": 90,
                "cases": [{"kind": k, "count": options.cases, "difficulty": level} for k in options.kinds],
            }
        )
        total = made.table("transactions").num_rows
        print(f"difficulty {level:g}, seed {seed}: {total:,} payments", file=sys.stderr)
        pieces.append(sampled(made, seed, _ORDINARY // options.seeds))
    return pa.concat_tables(pieces).unify_dictionaries().combine_chunks()


def sampled(made: Dataset, seed: int, most: int) -> pa.Table:
    """Rows with their kind ("" for ordinary ones), case and place in the table."""
    table = made.table("transactions")
    labels = made.table("labels").to_pandas()
    own = labels["table_name"].eq("transactions") & labels["effect"].eq("created")
    marks = labels[own].drop_duplicates("row_id").set_index("row_id")
    ids, when = (table.column(name).to_pandas() for name in ("transaction_id", "ordered_at"))
    kind, case = ids.map(marks["kind"].astype(str)).fillna(""), ids.map(marks["case_id"])
    cases = made.table("cases").to_pandas().set_index("case_id")
    known = case.map(cases[["reported_at", "detected_at"]].min(axis=1))
    number = case.map(pd.Series(np.arange(len(cases)), cases.index)).fillna(-1).astype("int64")
    late = (known.notna() & (when >= known)).to_numpy()
    case_like = kind.isin([name for name, each in DOMAIN.kinds().items() if each.is_case]).to_numpy()
    ordinary = pd.Series(np.flatnonzero(kind.eq("").to_numpy()))
    types = table.column("payment_type").to_pandas().astype(str).to_numpy()
    rng = np.random.default_rng(seed)
    chosen = [
        rng.choice(group, most, replace=False) if len(group) > most else group.to_numpy()
        for _, group in ordinary.groupby(types[ordinary.to_numpy()])
    ]
    rows = np.concatenate([np.flatnonzero(case_like & ~late), *map(np.sort, chosen)])
    case_of = np.where(number.to_numpy()[rows] < 0, -1, number.to_numpy()[rows] + seed * 1_000_000)
    taken: pa.Table = table.take(pa.array(rows))
    for name, values in (("kind", pa.array(kind.to_numpy()[rows], pa.string())), ("case", pa.array(case_of))):
        taken = taken.append_column(name, values)
    return taken.append_column("row", pa.array(rows))


def types_of(rows: pa.Table, kind: str) -> Iterator[tuple[str, pa.Table, pa.Table]]:
    """Each payment type of which a kind has rows enough, with ordinary rows and the kind's own."""
    kinds, types = (rows.column(name).to_numpy().astype(str) for name in ("kind", "payment_type"))
    case = rows.column("case").to_numpy()
    for payment_type in np.unique(types[kinds == kind]).tolist():
        own = np.flatnonzero((types == payment_type) & (kinds == kind))
        ordinary = np.flatnonzero((types == payment_type) & (kinds == ""))
        if len(own) >= _FEWEST_ROWS and len(np.unique(case[own])) >= _FEWEST_CASES and len(ordinary):
            yield payment_type, rows.take(pa.array(ordinary)), rows.take(pa.array(own))


def best_of(rows: pa.Table, kind: str) -> tuple[Score, Score]:
    """The column and the tree that find a kind best."""
    columns, trees = [Score(0.0, 0.0, "too few rows")], [Score(0.0, 0.0, "too few rows")]
    for payment_type, ordinary, own in types_of(rows, kind):
        columns += of_columns(payment_type, ordinary, own, kind)
        trees.append(of_tree(payment_type, ordinary, own, kind))
    return max(columns, key=lambda score: score.auc), max(trees, key=lambda score: score.auc)


def of_columns(payment_type: str, ordinary: pa.Table, own: pa.Table, kind: str) -> list[Score]:
    """The scores of all features of all columns in a payment type."""
    split = min(ordinary.num_rows, _ORDINARY_OF_COLUMN)
    step = ordinary.num_rows / split
    few = ordinary.take(pa.array((np.arange(split) * step).astype(np.int64)))
    both = pa.concat_tables([few, own]).unify_dictionaries().combine_chunks()
    case = np.unique(own.column("case").to_numpy(), return_inverse=True)[1].astype(np.int64)
    contrast = Contrast(case, np.zeros_like(case), np.zeros(split, np.int64))
    hidden = DOMAIN.kinds()[kind].reveals | {"transactions.payment_type"}
    found = list(order_features(both.column("row").to_numpy(), split))
    names = ["the order of rows"] * len(found)
    for column in DOMAIN.schema["transactions"].columns:
        if f"transactions.{column.name}" not in hidden:
            values = both.column(column.name).combine_chunks()
            plain = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
            features = list(features_of(column, plain, split))
            found += features
            names += [column.name] * len(features)
    scores = []
    for name, feature in zip(names, found, strict=True):
        labelled, others = feature.values[split:], feature.values[:split]
        if feature.encoded:
            placed = cross_fitted(contrast, labelled.astype(np.int64), others.astype(np.int64))
        else:
            placed = placements(
                labelled.astype(np.float64),
                others.astype(np.float64),
                contrast.group,
                contrast.ordinary_group,
            )
        mean = np.bincount(case, placed) / np.bincount(case)
        auc = float(mean.mean())
        auc = auc if feature.encoded else max(auc, 1 - auc)
        error = float(np.sqrt(mean.var(ddof=1) / mean.size + auc * (1 - auc) / split))
        scores.append(Score(auc, error, f"{name} ({feature.name}) within {payment_type}"))
    return scores


def of_tree(payment_type: str, ordinary: pa.Table, own: pa.Table, kind: str) -> Score:
    """AUC over rows of cases in folds that the tree has not seen; ordinary rows are split by chance."""
    frames = [numbers(each, visible(kind)) for each in (own, ordinary)]
    rows, guilty, rng = pd.concat(frames).to_numpy(np.float32), np.arange(sum(map(len, frames))), 7
    guilty = guilty < len(frames[0])
    chance = np.random.default_rng(rng)
    case = np.unique(own.column("case").to_numpy(), return_inverse=True)[1]
    fold = np.concatenate(
        [chance.integers(0, _FOLDS, case.max() + 1)[case], chance.integers(0, _FOLDS, len(frames[1]))]
    )
    placed = np.zeros(len(case))
    for test in range(_FOLDS):
        tree = grown(rows[fold != test], guilty[fold != test])
        score = tree.predict_proba(rows[fold == test])[:, 1]
        mine = guilty[fold == test]
        nowhere = np.zeros(len(mine), np.int64)
        placed[fold[: len(case)] == test] = placements(
            score[mine], score[~mine], nowhere[mine], nowhere[~mine]
        )
    auc = float(placed.mean())
    # Rows of one case resemble each other: what counts are the sums over cases.
    spread = np.bincount(case, placed - auc)
    of_cases = (spread**2).sum() * spread.size / max(spread.size - 1, 1) / len(placed) ** 2
    return Score(auc, float(np.sqrt(of_cases + auc * (1 - auc) / len(frames[1]))), payment_type)


def grown(rows: npt.NDArray[np.float32], guilty: npt.NDArray[np.bool_]) -> DecisionTreeClassifier:
    """A shallow tree to which both sides weigh the same."""
    tree = DecisionTreeClassifier(
        max_depth=_DEPTH, min_samples_leaf=20, class_weight="balanced", random_state=7
    )
    return tree.fit(rows, guilty)


def visible(kind: str) -> frozenset[str]:
    """Columns of transactions that a kind's definition does not name as telling."""
    hidden = {name.split(".")[1] for name in DOMAIN.kinds()[kind].reveals if "transactions." in name}
    return frozenset(DOMAIN.schema["transactions"].names) - hidden


def numbers(rows: pa.Table, seen: frozenset[str]) -> pd.DataFrame:
    """What a row has by itself, as numbers; `a__b` is a trait of the column a."""
    table = rows.to_pandas()
    when, amount = table["ordered_at"], table["amount_minor"]
    columns: dict[str, Any] = {
        "amount_minor": amount,
        "amount_minor__5": amount % 500 == 0,
        "amount_minor__10": amount % 1_000 == 0,
        "amount_minor__100": amount % 10_000 == 0,
        "ordered_at__hour": when.dt.hour + when.dt.minute / 60,
        "ordered_at__weekday": when.dt.day_of_week,
        "ordered_at__day": when.dt.day,
        "ordered_at__date": when.astype("datetime64[us]").astype("int64") // 86_400_000_000 % 100_000,
        "booked_at__lag": (table["booked_at"] - when).dt.total_seconds(),
        "payer_place": table["payer_place"],
        "payee_place__away": (table["payee_place"] - table["payer_place"]) % 30,
        "is_remote": table["is_remote"],
        "device_id__given": table["device_id"].notna(),
        "ip_id__given": table["ip_id"].notna(),
        **{name: table[name].cat.codes for name in _WORDS},
    }
    return pd.DataFrame({name: of for name, of in columns.items() if name.split("__")[0] in seen})


def explained(rows: pa.Table, kind: str) -> str:
    """All scores of a kind worth a look, and the trees behind them."""
    lines = [f"## {kind}"]
    for payment_type, ordinary, own in types_of(rows, kind):
        score = of_tree(payment_type, ordinary, own, kind)
        columns = sorted(of_columns(payment_type, ordinary, own, kind), key=lambda each: -each.auc)[:4]
        lines += [f"{payment_type}: {own.num_rows} rows, tree {score.told(TREE)}"]
        lines += [f"    {each.told(COLUMN)}" for each in columns]
        frames = [numbers(each, visible(kind)) for each in (own, ordinary)]
        both, guilty = pd.concat(frames), np.arange(sum(map(len, frames))) < len(frames[0])
        if score.auc > TREE - 0.03:
            tree = grown(both.to_numpy(np.float32), guilty)
            lines.append(export_text(tree, feature_names=list(both.columns), show_weights=True))
    return "\n".join(lines)


def told(found: dict[float, dict[str, tuple[Score, Score]]], options: argparse.Namespace) -> list[str]:
    """The page of the study."""
    heads = [f"{what}, {level:g}" for level in found for what in ("column", "tree")]
    lines = ["# Leaks", "", (__doc__ or "").split("\n\n", 2)[2].strip(), ""]
    scores = options.seeds * options.cases
    lines += [
        f"{scores} cases of each kind, {options.cases} in each of {options.seeds} worlds of {options.size:,} "
        f"customers over 90 days per difficulty. Each cell is the best of all payment types, and of some 60 "
        f"features in the case of columns; ± is half the width of its 95 % interval, over cases and ordinary "
        f"rows. Limits: {COLUMN:.2f} for a column, {TREE:.2f} for a tree; what is above is bold. The best "
        "of many scores lies a little above its true value.",
        "",
        "| kind | " + " | ".join(heads) + " |",
        "| --- |" + " --- |" * len(heads),
    ]
    for kind in sorted(options.kinds):
        cells = [
            score.told(limit)
            for each in found.values()
            for score, limit in zip(each[kind], (COLUMN, TREE), strict=True)
        ]
        lines.append(f"| `{kind}` | " + " | ".join(cells) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    raise SystemExit(main())
