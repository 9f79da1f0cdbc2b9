"""Who stands behind each account, in the words and numbers that foreign files use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Countries by the names that the files of SAML-D and AMLworld use, and those that they have no word for.
COUNTRIES = {
    "DE": "Germany",
    "FR": "France",
    "GB": "UK",
    "US": "USA",
    "AU": "Australia",
    "CZ": "Czechia",
}


def with_parties(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `bank` and `party`, one row per bank in a country and per account.

    `party` has account_id, number (from 1, in the order of the keys, which says nothing), holder, kind,
    organisation_kind, customer_id, merchant_id, organisation_id, place, country, town, postcode, currency,
    name, street (of customers), iban, domestic_number, and of the bank bank_id, bank_number (0 outside),
    bank_name and bic.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE bank AS
        SELECT bank_id, CAST(row_number() OVER (ORDER BY bank_id) AS INTEGER) AS bank_number,
            bank_name::VARCHAR AS bank_name, bic::VARCHAR AS bic, country::VARCHAR AS country
        FROM banks
        """
    )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE party AS
        SELECT a.account_id, CAST(row_number() OVER (ORDER BY a.account_id) AS INTEGER) AS number,
            a.holder::VARCHAR AS holder, a.kind::VARCHAR AS kind, o.kind::VARCHAR AS organisation_kind,
            a.customer_id, a.merchant_id, a.organisation_id, a.place, p.country::VARCHAR AS country,
            p.town::VARCHAR AS town, p.postcode::VARCHAR AS postcode, a.currency::VARCHAR AS currency,
            coalesce(c.full_name, m.merchant_name, o.organisation_name, b.bank_name) AS name, c.street,
            a.iban, a.domestic_number, a.bank_id, coalesce(b.bank_number, 0) AS bank_number, b.bank_name,
            b.bic
        FROM accounts a
        JOIN places p ON p.place = a.place
        LEFT JOIN bank b ON b.bank_id = a.bank_id
        LEFT JOIN customers c ON c.customer_id = a.customer_id
        LEFT JOIN merchants m ON m.merchant_id = a.merchant_id
        LEFT JOIN organisations o ON o.organisation_id = a.organisation_id
        """
    )


def quoted(column: str) -> str:
    """SQL for the text of a column as a field of a CSV file."""
    return (
        f"CASE WHEN regexp_matches({column}, '[\",\\n\\r]') "
        f"THEN '\"' || replace({column}, '\"', '\"\"') || '\"' ELSE {column} END"
    )


def word(column: str, words: Mapping[str, str], other: str | None = None) -> str:
    """SQL for the word that stands for a column's value: `other` where there is none, or else an error."""
    cases = " ".join(f"WHEN '{value}' THEN '{told}'" for value, told in words.items())
    missing = f"error($$no word for a value of {column}$$)" if other is None else f"'{other}'"
    return f"CASE {column}::VARCHAR {cases} ELSE {missing} END"


def with_plastic(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `plastic`: card_id, pan and expires_on of each card as it was in force, [since, until).

    `stale_until` is the end of the card after it, of cards that one with a later end has replaced: until then
    a shop may try the old date.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE plastic AS
        SELECT card_id, pan, expires_on, since,
            coalesce(lead(since) OVER (PARTITION BY card_id ORDER BY since), TIMESTAMP '9999-12-31') AS until,
            CASE WHEN lead(expires_on) OVER (PARTITION BY card_id ORDER BY since) > expires_on
                THEN lead(expires_on) OVER (PARTITION BY card_id ORDER BY since) END AS stale_until
        FROM (
            SELECT card_id, pan, expires_on, TIMESTAMP '0001-01-01' AS since FROM cards
            UNION ALL
            SELECT card_id, pan, expires_on, replaced_at FROM card_replacements)
        """
    )
