"""The other end of `processes`: a worker's life, from its task to the end of its standard input."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from typing import IO, Any

from rarecase.common.engines.processes import receive, send
from rarecase.common.errors import RarecaseError


def main() -> None:
    """Take a task, then parts, and answer each with ("result", value) or ("error", exception)."""
    # An interrupt is for the run to handle; it ends its workers by closing their standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever prints goes to standard error: standard output carries pickles.
    os.dup2(2, 1)
    questions: queue.SimpleQueue[Any] = queue.SimpleQueue()
    task = _first(sys.stdin.buffer, answers)
    threading.Thread(target=_listen, args=(sys.stdin.buffer, questions), daemon=True).start()
    while True:
        part = questions.get()
        try:
            answer = ("result", task(part))
        except Exception as error:
            answer = ("error", _portable(error))
        send(answers, answer)


def _first(stream: IO[bytes], answers: IO[bytes]) -> Any:
    try:
        return receive(stream)
    except EOFError:
        os._exit(0)
    except Exception as error:
        message = error

    def refuse(part: int) -> Any:
        raise RarecaseError(f"a worker could not take its task: {type(message).__name__}: {message}")

    return refuse


def _listen(stream: IO[bytes], questions: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            questions.put(receive(stream))
        except EOFError:
            # The run is over or was killed: an orphan must not go on writing into its directory.
            os._exit(0)


def _portable(error: Exception) -> Exception:
    told = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RarecaseError(f"{type(error).__name__}: {error}")
    error.add_note(f"in a worker process:\n{told}")
    return error
