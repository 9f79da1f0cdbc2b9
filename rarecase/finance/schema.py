"""The tables of the bank's world.

Money is whole minor units with a currency beside it. `transactions` has one row per payment and knows no
balance; `entries` has one row per leg, as an account's statement shows it.
"""

from __future__ import annotations

from typing import Literal

from rarecase.common.schema import Column, Knowing, Reference, RowRule, Schema, Table
from rarecase.common.schema.cases import case_tables
from rarecase.common.schema.knowing import Horizon
from rarecase.finance import data

SEGMENTS = ("employed", "self_employed", "retired", "student")
RISK_CLASSES = ("low", "medium", "high")
FUNDS = ("salary", "business", "pension", "family", "savings", "investments")
HOLDERS = ("customer", "merchant", "organisation", "bank", "outside")
ACCOUNT_KINDS = (
    "current",
    "savings",
    "card",
    "loan",
    "second",
    "business",
    "branch",
    "settlement",
    "position",
    "treasury",
    "outside",
)
ORGANISATION_KINDS = (
    "employer",
    "shell",
    "landlord",
    "charity",
    "exchange",
    "biller",
    "public",
    "outside",
)
PLATFORMS = ("android", "ios", "windows", "macos", "linux")
BRANDS = ("credit", "debit")
NETWORKS = ("home", "mobile", "hosting")
PAYEE_CHECKS = ("match", "close_match", "no_match", "unavailable")
THREE_DS = ("frictionless", "challenged", "attempted")
DECLINE_REASONS = (
    "insufficient_funds",
    "blocked_card",
    "blocked_account",
    "suspected_fraud",
    "wrong_code",
    "invalid_card",
    "expired_card",
    "limit_exceeded",
)
BEARERS = ("customer", "bank", "payee_bank", "merchant", "nobody", "employer")
ALERT_OUTCOMES = ("false_positive", "confirmed", "reported")
RULE_KINDS = ("report", "ceiling", "due_diligence", "record", "internal")
MCCS = tuple(data.mcc_titles())
COUNTRIES = tuple(data.countries().country)
COUNTRY, CURRENCY = "DE", "EUR"
CURRENCIES = tuple(dict.fromkeys(data.countries().currency))
JURISDICTIONS = tuple(dict.fromkeys(data.countries().jurisdiction))


def _key(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name=name, type="key", meaning=meaning, role="identifier", nullable=nullable)


def _class(
    name: str, meaning: str, values: tuple[str, ...] | None = None, *, nullable: bool = False
) -> Column:
    return Column(name=name, type="category", meaning=meaning, values=values, nullable=nullable)


def _text(name: str, meaning: str, *, direct: bool = True) -> Column:
    return Column(name=name, type="string", meaning=meaning, privacy="direct" if direct else "none")


def _contact(name: str, meaning: str) -> Column:
    # Takeovers change it, and the table has no moment of the change.
    return Column(name=name, type="string", meaning=meaning, privacy="direct", horizon="at_end")


def _place(name: str, meaning: str) -> Column:
    return Column(name=name, type="int32", meaning=meaning, minimum=0)


def _money(name: str, meaning: str, *, minimum: float | None = None, derived: bool = False) -> Column:
    role: Literal["derived", "measure"] = "derived" if derived else "measure"
    return Column(name=name, type="int64", meaning=meaning, unit="minor units", role=role, minimum=minimum)


def _to(column: str, table: str, key: str) -> Reference:
    return Reference(columns=(column,), table=table, to=(key,))


def _moment(
    name: str,
    meaning: str,
    *,
    nullable: bool = False,
    known_at: str | None = None,
    horizon: Horizon | None = None,
) -> Column:
    return Column(
        name=name,
        type="timestamp",
        unit="UTC",
        meaning=meaning,
        role="time",
        nullable=nullable,
        known_at=known_at,
        horizon=horizon,
    )


