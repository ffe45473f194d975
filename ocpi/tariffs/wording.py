"""A tariff's prices in words."""

from collections.abc import Iterator, Mapping
from typing import Any

UNITS = {
    "ENERGY": "per kWh",
    "TIME": "per hour of charging",
    "PARKING_TIME": "per hour of parking",
    "FLAT": "per session",
}
STEPS = {"ENERGY": "Wh", "TIME": "s", "PARKING_TIME": "s"}
# By restriction, how its value is worded; kept in the order people would say them in.
CONDITIONS = {
    "reservation": "for a {}",
    "start_time": "from {}",
    "end_time": "until {}",
    "start_date": "since {}",
    "end_date": "before {}",
    "day_of_week": "on {}",
    "min_kwh": "from {} kWh",
    "max_kwh": "below {} kWh",
    "min_current": "from {} A",
    "max_current": "below {} A",
    "min_power": "from {} kW",
    "max_power": "below {} kW",
    "min_duration": "after {} s",
    "max_duration": "within {} s",
}


def price_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """One line for each price component, then the limits."""
    currency = content["currency"]
    for element in content["elements"]:
        condition = _condition(element.get("restrictions") or {})
        for component in element["price_components"]:
            yield f"{_component(component, currency)}{condition}"
    for name, word in (("min_price", "At least"), ("max_price", "At most")):
        if name in content:
            yield f"{word} {content[name]['excl_vat']:.2f} {currency} before VAT"


def _component(component: Mapping[str, Any], currency: str) -> str:
    kind, step = component["type"], component["step_size"]
    words = f"{component['price']:.2f} {currency} {UNITS[kind]}"
    if kind in STEPS and step > 1:
        words += f", in steps of {step} {STEPS[kind]}"
    return words + (f", {component['vat']:g} % VAT" if "vat" in component else "")


def _condition(restrictions: Mapping[str, Any]) -> str:
    parts = [words.format(_value(restrictions[name])) for name, words in CONDITIONS.items() if name in restrictions]
    return f" ({', '.join(parts)})" if parts else ""


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one).capitalize() for one in value)
    return value.lower().replace("_", " that ") if value in ("RESERVATION", "RESERVATION_EXPIRES") else f"{value}"
