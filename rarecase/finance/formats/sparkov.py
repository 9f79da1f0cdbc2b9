"""Sparkov as it is on Kaggle (fraudTrain.csv, fraudTest.csv): card purchases with who bought where.

Sparkov knows one currency: there is one folder per currency, in which amounts are the payer's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rarecase.common import names
from rarecase.common.domain import Document
from rarecase.finance import data
from rarecase.finance.formats.parties import quoted, with_plastic
from rarecase.finance.formats.stream import Span, books, decimal, headed, readme, spans, text
from rarecase.finance.formats.truth import with_truth

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

HEADER = (
    ",trans_date_trans_time,cc_num,merchant,category,amt,first,last,gender,street,city,state,zip,lat,long,"
    "city_pop,job,dob,trans_num,unix_time,merch_lat,merch_long,is_fraud"
)
#: Kaggle's training file has 73 % of the days.
_TRAINING = 0.73
_GIVEN_NAMES = 300
#: Sparkov's categories by ranges of ISO 18245 codes; the first that fits holds, and what fits none is misc.
CATEGORIES = (
    ("grocery", True, "5411 5422 5441 5451 5462 5499"),
    ("gas_transport", False, "4111 4112 4121 4131 4784 5541 5542 7523"),
    ("travel", False, "3000-3999 4411 4511 4722 7011 7012 7512 7513"),
    ("food_dining", False, "5811-5814"),
    ("health_fitness", False, "5912 5975-5976 7997 8000-8099"),
    ("personal_care", False, "5977 7230 7297-7298"),
    ("kids_pets", False, "0742 5641 5945 5995 8351"),
    ("home", False, "1520-1799 5200-5299 5712-5722 7217"),
    ("entertainment", False, "5815-5818 7800-7999"),
    ("shopping", True, "5300-5399 5600-5699 5732-5735 5940-5949 5964 5970-5974 5992-5999"),
)
_README = """
<currency>/fraudTrain.csv   card purchases in that currency of the first 73 % of the days, by time
<currency>/fraudTest.csv    those of the other days

Only card purchases are here. What the data set does not have and how it is filled: gender is read off the
given name, by the lists from which names are drawn, and empty where both lists have it; job is the
occupation told to the bank, an ISCO-08 major group or None; state is the country and city_pop the number of
customers of the town; lat and long are those of the customer's town, merch_lat and merch_long those of the
merchant's; trans_num is made of the key of the payment (the UETR of the ISO 20022 files without hyphens).
cc_num is the number of the card in force that day and begins with zeros, which a reader that takes it for
an integer drops. Categories are read off the merchant category code and whether the purchase was made from
afar (_net) or not (_pos). Merchants do not bear the prefix fraud_. unix_time is that of
trans_date_trans_time in UTC, not seven years before it. amt is in the payer's currency. is_fraud is 1 for
purchases that carry proceeds of a fraud.
"""


def export(dataset: Dataset) -> Iterator[Document]:
    """Card purchases, a training and a test file per currency.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``sparkov/EUR/fraudTrain.csv`` and so on, in pieces.
    """
    spec = dataset.spec
    cut = f"TIMESTAMP '{spec.start + timedelta(days=round(_TRAINING * spec.days)):%Y-%m-%d}'"
    with books(dataset) as connection:
        with_plastic(connection)
        with_truth(connection)
        _with_buyers(connection)
        yield readme("sparkov", "Sparkov: card purchases", _README, dataset)
        found = connection.sql("SELECT DISTINCT currency::VARCHAR FROM accounts ORDER BY 1").fetchall()
        for (currency,) in found:
            for name, side in (("fraudTrain", "<"), ("fraudTest", ">=")):
                where = (
                    f"payment_type::VARCHAR = 'card_payment' AND currency::VARCHAR = '{currency}' "
                    f"AND ordered_at {side} {cut}"
                )
                days = spans(connection, "transactions", "ordered_at", where=where)
                lines = text(connection, (_lines(span, where) for span in days))
                yield Document(f"sparkov/{currency}/{name}.csv", headed(HEADER, lines))


def _with_buyers(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `buyer` and `shop`, with the fields of a line that are the same in all of them."""
    known = data.countries()
    rows = [
        (country, name, gender)
        for country, locale in zip(known.country, known.locale, strict=True)
        for name, gender in _genders(locale).items()
    ]
    connection.execute("CREATE OR REPLACE TEMP TABLE given (country VARCHAR, name VARCHAR, gender VARCHAR)")
    connection.executemany("INSERT INTO given VALUES (?, ?, ?)", rows)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE buyer AS
        SELECT c.customer_id, concat({quoted("c.first")}, ',', {quoted("c.last")}, ',',
            coalesce(g.gender, ''), ',', {quoted("c.street")}, ',', {quoted("c.town")}, ',', c.country, ',',
            c.postcode, ',', c.latitude, ',', c.longitude, ',', c.people, ',', {quoted("c.occupation")}, ',',
            c.birth_date) AS fields
        FROM (
            SELECT c.customer_id, c.street, c.occupation::VARCHAR AS occupation, c.birth_date,
                split_part(c.full_name, ' ', 1) AS first,
                substr(c.full_name, length(split_part(c.full_name, ' ', 1)) + 2) AS last,
                p.town::VARCHAR AS town, p.country::VARCHAR AS country, p.postcode::VARCHAR AS postcode,
                round(p.latitude_deg, 4) AS latitude, round(p.longitude_deg, 4) AS longitude,
                count(*) OVER (PARTITION BY c.place) AS people
            FROM customers c JOIN places p ON p.place = c.place) c
        LEFT JOIN given g ON g.country = c.country AND g.name = c.first
        """
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE shop AS
        SELECT m.merchant_id, {quoted("m.merchant_name")} AS name,
            concat(round(p.latitude_deg, 6), ',', round(p.longitude_deg, 6)) AS position
        FROM merchants m JOIN places p ON p.place = m.place
        """
    )


