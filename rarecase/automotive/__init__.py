"""Driving episodes with rare road conditions: weather, friction, motion, criticality, scenario files."""

from __future__ import annotations

from rarecase.automotive import data
from rarecase.automotive.cases import CASES
from rarecase.automotive.checks import checks
from rarecase.automotive.formats import FORMATS
from rarecase.automotive.generate import generate_part
from rarecase.automotive.measures import measures
from rarecase.automotive.plan import details, exposure
from rarecase.automotive.schema import SCHEMA
from rarecase.automotive.spec import AutomotiveSpec
from rarecase.common.domain import Domain

__all__ = ["DOMAIN"]

DOMAIN = Domain(
    name="automotive",
    title="Driving episodes with rare road conditions",
    schema=SCHEMA,
    spec=AutomotiveSpec,
    cases=CASES,
    entity_table="episodes",
    entities="episodes",
    generate_part=generate_part,
    details=details,
    exposure=exposure,
    checks=checks,
    measures=measures,
    formats=FORMATS,
    examples={name: data.text(f"examples/{name}.yaml") for name in ("default", "natural")},
    workers="threads",
)
