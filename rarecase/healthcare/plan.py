"""What crosses parts: nothing. A patient's record, and every case, lies within the part of the patient."""

from __future__ import annotations

from rarecase.common.domain import no_details, only_entity_years

#: No part needs another one: cases take one patient each, and whoever they meet is of no part.
details = no_details
#: Rates come per patient or per patient-year.
exposure = only_entity_years

__all__ = ["details", "exposure"]
