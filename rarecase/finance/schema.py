"""The tables of the bank's world.

Money is whole minor units with a currency beside it. `transactions` has one row per payment and knows no
balance; `entries` has one row per leg, as an account's statement shows it.
"""

from __future__ import annotations

from typing import Literal

from rarecase.common.schema import Column, Reference, RowRule, Schema, Table
from rarecase.common.schema.cases import case_tables
from rarecase.finance import data

SEGMENTS = ("employed", "self_employed", "retired", "student")
HOLDERS = ("customer", "merchant", "organisation", "bank", "outside")
ACCOUNT_KINDS = ("current", "savings", "business", "branch", "treasury", "outside")
ORGANISATION_KINDS = ("employer", "landlord", "biller", "public", "outside")
PLATFORMS = ("android", "ios", "windows", "macos", "linux")
BRANDS = ("credit", "debit")
MCCS = tuple(data.mcc_titles())
COUNTRY = "DE"
CURRENCY = "EUR"


def _key(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name=name, type="key", meaning=meaning, role="identifier", nullable=nullable)


def _class(
    name: str, meaning: str, values: tuple[str, ...] | None = None, *, nullable: bool = False
) -> Column:
    return Column(name=name, type="category", meaning=meaning, values=values, nullable=nullable)


def _text(name: str, meaning: str, *, direct: bool = True) -> Column:
    return Column(name=name, type="string", meaning=meaning, privacy="direct" if direct else "none")


def _place(name: str, meaning: str) -> Column:
    return Column(name=name, type="int32", meaning=meaning, minimum=0)


def _money(name: str, meaning: str, *, minimum: float | None = None, derived: bool = False) -> Column:
    role: Literal["derived", "measure"] = "derived" if derived else "measure"
    return Column(name=name, type="int64", meaning=meaning, unit="minor units", role=role, minimum=minimum)


def _to(column: str, table: str, key: str) -> Reference:
    return Reference(columns=(column,), table=table, to=(key,))


_CURRENCY = _class("currency", "ISO 4217 code of the amount", (CURRENCY,))
_BOOKED = Column(
    name="booked_at", type="timestamp", unit="UTC", meaning="When both legs were booked", role="time"
)

PLACES = Table(
    name="places",
    meaning="Towns: each has its people, shops, employers and a branch of each bank.",
    columns=(
        Column(name="place", type="int32", meaning="Number of the place", role="identifier", minimum=0),
        _class("town", "Name of the invented town"),
        _class("postcode", "Postcode of the invented town"),
        _class("country", "ISO 3166-1 code of the country; the town is invented", (COUNTRY,)),
    ),
    key=("place",),
)

BANKS = Table(
    name="banks",
    meaning="Banks that keep the accounts.",
    columns=(
        _key("bank_id", "Key of the bank"),
        _class("bank_name", "Invented name"),
        Column(name="bic", type="category", meaning="Test BIC of ISO 9362", role="identifier"),
        _class("country", "ISO 3166-1 code of the seat", (COUNTRY,)),
        _place("place", "Place of the head office and of the treasury account"),
    ),
    key=("bank_id",),
    references=(_to("place", "places", "place"),),
)

CUSTOMERS = Table(
    name="customers",
    meaning="Persons who hold accounts.",
    columns=(
        _key("customer_id", "Key of the customer"),
        _place("place", "Where the customer lives"),
        _text("full_name", "Invented name"),
        Column(name="birth_date", type="date", meaning="Date of birth", privacy="quasi"),
        _class("segment", "How the customer earns a living", SEGMENTS),
        Column(
            name="monthly_income_minor",
            type="int64",
            unit="minor units",
            meaning="Planned income per month",
            role="measure",
            minimum=0,
            mark_quantum=1,
        ),
        _text("email", "E-mail address in a domain reserved for examples"),
        _text("phone", "Telephone number reserved for fiction"),
        _text("street", "Street and house number"),
        Column(name="onboarded_on", type="date", meaning="When the relation began"),
    ),
    key=("customer_id",),
    references=(_to("place", "places", "place"),),
    entity="customer_id",
)

