"""The ledger's columns as the tables transactions and entries."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common import tables
from rarecase.common.plan import Plan
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.settle import Ledger
from rarecase.finance.schema import CURRENCY, MCCS, SCHEMA

Int8 = NDArray[np.int8]


@lru_cache(maxsize=16)
def _codes(column: str) -> Int8:
    return data.ways().codes(column)


@lru_cache(maxsize=1)
def _mcc_of_kind() -> NDArray[np.int16]:
    return np.array([MCCS.index(code) for code in data.shops().mcc], np.int16)


def word(column: str, way: Int8) -> pa.DictionaryArray:
    """A column of words that follow from the way of paying; null where a way has none."""
    codes = _codes(column)
    chosen = codes[way]
    mask = chosen < 0 if (codes < 0).any() else None
    return tables.category(chosen, data.ways().pool(column), mask)


def transaction_table(plan: Plan, ledger: Ledger) -> pa.Table:
    """One row per payment of the part's accounts."""
    way, none = ledger.way, ledger.merchant == 0
    return tables.build(
        SCHEMA["transactions"],
        {
            "transaction_id": ledger.transaction,
            "booked_at": tables.timestamps(plan.spec.start, ledger.second * ground.SECOND_US),
            "payer_account_id": ledger.payer,
            "payee_account_id": ledger.payee,
            "amount_minor": ledger.amount,
            "currency": tables.constant(CURRENCY, way.size),
            "payment_type": word("payment_type", way),
            "channel": word("channel", way),
            "purpose": word("purpose", way),
            "merchant_id": tables.nulls(ledger.merchant, none),
            "mcc": tables.category(_mcc_of_kind()[ledger.shop], MCCS, none),
            "card_id": tables.nulls(ledger.card, ledger.card == 0),
            "entry_mode": word("entry_mode", way),
            "authentication": word("authentication", way),
            "device_id": tables.nulls(ledger.device, ledger.device == 0),
            "payer_place": ledger.payer_place,
            "payee_place": ledger.payee_place,
            "is_remote": data.ways().remote[way],
        },
    )


def entry_table(plan: Plan, ledger: Ledger) -> pa.Table:
    """One row per leg on the part's accounts."""
    return tables.build(
        SCHEMA["entries"],
        {
            "entry_id": ledger.entry,
            "transaction_id": ledger.entry_transaction,
            "account_id": ledger.entry_account,
            "booked_at": tables.timestamps(plan.spec.start, ledger.entry_second * ground.SECOND_US),
            "payment_type": word("payment_type", ledger.entry_way),
            "amount_minor": ledger.entry_amount,
            "currency": tables.constant(CURRENCY, ledger.entry.size),
            "balance_minor": ledger.balance,
            "entry_number": ledger.number,
            "over_limit": ledger.over,
        },
    )
