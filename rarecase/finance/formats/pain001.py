"""pain.001.001.09: credit transfers that customers and companies ask of their banks, per day and bank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats import iso20022 as iso
from rarecase.finance.formats.stream import Span, books, documents, money, spans

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_MESSAGE, _ROOT = "pain.001.001.09", "CstmrCdtTrfInitn"
_ROWS = 200_000
_KINDS = "payment_type::VARCHAR IN ('transfer', 'wire', 'payroll', 'business')"


def export(dataset: Dataset) -> Iterator[Document]:
    """Transfers, wires, wages and invoices of customers, shops and companies to accounts at banks.

    Standing orders are agreed once and debits are the payee's, so they are not here; nor is what goes to the
    world outside, which has no account number.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``pain.001/2025-01-31/<BIC>.xml``, valid under the XSD of pain.001.001.09: one block (PmtInf) per
        account that pays; the initiating party is the bank's own channel.
    """
    with books(dataset) as connection:
        iso.with_xml(connection)
        days = spans(connection, "transactions", "ordered_at", _ROWS, _KINDS)
        yield from documents(connection, (_query(span) for span in days))


def _query(span: Span) -> str:
    reference = iso.reference("transaction_id")
    return f"""
        WITH paid AS (
            SELECT t.transaction_id, t.ordered_at, t.amount_minor, t.currency::VARCHAR AS currency,
                t.purpose::VARCHAR AS purpose, strftime(t.ordered_at, '%Y-%m-%d') AS day,
                {iso.charges("t")} AS charges, {iso.service_level("t")} AS level, t.payer_account_id,
                d.bic, d.bank_name, d.holder AS debtor, d.account AS debtor_account, d.agent AS debtor_agent,
                c.holder AS creditor, c.account AS creditor_account, c.agent AS creditor_agent
            FROM transactions t
            JOIN iso d ON d.account_id = t.payer_account_id
            JOIN iso c ON c.account_id = t.payee_account_id
            WHERE t.{_KINDS} AND t.ordered_at >= {span.since} AND t.ordered_at < {span.until}
                AND d.own <> 'bank' AND d.bank_id IS NOT NULL AND c.bank_id IS NOT NULL),
        counted AS (
            SELECT *, row_number() OVER message AS number, count(*) OVER whole AS of_number,
                CAST(sum(amount_minor) OVER whole AS BIGINT) AS total,
                row_number() OVER block AS place, count(*) OVER all_of_block AS places,
                CAST(sum(amount_minor) OVER all_of_block AS BIGINT) AS block_total
            FROM paid
            WINDOW whole AS (PARTITION BY day, bic),
                message AS (PARTITION BY day, bic ORDER BY payer_account_id, ordered_at, transaction_id),
                all_of_block AS (PARTITION BY day, bic, payer_account_id),
                block AS (PARTITION BY day, bic, payer_account_id ORDER BY ordered_at, transaction_id))
        SELECT 'pain.001/' || day || '/' || bic || '.xml' AS path, concat(
            CASE WHEN number = 1 THEN concat('{iso.opened(_MESSAGE, _ROOT)}<GrpHdr><MsgId>', day, '-', bic,
                '</MsgId><CreDtTm>', day, 'T23:59:59</CreDtTm><NbOfTxs>', of_number, '</NbOfTxs><CtrlSum>',
                {money("total")}, '</CtrlSum><InitgPty><Nm>', bank_name,
                ' electronic banking</Nm></InitgPty></GrpHdr>') END,
            CASE WHEN place = 1 THEN concat('<PmtInf><PmtInfId>', replace(day, '-', ''), '-',
                {iso.reference("payer_account_id")}, '</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>', places,
                '</NbOfTxs><CtrlSum>', {money("block_total")}, '</CtrlSum><ReqdExctnDt><Dt>', day,
                '</Dt></ReqdExctnDt><Dbtr>', debtor, '</Dbtr><DbtrAcct>', debtor_account, '<Ccy>', currency,
                '</Ccy></DbtrAcct><DbtrAgt>', debtor_agent, '</DbtrAgt>') END,
            '<CdtTrfTxInf><PmtId><InstrId>', {reference}, '</InstrId><EndToEndId>', {reference},
            '</EndToEndId><UETR>', uetr(transaction_id), '</UETR></PmtId><PmtTpInf><SvcLvl><Cd>', level,
            '</Cd></SvcLvl></PmtTpInf><Amt><InstdAmt Ccy="', currency, '">', {money("amount_minor")},
            '</InstdAmt></Amt><ChrgBr>', charges, '</ChrgBr><CdtrAgt>', creditor_agent, '</CdtrAgt><Cdtr>',
            creditor, '</Cdtr><CdtrAcct>', creditor_account, '</CdtrAcct><Purp><Cd>', purpose,
            '</Cd></Purp></CdtTrfTxInf>',
            CASE WHEN place = places THEN '</PmtInf>' END,
            CASE WHEN number = of_number THEN '{iso.closed(_ROOT)}' END) AS text
        FROM counted
        ORDER BY day, bic, number
    """
