"""The tables of cards and of their replacements."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common import identifiers, tables
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.finance.cases import ground, terms
from rarecase.finance.generate.register.scene import Scene
from rarecase.finance.schema import BRANDS, SCHEMA

_REASONS = ("expired", "damaged", "lost", "stolen", "misused")
#: Shares of cards replaced per year because they were damaged, lost or stolen: own choice.
_A_YEAR = (0.012, 0.014, 0.004)


def held(scene: Scene) -> tuple[Int64, Int64]:
    """Ordinals of the cards of a place, 2·w for debit and 2·w + 1 for credit, and who holds each."""
    place = scene.place
    credit = 2 * np.flatnonzero(place.cards.has) + 1
    number = np.sort(np.concatenate([2 * np.arange(place.n), credit]))
    return number, number // 2


def cards(scene: Scene) -> pa.Table:
    """One row per contract."""
    number, who = held(scene)
    keys, part = scene.keys, scene.part
    slot = np.where(number % 2 == 1, scene.slots.first("card") + who, who)
    kind = np.where(number % 2 == 1, BRANDS.index("credit"), BRANDS.index("debit"))
    return tables.build(
        SCHEMA["cards"],
        {
            "card_id": keys.rows("cards", part, number),
            "account_id": keys.rows("accounts", part, slot),
            "customer_id": keys.entities("customers", scene.place.low + who),
            "pan": _pans(scene, 2 * scene.place.low + number),
            "card_type": tables.category(kind.astype(np.int8), BRANDS),
            "expires_on": scene.date(terms.card_expires(scene.spec, 2 * scene.place.low + number)),
        },
    )


def replacements(scene: Scene) -> pa.Table:
    """New plastic: of cards that expire, were damaged or lost, and of those that cases replace."""
    number, _ = held(scene)
    spec, keys, came, low = scene.spec, scene.keys, scene.came, scene.place.low
    days, new = spec.days, came.new_cards
    ids = 2 * low + number
    rounds = [_renewed(scene, ids, again) for again in range(days // terms.CARD_DAYS + 1)]
    lost, why = _lost(scene, ids)
    # The first round of renewals, what was lost, and later rounds, each in a range of its own.
    found = [rounds[0], lost, *rounds[1:]]
    kept = [np.flatnonzero((day >= 0) & (day < days)) for day in found]
    which = np.repeat(np.arange(len(found)), [rows.size for rows in kept])
    rows, day = np.concatenate(kept), np.concatenate([each[at] for each, at in zip(found, kept, strict=True)])
    time = keyed_integers(spec.seed, "replaced-time", ids[rows], 43_200)
    since = np.concatenate(
        [day * ground.DAY_S + 21_600 + time, np.minimum(new.since, spec.days * ground.DAY_S - 1)]
    )
    key = np.concatenate(
        [
            keys.rows("card_replacements", scene.part, 2 * spec.block * which + number[rows]),
            came.replacement_id,
        ]
    )
    card = np.concatenate([number[rows], 2 * (new.customer - low)])
    # Numbers of plastic: the first of all cards, their replacements, those of cases, and what came later.
    after = np.where(which > 0, which + 2, 1)
    plastic = np.concatenate([2 * spec.size * after + ids[rows], 4 * spec.size + new.customer])
    reason = np.concatenate([np.where(which == 1, why[rows], 0), _case_reasons(scene)])
    order = np.argsort(key)
    return tables.build(
        SCHEMA["card_replacements"],
        {
            "replacement_id": key[order],
            "card_id": keys.rows("cards", scene.part, card[order]),
            "replaced_at": tables.timestamps(spec.start, since[order] * ground.SECOND_US),
            "reason": tables.category(reason[order].astype(np.int8), _REASONS),
            "expires_on": scene.date(_valid(scene, 2 * low + card, since)[order]),
            "pan": _pans(scene, plastic[order]),
        },
    )


def _renewed(scene: Scene, ids: Int64, again: int) -> Int64:
    """Days after the start on which cards are replaced because they expire, for the (again + 1)-th time."""
    return terms.card_renewed(scene.spec, ids) + again * terms.CARD_DAYS


def _lost(scene: Scene, ids: Int64) -> tuple[Int64, Int64]:
    """Days after the start on which cards are lost or damaged, -1 for most, and why."""
    seed, days = scene.spec.seed, scene.spec.days
    share = np.cumsum(_A_YEAR) * days / 365.25
    reason = np.searchsorted(share, keyed_uniform(seed, "card-lost", ids), side="right") + 1
    when = (keyed_uniform(seed, "card-lost-time", ids) * days).astype(np.int64)
    # Who has just got a new card, or will within days, gets no other.
    near = np.abs((when - terms.card_renewed(scene.spec, ids) + 60) % terms.CARD_DAYS - 60) < 60
    return np.where((reason < 4) & ~near, when, -1), reason


def _valid(scene: Scene, ids: Int64, second: Int64) -> Int64:
    """Days after the start on which the plastic ends that each card has from a second on."""
    renewed = terms.card_renewed(scene.spec, ids)
    times = (second // ground.DAY_S - renewed) // terms.CARD_DAYS + 1
    ends = terms.card_expires(scene.spec, ids) + np.maximum(times, 0) * terms.CARD_DAYS
    return np.asarray(ends, np.int64)


def _case_reasons(scene: Scene) -> NDArray[np.int64]:
    """Why cards of cases are replaced: misused, unless the kind says that they were lost or stolen."""
    new, details = scene.came.new_cards, scene.plan.details
    kinds = [placement.case.kind for placement in scene.plan.placements]
    said = np.array(
        ["stolen" if "stolen" in kind else "lost" if "lost" in kind else "misused" for kind in kinds]
        or ["misused"]
    )
    entry = details.entry[new.case]
    found: Int64 = np.array([_REASONS.index(word) for word in said], np.int64)[entry]
    return found


def _pans(scene: Scene, numbers: Int64) -> pa.Array:
    return identifiers.make("pan", numbers, seed=scene.spec.seed, mode=scene.spec.identifiers)
