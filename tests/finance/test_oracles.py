"""No toy cases: an independent oracle finds each kind by its definition, and nothing else."""

from __future__ import annotations

import importlib

import pytest

from rarecase.finance.cases import KINDS
from tests.finance.oracles.harness import Oracle, connection_of, homes, signatures, world_of

_GROUPS = ("fraud_a", "fraud_b", "patterns", "schemes", "lookalikes")
ORACLES: tuple[Oracle, ...] = tuple(
    oracle
    for group in _GROUPS
    for oracle in importlib.import_module(f"tests.finance.oracles.{group}_oracles").ORACLES
)
#: Shares: planted cases that must be found, and that may still be found once their relation is broken.
_FOUND, _BROKEN, _DIFFERENT = 0.95, 0.20, 0.90
#: Patterns that must be found without exception.
_ALL = ("laundering_cycle", "laundering_scatter_gather")


def test_every_kind_has_one_oracle() -> None:
    kinds = sorted(str(kind.model_fields["kind"].default) for kind in KINDS)
    assert sorted(oracle.kind for oracle in ORACLES) == kinds
    assert all(oracle.breaks for oracle in ORACLES)


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.kind)
def test_cases_are_what_their_kind_says(oracle: Oracle) -> None:
    """Found by their definition, absent from the twin, gone once it is broken, and no two alike."""
    world = world_of(oracle)
    assert world.twin is not None
    planted = homes(world)
    found = oracle.find(connection_of(world, planted=False))
    share = len(planted & found) / len(planted)
    assert share >= (1.0 if oracle.kind in _ALL else _FOUND)
    assert len(oracle.find(connection_of(world.twin, planted=False))) <= oracle.most * world.spec.size
    for name, statement in oracle.breaks.items():
        connection = connection_of(world, planted=True)
        connection.execute(statement)
        left = len(planted & oracle.find(connection)) / len(planted)
        assert left < _BROKEN, name
    told = signatures(world)
    assert told.nunique() >= _DIFFERENT * len(told)
