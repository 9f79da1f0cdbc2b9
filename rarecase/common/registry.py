"""Domains by name. Built-in ones are dotted paths, so that nothing here imports a domain; third parties add
theirs by an entry point of the group `rarecase.domains`."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import entry_points

from rarecase.common.domain import Domain
from rarecase.common.errors import SpecError, nearest

GROUP = "rarecase.domains"
_BUILT_IN = {
    "finance": "rarecase.finance:DOMAIN",
    "healthcare": "rarecase.healthcare:DOMAIN",
    "automotive": "rarecase.automotive:DOMAIN",
}
#: A domain under development: `RARECASE_DOMAINS="name=package.module:DOMAIN,…"`; worker processes inherit it.
VARIABLE = "RARECASE_DOMAINS"


def names() -> tuple[str, ...]:
    """The names of all domains that are installed."""
    return tuple(_paths())


def get(name: str) -> Domain:
    """The domain called `name`.

    Raises
    ------
    SpecError
        When there is none; the nearest name is offered.
    """
    paths = _paths()
    if name not in paths:
        known = ", ".join(paths)
        raise SpecError("domain", name, f"one of {known}", nearest=nearest(str(name), paths))
    return _load(paths[name])


@lru_cache(maxsize=1)
def _installed() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)}


def _paths() -> dict[str, str]:
    named = (pair.partition("=") for pair in os.environ.get(VARIABLE, "").split(",") if "=" in pair)
    return {**_BUILT_IN, **_installed(), **{name.strip(): path.strip() for name, _, path in named}}


@cache
def _load(path: str) -> Domain:
    module, _, attribute = path.partition(":")
    domain = getattr(import_module(module), attribute)
    if not isinstance(domain, Domain):
        raise TypeError(f"{path} is not a Domain record")
    return domain
