"""When a row becomes known, where its own time does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a column tells of the time after its row became known: see `Column.horizon`.
Horizon = Literal["before", "ahead", "at_end"]
HORIZONS = frozenset({"before", "ahead", "at_end"})


@dataclass(frozen=True, kw_only=True)
class Knowing:
    """What a row waits for, beside its table's time, before it is known.

    Parameters
    ----------
    with_rows : tuple of str
        Own columns that refer to rows of other tables: the row is known once those rows are (a payment of an
        alert with the alert). Null waits for nothing.
    after_rows : tuple of str
        The same, but once those rows are over (the worst moment of a drive).
    used_by : tuple of str
        ``table.column`` that refers here: the row is known once one of those rows names it (an address from
        which orders come).
    lasts : str, optional
        Column that says for how many seconds after its time a row lasts; without one it is over at once.
    recount : str, optional
        DuckDB query over views named as the tables, each as it was known: the key, and the columns that count
        or sum up rows of other tables. Rows that it does not return are not known.
    """

    with_rows: tuple[str, ...] = ()
    after_rows: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    lasts: str | None = None
    recount: str | None = None
