"""One suite for every domain: its fixtures make each domain's small world once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rarecase.common import registry
from rarecase.common.dataset import Dataset
from rarecase.common.domain import Domain
from rarecase.common.plan import Plan, make_plan
from rarecase.common.run import generate
from rarecase.common.spec import Spec, build_spec, parse_yaml

DOMAINS = ("finance", "healthcare", "automotive")
#: Small worlds of several parts, with some of every kind of case.
SMALL: dict[str, dict[str, Any]] = {
    "finance": {"size": 3_000, "block": 375, "days": 45},
    "healthcare": {"size": 300, "block": 50, "days": 365},
    "automotive": {"size": 60, "block": 12, "days": 30},
}


def small_spec(name: str, **changes: Any) -> Spec:
    """The default example of a domain, made small: its cases by count, three of each kind."""
    raw = {**parse_yaml(registry.get(name).examples["default"], "default"), **SMALL[name], **changes}
    if "cases" not in changes:
        number = ("count", "rate", "enrich")
        raw["cases"] = [
            {**{name: value for name, value in case.items() if name not in number}, "count": 3}
            for case in raw["cases"]
        ]
    return build_spec(raw)


@pytest.fixture(scope="session", params=DOMAINS)
def domain(request: pytest.FixtureRequest) -> Domain:
    return registry.get(request.param)


@pytest.fixture(scope="session")
def spec(domain: Domain) -> Spec:
    return small_spec(domain.name)


@pytest.fixture(scope="session")
def plan(spec: Spec) -> Plan:
    return make_plan(spec)


@pytest.fixture(scope="session")
def world(spec: Spec) -> Dataset:
    """The small world and its twin, in memory."""
    return generate(spec, twin=True)


@pytest.fixture(scope="session")
def written(spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world on disk, made by one worker."""
    target = tmp_path_factory.mktemp("written") / "set"
    generate(spec, target, workers=1, twin=True)
    return target
