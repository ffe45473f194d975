"""From an order to everything a bundle will consist of, without looking at a clock, a database or chance.

The same order gives the same plan for ever (OCPI contract 16, determinism): names, addresses, ids, identities, outlets
and tariffs, in the same order. What differs between two bundles of one order are only database ids, tokens and times.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ocpi.places.gazetteer import Country, Town, gazetteer
from ocpi.presets.dice import Dice
from ocpi.presets.outlets import evse_rows
from ocpi.presets.prices import localized
from simulator.core.setup import Outlet

LONGEST_SLUG = 32
SPREAD = 0.009  # degrees from the centre, at most: a kilometre at the equator
NUMBERS_PER_ROUND = 120  # house numbers before the same street of a town comes round again
OutletsOf = Callable[[str, str, str], Sequence[Outlet]]  # brand slug, model slug, OCPP version


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for. `content` is a preset's; the two numbers are None where they are not overridden."""

    content: Mapping[str, Any]
    seed: int
    country_code: str
    party_id: str
    name_prefix: str
    ocpi_version: str
    locations: int | None = None
    chargers_per_location: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedTariff:
    tariff_id: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedEvse:
    """As the columns of `ocpi.Evse`. No `tariff_ids` stand for the CPO's first tariff."""

    uid: str
    evse_id: str
    outlet_evse: int
    outlet_connector: int
    attributes: dict[str, Any]
    connector: dict[str, Any]
    tariff_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedCharger:
    """`online`: it connects at once and the bundle waits for it. `hold`: an EVSE status it is brought into and kept.

    An empty `ws_url` stands for the CPO's own CSMS.
    """

    identity: str
    name: str
    brand_slug: str
    model_slug: str
    connector_type: str
    ocpp_version: str
    online: bool
    hold: str
    evses: tuple[PlannedEvse, ...]
    ws_url: str = ""


