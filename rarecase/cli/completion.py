"""What the shell may complete: domains, examples, kinds of documents."""

from __future__ import annotations

from collections.abc import Iterable

import typer

__all__ = ["complete_domain", "complete_example", "complete_form", "complete_source"]


def _starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def complete_domain(incomplete: str) -> list[str]:
    """Names of domains."""
    from rarecase.common import registry

    return _starting(registry.names(), incomplete)


def complete_source(incomplete: str) -> list[str]:
    """Names of domains, and spec files of the directory that is being typed."""
    from pathlib import Path

    folder = Path(incomplete).parent if "/" in incomplete else Path()
    prefix = f"{folder}/" if "/" in incomplete else ""
    files = sorted(
        prefix + path.name for path in folder.glob("*") if path.suffix in (".yaml", ".yml", ".json", ".toml")
    )
    return complete_domain(incomplete) + _starting(files, incomplete)


def complete_example(context: typer.Context, incomplete: str) -> list[str]:
    """Examples of the domain that stands on the line."""
    from rarecase.common import registry

    # An option that still lacks its value stops the parser, which then leaves the words before it in `args`.
    said = [context.params.get("domain"), context.params.get("source"), *context.args]
    named = next((word for word in said if word in registry.names()), None)
    return _starting(registry.get(named).examples, incomplete) if named else []


def complete_form(context: typer.Context, incomplete: str) -> list[str]:
    """Formats of the data set that stands on the line, or of all domains, and ``database``."""
    import json
    from contextlib import suppress
    from pathlib import Path

    from rarecase.common import registry

    domains = list(registry.names())
    for word in (context.params.get("dataset"), *context.args):
        with suppress(OSError, ValueError, KeyError, TypeError):
            domains = [json.loads((Path(str(word)) / "manifest.json").read_bytes())["domain"]]
    known = {form for name in domains if name in registry.names() for form in registry.get(name).formats}
    return _starting(sorted({*known, "database"}), incomplete)
