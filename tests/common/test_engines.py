"""Engines: every part once, in whatever order, also when workers are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rarecase.common.engines import Engine, EngineError, open_engine
from rarecase.common.engines.dask import DaskEngine
from rarecase.common.engines.local import LocalEngine
from rarecase.common.errors import CheckError, InputError, RarecaseError
from tests.common.tasks import Refuse, Square, die, say

PARTS = list(range(9))


@pytest.fixture(params=["one thread", "threads", "processes", "dask"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "dask":
        pytest.importorskip("distributed")
        yield DaskEngine(2)
    else:
        workers = 1 if request.param == "one thread" else 2
        mode = "processes" if request.param == "processes" else "threads"
        yield LocalEngine(workers, mode=mode)


def test_every_part_is_made_once(engine: Engine, tmp_path: Path) -> None:
    results = [value for value, _ in engine.run(Square(tmp_path), PARTS)]
    assert sorted(results) == [part * part for part in PARTS]
    assert len(list(tmp_path.iterdir())) == len(PARTS)
    assert engine.describe()["workers"] in (1, 2)


def test_results_keep_the_order_of_parts(engine: Engine, tmp_path: Path) -> None:
    parts = [7, 1, 8, 0, 3]
    results = [value for value, _ in engine.run(Square(tmp_path), parts, ordered=True)]
    assert results == [part * part for part in parts]


def test_no_parts_are_no_work(engine: Engine, tmp_path: Path) -> None:
    assert list(engine.run(Square(tmp_path), [])) == []


def test_errors_arrive_as_they_were_raised(engine: Engine) -> None:
    with pytest.raises(CheckError) as checked:
        list(engine.run(Refuse(3, "check"), PARTS))
    assert checked.value.findings[0].count == 3
    with pytest.raises(InputError, match="size=-1: expected a whole number"):
        list(engine.run(Refuse(3, "input"), PARTS, ordered=True))


def test_a_closed_run_stops(tmp_path: Path) -> None:
    for mode in ("threads", "processes"):
        place = tmp_path / mode
        place.mkdir()
        run = LocalEngine(2, mode=mode).run(Square(place, 0.02), list(range(200)))
        next(run)
        run.close()  # type: ignore[attr-defined]
        assert len(list(place.iterdir())) < 40


def test_an_error_that_cannot_travel_is_told() -> None:
    with pytest.raises(RarecaseError, match="LocalError: part 2 broke"):
        list(LocalEngine(2, mode="processes").run(Refuse(2, "other"), PARTS))


def test_what_a_worker_prints_harms_nothing() -> None:
    assert sorted(LocalEngine(2, mode="processes").run(say, PARTS)) == PARTS


def _kill_once(place: Path, after: int) -> threading.Thread:
    """Kill the worker that takes up a part once `after` parts were taken up."""

    def watch() -> None:
        while len(seen := sorted(place.iterdir(), key=lambda path: path.stat().st_mtime_ns)) < after:
            time.sleep(0.005)
        os.kill(int(seen[-1].name.partition("-")[2]), signal.SIGKILL)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("ordered", [False, True])
def test_a_killed_worker_process_loses_no_part_and_doubles_none(tmp_path: Path, ordered: bool) -> None:
    engine = LocalEngine(2, mode="processes")
    killer = _kill_once(tmp_path, after=3)
    results = list(engine.run(Square(tmp_path, 0.15), PARTS, ordered=ordered))
    killer.join()
    assert sorted(value for value, _ in results) == [part * part for part in PARTS]
    assert engine.describe()["restarts"] == 1
    # The killed worker may have finished nothing, or its successor come too late for a part.
    assert len({pid for _, pid in results}) in (2, 3)


def test_a_killed_dask_worker_loses_no_part_and_doubles_none(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    killer = _kill_once(tmp_path, after=3)
    results = list(DaskEngine(2).run(Square(tmp_path, 0.25), PARTS))
    killer.join()
    assert sorted(value for value, _ in results) == [part * part for part in PARTS]
    assert len(list(tmp_path.iterdir())) > len(PARTS)  # the lost part was taken up twice


def test_a_part_that_kills_every_worker_is_given_up() -> None:
    with pytest.raises(EngineError, match="given up: 3 workers died"):
        list(LocalEngine(1, mode="processes").run(die, [0]))


_ORPHANS = """
import sys
from pathlib import Path
from rarecase.common.engines.local import LocalEngine
from tests.common.tasks import Square
for _ in LocalEngine(2, mode="processes").run(Square(Path(sys.argv[1]), 0.3), list(range(50))):
    print("one", flush=True)
"""


def test_workers_do_not_outlive_the_run(tmp_path: Path) -> None:
    # No guard around the script's main part: workers import nothing of it.
    command = [sys.executable, "-c", _ORPHANS, str(tmp_path)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "one\n"
    run.kill()
    run.wait()
    run.stdout.close()
    pids = {int(path.name.partition("-")[2]) for path in tmp_path.iterdir()}
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if _alive(pid)] == []


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("prefer", ["threads", "processes"])
def test_the_faster_way_is_chosen_by_measuring(tmp_path: Path, prefer: Any) -> None:
    quick = LocalEngine(2, prefer=prefer)
    list(quick.run(Square(tmp_path), PARTS))
    assert quick.describe()["mode"] == "threads"  # too little to do to repay starting processes
    slow = LocalEngine(2, prefer=prefer)
    run = slow.run(Square(tmp_path, 0.05), list(range(400)))
    for _ in range(3):
        next(run)
    run.close()  # type: ignore[attr-defined]
    assert slow.describe()["mode"] == prefer


def test_wrong_wishes_name_what_there_is() -> None:
    with pytest.raises(InputError, match=r"engine=dusk: expected local or dask.*Did you mean 'dask'\?"):
        open_engine("dusk")
    with pytest.raises(InputError, match="engine=spark: expected local or dask; others are not offered"):
        open_engine("spark")
    with pytest.raises(InputError, match="workers=0: expected a whole number of at least 1"):
        open_engine("local", 0)
    with pytest.raises(InputError, match=r"mode=thread: .*Did you mean 'threads'\?"):
        open_engine("local", mode="thread")


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setenv("RARECASE_DASK", "nonsense://127.0.0.1:1")
    with pytest.raises(InputError, match="expected a Dask scheduler that answers"):
        list(open_engine("dask").run(Square(tmp_path), PARTS))
