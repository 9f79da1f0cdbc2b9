"""Engines: who makes the parts. The data are the same whoever does."""

from __future__ import annotations

from typing import Literal

from rarecase.common.engines.base import Engine, EngineError
from rarecase.common.errors import InputError, nearest

__all__ = ["ENGINES", "Engine", "EngineError", "open_engine"]

ENGINES = ("local", "dask")
MODES = ("auto", "threads", "processes")


def open_engine(
    engine: str | Engine,
    workers: int | None = None,
    *,
    mode: str = "auto",
    prefer: Literal["threads", "processes"] = "threads",
) -> Engine:
    """The engine of a name, or the engine itself.

    Parameters
    ----------
    engine : ``local``, ``dask``, or an `Engine` with settings of its own (``LocalEngine(mode="processes")``,
        ``DaskEngine(address="tcp://…")``)
    workers : at least 1; default: one per processor
    mode : ``auto``, ``threads`` or ``processes``; for ``local`` only
    prefer : what the domain measured to be faster

    Raises
    ------
    InputError
        For an unknown name, fewer than one worker, or a missing extra.
    """
    if workers is not None and workers < 1:
        raise InputError("workers", workers, "a whole number of at least 1")
    if mode not in MODES:
        raise InputError("mode", mode, f"one of {', '.join(MODES)}", nearest=nearest(mode, MODES))
    if not isinstance(engine, str):
        return engine
    if engine == "local":
        from rarecase.common.engines.local import LocalEngine

        return LocalEngine(workers, mode=mode, prefer=prefer)
    if engine == "dask":
        from rarecase.common.engines.dask import DaskEngine

        return DaskEngine(workers)
    known = " or ".join(ENGINES)
    raise InputError("engine", engine, f"{known}; others are not offered", nearest=nearest(engine, ENGINES))
