"""Patients, with rare diseases and drug interactions among them. `DOMAIN` is the only public name."""

from __future__ import annotations

from rarecase.common.domain import Domain
from rarecase.healthcare.cases import KINDS
from rarecase.healthcare.checks import checks
from rarecase.healthcare.data import examples
from rarecase.healthcare.formats import FORMATS
from rarecase.healthcare.generate import generate_part
from rarecase.healthcare.measures import measures
from rarecase.healthcare.plan import details, exposure
from rarecase.healthcare.schema import SCHEMA
from rarecase.healthcare.spec import HealthcareSpec

DOMAIN = Domain(
    name="healthcare",
    title="Patient records with rare diseases and drug interactions",
    schema=SCHEMA,
    spec=HealthcareSpec,
    cases=KINDS,
    entity_table="patients",
    entities="patients",
    details=details,
    exposure=exposure,
    generate_part=generate_part,
    checks=checks,
    measures=measures,
    formats=FORMATS,
    examples=examples(),
    workers="threads",
)

__all__ = ["DOMAIN"]
