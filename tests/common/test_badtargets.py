"""Targets that cannot be had: clear words, and nothing left that looks whole."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import DatasetError, InputError, TargetError
from rarecase.common.run import Progress, generate
from rarecase.common.sinks.files import HashingFile
from rarecase.common.spec import Spec
from tests.common.killpoints import contents, spec


@contextmanager
def small_disk(place: Path, options: str) -> Iterator[bool]:
    """A tmpfs of one megabyte at `place`; False where it cannot be mounted."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


def large() -> Spec:
    """A world of more than a megabyte."""
    return spec(1).model_copy(update={"size": 20_000, "block": 500})


def fill_up(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the disk be full after so many bytes."""
    write, left = HashingFile.write, [room]

    def full(self: HashingFile, data: Any) -> int:
        left[0] -= memoryview(data).nbytes
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, data)

    monkeypatch.setattr(HashingFile, "write", full)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("real", [True, False])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, real: bool) -> None:
    with small_disk(tmp_path / "disk", "size=1m") as mounted:
        target = tmp_path / "disk" / "set"
        if not (real and mounted):
            fill_up(monkeypatch, 1 << 20)
        with pytest.raises(TargetError, match=r"expected room on the disk.*No space left.*--resume"):
            generate(large(), target, workers=workers)
        with pytest.raises(DatasetError, match="--resume"):
            open_dataset(target)
        assert not list(target.rglob("*.tmp"))
    if not (real and mounted):
        monkeypatch.undo()
        seen: list[Progress] = []
        made = generate(large(), target, workers=workers, resume=True, progress=seen.append)
        assert seen[0].done > 0
        assert made.manifest["parts"] == 40


def test_a_full_disk_in_another_process(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=1m") as mounted:
        target = tmp_path / "disk" / "set" if mounted else Path("/proc/rarecase")
        with pytest.raises(TargetError, match="expected"):
            generate(large(), target, workers=2, mode="processes")


def test_a_disk_that_is_full_at_once_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_up(monkeypatch, 10)
    with pytest.raises(TargetError, match="room on the disk"):
        generate(spec(1), tmp_path / "deep" / "set", workers=1, twin=True)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "ro") as mounted:
        place = tmp_path / "disk" if mounted else Path("/proc")
        with pytest.raises(TargetError, match=r"target=.*expected a pl"):
            generate(spec(1), place / "set")


def test_a_file_and_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(TargetError, match="it is a file"):
        generate(spec(1), tmp_path / "file", overwrite=True)
    with pytest.raises(TargetError, match="parents are directories"):
        generate(spec(1), tmp_path / "file" / "set")
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    with pytest.raises(TargetError, match="it is a file"):
        generate(spec(1), tmp_path / "nowhere")


def test_what_exists_is_not_touched(tmp_path: Path) -> None:
    generate(spec(1), tmp_path / "set")
    before = contents(tmp_path / "set")
    with pytest.raises(TargetError, match=r"It holds a whole data set; `--overwrite` makes it anew"):
        generate(spec(2), tmp_path / "set")
    assert contents(tmp_path / "set") == before
    mine = tmp_path / "home"
    mine.mkdir()
    (mine / "manifest.json").write_text('{"name": "a web page"}')
    for how in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(TargetError, match=r"'manifest.json', which rarecase did not write"):
            generate(spec(1), mine, **how)  # type: ignore[arg-type]
    assert sorted(path.name for path in mine.iterdir()) == ["manifest.json"]


def test_overwriting_leaves_what_rarecase_did_not_write(tmp_path: Path) -> None:
    target = tmp_path / "set"
    generate(spec(2), target, twin=True, format="csv")
    (target / "notes.txt").write_text("mine")
    (target / "nights" / "mine.csv").write_text("mine")
    generate(spec(1), target, overwrite=True)
    generate(spec(1), tmp_path / "reference")
    found = contents(target)
    assert found.pop("notes.txt") == found.pop("nights/mine.csv") == b"mine"
    assert found == contents(tmp_path / "reference")


def test_two_writers(tmp_path: Path) -> None:
    target, refused = tmp_path / "set", []

    def second(progress: Progress) -> None:
        for how in ({"resume": True}, {"overwrite": True}):
            with pytest.raises(TargetError, match="no other run is writing") as told:
                generate(spec(1), target, **how)  # type: ignore[arg-type]
            refused.append(told.value)

    generate(spec(1), target, workers=1, progress=second)
    assert len(refused) == 4
    assert generate(spec(1), tmp_path / "reference").digests == open_dataset(target).digests


def test_wishes_that_contradict_or_are_unknown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either resume or overwrite, not both"):
        generate(spec(1), tmp_path / "set", resume=True, overwrite=True)
    with pytest.raises(InputError, match=r"format=parket: .*Did you mean 'parquet'\?"):
        generate(spec(1), tmp_path / "set", format="parket")
    with pytest.raises(
        InputError, match=r"target=postgres://me:\*\*\*@host/db: .*Did you mean 'postgresql'\?"
    ):
        generate(spec(1), "postgres://me:secret@host/db")
    with pytest.raises(InputError, match="a directory: a database load rolls back"):
        generate(spec(1), f"sqlite:///{tmp_path}/file.db", resume=True)
    with pytest.raises(InputError, match="Did you mean 'local'"):
        generate(spec(1), tmp_path / "set", engine="locale")
    assert list(tmp_path.iterdir()) == []
