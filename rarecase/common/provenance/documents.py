"""The papers of a data set by file name, made from its manifest and schema alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rarecase.common.manifest import canonical
from rarecase.common.provenance.croissant import croissant
from rarecase.common.provenance.datacard import datacard
from rarecase.common.schema import Schema


def papers(manifest: Mapping[str, Any], schema: Schema) -> dict[str, bytes]:
    """Name to content of the documents that stand beside the tables."""
    return {
        "croissant.json": canonical(croissant(manifest, schema)),
        "DATACARD.md": datacard(manifest, schema).encode(),
    }
