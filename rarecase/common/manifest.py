"""The manifest: what was made, from what, and the hash of every file; written last, it seals the set.

It is a function of the spec and of the locked dependencies alone. Clock, host, workers and durations belong
into the run log beside it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import rarecase
from rarecase.common.digest import combine
from rarecase.common.errors import DatasetError
from rarecase.common.plan import Plan
from rarecase.common.receipts import Receipt
from rarecase.common.shape import check_shape
from rarecase.common.weights import strata

FORMAT = 1
NAME = "manifest.json"
#: What can move a number or a byte; their versions are the lock of a data set.
LOCKED = ("duckdb", "faker", "llvmlite", "numba", "numpy", "pyarrow", "scipy")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, UTF-8, one line per entry and a last newline: equal values have equal bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def lock() -> dict[str, str]:
    """Versions of Python and of the dependencies that can move a number or a byte."""
    versions = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in LOCKED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def identity(plan: Plan, storage: str, *, world: str = "main", with_twin: bool = False) -> dict[str, Any]:
    """What must agree before a run may go on from what another run left.

    Parameters
    ----------
    storage : ``parquet``, ``csv``, ``jsonl``, ``memory`` or the kind of database
    world : ``main`` or ``twin``
    with_twin : whether the twin world stands beside
    """
    return {
        "manifest": FORMAT,
        "rarecase": rarecase.__version__,
        "domain": plan.spec.domain,
        "spec": plan.spec.model_dump(mode="json"),
        "plan": plan.digest,
        "schema": {"version": plan.domain.schema.version, "digest": plan.domain.schema.digest()},
        "lock": lock(),
        "storage": storage,
        "world": world,
        "with_twin": with_twin,
    }


def build_manifest(
    plan: Plan,
    receipts: Sequence[Receipt],
    storage: str,
    *,
    world: str = "main",
    with_twin: bool = False,
    twin: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest of a whole set.

    Parameters
    ----------
    receipts : one per part, in any order
    storage, world, with_twin : as in `identity`
    twin : the twin's manifest, where it stands beside: its logical digest is vouched for here
    """
    ordered = sorted(receipts, key=lambda receipt: receipt.part)
    tables = {name: _table(name, ordered) for name in plan.domain.schema.names}
    files = [dict(vars(file)) for receipt in ordered for file in receipt.files]
    return {
        **identity(plan, storage, world=world, with_twin=with_twin),
        "synthetic": True,
        "seed": plan.spec.seed,
        "parts": plan.parts,
        "tables": tables,
        "rows": sum(table["rows"] for table in tables.values()),
        "logical": tables_digest(tables),
        "files": sorted(files, key=lambda file: str(file["path"])),
        "cases": _cases(plan),
        "strata": [_rounded(asdict(stratum)) for stratum in strata(plan)],
        "lineage": {"max_synthetic_share": 1.0, "parents": []},
        "marks": _marks(plan),
        "twin": None if twin is None else {"logical": twin["logical"], "plan": twin["plan"]},
    }


def _table(name: str, receipts: Sequence[Receipt]) -> dict[str, Any]:
    return {
        "rows": sum(receipt.rows[name] for receipt in receipts),
        # Where the parts end among the rows of a database: digests are of parts.
        "part_rows": [receipt.rows[name] for receipt in receipts],
        "logical": combine(receipt.logical[name] for receipt in receipts),
    }


def tables_digest(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The logical digest (hex) of a world from the entries of its tables."""
    return hashlib.sha256(canonical({name: table["logical"] for name, table in tables.items()})).hexdigest()


def _cases(plan: Plan) -> dict[str, Any]:
    natural = plan.natural_counts()
    return {
        placement.name: _rounded(
            {
                "kind": placement.case.kind,
                "is_case": placement.case.is_case,
                "planted": len(placement),
                "entities": int(placement.members.sum()),
                "in_nature": natural[placement.name],
                "natural": None if placement.natural is None else asdict(placement.natural),
                "difficulty": placement.case.difficulty,
            }
        )
        for placement in plan.placements
    }


def _rounded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Floats to ten digits: a last bit that differs between processors is no difference."""
    return {
        name: float(f"{value:.10g}") if isinstance(value, float) else value for name, value in facts.items()
    }


def _marks(plan: Plan) -> dict[str, Any]:
    marked = {
        f"{table.name}.{column.name}": column.mark_quantum
        for table in plan.domain.schema.tables
        for column in table.columns
        if column.mark_quantum is not None
    }
    return {
        "metadata": "synthetic=true in every Parquet file and in this manifest",
        "keys": "surrogate keys carry twelve check bits that anyone can read",
        "identifiers": plan.spec.identifiers,
        "statistical": marked if plan.spec.marks.statistical else {},
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest in the directory `path`.

    Raises
    ------
    DatasetError
        When there is none, with what to do, or when it cannot be read.
    """
    file = path / NAME
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise _absent(path) from None
    except OSError as error:
        raise DatasetError(str(file), error.strerror, "a readable manifest") from None
    except (ValueError, RecursionError) as error:
        raise _damaged(file, str(error)) from None
    check_format(found, str(file))
    return cast("dict[str, Any]", found)


def check_format(found: Any, shown: str) -> None:
    """Refuse (DatasetError) what is no manifest, is of another format, or is not shaped like one."""
    if not isinstance(found, dict) or "manifest" not in found:
        raise _damaged(shown, "no manifest of rarecase")
    if found["manifest"] != FORMAT:
        raise DatasetError(
            shown,
            f"manifest format {found['manifest']}",
            f"format {FORMAT}",
            hint=f"It was written by rarecase {found.get('rarecase', '?')}; open it with that version.",
        )
    check_shape(found, shown)


def _damaged(file: Path | str, said: str) -> DatasetError:
    return DatasetError(str(file), said, "a whole manifest of rarecase", hint="Make the data set again.")


def _absent(path: Path) -> DatasetError:
    if not path.exists():
        return DatasetError("dataset", str(path), "a data set of rarecase; there is nothing at this path")
    if path.is_dir() and ((path / ".rarecase").is_dir() or (path / "spec.yaml").is_file()):
        return DatasetError(
            "dataset",
            str(path),
            "a whole data set; this one has no manifest, so its making was cut off",
            hint=f"Finish it: `rarecase generate {path / 'spec.yaml'} -o {path}{_as_begun(path)} --resume`.",
        )
    return DatasetError("dataset", str(path), "a directory that rarecase wrote; it has no manifest.json")


def _as_begun(path: Path) -> str:
    """The options that a resumed run must repeat."""
    with suppress(OSError, ValueError, AttributeError):
        begun = json.loads((path / ".rarecase" / "begun.json").read_bytes())
        form = "" if begun.get("storage") == "parquet" else f" --format {begun.get('storage')}"
        return form + (" --twin" if begun.get("with_twin") else "")
    return ""
