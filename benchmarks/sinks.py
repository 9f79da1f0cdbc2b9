"""How fast each database takes a table of 14 columns: bare rows, and with finished keys, said separately.

    python benchmarks/sinks.py [--rows N] [--core N] [--postgres ADDRESS] [--repeat N] [--only WORD]

The client is pinned to one core. PostgreSQL does its work in a process of its own, measured twice: pinned to
the same core as the client, and free. Bare: until the last row is in (`write`); finished: until the load is
committed, with keys, foreign keys, checks, indexes and comments, all durable. CPU seconds, of the client
and of the server's process together, are given for the bare rows: on a busy machine they tell more.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
import pyarrow as pa

from rarecase.common import tables
from rarecase.common.domain import Domain
from rarecase.common.plan import Plan, make_plan
from rarecase.common.receipts import Receipt
from rarecase.common.schema import Column, Reference, Schema, Table
from rarecase.common.sinks.base import Sink, open_sink
from rarecase.common.spec import Spec

ACCOUNTS = 10_000
PARTS = 16
CURRENCIES, CHANNELS = ("EUR", "GBP", "USD"), ("card", "online", "branch", "cash machine", "standing order")
PURPOSES = tuple(f"purpose {i}" for i in range(100))


def _column(name: str, kind: str, **more: object) -> Column:
    return Column(name=name, type=kind, meaning=name.replace("_", " "), **more)  # type: ignore[arg-type]


ACCOUNT = Table(
    name="accounts", meaning="Accounts.", columns=(_column("account_id", "key"),), key=("account_id",)
)
TRANSACTION = Table(
    name="transactions",
    meaning="Payments.",
    columns=(
        _column("transaction_id", "key"),
        _column("account_id", "key"),
        _column("counterparty_id", "key", nullable=True),
        _column("booked_at", "timestamp"),
        _column("valued_on", "date"),
        _column("amount_minor", "int64", minimum=1),
        _column("currency", "category", values=CURRENCIES),
        _column("channel", "category", values=CHANNELS),
        _column("merchant_code", "int16", nullable=True, minimum=0, maximum=9999),
        _column("balance_minor", "int64"),
        _column("is_reversed", "bool"),
        _column("latitude_deg", "float64", minimum=-90, maximum=90),
        _column("purpose", "category"),
        _column("description", "string"),
    ),
    key=("transaction_id",),
    references=(Reference(columns=("account_id",), table="accounts", to=("account_id",)),),
    time="booked_at",
    entity="account_id",
)
SCHEMA = Schema(domain="bench", version="1", tables=(ACCOUNT, TRANSACTION))


class BenchSpec(Spec):
    """A spec that says nothing: the rows come from `rows`."""

    domain: Literal["bench"] = "bench"


DOMAIN = Domain(
    name="bench",
    title="Benchmark",
    schema=SCHEMA,
    spec=BenchSpec,
    cases=(),
    entity_table="accounts",
    entities="accounts",
    generate_part=lambda plan, part: {},
    checks=lambda connection, spec: (),
    measures=lambda dataset: (),
)


def rows(count: int) -> dict[str, pa.Table]:
    """The tables in memory; 95 MB per million transactions."""
    chance = np.random.default_rng(1)
    accounts = chance.permutation(ACCOUNTS) + (1 << 59)
    pick: Callable[[int], np.ndarray] = lambda n: chance.integers(0, n, count)  # noqa: E731
    words = pa.array([f"payment {i:05d} of the month" for i in range(1000)])
    columns = {
        "transaction_id": chance.permutation(count) + (1 << 60),
        "account_id": accounts[pick(ACCOUNTS)],
        "counterparty_id": tables.nulls(accounts[pick(ACCOUNTS)], chance.random(count) < 0.1),
        "booked_at": tables.timestamps(date(2024, 1, 1), np.sort(pick(365 * 86_400_000_000))),
        "valued_on": pa.array((19_723 + pick(365)).astype(np.int32)).cast(pa.date32()),
        "amount_minor": 1 + pick(100_000),
        "currency": tables.category(pick(3).astype(np.int8), CURRENCIES),
        "channel": tables.category(pick(5).astype(np.int8), CHANNELS),
        "merchant_code": tables.nulls(pick(9999).astype(np.int16), chance.random(count) < 0.3),
        "balance_minor": pick(10_000_000),
        "is_reversed": chance.random(count) < 0.01,
        "latitude_deg": np.round(chance.random(count) * 180 - 90, 5),
        "purpose": tables.category(pick(100).astype(np.int32), PURPOSES),
        "description": words.take(pa.array(pick(1000))),
    }
    return {
        "accounts": tables.build(ACCOUNT, {"account_id": accounts}),
        "transactions": tables.build(TRANSACTION, columns),
    }


@dataclass(frozen=True)
class Timing:
    """Seconds of one load; `cpu` is what the processors worked for the bare rows."""

    bare: float
    cpu: float
    finished: float


def load(sink: Sink, plan: Plan, data: dict[str, pa.Table], core: int | None) -> Timing:
    """One load in parts, taken out again; a server on this machine is put on `core`."""
    step = -(-data["transactions"].num_rows // PARTS)
    sink.begin(plan)
    server = server_of(sink)
    if server is not None and core is not None:
        os.sched_setaffinity(server, {core})
    begun, worked = time.perf_counter(), cpu_seconds(server)
    for part in range(PARTS):
        piece = data["transactions"].slice(part * step, step)
        accounts = data["accounts"] if part == 0 else data["accounts"].slice(0, 0)
        sink.write(Receipt(part), {"accounts": accounts, "transactions": piece})
    bare, cpu = time.perf_counter() - begun, cpu_seconds(server) - worked
    sink.finish({"domain": "bench"})
    finished = time.perf_counter() - begun
    sink.abort()
    return Timing(bare, cpu, finished)


def server_of(sink: Sink) -> int | None:
    """The server's process for this connection, if it is one of this machine."""
    pid: int | None = getattr(getattr(sink._open, "info", None), "backend_pid", None)  # type: ignore[attr-defined]
    return pid if pid and Path(f"/proc/{pid}/stat").exists() else None


