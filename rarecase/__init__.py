"""Synthetic data of rare cases: planted exactly, labelled, weighted back to nature, marked as synthetic.

>>> import rarecase
>>> bank = rarecase.generate({"domain": "finance", ...})      # doctest: +SKIP
>>> bank.frame("transactions", labels=True)                   # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rarecase.common.dataset import Dataset, open
    from rarecase.common.errors import Findings
    from rarecase.common.plan import Plan
    from rarecase.common.registry import names as domains
    from rarecase.common.run import generate
    from rarecase.common.spec import Spec, load_spec
    from rarecase.common.validate import validate

__version__ = "0.1.0"
__all__ = ["Dataset", "Findings", "Spec", "domains", "generate", "load_spec", "open", "plan", "validate"]

# Nothing heavy is imported before it is asked for: `rarecase --help` must answer at once.
_WHERE = {
    "Dataset": ("dataset", "Dataset"),
    "Findings": ("errors", "Findings"),
    "Spec": ("spec", "Spec"),
    "domains": ("registry", "names"),
    "generate": ("run", "generate"),
    "load_spec": ("spec", "load_spec"),
    "open": ("dataset", "open"),
    "validate": ("validate", "validate"),
}


def plan(spec: str | Path | Mapping[str, Any] | Spec) -> Plan:
    """What a spec would make, exactly; see `rarecase.common.plan.make_plan`."""
    from rarecase.common.plan import make_plan
    from rarecase.common.spec import load_spec

    return make_plan(load_spec(spec))


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _WHERE:
        raise AttributeError(f"module 'rarecase' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    return getattr(import_module(f"rarecase.common.{module}"), attribute)
