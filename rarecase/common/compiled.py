"""One way to compile a kernel: cached on disk, releasing the GIL so that threads run side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function with numba, keeping its declared type.

    Parameters
    ----------
    function
        A function over scalars and arrays that numba can compile without objects. Fast-math stays off,
        so that sums are added in the order written and give the same bytes everywhere.

    Returns
    -------
    F
        The compiled function; compiled at the first call of a process, or read from the cache.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))  # type: ignore[no-untyped-call, unused-ignore]
