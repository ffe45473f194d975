"""What a tariff must look like, in 2.2.1's words (OCPI contract 6): for reviewed presets and for the REST API alike."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.utils.dateparse import parse_datetime

from catalog.shapes import Problem, Rule, all_of, inside, list_of, one_of, record, text, yes_or_no
from ocpi.vocabulary import (
    DIMENSIONS,
    ENERGY_SOURCES,
    ENVIRONMENTAL_IMPACTS,
    RESERVATIONS,
    TARIFF_TYPES,
    WEEKDAYS,
)

CLOCK = re.compile(r"([0-1][0-9]|2[0-3]):[0-5][0-9]")
LANGUAGE = re.compile(r"[a-z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
URL = re.compile(r"https?://[!-~]+")
DIGITS = 4  # OCPI's numbers have at most four decimals
LARGEST = 1_000_000_000


def decimal(low: float, high: float) -> Rule:
    """A JSON number within bounds and with at most four decimals."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Problem(path, "must be a number")
        elif not low <= value <= high:
            yield Problem(path, f"{value} is outside {low} to {high}")
        elif round(value, DIGITS) != value:
            yield Problem(path, f"{value} has more than {DIGITS} decimals")

    return check


def whole(low: int, high: int) -> Rule:
    def check(value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(path, "must be a whole number")
        elif not low <= value <= high:
            yield Problem(path, f"{value} is outside {low} to {high}")

    return check


def day(value: Any, path: str) -> Iterator[Problem]:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        yield Problem(path, "must be a date such as 2026-11-21")


def moment(value: Any, path: str) -> Iterator[Problem]:
    try:
        found = parse_datetime(value)
    except (TypeError, ValueError):
        found = None
    if found is None:
        yield Problem(path, "must be a date and time such as 2026-11-21T09:15:00Z")


def rises(low: str, high: str) -> Rule:
    """Where both bounds are given, the upper one is above the lower."""

    def check(value: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if low in value and high in value and value[low] >= value[high]:
            yield Problem(inside(path, high), f"must be above {low}")

    return check


PRICE = decimal(0, LARGEST)
PRICE_COMPONENT = record(
    {"type": one_of(DIMENSIONS), "price": PRICE, "step_size": whole(1, 1_000_000)}, {"vat": decimal(0, 100)}
)
PAIRS = (("min_kwh", "max_kwh"), ("min_current", "max_current"), ("min_power", "max_power"))
DURATIONS = ("min_duration", "max_duration")
RESTRICTIONS = all_of(
    record(
        {},
        {
            "start_time": text(5, CLOCK),
            "end_time": text(5, CLOCK),
            "start_date": day,
            "end_date": day,
            **{name: PRICE for pair in PAIRS for name in pair},
            **{name: whole(0, LARGEST) for name in DURATIONS},
            "day_of_week": list_of(one_of(WEEKDAYS), 1, 7),
            "reservation": one_of(RESERVATIONS),
        },
    ),
    *(rises(low, high) for low, high in (*PAIRS, DURATIONS, ("start_date", "end_date"))),
)
ELEMENT = record({"price_components": list_of(PRICE_COMPONENT, 1, 20)}, {"restrictions": RESTRICTIONS})
PRICE_LIMIT = record({"excl_vat": PRICE}, {"incl_vat": PRICE})
DISPLAY_TEXT = record({"language": text(2, LANGUAGE), "text": text(512)})
ENERGY_SOURCE = record({"source": one_of(ENERGY_SOURCES), "percentage": decimal(0, 100)})
ENVIRONMENTAL_IMPACT = record({"category": one_of(ENVIRONMENTAL_IMPACTS), "amount": decimal(0, LARGEST)})
ENERGY_MIX = record(
    {"is_green_energy": yes_or_no},
    {
        "energy_sources": list_of(ENERGY_SOURCE, 1, len(ENERGY_SOURCES)),
        "environ_impact": list_of(ENVIRONMENTAL_IMPACT, 1, len(ENVIRONMENTAL_IMPACTS)),
        "supplier_name": text(64),
        "energy_product_name": text(64),
    },
)
OPTIONAL: dict[str, Rule] = {
    "type": one_of(TARIFF_TYPES),
    "tariff_alt_text": list_of(DISPLAY_TEXT, 0, 30),
    "tariff_alt_url": text(255, URL),
    "min_price": PRICE_LIMIT,
    "max_price": PRICE_LIMIT,
    "start_date_time": moment,
    "end_date_time": moment,
    "energy_mix": ENERGY_MIX,
}
ELEMENTS = list_of(ELEMENT, 1, 100)
# Of a preset: prices in euro before VAT; currency and VAT come with the country.
TARIFF = record({"elements": ELEMENTS}, OPTIONAL)
WHOLE_TARIFF = record({"currency": text(3, CURRENCY), "elements": ELEMENTS}, {**OPTIONAL, "preauthorize_amount": PRICE})