@dataclass(frozen=True, slots=True)
class PlannedLocation:
    """`country` is alpha-2, as plain locations have it; `country3` OCPI's alpha-3."""

    ocpi_id: str
    name: str
    address: str
    city: str
    country: str
    country3: str
    latitude: float
    longitude: float
    timezone: str
    owner_name: str
    public: bool
    attributes: dict[str, Any]
    chargers: tuple[PlannedCharger, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    tariffs: tuple[PlannedTariff, ...]
    locations: tuple[PlannedLocation, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def chargers(self) -> Iterator[PlannedCharger]:
        for location in self.locations:
            yield from location.chargers


def plan(order: Order, outlets_of: OutletsOf) -> Plan:
    """Raises LookupError when the catalog lacks a model."""
    content, country = order.content, gazetteer()[order.country_code]
    dice = Dice(
        content["slug"], content["version"], order.seed, order.country_code, order.party_id, order.name_prefix,
        order.ocpi_version,
    )  # fmt: skip
    counts = group_sizes(content, order.chargers_per_location)
    per_site = sum(counts)
    sites = order.locations or content["locations"]
    online = content.get("online", sites * per_site)
    locations = tuple(
        _location(
            order,
            country,
            dice,
            number,
            counts,
            first=(number - 1) * per_site + 1,
            online=online,
            outlets_of=outlets_of,
        )
        for number in range(1, sites + 1)
    )
    tariffs = tuple(PlannedTariff(one["key"], localized(one["content"], country)) for one in content["tariffs"])
    return Plan(tariffs, locations, content.get("settings", {}))


def group_sizes(content: Mapping[str, Any], total: int | None) -> list[int]:
    """Chargers of each group at a site: the preset's, or `total` of them in the same proportion (largest remainder)."""
    counts = [group["count"] for group in content["groups"]]
    if total is None:
        return counts
    whole = sum(counts)
    sizes = [total * count // whole for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda index: (-(total * counts[index] % whole), index))
    for index in by_remainder[: total - sum(sizes)]:
        sizes[index] += 1
    return sizes


# --- sites ------------------------------------------------------------------------------------------------------------


def _location(
    order: Order,
    country: Country,
    dice: Dice,
    number: int,
    counts: Sequence[int],
    *,
    first: int,
    online: int,
    outlets_of: OutletsOf,
) -> PlannedLocation:
    site = order.content["site"]
    town, street, house = _place(country, dice, number)
    here = dice.of("site", number)
    motorway = here.pick(country.motorways)
    address = country.address.format(street=street, number=house)
    if site["motorway"]:
        address = f"{motorway}, km {here.below(250) + 1}"
    latitude, longitude = _near(town, here)
    return PlannedLocation(
        ocpi_id=location_id(order.country_code, order.party_id, number),
        name=site["name"].format(street=street, town=town.name, motorway=motorway, number=house),
        address=address,
        city=town.name,
        country=country.code,
        country3=country.alpha3,
        latitude=latitude,
        longitude=longitude,
        timezone=town.timezone,
        owner_name=order.name_prefix,
        public=site["public"],
        attributes=_attributes(site, town, here),
        chargers=tuple(_chargers(order, counts, first, online, outlets_of)),
    )


def _place(country: Country, dice: Dice, number: int) -> tuple[Town, str, int]:
    """Another town each time, then another street of the same towns, then a higher house number."""
    towns = dice.of("towns").shuffled(country.towns)
    town = towns[(number - 1) % len(towns)]
    turn = (number - 1) // len(towns)
    streets = dice.of("streets", town.name).shuffled(country.streets)
    round_, house = turn // len(streets), dice.of("house", number).below(NUMBERS_PER_ROUND)
    return town, streets[turn % len(streets)], 1 + round_ * NUMBERS_PER_ROUND + house


def _near(town: Town, dice: Dice) -> tuple[float, float]:
    north, east = dice.between(-SPREAD, SPREAD), dice.between(-SPREAD, SPREAD)
    return round(town.latitude + north, 6), round(town.longitude + east, 6)


def _attributes(site: Mapping[str, Any], town: Town, dice: Dice) -> dict[str, Any]:
    attributes = dict(site["attributes"])
    if site["postal_code"] and town.postal_codes:
        attributes["postal_code"] = dice.pick(town.postal_codes)
    if town.state:
        attributes["state"] = town.state
    return attributes


# --- chargers ---------------------------------------------------------------------------------------------------------


def _chargers(
    order: Order, counts: Sequence[int], first: int, online: int, outlets_of: OutletsOf
) -> Iterator[PlannedCharger]:
    number, bay = first, 1
    for group, count in zip(order.content["groups"], counts, strict=True):
        for position in range(1, count + 1):
            charger = _charger(order, group, number, position, bay, number <= online, outlets_of)
            yield charger
            number, bay = number + 1, bay + len(charger.evses)


def _charger(
    order: Order,
    group: Mapping[str, Any],
    number: int,
    position: int,
    bay: int,
    online: bool,
    outlets_of: OutletsOf,
) -> PlannedCharger:
    outlets = outlets_of(group["brand_slug"], group["model_slug"], group["ocpp_version"])
    rows = evse_rows(
        outlets, country=order.country_code, party=order.party_id, number=number, bay=bay, attributes=group["evse"]
    )
    return PlannedCharger(
        identity=identity_of(order.name_prefix, order.country_code, order.party_id, number),
        name=f"{group['name']} {position}",
        brand_slug=group["brand_slug"],
        model_slug=group["model_slug"],
        connector_type=group["connector_type"],
        ocpp_version=group["ocpp_version"],
        online=online,
        hold=group.get("hold", ""),
        evses=tuple(PlannedEvse(**row, tariff_ids=(group["tariff"],)) for row in rows),
    )


# --- ids --------------------------------------------------------------------------------------------------------------


def slug_of(prefix: str) -> str:
    """The prefix in `[A-Za-z0-9_-]`, at most 32 characters."""
    plain = unicodedata.normalize("NFKD", prefix).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:LONGEST_SLUG] or "CPO"


def identity_of(prefix: str, country: str, party: str, number: int) -> str:
    """The party keeps two bundles of one prefix apart."""
    return f"{slug_of(prefix)}-{country}{party}-{number:03d}"


def location_id(country: str, party: str, number: int) -> str:
    return f"{country}-{party}-L{number:03d}"
