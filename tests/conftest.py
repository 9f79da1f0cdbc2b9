"""What all tests share: where reference data lies, and small specs that are made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# How long an example takes is the machine's affair, not the test's.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Reference tables that may not ship; tests that need them skip where they are absent."""
    place = Path(os.environ.get("RARECASE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip("the reference tables are not here; set RARECASE_SHARED_DATA to their folder")
    return place


@pytest.fixture(scope="session")
def postgres_address() -> str:
    """The address of a PostgreSQL server for tests; tests/postgres.sh starts one."""
    address = os.environ.get("RARECASE_TEST_POSTGRES")
    if not address:
        pytest.skip("no PostgreSQL server: `eval $(tests/postgres.sh start)` starts one")
    return address


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where everything was installed and started, a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("RARECASE_FORBID_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where skips are forbidden: {report.longrepr}"


# The toy domain is known to every test and to the worker processes that tests start.
os.environ.setdefault("RARECASE_DOMAINS", "toy=tests.common.toy:DOMAIN")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="write golden files anew")
