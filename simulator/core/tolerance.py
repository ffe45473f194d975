"""What a CSMS means by a payload that breaks its schema in form only (behaviour contract, 1.5: the lenient switch).

The log still tells what is wrong with it (`verdicts`). But a CSMS that leaves the zone off a time gets along with the
chargers of the street, so it must get along with these; and with a lenient one, a CSMS that writes `null` for what it
does not know.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from math import isfinite
from typing import Any

from simulator.core import schemas, timestamps
from simulator.core.schemas import Violation

EMPTY: tuple[Any, ...] = (None, "")
TRUTHS = {"true": True, "false": False}
Mender = Callable[[Any, Any, Any], object]  # what holds the value, its name or index there, the schema's complaint


def strictly(subprotocol: str, action: str, direction: str, payload: Any) -> tuple[Any, Violation | None]:
    """The payload, each time in it as RFC 3339 has it, and what the schema still holds against it.

    OCPP 1.6 (3.14) asks for ISO 8601, which knows more forms than the `date-time` of the schemas.
    """
    return _read(subprotocol, action, direction, payload, TIMES)


def leniently(subprotocol: str, action: str, direction: str, payload: Any) -> tuple[Any, Violation | None]:
    """As `strictly`, but what is empty or unknown is left out, and numbers in quotes are numbers.

    Strings may be too long. What is missing or makes no sense stays a violation.
    """
    meant = {} if payload in (None, []) else payload  # as some languages write an object without properties
    return _read(subprotocol, action, direction, meant, MENDERS)


def _read(
    subprotocol: str, action: str, direction: str, payload: Any, menders: Mapping[str, Mender]
) -> tuple[Any, Violation | None]:
    errors = schemas.errors(subprotocol, action, direction, payload)
    if not errors:
        return payload, None
    whole = [deepcopy(payload)]
    for error in errors:
        if mend := menders.get(type(error.kind).__name__):
            way: list[str | int] = [0, *error.instance_path]
            mend(_at(whole, way[:-1]), way[-1], error)
    left = schemas.errors(subprotocol, action, direction, whole[0])
    return whole[0], schemas.first(error for error in left if menders.get(type(error.kind).__name__) is not _accept)


def _at(holder: Any, way: list[str | int]) -> Any:
    for step in way:
        holder = holder[step]
    return holder


def _accept(holder: Any, name: Any, error: Any) -> None:
    """It may stand as it is."""


def _write_time(holder: Any, name: Any, error: Any) -> None:
    if error.kind.format == "date-time":
        holder[name] = timestamps.rewritten(error.instance) or error.instance


def _leave_out_or_write_time(holder: Any, name: Any, error: Any) -> None:
    if not _leave_out_empty(holder, name, error):
        _write_time(holder, name, error)


def _leave_out_unknown(holder: Any, name: Any, error: Any) -> None:
    for unknown in error.kind.unexpected:
        del holder[name][unknown]


def _leave_out_empty(holder: Any, name: Any, error: Any) -> bool:
    is_empty = error.instance in EMPTY and isinstance(holder, dict)
    if is_empty:
        holder.pop(name, None)  # two complaints may be about one value
    return is_empty


def _convert(holder: Any, name: Any, error: Any) -> None:
    if not _leave_out_empty(holder, name, error):
        for wanted in error.kind.types:
            holder[name] = _converted(wanted, holder[name])


def _converted(wanted: str, value: Any) -> Any:
    """The value as the wanted type, or as it is where it means none of that type."""
    match wanted, value:
        case "boolean", str():
            return TRUTHS.get(value.lower(), value)
        case "string", bool():
            return value
        case "string", int() | float():
            return str(value)
        case "integer" | "number", str():
            return _number(value)
        case "integer", float() if value.is_integer():
            return int(value)
    return value


def _number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number if isfinite(number) else text


TIMES: dict[str, Mender] = {"Format": _write_time}
MENDERS: dict[str, Mender] = {
    "AdditionalProperties": _leave_out_unknown,
    "Enum": _leave_out_empty,
    "Format": _leave_out_or_write_time,
    "MaxLength": _accept,
    "Type": _convert,
}
