"""The shipped reference tables."""

from __future__ import annotations

import csv
import tomllib
from importlib import resources
from pathlib import Path

from rarecase.finance import data

ROOM = resources.files("rarecase.finance.data")


def test_every_table_names_its_source() -> None:
    sources = tomllib.loads(ROOM.joinpath("SOURCES.toml").read_text("utf-8"))
    shipped = {item.name for item in ROOM.iterdir() if item.name.endswith(".csv")}
    assert {entry["file"] for entry in sources.values()} == shipped
    for entry in sources.values():
        assert entry["evidence"] in ("observed", "survey", "simulated", "expert")
        assert entry["source"]
        assert entry["version"]
        assert entry["licence"]


def test_categories_are_the_official_list(shared_data: Path) -> None:
    official = shared_data / "finance" / "mcc" / "iso18245_official_list.csv"
    with official.open(encoding="utf-8") as file:
        wanted = {row["MCC"].strip(): row["DESCRIPTION"].strip() for row in csv.DictReader(file)}
    assert data.mcc_titles() == wanted


def test_every_kind_of_shop_has_an_official_category() -> None:
    assert set(data.shops().mcc) <= set(data.mcc_titles())
    assert set(data.shops().rhythm) <= set(data.rhythms())


def test_ways_of_paying_are_consistent() -> None:
    ways = data.ways()
    entry_mode = ways.codes("entry_mode")
    assert ((entry_mode >= 0) == ways.card).all()
    assert {biller.way for biller in data.billers()} <= set(ways.names)
