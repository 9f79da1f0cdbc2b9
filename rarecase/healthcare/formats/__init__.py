"""The record in the words of others: HL7 FHIR and GA4GH Phenopackets."""

from __future__ import annotations

from rarecase.common.domain import Format
from rarecase.healthcare.formats import fhir, phenopackets

FORMATS = {
    "phenopackets": Format("phenopackets", "GA4GH Phenopackets v2, one per patient", phenopackets.export),
    "fhir": Format("fhir", "HL7 FHIR R4 transaction bundles, one per patient", fhir.export),
}
