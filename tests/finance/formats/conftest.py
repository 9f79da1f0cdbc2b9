"""A small bank's world in six countries, and what the formats make of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.domain import Document
from rarecase.common.run import generate
from rarecase.finance.cases import laundering
from rarecase.finance.formats import FORMATS

KINDS = (
    "account_takeover",
    "card_testing",
    "lost_and_stolen",
    "refund_abuse",
    "payroll_run",
    *(kind.model_fields["kind"].default for kind in laundering.KINDS),
)


class Books:
    """A data set, its tables as frames, and its exports as bytes by path."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.frame = cache(self._frame)
        self.export = cache(self._export)

    def _frame(self, table: str) -> pd.DataFrame:
        found = self.dataset.frame(table)
        for name in found.select_dtypes("category"):
            found[name] = found[name].astype(object)
        return found

    def _export(self, form: str) -> dict[str, bytes]:
        return taken(FORMATS[form].export(self.dataset))

    def payments(self) -> pd.DataFrame:
        """Transactions by key, with the holder, bank and country of both sides."""
        places = self.frame("places").set_index("place")["country"]
        accounts = self.frame("accounts").set_index("account_id")[["holder", "bank_id", "place"]]
        accounts["country"] = accounts["place"].map(places)
        found = self.frame("transactions")
        for side in ("payer", "payee"):
            found = found.join(
                accounts[["holder", "bank_id", "country"]].add_prefix(f"{side}_"), on=f"{side}_account_id"
            )
        return found.set_index("transaction_id")

    def rows(self) -> dict[int, dict[str, Any]]:
        """Those payments as plain values, by key."""
        return plain(self.payments())


def plain(frame: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """Rows as dictionaries of plain values by the index; None where a value is missing."""
    values = frame.astype(object).where(frame.notna(), None)
    return {int(key): row for key, row in values.to_dict("index").items()}


def taken(documents: object) -> dict[str, bytes]:
    """All documents, each read before the next one."""
    found: dict[str, bytes] = {}
    for document in documents:  # type: ignore[attr-defined]
        assert isinstance(document, Document)
        assert document.path not in found
        found[document.path] = b"".join(document.pieces())
    return found


@pytest.fixture(scope="package")
def books() -> Books:
    spec = {
        "domain": "finance",
        "size": 960,
        "block": 120,
        "days": 40,
        "population": {"countries": ["DE", "FR", "GB", "US", "AU", "CZ"]},
        "cases": [{"kind": kind, "count": 2, "difficulty": 0.0} for kind in KINDS],
    }
    return Books(generate(spec))
