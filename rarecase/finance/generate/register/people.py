"""The tables of households and customers, with what the bank knows of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rarecase.common import identifiers, tables
from rarecase.common.seeds import Float64, Int64, keyed_integers, keyed_uniform
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.cases.footprint import EDITS
from rarecase.finance.generate.place import risk_appetite
from rarecase.finance.generate.register.scene import Scene, words
from rarecase.finance.schema import FUNDS, RISK_CLASSES, SCHEMA, SEGMENTS

#: Where most of each segment's money comes from; one in twelve says savings or investments instead.
_SOURCE = np.array([FUNDS.index(word) for word in ("salary", "business", "pension", "family")])
_OTHER_SOURCE = 0.08
#: Politically exposed persons with their families: an order of magnitude.
_PEP = 0.005
_HIGH, _MEDIUM = 0.015, 0.12
#: How closely the occupation follows the income.
_RANKED = 0.7


def households(scene: Scene) -> pa.Table:
    """One row per household."""
    place = scene.place
    persons = np.bincount(place.household, minlength=place.n)
    head = np.flatnonzero(persons)
    return tables.build(
        SCHEMA["households"],
        {
            "household_id": scene.keys.rows("households", scene.part, head),
            "place": scene.constant(head.size),
            "persons": persons[head].astype(np.int8),
            "street": scene.streets(place.low + head),
        },
    )


def customers(scene: Scene) -> pa.Table:
    """One row per customer; contact data as cases changed them."""
    place, spec, who = scene.place, scene.spec, scene.place.customers
    seed, mode = spec.seed, spec.identifiers
    pep = keyed_uniform(seed, "pep", who) < _PEP
    occupation = occupations(scene)
    titles = [*data.occupations().names, "None"]
    return tables.build(
        SCHEMA["customers"],
        {
            "customer_id": scene.keys.entities("customers", who),
            "household_id": scene.keys.rows("households", scene.part, place.household),
            "place": scene.constant(place.n),
            "full_name": _person_names(scene),
            "birth_date": scene.date(-ground.age_days(spec, who)),
            "segment": tables.category(place.segment.astype(np.int8), SEGMENTS),
            "occupation": tables.category(occupation.astype(np.int8), titles),
            "monthly_income_minor": place.income,
            "risk_appetite": risk_appetite(spec, who),
            "source_of_funds": tables.category(_sources(scene).astype(np.int8), FUNDS),
            "is_pep": pep,
            "risk_class": tables.category(_risk(seed, who, pep), RISK_CLASSES),
            "email": identifiers.make("email", _contact(scene, "email", who), seed=seed, mode=mode),
            "phone": _phones(scene),
            "street": scene.streets(_contact(scene, "street", place.low + place.household)),
            "onboarded_on": scene.date(-scene.onboarded),
        },
    )


def occupations(scene: Scene) -> Int64:
    """ISCO-08 major group of the employed, better paid ones for higher incomes; one more for no occupation.

    The self-employed spread over all groups like the employed.
    """
    place, seed, shares = scene.place, scene.spec.seed, data.occupations().share
    rank: Float64 = keyed_uniform(seed, "income", place.customers)
    other = keyed_uniform(seed, "occupation", place.customers)
    normal = _RANKED * ndtri(np.clip(rank, 1e-9, 1 - 1e-9))
    normal = normal + np.sqrt(1 - _RANKED**2) * ndtri(np.clip(other, 1e-9, 1 - 1e-9))
    code = np.searchsorted(np.cumsum(shares / shares.sum()), ndtr(normal), side="right")
    works = np.isin(place.segment, (ground.EMPLOYED, ground.SELF_EMPLOYED))
    return np.where(works, np.minimum(code, shares.size - 1), shares.size).astype(np.int64)


def _sources(scene: Scene) -> Int64:
    u = keyed_uniform(scene.spec.seed, "source-of-funds", scene.place.customers)
    other = np.where(u < _OTHER_SOURCE / 2, FUNDS.index("savings"), FUNDS.index("investments"))
    return np.where(u < _OTHER_SOURCE, other, _SOURCE[scene.place.segment]).astype(np.int64)


def _risk(seed: int, who: Int64, pep: NDArray[np.bool_]) -> NDArray[np.int8]:
    u = keyed_uniform(seed, "risk-class", who)
    high = pep | (u < _HIGH)
    return np.where(high, 2, np.where(u < _HIGH + _MEDIUM, 1, 0)).astype(np.int8)


def _person_names(scene: Scene) -> pa.Array:
    who = scene.place.customers
    both = scene.pool("first_name_female") + scene.pool("first_name_male")
    chosen = keyed_integers(scene.spec.seed, "first-name", who, len(both))
    # Most of a household bear one name.
    own = keyed_uniform(scene.spec.seed, "own-name", who) < 0.3
    family = np.where(own, who, scene.place.low + scene.place.household)
    last = scene.named("last_name", "last-name", family)
    return pc.binary_join_element_wise(words(both, chosen), last, " ")


def _phones(scene: Scene) -> pa.Array:
    """Telephone numbers: each of the country's is given out once before any is given out again.

    There are few that nobody can ever be given, so many people share one where a country is large.
    """
    spec, who = scene.spec, scene.place.customers
    field = _phone_field(scene.nation)
    fields = [_phone_field(nation) for nation in ground.country(spec, np.arange(spec.parts)).tolist()]
    before = sum(other == field for other in fields[: scene.part])
    room = identifiers.capacity(field, spec.identifiers)
    people = sum(other == field for other in fields) * spec.block
    usual = before * spec.block + who - scene.place.low
    edits = scene.came.edits
    rows = np.flatnonzero(edits.what == EDITS.index("phone"))
    # What cases bring is nobody else's as long as there is room.
    first = people if people < room else 0
    usual[edits.customer[rows] - scene.place.low] = first + edits.value[rows] % (room - first)
    return identifiers.make(field, usual % room, seed=spec.seed, mode=spec.identifiers)


def _phone_field(nation: int) -> str:
    """Whose telephone numbers a country has; one without numbers for fiction borrows those of France."""
    return data.countries().phone[nation] or "phone_fr"


def _contact(scene: Scene, what: str, usual: Int64) -> Int64:
    """Numbers of which contact data are made: the usual ones, or those that cases put there."""
    edits = scene.came.edits
    rows = np.flatnonzero(edits.what == EDITS.index(what))
    if not rows.size:
        return usual
    numbers = usual.copy()
    numbers[edits.customer[rows] - scene.place.low] = edits.value[rows] + scene.spec.size
    return numbers
