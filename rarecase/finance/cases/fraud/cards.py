"""What the kinds of card fraud share: shops and prices, stopped and replaced cards, and who pays at last."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, opening
from rarecase.finance.cases.footprint import USUAL
from rarecase.finance.cases.fraud.forwarding import days_later, exchanged, of_each
from rarecase.finance.schema import BEARERS, DECLINE_REASONS

if TYPE_CHECKING:
    from rarecase.finance.cases.canvas import Canvas

_ATTEMPTS, _OPEN_ATTEMPTS = 8, 12
#: A kind of shop that never closes: fuel.
_ALWAYS_OPEN = "5541"
#: What stopped accounts and cards leave in the tables by definition: refusals of another kind than those for
#: want of funds or a wrong code, and why a card was replaced (only one that expired gets another date).
STOPPED = frozenset({"declines", "card_replacements.reason", "card_replacements.expires_on"})
#: What tells remote card fraud from card payments of all kinds: that nobody was there, and by which network.
REMOTE = STOPPED | {
    "transactions.is_remote",
    "transactions.channel",
    "transactions.purpose",
    "transactions.entry_mode",
    "transactions.authentication",
    "transactions.three_ds",
    "transactions.device_id",
    "transactions.ip_id",
    "transactions.mcc",
    "devices.first_seen_at",
    "ip_addresses.network",
}
#: Card payments of a customer in a year, and the share of them that is fraudulent.
PAYMENTS_A_YEAR, FRAUDULENT = 156.0, 0.00015
EEA = (
    "EBA and ECB, Report on payment fraud, December 2025: 17 million of 111 billion card payments of 2024 "
    "were fraudulent (0.015 % by count), 80 to 85 % of their value remote; some 156 card payments a "
    "customer and year"
)
#: Shares of fraudulent card payments by kind of case, so that all together are 0.015 % of card payments
#: and some 85 % of their value is remote (own choice).
SHARES = {
    "card_not_present": 0.62,
    "card_testing": 0.12,
    "lost_and_stolen": 0.19,
    "skimming": 0.05,
    "account_takeover": 0.02,
}


def cases_a_year(kind: str, booked: float) -> float:
    """Cases a year and customer of a kind that books so many fraudulent card payments per case."""
    return PAYMENTS_A_YEAR * FRAUDULENT * SHARES[kind] / booked


@lru_cache(maxsize=8)
def kinds_of_shops(remote: float, physical: float) -> Float64:
    """Chances of kinds of shops: their share of purchases, weighed by how often one is not, or is, there."""
    shops = data.shops()
    weight = shops.share * (remote * shops.remote + physical * (1 - shops.remote))
    return np.asarray(np.cumsum(weight) / weight.sum(), np.float64)


def shops(
    on: Canvas, what: str, part: Int64, edges: Float64, second: Int64 | None = None
) -> tuple[Int64, Int64]:
    """Merchants of each place, shape of `part`: their kinds by chance, then one of the kind.

    With `second`, of shape of `part`, those that are closed then give way to others that are open.

    Returns
    -------
    tuple
        Numbers of merchants within their place, and kinds.
    """
    width = part.shape[1]
    kind = np.minimum(np.searchsorted(edges, on.u(f"{what}-kind", width), side="right"), edges.size - 1)
    # The first merchants of a place are one of each kind.
    found = kind.astype(np.int64)
    for attempt in range(_ATTEMPTS):
        number = (on.u(f"{what}-{attempt}", width) * on.slots.merchants_n).astype(np.int64)
        hit = ground.shop_kinds(on.spec, part, number) == kind
        found = np.where(hit, number, found)
    return (found, kind.astype(np.int64)) if second is None else _open(on, what, part, edges, second, found)


def _open(
    on: Canvas, what: str, part: Int64, edges: Float64, second: Int64, found: Int64
) -> tuple[Int64, Int64]:
    """Shops, with closed ones replaced by the first of another kind, at last by one that never closes."""
    width, never_closed = part.shape[1], data.shops().mcc.index(_ALWAYS_OPEN)
    for attempt in range(_OPEN_ATTEMPTS + 1):
        u = on.u(f"{what}-open-{attempt}", width)
        other = np.minimum(np.searchsorted(edges, u, side="right"), edges.size - 1)
        other = np.full_like(other, never_closed) if attempt == _OPEN_ATTEMPTS else other
        found = np.where(opening.is_open(on.spec, part, found, second), found, other)
    kind = ground.shop_kinds(on.spec, part.ravel(), found.ravel()).reshape(found.shape)
    return found.astype(np.int64), kind.astype(np.int64)


def prices(on: Canvas, what: str, kind: Int64, dearer: float, customers: Int64 | None = None) -> Int64:
    """What is paid in shops of these kinds, shape of `kind`: as others pay, times `dearer`, minor units."""
    law, who = data.shops(), on.homes[:, None] if customers is None else customers
    scale = ground.scale_of(on.spec, who)
    rich = (of_each(ground.income_minor, on.spec, who) / scale / ground.USUAL_INCOME_MINOR) ** 0.6
    normal = np.clip(on.normal(what, kind.shape[1]), -3.0, 3.0)
    return np.maximum(
        np.rint(dearer * law.median_minor[kind] * np.exp(law.log_sd[kind] * normal) * rich * scale), 50
    ).astype(np.int64)


def shop_places(on: Canvas, what: str, width: int, home_share: float) -> Int64:
    """Places of shops, shape (n, width): the home's, or one that deals with it."""
    part = np.broadcast_to(on.part(on.homes)[:, None], (on.n, width))
    return ground.near_part(on.spec, part, on.u(what, width), home_share)


