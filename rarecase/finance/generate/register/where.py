"""The tables of places, banks and rates of exchange."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rarecase.common import identifiers, tables
from rarecase.common.seeds import Int64
from rarecase.finance import data
from rarecase.finance.cases import ground
from rarecase.finance.generate.banks import bank_key, hosts
from rarecase.finance.generate.register.scene import Scene
from rarecase.finance.schema import COUNTRIES, CURRENCIES, JURISDICTIONS, SCHEMA

#: Endings that make names of families sound like those of villages: no such town is meant.
_ENDINGS = {
    "de": ("stedt", "hausen", "rode", "heim", "felde", "walde"),
    "fr": ("ville", "court", "-les-Bois", "-sur-Orme", "mont", "-le-Vieux"),
    "en": ("ford", "ton", "ham", "wick", "bury", "dale"),
    "cs": (" nad Lipou", " pod Lesem", " u Mlýna", " na Vyšině", " za Vodou", " v Háji"),
}


def places(scene: Scene) -> pa.Table:
    """The place itself."""
    families, table = scene.pool("last_name"), data.countries()
    endings = _ENDINGS[table.locale[scene.nation][:2]]
    again, number = divmod(scene.part, len(families))
    town = f"{families[number]}{endings[again % len(endings)]}"
    if again >= len(endings):
        town += f" {again // len(endings) + 1}"
    latitude, longitude = ground.towns(scene.spec, np.array([scene.part]))
    nation = np.array([scene.nation], np.int8)
    return tables.build(
        SCHEMA["places"],
        {
            "place": np.array([scene.part], np.int32),
            "town": tables.constant(town, 1),
            "postcode": tables.constant(f"{scene.part % 100_000:05d}", 1),
            "country": tables.category(nation, COUNTRIES),
            "jurisdiction": tables.category(
                np.array([JURISDICTIONS.index(table.jurisdiction[scene.nation])], np.int8), JURISDICTIONS
            ),
            "currency": tables.category(np.array([CURRENCIES.index(scene.currency)], np.int8), CURRENCIES),
            "latitude_deg": latitude,
            "longitude_deg": longitude,
        },
    )


def banks(scene: Scene) -> pa.Table:
    """The banks of the country that have their head office here."""
    every = np.arange(scene.slots.banks_n)
    here: Int64 = every[hosts(scene.spec, scene.part, every, "bank") == scene.part]
    number = here + every.size * scene.nation
    known = data.banks()[0]
    return tables.build(
        SCHEMA["banks"],
        {
            "bank_id": bank_key(scene.keys, scene.spec, scene.part, here),
            "bank_name": tables.category(np.arange(here.size), [known[bank] for bank in here]),
            "bic": identifiers.bic(number, seed=scene.spec.seed, country=scene.country).dictionary_encode(),
            "country": tables.constant(scene.country, here.size),
            "place": scene.constant(here.size),
        },
    )


def fx_rates(scene: Scene) -> pa.Table:
    """Every day's rate of each currency; the first place writes them for all."""
    if scene.part:
        return tables.empty(SCHEMA["fx_rates"])
    rates = ground.fx_rates(scene.spec.seed, scene.spec.days)
    codes = np.repeat(np.arange(len(CURRENCIES)), scene.spec.days)
    return tables.build(
        SCHEMA["fx_rates"],
        {
            "rate_date": scene.date(np.tile(np.arange(scene.spec.days), len(CURRENCIES))),
            "currency": tables.category(codes.astype(np.int8), CURRENCIES),
            "units_per_eur": rates.ravel(),
        },
    )
