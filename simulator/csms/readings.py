"""Finds the energy register in reported meter values, whichever version wrote them."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

REGISTER = "Energy.Active.Import.Register"
LARGEST_MULTIPLIER = 12


class Register(NamedTuple):
    """The first and the last state of the energy register in a message, in Wh."""

    first: float
    last: float


def register(meter_values: Sequence[dict[str, Any]]) -> Register | None:
    """The register of the outlet over all phases; None where the values hold no such reading."""
    found = [wh for meter_value in meter_values for wh in _registers(meter_value["sampledValue"])]
    return Register(found[0], found[-1]) if found else None


def merged(earlier: Register | None, later: Register | None) -> Register | None:
    if earlier is None or later is None:
        return earlier or later
    return Register(earlier.first, later.last)


def _registers(samples: Sequence[dict[str, Any]]) -> Iterator[float]:
    for sample in samples:
        whole = "phase" not in sample and sample.get("location", "Outlet") == "Outlet"
        if whole and sample.get("measurand", REGISTER) == REGISTER and (wh := _watt_hours(sample)) is not None:
            yield wh


def _watt_hours(sample: dict[str, Any]) -> float | None:
    """The value in Wh; None for signed data and for what is no finite number."""
    of = sample.get("unitOfMeasure", {})
    unit = of.get("unit", "Wh") if of else sample.get("unit", "Wh")
    multiplier = of.get("multiplier", 0)
    if unit not in ("Wh", "kWh") or abs(multiplier) > LARGEST_MULTIPLIER:
        return None
    try:
        value = float(sample["value"]) * 10.0**multiplier
    except (ValueError, OverflowError):
        return None
    return value * (1000 if unit == "kWh" else 1) if math.isfinite(value) else None
