"""The rare cases of healthcare, one file each, and what they share: the record and its effects."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rarecase.healthcare.cases.interaction import Interaction
from rarecase.healthcare.cases.rare_disease import RareDisease
from rarecase.healthcare.cases.separated_pair import SeparatedPair

KINDS = (RareDisease, Interaction, SeparatedPair)
AnyCase = Annotated[RareDisease | Interaction | SeparatedPair, Field(discriminator="kind")]

__all__ = ["KINDS", "AnyCase", "Interaction", "RareDisease", "SeparatedPair"]
