"""What people earn, pay every month, and send each other: flows within a place, whole columns at a time.

Each flow is drawn from streams named by the flow, the column and the part, and looks at nothing but the
place: neither at cases nor at balances. So a case moves no draw here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rarecase.common.draws import AliasTable
from rarecase.common.seeds import Float64, Int64, keyed_uniform
from rarecase.common.tables import NEVER
from rarecase.finance import data
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate import lending
from rarecase.finance.generate.maker import Flow, Maker, flow, mobile_or_web, personal_ways
from rarecase.finance.generate.mood import out_of_work
from rarecase.finance.spec import FinanceSpec

_CONTACTS = 5
_NEW_PAYEE = 0.12
#: Median and spread of cash paid in, and how often the self-employed and others do so in a month, beside
#: the mean of all.
CASH_IN_LOG_SD, CASH_IN_OWN, CASH_IN_OTHERS = 1.1, 4.4, 0.66
#: Share of deposits of people at machines; firms pay in at the counter.
_AT_MACHINES = 0.4
INVOICES_MONTHLY, INVOICE_LOG_SD = 4.0, 0.75
SAVINGS_LEAST, SAVINGS_MOST = 0.04, 0.16
#: Share of people living with others who give to the household each month, and of their income that is.
_SHARES_COST, _COST_SHARE = 0.4, 0.18
_CARD_SUBSCRIPTION = 0.42
_BENEFIT = 0.6
_FEES = np.array([490, 390, 590, 690, 290, 990])
_TAX_SHARE = 0.12


def transfers(make: Maker) -> Iterator[Flow]:
    """Payments between people of the place: mostly to the same few."""
    place, spec = make.place, make.spec
    if place.n < 2:
        return
    abroad = spec.population.abroad if spec.parts > 1 else 0.0
    owner = make.owners("transfers", spec.population.transfers_per_month * (1 - abroad))
    n = owner.size
    step = make.rng("transfers", "contacts").integers(1, place.n, (place.n, _CONTACTS))
    which = AliasTable([5, 3, 2, 1, 1]).draw(make.rng("transfers", "which"), n)
    other = make.rng("transfers", "new").integers(1, place.n, n)
    u = make.rng("transfers", "amount").random((4, n))
    moved = np.where(u[2] < _NEW_PAYEE, other, step[owner, which])
    amount = ground.transfer_minor(u[0], u[1], place.income[owner], place.scale)
    yield flow(
        make.seconds("transfers", "person", n), amount, owner, (owner + moved) % place.n, personal_ways(u[3])
    )


def _orders(make: Maker) -> float:
    return make.spec.population.standing_orders


def rents(make: Maker) -> Iterator[Flow]:
    """Rent to a landlord, by standing order."""
    place = make.place
    orders = keyed_uniform(make.spec.seed, "rent-by-order", place.customers) < _orders(make)
    who = np.flatnonzero((place.housing == terms.RENTS) & orders)
    amount = lending.housing_minor(make.spec, place.customers[who], place.income[who])
    day = make.rng("rent", "day").choice(np.array([1, 2, 3, 5, 15, 28]), who.size)
    row, second = make.monthly("rent", make.due("rent", who, day))
    payer = who[row]
    yield flow(second, amount[row], payer, make.slots.first("landlords") + place.landlord[payer], "rent")


def household(make: Maker) -> Iterator[Flow]:
    """What those who live with others give each month to the first person of their household."""
    place = make.place
    u = keyed_uniform(make.spec.seed, "household-cost", place.customers)
    who = np.flatnonzero((place.household != np.arange(place.n)) & (u < _SHARES_COST * _orders(make)))
    share = _COST_SHARE * (0.3 + 1.4 * u[who] / _SHARES_COST)
    step = 1_000 if place.scale < 2 else 10_000
    amount = (np.maximum(np.rint(place.income[who] * share / step), 1) * step).astype(np.int64)
    day = make.due("household", who, make.rng("household", "day").integers(1, 8, who.size))
    row, second = make.monthly("household", day)
    yield flow(second, amount[row], who[row], place.household[who[row]], "standing")


def price_level(spec: FinanceSpec, part: int, seller: str, months: int) -> Float64:
    """Prices of who sells month after month, beside those at the start, by calendar month of the data.

    Once a year, in a month of its own, each raises them by 2 to 8 % in a country; nobody does in the month
    in which the data begin.
    """
    first = (spec.start.year * 12) + spec.start.month - 1
    now = first + np.arange(months)
    name = int(ground.country(spec, np.array([part]))[0])
    turn = int(keyed_uniform(spec.seed, ("price-month", seller), np.array([name]))[0] * 12)
    raised = (now - turn) // 12
    years = np.arange(raised[0] + 1, raised[-1] + 1)
    rises = 1.02 + 0.06 * keyed_uniform(spec.seed, ("price-rise", seller), years * 64 + name)
    level: Float64 = np.concatenate([[1.0], np.cumprod(rises)])[raised - raised[0]]
    return level


def bills(make: Maker) -> Iterator[Flow]:
    """Direct debits of those who serve everybody, the same amount every month until prices rise."""
    place, slots = make.place, make.slots
    months = int(make.month[-1]) + 1
    for number, biller in enumerate(data.billers()[:-1]):
        name = f"bill-{biller.name}"
        share = biller.share * make.spec.population.bills
        who = np.flatnonzero(make.rng(name, "has").random(place.n) < share)
        scale = place.scale * (place.income[who] / (ground.USUAL_INCOME_MINOR * place.scale)) ** 0.25
        amount = make.lognormal(
            name, who.size, np.asarray(biller.median_minor * scale, np.float64), biller.log_sd
        )
        day = make.due(name, who, make.rng(name, "day").integers(1, 29, who.size))
        row, second = make.monthly(name, day)
        level = price_level(make.spec, place.part, biller.name, months)[make.month[second // ground.DAY_S]]
        due = np.rint(amount[row] * level).astype(np.int64)
        yield flow(second, due, who[row], slots.first("billers") + number, biller.way)


def subscriptions(make: Maker) -> Iterator[Flow]:
    """What is charged every month to a card that the seller keeps on file; prices rise once a year."""
    place, slots = make.place, make.slots
    shops = np.flatnonzero(place.shop == data.shops().mcc.index("5968"))
    if not shops.size or not make.spec.population.remote_share:
        return
    u = keyed_uniform(make.spec.seed, "card-subscription", place.customers)
    who = np.flatnonzero(u < _CARD_SUBSCRIPTION * make.spec.population.bills)
    rng = make.rng("card-subscription", "terms")
    seller, price = (
        shops[rng.integers(0, shops.size, who.size)],
        rng.choice([599, 799, 999, 1299, 1799], who.size),
    )
    day = rng.integers(1, 29, who.size)
    days = make.calendar.monthly(day, "none")
    row, month = np.nonzero(days >= 0)
    second = days[row, month] * ground.DAY_S + make.rng("card-subscription", "time").integers(
        0, 86_400, row.size
    )
    level = price_level(make.spec, place.part, "card-subscription", int(make.month[-1]) + 1)
    amount = np.rint(price[row] * place.scale * level[make.month[second // ground.DAY_S]]).astype(np.int64)
    credit = place.cards.has[who] & (rng.random(who.size) < make.spec.population.credit_card_share)
    payer = np.where(credit, slots.first("card"), 0) + who
    yield flow(second, amount, payer[row], slots.first("merchants") + seller[row], "card_on_file")


def fees(make: Maker) -> Iterator[Flow]:
    """The bank's monthly fee at the month's end."""
    place = make.place
    who = np.flatnonzero(make.rng("fee", "has").random(place.n) < make.spec.population.bank_fees)
    row, second = make.monthly("fee", np.full(who.size, 31), "previous")
    payer = who[row]
    fee = make.spec.population.bank_fee
    usual = np.rint(_FEES[place.bank[payer]] * place.scale / 10).astype(np.int64) * 10
    amount = usual if fee is None else np.full(payer.size, round(fee * 100))
    yield flow(second, amount, payer, make.slots.first("branches") + place.bank[payer], "fee")


def savings(make: Maker) -> Iterator[Flow]:
    """A standing order to the own savings account."""
    place = make.place
    who = np.flatnonzero(place.saves)
    share = SAVINGS_LEAST + (SAVINGS_MOST - SAVINGS_LEAST) * make.rng("savings", "share").random(who.size)
    amount = np.maximum(np.rint(place.income[who] * share / 1_000).astype(np.int64) * 1_000, 1_000)
    day = make.rng("savings", "day").choice(np.array([1, 2, 3, 4, 28]), who.size)
    row, second = make.monthly("savings", make.due("savings", who, day))
    payer = who[row]
    yield flow(second, amount[row], payer, make.slots.first("savings") + payer, "savings")


def wages(make: Maker) -> Iterator[Flow]:
    """Salaries by the employer's pay-day, pensions at the month's end, grants on its first days.

    An employer that has failed pays nobody; the state then pays its people benefit.
    """
    place, slots = make.place, make.slots
    who = np.flatnonzero(place.segment == ground.EMPLOYED)
    row, second = make.monthly("salary", place.pay_day[place.employer[who]], "previous")
    payee = who[row]
    hourly = make.rng("salary", "hourly").random(who.size)[row] < 0.15
    swing = 1 + 0.08 * make.rng("salary", "swing").standard_normal(row.size)
    amount = np.rint(place.income[payee] * np.where(hourly, np.clip(swing, 0.5, 1.5), 1.0)).astype(np.int64)
    paid = np.flatnonzero(second < place.failed[place.employer[payee]])
    payee = payee[paid]
    employer = slots.first("employers") + place.employer[payee]
    yield from handed(make, flow(second[paid], amount[paid], employer, payee, "salary"))
    state = slots.first("billers") + slots.billers_n - 1
    for segment, way, day, move in (
        (ground.RETIRED, "pension", 31, "previous"),
        (ground.STUDENT, "grant", 2, "next"),
    ):
        who = np.flatnonzero(place.segment == segment)
        days = make.due(way, who, np.full(who.size, day))
        row, second = make.monthly(way, days, move)  # type: ignore[arg-type]
        yield from handed(make, flow(second, place.income[who[row]], state, who[row], way))
    lost = out_of_work(make)
    who = np.flatnonzero(lost < NEVER)
    row, second = make.monthly("benefit", np.full(who.size, 31), "previous")
    due = np.flatnonzero(second > lost[who[row]])
    payee = who[row[due]]
    benefit = (place.income[payee] * _BENEFIT).astype(np.int64)
    yield from handed(make, flow(second[due], benefit, state, payee, "benefit"))


def handed(make: Maker, paid: Flow) -> list[Flow]:
    """Income as it is paid: by transfer, or drawn by the payer, handed over and paid in at a counter.

    People pay in all of it within two business days, each after as many days every time.

    Parameters
    ----------
    paid
        What customers earn, all of it by transfer, in one way; the payer may be the world outside.
    """
    place, cash = make.place, make.slots.first("cash")
    by_hand = terms.paid_in_cash(make.spec, place.customers)[paid.payee]
    if not by_hand.any():
        return [paid]
    rows, kept = np.flatnonzero(by_hand), np.flatnonzero(~by_hand)
    by_transfer, due = taken(paid, kept), taken(paid, rows)
    name = f"handed-{data.ways().names[due.way[0]]}"
    # Each payer draws what it needs on a day in one sum, in the morning.
    day = due.second // ground.DAY_S
    packed, index = np.unique(due.payer * (make.spec.days + 1) + day, return_inverse=True)
    total = np.zeros(packed.size, np.int64)
    np.add.at(total, index, due.amount)
    firm, on = np.divmod(packed, make.spec.days + 1)
    opens = on * ground.DAY_S + 8 * 3_600 + make.rng(name, "drawn").integers(0, 3_600, on.size)
    drew = np.flatnonzero(firm < make.slots.first("cash"))
    drawn = flow(opens[drew], total[drew], firm[drew], cash, "cash_out_branch")
    u = keyed_uniform(make.spec.seed, "pays-in-after", place.customers[due.payee])
    on = make.calendar.business_day(np.minimum(day + (u * 3).astype(np.int64), make.spec.days), "next")
    second = on * ground.DAY_S + 9 * 3_600 + make.rng(name, "paid-in").integers(0, 8 * 3_600, on.size)
    came = np.flatnonzero(on < make.spec.days)
    return [by_transfer, drawn, flow(second[came], due.amount[came], cash, due.payee[came], "cash_in")]


def invoices(make: Maker) -> Iterator[Flow]:
    """What the self-employed are paid from outside the banks of this world, and their tax each quarter."""
    place = make.place
    own = place.segment == ground.SELF_EMPLOYED
    monthly = make.spec.population.invoices_per_month
    owner = make.owners("invoice", np.where(own, monthly, 0.0))
    # As much in sum, however many.
    median = place.income[owner] / 4.6 * (INVOICES_MONTHLY / monthly)
    amount = make.lognormal("invoice", owner.size, median, INVOICE_LOG_SD)
    second = make.seconds("invoice", "office", owner.size)
    yield from handed(make, flow(second, amount, make.slots.first("world"), owner, "invoice"))
    who = np.flatnonzero(own)
    row, second = make.monthly("tax", np.full(who.size, 10))
    # In March, June, September and December.
    month = (make.spec.start.month - 1 + make.month[second // ground.DAY_S]) % 12
    due = np.flatnonzero(month % 3 == 2)
    payer = who[row[due]]
    amount = np.maximum(place.income[payer] * 3 * _TAX_SHARE, 1).astype(np.int64)
    yield flow(second[due], amount, payer, make.slots.first("billers") + make.slots.billers_n - 1, "tax")


def notes(make: Maker, sums: Int64 | Float64) -> Int64:
    """Sums as machines pay them where prices are other than in Germany: whole notes."""
    return terms.notes(make.spec, make.place.customers[:1], sums)


def cash(make: Maker) -> Iterator[Flow]:
    """Cash from machines, and cash paid in by people and, weekly, by shops."""
    place, slots, population = make.place, make.slots, make.spec.population
    owner = make.owners("cash-out", population.cash_withdrawals_per_month)
    drawn = AliasTable(ground.ATM_SHARES).draw(make.rng("cash-out", "amount"), owner.size)
    yield at_home(
        make,
        flow(
            make.seconds("cash-out", "cash", owner.size),
            notes(make, ground.ATM_MINOR)[drawn],
            owner,
            slots.first("cash"),
            "cash_out",
        ),
        owner,
    )
    own = place.segment == ground.SELF_EMPLOYED
    often = np.where(own, CASH_IN_OWN, CASH_IN_OTHERS) * population.cash_deposits_per_month
    owner = make.owners("cash-in", often)
    amount = make.lognormal("cash-in", owner.size, ground.CASH_IN_MEDIAN_MINOR, CASH_IN_LOG_SD)
    amount = notes(make, amount // 1_000 * 1_000 + 1_000)
    ways = data.ways()
    machine = make.rng("cash-in", "where").random(owner.size) < _AT_MACHINES
    way = np.where(machine, ways.code("cash_in_atm"), ways.code("cash_in")).astype(np.int8)
    paid_in = flow(make.seconds("cash-in", "cash", owner.size), amount, slots.first("cash"), owner, way)
    yield at_home(make, paid_in, owner)
    shop, second = make.weekly("takings", slots.merchants_n, "office")
    amount = make.lognormal("takings", shop.size, 45_000.0 * place.scale, 0.8)
    amount = np.maximum(amount // 500 * 500, 500)
    yield flow(second, amount, slots.first("cash"), slots.first("merchants") + shop, "cash_in")


def at_home(make: Maker, whole: Flow, who: Int64) -> Flow:
    """The rows of a flow whose customers are not on a trip."""
    return taken(whole, np.flatnonzero(make.home(who, whole.second)))


def taken(whole: Flow, rows: Int64) -> Flow:
    """Some rows of a flow of plain payments."""
    return Flow(whole.second[rows], whole.amount[rows], whole.payer[rows], whole.payee[rows], whole.way[rows])


def second_accounts(make: Maker) -> Iterator[Flow]:
    """New second accounts: opened at some moment of the data, filled, and used a little."""
    place, slots, spec = make.place, make.slots, make.spec
    who = np.flatnonzero(ground.second_account(spec, place.customers) == ground.FRESH)
    opened = opened_second(spec, place.customers[who])
    rng = make.rng("second-account", "use")
    first = np.minimum(opened + rng.integers(3_600, 2 * ground.DAY_S, who.size), make.horizon - 1)
    amount = np.maximum(np.rint(place.income[who] * rng.uniform(0.05, 0.5, who.size) / 5_000), 1) * 5_000
    second = slots.first("second") + who
    yield flow(first, amount.astype(np.int64), who, second, mobile_or_web(rng.random(who.size)))
    row = np.repeat(np.arange(who.size), rng.integers(0, 4, who.size))
    when = first[row] + 60 + (rng.random(row.size) * (make.horizon - first[row] - 60)).astype(np.int64)
    part = np.maximum(amount[row] * rng.uniform(0.02, 0.2, row.size), 100).astype(np.int64)
    kept = np.flatnonzero((when > first[row]) & (when < make.horizon) & (place.n > 1))
    other = (who[row] + rng.integers(1, max(place.n, 2), row.size)) % place.n
    yield flow(when[kept], part[kept], second[row[kept]], other[kept], mobile_or_web(rng.random(kept.size)))


def opened_second(spec: FinanceSpec, customers: Int64) -> Int64:
    """Second of the data at which each new second account is opened."""
    u = keyed_uniform(spec.seed, "second-opened", customers)
    return (u * 0.9 * spec.days * ground.DAY_S).astype(np.int64)
