"""Lanes: a few threads that take parts from one queue, each running them by a way of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Runs parts in `count` lanes and yields their results.

    Parameters
    ----------
    count : number of lanes
    open_lane : called once in each lane's thread; returns the function that runs one part, and the one that
        closes the lane
    """

    def __init__(
        self, count: int, open_lane: Callable[[], tuple[Callable[[int], T], Callable[[], None]]]
    ) -> None:
        self._count, self._open_lane = count, open_lane
        # Results that nobody has taken hold memory: no part begins while too many wait.
        self._room = threading.Semaphore(2 * count)
        self._todo: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def run(self, parts: Sequence[int], *, ordered: bool) -> Iterator[T]:
        """Yield each part's result, as it comes or in order; the first exception ends everything."""
        for part in parts:
            self._todo.put(part)
        for _ in range(self._count):
            self._todo.put(None)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._count)]
        for thread in threads:
            thread.start()
        try:
            yield from self._in_order(parts) if ordered else self._as_they_come(len(parts))
        finally:
            self._stopped.set()
            for _ in range(self._count):
                self._room.release()
            for thread in threads:
                thread.join()

    def _work(self) -> None:
        run: Callable[[int], T] | None = None
        close: Callable[[], None] = _nothing
        try:
            while True:
                self._room.acquire()
                part = self._todo.get()
                if part is None or self._stopped.is_set():
                    return
                try:
                    if run is None:
                        run, close = self._open_lane()
                    self._done.put((part, run(part), None))
                except BaseException as error:
                    self._done.put((part, None, error))
                    return
        finally:
            close()

    def _take(self) -> tuple[int, T]:
        part, result, error = self._done.get()
        if error is not None:
            raise error
        return part, result

    def _as_they_come(self, number: int) -> Iterator[T]:
        for _ in range(number):
            _, result = self._take()
            yield result
            self._room.release()

    def _in_order(self, parts: Sequence[int]) -> Iterator[T]:
        waiting: dict[int, T] = {}
        for wanted in parts:
            while wanted not in waiting:
                part, result = self._take()
                waiting[part] = result
            yield waiting.pop(wanted)
            self._room.release()


def _nothing() -> None:
    pass
