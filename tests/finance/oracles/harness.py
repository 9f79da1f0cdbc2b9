"""How an oracle is asked: a world of one kind, its twin, and what breaks the kind's defining relation.

An oracle finds the homes of cases in the tables of the world, from the kind's definition alone: it sees
neither labels nor cases. It must find nearly all that are planted at difficulty 0, hardly anybody in the
twin, and hardly anybody once the planted payments no longer obey the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from rarecase.common.dataset import Dataset
from rarecase.common.run import generate

TOLD = ("cases", "labels", "weights")


@dataclass(frozen=True)
class Oracle:
    """What finds the cases of a kind.

    Attributes
    ----------
    kind
        The kind of case.
    find
        Customers found in the tables of a connection: keys of homes.
    breaks
        Statements that break the defining relation in the planted rows, by name; they find these in the view
        `planted` (transaction_id, case_id, role, stage).
    most
        Share of the twin's customers that may be found.
    spec
        What differs from the usual world: size, block, days, and `count` and options of the case.
    """

    kind: str
    find: Callable[[duckdb.DuckDBPyConnection], set[int]]
    breaks: Mapping[str, str]
    most: float = 0.01
    spec: Mapping[str, Any] = field(default_factory=dict)


def spec_of(oracle: Oracle) -> dict[str, Any]:
    """Thirty cases at difficulty 0 among 2,000 customers over 120 days, unless told otherwise."""
    world = {"domain": "finance", "size": 2_000, "block": 250, "days": 120}
    about_world = (*world, "population", "seed", "start")
    world |= {name: value for name, value in oracle.spec.items() if name in about_world}
    options = {name: value for name, value in oracle.spec.items() if name not in about_world}
    return {**world, "cases": [{"kind": oracle.kind, "count": 30, "difficulty": 0.0, **options}]}


def world_of(oracle: Oracle) -> Dataset:
    """The world of an oracle, with its twin."""
    return generate(spec_of(oracle), twin=True)


def connection_of(dataset: Dataset, *, planted: bool) -> duckdb.DuckDBPyConnection:
    """The tables of a data set without labels and cases, as tables that may be changed.

    Parameters
    ----------
    planted
        Also the view `planted` of the payments that cases ordered, for what breaks them.
    """
    connection = duckdb.connect()
    for name in dataset.domain.schema.names:
        if name in TOLD:
            continue
        connection.register("arriving", dataset.table(name))
        connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM arriving')
        connection.unregister("arriving")
    if planted:
        labels = dataset.table("labels").to_pandas()
        kept = labels["table_name"].eq("transactions") & labels["effect"].eq("created")
        rows = labels.loc[kept, ["row_id", "case_id", "role", "stage"]].astype({"role": str, "stage": object})
        rows = rows.rename(columns={"row_id": "transaction_id"})
        connection.register("arriving", rows)
        connection.execute("CREATE TABLE planted AS SELECT * FROM arriving")
        connection.unregister("arriving")
    return connection


def homes(dataset: Dataset) -> set[int]:
    """The customers to whom the planted cases happen."""
    return set(dataset.table("cases").column("entity_id").to_pylist())


def signatures(dataset: Dataset) -> pd.Series:
    """What each case looks like: how many accounts and payments, which amounts, which gaps."""
    labels = dataset.table("labels").to_pandas()
    kept = labels["table_name"].eq("transactions") & labels["effect"].eq("created")
    rows = labels.loc[kept, ["case_id", "row_id"]].merge(
        dataset.table("transactions").to_pandas(), left_on="row_id", right_on="transaction_id"
    )

    def one(case: pd.DataFrame) -> tuple[Any, ...]:
        ordered = case.sort_values("ordered_at")
        accounts = set(ordered["payer_account_id"]) | set(ordered["payee_account_id"])
        gaps = tuple(ordered["ordered_at"].diff().dt.total_seconds().fillna(0).astype(int))
        return len(accounts), len(ordered), tuple(ordered["amount_minor"]), gaps

    return pd.Series({case: one(found) for case, found in rows.groupby("case_id")})
