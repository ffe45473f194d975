"""What a reviewed data file must look like: one brand with its models.

The admin checks a staff member's edit by the same rules, so nothing here touches the database.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.shapes import (
    Problem,
    all_of,
    ascending,
    distinct,
    inside,
    iso_date,
    list_of,
    number,
    one_of,
    record,
    text,
    yes_or_no,
)
from catalog.vocabulary import (
    ConnectorType,
    CurrentType,
    Mounting,
    OcppVersion,
    OutletFormat,
    SourceBasis,
    current_of,
)

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CONFIGURATION_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
# `#` stands for a digit, `@` for a capital letter; 25 characters is what OCPP allows a serial number.
SERIAL_PATTERN = re.compile(r"[A-Z0-9#@-]{0,25}")
URL = re.compile(r"https?://\S+")

# The power on the plate is current times voltage, rounded by the manufacturer: 3 x 32 A at 400 V is sold as 22 kW.
ROUNDING = 0.1
SINGLE_CIRCUIT = {ConnectorType.TYPE1, ConnectorType.SCHUKO, ConnectorType.NACS}


def rated_power_kw(connector: Mapping[str, Any]) -> float:
    """What current and voltage allow; `max_voltage_v` is line to line where there are three phases."""
    factor = math.sqrt(3) if connector["phases"] == 3 else 1.0
    return float(connector["max_current_a"] * connector["max_voltage_v"] * factor / 1000)


def connector_is_coherent(connector: Any, path: str) -> Iterator[Problem]:
    kind = connector["type"]
    is_dc = current_of(kind, connector["max_voltage_v"]) is CurrentType.DC
    if connector["format"] == OutletFormat.SOCKET and (is_dc or kind == ConnectorType.TYPE1):
        yield Problem(f"{path}.format", f"{kind} exists with a fixed cable only")
    if connector["phases"] == 3 and (is_dc or kind in SINGLE_CIRCUIT):
        yield Problem(f"{path}.phases", f"{kind} has one circuit only")
    rated, power = rated_power_kw(connector), connector["max_power_kw"]
    if power > rated * (1 + ROUNDING):
        yield Problem(f"{path}.max_power_kw", f"{power} kW is more than current and voltage allow ({rated:.1f} kW)")
    # A DC outlet reaches its power anywhere below the highest current and voltage; an AC outlet only at both.
    if not is_dc and power < rated * (1 - ROUNDING):
        yield Problem(f"{path}.max_power_kw", f"{power} kW is less than current and voltage give ({rated:.1f} kW)")


def evse_numbers_are_coherent(connectors: Any, path: str) -> Iterator[Problem]:
    """OCPP 2.0.1 numbers EVSEs from 1 without a gap; the outlets of one EVSE stand side by side."""
    given = [connector["evse"] for connector in connectors if "evse" in connector]
    if not given:
        return
    if len(given) != len(connectors):
        yield Problem(path, "evse is given for every connector or for none")
    elif given != sorted(given) or set(given) != set(range(1, max(given) + 1)):
        yield Problem(path, f"the evse numbers {given} must rise from 1 without a gap")


def levels_reach_the_strongest_outlet(model: Any, path: str) -> Iterator[Problem]:
    strongest = max(connector["max_power_kw"] for connector in model["connectors"])
    if model["power_levels_kw"][-1] != strongest:
        yield Problem(inside(path, "power_levels_kw"), f"must end at the strongest outlet's {strongest} kW")


def current_is_that_of_the_outlets(model: Any, path: str) -> Iterator[Problem]:
    """A station is DC as soon as one outlet is; a fast charger may have an AC socket beside its cables."""
    currents = {current_of(connector["type"], connector["max_voltage_v"]) for connector in model["connectors"]}
    expected = CurrentType.DC if CurrentType.DC in currents else CurrentType.AC
    if model["current_type"] != expected:
        yield Problem(inside(path, "current_type"), f"must be {expected.value} with these connectors")


def a_reboot_key_can_be_written(key: Any, path: str) -> Iterator[Problem]:
    if key["readonly"] and key["reboot_required"]:
        yield Problem(f"{path}.reboot_required", "a key that cannot be written never asks for a reboot")


def keys_are_of_every_sort(keys: Any, path: str) -> Iterator[Problem]:
    """A GetConfiguration looks real when some keys are read-only and a change of at least one needs a reboot."""
    if not any(key["readonly"] for key in keys):
        yield Problem(path, "at least one key must be readonly")
    if not any(key["reboot_required"] for key in keys):
        yield Problem(path, "at least one key must be reboot_required")


CONNECTOR = all_of(
    record(
        {
            "type": one_of(ConnectorType.values),
            "format": one_of(OutletFormat.values),
            "phases": one_of([1, 3]),
            "max_current_a": number(6, 1500),
            "max_voltage_v": number(100, 1500),
            "max_power_kw": number(1, 4000),
        },
        {"evse": one_of(range(1, 9))},
    ),
    connector_is_coherent,
)
CONNECTORS = all_of(list_of(CONNECTOR, 1, 8), evse_numbers_are_coherent)
POWER_LEVELS = all_of(list_of(number(1, 4000), 1, 20), ascending)
OCPP_VERSIONS = all_of(list_of(one_of(OcppVersion.values), 1, len(OcppVersion)), ascending)

# Lengths are OCPP's: a 1.6 key has 50 characters and its value 500, a firmware version 50.
VENDOR_KEY = all_of(
    record(
        {
            "key": text(50, CONFIGURATION_KEY),
            "value": text(500, empty=True),
            "readonly": yes_or_no,
            "reboot_required": yes_or_no,
        }
    ),
    a_reboot_key_can_be_written,
)
VENDOR_KEYS = all_of(list_of(VENDOR_KEY, 3, 8), distinct("key"), keys_are_of_every_sort)

FACTS = {
    "current_type": one_of(CurrentType.values),
    "power_levels_kw": POWER_LEVELS,
    "connectors": CONNECTORS,
    "ocpp_versions": OCPP_VERSIONS,
}
MODEL_FACTS = all_of(record(FACTS), levels_reach_the_strongest_outlet, current_is_that_of_the_outlets)
MODEL = all_of(
    record(
        {
            **FACTS,
            "slug": text(80, SLUG),
            "name": text(80),
            "description": text(400),
            "mounting": one_of(Mounting.values),
            "has_modem": yes_or_no,
            "has_meter": yes_or_no,
            "has_display": yes_or_no,
            "firmware_version": text(50),
            "source_url": text(300, URL),
            "source_date": iso_date,
            "source_basis": one_of(SourceBasis.values),
            "source_note": text(400),
        },
        {"serial_pattern": text(25, SERIAL_PATTERN, empty=True)},
    ),
    levels_reach_the_strongest_outlet,
    current_is_that_of_the_outlets,
)
BRAND_FILE = record(
    {
        "slug": text(60, SLUG),
        "name": text(50),
        "vendor_keys": VENDOR_KEYS,
        "models": all_of(list_of(MODEL, 1, 50), distinct("slug")),
    }
)
