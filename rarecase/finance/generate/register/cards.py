"""The tables of cards and of their replacements."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rarecase.common import identifiers, tables
from rarecase.common.seeds import Int64, keyed_integers, keyed_uniform
from rarecase.finance.cases import ground
from rarecase.finance.generate.register.scene import Scene
from rarecase.finance.schema import BRANDS, SCHEMA

_REASONS = ("expired", "damaged", "lost", "stolen", "misused")
#: Days for which cards are valid at most, and how soon before its end a new one comes.
_VALID_DAYS, _AHEAD_DAYS = 1_460, 30
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
            "expires_on": scene.date(_expires(scene, 2 * scene.place.low + number)),
        },
    )


def replacements(scene: Scene) -> pa.Table:
    """New plastic: of cards that expire, were damaged or lost, and of those that cases replace."""
    number, _ = held(scene)
    spec, keys, came, low = scene.spec, scene.keys, scene.came, scene.place.low
    ids = 2 * low + number
    expires, days = _expires(scene, ids), spec.days
    old = expires - _AHEAD_DAYS + keyed_integers(spec.seed, "replaced", ids, _AHEAD_DAYS - 5)
    u = keyed_uniform(spec.seed, "card-lost", ids)
    share = np.cumsum(_A_YEAR) * days / 365.25
    reason = np.searchsorted(share, u, side="right") + 1
    when = (keyed_uniform(spec.seed, "card-lost-time", ids) * days).astype(np.int64)
    # A card that is lost before it expires is replaced once.
    early = (reason < 4) & ((when < old) | (old >= days))
    day = np.where(early, when, old)
    reason = np.where(early, reason, 0)
    rows = np.flatnonzero((day >= 0) & (day < days))
    second = day[rows] * ground.DAY_S + 21_600 + keyed_integers(spec.seed, "replaced-time", ids[rows], 43_200)
    new = came.new_cards
    key = np.concatenate([keys.rows("card_replacements", scene.part, number[rows]), came.replacement_id])
    card = np.concatenate([number[rows], 2 * (new.customer - low)])
    # Numbers of plastic: the first of all cards, their replacements, then those of cases.
    plastic = np.concatenate([2 * spec.size + ids[rows], 4 * spec.size + new.customer])
    since = np.concatenate([second, np.minimum(new.since, days * ground.DAY_S - 1)])
    why = np.concatenate([reason[rows], _case_reasons(scene)])
    order = np.argsort(key)
    return tables.build(
        SCHEMA["card_replacements"],
        {
            "replacement_id": key[order],
            "card_id": keys.rows("cards", scene.part, card[order]),
            "replaced_at": tables.timestamps(spec.start, since[order] * ground.SECOND_US),
            "reason": tables.category(why[order].astype(np.int8), _REASONS),
            "pan": _pans(scene, plastic[order]),
        },
    )


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


def _expires(scene: Scene, ids: Int64) -> Int64:
    """Days after the start on which cards end, spread over their years of validity."""
    return 20 + keyed_integers(scene.spec.seed, "expires", ids, _VALID_DAYS)


def _pans(scene: Scene, numbers: Int64) -> pa.Array:
    return identifiers.make("pan", numbers, seed=scene.spec.seed, mode=scene.spec.identifiers)
