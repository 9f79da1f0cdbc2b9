"""From the words of a command to a spec: a domain's example or a file, then what is changed in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rarecase.common.errors import InputError, SpecError, nearest

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

__all__ = ["example_text", "override", "spec_from"]

_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]")


def spec_from(
    source: str,
    *,
    example: str | None = None,
    seed: int | None = None,
    size: int | None = None,
    changes: Sequence[str] = (),
) -> Spec:
    """The spec that a command asks for.

    Parameters
    ----------
    source : str
        The exact name of a domain, or a spec file.
    example : str, optional
        Which example of the domain to start from; "default" if none is named.
    seed, size : int, optional
        Shorthands for ``--set seed=…`` and ``--set size=…``.
    changes : sequence of str
        ``path=value`` with a YAML value.

    Raises
    ------
    InputError
        If there is no such domain, file or example, or a change does not fit.
    """
    from rarecase.common.spec import build_spec

    spec = _start(source, example)
    shorthands = [f"{name}={value}" for name, value in (("seed", seed), ("size", size)) if value is not None]
    if not shorthands and not changes:
        return spec
    raw = spec.model_dump(mode="json")
    for change in (*shorthands, *changes):
        override(raw, change)
    return build_spec(raw)


def _start(source: str, example: str | None) -> Spec:
    from rarecase.common import registry
    from rarecase.common.spec import build_spec, load_spec, parse_yaml

    if source in registry.names():
        return build_spec(parse_yaml(example_text(source, example or "default"), f"example {example}"))
    if example is not None:
        raise InputError("--example", example, "no example beside a spec file, only beside a domain")
    if not Path(source).is_file():
        known = registry.names()
        raise SpecError(
            "DOMAIN|SPEC",
            source,
            f"a domain ({', '.join(known)}) or a spec file that exists",
            nearest=nearest(source, known),
        )
    return load_spec(source)


def example_text(domain: str, example: str) -> str:
    """The commented text of a domain's example; `InputError` names the nearest one where there is none."""
    from rarecase.common import registry

    examples = registry.get(domain).examples
    if example not in examples:
        raise InputError(
            "--example", example, f"one of {', '.join(examples)}", nearest=nearest(example, examples)
        )
    return examples[example]


def override(raw: dict[str, Any], change: str) -> None:
    """Apply one ``path=value`` to the plain form of a spec, in place.

    ``cases[0].count=10`` steps into lists by number and into mappings by name; the number after the last item
    appends. The value is YAML: ``true``, ``1.5``, ``2024-01-31``, ``null``, ``{value: 0.1, per: entity}``.
    """
    from rarecase.common.spec import parse_yaml

    path, equals, text = change.partition("=")
    if not equals or not path:
        raise InputError("--set", change, "path=value, such as cases[0].count=10")
    steps = _steps(path)
    value = parse_yaml(text, path)
    here: Any = raw
    for position, step in enumerate(steps[:-1]):
        here = _into(here, step, steps[position + 1], path)
    last = steps[-1]
    if isinstance(here, list) and last == len(here):
        here.append(value)
        return
    _check_step(here, last, path, value)
    here[last] = value


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (at == 0 and match[0].startswith((".", "["))):
            raise InputError("--set", path, "a path such as population.share or cases[0].count")
        steps.append(match[1] if match[1] is not None else int(match[2]))
        at = match.end()
    return steps


def _into(here: Any, step: str | int, following: str | int, path: str) -> Any:
    _check_step(here, step, path, "…")
    if isinstance(here, dict) and here.get(str(step)) is None:
        here[step] = [] if isinstance(following, int) else {}
    return here[step]


def _check_step(here: Any, step: str | int, path: str, value: object) -> None:
    if isinstance(step, int):
        if not isinstance(here, list):
            raise SpecError(path, value, f"a name, not [{step}]: there is no list here")
        if step >= len(here):
            raise SpecError(
                path, value, f"a number below {len(here)} in [{step}], or {len(here)} itself to append"
            )
    elif not isinstance(here, dict):
        expected = (
            f"a number in brackets before {step!r}"
            if isinstance(here, list)
            else f"no step {step!r} below a plain value"
        )
        raise SpecError(path, value, expected)
