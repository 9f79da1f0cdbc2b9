"""Labels point at rows: those created or changed are there, those removed are gone.

A label names its table in a column, so that no foreign key can say this.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from rarecase.common.errors import Finding
from rarecase.common.schema import Schema
from rarecase.common.schema.constraints import literal
from rarecase.common.validate.rows import count_and_show


def check_labels(connection: duckdb.DuckDBPyConnection, schema: Schema) -> Iterator[Finding]:
    """Findings about labels of single rows, by views named as the tables.

    The labels are few and the rows many: each table's keys are scanned once against the labels, never the
    other way round, so that memory follows the labels.
    """
    known = ", ".join(literal(name) for name in schema.names)
    yield from _told(connection, "label.table", "of tables that do not exist", f"table_name NOT IN ({known})")
    for table in schema.tables:
        if len(table.key) != 1 or table[table.key[0]].type != "key":
            continue
        (key,) = table.key
        about = f"table_name = {literal(table.name)} AND row_id IS NOT NULL"
        gone = f"SELECT row_id FROM labels WHERE {about} AND effect = 'removed'"
        there = (
            f"SELECT {key} FROM {table.name} SEMI JOIN "
            f"(SELECT row_id FROM labels WHERE {about}) told ON {table.name}.{key} = told.row_id"
        )
        # What one case changed another may have removed.
        lost = f"{about} AND effect <> 'removed' AND row_id NOT IN ({there}) AND row_id NOT IN ({gone})"
        yield from _told(connection, "label.missing", f"of rows that are not in {table.name}", lost)
        kept = f"{about} AND effect = 'removed' AND row_id IN ({there})"
        yield from _told(connection, "label.kept", f"of removed rows that are still in {table.name}", kept)


def _told(connection: duckdb.DuckDBPyConnection, rule: str, what: str, where: str) -> Iterator[Finding]:
    query = f"SELECT case_id, table_name, row_id, effect FROM labels WHERE {where}"
    count, examples = count_and_show(connection, query)
    if count:
        told = f"labels: {count} {'label' if count == 1 else 'labels'} {what}"
        yield Finding("error", rule, "labels", "row_id", count, told, tuple(examples))
