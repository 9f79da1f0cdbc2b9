"""Wires to and from other countries, and cheques where people still write them.

How often, and how much, is our own choice; cheques are still common in the United States and France.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.maker import Flow, Maker, flow

#: Share of people's wires that go out, over the web and at a branch; the share with countries of high risk.
_OUT = {"wire_web": 0.32, "wire_branch": 0.21}
_HIGH_RISK = 0.04
_WIRE_MEDIAN_MINOR, _WIRE_LOG_SD = 45_000.0, 1.0
#: Wires of a company and of a shop per month, each way, and their median beside the monthly payroll.
_FIRM_MONTHLY, _SHOP_MONTHLY, _FIRM_SHARE = 2.0, 0.25, 0.08
_SHOP_MEDIAN_MINOR = 180_000.0
_CHEQUES_MONTHLY = {"US": 0.15, "FR": 0.12, "GB": 0.03, "AU": 0.02}
_CHEQUE_MEDIAN_MINOR, _CHEQUE_LOG_SD = 16_000.0, 0.9


def wires(make: Maker) -> Iterator[Flow]:
    """What people and firms send abroad and get from there."""
    place, slots = make.place, make.slots
    wired = make.spec.population.wires_per_month
    for way, share in _OUT.items():
        owner = make.owners(way, share * wired)
        yield flow(
            make.seconds(way, "office" if way == "wire_branch" else "person", owner.size),
            _sums(make, way, owner),
            owner,
            _outside(make, way, owner.size),
            way,
        )
    owner = make.owners("wire-in", (1 - sum(_OUT.values())) * wired)
    second = make.seconds("wire-in", "office", owner.size)
    yield flow(second, _sums(make, "wire-in", owner), _outside(make, "wire-in", owner.size), owner, "wire_in")
    pay = np.bincount(
        place.employer[place.employer >= 0], place.income[place.employer >= 0], slots.employers_n
    )
    median = np.maximum(pay, 200_000 * place.scale) * _FIRM_SHARE
    for kind, monthly, typical in (
        ("employers", _FIRM_MONTHLY, median),
        ("merchants", _SHOP_MONTHLY, np.full(slots.merchants_n, _SHOP_MEDIAN_MINOR * place.scale)),
    ):
        for way in ("wire_web", "wire_in"):
            name = f"{kind}-{way}"
            firm = np.repeat(
                np.arange(typical.size), make.rng(name, "number").poisson(monthly * make.months, typical.size)
            )
            second = make.seconds(name, "office", firm.size)
            amount = np.maximum(make.lognormal(name, firm.size, typical[firm], 0.9), 1_000)
            kept = np.arange(firm.size)
            if kind == "employers":
                kept = np.flatnonzero(second < place.failed[firm])
            own, far = slots.first(kind) + firm[kept], _outside(make, name, firm.size)[kept]
            payer, payee = (own, far) if way == "wire_web" else (far, own)
            yield flow(second[kept], amount[kept], payer, payee, way)


def _sums(make: Maker, name: str, owner: Int64) -> Int64:
    place = make.place
    median = _WIRE_MEDIAN_MINOR * np.sqrt(place.income[owner] * place.scale / ground.USUAL_INCOME_MINOR)
    drawn = make.lognormal(name, owner.size, median, _WIRE_LOG_SD)
    liked = make.rng(name, "liked").random(owner.size) < 0.5
    return np.where(liked, np.maximum(np.rint(drawn / 5_000), 1) * 5_000, np.maximum(drawn, 1_000)).astype(
        np.int64
    )


def _outside(make: Maker, name: str, n: int) -> Int64:
    risky = make.rng(name, "where").random(n) < _HIGH_RISK
    return np.where(risky, make.slots.first("high_risk"), make.slots.first("abroad")).astype(np.int64)


def cheques(make: Maker) -> Iterator[Flow]:
    """Cheques from person to person: credited when they are paid in, collected on the next business day."""
    place, slots = make.place, make.slots
    country = int(ground.country(make.spec, np.array([place.part]))[0])
    monthly = _CHEQUES_MONTHLY.get(data.countries().country[country], 0.0)
    if not monthly or place.n < 2:
        return
    drawer = make.owners("cheque", monthly)
    rng = make.rng("cheque", "terms")
    payee = (drawer + rng.integers(1, place.n, drawer.size)) % place.n
    median = _CHEQUE_MEDIAN_MINOR * np.sqrt(place.income[drawer] * place.scale / ground.USUAL_INCOME_MINOR)
    amount = np.maximum(make.lognormal("cheque", drawer.size, median, _CHEQUE_LOG_SD), 500)
    second = make.seconds("cheque", "office", drawer.size)
    branch = slots.first("branches") + place.bank[payee]
    day = make.calendar.business_day(second // ground.DAY_S + 1, "next")
    due = day * ground.DAY_S + 21_600 + rng.integers(0, 7_200, drawer.size)
    kept = np.flatnonzero(make.home(payee, second) & (due < make.horizon))
    yield flow(second[kept], amount[kept], branch[kept], payee[kept], "cheque_deposit")
    yield flow(due[kept], amount[kept], drawer[kept], branch[kept], "cheque")
