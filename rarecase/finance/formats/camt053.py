"""camt.053.001.08: the statements of customers' accounts, one document per place and bank."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.iso20022 import amount, fragments, frame, reference, with_parties
from rarecase.finance.schema import CURRENCY

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_MESSAGE = "camt.053.001.08"
#: Bank transaction codes (domain PMNT) of payments that leave and that arrive: family and sub-family.
_CODES = {
    "card_payment": (("CCRD", "POSD"), ("MCRD", "POSP")),
    "cash_withdrawal": (("CCRD", "CWDL"), ("CNTR", "CDPT")),
    "cash_deposit": (("CNTR", "CWDL"), ("CNTR", "CDPT")),
    "transfer": (("ICDT", "ESCT"), ("RCDT", "ESCT")),
    "standing_order": (("ICDT", "STDO"), ("RCDT", "STDO")),
    "direct_debit": (("RDDT", "ESDD"), ("IDDT", "ESDD")),
    "payroll": (("ICDT", "SALA"), ("RCDT", "SALA")),
    "business": (("ICDT", "ESCT"), ("RCDT", "ESCT")),
}

#: What the bank takes for itself: account management, miscellaneous debit operations, charges.
_CHARGE = ("ACMT", "MDOP", "CHRG")
_IS_CHARGE = "e.payment_type::VARCHAR = 'direct_debit' AND o.kind = 'branch'"


def export(dataset: Dataset) -> Iterator[Document]:
    """Statements over the whole window: opening balance, every entry, closing balance.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``camt.053/place-00000/<BIC>.xml``, valid under the XSD of camt.053.001.08.
    """
    spec = dataset.spec
    end = f"{spec.end:%Y-%m-%d}T00:00:00"
    path, body = "", ""
    groups = ("place", "bic", "account_id", "head", "opening", "closing")
    last = spec.end - timedelta(days=1)
    statements = fragments(with_parties(dataset), _query(), groups)
    for (place, bic, account, head, opening, closing), entries in statements:
        here = f"camt.053/place-{place:05d}/{bic}.xml"
        if here != path and path:
            yield Document(path, _document(path, end, body))
            body = ""
        path = here
        body += (
            f"<Stmt><Id>{int(str(account)):016X}</Id><CreDtTm>{end}</CreDtTm>"
            f"<FrToDt><FrDtTm>{spec.start:%Y-%m-%d}T00:00:00</FrDtTm><ToDtTm>{end}</ToDtTm></FrToDt>{head}"
            f"{_balance('OPBD', int(str(opening)), str(spec.start))}"
            f"{_balance('CLBD', int(str(closing)), str(last))}{''.join(entries)}"
            "<AddtlStmtInf>synthetic data made by rarecase</AddtlStmtInf></Stmt>"
        )
    if path:
        yield Document(path, _document(path, end, body))


def _document(path: str, end: str, body: str) -> bytes:
    place, bic = path.split("/")[1:]
    head = f"<GrpHdr><MsgId>{place}-{bic.removesuffix('.xml')}</MsgId><CreDtTm>{end}</CreDtTm></GrpHdr>"
    return frame(_MESSAGE, "BkToCstmrStmt", head + body)


def _balance(code: str, minor: int, day: str) -> str:
    sign = "CRDT" if minor >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{CURRENCY}">{abs(minor) // 100}.{abs(minor) % 100:02d}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _code(position: int) -> str:
    """SQL for the family (0) or sub-family (1) of an entry; what the bank debits for itself is a charge."""
    kinds = " ".join(
        f"WHEN '{kind}' THEN CASE WHEN e.amount_minor < 0 THEN '{out[position]}' ELSE '{into[position]}' END"
        for kind, (out, into) in _CODES.items()
    )
    usual = f"CASE e.payment_type::VARCHAR {kinds} END"
    return f"CASE WHEN {_IS_CHARGE} THEN '{_CHARGE[1 + position]}' ELSE {usual} END"


def _domain() -> str:
    """SQL for the domain of an entry."""
    return f"CASE WHEN {_IS_CHARGE} THEN '{_CHARGE[0]}' ELSE 'PMNT' END"


def _query() -> str:
    day = "strftime(e.booked_at, '%Y-%m-%d')"
    other = "CASE WHEN e.amount_minor < 0 THEN 'Cdtr' ELSE 'Dbtr' END"
    return f"""
        SELECT p.place, p.bic, p.account_id,
            '<Acct>' || p.account || '<Ccy>{CURRENCY}</Ccy><Ownr>' || p.holder || '</Ownr><Svcr>' || p.agent
                || '</Svcr></Acct>' AS head,
            a.opening_balance_minor AS opening,
            a.opening_balance_minor + coalesce(m.moved, 0) AS closing, e.transaction_id,
            '<Ntry><NtryRef>' || e.entry_number || '</NtryRef><Amt Ccy="{CURRENCY}">' ||
                {amount("e.amount_minor")}
                || '</Amt><CdtDbtInd>' || CASE WHEN e.amount_minor < 0 THEN 'DBIT' ELSE 'CRDT' END
                || '</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>'
                || strftime(e.booked_at, '%Y-%m-%dT%H:%M:%S') || '</DtTm></BookgDt><ValDt><Dt>' || {day}
                || '</Dt></ValDt><AcctSvcrRef>' || {reference("e.entry_id")}
                || '</AcctSvcrRef><BkTxCd><Domn><Cd>' || {_domain()} || '</Cd><Fmly><Cd>' || {_code(0)}
                || '</Cd><SubFmlyCd>'
                || {_code(1)} || '</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>'
                || {reference("e.transaction_id")} || '</EndToEndId><UETR>' AS before,
            '</UETR></Refs>' || '<RltdPties><' || {other} || '><Pty>' || o.holder || '</Pty></' ||
                {other} || '>'
                || coalesce('<' || {other} || 'Acct>' || o.account || '</' || {other} || 'Acct>', '')
                || '</RltdPties><Purp><Cd>' || t.purpose || '</Cd></Purp></TxDtls></NtryDtls></Ntry>' AS
                    behind
        FROM party p
        JOIN accounts a ON a.account_id = p.account_id
        LEFT JOIN (SELECT account_id, CAST(sum(amount_minor) AS BIGINT) AS moved FROM entries GROUP BY 1) m
            ON m.account_id = p.account_id
        LEFT JOIN entries e ON e.account_id = p.account_id
        LEFT JOIN transactions t ON t.transaction_id = e.transaction_id
        LEFT JOIN party o
            ON o.account_id = CASE WHEN e.amount_minor < 0 THEN t.payee_account_id ELSE t.payer_account_id END
        WHERE p.customer_id IS NOT NULL
        ORDER BY p.place, p.bic, p.account_id, e.entry_number
    """
