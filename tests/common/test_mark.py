"""The low-digit mark, the key lock and the detector: correct, calibrated on real tables, powerful.

False-alarm rates: the calibration tests compare counts of small p-values over fixed random keys with their
binomial bound at 4 standard deviations (6e-5 for a correct detector); seeds are fixed, so a pass stays one.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from scipy import stats

from rarecase.common import mark
from rarecase.common.errors import InputError
from rarecase.common.identifiers import uuid_from_keys
from rarecase.common.keys import KeySpace
from rarecase.common.mark.digits import siphash
from rarecase.common.run import generate
from rarecase.common.seeds import stream
from tests.common.killpoints import spec as small_set

TABLES = ["AER_HMDA", "nycflights13_flights", "survival_flchain", "uci_adult", "uci_default"]


def cents(n: int, name: str = "cents") -> NDArray[np.float64]:
    return np.round(stream(2, "mark", name).lognormal(4.0, 1.0, n), 2)


def marked(n: int, name: str = "cents") -> NDArray[np.float64]:
    return np.asarray(mark.embed(cents(n, name), 0.01), np.float64)


def p_of(**columns: object) -> float:
    p_value = mark.detect_frame(pa.table(columns)).p_value
    assert p_value is not None
    return p_value


def test_siphash_gives_the_published_vector() -> None:
    message = int.from_bytes(bytes(range(8)), "little")
    assert siphash(np.array([message]), bytes(range(16)))[0] == 0x93F5F5799A932462
    with pytest.raises(ValueError, match="16 bytes"):
        mark.green(np.array([1]), b"short")


def test_published_key_is_fair_on_the_small_numbers_of_all_tables() -> None:
    x = np.arange(1, 1_000_001)
    x = x[x % 10 != 0]
    surplus = np.cumsum(np.where(mark.green(x), 1, -1))
    at = np.array([45, 90, 450, 900, 9_000, 90_000, 900_000])
    assert (np.abs(surplus[at - 1]) < 2.5 * np.sqrt(at)).all()


def test_embedding_moves_red_cells_only_and_little() -> None:
    before, after = cents(100_000), marked(100_000)
    x, y = np.rint(before * 100).astype(np.int64), np.rint(after * 100).astype(np.int64)
    assert (after == y / 100).all()
    still = mark.green(x) | (x % 10 == 0)
    assert (x == y)[still].all()
    assert (mark.green(y) | (x == y)).all()
    assert (x == y)[~still].mean() < 0.002
    assert np.abs(y - x).mean() < 0.75
    assert np.abs(y - x).max() <= 9
    assert abs((y - x).mean()) < 4 * (y - x).std() / np.sqrt(len(x))
    assert stats.ks_2samp(before, after).statistic < 0.002


def test_round_numbers_zero_and_nan_stay_and_none_are_made() -> None:
    before = np.array([0.0, -0.0, 10.0, 2.5, -7.1, np.nan, np.inf])
    assert np.array_equal(mark.embed(before, 0.01), before, equal_nan=True)
    x = np.arange(1, 2000)
    moved = mark.embed(x, 1.0)
    assert ((moved % 10 == 0) == (x % 10 == 0)).all()
    assert (mark.embed(-x, 1.0) < 0).all()


def test_limits_thresholds_and_forbidden_cells_hold() -> None:
    values = cents(50_000) * 2
    allowed = np.arange(len(values)) % 2 == 0
    moved = mark.embed(values, 0.01, minimum=0.01, maximum=120.0, thresholds=(50.0, 99.99), allowed=allowed)
    assert (moved[~allowed] == values[~allowed]).all()
    assert (moved[values > 120.0] == values[values > 120.0]).all()
    for wall in (0.01, 50.0, 99.99, 120.005):
        assert ((moved >= wall) == (values >= wall)).all()


def test_whole_numbers_keep_their_type_and_their_colour_in_other_units() -> None:
    minor = np.rint(cents(1000) * 100).astype(np.int64)
    moved = mark.embed(minor, 1.0)
    assert moved.dtype == np.int64
    assert (moved == np.rint(marked(1000) * 100)).all()
    hundreds = mark.embed(np.array([123_400, 123_401, 5_300]), 100.0)
    assert (hundreds % 100 == [0, 1, 0]).all()
    assert hundreds[1] == 123_401


def test_embedding_is_stateless() -> None:
    values = cents(500)
    assert (mark.embed(values[::-1], 0.01) == marked(500)[::-1]).all()


@pytest.mark.parametrize("quantum", [0.05, 0.0, -1.0, 1e-9])
def test_only_quanta_that_the_detector_tries_are_taken(quantum: float) -> None:
    with pytest.raises(ValueError, match="quantum"):
        mark.embed(cents(3), quantum)
    with pytest.raises(ValueError, match="at least 1"):
        mark.embed(np.array([1]), 0.1)


@pytest.mark.parametrize("quantum", [1000.0, 1.0, 0.1, 1e-4, 1e-6])
def test_every_quantum_is_found_again(quantum: float) -> None:
    drawn = np.asarray(stream(2, "quantum").integers(1, 100_000, 200) * quantum, np.float64)
    assert p_of(a=mark.embed(drawn, quantum)) < 1e-20


def test_power_as_promised() -> None:
    values = marked(1000)
    noise = cents(1000, "noise")
    keep = stream(2, "keep").random(1000)
    assert p_of(a=values[:40]) < 1e-6
    assert p_of(a=values[:200], b=noise[:200], c=np.arange(200)) < 1e-20  # beside unmarked columns
    assert p_of(a=-values[:100]) < 1e-20  # booked with the other sign
    assert p_of(a=values[:200].astype(np.float32)) < 1e-20
    assert p_of(a=pa.array(values[:200]).cast(pa.decimal128(12, 2))) < 1e-20
    assert p_of(a=np.where(keep < 0.5, values, noise)[:400]) < 1e-6  # half of the rows are real
    assert p_of(a=np.where(keep < 0.3, values, noise)) < 1e-6
    assert p_of(a=np.round(values * 1.19, 2)) > 1e-4  # rescaled: honestly lost


@pytest.mark.parametrize("name", TABLES)
def test_real_tables_are_never_called_synthetic(shared_data: Path, name: str) -> None:
    found = mark.detect_file(shared_data / "trust" / f"{name}.parquet")
    assert found.synthetic is None
    assert found.p_value is not None
    assert found.p_value > 1e-3


@pytest.mark.parametrize("name", TABLES)
def test_p_values_on_real_tables_are_calibrated_over_keys(shared_data: Path, name: str) -> None:
    table = pq.read_table(shared_data / "trust" / f"{name}.parquet").slice(0, 2000)
    tries = 200
    small = 0
    for number in range(tries):
        key = stream(2, "calibration", number).bytes(16)
        p_value = mark.detect_frame(table, keys=[key]).p_value
        assert p_value is not None
        assert p_value > 1e-6
        small += p_value <= 0.05
    assert small <= tries * 0.05 + 4 * np.sqrt(tries * 0.05 * 0.95)


KEYS = KeySpace("toy", seed=11, size=10_000, block=1000, tables=["things", "deeds"])


def strange(n: int) -> NDArray[np.int64]:
    return stream(2, "strange").integers(1 << 50, 1 << 62, n)


def test_two_keys_say_so_and_one_does_not() -> None:
    keys = KEYS.rows("things", 3, np.arange(50))
    assert p_of(id=keys[:2]) < 1e-6
    assert p_of(id=np.repeat(keys[:1], 50)) > 1e-6  # one key fifty times is one key
    assert p_of(id=np.append(keys[:20], strange(5_000))) < 1e-6
    assert mark.detect(pa.table({"id": keys}))["locks"] == ["keys"]


def test_key_lock_is_calibrated_on_numbers_of_others() -> None:
    assert p_of(id=strange(200_000)) > 1e-3
    for start in (1_700_000_000_000_000, 1 << 60, 4_000_000_000_000_000):  # times and counters
        assert p_of(id=start + np.arange(200_000)) > 1e-3


def test_keys_hide_in_text_dictionaries_and_beside_nulls() -> None:
    keys = KEYS.rows("deeds", 0, np.arange(30))
    text = [str(key) for key in keys]
    assert p_of(id=text) < 1e-80
    assert p_of(id=pa.array([*text, None, "n/a", "0123456789012345678", "9" * 19])) < 1e-70
    assert p_of(id=pa.array(text).dictionary_encode()) < 1e-80
    assert p_of(id=pa.array(keys, pa.uint64())) < 1e-80
    assert p_of(id=pa.chunked_array([keys[:10], keys[10:]])) < 1e-80
    assert mark.detect_frame(pa.table({"id": pa.array([None, None], pa.int64())})).p_value is None


@pytest.mark.parametrize("version", [4, 8])
def test_one_document_id_is_enough(version: int) -> None:
    keys = KEYS.rows("deeds", 0, np.arange(1))
    value = uuid_from_keys(keys, 4 if version == 4 else 8)
    assert mark.detect(pa.table({"id": value}))["locks"] == ["uuids"]
    other = value[0].as_py()[:-1] + ("0" if value[0].as_py()[-1] != "0" else "1")
    assert p_of(id=[other, "3f2504e0-4f89-41d3-9a0c-0305e82c3301"]) == 1.0


def test_metadata_is_a_declaration() -> None:
    plain = pa.table({"a": ["x"]})
    assert mark.detect(plain) == {"synthetic": None, "locks": [], "p_value": None, "evidence": []}
    for told in ({"rarecase.synthetic": "true"}, {"synthetic": "true", "generator": "rarecase"}):
        verdict = mark.detect(plain.replace_schema_metadata(told))
        assert verdict["synthetic"] is True
        assert verdict["p_value"] is None
        assert verdict["locks"] == ["metadata"]
    assert mark.detect(plain.replace_schema_metadata({"synthetic": "true"}))["synthetic"] is None


def test_tables_are_pooled() -> None:
    keys = KEYS.rows("deeds", 0, np.arange(2))
    tables = {"one": pa.table({"id": keys[:1]}), "two": pa.table({"id": keys[1:]})}
    assert mark.detect_frame(tables).synthetic is True


@pytest.mark.parametrize(
    "suffix", [".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".parquet", ".feather", ".arrow"]
)
def test_files_of_all_kinds(tmp_path: Path, suffix: str) -> None:
    keys = KEYS.rows("deeds", 0, np.arange(100))
    table = pa.table({"id": keys, "paid": marked(100), "note": ["x"] * 100})
    path = tmp_path / f"fragment{suffix}"
    write(table, path, suffix)
    verdict = mark.detect(path)
    assert verdict["synthetic"] is True
    assert {"keys", "digits"} <= set(verdict["locks"])
    json.dumps(verdict)


def write(table: pa.Table, path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pq.write_table(table, path)
    elif suffix in {".feather", ".arrow"}:
        pyarrow.feather.write_feather(table, path)
    else:
        rows = [dict(row, id=str(row["id"])) for row in table.to_pylist()]
        between = "\t" if suffix == ".tsv" else ","
        cells = [between.join(map(str, row)) for row in (rows[0], *(row.values() for row in rows))]
        lines = [json.dumps(row) for row in rows] if ".jsonl" in suffix else cells
        data = "\n".join(lines).encode()
        path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)


@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
def test_the_delimiter_is_sniffed(tmp_path: Path, between: str) -> None:
    keys = KEYS.rows("deeds", 0, np.arange(50)).tolist()
    lines = [between.join(("id", "note")), *(between.join((str(key), "x")) for key in keys)]
    (tmp_path / "fragment.csv").write_text("\n".join(lines) + "\n")
    assert mark.detect(tmp_path / "fragment.csv")["evidence"][0]["where"] == "id"
    assert mark.detect(tmp_path / "fragment.csv")["locks"] == ["keys"]


@pytest.mark.parametrize(
    ("name", "line"),
    [("a.json", '"id": "{}",'), ("a.json", '"id": {},'), ("a.xml", "<Id>{}</Id>"), ("a.xosc", 'name="e-{}"')],
)
def test_keys_are_found_in_documents(tmp_path: Path, name: str, line: str) -> None:
    keys = KEYS.rows("deeds", 0, np.arange(20)).tolist()
    spelt = line.replace("e-{}", "e {}")
    (tmp_path / name).write_text("\n".join(spelt.format(key) for key in keys))
    assert mark.detect(tmp_path / name)["locks"] == ["keys"]
    (tmp_path / name).write_text("\n".join(spelt.format(key + 1) for key in keys))
    assert mark.detect(tmp_path / name)["synthetic"] is None


def test_names_of_documents_count(tmp_path: Path) -> None:
    for key in KEYS.rows("deeds", 0, np.arange(3)).tolist():
        (tmp_path / f"ordinary-{key}.xosc").write_text("<OpenSCENARIO/>")
    assert mark.detect(tmp_path)["locks"] == ["keys"]


def test_uuids_are_found_in_documents(tmp_path: Path) -> None:
    one = uuid_from_keys(KEYS.rows("deeds", 0, np.arange(1)), 4)[0].as_py()
    (tmp_path / "a.xml").write_text(f"<UETR>{one}</UETR>")
    assert mark.detect(tmp_path / "a.xml")["locks"] == ["uuids"]


def test_a_directory_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a directory with files"):
        mark.detect(tmp_path)
    keys = KEYS.rows("deeds", 0, np.arange(3)).tolist()
    for number, key in enumerate(keys):  # none of them tells by itself
        (tmp_path / f"{number}.json").write_text(f'{{"id": "{key}"}}')
        assert mark.detect(tmp_path / f"{number}.json")["synthetic"] is None
    (tmp_path / "broken.parquet").write_bytes(b"x")
    assert mark.detect(tmp_path)["locks"] == ["keys"]


def test_a_set_in_text_is_recognised_as_a_directory(tmp_path: Path) -> None:
    generate(small_set(1), tmp_path / "set", format="csv")
    assert "keys" in mark.detect(tmp_path / "set")["locks"]


def test_bad_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file that exists"):
        mark.detect(tmp_path / "absent.csv")
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(InputError, match="ending in"):
        mark.detect(tmp_path / "a.xlsx")
    for name in ("a.parquet", "b.csv", "c.jsonl", "d.csv.gz", "e.feather"):
        (tmp_path / name).write_bytes(b"\x00\xff{" if name != "b.csv" else b"")
        with pytest.raises(InputError, match="readable"):
            mark.detect(tmp_path / name)
