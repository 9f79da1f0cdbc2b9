"""The books in the words of others: ISO 20022 messages."""

from __future__ import annotations

from rarecase.common.domain import Format
from rarecase.finance.formats import camt053, pacs008

FORMATS = {
    "camt.053": Format("camt.053", "ISO 20022 account statements (camt.053.001.08)", camt053.export),
    "pacs.008": Format("pacs.008", "ISO 20022 interbank credit transfers (pacs.008.001.08)", pacs008.export),
}
