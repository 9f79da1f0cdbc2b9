"""camt.053.001.08: statements of all accounts but the banks' own, one document per place and bank."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats import iso20022 as iso
from rarecase.finance.formats.stream import Payers, books, documents, money, place_spans, rows_of
from rarecase.finance.schema import PAYMENT_TYPES

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_MESSAGE, _ROOT = "camt.053.001.08", "BkToCstmrStmt"
_ROWS = 200_000
#: Bank transaction codes (domain, family, sub-family) of payments that leave and that arrive.
CODES = {
    "card_payment": ("PMNT CCRD POSD", "PMNT MCRD POSP"),
    "card_refund": ("PMNT MCRD RIMB", "PMNT CCRD RIMB"),
    "chargeback": ("PMNT MCRD DAJT", "PMNT CCRD CAJT"),
    "cash_withdrawal": ("PMNT CCRD CWDL", "PMNT CNTR CDPT"),
    "cash_deposit": ("PMNT CNTR CWDL", "PMNT CNTR CDPT"),
    "cheque": ("PMNT ICHQ CCHQ", "PMNT RCHQ CCHQ"),
    "transfer": ("PMNT ICDT ESCT", "PMNT RCDT ESCT"),
    "wire": ("PMNT ICDT XBCT", "PMNT RCDT XBCT"),
    "standing_order": ("PMNT ICDT STDO", "PMNT RCDT STDO"),
    "direct_debit": ("PMNT RDDT ESDD", "PMNT IDDT ESDD"),
    "fee": ("ACMT MDOP CHRG", "ACMT MCOP CHRG"),
    "interest": ("ACMT MDOP INTR", "ACMT MCOP INTR"),
    "loan": ("LDAS CSLN PPAY", "LDAS CSLN DDWN"),
    "compensation": ("PMNT ICDT RIMB", "PMNT RCDT RIMB"),
    "recall": ("PMNT RCDT RRTN", "PMNT ICDT RRTN"),
    "payroll": ("PMNT ICDT SALA", "PMNT RCDT SALA"),
    "business": ("PMNT ICDT ESCT", "PMNT RCDT ESCT"),
}
#: Cash that is drawn at a counter, without a card.
_AT_COUNTER = ("PMNT CNTR CWDL", "PMNT CNTR CDPT")


def export(dataset: Dataset) -> Iterator[Document]:
    """Statements over the whole window: opening balance, every entry, closing balance.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``camt.053/place-00000/<BIC>.xml``, valid under the XSD of camt.053.001.08, in pieces.
    """
    with books(dataset) as connection:
        iso.with_xml(connection)
        places = place_spans(
            connection,
            "SELECT p.place, count(*) AS rows FROM iso p LEFT JOIN entries e ON e.account_id = p.account_id "
            "GROUP BY ALL",
            _ROWS,
        )
        payers = Payers(connection)
        yield from documents(connection, (_query(dataset, payers, *span) for span in places))


def _code(place: int) -> str:
    """SQL for the domain (0), family (1) or sub-family (2) of an entry."""
    codes = {**{kind: CODES[kind] for kind in PAYMENT_TYPES}, "at_counter": _AT_COUNTER}
    kinds = " ".join(
        f"WHEN '{kind}' THEN CASE WHEN amount_minor < 0 THEN '{leaves.split()[place]}' "
        f"ELSE '{arrives.split()[place]}' END"
        for kind, (leaves, arrives) in codes.items()
    )
    return f"CASE kind {kinds} END"


def _balance(code: str, minor: str, day: str) -> str:
    return (
        f"'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"', currency, '\">', "
        f"{money(minor)}, "
        f"'</Amt><CdtDbtInd>', CASE WHEN {minor} < 0 THEN 'DBIT' ELSE 'CRDT' END, "
        f"'</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>'"
    )


def _exchange() -> str:
    """SQL for what was instructed and what it was exchanged into, where that is another currency."""
    return f"""CASE WHEN paid_currency <> credited_currency THEN concat('<AmtDtls><InstdAmt><Amt Ccy="',
        paid_currency, '">', {money("paid_minor")}, '</Amt></InstdAmt><TxAmt><Amt Ccy="', credited_currency,
        '">', {money("credited_minor")}, '</Amt><CcyXchg><SrcCcy>', paid_currency, '</SrcCcy><TrgtCcy>',
        credited_currency, '</TrgtCcy><XchgRate>', {iso.rate("paid_minor", "credited_minor")},
        '</XchgRate></CcyXchg></TxAmt></AmtDtls>') END"""


def _query(dataset: Dataset, payers: Payers, first: int, last: int) -> str:
    spec = dataset.spec
    end = f"{spec.end:%Y-%m-%d}T00:00:00"
    other = "CASE WHEN amount_minor < 0 THEN 'Cdtr' ELSE 'Dbtr' END"
    entries = rows_of(dataset, "entries", range(first, last + 1))
    transactions = rows_of(dataset, "transactions", payers.of(first, last))
    return f"""
        WITH own AS (SELECT * FROM iso WHERE own <> 'bank' AND bank_id IS NOT NULL
            AND place BETWEEN {first} AND {last}),
        entry AS MATERIALIZED (SELECT e.* FROM {entries} e
            SEMI JOIN own ON own.account_id = e.account_id),
        paid AS MATERIALIZED (SELECT t.transaction_id, t.payer_account_id, t.payee_account_id, t.purpose,
            t.amount_minor, t.currency, t.credited_minor, t.credited_currency,
            t.channel::VARCHAR = 'branch' AND t.payment_type::VARCHAR = 'cash_withdrawal' AS at_counter
            FROM {transactions} t SEMI JOIN entry ON entry.transaction_id = t.transaction_id),
        moved AS (
            SELECT p.place, p.bic, p.account_id, p.holder, p.account, p.agent, p.currency,
                a.opening_balance_minor AS opening, e.entry_id, e.entry_number, e.amount_minor, e.booked_at,
                CASE WHEN t.at_counter THEN 'at_counter' ELSE e.payment_type::VARCHAR END AS kind,
                e.transaction_id, t.purpose::VARCHAR AS purpose,
                t.amount_minor AS paid_minor, t.currency::VARCHAR AS paid_currency, t.credited_minor,
                t.credited_currency::VARCHAR AS credited_currency, o.holder AS other,
                o.account AS other_account, o.agent AS other_agent
            FROM own p
            JOIN accounts a ON a.account_id = p.account_id
            LEFT JOIN entry e ON e.account_id = p.account_id
            LEFT JOIN paid t ON t.transaction_id = e.transaction_id
            LEFT JOIN iso o ON o.account_id =
                CASE WHEN e.amount_minor < 0 THEN t.payee_account_id ELSE t.payer_account_id END),
        counted AS (
            SELECT *, row_number() OVER (PARTITION BY place, bic ORDER BY account_id, entry_number) AS number,
                count(*) OVER (PARTITION BY place, bic) AS of_number,
                row_number() OVER (PARTITION BY account_id ORDER BY entry_number) AS line,
                count(*) OVER (PARTITION BY account_id) AS lines,
                CAST(opening + coalesce(sum(amount_minor) OVER (PARTITION BY account_id), 0) AS BIGINT)
                    AS closing
            FROM moved)
        SELECT printf('camt.053/place-%05d/%s.xml', place, bic) AS path, concat(
            CASE WHEN number = 1 THEN concat('{iso.opened(_MESSAGE, _ROOT)}<GrpHdr><MsgId>',
                printf('place-%05d-%s', place, bic), '</MsgId><CreDtTm>{end}</CreDtTm></GrpHdr>') END,
            CASE WHEN line = 1 THEN concat('<Stmt><Id>', {iso.reference("account_id")},
                '</Id><CreDtTm>{end}</CreDtTm><FrToDt><FrDtTm>{spec.start:%Y-%m-%d}T00:00:00</FrDtTm><ToDtTm>',
                '{end}</ToDtTm></FrToDt><Acct>', account, '<Ccy>', currency, '</Ccy><Ownr>', holder,
                '</Ownr><Svcr>', agent, '</Svcr></Acct>', {_balance("OPBD", "opening", str(spec.start))},
                {_balance("CLBD", "closing", str(spec.end - timedelta(days=1)))}) END,
            CASE WHEN entry_id IS NOT NULL THEN concat('<Ntry><NtryRef>', entry_number,
                '</NtryRef><Amt Ccy="', currency, '">', {money("amount_minor")}, '</Amt><CdtDbtInd>',
                CASE WHEN amount_minor < 0 THEN 'DBIT' ELSE 'CRDT' END,
                '</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>', {iso.instant("booked_at")},
                '</DtTm></BookgDt><ValDt><Dt>', strftime(booked_at, '%Y-%m-%d'), '</Dt></ValDt><AcctSvcrRef>',
                {iso.reference("entry_id")}, '</AcctSvcrRef><BkTxCd><Domn><Cd>', {_code(0)},
                '</Cd><Fmly><Cd>', {_code(1)}, '</Cd><SubFmlyCd>', {_code(2)},
                '</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>',
                {iso.reference("transaction_id")}, '</EndToEndId><UETR>', uetr(transaction_id),
                '</UETR></Refs>', {_exchange()}, '<RltdPties><', {other}, '><Pty>', other, '</Pty></',
                {other}, '>',
                concat('<', {other}, 'Acct>') || other_account || concat('</', {other}, 'Acct>'),
                '</RltdPties>', concat('<RltdAgts><', {other}, 'Agt>') || other_agent
                || concat('</', {other}, 'Agt></RltdAgts>'), '<Purp><Cd>', purpose,
                '</Cd></Purp></TxDtls></NtryDtls></Ntry>') END,
            CASE WHEN line = lines THEN
                '<AddtlStmtInf>synthetic data made by rarecase</AddtlStmtInf></Stmt>' END,
            CASE WHEN number = of_number THEN '{iso.closed(_ROOT)}' END) AS text
        FROM counted
        ORDER BY place, bic, number
    """