def cpu_seconds(server: int | None) -> float:
    """Processor time of this process and of the server's."""
    if server is None:
        return time.process_time()
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def addresses(postgres: str | None) -> Iterator[tuple[str, str, bool]]:
    """Name, address and whether the server shares the client's core."""
    with tempfile.TemporaryDirectory() as place:
        yield "DuckDB", f"duckdb:///{place}/bench.duckdb", True
        physical = f"duckdb:///{place}/bench.duckdb?foreign_keys=physical"
        yield "DuckDB, physical foreign keys", physical, True
        yield "SQLite", f"sqlite:///{place}/bench.db", True
    if postgres:
        yield "PostgreSQL, server on the same core", postgres, True
        yield "PostgreSQL, server free", postgres, False


def measure(address: str, data: dict[str, pa.Table], core: int | None, repeat: int) -> Timing:
    """The medians of some loads."""
    plan = make_plan(BenchSpec(size=1, block=1, start=date(2024, 1, 1), days=366))
    found = [load(open_sink(address, domain=DOMAIN), plan, data, core) for _ in range(repeat + 1)]
    timed = found[1:]  # the first one compiles and warms up
    return Timing(
        median(timing.bare for timing in timed),
        median(timing.cpu for timing in timed),
        median(timing.finished for timing in timed),
    )


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description="How fast each database takes a table of 14 columns.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--core", type=int, default=0, help="core of the client")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="databases whose name holds this word")
    parser.add_argument("--postgres", default=os.environ.get("RARECASE_TEST_POSTGRES"), help="address")
    options = parser.parse_args()
    os.environ["RARECASE_DOMAINS"] = f"bench={__name__}:DOMAIN"
    os.sched_setaffinity(0, {options.core})
    data = rows(options.rows)
    print(f"{options.rows:,} rows × 14 columns in {PARTS} parts, client on one core\n")
    print("| database | bare s | M rows/s | bare CPU s | M rows/CPU s | finished s | M rows/s |")
    print("|---|---|---|---|---|---|---|")
    for name, address, shared in addresses(options.postgres):
        if options.only not in name:
            continue
        timing = measure(address, data, options.core if shared else None, options.repeat)
        times = (timing.bare, timing.cpu, timing.finished)
        cells = [f"{seconds:.2f} | {options.rows / 1e6 / seconds:.2f}" for seconds in times]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
