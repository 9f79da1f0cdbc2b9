"""The Arrow schema of a table, with what the declaration says as metadata."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from rarecase.common.schema.declare import Column, Table

_STORAGE: dict[str, pa.DataType] = {
    "key": pa.int64(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def arrow_type(column: Column) -> pa.DataType:
    """Storage type of a column.

    A category is ``dictionary<int8 | int16 | int32, string>``: the narrowest index that holds all its
    allowed values, int32 where they are not listed. It follows from the declaration alone, never from data.
    """
    if column.type != "category":
        return _STORAGE[column.type]
    count = len(column.values) if column.values is not None else 2**31
    index = pa.int8() if count < 2**7 else pa.int16() if count < 2**15 else pa.int32()
    return pa.dictionary(index, pa.string())


def arrow_field(column: Column) -> pa.Field:
    """Field of a column; metadata: meaning, role, privacy, and unit, quantum, known_at where declared."""
    told = {
        "meaning": column.meaning,
        "type": column.type,
        "role": column.role,
        "privacy": column.privacy,
        "unit": column.unit,
        "quantum": column.quantum,
        "known_at": column.known_at,
    }
    metadata = {name: str(value) for name, value in told.items() if value is not None}
    return pa.field(column.name, arrow_type(column), nullable=column.nullable, metadata=metadata)


@lru_cache(maxsize=256)
def arrow_schema(table: Table) -> pa.Schema:
    """Arrow schema of a table; the metadata says that it is synthetic, and names key, time and entity."""
    told = {
        "synthetic": "true",
        "generator": "rarecase",
        "table": table.name,
        "meaning": table.meaning,
        "key": ",".join(table.key),
        "time": table.time,
        "entity": table.entity,
    }
    metadata = {name: value for name, value in told.items() if value}
    return pa.schema([arrow_field(column) for column in table.columns], metadata=metadata)
