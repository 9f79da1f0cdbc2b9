"""Worlds that the tests of the bank share."""

from __future__ import annotations

from typing import Any

import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.run import generate

PLAIN = [
    {"kind": "account_takeover", "count": 25, "difficulty": 0.0},
    {"kind": "laundering_cycle", "count": 20, "difficulty": 0.0},
    {"kind": "payroll_run", "count": 12, "difficulty": 0.0},
]


def bank(**changes: Any) -> dict[str, Any]:
    """A spec of a small bank's world."""
    return {"domain": "finance", "size": 1600, "block": 200, "days": 62, "cases": PLAIN, **changes}


@pytest.fixture(scope="session")
def world() -> Dataset:
    """Eight places with plain cases, and their twin."""
    return generate(bank(), twin=True)


@pytest.fixture(scope="session")
def many_places() -> Dataset:
    """Sixty-four places, some 10⁵ payments."""
    return generate(bank(size=3200, block=50, days=40))
