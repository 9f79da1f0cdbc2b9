"""pacs.008.001.08: credit transfers between banks, one document per day and sending bank.

They are settled on days on which TARGET is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.iso20022 import amount, fragments, frame, reference, with_parties
from rarecase.finance.schema import CURRENCY

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

_MESSAGE = "pacs.008.001.08"
_FIXED = {(1, 1), (5, 1), (12, 25), (12, 26)}
_AROUND_EASTER = {timedelta(days=-2), timedelta(days=1)}
_KINDS = "('transfer', 'standing_order', 'payroll', 'business')"


def export(dataset: Dataset) -> Iterator[Document]:
    """Transfers whose payer and payee bank at different banks; cards, cash and the world outside stay out.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``pacs.008/2025-01-31/<BIC>.xml``, valid under the XSD of pacs.008.001.08.
    """
    for (day, bic, total, number), transfers in fragments(
        with_parties(dataset), _query(), ("day", "bic", "total", "number")
    ):
        minor = int(str(total))
        head = (
            f"<GrpHdr><MsgId>{day}-{bic}</MsgId><CreDtTm>{day}T23:59:59</CreDtTm><NbOfTxs>{number}</NbOfTxs>"
            f'<TtlIntrBkSttlmAmt Ccy="{CURRENCY}">{minor // 100}.{minor % 100:02d}</TtlIntrBkSttlmAmt>'
            f"<IntrBkSttlmDt>{settlement(date.fromisoformat(str(day)))}</IntrBkSttlmDt><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
            f"<InstgAgt><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></InstgAgt></GrpHdr>"
        )
        yield Document(
            f"pacs.008/{day}/{bic}.xml", frame(_MESSAGE, "FIToFICstmrCdtTrf", head + "".join(transfers))
        )


def settlement(day: date) -> date:
    """The day itself or the next one on which TARGET settles.

    TARGET rests at weekends, on 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
    """
    while day.weekday() > 4 or (day.month, day.day) in _FIXED or day - easter(day.year) in _AROUND_EASTER:
        day += timedelta(days=1)
    return day


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, rest = divmod(year, 100)
    leap, over = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * (year % 19) + century - leap - correction + 15) % 30
    sunday = (32 + 2 * over + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (year % 19 + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _query() -> str:
    return f"""
        SELECT *, CAST(sum(amount_minor) OVER w AS BIGINT) AS total, count(*) OVER w AS number FROM (
            SELECT strftime(t.booked_at, '%Y-%m-%d') AS day, d.bic, t.transaction_id, t.booked_at,
                t.amount_minor,
                '<CdtTrfTxInf><PmtId><InstrId>' || {reference("t.transaction_id")} || '</InstrId><EndToEndId>'
                    || {reference("t.transaction_id")} || '</EndToEndId><TxId>' ||
                        {reference("t.transaction_id")}
                    || '</TxId><UETR>' AS before,
                '</UETR></PmtId><IntrBkSttlmAmt Ccy="{CURRENCY}">' || {amount("t.amount_minor")}
                    || '</IntrBkSttlmAmt><AccptncDtTm>' || strftime(t.booked_at, '%Y-%m-%dT%H:%M:%S')
                    || '</AccptncDtTm><ChrgBr>SLEV</ChrgBr><Dbtr>' || d.holder || '</Dbtr><DbtrAcct>' ||
                        d.account
                    || '</DbtrAcct><DbtrAgt>' || d.agent || '</DbtrAgt><CdtrAgt>' || c.agent ||
                        '</CdtrAgt><Cdtr>'
                    || c.holder || '</Cdtr><CdtrAcct>' || c.account || '</CdtrAcct><Purp><Cd>' || t.purpose
                    || '</Cd></Purp></CdtTrfTxInf>' AS behind
            FROM transactions t
            JOIN party d ON d.account_id = t.payer_account_id
            JOIN party c ON c.account_id = t.payee_account_id
            WHERE d.bank_id <> c.bank_id AND t.payment_type::VARCHAR IN {_KINDS})
        WINDOW w AS (PARTITION BY day, bic)
        ORDER BY day, bic, booked_at, transaction_id
    """
