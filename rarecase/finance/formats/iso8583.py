"""ISO 8583:1987 in ASCII: what tills, web shops and cash machines ask of the issuer, and what it answers.

One binary file per place. Each message has its length in front, two bytes, the higher one first; all the rest
is ASCII, bitmaps as hexadecimal digits. A request stands before its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.parties import with_parties, with_plastic, word
from rarecase.finance.formats.stream import Payers, books, documents, place_spans, readme, rows_of

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

_ROWS = 300_000
#: ISO 4217 numbers of currencies.
NUMBERS = {"EUR": "978", "GBP": "826", "USD": "840", "AUD": "036", "CZK": "203"}
#: DE 22: how the number was read, and whether the terminal can take a PIN.
ENTRY_MODES = {
    "chip": "051",
    "contactless": "071",
    "magnetic_stripe": "901",
    "ecommerce": "812",
    "credential_on_file": "102",
    "manual": "012",
    "none": "000",
}
#: DE 25 by channel: normal, by mail or telephone, on the internet, at a machine without staff.
CONDITIONS = {"pos": "00", "mail_order": "08", "ecommerce": "59", "atm": "02"}
#: DE 3, first two digits: goods, cash, refund, deposit.
_GOODS, _CASH, _REFUND, _DEPOSIT = "00", "01", "20", "21"
_CASH_MCC = "6011"
#: DE 39 of an attempt with the date of the card before (DE 14).
_EXPIRED = "54"
#: The number of whoever acquires at cash machines, beside those of the banks.
_MACHINES = 99_999
_README = """
place-00000.bin   messages of the terminals of a place, by time

Each message: its length in two bytes (big-endian), then ASCII: message type, bitmap as 16 hexadecimal digits,
data elements of ISO 8583:1987 with lengths as digits. Every request is followed by its answer: 0100 and 0110
for purchases, cash and deposits at machines, also refused ones; 0220 and 0230 for refunds, which name the
purchase in element 90. Chargebacks go other ways and are not here.

