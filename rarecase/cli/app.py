"""The application: its commands, its version, and what becomes of errors."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from rarecase import __version__
from rarecase.cli import ask, check, make

app = typer.Typer(
    name="rarecase",
    help="Synthetic data of rare cases: planted exactly, labelled, weighted back to nature.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module, panel in ((ask, "Ask"), (make, "Make"), (check, "Check")):
    for command in module.COMMANDS:
        app.command(command.__name__.rstrip("_"), rich_help_panel=panel)(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rarecase {__version__}")
        raise typer.Exit


@app.callback()
def rarecase(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Synthetic data of rare cases: planted exactly, labelled, weighted back to nature."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        0 done, 1 checked and found wanting, 2 the user's input is at fault, 3 the fault is ours; 130 when
        interrupted.
    """
    try:
        app(None if arguments is None else list(arguments), prog_name="rarecase")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:
        return _explain(error)
    return 0


def _explain(error: Exception) -> int:
    from rarecase.common.errors import RarecaseError

    if os.environ.get("RARECASE_DEBUG") == "1":
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, RarecaseError):
        typer.echo(str(error), err=True)
        return error.exit_code
    said = " ".join(str(error).split()) or "no message"
    typer.echo(f"{type(error).__name__}: {said} (a fault of ours; RARECASE_DEBUG=1 shows where)", err=True)
    return 3
