"""Each law accepts the good record and refuses the same record with one thing broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest

from rarecase.common.dataset import Dataset
from rarecase.healthcare.checks import checks
from rarecase.healthcare.schema import SCHEMA

Damage = Callable[[dict[str, pd.DataFrame]], None]
_DAY = timedelta(days=1)


def _frames(world: Dataset) -> dict[str, pd.DataFrame]:
    frames = {name: world.tables[name].to_pandas() for name in SCHEMA.names}
    for frame in frames.values():
        for column in frame.columns[frame.dtypes == "category"]:
            frame[column] = frame[column].astype(object)
    return frames


def _rules(world: Dataset, frames: dict[str, pd.DataFrame]) -> set[str]:
    import duckdb

    with duckdb.connect() as connection:
        for name, frame in frames.items():
            connection.register(name, pa.Table.from_pandas(frame, preserve_index=False))
        return {found.rule for found in checks(connection, world.spec)}


def _somebody(frames: dict[str, pd.DataFrame], table: str) -> pd.Timestamp:
    """Let the patient of the table's first row die before it."""
    row = frames[table].iloc[0]
    patients = frames["patients"]
    moment = row["started_at" if "started_at" in row else "observed_at"] - _DAY
    patients.loc[patients.patient_id == row.patient_id, "died_at"] = moment
    return moment


def _late_visit(frames: dict[str, pd.DataFrame]) -> None:
    _somebody(frames, "encounters")


def _unborn(frames: dict[str, pd.DataFrame]) -> None:
    frames["conditions"].loc[0, "onset_date"] = pd.Timestamp("1800-01-01").date()


def _value_elsewhere(frames: dict[str, pd.DataFrame]) -> None:
    frames["observations"].loc[5, "observed_at"] += 400 * _DAY


def _entry_elsewhere(frames: dict[str, pd.DataFrame]) -> None:
    told = frames["conditions"]
    told.loc[told.encounter_id.notna().idxmax(), "recorded_at"] += 400 * _DAY


def _early_entry(frames: dict[str, pd.DataFrame]) -> None:
    told = frames["phenotypes"]
    told.loc[told.onset_date.notna().idxmax(), "onset_date"] = pd.Timestamp("2100-01-01").date()


def _unknown_disorder(frames: dict[str, pd.DataFrame]) -> None:
    frames["conditions"].loc[0, "orpha"] = 999_999


def _unknown_term(frames: dict[str, pd.DataFrame]) -> None:
    frames["phenotypes"].loc[0, "hpo_id"] = "HP:9999999"


def _woman_with_xlr(frames: dict[str, pd.DataFrame]) -> None:
    told, patients = frames["conditions"], frames["patients"]
    boy = told.loc[(told.orpha == 98896).idxmax(), "patient_id"]
    patients.loc[patients.patient_id == boy, "sex"] = "female"


def _man_with_ovaries(frames: dict[str, pd.DataFrame]) -> None:
    signs, patients = frames["phenotypes"], frames["patients"]
    patients.loc[patients.patient_id == signs.loc[0, "patient_id"], "sex"] = "male"
    signs.loc[0, "hpo_id"] = "HP:0000138"


def _denied_ancestor(frames: dict[str, pd.DataFrame]) -> None:
    signs = frames["phenotypes"]
    at = int((~signs.excluded).idxmax())
    row = signs.loc[[at]].assign(phenotype_id=1, hpo_id="HP:0000118", excluded=True, onset_date=None)
    frames["phenotypes"] = pd.concat([signs, row], ignore_index=True)


def _two_places(frames: dict[str, pd.DataFrame]) -> None:
    seen = frames["encounters"]
    seen.loc[0, "patient_id"] = seen.loc[1, "patient_id"]
    seen.loc[0, "started_at"] = seen.loc[1, "started_at"]
    seen.loc[0, "ended_at"] = seen.loc[1, "ended_at"]


def _secret_pair(frames: dict[str, pd.DataFrame]) -> None:
    cases, drugs = frames["cases"], frames["medications"]
    mine = ~drugs.patient_id.isin(cases.entity_id)
    at = drugs[mine].index[0]
    both = [
        drugs.loc[[at]].assign(medication_id=number, drug=drug)
        for number, drug in ((1, "simvastatin"), (2, "itraconazole"))
    ]
    frames["medications"] = pd.concat([drugs, *both], ignore_index=True)


DAMAGE: dict[str, Damage] = {
    "law.after_death": _late_visit,
    "law.before_birth": _unborn,
    "law.observation_in_encounter": _value_elsewhere,
    "law.entry_in_encounter": _entry_elsewhere,
    "law.recorded_before_onset": _early_entry,
    "law.known_disorder": _unknown_disorder,
    "law.known_term": _unknown_term,
    "law.sex_of_disorder": _woman_with_xlr,
    "law.sex_of_sign": _man_with_ovaries,
    "law.true_path": _denied_ancestor,
    "law.two_places": _two_places,
    "law.unlabelled_pair": _secret_pair,
}


def test_a_good_record_breaks_no_law(world: Dataset) -> None:
    assert _rules(world, _frames(world)) == set()


@pytest.mark.parametrize(("rule", "damage"), DAMAGE.items(), ids=DAMAGE)
def test_a_broken_record_breaks_its_law(world: Dataset, rule: str, damage: Damage) -> None:
    frames = _frames(world)
    damage(frames)
    assert rule in _rules(world, frames)
