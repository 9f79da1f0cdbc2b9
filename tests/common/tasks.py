"""Tasks that worker processes can import."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from rarecase.common.errors import Finding, Findings, InputError


@dataclass(frozen=True)
class Square:
    """Squares a part's number, slowly, and tells who is at it by a file that bears the worker's pid."""

    place: Path
    seconds: float = 0.0

    def __call__(self, part: int) -> tuple[int, int]:
        (self.place / f"{part}-{os.getpid()}").touch()
        time.sleep(self.seconds)
        return part * part, os.getpid()


@dataclass(frozen=True)
class Refuse:
    """Fails on one part as a generator's check, a user's input or a plain fault would."""

    part: int
    how: str

    def __call__(self, part: int) -> int:
        if part == self.part and self.how == "check":
            Findings(
                [Finding("error", "toy.law", "nights", None, 3, "three nights too many")]
            ).raise_if_errors()
        if part == self.part and self.how == "input":
            raise InputError("size", -1, "a whole number")
        if part == self.part:
            raise LocalError(part)
        return part


class LocalError(Exception):
    """An exception that does not survive pickling."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} broke")
        self.keeps = lambda: part


def die(part: int) -> int:
    """Kill the worker, whatever the part."""
    os.kill(os.getpid(), 9)
    return part


def say(part: int) -> int:
    """Print where a worker's answers go, which must not harm them."""
    print("a library that prints")  # noqa: T201
    return part
