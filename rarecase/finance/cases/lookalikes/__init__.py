"""Look-alikes: honest behaviour that looks like fraud or laundering."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase

KINDS: tuple[type[BankCase], ...] = ()
