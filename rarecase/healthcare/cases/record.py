"""The record of a part's patients, and what a case may do to it.

A record is the ordinary world as plain columns: times in microseconds after the start, days as whole numbers,
categories as positions in their pools. Cases never edit it. They tell an `Effects` what they create, change
and remove, and it keeps the labels: each row touched stands under the case that touched it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rarecase.common.keys import KeySpace
from rarecase.common.plan import Placement
from rarecase.common.seeds import Int64, keyed_uniform
from rarecase.healthcare.data.laboratory import Panel, laboratory
from rarecase.healthcare.data.population import People, Profile
from rarecase.healthcare.data.values import results, scores

Rows = dict[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NO_TIME = np.iinfo(np.int64).min
NO_DAY = np.iinfo(np.int32).min
CLINICAL = ("encounters", "conditions", "phenotypes", "medications", "observations")
CREATED, CHANGED, REMOVED = 0, 1, 2
PROVISIONAL, CONFIRMED, REFUTED = 0, 1, 2
AMBULATORY, EMERGENCY, INPATIENT = 0, 1, 2
#: Share of acute reasons that make it to the list of problems (expert).
ON_THE_LIST = 0.6
#: Shares of provisional and of refuted diagnoses among acute ones (expert).
PROVISIONAL_SHARE, REFUTED_SHARE = 0.12, 0.06


@dataclass(frozen=True)
class Taken:
    """The ordinary results of one panel: at which visits, with what scores, and where their values stand.

    `places` numbers the tests of the panel that were reported; the last one, a formula for adults, may be
    missing for children. `at` is the first row of each visit's results in `observations`.
    """

    panel: Panel
    visits: Int64
    score: Floats
    at: Int64


@dataclass(frozen=True)
class Record:
    """The ordinary world of one part.

    Attributes
    ----------
    ids
        Keys of the patients.
    who, profile
        The part's patients; row i is the patient of local number i.
    personal
        Standard scores that are the patient's own, shape (patients, tests).
    shift
        What their chronic conditions add to the scores, shape (patients, tests).
    tables
        Ordinary rows by table, each with its `key` and the local number of its `patient`.
    taken
        The panels behind the observations.
    """

    part: int
    low: int
    ids: Int64
    horizon_us: int
    seed: int
    who: People
    profile: Profile
    personal: Floats
    shift: Floats
    tables: Mapping[str, Rows]
    taken: tuple[Taken, ...]

    @property
    def until(self) -> Int64:
        """When each patient's record ends: death or the end of the window, shape (patients,)."""
        return np.minimum(self.who.death_us, self.horizon_us)


