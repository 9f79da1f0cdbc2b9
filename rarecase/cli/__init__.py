"""The command line: one command per arrow of the line of data."""

from __future__ import annotations

from rarecase.cli.app import main

__all__ = ["main"]
