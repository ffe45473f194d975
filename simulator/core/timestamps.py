"""Times on the wire: RFC 3339 in UTC with `Z` and milliseconds (behaviour contract, F8)."""

import re
from datetime import UTC, datetime

PATTERN = re.compile(r"^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")


def written(seconds: float) -> str:
    """Unix seconds as text, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read(text: str) -> float | None:
    """Unix seconds, or None for what is no date-time. Takes offsets, lower-case t and z, any fraction."""
    match = PATTERN.match(text)
    if not match:
        return None
    date, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        return moment.timestamp() + float(fraction or 0)
    except (ValueError, OverflowError):
        return None
