"""Authorisation messages as an independent decoder reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from rarecase.finance.formats.iso8583 import NUMBERS, bitmap
from tests.finance.formats.conftest import Books, plain

iso8583 = pytest.importorskip("iso8583")
specs = pytest.importorskip("iso8583.specs")
_ASKED = {
    "2",
    "3",
    "4",
    "7",
    "11",
    "12",
    "13",
    "14",
    "18",
    "22",
    "25",
    "32",
    "37",
    "41",
    "42",
    "43",
    "49",
    "63",
}
_ANSWERED = {"2", "3", "4", "7", "11", "12", "13", "32", "37", "39", "41", "42", "49", "63"}
Rows = dict[int, dict[str, Any]]
_ABROAD = {"6", "10", "51"}


@dataclass(frozen=True)
class Pair:
    """A request and its answer."""

    place: int
    request: dict[str, str]
    answer: dict[str, str]

    @property
    def key(self) -> int:
        """The key of the payment or attempt."""
        return int(self.request["63"].split()[-1], 16)


def messages(content: bytes) -> list[dict[str, str]]:
    """Every message of a file, decoded and encoded again to the same bytes."""
    found, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 2], "big")
        raw = content[at + 2 : at + 2 + size]
        decoded, _ = iso8583.decode(raw, specs.default_ascii)
        again, _ = iso8583.encode(dict(decoded), specs.default_ascii)
        assert bytes(again) == raw
        found.append(decoded)
        at += 2 + size
    assert at == len(content)
    return found


@pytest.fixture(scope="module")
def pairs(books: Books) -> list[Pair]:
    found = []
    for path, content in books.export("iso8583").items():
        if path.endswith(".bin"):
            decoded = messages(content)
            place = int(path.removesuffix(".bin")[-5:])
            found += [
                Pair(place, request, answer)
                for request, answer in zip(decoded[::2], decoded[1::2], strict=True)
            ]
    return found


@pytest.fixture(scope="module")
def rows(books: Books) -> Rows:
    """Payments and attempts by key, with the time of the event."""
    paid = books.frame("transactions").rename(columns={"transaction_id": "key", "ordered_at": "at"})
    tried = books.frame("declines").rename(columns={"decline_id": "key", "attempted_at": "at"})
    tried["credited_minor"], tried["credited_currency"] = tried["amount_minor"], tried["currency"]
    return plain(pd.concat([paid.assign(response_code="00"), tried]).set_index("key"))


def elements(message: dict[str, str]) -> set[str]:
    return set(message) - {"t", "p", "h", "1"}


def test_every_card_payment_attempt_and_refund_is_there(pairs: list[Pair], rows: Rows) -> None:
    keys = [pair.key for pair in pairs]
    kinds = ("card_payment", "cash_withdrawal", "cash_deposit", "card_refund")
    carded = {
        key
        for key, row in rows.items()
        if row["card_id"] and row["terminal_id"] and row["payment_type"] in kinds
    }
    refunds = {key for key, row in rows.items() if row["payment_type"] == "card_refund"}
    always = {key for key, row in rows.items() if row["payment_type"] in ("card_payment", "cash_withdrawal")}
    assert len(set(keys)) == len(keys)
    assert set(keys) == carded
    assert refunds | always <= carded
    assert sum(rows[key]["response_code"] != "00" for key in carded) > 50
    assert len(refunds) > 20


def test_messages_have_the_elements_that_belong_to_them(pairs: list[Pair], rows: Rows) -> None:
    kinds = set()
    for pair in pairs:
        row = rows[pair.key]
        refund = row["payment_type"] == "card_refund"
        abroad = _ABROAD if row["currency"] != row["credited_currency"] else set()
        approved = {"38"} if row["response_code"] == "00" else set()
        assert elements(pair.request) == _ASKED | abroad | ({"90"} if refund else set())
        assert elements(pair.answer) == _ANSWERED | abroad | approved
        assert (pair.request["t"], pair.answer["t"]) == (("0220", "0230") if refund else ("0100", "0110"))
        same = elements(pair.request) & elements(pair.answer) - {"7"}
        assert all(pair.request[name] == pair.answer[name] for name in same)
        assert pair.answer["39"] == row["response_code"]
        kinds.add((pair.request["t"], pair.request["3"][:2], bool(abroad), bool(approved)))
    assert len(kinds) >= 7


def test_amounts_and_currencies(pairs: list[Pair], rows: Rows) -> None:
    exchanged = 0
    for pair in pairs:
        row, told = rows[pair.key], pair.request
        at_terminal, cardholder = ("credited_minor", "credited_currency"), ("amount_minor", "currency")
        if row["payment_type"] in ("card_refund", "cash_deposit"):
            at_terminal, cardholder = cardholder, at_terminal
        assert int(told["4"]) == row[at_terminal[0]]
        assert told["49"] == NUMBERS[row[at_terminal[1]]]
        if "6" in told:
            exchanged += 1
            assert int(told["6"]) == row[cardholder[0]]
            assert told["51"] == NUMBERS[row[cardholder[1]]]
            rate = int(told["10"][1:]) / 10 ** int(told["10"][0])
            assert abs(int(told["4"]) * rate - int(told["6"])) <= 0.5 + int(told["6"]) * 1e-6
    assert exchanged > 30
    assert NUMBERS == {"EUR": "978", "GBP": "826", "USD": "840", "AUD": "036", "CZK": "203"}


def test_the_card_is_the_one_in_force(pairs: list[Pair], rows: Rows, books: Books) -> None:
    cards, new = books.frame("cards").set_index("card_id"), books.frame("card_replacements")
    history = {
        card: sorted(zip(group["replaced_at"], group["pan"], strict=True))
        for card, group in new.groupby("card_id")
    }
    replaced = 0
    for pair in pairs:
        row = rows[pair.key]
        card = row["card_id"]
        pan = cards["pan"][card]
        for since, number in history.get(card, []):
            if row["at"] >= since:
                pan, replaced = number, replaced + 1
        assert pair.request["2"] == pan
        account = "30" if cards["card_type"][card] == "credit" else "20"
        assert account in (pair.request["3"][2:4], pair.request["3"][4:])
    assert replaced > 20


def test_times_places_and_terminals(pairs: list[Pair], rows: Rows, books: Books) -> None:
    terminals = books.frame("terminals").set_index("terminal_id")
    merchants = books.frame("merchants").set_index("merchant_id")
    places = books.frame("places").set_index("place")
    modes = {"chip": "051", "contactless": "071", "magnetic_stripe": "901", "manual": "012"}
    acceptors: dict[str, set[Any]] = {}
    for pair in pairs:
        row, told = rows[pair.key], pair.request
        assert told["7"] == f"{row['at']:%m%d%H%M%S}" == told["13"] + told["12"]
        assert pair.answer["7"] == f"{row['at'] + pd.Timedelta(seconds=1):%m%d%H%M%S}"
        assert told["37"] == f"{row['at']:%Y}"[-1] + f"{row['at']:%j%H}" + told["11"]
        if row["entry_mode"] in modes:
            assert told["22"] == modes[row["entry_mode"]]
        terminal = terminals.loc[row["terminal_id"]]
        assert told["41"] == terminal["code"]
        assert told["43"][-2:] == places["country"][terminal["place"]]
        assert len(told["43"]) == 40
        acceptors.setdefault(told["42"], set()).add(terminal["merchant_id"])
        if row["payment_type"] == "cash_withdrawal":
            assert (told["3"][:2], told["18"]) == ("01", "6011")
        if row["payment_type"] == "card_payment":
            assert (told["3"][:2], told["18"]) == ("00", row["mcc"])
            name = merchants["merchant_name"][row["merchant_id"]]
            if name.isascii():
                assert told["43"][:23].rstrip() == name[:23].rstrip()
    assert {len(held) for held in acceptors.values()} == {1}


def test_requests_are_numbered_in_time_and_refunds_name_their_purchase(pairs: list[Pair], rows: Rows) -> None:
    numbers = {pair.key: pair.request for pair in pairs}
    for place in {pair.place for pair in pairs}:
        here = [pair for pair in pairs if pair.place == place]
        assert [int(pair.request["11"]) for pair in here] == [*range(1, len(here) + 1)]
        assert [rows[pair.key]["at"] for pair in here] == sorted(rows[pair.key]["at"] for pair in here)
    refunds = [pair for pair in pairs if pair.request["t"] == "0220"]
    known = 0
    for pair in refunds:
        origin = numbers.get(
            rows[pair.key]["refers_to"], {"11": "0" * 6, "7": "0" * 10, "32": pair.request["32"]}
        )
        told = f"0100{origin['11']}{origin['7']}{origin['32'].zfill(11)}{'0' * 11}"
        assert pair.request["90"] == told
        known += origin["11"] != "0" * 6
    assert 0.9 * len(refunds) < known


def test_bitmaps() -> None:
    # ISO 8583: the leftmost bit of the first digit is element 1, which says that a second bitmap follows.
    assert bitmap((2, 3, 4)) == "7000000000000000"
    assert bitmap((64,)) == "0000000000000001"
    assert bitmap((2, 90)) == "C0000000000000000000004000000000"
