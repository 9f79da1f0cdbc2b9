"""Rare disorders: names, onset, inheritance, prevalence and phenotypes, as Orphanet tells them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import gamma, gammainc

from rarecase.healthcare.data import parquet, rows
from rarecase.healthcare.data.laboratory import laboratory

ONSETS = ("Antenatal", "Neonatal", "Infancy", "Childhood", "Adolescent", "Adult", "Elderly", "All ages")
#: Years of age that each class of onset spans; what begins before birth is dated to it.
ONSET_YEARS = np.array(
    [
        (0.0, 0.01),
        (0.0, 0.077),
        (0.077, 2.0),
        (2.0, 12.0),
        (12.0, 19.0),
        (19.0, 65.0),
        (65.0, 90.0),
        (0.0, 80.0),
    ]
)
MODES = (
    "autosomal recessive",
    "autosomal dominant",
    "X-linked recessive",
    "X-linked dominant",
    "mitochondrial",
    "multifactorial",
    "not inherited",
    "unknown",
)
XLR, XLD = 2, 3
#: Share of males among patients by mode: X-linked recessive disease shows in hemizygous males; of X-linked
#: dominant disease females, with two X chromosomes, have two thirds. Reviewed shares go before these.
MALE_SHARE = np.array([0.5, 0.5, 1.0, 1 / 3, 0.5, 0.5, 0.5, 0.5])
#: Where Orphanet names several modes, how much each counts: autosomal forms are the more frequent (expert).
MODE_WEIGHT = np.array([2.0, 2.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0])
#: What the European Union calls rare: at most 5 in 10,000 (Regulation 141/2000).
RARE = 5e-4
EITHER = 0
#: Life expectancy of the United States in 2014, both sexes.
LIFETIME_YEARS = 78.9
SEX_LIMITS = {"either": EITHER, "male": 1, "female": 2}
FREQUENCIES = ("excluded", "very rare", "occasional", "frequent", "very frequent", "obligate")
#: Orphanet's bounds of the frequency classes.
FREQUENCY_BOUNDS = np.array([(0.0, 0.0), (0.01, 0.04), (0.05, 0.29), (0.30, 0.79), (0.80, 0.99), (1.0, 1.0)])
EXCLUDED = 0

#: Time from first symptom to diagnosis, a Weibull law: shape and median in years would give a mean of 5.5.
#: Spain's registry has a median of 2 and a mean of 6.2 years (n = 3,304), Faye 2024 a mean of 4.7
#: (n = 6,507). No delay is longer than LONGEST_DELAY_YEARS: the law is cut there, which makes its
#: mean 4.7 (5.1 over the cases of all disorders).
DELAY_SHAPE = 0.6
DELAY_MEDIAN_YEARS = 2.0
LONGEST_DELAY_YEARS = 40.0
#: By class of onset: what shows at birth is seen early, adolescents wait longest (Faye 2024: odds 4.8;
#: EURORDIS 2024: above ten years).
DELAY_FACTOR = np.array([0.45, 0.57, 0.95, 1.75, 2.8, 1.25, 0.92, 1.17])
DELAY_SCALE = DELAY_MEDIAN_YEARS / np.log(2) ** (1 / DELAY_SHAPE)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Catalogue:
    """Every disorder that has phenotypes, onset, inheritance and prevalence records.

    Attributes
    ----------
    orpha
        ORPHA codes, ascending, shape (n,).
    onset, inheritance
        Sets of classes, as membership matrices of shape (n, 8).
    sex
        0 either, 1 males only, 2 females only.
    male_share
        Share of males among the patients, shape (n,).
    prevalence
        Share of the living, NaN where no figure is published.
    place
        What area the prevalence is of.
    acute
        Over within days or weeks: never drawn among all disorders, recognised at once.
    drawn
        Whether it may come up when all disorders are drawn from: chronic, and with a figure.
    survival
        Median survival from birth in years, infinite where the disorder is not said to shorten life.
    longest_delay
        Years after which nobody is left undiagnosed.
    first, term, frequency
        Phenotypes: those of disorder i are term[first[i]:first[i + 1]], positions in the pool of terms.
    """

    orpha: Ints
    names: list[str]
    synonyms: list[str]
    icd10cm: list[str | None]
    onset: NDArray[np.bool_]
    inheritance: NDArray[np.bool_]
    sex: Ints
    male_share: Floats
    prevalence: Floats
    basis: list[str]
    evidence: list[str]
    place: list[str]
    acute: NDArray[np.bool_]
    drawn: NDArray[np.bool_]
    survival: Floats
    longest_delay: Floats
    first: Ints
    term: Ints
    frequency: Ints

    def __len__(self) -> int:
        return int(self.orpha.size)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The shipped disorders."""
    table, pairs = parquet("disorders.parquet"), parquet("phenotypes.parquet")
    count = table.num_rows
    owner = pairs["disorder"].to_numpy().astype(np.int64)
    onset = _members(table["onset"])
    onset[~onset.any(axis=1), ONSETS.index("All ages")] = True
    orpha = table["orpha"].to_numpy().astype(np.int64)
    prevalence = table["prevalence"].to_numpy(zero_copy_only=False).astype(np.float64)
    inheritance, sex = _members(table["inheritance"]), _sex_limits(orpha)
    group, survival, longest = _courses(orpha)
    basis = table["basis"].to_pylist()
    return Catalogue(
        orpha=orpha,
        names=table["name"].to_pylist(),
        synonyms=table["synonyms"].to_pylist(),
        icd10cm=table["icd10cm"].to_pylist(),
        onset=onset,
        inheritance=inheritance,
        sex=sex,
        male_share=_male_share(orpha, inheritance, sex),
        prevalence=_of_the_living(prevalence, np.array(basis), survival),
        basis=basis,
        evidence=table["evidence"].to_pylist(),
        place=table["place"].to_pylist(),
        acute=group == "acute",
        drawn=(group == "chronic") & (prevalence > 0),
        survival=survival,
        longest_delay=longest,
        first=np.searchsorted(owner, np.arange(count + 1)).astype(np.int64),
        term=pairs["term"].to_numpy().astype(np.int64),
        frequency=pairs["frequency"].to_numpy().astype(np.int64),
    )


