"""The shape of the graph of payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rarecase.common.domain import Measure

if TYPE_CHECKING:
    import duckdb

_LEAST_DEGREE = 10


def measures(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    """Exponents of the degrees of accounts."""
    found = []
    for name, side, other in (("in", "payee", "payer"), ("out", "payer", "payee")):
        degrees = connection.execute(
            f"SELECT count(DISTINCT {other}_account_id) FROM transactions GROUP BY {side}_account_id"
        ).fetchnumpy()
        values = np.asarray(next(iter(degrees.values())), np.float64)
        found.append(
            Measure(
                name=f"{name}_degree_exponent",
                meaning=f"Exponent of {name}-degrees from {_LEAST_DEGREE} on (maximum likelihood)",
                value=_exponent(values),
                unit="none",
                low=None,
                high=None,
                published=None,
                evidence="observed",
                source="Saxena and others 2021 (arXiv 2109.10703), Rabobank: heavy tails, no exponent told; "
                "method of Clauset and others 2009 with the approximation for whole numbers",
            )
        )
    return found


def _exponent(degrees: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    tail = degrees[degrees >= _LEAST_DEGREE]
    return 1.0 + tail.size / float(np.log(tail / (_LEAST_DEGREE - 0.5)).sum()) if tail.size else float("nan")
