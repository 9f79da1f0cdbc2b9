from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rarecase.common import dataset as datasets
from rarecase.common import registry
from rarecase.common.dataset import Dataset
from rarecase.common.digest import part_digests
from rarecase.common.domain import Document, Format
from rarecase.common.errors import DatasetError, RarecaseError, TargetError
from rarecase.common.export import INDEX, export, write_documents
from rarecase.common.manifest import build_manifest
from rarecase.common.receipts import Receipt
from rarecase.common.sinks.base import open_sink
from rarecase.common.verify import verify
from tests.common.sink_sample import DOMAIN, DOMAINS, good_tables, halves, plan
from tests.common.small_disk import small_disk

__all__ = ["small_disk"]


def _letters(dataset: Dataset) -> Iterator[Document]:
    for owner in dataset.table("owners")["owner_id"].to_pylist():
        yield Document(f"owners/{owner}.txt", f"owner {owner}".encode())


@pytest.fixture(autouse=True)
def _sample_is_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARECASE_DOMAINS", DOMAINS)
    letters = replace(DOMAIN, formats={"letters": Format("letters", "Letters", _letters)})
    get = registry.get
    monkeypatch.setattr(registry, "get", lambda name: letters if name == "sample" else get(name))


def write_set(path: Path, *, twin: bool = False, beside: Dataset | None = None) -> None:
    sink = open_sink(path, domain=DOMAIN, twin=twin)
    sink.begin(plan())
    receipts = []
    for number, part in enumerate(halves(good_tables())):
        rows = {name: table.num_rows for name, table in part.items()}
        receipts.append(sink.write(Receipt(number, rows, part_digests(part, DOMAIN.schema)), part))
    world, facts = "twin" if twin else "main", None if beside is None else beside.manifest
    manifest = build_manifest(
        plan(), receipts, "parquet", world=world, with_twin=beside is not None, twin=facts
    )
    sink.finish(manifest)


@pytest.fixture
def written(tmp_path: Path) -> Dataset:
    write_set(tmp_path / "set")
    return datasets.open(tmp_path / "set")


def names(place: Path) -> list[str]:
    return sorted(str(file.relative_to(place)) for file in place.rglob("*") if file.is_file())


