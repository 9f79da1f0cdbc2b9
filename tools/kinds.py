"""The reference page of a domain's kinds of cases, from what the kinds say of themselves.

python tools/kinds.py finance > docs/reference/finance-cases.md
"""

from __future__ import annotations

import sys

from rarecase.common import registry
from rarecase.common.spec import build_spec, parse_yaml


def main() -> int:
    """Print the page of the domain named on the command line."""
    domain = registry.get(sys.argv[1])
    spec = build_spec(parse_yaml(domain.examples["default"], "default"))
    rates = {case.kind: case.natural(spec) for case in spec.cases}
    print(f"# {domain.title}: kinds of cases\n")
    print("Made by `make reference` from the definitions in the code, which the tests hold them to.\n")
    for guilty, title in ((True, "Cases"), (False, "Look-alikes (`is_case` is false)")):
        print(f"## {title}\n")
        for name, kind in sorted(domain.kinds().items()):
            if kind.is_case != guilty:
                continue
            print(f"### `{name}`: {kind.title}\n\n{kind.definition}\n")
            natural = rates.get(name)
            if natural is not None:
                counted = "cases" if natural.counts == "cases" else domain.entities
                print(
                    f"*Natural rate:* {natural.value:.3g} per {natural.per}, counting {counted} "
                    f"(evidence: {natural.evidence}). {natural.source}.\n"
                )
            print(f"*Source:* {kind.source}.\n")
            own = {
                field: about
                for field, about in kind.model_fields.items()
                if field not in ("kind", "name", "count", "rate", "enrich", "difficulty")
            }
            for field, about in own.items():
                print(f"* `{field}` (default {about.default}): {about.description}")
            if own:
                print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
