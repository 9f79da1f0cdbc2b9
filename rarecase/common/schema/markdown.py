"""The reference page of a schema."""

from __future__ import annotations

from collections.abc import Iterator

from rarecase.common.schema.declare import Column, Schema, Table
from rarecase.common.schema.knowing import Knowing


def markdown(schema: Schema) -> str:
    """Reference page in Markdown: every table with its columns, key, references and laws."""
    lines = [
        f"# Tables of {schema.domain}, edition {schema.version}",
        "",
        "All data under this schema are synthetic. Keys are positive 62-bit integers, moments are UTC,",
        "days are calendar days.",
        "",
        "| table | meaning |",
        "|---|---|",
        *(f"| [{table.name}](#{table.name}) | {_cell(table.meaning)} |" for table in schema.tables),
    ]
    for table in schema.tables:
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield table.meaning
    yield ""
    yield from _facts(table)
    yield "| column | type | unit | null | allowed | role | privacy | meaning |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_row(column) for column in table.columns)
    laws = [(rule.name, rule.meaning, rule.sql) for rule in table.row_rules]
    laws += [(rule.name, rule.meaning, rule.sql) for rule in table.table_rules]
    if laws:
        yield ""
        yield "| law | meaning | in SQL |"
        yield "|---|---|---|"
        yield from (f"| {name} | {_cell(meaning)} | {_code(sql)} |" for name, meaning, sql in laws)


def _facts(table: Table) -> Iterator[str]:
    facts = [f"Key: {_names(table.key)}." if table.key else "No key."]
    facts += [
        f"{_names(found.columns)} refers to `{found.table}` ({_names(found.to)})."
        for found in table.references
    ]
    if table.time is not None:
        facts.append(f"A row is known from `{table.time}`.")
    facts += _waits(table.knowing)
    if table.entity is not None:
        facts.append(f"Ranges in `labels` refer to `{table.entity}`.")
    yield from (f"* {fact}" for fact in facts)
    yield ""


def _waits(knowing: Knowing) -> Iterator[str]:
    if knowing.with_rows:
        yield f"A row is known once the rows that {_names(knowing.with_rows)} names are."
    if knowing.after_rows:
        yield f"A row is known once the rows that {_names(knowing.after_rows)} names are over."
    if knowing.used_by:
        yield f"A row is known once a row names it in {_names(knowing.used_by)}."
    if knowing.lasts:
        yield f"A row is over `{knowing.lasts}` seconds after its time."
    if knowing.recount:
        yield f"As of a moment it is counted anew: {_code(knowing.recount)}"


def _when(column: Column) -> str:
    if column.known_at is not None:
        return f" (known at `{column.known_at}`)"
    return {"ahead": " (known in advance)", "at_end": " (as at the end of the data)"}.get(
        column.horizon or "", ""
    )


def _row(column: Column) -> str:
    cells = (
        f"`{column.name}`",
        column.type,
        column.unit or "",
        "yes" if column.nullable else "",
        _allowed(column),
        column.role,
        "" if column.privacy == "none" else column.privacy,
        _cell(column.meaning) + _when(column),
    )
    return f"| {' | '.join(cells)} |"


def _allowed(column: Column) -> str:
    if column.values is not None:
        shown = ", ".join(_cell(str(value)) for value in column.values[:12])
        return shown if len(column.values) <= 12 else f"{shown}, … ({len(column.values)} values)"
    if column.pattern is not None:
        return _code(column.pattern)
    limits = [("≥", column.minimum), ("≤", column.maximum)]
    return ", ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"
