"""The figures of a bank's world beside published ones.

Each says where the published figure comes from and of what kind it is; only observed and survey figures carry
a range that judges. Figures of another century or country are shown without one. Figures of cases are
weighted back to nature; on data made at natural rates the weights are near one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rarecase.finance.measures import alerts, amounts, clock, fraud, graph, habits, laundering
from rarecase.finance.measures.views import views

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset
    from rarecase.common.domain import Measure

__all__ = ["measures"]


def measures(dataset: Dataset) -> Sequence[Measure]:
    """All figures of a data set.

    Parameters
    ----------
    dataset
        A finance data set; the figures are read from its tables with DuckDB.
    """
    connection = dataset.connect()
    views(connection)
    return (
        *habits.measures(connection, dataset.spec.days),
        *clock.measures(connection),
        *amounts.measures(connection),
        *graph.measures(connection),
        *fraud.measures(connection, dataset.spec.days),
        *laundering.measures(connection),
        *alerts.measures(connection),
    )