ORGANISATIONS = Table(
    name="organisations",
    meaning="Employers, landlords, billers, the state, and the world outside the banks.",
    columns=(
        _key("organisation_id", "Key of the organisation at a place"),
        _class("kind", "What it does", ORGANISATION_KINDS),
        _text("organisation_name", "Invented name", direct=False),
        _place("place", "Where this branch of it is"),
        Column(
            name="pay_day",
            type="int8",
            meaning="Day of the month on which it pays wages",
            nullable=True,
            minimum=1,
            maximum=31,
        ),
    ),
    key=("organisation_id",),
    references=(_to("place", "places", "place"),),
)

MERCHANTS = Table(
    name="merchants",
    meaning="Shops with a category and a fixed place.",
    columns=(
        _key("merchant_id", "Key of the merchant"),
        _text("merchant_name", "Invented name", direct=False),
        Column(name="mcc", type="category", meaning="ISO 18245 merchant category code", values=MCCS),
        _place("place", "Where the shop or its office is"),
    ),
    key=("merchant_id",),
    references=(_to("place", "places", "place"),),
)

ACCOUNTS = Table(
    name="accounts",
    meaning="Accounts of customers, merchants, organisations, banks, and of the world outside.",
    columns=(
        _key("account_id", "Key of the account"),
        _key("bank_id", "Bank that keeps it; null for the outside world", nullable=True),
        Column(
            name="iban",
            type="string",
            meaning="IBAN of a test range; null for the outside world",
            role="identifier",
            privacy="direct",
            nullable=True,
        ),
        _class("holder", "Who holds it", HOLDERS),
        _class("kind", "What it is for", ACCOUNT_KINDS),
        _key("customer_id", "The customer who holds it", nullable=True),
        _key("merchant_id", "The merchant that holds it", nullable=True),
        _key("organisation_id", "The organisation that holds it", nullable=True),
        _place("place", "Place of the branch that keeps it"),
        _CURRENCY,
        Column(name="opened_on", type="date", meaning="When it was opened"),
        _money("opening_balance_minor", "Balance before the first entry of the data"),
        Column(
            name="credit_limit_minor",
            type="int64",
            unit="minor units",
            meaning="How far it may go below zero; null: without limit",
            minimum=0,
            nullable=True,
        ),
    ),
    key=("account_id",),
    references=(
        _to("bank_id", "banks", "bank_id"),
        _to("customer_id", "customers", "customer_id"),
        _to("merchant_id", "merchants", "merchant_id"),
        _to("organisation_id", "organisations", "organisation_id"),
        _to("place", "places", "place"),
    ),
    row_rules=(
        RowRule(
            name="one_holder",
            sql="(CASE WHEN customer_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN merchant_id IS NULL THEN 0 "
            "ELSE 1 END) + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END) = "
            "(CASE WHEN holder = 'bank' THEN 0 ELSE 1 END)",
            meaning="An account is held by one customer, merchant or organisation, or by its bank",
        ),
        RowRule(
            name="banked_or_outside",
            sql="(bank_id IS NULL) = (kind = 'outside') AND (iban IS NULL) = (kind = 'outside')",
            meaning="Only the outside world has no bank and no IBAN",
        ),
    ),
)

CARDS = Table(
    name="cards",
    meaning="Payment cards.",
    columns=(
        _key("card_id", "Key of the card"),
        _key("account_id", "The account it draws on"),
        _key("customer_id", "Who holds it"),
        Column(
            name="pan",
            type="string",
            meaning="Card number of a range that no issuer has",
            role="identifier",
            privacy="direct",
            pattern="[0-9]{16}",
        ),
        _class("card_type", "Kind of card", BRANDS),
        Column(name="expires_on", type="date", meaning="Last day of validity"),
    ),
    key=("card_id",),
    references=(_to("account_id", "accounts", "account_id"), _to("customer_id", "customers", "customer_id")),
)

DEVICES = Table(
    name="devices",
    meaning="Devices that have signed in for a customer.",
    columns=(
        _key("device_id", "Key of the device"),
        _key("customer_id", "For whom it signed in"),
        _class("platform", "Operating system", PLATFORMS),
        Column(
            name="first_seen_at",
            type="timestamp",
            unit="UTC",
            meaning="When it first signed in",
            role="time",
        ),
    ),
    key=("device_id",),
    references=(_to("customer_id", "customers", "customer_id"),),
    time="first_seen_at",
    entity="customer_id",
)

