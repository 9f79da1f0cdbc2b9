"""Laboratory tests and vital signs: codes, reference intervals, how values hang together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarecase.healthcare.data import rows
from rarecase.healthcare.data.clinic import clinic

OLDEST = 111
#: A reference interval holds the central 95 % of healthy people.
HALF_WIDTH_SD = 1.96
DERIVED = frozenset({"egfr", "mcv", "mch", "mchc", "cholesterol"})


@dataclass(frozen=True)
class Analyte:
    """One test: what it is called, how it is spread among the healthy, and what it hangs on.

    Attributes
    ----------
    law
        normal, log (the logarithm is normal), or the name of the formula that derives it.
    low, high
        Reference interval for men and women, shape (2,).
    parent, correlation
        The test of the same panel that it follows, and how closely.
    personal
        Share of the variance that lies between people rather than between visits.
    """

    code: str
    loinc: str
    name: str
    unit: str
    panel: str
    law: str
    low: tuple[float, float]
    high: tuple[float, float]
    minimum: float
    maximum: float
    decimals: int
    parent: str
    correlation: float
    personal: float


@dataclass(frozen=True)
class Panel:
    """Tests that are taken together, as positions in the pool of analytes."""

    name: str
    analytes: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.analytes.size)


@dataclass(frozen=True)
class Laboratory:
    """All tests and panels, and the laws of their values as arrays.

    Attributes
    ----------
    centre, spread
        Mean and standard deviation (of the logarithm, for log laws), shape (2, analytes).
    age_factor
        What the centre of a child's or old person's values is multiplied by, shape (ages, analytes).
    """

    analytes: tuple[Analyte, ...]
    panels: tuple[Panel, ...]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    age_factor: NDArray[np.float64]

    def analyte(self, code: str) -> int:
        """The position of a test in the pool."""
        return next(place for place, found in enumerate(self.analytes) if found.code == code)

    def panel(self, name: str) -> Panel:
        """A panel by name."""
        return next(found for found in self.panels if found.name == name)


@lru_cache(maxsize=1)
def laboratory() -> Laboratory:
    """The shipped tests."""
    analytes = tuple(_analyte(row) for row in rows("analytes.csv"))
    names = list(dict.fromkeys(analyte.panel for analyte in analytes))
    panels = tuple(
        Panel(name, np.array([place for place, found in enumerate(analytes) if found.panel == name]))
        for name in names
    )
    low = np.array([analyte.low for analyte in analytes]).T
    high = np.array([analyte.high for analyte in analytes]).T
    log = np.array([analyte.law == "log" for analyte in analytes])
    low, high = np.where(log, np.log(low), low), np.where(log, np.log(high), high)
    return Laboratory(
        analytes, panels, (low + high) / 2, (high - low) / (2 * HALF_WIDTH_SD), _age_factors(analytes)
    )


def _analyte(row: dict[str, str]) -> Analyte:
    number = {name: float(row[name]) for name in ("low_m", "high_m", "low_f", "high_f", "r", "personal")}
    return Analyte(
        code=row["code"],
        loinc=row["loinc"],
        name=row["name"],
        unit=row["unit"],
        panel=row["panel"],
        law=row["law"],
        low=(number["low_m"], number["low_f"]),
        high=(number["high_m"], number["high_f"]),
        minimum=float(row["minimum"]),
        maximum=float(row["maximum"]),
        decimals=int(row["decimals"]),
        parent=row["parent"],
        correlation=number["r"],
        personal=number["personal"],
    )


def _age_factors(analytes: tuple[Analyte, ...]) -> NDArray[np.float64]:
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows("age_factors.csv"):
        found.setdefault(row["code"], []).append((float(row["age"]), float(row["factor"])))
    ages, factors = np.arange(OLDEST, dtype=np.float64), np.ones((OLDEST, len(analytes)))
    for place, analyte in enumerate(analytes):
        if analyte.code in found:
            at, factor = zip(*found[analyte.code], strict=True)
            factors[:, place] = np.interp(ages, at, factor)
    return factors


@lru_cache(maxsize=1)
def condition_shifts() -> NDArray[np.float64]:
    """What each chronic condition moves, in standard deviations, shape (chronic, analytes)."""
    tables, tests = clinic(), laboratory()
    shifts = np.zeros((tables.chronic, len(tests.analytes)))
    for row in rows("condition_effects.csv"):
        shifts[tables.diagnosis(row["condition"]), tests.analyte(row["analyte"])] = float(row["shift"])
    return shifts


@lru_cache(maxsize=1)
def drug_shifts() -> NDArray[np.float64]:
    """What each long-term medicine moves, in standard deviations, shape (drugs, analytes)."""
    tables, tests = clinic(), laboratory()
    shifts = np.zeros((len(tables.drugs), len(tests.analytes)))
    for row in rows("drug_effects.csv"):
        shifts[tables.drug(row["drug"]), tests.analyte(row["analyte"])] = float(row["shift"])
    return shifts
