"""Positions where nobody lives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarecase.common.errors import PlanError
from rarecase.common.identifiers.ranges import GPS_BOX_DEGREES

_METRES_PER_DEGREE = 111_319.49


def gps(
    east_m: NDArray[np.float64], north_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of points of a fictitious land in the open sea at 0 N 0 E.

    Parameters
    ----------
    east_m, north_m : float64[n]
        Metres from the origin, within 333 km; near the equator the plane is true to 0.14 %.

    Returns
    -------
    latitude_deg, longitude_deg : float64[n]

    Raises
    ------
    PlanError
        If a point lies outside the declared box.
    """
    limit = GPS_BOX_DEGREES * _METRES_PER_DEGREE
    worst = max((float(np.abs(axis).max()) for axis in (east_m, north_m) if len(axis)), default=0.0)
    if worst > limit:
        raise PlanError("gps", worst, f"at most {limit:.0f} m from the origin")
    return north_m / _METRES_PER_DEGREE, east_m / _METRES_PER_DEGREE
