"""Public identifiers that can never meet a real person, firm, card, line or machine.

:data:`RANGES` is the registry of what is reserved for tests or can never be issued, as code with sources.
:func:`make` turns numbers into identifiers from these ranges, statelessly and without collisions;
:func:`is_reserved` says whether a value lies in one of them.

Two modes: ``checkable`` values carry valid check digits under an issuer that is unassigned or reserved for
tests, so that users' own format checks accept them where that is possible at all (each maker says who does);
``impossible`` values are refused by a strict check.
"""

from __future__ import annotations

from rarecase.common.identifiers.accounts import bic, iban
from rarecase.common.identifiers.makers import MAKERS, Maker, Mode, capacity, make
from rarecase.common.identifiers.places import gps
from rarecase.common.identifiers.ranges import RANGES, Range, is_reserved, ranges_of
from rarecase.common.identifiers.uuids import uuid_from_keys

__all__ = [
    "MAKERS",
    "RANGES",
    "Maker",
    "Mode",
    "Range",
    "bic",
    "capacity",
    "gps",
    "iban",
    "is_reserved",
    "make",
    "ranges_of",
    "uuid_from_keys",
]
