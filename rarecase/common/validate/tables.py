"""Validation of tables and files against a schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from rarecase.common.errors import Finding, Findings
from rarecase.common.keys import KeySpace
from rarecase.common.schema import Schema
from rarecase.common.validate.conformity import conform
from rarecase.common.validate.keys import check_keys
from rarecase.common.validate.rows import check_rows, count_and_show
from rarecase.common.validate.sources import DamagedFileError, Piece, Source, piece_of
from rarecase.common.validate.workshop import workshop


def validate_tables(schema: Schema, tables: Mapping[str, pa.Table]) -> Findings:
    """Check tables in memory: columns and types, nulls, ranges, values, patterns, keys, references, laws.

    Parameters
    ----------
    schema : Schema
    tables : mapping of str to pyarrow.Table

    Returns
    -------
    Findings
        In the order of the schema; empty where nothing is wrong.
    """
    pieces = {name: (Piece(arrow=table),) for name, table in tables.items()}
    with workshop() as connection:
        return Findings(check(connection, schema, pieces, None)[0])


def validate_files(
    schema: Schema, files: Mapping[str, Sequence[Path]], *, keyspace: KeySpace | None = None
) -> Findings:
    """Check Parquet, CSV or JSON Lines files, several per table, in memory that does not grow with them.

    Parameters
    ----------
    schema : Schema
    files : mapping of str to sequence of Path
        One format per table. A name such as ``part-00007.parquet`` tells the part.
    keyspace : KeySpace, optional
        Reads keys back to their part, so that uniqueness and references are checked part by part.

    Returns
    -------
    Findings
        A file that cannot be read is a finding (``file.damaged``), never an exception.
    """
    pieces = {name: tuple(piece_of(Path(path)) for path in paths) for name, paths in files.items()}
    with workshop() as connection:
        return Findings(check(connection, schema, pieces, keyspace)[0])


def check(
    connection: duckdb.DuckDBPyConnection,
    schema: Schema,
    pieces: Mapping[str, tuple[Piece, ...]],
    keyspace: KeySpace | None,
) -> tuple[list[Finding], dict[str, int]]:
    """All findings, and the rows of each table; leaves a view named as each table in the connection."""
    findings = list(_named(schema, pieces))
    sources = {table.name: Source(table, tuple(pieces.get(table.name, ()))) for table in schema.tables}
    counts = {}
    for source in sources.values():
        conform(source)
        counts[source.table.name] = check_rows(connection, source)
    _check_keys(connection, sources, keyspace)
    for source in sources.values():
        if not any(finding.rule.startswith(("schema.", "file.")) for finding in findings + source.findings):
            _check_rules(connection, source)
        findings += source.findings
    return findings, counts


def _check_keys(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Source], keyspace: KeySpace | None
) -> None:
    before = {name: list(source.findings) for name, source in sources.items()}
    try:
        check_keys(connection, sources, keyspace)
    except DamagedFileError:
        # Damage that the scan did not meet: set those files aside, and look at the keys of the others.
        for name, source in sources.items():
            source.findings = before[name]
            if source.drop_damaged():
                source.attach(connection)
        check_keys(connection, sources, keyspace)


def _named(schema: Schema, pieces: Mapping[str, object]) -> Iterator[Finding]:
    for name in schema.names:
        if name not in pieces:
            yield Finding("error", "schema.missing_table", name, None, 1, f"{name}: the table is missing")
    for name in pieces:
        if name not in schema.names:
            yield Finding("error", "schema.extra_table", name, None, 1, f"{name}: the table is not declared")


def _check_rules(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    name = source.table.name
    for rule in source.table.table_rules:
        try:
            count, examples = count_and_show(connection, re.sub(r";\s*$", "", rule.sql))
        except duckdb.Error as error:
            source.finding(
                f"table.{rule.name}", None, 1, f"the rule cannot be run: {str(error).splitlines()[0]}"
            )
            continue
        if count:
            told = f"{name}: {count} rows break the law: {rule.meaning}"
            found = Finding(rule.level, f"table.{rule.name}", name, None, count, told, tuple(examples))
            source.findings.append(found)
