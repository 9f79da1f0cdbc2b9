"""Same spec, same version, same bytes: for any number of workers, any engine, any order, any processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.plan import Plan
from rarecase.common.run import generate, generate_tables
from rarecase.common.spec import Spec, load_spec
from tests.contract.conftest import small_spec

#: What does not belong to the data: how and when it was made.
BESIDE = {"run.log.json"}


def _bytes(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name not in BESIDE)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def _engines() -> list[tuple[str, dict[str, object]]]:
    return [
        ("two workers", {"workers": 2}),
        ("four workers", {"workers": 4}),
        ("threads", {"workers": 2, "mode": "threads"}),
        ("processes", {"workers": 2, "mode": "processes"}),
        ("dask", {"workers": 2, "engine": "dask"}),
    ]


@pytest.mark.parametrize(("said", "options"), _engines(), ids=[name for name, _ in _engines()])
def test_every_engine_writes_the_same_bytes(
    spec: Spec, written: Path, tmp_path: Path, said: str, options: dict[str, object]
) -> None:
    target = tmp_path / "set"
    generate(spec, target, twin=True, **options)  # type: ignore[arg-type]
    expected, found = _bytes(written), _bytes(target)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_parts_do_not_know_their_order(plan: Plan) -> None:
    forward = [generate_tables(plan, part) for part in range(plan.parts)]
    backward = [generate_tables(plan, part) for part in reversed(range(plan.parts))][::-1]
    for one, other in zip(forward, backward, strict=True):
        assert all(one[name].equals(other[name]) for name in one)


def test_a_manifest_replays(written: Path, world: Dataset) -> None:
    manifest = json.loads((written / "manifest.json").read_text())
    again = generate(load_spec(manifest["spec"]))
    assert again.digests == world.digests


_PROBE = """
import hashlib, json, sys
import numpy as np
from rarecase.common.run import generate
from tests.contract.conftest import small_spec
raw = hashlib.sha256(np.exp(np.linspace(-20, 20, 200_001)).tobytes()).hexdigest()
print(json.dumps([raw, dict(generate(small_spec(sys.argv[1])).digests)]))
"""


def test_another_processor_gives_the_same_logical_digest(spec: Spec) -> None:
    here = _probe(spec.domain, {})
    there = _probe(spec.domain, {"NPY_DISABLE_CPU_FEATURES": " ".join(_dispatched())})
    # Without this the comparison below would prove nothing: the two processors must really differ.
    assert here[0] != there[0]
    assert here[1] == there[1]


def _dispatched() -> list[str]:
    """The features that numpy found here beyond its baseline."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]  # type: ignore[index,call-overload]
    return [name for name in found if name]


def _probe(name: str, change: dict[str, str]) -> tuple[str, dict[str, str]]:
    run = subprocess.run(
        [sys.executable, "-c", _PROBE, name],
        env={**os.environ, **change},
        capture_output=True,
        text=True,
        check=True,
    )
    raw, digests = json.loads(run.stdout.splitlines()[-1])
    return raw, digests


def test_another_seed_is_another_world(spec: Spec, world: Dataset) -> None:
    other = generate(small_spec(spec.domain, seed=spec.seed + 1))
    entities = world.domain.entity_table
    assert other.digests[entities] != world.digests[entities]
