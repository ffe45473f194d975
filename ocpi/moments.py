"""Moments as OCPI can tell them: whole milliseconds, so that what is stored equals what was emitted."""

from datetime import UTC, datetime

from django.utils import timezone


def truncated(at: datetime) -> datetime:
    """In UTC, cut to the millisecond."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def now_ms() -> datetime:
    return truncated(timezone.now())
