"""The laws of medicine that any data set must keep, over views named as the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common.errors import Finding
from rarecase.common.spec import Spec
from rarecase.healthcare.data.clinic import clinic
from rarecase.healthcare.data.disorders import MODES, XLR, catalogue, contradicted, terms
from rarecase.healthcare.data.pharmacology import inhibitors, victims

if TYPE_CHECKING:
    import duckdb

#: rule, table, what is wrong, query of the keys that are.
_DEAD = "SELECT t.{key} FROM {table} AS t JOIN patients AS p USING (patient_id) WHERE t.{time} > p.died_at"
LAWS = (
    (
        "law.after_death",
        "encounters",
        "end after the patient's death",
        _DEAD.format(key="encounter_id", table="encounters", time="ended_at"),
    ),
    (
        "law.after_death",
        "observations",
        "were taken after the patient's death",
        _DEAD.format(key="observation_id", table="observations", time="observed_at"),
    ),
    (
        "law.after_death",
        "medications",
        "go on after the patient's death",
        "SELECT t.medication_id FROM medications AS t JOIN patients AS p USING (patient_id)"
        " WHERE p.died_at IS NOT NULL AND (t.ended_at IS NULL OR t.ended_at > p.died_at)",
    ),
    (
        "law.after_death",
        "conditions",
        "were recorded after the patient's death",
        _DEAD.format(key="condition_id", table="conditions", time="recorded_at"),
    ),
    (
        "law.after_death",
        "phenotypes",
        "were recorded after the patient's death",
        _DEAD.format(key="phenotype_id", table="phenotypes", time="recorded_at"),
    ),
    (
        "law.before_birth",
        "conditions",
        "began before the patient was born",
        "SELECT t.condition_id FROM conditions AS t JOIN patients AS p USING (patient_id)"
        " WHERE t.onset_date < p.birth_date",
    ),
    (
        "law.before_birth",
        "phenotypes",
        "began before the patient was born",
        "SELECT t.phenotype_id FROM phenotypes AS t JOIN patients AS p USING (patient_id)"
        " WHERE t.onset_date < p.birth_date",
    ),
    (
        "law.before_birth",
        "medications",
        "began before the patient was born",
        "SELECT t.medication_id FROM medications AS t JOIN patients AS p USING (patient_id)"
        " WHERE t.started_at < p.birth_date",
    ),
    (
        "law.recorded_before_onset",
        "conditions",
        "were recorded before they began",
        "SELECT condition_id FROM conditions WHERE recorded_at::DATE < onset_date",
    ),
    (
        "law.recorded_before_onset",
        "phenotypes",
        "were recorded before they began",
        "SELECT phenotype_id FROM phenotypes WHERE recorded_at::DATE < onset_date",
    ),
    (
        "law.observation_in_encounter",
        "observations",
        "lie outside their encounter, or are of somebody else",
        "SELECT o.observation_id FROM observations AS o JOIN encounters AS e USING (encounter_id)"
        " WHERE o.patient_id <> e.patient_id OR o.observed_at < e.started_at OR o.observed_at > e.ended_at",
    ),
    (
        "law.entry_in_encounter",
        "conditions",
        "were recorded outside their encounter, or are of somebody else",
        "SELECT c.condition_id FROM conditions AS c JOIN encounters AS e USING (encounter_id)"
        " WHERE c.patient_id <> e.patient_id OR c.recorded_at < e.started_at OR c.recorded_at > e.ended_at",
    ),
    (
        "law.entry_in_encounter",
        "phenotypes",
        "were recorded outside their encounter, or are of somebody else",
        "SELECT t.phenotype_id FROM phenotypes AS t JOIN encounters AS e USING (encounter_id)"
        " WHERE t.patient_id <> e.patient_id OR t.recorded_at < e.started_at OR t.recorded_at > e.ended_at",
    ),
    (
        "law.two_places",
        "encounters",
        "overlap another encounter of the same patient",
        "SELECT encounter_id FROM (SELECT encounter_id, started_at, max(ended_at) OVER"
        " (PARTITION BY patient_id ORDER BY started_at, ended_at"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until FROM encounters)"
        " WHERE busy_until > started_at",
    ),
)


def checks(connection: duckdb.DuckDBPyConnection, spec: Spec) -> Iterable[Finding]:
    """All laws, one finding for each that is broken."""
    for rule, table, what, query in LAWS:
        yield from _broken(rule, table, what, query, connection)
    _register(connection)
    yield from _broken(
        "law.known_disorder",
        "conditions",
        "name an ORPHA code that is not in the shipped catalogue",
        "SELECT condition_id FROM conditions WHERE orpha IS NOT NULL"
        " AND orpha NOT IN (SELECT orpha FROM rarecase_disorders)",
        connection,
    )
    yield from _sexes(connection)
    yield from _contradictions(connection)
    yield from _unlabelled_pairs(connection)


def _broken(
    rule: str, table: str, what: str, query: str, connection: duckdb.DuckDBPyConnection
) -> Iterator[Finding]:
    count = connection.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]
    if count:
        some = connection.execute(f"SELECT * FROM ({query}) ORDER BY 1 LIMIT 3").fetchall()
        message = f"{table}: {count} rows {what}"
        yield Finding("error", rule, table, None, int(count), message, tuple(str(row[0]) for row in some))


def _register(connection: duckdb.DuckDBPyConnection) -> None:
    book, signs = catalogue(), terms()
    connection.register(
        "rarecase_disorders",
        pa.table({"orpha": book.orpha, "sex": book.sex, "xlr": _only_xlr()}),
    )
    connection.register("rarecase_terms", pa.table({"hpo_id": signs.hpo, "sex": signs.sex}))


def _only_xlr() -> NDArray[np.bool_]:
    """Disorders whose only mode is X-linked recessive, shape (n,)."""
    book = catalogue()
    only = book.inheritance[:, XLR] & (book.inheritance.sum(axis=1) == 1)
    # Some of them are of female carriers, or make girls of XY children.
    return np.asarray(only & (book.male_share == 1), np.bool_)


def _sexes(connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Sex against inheritance, against disorders and signs of one sex."""
    yield from _broken(
        "law.sex_of_disorder",
        "conditions",
        f"are {MODES[XLR]} disorders in females, or disorders of the other sex",
        "SELECT c.condition_id FROM conditions AS c JOIN patients AS p USING (patient_id)"
        " JOIN rarecase_disorders AS d ON c.orpha = d.orpha"
        " WHERE (p.sex = 'female' AND (d.xlr OR d.sex = 1)) OR (p.sex = 'male' AND d.sex = 2)",
        connection,
    )
    yield from _broken(
        "law.sex_of_sign",
        "phenotypes",
        "are signs that the patient's sex cannot show",
        "SELECT t.phenotype_id FROM phenotypes AS t JOIN patients AS p USING (patient_id)"
        " JOIN rarecase_terms AS s ON t.hpo_id = s.hpo_id"
        " WHERE (p.sex = 'female' AND s.sex = 1) OR (p.sex = 'male' AND s.sex = 2)",
        connection,
    )