_WAYS = data.ways()
PAYMENT_TYPES = _WAYS.pool("payment_type")
_TYPE = _class("payment_type", "Kind of payment", PAYMENT_TYPES)

TRANSACTIONS = Table(
    name="transactions",
    meaning="One row per payment, as the payer's bank sees it; no balances.",
    columns=(
        _key("transaction_id", "Key of the payment"),
        _BOOKED,
        _key("payer_account_id", "Account that is debited"),
        _key("payee_account_id", "Account that is credited"),
        _money("amount_minor", "Amount paid", minimum=1),
        _CURRENCY,
        _TYPE,
        _class("channel", "How the order reached the bank", _WAYS.pool("channel")),
        _class("purpose", "ISO 20022 purpose code", _WAYS.pool("purpose")),
        _key("merchant_id", "The merchant, for card payments", nullable=True),
        Column(
            name="mcc",
            type="category",
            meaning="ISO 18245 category of the merchant",
            values=MCCS,
            nullable=True,
        ),
        _key("card_id", "The card used", nullable=True),
        _class("entry_mode", "How the card was read", _WAYS.pool("entry_mode"), nullable=True),
        _class("authentication", "How the payer was authenticated", _WAYS.pool("authentication")),
        _key("device_id", "The device that gave the order", nullable=True),
        _place("payer_place", "Place of the account that is debited"),
        _place("payee_place", "Place of the account that is credited"),
        Column(name="is_remote", type="bool", meaning="Ordered from afar, without card or person present"),
    ),
    key=("transaction_id",),
    references=(
        _to("payer_account_id", "accounts", "account_id"),
        _to("payee_account_id", "accounts", "account_id"),
        _to("merchant_id", "merchants", "merchant_id"),
        _to("card_id", "cards", "card_id"),
        _to("device_id", "devices", "device_id"),
        _to("payer_place", "places", "place"),
        _to("payee_place", "places", "place"),
    ),
    row_rules=(
        RowRule(
            name="pays_another",
            sql="payer_account_id <> payee_account_id",
            meaning="Nobody pays from an account to itself",
        ),
        RowRule(
            name="card_payments_at_merchants",
            sql="(payment_type = 'card_payment') = (merchant_id IS NOT NULL) "
            "AND (merchant_id IS NULL) = (mcc IS NULL)",
            meaning="Card payments, and only they, name a merchant and its category",
        ),
    ),
    time="booked_at",
)

ENTRIES = Table(
    name="entries",
    meaning="One row per leg of a payment, as the statement of the account shows it.",
    columns=(
        _key("entry_id", "Key of the entry"),
        _key("transaction_id", "The payment"),
        _key("account_id", "The account"),
        _BOOKED,
        _TYPE,
        _money("amount_minor", "Credit above zero, debit below"),
        _CURRENCY,
        _money("balance_minor", "Balance of the account after this entry", derived=True),
        Column(
            name="entry_number",
            type="int32",
            meaning="Place of the entry in the account's order, from 1",
            role="derived",
            minimum=1,
        ),
        Column(
            name="over_limit",
            type="bool",
            meaning="The balance is below the account's limit",
            role="derived",
        ),
    ),
    key=("entry_id",),
    references=(
        _to("transaction_id", "transactions", "transaction_id"),
        _to("account_id", "accounts", "account_id"),
    ),
    row_rules=(RowRule(name="moves_money", sql="amount_minor <> 0", meaning="Every entry moves money"),),
    time="booked_at",
)

_AMOUNT = Column(
    name="amount_minor",
    type="int64",
    unit="minor units",
    meaning="Amount of the payment that the case made, changed or prevented",
    role="label",
    nullable=True,
)

SCHEMA = Schema(
    domain="finance",
    version="1",
    tables=(
        PLACES,
        BANKS,
        CUSTOMERS,
        ORGANISATIONS,
        MERCHANTS,
        ACCOUNTS,
        CARDS,
        DEVICES,
        TRANSACTIONS,
        ENTRIES,
        *case_tables("customers", _AMOUNT, entity_key="customer_id"),
    ),
)
