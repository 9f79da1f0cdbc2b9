"""The fast validator: DuckDB SQL over Arrow tables or files, findings instead of exceptions."""

from __future__ import annotations

from rarecase.common.validate.tables import validate_files, validate_tables
from rarecase.common.validate.whole import validate

__all__ = ["validate", "validate_files", "validate_tables"]
