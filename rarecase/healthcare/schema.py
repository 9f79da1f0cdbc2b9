"""The tables of a patient record, and of what is rare in it."""

from __future__ import annotations

from rarecase.common.schema import Column, Reference, RowRule, Schema, Table
from rarecase.common.schema.cases import case_tables
from rarecase.common.schema.knowing import Horizon
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.laboratory import laboratory
from rarecase.healthcare.data.people import SEXES

ENCOUNTER_CLASSES = ("ambulatory", "emergency", "inpatient")
SPECIALTIES = (
    "primary care",
    "paediatrics",
    "emergency medicine",
    "internal medicine",
    "neurology",
    "orthopaedics",
    "otolaryngology",
    "rheumatology",
    "ophthalmology",
    "urology",
    "dermatology",
    "endocrinology",
    "cardiology",
    "gastroenterology",
    "haematology",
    "oncology",
    "immunology",
    "pulmonology",
    "psychiatry",
    "nephrology",
    "gynaecology",
    "genetics",
)
#: Codes of FHIR's condition-category.
CATEGORIES = ("problem-list-item", "encounter-diagnosis")
VERIFICATIONS = ("provisional", "confirmed", "refuted")
INTERPRETATIONS = ("L", "N", "H")

ICD10CM = tuple(dict.fromkeys(found.icd10cm for found in clinic().diagnoses))
DRUGS = tuple(found.name for found in clinic().drugs)
RXCUIS = tuple(dict.fromkeys(found.rxcui for found in clinic().drugs if found.rxcui))
ATCS = tuple(dict.fromkeys(found.atc for found in clinic().drugs if found.atc))
LOINCS = tuple(found.loinc for found in laboratory().analytes)
TESTS = tuple(found.name for found in laboratory().analytes)
UNITS = tuple(dict.fromkeys(found.unit for found in laboratory().analytes))


def _key(name: str, meaning: str) -> Column:
    return Column(name=name, type="key", meaning=meaning, role="identifier")


def _moment(
    name: str,
    meaning: str,
    *,
    nullable: bool = False,
    known_at: str | None = None,
    horizon: Horizon | None = None,
) -> Column:
    return Column(
        name=name,
        type="timestamp",
        meaning=meaning,
        role="time",
        unit="UTC",
        nullable=nullable,
        known_at=known_at,
        horizon=horizon,
    )


def _category(
    name: str, meaning: str, values: tuple[str, ...] | None = None, *, nullable: bool = False
) -> Column:
    return Column(name=name, type="category", meaning=meaning, values=values, nullable=nullable)


_PATIENT = Reference(columns=("patient_id",), table="patients", to=("patient_id",))
_ENCOUNTER = Reference(columns=("encounter_id",), table="encounters", to=("encounter_id",))
_ENCOUNTER_ID = Column(
    name="encounter_id",
    type="key",
    meaning="Encounter in which it was recorded; null for what the record was opened with",
    role="identifier",
    nullable=True,
)
_ICD10CM_PATTERN = "[A-Z][0-9][0-9A-Z]([.][0-9A-Z]{1,4})?"

PATIENTS = Table(
    name="patients",
    meaning="One row per person whose record is kept over the window.",
    columns=(
        _key("patient_id", "Key of the patient"),
        Column(
            name="social_security_number",
            type="string",
            meaning="A number that was never issued, or none that a strict check accepts",
            role="identifier",
            privacy="direct",
            pattern="[0-9]{3}-[0-9]{2}-[0-9]{4}",
        ),
        Column(name="given_name", type="category", meaning="First name, made up", privacy="direct"),
        Column(name="family_name", type="category", meaning="Last name, made up", privacy="direct"),
        Column(
            name="sex",
            type="category",
            meaning="Sex recorded at birth",
            values=SEXES,
            privacy="quasi",
        ),
        Column(
            name="birth_date",
            type="date",
            meaning="Date of birth",
            role="time",
            privacy="quasi",
            horizon="before",
        ),
        _moment("registered_at", "When the record was opened: the first moment of the window"),
        _moment("died_at", "Death within the window", nullable=True, known_at="died_at"),
    ),
    key=("patient_id",),
    row_rules=(
        RowRule(
            name="dies_after_opening", sql="died_at >= registered_at", meaning="Records are of the living"
        ),
    ),
    time="registered_at",
    entity="patient_id",
)

ENCOUNTERS = Table(
    name="encounters",
    meaning="Visits, emergencies and stays within the window.",
    columns=(
        _key("encounter_id", "Key of the encounter"),
        _key("patient_id", "Who was seen"),
        _category("encounter_class", "Setting", ENCOUNTER_CLASSES),
        _category("specialty", "Specialty of the clinician", SPECIALTIES),
        _moment("started_at", "Begin"),
        _moment("ended_at", "End", known_at="ended_at"),
        _category("reason_icd10cm", "What it was about, ICD-10-CM", ICD10CM),
    ),
    key=("encounter_id",),
    references=(_PATIENT,),
    row_rules=(
        RowRule(name="encounter_in_order", sql="started_at <= ended_at", meaning="An encounter has a length"),
    ),
    time="started_at",
    entity="patient_id",
)

