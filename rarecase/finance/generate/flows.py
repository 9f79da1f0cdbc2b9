"""Ordinary payments within a place, in the order in which they are numbered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rarecase.finance.generate import afar, credit, firms, giving, living
from rarecase.finance.generate.budget import evened, spent_surplus
from rarecase.finance.generate.crossing import Crossing
from rarecase.finance.generate.maker import Flow, Maker
from rarecase.finance.generate.purchases import purchases
from rarecase.finance.generate.returns import compensation, failed_attempts, recalls, returns

__all__ = ["Flow", "Maker", "ordinary_flows"]

#: Flows that look at nothing but the place.
PLAIN: tuple[Callable[[Maker], Iterator[Flow]], ...] = (
    living.rents,
    credit.loans,
    living.household,
    living.bills,
    living.fees,
    living.savings,
    living.wages,
    living.invoices,
    living.cash,
    living.second_accounts,
    afar.wires,
    afar.cheques,
    firms.firms,
    giving.donations,
    giving.coins,
)


def ordinary_flows(make: Maker, across: list[Crossing]) -> list[Flow]:
    """Everything that the ordinary world orders within a place.

    Parameters
    ----------
    make
        The drawer of the place.
    across
        What crosses the border of the place (`crossing.crossings`); people live within their means with it.

    Returns
    -------
    list of Flow
        Purchases first, so that what gives them back can refer to them by position; then all else.
    """
    bought = list(purchases(make))
    charged = [*bought, *returns(make, bought), *living.subscriptions(make)]
    sent = list(living.transfers(make))
    first = sum(flow.second.size for flow in charged)
    sent += [recalls(make, flow, first) for flow in sent]
    plain = [flow for maker in PLAIN for flow in maker(make)]
    shops = list(firms.shops(make, bought))
    bills = credit.card_bills(make, charged, across)
    flows = [*charged, *sent, *plain, compensation(make), *shops, *bills, *spent_surplus(make)]
    # Attempts move no money, so nobody plans with them.
    return [*flows, *evened(make, flows, across), failed_attempts(make, bought)]
