"""The engine of one machine: threads, or processes where they are faster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeVar

from rarecase.common.engines.lanes import Lanes
from rarecase.common.engines.processes import Child, Restarts

T = TypeVar("T")
#: What starting worker processes costs, in seconds, measured with all imports.
_START_UP = 2.0


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


class LocalEngine:
    """Threads or processes on this machine.

    Parameters
    ----------
    workers : how many parts are made at once; default: one per processor
    mode : ``threads``, ``processes``, or ``auto``
    prefer : what ``auto`` takes when there is enough to do. Threads cost nothing to start; processes are
        taken only when the time of the parts already made says that the rest repays starting them.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        mode: str = "auto",
        prefer: Literal["threads", "processes"] = "threads",
    ) -> None:
        self.parallel = workers or cores()
        self._mode, self._prefer = mode, prefer
        self._used: list[str] = []
        self._restarts = Restarts()

    def run(self, task: Callable[[int], T], parts: Sequence[int], *, ordered: bool = False) -> Iterator[T]:
        """Run the task for every part; see `rarecase.common.engines.base.Engine`."""
        todo = list(parts)
        if self._mode == "auto" and self._prefer == "processes" and self.parallel > 1:
            mode: str = "threads"
            # The first part may include compiling kernels, which workers then find in the cache.
            for _ in range(min(2, len(todo))):
                begun = time.perf_counter()
                yield task(todo.pop(0))
                took = time.perf_counter() - begun
                saved = took * len(todo) * (1 - 1 / self.parallel)
                mode = "processes" if saved > _START_UP else "threads"
        else:
            mode = "threads" if self._mode == "auto" else self._mode
        if not todo:
            return
        self._used.append(mode)
        count = min(self.parallel, len(todo))
        if mode == "processes":
            yield from Lanes[T](count, lambda: self._child(task)).run(todo, ordered=ordered)
        elif count == 1:
            yield from map(task, todo)
        else:
            yield from Lanes[T](count, lambda: (task, _nothing)).run(todo, ordered=ordered)

    def _child(self, task: Callable[[int], T]) -> tuple[Callable[[int], T], Callable[[], None]]:
        child = Child(task, self._restarts)
        return child.run, child.close

    def describe(self) -> dict[str, Any]:
        """What ran, for the run log."""
        mode = "+".join(dict.fromkeys(self._used)) or "threads"
        return {"engine": "local", "mode": mode, "workers": self.parallel, "restarts": self._restarts.count}


def _nothing() -> None:
    pass
