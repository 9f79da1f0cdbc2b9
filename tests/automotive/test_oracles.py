"""What judges that are not ours say of the scenario files."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import pytest

#: The only checker that does not apply to OpenDRIVE 1.7; it asks for 1.8.
NEWER = {"check_asam_xodr_junctions_connection_one_link_to_incoming"}


@pytest.fixture(scope="session")
def judged(oracles: Path, library_path: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("oracle.py")
    run = subprocess.run([oracles, script, library_path], capture_output=True, text=True, check=True)
    return dict(json.loads(run.stdout.splitlines()[-1]))


def test_asam_finds_no_issue_and_runs_every_checker(judged: dict[str, Any]) -> None:
    for name, found in judged.items():
        states = found["quality"]["states"]
        assert len(states) > 10
        skipped = {checker for checker, state in states.items() if state != "completed"}
        assert skipped == (NEWER if name.endswith(".xodr") else set()), name
        assert found["quality"]["issues"] == 0, name


def test_carla_can_drive_on_every_road(judged: dict[str, Any]) -> None:
    assert all(found["waypoints"] > 0 for name, found in judged.items() if name.endswith(".xodr"))


def test_sumo_converts_every_road(judged: dict[str, Any]) -> None:
    assert all(found["netconvert"] == 0 for name, found in judged.items() if name.endswith(".xodr"))


def _schema_file(name: str) -> Path:
    try:
        listed = files("scenariogeneration") or []
    except PackageNotFoundError:
        pytest.skip("scenariogeneration, which carries ASAM's schemas, is not installed")
    found = [Path(str(path.locate())) for path in listed if path.name == name]
    if not found:
        pytest.skip(f"scenariogeneration brings no {name}")
    return found[0]


@pytest.mark.parametrize(
    ("suffix", "schema"), [(".xosc", "OpenSCENARIO_1_2.xsd"), (".xodr", "opendrive_17_core.xsd")]
)
def test_every_file_is_valid_under_the_standard_schema(
    library: dict[str, bytes], suffix: str, schema: str
) -> None:
    etree = pytest.importorskip("lxml.etree")
    law = etree.XMLSchema(etree.parse(str(_schema_file(schema))))
    mine = {path: content for path, content in library.items() if path.endswith(suffix)}
    assert mine
    for path, content in mine.items():
        assert law.validate(etree.fromstring(content)), (path, law.error_log.last_error)
