"""Commands that make: plan, generate, export."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rarecase.cli.ask import AsJson
from rarecase.cli.completion import complete_domain, complete_example, complete_form, complete_source
from rarecase.cli.console import figure, say, say_json, table

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset
    from rarecase.common.plan import Plan
    from rarecase.common.run import Progress

Source = Annotated[
    str,
    typer.Argument(help="A domain, or a spec file.", metavar="DOMAIN|SPEC", autocompletion=complete_source),
]
Written = Annotated[
    str, typer.Argument(help="A data set: its directory, or a database address.", metavar="DATASET")
]
InDatabase = Annotated[
    str | None,
    typer.Option(
        "--domain",
        help="Which domain of a database that holds several.",
        autocompletion=complete_domain,
        metavar="NAME",
    ),
]
OfTwin = Annotated[bool, typer.Option("--twin", help="The twin world, without its cases.")]
Target = Annotated[
    str,
    typer.Option(
        "-o", "--output", help="A directory, or duckdb:///…, sqlite:///…, postgresql://….", metavar="TARGET"
    ),
]
Example = Annotated[
    str | None, typer.Option(help="Example of the domain to start from.", autocompletion=complete_example)
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change one value, such as cases[0].count=10.", metavar="PATH=VALUE"),
]
Seed = Annotated[int | None, typer.Option(help="Another seed.")]
Size = Annotated[int | None, typer.Option(help="Another number of entities.")]


class FileFormat(StrEnum):
    """Format of the files of a data set."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


class Engine(StrEnum):
    """What runs the parts."""

    local = "local"
    dask = "dask"


def plan(
    source: Source,
    seed: Seed = None,
    size: Size = None,
    example: Example = None,
    changes: Set = None,
    as_json: AsJson = False,
) -> None:
    """Show exactly what a spec would make, without making it."""
    from rarecase.cli.wishes import spec_from
    from rarecase.common.plan import make_plan

    told = _told(make_plan(spec_from(source, example=example, seed=seed, size=size, changes=changes or ())))
    if as_json:
        say_json(told)
        return
    rows = [
        (
            c["name"],
            c["kind"],
            figure(c["planted"]),
            figure(c["members"]),
            figure(c["natural"]),
            figure(c["weight"]),
        )
        for c in told["cases"]
    ]
    extent = f"{told['parts']:,} parts, {told['days']:,} days from {told['start']}"
    title = f"{told['domain']}: {told['size']:,} {told['entities']} in {extent}"
    table(title, ("name", "kind", "planted", "members", "in nature", "weight"), rows, right=(2, 3, 4, 5))


def _told(made: Plan) -> dict[str, Any]:
    from rarecase.common.weights import strata

    spec, natural = made.spec, made.natural_counts()
    weights = {stratum.name: stratum.weight for stratum in strata(made)}
    return {
        "domain": spec.domain, "seed": spec.seed, "size": spec.size, "entities": made.domain.entities,
        "parts": made.parts, "block": spec.block, "start": str(spec.start), "days": spec.days,
        "digest": made.digest, "ordinary_weight": weights.get("ordinary"),
        "cases": [
            {"name": item.name, "kind": item.case.kind, "is_case": item.case.is_case, "planted": len(item),
             "members": int(item.members.sum()), "natural": natural[item.name],
             "weight": weights.get(item.case.stratum())}
            for item in made.placements
        ],
    }  # fmt: skip


def generate(
    source: Source,
    output: Target,
    seed: Seed = None,
    size: Size = None,
    example: Example = None,
    changes: Set = None,
    twin: Annotated[
        bool, typer.Option("--twin", help="Write the same world without its cases beside it.")
    ] = False,
    format: Annotated[
        FileFormat | None, typer.Option(help="Format of the files of a directory; parquet if left out.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many workers; as many as there are cores.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="What runs the parts.")] = Engine.local,
    resume: Annotated[bool, typer.Option("--resume", help="Finish a run that was cut off.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Generate a data set into a directory or a database."""
    import rarecase
    from rarecase.cli.wishes import spec_from
    from rarecase.common.errors import InputError
    from rarecase.common.sinks.base import scheme

    if resume and overwrite:
        raise InputError("--resume", "--overwrite", "one of --resume and --overwrite, not both")
    if format is not None and scheme(output) is not None:
        raise InputError("--format", format.value, "no --format beside a database, only beside a directory")
    spec = spec_from(source, example=example, seed=seed, size=size, changes=changes or ())
    began = time.perf_counter()
    with _bar() as tick:
        made = rarecase.generate(
            spec, output, format=(format or FileFormat.parquet).value, workers=workers, engine=engine.value,
            twin=twin, resume=resume, overwrite=overwrite, progress=tick,
        )  # fmt: skip
    _tell(made, output, time.perf_counter() - began, as_json)


def _tell(made: Dataset, output: str, seconds: float, as_json: bool) -> None:
    from rarecase.common.sinks.base import hide_password

    rows = {name: int(made.manifest["tables"][name]["rows"]) for name in made.domain.schema.names}
    total = sum(rows.values())
    told = {
        "domain": made.domain.name, "target": hide_password(output), "rows": rows, "total_rows": total,
        "cases": rows["cases"], "seconds": round(seconds, 3), "rows_per_second": round(total / seconds),
    }  # fmt: skip
    if as_json:
        say_json(told)
    elif sys.stdout.isatty():
        table(
            f"{made.domain.title}: {told['target']}",
            ("table", "rows"),
            [(n, figure(r)) for n, r in rows.items()],
            right=(1,),
        )
        say(f"{total:,} rows, {rows['cases']:,} cases, {seconds:.1f} s, {total / seconds:,.0f} rows/s")


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None] | None]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Drawn

    told = TextColumn("{task.description}")
    columns = (told, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Drawn(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tick(progress: Progress) -> None:
            if progress.world not in tasks:
                tasks[progress.world] = bar.add_task(f"parts of the {progress.world} world")
            bar.update(tasks[progress.world], completed=progress.done, total=progress.total)

        yield tick


def export(
    dataset: Written,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            help="A format of the domain, or `database`.",
            metavar="FORMAT",
            autocompletion=complete_form,
        ),
    ],
    output: Target,
    domain: InDatabase = None,
    twin: OfTwin = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Export a data set as documents of a foreign format, or load it into a database."""
    import rarecase
    from rarecase.common.export import DATABASE
    from rarecase.common.export import export as write_out
    from rarecase.common.sinks.base import hide_password

    written = write_out(rarecase.open(dataset, domain=domain, twin=twin), form, output, overwrite=overwrite)
    unit, target = "rows" if form == DATABASE else "documents", hide_password(output)
    if as_json:
        say_json({"format": form, "target": target, unit: written})
    elif sys.stdout.isatty():
        say(f"{written:,} {unit} as {form} in {target}")


COMMANDS: tuple[Callable[..., None], ...] = (plan, generate, export)
