"""One self-contained HTML page about a data set."""

from __future__ import annotations
