"""One small world of patients, with some of every case and many of a few, made once."""

from __future__ import annotations

from typing import Any

import pytest

from rarecase.common import registry
from rarecase.common.dataset import Dataset
from rarecase.common.run import generate
from rarecase.common.spec import build_spec

WORLD: dict[str, Any] = {
    "domain": "healthcare",
    "seed": 3,
    "size": 2400,
    "block": 800,
    "cases": [
        {"kind": "rare_disease", "count": 150},
        {"kind": "rare_disease", "name": "dmd", "disorder": 98896, "count": 12, "difficulty": 0.0},
        {
            "kind": "rare_disease",
            "name": "cf",
            "disorder": "Cystic fibrosis",
            "diagnosis": "within",
            "count": 20,
        },
        {"kind": "interaction", "count": 25},
        {"kind": "interaction", "name": "premedication", "victim": "midazolam", "count": 40},
        {
            "kind": "interaction",
            "name": "graft",
            "victim": "tacrolimus",
            "perpetrator": "voriconazole",
            "count": 15,
        },
        {"kind": "separated_pair", "count": 20},
    ],
}


def world_of(**changes: Any) -> Dataset:
    """The small world with some fields changed, in memory."""
    return generate(build_spec({**WORLD, **changes}), twin=changes.pop("twin", False))


@pytest.fixture(scope="session")
def world() -> Dataset:
    registry.get("healthcare")
    return generate(build_spec(WORLD), twin=True)
