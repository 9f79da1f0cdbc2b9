"""From weather and surface to friction: water film, state of the road, aquaplaning.

Everything is rounded before it is used further, so that a last bit of `pow` cannot spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarecase.automotive import data
from rarecase.automotive.cases.attributes import ICE, MOIST, RAIN, SNOW, WET, Setting
from rarecase.automotive.schema import FRICTION_QUANTUM
from rarecase.common.draws import quantise

Float = NDArray[np.float64]

MM_PER_INCH, FEET_PER_M = 25.4, 1.0 / 0.3048
#: A film of this depth makes a road wet.
WET_FILM_MM = 0.4
#: A road that is moist, its texture wet but no film above it, has lost this share of what wetness takes.
MOIST_SHARE = 0.3
TYRE_PSI, TREAD_32NDS, SPIN_DOWN_PCT = 32.0, 7.0, 10.0
MPS_PER_MPH = 0.44704


@dataclass(frozen=True)
class Grip:
    """What the weather makes of each road; arrays of one length.

    Attributes
    ----------
    film_mm
        Depth of water above the texture.
    scale, friction
        Friction over that of the dry surface, and their product.
    aquaplaning_mps
        Infinite where no water stands above the texture.
    """

    film_mm: Float
    scale: Float
    friction: Float
    aquaplaning_mps: Float


def water_film_mm(texture_mm: Float, path_m: Float, rain_mmph: Float, slope: Float) -> Float:
    """Depth of water above the texture, mm: 0 where the texture holds it all (Gallaway 1979, from memory).

    Parameters
    ----------
    texture_mm, path_m, rain_mmph, slope
        Mean texture depth, drainage path, rain, and slope along the path; float64[n] each.
    """
    texture = np.maximum(texture_mm, 0.05) / MM_PER_INCH
    depth = (
        3.38e-3
        * texture**0.11
        * (path_m * FEET_PER_M) ** 0.43
        * (rain_mmph / MM_PER_INCH) ** 0.59
        * np.maximum(slope, 0.002) ** -0.42
        - texture
    )
    return quantise(np.where(rain_mmph > 0, np.maximum(depth, 0.0) * MM_PER_INCH, 0.0), 0.01)


def aquaplaning_mps(film_mm: Float, texture_mm: Float) -> Float:
    """Speed from which an average tyre floats, m/s; infinite without a film (Gallaway 1979, from memory).

    Inflation 32 psi, tread 7/32 in, 10 % spin-down; without adjustment this is close to Horne's 94 km/h.
    """
    film = np.maximum(film_mm, 0.01) / MM_PER_INCH
    texture = texture_mm / MM_PER_INCH
    shallow = 10.409 / film**0.06 + 3.507
    textured = (28.952 / film**0.06 - 7.817) * texture**0.14
    mph = SPIN_DOWN_PCT**0.04 * TYRE_PSI**0.3 * (TREAD_32NDS + 1.0) ** 0.06 * np.maximum(shallow, textured)
    return np.where(film_mm > 0, quantise(mph * MPS_PER_MPH, 0.01), np.inf)


def grip(
    setting: Setting,
    texture_mm: Float,
    width_m: Float,
    crossfall: Float,
    dry: Float,
    wet: Float,
    coating: Float,
) -> Grip:
    """Friction of each road in its weather.

    Parameters
    ----------
    setting
        Weather and state of the road.
    texture_mm, width_m, crossfall
        Of the surface; the drainage path is the width of all lanes.
    dry, wet
        Friction of the dry surface and of the same surface under a full film.
    coating
        A uniform draw: where in their ranges snow and ice lie.
    """
    rain = np.where(setting.precipitation == RAIN, setting.rain, 0.0)
    film = np.where(setting.state == WET, water_film_mm(texture_mm, width_m, rain, crossfall), 0.0)
    damp = np.isin(setting.state, (MOIST, WET)) * MOIST_SHARE
    share = np.maximum(damp, np.minimum(film / WET_FILM_MM, 1.0))
    low, high = data.numbers("coatings", "low"), data.numbers("coatings", "high")
    # Whole roads under ice are gritted or driven bare to the upper half of its range.
    friction = np.where(
        setting.state == SNOW, low[0] + (high[0] - low[0]) * coating, dry + (wet - dry) * share
    )
    friction = np.where(setting.state == ICE, 0.10 + (high[1] - 0.10) * coating, friction)
    scale = np.minimum(quantise(friction / dry, 0.01), 1.0)
    return Grip(film, scale, quantise(scale * dry, FRICTION_QUANTUM), aquaplaning_mps(film, texture_mm))
