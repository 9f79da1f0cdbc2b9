"""What cases stand on: everything about a place or a customer that any part can compute for itself.

Nothing here looks at cases or at simulated state, so a payment between places has the same amount and moment
on both sides. The ordinary world is made from the same laws, and a difficult case moves towards them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rarecase.common.clocks import Calendar, Clock
from rarecase.common.draws import AliasTable
from rarecase.common.mark.digits import embed
from rarecase.common.seeds import Float64, Int64, keyed_integers, keyed_uniform, stream
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.schema import CURRENCIES, SEGMENTS

if TYPE_CHECKING:
    from datetime import date

    from rarecase.common.spec import Spec

#: Kinds of the world outside the banks, an account of each per place: cash in circulation, the rest of the
#: economy, other countries, countries of high risk or under sanctions, and what exchanges trade in.
OUTSIDE = ("cash", "world", "abroad", "high_risk", "crypto")

SECOND_US = 1_000_000
_TRUNK = 10_000_000
DAY_S = 86_400
MONTH_DAYS = 30.4375

SEGMENT_SHARES = (0.58, 0.09, 0.23, 0.10)
EMPLOYED, SELF_EMPLOYED, RETIRED, STUDENT = range(len(SEGMENTS))
_INCOME_MEDIAN_MINOR = np.array([245_000.0, 280_000.0, 172_000.0, 82_000.0])
_INCOME_LOG_SD = np.array([0.42, 0.55, 0.35, 0.30])
#: Income at which the amounts of the reference tables hold.
USUAL_INCOME_MINOR = 230_000.0

ATM_MINOR = np.array([2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 15_000, 20_000, 30_000, 50_000])
ATM_SHARES = (0.16, 0.06, 0.08, 0.24, 0.05, 0.05, 0.19, 0.05, 0.08, 0.03, 0.01)
#: Median of what people pay in as cash.
CASH_IN_MEDIAN_MINOR = 24_000.0
TRANSFER_MEDIAN_MINOR = 9_000.0
TRANSFER_LOG_SD = 1.15
_ROUND_SHARE = 0.45
_ROUND_STEP_MINOR = 500


class Slots:
    """Where each account of a place stands: a row of slots, the same for every place.

    Customers' current accounts come first, so that slot and place in the block agree. An address is
    part × width + slot, known everywhere without asking anybody.
    """

    def __init__(self, block: int) -> None:
        self.block = block
        self.merchants_n = max(30, block // 25)
        self.employers_n = max(3, block // 60)
        self.shells_n = max(2, block // 60)
        self.landlords_n = max(2, block // 80)
        self.charities_n = self.exchanges_n = 2
        self.billers_n = len(data.billers())
        self.banks_n = len(data.banks()[0])
        self.treasuries_n = self.billers_n + self.banks_n
        self.sizes = {
            "current": block,
            "savings": block,
            "card": block,
            "loan": block,
            "second": block,
            "merchants": self.merchants_n,
            "employers": self.employers_n,
            "shells": self.shells_n,
            "landlords": self.landlords_n,
            "charities": self.charities_n,
            "exchanges": self.exchanges_n,
            "billers": self.billers_n,
            "branches": self.banks_n,
            "settlement": self.banks_n,
            "position": self.banks_n,
            "biller_treasury": self.billers_n,
            "bank_treasury": self.banks_n,
            **dict.fromkeys(OUTSIDE, 1),
        }
        self._first: dict[str, int] = {}
        at = 0
        for name, size in self.sizes.items():
            self._first[name] = at
            at += size
        self.width = at

    def first(self, name: str) -> int:
        """The first slot of a range."""
        return self._first[name]

    def customer(self, customers: Int64, kind: str = "current") -> Int64:
        """Addresses of customers' accounts of a kind (current, savings, card, loan, second), by ordinal."""
        part, within = np.divmod(customers, self.block)
        return np.asarray(part * self.width + self._first[kind] + within, np.int64)

    def at(self, part: int, name: str, number: int | Int64 = 0) -> Int64:
        """Addresses in a range of a place."""
        return np.asarray(part * self.width + self._first[name] + number, np.int64)


