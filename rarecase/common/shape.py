"""The shape of a manifest: what is read is checked before anything follows it.

A manifest comes from a file or a database that anyone may have edited. Paths name files of the set and
nothing else, hashes are hashes, numbers are numbers; what the entries say is for `verify` to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rarecase.common.errors import DatasetError

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Document(_Shape):
    # A name beside the manifest, or one of ours below a table's directory: never a way out of the set.
    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9]+)*$")]
    sha256: Digest
    bytes: Count


class _File(_Shape):
    path: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/part-[0-9]{5,12}\.(parquet|csv|jsonl)$")]
    sha256: Digest
    bytes: Count
    rows: Count
    table: Text


class _Table(_Shape):
    rows: Count
    logical: Digest
    part_rows: list[Count]


class _Edition(_Shape):
    version: str
    digest: Digest


class _Natural(_Shape):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)
    value: float
    per: str
    evidence: str
    source: str


class _Case(_Shape):
    kind: str
    is_case: bool
    planted: Count
    entities: Count
    in_nature: float | None
    natural: _Natural | None
    difficulty: float


class _Stratum(_Shape):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)
    name: str
    planted: Count
    natural: float | None
    weight: float | None


class _Lineage(_Shape):
    max_synthetic_share: float
    parents: list[Any]


class _Marks(_Shape):
    metadata: str
    keys: str
    identifiers: str
    statistical: dict[str, float]


class _Twin(_Shape):
    logical: Digest
    plan: Digest


class _Manifest(_Shape):
    manifest: Literal[1]
    rarecase: Text
    domain: Text
    spec: dict[str, Any]
    plan: Digest
    edition: Annotated[_Edition, Field(alias="schema")]
    lock: dict[str, str]
    storage: Literal["parquet", "csv", "jsonl", "memory", "duckdb", "sqlite", "postgresql"]
    world: Literal["main", "twin"]
    with_twin: bool
    synthetic: bool
    seed: Count
    parts: Annotated[int, Field(ge=1)]
    tables: dict[str, _Table]
    rows: Count
    logical: Digest
    files: list[_File]
    documents: list[_Document] = []
    cases: dict[str, _Case]
    strata: list[_Stratum]
    lineage: _Lineage
    marks: _Marks
    twin: _Twin | None


def check_shape(found: Mapping[str, Any], shown: str) -> None:
    """Refuse what is not shaped like a manifest.

    Parameters
    ----------
    found : what was read
    shown : where, for the error

    Raises
    ------
    DatasetError
        Naming the first entry that is not as it must be.
    """
    try:
        _Manifest.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        value = first["input"] if isinstance(first["input"], str | int | float | bool | None) else "…"
        said = (
            f"{where}: {str(value)[:80]!r}, {first['msg']}" if first["type"] != "missing" else f"no {where}"
        )
        raise _damaged(shown, said) from None


def check_tables(found: Mapping[str, Any], names: tuple[str, ...], shown: str) -> None:
    """Refuse a manifest whose tables or files are not those of the domain's schema."""
    for name in sorted(set(names) ^ set(found["tables"])):
        said = f"no table {name}" if name in names else f"a table {name} that the domain does not have"
        raise _damaged(shown, said, f"It was written by rarecase {found['rarecase']}.")
    for file in found["files"]:
        folder, _, name = file["path"].partition("/")
        if folder != file["table"] or folder not in names or not name.endswith("." + found["storage"]):
            raise _damaged(shown, f"a file {file['path']} of table {file['table']}")


def _damaged(shown: str, said: str, hint: str = "Make the data set again.") -> DatasetError:
    return DatasetError(shown, said, "a whole manifest of rarecase", hint=hint)
