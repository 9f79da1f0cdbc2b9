"""SAML-D (Oztas and others 2023): one file of payments with typologies of suspicious and normal behaviour.

Its typologies come from the generator that made them, not from the graph. Ours are mapped onto its words:
suspicious ones by the kind of case and the part that the payment plays in it, normal ones by how it was paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rarecase.common.domain import Document
from rarecase.finance.formats.parties import COUNTRIES, with_parties, word
from rarecase.finance.formats.stream import Span, books, decimal, headed, readme, spans, text
from rarecase.finance.formats.truth import with_truth

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

HEADER = (
    "Time,Date,Sender_account,Receiver_account,Amount,Payment_currency,Received_currency,"
    "Sender_bank_location,Receiver_bank_location,Payment_type,Is_laundering,Laundering_type"
)
_FIRST_ACCOUNT = 1_000_000_000
_CURRENCIES = {
    "EUR": "Euro",
    "GBP": "UK pounds",
    "USD": "US dollar",
    "AUD": "Australian dollar",
    "CZK": "Czech koruna",
}
#: Cases by the typology that is nearest to their definition.
SUSPICIOUS = {
    "laundering_fan_in": "Fan_In",
    "laundering_fan_out": "Fan_Out",
    "laundering_cycle": "Cycle",
    "laundering_scatter_gather": "Scatter-Gather",
    "laundering_gather_scatter": "Gather-Scatter",
    "laundering_bipartite": "Bipartite",
    "laundering_stack": "Stacked Bipartite",
    "laundering_random_walk": "Layered_Fan_Out",
    "structuring": "Structuring",
    "smurfing": "Smurfing",
    "funnel_account": "Layered_Fan_In",
    "rapid_movement": "Deposit-Send",
    "crypto_off_ramp": "Deposit-Send",
    "cash_front": "Behavioural_Change_1",
    "dormant_woken": "Behavioural_Change_1",
    "sanctions_evasion": "Behavioural_Change_2",
    "round_tripping": "Cycle",
    "loan_back": "Single_large",
    "trade_mispricing": "Over-Invoicing",
    "scam_to_exchange": "Deposit-Send",
}
#: What becomes of the money of a fraud.
_PASSED_ON = "Deposit-Send"
#: Look-alikes by the typology that is nearest to them; the others go by how they pay.
LOOKALIKES = {
    "crowdfunding": "Normal_Fan_In",
    "house_purchase": "Normal_single_large",
    "marketplace_payout": "Normal_Fan_Out",
    "payroll_run": "Normal_Fan_Out",
    "rent_collector": "Normal_Fan_In",
    "savings_club": "Normal_Group",
    "student_support": "Normal_Periodical",
    "treasury_sweep": "Normal_Mutual",
}
NORMAL = {
    "cash_withdrawal": "Normal_Cash_Withdrawal",
    "cash_deposit": "Normal_Cash_Deposits",
    "card_payment": "Normal_Small_Fan_Out",
    "payroll": "Normal_Fan_Out",
    "direct_debit": "Normal_Fan_In",
    "standing_order": "Normal_Periodical",
    "interest": "Normal_Periodical",
    "fee": "Normal_Periodical",
    "business": "Normal_Group",
    "wire": "Normal_single_large",
    "loan": "Normal_single_large",
    "card_refund": "Normal_Mutual",
    "chargeback": "Normal_Mutual",
    "recall": "Normal_Mutual",
    "compensation": "Normal_Mutual",
    "cheque": "Normal_Foward",
}
_README = """
SAML-D.csv    one line per payment, by the second in which it was ordered
keys.csv      the key in the data set of each account number

