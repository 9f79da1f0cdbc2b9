"""Laundering: the eight patterns of the graph, and schemes by which proceeds are placed, layered and integrated."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase

KINDS: tuple[type[BankCase], ...] = ()
