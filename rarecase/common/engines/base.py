"""What an engine is: it maps a picklable task over parts, and neither loses nor doubles one.

A task is a pure function of a part's number, and writing a part twice writes the same bytes twice; so an
engine may run a part again whenever it is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from rarecase.common.errors import RarecaseError

T = TypeVar("T")
#: How often a part may kill the worker that makes it before the run gives up.
ATTEMPTS = 3


class EngineError(RarecaseError):
    """Workers died again and again, or could not start."""


@runtime_checkable
class Engine(Protocol):
    """Runs tasks.

    Attributes
    ----------
    parallel : int
        How many parts are under way at once.
    """

    parallel: int

    def run(self, task: Callable[[int], T], parts: Sequence[int], *, ordered: bool = False) -> Iterator[T]:
        """The results of `task` for each of `parts`, as they come, or in the order of `parts`.

        At most about twice `parallel` results wait at any time, so memory stays flat. An exception of the
        task is raised here; the generator may be closed at any time, which stops the work.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """What ran, for the run log: engine, mode, workers, restarts."""
        ...