@dataclass
class Effects:
    """What the cases of a part do to its record.

    Rows are given with the local numbers of their patients; as a patient is in at most one case, that says
    whose effect it is.
    """

    record: Record
    keys: KeySpace
    placements: tuple[Placement, ...]
    added: dict[str, list[Rows]] = field(default_factory=dict)
    labels: list[Rows] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        patients = self.record.who.ordinals.size
        self.case_of = np.full(patients, -1, dtype=np.int64)
        self.placement_of = np.full(patients, -1, dtype=np.int64)
        for place, placement in enumerate(self.placements):
            mine = placement.home_in(self.record.low, self.record.low + patients)
            local = placement.homes[mine] - self.record.low
            self.case_of[local], self.placement_of[local] = placement.case_ids[mine], place
        self.added = {table: [] for table in CLINICAL}
        self.keep = {
            table: np.ones(rows["key"].size, dtype=np.bool_) for table, rows in self.record.tables.items()
        }
        self.changed: dict[str, list[tuple[Int64, str, NDArray[np.generic]]]] = {t: [] for t in CLINICAL}
        self._next = {table: np.zeros(patients, dtype=np.int64) for table in CLINICAL}
        self._shifts: list[Floats] = []
        self._shift_of = np.full(self.record.tables["encounters"]["key"].size, -1, dtype=np.int64)

    # -- rows -----------------------------------------------------------------------------------------------

    def add(self, table: str, patient: Int64, columns: Mapping[str, NDArray[np.generic]], role: str) -> Int64:
        """Create rows of a table; their keys, in the same order. Columns may be scalars."""
        if patient.size == 0:
            return np.empty(0, dtype=np.int64)
        number = self._numbers(table, patient)
        key = self.keys.case_rows(table, self.record.low + patient, number)
        rows: Rows = {"key": key, "patient": patient}
        for name, values in columns.items():
            rows[name] = np.broadcast_to(np.asarray(values), patient.shape)
        self.added[table].append(rows)
        self.label(table, patient, key, CREATED, role)
        return key

    def _numbers(self, table: str, patient: Int64) -> Int64:
        """Row numbers within each patient's case, going on from call to call."""
        order = np.argsort(patient, kind="stable")
        ordered = patient[order]
        first = np.searchsorted(ordered, ordered, side="left")
        within = np.empty(patient.size, dtype=np.int64)
        within[order] = np.arange(patient.size) - first
        number = self._next[table][patient] + within
        np.add.at(self._next[table], patient, 1)
        return number

    def remove(self, table: str, rows: Int64, role: str) -> None:
        """Remove ordinary rows by their position; what is gone already stays under its first label."""
        rows = rows[self.keep[table][rows]]
        self.keep[table][rows] = False
        found = self.record.tables[table]
        patient = _ints(found["patient"])[rows] if "patient" in found else self._patients_of(found, rows)
        self.label(table, patient, _ints(found["key"])[rows], REMOVED, role)

    def change(self, table: str, rows: Int64, column: str, values: NDArray[np.generic], role: str) -> None:
        """Change one column of ordinary rows that the cases leave in place, where the values do differ."""
        found = self.record.tables[table]
        differs = self.keep[table][rows] & (found[column][rows] != values)
        rows, values = rows[differs], values[differs]
        self.changed[table].append((rows, column, values))
        patient = _ints(found["patient"])[rows] if "patient" in found else self._patients_of(found, rows)
        self.label(table, patient, _ints(found["key"])[rows], CHANGED, role)

    def _patients_of(self, found: Rows, rows: Int64) -> Int64:
        return _ints(self.record.tables["encounters"]["patient"])[_ints(found["visit"])[rows]]

    def label(self, table: str, patient: Int64, key: Int64, effect: int, role: str) -> None:
        """Say of rows what happened to them, and which part they play ("role" or "role/stage")."""
        if role not in self.roles:
            self.roles.append(role)
        shape = patient.shape
        self.labels.append(
            {
                "patient": patient,
                "table": np.full(shape, CLINICAL.index(table), dtype=np.int8),
                "row_id": key,
                "effect": np.full(shape, effect, dtype=np.int8),
                "role": np.full(shape, self.roles.index(role), dtype=np.int16),
            }
        )

    # -- visits ---------------------------------------------------------------------------------------------

    def visit(
        self,
        patient: Int64,
        *,
        start: Int64,
        end: Int64,
        kind: NDArray[np.integer] | int,
        specialty: NDArray[np.integer] | int,
        reason: NDArray[np.integer] | int,
        role: str,
    ) -> Int64:
        """Create encounters; ordinary ones that they overlap do not take place. Their keys."""
        columns: Rows = {
            "start": start,
            "end": np.minimum(end, self.record.until[patient]),
            "kind": np.asarray(kind),
            "specialty": np.asarray(specialty),
            "reason": np.asarray(reason),
        }
        return self.add("encounters", patient, columns, role)

    def clear_overlaps(self) -> None:
        """Remove the ordinary encounters, and all that hangs on them, of patients who were elsewhere."""
        made = self.added["encounters"]
        if not made:
            return
        patient = np.concatenate([_ints(rows["patient"]) for rows in made])
        start = np.concatenate([_ints(rows["start"]) for rows in made])
        end = np.concatenate([_ints(rows["end"]) for rows in made])
        order = np.lexsort((start, patient))
        patient, start, end = patient[order], start[order], end[order]
        ordinary = self.record.tables["encounters"]
        near = np.flatnonzero(self.case_of[_ints(ordinary["patient"])] >= 0)
        mine, begin, finish = (_ints(ordinary[name])[near] for name in ("patient", "start", "end"))
        self._drop(near[_overlap(patient, start, end, mine, begin, finish)])

    def _drop(self, visits: Int64) -> None:
        self.remove("encounters", visits, "elsewhere")
        gone = ~self.keep["encounters"]
        for table in CLINICAL[1:]:
            visit = _ints(self.record.tables[table]["visit"])
            lost = np.flatnonzero((visit >= 0) & gone[visit])
            self.remove(table, lost, "elsewhere")

    # -- laboratory -----------------------------------------------------------------------------------------

    def measure(
        self,
        name: str,
        panel: Panel,
        patient: Int64,
        visit: tuple[Int64, Int64, Int64],
        shift: Floats,
        role: str,
    ) -> None:
        """Take a panel at created visits.

        Parameters
        ----------
        name
            Names the draw: unique among the panels that one case takes.
        visit
            Keys, starts and ends of the visits, each of shape (n,).
        shift
            What the case adds to the scores of all tests, shape (n, tests).
        """
        key, start, end = visit
        seed, count = self.record.seed, len(laboratory().analytes)
        ids = (key[:, None] ^ (panel.analytes[None, :] << 56)).ravel()
        noise = standard_normal(seed, (name, panel.name), ids).reshape(-1, len(panel)).T.copy()
        at = panel.analytes
        score = scores(panel, self.record.personal[patient][:, at].T, noise)
        score = score + (self.record.shift[patient] + shift)[:, at].T
        who = self.record.who.take(patient)
        values, flags = results(panel, score, who.sex, who.age.astype(np.int64))
        told = reported(panel, who.age)
        assert shift.shape == (patient.size, count)
        rows, place = np.nonzero(told.T)
        columns: Rows = {
            "encounter": key[rows],
            "time": moment_of(panel, start, end)[rows],
            "analyte": at[place],
            "value": values.T[rows, place],
            "flag": flags.T[rows, place],
        }
        self.add("observations", patient[rows], columns, role)

    def shift_ordinary(self, patient: Int64, start: Int64, end: Int64, shift: Floats) -> None:
        """Shift the scores of a patient's ordinary results from `start` to `end`; one call per patient.

        Parameters
        ----------
        shift
            Shape (n, tests).
        """
        row_of = np.full(self.case_of.size, -1, dtype=np.int64)
        row_of[patient] = np.arange(patient.size)
        visits = self.record.tables["encounters"]
        row = row_of[_ints(visits["patient"])]
        time = _ints(visits["start"])
        touched = (row >= 0) & (time >= start[row]) & (time <= end[row])
        base = sum(len(found) for found in self._shifts)
        self._shift_of[touched] = base + row[touched]
        self._shifts.append(shift)

    def settle(self) -> None:
        """Work out what the shifts do to ordinary results, once all cases have spoken."""
        if not self._shifts:
            return
        shifts = np.concatenate(self._shifts)
        patients = _ints(self.record.tables["encounters"]["patient"])
        for taken in self.record.taken:
            mine = np.flatnonzero(self._shift_of[taken.visits] >= 0)
            visits = taken.visits[mine]
            moved = shifts[self._shift_of[visits]][:, taken.panel.analytes].T
            if mine.size == 0 or not moved.any():
                continue
            who = self.record.who.take(patients[visits])
            score = taken.score[:, mine] + moved
            values, flags = results(taken.panel, score, who.sex, who.age.astype(np.int64))
            rows, place = np.nonzero(reported(taken.panel, who.age).T)
            at = taken.at[mine][rows] + place
            flag = flags.T[rows, place]
            differs = self.record.tables["observations"]["value"][at] != values.T[rows, place]
            self.changed["observations"].append((at, "flag", flag))
            self.change("observations", at[differs], "value", values.T[rows, place][differs], "laboratory")


