"""A run that is killed at any moment is finished by a resume, byte for byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import DatasetError, TargetError
from rarecase.common.run import Progress, generate
from tests.common.killpoints import contents, spec


@pytest.mark.parametrize(("way", "stride"), [("fresh", "15"), ("overwrite", "9")])
def test_killed_before_any_step(tmp_path: Path, way: str, stride: str) -> None:
    command = [sys.executable, "-m", "tests.common.killpoints", str(tmp_path), way, stride]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    steps = [json.loads(line) for line in run.stdout.splitlines()]
    assert [step for step in steps if step["differing"]] == []
    assert [step["killed"] for step in steps] == [True] * (len(steps) - 1) + [False]
    states = Counter(step["state"] for step in steps)
    # Far more moments without a manifest than with one; some between manifest and the end of clearing.
    assert states["not whole"] > 20
    assert states["whole, seed 1"] >= 5


_SLOW = """
import sys, time
from rarecase.common.run import generate
from tests.common.killpoints import spec
def tell(progress):
    print(progress.done, flush=True)
    time.sleep(0.05)
generate(spec(1).model_copy(update={"size": 400}), sys.argv[1], workers=2, mode=sys.argv[2], progress=tell)
"""


@pytest.mark.parametrize(("mode", "parts"), [("threads", 2), ("processes", 5)])
def test_killed_with_workers_under_way(tmp_path: Path, mode: str, parts: int) -> None:
    wanted = spec(1).model_copy(update={"size": 400})
    target = tmp_path / "target"
    run = subprocess.Popen(
        [sys.executable, "-c", _SLOW, str(target), mode], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    while int(run.stdout.readline()) < parts:
        continue
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()
    with pytest.raises(DatasetError, match="--resume"):
        open_dataset(target)
    seen: list[Progress] = []
    time.sleep(0.2)  # the orphans' last breath
    generate(wanted, target, workers=2, resume=True, progress=seen.append)
    assert seen[0].part == -1
    assert seen[0].done >= parts
    generate(wanted, tmp_path / "reference", workers=1)
    assert contents(target) == contents(tmp_path / "reference")
    log = json.loads((target / "run.log.json").read_text())
    assert log["parts_found"] == seen[0].done


def _cut_off(target: Path, after: int) -> None:
    """A run that ends after some parts, as by a full disk."""

    def stop(progress: Progress) -> None:
        if progress.done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(spec(1).model_copy(update={"size": 100}), target, workers=1, progress=stop)


def test_only_what_a_receipt_vouches_for_is_trusted(tmp_path: Path) -> None:
    target, wanted = tmp_path / "target", spec(1).model_copy(update={"size": 100})
    _cut_off(target, after=4)
    damaged = target / "nights" / "part-00001.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (target / "guests" / "part-00002.parquet").unlink()
    (target / "guests" / "part-00004.parquet").write_bytes(b"nobody vouches for this")
    seen: list[Progress] = []
    generate(wanted, target, workers=1, resume=True, progress=seen.append)
    assert [progress.part for progress in seen] == [-1, 1, 2, 4]
    generate(wanted, tmp_path / "reference", workers=1)
    assert contents(target) == contents(tmp_path / "reference")


def test_a_forged_receipt_vouches_for_nothing(tmp_path: Path) -> None:
    target, wanted = tmp_path / "target", spec(1).model_copy(update={"size": 100})
    _cut_off(target, after=2)
    receipt = target / ".rarecase" / "receipts" / "part-00000.json"
    said = json.loads(receipt.read_text())
    receipt.write_text(json.dumps({**said, "stamp": "0" * 64}))
    (target / ".rarecase" / "receipts" / "part-00001.json").write_text("{cut o")
    seen: list[Progress] = []
    generate(wanted, target, workers=1, resume=True, progress=seen.append)
    assert len(seen) == 5
    assert generate(wanted).digests == open_dataset(target).digests


def test_another_spec_version_lock_or_format_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, wanted = tmp_path / "target", spec(1).model_copy(update={"size": 100})
    _cut_off(target, after=2)
    before = contents(target)
    with pytest.raises(TargetError, match=r"resume=spec.seed: 1 then, 2 now: expected the spec that"):
        generate(wanted.model_copy(update={"seed": 2}), target, resume=True)
    with pytest.raises(TargetError, match=r"storage: 'parquet' then, 'csv' now"):
        generate(wanted, target, format="csv", resume=True)
    with pytest.raises(TargetError, match=r"with_twin: False then, True now"):
        generate(wanted, target, twin=True, resume=True)
    with monkeypatch.context() as patch:
        patch.setattr("rarecase.common.manifest.lock", lambda: {"numpy": "0.1"})
        with pytest.raises(TargetError, match=r"resume=lock.*the versions of dependencies"):
            generate(wanted, target, resume=True)
    with monkeypatch.context() as patch:
        patch.setattr("rarecase.__version__", "99.0")
        with pytest.raises(
            TargetError, match=r"rarecase: .* then, '99.0' now: expected the version of rarecase"
        ):
            generate(wanted, target, resume=True)
    assert contents(target) == before
    assert generate(wanted, target, resume=True).manifest["parts"] == 5


def test_resuming_nothing_begins_and_resuming_a_whole_set_changes_nothing(tmp_path: Path) -> None:
    generate(spec(1), tmp_path / "set", resume=True)
    before = contents(tmp_path / "set")
    assert generate(spec(1), tmp_path / "set", resume=True).manifest["rows"] > 0
    assert contents(tmp_path / "set") == before
    with pytest.raises(TargetError, match=r"spec.seed"):
        generate(spec(2), tmp_path / "set", resume=True)


def test_the_hint_repeats_what_the_run_began_with(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(spec(1), tmp_path / "set", format="csv", twin=True, workers=1, progress=stop)
    with pytest.raises(DatasetError, match=r"spec\.yaml -o \S+ --format csv --twin --resume"):
        open_dataset(tmp_path / "set")
    generate(tmp_path / "set" / "spec.yaml", tmp_path / "set", format="csv", twin=True, resume=True)
    assert open_dataset(tmp_path / "set").twin is not None
