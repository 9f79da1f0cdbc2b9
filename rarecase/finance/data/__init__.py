"""The reference tables of the bank's world, read once; where each comes from says SOURCES.toml."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Int8 = NDArray[np.int8]


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@dataclass(frozen=True)
class Shops:
    """Kinds of merchants: arrays of one value per kind.

    Attributes
    ----------
    mcc
        ISO 18245 codes.
    rhythm
        When customers come.
    share
        Share of all purchases.
    median_minor, log_sd
        The lognormal law of an amount.
    remote
        Share paid without being there.
    opens, closes
        Hours of most of them; above 24 in the night after.
    rest_days
        How soon people come again to such a shop, at the earliest, unless they must.
    on_trips
        How much people away from home like them, beside others.
    given_back
        Whether people give back what they bought there.
    """

    mcc: tuple[str, ...]
    rhythm: tuple[str, ...]
    share: FloatArray
    median_minor: FloatArray
    log_sd: FloatArray
    remote: FloatArray
    opens: NDArray[np.int64]
    closes: NDArray[np.int64]
    rest_days: FloatArray
    on_trips: FloatArray
    given_back: NDArray[np.bool_]


#: How long an order takes until it is booked: see `generate.booking`.
BOOKINGS = ("at_once", "hours", "night", "card")
#: What stops a way of paying: nothing, a stopped account, or a stopped card or account.
STOPPERS = ("none", "account", "card")


@dataclass(frozen=True)
class Ways:
    """Ways of paying: the words of each, by code.

    Attributes
    ----------
    columns
        Words of the columns that follow from the way.
    card, device, remote
        Whether a card is used, a device gives the order, and nobody is present.
    booking, stopped_by
        Positions in BOOKINGS and STOPPERS.
    """

    names: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    card: NDArray[np.bool_]
    device: NDArray[np.bool_]
    remote: NDArray[np.bool_]
    booking: Int8
    stopped_by: Int8

    def code(self, name: str) -> int:
        """The code of a way."""
        return self.names.index(name)

    def pool(self, column: str) -> tuple[str, ...]:
        """The different words of a column, in order of first use."""
        return tuple(dict.fromkeys(word for word in self.columns[column] if word))

    def codes(self, column: str) -> Int8:
        """For each way the position of its word in the pool, -1 where it has none."""
        pool = self.pool(column)
        words = [pool.index(word) if word else -1 for word in self.columns[column]]
        return np.array(words, dtype=np.int8)


@dataclass(frozen=True)
class Rhythm:
    """Relative business of the 24 hours and of the seven days from Monday."""

    hours: FloatArray
    weekdays: FloatArray


@dataclass(frozen=True)
class Biller:
    """Who serves everybody: share of customers, the law of the monthly amount, and the NACE section."""

    name: str
    title: str
    way: str
    share: float
    median_minor: float
    log_sd: float
    sector: str


@lru_cache(maxsize=1)
def shops() -> Shops:
    """The kinds of merchants."""
    rows = _rows("shops")

    def column(name: str) -> FloatArray:
        return np.array([float(row[name]) for row in rows])

    share = column("share")
    return Shops(
        mcc=tuple(row["mcc"] for row in rows),
        rhythm=tuple(row["rhythm"] for row in rows),
        share=share / share.sum(),
        median_minor=column("median_minor"),
        log_sd=column("log_sd"),
        remote=column("remote"),
        opens=column("opens").astype(np.int64),
        closes=column("closes").astype(np.int64),
        rest_days=column("rest_days"),
        on_trips=column("on_trips"),
        given_back=column("given_back") > 0,
    )


@lru_cache(maxsize=1)
def ways() -> Ways:
    """The ways of paying."""
    rows = _rows("ways")
    words = ("payment_type", "channel", "purpose", "entry_mode", "authentication")
    flags = {name: np.array([row[name] == "1" for row in rows]) for name in ("card", "device", "is_remote")}
    return Ways(
        names=tuple(row["way"] for row in rows),
        columns={name: tuple(row[name] for row in rows) for name in words},
        card=flags["card"],
        device=flags["device"],
        remote=flags["is_remote"],
        booking=np.array([BOOKINGS.index(row["booking"]) for row in rows], np.int8),
        stopped_by=np.array([STOPPERS.index(row["stopped_by"]) for row in rows], np.int8),
    )


@dataclass(frozen=True)
class Countries:
    """Countries that places may lie in: arrays of one value per country.

    Attributes
    ----------
    country, jurisdiction, currency
        ISO 3166-1 and ISO 4217 codes, and whose rules on money laundering hold.
    units_per_eur, income_scale
        Where the walk of rates begins, and prices and incomes in minor units beside those of DE.
    locale
        For names of people, streets and firms.
    has_iban, phone
        Whether accounts have an IBAN; the maker of telephone numbers, or nothing.
    latitude_deg, longitude_deg, radius_deg
        Where invented towns lie.
    contactless
        The most that is paid by touch without a code, in units of the currency.
    """

    country: tuple[str, ...]
    jurisdiction: tuple[str, ...]
    currency: tuple[str, ...]
    units_per_eur: FloatArray
    income_scale: FloatArray
    locale: tuple[str, ...]
    has_iban: NDArray[np.bool_]
    phone: tuple[str, ...]
    latitude_deg: FloatArray
    longitude_deg: FloatArray
    radius_deg: FloatArray
    contactless: FloatArray


@lru_cache(maxsize=1)
def countries() -> Countries:
    """The countries that places may lie in."""
    rows = _rows("countries")

    def words(name: str) -> tuple[str, ...]:
        return tuple(row[name] for row in rows)

    def numbers(name: str) -> FloatArray:
        return np.array([float(row[name]) for row in rows])

    return Countries(
        country=words("country"),
        jurisdiction=words("jurisdiction"),
        currency=words("currency"),
        units_per_eur=numbers("units_per_eur"),
        income_scale=numbers("income_scale"),
        locale=words("locale"),
        has_iban=numbers("iban") > 0,
        phone=words("phone"),
        latitude_deg=numbers("latitude_deg"),
        longitude_deg=numbers("longitude_deg"),
        radius_deg=numbers("radius_deg"),
        contactless=numbers("contactless"),
    )


@dataclass(frozen=True)
class Rules:
    """Rules of the monitoring engine: one value per rule, jurisdiction and time.

    Attributes
    ----------
    rule, kind, family, jurisdiction, currency, source
        Words; the family is law (nothing is raised), report, laundering or fraud.
    threshold_minor
        Minor units of the currency.
    above
        The threshold itself does not count.
    period_days, least
        Days over which amounts add up, and how many payments or parties it takes.
    is_cash_only
        Only cash counts.
    weight
        How seriously investigators take the rule, log odds beside 0 for most.
    valid_from, valid_to
        First and last day; NaT where it still holds.
    """

    rule: tuple[str, ...]
    kind: tuple[str, ...]
    family: tuple[str, ...]
    jurisdiction: tuple[str, ...]
    currency: tuple[str, ...]
    source: tuple[str, ...]
    threshold_minor: NDArray[np.int64]
    above: NDArray[np.bool_]
    period_days: NDArray[np.int64]
    least: NDArray[np.int64]
    is_cash_only: NDArray[np.bool_]
    weight: FloatArray
    valid_from: NDArray[np.datetime64]
    valid_to: NDArray[np.datetime64]


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The rules of the monitoring engine."""
    rows = _rows("rules")

    def words(name: str) -> tuple[str, ...]:
        return tuple(row[name] for row in rows)

    def whole(name: str) -> NDArray[np.int64]:
        return np.array([int(row[name]) for row in rows], np.int64)

    def days(name: str) -> NDArray[np.datetime64]:
        return np.array([row[name] or "NaT" for row in rows], "datetime64[D]")

    return Rules(
        rule=words("rule"),
        kind=words("kind"),
        family=words("family"),
        jurisdiction=words("jurisdiction"),
        currency=words("currency"),
        source=words("rule_source"),
        threshold_minor=100 * whole("threshold"),
        above=np.array([row["comparison"] == "above" for row in rows]),
        period_days=whole("period_days"),
        least=whole("least"),
        is_cash_only=np.array([row["is_cash_only"] == "1" for row in rows]),
        weight=np.array([float(row["weight"]) for row in rows]),
        valid_from=days("valid_from"),
        valid_to=days("valid_to"),
    )


