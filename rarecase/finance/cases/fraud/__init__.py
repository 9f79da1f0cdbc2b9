"""Fraud: money taken from customers, shops and banks."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.fraud.account_takeover import AccountTakeover
from rarecase.finance.cases.fraud.app_impersonation import AppImpersonation
from rarecase.finance.cases.fraud.app_investment import AppInvestment
from rarecase.finance.cases.fraud.app_invoice import AppInvoice
from rarecase.finance.cases.fraud.app_purchase import AppPurchase
from rarecase.finance.cases.fraud.app_romance import AppRomance
from rarecase.finance.cases.fraud.application_fraud import ApplicationFraud
from rarecase.finance.cases.fraud.card_not_present import CardNotPresent
from rarecase.finance.cases.fraud.card_testing import CardTesting
from rarecase.finance.cases.fraud.cheque_kiting import ChequeKiting
from rarecase.finance.cases.fraud.first_party_dispute import FirstPartyDispute
from rarecase.finance.cases.fraud.lost_and_stolen import LostAndStolen
from rarecase.finance.cases.fraud.merchant_collusion import MerchantCollusion
from rarecase.finance.cases.fraud.mule_recruitment import MuleRecruitment
from rarecase.finance.cases.fraud.payroll_redirection import PayrollRedirection
from rarecase.finance.cases.fraud.refund_abuse import RefundAbuse
from rarecase.finance.cases.fraud.skimming import Skimming
from rarecase.finance.cases.fraud.synthetic_identity import SyntheticIdentity

KINDS: tuple[type[BankCase], ...] = (
    AccountTakeover,
    AppImpersonation,
    AppInvestment,
    AppInvoice,
    AppPurchase,
    AppRomance,
    ApplicationFraud,
    CardNotPresent,
    CardTesting,
    ChequeKiting,
    FirstPartyDispute,
    LostAndStolen,
    MerchantCollusion,
    MuleRecruitment,
    PayrollRedirection,
    RefundAbuse,
    Skimming,
    SyntheticIdentity,
)
