"""The bank as an agent: rules that watch the accounts of a place, and people who close the alerts.

The engine reads what was booked, ordered and refused, and nothing else: no label, no case, no plan. It
changes nothing. Rules and thresholds are data (`data/rules.csv`); what it cannot see at a place alone, such
as a path through several places, it does not find, as a real one does not.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rarecase.common import tables
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.monitor.book import FRAUD, Book, book
from rarecase.finance.generate.monitor.cards import card_rules, limits
from rarecase.finance.generate.monitor.habits import (
    rapid_movement,
    round_trip,
    salary_diverted,
    strange_wage,
)
from rarecase.finance.generate.monitor.investigate import investigated, score
from rarecase.finance.generate.monitor.orders import single_orders
from rarecase.finance.generate.monitor.raised import Raised, together
from rarecase.finance.generate.monitor.refunds import against_purchases
from rarecase.finance.generate.monitor.refused import merchant_testing, repeated_declines
from rarecase.finance.generate.monitor.seen import Holders, Seen, Sorted, holders, sort
from rarecase.finance.generate.monitor.windows import windows
from rarecase.finance.schema import ALERT_OUTCOMES, CURRENCIES, JURISDICTIONS, RULE_KINDS, SCHEMA

#: Steps of round amounts, and prices beside Germany's above which they are five times as large.
_ROUND_MINOR, _HIGH_PRICES = 10_000, 2.0
#: What the night books between one and five can be read after the load that begins at six.
_NIGHT_S, _LOAD_S = 3_600, 23_400
_READ_AFTER_LOAD = (
    "cheque_velocity",
    "refund_ratio",
    "merchant_disputes",
    "merchant_testing",
    "limit_run_up",
    "card_velocity",
    "impossible_travel",
)


def alert_tables(plan: Plan, part: int, seen: Seen, transaction: Int64) -> dict[str, pa.Table]:
    """The tables alerts and alert_transactions of one place.

    Parameters
    ----------
    plan, part
        The plan and the place's number.
    seen
        What the engine looks at.
    transaction
        Key of each order's payment.
    """
    spec, who = plan.spec, holders(plan.spec.block)
    rules = book(spec, part)
    # Amounts are round in whole hundreds of the currency, and where prices are high in whole 500s.
    sorted_ = sort(seen, who.block, _ROUND_MINOR * (5 if seen.scale > _HIGH_PRICES else 1))
    found = _raised(spec.days, seen, sorted_, rules, who)
    ordinal, when = _dated(plan, seen, rules, found)
    kept = _one_a_day(ordinal, when, spec.days)
    found, ordinal, when = found.take(kept), ordinal[kept], when[kept]
    holder = who.of[found.slot].astype(np.int64)
    closed = investigated(spec.seed, (part << 40) + ordinal, seen, sorted_, who, found, rules, when)
    open_ = closed.second >= spec.days * ground.DAY_S
    closed_us = np.where(open_, 0, closed.second) * ground.SECOND_US
    alert_id = plan.keys.rows("alerts", part, ordinal)
    person = found.slot < who.firms
    customer = part * who.block + np.where(person, holder, 0)
    at = np.array([part])
    alerts = tables.build(
        SCHEMA["alerts"],
        {
            "alert_id": alert_id,
            "rule_id": plan.keys.rows("rules", 0, rules.table_row[found.rule]),
            "account_id": plan.keys.rows("accounts", part, found.slot),
            "customer_id": tables.nulls(plan.keys.entities("customers", customer), ~person),
            "raised_at": tables.timestamps(spec.start, when * ground.SECOND_US),
            "score": score(found.ratio),
            "amount_minor": found.amount,
            "currency": tables.constant(CURRENCIES[int(ground.currency(spec, at)[0])], len(found)),
            "payments": found.payments.astype(np.int32),
            "closed_at": tables.timestamps(spec.start, closed_us, open_),
            "outcome": tables.category(closed.outcome, ALERT_OUTCOMES, open_),
        },
    )
    pairs = tables.build(
        SCHEMA["alert_transactions"],
        {
            "alert_id": alert_id[found.pair_alert],
            "transaction_id": transaction[found.pair_order],
        },
    )
    return {"alerts": alerts, "alert_transactions": pairs}


def rules_table(plan: Plan, part: int) -> pa.Table:
    """The table rules: all of them at part 0, none at the others."""
    if part:
        return tables.empty(SCHEMA["rules"])
    rules = data.rules()
    n = len(rules.rule)
    still = np.isnat(rules.valid_to)
    comparison = np.where(rules.above, 0, 1).astype(np.int8)
    return tables.build(
        SCHEMA["rules"],
        {
            "rule_id": plan.keys.rows("rules", 0, np.arange(n)),
            "rule": tables.worded(np.arange(n), rules.rule),
            "jurisdiction": _worded(rules.jurisdiction, JURISDICTIONS),
            "kind": _worded(rules.kind, RULE_KINDS),
            "threshold_minor": rules.threshold_minor,
            "currency": _worded(rules.currency, CURRENCIES),
            "comparison": tables.category(comparison, ("above", "at_least")),
            "period_days": rules.period_days.astype(np.int16),
            "is_cash_only": rules.is_cash_only,
            "valid_from": rules.valid_from,
            "valid_to": tables.nulls(rules.valid_to, still),
            "rule_source": pa.array(rules.source),
        },
    )


def _raised(days: int, seen: Seen, sorted_: Sorted, rules: Book, who: Holders) -> Raised:
    outside = ground.slots(who.block).first("cash")
    found = windows(seen, sorted_, rules, _incomes(seen, who), outside)
    return together(
        [
            against_purchases(seen, rules, who, found),
            *rapid_movement(sorted_, rules),
            *round_trip(seen, sorted_, rules, outside),
            *salary_diverted(sorted_, rules, days * ground.DAY_S),
            *strange_wage(sorted_, rules),
            *single_orders(seen, rules, who),
            *repeated_declines(seen, rules, who),
            *merchant_testing(seen, rules, who),
            *card_rules(seen, rules, who),
            *limits(seen, sorted_, rules),
        ]
    )


def _dated(plan: Plan, seen: Seen, rules: Book, found: Raised) -> tuple[Int64, Int64]:
    """Ordinal of each alert's key, and the second at which it is raised.

    Fraud rules speak as soon as the last payment can be read; the others in the run of the morning after.
    """
    name = (found.rule << 40) + (found.slot << 26) + found.second % (1 << 26)
    u = keyed_uniform(plan.spec.seed, "alert-time", name)
    day, within = np.divmod(found.second, ground.DAY_S)
    loaded = np.array([rule in _READ_AFTER_LOAD for rule in rules.names])[found.rule]
    loaded &= (within >= _NIGHT_S) & (within < _LOAD_S)
    soon = np.where(loaded, day * ground.DAY_S + _LOAD_S + u * 1_800, found.second + 31 + u * 90)
    morning = (day + 1) * ground.DAY_S + 25_200 + u * 7_200
    when = np.where(rules.family[found.rule] == FRAUD, soon, morning).astype(np.int64)
    width, days = seen.limit.size, plan.spec.days
    # Keys hold an alert per rule, account and day; where they are too narrow, per rule, account and week
    # or month.
    most, room = len(rules.names) * width, 1 << plan.keys.part_row_bits
    fits = [step for step in (1, 7, 30) if most * (days // step + 1) <= room]
    fold = fits[0] if fits else days + 1
    ordinal = (found.rule * width + found.slot) * (days // fold + 1) + when // ground.DAY_S // fold
    return ordinal, when


def _one_a_day(ordinal: Int64, when: Int64, days: int) -> Int64:
    """Positions of the first alert of each key within the data, by time."""
    inside = np.flatnonzero(when < days * ground.DAY_S)
    inside = inside[np.argsort(when[inside], kind="stable")]
    _, first = np.unique(ordinal[inside], return_index=True)
    return inside[np.sort(first)]


def _incomes(seen: Seen, who: Holders) -> Int64:
    income = np.zeros(who.n, np.int64)
    income[: seen.income.size] = seen.income
    return income


def _worded(words: tuple[str, ...] | list[str], pool: tuple[str, ...]) -> pa.DictionaryArray:
    return tables.category(np.array([pool.index(word) for word in words], np.int8), pool)


__all__ = ["Seen", "alert_tables", "rules_table"]
