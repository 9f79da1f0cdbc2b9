"""The engine of many machines: dask.distributed, with a cluster made for the run or one that is there.

All workers must see the target's directory under the same path. A script that makes a local cluster needs
``if __name__ == "__main__":``, as always with Dask.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from rarecase.common.engines.base import ATTEMPTS, EngineError
from rarecase.common.engines.local import cores
from rarecase.common.errors import InputError

T = TypeVar("T")
#: The address of a scheduler, for the engine ``dask``; without it a local cluster is made for the run.
VARIABLE = "RARECASE_DASK"


class DaskEngine:
    """Runs parts as Dask tasks; a part whose worker is killed is given to another one.

    Parameters
    ----------
    workers : worker processes of a local cluster; default: one per processor
    address : of a running scheduler; default: what the variable ``RARECASE_DASK`` says
    """

    def __init__(self, workers: int | None = None, *, address: str | None = None) -> None:
        self.parallel = workers or cores()
        self._address = address or os.environ.get(VARIABLE) or None
        self._import()

    @staticmethod
    def _import() -> Any:
        try:
            import distributed
        except ImportError:
            raise InputError(
                "engine", "dask", "the optional extra dask", hint="`pip install 'rarecase[dask]'`."
            ) from None
        return distributed

    def run(self, task: Callable[[int], T], parts: Sequence[int], *, ordered: bool = False) -> Iterator[T]:
        """Run the task for every part; see `rarecase.common.engines.base.Engine`."""
        if not parts:
            return
        distributed = self._import()
        with ExitStack() as stack:
            client = self._connect(stack, distributed, len(parts))
            try:
                yield from _results(client, distributed, task, list(parts), 2 * self.parallel, ordered)
            except distributed.scheduler.KilledWorker as error:
                raise EngineError(f"a part was given up: its worker died {ATTEMPTS} times") from error

    def _connect(self, stack: ExitStack, distributed: Any, parts: int) -> Any:
        if self._address is None:
            cluster = distributed.LocalCluster(
                n_workers=min(self.parallel, parts),
                threads_per_worker=1,
                processes=True,
                memory_limit=None,  # parts are let go; a limit would only kill workers that are fine
                # None would still ask for the default port, which another run may hold.
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
                silence_logs=logging.CRITICAL,
            )
            stack.enter_context(cluster)
            return stack.enter_context(distributed.Client(cluster))
        try:
            client = distributed.Client(self._address, timeout="10s")
        except (OSError, ValueError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                "engine",
                f"dask at {self._address} ({said})",
                "a Dask scheduler that answers",
                hint=f"See {VARIABLE}.",
            ) from None
        stack.enter_context(client)
        self.parallel = max(len(client.scheduler_info()["workers"]), 1)
        return client

    def describe(self) -> dict[str, Any]:
        """What ran, for the run log; the address stays out of it."""
        mode = "cluster" if self._address else "local cluster"
        return {"engine": "dask", "mode": mode, "workers": self.parallel}


def _results(
    client: Any,
    distributed: Any,
    task: Callable[[int], T],
    parts: list[int],
    window: int,
    ordered: bool,
) -> Iterator[T]:
    """Results with at most `window` parts under way."""
    todo = iter(parts)

    def submit(part: int) -> Any:
        # Not "pure": the same part of two runs is not one task.
        return client.submit(task, part, pure=False)

    if ordered:
        futures = [submit(part) for _, part in zip(range(window), todo)]
        while futures:
            yield futures.pop(0).result()
            futures += [submit(part) for _, part in zip(range(1), todo)]
        return
    queue = distributed.as_completed([submit(part) for _, part in zip(range(window), todo)])
    for future in queue:
        yield future.result()
        for _, part in zip(range(1), todo):
            queue.add(submit(part))
