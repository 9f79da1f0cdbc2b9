"""pacs.008.001.08: credit transfers between banks, one document per day, sending bank and currency.

They are settled on days on which the system of the currency is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats import iso20022 as iso
from rarecase.finance.formats.calendars import settlement
from rarecase.finance.formats.stream import Span, books, documents, money, spans
from rarecase.finance.schema import CURRENCIES

if TYPE_CHECKING:
    import duckdb

    from rarecase.common.dataset import Dataset

_MESSAGE, _ROOT = "pacs.008.001.08", "FIToFICstmrCdtTrf"
_ROWS = 200_000
_KINDS = f"payment_type::VARCHAR IN {iso.CREDIT_TRANSFERS}"
#: How long after the last day of the data something may be booked.
_LATE_DAYS = 7


def export(dataset: Dataset) -> Iterator[Document]:
    """Transfers whose payer and payee bank at different banks; cards, cash and the world outside stay out.

    Between currencies the payer's bank exchanges: InstdAmt is what the payer pays, XchgRate times that is
    IntrBkSttlmAmt, which the payee gets. Nobody deducts charges on the way: where they are shared, ChrgsInf
    says 0.00.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``pacs.008/2025-01-31/<BIC>-<currency>.xml``, valid under the XSD of pacs.008.001.08.
    """
    with books(dataset) as connection:
        iso.with_xml(connection)
        _with_settlement(connection, dataset)
        days = spans(connection, "transactions", "booked_at", _ROWS, _KINDS)
        yield from documents(connection, (_query(span) for span in days))


def _with_settlement(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Make the table `settles`: booked, currency, and the day of settlement."""
    spec = dataset.spec
    days = [spec.start + timedelta(days=n) for n in range(spec.days + _LATE_DAYS)]
    rows = [(day, currency, str(settlement(day, currency))) for day in days for currency in CURRENCIES]
    connection.execute("CREATE OR REPLACE TEMP TABLE settles (booked DATE, currency VARCHAR, day VARCHAR)")
    connection.executemany("INSERT INTO settles VALUES (?, ?, ?)", rows)


def _query(span: Span) -> str:
    reference = iso.reference("transaction_id")
    return f"""
        WITH paid AS (
            SELECT t.transaction_id, t.booked_at, t.ordered_at, t.amount_minor, t.credited_minor,
                t.currency::VARCHAR AS currency, t.credited_currency::VARCHAR AS credited_currency,
                t.purpose::VARCHAR AS purpose, strftime(t.booked_at, '%Y-%m-%d') AS day, s.day AS settled,
                {iso.charges("t")} AS charges, {iso.service_level("t")} AS level, d.bic,
                d.holder AS debtor, d.account AS debtor_account, d.agent AS debtor_agent,
                c.holder AS creditor, c.account AS creditor_account, c.agent AS creditor_agent
            FROM transactions t
            JOIN iso d ON d.account_id = t.payer_account_id
            JOIN iso c ON c.account_id = t.payee_account_id
            JOIN settles s ON s.booked = CAST(t.booked_at AS DATE)
                AND s.currency = t.credited_currency::VARCHAR
            WHERE t.{_KINDS} AND t.booked_at >= {span.since} AND t.booked_at < {span.until}
                AND d.bank_id <> c.bank_id),
        counted AS (
            SELECT *, row_number() OVER message AS number, count(*) OVER whole AS of_number,
                CAST(sum(credited_minor) OVER whole AS BIGINT) AS total
            FROM paid
            WINDOW whole AS (PARTITION BY day, bic, credited_currency),
                message AS (PARTITION BY day, bic, credited_currency ORDER BY booked_at, transaction_id))
        SELECT concat('pacs.008/', day, '/', bic, '-', credited_currency, '.xml') AS path, concat(
            CASE WHEN number = 1 THEN concat('{iso.opened(_MESSAGE, _ROOT)}<GrpHdr><MsgId>', day, '-', bic,
                '-', credited_currency, '</MsgId><CreDtTm>', day, 'T23:59:59</CreDtTm><NbOfTxs>', of_number,
                '</NbOfTxs><TtlIntrBkSttlmAmt Ccy="', credited_currency, '">', {money("total")},
                '</TtlIntrBkSttlmAmt><IntrBkSttlmDt>', settled,
                '</IntrBkSttlmDt><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf><InstgAgt>', debtor_agent,
                '</InstgAgt></GrpHdr>') END,
            '<CdtTrfTxInf><PmtId><InstrId>', {reference}, '</InstrId><EndToEndId>', {reference},
            '</EndToEndId><TxId>', {reference}, '</TxId><UETR>', uetr(transaction_id),
            '</UETR></PmtId><PmtTpInf><SvcLvl><Cd>', level, '</Cd></SvcLvl></PmtTpInf><IntrBkSttlmAmt Ccy="',
            credited_currency, '">', {money("credited_minor")}, '</IntrBkSttlmAmt><AccptncDtTm>',
            {iso.instant("ordered_at")}, '</AccptncDtTm>',
            CASE WHEN currency <> credited_currency THEN concat('<InstdAmt Ccy="', currency, '">',
                {money("amount_minor")}, '</InstdAmt><XchgRate>',
                {iso.rate("amount_minor", "credited_minor")}, '</XchgRate>') END,
            '<ChrgBr>', charges, '</ChrgBr>',
            CASE WHEN charges = 'SHAR' THEN concat('<ChrgsInf><Amt Ccy="', credited_currency,
                '">0.00</Amt><Agt>', debtor_agent, '</Agt></ChrgsInf>') END,
            '<Dbtr>', debtor, '</Dbtr><DbtrAcct>', debtor_account, '</DbtrAcct><DbtrAgt>', debtor_agent,
            '</DbtrAgt><CdtrAgt>', creditor_agent, '</CdtrAgt><Cdtr>', creditor, '</Cdtr><CdtrAcct>',
            creditor_account, '</CdtrAcct><Purp><Cd>', purpose, '</Cd></Purp></CdtTrfTxInf>',
            CASE WHEN number = of_number THEN '{iso.closed(_ROOT)}' END) AS text
        FROM counted
        ORDER BY day, bic, credited_currency, number
    """
