"""Cases are placed exactly, labelled fully, weighted back to nature, and disturb nothing else."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from rarecase.common import registry
from rarecase.common.dataset import Dataset
from rarecase.common.domain import Domain
from rarecase.common.plan import Plan, make_plan, natural_share
from rarecase.common.run import generate
from rarecase.common.schema import Table
from rarecase.common.spec import Spec, build_spec, parse_yaml
from rarecase.common.weights import ORDINARY, strata
from tests.contract.conftest import small_spec

TOLD = ("cases", "labels", "weights")


@pytest.fixture(scope="session")
def pair(world: Dataset) -> duckdb.DuckDBPyConnection:
    """World and twin side by side: w_<table> and t_<table>."""
    connection = duckdb.connect()
    assert world.twin is not None
    for name in world.domain.schema.names:
        connection.register(f"w_{name}", world.table(name))
        connection.register(f"t_{name}", world.twin.table(name))
    return connection


def _worlds(domain: Domain) -> list[Table]:
    return [table for table in domain.schema.tables if table.name not in TOLD and not table.derived]


def test_every_kind_is_planted_as_often_as_planned(plan: Plan, world: Dataset) -> None:
    found = world.table("cases").to_pandas().groupby("name", observed=True).size().to_dict()
    assert found == {name: count for name, count in plan.case_counts().items() if count}
    assert {case.kind for case in plan.spec.cases} == set(plan.domain.kinds())


@pytest.mark.parametrize("size", [1_000, 10_000, 100_000, 1_000_000])
def test_counts_are_exact_at_every_size(domain: Domain, size: int) -> None:
    raw = parse_yaml(domain.examples["default"], "default")
    wanted = {kind: max(1, size // 500 - position) for position, kind in enumerate(domain.kinds())}
    cases = [{"kind": kind, "count": count} for kind, count in wanted.items()]
    planned = make_plan(build_spec({**raw, "size": size, "block": max(1, size // 64), "cases": cases}))
    assert planned.case_counts() == wanted
    held = np.concatenate([placement.entities[placement.entities >= 0] for placement in planned.placements])
    assert np.unique(held).size == held.size
    assert held.max() < size


def test_no_entity_is_in_two_cases(plan: Plan) -> None:
    held = np.concatenate([placement.entities[placement.entities >= 0] for placement in plan.placements])
    assert np.unique(held).size == held.size


def test_labels_are_the_whole_difference_between_the_two_worlds(
    world: Dataset, pair: duckdb.DuckDBPyConnection
) -> None:
    for table in _worlds(world.domain):
        keys = ", ".join(table.key)
        for effect in ("created", "removed", "changed"):
            pair.execute(f"CREATE OR REPLACE TEMP TABLE found AS {_difference(table, effect)}")
            pair.execute(f"CREATE OR REPLACE TEMP TABLE told AS {_told(table, effect)}")
            untold = pair.sql(f"SELECT {keys} FROM found EXCEPT SELECT {keys} FROM told").fetchall()
            assert untold == [], f"{table.name}: {effect} without a label"
            invented = pair.sql(
                f"SELECT {keys} FROM (SELECT * FROM told WHERE exact) EXCEPT SELECT {keys} FROM found"
            ).fetchall()
            assert invented == [], f"{table.name}: labelled as {effect} but the worlds agree"


def _difference(table: Table, effect: str) -> str:
    on = " AND ".join(f"w.{key} = t.{key}" for key in table.key)
    own = [
        column.name for column in table.columns if column.role != "derived" and column.name not in table.key
    ]
    if effect == "created":
        return f"SELECT {_of('w', table)} FROM w_{table.name} w ANTI JOIN t_{table.name} t ON {on}"
    if effect == "removed":
        return f"SELECT {_of('t', table)} FROM t_{table.name} t ANTI JOIN w_{table.name} w ON {on}"
    differs = " OR ".join(f"w.{name} IS DISTINCT FROM t.{name}" for name in own) or "FALSE"
    return f"SELECT {_of('w', table)} FROM w_{table.name} w JOIN t_{table.name} t ON {on} WHERE {differs}"


def _of(alias: str, table: Table) -> str:
    return ", ".join(f"{alias}.{key}" for key in table.key)


def _told(table: Table, effect: str) -> str:
    """Keys that labels name: rows exactly; of a range both ends exactly, and what lies between."""
    side = "t" if effect == "removed" else "w"
    said = f"FROM w_labels l WHERE l.table_name = '{table.name}' AND l.effect = '{effect}'"
    pieces = []
    if len(table.key) == 1:
        pieces.append(f"SELECT l.row_id AS {table.key[0]}, TRUE AS exact {said} AND l.row_id IS NOT NULL")
    if table.entity and table.time:
        within = f"r.{table.entity} = l.entity_id AND r.{table.time} BETWEEN l.from_at AND l.to_at"
        ends = f"r.{table.time} IN (l.from_at, l.to_at)"
        pieces.append(
            f"SELECT {_of('r', table)}, {ends} AS exact"
            f" FROM w_labels l JOIN {side}_{table.name} r ON {within}"
            f" WHERE l.table_name = '{table.name}' AND l.effect = '{effect}' AND l.row_id IS NULL"
        )
    if not pieces:
        # Rows that no label can name may not differ at all.
        pieces.append(f"SELECT {_of('r', table)}, TRUE AS exact FROM w_{table.name} r WHERE FALSE")
    return " UNION ALL ".join(pieces)


def test_every_label_belongs_to_a_case_and_every_case_to_labels(world: Dataset) -> None:
    labels, cases = world.frame("labels"), world.frame("cases")
    assert set(labels["case_id"]) == set(cases["case_id"])
    assert set(labels["effect"]) <= {"created", "changed", "removed"}


def test_stories_are_sentences_and_differ(world: Dataset) -> None:
    stories = world.frame("cases")["story"]
    assert stories.str.endswith(".").all()
    assert (stories.str.len() > 30).all()
    assert stories.is_unique


def test_appending_a_case_moves_no_other_draw_and_no_other_key(spec: Spec, world: Dataset) -> None:
    kind = spec.cases[0].kind
    extra = {"kind": kind, "name": "one-more", "count": 2}
    before = [case.model_dump(mode="json", exclude_none=True, exclude={"enrich"}) for case in spec.cases]
    grown = generate(small_spec(spec.domain, cases=[*before, extra]))
    connection = duckdb.connect()
    for name in world.domain.schema.names:
        connection.register(f"w_{name}", grown.table(name))
        connection.register(f"t_{name}", world.table(name))
    mine = "(SELECT case_id FROM w_cases WHERE name = 'one-more')"
    connection.execute(f"CREATE VIEW extra AS SELECT * FROM w_labels WHERE case_id IN {mine}")
    for table in _worlds(world.domain):
        keys = ", ".join(table.key)
        for effect in ("created", "removed", "changed"):
            told = _told(table, effect).replace("w_labels", "extra")
            untold = connection.sql(
                f"SELECT {keys} FROM ({_difference(table, effect)}) EXCEPT SELECT {keys} FROM ({told})"
            ).fetchall()
            assert untold == [], f"{table.name}: {effect} by a case that is not its own"
    same = f"SELECT * FROM w_labels WHERE case_id NOT IN {mine}"
    assert connection.sql(f"({same}) EXCEPT ALL (SELECT * FROM t_labels)").fetchall() == []


def test_weighted_shares_are_the_natural_ones(plan: Plan, world: Dataset) -> None:
    weights = world.frame("weights")
    entities = world.table(world.domain.entity_table).num_rows
    assert len(weights) == entities == plan.spec.size
    found = strata(plan)
    unrated = sum(
        stratum.planted for stratum in found if stratum.name != ORDINARY and stratum.natural is None
    )
    assert weights["weight"].sum() == pytest.approx(entities - unrated)
    for placement in plan.placements:
        mine = weights[weights["stratum"] == placement.case.stratum()]["weight"].sum()
        natural = placement.case.stratum_natural(plan.spec)
        share = natural_share(plan.spec, plan.domain, placement.case, natural)
        if share is None:
            assert mine == 0
        else:
            assert mine == pytest.approx((entities - unrated) * share)


def test_the_natural_example_plants_at_natural_rates(domain: Domain) -> None:
    natural = build_spec(
        {**parse_yaml(domain.examples["natural"], "natural"), "size": 1_000_000, "block": 50_000}
    )
    planned = make_plan(natural)
    for name, expected in planned.natural_counts().items():
        if expected is not None:
            assert abs(planned.case_counts()[name] - expected) <= 1


def test_the_first_run_shows_some_of_every_kind(domain: Domain) -> None:
    default = build_spec(parse_yaml(domain.examples["default"], "default"))
    counts = make_plan(default).case_counts()
    planted = {case.kind for case in default.cases if counts[case.label]}
    assert planted == set(registry.get(domain.name).kinds())


def test_look_alikes_are_not_cases(world: Dataset) -> None:
    cases = world.frame("cases")
    truth = {name: kind.is_case for name, kind in world.domain.kinds().items()}
    assert (cases["kind"].astype(str).map(truth) == cases["is_case"]).all()
    assert set(truth.values()) == {True, False}