def _coordinate(name: str, meaning: str, most: float) -> Column:
    return Column(
        name=name, type="float64", meaning=meaning, unit="deg", minimum=-most, maximum=most, quantum=1e-4
    )


_CURRENCY = _class("currency", "ISO 4217 code of the amount", CURRENCIES)
_BOOKED = Column(
    name="booked_at", type="timestamp", unit="UTC", meaning="When both legs were booked", role="time"
)

PLACES = Table(
    name="places",
    meaning="Towns: each has its people, shops, employers and a branch of each bank of its country.",
    columns=(
        Column(name="place", type="int32", meaning="Number of the place", role="identifier", minimum=0),
        _class("town", "Name of the invented town"),
        _class("postcode", "Postcode of the invented town"),
        _class("country", "ISO 3166-1 code of the country; the town is invented", COUNTRIES),
        _class("jurisdiction", "Whose rules on money laundering hold here", JURISDICTIONS),
        _CURRENCY,
        _coordinate("latitude_deg", "Where the invented town lies", 90),
        _coordinate("longitude_deg", "Where the invented town lies", 180),
    ),
    key=("place",),
)

BANKS = Table(
    name="banks",
    meaning="Banks that keep the accounts, one row per bank and country that it works in.",
    columns=(
        _key("bank_id", "Key of the bank in a country"),
        _class("bank_name", "Invented name"),
        Column(name="bic", type="category", meaning="Test BIC of ISO 9362", role="identifier"),
        _class("country", "ISO 3166-1 code of the country", COUNTRIES),
        _place("place", "Place of the head office and of the treasury account"),
    ),
    key=("bank_id",),
    references=(_to("place", "places", "place"),),
)

RULES = Table(
    name="rules",
    meaning="Rules of the monitoring engine with their thresholds: law of a jurisdiction, or the bank's own.",
    columns=(
        _key("rule_id", "Key of the rule"),
        _class("rule", "Name of the rule"),
        _class("jurisdiction", "Where it holds", JURISDICTIONS),
        _class("kind", "What the threshold is", RULE_KINDS),
        _money("threshold_minor", "Amount at which the rule speaks", minimum=0),
        _CURRENCY,
        _class(
            "comparison", "Whether the amount itself counts (at_least) or not (above)", ("above", "at_least")
        ),
        Column(name="period_days", type="int16", meaning="Days over which amounts add up", minimum=1),
        Column(name="is_cash_only", type="bool", meaning="Only cash counts"),
        Column(name="valid_from", type="date", meaning="Since when it holds", horizon="ahead"),
        Column(
            name="valid_to",
            type="date",
            meaning="Until when it holds; null: still",
            nullable=True,
            horizon="ahead",
        ),
        _text("rule_source", "Law or reason, with date", direct=False),
    ),
    key=("rule_id",),
)

FX_RATES = Table(
    name="fx_rates",
    meaning="Middle rates of exchange, one per currency and day; an invented walk, no history.",
    columns=(
        Column(name="rate_date", type="date", meaning="Day on which the rate holds", role="time"),
        _CURRENCY,
        Column(
            name="units_per_eur",
            type="float64",
            meaning="Units of the currency for one euro",
            role="measure",
            minimum=0,
            quantum=1e-6,
        ),
    ),
    key=("rate_date", "currency"),
    time="rate_date",
)

HOUSEHOLDS = Table(
    name="households",
    meaning="Persons who live together.",
    columns=(
        _key("household_id", "Key of the household"),
        _place("place", "Where it lives"),
        Column(name="persons", type="int8", meaning="How many customers belong to it", minimum=1),
        _text("street", "Street and house number"),
    ),
    key=("household_id",),
    references=(_to("place", "places", "place"),),
)