def refusals(on: Canvas, what: str, width: int, share: float, *reasons: str) -> Int64:
    """Positions of DECLINE_REASONS for attempts that fail, USUAL for the others, shape (n, width)."""
    codes = np.array([DECLINE_REASONS.index(reason) for reason in reasons])
    u = on.u(what, width)
    return np.where(
        u < share, codes[np.minimum((u / max(share, 1e-9) * codes.size).astype(int), codes.size - 1)], USUAL
    )


def stop_cards(
    on: Canvas, customer: Int64, known: Int64, what: str = "card", where: NDArray[np.bool_] | None = None
) -> None:
    """Cards are stopped once the bank knows, and new ones work three to nine days later."""
    until = days_later(known, 3 + 5 * on.one(f"{what}-replaced"))
    # New cards are made good by day.
    hour = ((6 + 12 * on.one(f"{what}-replaced-hour")) * 3_600).astype(np.int64)
    day = np.where(until == NEVER, 0, until) // ground.DAY_S + 1
    until = np.where(until == NEVER, NEVER, day * ground.DAY_S + hour)
    on.stop(on.every, on.account(customer), known, until, "card", where=where)
    on.new_card(on.every, customer, until, where=where)


class Paid(NamedTuple):
    """Fraudulent card payments, all of shape (n, k).

    Row number within the case (-1: none), second, minor units of the payer's currency, and addresses.
    """

    row: Int64
    second: Int64
    amount: Int64
    payer: Int64
    payee: Int64


def loss(on: Canvas, paid: Paid) -> Int64:
    """What was taken per case, minor units of the home's currency."""
    home = on.account(on.homes)[:, None]
    same = exchanged(on, np.clip(paid.second, 0, on.horizon - 1), paid.amount, paid.payer, home)
    return np.asarray(np.where(paid.row >= 0, same, 0).sum(axis=1), np.int64)


def give_back(
    on: Canvas, paid: Paid, known: Int64, *, disputed: float, told: float = 0.97
) -> tuple[Int64, Int64]:
    """Victims get their money back: from the merchants by chargeback, or from the bank.

    Parameters
    ----------
    paid
        The fraudulent payments.
    known
        When the bank knows, shape (n,).
    disputed
        Share of cases that the bank charges back.
    told
        Share of the others that the bank pays.

    Returns
    -------
    tuple
        What merchants and what banks paid per case, minor units of the home's currency.
    """
    u = on.u("given-back", 2)
    told_at = np.where(known == NEVER, on.horizon, np.minimum(known, on.horizon))
    charged = (u[:, 0] < disputed) & (known != NEVER)
    # Card payments are booked within two nights; nobody charges back what is not booked.
    wait = ((3 + 25 * on.u("charged-back", paid.row.shape[1])) * ground.DAY_S).astype(np.int64)
    when = np.maximum(told_at[:, None], paid.second) + wait
    theirs = exchanged(on, np.clip(when, 0, on.horizon - 1), paid.amount, paid.payer, paid.payee)
    row = on.pay(
        on.every[:, None],
        when,
        theirs,
        paid.payee,
        paid.payer,
        "chargeback",
        "dispute",
        refers=paid.row,
        tainted=0,
        where=(paid.row >= 0) & charged[:, None],
    )
    merchant = loss(on, paid._replace(row=row))
    asks, bank = ~charged & (known != NEVER) & (u[:, 1] < told), np.zeros(on.n, np.int64)
    branch = (on.one("paying-bank") * on.slots.banks_n).astype(np.int64)
    for column, victim in enumerate(_each(paid.payer)):
        mine = np.where((paid.row >= 0) & (paid.payer == victim[:, None]), paid.amount, 0).sum(axis=1)
        later = told_at + ((1 + 9 * on.one(f"paid-back-{column}")) * ground.DAY_S).astype(np.int64)
        holder = np.maximum(victim, 0)
        told_of = on.pay(
            on.every,
            later,
            mine,
            on.at(on.part_of(holder), "branches", branch),
            holder,
            "reimbursement",
            "reimbursement",
            tainted=0,
            where=asks & (victim >= 0),
        )
        same = exchanged(on, np.clip(later, 0, on.horizon - 1), mine, holder, on.account(on.homes))
        bank += np.where(told_of >= 0, same, 0)
    return merchant, bank


def bearer(merchant: Int64, bank: Int64) -> Int64:
    """Who bears the loss: the merchant whom it was charged back to, the bank that paid, or the customer."""
    by_bank = np.where(bank > 0, BEARERS.index("bank"), BEARERS.index("customer"))
    return np.where(merchant > 0, BEARERS.index("merchant"), by_bank)


def _each(payer: Int64) -> list[Int64]:
    """The distinct payers of each case, column by column, -1 where there are no more."""
    ranked = np.sort(payer, axis=1)
    new = np.concatenate([np.ones((payer.shape[0], 1), np.bool_), np.diff(ranked, axis=1) != 0], axis=1)
    place = np.cumsum(new, axis=1) - 1
    found = np.full((payer.shape[0], int(place.max(initial=0)) + 1), -1, np.int64)
    row, column = np.nonzero(new)
    found[row, place[row, column]] = ranked[row, column]
    return list(found.T)