def _members(bits: pa.ChunkedArray) -> NDArray[np.bool_]:
    sets = bits.to_numpy().astype(np.int64)
    return np.asarray((sets[:, None] >> np.arange(8)) & 1, np.bool_)


def _of_the_living(prevalence: Floats, basis: NDArray[np.str_], survival: Floats) -> Floats:
    """Prevalence at birth, by the part of a lifetime that patients live where that is known to be short."""
    lived = np.minimum(survival / LIFETIME_YEARS, 1.0)
    return np.asarray(np.where(basis == "birth", prevalence * lived, prevalence), np.float64)


def _rows_of(orpha: Ints, table: str) -> tuple[Ints, list[dict[str, str]]]:
    """Rows of a written table, and where their disorders stand in the catalogue."""
    found = list(rows(table))
    return np.searchsorted(orpha, [int(row["orpha"]) for row in found]), found


def _sex_limits(orpha: Ints) -> Ints:
    limits = np.full(orpha.shape, EITHER, dtype=np.int64)
    at, found = _rows_of(orpha, "sex_limits.csv")
    limits[at] = [SEX_LIMITS[row["sex"]] for row in found]
    return limits


def _male_share(orpha: Ints, inheritance: NDArray[np.bool_], sex: Ints) -> Floats:
    """By the modes of inheritance, unless a reviewed share or a limit says otherwise."""
    weight = inheritance * MODE_WEIGHT
    told = weight.sum(axis=1)
    share = np.where(told > 0, (weight * MALE_SHARE).sum(axis=1) / np.maximum(told, 1e-9), 0.5)
    at, found = _rows_of(orpha, "male_shares.csv")
    share[at] = [float(row["male_share"]) for row in found]
    return np.asarray(np.where(sex == 1, 1.0, np.where(sex == 2, 0.0, share)), np.float64)


def _courses(orpha: Ints) -> tuple[NDArray[np.str_], Floats, Floats]:
    """Group, median survival and longest delay of every disorder; chronic and lifelong unless reviewed."""
    group = np.full(orpha.shape, "chronic", dtype="U16")
    survival, longest = np.full(orpha.shape, np.inf), np.full(orpha.shape, LONGEST_DELAY_YEARS)
    at, found = _rows_of(orpha, "courses.csv")
    group[at] = [row["group"] for row in found]
    survival[at] = [float(row["survival_years"] or "inf") for row in found]
    longest[at] = [float(row["longest_delay_years"]) for row in found]
    return group, survival, longest