CUSTOMERS = Table(
    name="customers",
    meaning="Persons who hold accounts, with what the bank knows of them (KYC).",
    columns=(
        _key("customer_id", "Key of the customer"),
        _key("household_id", "With whom the customer lives"),
        _place("place", "Where the customer lives"),
        _text("full_name", "Invented name"),
        Column(name="birth_date", type="date", meaning="Date of birth", privacy="quasi", horizon="before"),
        _class("segment", "How the customer earns a living", SEGMENTS),
        _class("occupation", "Occupation as told to the bank (ISCO-08 major group, or none)"),
        Column(
            name="monthly_income_minor",
            type="int64",
            unit="minor units",
            meaning="Planned income per month",
            role="measure",
            minimum=0,
            mark_quantum=1,
        ),
        Column(
            name="risk_appetite",
            type="float64",
            unit="none",
            meaning="Readiness to take risks, 0 none to 1 much",
            minimum=0,
            maximum=1,
            quantum=1e-3,
        ),
        _class("source_of_funds", "Where the money comes from, as told to the bank", FUNDS),
        Column(name="is_pep", type="bool", meaning="Politically exposed person"),
        _class("risk_class", "The bank's own risk class", RISK_CLASSES),
        _contact("email", "E-mail address in a domain reserved for examples"),
        _contact("phone", "Telephone number reserved for fiction; in large worlds strangers share one"),
        _text("street", "Street and house number as told to the bank"),
        Column(name="onboarded_on", type="date", meaning="When the relation began", horizon="before"),
    ),
    key=("customer_id",),
    references=(_to("place", "places", "place"), _to("household_id", "households", "household_id")),
    entity="customer_id",
)

ORGANISATIONS = Table(
    name="organisations",
    meaning="Companies, shells, landlords, charities, exchanges, billers, the state, and the world outside.",
    columns=(
        _key("organisation_id", "Key of the organisation at a place"),
        _class("kind", "What it does", ORGANISATION_KINDS),
        _text("organisation_name", "Invented name", direct=False),
        _class("sector", "NACE Rev. 2 section, null for the world outside", nullable=True),
        Column(name="employees", type="int32", meaning="Employees at this place", minimum=0),
        Column(
            name="incorporated_on",
            type="date",
            meaning="When it was founded, null outside",
            nullable=True,
            horizon="before",
        ),
        _place("place", "Where this branch of it is"),
        Column(
            name="pay_day",
            type="int8",
            meaning="Day of the month on which it pays wages",
            nullable=True,
            minimum=1,
            maximum=31,
        ),
        _moment("failed_at", "When it stopped paying", nullable=True, known_at="failed_at"),
    ),
    key=("organisation_id",),
    references=(_to("place", "places", "place"),),
)

MERCHANTS = Table(
    name="merchants",
    meaning="Shops with a category, a fixed place and opening hours.",
    columns=(
        _key("merchant_id", "Key of the merchant"),
        _text("merchant_name", "Invented name", direct=False),
        Column(name="mcc", type="category", meaning="ISO 18245 merchant category code", values=MCCS),
        _place("place", "Where the shop or its office is"),
        Column(name="opens_hour", type="int8", meaning="Hour at which it opens", minimum=0, maximum=24),
        Column(
            name="closes_hour",
            type="int8",
            meaning="Hour at which it closes; above 24 in the night after",
            minimum=0,
            maximum=30,
        ),
        Column(name="acquired_on", type="date", meaning="When its card contract began", horizon="before"),
    ),
    key=("merchant_id",),
    references=(_to("place", "places", "place"),),
)

