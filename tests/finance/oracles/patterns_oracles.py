"""Oracles of the eight patterns of laundering, on the graph of who paid whom when, from their definitions.

A pattern is money that comes in as cash below the limit, goes from account to account, later each time and a
fee smaller, and does so in a certain shape. Time, sums and shape are all asked for, as at difficulty 0.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from tests.finance.oracles.harness import Oracle

HOUR = 3_600
#: Cash comes within half a day, and all hops lie within the two days that follow.
BEFORE_S, WINDOW_S = 12.5 * HOUR, 48 * HOUR
#: Of its cash, and of what came to it, each account moves on.
FUNDED, PASSED = (0.938, 0.987), (0.953, 0.987)
LIMITS = {"EUR": 1_000_000, "USD": 1_000_000, "AUD": 1_000_000, "GBP": 900_000, "CZK": 25_000_000}


@dataclass(frozen=True)
class Hop:
    """A payment between current accounts of customers: seconds, and sums in the currencies of both."""

    payer: int
    payee: int
    ordered: float
    booked: float
    amount: int
    credited: int


class Graph:
    """Who pays whom, and who pays cash in."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        current = "accounts a WHERE a.kind::VARCHAR = 'current' AND a.holder::VARCHAR = 'customer'"
        self.holder: dict[int, int] = dict(
            connection.execute(f"SELECT account_id, customer_id FROM {current}").fetchall()
        )
        rows = connection.execute(
            f"""
            SELECT payer_account_id, payee_account_id, epoch(ordered_at), epoch(booked_at), amount_minor,
                credited_minor
            FROM transactions
            WHERE payment_type::VARCHAR IN ('transfer', 'wire')
                AND payer_account_id IN (SELECT account_id FROM {current})
                AND payee_account_id IN (SELECT account_id FROM {current})
            ORDER BY ordered_at, transaction_id
            """
        ).fetchall()
        self.out: dict[int, list[Hop]] = defaultdict(list)
        self.into: dict[int, list[Hop]] = defaultdict(list)
        for row in rows:
            hop = Hop(*row)
            self.out[hop.payer].append(hop)
            self.into[hop.payee].append(hop)
        self.cash: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for account, second, amount, currency in connection.execute(
            """
            SELECT payee_account_id, epoch(booked_at), credited_minor, credited_currency::VARCHAR
            FROM transactions
            WHERE payment_type::VARCHAR = 'cash_deposit' AND payer_place = payee_place
            """
        ).fetchall():
            if amount < LIMITS[currency]:
                self.cash[account].append((second, amount))

    def funded(self, hops: Iterable[Hop]) -> bool:
        """Whether cash of half a day, before the days of the hops, paid for these hops of one account."""
        moved = list(hops)
        first, total = min(hop.ordered for hop in moved), sum(hop.amount for hop in moved)
        earlier = [
            deposit for deposit in self.cash[moved[0].payer] if 0 < first - deposit[0] <= WINDOW_S + BEFORE_S
        ]
        for since, _ in earlier:
            sums = [amount for second, amount in earlier if 0 <= second - since <= BEFORE_S]
            # Somebody may have paid in some cash of their own beside it.
            held = {sum(sums), *(sum(sums) - amount for amount in sums)}
            if any(FUNDED[0] * whole <= total <= FUNDED[1] * whole for whole in held if whole > 0):
                return True
        return False

    def bursts(self) -> Iterator[list[Hop]]:
        """What each account that got cash pays in the two days after it."""
        for account, deposits in self.cash.items():
            for second, _ in deposits:
                hops = [hop for hop in self.out[account] if 0 < hop.ordered - second <= WINDOW_S + BEFORE_S]
                if hops:
                    yield hops

    def customers(self, accounts: Iterable[int]) -> set[int]:
        """Holders of accounts."""
        return {self.holder[account] for account in accounts}


def passed_on(came: Iterable[Hop], goes: Iterable[Hop]) -> bool:
    """Whether what goes out of an account is what came before, less a fee."""
    inward, outward = list(came), list(goes)
    later = min(hop.ordered for hop in outward) >= max(hop.booked for hop in inward)
    total = sum(hop.credited for hop in inward)
    return later and PASSED[0] * total <= sum(hop.amount for hop in outward) <= PASSED[1] * total


def within_window(hops: Iterable[Hop]) -> bool:
    """Whether all hops lie within two days."""
    times = [hop.ordered for hop in hops]
    return max(times) - min(times) <= WINDOW_S


def but_for_few(hops: list[Hop], fewest: int, most_left_out: int = 2) -> Iterator[list[Hop]]:
    """The hops, and the hops without one or two that belong to ordinary life."""
    for left_out in range(most_left_out + 1):
        if len(hops) - left_out < fewest:
            return
        for chosen in itertools.combinations(hops, len(hops) - left_out):
            yield list(chosen)