Is_laundering is 1 for payments that carry proceeds of crime and launder them, also those that pass on or draw
as cash the money of a fraud; the fraud itself is 0. Of a pattern of the graph the hops have its name; cash
paid in before is Structuring, as it stays below the public limit, what follows is Deposit-Send, and so is the
money of a fraud on its way. Cash that launderers draw is Cash_Withdrawal. Look-alikes have the normal type
that is nearest to them. Other normal types say how a payment was made (a transfer to a person is
Normal_Mutual, to others Normal_Foward); they are not found by looking at the graph. Australia and Czechia and
their currencies are words that SAML-D does not have.
"""


def export(dataset: Dataset) -> Iterator[Document]:
    """All payments in the form of SAML-D.

    Parameters
    ----------
    dataset
        A finance data set.

    Yields
    ------
    Document
        ``saml-d/SAML-D.csv`` and ``saml-d/keys.csv``, in pieces.
    """
    with books(dataset) as connection:
        with_parties(connection)
        with_truth(connection)
        yield readme("saml-d", "SAML-D: payments with typologies", _README, dataset)
        lines = text(connection, (_lines(span) for span in spans(connection, "transactions", "ordered_at")))
        yield Document("saml-d/SAML-D.csv", headed(HEADER, lines))
        keys = (
            f"SELECT concat({_FIRST_ACCOUNT} + number, ',', account_id, chr(10)) AS text FROM party "
            "ORDER BY number"
        )
        yield Document("saml-d/keys.csv", headed("account,account_id", text(connection, (keys,))))


def _type() -> str:
    pattern = "starts_with(y.kind, 'laundering_')"
    listed = ", ".join(f"'{kind}'" for kind in LOOKALIKES)
    return f"""CASE
        WHEN y.is_laundering THEN CASE
            WHEN t.payment_type::VARCHAR = 'cash_withdrawal' THEN 'Cash_Withdrawal'
            WHEN {pattern} AND y.role = 'placement' THEN 'Structuring'
            WHEN {pattern} AND y.role <> 'hop' THEN '{_PASSED_ON}'
            ELSE {word("y.kind", SUSPICIOUS, other=_PASSED_ON)} END
        WHEN y.kind IN ({listed}) AND t.payment_type::VARCHAR NOT IN ('cash_withdrawal', 'cash_deposit')
            THEN {word("y.kind", LOOKALIKES)}
        WHEN t.payment_type::VARCHAR = 'transfer'
            THEN CASE WHEN c.customer_id IS NULL THEN 'Normal_Foward' ELSE 'Normal_Mutual' END
        ELSE {word("t.payment_type", NORMAL)} END"""


def _payment_type() -> str:
    return """CASE t.payment_type::VARCHAR
        WHEN 'cash_withdrawal' THEN 'Cash Withdrawal'
        WHEN 'cash_deposit' THEN 'Cash Deposit'
        WHEN 'cheque' THEN 'Cheque'
        ELSE CASE
            WHEN t.merchant_id IS NOT NULL THEN
                CASE WHEN k.card_type::VARCHAR = 'credit' THEN 'Credit card' ELSE 'Debit card' END
            WHEN d.country <> c.country THEN 'Cross-border' ELSE 'ACH' END END"""


def _lines(span: Span) -> str:
    return f"""
        SELECT concat(strftime(t.ordered_at, '%H:%M:%S,%Y-%m-%d'), ',', {_FIRST_ACCOUNT} + d.number, ',',
            {_FIRST_ACCOUNT} + c.number, ',', {decimal("t.amount_minor")}, ',',
            {word("t.currency", _CURRENCIES)}, ',', {word("t.credited_currency", _CURRENCIES)}, ',',
            {word("d.country", COUNTRIES)}, ',', {word("c.country", COUNTRIES)}, ',', {_payment_type()}, ',',
            CASE WHEN y.is_laundering THEN 1 ELSE 0 END, ',', {_type()}, chr(10)) AS text
        FROM transactions t
        JOIN party d ON d.account_id = t.payer_account_id
        JOIN party c ON c.account_id = t.payee_account_id
        LEFT JOIN cards k ON k.card_id = t.card_id
        LEFT JOIN truth y ON y.transaction_id = t.transaction_id
        WHERE t.ordered_at >= {span.since} AND t.ordered_at < {span.until}
        ORDER BY t.ordered_at, t.transaction_id
    """