OWNERSHIPS = Table(
    name="ownerships",
    meaning="Who owns companies, shells and shops; chains lead to the ultimate owners, who are customers.",
    columns=(
        _key("ownership_id", "Key of the share"),
        _key("organisation_id", "The company that is owned", nullable=True),
        _key("merchant_id", "The shop that is owned", nullable=True),
        _key("owner_customer_id", "The person who owns", nullable=True),
        _key("owner_organisation_id", "The company that owns", nullable=True),
        Column(name="share", type="float64", meaning="Share owned", minimum=0, maximum=1, quantum=1e-4),
        Column(name="is_officer", type="bool", meaning="The owner also directs it"),
    ),
    key=("ownership_id",),
    references=(
        _to("organisation_id", "organisations", "organisation_id"),
        _to("merchant_id", "merchants", "merchant_id"),
        _to("owner_customer_id", "customers", "customer_id"),
        _to("owner_organisation_id", "organisations", "organisation_id"),
    ),
    row_rules=(
        RowRule(
            name="one_owned_one_owner",
            sql="(organisation_id IS NULL) <> (merchant_id IS NULL) AND "
            "(owner_customer_id IS NULL) <> (owner_organisation_id IS NULL)",
            meaning="A share is of one company or shop and belongs to one owner",
        ),
    ),
)

TERMINALS = Table(
    name="terminals",
    meaning="Where cards are read: tills and web shops of merchants, and cash machines.",
    columns=(
        _key("terminal_id", "Key of the terminal"),
        _key("merchant_id", "Its merchant; null for a cash machine", nullable=True),
        _class("kind", "What it is", ("till", "web_shop", "cash_machine")),
        Column(
            name="code",
            type="string",
            meaning="Identification as ISO 8583 data element 41 has it",
            role="identifier",
            pattern="[A-Z0-9]{8}",
        ),
        _place("place", "Where it stands"),
    ),
    key=("terminal_id",),
    references=(_to("merchant_id", "merchants", "merchant_id"), _to("place", "places", "place")),
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
            meaning="IBAN of a test range; null outside and in countries without IBAN",
            role="identifier",
            privacy="direct",
            nullable=True,
        ),
        Column(
            name="domestic_number",
            type="string",
            meaning="Account number of countries without IBAN; its bank does not exist",
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
        Column(
            name="last_used_on",
            type="date",
            meaning="Last use before the first day of the data; null if never",
            nullable=True,
            horizon="before",
        ),
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
            sql="(bank_id IS NULL) = (kind = 'outside') AND "
            "(iban IS NULL AND domestic_number IS NULL) = (kind = 'outside')",
            meaning="Only the outside world has no bank and no account number",
        ),
    ),
    time="opened_on",
)

CARDS = Table(
    name="cards",
    meaning="Payment cards as contracts; a replaced card keeps its contract.",
    columns=(
        _key("card_id", "Key of the contract"),
        _key("account_id", "The account it draws on"),
        _key("customer_id", "Who holds it"),
        Column(
            name="pan",
            type="string",
            meaning="Card number, at the start of the data, of a range that no issuer has",
            role="identifier",
            privacy="direct",
            pattern="[0-9]{16}",
        ),
        _class("card_type", "Kind of card", BRANDS),
        Column(
            name="expires_on",
            type="date",
            meaning="Last day of validity of the card held at the start",
            horizon="ahead",
        ),
    ),
    key=("card_id",),
    references=(_to("account_id", "accounts", "account_id"), _to("customer_id", "customers", "customer_id")),
    knowing=Knowing(with_rows=("account_id",)),
)

CARD_REPLACEMENTS = Table(
    name="card_replacements",
    meaning="New plastic for a card: because it expired, was lost or stolen, or was misused.",
    columns=(
        _key("replacement_id", "Key of the replacement"),
        _key("card_id", "The contract"),
        _moment("replaced_at", "From when the new card works"),
        _class("reason", "Why", ("expired", "damaged", "lost", "stolen", "misused")),
        Column(
            name="expires_on",
            type="date",
            meaning="Last day of validity: four years on where the old card expired, else as before",
            horizon="ahead",
        ),
        Column(
            name="pan",
            type="string",
            meaning="The new card number, of a range that no issuer has",
            role="identifier",
            privacy="direct",
            pattern="[0-9]{16}",
        ),
    ),
    key=("replacement_id",),
    references=(_to("card_id", "cards", "card_id"),),
    time="replaced_at",
)

