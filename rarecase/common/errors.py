"""Errors for people and findings as data.

An `InputError` says what was wrong, where, what was expected and what to do; the command line prints it
and exits with `exit_code`. Checks never raise: they return `Findings`, and only the spine decides.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


class RarecaseError(Exception):
    """Base of every error that rarecase raises on purpose; by itself it means a fault of ours."""

    exit_code = 3


class InputError(RarecaseError):
    """The user's input is at fault.

    Parameters
    ----------
    path
        Where: a path into the spec such as ``cases[2].count``, an option, or a file.
    value
        What stood there; shortened when printed.
    expected
        What should have stood there.
    nearest
        The nearest known name, offered as a correction.
    hint
        What to do.
    """

    exit_code = 2

    def __init__(
        self, path: str, value: object, expected: str, *, nearest: str | None = None, hint: str | None = None
    ) -> None:
        self.path, self.value, self.expected = path, value, expected
        self.nearest, self.hint = nearest, hint
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        where = f"{self.path}={_short(self.value)}" if self.path else _short(self.value)
        parts = [f"{where}: expected {self.expected.rstrip('.')}."]
        if self.nearest:
            parts.append(f"Did you mean {self.nearest!r}?")
        if self.hint:
            parts.append(self.hint)
        return " ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; the keyword arguments must survive pickling.
        return (_rebuild, (type(self), self.path, self.value, self.expected, self.nearest, self.hint))


class SpecError(InputError):
    """A spec cannot be read or contradicts itself."""


class PlanError(InputError):
    """A spec wishes for what cannot be placed."""


class TargetError(InputError):
    """A target cannot be written."""


class DatasetError(InputError):
    """A data set cannot be opened or is not whole."""


class CheckError(RarecaseError):
    """Something was checked and found wanting."""

    exit_code = 1

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        super().__init__("; ".join(finding.message for finding in findings.errors) or "no findings")

    def __reduce__(self) -> tuple[object, ...]:
        return (CheckError, (self.findings,))


def _rebuild(
    kind: type[InputError], path: str, value: object, expected: str, near: str | None, hint: str | None
) -> InputError:
    return kind(path, value, expected, nearest=near, hint=hint)


def _short(value: object, limit: int = 80) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name closest to `word`, or None when nothing is close.

    Case does not count: people misspell, and they also miscapitalise.
    """
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


@dataclass(frozen=True)
class Finding:
    """What one check says: a level, a rule code, a place, a count and up to three examples."""

    level: Level
    rule: str
    table: str | None
    column: str | None
    count: int
    message: str
    examples: tuple[str, ...] = ()


class Findings(tuple[Finding, ...]):
    """All that the checks said, in the order of the checks."""

    __slots__ = ()

    @property
    def errors(self) -> Findings:
        """The findings that make a data set unfit."""
        return Findings(finding for finding in self if finding.level == "error")

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not self.errors

    def raise_if_errors(self) -> None:
        """Raise `CheckError` when any finding is an error."""
        if not self.ok:
            raise CheckError(self)

    def to_json(self) -> str:
        """The findings as a JSON array of objects."""
        return json.dumps([asdict(finding) for finding in self], indent=2, ensure_ascii=False)
