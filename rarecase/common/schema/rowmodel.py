"""A pydantic model per table, for code that handles single rows (never for whole tables: 20 times slower)."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Annotated, Any, Literal, Union

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, create_model

from rarecase.common.schema.constraints import WHOLE_LIMITS
from rarecase.common.schema.declare import FLOATS, INTEGERS, Column, Table

LARGEST_KEY = 2**62 - 1

_PLAIN: dict[str, Any] = {"bool": bool, "string": str, "category": str, "date": dt.date}
_PLAIN |= {"timestamp": pydantic.NaiveDatetime}


def _from_digits(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


_Key = Annotated[
    int,
    Field(gt=0, le=LARGEST_KEY),
    BeforeValidator(_from_digits),
    PlainSerializer(str, return_type=str, when_used="json"),
]


@lru_cache(maxsize=256)
def row_model(table: Table) -> type[BaseModel]:
    """Pydantic model of one row.

    Strict: a number is no text and a moment no day. Keys are integers in Python and digits in JSON, where
    they would exceed 2**53. Row rules are SQL and are not part of the model.
    """
    fields: dict[str, Any] = {column.name: _field(column) for column in table.columns}
    config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )
    name = "".join(word.capitalize() for word in table.name.split("_")) + "Row"
    return create_model(name, __config__=config, __doc__=table.meaning, **fields)


def _field(column: Column) -> tuple[Any, Any]:
    kind = _python_type(column)
    info: dict[str, Any] = {"description": column.meaning}
    if column.nullable:
        return Annotated[Union[kind, None], Field(**info)], None  # noqa: UP007 (kind is a value here)
    return Annotated[kind, Field(**info)], ...


def _python_type(column: Column) -> Any:
    if column.values is not None:
        return Literal[column.values]
    if column.type == "key":
        return _Key
    low, high = column.limits
    if column.type in INTEGERS:
        width = WHOLE_LIMITS[column.type]
        low = -width if low is None else int(low)
        high = width - 1 if high is None else int(high)
        return Annotated[int, Field(ge=low, le=high)]
    if column.type in FLOATS:
        return Annotated[float, Field(ge=low, le=high)]
    if column.pattern is not None:
        return Annotated[str, Field(pattern=f"^(?:{column.pattern})$")]
    return _PLAIN[column.type]
