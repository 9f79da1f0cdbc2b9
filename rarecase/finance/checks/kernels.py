"""The loops behind the laws: one pass over the entries of a part each, compiled.

An entry's account and payment come as dense numbers; see `rarecase.finance.checks.books`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.compiled import compiled

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]
Bool = NDArray[np.bool_]
Facts = tuple[Int64, UInt64, Int64, UInt64]


@compiled
def ascends(group: Int64, number: Int64, groups: int) -> bool:
    """Whether the numbers of every group ascend, or stay, as they stand."""
    last = np.full(groups, -(1 << 62), np.int64)
    for i in range(group.size):
        if number[i] < last[group[i]]:
            return False
        last[group[i]] = number[i]
    return True


@compiled
def follow_accounts(
    order: Int64,
    account: Int64,
    number: Int64,
    booked: Int64,
    amount: Int64,
    balance: Int64,
    opening: Int64,
    accounts: int,
    jumps: Bool,
    disorder: Bool,
) -> None:
    """Mark entries whose balance does not follow from the one before, or that are out of order.

    `accounts` counts those that entries name; the first of them, as many as `opening` has, are known.
    """
    seen = np.zeros(accounts, np.bool_)
    last_number = np.zeros(accounts, np.int64)
    last_booked = np.zeros(accounts, np.int64)
    last_balance = np.zeros(accounts, np.int64)
    for k in range(order.size):
        i = order[k]
        a = account[i]
        if a < opening.size:
            first = number[i] == 1
            before = opening[a] if first else last_balance[a]
            jumps[i] = first == seen[a] or balance[i] - amount[i] != before
        disorder[i] = number[i] != last_number[a] + 1 or (seen[a] and booked[i] < last_booked[a])
        seen[a] = True
        last_number[a], last_booked[a], last_balance[a] = number[i], booked[i], balance[i]


@compiled
def sum_sides(
    side: Int64,
    amount: Int64,
    booked: Int64,
    currency: UInt64,
    middle: Bool,
    total: Int64,
    legs: Int64,
    middles: Int64,
    uneven: Bool,
) -> None:
    """Per side of a payment: sum and number of its legs, those through banks, and whether they differ."""
    first = np.full(total.size, -1, np.int64)
    for i in range(side.size):
        s = side[i]
        if s < 0:
            continue
        total[s] += amount[i]
        legs[s] += 1
        middles[s] += middle[i]
        if first[s] < 0:
            first[s] = i
        elif booked[i] != booked[first[s]] or currency[i] != currency[first[s]]:
            uneven[s] = True


@compiled
def match_legs(
    payment: Int64,
    account: Int64,
    facts: Facts,
    payer: Int64,
    payee: Int64,
    debit: Facts,
    credit: tuple[Int64, UInt64],
    paid: Bool,
    got: Bool,
) -> None:
    """Mark payments that have the leg of their payer, and that of their payee.

    Legs come as (amount, currency, moment, kind), payments so for their payer; for the payee amount and
    currency are of their own. Accounts are positions, -1 where they stand in another part.
    """
    amount, currency, booked, kind = facts
    for i in range(payment.size):
        p = payment[i]
        if p < 0 or p >= payer.size or account[i] < 0:
            continue
        if booked[i] != debit[2][p] or kind[i] != debit[3][p]:
            continue
        if account[i] == payer[p] and amount[i] == -debit[0][p] and currency[i] == debit[1][p]:
            paid[p] = True
        if account[i] == payee[p] and amount[i] == credit[0][p] and currency[i] == credit[1][p]:
            got[p] = True


@compiled
def strange_banks(payment: Int64, amount: Int64, bank: Int64, middle: Bool, payments: int, bad: Bool) -> None:
    """Mark payments that pass through a bank that keeps neither account, by position; bank -1 is none."""
    head = np.full(payments, -1, np.int64)
    after = np.full(payment.size, -1, np.int64)
    for i in range(payment.size):
        if payment[i] >= 0:
            after[i] = head[payment[i]]
            head[payment[i]] = i
    for i in range(payment.size):
        if not middle[i] or payment[i] < 0 or bank[i] < 0:
            continue
        own, other = False, False
        k = head[payment[i]]
        while k >= 0:
            if not middle[k] and amount[k] == -amount[i]:
                own |= bank[k] == bank[i]
                other |= bank[k] >= 0 and bank[k] != bank[i]
            k = after[k]
        if other and not own:
            bad[payment[i]] = True


@compiled
def sum_by(code: UInt64, amount: Int64, codes: UInt64, high: Int64, low: Int64) -> int:
    """Sums by code in two halves, so that none overflows; the number of codes, -1 where room ends."""
    count, at = 0, 0
    for i in range(code.size):
        if not (at < count and codes[at] == code[i]):
            at = 0
            while at < count and codes[at] != code[i]:
                at += 1
            if at == count:
                if count == codes.size:
                    return -1
                codes[count] = code[i]
                count += 1
        high[at] += amount[i] >> np.int64(32)
        low[at] += amount[i] & np.int64(0xFFFFFFFF)
    return count


@compiled
def mix(words: UInt64, column: UInt64) -> None:
    """Mix another column into the hashes of rows, in place (the finaliser of splitmix64)."""
    for i in range(words.size):
        word = (words[i] ^ column[i]) + np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        words[i] = word ^ (word >> np.uint64(31))
