"""The data card: what the set is, is not, and how its numbers lead back to nature; facts only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rarecase.common.schema import Schema


def datacard(manifest: Mapping[str, Any], schema: Schema) -> str:
    """The card as Markdown; every sentence follows from the spec, the schema and the manifest."""
    sections = (_head, _is_not, _contents, _cases, _weights, _privacy, _marks, _again)
    return "\n".join(line for section in sections for line in (*section(manifest, schema), ""))


def _head(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    spec = manifest["spec"]
    yield f"# Data card: synthetic {manifest['domain']} data, seed {manifest['seed']}"
    yield ""
    if manifest["world"] == "twin":
        yield "This is the **twin** world: the same spec without its cases and look-alikes."
    yield (
        f"All {manifest['rows']:,} rows are synthetic. They were computed by rarecase {manifest['rarecase']} "
        f"from a spec: {spec['size']:,} entities, {spec['days']:,} days from {spec['start']}. "
        "No record of a real person, account, patient or vehicle was used."
    )


def _is_not(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    yield "## What it is not"
    yield ""
    yield "- Not a copy or a sample of real data, and not fitted to any."
    yield "- Not evidence about real people, patients, customers or roads."
    yield "- Not natural in its shares of rare cases unless it is weighted (below)."
    yield "- Not complete: what the schema does not name and the generator does not model is absent."


def _contents(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    yield "## What is in it"
    yield ""
    yield "| table | rows | meaning |"
    yield "|---|---:|---|"
    for table in schema.tables:
        yield f"| `{table.name}` | {manifest['tables'][table.name]['rows']:,} | {table.meaning} |"
    yield ""
    yield f"Stored as {manifest['storage']}, schema {schema.domain} {schema.version}."


def _cases(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    yield "## Rare cases"
    yield ""
    if not manifest["cases"]:
        yield "None are planted."
        return
    yield "| name | kind | case or look-alike | planted | in nature | enriched | natural rate | evidence |"
    yield "|---|---|---|---:|---:|---:|---|---|"
    for name, case in manifest["cases"].items():
        yield _case_row(name, case)
    yield ""
    for name, case in manifest["cases"].items():
        if case["natural"]:
            yield f"- {name}: {case['natural']['source']}"


def _case_row(name: str, case: Mapping[str, Any]) -> str:
    nature, natural = case["in_nature"], case["natural"]
    rate = f"{natural['value']:.6g} per {natural['per']}" if natural else "unknown"
    cells = (
        name,
        case["kind"],
        "case" if case["is_case"] else "look-alike",
        f"{case['planted']:,}",
        "unknown" if nature is None else f"{nature:,.4g}",
        f"{case['planted'] / nature:,.3g} ×" if nature else "unknown",
        rate,
        natural["evidence"] if natural else "none",
    )
    return f"| {' | '.join(cells)} |"


def _weights(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    yield "## Back to nature"
    yield ""
    yield (
        "`weights` holds one weight per entity: N·π/n for the n planted members of a stratum whose natural "
        "share of the N entities is π, and (N − ΣNπ)/(N − Σn) for the ordinary ones. Weighted shares of "
        "entities are unbiased. What has no natural rate weighs 0 and counts in neither N nor n."
    )
    yield ""
    yield "| stratum | planted entities | entities in nature | weight |"
    yield "|---|---:|---:|---:|"
    for stratum in manifest["strata"]:
        nature = "unknown" if stratum["natural"] is None else f"{stratum['natural']:,.6g}"
        weight = "null" if stratum["weight"] is None else f"{stratum['weight']:.6g}"
        yield f"| {stratum['name']} | {stratum['planted']:,} | {nature} | {weight} |"


def _privacy(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    yield "## Identifiers"
    yield ""
    yield (
        "Public identifiers come only from ranges that are reserved for tests or can never be issued; this "
        f"set is `identifiers: {manifest['spec']['identifiers']}`."
    )
    direct = [f"`{t.name}.{c.name}`" for t in schema.tables for c in t.columns if c.privacy == "direct"]
    quasi = [f"`{t.name}.{c.name}`" for t in schema.tables for c in t.columns if c.privacy == "quasi"]
    for words, columns in (("direct", direct), ("quasi-", quasi)):
        if columns:
            yield f"- Columns that imitate {words} identifiers: {', '.join(columns)}."


def _marks(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    marks = manifest["marks"]
    yield "## How to recognise it"
    yield ""
    yield f"- {marks['metadata']}"
    yield f"- {marks['keys']}"
    if marks["statistical"]:
        columns = ", ".join(f"`{name}`" for name in marks["statistical"])
        yield f"- A statistical mark in the low digits of these columns, and of no other: {columns}."
    else:
        yield "- No column carries the statistical mark."
    marked = {name.partition(".")[0] for name in marks["statistical"]}
    bare = [
        f"`{table.name}`"
        for table in schema.tables
        if table.name not in marked and all(column.type != "key" for column in table.columns)
    ]
    which = f" (here {', '.join(bare)})" if bare else ""
    yield (
        f"- Rows without keys and without marked columns{which} cannot be recognised once their metadata are "
        "gone, nor can keys that were turned into floating-point numbers."
    )


def _again(manifest: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in manifest["lock"].items())
    yield "## How to make it again"
    yield ""
    yield (
        f"`rarecase generate spec.yaml -o TARGET` with rarecase {manifest['rarecase']} and {versions} gives "
        "the same bytes on the same class of processor, and the same logical digest on any."
    )
    yield ""
    yield f"Logical digest: `{manifest['logical']}`. Lineage: wholly synthetic, no parents."
