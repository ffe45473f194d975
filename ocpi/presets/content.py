"""A preset's content: reading the reviewed files in `ocpi/presets/data/`, and what they must look like."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from catalog.documents import read_documents
from catalog.shapes import Problem, all_of, distinct, list_of, one_of, record, text, yes_or_no
from catalog.vocabulary import ConnectorType, OcppVersion
from ocpi.models import EvseStatus
from ocpi.tariffs.shapes import CLOCK, DISPLAY_TEXT, ENERGY_MIX, TARIFF, URL, whole
from ocpi.vocabulary import CAPABILITIES, FACILITIES, PARKING_RESTRICTIONS, PARKING_TYPES, VERSIONS

FOLDER = Path(__file__).parent / "data"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TARIFF_KEY = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")
MOST_LOCATIONS, MOST_CHARGERS = 300, 50


HOURS = record({"weekday": whole(1, 7), "period_begin": text(5, CLOCK), "period_end": text(5, CLOCK)})
OPENING_TIMES = record({"twentyfourseven": yes_or_no}, {"regular_hours": list_of(HOURS, 1, 14)})
OPERATOR = record({"name": text(100)}, {"website": text(255, URL)})
SITE_ATTRIBUTES = record(
    {"parking_type": one_of(PARKING_TYPES), "opening_times": OPENING_TIMES},
    {
        "charging_when_closed": yes_or_no,
        "facilities": list_of(one_of(FACILITIES), 1, 20),
        "operator": OPERATOR,
        "directions": list_of(DISPLAY_TEXT, 1, 5),
        "energy_mix": ENERGY_MIX,
        "publish_allowed_to": list_of(record({"group_id": text(36)}), 1, 10),
    },
)
SITE = record(
    {
        "name": text(100),
        "motorway": yes_or_no,
        "postal_code": yes_or_no,
        "public": yes_or_no,
        "attributes": SITE_ATTRIBUTES,
    }
)
EVSE = record(
    {"capabilities": list_of(one_of(CAPABILITIES), 1, len(CAPABILITIES))},
    {"parking_restrictions": list_of(one_of(PARKING_RESTRICTIONS), 1, len(PARKING_RESTRICTIONS))},
)
GROUP = record(
    {
        "name": text(60),
        "brand_slug": text(60, SLUG),
        "model_slug": text(80, SLUG),
        "connector_type": one_of(ConnectorType.values),
        "ocpp_version": one_of(OcppVersion.values),
        "count": whole(1, MOST_CHARGERS),
        "tariff": text(36, TARIFF_KEY),
        "evse": EVSE,
    },
    {"hold": one_of(EvseStatus.values)},
)
KEYED_TARIFF = record({"key": text(36, TARIFF_KEY), "content": TARIFF})


def hangs_together(value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Sizes within their caps, and no group without its tariff."""
    chargers = sum(group["count"] for group in value["groups"])
    if value["locations"] > value["caps"]["locations"]:
        yield Problem("locations", "is beyond its own cap")
    if chargers > value["caps"]["chargers_per_location"]:
        yield Problem("groups", f"{chargers} chargers a location are beyond the cap")
    known = {tariff["key"] for tariff in value["tariffs"]}
    for index, group in enumerate(value["groups"]):
        if group["tariff"] not in known:
            yield Problem(f"groups[{index}].tariff", f"there is no tariff {group['tariff']}")
    yield from distinct("key")(value["tariffs"], "tariffs")


PRESET = all_of(
    record(
        {
            "slug": text(60, SLUG),
            "version": whole(1, 10_000),
            "description": text(300),
            "ocpi_version": one_of(VERSIONS),
            "locations": whole(1, MOST_LOCATIONS),
            "caps": record({"locations": whole(1, MOST_LOCATIONS), "chargers_per_location": whole(1, MOST_CHARGERS)}),
            "site": SITE,
            "tariffs": list_of(KEYED_TARIFF, 1, 50),
            "groups": list_of(GROUP, 1, MOST_CHARGERS),
        },
        {"online": whole(0, MOST_LOCATIONS * MOST_CHARGERS), "settings": record({}, {"occupied_as": text(10)})},
    ),
    hangs_together,
)


def read_preset_files(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """One document a preset. Raises InvalidDocuments with all problems of all files."""
    return read_documents(folder, PRESET)