CONDITIONS = Table(
    name="conditions",
    meaning="Diagnoses; what was known when the record was opened is recorded at its first moment.",
    columns=(
        _key("condition_id", "Key of the entry"),
        _key("patient_id", "Who has it"),
        _ENCOUNTER_ID,
        _category("category", "Known when the record was opened, or a diagnosis of an encounter", CATEGORIES),
        Column(
            name="icd10cm",
            type="category",
            meaning="Code in ICD-10-CM, null for most rare disorders",
            nullable=True,
            pattern=_ICD10CM_PATTERN,
        ),
        Column(
            name="orpha",
            type="int32",
            meaning="Code in Orphanet's nomenclature, for rare disorders",
            nullable=True,
            minimum=1,
        ),
        _category("name", "Name of the diagnosis"),
        Column(
            name="onset_date",
            type="date",
            meaning="First signs; may lie before the window",
            role="time",
            nullable=True,
            horizon="before",
        ),
        _moment("recorded_at", "When it was entered"),
        _moment("abated_at", "When it was over", nullable=True, known_at="abated_at"),
        Column(
            name="verification",
            type="category",
            meaning="What became of the diagnosis; provisional until verified",
            values=VERIFICATIONS,
            known_at="verified_at",
        ),
        _moment("verified_at", "When it was confirmed or refuted", nullable=True, known_at="verified_at"),
    ),
    key=("condition_id",),
    references=(_PATIENT, _ENCOUNTER),
    row_rules=(
        RowRule(
            name="category_by_encounter",
            sql="(category = 'problem-list-item') = (encounter_id IS NULL)",
            meaning="What was known at the opening is of no encounter",
        ),
        RowRule(
            name="condition_has_code",
            sql="icd10cm IS NOT NULL OR orpha IS NOT NULL",
            meaning="One code at least",
        ),
        RowRule(
            name="verified_when",
            sql="(verification = 'provisional') = (verified_at IS NULL)",
            meaning="What is verified has a moment",
        ),
        RowRule(
            name="verified_after_entry",
            sql="verified_at >= recorded_at",
            meaning="Verified once it is entered",
        ),
        RowRule(name="abates_after_entry", sql="abated_at >= recorded_at", meaning="Over once it is entered"),
    ),
    time="recorded_at",
    entity="patient_id",
)

PHENOTYPES = Table(
    name="phenotypes",
    meaning="Signs and symptoms in HPO terms: observed, or looked for and not found.",
    columns=(
        _key("phenotype_id", "Key of the entry"),
        _key("patient_id", "Whose sign it is"),
        _ENCOUNTER_ID,
        Column(
            name="hpo_id",
            type="category",
            meaning="Term of the Human Phenotype Ontology",
            pattern="HP:[0-9]{7}",
        ),
        _category("name", "Name of the term"),
        Column(name="excluded", type="bool", meaning="True when it was looked for and not found"),
        Column(
            name="onset_date",
            type="date",
            meaning="When it began; may lie before the window",
            role="time",
            nullable=True,
            horizon="before",
        ),
        _moment("recorded_at", "When it was entered"),
    ),
    key=("phenotype_id",),
    references=(_PATIENT, _ENCOUNTER),
    row_rules=(
        RowRule(
            name="only_observed_begins",
            sql="NOT excluded OR onset_date IS NULL",
            meaning="What was not found never began",
        ),
    ),
    time="recorded_at",
    entity="patient_id",
)

MEDICATIONS = Table(
    name="medications",
    meaning="Exposures to medicines, from first to last dose; those taken at the opening began before it.",
    columns=(
        _key("medication_id", "Key of the exposure"),
        _key("patient_id", "Who takes it"),
        _ENCOUNTER_ID,
        _category("drug", "Substance", DRUGS),
        _category("rxcui", "Code in RxNorm", RXCUIS, nullable=True),
        _category("atc", "Code in the ATC classification (WHOCC)", ATCS, nullable=True),
        _category("reason_icd10cm", "What it is taken for, ICD-10-CM", ICD10CM),
        _moment("started_at", "First dose; may lie before the window", horizon="before"),
        _moment("ended_at", "Last dose, null while it is taken", nullable=True, known_at="ended_at"),
        _moment("recorded_at", "When it was entered"),
    ),
    key=("medication_id",),
    references=(_PATIENT, _ENCOUNTER),
    row_rules=(
        RowRule(name="medication_in_order", sql="ended_at >= started_at", meaning="It ends after it begins"),
    ),
    time="recorded_at",
    entity="patient_id",
)

OBSERVATIONS = Table(
    name="observations",
    meaning="Vital signs and laboratory values.",
    columns=(
        _key("observation_id", "Key of the value"),
        _key("patient_id", "Whose value it is"),
        _key("encounter_id", "Encounter in which it was taken"),
        _category("loinc", "Code of the test in LOINC", LOINCS),
        _category("test", "Name of the test", TESTS),
        Column(
            name="value",
            type="float64",
            meaning="Result in the unit of the row",
            role="measure",
            minimum=0,
            quantum=0.01,
        ),
        _category("unit", "Unit in UCUM", UNITS),
        Column(
            name="interpretation",
            type="category",
            meaning="Below, within or above the reference interval for age and sex",
            values=INTERPRETATIONS,
            role="derived",
        ),
        _moment("observed_at", "When it was taken"),
    ),
    key=("observation_id",),
    references=(_PATIENT, _ENCOUNTER),
    time="observed_at",
    entity="patient_id",
)

CASES, LABELS, WEIGHTS = case_tables("patients", None, entity_key="patient_id")

SCHEMA = Schema(
    domain="healthcare",
    version="1",
    tables=(
        PATIENTS,
        ENCOUNTERS,
        CONDITIONS,
        PHENOTYPES,
        MEDICATIONS,
        OBSERVATIONS,
        CASES,
        LABELS,
        WEIGHTS,
    ),
)