DEVICES = Table(
    name="devices",
    meaning="Devices that have signed in for a customer.",
    columns=(
        _key("device_id", "Key of the device"),
        _key("customer_id", "For whom it signed in"),
        _class("platform", "Operating system", PLATFORMS),
        _moment("first_seen_at", "When it first signed in"),
    ),
    key=("device_id",),
    references=(_to("customer_id", "customers", "customer_id"),),
    time="first_seen_at",
    entity="customer_id",
)

IP_ADDRESSES = Table(
    name="ip_addresses",
    meaning="Addresses of the internet from which orders came.",
    columns=(
        _key("ip_id", "Key of the address in a network"),
        Column(
            name="address",
            type="string",
            meaning="IPv6 address of the range reserved for documentation",
            role="identifier",
            privacy="direct",
        ),
        _class("network", "Whose network it is", NETWORKS),
        _class("country", "Where it is registered", COUNTRIES),
    ),
    key=("ip_id",),
    knowing=Knowing(used_by=("transactions.ip_id", "declines.ip_id")),
)

_WAYS = data.ways()
PAYMENT_TYPES = _WAYS.pool("payment_type")
_TYPE = _class("payment_type", "Kind of payment", PAYMENT_TYPES)

_MEANS = (
    _TYPE,
    _class("channel", "How the order reached the bank", _WAYS.pool("channel")),
    _class("purpose", "ISO 20022 purpose code", _WAYS.pool("purpose")),
    _key("merchant_id", "The merchant, for card payments and what undoes them", nullable=True),
    Column(
        name="mcc",
        type="category",
        meaning="ISO 18245 category of the merchant",
        values=MCCS,
        nullable=True,
    ),
    _key("terminal_id", "The terminal that read the card", nullable=True),
    _key("card_id", "The card used", nullable=True),
    _class("entry_mode", "How the card was read", _WAYS.pool("entry_mode"), nullable=True),
    _class("authentication", "How the payer was authenticated", _WAYS.pool("authentication")),
    _class("three_ds", "Outcome of 3-D Secure, for orders with a card in web shops", THREE_DS, nullable=True),
    _class("payee_check", "Whether the payee's name fits the account", PAYEE_CHECKS, nullable=True),
    _key("device_id", "The device that gave the order", nullable=True),
    Column(
        name="device_age_days",
        type="int32",
        meaning="Days since the device was first seen",
        unit="d",
        role="derived",
        nullable=True,
        minimum=0,
    ),
    _key("ip_id", "The address from which the order came", nullable=True),
)

TRANSACTIONS = Table(
    name="transactions",
    meaning="One row per payment, as the payer's bank sees it; no balances.",
    columns=(
        _key("transaction_id", "Key of the payment"),
        _moment("ordered_at", "When it was ordered or authorised: the event", horizon="before"),
        _moment("booked_at", "When all legs were booked", horizon="before"),
        _moment("available_at", "When the row could be read in the bank's store"),
        _key("payer_account_id", "Account that is debited"),
        _key("payee_account_id", "Account that is credited"),
        _money("amount_minor", "Amount paid", minimum=1),
        _CURRENCY,
        _money("credited_minor", "Amount credited, in the payee's currency", minimum=1),
        _class("credited_currency", "ISO 4217 code of the amount credited", CURRENCIES),
        *_MEANS,
        Column(
            name="payee_age_days",
            type="int32",
            meaning="Days since the payer first paid this payee, for transfers",
            unit="d",
            role="derived",
            nullable=True,
            minimum=0,
        ),
        _place("payer_place", "Place of the account that is debited"),
        _place("payee_place", "Place of the account that is credited"),
        Column(name="is_remote", type="bool", meaning="Ordered from afar, without card or person present"),
        _key("refers_to", "The payment that this one gives back or disputes, if it names one", nullable=True),
    ),
    key=("transaction_id",),
    references=(
        _to("payer_account_id", "accounts", "account_id"),
        _to("payee_account_id", "accounts", "account_id"),
        _to("merchant_id", "merchants", "merchant_id"),
        _to("terminal_id", "terminals", "terminal_id"),
        _to("card_id", "cards", "card_id"),
        _to("device_id", "devices", "device_id"),
        _to("ip_id", "ip_addresses", "ip_id"),
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
            sql="(payment_type IN ('card_payment', 'card_refund', 'chargeback')) = (merchant_id IS NOT NULL) "
            "AND (merchant_id IS NULL) = (mcc IS NULL)",
            meaning="Card payments and what undoes them, and only they, name a merchant and its category",
        ),
        RowRule(
            name="ordered_booked_available",
            sql="ordered_at <= booked_at AND booked_at <= available_at",
            meaning="A payment is ordered, then booked, then available",
        ),
        RowRule(
            name="one_currency_one_amount",
            sql="currency <> credited_currency OR amount_minor = credited_minor",
            meaning="Without exchange the payee gets what the payer pays",
        ),
    ),
    time="available_at",
)

