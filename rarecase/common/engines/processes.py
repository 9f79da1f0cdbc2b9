"""Worker processes of our own: one that is killed loses its part to the next one, and nothing else.

Each lane keeps one child, started as a fresh interpreter that imports nothing of the user's script (so no
``if __name__ == "__main__"`` is needed) and ends by itself when this process ends. Parts and results cross as
pickles over its standard input and output.
"""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, Generic, TypeVar

from rarecase.common.engines.base import ATTEMPTS, EngineError

T = TypeVar("T")

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from rarecase.common.engines.worker import main; main()"
)
_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], value: Any) -> None:
    """Write one pickle with its length before it."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one pickle; EOFError when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # from our own child, over a pipe that nobody else holds


class Restarts:
    """Counts the workers that died, over all lanes."""

    def __init__(self) -> None:
        self._lock, self.count = threading.Lock(), 0

    def add(self) -> None:
        """One more."""
        with self._lock:
            self.count += 1


class Child(Generic[T]):
    """One worker process, replaced whenever it dies."""

    def __init__(self, task: Callable[[int], T], restarts: Restarts) -> None:
        self._task, self._restarts = task, restarts
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, part: int) -> T:
        """The result of one part; a killed worker is replaced and the part made again."""
        for _ in range(ATTEMPTS):
            try:
                kind, value = self._ask(part)
            except (EOFError, BrokenPipeError, ConnectionError):
                self._restarts.add()
                self.close()
                continue
            if kind == "error":
                raise value
            result: T = value
            return result
        raise EngineError(
            f"part {part} was given up: {ATTEMPTS} workers died over it. "
            "A smaller `block` or fewer workers need less memory; `--resume` goes on from here."
        )

    def _ask(self, part: int) -> tuple[str, Any]:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        send(process.stdin, part)
        answer: tuple[str, Any] = receive(process.stdout)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, *_flags(), "-c", _BOOT, json.dumps(sys.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        send(self._process.stdin, self._task)
        return self._process

    def close(self) -> None:
        """End the worker: without its standard input it stops at once."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was still to be written goes nowhere
                    continue
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _flags() -> list[str]:
    # A child must not be stricter than its parent about warnings of libraries it imports, nor laxer.
    return [f"-W{option}" for option in sys.warnoptions]
