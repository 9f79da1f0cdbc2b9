"""JSON Schema 2020-12 of a row and of a whole data set."""

from __future__ import annotations

from typing import Any

from rarecase.common.schema.constraints import WHOLE_LIMITS
from rarecase.common.schema.declare import FLOATS, INTEGERS, Column, Schema, Table

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_PLAIN: dict[str, dict[str, Any]] = {
    # Keys exceed 2**53, beyond which JavaScript rounds: they are strings of digits.
    "key": {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "category": {"type": "string"},
    "date": {"type": "string", "format": "date", "pattern": f"^{_DAY}$"},
    "timestamp": {"type": "string", "pattern": f"^{_DAY}[T ]{_CLOCK}(\\.[0-9]{{1,9}})?Z?$"},
}


def json_schema(schema: Schema) -> dict[str, Any]:
    """JSON Schema of a data set: an object with an array of rows per table.

    Keys are strings of digits, moments ISO 8601 in UTC without offset or with Z. References, uniqueness,
    row rules and table rules are beyond JSON Schema; references stand as ``x-references``.
    """
    return {
        "$schema": DIALECT,
        "$id": f"urn:rarecase:{schema.domain}:{schema.version}",
        "title": f"{schema.domain} {schema.version}",
        "description": f"Synthetic data. Schema digest {schema.digest()}.",
        "type": "object",
        "properties": {
            name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in schema.names
        },
        "required": list(schema.names),
        "additionalProperties": False,
        "$defs": {table.name: _row(table) for table in schema.tables},
    }


def row_schema(table: Table) -> dict[str, Any]:
    """JSON Schema of one row of a table; a nullable column may be null or absent."""
    return {"$schema": DIALECT, **_row(table)}


def _row(table: Table) -> dict[str, Any]:
    references = [
        {"columns": list(found.columns), "table": found.table, "to": list(found.to)}
        for found in table.references
    ]
    return {
        "title": table.name,
        "description": table.meaning,
        "type": "object",
        "properties": {column.name: _property(column) for column in table.columns},
        "required": [column.name for column in table.columns if not column.nullable],
        "additionalProperties": False,
        **({"x-key": list(table.key)} if table.key else {}),
        **({"x-references": references} if references else {}),
    }


def _property(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"description": column.meaning, **_value(column)}
    if column.nullable:
        told["type"] = [told["type"], "null"]
        if "enum" in told:
            told["enum"] = [*told["enum"], None]
    extras = {"x-unit": column.unit, "x-role": column.role, "x-privacy": column.privacy}
    return told | {name: value for name, value in extras.items() if value not in (None, "none")}


def _value(column: Column) -> dict[str, Any]:
    found = _number(column) if column.type in INTEGERS | FLOATS else dict(_PLAIN[column.type])
    if column.pattern is not None:
        found["pattern"] = f"^(?:{column.pattern})$"
    if column.values is not None:
        found["enum"] = list(column.values)
    return found


def _number(column: Column) -> dict[str, Any]:
    low, high = column.limits
    if column.type in FLOATS:
        limits = {"minimum": low, "maximum": high}
        return {"type": "number", **{name: limit for name, limit in limits.items() if limit is not None}}
    width = WHOLE_LIMITS[column.type]
    return {
        "type": "integer",
        "minimum": -width if low is None else int(low),
        "maximum": width - 1 if high is None else int(high),
    }