ENTRIES = Table(
    name="entries",
    meaning="One row per leg of a payment, as the statement of the account shows it.",
    columns=(
        _key("entry_id", "Key of the entry"),
        _key("transaction_id", "The payment"),
        _key("account_id", "The account"),
        _moment("booked_at", "When all legs were booked"),
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

DECLINES = Table(
    name="declines",
    meaning="Payments that were tried and refused; they moved no money, and nobody knows what they were.",
    columns=(
        _key("decline_id", "Key of the attempt"),
        _moment("attempted_at", "When it was tried"),
        _key("payer_account_id", "Account that would be debited"),
        _key("payee_account_id", "Account that would be credited"),
        _money("amount_minor", "Amount tried", minimum=1),
        _CURRENCY,
        *_MEANS,
        _place("payer_place", "Place of the account that would be debited"),
        _place("payee_place", "Place of the account that would be credited"),
        Column(name="is_remote", type="bool", meaning="Tried from afar, without card or person present"),
        _class("reason", "Why it was refused", DECLINE_REASONS),
        _class("response_code", "ISO 8583 data element 39", ("14", "51", "54", "55", "59", "61", "62")),
    ),
    key=("decline_id",),
    references=(
        _to("payer_account_id", "accounts", "account_id"),
        _to("payee_account_id", "accounts", "account_id"),
        _to("merchant_id", "merchants", "merchant_id"),
        _to("terminal_id", "terminals", "terminal_id"),
        _to("card_id", "cards", "card_id"),
        _to("device_id", "devices", "device_id"),
        _to("ip_id", "ip_addresses", "ip_id"),
    ),
    time="attempted_at",
)

COUNTERPARTIES = Table(
    name="counterparties",
    meaning="Whom a customer's account has sent transfers to, by first payment; derived from the payments.",
    columns=(
        _key("payer_account_id", "The account that pays"),
        _key("payee_account_id", "The account that is paid"),
        _moment("first_paid_at", "First payment in the data"),
        Column(name="known_days", type="int32", meaning="Days known before that", unit="d", minimum=0),
        Column(name="payments", type="int32", meaning="Payments in the data", minimum=1),
    ),
    key=("payer_account_id", "payee_account_id"),
    references=(
        _to("payer_account_id", "accounts", "account_id"),
        _to("payee_account_id", "accounts", "account_id"),
    ),
    time="first_paid_at",
    derived=True,
    knowing=Knowing(
        recount="SELECT payer_account_id, payee_account_id, min(ordered_at) AS first_paid_at, "
        "count(*) AS payments FROM transactions WHERE payee_age_days IS NOT NULL GROUP BY ALL"
    ),
)

ALERTS = Table(
    name="alerts",
    meaning="What the monitoring engine raised, and how investigators closed it; derived from the payments.",
    columns=(
        _key("alert_id", "Key of the alert"),
        _key("rule_id", "The rule that spoke"),
        _key("account_id", "The account that it is about"),
        _key("customer_id", "Its holder, where that is a customer", nullable=True),
        _moment("raised_at", "When it was raised"),
        Column(
            name="score", type="float64", meaning="How urgent, 0 to 1", minimum=0, maximum=1, quantum=1e-3
        ),
        _money("amount_minor", "Sum of the payments, or refused attempts, that it is about", minimum=0),
        _CURRENCY,
        Column(
            name="payments",
            type="int32",
            meaning="How many payments, or refused attempts, it is about",
            minimum=1,
        ),
        _moment("closed_at", "When an investigator closed it", nullable=True, known_at="closed_at"),
        _class(
            "outcome",
            "What the investigator thought, which may be wrong",
            ALERT_OUTCOMES,
            nullable=True,
        ).known("closed_at"),
    ),
    key=("alert_id",),
    references=(
        _to("rule_id", "rules", "rule_id"),
        _to("account_id", "accounts", "account_id"),
        _to("customer_id", "customers", "customer_id"),
    ),
    row_rules=(
        RowRule(
            name="closed_with_outcome",
            sql="(closed_at IS NULL) = (outcome IS NULL) AND (closed_at IS NULL OR closed_at >= raised_at)",
            meaning="An alert is closed after it was raised, with an outcome",
        ),
    ),
    time="raised_at",
    derived=True,
)

ALERT_TRANSACTIONS = Table(
    name="alert_transactions",
    meaning="The payments that an alert is about, few or none where it is about refused attempts; "
    "derived from the payments.",
    columns=(
        _key("alert_id", "The alert"),
        _key("transaction_id", "The payment"),
    ),
    key=("alert_id", "transaction_id"),
    references=(
        _to("alert_id", "alerts", "alert_id"),
        _to("transaction_id", "transactions", "transaction_id"),
    ),
    derived=True,
    knowing=Knowing(with_rows=("alert_id", "transaction_id")),
)


def _label_money(name: str, meaning: str) -> Column:
    return Column(
        name=name, type="int64", unit="minor units", meaning=meaning, role="label", nullable=True, minimum=0
    )


_ON_LABELS = (
    Column(
        name="amount_minor",
        type="int64",
        unit="minor units",
        meaning="Amount of the payment that the case made, changed or prevented",
        role="label",
        nullable=True,
    ),
    _label_money("tainted_minor", "How much of it is proceeds of crime"),
)
_ON_CASES = (
    _label_money("loss_minor", "What victims lost, before anything came back").known("ended_at"),
    _label_money("recovered_minor", "What was taken back from the receivers").known("ended_at"),
    _label_money("reimbursed_minor", "What banks or merchants paid to victims").known("ended_at"),
    Column(
        name="borne_by",
        type="category",
        meaning="Who bears what was not recovered; null where nothing was lost",
        role="label",
        values=BEARERS,
        nullable=True,
        known_at="ended_at",
    ),
)

SCHEMA = Schema(
    domain="finance",
    version="2",
    tables=(
        PLACES,
        BANKS,
        RULES,
        FX_RATES,
        HOUSEHOLDS,
        CUSTOMERS,
        ORGANISATIONS,
        MERCHANTS,
        OWNERSHIPS,
        TERMINALS,
        ACCOUNTS,
        CARDS,
        CARD_REPLACEMENTS,
        DEVICES,
        IP_ADDRESSES,
        TRANSACTIONS,
        ENTRIES,
        DECLINES,
        COUNTERPARTIES,
        ALERTS,
        ALERT_TRANSACTIONS,
        *case_tables(
            "customers",
            _ON_LABELS,
            entity_key="customer_id",
            on_cases=_ON_CASES,
            ended="When what is planned of it ends; payments refused for want of funds (no_funds) may follow",
            detected="When the bank stops it of itself, as planned; what investigators find stands in alerts",
        ),
    ),
)
