"""How hard is hard: a fraud model's average precision over difficulty.

python tools/difficulty.py [--seeds 5] [--cases 400] [--levels 0 0.25 0.5 0.75 1] [-o docs/studies]

For every seed and difficulty one world is made in which the payments that cases ordered are 0.1 % of all. A
gradient-boosted model is trained on the first 60 % of the days and judged on the last 30 %, once with what a
row of the table transactions says by itself, and once with features of device, payee, history and graph, all
of which look back only. Ordinary rows are thinned for training, never for judging.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rarecase
from rarecase.common.compiled import compiled
from rarecase.common.dataset import Dataset
from rarecase.common.tables import codes_of

ROOT = Path(__file__).resolve().parent.parent
#: Kinds whose payments a payment desk would want to stop, and how many of a hundred cases each has.
MIX = {"account_takeover": 35, "card_not_present": 30, "app_impersonation": 20, "app_invoice": 15}
#: Roles of the payments that are to be found: the crime itself, not what follows from it.
SOUGHT = ("drain", "purchase", "scam")
PREVALENCE = 0.001
DAYS, TRAIN_UNTIL, TEST_FROM = 90, 54, 63
_KEEP_ONE_IN = 20
_WORDS = (
    "payment_type", "channel", "purpose", "mcc", "entry_mode", "authentication", "three_ds", "payee_check",
    "currency", "credited_currency",
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """Payments of a world in order of their moment: features by name, whether sought, and the day of each."""

    plain: dict[str, NDArray[np.float32]]
    richer: dict[str, NDArray[np.float32]]
    sought: NDArray[np.bool_]
    day: NDArray[np.int64]


def main() -> int:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--levels", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 1.0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "studies")
    options = parser.parse_args()
    results = []
    for seed in range(1, options.seeds + 1):
        for level in options.levels:
            found = one(seed, level, options.cases)
            results.append(found)
            print(json.dumps(found), file=sys.stderr, flush=True)
    page = "\n".join(told(results, options))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "difficulty.json").write_text(json.dumps(results, indent=1) + "\n")
    (options.output / "difficulty.md").write_text(page)
    (options.output / "difficulty.svg").write_text(curves(results, options.levels))
    print(page)
    return 0


def one(seed: int, level: float, cases: int) -> dict[str, Any]:
    """Both average precisions of one world."""
    world = rarecase.generate(spec(seed, level, cases))
    rows = rows_of(world)
    found: dict[str, Any] = {
        "seed": seed,
        "difficulty": level,
        "cases": world.table("cases").num_rows,
        "payments": int(rows.sought.size),
        "prevalence": float(rows.sought.mean()),
    }
    found["plain"] = judged(rows, rows.plain)
    found["richer"] = judged(rows, {**rows.plain, **rows.richer})
    return found


def spec(seed: int, level: float, cases: int) -> dict[str, Any]:
    """A world in which the sought payments are about one in a thousand."""
    each = 3.6  # sought payments of a case, on average over the mix
    per_customer = 79.0  # payments of a customer in 90 days
    size = int(cases * each / PREVALENCE / per_customer)
    kinds = [
        {"kind": kind, "count": round(cases * share / 100), "difficulty": level}
        for kind, share in MIX.items()
    ]
    return {"domain": "finance", "seed": seed, "size": size, "block": 2_000, "days": DAYS, "cases": kinds}


def rows_of(world: Dataset) -> Rows:
    """Features of every payment of a customer."""
    table = world.table("transactions")
    moment = table.column("ordered_at").to_numpy().astype("datetime64[s]").astype(np.int64)
    order = np.argsort(moment, kind="stable")
    table, moment = table.take(order), moment[order]
    start = int(np.datetime64(world.spec.start, "s").astype(np.int64))
    labels = world.table("labels").to_pandas()
    wanted = labels["table_name"].eq("transactions") & labels["effect"].eq("created")
    wanted &= labels["role"].isin(SOUGHT)
    ids = table.column("transaction_id").to_numpy()
    sought = np.isin(ids, labels.loc[wanted, "row_id"].to_numpy(dtype=np.int64))
    plain = _plain(table, moment)
    richer = _richer(table, moment, plain["amount"].astype(np.float64))
    return Rows(plain, richer, sought, (moment - start) // 86_400)


def _plain(table: Any, moment: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """What a row says by itself; neither age of device nor of payee."""
    amount = table.column("amount_minor").to_numpy().astype(np.float64)
    found = {
        "amount": amount,
        "round_5": amount % 500 == 0,
        "round_100": amount % 10_000 == 0,
        "hour": moment // 3_600 % 24,
        "minute": moment // 60 % 60,
        "weekday": (moment // 86_400 + 3) % 7,
        "day": moment // 86_400 % 31,
        "same_place": table.column("payer_place").to_numpy() == table.column("payee_place").to_numpy(),
        "distance": np.abs(table.column("payer_place").to_numpy() - table.column("payee_place").to_numpy()),
        "is_remote": table.column("is_remote").to_numpy(),
        "lag": (table.column("booked_at").to_numpy() - table.column("ordered_at").to_numpy()).astype(
            np.int64
        ),
        **{name: codes_of(table.column(name))[0] for name in _WORDS},
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _richer(
    table: Any, moment: NDArray[np.int64], amount: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """What device, payee, history and graph say, from earlier rows alone."""
    payer, payee, seller, device, ip = (
        np.unique(table.column(name).fill_null(0).to_numpy(), return_inverse=True)[1].astype(np.int64)
        for name in ("payer_account_id", "payee_account_id", "merchant_id", "device_id", "ip_id")
    )
    both = np.unique(np.concatenate([payer, payee]), return_inverse=True)[1].astype(np.int64)
    accounts = np.unique(
        np.concatenate([table.column(n).to_numpy() for n in ("payer_account_id", "payee_account_id")]),
        return_inverse=True,
    )[1].astype(np.int64)
    source, target = accounts[: payer.size], accounts[payer.size :]
    pair = np.unique(source * (accounts.max() + 1) + target, return_inverse=True)[1].astype(np.int64)
    owner_ip = np.unique(source * (ip.max() + 1) + ip, return_inverse=True)[1].astype(np.int64)
    del both, seller, device
    out = np.zeros((11, payer.size), np.float64)
    _look_back(moment, amount, source, target, pair, owner_ip, int(accounts.max()) + 1, out)
    names = (
        "paid_hour", "paid_day", "paid_week", "amount_to_mean", "pair_before", "address_before",
        "came_in_day", "of_what_came", "payee_payers_week", "payee_passed_on", "since_last",
    )  # fmt: skip
    found = {name: out[k].astype(np.float32) for k, name in enumerate(names)}
    for name in ("device_age_days", "payee_age_days"):
        found[name] = table.column(name).fill_null(-1).to_numpy().astype(np.float32)
    return found


@compiled
def _look_back(
    moment: NDArray[np.int64],
    amount: NDArray[np.float64],
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    pair: NDArray[np.int64],
    owner_ip: NDArray[np.int64],
    accounts: int,
    out: NDArray[np.float64],
) -> None:
    seen_pair, seen_ip = np.zeros(pair.max() + 1, np.int64), np.zeros(owner_ip.max() + 1, np.int64)
    last, number, total = np.full(accounts, -1), np.zeros(accounts), np.zeros(accounts)
    # Sums that fade by half in an hour, a day, a week stand for windows of such length.
    hour, day, week = np.zeros(accounts), np.zeros(accounts), np.zeros(accounts)
    came, came_at = np.zeros(accounts), np.zeros(accounts)
    new_payers, new_at = np.zeros(accounts), np.zeros(accounts)
    passed = np.zeros(accounts)
    for i in range(moment.size):
        a, b, t = source[i], target[i], float(moment[i])
        gap = t - last[a] if last[a] >= 0 else 1e7
        hour[a] *= 0.5 ** (gap / 3_600.0)
        day[a] *= 0.5 ** (gap / 86_400.0)
        week[a] *= 0.5 ** (gap / 604_800.0)
        inflow = came[a] * 0.5 ** ((t - came_at[a]) / 86_400.0)
        out[0, i], out[1, i], out[2, i] = hour[a], day[a], week[a]
        out[3, i] = amount[i] * number[a] / total[a] if total[a] > 0 else 0.0
        out[4, i], out[5, i] = seen_pair[pair[i]], seen_ip[owner_ip[i]]
        out[6, i] = inflow
        out[7, i] = amount[i] / inflow if inflow > 1.0 else 0.0
        out[8, i] = new_payers[b] * 0.5 ** ((t - new_at[b]) / 604_800.0)
        out[9, i] = passed[b]
        out[10, i] = gap
        hour[a] += 1.0
        day[a] += 1.0
        week[a] += 1.0
        number[a] += 1.0
        total[a] += amount[i]
        last[a] = moment[i]
        # How much of what lately came in does an account pass on at once?
        share = min(amount[i] / inflow, 1.0) if inflow > 1.0 else 0.0
        passed[a] = 0.7 * passed[a] + 0.3 * share
        came[b] = came[b] * 0.5 ** ((t - came_at[b]) / 86_400.0) + amount[i]
        came_at[b] = t
        if seen_pair[pair[i]] == 0:
            new_payers[b] = new_payers[b] * 0.5 ** ((t - new_at[b]) / 604_800.0) + 1.0
            new_at[b] = t
        seen_pair[pair[i]] += 1
        seen_ip[owner_ip[i]] += 1


def judged(rows: Rows, features: dict[str, NDArray[np.float32]]) -> float:
    """Average precision on the last days of a model that saw the first ones."""
    import lightgbm
    from sklearn.metrics import average_precision_score

    early, late = np.flatnonzero(rows.day < TRAIN_UNTIL), np.flatnonzero(rows.day >= TEST_FROM)
    kept = early[rows.sought[early] | (np.arange(early.size) % _KEEP_ONE_IN == 0)]
    weight = np.where(rows.sought[kept], 1.0, _KEEP_ONE_IN)

    def table(at: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.column_stack([values[at] for values in features.values()])

    model = lightgbm.LGBMClassifier(
        n_estimators=150, learning_rate=0.08, num_leaves=63, min_child_samples=60, subsample=0.8,
        subsample_freq=1, colsample_bytree=0.7, reg_lambda=5.0, random_state=7, n_jobs=2, verbose=-1,
        deterministic=True, force_row_wise=True,
    )  # fmt: skip
    model.fit(table(kept), rows.sought[kept], sample_weight=weight)
    score = model.predict_proba(table(late))[:, 1]
    return float(average_precision_score(rows.sought[late], score))


def told(results: list[dict[str, Any]], options: argparse.Namespace) -> list[str]:
    """The page of the study."""
    lines = ["# Difficulty", "", (__doc__ or "").split("\n\n", 2)[2].strip(), ""]
    mix = ", ".join(f"{kind} {share} %" for kind, share in MIX.items())
    prevalence = np.mean([found["prevalence"] for found in results])
    lines += [
        f"Cases: {mix}; {options.cases:,} a world, {options.seeds} seeds; "
        f"sought payments are {prevalence:.2%} of all.",
        "Intervals are mean ± 2.78 standard errors (Student's t for five seeds, 95 %).",
        "",
        "![Average precision falls over difficulty](difficulty.svg)",
        "",
        "| difficulty | payments | transactions alone | with device, payee, history, graph |",
        "| --- | --- | --- | --- |",
    ]
    for level in options.levels:
        here = [found for found in results if found["difficulty"] == level]
        payments = sum(found["payments"] for found in here)
        lines.append(f"| {level} | {payments:,} | {_interval(here, 'plain')} | {_interval(here, 'richer')} |")
    return [*lines, ""]


def curves(results: list[dict[str, Any]], levels: list[float]) -> str:
    """Both average precisions over difficulty with their intervals, as an SVG."""
    left, top, wide, high = 60, 20, 480, 260

    def at(level: float, value: float) -> tuple[float, float]:
        return left + wide * level, top + high * (1 - value)

    drawn = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        (x, _), (_, y) = at(tick, 0), at(0, tick)
        drawn.append(f'<path d="M{left} {y:g}h{wide}" stroke="#ddd"/>')
        drawn.append(f'<text x="{left - 8}" y="{y + 4:g}" text-anchor="end">{tick:g}</text>')
        drawn.append(f'<text x="{x:g}" y="{top + high + 18}" text-anchor="middle">{tick:g}</text>')
    for name, words, colour in (
        ("plain", "transactions alone", "#b3541e"),
        ("richer", "with device, payee, history, graph", "#1f5f8b"),
    ):
        line = []
        for level in levels:
            mean, half = _mean(np.array([each[name] for each in results if each["difficulty"] == level]))
            x, y = at(level, mean)
            line.append(f"{x:g},{y:.1f}")
            drawn.append(
                f'<path d="M{x:g} {at(0, min(mean + half, 1))[1]:.1f}V{at(0, max(mean - half, 0))[1]:.1f}" '
                f'stroke="{colour}" stroke-width="3" opacity="0.4"/>'
            )
        drawn.append(f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(0.35, 0.42 if name == "plain" else 0.98)
        drawn.append(f'<text x="{x:g}" y="{y:g}" fill="{colour}">{words}</text>')
    drawn.append(
        f'<text x="{left + wide / 2:g}" y="{top + high + 40}" text-anchor="middle">difficulty</text>'
    )
    turned = f'transform="translate(16 {top + high / 2:g}) rotate(-90)" text-anchor="middle"'
    drawn.append(f"<text {turned}>average precision</text>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + wide + 30} {top + high + 55}" '
        'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean of some seeds, and half the width of its interval."""
    half = 2.776 * values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else 0.0
    return float(values.mean()), float(half)


def _interval(results: list[dict[str, Any]], name: str) -> str:
    mean, half = _mean(np.array([found[name] for found in results]))
    return f"{mean:.3f} ± {half:.3f}" if len(results) > 1 else f"{mean:.3f}"


if __name__ == "__main__":
    raise SystemExit(main())
