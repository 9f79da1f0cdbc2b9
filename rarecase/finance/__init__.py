"""A bank's world: people, employers, shops and banks, an exact ledger, and the fraud and laundering in it."""

from __future__ import annotations

from importlib import resources

from rarecase.common.domain import Domain
from rarecase.finance.cases import KINDS
from rarecase.finance.checks import checks, part_checks
from rarecase.finance.formats import FORMATS
from rarecase.finance.formats.graph import graph
from rarecase.finance.generate import generate_part
from rarecase.finance.measures import measures
from rarecase.finance.plan import details, exposure
from rarecase.finance.schema import SCHEMA
from rarecase.finance.spec import FinanceSpec

__all__ = ["DOMAIN"]


def _example(name: str) -> str:
    return resources.files("rarecase.finance.data").joinpath(f"examples/{name}.yaml").read_text("utf-8")


DOMAIN = Domain(
    name="finance",
    title="Bank payments with fraud and laundering",
    schema=SCHEMA,
    spec=FinanceSpec,
    cases=KINDS,
    entity_table="customers",
    entities="customers",
    details=details,
    exposure=exposure,
    generate_part=generate_part,
    part_checks=part_checks,
    checks=checks,
    measures=measures,
    formats=FORMATS,
    examples={name: _example(name) for name in ("default", "natural", "berka1993")},
    graph=graph,
    workers="threads",
)
