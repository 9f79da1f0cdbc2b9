"""What follows from card payments: refunds, disputes, and attempts that failed before one succeeded.

Shares are our own choice near what schemes and processors report: one to two in a hundred purchases given
back, a few disputes in ten thousand, one attempt in a hundred refused for other reasons than money.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Float64, Int64
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.maker import Flow, Maker, flow
from rarecase.finance.generate.purchases import within_hours
from rarecase.finance.schema import DECLINE_REASONS

#: Shares of purchases that may be given back, wholly or in part, where the kind of shop takes things back (of
#: those in shops half), and that are disputed.
_REFUNDED, _DISPUTED, _WHOLLY = 0.055, 0.0003, 0.7
_FAILED = 0.011
#: Share of transfers that reach the wrong person, and complaints of a customer per month with reason.
_MISSENT, _COMPENSATED_MONTHLY = 0.0012, 0.003
#: Why attempts fail, in shops and from afar; the payment itself follows within two minutes.
_IN_SHOPS = {"wrong_code": 0.75, "invalid_card": 0.15, "limit_exceeded": 0.10}
#: Days after a card's end within which a shop on-line may still try its old date.
_STALE_DAYS = 120
_FROM_AFAR = {"invalid_card": 0.45, "expired_card": 0.35, "limit_exceeded": 0.20}


def returns(make: Maker, bought: list[Flow]) -> list[Flow]:
    """Refunds and disputes of purchases, which stand first among the flows of the place."""
    total, rng = sum(each.second.size for each in bought), make.rng("returns", "which")
    found = []
    for way, share, least, most in (("card_refund", _REFUNDED, 4, 22), ("chargeback", _DISPUTED, 20, 75)):
        index = np.unique(rng.integers(0, max(total, 1), rng.binomial(total, share)))
        days, u = rng.integers(least, most, index.size), rng.random((3, index.size))
        original = _take(bought, index)
        shop = make.place.shop[original.payee - make.slots.first("merchants")]
        if way == "card_refund":
            kept = data.shops().given_back[shop] & (u[2] < 0.5 + 0.5 * data.ways().remote[original.way])
        else:
            kept = np.ones(index.size, np.bool_)
        second = original.second + days * ground.DAY_S + (u[0] * 3_600).astype(np.int64)
        if way == "card_refund":
            second = _in_the_shop(make, second, original.payee)
        rows = np.flatnonzero(kept & (second < make.horizon))
        part = np.where(u[1] < _WHOLLY, 1.0, 0.2 + 0.6 * (u[1] - _WHOLLY) / (1 - _WHOLLY))
        part = part if way == "card_refund" else np.ones(index.size)
        amount = np.maximum(np.rint(original.amount * part), 1).astype(np.int64)
        back = flow(second[rows], amount[rows], original.payee[rows], original.payer[rows], way)
        found.append(Flow(back.second, back.amount, back.payer, back.payee, back.way, None, index[rows]))
    return found


def _in_the_shop(make: Maker, second: Int64, shop: Int64) -> Int64:
    """The moments, or others of the same day at which the shops are open."""
    merchant, out = shop - make.slots.first("merchants"), np.empty(second.size, np.int64)
    within_hours(second, make.place.opens[merchant] * 3_600, make.place.closes[merchant] * 3_600, out)
    return out


def recalls(make: Maker, sent: Flow, first: int) -> Flow:
    """Transfers to the wrong payee, whose bank sends them back some days later.

    Parameters
    ----------
    sent
        Transfers between people of the place.
    first
        Position of the first of them among all flows of the place.
    """
    rng = make.rng("recall", "which")
    n = sent.second.size
    index = np.unique(rng.integers(0, max(n, 1), rng.binomial(n, _MISSENT)))
    second = sent.second[index] + rng.integers(ground.DAY_S, 12 * ground.DAY_S, index.size)
    rows = np.flatnonzero(second < make.horizon)
    index = index[rows]
    back = flow(second[rows], sent.amount[index], sent.payee[index], sent.payer[index], "recall")
    return Flow(back.second, back.amount, back.payer, back.payee, back.way, None, first + index)


def compensation(make: Maker) -> Flow:
    """What banks pay to customers who complain with reason."""
    place = make.place
    owner = make.owners("compensation", _COMPENSATED_MONTHLY)
    amount = make.lognormal("compensation", owner.size, 4_500.0 * place.scale, 1.0)
    second = make.seconds("compensation", "office", owner.size)
    branch = make.slots.first("branches") + place.bank[owner]
    return flow(second, np.maximum(amount, 200), branch, owner, "reimbursement")


def failed_attempts(make: Maker, bought: list[Flow]) -> Flow:
    """Attempts refused for a wrong code, a bad number or a limit, soon before the same payment succeeds."""
    total, rng = sum(each.second.size for each in bought), make.rng("attempts", "which")
    index = np.unique(rng.integers(0, max(total, 1), rng.binomial(total, _FAILED)))
    original = _take(bought, index)
    u = rng.random((2, index.size))
    second = original.second - 15 - (u[0] * 100).astype(np.int64)
    ways = data.ways()
    remote = ways.remote[original.way]
    reason = np.where(remote, _reasons(_FROM_AFAR, u[1]), _reasons(_IN_SHOPS, u[1])).astype(np.int8)
    # A shop on-line that keeps a card's data may not know yet of the one that replaced it.
    expired = DECLINE_REASONS.index("expired_card")
    stale = remote & _lately_renewed(make, original.payer, second)
    reason = np.where((reason == expired) & ~stale, DECLINE_REASONS.index("invalid_card"), reason)
    reason = reason.astype(np.int8)
    wrong = reason == DECLINE_REASONS.index("wrong_code")
    # A code is asked where the chip is read.
    way = np.where(wrong, ways.code("chip"), original.way).astype(np.int8)
    # Not before the shop opens, and not before the data begin.
    rows = np.flatnonzero((second >= 0) & (second // 3_600 == original.second // 3_600))
    payer, payee = original.payer[rows], original.payee[rows]
    return Flow(second[rows], original.amount[rows], payer, payee, way[rows], reason[rows])


def _lately_renewed(make: Maker, payer: Int64, second: Int64) -> NDArray[np.bool_]:
    """Whose card was replaced because it expired, and has been out of date for some weeks at most."""
    first = make.slots.first("card")
    credit = payer >= first
    card = 2 * (make.place.low + np.where(credit, payer - first, payer)) + credit
    # Those held at the start end within the data at the earliest after their next one came.
    since = (second // ground.DAY_S - terms.card_expires(make.spec, card)) % terms.CARD_DAYS
    ended = second // ground.DAY_S > terms.card_expires(make.spec, card)
    return np.asarray(ended & (since > 0) & (since <= _STALE_DAYS), np.bool_)


def _reasons(shares: dict[str, float], u: Float64) -> Int64:
    codes = np.array([DECLINE_REASONS.index(word) for word in shares])
    edges = np.cumsum(list(shares.values()))
    return codes[np.minimum(np.searchsorted(edges, u, side="right"), codes.size - 1)]


def _take(bought: list[Flow], index: Int64) -> Flow:
    """Rows of several flows, by ascending positions among all of them."""
    pieces, start = [], 0
    for each in bought:
        low, high = np.searchsorted(index, [start, start + each.second.size])
        rows = index[low:high] - start
        columns = (each.second, each.amount, each.payer, each.payee, each.way)
        pieces.append([column[rows] for column in columns])
        start += each.second.size
    return Flow(*(np.concatenate(columns) for columns in zip(*pieces, strict=True)))
