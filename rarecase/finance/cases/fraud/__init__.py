"""Fraud: money taken from customers, shops and banks."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.fraud.account_takeover import AccountTakeover
from rarecase.finance.cases.fraud.app_impersonation import AppImpersonation
from rarecase.finance.cases.fraud.app_investment import AppInvestment
from rarecase.finance.cases.fraud.app_invoice import AppInvoice
from rarecase.finance.cases.fraud.app_purchase import AppPurchase
from rarecase.finance.cases.fraud.app_romance import AppRomance
from rarecase.finance.cases.fraud.card_not_present import CardNotPresent
from rarecase.finance.cases.fraud.card_testing import CardTesting
from rarecase.finance.cases.fraud.lost_and_stolen import LostAndStolen
from rarecase.finance.cases.fraud.skimming import Skimming

KINDS: tuple[type[BankCase], ...] = (
    AccountTakeover,
    AppImpersonation,
    AppInvestment,
    AppInvoice,
    AppPurchase,
    AppRomance,
    CardNotPresent,
    CardTesting,
    LostAndStolen,
    Skimming,
)