def settled(u: Floats, later: Floats, start: Int64, until: Int64) -> tuple[Int64, Int64]:
    """What becomes of acute diagnoses, and when: most stand at once, some are refuted, some never settled."""
    refutation = start + (later * 30 * 1440).astype(np.int64) * 60_000_000
    kind = np.where(u < PROVISIONAL_SHARE, PROVISIONAL, CONFIRMED)
    refuted = (u >= PROVISIONAL_SHARE) & (u < PROVISIONAL_SHARE + REFUTED_SHARE) & (refutation < until)
    kind = np.where(refuted, REFUTED, kind)
    return kind, np.where(kind == PROVISIONAL, NO_TIME, np.where(refuted, refutation, start))


def reported(panel: Panel, age: Floats) -> Bools:
    """Which results of a panel are reported, shape (tests, rows): the MDRD formula is for adults."""
    told = np.ones((len(panel), age.size), dtype=np.bool_)
    for place, analyte in enumerate(panel.analytes):
        if laboratory().analytes[analyte].law == "egfr":
            told[place] = age >= 18
    return told


def moment_of(panel: Panel, start: Int64, end: Int64) -> Int64:
    """When a panel is taken: each has its place early in the encounter."""
    place = [found.name for found in laboratory().panels].index(panel.name)
    return np.asarray(start + (end - start) * (1 + place) // 32, np.int64)


def standard_normal(seed: int, name: tuple[str | int, ...], ids: Int64) -> Floats:
    """Standard normal draws by id, stateless."""
    from scipy.special import ndtri

    u = keyed_uniform(seed, ("healthcare", *name), ids)
    return np.asarray(ndtri(u * (1 - 2e-16) + 1e-16), np.float64)


def _ints(values: NDArray[np.generic]) -> Int64:
    return np.asarray(values, dtype=np.int64)


def _overlap(patient: Int64, start: Int64, end: Int64, mine: Int64, begin: Int64, finish: Int64) -> Bools:
    """Which of the intervals (mine, begin, finish) overlap any of (patient, start, end), sorted by both."""
    width, second = np.int64(1) << 36, 1_000_000
    start, begin, end, finish = start // second, begin // second, -(-end // second), -(-finish // second)
    # Intervals of one patient are few and seldom nest, so the last one that starts before ours ends decides,
    # once each carries the latest end of those before it.
    reach = np.maximum.accumulate(patient * width + np.clip(end, 0, width - 1))
    last = (
        np.searchsorted(patient * width + np.clip(start, 0, width - 1), mine * width + finish, side="right")
        - 1
    )
    return np.asarray((last >= 0) & (reach[last] >= mine * width + begin), np.bool_)