@lru_cache(maxsize=1)
def names() -> dict[str, int]:
    """Position of each disorder by name, synonym (lower case) and code."""
    found: dict[str, int] = {}
    book = catalogue()
    for place, (code, name, synonyms) in enumerate(zip(book.orpha, book.names, book.synonyms, strict=True)):
        for word in (str(code), f"orpha:{code}", name.lower()):
            found[word] = place
        for word in synonyms.lower().split("|"):
            found.setdefault(word, place)
    found.pop("", None)
    return found


# -- terms -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """HPO terms in use and all above them; those at or above term i are above[first[i]:first[i + 1]].

    `congenital` marks those that are there at birth or not at all.
    """

    hpo: list[str]
    names: list[str]
    organ: Ints
    organs: list[str]
    sex: Ints
    first: Ints
    above: Ints
    congenital: NDArray[np.bool_]

    def positions(self) -> dict[str, int]:
        """Position by HPO identifier."""
        return _term_positions()


@lru_cache(maxsize=1)
def terms() -> Terms:
    """The shipped part of the Human Phenotype Ontology."""
    table = parquet("terms.parquet")
    above = _closure(table["parents"].to_pylist())
    organ = table["organ"].combine_chunks()
    return Terms(
        hpo=table["hpo_id"].to_pylist(),
        names=table["name"].to_pylist(),
        organ=organ.indices.to_numpy().astype(np.int64),
        organs=organ.dictionary.to_pylist(),
        sex=table["sex"].to_numpy().astype(np.int64),
        first=np.concatenate([[0], np.cumsum([len(found) for found in above])]).astype(np.int64),
        above=np.concatenate([np.array(found, np.int64) for found in above]),
        congenital=table["congenital"].to_numpy().astype(np.bool_),
    )


@lru_cache(maxsize=1)
def _term_positions() -> dict[str, int]:
    return {code: place for place, code in enumerate(terms().hpo)}


def _closure(parents: list[list[int]]) -> list[list[int]]:
    """Each term and all above it, the term itself first."""
    found: dict[int, set[int]] = {}

    def up(term: int) -> set[int]:
        if term not in found:
            found[term] = {term}.union(*(up(parent) for parent in parents[term]))
        return found[term]

    return [[term, *sorted(up(term) - {term})] for term in range(len(parents))]


def ancestors(term: Ints) -> tuple[Ints, Ints]:
    """All pairs of a row of `term` and a term at or above it: rows and terms, both shape (pairs,)."""
    book = terms()
    counts = book.first[term + 1] - book.first[term]
    row = np.repeat(np.arange(term.size), counts)
    start = np.repeat(book.first[term] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return row, book.above[start + np.arange(row.size)]


def contradicted(owner: Ints, observed: Ints, other: Ints, excluded: Ints) -> NDArray[np.bool_]:
    """Which excluded terms stand at or above a term that was observed in the same owner.

    Parameters
    ----------
    owner, observed
        Owners and observed terms, shape (n,).
    other, excluded
        Owners and excluded terms, shape (m,).

    Returns
    -------
    bool, shape (m,)
    """
    asked = np.zeros(max(owner.max(initial=-1), other.max(initial=-1)) + 1, dtype=np.bool_)
    asked[other] = True
    owner, observed = owner[asked[owner]], observed[asked[owner]]
    row, above = ancestors(observed)
    return np.asarray(np.isin(other * len(terms().hpo) + excluded, owner[row] * len(terms().hpo) + above))


def implied(owner: Ints, observed: Ints) -> NDArray[np.bool_]:
    """Which observed terms stand strictly above another one of the same owner, shape (n,)."""
    row, above = ancestors(observed)
    strict = above != observed[row]
    size = len(terms().hpo)
    return np.asarray(np.isin(owner * size + observed, owner[row][strict] * size + above[strict]))


@lru_cache(maxsize=1)
def unfit() -> NDArray[np.bool_]:
    """Terms that no living patient's chart holds as a sign: modes, courses and deaths, shape (terms,)."""
    book = terms()
    course = np.array([book.organs[organ] == "All" for organ in book.organ])
    words = ("death", "stillbirth", "abortion", "lethal", "miscarriage")
    fatal = np.array([any(word in name.lower() for word in words) for name in book.names])
    return np.asarray(course | fatal, np.bool_)


