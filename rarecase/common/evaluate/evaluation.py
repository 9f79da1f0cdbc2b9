"""The domain's figures beside published ones, and, on request, the data beside real ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rarecase.common.domain import Measure
from rarecase.common.errors import InputError

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset
    from rarecase.common.evaluate.compare import Comparison

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Measures, each with its range where the evidence gives one, and the comparison that was asked for."""

    domain: str
    measures: tuple[Measure, ...]
    comparison: Comparison | None = None

    @property
    def outside(self) -> tuple[Measure, ...]:
        """The measures that miss their range."""
        return tuple(measure for measure in self.measures if measure.inside is False)

    @property
    def ok(self) -> bool:
        """Whether every measure that may be judged lies in its range."""
        return not self.outside

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; what could not be computed is null."""
        measures = [{**asdict(measure), "inside": measure.inside} for measure in self.measures]
        compared = asdict(self.comparison) if self.comparison else None
        return {
            "domain": self.domain,
            "ok": self.ok,
            "measures": _plain(measures),
            "comparison": _plain(compared),
        }


def evaluate(
    dataset: Dataset, real: str | Path | None = None, table: str | None = None, target: str | None = None
) -> Evaluation:
    """Measure a data set and, with `real`, `table` and `target`, compare one of its tables with a real file.

    Raises
    ------
    InputError
        If only some of `real`, `table` and `target` are given, or they do not fit.
    """
    given = {"--real": real, "--table": table, "--target": target}
    missing = [option for option, value in given.items() if value is None]
    if missing and len(missing) < len(given):
        raise InputError(missing[0], "(missing)", "--real, --table and --target together")
    comparison = None
    if real is not None and table is not None and target is not None:
        from rarecase.common.evaluate.compare import compare

        comparison = compare(dataset, real, table, target)
    return Evaluation(dataset.domain.name, tuple(dataset.domain.measures(dataset)), comparison)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
