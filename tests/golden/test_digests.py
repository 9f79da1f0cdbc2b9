"""The numbers of this version: a change that moves one must mean to, and says so in CHANGELOG.md.

`pytest tests/golden --refresh-golden` writes the file anew. Logical digests are over quantised values, so
they are the same on every processor.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rarecase.common.run import generate
from tests.contract.conftest import DOMAINS, small_spec

GOLDEN = Path(__file__).with_name("digests.json")


@pytest.mark.parametrize("name", DOMAINS)
def test_the_numbers_have_not_moved(name: str, request: pytest.FixtureRequest) -> None:
    found = dict(generate(small_spec(name)).digests)
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if request.config.getoption("--refresh-golden"):
        GOLDEN.write_text(json.dumps({**known, name: found}, indent=1, sort_keys=True) + "\n")
        return
    moved = sorted(table for table in found if found[table] != known[name].get(table))
    assert moved == [], "say so in CHANGELOG.md, and run `pytest tests/golden --refresh-golden`"
