"""What the user says of a population of patients."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from rarecase.common import spec as common
from rarecase.common.errors import SpecError
from rarecase.healthcare.cases import AnyCase, RareDisease


class HealthcarePopulation(common.Population):
    """The ordinary world, as far as it may be tuned."""

    youngest: int = Field(default=0, ge=0, le=100, description="least age at the start, in years")
    oldest: int = Field(default=100, ge=0, le=100, description="greatest age at the start, in years")
    life_table: Literal[1990, 2000, 2010, 2014] = Field(
        default=2014, description="year of the life table of the United States"
    )
    visits: float = Field(default=1.0, ge=0, le=20, description="factor on how often people are seen")
    tests: float = Field(default=1.0, ge=0, le=5, description="factor on how often blood is taken")

    @model_validator(mode="after")
    def _ages_in_order(self) -> Self:
        if self.youngest > self.oldest:
            raise SpecError("population.youngest", self.youngest, f"at most population.oldest, {self.oldest}")
        return self


class HealthcareSpec(common.Spec):
    """Patients of a health service: `size` people whose records are kept for `days` days from `start`."""

    domain: Literal["healthcare"] = "healthcare"
    size: int = Field(default=5_000, gt=0, le=1 << 30, description="how many patients")
    block: int = Field(default=2_500, gt=0, le=1 << 24, description="patients per part")
    start: date = Field(default=date(2023, 1, 1), description="first day of the records")
    days: int = Field(default=730, gt=0, le=common.Spec.MAX_DAYS, description="length of the records in days")
    population: HealthcarePopulation = Field(default_factory=HealthcarePopulation)
    cases: tuple[AnyCase, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        """Disorders and drugs by name, refused with the path of the case and the nearest name."""
        for position, case in enumerate(self.cases):
            try:
                _ = case.place() if isinstance(case, RareDisease) else case.places()
            except SpecError as error:
                raise SpecError(
                    f"cases[{position}].{error.path}", error.value, error.expected, nearest=error.nearest
                ) from None
        return self

    @property
    def youngest(self) -> int:
        """Least age at the start, in years."""
        return self.population.youngest

    @property
    def oldest(self) -> int:
        """Greatest age at the start, in years."""
        return self.population.oldest

    @property
    def life_table(self) -> int:
        """Year of the life table."""
        return self.population.life_table