@lru_cache(maxsize=1)
def investigators() -> dict[tuple[str, str], float]:
    """How those who close alerts decide: values by family of rules and what they are."""
    return {(row["family"], row["what"]): float(row["value"]) for row in _rows("rules_investigators")}


@lru_cache(maxsize=1)
def rhythms() -> dict[str, Rhythm]:
    """When things are done."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {
        row["rhythm"]: Rhythm(
            hours=np.array([float(row[f"h{hour:02d}"]) for hour in range(24)]),
            weekdays=np.array([float(row[day]) for day in days]),
        )
        for row in _rows("rhythms")
    }


@lru_cache(maxsize=1)
def billers() -> tuple[Biller, ...]:
    """Who serves everybody; the last one is the state, which pays."""
    return tuple(
        Biller(
            row["biller"],
            row["name"],
            row["way"],
            float(row["share"]),
            float(row["median_minor"]),
            float(row["log_sd"]),
            row["sector"],
        )
        for row in _rows("billers")
    )


@lru_cache(maxsize=1)
def banks() -> tuple[tuple[str, ...], FloatArray]:
    """Names of the banks and their shares of the customers."""
    rows = _rows("banks")
    share = np.array([float(row["share"]) for row in rows])
    return tuple(row["name"] for row in rows), share / share.sum()


@dataclass(frozen=True)
class Shares:
    """Words with the share of each."""

    names: tuple[str, ...]
    share: FloatArray


@lru_cache(maxsize=1)
def sectors() -> Shares:
    """NACE Rev. 2 sections of employers."""
    rows = _rows("sectors")
    return Shares(tuple(row["sector"] for row in rows), np.array([float(row["share"]) for row in rows]))


@lru_cache(maxsize=1)
def occupations() -> Shares:
    """ISCO-08 major groups of the employed, from the least to the best paid."""
    rows = _rows("occupations")
    return Shares(tuple(row["occupation"] for row in rows), np.array([float(row["share"]) for row in rows]))


@lru_cache(maxsize=2)
def institutions(kind: str) -> tuple[tuple[str, str], ...]:
    """Names and NACE sections of the charities or exchanges, the same in every place."""
    return tuple((row["name"], row["sector"]) for row in _rows("institutions") if row["kind"] == kind)


@lru_cache(maxsize=1)
def mcc_titles() -> dict[str, str]:
    """Titles of the ISO 18245 codes."""
    return {row["mcc"]: row["description"] for row in _rows("mcc")}