def fits_sex(term: Ints, sex: Ints) -> NDArray[np.bool_]:
    """Whether people of a sex (0 male, 1 female) can show a term, both of shape (n,)."""
    bound = terms().sex[term]
    return np.asarray((bound == 0) | (bound - 1 == sex), np.bool_)


@lru_cache(maxsize=1)
def phenotype_shifts() -> Floats:
    """What each term moves in the laboratory, in standard deviations, shape (terms, analytes)."""
    book, tests = terms(), laboratory()
    signal = np.zeros((len(book.hpo), len(tests.analytes)))
    for line in rows("phenotype_signals.csv"):
        place = book.positions().get(line["hpo_id"])
        if place is not None:
            signal[place, tests.analyte(line["analyte"])] = float(line["shift"])
    row, above = ancestors(np.arange(len(book.hpo)))
    shifts = np.zeros_like(signal)
    marked = signal[above].any(axis=1)
    np.add.at(shifts, row[marked], signal[above[marked]])
    return shifts


@lru_cache(maxsize=1)
def marginal() -> Floats:
    """Cumulative weight of each term over all disorders, shape (terms,): for isolated findings."""
    book = catalogue()
    weight = np.bincount(book.term, FREQUENCY_BOUNDS.mean(axis=1)[book.frequency], len(terms().hpo))
    return np.asarray(np.cumsum(weight) / weight.sum(), np.float64)


# -- laws of onset and delay -------------------------------------------------------------------------------


def onset_share(age: Floats) -> Floats:
    """Share of each class of onset that has begun by an age, shape (8, n)."""
    low, high = ONSET_YEARS[:, :1], ONSET_YEARS[:, 1:]
    return np.asarray(np.clip((age[None, :] - low) / (high - low), 0, 1), np.float64)


def delay_survival(years: Floats, scale: Floats | float, longest: Floats | float = np.inf) -> Floats:
    """Share not yet diagnosed `years` after the first symptom; none of them after `longest` years."""
    tail = _weibull(np.asarray(longest, np.float64), scale)
    return np.asarray(np.clip((_weibull(years, scale) - tail) / (1 - tail), 0.0, 1.0), np.float64)


def _weibull(years: Floats, scale: Floats | float) -> Floats:
    return np.asarray(np.exp(-((np.maximum(years, 0.0) / scale) ** DELAY_SHAPE)), np.float64)


def delay_of(left: Floats, scale: Floats, longest: Floats) -> Floats:
    """Years after which a share `left` is not yet diagnosed: the inverse of `delay_survival`."""
    tail = _weibull(longest, scale)
    whole = np.clip(tail + left * (1 - tail), 1e-300, 1.0)
    return np.asarray(np.minimum(scale * (-np.log(whole)) ** (1 / DELAY_SHAPE), longest), np.float64)


#: How steeply lives end around the median survival of a disorder (expert): quartiles at 0.8 and 1.19 of it.
SURVIVAL_SHAPE = 4.0


def survivors(age: Floats, median: Floats) -> Floats:
    """Share of a disorder's patients still alive at an age, over that of everybody; infinite median: all."""
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        return np.asarray(np.exp2(-((age / median) ** SURVIVAL_SHAPE)), np.float64)


def delay_scale(female: NDArray[np.bool_] | bool, onset: Ints | int) -> Floats:
    """Scale of the delay in years; women wait longer (Faye 2024: odds 1.22)."""
    return np.asarray(DELAY_SCALE * DELAY_FACTOR[onset] * np.where(female, 1.08, 0.93), np.float64)


def delay_mean_years() -> float:
    """Mean of the law at factor 1, cut at its longest delay."""
    power = 1 / DELAY_SHAPE
    reach = (LONGEST_DELAY_YEARS / DELAY_SCALE) ** DELAY_SHAPE
    area = DELAY_SCALE * power * gamma(power) * gammainc(power, reach)
    return float((area - np.exp(-reach) * LONGEST_DELAY_YEARS) / -np.expm1(-reach))


@lru_cache(maxsize=1)
def organ_table() -> tuple[list[str], list[list[str]]]:
    """For each organ of `Terms.organs`: the specialty, and what its diseases are mistaken for."""
    by_organ = {line["organ"]: line for line in rows("organs.csv")}
    found = [by_organ[organ] for organ in terms().organs]
    return [line["specialty"] for line in found], [line["mistaken_for"].split("|") for line in found]