@lru_cache(maxsize=32)
def slots(block: int) -> Slots:
    """The slots of a place with `block` customers."""
    return Slots(block)


@lru_cache(maxsize=8)
def calendar(start: date, days: int) -> Calendar:
    """The bank's calendar: weekends, New Year, Labour Day and two days of Christmas are free."""
    years = range(start.year - 1, start.year + days // 365 + 3)
    from datetime import date as day

    free = [
        day(year, month, number) for year in years for month, number in ((1, 1), (5, 1), (12, 25), (12, 26))
    ]
    return Calendar(start, days, free)


@lru_cache(maxsize=64)
def clock(start: date, days: int, rhythm: str) -> Clock:
    """When things of a rhythm are done: hours, weekdays, and more in the week after pay-day."""
    shape = data.rhythms()[rhythm]
    days_of_month = np.ones(31)
    if rhythm not in ("batch", "office"):
        days_of_month[[24, 25, 26, 27, 28, 29, 30, 0, 1, 2]] = 1.22
    holiday = 0.1 if rhythm in ("batch", "office") else 0.7
    weights = calendar(start, days).weights(
        weekday=shape.weekdays.tolist(), day_of_month=days_of_month.tolist(), holiday=holiday
    )
    return Clock.over(weights, shape.hours)


@lru_cache(maxsize=1)
def batch() -> Clock:
    """The hours of one night and day at which batches are booked."""
    return Clock.of_day(data.rhythms()["batch"].hours)


@lru_cache(maxsize=1)
def office() -> Clock:
    """The hours of one day in which offices and small firms pay."""
    return Clock.of_day(data.rhythms()["office"].hours)


def country(spec: Spec, part: Int64) -> Int64:
    """The country of each place, a code into `data.countries`: those of the spec in turn around the ring."""
    known = data.countries().country
    wanted = np.array([known.index(name) for name in population(spec).countries])
    return np.asarray(wanted[np.asarray(part) % wanted.size], np.int64)


def touch_limit_minor(spec: Spec, places: Int64) -> Int64:
    """The most that a card of each place pays by touch without a code, in minor units."""
    return np.rint(100 * data.countries().contactless[country(spec, places)]).astype(np.int64)


def currency(spec: Spec, part: Int64) -> Int64:
    """The currency of each place, a code into `schema.CURRENCIES`."""
    codes = np.array([CURRENCIES.index(code) for code in data.countries().currency])
    return np.asarray(codes[country(spec, part)], np.int64)


def price_scale(spec: Spec, part: Int64) -> Float64:
    """Prices and incomes in minor units of each place, beside those of Germany in euros."""
    scale = data.countries().income_scale[country(spec, part)]
    return np.asarray(scale * population(spec).price_level, np.float64)


def towns(spec: Spec, part: Int64) -> tuple[Float64, Float64]:
    """Latitude and longitude in degrees where each invented town lies: anywhere in a disc in its country.

    Tens of thousandths, so that the table of places says exactly what distances are reckoned from.
    """
    table, at = data.countries(), country(spec, part)
    far = table.radius_deg[at] * np.sqrt(keyed_uniform(spec.seed, "town-distance", part))
    way = 2 * np.pi * keyed_uniform(spec.seed, "town-direction", part)
    latitude = table.latitude_deg[at] + far * np.sin(way)
    longitude = table.longitude_deg[at] + far * np.cos(way)
    return np.round(latitude, 4), np.round(longitude, 4)


def scale_of(spec: Spec, customers: Int64) -> Float64:
    """Prices where each customer lives, beside those of Germany in euros."""
    return price_scale(spec, np.asarray(customers) // spec.block)


@lru_cache(maxsize=8)
def fx_rates(seed: int, days: int) -> Float64:
    """Units of each currency per euro, shape (currencies, days): a walk with 0.5 % a day, in millionths."""
    table = data.countries()
    first = np.array([table.units_per_eur[table.currency.index(code)] for code in CURRENCIES])
    step = 0.005 * np.stack([stream(seed, "fx", code).standard_normal(days) for code in CURRENCIES])
    step[CURRENCIES.index("EUR")] = 0.0
    return np.asarray(np.round(first[:, None] * np.exp(np.cumsum(step, axis=1)), 6), np.float64)


def exchanged(spec: Spec, second: Int64, amount: Int64, source: Int64, target: Int64) -> Int64:
    """Amounts in the currency `target` for those in `source` at the rate of the day; at least one unit."""
    rates = fx_rates(spec.seed, spec.days)
    day = np.clip(second // DAY_S, 0, spec.days - 1)
    moved = np.rint(amount * (rates[target, day] / rates[source, day]))
    return np.where(source == target, amount, np.maximum(moved, 1)).astype(np.int64)


#: Days for which a second account was used at least before it fell asleep.
OPEN_BEFORE_DAYS = 200
#: Second accounts: most people have none, some an old one that sleeps, a few open one within the data.
NO_SECOND, SLEEPING, FRESH = range(3)


def second_account(spec: Spec, customers: Int64) -> Int64:
    """What each customer's second current account is: NO_SECOND, SLEEPING or FRESH."""
    u = keyed_uniform(spec.seed, "second-account", customers)
    fresh = 0.03 * min(spec.days / 365.25, 1.0)
    # Who is too young to have opened an account before it fell asleep has none.
    grown = adult_days(spec, customers) >= slept_days(spec, customers) + OPEN_BEFORE_DAYS
    asleep = np.where(grown, SLEEPING, NO_SECOND)
    return np.where(u < 0.06, asleep, np.where(u < 0.06 + fresh, FRESH, NO_SECOND)).astype(np.int64)


def slept_days(spec: Spec, customers: Int64) -> Int64:
    """Days before the start on which each old second account was last used: half a year to four."""
    return 190 + keyed_integers(spec.seed, "slept", customers, 1_310)


def has_card_account(spec: Spec, customers: Int64) -> NDArray[np.bool_]:
    """Who has a credit card with an account of its own: by default four in ten, not students."""
    u = keyed_uniform(spec.seed, "credit-card", customers)
    share = population(spec).credit_cards
    return np.asarray((u < share) & (segment(spec.seed, customers) != STUDENT), np.bool_)


def owner(spec: Spec, part: Int64, kind: str, number: Int64) -> Int64:
    """The ultimate owner of a firm of a place, a global ordinal; kinds merchants, employers and shells.

    Each firm of a kind has another owner, but a customer may own firms of several kinds. The last place may
    be too small; what has no owner there belongs to its first customer.
    """
    own = slots(spec.block)
    stride = max(spec.block // own.sizes[kind], 1)
    ids = np.asarray(part) * own.width + own.first(kind) + np.asarray(number)
    within = number * stride + (keyed_uniform(spec.seed, "owner", ids) * stride).astype(np.int64)
    low = np.asarray(part) * spec.block
    people = np.minimum(low + spec.block, spec.size) - low
    return np.asarray(low + np.where(within < people, within, 0), np.int64)


def owned(spec: Spec, customers: Int64, kind: str) -> Int64:
    """The number within its place of the firm of a kind that each customer owns, -1 for none."""
    own = slots(spec.block)
    stride = max(spec.block // own.sizes[kind], 1)
    part, within = np.divmod(customers, spec.block)
    number = np.minimum(within // stride, own.sizes[kind] - 1)
    return np.where(owner(spec, part, kind, number) == customers, number, -1).astype(np.int64)


#: Persons in the households of four neighbours: where each begins, counted from the first of the four.
_HOUSEHOLDS = np.array(
    [[0, 0, 0, 0], [0, 0, 0, 3], [0, 0, 2, 2], [0, 0, 2, 3], [0, 1, 1, 3], [0, 1, 2, 3], [0, 1, 2, 2]]
)
_HOUSEHOLD_SHARES = (0.14, 0.16, 0.18, 0.17, 0.11, 0.14, 0.10)


def household_head(spec: Spec, customers: Int64) -> Int64:
    """The first customer of each customer's household, a global ordinal; households are 1 to 4 neighbours."""
    within = customers % spec.block
    four = customers - within % 4
    edges = np.cumsum(_HOUSEHOLD_SHARES)
    drawn = np.searchsorted(edges, keyed_uniform(spec.seed, "household", four), side="right")
    return np.asarray(four + _HOUSEHOLDS[np.minimum(drawn, len(edges) - 1), within % 4], np.int64)


#: Terminals of a merchant: ordinals 4·m … 4·m + 2 are tills, 4·m + 3 its web shop. Two cash machines of each
#: bank follow after those of the merchants.
TERMINALS_EACH, WEB_SHOP, MACHINES_EACH = 4, 3, 2


def tills(spec: Spec, part: Int64, merchant: Int64) -> Int64:
    """How many tills each merchant has, 1 to 3."""
    ids = np.asarray(part) * slots(spec.block).width + merchant
    return 1 + keyed_integers(spec.seed, "tills", ids, 3)


@lru_cache(maxsize=1)
def _shop_kinds() -> AliasTable:
    # Dear shops are few and cheap ones many, less than in proportion to how often people buy there.
    return AliasTable(np.sqrt(data.shops().share))


def shop_kinds(spec: Spec, parts: Int64, merchants: Int64) -> Int64:
    """The kind of merchants anywhere, by part and number in the place: a position in `data.shops`."""
    n = slots(spec.block).merchants_n
    kinds = _shop_kinds().at(keyed_uniform(spec.seed, "shop", parts * _TRUNK + merchants))
    # Each place has at least one of each kind as long as there is room.
    sure = len(data.shops().mcc)
    return np.where((merchants < sure) & (n >= sure), merchants, kinds)


def network_ordinals(spec: Spec, customers: Int64) -> tuple[Int64, Int64]:
    """Ordinals, within their place, of the home network (of the household) and of the mobile network."""
    low = customers // spec.block * spec.block
    return 2 * (household_head(spec, customers) - low), 2 * (customers - low) + 1


#: Ages at the start from and to which the customers of each segment are spread. The bank takes nobody below
#: 18 and has no accounts for the young: own choice.
_AGE_LOW, _AGE_HIGH = np.array([20, 25, 62, 18.5]), np.array([64, 68, 92, 27.0])
#: Days of 18 years with five leap days.
_GROWN_UP_DAYS = 6_575
#: Days before the start on which the last and the first customers came.
_LAST_CAME, _FIRST_CAME = 30, 7_000


def age_days(spec: Spec, customers: Int64) -> Int64:
    """Age of each customer at the start of the data, in days."""
    kind = segment(spec.seed, customers)
    u = keyed_uniform(spec.seed, "age", customers)
    age = _AGE_LOW[kind] + u * (_AGE_HIGH - _AGE_LOW)[kind]
    return np.asarray((age * 365.25).astype(np.int64), np.int64)


def adult_days(spec: Spec, customers: Int64) -> Int64:
    """Days before the start since which each customer has been 18 years old."""
    return age_days(spec, customers) - _GROWN_UP_DAYS


def onboarded_days(spec: Spec, customers: Int64) -> Int64:
    """Days before the start on which each customer came: one in ten within two years, the others before.

    For who has been of age for less than the longest time, all of that is scaled into the time since then.
    """
    u = keyed_uniform(spec.seed, "onboarded", customers)
    new = 30 + u / 0.1 * 700
    old = 730 + (u - 0.1) / 0.9 * 6_270
    usual = np.where(u < 0.1, new, old)
    reach = np.minimum(adult_days(spec, customers), _FIRST_CAME)
    scale = (reach - _LAST_CAME) / (_FIRST_CAME - _LAST_CAME)
    return (_LAST_CAME + (usual - _LAST_CAME) * scale).astype(np.int64)


def false_stop(spec: Spec, customers: Int64) -> tuple[Int64, Int64]:
    """[from, to) in seconds in which a bank stops a card by mistake, NEVER for nearly all: 1 % a year.

    Expert figure; a few hours to two days, until the customer calls.
    """
    horizon = spec.days * DAY_S
    u = keyed_uniform(spec.seed, "false-stop", customers)
    when = -np.log1p(-u) / 0.01 * 365.25 * DAY_S
    hit = when < horizon
    length = 4 * 3_600 + keyed_uniform(spec.seed, "false-stop-length", customers) * 44 * 3_600
    since = np.where(hit, np.minimum(when, horizon), 0).astype(np.int64)
    until = np.minimum(since + length.astype(np.int64), horizon)
    return np.where(hit, since, NEVER), np.where(hit, until, NEVER)


def population(spec: Spec) -> Any:
    """The ordinary world as the spec tunes it (`rarecase.finance.spec`, which imports the cases)."""
    return spec.population


@lru_cache(maxsize=1)
def _segments() -> AliasTable:
    return AliasTable(SEGMENT_SHARES)


def segment(seed: int, customers: Int64) -> Int64:
    """How each customer earns a living, a code into SEGMENTS."""
    return _segments().at(keyed_uniform(seed, "segment", customers))


def income_minor(spec: Spec, customers: Int64) -> Int64:
    """Planned monthly income of each customer in minor units; lognormal within the segment.

    It carries the statistical mark, and with it every wage that equals it.
    """
    kind = segment(spec.seed, customers)
    normal = ndtri(np.clip(keyed_uniform(spec.seed, "income", customers), 1e-9, 1 - 1e-9))
    scale = scale_of(spec, customers)
    income = np.rint(scale * _INCOME_MEDIAN_MINOR[kind] * np.exp(_INCOME_LOG_SD[kind] * normal)).astype(
        np.int64
    )
    return np.asarray(embed(income, 1.0, minimum=1.0), np.int64) if spec.marks.statistical else income


def opening_minor(spec: Spec, customers: Int64) -> Int64:
    """Balance of each customer's current account before the data: mostly 0.8 incomes and a lognormal rest."""
    normal = ndtri(np.clip(keyed_uniform(spec.seed, "opening", customers), 1e-9, 1 - 1e-9))
    incomes = (0.8 + 1.5 * np.exp(0.8 * normal)) * population(spec).balances
    held = np.rint(income_minor(spec, customers) * incomes)
    return np.asarray(held, np.int64)


def overdraft_minor(spec: Spec, customers: Int64) -> Int64:
    """How far current accounts may go below zero: up to two incomes, mostly for four in five, no students."""
    share, most = keyed_uniform(spec.seed, "overdraft", customers), population(spec).overdrafts
    granted = np.ceil(income_minor(spec, customers) * share / max(most, 1e-9) * 2.0 / 10_000) * 10_000
    none = (share >= most) | (segment(spec.seed, customers) == STUDENT)
    return np.where(none, 0.0, granted).astype(np.int64)


def transfer_minor(u: Float64, v: Float64, income: Int64, scale: Float64 | float = 1.0) -> Int64:
    """Amounts that people send each other, given the payer's income.

    Parameters
    ----------
    u, v
        Uniforms for the size and for the rounding, shape (n,).
    income
        The payer's monthly income in minor units.
    scale
        Prices where the payer lives (`scale_of`).

    Returns
    -------
    int64[n]
        Minor units, at least 1.00; lognormal, 45 % of them in steps of 5.00 as people like them.
    """
    normal = ndtri(np.clip(u, 1e-9, 1 - 1e-9))
    median = TRANSFER_MEDIAN_MINOR * np.sqrt(income * scale / USUAL_INCOME_MINOR)
    return _liked(median * np.exp(TRANSFER_LOG_SD * normal), v)


def stolen_minor(
    u: Float64, v: Float64, income: Int64, mean: float, log_sd: float, scale: Float64 | float = 1.0
) -> Int64:
    """Amounts of transfers that cases make, with a given mean in units whatever their spread.

    Parameters
    ----------
    u, v
        Uniforms for the size and for the rounding, shape (n,).
    income
        The payer's monthly income in minor units; larger sums go unnoticed where larger sums are usual.
    mean
        Mean amount in units of the currency, at the usual income.
    log_sd
        Spread of the lognormal law.
    scale
        Prices where the payer lives (`scale_of`).
    """
    normal = ndtri(np.clip(u, 1e-9, 1 - 1e-9))
    median = mean * 100 * np.exp(-(log_sd**2) / 2) * np.sqrt(income * scale / USUAL_INCOME_MINOR)
    return _liked(median * np.exp(log_sd * normal), v)


def _liked(size: Float64, v: Float64) -> Int64:
    """Whole minor units, at least 1.00, 45 % of them in steps of 5.00 as people like them."""
    amount = np.rint(size).astype(np.int64)
    stepped = (amount + _ROUND_STEP_MINOR // 2) // _ROUND_STEP_MINOR * _ROUND_STEP_MINOR
    liked = (v < _ROUND_SHARE) & (stepped > 0)
    return np.asarray(np.maximum(np.where(liked, stepped, amount), 100), np.int64)


def cash_minor(u: Float64) -> Int64:
    """Sums that people draw from a machine, ascending with `u`."""
    edges = np.cumsum(ATM_SHARES)
    return ATM_MINOR[np.minimum(np.searchsorted(edges, u, side="right"), ATM_MINOR.size - 1)]


def neighbours(parts: int) -> list[tuple[int, int]]:
    """The distances at which places deal with each other: (k, 2**k) up to half the ring."""
    return [(k, 1 << k) for k in range(parts.bit_length()) if (2 << k) <= parts]


def steps(parts: int) -> Int64:
    """The distances to places that deal with a place, both ways round the ring; empty for a single place."""
    distances = [distance for _, distance in neighbours(parts)]
    return np.array([way * distance for distance in distances for way in (1, -1)], np.int64)


def near(spec: Spec, customers: Int64, u: Float64, v: Float64, share_local: float = 0.7) -> Int64:
    """Another customer for each: of the same place, or of one on the ring 2**k away; global ordinals."""
    return another(
        spec, customers, someone(spec, near_part(spec, customers // spec.block, u, share_local), v)
    )


def near_part(spec: Spec, part: Int64, u: Float64, share_local: float) -> Int64:
    """The same place for a share of all, else one that deals with it."""
    away = steps(spec.parts)
    if away.size == 0:
        return part
    outside = np.floor(np.maximum(u - share_local, 0.0) / max(1.0 - share_local, 1e-9) * away.size)
    step = away[np.minimum(outside.astype(np.int64), away.size - 1)]
    return np.asarray((part + np.where(u < share_local, 0, step)) % spec.parts, np.int64)


def someone(spec: Spec, part: Int64, u: Float64) -> Int64:
    """A customer of each place; global ordinals."""
    low = part * spec.block
    size = np.minimum(low + spec.block, spec.size) - low
    return np.asarray(low + np.minimum((u * size).astype(np.int64), size - 1), np.int64)


def ordinary_share(difficulty: float) -> float:
    """The share of a case's payees who live where ordinary payees do: all from difficulty 0.5 on.

    A payment between places that never deal with each other gives a case away, however ordinary the rest.
    """
    return min(1.0, 2.0 * difficulty)


def another(spec: Spec, customers: Int64, chosen: Int64) -> Int64:
    """`chosen`, but for those who chose themselves the next one of the place, or of all."""
    low = customers // spec.block * spec.block
    size = np.minimum(low + spec.block, spec.size) - low
    beside = low + (customers - low + 1) % size
    beside = np.where(size > 1, beside, (customers + 1) % spec.size)
    return np.where(chosen == customers, beside, chosen)


def fold(when_us: Int64, room_us: int) -> Int64:
    """Moments moved back by whole days until they lie before `room_us`, so that hours stay what they are."""
    day_us = DAY_S * SECOND_US
    late = np.maximum(when_us - room_us, -1) // day_us + 1
    return np.asarray(np.maximum(when_us - late * day_us, 0), np.int64)


def uniforms(spec: Spec, name: str, what: str, homes: Int64, width: int) -> Float64:
    """Uniforms of a case entry, shape (n, width), one row per home, stateless."""
    ids = homes[:, None] * 4096 + np.arange(width)
    return keyed_uniform(spec.seed, ("case", name, what), ids)
