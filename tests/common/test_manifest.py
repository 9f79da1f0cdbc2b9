"""The manifest and the papers beside it: what they say, who signed it, whether it still holds."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rarecase.common import manifest as sealed
from rarecase.common.dataset import open as open_dataset
from rarecase.common.errors import DatasetError, InputError
from rarecase.common.provenance import signing
from rarecase.common.provenance.croissant import croissant
from rarecase.common.reread import reread
from rarecase.common.run import generate
from rarecase.common.sinks.files import cut, hash_file
from rarecase.common.validate import validate
from rarecase.common.verify import verify
from tests.common.killpoints import contents, spec

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("made") / "set"
    generate(spec(1), target, twin=True)
    return target


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A set that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "set"))


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_the_manifest_names_every_file_and_its_hash(made: Path) -> None:
    manifest = _read(made / "manifest.json")
    listed = {file["path"]: file for file in (*manifest["files"], *manifest["documents"])}
    for path, file in listed.items():
        assert hash_file(made / path) == (file["sha256"], file["bytes"])
    found = {name for name in contents(made) if not name.startswith("twin/")}
    assert found == {*listed, "manifest.json"}
    rows: dict[str, int] = {}
    for file in manifest["files"]:
        rows[file["table"]] = rows.get(file["table"], 0) + file["rows"]
    assert rows == {name: table["rows"] for name, table in manifest["tables"].items()}


def test_the_manifest_says_what_from_what(made: Path) -> None:
    manifest = _read(made / "manifest.json")
    assert manifest["spec"] == spec(1).model_dump(mode="json")
    assert manifest["cases"]["visit"]["planted"] == 2
    assert manifest["cases"]["visit"]["in_nature"] > 0
    assert manifest["lineage"] == {"max_synthetic_share": 1.0, "parents": []}
    assert set(manifest["lock"]) >= {"python", "numpy", "pyarrow", "numba"}
    twin = _read(made / "twin" / "manifest.json")
    assert manifest["twin"] == {"logical": twin["logical"], "plan": twin["plan"]}
    assert twin["cases"] == {}
    assert twin["world"] == "twin"
    assert sealed.canonical(manifest) == (made / "manifest.json").read_bytes()


def test_the_manifest_knows_no_clock_no_host_and_no_workers(made: Path) -> None:
    text = (made / "manifest.json").read_text() + (made / "croissant.json").read_text()
    text += (made / "DATACARD.md").read_text()
    assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", text)
    assert str(made) not in text
    assert not re.search(r"\b(worker|second|host|duration)", text)
    log = _read(made / "run.log.json")
    assert {"begun_at", "seconds", "workers", "platform", "engine", "mode"} <= set(log)


def test_a_set_that_holds_has_no_findings(made: Path) -> None:
    assert verify(made) == ()
    assert verify(made, regenerate=True) == ()


def _rules(path: Path | str, **how: Any) -> dict[str, str]:
    return {finding.rule: finding.level for finding in verify(path, **how)}


def test_damage_is_found(copy: Path) -> None:
    file = copy / "nights" / "part-00000.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    (copy / "twin" / "guests" / "part-00001.parquet").unlink()
    (copy / "nights" / "part-00002.parquet").write_bytes(b"")
    (copy / "notes.txt").write_text("mine")
    (copy / "DATACARD.md").write_text("Real data, honestly.")
    findings = verify(copy)
    assert sorted((finding.rule, finding.examples[0].rpartition("/")[2]) for finding in findings) == [
        ("manifest.hash", "DATACARD.md"),
        ("manifest.hash", "part-00000.parquet"),
        ("manifest.missing", "part-00001.parquet"),
        ("manifest.unexpected", "notes.txt"),
        ("manifest.unexpected", "part-00002.parquet"),
    ]
    assert [finding.level for finding in findings].count("warning") == 1
    assert not findings.ok


def _forge(path: Path, **entries: Any) -> None:
    manifest = _read(path / "manifest.json")
    (path / "manifest.json").write_bytes(sealed.canonical({**manifest, **entries}))


def test_a_forged_digest_is_found(copy: Path) -> None:
    tables = _read(copy / "manifest.json")["tables"]
    _forge(copy, tables={**tables, "nights": {**tables["nights"], "logical": "0" * 64}})
    assert _rules(copy) == {"manifest.logical": "error", "manifest.entry": "error"}
    assert _rules(copy, regenerate=True)["again.logical"] == "error"


def _cheaper(path: Path, form: str = "parquet") -> None:
    """Half the prices of one part, and write its hash into the manifest."""
    file = path / "nights" / f"part-00000.{form}"
    table = pq.read_table(file)
    price = pc.divide(table["price_minor"], pa.scalar(2, table["price_minor"].type))
    pq.write_table(table.set_column(table.column_names.index("price_minor"), "price_minor", price), file)
    digest, length = hash_file(file)
    files = _read(path / "manifest.json")["files"]
    for entry in files:
        if entry["path"] == f"nights/{file.name}":
            entry.update(sha256=digest, bytes=length)
    _forge(path, files=files)


def test_an_edit_with_its_hash_in_the_manifest_is_found_by_its_rows(copy: Path) -> None:
    _cheaper(copy)
    rules = _rules(copy)
    assert rules["manifest.logical"] == "error"
    assert "manifest.hash" not in rules
    # With the digest forged as well, only making it again tells.
    found = reread(open_dataset(copy), ["nights"])["nights"]
    assert found is not None
    tables = {**_read(copy / "manifest.json")["tables"], "nights": found.entry}
    _forge(copy, tables=tables, logical=sealed.tables_digest(tables))
    assert "manifest.logical" not in _rules(copy)
    assert _rules(copy, regenerate=True)["again.logical"] == "error"


def test_other_bytes_of_the_same_rows_are_a_warning(copy: Path) -> None:
    file = copy / "nights" / "part-00000.parquet"
    pq.write_table(pq.read_table(file), file, compression="none")
    digest, length = hash_file(file)
    files = _read(copy / "manifest.json")["files"]
    for entry in files:
        if entry["path"] == "nights/part-00000.parquet":
            entry.update(sha256=digest, bytes=length)
    _forge(copy, files=files)
    rules = _rules(copy, regenerate=True)
    assert rules["again.bytes"] == "warning"
    assert not {"manifest.logical", "again.logical", "manifest.hash"} & set(rules)


def _changed(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    here: Any = manifest
    *steps, last = path.split(".")
    for step in steps:
        here = here[int(step)] if step.isdigit() else here[step]
    assert here[last] != value
    here[last] = value
    return manifest


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("plan", "0" * 64, "manifest.entry"),
        ("seed", 9, "manifest.entry"),
        ("parts", 3, "manifest.entry"),
        ("schema.digest", "0" * 64, "manifest.entry"),
        ("schema.version", "9", "manifest.entry"),
        ("synthetic", False, "manifest.entry"),
        ("world", "twin", "manifest.entry"),
        ("with_twin", False, "manifest.entry"),
        ("cases.visit.planted", 41, "manifest.entry"),
        ("cases.visit.in_nature", 1.0, "manifest.entry"),
        ("cases.visit.natural.source", "hearsay", "manifest.entry"),
        ("strata.0.weight", 2.0, "manifest.entry"),
        ("lineage.max_synthetic_share", 0.5, "manifest.entry"),
        ("marks.identifiers", "other", "manifest.entry"),
        ("rows", 1, "manifest.entry"),
        ("logical", "0" * 64, "manifest.entry"),
        ("tables.nights.rows", 1, "manifest.rows"),
        ("tables.nights.part_rows", [1, 2], "manifest.logical"),
        ("files.0.rows", 10**6, "manifest.files"),
        ("documents.0.sha256", "0" * 64, "manifest.document"),
        ("twin.plan", "0" * 64, "twin.other"),
        ("spec.seed", 7, "manifest.entry"),
        ("rarecase", "x", "again.versions"),
    ],
)
def test_no_entry_can_be_edited_unseen(copy: Path, path: str, value: Any, rule: str) -> None:
    manifest = _changed(_read(copy / "manifest.json"), path, value)
    (copy / "manifest.json").write_bytes(sealed.canonical(manifest))
    assert rule in _rules(copy, regenerate=rule.startswith("again"))


def test_a_document_that_says_something_else_is_found_though_its_hash_is_listed(copy: Path) -> None:
    card = copy / "DATACARD.md"
    card.write_text(card.read_text().replace("synthetic", "real"))
    digest, length = hash_file(card)
    listed = _read(copy / "manifest.json")["documents"]
    for entry in listed:
        if entry["path"] == card.name:
            entry.update(sha256=digest, bytes=length)
    _forge(copy, documents=listed)
    assert _rules(copy) == {"manifest.document": "error"}


_MANGLED: list[Any] = [
    b"", b"[]", b"null", b"{}", b'{"manifest": 1}', b"\xff\xfe", b"[" * 100_000, b'{"manifest": "1"}',
]  # fmt: skip
_MISSHAPEN = [
    ("tables", "x"), ("files", None), ("files", [{"path": "x"}]), ("spec", []), ("lock", 3), ("twin", "x"),
    ("cases", {"visit": 3}), ("strata", "x"), ("synthetic", "x"), ("plan", "x"), ("schema", "x"),
    ("storage", "x"), ("world", "x"), ("rows", -1), ("seed", "x"), ("documents", {}), ("marks", 1),
    ("domain", "nowhere"), ("domain", "finance"), ("extra", 1), ("tables", {}), ("storage", "csv"),
    ("storage", "duckdb"), ("parts", 0),
]  # fmt: skip


@pytest.mark.parametrize("content", _MANGLED)
def test_a_mangled_manifest_is_refused_in_words(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        verify(copy)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("entry", "value"), _MISSHAPEN)
def test_a_misshapen_manifest_is_refused_in_words(copy: Path, entry: str, value: Any) -> None:
    _forge(copy, **{entry: value})
    with pytest.raises(InputError) as caught:
        open_dataset(copy)
    assert caught.value.exit_code == 2
    assert "manifest" in str(caught.value)


def test_a_manifest_without_an_entry_is_refused_in_words(copy: Path) -> None:
    manifest = _read(copy / "manifest.json")
    for name in manifest:
        less = {entry: value for entry, value in manifest.items() if entry not in (name, "documents")}
        (copy / "manifest.json").write_bytes(sealed.canonical(less))
        if name != "documents":
            with pytest.raises(DatasetError):
                open_dataset(copy)


@pytest.mark.parametrize("listed", ["files", "documents"])
@pytest.mark.parametrize(
    "path", ["../../../../etc/passwd", "/etc/passwd", "nights/../../x", "..", "nights\\x", "C:/x", "", "a\0b"]
)
def test_no_path_leads_out_of_the_set(copy: Path, listed: str, path: str) -> None:
    entries = _read(copy / "manifest.json")[listed]
    entries[0]["path"] = path
    _forge(copy, **{listed: entries})
    with pytest.raises(DatasetError, match="path"):
        open_dataset(copy)


def test_a_vanished_twin_is_missed(copy: Path) -> None:
    (copy / "twin" / "manifest.json").rename(copy / "elsewhere.json")
    assert _rules(copy)["twin.missing"] == "error"
    shutil.rmtree(copy / "twin")
    (copy / "elsewhere.json").unlink()
    assert _rules(copy) == {"twin.missing": "error"}
    assert "twin" in {finding.message.partition(":")[0] for finding in validate(open_dataset(copy)).errors}


def test_the_twin_of_another_set_is_found(copy: Path, tmp_path: Path) -> None:
    generate(spec(2), tmp_path / "other", twin=True)
    shutil.rmtree(copy / "twin")
    shutil.copytree(tmp_path / "other" / "twin", copy / "twin")
    assert _rules(copy) == {"twin.other": "error", "twin.spec": "error"}


def test_a_twin_that_no_manifest_vouches_for_is_unexpected(copy: Path) -> None:
    _forge(copy, twin=None, with_twin=False)
    assert _rules(copy)["manifest.unexpected"] == "warning"


def test_nothing_is_left_of_making_it_again(made: Path) -> None:
    verify(made, regenerate=True)
    assert [path.name for path in made.parent.iterdir()] == ["set"]


def test_what_is_not_whole_cannot_be_verified(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    with pytest.raises(DatasetError, match="--resume"):
        verify(copy)


@pytest.fixture(params=["duckdb", "sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Callable[[str], None]]]:
    """The address of a loaded set, and how to change it behind our back."""
    if request.param == "duckdb":
        address = f"duckdb:///{tmp_path}/stay.duckdb"

        def change(statement: str) -> None:
            with duckdb.connect(str(tmp_path / "stay.duckdb")) as connection:
                connection.execute(statement)

    elif request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/file.db"

        def change(statement: str) -> None:
            with closing(sqlite3.connect(tmp_path / "file.db")) as connection:
                connection.execute(statement.replace("toy.", "toy_"))
                connection.commit()

    else:
        psycopg = pytest.importorskip("psycopg")
        address = request.getfixturevalue("postgres_address")

        def change(statement: str) -> None:
            with psycopg.connect(address) as connection:
                connection.execute(statement)

    generate(spec(1), address, twin=True, overwrite=request.param == "postgresql")
    yield address, change
    if request.param == "postgresql":
        change("DROP SCHEMA IF EXISTS toy CASCADE")
        change("DROP SCHEMA IF EXISTS toy_twin CASCADE")


def test_the_rows_of_a_database_are_verified(database: tuple[str, Callable[[str], None]]) -> None:
    address, change = database
    assert verify(address, regenerate=True) == ()
    change("UPDATE toy.nights SET price_minor = price_minor + 1 WHERE night_id > 0")
    findings = {finding.rule: finding for finding in verify(address, regenerate=True)}
    assert set(findings) == {"manifest.logical", "again.logical"}
    rows = open_dataset(address).manifest["tables"]["nights"]["rows"]
    assert findings["again.logical"].count == 2 * rows
    change("UPDATE toy.nights SET price_minor = price_minor - 1")
    if not address.startswith("postgresql"):  # where an update moves rows to the end
        assert verify(address) == ()


def test_the_manifest_of_a_database_is_verified(database: tuple[str, Callable[[str], None]]) -> None:
    address, change = database
    swap = "UPDATE toy.rarecase_manifest SET content = replace(content, {}, {}) WHERE name = 'manifest.json'"
    change(swap.format("'\"planted\": 2'", "'\"planted\": 41'"))
    assert _rules(address) == {"manifest.entry": "error"}
    change(swap.format("'\"world\"'", "'\"word\"'"))
    with pytest.raises(DatasetError, match="whole manifest"):
        verify(address)


def test_a_vanished_twin_of_a_database_is_missed(database: tuple[str, Callable[[str], None]]) -> None:
    address, change = database
    change(
        "DROP TABLE toy_twin_rarecase_manifest"
        if "sqlite" in address
        else "DROP TABLE toy_twin.rarecase_manifest"
    )
    assert _rules(address) == {"twin.missing": "error"}
    assert open_dataset(address).table("nights").num_rows


@pytest.mark.parametrize("rows", [(), (3,), (0, 7, 0, 2), (50, 50), (100,)])
def test_slices_are_cut_where_they_are_asked_for(rows: tuple[int, ...]) -> None:
    pieces = [pa.table({"a": list(range(first, first + 10))}) for first in range(0, 60, 10)]
    found = list(cut(iter(pieces), rows, pieces[0].schema))
    assert [value for piece in found for value in piece["a"].to_pylist()] == list(range(60))
    there = [piece.num_rows for piece in found[: len(rows)]]
    assert there == [min(wanted, max(60 - sum(rows[:place]), 0)) for place, wanted in enumerate(rows)]


def test_a_database_is_counted_and_made_again(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/file.db"
    generate(spec(1), address, twin=True)
    assert verify(address, regenerate=True) == ()
    with sqlite3.connect(tmp_path / "file.db") as connection:
        connection.execute("DELETE FROM toy_labels")
    connection.close()
    assert {(finding.rule, finding.table) for finding in verify(address)} == {("manifest.rows", "labels")}
    with pytest.raises(InputError, match="only those are signed"):
        verify(address, tmp_path / "public.pem")


# Signatures


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key, as openssl writes them."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    _write_keys(ed25519.Ed25519PrivateKey.generate(), private, public)
    return private, public


def _write_keys(key: Any, private: Path, public: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form

    pem = form.Encoding.PEM
    private.write_bytes(key.private_bytes(pem, form.PrivateFormat.PKCS8, form.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(pem, form.PublicFormat.SubjectPublicKeyInfo))


def test_a_signed_set(tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = keys
    monkeypatch.setenv(signing.VARIABLE, str(private))
    signed, plain = tmp_path / "signed", tmp_path / "plain"
    generate(spec(1), signed, twin=True)
    monkeypatch.delenv(signing.VARIABLE)
    generate(spec(1), plain, twin=True)
    found, unsigned = contents(signed), contents(plain)
    envelopes = [found.pop(name) for name in ("manifest.dsse.json", "twin/manifest.dsse.json")]
    assert found == unsigned
    assert verify(signed, public) == ()
    assert _rules(signed) == {"signature.unchecked": "note"}
    assert _rules(plain, public_key=public) == {"signature.absent": "error"}
    envelope = json.loads(envelopes[0])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [
        {"name": "manifest.json", "digest": {"sha256": hash_file(signed / "manifest.json")[0]}}
    ]
    assert statement["predicate"]["buildDefinition"]["externalParameters"]["spec"]["seed"] == 1


def test_the_encoding_that_is_signed_is_that_of_dsse() -> None:
    # The published example of the DSSE protocol, with our payload type in its place.
    assert signing.pae(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_forged_signatures(tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = keys
    monkeypatch.setenv(signing.VARIABLE, str(private))
    target = tmp_path / "set"
    generate(spec(1), target)
    envelope = target / signing.ENVELOPE
    whole = envelope.read_bytes()
    stranger = tmp_path / "stranger.pem"
    _write_keys(ed25519.Ed25519PrivateKey.generate(), tmp_path / "their.pem", stranger)
    assert _rules(target, public_key=stranger) == {"signature.invalid": "error"}
    other = json.loads(whole)
    other["payload"] = base64.b64encode(
        base64.b64decode(other["payload"]).replace(b'"seed": 1', b'"seed": 2')
    ).decode()
    envelope.write_text(json.dumps(other))
    assert _rules(target, public_key=public) == {"signature.invalid": "error"}
    envelope.write_text(json.dumps({**json.loads(whole), "payloadType": "text/plain"}))
    assert _rules(target, public_key=public) == {"signature.subject": "error"}
    for damaged in (b"{", b"[]", b'{"payload": 1}', b'{"payload": "e30="}'):
        envelope.write_bytes(damaged)
        assert _rules(target, public_key=public) == {"signature.damaged": "error"}
    envelope.write_bytes(whole)
    manifest = _read(target / "manifest.json")
    (target / "manifest.json").write_bytes(sealed.canonical({**manifest, "seed": 7}))
    assert _rules(target, public_key=public) == {"signature.subject": "error", "manifest.entry": "error"}


def test_a_signing_that_was_cut_off_is_finished(
    made: Path, copy: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = keys
    monkeypatch.setenv(signing.VARIABLE, str(private))
    generate(spec(1), copy, twin=True, resume=True)
    assert (copy / signing.ENVELOPE).exists()
    assert {name: data for name, data in contents(copy).items() if "dsse" not in name} == contents(made)
    assert "signature.invalid" not in _rules(copy, public_key=public)


@pytest.mark.parametrize("content", [None, b"not a key", b"rsa"])
def test_a_key_that_cannot_sign_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    from cryptography.hazmat.primitives.asymmetric import x25519

    key = tmp_path / "key.pem"
    if content == b"rsa":
        _write_keys(x25519.X25519PrivateKey.generate(), key, tmp_path / "public.pem")
    elif content is not None:
        key.write_bytes(content)
    monkeypatch.setenv(signing.VARIABLE, str(key))
    with pytest.raises(InputError, match=r"RARECASE_SIGNING_KEY=.*Ed25519.*without a password"):
        generate(spec(1), tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_openssl_agrees(tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A second implementation of Ed25519 accepts the signature, where there is one."""
    private, public = keys
    monkeypatch.setenv(signing.VARIABLE, str(private))
    generate(spec(1), tmp_path / "set")
    envelope = _read(tmp_path / "set" / signing.ENVELOPE)
    (tmp_path / "message").write_bytes(signing.pae(base64.b64decode(envelope["payload"])))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    if shutil.which("openssl") is None:
        return
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    command += ["-in", str(tmp_path / "message"), "-sigfile", str(tmp_path / "signature")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


# Papers


def test_croissant_names_every_table_field_and_file(made: Path) -> None:
    manifest, told = _read(made / "manifest.json"), _read(made / "croissant.json")
    assert told["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    sets = {one["name"]: one for one in told["recordSet"]}
    assert set(sets) == set(manifest["tables"])
    assert sets["nights"]["key"] == {"@id": "nights/night_id"}
    fields = {field["name"]: field for field in sets["nights"]["field"]}
    assert fields["guest_id"]["references"] == {"field": {"@id": "guests/guest_id"}}
    assert fields["arrived_at"]["dataType"] == "sc:DateTime"
    files = {one["@id"]: one["sha256"] for one in told["distribution"] if one["@type"] == "cr:FileObject"}
    assert files == {file["path"]: file["sha256"] for file in manifest["files"]}
    rai = {"rai:dataCollection", "rai:dataBiases", "rai:dataLimitations", "rai:dataUseCases"}
    rai |= {"rai:dataSocialImpact", "rai:personalSensitiveInformation", "rai:dataCollectionType"}
    assert rai <= set(told)


@pytest.mark.filterwarnings("ignore")  # of the reader's own dependencies
@pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
def test_croissant_is_accepted_and_read_by_mlcroissant(tmp_path: Path, format: str) -> None:
    mlc = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    made = generate(spec(1), tmp_path / "set", format=format)
    read = mlc.Dataset(jsonld=str(tmp_path / "set" / "croissant.json"))
    assert not read.metadata.ctx.issues.errors
    assert not read.metadata.ctx.issues.warnings
    # Its join of two tables cannot take keys that are text, as JSON must write them.
    name, key = ("guests", "guest_id") if format == "jsonl" else ("nights", "night_id")
    records = list(read.records(name))
    found = [int(record[f"{name}/{key}"]) for record in records]
    assert sorted(found) == sorted(made.table(name)[key].to_pylist())


def test_the_data_card_answers_from_facts(made: Path) -> None:
    card = (made / "DATACARD.md").read_text()
    manifest = _read(made / "manifest.json")
    rows = manifest["tables"]["nights"]["rows"]
    for said in (
        f"All {manifest['rows']:,} rows are synthetic",
        "## What it is not",
        f"| `nights` | {rows:,} | One row per night that a guest paid for. |",
        "| visit | visit | case | 2 |",
        "0.02 per entity-year | expert |",
        "N·π/n",
        "| ordinary | 38 |",
        f"`{manifest['logical']}`",
        "statistical mark in the low digits of these columns"
        if manifest["marks"]["statistical"]
        else "No column",
        "cannot be recognised once their metadata are gone",
    ):
        assert said in card
    assert "This is the **twin** world" in (made / "twin" / "DATACARD.md").read_text()


def test_croissant_tells_what_imitates_people() -> None:
    from dataclasses import replace

    from tests.common import toy

    names = replace(toy.GUESTS.columns[1], name="surname", privacy="direct")
    guests = replace(toy.GUESTS, columns=(*toy.GUESTS.columns, names))
    schema = replace(toy.SCHEMA, tables=(guests, *toy.SCHEMA.tables[1:]))
    told = croissant(dict(generate(spec(1)).manifest), schema)
    assert "guests.surname" in told["rai:personalSensitiveInformation"]
