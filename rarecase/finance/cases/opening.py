"""When shops are open: no card is read behind a closed door, by offenders as little as by others.

The hours of all shops, from stateless draws: the ordinary world asks here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarecase.common.seeds import Int64, keyed_integers
from rarecase.finance import data
from rarecase.finance.cases import ground

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_HOUR_S = 3_600


def opening_hours(spec: Spec, part: Int64, merchant: Int64) -> tuple[Int64, Int64]:
    """Hours at which shops open and close (above 24 in the night after), by part and number in the place."""
    kinds, slots = data.shops(), ground.slots(spec.block)
    part, merchant = np.broadcast_arrays(part, merchant)
    kind = ground.shop_kinds(spec, part.ravel(), merchant.ravel())
    shift = keyed_integers(spec.seed, "hours", (part * slots.width + merchant).ravel(), 3)
    opens, closes = kinds.opens[kind], kinds.closes[kind]
    always = (opens == 0) & (closes == 24)
    # Some open an hour later, some close an hour sooner.
    opens = np.where(~always & (shift == 1), opens + 1, opens)
    closes = np.where(~always & (shift == 2), closes - 1, closes)
    return opens.reshape(part.shape), closes.reshape(part.shape)


def is_open(spec: Spec, part: Int64, merchant: Int64, second: Int64) -> NDArray[np.bool_]:
    """Which shops are open at moments, seconds after the start."""
    opens, closes = opening_hours(spec, part, merchant)
    now = second % ground.DAY_S
    late = now + ground.DAY_S < closes * _HOUR_S
    return np.asarray(late | ((now >= opens * _HOUR_S) & (now < closes * _HOUR_S)), np.bool_)


def while_open(spec: Spec, shop: Int64, second: Int64) -> Int64:
    """Moments as they are where the shop (an address) is open, else others of the same day at which it is."""
    slots = ground.slots(spec.block)
    shop, second = np.broadcast_arrays(shop, second)
    part, merchant = shop // slots.width, shop % slots.width - slots.first("merchants")
    opens, closes = opening_hours(spec, part, merchant)
    low = opens * _HOUR_S
    room = np.minimum(closes * _HOUR_S, ground.DAY_S) - low
    day, now = np.divmod(second, ground.DAY_S)
    # As far into the hours as chance has it: a multiple of what the clock says, folded into them.
    moved = day * ground.DAY_S + low + now * 7 % room
    return np.where(is_open(spec, part, merchant, second), second, moved)
