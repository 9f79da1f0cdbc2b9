"""How often fraud occurs, how much it takes, and who bears it: weighted back to nature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.common.domain import Measure
from rarecase.finance.measures.views import one

if TYPE_CHECKING:
    import duckdb

_EEA = "EBA and ECB, report on payment fraud, December 2025 (EEA 2024)"
_UK = "UK Finance, Annual Fraud Report 2025 (UK 2024)"
_US = "Federal Reserve Payments Study 2016: 1.45 times for credit cards, 1.97 times for debit cards"
_CARD = "('card_testing', 'card_not_present', 'lost_and_stolen', 'skimming')"
_PUSHED = "('app_purchase', 'app_invoice', 'app_romance', 'app_investment', 'app_impersonation')"
#: So many cases it takes to say what share of the losses is borne by whom.
_FEWEST_TO_SHARE = 40
#: Payments with a stolen card; a cash machine that takes one pays, too.
_STOLEN = f"kind IN {_CARD} AND role IN ('test', 'purchase', 'withdrawal')"
#: Transfers that leave a victim's account: sent by somebody else, or by the deceived victim.
_SENT = f"role IN ('drain', 'scam') AND kind IN ('account_takeover', {_PUSHED[1:-1]})"


def measures(connection: duckdb.DuckDBPyConnection, days: int) -> list[Measure]:
    """Figures of fraud over a number of days; nothing where no fraud is planted."""
    if not one(connection, f"SELECT count(*) FROM crime WHERE {_STOLEN} OR {_SENT}"):
        return []
    return [*_cards(connection), *_transfers(connection, days)]


def _cards(connection: duckdb.DuckDBPyConnection) -> list[Measure]:
    all_cards = "FROM payments WHERE type IN ('card_payment', 'cash_withdrawal') AND card_id IS NOT NULL"
    stolen = f"FROM crime WHERE {_STOLEN} AND type IN ('card_payment', 'cash_withdrawal')"
    if not one(connection, f"SELECT count(*) {stolen}"):
        return []
    mean = f"(SELECT sum(weight * level_minor) / sum(weight) {stolen})"
    foreign = "credited_currency <> currency"
    rate = (
        "(SELECT sum(weight) {stolen} AND {where}) / nullif((SELECT count(*) FROM payments WHERE type = "
        "'card_payment' AND {there}), 0)"
    )
    abroad = rate.format(
        stolen=stolen, where=foreign, there="credited_currency::VARCHAR <> currency::VARCHAR"
    )
    inside = rate.format(
        stolen=stolen, where=f"NOT ({foreign})", there="credited_currency::VARCHAR = currency::VARCHAR"
    )
    return [
        Measure(
            name="card_fraud_share_by_count",
            meaning="Weighted share of card payments and withdrawals that are made with stolen cards",
            value=one(connection, f"SELECT (SELECT sum(weight) {stolen}) / (SELECT count(*) {all_cards})"),
            unit="share",
            low=0.00005,
            high=0.0004,
            published=0.00015,
            evidence="observed",
            source=f"{_EEA}: 17 million of 111 billion card payments; half to three times that, as samples "
            "of rare events scatter",
            weighted=True,
        ),
        Measure(
            name="card_fraud_share_by_value",
            meaning="Weighted share of the value of card payments and withdrawals",
            value=one(
                connection,
                f"SELECT (SELECT sum(weight * level_minor) {stolen}) / (SELECT sum(level_minor) {all_cards})",
            ),
            unit="share",
            low=0.0001,
            high=0.0009,
            published=0.00036,
            evidence="observed",
            source="ECB, seventh report on card fraud, 2021: 0.036 % of value in 2019 (0.031 to 0.041 % in "
            "2016 to 2018)",
            weighted=True,
        ),
        Measure(
            name="card_fraud_remote_share_of_value",
            meaning="Weighted share of card fraud's value that is remote",
            value=one(
                connection,
                f"SELECT sum(CASE WHEN is_remote THEN weight * level_minor ELSE 0 END) "
                f"/ sum(weight * level_minor) {stolen}",
            ),
            unit="share",
            low=0.65,
            high=0.92,
            published=0.82,
            evidence="observed",
            source=f"{_EEA}: 80 to 85 %",
            weighted=True,
        ),
        Measure(
            name="card_fraud_to_legitimate_mean",
            meaning="Mean payment with a stolen card beside the mean card payment",
            value=one(connection, f"SELECT {mean} / (SELECT avg(level_minor) {all_cards})"),
            unit="ratio",
            low=1.0,
            high=3.0,
            published=1.7,
            evidence="observed",
            source=_US,
            weighted=True,
        ),
        Measure(
            name="card_fraud_foreign_to_domestic",
            meaning="Fraud rate of card payments in another currency beside those in the own one",
            value=one(connection, f"SELECT ({abroad}) / nullif({inside}, 0)"),
            unit="ratio",
            low=None,
            high=None,
            published=17.0,
            evidence="observed",
            source=f"{_EEA}: payee outside the EEA; regions here are currencies, so it does not judge",
            weighted=True,
        ),
    ]


def _transfers(connection: duckdb.DuckDBPyConnection, days: int) -> list[Measure]:
    if not one(connection, f"SELECT count(*) FROM crime WHERE {_SENT}"):
        return []
    years = days / 365.25
    people = one(connection, "SELECT count(*) FROM customers")
    sent = f"SELECT sum(weight * level_minor) FROM crime WHERE {_SENT}"
    lost = f"FROM case_weight WHERE is_case AND loss_minor > 0 AND kind IN {_PUSHED}"
    # A seller of goods that never come has several victims, and each tells a case.
    victims = (
        "(SELECT sum(weight) FROM (SELECT DISTINCT case_id, payer_account_id, weight FROM crime "
        f"WHERE role = 'scam' AND kind IN {_PUSHED}))"
    )
    found = [
        Measure(
            name="fraudulent_transfer_mean",
            meaning="Mean transfer out of a victim's account",
            value=one(
                connection, f"SELECT sum(weight * level_minor) / sum(weight) / 100 FROM crime WHERE {_SENT}"
            ),
            unit="units of the currency",
            low=None,
            high=None,
            published=2_000.0,
            evidence="observed",
            source=f"{_EEA}: more than 2,000 EUR, firms included, so it does not judge; EMMA 5 (Europol "
            "2019): 1,715 EUR per transfer to a mule",
            weighted=True,
        ),
        Measure(
            name="transfer_fraud_share_of_value",
            meaning="Weighted share of the value of all transfers and wires that fraud takes",
            value=one(
                connection,
                f"SELECT ({sent}) / (SELECT sum(level_minor) FROM payments WHERE type IN ('transfer', "
                "'wire', 'standing_order', 'business', 'payroll'))",
            ),
            unit="share",
            low=None,
            high=None,
            published=0.00002,
            evidence="observed",
            source=f"{_EEA}: all fraud, all payers; firms' large payments are in it, so it does not judge a "
            "world of persons",
            weighted=True,
        ),
    ]
    pushed = one(connection, f"SELECT count(*) {lost}")
    # One large loss decides what share of some twenty is borne by whom.
    many = pushed >= _FEWEST_TO_SHARE
    if pushed:
        bear = (
            "sum(CASE WHEN borne_by = 'customer' THEN weight * (loss_minor - recovered_minor) / level "
            "ELSE 0 END)"
        )
        found += [
            Measure(
                name="manipulated_share_of_transfer_fraud",
                meaning="Weighted share of transfer fraud's value that victims sent themselves",
                value=one(
                    connection,
                    f"SELECT sum(CASE WHEN kind IN {_PUSHED} THEN weight * level_minor ELSE 0 END) / "
                    f"sum(weight * level_minor) FROM crime WHERE {_SENT}",
                ),
                unit="share",
                low=0.45,
                high=0.95,
                published=0.5,
                evidence="observed",
                source=f"{_EEA}: more than half of the value of fraudulent credit transfers",
                weighted=True,
            ),
            Measure(
                name="pushed_loss_mean",
                meaning="Mean loss of a victim of authorised push payments",
                value=one(connection, f"SELECT sum(weight * loss_minor / level) / {victims} / 100 {lost}"),
                unit="units of the currency",
                low=1_000.0,
                high=5_000.0,
                published=2_420.0,
                evidence="observed",
                source=f"{_UK}: 450.7 million GBP in fewer than 186,000 cases",
                weighted=True,
            ),
            Measure(
                name="pushed_cases_per_customer_year",
                meaning="Weighted victims of authorised push payments per customer and year",
                value=one(connection, f"SELECT {victims} / {people} / {years}"),
                unit="per customer and year",
                low=0.0005,
                high=0.01,
                published=0.0034,
                evidence="observed",
                source=f"{_UK}: fewer than 186,000 cases among some 55 million adults",
                weighted=True,
            ),
            Measure(
                name="pushed_loss_borne_by_customers",
                meaning="Weighted share of what was lost to authorised push payments that customers bear",
                value=one(connection, f"SELECT {bear} / sum(weight * loss_minor / level) {lost}"),
                unit="share",
                low=0.35 if many else None,
                high=0.95 if many else None,
                published=0.85,
                evidence="observed",
                source=f"{_EEA}: users bear some 85 % of losses from credit transfers; {_UK}: 59 % of them "
                "reimbursed",
                weighted=True,
            ),
        ]
    return found