def _genders(locale: str) -> dict[str, str]:
    """F or M for the given names of a language that only one of the lists has."""
    women = set(names.pool("first_name_female", _GIVEN_NAMES, locale=locale))
    men = set(names.pool("first_name_male", _GIVEN_NAMES, locale=locale))
    return {name: "F" if name in women else "M" for name in sorted(women ^ men)}


def category(mcc: str, remote: str) -> str:
    """SQL for Sparkov's category of a merchant category code and whether the purchase was made from afar."""
    side = f"CASE WHEN {remote} THEN '_net' ELSE '_pos' END"
    cases = []
    for name, sides, codes in CATEGORIES:
        ranges = [code.split("-") for code in codes.split()]
        tests = " OR ".join(f"{mcc}::VARCHAR BETWEEN '{pair[0]}' AND '{pair[-1]}'" for pair in ranges)
        cases.append(f"WHEN {tests} THEN '{name}'" + (f" || {side}" if sides else ""))
    return f"CASE {' '.join(cases)} ELSE 'misc' || {side} END"


def _lines(span: Span, where: str) -> str:
    return f"""
        SELECT concat({span.before} - 1 + row_number() OVER (ORDER BY t.ordered_at, t.transaction_id), ',',
            strftime(t.ordered_at, '%Y-%m-%d %H:%M:%S'), ',', k.pan, ',', s.name, ',',
            {category("t.mcc", "t.is_remote")}, ',', {decimal("t.amount_minor")}, ',', b.fields, ',',
            replace(uetr(t.transaction_id), '-', ''), ',', epoch(t.ordered_at)::BIGINT, ',', s.position, ',',
            coalesce(y.is_fraud, FALSE)::INTEGER, chr(10)) AS text
        FROM (SELECT * FROM transactions
            WHERE {where} AND ordered_at >= {span.since} AND ordered_at < {span.until}) t
        JOIN plastic k ON k.card_id = t.card_id AND t.ordered_at >= k.since AND t.ordered_at < k.until
        JOIN cards h ON h.card_id = t.card_id
        JOIN buyer b ON b.customer_id = h.customer_id
        JOIN shop s ON s.merchant_id = t.merchant_id
        LEFT JOIN truth y ON y.transaction_id = t.transaction_id
        ORDER BY t.ordered_at, t.transaction_id
    """
