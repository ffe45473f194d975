"""The built-in table of places (OCPI contract 17).

`countries.tsv` knows every country by its capital; `towns.json` has towns, streets and motorways for those that are
asked for most. A country without an entry there has its capital and a few streets of no particular language.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
STREETS = ("Central Avenue", "Station Road", "Market Street", "Park Road", "Harbour Street", "Airport Road")
MOTORWAYS = ("M1", "M2", "M3")


@dataclass(frozen=True, slots=True)
class Town:
    """Its centre in decimal degrees; `timezone` is an IANA name; `postal_codes` are some of the centre's."""

    name: str
    latitude: float
    longitude: float
    timezone: str
    postal_codes: tuple[str, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class Country:
    """`vat` in percent, None where none is known; `price_level` turns a price in euro into a likely one here.

    `address` is a pattern of `street` and `number`.
    """

    code: str
    alpha3: str
    currency: str
    towns: tuple[Town, ...]
    streets: tuple[str, ...] = STREETS
    motorways: tuple[str, ...] = MOTORWAYS
    address: str = "{street} {number}"
    vat: Decimal | None = None
    price_level: Decimal = Decimal(1)


@cache
def gazetteer() -> Mapping[str, Country]:
    """Every country by its ISO 3166-1 alpha-2 code."""
    towns = json.loads((FOLDER / "towns.json").read_text(encoding="utf-8"))
    with (FOLDER / "countries.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row["code"]: _country(row, towns.get(row["code"])) for row in rows}


def alpha3(code: str) -> str:
    """OCPI's spelling of a country; raises KeyError for one that is not in ISO 3166-1."""
    return gazetteer()[code].alpha3


def _country(row: Mapping[str, str], known: Mapping[str, Any] | None) -> Country:
    code, alpha3, currency = row["code"], row["alpha3"], row["currency"]
    if known is None:
        capital = Town(row["capital"], float(row["latitude"]), float(row["longitude"]), row["timezone"], ("00000",))
        return Country(code, alpha3, currency, (capital,))
    vat = known["vat"]
    return Country(
        code=code,
        alpha3=alpha3,
        currency=currency,
        towns=tuple(_town(town, row["timezone"]) for town in known["towns"]),
        streets=tuple(known["streets"]),
        motorways=tuple(known["motorways"]),
        address=known["address"],
        vat=None if vat is None else Decimal(vat),
        price_level=Decimal(known["price_level"]),
    )


def _town(town: Mapping[str, Any], timezone: str) -> Town:
    return Town(
        name=town["name"],
        latitude=town["latitude"],
        longitude=town["longitude"],
        timezone=town.get("timezone", timezone),
        postal_codes=tuple(town["postal_codes"]),
        state=town.get("state", ""),
    )