Elements: 2 number of the card in force that day, 3 processing code (00 goods, 01 cash, 20 refund, 21 deposit;
account 20 of debit or 30 of credit cards), 4 and 49 amount and currency at the terminal, 6, 10 and 51 amount,
rate and currency of the cardholder where that is another one, 7 transmission (UTC), 11 number of the request
in its place, 12 and 13 the same moment as local time, 14 expiry, 18 category, 22 entry mode, 25 condition,
32 acquirer (00000 and the number of a bank, which no issuer has), 37 retrieval reference (year, day, hour and
element 11), 38 authorisation, 39 response, 41 terminal, 42 acceptor, 43 its name (23), town (13) and country,
63 "SYNTHETIC RARECASE" and the key of the payment or declined attempt in the data set.
Attempts that were refused have no amount at the terminal in another currency; their element 4 is the payer's.
"""


def bitmap(elements: tuple[int, ...]) -> str:
    """Primary bitmap, and the secondary one where an element above 64 is there, as hexadecimal digits."""
    bits = 64 if max(elements) <= 64 else 128
    present = set(elements) | ({1} if bits == 128 else set())
    return f"{sum(1 << (bits - element) for element in present):0{bits // 4}X}"


def export(dataset: Dataset) -> Iterator[Document]:
    """Requests and answers of all card payments, cash at machines, refunds and refused attempts.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``iso8583/place-00000.bin`` and so on, in pieces.
    """
    with books(dataset) as connection:
        with_parties(connection)
        with_plastic(connection)
        _with_terminals(connection)
        yield readme("iso8583", "ISO 8583:1987 authorisation messages", _README, dataset)
        places = place_spans(connection, _counts(), _ROWS)
        payers = {table: Payers(connection, table) for table in ("transactions", "declines")}
        queries = (
            _query({name: rows_of(dataset, name, found.of(*span)) for name, found in payers.items()}, *span)
            for span in places
        )
        yield from documents(connection, queries)


def _with_terminals(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `point`: of each terminal the elements 32, 41, 42 and 43."""
    plain = "regexp_replace(strip_accents(replace({}, 'ß', 'ss')), '[^ -~]', '?', 'g')"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE point AS
        SELECT t.terminal_id, printf('%011d', coalesce(a.bank_number, {_MACHINES})) AS acquirer, t.code,
            printf('%s%014d', CASE WHEN m.merchant_id IS NULL THEN 'A' ELSE 'M' END,
                dense_rank() OVER (ORDER BY coalesce(m.merchant_id, t.terminal_id))) AS acceptor,
            concat(rpad(left({plain.format("coalesce(m.merchant_name, 'CASH MACHINE')")}, 23), 23, ' '),
                rpad(left({plain.format("p.town::VARCHAR")}, 13), 13, ' '), '  ', p.country::VARCHAR)
                AS location
        FROM terminals t
        JOIN places p ON p.place = t.place
        LEFT JOIN merchants m ON m.merchant_id = t.merchant_id
        LEFT JOIN (SELECT merchant_id, min(bank_number) AS bank_number FROM party
            WHERE merchant_id IS NOT NULL GROUP BY ALL) a ON a.merchant_id = t.merchant_id
        """
    )


_ASKED = (
    "card_id IS NOT NULL AND terminal_id IS NOT NULL AND payment_type::VARCHAR IN "
    "('card_payment', 'cash_withdrawal', 'cash_deposit', 'card_refund')"
)
#: Who asks is paid, but for refunds.
_PLACE = "CASE WHEN payment_type::VARCHAR = 'card_refund' THEN payer_place ELSE payee_place END"


def _counts() -> str:
    tables = " UNION ALL ".join(
        f"SELECT {_PLACE} AS place FROM {table} WHERE {_ASKED}" for table in ("transactions", "declines")
    )
    return f"SELECT place, count(*) AS rows FROM ({tables}) GROUP BY ALL"


def _asked(table: str, columns: str, first: int, last: int) -> str:
    """SQL for the payments or attempts with a card at terminals of some places, as requests."""
    return f"""
        SELECT {_PLACE} AS place, {columns},
            CASE payment_type::VARCHAR WHEN 'cash_withdrawal' THEN '{_CASH}'
                WHEN 'cash_deposit' THEN '{_DEPOSIT}' WHEN 'card_refund' THEN '{_REFUND}'
                ELSE '{_GOODS}' END AS what,
            coalesce(mcc::VARCHAR, '{_CASH_MCC}') AS mcc,
            {word("coalesce(entry_mode::VARCHAR, 'none')", ENTRY_MODES)} AS entry,
            {word("channel", CONDITIONS, "00")} AS condition, card_id, terminal_id
        FROM {table} WHERE {_ASKED} AND {_PLACE} BETWEEN {first} AND {last}"""


def _requests(tables: Mapping[str, str], first: int, last: int) -> str:
    # Of a deposit or refund the cardholder is the payee; of all else, the payer.
    credits = "CASE WHEN payment_type::VARCHAR IN ('cash_deposit', 'card_refund')"
    booked = f"""ordered_at AS moment, transaction_id AS key, refers_to, '00' AS response,
        {credits} THEN amount_minor ELSE credited_minor END AS amount,
        {credits} THEN currency ELSE credited_currency END::VARCHAR AS currency,
        {credits} THEN credited_minor ELSE amount_minor END AS billed,
        {credits} THEN credited_currency ELSE currency END::VARCHAR AS billing"""
    tried = """attempted_at AS moment, decline_id AS key, CAST(NULL AS BIGINT) AS refers_to,
        response_code::VARCHAR AS response, amount_minor AS amount, currency::VARCHAR AS currency,
        amount_minor AS billed, currency::VARCHAR AS billing"""
    return (
        f"{_asked(tables['transactions'], booked, first, last)} UNION ALL "
        f"{_asked(tables['declines'], tried, first, last)}"
    )


def _message(
    kind: str, elements: Mapping[int, str], foreign: tuple[int, ...], approved: tuple[int, ...]
) -> str:
    """SQL for a message of data elements, of which some are there only between currencies or if approved."""
    always = tuple(element for element in elements if element not in (*foreign, *approved))
    bits = (
        f"CASE WHEN abroad AND response = '00' THEN '{bitmap((*always, *foreign, *approved))}' "
        f"WHEN abroad THEN '{bitmap((*always, *foreign))}' "
        f"WHEN response = '00' THEN '{bitmap((*always, *approved))}' ELSE '{bitmap(always)}' END"
    )
    parts = [
        f"CASE WHEN abroad THEN {sql} END"
        if element in foreign
        else f"CASE WHEN response = '00' THEN {sql} END"
        if element in approved
        else sql
        for element, sql in sorted(elements.items())
    ]
    return f"concat('{kind}', {bits}, {', '.join(parts)})"


#: Data elements in both directions; `n` is the number of the request in its place.
_BOTH = {
    2: "printf('%02d', length(pan)), pan",
    3: "concat(what, CASE WHEN what IN ('20', '21') THEN '00' ELSE account END, "
    "CASE WHEN what IN ('20', '21') THEN account ELSE '00' END)",
    4: "printf('%012d', amount)",
    6: "printf('%012d', billed)",
    10: "rate",
    11: "stan",
    12: "strftime(moment, '%H%M%S')",
    13: "strftime(moment, '%m%d')",
    32: "concat('11', acquirer)",
    37: "reference",
    41: "code",
    42: "acceptor",
    49: "number",
    51: "billing_number",
    63: "printf('%03d', length(mark)), mark",
}
_ASKING = {
    7: "strftime(moment, '%m%d%H%M%S')",
    14: "strftime(expires_on, '%y%m')",
    18: "mcc",
    22: "entry",
    25: "condition",
    43: "location",
}
_ANSWERING = {
    7: "strftime(moment + INTERVAL 1 SECOND, '%m%d%H%M%S')",
    38: "printf('%06d', (key // 1024) % 1000000)",
    39: "response",
}
_ABROAD = (6, 10, 51)
#: DE 90: type, element 11, element 7 and acquirer of the purchase; zeros where they are not known.
_ORIGINAL = {
    90: "concat('0100', coalesce(original_stan, '000000'), coalesce(strftime(original_moment, '%m%d%H%M%S'), "
    "'0000000000'), acquirer, '00000000000')"
}


def _framed(message: str) -> str:
    return f"unhex(printf('%04X', length({message}))) || encode({message})"


def _query(tables: Mapping[str, str], first: int, last: int) -> str:
    request = _message("0100", {**_BOTH, **_ASKING}, _ABROAD, ())
    answer = _message("0110", {**_BOTH, **_ANSWERING}, _ABROAD, (38,))
    advice = _message("0220", {**_BOTH, **_ASKING, **_ORIGINAL}, _ABROAD, ())
    noted = _message("0230", {**_BOTH, **_ANSWERING}, _ABROAD, (38,))
    rate = "CAST(r.billed AS DOUBLE) / r.amount"
    # The first digit says how many of the other seven stand behind the point.
    digits = f"greatest(least(6 - CAST(floor(log10({rate})) AS INTEGER), 9), 0)"
    return f"""
        WITH asked AS (
            SELECT r.*, row_number() OVER (PARTITION BY r.place ORDER BY r.moment, r.key) AS n
            FROM ({_requests(tables, first, last)}) r),
        known AS (
            SELECT r.*, printf('%06d', (r.n - 1) % 999999 + 1) AS stan, k.pan, k.expires_on, p.acquirer,
                p.code, p.acceptor, p.location, r.currency <> r.billing AS abroad, {digits} AS digits,
                {word("r.currency", NUMBERS)} AS number, {word("r.billing", NUMBERS)} AS billing_number,
                CASE WHEN h.card_type::VARCHAR = 'credit' THEN '30' ELSE '20' END AS account,
                printf('%06d', (o.n - 1) % 999999 + 1) AS original_stan, o.moment AS original_moment
            FROM asked r
            JOIN plastic k ON k.card_id = r.card_id AND CASE WHEN r.response = '{_EXPIRED}'
                THEN r.moment::DATE > k.expires_on AND r.moment::DATE <= k.stale_until
                ELSE r.moment >= k.since AND r.moment < k.until END
            JOIN cards h ON h.card_id = r.card_id
            JOIN point p ON p.terminal_id = r.terminal_id
            LEFT JOIN asked o ON o.key = r.refers_to),
        told AS (
            SELECT *, concat(right(strftime(moment, '%Y'), 1), strftime(moment, '%j%H'), stan) AS reference,
                printf('%d%07d', digits,
                    CAST(round(CAST(billed AS DOUBLE) / amount * pow(10, digits)) AS BIGINT)) AS rate,
                printf('SYNTHETIC RARECASE %016X', key) AS mark
            FROM known),
        message AS (
            SELECT place, n, CASE WHEN what = '{_REFUND}' THEN {advice} ELSE {request} END AS request,
                CASE WHEN what = '{_REFUND}' THEN {noted} ELSE {answer} END AS answer
            FROM told)
        SELECT printf('iso8583/place-%05d.bin', place) AS path,
            {_framed("request")} || {_framed("answer")} AS text
        FROM message
        ORDER BY place, n
    """