def _contradictions(connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """The true-path rule: what is present makes all above it present."""
    rows = connection.execute(
        "SELECT phenotype_id, patient_id, hpo_id, excluded FROM phenotypes"
    ).fetchnumpy()
    position, known = terms().positions(), np.asarray(rows["hpo_id"]).astype(str)
    keys = np.asarray(rows["phenotype_id"], np.int64)
    words, place = np.unique(known, return_inverse=True)
    codes = np.array([position.get(word, -1) for word in words], dtype=np.int64)
    term = codes[place] if words.size else np.empty(0, dtype=np.int64)
    yield from _unknown_terms(keys, term)
    absent = np.asarray(rows["excluded"]).astype(np.bool_)
    _, owner = np.unique(rows["patient_id"], return_inverse=True)
    shown, denied = np.flatnonzero(~absent & (term >= 0)), np.flatnonzero(absent & (term >= 0))
    wrong = denied[contradicted(owner[shown], term[shown], owner[denied], term[denied])]
    if wrong.size:
        some = tuple(str(key) for key in keys[wrong[:3]])
        message = f"phenotypes: {wrong.size} excluded terms stand at or above one that was observed"
        yield Finding("error", "law.true_path", "phenotypes", "excluded", int(wrong.size), message, some)


def _unknown_terms(keys: NDArray[np.int64], term: NDArray[np.int64]) -> Iterator[Finding]:
    unknown = np.flatnonzero(term < 0)
    if unknown.size:
        some = tuple(str(key) for key in keys[unknown[:3]])
        message = f"phenotypes: {unknown.size} rows hold a term that is not in the shipped ontology"
        yield Finding("error", "law.known_term", "phenotypes", "hpo_id", int(unknown.size), message, some)


def _unlabelled_pairs(connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """A strong inhibitor beside a sensitive substrate is an interaction, and must stand among the cases."""
    drugs = clinic().drugs
    sensitive = ", ".join(f"'{drugs[found.drug].name}'" for found in victims())
    strong = ", ".join(f"'{drugs[found.drug].name}'" for found in inhibitors())
    yield from _broken(
        "law.unlabelled_pair",
        "medications",
        "meet a sensitive substrate outside any case of interaction",
        "SELECT i.medication_id FROM medications AS i JOIN medications AS v USING (patient_id)"
        f" WHERE i.drug IN ({strong}) AND v.drug IN ({sensitive})"
        " AND v.started_at < coalesce(i.ended_at, TIMESTAMP '9999-01-01')"
        " AND i.started_at < coalesce(v.ended_at, TIMESTAMP '9999-01-01')"
        " AND i.patient_id NOT IN (SELECT entity_id FROM cases WHERE kind = 'interaction')",
        connection,
    )
