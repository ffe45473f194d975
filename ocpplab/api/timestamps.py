"""Points in time as answers show them: ISO 8601, UTC, with Z."""

from datetime import UTC, datetime

from django.conf import settings


def iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime(settings.REST_FRAMEWORK["DATETIME_FORMAT"]) if at else None