def find_fan_out(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Cash, then three or more receivers."""
    graph, found = Graph(connection), set()
    for burst in graph.bursts():
        for hops in but_for_few(burst, 3):
            distinct = len({hop.payee for hop in hops}) == len(hops)
            if distinct and within_window(hops) and graph.funded(hops):
                found.add(burst[0].payer)
                break
    return graph.customers(found)


def find_fan_in(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Three or more who had cash and pay one account."""
    graph = Graph(connection)
    return graph.customers(payee for payee, _ in gathered(graph, 3))


def gathered(graph: Graph, fewest: int) -> Iterator[tuple[int, list[Hop]]]:
    """Accounts, and the hops of at least so many different payers that cash paid for, within two days."""
    for payee, hops in graph.into.items():
        paid = [hop for hop in hops if graph.funded([hop])]
        for first in paid:
            group = [hop for hop in paid if 0 <= hop.ordered - first.ordered <= WINDOW_S]
            if len({hop.payer for hop in group}) == len(group) >= fewest:
                yield payee, group


def find_gather_scatter(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Two or more who had cash pay a hub, which then pays two or more others."""
    graph, found = Graph(connection), set()
    for hub, came in gathered(graph, 2):
        booked, begin = max(hop.booked for hop in came), min(hop.ordered for hop in came)
        goes = [hop for hop in graph.out[hub] if booked <= hop.ordered <= begin + WINDOW_S]
        sources = {hop.payer for hop in came}
        for hops in but_for_few(goes, 2):
            others = {hop.payee for hop in hops}
            if len(others) == len(hops) and not others & sources and passed_on(came, hops):
                found.add(hub)
                break
    return graph.customers(found)


def find_scatter_gather(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """One who had cash pays two or more, who each pay one and the same sink."""
    graph, found = Graph(connection), set()
    ways: dict[tuple[int, int], dict[int, tuple[Hop, Hop]]] = defaultdict(dict)
    for hops in list(graph.out.values()):
        for first in hops:
            for second in graph.out[first.payee]:
                soon = second.ordered - first.ordered <= WINDOW_S
                if soon and second.payee != first.payer and passed_on([first], [second]):
                    ways[first.payer, second.payee][first.payee] = first, second
    for (source, _), between in ways.items():
        for chosen in but_for_few([first for first, _ in between.values()], 2):
            if within_window(hop for pair in between.values() for hop in pair) and graph.funded(chosen):
                found.add(source)
                break
    return graph.customers(found)


def find_cycle(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Cash, then three to twelve hops that come back to where they began."""
    graph = Graph(connection)
    return graph.customers(
        path[0].payer
        for path in walks(graph)
        if path[-1].payee == path[0].payer
        and 3 <= len(path) <= 12
        and len({hop.payee for hop in path}) == len(path)
    )


def find_random_walk(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Cash, then hops over three or more accounts that never come back to the first."""
    graph = Graph(connection)
    begun: dict[int, list[list[Hop]]] = defaultdict(list)
    for path in walks(graph):
        begun[path[0].payer].append(path)
    return graph.customers(
        home
        for home, paths in begun.items()
        if all(hop.payee != home for path in paths for hop in path)
        and any(len({hop.payee for hop in path}) >= 2 for path in paths)
    )


def walks(graph: Graph) -> Iterator[list[Hop]]:
    """Every path of money that begins with cash, each hop passing on the one before, as far as it goes."""
    for hops in list(graph.out.values()):
        for first in hops:
            if not graph.funded([first]):
                continue
            paths = [[first]]
            while paths:
                path = paths.pop()
                onward = [
                    hop
                    for hop in graph.out[path[-1].payee]
                    if hop.ordered - first.ordered <= WINDOW_S and passed_on([path[-1]], [hop])
                ]
                if path[-1].payee == first.payer:
                    onward = []
                if not onward:
                    yield path
                paths.extend([*path, hop] for hop in onward if hop not in path)


def find_bipartite(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Two or more who had cash, all of whom pay the same two or more."""
    graph, found = Graph(connection), set()
    for senders, _ in layers(graph):
        found |= senders
    return graph.customers(found)


def layers(graph: Graph) -> Iterator[tuple[set[int], list[list[Hop]]]]:
    """Two or more senders who had cash and all pay the same receivers: the senders, and the hops of each."""
    bursts: dict[int, list[Hop]] = {}
    for burst in graph.bursts():
        bursts.setdefault(burst[0].payer, []).extend(burst)
    paying: dict[int, set[int]] = defaultdict(set)
    for account, hops in bursts.items():
        for hop in hops:
            paying[hop.payee].add(account)
    for account, hops in bursts.items():
        near = set().union(*(paying[hop.payee] for hop in hops)) - {account}
        for other in near:
            common = {hop.payee for hop in hops} & {hop.payee for hop in bursts[other]}
            if len(common) < 2:
                continue
            told = []
            for sender in {account, *near}:
                sent = {hop.payee: hop for hop in bursts[sender] if hop.payee in common}
                if set(sent) == common and graph.funded(sent.values()):
                    told.append(list(sent.values()))
            senders = {sent[0].payer for sent in told}
            if account in senders and len(senders) >= 2 and within_window(itertools.chain(*told)):
                yield senders, told


def find_stack(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """A layer of senders who had cash, one of two who pass it on, and another one."""
    graph, found = Graph(connection), set()
    for senders, sent in layers(graph):
        begin = min(hop.ordered for hop in itertools.chain(*sent))
        inner = {hop.payee for hop in sent[0]}
        if len(inner) != 2:
            continue
        came = {account: [hop for hops in sent for hop in hops if hop.payee == account] for account in inner}
        goes = {
            account: [
                hop
                for hop in graph.out[account]
                if max(each.booked for each in came[account]) <= hop.ordered <= begin + WINDOW_S
            ]
            for account in inner
        }
        common = set.intersection(*({hop.payee for hop in hops} for hops in goes.values()))
        chosen = {account: [hop for hop in goes[account] if hop.payee in common] for account in inner}
        if len(common) >= 2 and all(passed_on(came[account], chosen[account]) for account in inner):
            found |= senders
    return graph.customers(found)


_HOPS = "transaction_id IN (SELECT transaction_id FROM planted WHERE role = 'hop')"
#: Some other account for each hop, so that the shape is gone.
_ELSEWHERE = """
UPDATE transactions SET payee_account_id = other.account_id
FROM (
    SELECT t.transaction_id, a.account_id, row_number() OVER (
        PARTITION BY t.transaction_id ORDER BY hash(t.transaction_id + a.account_id)) AS n
    FROM (SELECT transaction_id FROM planted WHERE role = 'hop') t
    CROSS JOIN (
        SELECT account_id FROM accounts WHERE kind::VARCHAR = 'current' ORDER BY hash(account_id) LIMIT 60) a
) other
WHERE other.n = 1 AND transactions.transaction_id = other.transaction_id
"""
#: All hops of a case go to one account, so that nothing fans out.
_ONE_RECEIVER = """
UPDATE transactions SET payee_account_id = one.payee
FROM (
    SELECT p.transaction_id, min(t.payee_account_id) OVER (PARTITION BY p.case_id) AS payee
    FROM planted p JOIN transactions t ON t.transaction_id = p.transaction_id WHERE p.role = 'hop'
) one
WHERE transactions.transaction_id = one.transaction_id
"""
#: Each hop moves more than came, by an amount of its own, so that nothing is conserved.
_SUMS = f"""
UPDATE transactions SET
    amount_minor = (amount_minor * (1.5 + (hash(transaction_id) % 1000) / 800))::BIGINT,
    credited_minor = (credited_minor * (1.5 + (hash(transaction_id) % 1000) / 800))::BIGINT
WHERE {_HOPS}
"""
#: All hops days before the cash that should pay for them.
_BEFORE_CASH = f"""
UPDATE transactions SET ordered_at = ordered_at - INTERVAL 5 DAY, booked_at = booked_at - INTERVAL 5 DAY
WHERE {_HOPS}
"""
#: Hops stand in the opposite order.
_BACKWARDS = """
UPDATE transactions SET ordered_at = mirrored.at, booked_at = mirrored.at + INTERVAL 5 SECOND
FROM (
    SELECT t.transaction_id, ends.first + (ends.last - t.ordered_at) AS at
    FROM transactions t JOIN planted p ON p.transaction_id = t.transaction_id AND p.role = 'hop'
    JOIN (
        SELECT q.case_id, min(u.ordered_at) AS first, max(u.ordered_at) AS last
        FROM transactions u JOIN planted q ON q.transaction_id = u.transaction_id AND q.role = 'hop'
        GROUP BY q.case_id) ends ON ends.case_id = p.case_id
) mirrored
WHERE transactions.transaction_id = mirrored.transaction_id
"""
#: Cash is paid in at another place than where the holder lives.
_FAR_CASH = """
UPDATE transactions SET payer_place = payer_place + 1
WHERE transaction_id IN (SELECT transaction_id FROM planted WHERE stage = 'placement')
    AND payment_type::VARCHAR = 'cash_deposit'
"""
_ALWAYS = {"sums": _SUMS, "before_cash": _BEFORE_CASH, "far_cash": _FAR_CASH}
_MET = {**_ALWAYS, "elsewhere": _ELSEWHERE}
_IN_TURN = {**_MET, "backwards": _BACKWARDS}

ORACLES: tuple[Oracle, ...] = tuple(
    Oracle(f"laundering_{name}", find, breaks, most=0.002)
    for name, find, breaks in (
        ("bipartite", find_bipartite, _MET),
        ("cycle", find_cycle, _IN_TURN),
        ("fan_in", find_fan_in, _MET),
        ("fan_out", find_fan_out, {**_ALWAYS, "one_receiver": _ONE_RECEIVER}),
        ("gather_scatter", find_gather_scatter, _IN_TURN),
        ("random_walk", find_random_walk, _IN_TURN),
        ("scatter_gather", find_scatter_gather, _IN_TURN),
        ("stack", find_stack, _IN_TURN),
    )
)
