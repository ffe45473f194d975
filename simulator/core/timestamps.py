"""Times on the wire: RFC 3339 in UTC with `Z` and milliseconds (behaviour contract, F8)."""

from datetime import UTC, datetime


def written(seconds: float) -> str:
    """Unix seconds as text, to the millisecond."""
    return _text(datetime.fromtimestamp(seconds, tz=UTC))


def rewritten(text: str) -> str | None:
    """The same time as `written` has it, or None for what is no date-time."""
    moment = _moment(text)
    return _text(moment) if moment else None


def read(text: str) -> float | None:
    """Unix seconds, or None for what is no date-time. Takes any form of ISO 8601 (OCPP 1.6, 3.14).

    A time without a zone is UTC: that is what the specification recommends, and what those mean who leave it off.
    """
    moment = _moment(text)
    return moment.timestamp() if moment else None


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
