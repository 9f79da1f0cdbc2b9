"""One declaration per table, and what is compiled from it.

Import the emitters from their modules: ``arrow``, ``sql``, ``rowmodel``, ``jsonschema``, ``strategies``,
``markdown``; the cheap ones stand here too.
"""

from __future__ import annotations

from rarecase.common.schema.arrow import arrow_schema
from rarecase.common.schema.cases import case_tables
from rarecase.common.schema.declare import Column, Reference, RowRule, Schema, Table, TableRule
from rarecase.common.schema.knowing import Knowing
from rarecase.common.schema.sql import ddl

__all__ = [
    "Column",
    "Knowing",
    "Reference",
    "RowRule",
    "Schema",
    "Table",
    "TableRule",
    "arrow_schema",
    "case_tables",
    "ddl",
]
