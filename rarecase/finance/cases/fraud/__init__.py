"""Fraud: money taken from customers, shops and banks."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase

KINDS: tuple[type[BankCase], ...] = ()
