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
Int = NDArray[np.int64]

#: Rows of the table of coatings; whole roads under ice are gritted or driven bare.
_SNOW, _WHOLE_ROAD_ICE = 0, 2
MM_PER_INCH, FEET_PER_M = 25.4, 1.0 / 0.3048
#: A film of this depth above the texture takes all that wetness can take.
WET_FILM_MM = 0.4
#: Where in the wet range a road lies: this much by its surface, the rest by the water on it.
QUALITY_SHARE = 0.5
#: Gallaway's speed was fitted to depths from a tenth of an inch (from memory; Huebner and others 1986 begin
#: another formula below); what shallower films do to tyres is not modelled.
AQUAPLANING_FILM_MM = 2.4
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
        Infinite where the film is shallower than `AQUAPLANING_FILM_MM`.
    """

    film_mm: Float
    scale: Float
    friction: Float
    aquaplaning_mps: Float


def water_mm(texture_mm: Float, path_m: Float, rain_mmph: Float, slope: Float) -> Float:
    """Depth of all water, that in the texture included, mm (Gallaway 1979, from memory).

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
    )
    return quantise(np.where(rain_mmph > 0, depth * MM_PER_INCH, 0.0), 0.001)


def water_film_mm(texture_mm: Float, path_m: Float, rain_mmph: Float, slope: Float) -> Float:
    """Depth of water above the texture, mm: 0 where the texture holds it all."""
    whole = water_mm(texture_mm, path_m, rain_mmph, slope)
    return quantise(np.maximum(whole - np.maximum(texture_mm, 0.05), 0.0), 0.01)


def aquaplaning_mps(film_mm: Float, texture_mm: Float) -> Float:
    """Speed from which an average tyre floats, m/s; infinite on shallow films (Gallaway 1979, from memory).

    Inflation 32 psi, tread 7/32 in, 10 % spin-down; without adjustment this is close to Horne's 94 km/h.
    """
    film = np.maximum(film_mm, AQUAPLANING_FILM_MM) / MM_PER_INCH
    texture = texture_mm / MM_PER_INCH
    shallow = 10.409 / film**0.06 + 3.507
    textured = (28.952 / film**0.06 - 7.817) * texture**0.14
    mph = SPIN_DOWN_PCT**0.04 * TYRE_PSI**0.3 * (TREAD_32NDS + 1.0) ** 0.06 * np.maximum(shallow, textured)
    return np.where(film_mm >= AQUAPLANING_FILM_MM, quantise(mph * MPS_PER_MPH, 0.01), np.inf)


def grip(
    setting: Setting,
    texture_mm: Float,
    width_m: Float,
    crossfall: Float,
    dry: Float,
    surface: Int,
    quality: Float,
    coating: Float,
) -> Grip:
    """Friction of each road in its weather.

    Parameters
    ----------
    setting
        Weather and state of the road.
    texture_mm, width_m, crossfall
        Of the surface; the drainage path is the width of all lanes.
    dry, surface, quality
        Friction of the dry surface, its code, and where in the surface's ranges this road lies, 0 to 1.
    coating
        A uniform draw: where in their ranges snow and ice lie.

    Notes
    -----
    A wet road lies in the wet range of its surface: half of its place there is the road's own, half what the
    water on it leaves, from none (no water above the tips of the texture) to a film of 0.4 mm over it. A
    moist one, nothing falling, has lost three tenths of what wetness takes. Both blends are our estimates.
    """
    rain = np.where((setting.precipitation == RAIN) & (setting.state == WET), setting.rain, 0.0)
    whole = water_mm(texture_mm, width_m, rain, crossfall)
    film = water_film_mm(texture_mm, width_m, rain, crossfall)
    drained = 1.0 - np.minimum(whole / (np.maximum(texture_mm, 0.05) + WET_FILM_MM), 1.0)
    low, high = (data.numbers("surfaces", f"wet_{end}")[surface] for end in ("low", "high"))
    moist = dry - MOIST_SHARE * (dry - low - (high - low) * quality)
    wet = low + (high - low) * (QUALITY_SHARE * quality + (1.0 - QUALITY_SHARE) * drained)
    friction = np.where(setting.state == WET, wet, np.where(setting.state == MOIST, moist, dry))
    for state, coat in ((SNOW, _SNOW), (ICE, _WHOLE_ROAD_ICE)):
        least, most = (data.numbers("coatings", end)[coat] for end in ("low", "high"))
        friction = np.where(setting.state == state, least + (most - least) * coating, friction)
    scale = np.minimum(quantise(friction / dry, 0.01), 1.0)
    return Grip(film, scale, quantise(scale * dry, FRICTION_QUANTUM), aquaplaning_mps(film, texture_mm))
