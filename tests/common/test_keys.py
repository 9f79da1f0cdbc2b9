"""Keys: recognisable by all, readable with the seed, moved by nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rarecase.common.errors import PlanError
from rarecase.common.keys import KeySpace, dataset_of, recognise

TABLES = ("customers", "transactions", "cases")
SPACE = KeySpace("finance", 1, 10_000, 1_000, TABLES)
ORDINALS = np.arange(50_000, dtype=np.int64)


def test_keys_are_positive_unique_and_below_two_to_the_62() -> None:
    keys = np.concatenate([SPACE.rows(table, part, ORDINALS) for table in TABLES for part in (0, 9)])
    assert keys.min() > 0
    assert keys.max() < 1 << 62
    assert np.unique(keys).size == keys.size


def test_keys_read_back_to_table_stream_and_ordinal() -> None:
    reading = SPACE.read(SPACE.rows("transactions", 7, ORDINALS))
    assert reading.valid.all()
    assert not reading.is_case.any()
    assert (reading.table == 1).all()
    assert (reading.stream == 7).all()
    assert np.array_equal(reading.ordinal, ORDINALS)


def test_rows_of_cases_have_a_range_of_their_own() -> None:
    entity = np.array([0, 17, 9_999])
    reading = SPACE.read(SPACE.case_rows("transactions", entity, np.array([0, 5, 99])))
    assert reading.is_case.all()
    assert np.array_equal(reading.stream, entity)
    assert reading.ordinal.tolist() == [0, 5, 99]
    assert not np.isin(
        SPACE.case_rows("transactions", entity, entity * 0), SPACE.rows("transactions", 0, ORDINALS)
    ).any()


def test_an_entity_key_is_the_key_of_its_row_in_its_part() -> None:
    assert SPACE.entities("customers", np.array([3_042]))[0] == SPACE.rows("customers", 3, np.array([42]))[0]
    assert (
        SPACE.part_rows("customers", np.array([3]), np.array([42]))[0]
        == SPACE.entities("customers", np.array([3_042]))[0]
    )


def test_anyone_recognises_a_key_and_few_strangers_pass() -> None:
    assert recognise(SPACE.rows("customers", 0, ORDINALS)).all()
    strangers = np.random.default_rng(5).integers(0, 1 << 62, 400_000)
    passed = int(recognise(strangers).sum())
    # Binomial with p = 2**-12; the false-alarm rate of this bound is 1e-6.
    low, high = stats.binom.interval(1 - 1e-6, strangers.size, 2.0**-12)
    assert low <= passed <= high
    assert not recognise(np.array([-1, -(1 << 62), 1 << 62])).any()


def test_another_seed_reads_nothing() -> None:
    keys = SPACE.rows("transactions", 0, ORDINALS)
    other = KeySpace("finance", 2, 10_000, 1_000, TABLES)
    reading = other.read(keys)
    agree = (reading.ordinal == ORDINALS) & (reading.table == 1)
    assert agree.sum() < 5
    assert np.unique(dataset_of(keys)).size == 1


def test_keys_tell_strangers_nothing_of_order() -> None:
    keys = SPACE.rows("transactions", 0, ORDINALS)
    assert abs(stats.spearmanr(keys, ORDINALS).statistic) < 4 / np.sqrt(ORDINALS.size)
    cases = SPACE.case_rows("transactions", ORDINALS % 10_000, ORDINALS // 10_000)
    # Rows of cases and ordinary rows are spread alike over the key range; false-alarm rate 1e-4.
    assert stats.ks_2samp(keys, cases).pvalue > 1e-4


def test_cases_have_no_say_in_the_widths() -> None:
    # KeySpace is built from domain, seed, size and block alone; the same arguments give the same keys.
    again = KeySpace("finance", 1, 10_000, 1_000, TABLES)
    assert np.array_equal(again.rows("customers", 2, ORDINALS), SPACE.rows("customers", 2, ORDINALS))


def test_overflow_is_refused() -> None:
    with pytest.raises(PlanError, match="fit"):
        SPACE.rows("customers", 0, np.array([1 << 38]))
    with pytest.raises(PlanError, match="size"):
        KeySpace("finance", 1, 1 << 32, 1, TABLES)
