"""Friction follows from weather and surface by published formulas and ranges."""

from __future__ import annotations

import numpy as np
import pytest

from rarecase.automotive import data
from rarecase.automotive.cases.attributes import DRY, ICE, MOIST, SNOW, WET, Setting, setting
from rarecase.automotive.generate.friction import aquaplaning_mps, grip, water_film_mm
from rarecase.automotive.schema import SURFACES
from tests.automotive.conftest import default_spec

FULL = np.ones(1)


def test_the_film_grows_with_rain_and_width_and_falls_with_slope_and_texture() -> None:
    rain = np.array([6.0, 10.0, 20.0, 30.0])
    film = water_film_mm(np.full(4, 0.5), np.full(4, 7.0), rain, np.full(4, 0.02))
    assert (np.diff(film) > 0).all()
    assert water_film_mm(FULL * 0.5, FULL * 14, FULL * 10, FULL * 0.02) > film[1]
    assert water_film_mm(FULL * 0.5, FULL * 7, FULL * 10, FULL * 0.04) < film[1]
    assert water_film_mm(FULL * 2.0, FULL * 7, FULL * 10, FULL * 0.02) == 0
    assert water_film_mm(FULL * 0.5, FULL * 7, FULL * 0, FULL * 0.02) == 0


def test_the_film_is_gallaways_by_hand() -> None:
    # 0.5 mm texture, 24 ft, 20 mm/h, 2 %: 3.38e-3 (1/TXD)^-.11 L^.43 I^.59 S^-.42 - TXD in inches
    texture = 0.5 / 25.4
    inches = 3.38e-3 * (1 / texture) ** -0.11 * 24**0.43 * (20 / 25.4) ** 0.59 * 0.02**-0.42 - texture
    found = water_film_mm(FULL * 0.5, FULL * 24 * 0.3048, FULL * 20, FULL * 0.02)
    assert found[0] == pytest.approx(inches * 25.4, abs=0.006)


def test_tyres_float_near_horne_s_speed_on_deep_water_only() -> None:
    # NASA (Horne): 10.35 sqrt(32 psi) = 58.5 mph = 94 km/h for a film beyond the tread's capacity.
    speed = aquaplaning_mps(np.array([2.4, 4.0, 8.0]), np.full(3, 0.5)) * 3.6
    assert (np.diff(speed) <= 0).all()
    assert 75 < speed.min() <= speed.max() < 110
    # Below a tenth of an inch Gallaway's speed has no data behind it.
    assert np.isinf(aquaplaning_mps(np.array([0.0, 0.01, 0.4, 2.3]), np.full(4, 0.5))).all()


@pytest.mark.parametrize("surface", range(len(SURFACES)))
def test_friction_lies_in_the_range_of_its_material(surface: int) -> None:
    low, high = (data.numbers("surfaces", f"dry_{end}")[surface] for end in ("low", "high"))
    wet_low, wet_high = (data.numbers("surfaces", f"wet_{end}")[surface] for end in ("low", "high"))
    for quality in (0.0, 0.5, 1.0):
        road = {"surface": surface, "quality": quality, "dry": round(low + (high - low) * quality, 2)}
        for rain in (0.1, 1.0, 5.0, 30.0, 120.0):
            for texture in (0.2, 0.6, 2.0):
                wet = _grip(WET, rain=rain, texture=texture, **road)
                assert wet_low - 0.005 <= wet <= wet_high + 0.005
        assert _grip(DRY, rain=0.0, texture=0.5, **road) == pytest.approx(road["dry"], abs=1e-4)
        assert wet_high < _grip(MOIST, rain=0.0, texture=0.5, **road) < road["dry"]
        assert 0.195 <= _grip(SNOW, rain=0.0, texture=0.5, **road) <= 0.355
        assert 0.095 <= _grip(ICE, rain=0.0, texture=0.5, **road) <= 0.155


def test_more_rain_and_less_texture_take_more_grip() -> None:
    road = {"surface": 0, "quality": 0.5, "dry": 0.72}
    by_rain = [_grip(WET, rain=rain, texture=0.5, **road) for rain in (0.1, 2.0, 10.0, 40.0)]
    assert by_rain[0] > by_rain[1] > by_rain[2] > by_rain[3]
    by_texture = [_grip(WET, rain=10.0, texture=depth, **road) for depth in (0.2, 0.8, 2.4)]
    assert by_texture[0] < by_texture[1] < by_texture[2]


def _grip(state: int, *, rain: float, texture: float, surface: int, quality: float, dry: float) -> float:
    one = setting(default_spec(cases=[]), np.zeros(1, np.int64))
    weather = Setting(
        **{**vars(one), "state": np.array([state]), "rain": np.array([rain]), "precipitation": np.array([1])}
    )
    found = grip(
        weather,
        FULL * texture,
        FULL * 7.0,
        FULL * 0.02,
        FULL * dry,
        np.array([surface]),
        FULL * quality,
        FULL * 0.5,
    )
    assert found.friction[0] == pytest.approx(found.scale[0] * dry, abs=6e-5)
    return float(found.friction[0])
