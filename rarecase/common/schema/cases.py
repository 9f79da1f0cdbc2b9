"""The tables in which every domain tells where its rare cases are: cases, labels and weights."""

from __future__ import annotations

from rarecase.common.schema.declare import Column, Reference, RowRule, Table
from rarecase.common.schema.knowing import Horizon

EFFECTS = ("created", "changed", "removed")


def case_tables(
    entity_table: str,
    on_labels: Column | tuple[Column, ...] | None,
    *,
    entity_key: str | None = None,
    on_cases: tuple[Column, ...] = (),
    ended: str = "When its last consequence ends",
    detected: str = "When the institution finds it",
) -> tuple[Table, Table, Table]:
    """Declare ``cases``, ``labels`` and ``weights`` for a domain.

    Parameters
    ----------
    entity_table : str
        The table whose rows cases happen to (customers, patients, episodes).
    on_labels : Column or tuple of Column, optional
        The domain's own measures of what a labelled row is about; must be nullable.
    entity_key : str, optional
        Name of that table's key column; given, the rows of ``cases`` and ``weights`` refer to it.
    on_cases : tuple of Column
        The domain's own measures of a case; must be nullable.
    ended, detected : str
        What ``ended_at`` and ``detected_at`` mean, where a domain means something narrower.

    Returns
    -------
    tuple of Table
        ``cases`` (one row per case or look-alike), ``labels`` (rows that a case touched; no key, as a row
        touched by two cases stands there twice) and ``weights`` (entity rows weighted back to nature).
    """
    to_entity = () if entity_key is None else (_refer("entity_id", entity_table, entity_key),)
    to_row = () if entity_key is None else (_refer("row_id", entity_table, entity_key),)
    own = on_labels if isinstance(on_labels, tuple) else () if on_labels is None else (on_labels,)
    return (
        _cases(to_entity, entity_table, on_cases, ended, detected),
        _labels(own),
        _weights(to_row, entity_table),
    )


def _refer(column: str, table: str, to: str) -> Reference:
    return Reference(columns=(column,), table=table, to=(to,))


def _label(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name=name, type="category", meaning=meaning, role="label", nullable=nullable)


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
        role="label",
        unit="UTC",
        nullable=nullable,
        known_at=known_at,
        horizon=horizon,
    )


def _cases(
    references: tuple[Reference, ...], entity_table: str, own: tuple[Column, ...], ended: str, detected: str
) -> Table:
    columns = (
        Column(name="case_id", type="key", meaning="Key of the case", role="identifier"),
        _label("kind", "Kind of case"),
        _label("name", "Name of the entry in the spec that asked for the case"),
        Column(name="is_case", type="bool", meaning="False for a look-alike, which is no case", role="label"),
        Column(
            name="entity_table",
            type="category",
            meaning="Table of the entity that the case happens to",
            role="label",
            values=(entity_table,),
        ),
        Column(name="entity_id", type="key", meaning="The entity that the case happens to", role="label"),
        _moment("started_at", "When the case begins"),
        _moment("ended_at", ended, known_at="ended_at"),
        Column(
            name="natural_rate",
            type="float64",
            meaning="Rate of such cases in nature, null where unknown",
            role="label",
            minimum=0,
            nullable=True,
        ),
        _label("natural_per", "What the natural rate is counted per", nullable=True),
        Column(
            name="difficulty",
            type="float64",
            meaning="0 easy to 1 hard to find",
            role="label",
            minimum=0,
            maximum=1,
        ),
        _moment("reported_at", "When somebody tells the institution", nullable=True, known_at="reported_at"),
        _moment("detected_at", detected, nullable=True, known_at="detected_at"),
        Column(
            name="parameters",
            type="string",
            known_at="ended_at",
            meaning="The case's own facts, as JSON",
            role="label",
        ),
        Column(
            name="story",
            type="string",
            known_at="ended_at",
            meaning="One plain sentence told from these facts",
            role="label",
        ),
        *own,
    )
    return Table(
        name="cases",
        meaning="One row per planted case or look-alike.",
        columns=columns,
        key=("case_id",),
        references=references,
        row_rules=(
            RowRule(
                name="case_in_order", sql="started_at <= ended_at", meaning="A case ends after it begins"
            ),
            RowRule(
                name="rate_with_unit",
                sql="(natural_rate IS NULL) = (natural_per IS NULL)",
                meaning="A natural rate says what it is counted per",
            ),
        ),
        time="started_at",
        entity="entity_id",
    )


def _labels(own: tuple[Column, ...]) -> Table:
    columns = (
        Column(name="case_id", type="key", meaning="The case that touched the rows", role="identifier"),
        _label("kind", "Kind of that case"),
        _label("table_name", "Table of the rows"),
        Column(name="row_id", type="key", meaning="Key of the one row touched", role="label", nullable=True),
        Column(
            name="entity_id", type="key", meaning="Entity of a range of rows", role="label", nullable=True
        ),
        _moment("from_at", "First moment of the range, inclusive", nullable=True, horizon="before"),
        _moment("to_at", "Last moment of the range, inclusive", nullable=True, known_at="to_at"),
        _label("role", "Part that the rows play in the case"),
        _label("stage", "Stage of the case that they belong to", nullable=True),
        Column(
            name="effect",
            type="category",
            meaning="What the case did to the rows",
            role="label",
            values=EFFECTS,
        ),
        *own,
    )
    one_row = "row_id IS NOT NULL AND entity_id IS NULL AND from_at IS NULL AND to_at IS NULL"
    a_range = "row_id IS NULL AND entity_id IS NOT NULL AND from_at IS NOT NULL AND to_at IS NOT NULL"
    return Table(
        name="labels",
        meaning="The rows that cases created, changed or removed, singly or as a range of an entity's rows.",
        columns=columns,
        key=(),
        references=(_refer("case_id", "cases", "case_id"),),
        row_rules=(
            RowRule(
                name="row_or_range", sql=f"({one_row}) OR ({a_range})", meaning="Either one row or one range"
            ),
            RowRule(name="range_in_order", sql="from_at <= to_at", meaning="A range ends after it begins"),
        ),
    )


def _weights(references: tuple[Reference, ...], entity_table: str) -> Table:
    columns = (
        Column(
            name="table_name",
            type="category",
            meaning="Table of the entity",
            role="label",
            values=(entity_table,),
        ),
        Column(name="row_id", type="key", meaning="Key of the entity", role="identifier"),
        _label("stratum", "Ordinary, or the kind of case that the entity is in"),
        Column(
            name="weight",
            type="float64",
            meaning="How many entities of nature it stands for, null where nature is unknown",
            role="label",
            minimum=0,
            nullable=True,
        ),
    )
    return Table(
        name="weights",
        meaning="Weights that bring entities back to their natural rates.",
        columns=columns,
        key=("row_id",),
        references=references,
    )
