"""Names as pools: Faker fills a short tuple once, and columns refer to it by number.

Names are put together by chance from lists of a language's names. They identify nobody; a person or firm may
bear the same name by accident, as in any novel. What does identify (numbers, addresses of lines and machines)
comes from :mod:`rarecase.common.identifiers` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast, get_args

from rarecase.common.errors import InputError, nearest
from rarecase.common.seeds import name_key

if TYPE_CHECKING:
    from faker import Faker

Kind = Literal[
    "female", "male", "first_name_female", "first_name_male", "last_name", "company", "street", "town", "job"
]
_MAKERS: dict[str, Callable[[Faker], str]] = {
    "female": lambda faker: f"{faker.first_name_female()} {faker.last_name()}",
    "male": lambda faker: f"{faker.first_name_male()} {faker.last_name()}",
    "first_name_female": lambda faker: faker.first_name_female(),
    "first_name_male": lambda faker: faker.first_name_male(),
    "last_name": lambda faker: faker.last_name(),
    "company": lambda faker: faker.company(),
    "street": lambda faker: faker.street_name(),
    "town": lambda faker: faker.city(),
    "job": lambda faker: faker.job(),
}
#: A list counts as exhausted after so many tries without a new name, times the names found.
_PATIENCE = 6


@lru_cache(maxsize=64)
def pool(kind: Kind, n: int, *, locale: str = "en_US", seed: int = 0) -> tuple[str, ...]:
    """A pool of different names; the same for the same arguments and the pinned version of Faker.

    Draw positions with an alias table or a keyed hash and make the column with
    :func:`rarecase.common.tables.category` for dictionary columns, or ``pa.array(pool).take(codes)``.

    Parameters
    ----------
    kind
        ``female`` and ``male`` are whole names of persons.
    n
        How many names are wanted, at most 100,000.
    locale
        A locale of Faker, such as ``de_DE``.
    seed
        Names the draw; the pool need not follow the data set's seed.

    Returns
    -------
    tuple of str
        Different names in the order drawn: ``n``, or fewer where the locale has no more.

    Raises
    ------
    InputError
        If the kind or the locale is unknown, or ``n`` out of range.
    """
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    if kind not in _MAKERS:
        raise InputError("kind", kind, f"one of {', '.join(get_args(Kind))}", nearest=nearest(kind, _MAKERS))
    if locale not in AVAILABLE_LOCALES:
        raise InputError("locale", locale, "a locale of Faker", nearest=nearest(locale, AVAILABLE_LOCALES))
    if not 1 <= n <= 100_000:
        raise InputError("n", n, "a number from 1 to 100000")
    faker = Faker(locale, use_weighting=False)
    faker.seed_instance(name_key(seed, "names", kind, locale))
    # The proxy in front of the one locale would look up every word of every name again.
    (generator,) = faker.factories
    # Lists hold surnames that were turned round and lost their comma, such as "Dussen van": firms and streets
    # are made of them too.
    surnames = {name for source in generator.providers for name in getattr(source, "last_names", ())}
    damaged = sorted(name for name in surnames if name.split()[-1][:1].islower())
    make = _MAKERS[kind]
    found: dict[str, None] = {}
    tries = 0
    while len(found) < n and tries < _PATIENCE * len(found) + 100:
        before = len(found)
        name = make(cast("Faker", generator))
        if not any(broken in name for broken in damaged):
            found[name] = None
        tries = 0 if len(found) > before else tries + 1
    return tuple(found)
