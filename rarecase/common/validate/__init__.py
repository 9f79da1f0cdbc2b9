"""The fast validator: DuckDB SQL over Arrow tables or files, findings instead of exceptions."""

from __future__ import annotations

from rarecase.common.validate.tables import validate_files, validate_tables

__all__ = ["validate_files", "validate_tables"]
