"""Commands that only ask: domains, cases, schema, spec."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from rarecase.cli.completion import complete_domain, complete_example
from rarecase.cli.console import figure, say, say_json, table

Domain = Annotated[
    str, typer.Argument(help="Name of a domain.", autocompletion=complete_domain, metavar="DOMAIN")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]


class SchemaForm(StrEnum):
    """In what form a schema is shown."""

    json = "json"
    sql = "sql"
    md = "md"


class Dialect(StrEnum):
    """For which database DDL is written."""

    duckdb = "duckdb"
    sqlite = "sqlite"
    postgresql = "postgresql"


def domains(as_json: AsJson = False) -> None:
    """List the domains that are installed."""
    from rarecase.common import registry

    found = [registry.get(name) for name in registry.names()]
    told = [
        {"name": item.name, "title": item.title, "tables": len(item.schema.tables), "cases": len(item.cases),
         "examples": list(item.examples), "formats": list(item.formats)}
        for item in found
    ]  # fmt: skip
    if as_json:
        say_json(told)
        return
    rows = [
        (item.name, item.title, len(item.schema.tables), len(item.cases), ", ".join(item.formats))
        for item in found
    ]
    table("Domains", ("domain", "title", "tables", "kinds of cases", "exports to"), rows, right=(2, 3))


def cases(
    domain: Annotated[
        str | None,
        typer.Argument(help="Name of a domain; all of them if left out.", autocompletion=complete_domain),
    ] = None,
    kind: Annotated[
        str | None, typer.Argument(help="One kind, shown in full: definition, sources, options.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the kinds of rare cases and look-alikes, with their natural rates, or show one in full."""
    from rarecase.common import registry

    told = [item for name in ([domain] if domain else registry.names()) for item in _kinds(name)]
    if domain and kind:
        _tell_kind(domain, kind, told, as_json)
        return
    if as_json:
        say_json(told)
        return
    rows = [
        (t["domain"], t["kind"], "case" if t["is_case"] else "look-alike", t["title"], _rate(t["natural"]))
        for t in told
    ]
    table("Kinds of cases", ("domain", "kind", "is", "title", "in nature"), rows)


def _tell_kind(domain: str, kind: str, told: list[dict[str, Any]], as_json: bool) -> None:
    from rarecase.common import registry
    from rarecase.common.errors import InputError, nearest

    found = next((item for item in told if item["kind"] == kind), None)
    if found is None:
        known = [item["kind"] for item in told]
        near = nearest(kind, known)
        raise InputError("KIND", kind, f"a kind that `rarecase cases {domain}` lists", nearest=near)
    fields = registry.get(domain).kinds()[kind].model_fields
    options = {
        name: {"default": field.default, "meaning": field.description or ""}
        for name, field in fields.items()
        if name not in ("kind", "name", "count", "rate", "enrich")
    }
    options["difficulty"]["meaning"] = "0 plain to 1 like ordinary behaviour"
    if as_json:
        say_json({**found, "options": options})
        return
    say(f"{kind}: {found['title']} ({'case' if found['is_case'] else 'look-alike, no case'})\n")
    say(f"{found['definition']}\n\nSource: {found['source']}\nIn nature: {_rate(found['natural'])}")
    if found["natural"]:
        say(f"Source of the rate (it counts {found['natural']['counts']}): {found['natural']['source']}")
    say("")
    rows = [(name, about["default"], about["meaning"]) for name, about in options.items()]
    table("Options", ("option", "default", "meaning"), rows)


def _kinds(name: str) -> list[dict[str, Any]]:
    """What there is to say of each kind of a domain; natural rates are those of its default example."""
    from dataclasses import asdict

    from rarecase.cli.wishes import spec_from
    from rarecase.common import registry

    domain = registry.get(name)
    spec = spec_from(name)
    planted = {case.kind: case for case in reversed(spec.cases)}
    told: list[dict[str, Any]] = []
    for kind, model in domain.kinds().items():
        natural = planted[kind].natural(spec) if kind in planted else None
        told.append(
            {
                "domain": name,
                "kind": kind,
                "is_case": model.is_case,
                "title": model.title,
                "definition": model.definition,
                "source": model.source,
                "natural": asdict(natural) if natural else None,
            }
        )
    return told


def _rate(natural: dict[str, Any] | None) -> str:
    if natural is None:
        return "–"
    return f"{figure(natural['value'])} per {natural['per']} ({natural['evidence']})"


def schema(
    domain: Domain,
    form: Annotated[SchemaForm | None, typer.Option("--as", help="Form; a short list if left out.")] = None,
    dialect: Annotated[Dialect, typer.Option(help="Database that the SQL is for.")] = Dialect.postgresql,
) -> None:
    """Show the tables of a domain: a list, a reference page, JSON Schema or SQL."""
    from rarecase.common import registry

    found = registry.get(domain).schema
    if form is SchemaForm.json:
        from rarecase.common.schema.jsonschema import json_schema

        say_json(json_schema(found))
    elif form is SchemaForm.sql:
        from rarecase.common.schema.sql import ddl

        say(str(ddl(found, dialect.value)).rstrip("\n"))
    elif form is SchemaForm.md:
        from rarecase.common.schema.markdown import markdown

        say(markdown(found).rstrip("\n"))
    else:
        rows = [(t.name, len(t.columns), ", ".join(t.key), t.meaning) for t in found.tables]
        table(f"Tables of {domain}", ("table", "columns", "key", "meaning"), rows, right=(1,))


def spec(
    domain: Domain,
    example: Annotated[str, typer.Option(help="Which example.", autocompletion=complete_example)] = "default",
    as_schema: Annotated[
        bool, typer.Option("--schema", help="The JSON Schema of the spec, so that editors complete it.")
    ] = False,
) -> None:
    """Write a commented spec to start from."""
    from rarecase.cli.wishes import example_text
    from rarecase.common import registry
    from rarecase.common.spec import spec_json_schema

    registry.get(domain)
    if as_schema:
        say_json(spec_json_schema(domain))
    else:
        say(example_text(domain, example).rstrip("\n"))


COMMANDS: tuple[Callable[..., None], ...] = (domains, cases, schema, spec)
