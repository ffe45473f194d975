"""Where in a stretch of time the local clock may turn a restriction on or off."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)


def changes(start: datetime, end: datetime, zone: ZoneInfo, times: Collection[int]) -> list[datetime]:
    """Instants strictly between, in UTC, at which the local clock shows one of the times (minutes of the day).

    More than are needed does no harm, one too few would: so both readings of an ambiguous time are given, and the
    moments at which the clock itself is changed.
    """
    if not times or start >= end:
        return []
    found = set(_clock_shifts(start, end, zone))
    day = start.astimezone(zone).date() - timedelta(days=1)
    while day <= end.astimezone(zone).date():
        for time in times:
            for fold in (0, 1):
                local = datetime(day.year, day.month, day.day, time // 60 % 24, time % 60, tzinfo=zone, fold=fold)
                found.add(local.astimezone(UTC))
        day += timedelta(days=1)
    return sorted(one for one in found if start < one < end)


def _clock_shifts(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Where the zone's offset changes, to the minute."""
    if end - start > HOUR:
        middle = start + (end - start) / 2
        ends = (start, middle), (start, end)
        if end - start > timedelta(days=30) or not all(_same_offset(*pair, zone) for pair in ends):
            yield from _clock_shifts(start, middle, zone)
            yield from _clock_shifts(middle, end, zone)
        return
    if _same_offset(start, end, zone):
        return
    minute = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while _same_offset(start, minute, zone):
        minute += timedelta(minutes=1)
    yield minute


def _same_offset(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    return one.astimezone(zone).utcoffset() == other.astimezone(zone).utcoffset()
