"""Pools of names: different, repeatable, of the right language."""

from __future__ import annotations

from typing import get_args

import pytest

from rarecase.common.errors import InputError
from rarecase.common.names import Kind, pool

# a new version of Faker may change these; then every data set changes and the changelog says so
PINNED = ("Peacock-Bowen", "Morley Group", "Herbert, Hooper and Godfrey")


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("locale", ["en_US", "de_DE"])
def test_pool_holds_different_names(kind: Kind, locale: str) -> None:
    names = pool(kind, 150, locale=locale)
    assert len(set(names)) == len(names)
    assert len(names) == 150 or (kind, locale) == ("job", "de_DE")
    assert all(name.strip() == name != "" for name in names)


def test_pool_is_repeatable_and_named_by_its_seed() -> None:
    first = pool("female", 40)
    pool.cache_clear()
    assert pool("female", 40) == first
    assert pool("female", 40) is pool("female", 40)
    assert pool("female", 40, seed=1) != first
    assert pool("female", 20) == first[:20]


def test_pool_numbers_are_pinned() -> None:
    assert pool("company", 3, locale="en_GB", seed=7) == PINNED


@pytest.mark.parametrize("kind", ["last_name", "company", "street", "female"])
def test_names_that_were_turned_round_are_left_out(kind: Kind) -> None:
    assert [name for name in pool(kind, 2_000, locale="de_DE") if "Dussen van" in name] == []


def test_small_locale_gives_what_it_has() -> None:
    names = pool("first_name_male", 100_000 // 20, locale="fr_FR")
    assert 50 < len(names) < 500


def test_bad_requests_are_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'de_DE'"):
        pool("town", 5, locale="de_DD")
    with pytest.raises(InputError, match="kind=compani"):
        pool("compani", 5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="n=0"):
        pool("town", 0)
