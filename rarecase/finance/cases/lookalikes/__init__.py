"""Look-alikes: honest behaviour that looks like fraud or laundering."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.lookalikes.crowdfunding import Crowdfunding
from rarecase.finance.cases.lookalikes.holiday_abroad import HolidayAbroad
from rarecase.finance.cases.lookalikes.house_purchase import HousePurchase
from rarecase.finance.cases.lookalikes.marketplace_payout import MarketplacePayout
from rarecase.finance.cases.lookalikes.payroll_run import PayrollRun
from rarecase.finance.cases.lookalikes.rent_collector import RentCollector
from rarecase.finance.cases.lookalikes.savings_club import SavingsClub
from rarecase.finance.cases.lookalikes.seasonal_cash_business import SeasonalCashBusiness
from rarecase.finance.cases.lookalikes.student_support import StudentSupport
from rarecase.finance.cases.lookalikes.treasury_sweep import TreasurySweep

KINDS: tuple[type[BankCase], ...] = (
    Crowdfunding,
    HolidayAbroad,
    HousePurchase,
    MarketplacePayout,
    PayrollRun,
    RentCollector,
    SavingsClub,
    SeasonalCashBusiness,
    StudentSupport,
    TreasurySweep,
)
