"""What all tables of the register are made from: a place, its country, and what cases bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rarecase.common import names
from rarecase.common.keys import KeySpace
from rarecase.common.plan import Plan
from rarecase.common.seeds import Int64, keyed_integers
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.brought import Brought
from rarecase.finance.generate.place import Place
from rarecase.finance.spec import FinanceSpec

#: Sizes of the pools of names; a locale may have fewer.
_POOLS: dict[names.Kind, int] = {
    "last_name": 1_000,
    "first_name_female": 300,
    "first_name_male": 300,
    "company": 2_000,
    "street": 400,
}


@dataclass(frozen=True)
class Scene:
    """A place with all that its register needs.

    Attributes
    ----------
    plan, place, came
        The plan, the place, and what cases bring to its register.
    """

    plan: Plan
    place: Place
    came: Brought

    @cached_property
    def spec(self) -> FinanceSpec:
        """The spec."""
        assert isinstance(self.plan.spec, FinanceSpec)
        return self.plan.spec

    @property
    def keys(self) -> KeySpace:
        """The keys of the data set."""
        return self.plan.keys

    @property
    def slots(self) -> ground.Slots:
        """Where the accounts of a place stand."""
        return ground.slots(self.spec.block)

    @property
    def part(self) -> int:
        """Number of the place."""
        return self.place.part

    @cached_property
    def nation(self) -> int:
        """The country, a code into `data.countries`."""
        return int(ground.country(self.spec, np.array([self.part]))[0])

    @property
    def country(self) -> str:
        """ISO 3166-1 code of the country."""
        return data.countries().country[self.nation]

    @property
    def currency(self) -> str:
        """ISO 4217 code of the currency."""
        return data.countries().currency[self.nation]

    @cached_property
    def onboarded(self) -> Int64:
        """Days before the start on which each customer came."""
        who, found = self.place.customers, ground.onboarded_days(self.spec, self.place.customers)
        asleep = ground.second_account(self.spec, who) == ground.SLEEPING
        # An account that has slept for years was opened before.
        return np.where(
            asleep, np.maximum(found, slept_days(self.spec, who) + ground.OPEN_BEFORE_DAYS), found
        )

    def pool(self, kind: names.Kind) -> tuple[str, ...]:
        """Names of the country."""
        return names.pool(kind, _POOLS[kind], locale=data.countries().locale[self.nation])

    def named(self, kind: names.Kind, what: str, ids: Int64) -> pa.Array:
        """Names out of a pool, drawn by number."""
        pool = self.pool(kind)
        return words(pool, keyed_integers(self.spec.seed, what, ids, len(pool)))

    def streets(self, numbers: Int64) -> pa.Array:
        """Streets with house numbers, one for each number."""
        house = pa.array(1 + keyed_integers(self.spec.seed, "house", numbers, 120)).cast(pa.string())
        street = self.named("street", "street", numbers)
        pair = (street, house) if data.countries().locale[self.nation] in _HOUSE_LAST else (house, street)
        return pc.binary_join_element_wise(*pair, " ")

    def days_before(self, what: str, ids: Int64, least: int, most: int) -> NDArray[np.datetime64]:
        """Dates between so many days before the start."""
        days = keyed_integers(self.spec.seed, what, ids, most - least) + least
        return self.date(-days)

    def date(self, days: Int64) -> NDArray[np.datetime64]:
        """Dates so many days after the start."""
        return np.asarray(np.datetime64(self.spec.start, "D") + days.astype(np.int64))

    def constant(self, rows: int) -> NDArray[np.int32]:
        """The number of the place in every row."""
        return np.full(rows, self.part, np.int32)


#: Where the house number follows the street.
_HOUSE_LAST = ("de_DE", "cs_CZ")


def words(pool: Sequence[str], codes: Int64) -> pa.Array:
    """A column of words by code."""
    return pa.array(list(pool), pa.string()).take(pa.array(codes))


slept_days = ground.slept_days
