"""Kills a run before each of its steps on the file system in turn, and finishes it by a resume.

Run as a program: ``killpoints.py DIRECTORY fresh|overwrite STRIDE``; prints one line of JSON per step.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import DatasetError, TargetError
from rarecase.common.run import generate
from rarecase.common.sinks.files import HashingFile
from rarecase.common.spec import Spec, build_spec

STEPS = ("replace", "unlink", "rmdir", "mkdir")


def spec(seed: int) -> Spec:
    """A world of two parts."""
    cases = [{"kind": "visit", "count": 2}]
    return build_spec(
        {
            "domain": "toy",
            "seed": seed,
            "size": 40,
            "block": 20,
            "start": "2025-01-01",
            "days": 30,
            "cases": cases,
        }
    )


def contents(root: Path) -> dict[str, bytes]:
    """Every file but the run log."""
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "run.log.json"]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def at_each_step(act: Callable[[int], None]) -> None:
    """Call `act` with the number of each change to the file system, just before it."""
    number = itertools.count()

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            act(next(number))
            return function(*given, **named)

        return call

    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))
    HashingFile.write = watched(HashingFile.write)  # type: ignore[method-assign]


def killed(step: int, target: Path, **how: Any) -> bool:
    """Run in a child that SIGKILL ends before a step; False when it lived to the end."""
    child = os.fork()
    if child == 0:
        at_each_step(lambda number: os.kill(os.getpid(), signal.SIGKILL) if number == step else None)
        generate(spec(1), target, workers=1, twin=True, **how)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def steps_of(place: Path, target: Path, **how: Any) -> int:
    """How many steps an undisturbed run takes."""
    told = place / "steps"
    child = os.fork()
    if child == 0:
        seen = [0]
        at_each_step(lambda number: seen.__setitem__(0, number + 1))
        generate(spec(1), target, workers=1, twin=True, **how)
        told.write_text(str(seen[0]))
        os._exit(0)
    os.waitpid(child, 0)
    return int(told.read_text())


def state_of(target: Path) -> str:
    """What a reader would be told."""
    try:
        return f"whole, seed {open_dataset(target).spec.seed}"
    except DatasetError as error:
        return "not whole" if "--resume" in str(error) else "nothing"


def main(place: Path, way: str, stride: int) -> None:
    """Go through every stride-th step, and all of the last ones, which seal and clear away."""
    reference, target, old = place / "reference", place / "target", place / "old"
    overwrite = way == "overwrite"
    generate(spec(1), reference, workers=1, twin=True)
    wanted = contents(reference)
    generate(spec(2), old, workers=1, twin=True)

    def prepare() -> None:
        shutil.rmtree(target, ignore_errors=True)
        if overwrite:
            shutil.copytree(old, target)

    prepare()
    total = steps_of(place, target, overwrite=overwrite)
    for step in sorted({*range(0, total, stride), *range(max(total - 24, 0), total + 1)}):
        prepare()
        died = killed(step, target, overwrite=overwrite)
        state = state_of(target)
        try:
            generate(spec(1), target, workers=1, twin=True, resume=True)
            ended = "resumed"
        except TargetError:  # the old set still stood: nothing had been taken from it
            generate(spec(1), target, workers=1, twin=True, overwrite=True)
            ended = "overwritten"
        found = contents(target)
        differing = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        told = {"step": step, "killed": died, "state": state, "ended": ended, "differing": differing}
        print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
