"""What the ISO 20022 messages share: parties with addresses, references, rates and the frame of a document.

Fragments of XML are put together as whole columns, in SQL. Every address names town and country and has no
unstructured line, as payment systems ask from November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.finance.formats.parties import with_parties

if TYPE_CHECKING:
    import duckdb

#: Payments that go from bank to bank as credit transfers; cards, cheques, cash and debits go other ways.
CREDIT_TRANSFERS = "('transfer', 'wire', 'standing_order', 'payroll', 'business', 'loan', 'compensation')"


def opened(message: str, root: str) -> str:
    """How a document of a message such as camt.053.001.08 begins."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- synthetic data made by rarecase -->\n'
    return f'{head}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}"><{root}>'


def closed(root: str) -> str:
    """How it ends."""
    return f"</{root}></Document>\n"


def escaped(column: str) -> str:
    """SQL for the text of a column as character data."""
    return f"replace(replace(replace({column}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"


def reference(column: str) -> str:
    """SQL for a reference of 16 characters out of a key."""
    return f"printf('%016X', {column})"


def instant(column: str) -> str:
    """SQL for a moment."""
    return f"strftime({column}, '%Y-%m-%dT%H:%M:%S')"


def rate(source: str, target: str) -> str:
    """SQL for the rate that turns one amount into another: eleven digits, at most ten after the point."""
    value = f"(CAST({target} AS DOUBLE) / {source})"
    return f"CASE WHEN {value} < 10 THEN printf('%.10f', {value}) ELSE printf('%.8f', {value}) END"


def service_level(payment: str) -> str:
    """SQL for the service level of a payment: SEPA within the euro, urgent wires, others."""
    return (
        f"CASE WHEN {payment}.payment_type::VARCHAR = 'wire' THEN 'URGP' "
        f"WHEN {payment}.currency::VARCHAR = 'EUR' AND {payment}.credited_currency::VARCHAR = 'EUR' "
        "THEN 'SEPA' ELSE 'NURG' END"
    )


def charges(payment: str) -> str:
    """SQL for who bears charges: as the service level says within SEPA, else shared."""
    return f"CASE WHEN {service_level(payment)} = 'SEPA' THEN 'SLEV' ELSE 'SHAR' END"


def with_xml(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `iso`: of each account its holder and bank as XML.

    Columns: account_id, place, own (kind of holder), bank_id, bic, bank_name, currency, `holder` (name and
    address), `account` (its identification: an IBAN, or another number where there is none; null outside) and
    `agent` (its bank; null outside).
    """
    with_parties(connection)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE iso AS
        SELECT account_id, place, holder AS own, bank_id, bic, {escaped("bank_name")} AS bank_name, currency,
            concat('<Nm>', {escaped("left(name, 140)")}, '</Nm><PstlAdr>',
                '<StrtNm>' || {escaped("left(street, 70)")} || '</StrtNm>', '<PstCd>', {escaped("postcode")},
                '</PstCd><TwnNm>', {escaped("left(town, 35)")}, '</TwnNm><Ctry>', country,
                '</Ctry></PstlAdr>') AS holder,
            coalesce('<Id><IBAN>' || iban || '</IBAN></Id>',
                '<Id><Othr><Id>' || domestic_number || '</Id></Othr></Id>') AS account,
            '<FinInstnId><BICFI>' || bic || '</BICFI></FinInstnId>' AS agent
        FROM party
        """
    )
