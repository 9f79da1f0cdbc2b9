"""The validator finds what is wrong, says where, and never raises for damage."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rarecase.common.errors import Findings
from rarecase.common.keys import KeySpace
from rarecase.common.schema import Column, Reference, RowRule, Schema, Table, TableRule, arrow_schema
from rarecase.common.sinks.files import write_file
from rarecase.common.validate import validate_files, validate_tables
from tests.common.schema_sample import SAMPLE, as_tables, good_rows

BLOCK, PARTS = 50, 3
ROOT = Path(__file__).resolve().parents[2]

ACCOUNTS = Table(
    name="accounts",
    meaning="Accounts.",
    columns=(Column(name="account_id", type="key", meaning="Key"),),
    key=("account_id",),
)
PAYMENTS = Table(
    name="payments",
    meaning="Payments.",
    columns=(
        Column(name="payment_id", type="key", meaning="Key"),
        Column(name="payer_id", type="key", meaning="Payer"),
        Column(name="payee_id", type="key", meaning="Payee", nullable=True),
        Column(name="amount_minor", type="int64", meaning="Amount", minimum=1),
        Column(name="note_text", type="string", meaning="Note", nullable=True),
    ),
    key=("payment_id",),
    references=(
        Reference(columns=("payer_id",), table="accounts", to=("account_id",)),
        Reference(columns=("payee_id",), table="accounts", to=("account_id",)),
    ),
    row_rules=(RowRule(name="two_sides", sql="payer_id <> payee_id", meaning="Nobody pays himself"),),
)
RATINGS = Table(
    name="ratings",
    meaning="One row per account, under the account's key.",
    columns=(Column(name="account_id", type="key", meaning="Key"),),
    key=("account_id",),
    references=(Reference(columns=("account_id",), table="accounts", to=("account_id",)),),
)
BANK = Schema(domain="bank", version="1", tables=(PAYMENTS, ACCOUNTS, RATINGS))


def keys_of(parts: int, block: int) -> KeySpace:
    return KeySpace("bank", 7, block * parts, block, BANK.names)


KEYS = keys_of(PARTS, BLOCK)

World = dict[str, list[pa.Table]]


def made(name: str, columns: dict[str, Any]) -> pa.Table:
    return pa.table(columns, schema=arrow_schema(BANK[name]))


def bank(parts: int = PARTS, block: int = BLOCK) -> World:
    """Some parts; payments go to the next part, one of a case stands in part 1, ordinals have holes."""
    keys = keys_of(parts, block)
    world: World = {name: [] for name in BANK.names}
    for part in range(parts):
        ordinals = np.arange(block)
        accounts = keys.rows("accounts", part, ordinals)
        away = keys.rows("accounts", (part + 1) % parts, ordinals)
        ids = keys.rows("payments", part, ordinals * 3)
        if part == 1:
            ids[5] = keys.case_rows("payments", np.array([60]), np.array([0]))[0]
        columns = {
            "payment_id": ids,
            "payer_id": accounts,
            "payee_id": pa.array(away, mask=ordinals % 7 == 0),
            "amount_minor": ordinals + 1,
            "note_text": ["", "a,b", 'say "x"', None, "ü\nv"] * (block // 5),
        }
        world["payments"].append(made("payments", columns))
        world["accounts"].append(made("accounts", {"account_id": accounts}))
        world["ratings"].append(made("ratings", {"account_id": accounts}))
    return world


def written(world: World, place: Path, format: str = "parquet") -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for name, parts in world.items():
        (place / name).mkdir(exist_ok=True)
        files[name] = [place / name / f"part-{number:05d}.{format}" for number in range(len(parts))]
        for path, table in zip(files[name], parts, strict=True):
            write_file(path, format, table, BANK[name])
    return files


def with_cell(world: World, name: str, part: int, row: int, column: str, value: Any) -> World:
    table = world[name][part]
    values = table.column(column).to_pylist()
    values[row] = value
    position = table.column_names.index(column)
    field = table.schema.field(column)
    world[name][part] = table.set_column(position, field, pa.array(values, type=field.type))
    return world


def rules(findings: Findings) -> list[tuple[str, str | None, str | None, int]]:
    return [(found.rule, found.table, found.column, found.count) for found in findings]


@pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("keyspace", [KEYS, None], ids=["key space", "no key space"])
def test_a_good_world_has_no_findings(format: str, keyspace: KeySpace | None, tmp_path: Path) -> None:
    assert validate_files(BANK, written(bank(), tmp_path, format), keyspace=keyspace) == ()


@pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("keyspace", [KEYS, None], ids=["key space", "no key space"])
def test_a_key_doubled_across_parts_is_found(format: str, keyspace: KeySpace | None, tmp_path: Path) -> None:
    world = bank()
    other = world["payments"][0].column("payment_id")[3].as_py()
    files = written(with_cell(world, "payments", 2, 8, "payment_id", other), tmp_path, format)
    findings = validate_files(BANK, files, keyspace=keyspace)
    assert rules(findings) == [("key.unique", "payments", "payment_id", 1)]
    assert findings[0].examples == (f"payment_id={other}",)


@pytest.mark.parametrize("row", [4, 5], ids=["ordinary", "of a case"])
@pytest.mark.parametrize("part", [0, 1])
def test_a_key_doubled_is_found_wherever_it_stands(row: int, part: int, tmp_path: Path) -> None:
    world = bank()
    other = world["payments"][1].column("payment_id")[row].as_py()
    files = written(with_cell(world, "payments", part, 9, "payment_id", other), tmp_path)
    assert rules(validate_files(BANK, files, keyspace=KEYS)) == [("key.unique", "payments", "payment_id", 1)]


def test_two_files_of_one_part_share_its_keys(tmp_path: Path) -> None:
    files = written(bank(), tmp_path)
    (tmp_path / "again").mkdir()
    copied = tmp_path / "again" / "part-00001.parquet"
    copied.write_bytes(files["ratings"][1].read_bytes())
    files["ratings"].append(copied)
    found = validate_files(BANK, files, keyspace=KEYS)
    assert rules(found) == [("key.unique", "ratings", "account_id", BLOCK)]


def test_a_key_of_another_data_set_or_table_is_found(tmp_path: Path) -> None:
    world = bank()
    other = KeySpace("bank", 8, BLOCK * PARTS, BLOCK, BANK.names).rows("payments", 0, np.arange(1))[0]
    with_cell(world, "payments", 0, 0, "payment_id", int(other))
    with_cell(world, "payments", 1, 0, "payment_id", int(KEYS.rows("accounts", 1, np.arange(1))[0]))
    findings = validate_files(BANK, written(world, tmp_path), keyspace=KEYS)
    assert rules(findings) == [("key.read", "payments", "payment_id", 2)]


@pytest.mark.parametrize("keyspace", [KEYS, None], ids=["key space", "no key space"])
@pytest.mark.parametrize(
    "lost",
    [
        KEYS.rows("accounts", 0, np.array([BLOCK])),
        KEYS.rows("accounts", 2, np.array([BLOCK + 900])),
        KEYS.rows("payments", 0, np.array([0])),
        KEYS.case_rows("accounts", np.array([1]), np.array([0])),
        np.array([12345]),
    ],
    ids=["same part", "other part", "other table", "of a case", "no key"],
)
def test_a_reference_that_leads_nowhere_is_found(
    lost: Any, keyspace: KeySpace | None, tmp_path: Path
) -> None:
    world = with_cell(bank(), "payments", 0, 1, "payee_id", int(lost[0]))
    findings = validate_files(BANK, written(world, tmp_path), keyspace=keyspace)
    assert rules(findings) == [("reference.missing", "payments", "payee_id", 1)]
    assert findings[0].examples == (f"payee_id={lost[0]}",)


def test_tables_in_memory_are_checked_alike() -> None:
    tables = {name: pa.concat_tables(parts) for name, parts in bank().items()}
    assert validate_tables(BANK, tables) == ()
    doubled = pa.concat_tables([tables["accounts"], tables["accounts"].slice(0, 4)])
    findings = validate_tables(BANK, tables | {"accounts": doubled})
    assert rules(findings) == [("key.unique", "accounts", "account_id", 4)]
    assert len(findings[0].examples) == 3
    short = tables["accounts"].slice(1)
    assert {found[0] for found in rules(validate_tables(BANK, tables | {"accounts": short}))} == {
        "reference.missing"
    }


def test_findings_say_where_how_often_and_show_three() -> None:
    tables = {name: pa.concat_tables(parts) for name, parts in bank().items()}
    amounts = pa.array(np.where(np.arange(BLOCK * PARTS) % 10 == 0, -4, 5))
    payments = tables["payments"].set_column(3, arrow_schema(PAYMENTS).field("amount_minor"), amounts)
    (finding,) = validate_tables(BANK, tables | {"payments": payments})
    assert (finding.level, finding.rule, finding.count) == ("error", "value.range", 15)
    assert finding.message == "payments.amount_minor: 15 rows break the law: amount_minor is at least 1"
    first = tables["payments"].column("payment_id")[0]
    assert finding.examples[0] == f"payment_id={first}, amount_minor=-4"
    assert len(finding.examples) == 3


def test_a_broken_row_rule_shows_the_columns_that_it_speaks_of() -> None:
    rows = good_rows()
    rows["things"][1]["colour"] = "red"
    (finding,) = validate_tables(SAMPLE, as_tables(rows))
    assert finding.rule == "row.red_is_active"
    assert "colour=red" in finding.examples[0]
    assert "active=False" in finding.examples[0]


def test_a_table_rule_has_its_own_level() -> None:
    rows = good_rows()
    rows["things"][3]["town"] = "elsewhere"
    (finding,) = findings = validate_tables(SAMPLE, as_tables(rows))
    assert (finding.level, finding.rule, finding.count) == ("warning", "table.one_town_per_owner", 1)
    assert finding.examples == ("owner_id=10",)
    assert findings.ok


def test_a_table_rule_that_cannot_run_is_a_finding() -> None:
    rule = TableRule(name="odd", sql="SELECT nothing FROM accounts", meaning="m")
    schema = replace(BANK, tables=(PAYMENTS, replace(ACCOUNTS, table_rules=(rule,)), RATINGS))
    tables = {name: pa.concat_tables(parts) for name, parts in bank().items()}
    (finding,) = validate_tables(schema, tables)
    assert finding.rule == "table.odd"
    assert "cannot be run" in finding.message


def test_columns_missing_unexpected_or_of_another_type_are_found() -> None:
    tables = {name: pa.concat_tables(parts) for name, parts in bank().items()}
    payments = tables["payments"]
    amounts = pc.cast(payments.column("amount_minor"), pa.float64())
    odd = payments.drop_columns(["payee_id", "amount_minor"]).append_column("amount_minor", amounts)
    odd = odd.append_column("surprise", payments.column("amount_minor"))
    assert sorted(rules(validate_tables(BANK, tables | {"payments": odd}))) == [
        ("schema.extra_column", "payments", "surprise", 1),
        ("schema.missing_column", "payments", "payee_id", 1),
        ("schema.type", "payments", "amount_minor", 1),
    ]


def test_tables_missing_or_unexpected_are_found() -> None:
    tables = {name: pa.concat_tables(parts) for name, parts in bank().items()}
    tables["surprise"] = tables.pop("ratings")
    assert {(found.rule, found.table) for found in validate_tables(BANK, tables)} == {
        ("schema.missing_table", "ratings"),
        ("schema.extra_table", "surprise"),
    }


def test_empty_tables_are_good_tables() -> None:
    tables = {table.name: arrow_schema(table).empty_table() for table in SAMPLE.tables}
    assert validate_tables(SAMPLE, tables) == ()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    path.write_bytes(bytes(content))


def removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [truncated, emptied, garbled, removed])
@pytest.mark.parametrize("keyspace", [KEYS, None], ids=["key space", "no key space"])
@pytest.mark.parametrize("name", BANK.names)
def test_a_damaged_parquet_file_is_a_finding(
    damage: Any, keyspace: KeySpace | None, name: str, tmp_path: Path
) -> None:
    files = written(bank(), tmp_path)
    damage(files[name][1])
    findings = validate_files(BANK, files, keyspace=keyspace)
    rule = "file.missing" if damage is removed else "file.damaged"
    assert rules(findings) == [(rule, name, None, 1)]
    assert findings[0].examples == (str(files[name][1]),)


@pytest.mark.parametrize("name", BANK.names)
def test_all_files_of_a_table_may_be_damaged(name: str, tmp_path: Path) -> None:
    files = written(bank(), tmp_path)
    for path in files[name]:
        truncated(path)
    assert rules(validate_files(BANK, files, keyspace=KEYS)) == [("file.damaged", name, None, PARTS)]


def test_words_that_are_no_numbers_are_found_in_text_files(tmp_path: Path) -> None:
    files = written(bank(), tmp_path, "csv")
    lines = files["payments"][0].read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace(',1,"', ',1.5,"')
    files["payments"][0].write_text("".join(lines))
    findings = validate_files(BANK, files, keyspace=KEYS)
    assert rules(findings) == [("value.type", "payments", "amount_minor", 1)]
    assert "amount_minor=1.5" in findings[0].examples[0]


def test_lines_cut_off_or_with_other_columns_are_found(tmp_path: Path) -> None:
    files = written(bank(), tmp_path, "csv")
    with files["accounts"][0].open("a") as lines:
        lines.write("1,2,3\n")
    assert rules(validate_files(BANK, files)) == [("file.damaged", "accounts", None, 1)]
    (tmp_path / "other").mkdir()
    files = written(bank(), tmp_path / "other", "jsonl")
    with files["accounts"][0].open("a") as lines:
        lines.write('{"account_id": "12')
    assert rules(validate_files(BANK, files)) == [("file.damaged", "accounts", None, 1)]


def test_findings_are_json() -> None:
    tables = {name: pa.concat_tables(parts) for name, parts in bank().items()}
    found = json.loads(validate_tables(BANK, tables | {"accounts": tables["accounts"].slice(1)}).to_json())
    assert found[0]["rule"] == "reference.missing"


def test_a_column_in_another_file_may_have_another_type(tmp_path: Path) -> None:
    files = written(bank(), tmp_path)
    table = pq.read_table(files["payments"][2])
    wide = table.set_column(3, "amount_minor", pc.cast(table.column("amount_minor"), pa.string()))
    pq.write_table(wide, files["payments"][2])
    findings = validate_files(BANK, files, keyspace=KEYS)
    assert rules(findings) == [("schema.type", "payments", "amount_minor", 1)]
    assert findings[0].examples == (str(files["payments"][2]),)


PEAK = """
import resource, sys
from pathlib import Path
from rarecase.common.validate import validate_files
from tests.common.test_validate import BANK, keys_of
place, parts, block = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
files = {name: sorted((place / name).iterdir()) for name in BANK.names}
assert validate_files(BANK, files, keyspace=keys_of(parts, block)) == ()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_stays_flat_as_the_data_grow(tmp_path: Path) -> None:
    """Four times the rows (0.3 to 1.2 million per table) take nearly the same memory."""
    peaks, block = [], 50_000
    for parts in (6, 24):
        place = tmp_path / str(parts)
        place.mkdir()
        written(bank(parts, block), place)
        command = [sys.executable, "-c", PEAK, str(place), str(parts), str(block)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.2, f"peak memory in MB: {peaks}"
