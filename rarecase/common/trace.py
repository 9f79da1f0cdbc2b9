"""One case of a data set: its story, and its rows of all tables in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rarecase.common.errors import InputError

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset


def trace(dataset: Dataset, case_id: int) -> dict[str, Any]:
    """The case's row of `cases`, and its labels, each with the moment and the values of its row.

    A range has the moment at which it begins and no values; rows that only the twin has (`removed`) have
    neither. Keys are text, as everywhere in JSON.
    """
    cases = dataset.frame("cases")
    found = cases[cases["case_id"] == case_id]
    if found.empty:
        raise InputError("CASE_ID", case_id, "the case_id of a row of `cases`", hint="Its stories are there.")
    labels = dataset.frame("labels")
    labels = labels[labels["case_id"] == case_id]
    steps = []
    for name, part in labels.groupby("table_name", observed=True):
        declared = dataset.domain.schema[str(name)]
        key = declared.key[0]
        rows = dataset.frame(str(name))
        rows = rows[rows[key].isin(part["row_id"].dropna())].set_index(key)
        for label in part.to_dict("records"):
            values: dict[str, Any] = {}
            if len(declared.key) == 1 and label["row_id"] in rows.index:
                values = {key: label["row_id"], **rows.loc[label["row_id"]].to_dict()}
            at = values.get(declared.time or "", label["from_at"])
            told = {**label, "at": at, "row": {column: _plain(value) for column, value in values.items()}}
            steps.append(
                {column: value if column == "row" else _plain(value) for column, value in told.items()}
            )
    steps.sort(
        key=lambda step: (step["at"] is None, step["at"] or "", step["table_name"], step["row_id"] or "")
    )
    return {**{str(name): _plain(value) for name, value in found.iloc[0].to_dict().items()}, "steps": steps}


def _plain(value: Any) -> Any:
    """A value as JSON has it; whole numbers too large for a double, which keys are, as text."""
    import pandas as pd

    if value is None or pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value if isinstance(value, bool | int | float | str) else str(value)
