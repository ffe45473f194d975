"""Values out of validated payloads, in the ranges that the tables can hold."""

from datetime import UTC, datetime
from typing import Any

from simulator.core import timestamps
from simulator.core.errors import Kind, Refusal

INT32 = 2**31 - 1
INT53 = 2**53 - 1  # beyond it a register is no longer exact as a float


def number(request: dict[str, Any], name: str, *, lowest: int = 0, highest: int = INT32) -> int:
    """An integer that the schema leaves unbounded. Raises Refusal outside the range."""
    value = int(request[name])
    if not lowest <= value <= highest:
        raise Refusal(Kind.PROPERTY, f"{name}: {value} is not between {lowest} and {highest}")
    return value


def moment(request: dict[str, Any], name: str = "timestamp") -> datetime:
    """A date-time in UTC. Raises Refusal where the schema's format check lets through what is no moment in time."""
    seconds = timestamps.read(request[name])
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise Refusal(Kind.PROPERTY, f"{name}: {request[name]!r} is not a date-time")
