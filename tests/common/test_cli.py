"""The command line: every command, its exit codes, what it says to people and to programs."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import rarecase
from rarecase.cli import main
from rarecase.cli.wishes import override
from rarecase.common import validate as validation
from rarecase.common.errors import Finding, Findings, InputError

SMALL = ("--size", "60", "--set", "block=20")
COMMANDS = (
    "domains cases schema spec plan generate export validate evaluate report trace verify detect".split()  # noqa: SIM905
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line here: exit code, standard output, standard error."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "hotel"
    assert main(["generate", "toy", "-o", str(path), *SMALL]) == 0
    return path


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "rarecase", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


# Asking


def test_help_names_every_command_and_comes_quickly() -> None:
    process("--help")
    begun = os.times()
    told = process("--help")
    ended = os.times()
    used = ended.children_user + ended.children_system - begun.children_user - begun.children_system
    assert used < 0.6  # CPU time, whatever else the machine does; 0.2 s where this was written
    assert told.returncode == 0
    assert all(re.search(rf"\b{command}\b", told.stdout) for command in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rarecase.cli import main; main(['--help']);"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'duckdb', 'numba', 'scipy', 'sklearn', 'dask', 'faker'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Any, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Usage: rarecase" in out


def test_version(run: Any) -> None:
    assert run("--version") == (0, f"rarecase {rarecase.__version__}\n", "")


def test_spec_is_commented_and_loads(run: Any, tmp_path: Path) -> None:
    code, out, _ = run("spec", "toy")
    assert code == 0
    assert out.startswith("#")
    (tmp_path / "spec.yaml").write_text(out)
    assert rarecase.load_spec(tmp_path / "spec.yaml").domain == "toy"


def test_schema_of_a_spec_is_json_schema(run: Any) -> None:
    import jsonschema

    schema = json.loads(run("spec", "toy", "--schema")[1])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "cases" in schema["properties"]


def test_schema_in_every_form(run: Any) -> None:
    assert json.loads(run("schema", "toy", "--as", "json")[1])["$schema"].endswith("2020-12/schema")
    assert "# Tables of toy" in run("schema", "toy", "--as", "md")[1]
    assert "nights\t4\tnight_id\t" in run("schema", "toy")[1]
    for dialect in ("duckdb", "sqlite", "postgresql"):
        assert "CREATE TABLE" in run("schema", "toy", "--as", "sql", "--dialect", dialect)[1]


def test_cases_and_their_natural_rates(run: Any) -> None:
    told = {item["kind"]: item for item in json.loads(run("cases", "toy", "--json")[1])}
    assert told["visit"]["natural"]["value"] == 0.02
    assert told["decoy"]["is_case"] is False
    assert "toy\tvisit\tcase\tAn unplanned visit\t0.02 per entity-year (expert)" in run("cases", "toy")[1]


def test_one_kind_is_shown_in_full(run: Any) -> None:
    told = json.loads(run("cases", "toy", "visit", "--json")[1])
    assert told["options"]["difficulty"]["default"] == 0.5
    code, out, _ = run("cases", "toy", "decoy")
    assert code == 0
    assert "(look-alike, no case)" in out
    code, _, err = run("cases", "toy", "vist")
    assert code == 2
    assert "Did you mean 'visit'?" in err


def test_plan_counts_what_would_be_made(run: Any) -> None:
    told = json.loads(run("plan", "toy", *SMALL, "--json")[1])
    assert (told["size"], told["parts"]) == (60, 3)
    assert {item["name"]: item["planted"] for item in told["cases"]} == {"visit": 5, "ring": 3, "decoy": 4}
    assert run("plan", "toy", *SMALL)[1].startswith("name\tkind\tplanted")


# Making


def test_generate_is_quiet_in_a_pipe(run: Any, tmp_path: Path) -> None:
    assert run("generate", "toy", "-o", tmp_path / "set", *SMALL) == (0, "", "")
    assert rarecase.open(tmp_path / "set").manifest["rows"] > 300


def test_generate_tells_programs(run: Any, tmp_path: Path) -> None:
    told = json.loads(run("generate", "toy", "-o", tmp_path / "set", *SMALL, "--twin", "--json")[1])
    assert told["cases"] == 12
    assert told["total_rows"] == sum(told["rows"].values())
    assert rarecase.open(tmp_path / "set").twin is not None


def test_generate_from_a_file_equals_generate_from_the_domain(run: Any, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(run("spec", "toy")[1])
    assert run("generate", tmp_path / "spec.yaml", "-o", tmp_path / "a", *SMALL)[0] == 0
    assert run("generate", "toy", "-o", tmp_path / "b", *SMALL, "--workers", "2", "--format", "csv")[0] == 0
    assert rarecase.open(tmp_path / "a").digests == rarecase.open(tmp_path / "b").digests


def test_options_reach_the_spec(run: Any, tmp_path: Path) -> None:
    words = ("--seed", "7", "--size", "50", "--set", "cases[0].count=2", "--set", "start=2026-02-03")
    assert run("generate", "toy", "-o", tmp_path / "set", *words)[0] == 0
    spec = rarecase.open(tmp_path / "set").spec
    assert (spec.seed, spec.size, spec.cases[0].count, str(spec.start)) == (7, 50, 2, "2026-02-03")


def test_an_existing_target_is_an_error_until_told_otherwise(run: Any, tmp_path: Path) -> None:
    words = ("generate", "toy", "-o", tmp_path / "set", *SMALL)
    assert run(*words)[0] == 0
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "--overwrite" in err
    assert run(*words, "--overwrite")[0] == 0
    assert run(*words, "--resume")[0] == 0


def test_export_names_the_nearest_format(run: Any, written: Path, tmp_path: Path) -> None:
    code, _, err = run("export", written, "--as", "databse", "-o", tmp_path / "x")
    assert code == 2
    assert "Did you mean 'database'?" in err


def test_export_to_a_database(run: Any, written: Path, tmp_path: Path) -> None:
    address = f"duckdb:///{tmp_path / 'hotel.duckdb'}"
    code, out, _ = run("export", written, "--as", "database", "-o", address, "--json")
    assert code == 0
    assert json.loads(out)["rows"] == rarecase.open(written).manifest["rows"]
    assert run("verify", address)[0] == 0


def test_a_database_of_several_domains_is_asked_by_name(run: Any, written: Path, tmp_path: Path) -> None:
    address = f"duckdb:///{tmp_path / 'both.duckdb'}"
    assert run("export", written, "--as", "database", "-o", address)[0] == 0
    finance = ("generate", "finance", "-o", address, "--size", "300", "--set", "days=40", "--set", "cases=[]")
    assert run(*finance)[0] == 0
    code, _, err = run("verify", address)
    assert code == 2
    assert "It holds finance, toy. Choose one by its domain: `--domain NAME`." in err
    for command in ("validate", "verify", "evaluate"):
        assert run(command, address, "--domain", "toy")[0] == 0
    assert run("report", address, "--domain", "toy", "-o", tmp_path / "report.html")[0] == 0
    again = f"sqlite:///{tmp_path / 'again.db'}"
    assert run("export", address, "--domain", "toy", "--as", "database", "-o", again)[0] == 0
    assert rarecase.open(again).digests == rarecase.open(written).digests
    assert run("validate", address, "--domain", "automotive")[0] == 2
    assert "the domain of the set" in run("validate", written, "--domain", "finance")[2]


def test_the_twin_is_asked_for(run: Any, tmp_path: Path) -> None:
    assert run("generate", "toy", "-o", tmp_path / "set", *SMALL, "--twin")[0] == 0
    assert run("evaluate", tmp_path / "set", "--twin")[0] == 0
    assert run("report", tmp_path / "set", "--twin", "-o", tmp_path / "twin.html")[0] == 0
    assert "No cases" in (tmp_path / "twin.html").read_text()


# Checking


def test_kinds_that_could_not_be_tested_for_leaks_are_counted(run: Any, written: Path) -> None:
    closing = run("validate", written)[1].splitlines()[-1]
    assert re.search(r"; NOT testable for leaks: \d kinds? \(.*visit.*\)$", closing)
    assert "visit" in json.loads(run("validate", written, "--json")[1])["not_testable_for_leaks"]


def test_validate_finds_nothing_and_says_so(run: Any, written: Path) -> None:
    code, out, err = run("validate", written)
    assert (code, err) == (0, "")
    assert "0 errors" in out
    told = json.loads(run("validate", written, "--json")[1])
    assert told["ok"] is True


def test_findings_exit_with_one(run: Any, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Findings([Finding("error", "toy.rule", "nights", "price_minor", 3, "too dear", ("night 1",))])
    monkeypatch.setattr(validation, "validate", lambda dataset: found)
    code, out, _ = run("validate", written)
    assert code == 1
    assert "error\ttoy.rule\tnights.price_minor\t3\ttoo dear; e.g. night 1" in out
    code, out, _ = run("validate", written, "--json")
    assert code == 1
    assert json.loads(out)["findings"][0]["rule"] == "toy.rule"


def test_a_damaged_file_is_found(run: Any, tmp_path: Path) -> None:
    assert run("generate", "toy", "-o", tmp_path / "set", *SMALL)[0] == 0
    victim = next((tmp_path / "set" / "nights").glob("*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-9])
    for command in ("validate", "verify"):
        code, out, err = run(command, tmp_path / "set")
        assert (code, err) == (1, "")
        assert victim.name in out


def test_verify_regenerates(run: Any, written: Path) -> None:
    code, out, _ = run("verify", written, "--regenerate", "--json")
    assert code == 0
    assert json.loads(out)["ok"] is True


def test_evaluate_sets_measures_beside_published_ones(run: Any, written: Path) -> None:
    code, out, _ = run("evaluate", written)
    assert code == 0
    assert out.splitlines()[1].startswith("price\t")
    assert json.loads(run("evaluate", written, "--json")[1])["measures"][0]["name"] == "price"


def test_a_measure_outside_its_range_exits_with_one(
    run: Any, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from rarecase.common.evaluate import evaluation

    judged = evaluation.evaluate(rarecase.open(written))
    off = replace(judged.measures[0], low=0.0, high=1.0, evidence="observed")
    monkeypatch.setattr(evaluation, "evaluate", lambda *_: replace(judged, measures=(off,)))
    code, out, _ = run("evaluate", written)
    assert code == 1
    assert "OUTSIDE" in out


def test_evaluate_beside_real_rows(run: Any, written: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = rarecase.open(written).table("nights")
    pq.write_table(rows, tmp_path / "real.parquet")
    words = ("evaluate", written, "--real", tmp_path / "real.parquet", "--table", "nights")
    code, out, _ = run(*words, "--target", "price_minor", "--json")
    assert code == 0
    assert {"KSComplement", "C2ST", "TSTR", "IMS"} <= {
        item["metric"] for item in json.loads(out)["comparison"]["scores"]
    }
    code, _, err = run(*words, "--target", "price")
    assert code == 2
    assert err.startswith("--target=price: expected")
    assert run(*words)[0] == 2


def test_report_writes_one_page(run: Any, written: Path, tmp_path: Path) -> None:
    assert run("report", written, "-o", tmp_path / "report.html")[0] == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert run("report", written, "-o", tmp_path / "report.html")[0] == 2


def test_a_case_is_traced(run: Any, written: Path) -> None:
    case = rarecase.open(written).frame("cases").iloc[0]
    told = json.loads(run("trace", written, case["case_id"], "--json")[1])
    assert (told["case_id"], told["kind"]) == (str(case["case_id"]), case["kind"])
    times = [step["at"] for step in told["steps"] if step["at"]]
    assert times == sorted(times)
    assert any(step["row"] for step in told["steps"])
    assert case["story"] in run("trace", written, case["case_id"])[1]
    assert run("trace", written, "1")[0] == 2


def test_detect_recognises_its_own(run: Any, written: Path, tmp_path: Path) -> None:
    code, out, _ = run("detect", next((written / "nights").glob("*.parquet")), "--json")
    assert code == 0
    told = json.loads(out)
    assert told["synthetic"] is True
    assert {"locks", "p_value"} <= set(told)
    (tmp_path / "other.csv").write_text("a,b\n" + "\n".join(f"{n},{n * 7}" for n in range(50)))
    assert json.loads(run("detect", tmp_path / "other.csv", "--json")[1])["synthetic"] is not True


def _on_a_terminal(*words: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rarecase", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # Linux ends a terminal by an error
            while piece := os.read(ours, 65_536):
                told += piece
    os.close(ours)
    return child.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.decode())


def test_a_terminal_sees_progress_tables_and_findings(tmp_path: Path) -> None:
    code, told = _on_a_terminal("generate", "toy", "-o", str(tmp_path / "set"), *SMALL, "--twin")
    assert code == 0
    assert "parts of the main world" in told
    assert "parts of the twin world" in told
    assert "rows/s" in told
    code, told = _on_a_terminal("validate", str(tmp_path / "set"))
    assert code == 0
    assert "note  leak.untestable" in told
    assert "0 errors" in told
    assert "Measures beside" in _on_a_terminal("evaluate", str(tmp_path / "set"))[1]


# What is wrong


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "toi"), "DOMAIN|SPEC=toi: expected a domain"),
        (("schema", "toi"), "Did you mean 'toy'?"),
        (
            ("spec", "toy", "--example", "defalt"),
            "--example=defalt: expected one of default. Did you mean 'default'?",
        ),
        (("plan", "toy", "--set", "cases[0].count=-5"), "cases[0].count=-5: expected"),
        (("plan", "toy", "--set", "days=-1"), "days=-1: expected"),
        (("plan", "toy", "--set", "sise=4"), "Did you mean 'size'?"),
        (("plan", "toy", "--set", "cases[0].kind=visitt"), "cases[0].kind=visitt"),
        (("plan", "toy", "--set", "cases[9].count=1"), "cases[9].count"),
        (
            ("plan", "toy", "--set", "cases.count=1"),
            "cases.count=1: expected a number in brackets before 'count'",
        ),
        (("plan", "toy", "--set", "seed.x=1"), "seed.x=1: expected no step 'x' below a plain value"),
        (("plan", "toy", "--set", "[0]=1"), "--set=[0]: expected a path"),
        (("plan", "toy", "--set", "size"), "--set=size: expected path=value"),
        (("plan", "toy", "--set", "size=[1"), "size="),
        (("plan", "toy", "--set", "size=!!python/object:os.system 1"), "size="),
        (("plan", "toy", "--set", "cases[0].count=5000"), "cases[0].count=5000: expected no more than"),
        (("validate", "nowhere"), "nowhere"),
        (("generate", "toy", "-o", "oracle://x/y"), "target="),
        (("generate", "toy", "-o", "x", "--resume", "--overwrite"), "not both"),
        (("generate", "toy", "-o", ""), "target=''"),
        (("generate", "toy", "-o", "sqlite:x.db"), "target=sqlite:x.db"),
        (
            ("generate", "toy", "-o", "sqlite:///x.db", "--format", "csv"),
            "--format=csv: expected no --format",
        ),
        (("validate", "a.db"), "A database? Write sqlite:///a.db"),
        (("validate", "/nowhere/a.duckdb"), "A database? Write duckdb:////nowhere/a.duckdb"),
        (("validate", __file__), "expected a directory, or the address of a database"),
        (("detect", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_wrong_input_exits_with_two_and_says_where(run: Any, words: tuple[str, ...], said: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words", [("nonsense",), ("plan",), ("plan", "toy", "--size", "many"), ("generate", "toy")]
)
def test_wrong_usage_exits_with_two(run: Any, words: tuple[str, ...]) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert err


def test_a_fault_of_ours_is_one_line_and_exit_three(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rarecase.common import plan

    def broken(_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(plan, "make_plan", broken)
    code, out, err = run("plan", "toy")
    assert (code, out) == (3, "")
    assert err == "ZeroDivisionError: division by zero (a fault of ours; RARECASE_DEBUG=1 shows where)\n"
    monkeypatch.setenv("RARECASE_DEBUG", "1")
    assert "Traceback" in run("plan", "toy")[2]


def test_a_reader_that_goes_away_is_no_fault() -> None:
    script = (
        f"{sys.executable} -m rarecase schema toy --as md | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}"
    )
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] in ("0", "141")
    assert told.stderr == ""


# Changing a spec


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("a=1", {"a": 1, "list": [{"n": 1}]}),
        ("a=1.5", {"a": 1.5, "list": [{"n": 1}]}),
        ("a=yes it is", {"a": "yes it is", "list": [{"n": 1}]}),
        ("a=null", {"a": None, "list": [{"n": 1}]}),
        ("a=x=y", {"a": "x=y", "list": [{"n": 1}]}),
        ("new.deep.er=true", {"a": 0, "list": [{"n": 1}], "new": {"deep": {"er": True}}}),
        ("list[0].n=2", {"a": 0, "list": [{"n": 2}]}),
        ("list[1]={n: 3}", {"a": 0, "list": [{"n": 1}, {"n": 3}]}),
        ("fresh[0]=1", {"a": 0, "list": [{"n": 1}], "fresh": [1]}),
    ],
)
def test_set(change: str, expected: dict[str, Any]) -> None:
    raw: dict[str, Any] = {"a": 0, "list": [{"n": 1}]}
    override(raw, change)
    assert raw == expected


@pytest.mark.parametrize(
    "change", ["list[2]=1", "a[0]=1", "list.n=1", "a..b=1", "a.=1", ".a=1", "=1", "a b=1"]
)
def test_set_refuses(change: str) -> None:
    with pytest.raises(InputError):
        override({"a": 0, "list": [{"n": 1}]}, change)


# Completing


def _completions(line: str) -> list[str]:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    return process(_RARECASE_COMPLETE="complete_bash", **words).stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rarecase eval", ["evaluate"]),
        ("rarecase schema to", ["toy"]),
        ("rarecase plan to", ["toy"]),
        ("rarecase spec toy --example d", ["default"]),
        ("rarecase generate toy --format j", ["jsonl"]),
        ("rarecase generate toy --engine d", ["dask"]),
        ("rarecase export here --as camt", ["camt.053"]),
        ("rarecase export here --as datab", ["database"]),
        ("rarecase validate x --domain to", ["toy"]),
    ],
)
def test_the_shell_completes(line: str, expected: list[str]) -> None:
    assert _completions(line) == expected


def test_the_shell_is_told_how() -> None:
    told = process("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert told.returncode == 0
    assert "_RARECASE_COMPLETE=complete_bash" in told.stdout