def test_documents_are_written_with_an_index_that_vouches_for_them(written: Dataset, tmp_path: Path) -> None:
    target = tmp_path / "out" / "letters"
    assert export(written, "letters", target) == 3
    assert names(target) == [INDEX, "owners/10.txt", "owners/11.txt", "owners/12.txt"]
    index = json.loads((target / INDEX).read_bytes())
    assert index["synthetic"] is True
    assert index["format"] == "letters"
    assert index["dataset"] == written.manifest["logical"]
    for file in index["files"]:
        content = (target / file["path"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
    assert os.listdir(target.parent) == ["letters"]


def test_the_same_set_gives_the_same_bytes(written: Dataset, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(written, "letters", tmp_path / name)
    for file in names(tmp_path / "a"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_an_export_is_replaced_only_when_told(written: Dataset, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    export(written, "letters", target)
    (target / "owners" / "10.txt").write_text("edited")
    with pytest.raises(TargetError, match="--overwrite"):
        export(written, "letters", target)
    assert export(written, "letters", target, overwrite=True) == 3
    assert (target / "owners" / "10.txt").read_text() == "owner 10"


def test_what_is_no_export_is_never_replaced(written: Dataset, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for target in (tmp_path / "home", tmp_path / "file", tmp_path / "set"):
        with pytest.raises(TargetError, match="no export of rarecase") as caught:
            export(written, "letters", target, overwrite=True)
        assert caught.value.exit_code == 2
    assert (tmp_path / "home" / "thesis.txt").read_text() == "mine"


def test_a_large_document_is_written_piece_by_piece(tmp_path: Path) -> None:
    pieces = (bytes([number]) * 2**20 for number in range(64))
    tracemalloc.start()
    assert write_documents([Document("large.bin", pieces)], tmp_path / "out", {}) == 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * 2**20
    content = (tmp_path / "out" / "large.bin").read_bytes()
    assert content == b"".join(bytes([number]) * 2**20 for number in range(64))
    (file,) = json.loads((tmp_path / "out" / INDEX).read_text())["files"]
    assert file["bytes"] == 64 * 2**20
    assert file["sha256"] == hashlib.sha256(content).hexdigest()


def _then_fail() -> Iterator[Document]:
    yield Document("a.txt", b"a")
    raise RarecaseError("the format gave up")


def test_a_failed_export_leaves_nothing_and_keeps_the_old(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RarecaseError, match="gave up"):
        write_documents(_then_fail(), target, {})
    assert list(tmp_path.iterdir()) == []
    write_documents([Document("old.txt", b"old")], target, {})
    with pytest.raises(RarecaseError, match="gave up"):
        write_documents(_then_fail(), target, {}, overwrite=True)
    assert names(tmp_path) == [f"out/{INDEX}", "out/old.txt"]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", INDEX, "twice.txt"])
def test_a_document_stays_below_the_target(tmp_path: Path, path: str) -> None:
    with pytest.raises(RarecaseError, match="new relative path") as caught:
        write_documents([Document("twice.txt", b""), Document(path, b"")], tmp_path / "out", {})
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_the_targets_fault(small_disk: Path) -> None:
    documents = (Document(f"{number}.bin", bytes(8192)) for number in range(100))
    with pytest.raises(TargetError, match="room on the disk"):
        write_documents(documents, small_disk / "out", {})
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize(
    ("form", "target", "said"),
    [
        ("leters", "out", "Did you mean 'letters'"),
        ("databse", "out", "Did you mean 'database'"),
        ("letters", "duckdb:///x.duckdb", "a directory, for documents"),
        ("database", "out", "an address such as duckdb:///"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(
    written: Dataset, tmp_path: Path, form: str, target: str, said: str
) -> None:
    with pytest.raises(TargetError, match=said):
        export(written, form, target if "://" in target else tmp_path / target)


@pytest.mark.parametrize("ending", ["duckdb", "sqlite"])
def test_a_written_set_and_its_twin_are_loaded(tmp_path: Path, ending: str) -> None:
    write_set(tmp_path / "aside", twin=True)
    write_set(tmp_path / "set", beside=datasets.open(tmp_path / "aside" / "twin"))
    (tmp_path / "aside" / "twin").rename(tmp_path / "set" / "twin")
    written = datasets.open(tmp_path / "set")
    address = f"{ending}:///{tmp_path}/x.{ending}"
    assert export(written, "database", address) == 2 * sum(t.num_rows for t in good_tables().values())
    for twin in (False, True):
        loaded = datasets.open(address, domain="sample", twin=twin)
        assert loaded.manifest["storage"] == ending
        assert loaded.manifest["files"] == []
        assert loaded.digests == written.digests
        for name, table in good_tables().items():
            assert loaded.table(name).to_pylist() == table.to_pylist()
    with pytest.raises(TargetError, match="--overwrite"):
        export(written, "database", address)
    export(written, "database", address, overwrite=True)


def test_a_set_in_memory_is_loaded(tmp_path: Path) -> None:
    held = Dataset.in_memory(plan().spec, good_tables())
    address = f"duckdb:///{tmp_path}/x.duckdb"
    assert export(held, "database", address) == sum(table.num_rows for table in good_tables().values())
    assert verify(address) == ()


def test_a_set_with_an_edited_file_is_not_loaded(written: Dataset, tmp_path: Path) -> None:
    victim = written.files_of("things")[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    with pytest.raises(DatasetError, match="vouches for"):
        export(written, "database", f"sqlite:///{tmp_path}/x.db")
    assert not (tmp_path / "x.db").exists()
    victim.unlink()
    with pytest.raises(DatasetError, match="missing"):
        export(written, "database", f"sqlite:///{tmp_path}/x.db")
