"""Times on the wire: RFC 3339 in UTC with `Z` and milliseconds (behaviour contract, F8)."""

from datetime import UTC, datetime


def written(seconds: float) -> str:
    """Unix seconds as text, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read(text: str) -> float | None:
    """Unix seconds, or None for what is no date-time. Takes any form of ISO 8601 (OCPP 1.6, 3.14).

    A time without a zone is UTC: that is what the specification recommends, and what those mean who leave it off.
    """
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
