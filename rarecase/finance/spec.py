"""What the user says of a bank's world."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from rarecase.common import spec as common
from rarecase.finance import data
from rarecase.finance.cases import AnyCase


class FinancePopulation(common.Population):
    """The ordinary world, as far as it may be tuned."""

    countries: tuple[str, ...] = Field(
        default=("DE", "DE", "GB", "DE", "FR", "US", "DE", "AU"),
        min_length=1,
        max_length=64,
        description="countries of the places, in turn around the ring: DE, FR, GB, US, AU, CZ",
    )

    purchases_per_month: float = Field(
        default=12.0, ge=0, le=200, description="mean card payments of a customer per month"
    )
    transfers_per_month: float = Field(
        default=1.8, ge=0, le=100, description="mean payments of a customer to other people per month"
    )
    abroad: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="share of payments between people, and a tenth of it of purchases (those from afar), "
        "that go to other places",
    )
    trips_per_year: float = Field(
        default=2.0,
        ge=0,
        le=8,
        description="mean trips of a customer per year to another place, with card payments there",
    )
    credit_card_share: float = Field(
        default=0.55,
        ge=0,
        le=1,
        description="share of card payments that holders of a credit card make with it, and not with the "
        "debit card",
    )
    cash_withdrawals_per_month: float = Field(
        default=1.5, ge=0, le=60, description="mean cash withdrawals of a customer per month"
    )
    cash_deposits_per_month: float = Field(
        default=0.18,
        ge=0,
        le=60,
        description="mean cash deposits of a customer per month; the self-employed make nearly seven times "
        "as many as others",
    )
    savers: float = Field(
        default=0.45, ge=0, le=1, description="share of customers who have a savings account"
    )
    bills: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="factor on the shares of customers who pay each biller and subscriptions",
    )
    bank_fees: float = Field(
        default=0.75, ge=0, le=1, description="share of customers who pay their bank a fee each month"
    )
    bank_fee: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="that fee in units of the currency, the same at every bank; by default each has its own",
    )
    invoices_per_month: float = Field(
        default=4.0, gt=0, le=60, description="mean payments that a self-employed customer gets per month"
    )
    standing_orders: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="factor on the shares of customers who pay rent, their household, charities and a plan "
        "of investment by standing order",
    )
    coin_traders: float = Field(
        default=0.08, ge=0, le=0.5, description="share of customers who trade in crypto-assets"
    )
    wires_per_month: float = Field(
        default=0.065, ge=0, le=60, description="mean wires of a customer per month, to and from abroad"
    )
    on_account_per_month: float = Field(
        default=0.8,
        ge=0,
        le=60,
        description="mean payments of a customer per month for what is bought on account: craftsmen, "
        "doctors, furniture; they take what income leaves over",
    )
    current_account_rate: float = Field(
        default=0.0, ge=0, le=0.2, description="yearly rate of interest on current accounts in credit"
    )
    remote_share: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="factor on the share of card payments made from afar; 0: none, all in shops",
    )

    price_level: float = Field(
        default=1.0, gt=0, le=1_000, description="factor on incomes and prices, all of them and everywhere"
    )
    balances: float = Field(
        default=1.0, ge=0, le=100, description="factor on what current accounts hold before the data"
    )
    overdrafts: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="share of customers, students apart, whose current account may go below zero",
    )
    credit_cards: float = Field(
        default=0.44,
        ge=0,
        le=1,
        description="share of customers, students apart, who have a credit card with an account of its own",
    )
    borrowers: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="factor on the shares of customers who have or take out a mortgage or a consumer loan",
    )
    branches: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of orders by telephone or computer, and of business at cash machines, that is "
        "done at the counter of a branch instead",
    )
    income_in_cash: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of customers who get what they earn in cash and pay it in at a counter",
    )
    surplus_in_cash: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of customers who draw at a counter what their income leaves over, in round sums, "
        "and buy with it; others pay on account",
    )
    due_days: tuple[int, int] | None = Field(
        default=None,
        description="first and last day of the month on which wages, pensions, bills, instalments and "
        "standing orders fall due, any of them as often; by default each has days of its own",
    )

    @field_validator("due_days")
    @classmethod
    def _in_order(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not 1 <= value[0] <= value[1] <= 31:
            raise ValueError("two days of the month, the first not after the last")
        return value

    @field_validator("countries")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = data.countries().country
        for name in value:
            if name not in known:
                raise ValueError(f"countries out of {', '.join(known)}")
        return value


class FinanceSpec(common.Spec):
    """A bank's world: `size` customers in places of `block` customers, over `days` days from `start`."""

    domain: Literal["finance"] = "finance"
    size: int = Field(default=2_000, gt=0, le=1 << 30, description="how many customers")
    block: int = Field(default=250, gt=0, le=1 << 24, description="customers per place; a place is a part")
    start: date = Field(default=date(2025, 1, 1), description="first day of the data")
    days: int = Field(default=90, gt=0, le=common.Spec.MAX_DAYS, description="length of the data in days")
    population: FinancePopulation = Field(default_factory=FinancePopulation)
    cases: tuple[AnyCase, ...] = ()
